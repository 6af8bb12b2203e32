// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tails: the free pages of an arena that has a run in use, over system memory.
 *
 * Structure: no data of its own.  There an arena is for one run.  It has free pages behind
 * its run after the run was shrunk, and while there is room for the run to grow
 * (mpool_large_object_room()).  No other request gets them, because it would hold the
 * pages of the arena when the run is freed.  They leave the arena and go to the page
 * allocator when memory is short, or at the second trim pass after the last change of
 * their length.  Then the arena has a hole.
 *
 * An idle arena with holes (see refs.c) is freed by deferred work, run by run.
 *
 * Invariant: a page that left (MPOOL_PAGE_GONE) has no entry in the page map.
 *
 * Locking: large->lock for the engine, for one run at a time.  A run that leaves is in
 * state MPOOL_PAGE_FREEING, and belongs to the function of this file that took it: it
 * keeps its arena.
 */
#include <linux/mm.h>

#include "large.h"
#include "refs.h"

/* Which free runs leave? */
struct tail_walk {
	bool holes;	/* those of idle arenas with holes */
	bool tails;	/* the tails that are old */
	bool all;	/* all tails */
	struct mpool_page *pg;	/* the run that was taken */
};

/* Do the free runs of this arena leave?  A guess, if the caller has no lock. */
static bool arena_goes(const struct mpool_arena *arena, const struct tail_walk *walk)
{
	const struct mpool_runs *runs = arena->runs;

	if (mpool_arena_is_idle(arena))
		return walk->holes && mpool_hint(arena->gone);
	if (!walk->tails || !runs->exact || !arena->mem || !mpool_hint(arena->nfree))
		return false;
	return walk->all || mpool_arena_is_old(runs->large, arena);
}

static int tail_visit(struct mpool_arena *arena, struct mpool_page *pg, void *arg)
{
	struct mpool_large *large = arena->runs->large;
	u32 index = mpool_page_index(pg);
	struct tail_walk *walk = arg;
	unsigned long flags;

	if (mpool_page_state(pg) != MPOOL_PAGE_FREE || !arena_goes(arena, walk))
		return 0;
	raw_spin_lock_irqsave(&large->lock, flags);
	if (mpool_page_state(pg) == MPOOL_PAGE_FREE && arena_goes(arena, walk) &&
	    test_bit(index, mpool_arena_starts(arena))) {
		mpool_runs_carve(arena->runs, pg, 0, pg->len, MPOOL_PAGE_FREEING);
		walk->pg = pg;
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return walk->pg ? 1 : 0;
}

/* Makes free runs leave; returns the number of their pages. */
static unsigned long tails_leave(struct mpool_large *large, struct tail_walk *walk)
{
	struct mpool_cursor at = { };
	struct mpool_arena *arena;
	unsigned long pages = 0;
	struct mpool_page *pg;

	while (mpool_large_walk(large, &at, tail_visit, walk)) {
		pg = walk->pg;
		walk->pg = NULL;
		arena = mpool_page_arena(pg);
		pages += pg->len;
		mpool_refs_mend(&large->refs, arena->mem + mpool_page_index(pg),
				pg->len);
		mpool_refs_leave(large, arena, pg);
	}
	return pages;
}

/* About how many pages are tails.  Any context. */
unsigned long mpool_large_tail_pages(const struct mpool_large *large)
{
	unsigned long free = 0, spare = mpool_hint(large->spare_pages);
	const struct mpool_runs *runs;

	/* Free pages of a vmalloc() arena stay there; they are not told from others here. */
	if (!large->source->system || large->virt)
		return 0;
	mpool_large_for_each_runs(large, runs)
		free += mpool_hint(runs->nr_free);
	return free > spare ? free - spare : 0;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_tail_pages);

/*
 * Gives @all tails to the page allocator, or those that are old; returns the number of
 * their pages.  Called in reclaim, too.  Sleeps.
 */
unsigned long mpool_large_reclaim_tails(struct mpool_large *large, bool all)
{
	struct tail_walk walk = { .tails = true, .all = all };
	unsigned long pages;

	if (!mpool_large_tail_pages(large) && !large->virt)
		return 0;
	pages = tails_leave(large, &walk);
	mpool_account_reclaimed(pages);
	return pages;
}

/*
 * Frees the idle arenas with holes: the pages of each free run leave, and the last run
 * ends its arena.  Process context.
 */
void mpool_large_drain(struct mpool_large *large)
{
	struct tail_walk walk = { .holes = true };

	if (mpool_hint(large->holes))
		tails_leave(large, &walk);
}
