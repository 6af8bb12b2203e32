// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes: the engines of a large pool.
 *
 * Structure: a pool that takes its memory from the system has an engine for each
 * node, in which are the runs of the arenas of that node.  Who asks is served by the
 * engine of the node he runs on, parked runs included, and by another only if that
 * node has no memory.  They are found by the number of their node, from their arena,
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

/* Makes the engines; after an error mpool_large_free_nodes() has to be called. */
int mpool_large_make_nodes(struct mpool_large *large, bool system)
{
	struct mpool_runs *last = NULL;
	int nid;

	large->runs.large = large;
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
			runs->large = large;
			last->next = runs;
		}
		large->nodes[nid] = runs;
		last = runs;
	}
	return 0;
}

/* Merges what is parked, for the longest run. */
struct mpool_large_room mpool_large_room_locked(struct mpool_large *large)
{
	struct mpool_large_room room = { };
	struct mpool_runs *runs;

	lockdep_assert_held(&large->lock);
	mpool_large_for_each_runs(large, runs) {
		room.free += mpool_runs_nr_free(runs);
		room.largest = max(room.largest, mpool_runs_largest(runs));
	}
	return room;
}

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
