/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_CHUNK_H
#define _MPOOL_CHUNK_H

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/overflow.h>

#include "kick.h"
#include "large.h"
#include "pagemap.h"
#include "site.h"

struct mpool_fixed;

/*
 * State of an object, 16 bits each beside the objects:
 *
 *	1 .. MPOOL_SITE_MAX	live; the site that allocated it
 *	MPOOL_OBJ_FREE		on the free list of its chunk
 *	MPOOL_OBJ_LATE		freed; a work item takes it back
 *	MPOOL_OBJ_BUSY		being freed, by the one who put this here
 *	MPOOL_OBJ_UNBORN	the same kind: being constructed, by that one
 *	MPOOL_OBJ_CACHED	in a magazine, the depot or the reserve
 *
 * Of those that are not live the high byte counts, the low one may be anything, and
 * only chooses words where an object is busy:
 * processors stall at an instruction that has 16 bits as a constant, so that the fast
 * paths compare and store the high byte.  As signed numbers those of live objects are
 * above all others, which makes it one comparison.  Not with 0: gcc would load the
 * byte into a register first.
 *
 * A state is written by frees that may be wrong, without a lock.  So it says what its
 * own object is, and nothing else: no list leads through it, and the free list of a
 * chunk is a bitmap that only the holder of chunks->lock writes.
 *
 * With 32 bits they were a fifteenth of the memory for objects of 64 bytes.
 */
#define MPOOL_OBJ_FREE		((u16)0x8000)
#define MPOOL_OBJ_LATE		((u16)0xfc00)
#define MPOOL_OBJ_BUSY		((u16)0xfd00)
#define MPOOL_OBJ_UNBORN	((u16)0xfd01)
#define MPOOL_OBJ_CACHED	((u16)0xfe00)

/* Objects of a chunk, at most: they are counted in 16 bits. */
#define MPOOL_CHUNK_OBJS	16383u

static_assert(MPOOL_SITE_MAX < MPOOL_OBJ_FREE);

/* The high byte of a state. */
static __always_inline u8 *mpool_obj_kind(u16 *state)
{
	return (u8 *)state + !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN);
}

static inline bool mpool_obj_live(u16 state)
{
	return state < MPOOL_OBJ_FREE;
}

/* Is it this kind of those that are not live? */
static inline bool mpool_obj_is(u16 state, u16 kind)
{
	return state >> 8 == kind >> 8;
}

/* The same for the fast paths, by a look at the state. */
static __always_inline bool mpool_obj_live_at(u16 *state)
{
	return (s8)mpool_read(*mpool_obj_kind(state)) > (s8)(MPOOL_OBJ_CACHED >> 8);
}

static __always_inline bool mpool_obj_cached_at(u16 *state)
{
	return mpool_read(*mpool_obj_kind(state)) == MPOOL_OBJ_CACHED >> 8;
}

/*
 * Makes a live object a cached one; false if it is not live.  The look and the store
 * are one instruction for this CPU, so that no interrupt, and no host that stops the
 * CPU, comes between them: if another free of the object did, this one fails.  Two
 * CPUs in the same few cycles may both succeed: a locked instruction would exclude
 * that, and cost 20 cycles a free.  What happens then stands at chunk_pop_locked().
 *
 * Live states, and no others, have the top bit clear.  So the exchange expects the
 * state without that bit, and fails for all that are not live: no test, no branch.
 */
static __always_inline bool mpool_obj_cache_at(u16 *state)
{
	u8 *kind = mpool_obj_kind(state);
	u8 live = mpool_read(*kind) & ~(MPOOL_OBJ_FREE >> 8);

	return mpool_try_cmpxchg_local(kind, live, MPOOL_OBJ_CACHED >> 8);
}

/* An object that is not live, and its state, as magazines hold it. */
struct mpool_slot {
	void *obj;
	u16 *state;
};

struct mpool_chunk {
	struct mpool_spot at;		/* first; constant but for the free list */
	union {
		struct list_head list;	/* partial, full or empty; chunks->lock */
		struct rcu_head rcu;	/* of one that is on none */
	};
	struct list_head all;		/* chunks->lock, RCU for readers */
	struct mpool_page *pg;		/* constant */
	bool late;			/* may have objects that are MPOOL_OBJ_LATE */
	u16 state[];			/* behind them the free list, a bitmap */
};

static_assert(!offsetof(struct mpool_chunk, at));

/* Bytes of the description of a chunk. */
static inline size_t mpool_chunk_bytes(u32 nr)
{
	return ALIGN(struct_size((struct mpool_chunk *)NULL, state, nr), sizeof(long)) +
	       BITS_TO_LONGS(nr) * sizeof(long);
}

/* Chunks have @npages from that many objects in the pool on. */
struct mpool_rung {
	u32 from;
	u32 npages;
};

#define MPOOL_RUNGS		6

/* All chunks of one fixed pool. */
struct mpool_chunks {
	/* Constant. */
	struct mpool_fixed *fixed;
	struct mpool_pool *owner;	/* who is charged */
	struct mpool_large *large;
	u32 size;
	u32 inverse;			/* see mpool_chunk_state() */
	u32 shift;
	u32 nr;				/* objects of the longest chunk */
	u32 npages;			/* of it */
	u32 short_pages;		/* of one that loses little */
	u32 nr_rungs;
	struct mpool_rung rungs[MPOOL_RUNGS];	/* from 0, ascending */
	u32 max_objects;		/* 0: no limit */
	unsigned long align;		/* of a chunk, bytes */

	/* Protects what follows; a handful of objects at a time. */
	raw_spinlock_t lock;
	struct list_head partial;
	struct list_head full;
	struct list_head empty;		/* all objects on the free list */
	struct list_head all;		/* RCU for readers */
	unsigned int nr_empty;
	unsigned int nr_growing;	/* chunks that somebody is making */
	unsigned long nr_objs;
	unsigned long nr_pages;
	unsigned long nr_free;		/* on free lists */

	/* Finishes frees that could not take the lock in NMI context. */
	struct mpool_kick late;
};

/*
 * The state of the object that begins at @addr, or NULL if none does.  An
 * exact division, which tells a remainder too (Hacker's Delight, 10-17): the
 * size is an odd number shifted; multiplying by the inverse of that number
 * modulo 2^32 and rotating back maps each multiple of the size to its quotient,
 * and, because no two numbers map to the same, all else to larger ones.
 */
static __always_inline u32 mpool_chunk_index(const struct mpool_chunk *chunk,
					     unsigned long addr)
{
	return ror32((u32)(addr - chunk->at.base) * chunk->at.inverse, chunk->at.shift);
}

static __always_inline u16 *mpool_chunk_state(struct mpool_chunk *chunk,
					      unsigned long addr)
{
	u32 i = mpool_chunk_index(chunk, addr);

	return i < chunk->at.nr ? &chunk->state[i] : NULL;
}

/* The chunk that an address lies in, or NULL; see mpool_pagemap_word(). */
static __always_inline struct mpool_chunk *mpool_chunk_find(const void *p)
{
	unsigned long word = mpool_pagemap_word((unsigned long)p);

	return mpool_word_chunk(word) ? (struct mpool_chunk *)word : NULL;
}

/*
 * The same, without a test: where there is no chunk, or the page map would have to
 * look further, what only looks like one, of no pool and without objects.
 */
static __always_inline struct mpool_chunk *mpool_chunk_near(const void *p)
{
	return (struct mpool_chunk *)mpool_pagemap_near((unsigned long)p);
}

/* geometry.c */
void mpool_chunks_measure(struct mpool_chunks *chunks, bool class);
u32 mpool_chunk_next_length(struct mpool_chunks *chunks);

/* chunk.c */
void mpool_chunks_init(struct mpool_chunks *chunks, struct mpool_fixed *fixed,
		       struct mpool_pool *owner, struct mpool_large *large,
		       size_t size, size_t align);
unsigned int mpool_chunks_take(struct mpool_chunks *chunks,
			       struct mpool_slot *slots, unsigned int n);
bool mpool_chunks_put(struct mpool_chunks *chunks,
		      const struct mpool_slot *slots, unsigned int n);
void mpool_chunks_put_late(struct mpool_chunks *chunks,
			   const struct mpool_slot *slot);
int mpool_chunks_grow(struct mpool_chunks *chunks, gfp_t gfp);
void mpool_chunks_reap(struct mpool_chunks *chunks, unsigned int keep);
void mpool_chunks_reap_more(struct mpool_chunks *chunks);
void mpool_chunks_collect(struct mpool_chunks *chunks);
void mpool_chunks_settle(struct mpool_chunks *chunks);
int mpool_chunks_walk(struct mpool_chunks *chunks, mpool_visit_fn fn,
		      void *arg);
void mpool_chunks_end(struct mpool_chunks *chunks);
int mpool_chunks_verify(struct mpool_chunks *chunks, unsigned long live,
			unsigned long cached);

#endif /* _MPOOL_CHUNK_H */
