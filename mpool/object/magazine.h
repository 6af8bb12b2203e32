/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_MAGAZINE_H
#define _MPOOL_MAGAZINE_H

#include <linux/llist.h>
#include <linux/percpu.h>

#include "chunk.h"

struct mpool_magazine {
	u32 n;
	u32 cap;
	union {
		/* In the place of the state of slots[-1]: &mpool_no_object. */
		u16 *none;
		struct llist_node gone;	/* of a magazine that no CPU has */
	};
	struct mpool_slot slots[];
};

static_assert(offsetof(struct mpool_magazine, slots) ==
	      offsetofend(struct mpool_magazine, none));
static_assert(offsetofend(struct mpool_slot, state) ==
	      sizeof(struct mpool_slot));

/*
 * The magazines of one CPU, of one fixed pool.  Only that CPU accesses the cache, with
 * preemption off, after it has entered the cache (mpool_cache_try()).  An interrupt or
 * NMI that finds the cache in use does not access it.  The cache of a CPU that is
 * offline is drained by another CPU.
 */
struct mpool_cache {
	int idle;			/* MPOOL_CACHE_IDLE, or less if it is in use */
	u32 turn_ops;			/* allocs and frees at the last turn; wraps */
	/* The slots of the loaded magazine; its n is not up to date. */
	struct mpool_slot *top;		/* behind the last object */
	struct mpool_slot *bottom;	/* the first slot */
	struct mpool_slot *limit;	/* behind the last slot */
	u64 allocs;
	u64 frees;
	struct mpool_magazine *loaded;	/* never NULL */
	struct mpool_magazine *spare;	/* never NULL */
};

/*
 * A decrement makes it 0, so one instruction enters the cache and tests whether it was
 * idle.
 */
#define MPOOL_CACHE_IDLE	1

/* The magazines of a pool, of all CPUs. */
struct mpool_magazines {
	u32 cap;			/* of the longest; 0: there are none; constant */
	bool bounded;			/* memory is limited, or is a region; constant */
	atomic_long_t bytes;
	struct llist_head gone;		/* drained ones, to be freed */
};

/*
 * The magazine of a CPU that has none yet: empty and full at once.  It saves the test of
 * the loaded magazine for NULL, 2 instructions in each alloc, and the tests of the slow
 * paths.
 */
extern struct mpool_magazine mpool_no_magazine;

/*
 * The cache of pools that must not use their own caches: it is never idle.  It saves the
 * test of the caches for NULL, 2 instructions in each alloc and in each free.
 */
DECLARE_PER_CPU(struct mpool_cache, mpool_no_cache);

/* Enters the cache of this CPU; false if the cache is in use.  Preemption is off. */
static __always_inline bool mpool_cache_try(struct mpool_cache *cache)
{
	/*
	 * The decrement need not be atomic.  An interrupt or NMI, at any point, enters
	 * the cache and leaves it with idle as it was; or it finds the cache in use, and
	 * adds the 1 that it has subtracted.  All of this is on one CPU, so a
	 * compiler barrier is enough.  Pairs with mpool_cache_leave().  data_race() is
	 * for KCSAN.
	 */
	if (unlikely(data_race(--cache->idle))) {
		barrier(); /* or gcc keeps the old value in a register */
		data_race(cache->idle++);
		return false;
	}
	barrier();
	return true;
}

/* The same; the cache of this CPU, or NULL. */
static inline struct mpool_cache *
mpool_cache_enter(struct mpool_cache __percpu *caches)
{
	struct mpool_cache *cache = this_cpu_ptr(caches);

	return mpool_cache_try(cache) ? cache : NULL;
}

static __always_inline void mpool_cache_leave(struct mpool_cache *cache)
{
	barrier(); /* Pairs with mpool_cache_try(), on this CPU. */
	WRITE_ONCE(cache->idle, MPOOL_CACHE_IDLE);
}

void mpool_magazines_init(struct mpool_magazines *mags, size_t size, bool bounded);
void mpool_magazines_supply(struct mpool_magazines *mags,
			    struct mpool_cache __percpu *caches,
			    unsigned long nr_objs, gfp_t gfp);
void mpool_magazines_free_gone(struct mpool_magazines *mags);

void mpool_cache_init(struct mpool_cache *cache);
bool mpool_cache_reload(struct mpool_cache *cache, struct mpool_chunks *chunks);
bool mpool_cache_unload(struct mpool_cache *cache, struct mpool_chunks *chunks,
			u32 least);
void mpool_cache_drain(struct mpool_cache *cache, struct mpool_magazines *mags,
		       struct mpool_chunks *chunks);
u32 mpool_magazine_cap(const struct mpool_magazines *mags, unsigned long nr_objs);
unsigned long mpool_cache_objects(const struct mpool_cache *cache);
int mpool_cache_verify(const struct mpool_cache *cache);
int mpool_magazines_verify(const struct mpool_magazines *mags);

#endif /* _MPOOL_MAGAZINE_H */
