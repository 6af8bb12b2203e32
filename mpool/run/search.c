// SPDX-License-Identifier: GPL-2.0-only
/*
 * Search: looks at all free runs of a pool, one after another, for a request that the
 * lists of the engine do not lead to: 64 pages and more, aligned requests, and those of
 * constrained.c.
 *
 * Structure: a walk over the arenas, and in each over the bits of the pages where runs
 * begin, a word of bits at a time.
 *
 * Invariant: if a search finds nothing, then for each free run there was a moment at
 * which the request did not fit.  The runs of a word are skipped if an NMI cannot take
 * the lock.
 *
 * Locking: large->lock while the runs of one word are looked at; it is released in
 * between.  RCU keeps the arena that the search is in.  An arena that is removed
 * meanwhile has no free run any more.
 */
#include <linux/bitops.h>
#include <linux/rculist.h>

#include "large.h"

/* Looks at the free runs that begin in the pages of one word. */
static struct mpool_page *search_word(struct mpool_large *large,
				      struct mpool_arena *arena, u32 index,
				      mpool_try_fn try, const void *want)
{
	struct mpool_page *pg, *got = NULL;
	unsigned long flags, word;

	if (!mpool_lock_irqsave(&large->lock, flags))
		return NULL;
	mpool_quick_flush_locked(arena->runs);
	for (word = mpool_arena_starts(arena)[BIT_WORD(index)]; word && !got;
	     word &= word - 1) {
		pg = &arena->pages[index + __ffs(word)];
		if (mpool_page_state(pg) == MPOOL_PAGE_FREE)
			got = try(large, pg, want);
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return got;
}

/*
 * Looks at the free runs of an arena, until @try takes one.  The caller is in an RCU
 * read-side section.
 */
struct mpool_page *mpool_arena_search(struct mpool_large *large,
				      struct mpool_arena *arena,
				      mpool_try_fn try, const void *want)
{
	struct mpool_page *got = NULL;
	u32 index;

	for (index = 0; !got && index < arena->npages; index += BITS_PER_LONG)
		got = search_word(large, arena, index, try, want);
	return got;
}

/* Allocates a request from a free run, if it fits there. */
static struct mpool_page *search_try(struct mpool_large *large,
				     struct mpool_page *pg, const void *want)
{
	const struct mpool_run_req *req = want;
	u32 gap;

	if (!mpool_runs_may_carve(pg, req->npages) ||
	    !mpool_runs_fits(pg, req->npages, req->align, &gap))
		return NULL;
	return mpool_large_carve_locked(large, pg, gap, req);
}

/* Allocates a request from any free run of a node.  Any context. */
struct mpool_page *mpool_large_search(struct mpool_runs *runs,
				      const struct mpool_run_req *req)
{
	struct mpool_large *large = runs->large;
	struct mpool_page *got = NULL;
	struct mpool_arena *arena;

	/* The lists of the engine lead to all runs for such a request. */
	if (runs->exact || (req->npages < RUNS_LINEAR && req->align <= PAGE_SIZE))
		return NULL;
	rcu_read_lock();
	list_for_each_entry_rcu(arena, &large->arenas, list) {
		if (arena->runs != runs || arena->npages < req->npages)
			continue;
		got = mpool_arena_search(large, arena, search_try, req);
		if (got)
			break;
	}
	rcu_read_unlock();
	return got;
}
