// SPDX-License-Identifier: GPL-2.0-only
/*
 * Search: all free runs of a pool, one after another, for a request that the lists of
 * the engine do not lead to: 64 pages and more, aligned ones, and those of place.c.
 *
 * Structure: a walk over the arenas, and in each over the bits that say where runs
 * begin, a word of them at a time.
 *
 * Invariant: a search is in vain only if there was a moment for each free run at which
 * the request did not fit.
 *
 * Locking: large->lock for the runs that begin in the pages of one word, and in between
 * not.  RCU holds the arena that the search is in: one that is taken out meanwhile has
 * no free run any more.
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
	mpool_runs_merge(arena->runs, NULL);
	for (word = mpool_arena_starts(arena)[BIT_WORD(index)]; word && !got;
	     word &= word - 1) {
		pg = &arena->pages[index + __ffs(word)];
		if (mpool_page_state(pg) == MPOOL_PAGE_FREE)
			got = try(large, pg, want);
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return got;
}

/* The free runs of an arena, until one will do.  In an RCU read-side section. */
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

/* Takes a request from a free run, if it fits there. */
static struct mpool_page *search_try(struct mpool_large *large,
				     struct mpool_page *pg, const void *want)
{
	const struct mpool_wish *wish = want;
	u32 gap;

	if (!mpool_runs_fits(pg, wish->npages, wish->align, &gap))
		return NULL;
	return mpool_large_carve_locked(large, pg, gap, wish);
}

/* From any free run of a node.  Any context. */
struct mpool_page *mpool_large_search(struct mpool_runs *runs,
				      const struct mpool_wish *wish)
{
	struct mpool_large *large = runs->large;
	struct mpool_page *got = NULL;
	struct mpool_arena *arena;

	/* Those the lists lead to. */
	if (wish->npages < RUNS_LINEAR && wish->align <= PAGE_SIZE)
		return NULL;
	rcu_read_lock();
	list_for_each_entry_rcu(arena, &large->arenas, list) {
		if (arena->runs != runs || arena->npages < wish->npages)
			continue;
		got = mpool_arena_search(large, arena, search_try, wish);
		if (got)
			break;
	}
	rcu_read_unlock();
	return got;
}
