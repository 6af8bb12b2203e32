/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_CHUNK_H
#define _MPOOL_CHUNK_H

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/overflow.h>

#include "defer.h"
#include "large.h"
#include "pagemap.h"
#include "site.h"

struct mpool_fixed;

/*
 * State of an object, 16 bits each beside the objects:
 *
 *	1 .. MPOOL_SITE_MAX	live; the call site that allocated it
 *	MPOOL_OBJ_FREE		on the free list of its chunk
 *	MPOOL_OBJ_QUEUED		freed; a work item puts it on the free list
 *	MPOOL_OBJ_FREEING		being freed, by the CPU that stored this state
 *	MPOOL_OBJ_UNBORN	the same kind: being constructed, by that CPU
 *	MPOOL_OBJ_CACHED	in a magazine or the reserve
 *
 * If an object is not live, the high byte of its state is its kind.  The low byte may
 * have any value; where an object is busy, it only chooses the words of a report.  The
 * fast paths compare and store the high byte, because processors stall at an instruction
 * with a constant of 16 bits.  As signed numbers, the high bytes of live objects are
 * above all others, so one comparison is enough.  It is not a comparison with 0, for
 * which gcc would load the byte into a register first.
 *
 * Frees that may be wrong write a state without a lock.  So a state says something of its
 * own object only: no list leads through it, and the free list of a chunk is a bitmap
 * that only the holder of chunks->lock writes.
 *
 * States of 32 bits took a fifteenth of the memory for objects of 64 bytes.
 */
#define MPOOL_OBJ_FREE		((u16)0x8000)
#define MPOOL_OBJ_QUEUED		((u16)0xfc00)
#define MPOOL_OBJ_FREEING		((u16)0xfd00)
#define MPOOL_OBJ_UNBORN	((u16)0xfd01)
#define MPOOL_OBJ_CACHED	((u16)0xfe00)

/* The most objects of a chunk: they are counted in 16 bits. */
#define MPOOL_CHUNK_OBJS	16383u

static_assert(MPOOL_SITE_MAX < MPOOL_OBJ_FREE);

/* Address of the high byte of a state. */
static __always_inline u8 *mpool_obj_kind(u16 *state)
{
	return (u8 *)state + !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN);
}

static inline bool mpool_obj_live(u16 state)
{
	return state < MPOOL_OBJ_FREE;
}

/* Is the state of this kind, of the kinds that are not live? */
static inline bool mpool_obj_is(u16 state, u16 kind)
{
	return state >> 8 == kind >> 8;
}

/* mpool_obj_live() for the fast paths, with the address of the state. */
static __always_inline bool mpool_obj_live_at(u16 *state)
{
	return (s8)mpool_read(*mpool_obj_kind(state)) > (s8)(MPOOL_OBJ_CACHED >> 8);
}

/* Is the object MPOOL_OBJ_CACHED?  For the fast paths. */
static __always_inline bool mpool_obj_cached_at(u16 *state)
{
	return mpool_read(*mpool_obj_kind(state)) == MPOOL_OBJ_CACHED >> 8;
}

/* Makes a live object a cached one; false if it is not live. */
static __always_inline bool mpool_obj_cache_at(u16 *state)
{
	u8 *kind = mpool_obj_kind(state);
	u8 live = mpool_read(*kind) & ~(MPOOL_OBJ_FREE >> 8);

	/*
	 * Live states, and no others, have the top bit clear.  The exchange expects the
	 * state without that bit.  So it fails for all states that are not live, without
	 * a test and a branch.
	 *
	 * The comparison and the store are one instruction of this CPU: no interrupt
	 * comes between them, nor a host that stops the CPU.  If another free of the
	 * object came first, this one fails.  Two CPUs in the same few cycles may both
	 * succeed.  A locked instruction would exclude that, and cost 20 cycles a free.
	 * slot_take() deals with it.
	 */
	return mpool_try_cmpxchg_local(kind, live, MPOOL_OBJ_CACHED >> 8);
}

/* An object that is not live, and the address of its state, as magazines hold them. */
struct mpool_slot {
	void *obj;
	u16 *state;
};

struct mpool_chunk {
	struct mpool_spot at;		/* first; constant but for the free list */
	union {
		struct list_head list;	/* partial, full or empty; chunks->lock */
		struct rcu_head rcu;	/* of a chunk that is on no list */
	};
	struct list_head all;		/* chunks->lock, RCU for readers */
	struct mpool_page *pg;		/* constant */
	bool queued;			/* may have objects that are MPOOL_OBJ_QUEUED */
	u8 pins;			/* cursors here, or MPOOL_CHUNK_GONE; chunks->lock */
	u16 state[];			/* then the free list, a bitmap */
};

/* The most objects that are allocated or freed under the lock at a time. */
#define MPOOL_CHUNK_BATCH	16u

/* Pins of a chunk that is on no list. */
#define MPOOL_CHUNK_GONE	U8_MAX

static_assert(!offsetof(struct mpool_chunk, at));
/* The pins take no room: it is a gap without them. */
static_assert(offsetof(struct mpool_chunk, state) ==
	      offsetof(struct mpool_chunk, pg) + sizeof(void *) + sizeof(u16));

/* Where a walk in steps is; { } is before the first object. */
struct mpool_chunk_cursor {
	struct mpool_chunk *chunk;	/* it has a pin of it */
	u32 index;			/* of the next object to be looked at */
};

/* Bytes of the description of a chunk. */
static inline size_t mpool_chunk_bytes(u32 nr)
{
	return ALIGN(struct_size((struct mpool_chunk *)NULL, state, nr), sizeof(long)) +
	       BITS_TO_LONGS(nr) * sizeof(long);
}

/* All chunks of one fixed pool. */
struct mpool_chunks {
	/* Constant. */
	struct mpool_fixed *fixed;
	struct mpool_pool *owner;	/* pool that is charged */
	struct mpool_large *large;
	u32 size;
	u32 inverse;			/* see mpool_chunk_index() */
	u32 shift;
	u32 nr;				/* objects of the longest chunk */
	u32 npages;			/* of the longest chunk */
	u32 max_objects;		/* 0: no limit */
	unsigned long align;		/* of a chunk, in bytes */

	/* Protects the fields below; held for a handful of objects at a time. */
	raw_spinlock_t lock;
	struct list_head partial;
	struct list_head full;
	struct list_head empty;		/* all objects on the free list, no pin */
	struct list_head all;		/* RCU for readers */
	unsigned int nr_empty;
	unsigned int nr_growing;	/* chunks that are being made */
	unsigned long nr_objs;
	unsigned long nr_pages;
	unsigned long nr_free;		/* on free lists */

	/* Finishes frees in NMI context that could not take the lock. */
	struct mpool_defer deferred;
};

/*
 * Index of the object that begins at @addr; not below at.nr if no object begins there.
 * An exact division, which detects a remainder, too (Hacker's Delight, 10-17): the size
 * is an odd number shifted left.  A multiplication by the inverse of that number modulo
 * 2^32 and a rotation back map each multiple of the size to its quotient.  No two numbers
 * are mapped to the same one, so all other numbers are mapped to larger ones.
 */
static __always_inline u32 mpool_chunk_index(const struct mpool_chunk *chunk,
					     unsigned long addr)
{
	return ror32((u32)(addr - chunk->at.base) * chunk->at.inverse, chunk->at.shift);
}

/* The state of the object that begins at @addr, or NULL if none does. */
static __always_inline u16 *mpool_chunk_state(struct mpool_chunk *chunk,
					      unsigned long addr)
{
	u32 i = mpool_chunk_index(chunk, addr);

	return i < chunk->at.nr ? &chunk->state[i] : NULL;
}

/* The chunk that an address is in, or NULL; see mpool_pagemap_entry(). */
static __always_inline struct mpool_chunk *mpool_chunk_find(const void *p)
{
	unsigned long entry = mpool_pagemap_entry((unsigned long)p);

	return mpool_entry_is_chunk(entry) ? (struct mpool_chunk *)entry : NULL;
}

/*
 * The same for the fast path, without a test.  If the address is in no chunk, or if only
 * the table of the page map has it, the result looks like a chunk, but has no pool and no
 * objects.
 */
static __always_inline struct mpool_chunk *mpool_chunk_near(const void *p)
{
	return (struct mpool_chunk *)mpool_pagemap_near((unsigned long)p);
}

/*
 * The chunk of a pool that an address is in, or NULL.  The caller has preemption off or is
 * an RCU reader, as long as it uses the chunk.
 */
static inline struct mpool_chunk *mpool_chunk_of(const struct mpool_fixed *fixed,
						 const void *p)
{
	struct mpool_chunk *chunk = mpool_chunk_find(p);

	return chunk && chunk->at.fixed == fixed ? chunk : NULL;
}

/*
 * The state of an object of a pool that is not free, and thus pins its chunk; the page map
 * needs RCU nevertheless.  NULL if the chunk is gone all the same: two CPUs freed the
 * object in the same few cycles, and the other copy went back to the chunk.
 */
static inline u16 *mpool_obj_state_of(const struct mpool_fixed *fixed, void *obj)
{
	struct mpool_chunk *chunk;
	u16 *state;

	rcu_read_lock();
	chunk = mpool_chunk_of(fixed, obj);
	state = chunk ? mpool_chunk_state(chunk, (unsigned long)obj) : NULL;
	rcu_read_unlock();
	return state;
}

/* geometry.c */
void mpool_chunks_measure(struct mpool_chunks *chunks, bool class);
u32 mpool_chunk_next_length(struct mpool_chunks *chunks);

/* chunk.c */
void mpool_chunks_init(struct mpool_chunks *chunks, struct mpool_fixed *fixed,
		       struct mpool_pool *owner, struct mpool_large *large,
		       size_t size, size_t align);
unsigned int mpool_chunks_pop(struct mpool_chunks *chunks,
			      struct mpool_slot *slots, unsigned int n);
bool mpool_chunks_push(struct mpool_chunks *chunks,
		       const struct mpool_slot *slots, unsigned int n);
void mpool_chunks_push_deferred(struct mpool_chunks *chunks,
				const struct mpool_slot *slot);
int mpool_chunks_grow(struct mpool_chunks *chunks, gfp_t gfp);
void mpool_chunks_reclaim(struct mpool_chunks *chunks, unsigned int keep);
void mpool_chunks_reclaim_surplus(struct mpool_chunks *chunks);
void mpool_chunks_collect(struct mpool_chunks *chunks);
void mpool_chunks_settle(struct mpool_chunks *chunks);
bool mpool_chunk_pin(struct mpool_chunks *chunks, struct mpool_chunk *chunk);
void mpool_chunk_unpin(struct mpool_chunks *chunks, struct mpool_chunk *chunk);
void mpool_chunks_end(struct mpool_chunks *chunks);
int mpool_chunks_verify(struct mpool_chunks *chunks, unsigned long live,
			unsigned long cached);

/* visit.c */
int mpool_chunks_walk(struct mpool_chunks *chunks, mpool_visit_fn fn,
		      void *arg);
bool mpool_chunks_step(struct mpool_chunks *chunks,
		       struct mpool_chunk_cursor *at, mpool_visit_fn fn,
		       void *arg);

#endif /* _MPOOL_CHUNK_H */
