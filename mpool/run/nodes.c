// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes: the engines of a large pool.
 *
 * Structure: a pool that takes its memory from the page allocator has an engine for each
 * node, with the runs of the arenas of that node.  The engine of the node that a request
 * comes from, or that the pool was created for, serves the request, also from its cached
 * runs.  The engine of another node serves it only if that node has no memory for it.
 *
 * The pointer large->nodes[] leads to the engine of a node, arena->runs to the engine of
 * an arena, and runs->next to the engine of the next node.  The first engine is a member
 * of the pool.  It is the only one if the machine has one node, or if the memory is a
 * region or runs of another pool.
 *
 * Invariant: an arena is in the engine of its node.
 *
 * Locking: large->lock for all engines.  No engine is added or freed while the pool
 * exists.
 */
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "large.h"

/* Frees the engines of a pool without arenas. */
void mpool_large_free_nodes(struct mpool_large *large)
{
	struct mpool_runs *runs = large->runs.next, *next;

	for (; runs; runs = next) {
		next = runs->next;
		kfree(runs);
	}
	kfree(large->nodes);
}

static void runs_init(struct mpool_runs *runs, struct mpool_large *large, bool exact)
{
	runs->large = large;
	runs->exact = exact;
	INIT_LIST_HEAD(&runs->spares);
}

/* Creates the engines; after an error the caller calls mpool_large_free_nodes(). */
int mpool_large_make_nodes(struct mpool_large *large, bool system)
{
	struct mpool_runs *last = NULL;
	int nid;

	runs_init(&large->runs, large, system);
	if (!system || nr_node_ids == 1)
		return 0;
	large->nodes = kcalloc(nr_node_ids, sizeof(*large->nodes), GFP_KERNEL);
	if (!large->nodes)
		return -ENOMEM;
	for_each_node(nid) {
		struct mpool_runs *runs = &large->runs;

		if (last) {
			runs = kzalloc_node(sizeof(*runs), GFP_KERNEL, nid);
			if (!runs)
				return -ENOMEM;
			runs_init(runs, large, system);
			last->next = runs;
		}
		large->nodes[nid] = runs;
		last = runs;
	}
	return 0;
}

/*
 * Adds up the pages of a pool, under the lock for one engine at a time; false if an NMI
 * cannot take the lock.  Any context.
 */
bool mpool_large_room(struct mpool_large *large, struct mpool_large_room *room)
{
	struct mpool_runs *runs;
	unsigned long flags;

	*room = (struct mpool_large_room){ };
	mpool_large_for_each_runs(large, runs) {
		if (!mpool_lock_irqsave(&large->lock, flags))
			return false;
		/* Cached runs are not in nr_free, and divide the longest free run. */
		mpool_quick_flush_locked(runs);
		room->pages += runs->nr_pages;
		room->free += runs->nr_free;
		room->largest = max(room->largest, mpool_runs_largest(runs));
		raw_spin_unlock_irqrestore(&large->lock, flags);
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_room);

/* Number of breaches of the invariants in one engine. */
int mpool_large_verify_node(struct mpool_large *large, struct mpool_runs *runs)
{
	unsigned long pages = 0, free = 0;
	struct mpool_arena *arena;

	lockdep_assert_held(&large->lock);
	list_for_each_entry(arena, &large->arenas, list) {
		if (arena->runs != runs)
			continue;
		pages += arena->npages - arena->gone;
		free += arena->nfree;
	}
	return mpool_runs_verify(runs, pages, free);
}
