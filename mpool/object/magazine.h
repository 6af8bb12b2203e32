/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_MAGAZINE_H
#define _MPOOL_MAGAZINE_H

#include <linux/nodemask.h>
#include <linux/percpu.h>

#include "chunk.h"

struct mpool_magazine {
	struct mpool_magazine *next;	/* in the depot */
	u32 n;
	u32 cap;
	/* In the place of the state of slots[-1]: &mpool_no_object. */
	u16 *none;
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

struct mpool_depot_node {
	/*
	 * Protects the stacks; held for a few instructions, with interrupts off.  With
	 * interrupts on, the holder could be interrupted by a handler that waits for a
	 * lock of a driver, while the owner of that lock waits for the depot on another
	 * CPU.  Turning interrupts off costs 10 instructions for each exchange, which is
	 * less than one for each object.
	 */
	raw_spinlock_t lock;
	struct mpool_magazine *full;	/* with at least one object */
	struct mpool_magazine *empty;
	unsigned int nr_full;
	unsigned int nr_empty;
	u32 room;			/* cap of the first empty magazine, or 0 */
	unsigned int min_full;		/* fewest since the last trim */
	unsigned int min_empty;
};

/* Two stacks for each NUMA node. */
struct mpool_depot {
	/* Constant. */
	u32 cap;			/* of the longest magazine; 0: there are none */
	bool bounded;			/* memory is limited, or is a region */
	u32 most;			/* full magazines that a node may ever keep */
	struct mpool_depot_node *more;	/* of nodes 1 and up, or NULL */

	u32 limit;			/* full magazines that a node may keep now */
	u32 least;			/* cap of the shortest magazine; constant */
	atomic_long_t bytes;		/* of all magazines, in caches and depot */
	struct mpool_depot_node first;
};

/* The stacks of a node; @node is less than mpool_depot_nodes(). */
static inline struct mpool_depot_node *
mpool_depot_node(struct mpool_depot *depot, unsigned int node)
{
	return node ? &depot->more[node - 1] : &depot->first;
}

static inline unsigned int mpool_depot_nodes(const struct mpool_depot *depot)
{
	return depot->more ? nr_node_ids : 1;
}

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

int mpool_depot_init(struct mpool_depot *depot, size_t size, bool use,
		     bool bounded, gfp_t gfp);
void mpool_depot_end(struct mpool_depot *depot);
void mpool_depot_supply(struct mpool_depot *depot, unsigned long nr_objs,
			gfp_t gfp);
bool mpool_depot_pop(struct mpool_depot *depot, struct mpool_slot *slot);

bool mpool_cache_reload(struct mpool_cache *cache, struct mpool_depot *depot,
			struct mpool_chunks *chunks);
bool mpool_cache_unload(struct mpool_cache *cache, struct mpool_depot *depot,
			struct mpool_chunks *chunks);
void mpool_cache_init(struct mpool_cache *cache);
void mpool_cache_drain(struct mpool_cache *cache, struct mpool_depot *depot,
		       struct mpool_chunks *chunks);
void mpool_depot_drain(struct mpool_depot *depot, struct mpool_chunks *chunks);
unsigned long mpool_cache_objects(const struct mpool_cache *cache);
void mpool_depot_reclaim_empty(struct mpool_depot *depot);
void mpool_depot_trim(struct mpool_depot *depot, struct mpool_chunks *chunks);
unsigned int mpool_depot_full(struct mpool_depot *depot);
unsigned int mpool_depot_magazines(struct mpool_depot *depot);
unsigned long mpool_depot_objects(struct mpool_depot *depot);
int mpool_cache_verify(const struct mpool_cache *cache);
int mpool_depot_verify(struct mpool_depot *depot);

#endif /* _MPOOL_MAGAZINE_H */
