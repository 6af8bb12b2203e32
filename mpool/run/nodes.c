// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes: the engines of a large pool.
 *
 * Structure: a pool that takes its memory from the system has an engine for each
 * node, in which are the runs of the arenas of that node.  A request is served by
 * the engine of the node that it comes from, cached runs included, and by another only if
 * that node has no memory.  They are found by the number of their node, from their arena,
 * and one after another from the first, which is in the pool itself.  Where there is
 * one node, and in pools over given memory, that is the only one.
 *
 * Invariant: an arena is in the engine of its node.
 *
 * Locking: large->lock for all of them.  Which there are does not change.
 */
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "large.h"

/* Ends the engines of a pool without arenas. */
void mpool_large_free_nodes(struct mpool_large *large)
{
	struct mpool_runs *runs = large->runs.next, *next;

	for (; runs; runs = next) {
		next = runs->next;
		kfree(runs);
	}
	kfree(large->nodes);
}

static void runs_init(struct mpool_runs *runs, struct mpool_large *large)
{
	runs->large = large;
	INIT_LIST_HEAD(&runs->spares);
}

/* Makes the engines; after an error mpool_large_free_nodes() has to be called. */
int mpool_large_make_nodes(struct mpool_large *large, bool system)
{
	struct mpool_runs *last = NULL;
	int nid;

	runs_init(&large->runs, large);
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
			runs_init(runs, large);
			last->next = runs;
		}
		large->nodes[nid] = runs;
		last = runs;
	}
	return 0;
}

/*
 * Pages of the pool, one engine at a time; false where the lock cannot be had.  Merges
 * cached runs, for the longest.  Any context.
 */
bool mpool_large_room(struct mpool_large *large, struct mpool_large_room *room)
{
	struct mpool_runs *runs;
	unsigned long flags;

	*room = (struct mpool_large_room){ };
	mpool_large_for_each_runs(large, runs) {
		if (!mpool_lock_irqsave(&large->lock, flags))
			return false;
		mpool_quick_flush_locked(runs);
		room->pages += runs->nr_pages;
		room->free += runs->nr_free;
		room->largest = max(room->largest, mpool_runs_largest(runs));
		raw_spin_unlock_irqrestore(&large->lock, flags);
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_room);

/* Number of breaches of the invariant in one engine. */
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
