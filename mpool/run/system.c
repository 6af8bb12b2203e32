// SPDX-License-Identifier: GPL-2.0-only
/*
 * System mode: arenas from the page allocator.
 *
 * Structure: an arena is one block of the page allocator.  split_page() makes each of its
 * pages an order-0 page with a count of its own, and mpool has MPOOL_PAGE_REFS references
 * to each (see refs.c).  So a driver may take references to any page, and a page that a
 * driver frees by mistake stays in the arena.
 *
 * Requests below OWN_BLOCK_PAGES share arenas.  The order of a shared arena grows with
 * the pool, from ARENA_MIN_ORDER to ARENA_MAX_ORDER: a pool with few objects stays small,
 * and a large pool seldom calls the page allocator.  If the system is fragmented, the
 * order is smaller, down to the least that the request needs.
 *
 * A longer request gets a block of its own.  The pages behind the request are freed at
 * once: 2.1 MiB take 538 pages, not the 1024 of the block.
 *
 * A pool that was created with MPOOL_LARGE_VIRT has vmalloc() arenas as well, for
 * requests for which the page allocator has no block.
 *
 * Invariant: every page of an arena is an order-0 page.  Until it leaves the arena, mpool
 * has MPOOL_PAGE_REFS references to it, unless the arena is from vmalloc().
 *
 * Locking: none.  A new arena is not shared before mpool_large_add_arena() adds it.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/page_ref.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "large.h"
#include "nested.h"
#include "refs.h"

/* Numbers of bytes, whatever the size of a page is. */
#define ARENA_MIN_ORDER		get_order(SZ_64K)
#define ARENA_MAX_ORDER		get_order(SZ_2M)
#define OWN_BLOCK_PAGES		(SZ_256K >> PAGE_SHIFT)

/* A new arena has at most 1/ARENA_SHARE of the pages of its pool, or ARENA_MIN_ORDER. */
#define ARENA_SHARE		64

static unsigned int arena_order(const struct mpool_large *large)
{
	unsigned long pages = mpool_large_nr_pages(large) / ARENA_SHARE | 1;

	return clamp_t(unsigned int, ilog2(pages), ARENA_MIN_ORDER,
		       min(ARENA_MAX_ORDER, MAX_PAGE_ORDER));
}

/* A block of @npages pages with mpool's references.  The pages behind them are freed. */
static struct page *block_alloc(int nid, unsigned int order, u32 npages,
				gfp_t gfp)
{
	struct page *page;
	u32 i;

	gfp &= ~__GFP_COMP;
	/* Without a node, the memory policy of the task chooses one. */
	page = nid == NUMA_NO_NODE ? alloc_pages(gfp, order) :
				     alloc_pages_node(nid, gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	for (i = npages; i < 1u << order; i++)
		__free_page(page + i);
	for (i = 0; i < npages; i++)
		page_ref_add(page + i, MPOOL_PAGE_REFS - 1);
	return page;
}

/*
 * The largest block from order *@order down to @least; sets *@order to the order of the
 * block.  The orders above @least are only tried, without reclaim.
 */
static struct page *block_shared(int nid, unsigned int *order,
				 unsigned int least, gfp_t gfp)
{
	struct page *page;

	for (; *order > least; --*order) {
		page = block_alloc(nid, *order, 1u << *order, mpool_gfp_try(gfp));
		if (page)
			return page;
	}
	return block_alloc(nid, least, 1u << least, gfp);
}

/*
 * Takes all references to a page, if mpool has the only ones, and if the page is as it
 * was when it came.  A poisoned page, or a page with the private or mapping field of a
 * driver, is refused: the page allocator has to look at that page itself.  After this, no
 * CPU can get a reference to the page, not even by its page frame number.
 */
static bool page_freeze(struct page *page)
{
	return !PageHWPoison(page) && !page_private(page) && !page->mapping &&
	       page_ref_freeze(page, MPOOL_PAGE_REFS);
}

/*
 * Frees a block in one piece; false if mpool has not the only references to all of its
 * pages.  For 512 pages this is 9000 instructions, and 150,000 page by page.
 */
static bool block_join(struct page *page, unsigned int order)
{
	u32 i, n = 1u << order;

	for (i = 0; i < n; i++)
		if (!page_freeze(page + i))
			break;
	if (i == n) {
		set_page_count(page, 1);
		__free_pages(page, order);
		return true;
	}
	while (i--)
		page_ref_unfreeze(page + i, MPOOL_PAGE_REFS);
	return false;
}

/* Frees a block that no other CPU has seen. */
static void block_free(struct page *page, u32 npages)
{
	for (; npages--; page++) {
		page_ref_sub(page, MPOOL_PAGE_REFS - 1);
		__free_page(page);
	}
}

static struct mpool_arena *system_describe(struct mpool_large *large,
					   unsigned long base, u32 npages,
					   int nid, gfp_t gfp)
{
	gfp_t meta = gfp & ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP |
			     __GFP_THISNODE);
	struct mpool_arena *arena;

	arena = kvzalloc(mpool_arena_bytes(npages), meta);
	if (!arena)
		return NULL;
	mpool_arena_init(arena, mpool_large_node(large, nid), base, npages);
	arena->nid = nid;
	if (mpool_pagemap_add(base, npages,
			      (unsigned long)arena, meta)) {
		kvfree(arena);
		return NULL;
	}
	return arena;
}

/* The first bytes of a vmalloc() arena that is no longer in use: for kvfree_rcu(). */
struct virt_end {
	struct rcu_head rcu;
};

/*
 * An arena that is contiguous in virtual addresses only.  Sleeps; NULL where the caller
 * may not sleep.
 */
static struct mpool_arena *virt_grow(struct mpool_large *large, u32 npages,
				     unsigned long align, gfp_t gfp)
{
	unsigned long pages = npages;
	struct mpool_arena *arena;
	void *base;

	/* vmalloc() takes no alignment; the engine finds an aligned run in more pages. */
	if (align > PAGE_SIZE)
		pages += (align >> PAGE_SHIFT) - 1;
	/* vmalloc() may sleep, and it does not promise a node. */
	if (pages > RUNS_MAX_PAGES || !gfpflags_allow_blocking(gfp) ||
	    irqs_disabled() || in_interrupt() || (gfp & __GFP_THISNODE))
		return NULL;
	/* The flags of the caller say how hard to try.  vmalloc() takes no zone flags. */
	gfp = (gfp | large->zone) & (GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
				     __GFP_NORETRY | __GFP_RETRY_MAYFAIL);
	base = __vmalloc(pages << PAGE_SHIFT, gfp | __GFP_NOWARN);
	if (!base)
		return NULL;
	arena = system_describe(large, (unsigned long)base, pages,
				page_to_nid(vmalloc_to_page(base)), gfp);
	if (!arena) {
		vfree(base);
		return NULL;
	}
	arena->virt = true;
	return arena;
}

static struct mpool_arena *system_grow(struct mpool_large *large, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	unsigned int least = max(get_order((size_t)npages << PAGE_SHIFT),
				 get_order(align));
	unsigned int order = max(least, arena_order(large));
	bool split = npages >= OWN_BLOCK_PAGES && npages < 1u << least;
	struct mpool_arena *arena;
	struct page *page;
	gfp_t wish = gfp;

	if (least > MAX_PAGE_ORDER)
		return large->virt ? virt_grow(large, npages, align, gfp) :
				     NULL;
	gfp = (gfp & ~(GFP_ZONEMASK | __GFP_ZERO)) | large->zone;
	/*
	 * The page allocator honours __GFP_NOFAIL for at most two pages, and only if the
	 * caller may sleep.
	 */
	if (least > 1 || !gfpflags_allow_blocking(gfp))
		gfp &= ~__GFP_NOFAIL;
	/* If a block of two or more pages fails, vmalloc() is tried next. */
	if (large->virt && least)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if (npages >= OWN_BLOCK_PAGES)
		order = least;
	if (split)
		page = block_alloc(large->nid, order, npages, gfp);
	else
		page = block_shared(large->nid, &order, least, gfp);
	if (!page)
		return large->virt ? virt_grow(large, npages, align, wish) :
				     NULL;
	if (!split)
		npages = 1u << order;
	arena = system_describe(large, (unsigned long)page_address(page),
				npages, page_to_nid(page), gfp);
	if (!arena) {
		block_free(page, npages);
		return NULL;
	}
	arena->mem = page;
	/*
	 * A block is freed in one piece only if none of its pages was freed before.  Nor
	 * is it if memory cgroups or allocation profiling know of the block: split_page()
	 * gives each page a share of that state, and __free_pages() would settle the
	 * share of the first page only.
	 */
	arena->whole = !split && !(gfp & __GFP_ACCOUNT) &&
		       !IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING);
	arena->order = order;
	arena->phys = PFN_PHYS(page_to_pfn(page));
	return arena;
}

static void system_release(struct mpool_arena *arena)
{
	/* vfree() may sleep, and this may be a free in atomic context. */
	if (arena->virt) {
		kvfree_rcu((struct virt_end *)arena->base, rcu);
		return;
	}
	/* The pages left one by one: mpool_refs_drain(). */
	if (arena->gone)
		return;
	mpool_account_reclaimed(arena->npages);
	if (!arena->whole || !block_join(arena->mem, arena->order))
		mpool_refs_end(arena);
}

static const struct mpool_large_feed system_feed = {
	.what = "the system",
	.grow = system_grow,
	.release = system_release,
	.gives_back = true,
	.system = true,
};

static bool node_has_memory(int nid)
{
	return nid >= 0 && nid < nr_node_ids && node_state(nid, N_MEMORY);
}

/* Returns a message if the arguments are invalid, or NULL. */
static const char *system_check(const struct mpool_large_args *args)
{
	const gfp_t zones = args->gfp & (__GFP_DMA | __GFP_DMA32);
	const bool virt = args->flags & MPOOL_LARGE_VIRT;

	if (args->flags & ~(MPOOL_LARGE_VIRT | MPOOL_LARGE_NODE))
		return "flags are unknown";
	/* GFP_ZONE_BAD has this combination: the page allocator would take any zone. */
	if (zones == (__GFP_DMA | __GFP_DMA32))
		return "gfp has GFP_DMA and GFP_DMA32, no zone is both";
	if (virt && zones)
		return "MPOOL_LARGE_VIRT has no zone";
	if (virt && (args->flags & MPOOL_LARGE_NODE))
		return "MPOOL_LARGE_VIRT has no node";
	return NULL;
}

struct mpool_large *__mpool_large_create(const char *name,
					 const struct mpool_large_args *args,
					 struct mpool_site *site)
{
	static const struct mpool_large_args none;
	struct mpool_large *large;
	const char *wrong;
	int err;

	err = mpool_args_check("large", name, args);
	if (err)
		return ERR_PTR(err);
	if (!args)
		args = &none;
	/*
	 * If the pool "shared" has reserved memory, a pool takes its memory there.
	 * Reserved memory has no zones and no nodes, and no memory cgroup accounts for
	 * it: a pool that asks for these has memory of the page allocator.
	 */
	if (mpool_large_shared && !mpool_large_shared->feed->system &&
	    !args->gfp && !(args->flags & MPOOL_LARGE_NODE))
		return mpool_nested_create(name, mpool_large_shared, args,
					   site);
	large = mpool_large_setup(name, &system_feed, args->gfp,
				  args->on_leak, &args->limits, site);
	if (IS_ERR(large))
		return large;
	large->virt = args->flags & MPOOL_LARGE_VIRT;
	if (args->flags & MPOOL_LARGE_NODE)
		large->nid = args->node;
	wrong = system_check(args);
	if (wrong) {
		mpool_refuse(large->pool.ops, name, "%s", wrong);
		err = -EINVAL;
	} else if (args->flags & MPOOL_LARGE_NODE && !node_has_memory(args->node)) {
		mpool_refuse(large->pool.ops, name, "node %d has no memory",
			     args->node);
		err = -EINVAL;
	} else {
		err = mpool_pool_register(&large->pool);
	}
	if (err) {
		mpool_large_put(large);
		return ERR_PTR(err);
	}
	return large;
}
EXPORT_SYMBOL_GPL(__mpool_large_create);

int mpool_large_init(void)
{
	/* With reserved memory, mpool_reserved_init() has created the pool already. */
	if (mpool_large_shared)
		return 0;
	mpool_large_shared = mpool_large_create("shared", NULL);
	return PTR_ERR_OR_ZERO(mpool_large_shared);
}
