// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas of a large pool: they are added, become idle, and are given back.
 *
 * Structure: all arenas of a pool are on a doubly linked list, in the order in which they
 * were added, which is the order of their serial numbers.  An arena is idle if all its
 * runs are free and none is cached.  An idle arena is also on the list of spares of its
 * engine.  Few spares are kept, and the others go back to their source.
 *
 * Over system memory, where an arena is for one run, the newest spare is kept, and others
 * as long as all of them have at most spare_limit() pages: a caller that allocates and
 * frees a few runs again and again must not call the page allocator each time.  The oldest
 * spare goes first.  In other pools the longest spare is kept.  When the system is short
 * of memory, the shrinker gives all of them back.  And each trim pass gives back those
 * that no request needed since the pass before the last one.
 *
 * A cached run holds its arena, as a run in use does.  Over system memory, a run that is
 * all of its arena may be cached.  A trim pass makes such arenas spares, and each growth
 * of the pool that of the next length in turn.  In other pools, the last run in use of an
 * arena is not cached when it is freed, and the cached runs of the arena are merged then.
 * This is not done for the only arena of an engine (mpool_run_must_merge()).  Cached runs
 * that are merged for a request may leave a spare that is not kept.  It stays until the
 * next free under the lock, the trim or the shrinker.
 *
 * Invariant, checked by mpool_large_verify():
 *	the spares are the arenas that are idle and have all of their pages, if the
 *	source takes arenas back; nr_spares and spare_pages are their sums.
 *
 * Locking: large->lock (raw) for both lists and for the members of an arena, except for
 * live, which is an atomic counter.  Spares are removed from the lists one at a time,
 * under the lock, and given back to the system after the lock is released.
 */
#include <linux/kernel.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "large.h"

/*
 * The pages of the spares over system memory: at most 1/SPARE_SHARE of the pool and
 * SPARE_LEAST, and at most SPARE_MOST.  A simulation has weighed what stays idle against
 * the calls of the page allocator: with SPARE_MOST of 128 pages, a load of changing sizes
 * held a tenth more (1.66, not 1.51, times the bytes asked for).
 */
#define SPARE_SHARE		64
#define SPARE_LEAST		4
#define SPARE_MOST		64

static unsigned long spare_limit(const struct mpool_large *large)
{
	unsigned long pages = mpool_large_nr_pages(large);

	return min(pages / SPARE_SHARE + SPARE_LEAST, SPARE_MOST);
}

/*
 * Removes an arena from the spares, if it is one: a run of the arena was allocated, or
 * the arena is being removed from the pool.
 */
void mpool_arena_used_locked(struct mpool_large *large,
			     struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (list_empty(&arena->spare))
		return;
	list_del_init(&arena->spare);
	large->nr_spares--;
	large->spare_pages -= arena->npages;
}

/* Adds an arena that has become idle to the spares. */
static void spare_add_locked(struct mpool_large *large,
			     struct mpool_arena *arena)
{
	struct list_head *spares = &arena->runs->spares;
	const struct mpool_arena *first;

	lockdep_assert_held(&large->lock);
	if (!large->source->gives_back)
		return;
	/*
	 * An arena with pages that left (refs.c) is no spare: to give it back takes more
	 * than a few steps.  The work item gives its runs back one by one.
	 */
	if (unlikely(arena->gone)) {
		mpool_defer(&large->deferred);
		return;
	}
	arena->pass = large->pass;
	/* The first spare is kept: the newest, or a longer one, which serves more requests. */
	first = list_first_entry_or_null(spares, struct mpool_arena, spare);
	if (first && first->npages >= arena->npages && !arena->runs->exact)
		list_add_tail(&arena->spare, spares);
	else
		list_add(&arena->spare, spares);
	large->nr_spares++;
	large->spare_pages += arena->npages;
}

/* Merges the cached runs of an engine, at most 32; false if there was none. */
bool mpool_quick_flush_locked(struct mpool_runs *runs)
{
	struct mpool_arena *arena;
	bool any = false;
	u32 len;

	lockdep_assert_held(&runs->large->lock);
	for (len = 1; len < RUNS_QUICK; len++) {
		arena = mpool_quick_merge(runs, len, NULL);
		if (!arena)
			continue;
		any = true;
		if (mpool_arena_is_idle(arena))
			spare_add_locked(runs->large, arena);
	}
	return any;
}

/*
 * The same for the next length in turn.  In an exact engine a cached run serves no other
 * length, so that a flush of all lists is of no use to the request, and it took 730
 * instructions at each growth of the pool.
 */
void mpool_quick_flush_one_locked(struct mpool_runs *runs)
{
	struct mpool_arena *arena;

	lockdep_assert_held(&runs->large->lock);
	runs->hand = runs->hand % (RUNS_QUICK - 1) + 1;
	arena = mpool_quick_merge(runs, runs->hand, NULL);
	if (arena && mpool_arena_is_idle(arena))
		spare_add_locked(runs->large, arena);
}

/*
 * Makes an arena a spare if it is idle.  Called when a run of the arena was freed or its
 * pages left, and when the arena is new.
 */
void mpool_arena_idle_locked(struct mpool_large *large,
			     struct mpool_arena *arena)
{
	u32 len;

	lockdep_assert_held(&large->lock);
	if (atomic_read(&arena->live))
		return;
	/* No run is in use, but cached runs may hold the arena: merge those. */
	for (len = 1; len < RUNS_QUICK && !mpool_arena_is_idle(arena); len++)
		mpool_quick_merge(arena->runs, len, arena);
	if (mpool_arena_is_idle(arena))
		spare_add_locked(large, arena);
}

/* Merges the cached runs of all engines; takes the lock for one engine at a time. */
void mpool_large_flush(struct mpool_large *large)
{
	struct mpool_runs *runs;
	unsigned long flags;

	mpool_large_for_each_runs(large, runs) {
		raw_spin_lock_irqsave(&large->lock, flags);
		mpool_quick_flush_locked(runs);
		raw_spin_unlock_irqrestore(&large->lock, flags);
	}
}

/* The bytes that kmalloc() takes for the descriptor of an arena. */
static size_t arena_cost(const struct mpool_arena *arena)
{
	return kmalloc_size_roundup(mpool_arena_bytes(arena->npages));
}

/*
 * Removes an arena from the pool; false if a run of it is not free, or if some of its
 * pages left, but not all.
 */
bool mpool_arena_unlink_locked(struct mpool_large *large,
			       struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (!mpool_runs_remove(arena->runs, arena))
		return false;
	list_del_rcu(&arena->list);
	/*
	 * Pairs with smp_load_acquire() in walk_resume(): a walk that sees the new number
	 * does not find the arena on the list.
	 */
	smp_store_release(&large->nr_unlinked, large->nr_unlinked + 1);
	large->meta -= arena_cost(arena);
	mpool_arena_used_locked(large, arena);
	return true;
}

/*
 * Removes the pages that an arena with holes still has from the page map.  The pages that
 * left may be in the map as pages of another arena.
 */
static void arena_unmap_rest(struct mpool_arena *arena)
{
	struct mpool_page *pg;
	u32 i;

	for_each_set_bit(i, mpool_arena_starts(arena), arena->npages) {
		pg = &arena->pages[i];
		if (mpool_page_state(pg) != MPOOL_PAGE_GONE)
			mpool_pagemap_del((unsigned long)mpool_page_address(arena, pg),
					  pg->len);
	}
}

/*
 * Removes an arena from the page map.  The pages of a nested arena belong to the arena of
 * the outer pool again.
 */
static void arena_unmap(struct mpool_arena *arena)
{
	struct mpool_page *within = arena->within;

	if (within)
		mpool_pagemap_set(arena->base, arena->npages,
				  (unsigned long)mpool_page_arena(within));
	else if (arena->gone)
		arena_unmap_rest(arena);
	else
		mpool_pagemap_del(arena->base, arena->npages);
}

/* Gives an arena back that is on no list.  Context: as the page allocator. */
void mpool_arena_release(struct mpool_large *large, struct mpool_arena *arena)
{
	arena_unmap(arena);
	large->source->release(arena);
	mpool_stat_inc(&large->base.stats, MPOOL_STAT_SHRINK);
	kvfree_rcu(arena, rcu);
}

/*
 * Adds an arena to its pool; the arena is in the page map already.  If there is a request,
 * it gets its run at once, before another CPU can have it.  Returns NULL if the run does
 * not fit, or if there is no request.
 */
struct mpool_page *mpool_large_add_arena(struct mpool_large *large,
					 struct mpool_arena *arena,
					 const struct mpool_run_req *req)
{
	struct mpool_page *pg = NULL;
	unsigned long flags;
	u32 gap;

	raw_spin_lock_irqsave(&large->lock, flags);
	arena->serial_low = ++large->serial;
	arena->serial_high = large->serial >> 32;
	list_add_tail_rcu(&arena->list, &large->arenas);
	large->meta += arena_cost(arena);
	arena->pass = large->pass;
	mpool_runs_add(arena->runs, arena);
	if (req && mpool_runs_fits(&arena->pages[0], req->npages, req->align, &gap))
		pg = mpool_large_carve_locked(large, &arena->pages[0], gap, req);
	else
		mpool_arena_idle_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	mpool_stat_inc(&large->base.stats, MPOOL_STAT_GROW);
	return pg;
}

/* Which spares go? */
enum spare_pop {
	SPARE_SURPLUS,	/* those that are not kept */
	SPARE_OLD,	/* those that no request needed for some time */
	SPARE_ALL,
};

/* Has an engine more spares than it keeps?  A guess, if the caller has no lock. */
static bool spares_surplus(const struct mpool_runs *runs)
{
	const struct mpool_large *large = runs->large;

	if (mpool_hint(runs->spares.next) == mpool_hint(runs->spares.prev))
		return false;
	return !runs->exact || mpool_hint(large->spare_pages) > spare_limit(large);
}

static bool spare_goes_locked(const struct mpool_runs *runs,
			      const struct mpool_arena *arena, enum spare_pop which)
{
	lockdep_assert_held(&runs->large->lock);
	if (which == SPARE_SURPLUS)
		return spares_surplus(runs);
	return which == SPARE_ALL || mpool_arena_is_old(runs->large, arena);
}

/* Removes the last spare of an engine from the pool, if it is to go; NULL if not. */
static struct mpool_arena *spare_pop(struct mpool_runs *runs, enum spare_pop which)
{
	struct mpool_large *large = runs->large;
	struct mpool_arena *arena = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&large->lock, flags);
	if (!list_empty(&runs->spares)) {
		arena = list_last_entry(&runs->spares, struct mpool_arena, spare);
		if (spare_goes_locked(runs, arena, which))
			mpool_arena_unlink_locked(large, arena);
		else
			arena = NULL;
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return arena;
}

/* Gives spares of an engine back; returns the number of their pages. */
static unsigned long spares_release(struct mpool_runs *runs, enum spare_pop which)
{
	struct mpool_large *large = runs->large;
	struct mpool_arena *arena;
	unsigned long pages = 0;

	while ((arena = spare_pop(runs, which))) {
		pages += arena->npages;
		mpool_arena_release(large, arena);
	}
	return pages;
}

/*
 * Gives all spares and tails back; returns the number of their pages.  Called in reclaim,
 * too.
 */
unsigned long mpool_large_reclaim_spares(struct mpool_large *large)
{
	unsigned long pages = 0;
	struct mpool_runs *runs;

	mpool_large_flush(large);
	mpool_large_for_each_runs(large, runs)
		pages += spares_release(runs, SPARE_ALL);
	return pages + mpool_large_reclaim_tails(large, true);
}

/* Gives the spares back that are not kept, if the context allows it. */
void mpool_large_reclaim_surplus(struct mpool_large *large)
{
	struct mpool_runs *runs;

	mpool_large_for_each_runs(large, runs)
		if (spares_surplus(runs) && mpool_may_grow())
			spares_release(runs, SPARE_SURPLUS);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_reclaim_surplus);

/*
 * Gives the spares and tails back that nobody used since the pass before the last one.
 * A cached run becomes a spare, and so goes at the second pass from now.  Sleeps.
 */
void mpool_large_trim_pass(struct mpool_large *large)
{
	struct mpool_runs *runs;
	unsigned long flags;

	mpool_large_flush(large);
	raw_spin_lock_irqsave(&large->lock, flags);
	large->pass++;
	raw_spin_unlock_irqrestore(&large->lock, flags);
	mpool_large_for_each_runs(large, runs)
		spares_release(runs, SPARE_OLD);
	mpool_large_reclaim_tails(large, false);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_trim_pass);

/* Pages that mpool_large_reclaim_spares() would give back now. */
unsigned long mpool_large_spare_pages(struct mpool_large *large)
{
	/* Cached runs may be all that holds an arena. */
	mpool_large_flush(large);
	return mpool_hint(large->spare_pages) + mpool_large_tail_pages(large);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_spare_pages);

/* Removes an arena and gives it back; -EBUSY if a run of it is in use. */
static int arena_remove(struct mpool_large *large, struct mpool_arena *arena)
{
	unsigned long flags;
	bool idle;

	raw_spin_lock_irqsave(&large->lock, flags);
	mpool_quick_flush_locked(arena->runs);
	idle = mpool_arena_unlink_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	if (!idle)
		return -EBUSY;
	mpool_arena_release(large, arena);
	return 0;
}

/*
 * Removes the arena of the region that was added with exactly the address @given, which
 * need not be the start of a page.  -ENOENT if there is none, -EBUSY if a run of it is in
 * use.  The caller has waited for the frees that were deferred.  Process context.
 */
int mpool_large_del_arena(struct mpool_large *large, unsigned long given)
{
	struct mpool_arena *arena;

	/* No lock: the caller keeps other arenas from being added or removed. */
	list_for_each_entry(arena, &large->arenas, list)
		if (arena->base - arena->trimmed == given)
			return arena_remove(large, arena);
	return -ENOENT;
}

/* Leaves the pages of an arena that has runs in use, when its pool ends. */
static void arena_abandon(struct mpool_arena *arena)
{
	struct mpool_page *within = arena->within;

	if (within)
		WRITE_ONCE(within->owner, &mpool_page_large(within)->base);
	mpool_refs_look(arena);
}

/*
 * Gives back all arenas of a pool that is not in the registry any more.  An arena with
 * runs in use loses its descriptors only; its pages are left as they are.
 */
void mpool_large_end_arenas(struct mpool_large *large)
{
	struct mpool_arena *arena, *next;

	/*
	 * The release of an arena may request the work item, which takes spares out of the
	 * pool.  They go first, one at a time and by the same function, so that the walk
	 * below is the only one that removes arenas.
	 */
	mpool_large_reclaim_spares(large);
	list_for_each_entry_safe(arena, next, &large->arenas, list) {
		list_del_rcu(&arena->list);
		arena_unmap(arena);
		if (arena->nfree == arena->npages)
			large->source->release(arena);
		else
			arena_abandon(arena);
		kvfree_rcu(arena, rcu);
	}
}

/* Number of breaches in one arena; adds the pages of its chunks to *@chunks. */
static int verify_arena_locked(struct mpool_large *large,
			       struct mpool_arena *arena, unsigned long *chunks)
{
	bool spare = large->source->gives_back && !arena->gone &&
		     mpool_arena_is_idle(arena);
	enum mpool_page_state state;
	struct mpool_page *pg;
	unsigned int i;
	int bad = 0;

	lockdep_assert_held(&large->lock);
	bad += mpool_runs_verify_arena(arena->runs, arena);
	bad += mpool_broken(arena->runs->large != large);
	bad += mpool_broken(arena->runs != mpool_large_node(large, arena->nid));
	bad += mpool_broken(spare == list_empty(&arena->spare));
	for_each_set_bit(i, mpool_arena_starts(arena), arena->npages) {
		pg = &arena->pages[i];
		state = mpool_page_state(pg);
		if (state == MPOOL_PAGE_CHUNK)
			*chunks += pg->len;
		bad += mpool_broken(state == MPOOL_PAGE_CACHED &&
				    pg->owner != &large->base);
		bad += mpool_broken((state == MPOOL_PAGE_QUEUED ||
				     state == MPOOL_PAGE_GONE) && pg->owner &&
				    pg->owner != &large->base);
	}
	return bad;
}

/* Number of breaches of the invariant, in a pool that is at rest. */
int mpool_large_verify(struct mpool_large *large)
{
	unsigned long chunks = 0;
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	unsigned long flags, spare_pages = 0;
	unsigned int spares = 0;
	int bad = 0;

	raw_spin_lock_irqsave(&large->lock, flags);
	list_for_each_entry(arena, &large->arenas, list) {
		bad += verify_arena_locked(large, arena, &chunks);
		if (list_empty(&arena->spare))
			continue;
		spares++;
		spare_pages += arena->npages;
	}
	mpool_large_for_each_runs(large, runs)
		bad += mpool_large_verify_node(large, runs);
	bad += mpool_broken(spares != large->nr_spares);
	bad += mpool_broken(spare_pages != large->spare_pages);
	bad += mpool_broken(chunks != large->nr_chunk_pages);
	bad += mpool_broken(large->limit &&
			    atomic_long_read(&large->limit->used) <
			    atomic_long_read(&large->base.pages));
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_verify);
