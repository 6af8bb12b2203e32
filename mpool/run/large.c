// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large pools: runs of whole pages, as many as the size needs.
 *
 * Structure: a large pool has arenas (see runs.h and arena.c), engines that find runs in
 * them (nodes.c), and a source of arenas: the page allocator (system.c), memory of
 * the caller (region.c), or runs of another large pool (nested.c).  A run has an owner,
 * which is charged for it: the pool itself for mpool_large_alloc() and for the arenas of
 * nested pools, the pool above for its big objects and its chunks.
 *
 * A run is freed in two steps.  First a caller claims the run, by mpool_runs_claim() or
 * mpool_quick_claim(), without a lock: if several callers free the run, one of them gets
 * it.  Then the run goes back to the engine.  A work item does the second step in two
 * cases: an NMI cannot take the lock, or the references to the pages of the run have
 * changed (refs.c).
 *
 * Short runs that are freed are cached (runs.c, arena.c); requests get cached runs first.
 *
 * Invariant, checked by mpool_large_verify():
 *	the invariants of the engines and arenas hold; nr_chunk_pages is the number of
 *	pages in runs of state MPOOL_PAGE_CHUNK (these are chunks, and arenas of nested
 *	pools); the owner of a cached run is the large pool; the owner of a queued run,
 *	and of pages that left the pool, is the large pool or NULL.
 *
 * Locking: large->lock (raw) for arenas, engines and counts.  Arenas are freed after a
 * grace period: lookups and walks (walk.c) need only RCU.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "large.h"
#include "shrink.h"

/* The large pool of all pools that were created without a large pool. */
struct mpool_large *mpool_large_shared;
EXPORT_SYMBOL_IF_KUNIT(mpool_large_shared);

/* Allocates a run of an engine, or NULL; the caller fills in the descriptor. */
static struct mpool_page *alloc_locked(struct mpool_runs *runs, u32 npages,
				       unsigned long align)
{
	struct mpool_page *pg = NULL;

	lockdep_assert_held(&runs->large->lock);
	if (align <= PAGE_SIZE)
		pg = mpool_runs_uncache(runs, npages);
	if (!pg)
		pg = mpool_runs_alloc(runs, npages, align, MPOOL_PAGE_CACHED);
	if (pg)
		return pg;
	/* Merge the cached runs before the request fails, or makes the pool grow. */
	if (runs->exact)
		mpool_quick_flush_one_locked(runs);
	else if (mpool_quick_flush_locked(runs))
		pg = mpool_runs_alloc(runs, npages, align, MPOOL_PAGE_CACHED);
	return pg;
}

/* Fills in the descriptor of a run that was taken from the engine. */
static void fill_locked(struct mpool_large *large, struct mpool_page *pg,
			const struct mpool_run_req *req)
{
	lockdep_assert_held(&large->lock);
	pg->owner = req->owner;
	pg->site = req->site;
	pg->slack = mpool_slack_word(req->slack, req->align);
	mpool_arena_used_locked(large, mpool_page_arena(pg));
	smp_wmb(); /* Pairs with smp_rmb() in mpool_page_owner(). */
	mpool_page_set(pg, mpool_page_index(pg), req->state);
	if (req->state == MPOOL_PAGE_CHUNK)
		large->nr_chunk_pages += pg->len;
}

/* Allocates a run that the engine of a node has; NULL also if an NMI gets no lock. */
static struct mpool_page *alloc_from(struct mpool_runs *runs,
				     const struct mpool_run_req *req)
{
	struct mpool_large *large = runs->large;
	struct mpool_page *pg;
	unsigned long flags;

	if (!mpool_lock_irqsave(&large->lock, flags))
		return NULL;
	pg = alloc_locked(runs, req->npages, req->align);
	if (pg)
		fill_locked(large, pg, req);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return pg;
}

/* Charges a run to its owner and its pool; uncharges the limit if @pg is NULL. */
static struct mpool_page *charge_run(struct mpool_large *large,
				     struct mpool_page *pg, u32 npages,
				     struct mpool_pool *owner)
{
	if (!pg) {
		mpool_limit_uncharge(large->limit, npages);
		return NULL;
	}
	mpool_pool_charge(owner, npages);
	if (owner != &large->base)
		mpool_pool_charge(&large->base, npages);
	return pg;
}

/* Grows the pool by an arena, which serves the request; NULL if there is no memory. */
static struct mpool_page *alloc_grown(struct mpool_large *large,
				      const struct mpool_run_req *req, gfp_t gfp)
{
	struct mpool_arena *arena;

	arena = large->source->grow(large, req->npages + req->room, req->align, gfp);
	return arena ? mpool_large_add_arena(large, arena, req) : NULL;
}

/*
 * Serves a request for which the engine of the node has no run: by new memory of that
 * node, without reclaim, or by a run that the pool has on another node.
 */
static struct mpool_page *alloc_other_node(struct mpool_runs *here,
					   const struct mpool_run_req *req)
{
	struct mpool_large *large = here->large;
	gfp_t gfp = mpool_gfp_try(req->gfp) | __GFP_THISNODE;
	struct mpool_page *pg = NULL;
	struct mpool_runs *runs;

	if (!large->nodes)
		return NULL;
	if (req->may_grow)
		pg = alloc_grown(large, req, gfp);
	if (pg || (req->gfp & __GFP_THISNODE))
		return pg;
	/*
	 * The runs of other nodes come before memory of any node: an arena of another
	 * node is not in the engine of this one, so each request from here would add one
	 * more.
	 */
	mpool_large_for_each_runs(large, runs) {
		pg = runs != here ? alloc_from(runs, req) : NULL;
		if (pg)
			break;
	}
	return pg;
}

/* The most rounds of mpool_hooks.reclaim_empty() for a request that must not sleep. */
#define RECLAIM_ROUNDS	8

/*
 * Makes the pools above return empty chunks; false if none is empty, or if no round is
 * left.
 */
bool mpool_large_reclaim_again(struct mpool_large *large, gfp_t gfp, unsigned int *round)
{
	return (gfpflags_allow_blocking(gfp) || (*round)++ < RECLAIM_ROUNDS) &&
	       atomic_read(&large->nr_empty) && mpool_hooks.reclaim_empty(large);
}

/*
 * Serves a request from the empty chunks of the pools above.  A request that may sleep
 * goes on until it is served or all these chunks are given back.  A request that must
 * not sleep gives up after RECLAIM_ROUNDS rounds; then the pool may grow.
 */
static struct mpool_page *alloc_reclaimed(struct mpool_runs *runs,
					  const struct mpool_run_req *req)
{
	struct mpool_page *pg = NULL;
	unsigned int round = 0;

	while (req->may_grow && !pg &&
	       mpool_large_reclaim_again(runs->large, req->gfp, &round))
		pg = alloc_from(runs, req);
	return pg;
}

/* The last source: looks at each free run of the pool, those of this node first. */
static struct mpool_page *alloc_by_search(struct mpool_runs *here,
					  const struct mpool_run_req *req)
{
	struct mpool_page *pg = mpool_large_search(here, req);
	struct mpool_runs *runs;

	if (pg || (req->gfp & __GFP_THISNODE))
		return pg;
	mpool_large_for_each_runs(here->large, runs) {
		pg = runs != here ? mpool_large_search(runs, req) : NULL;
		if (pg)
			break;
	}
	return pg;
}

/*
 * Serves a request for which the engine of the node has no run.  The sources, in this
 * order: empty chunks, new memory of the node, runs of other nodes, new memory of any
 * node, and a search of all free runs.  In an exact engine an empty chunk serves only a
 * request of its own length: there the empty chunks are the last source, and there is no
 * search.
 */
static noinline struct mpool_page *alloc_or_grow(struct mpool_runs *runs,
						 const struct mpool_run_req *req)
{
	size_t bytes = max((size_t)req->npages << PAGE_SHIFT, req->align);
	struct mpool_large *large = runs->large;
	struct mpool_page *pg = runs->exact ? NULL : alloc_reclaimed(runs, req);

	for (;;) {
		pg = pg ?: alloc_other_node(runs, req);
		if (!pg && req->may_grow)
			pg = alloc_grown(large, req, req->gfp);
		if (!pg)
			pg = runs->exact ? alloc_reclaimed(runs, req) :
					   alloc_by_search(runs, req);
		/* Retry only if the page allocator may have the block later. */
		if (pg || !mpool_gfp_nofail(req->gfp) || !large->source->system ||
		    get_order(bytes) > MAX_PAGE_ORDER)
			return pg;
		memalloc_retry_wait(req->gfp);
		runs = mpool_large_here(large);
		pg = alloc_from(runs, req);
	}
}

/* Charges a request to the limit; false if the limit refuses the request. */
bool mpool_large_charge_limit(struct mpool_large *large, u32 npages, gfp_t gfp)
{
	unsigned int round = 0;

	/* The empty chunks of pools above are charged, too; they may be given back. */
	while (unlikely(!mpool_limit_charge(large->limit, npages)))
		if (!mpool_may_grow() || !mpool_large_reclaim_again(large, gfp, &round))
			return false;
	return true;
}

/* Charges and serves a request. */
static __always_inline struct mpool_page *alloc_run(struct mpool_large *large,
						    struct mpool_run_req *req)
{
	struct mpool_runs *here = mpool_large_here(large);
	struct mpool_page *pg;

	if (!mpool_large_charge_limit(large, req->npages, req->gfp))
		return NULL;
	pg = alloc_from(here, req);
	if (unlikely(!pg)) {
		req->may_grow = mpool_may_grow();
		pg = alloc_or_grow(here, req);
	}
	return charge_run(large, pg, req->npages, req->owner);
}

/**
 * mpool_large_alloc_run() - allocate a run; the pool grows if it has no such run
 * @large: pool
 * @npages: length in pages, not 0
 * @align: alignment in bytes, a power of two
 * @gfp: allocation flags
 * @state: state of the run: the use that @owner has for it
 * @owner: pool that is charged
 * @site: call site of the request, or 0
 * @slack: bytes of the run that were not requested
 *
 * The run is of the node of mpool_large_nid().  If that node has no such run and no
 * memory, the run is of another node, unless @gfp has __GFP_THISNODE.
 *
 * Context: any; the pool grows only where the page allocator may be called.
 * Return: descriptor of the first page, or %NULL.
 */
struct mpool_page *mpool_large_alloc_run(struct mpool_large *large, u32 npages,
					 unsigned long align, gfp_t gfp,
					 enum mpool_page_state state,
					 struct mpool_pool *owner, u32 site,
					 u32 slack)
{
	struct mpool_run_req req = {
		.npages = npages, .align = align, .gfp = gfp, .state = state,
		.owner = owner, .site = site, .slack = slack,
	};

	return alloc_run(large, &req);
}

/*
 * Allocates a run for a chunk from the runs that the pool has on this node; NULL if there
 * is none.  The pool does not grow.  Any context.
 */
struct mpool_page *mpool_large_alloc_idle(struct mpool_large *large, u32 npages,
					  unsigned long align,
					  struct mpool_pool *owner)
{
	const struct mpool_run_req req = {
		.npages = npages, .align = align, .state = MPOOL_PAGE_CHUNK,
		.owner = owner,
	};
	struct mpool_page *pg;

	if (!mpool_limit_charge(large->limit, npages))
		return NULL;
	pg = alloc_from(mpool_large_here(large), &req);
	return charge_run(large, pg, npages, owner);
}

/*
 * Allocates a part of the free run @pg, from its page @gap on.  The caller charges it
 * after the lock is released.
 */
struct mpool_page *mpool_large_carve_locked(struct mpool_large *large,
					    struct mpool_page *pg, u32 gap,
					    const struct mpool_run_req *req)
{
	lockdep_assert_held(&large->lock);
	pg = mpool_runs_carve(mpool_page_arena(pg)->runs, pg, gap, req->npages,
			      MPOOL_PAGE_CACHED);
	fill_locked(large, pg, req);
	return pg;
}

/* Frees a run that was claimed, or that is a chunk: caches it or merges it. */
void mpool_large_free_run_locked(struct mpool_large *large, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);

	lockdep_assert_held(&large->lock);
	if (mpool_page_state(pg) == MPOOL_PAGE_CHUNK)
		large->nr_chunk_pages -= pg->len;
	/*
	 * The large pool owns the run until it is allocated again: the present owner may
	 * end before that, and quick_alloc() stores no owner.
	 */
	WRITE_ONCE(pg->owner, &large->base);
	if (!mpool_run_must_merge(arena, pg->len) && mpool_runs_cache(arena->runs, pg))
		return;
	mpool_runs_free(arena->runs, pg);
	mpool_arena_idle_locked(large, arena);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_free_run_locked);

static bool run_alone(struct mpool_page *pg)
{
	return mpool_run_alone(mpool_page_arena(pg), mpool_page_index(pg),
			       READ_ONCE(pg->len));
}

/* Defers the free of a run to the work item, which may run at once.  Any context. */
static void free_deferred(struct mpool_large *large, struct mpool_page *pg)
{
	/* The large pool owns the run now: the owner may end before the run is free. */
	WRITE_ONCE(pg->owner, &large->base);
	/* The owner comes first.  Pairs with smp_load_acquire() in find_queued(). */
	smp_store_release(&pg->tag, mpool_page_tag(mpool_page_index(pg),
						   MPOOL_PAGE_QUEUED));
	mpool_defer(&large->deferred);
}

/*
 * Defers the free of a run if its pages have other references than mpool's, or if some of
 * mpool's were dropped (refs.c).  Any context.
 */
static void free_referenced(struct mpool_large *large, struct mpool_page *pg)
{
	unsigned long flags;

	mpool_refs_note(large, pg, 0);
	if (mpool_page_state(pg) == MPOOL_PAGE_CHUNK) {
		/* Not in NMI context, where no chunk is freed. */
		raw_spin_lock_irqsave(&large->lock, flags);
		large->nr_chunk_pages -= pg->len;
		raw_spin_unlock_irqrestore(&large->lock, flags);
	}
	free_deferred(large, pg);
}

/* Uncharges and frees a run that was claimed, or that is a chunk.  Any context. */
void mpool_large_free_run(struct mpool_large *large, struct mpool_page *pg)
{
	struct mpool_pool *owner = pg->owner;
	unsigned long flags;

	mpool_pool_charge(owner, -(long)pg->len);
	if (owner != &large->base)
		mpool_pool_charge(&large->base, -(long)pg->len);
	mpool_limit_uncharge(large->limit, pg->len);
	if (unlikely(!run_alone(pg))) {
		free_referenced(large, pg);
		return;
	}
	if (mpool_lock_irqsave(&large->lock, flags)) {
		mpool_large_free_run_locked(large, pg);
		raw_spin_unlock_irqrestore(&large->lock, flags);
		mpool_large_reclaim_surplus(large);
		return;
	}
	mpool_stat_inc(&owner->stats, MPOOL_STAT_DEFER);
	free_deferred(large, pg);
}

static int find_queued(struct mpool_arena *arena, struct mpool_page *pg,
		       void *arg)
{
	struct mpool_page **found = arg;

	/* Pairs with smp_store_release() in free_deferred(), mpool_runs_split(). */
	if ((smp_load_acquire(&pg->tag) & MPOOL_TAG_STATE) != MPOOL_PAGE_QUEUED)
		return 0;
	*found = pg;
	return 1;
}

/* Finishes a deferred free.  Until then the run is not free, so its arena stays. */
static void late_one(struct mpool_large *large, struct mpool_page *pg)
{
	unsigned long flags;

	if (!run_alone(pg)) {
		mpool_refs_settle(large, pg);
		return;
	}
	raw_spin_lock_irqsave(&large->lock, flags);
	mpool_large_free_run_locked(large, pg);
	raw_spin_unlock_irqrestore(&large->lock, flags);
}

void mpool_large_free_queued(struct work_struct *work)
{
	struct mpool_large *large = container_of(mpool_defer_of(work),
						 struct mpool_large, deferred);
	struct mpool_cursor at = { };
	struct mpool_page *pg;

	while (mpool_large_walk(large, &at, find_queued, &pg))
		late_one(large, pg);
	mpool_large_drain(large);
	mpool_large_reclaim_surplus(large);
	mpool_refs_tell(large, false);
}

/* Prints, rate-limited, that device memory is not cleared.  Returns false. */
noinline bool mpool_large_refuse_zero(const struct mpool_pool *owner)
{
	pr_warn_ratelimited("%s pool \"%s\": device memory is never touched, __GFP_ZERO is refused\n",
			    owner->ops->kind_name, owner->name);
	return false;
}

/* The pages of its block that a run of @npages leaves free; 0 if there is no such block. */
static u32 room_of(u32 npages)
{
	return npages <= 1u << MAX_PAGE_ORDER ? roundup_pow_of_two(npages) - npages : 0;
}

static void *object_alloc(struct mpool_large *large, struct mpool_pool *owner,
			  size_t size, size_t align, size_t *real, gfp_t gfp,
			  u32 site, bool room)
{
	struct mpool_run_req req = {
		.align = align, .gfp = gfp, .state = MPOOL_PAGE_RUN,
		.owner = owner, .site = site,
	};
	struct mpool_page *pg = NULL;
	void *p;

	if (!mpool_large_zero_ok(large, owner, gfp)) {
		mpool_pool_failed(owner, size, gfp, site);
		return NULL;
	}
	req.npages = mpool_large_pages(size, &req.slack);
	if (room && req.npages)
		req.room = room_of(req.npages);
	if (req.npages)
		pg = alloc_run(large, &req);
	if (!pg) {
		mpool_large_failed_cached(large, owner, size, align, gfp,
					  site, 0);
		return NULL;
	}
	p = mpool_page_address(mpool_page_arena(pg), pg);
	*real = (size_t)req.npages << PAGE_SHIFT;
	mpool_large_zero(large, p, 0, *real, gfp);
	mpool_stat_inc(&owner->stats, MPOOL_STAT_ALLOC);
	return p;
}

/**
 * mpool_large_object() - allocate a run as an object
 * @large: pool
 * @owner: pool that is charged and that frees the object: @large itself, or a pool
 *	   above it
 * @size: bytes, not 0
 * @align: alignment in bytes, a power of two
 * @real: receives the number of usable bytes
 * @gfp: allocation flags
 * @site: call site of the request
 *
 * Context: as mpool_large_alloc_run().
 * Return: the object, or %NULL.
 */
void *mpool_large_object(struct mpool_large *large, struct mpool_pool *owner,
			 size_t size, size_t align, size_t *real, gfp_t gfp,
			 u32 site)
{
	return object_alloc(large, owner, size, align, real, gfp, site, false);
}

/*
 * As mpool_large_object(), for a run that moves because it grows.  Over system memory a
 * new arena keeps the rest of its block, of a power of two, behind the run.  So a run that
 * grows by small steps is copied at each power of two, which is less than twice its final
 * length in all.  The room goes back when it is not used for some time, or when memory is
 * short (tail.c).  A pool that may have vmalloc() memory gives no room: pages of vmalloc()
 * do not go back one by one.
 */
void *mpool_large_object_room(struct mpool_large *large, struct mpool_pool *owner,
			      size_t size, size_t align, size_t *real, gfp_t gfp,
			      u32 site)
{
	return object_alloc(large, owner, size, align, real, gfp, site,
			    large->source->system && !large->virt);
}

/*
 * Returns the run in use that begins at @p, or NULL.  @p may be any value.  The caller is
 * in an RCU read-side section.
 */
struct mpool_page *mpool_large_lookup(const void *p)
{
	unsigned long addr = (unsigned long)p;
	unsigned long entry = mpool_pagemap_entry(addr);
	struct mpool_arena *arena;
	struct mpool_page *pg;

	if (!mpool_entry_is_arena(entry) || !PAGE_ALIGNED(addr))
		return NULL;
	arena = (struct mpool_arena *)entry;
	pg = &arena->pages[(addr - arena->base) >> PAGE_SHIFT];
	return mpool_page_is_run(pg) ? pg : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_lookup);

/* Frees a run of @owner that the caller has claimed. */
void mpool_large_free_claimed(struct mpool_pool *owner, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	struct mpool_large *large = mpool_page_large(pg);

	/*
	 * Pages with other references may still be read.  Then the work item clears the
	 * pages that stay in the pool.
	 */
	if (want_init_on_free() && run_alone(pg))
		mpool_large_wipe(large, mpool_page_address(arena, pg),
				 mpool_page_bytes(pg));
	mpool_large_free_run(large, pg);
	mpool_pool_freed(owner);
}

/*
 * Frees a run of @owner; false if another task or interrupt is freeing or resizing it, or
 * has freed it, and it has another owner now.
 * The caller is in an RCU read-side section, which keeps the arena in that case.
 */
bool mpool_large_free_object(struct mpool_page *pg, struct mpool_pool *owner)
{
	if (!mpool_runs_claim_of(pg, owner))
		return false;
	mpool_large_free_claimed(owner, pg);
	return true;
}
