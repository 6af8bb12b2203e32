// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placed runs: runs at addresses that a device can use, with an alignment, a boundary and
 * limits of the addresses.
 *
 * Structure: no data of its own, but another way to choose among the free runs of a pool.
 * place_fit() finds the first place for a request in one free run, in a few steps.  First
 * the lists of free runs of a node (runs.c) are searched, short runs first, up to
 * PLACE_LOOK runs.  If the request fits none, all free runs of the node are tried: arena
 * by arena, in the order of their addresses.  If no node has a place (with
 * __GFP_THISNODE, the node of the caller), empty chunks of the pools above are taken
 * back, then the pool grows, at most PLACE_TRIES times, and the free runs are tried
 * again.
 *
 * Invariant: if a request fails, then for each free run there was a moment at which the
 * request did not fit.  The pool is as before then, except for a spare arena.  Runs are
 * skipped if an NMI cannot take the lock.
 *
 * Locking: large->lock while at most PLACE_LOOK runs are tried by the lists.  search.c
 * tries all runs, and releases the lock in between.
 */
#include <linux/align.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/string.h>

#include "large.h"
#include "site.h"

/* The most free runs that are tried by the lists, under the lock. */
#define PLACE_LOOK	64

/* The most arenas that are added for one request. */
#define PLACE_TRIES	3

/* A request; all addresses are those that the device uses. */
struct place {
	u64 align;		/* power of two */
	u64 boundary;		/* power of two, or 0 */
	u64 min, max;		/* least address of first byte, greatest of last byte */
	u64 bytes;
	struct mpool_run_req req;	/* its align is 1: place_fit() aligns the run */
};

/* Returns a message if the constraints are invalid, or NULL. */
static const char *place_check(const struct mpool_place *place, u64 bytes)
{
	if (place->align && !is_power_of_2(place->align))
		return "align is not a power of two";
	if (place->boundary && !is_power_of_2(place->boundary))
		return "boundary is not a power of two";
	if (place->boundary && place->boundary < bytes)
		return "boundary is shorter than the run";
	if (place->max && (place->max < place->min ||
			   place->max - place->min < bytes - 1))
		return "min to max is shorter than the run";
	return NULL;
}

/* Gets the address of an arena that a device uses; false if it is not known. */
static bool arena_device(const struct mpool_arena *arena, u64 *addr)
{
	if (arena->dma != MPOOL_NO_DMA)
		*addr = arena->dma;
	else if (arena->phys != MPOOL_NO_PHYS)
		*addr = arena->phys;
	else
		return false;
	return true;
}

/*
 * Moves *@addr up to an aligned address at which a page of the free run at @start begins;
 * false if the address overflows.
 */
static bool place_align(const struct place *want, u64 start, u64 *addr)
{
	u64 at = start + ALIGN(*addr - start, PAGE_SIZE);

	/* With an align above a page, @start is page aligned: place_fit() has checked. */
	if (want->align > PAGE_SIZE)
		at = ALIGN(at, want->align);
	swap(at, *addr);
	return *addr >= at;
}

static bool place_crosses(const struct place *want, u64 at)
{
	return want->boundary &&
	       (at ^ (at + want->bytes - 1)) & ~(want->boundary - 1);
}

/* Does a request fit into @len pages at @start?  *@gap: the pages before the place. */
static bool place_fit(const struct place *want, u64 start, u32 len, u32 *gap)
{
	u64 last = start + ((u64)len << PAGE_SHIFT) - 1;
	u64 at = max(start, want->min), max = min(last, want->max);

	if (len < want->req.npages || last < start)
		return false;
	if (start & (min_t(u64, want->align, PAGE_SIZE) - 1))
		return false;
	if (!place_align(want, start, &at))
		return false;
	if (place_crosses(want, at)) {
		at = (at | (want->boundary - 1)) + 1;
		if (!at || !place_align(want, start, &at))
			return false;
	}
	if (at > max || max - at < want->bytes - 1)
		return false;
	/*
	 * If the device's address of a page is not page aligned, the run begins behind
	 * the boundary, and may cross the next one.
	 */
	if (place_crosses(want, at))
		return false;
	*gap = (at - start) >> PAGE_SHIFT;
	return true;
}

/* Allocates a request from the free run @pg, if it fits there. */
static struct mpool_page *place_try_locked(struct mpool_large *large,
					   struct mpool_page *pg,
					   const void *arg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	const struct place *want = arg;
	u64 start;
	u32 gap;

	lockdep_assert_held(&large->lock);
	if (!arena_device(arena, &start))
		return NULL;
	start += (u64)mpool_page_index(pg) << PAGE_SHIFT;
	if (!mpool_runs_may_carve(pg, want->req.npages) ||
	    !place_fit(want, start, pg->len, &gap))
		return NULL;
	return mpool_large_carve_locked(large, pg, gap, &want->req);
}

/* Tries the first PLACE_LOOK free runs from the size class of the request on. */
static struct mpool_page *place_by_length(struct mpool_runs *runs,
					  const struct place *want)
{
	struct mpool_large *large = runs->large;
	struct mpool_page *pg, *got = NULL;
	unsigned int look = PLACE_LOOK;
	unsigned long flags;

	if (!mpool_lock_irqsave(&large->lock, flags))
		return NULL;
	/* Cached runs are not on these lists: merge them before. */
	mpool_quick_flush_locked(runs);
	for (pg = mpool_runs_first(runs, want->req.npages); pg && look--;
	     pg = mpool_runs_after(runs, pg)) {
		got = place_try_locked(large, pg, want);
		if (got)
			break;
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return got;
}

/* Tries all free runs of a node, arena by arena. */
static struct mpool_page *place_by_address(struct mpool_runs *runs,
					   const struct place *want)
{
	struct mpool_large *large = runs->large;
	struct mpool_page *got = NULL;
	struct mpool_arena *arena;
	u64 start;
	u32 gap;

	rcu_read_lock();
	list_for_each_entry_rcu(arena, &large->arenas, list) {
		/* Skip an arena that has no place even if all its pages are free. */
		if (arena->runs != runs || !arena_device(arena, &start) ||
		    !place_fit(want, start, arena->npages, &gap))
			continue;
		got = mpool_arena_search(large, arena, place_try_locked, want);
		if (got)
			break;
	}
	rcu_read_unlock();
	return got;
}

static struct mpool_page *place_in_node(struct mpool_runs *runs,
					const struct place *want)
{
	return place_by_length(runs, want) ?: place_by_address(runs, want);
}

/*
 * Tries the node of the caller first, then the other nodes.  The pool grows only after
 * that: perhaps only one node has memory with addresses that the device can use.
 */
static struct mpool_page *place_find(struct mpool_large *large,
				     const struct place *want, gfp_t gfp)
{
	struct mpool_runs *here = mpool_large_here(large), *runs;
	struct mpool_page *pg = place_in_node(here, want);

	if (pg || (gfp & __GFP_THISNODE))
		return pg;
	mpool_large_for_each_runs(large, runs) {
		pg = runs != here ? place_in_node(runs, want) : NULL;
		if (pg)
			break;
	}
	return pg;
}

/*
 * Grows the pool by an arena in which the run can be aligned and crosses no boundary.
 * True if the run fits there: the addresses of the arena are known only now.
 */
static bool place_grow(struct mpool_large *large, const struct place *want,
		       gfp_t gfp)
{
	u64 align = max_t(u64, want->align, 1);
	struct mpool_arena *arena;
	bool fits;
	u64 start;
	u32 gap;

	/*
	 * The boundary is a power of two and not shorter than the run.  A run that is
	 * aligned to its length, rounded up to a power of two, does not cross it.
	 */
	if (want->boundary)
		align = max(align, roundup_pow_of_two(want->bytes));
	if (align > RUNS_MAX_PAGES << PAGE_SHIFT)
		return false;
	arena = large->source->grow(large, want->req.npages, align,
				  gfp & ~__GFP_NOFAIL);
	if (!arena)
		return false;
	/* Before another task can give the arena back. */
	fits = arena_device(arena, &start) && place_fit(want, start, arena->npages, &gap);
	mpool_large_add_arena(large, arena, NULL);
	return fits;
}

static void *alloc_placed(struct mpool_large *large, const struct place *want,
			  gfp_t gfp)
{
	unsigned int round = 0;
	struct mpool_page *pg;
	int tries = 0;
	void *p;

	if (!mpool_large_charge_limit(large, want->req.npages, gfp))
		return NULL;
	pg = place_find(large, want, gfp);
	if (!pg && mpool_may_grow() && mpool_large_reclaim_again(large, gfp, &round)) {
		/* All of them: a search for each few would take long in a big pool. */
		while (mpool_large_reclaim_again(large, gfp, &round))
			if (gfpflags_allow_blocking(gfp))
				cond_resched();
		pg = place_find(large, want, gfp);
	}
	/*
	 * More than once: until the run is taken the new arena is unused, and another task
	 * may free it or use it.
	 */
	while (!pg && tries++ < PLACE_TRIES && mpool_may_grow() &&
	       place_grow(large, want, gfp))
		pg = place_find(large, want, gfp);
	if (!pg) {
		/* The new arenas did not help.  One spare is enough. */
		mpool_large_reclaim_surplus(large);
		mpool_limit_uncharge(large->limit, want->req.npages);
		return NULL;
	}
	mpool_pool_charge(&large->base, want->req.npages);
	p = mpool_page_address(mpool_page_arena(pg), pg);
	mpool_large_zero(large, p, 0, want->bytes, gfp);
	mpool_stat_inc(&large->base.stats, MPOOL_STAT_ALLOC);
	return p;
}

static void *place_alloc(struct mpool_large *pool, size_t size,
			 const struct mpool_place *place, size_t *real,
			 gfp_t gfp, struct mpool_site *site)
{
	struct place want = {
		.align = place->align ?: 1,
		.boundary = place->boundary,
		.min = place->min,
		.max = place->max ?: U64_MAX,
		.req = {
			.align = 1,
			.state = MPOOL_PAGE_RUN,
			.owner = &pool->base,
			.site = mpool_site_id(site),
		},
	};
	const char *wrong = NULL;
	void *p = NULL;

	want.req.npages = mpool_large_pages(size, &want.req.slack);
	want.bytes = (u64)want.req.npages << PAGE_SHIFT;
	if (want.req.npages)
		wrong = place_check(place, want.bytes);
	if (wrong)
		pr_warn_ratelimited("large pool \"%s\": wrong constraints for %zu bytes: %s\n",
				    pool->base.name, size, wrong);
	if (wrong || !mpool_large_zero_ok(pool, &pool->base, gfp)) {
		mpool_pool_failed(&pool->base, size, gfp, want.req.site);
		return NULL;
	}
	if (want.req.npages)
		p = alloc_placed(pool, &want, gfp);
	if (p)
		*real = want.bytes;
	else
		mpool_large_failed_cached(pool, &pool->base, size,
					  min_t(u64, want.align, SIZE_MAX),
					  gfp, want.req.site, 0);
	return p;
}

void *mpool_large_alloc_placed_at(struct mpool_large *pool, size_t size,
				  const struct mpool_place *place,
				  size_t *real, gfp_t gfp,
				  struct mpool_site *site)
{
	size_t usable = 0;
	void *p = NULL;

	if (!place)
		return mpool_large_alloc_at(pool, size, 1, real, gfp, site);
	if (mpool_large_check(pool))
		goto out;
	might_alloc(gfp);
	if (mpool_no_address(place))
		pr_warn_ratelimited("large pool \"%s\": place is %ld, not an address\n",
				    pool->base.name, (long)place);
	else if (!size)
		p = ZERO_SIZE_PTR;
	else if (mpool_pool_gfp_ok(&pool->base, gfp, pool->zone, mpool_site_id(site)))
		p = place_alloc(pool, size, place, &usable, gfp, site);
out:
	if (real)
		*real = usable;
	return p;
}
EXPORT_SYMBOL_GPL(mpool_large_alloc_placed_at);
