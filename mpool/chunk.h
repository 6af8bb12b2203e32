/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_CHUNK_H
#define _MPOOL_CHUNK_H

#include "kick.h"
#include "large.h"
#include "pagemap.h"
#include "site.h"

struct mpool_fixed;

/*
 * State of an object, a word each beside the objects:
 *
 *	0			in a magazine, the depot or the reserve
 *	1 .. MPOOL_SITE_MAX	live; the site that allocated it
 *	MPOOL_OBJ_BUSY		being freed, by the one who put this here
 *	MPOOL_OBJ_LATE		freed; a work item takes it back
 *	MPOOL_OBJ_FREE | next	on the free list of its chunk
 */
#define MPOOL_OBJ_CACHED	0u
#define MPOOL_OBJ_BUSY		BIT(30)
#define MPOOL_OBJ_LATE		(BIT(30) | 1u)
#define MPOOL_OBJ_FREE		BIT(31)
#define MPOOL_OBJ_END		(BIT(31) - 1)	/* "next" of the last one */

static __always_inline bool mpool_obj_live(u32 state)
{
	return state - 1 < MPOOL_SITE_MAX;
}

/* An object that is not live, and its state word, as magazines hold it. */
struct mpool_slot {
	void *obj;
	u32 *state;
};

struct mpool_chunk {
	/* Protected by chunks->lock. */
	struct list_head list;		/* partial, full or empty */
	struct list_head all;		/* RCU for readers */
	u32 nfree;			/* on the free list */
	u32 first;			/* of the free list */
	/* Constant. */
	struct mpool_page *pg;
	struct rcu_head rcu;
	struct mpool_fixed *fixed;
	unsigned long base;
	u32 size;			/* from one object to the next, bytes */
	u32 magic;			/* 2^32 / size, rounded up */
	u32 nr;
	u32 state[];			/* nr, and one that is never live */
};

/* All chunks of one fixed pool. */
struct mpool_chunks {
	/* Constant. */
	struct mpool_fixed *fixed;
	struct mpool_pool *owner;	/* who is charged */
	struct mpool_large *large;
	u32 size;
	u32 magic;
	u32 nr;				/* objects of a chunk */
	u32 npages;
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
	unsigned long nr_free;		/* on free lists */

	/* Finishes frees that could not take the lock in NMI context. */
	struct mpool_kick late;
};

/*
 * The state word of the object that begins at @addr, or NULL if none can begin
 * there.  A multiplication in place of the division: if @addr is k objects from
 * the base the error of the reciprocal is too small to miss k, and if it is not,
 * no k can pass the comparison.
 */
static __always_inline u32 *mpool_chunk_state(struct mpool_chunk *chunk,
					      unsigned long addr)
{
	u32 off = addr - chunk->base;
	u32 i = (u64)off * chunk->magic >> 32;

	return likely(i * chunk->size == off) ? &chunk->state[i] : NULL;
}

/* The chunk that an address lies in, or NULL; see mpool_pagemap_word(). */
static __always_inline struct mpool_chunk *mpool_chunk_find(const void *p)
{
	unsigned long word = mpool_pagemap_word((unsigned long)p);

	return word & MPOOL_PAGE_ARENA ? NULL : (struct mpool_chunk *)word;
}

/* The same, but NULL also if the page map would have to look further. */
static __always_inline struct mpool_chunk *mpool_chunk_guess(const void *p)
{
	unsigned long word = mpool_pagemap_guess((unsigned long)p);

	return word & MPOOL_PAGE_ARENA ? NULL : (struct mpool_chunk *)word;
}

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
void mpool_chunks_settle(struct mpool_chunks *chunks);
int mpool_chunks_walk(struct mpool_chunks *chunks, mpool_visit_fn fn,
		      void *arg);
void mpool_chunks_end(struct mpool_chunks *chunks);
int mpool_chunks_verify(struct mpool_chunks *chunks, unsigned long live,
			unsigned long cached);

#endif /* _MPOOL_CHUNK_H */
