// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns: the list of all fixed pools, of which one after another gives back idle memory.
 *
 * Structure: each time a pool makes a chunk, another pool over the same large pool has its
 * turn.  If this CPU has not used that pool since its last turn, the pool loses its empty
 * chunk and the magazines of this CPU.  So the sizes that are in demand get the memory of
 * those that are not, by and by, without a timer: it takes two turns.
 *
 * Invariant: turn_next is a pool on the list, or NULL for the first one.
 *
 * Locking: the list is changed under fixed_lock.  To remove a pool the caller holds
 * mpool_trim_mutex and turn_lock as well.  So a task that holds the mutex can walk the
 * list, and no pool on it ends; new pools may be added meanwhile.  The same is true for a
 * turn, which only tries turn_lock: if another CPU has it, there is no turn.
 */
#include <linux/rculist.h>

#include "fixed.h"

/* The most pools that are looked at for one that may have the turn. */
#define TURN_LOOKS		16

/* The most empty chunks that a pool gives back in a turn.  Mostly it has one. */
#define TURN_CHUNKS		4

/* Protects changes of mpool_fixed_list; held for a few instructions. */
static DEFINE_SPINLOCK(fixed_lock);

/*
 * All fixed pools.  They are added at any time, under fixed_lock, and removed under
 * mpool_trim_mutex.  A reader holds that mutex or is in an RCU read-side section.
 */
LIST_HEAD(mpool_fixed_list);

/* Protects turn_next; held for a turn. */
static DEFINE_SPINLOCK(turn_lock);
static struct mpool_fixed *turn_next;

/* Adds a pool to the list, for trim and CPU hotplug.  Context: as for its setup. */
void mpool_fixed_list_add(struct mpool_fixed *fixed)
{
	unsigned long flags;

	spin_lock_irqsave(&fixed_lock, flags);
	list_add_rcu(&fixed->list, &mpool_fixed_list);
	spin_unlock_irqrestore(&fixed_lock, flags);
}

/* The pool behind @fixed on the list, or NULL at its end; the first one for NULL. */
static struct mpool_fixed *list_after(struct mpool_fixed *fixed)
{
	struct list_head *at = fixed ? &fixed->list : &mpool_fixed_list;

	/* No pool on the list ends meanwhile. */
	at = rcu_dereference_raw(list_next_rcu(at));
	return at == &mpool_fixed_list ? NULL : list_entry(at, struct mpool_fixed, list);
}

/* Removes a pool from the list.  The caller holds mpool_trim_mutex. */
void mpool_fixed_list_del(struct mpool_fixed *fixed)
{
	unsigned long flags;

	spin_lock(&turn_lock);
	if (turn_next == fixed)
		turn_next = list_after(fixed);
	spin_lock_irqsave(&fixed_lock, flags);
	list_del_rcu(&fixed->list);
	spin_unlock_irqrestore(&fixed_lock, flags);
	spin_unlock(&turn_lock);
}

/* The next pool in turn over the large pool of @fixed; NULL if that is not found soon. */
static struct mpool_fixed *turn_find(struct mpool_fixed *fixed)
{
	struct mpool_fixed *next;
	unsigned int i;

	lockdep_assert_held(&turn_lock);
	for (i = 0; i < TURN_LOOKS; i++) {
		next = turn_next ?: list_after(NULL);
		if (!next)
			break;
		turn_next = list_after(next);
		if (next != fixed && next->chunks.large == fixed->chunks.large)
			return next;
	}
	return NULL;
}

/* Drains the cache of this CPU if the pool was not used since the last turn. */
static bool turn_drain(struct mpool_fixed *fixed)
{
	struct mpool_cache *cache;
	bool idle = false;
	u32 ops;

	/* Those of other CPUs, too, but mostly there are none. */
	ops = atomic64_read(&fixed->slow_allocs) + atomic64_read(&fixed->slow_frees);
	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	if (cache) {
		ops += cache->allocs + cache->frees;
		idle = cache->turn_ops == ops;
		cache->turn_ops = ops;
		if (idle)
			mpool_cache_drain(cache, &fixed->mags, &fixed->chunks);
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return idle;
}

/*
 * Called after @fixed has made a chunk: the next other pool gives back idle memory.
 * Context: where the page allocator may be called.
 */
void mpool_fixed_turn(struct mpool_fixed *fixed)
{
	struct mpool_fixed *next;
	unsigned int had;

	if (!spin_trylock(&turn_lock))
		return;
	next = turn_find(fixed);
	if (next && turn_drain(next)) {
		mpool_magazines_free_gone(&next->mags);
		had = mpool_hint(next->chunks.nr_empty);
		mpool_chunks_reclaim(&next->chunks,
				     had > TURN_CHUNKS ? had - TURN_CHUNKS : 0);
	}
	spin_unlock(&turn_lock);
}
