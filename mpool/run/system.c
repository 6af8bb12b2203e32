// SPDX-License-Identifier: GPL-2.0-only
/*
 * System mode: arenas from the page allocator.
 *
 * Structure: an arena is one block of the page allocator, split into pages of which each
 * has a count of its own, and MPOOL_PAGE_REFS references of ours (see refs.c): a driver may
 * take references to any page, and one that somebody else frees stays where it is.
 * Requests below
 * OWN_BLOCK_PAGES share arenas, which grow with the pool, from ARENA_MIN_ORDER
 * to ARENA_MAX_ORDER, so that a pool of few objects stays small and a large one
 * does not ask often.  The larger orders are only tried for; a fragmented system
 * gives smaller ones, down to what the request needs.
 *
 * A longer request gets a block of its own, of which the pages behind the
 * request go back at once: 2.1 MiB are 538 pages, not the 1024 of the block.
 *
 * A pool that was made with MPOOL_LARGE_VIRT has arenas of vmalloc() as well,
 * where the page allocator has no block that is long enough.
 *
 * A block goes back as it came, joined again, if all of it is there and ours: of 512
 * pages that is 9000 instructions, and 150,000 page by page.  It must not be joined if
 * split_page() gave each page a share of what memory cgroups or allocation profiling know
 * of the block, of which __free_pages() would settle the first page's only; nor if a page
 * is poisoned, or still has what a driver wrote to its struct page, so that the page
 * allocator has to look at that page.
 *
 * Invariant: every page of an arena is an order-0 page, and but for those of vmalloc()
 * it has MPOOL_PAGE_REFS references of ours until it leaves.
 *
 * Locking: none; what is built here is not shared until large.c adds it.
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

/* Meant as bytes, whatever a page is. */
#define ARENA_MIN_ORDER		get_order(SZ_64K)
#define ARENA_MAX_ORDER		get_order(SZ_2M)
#define OWN_BLOCK_PAGES		(SZ_256K >> PAGE_SHIFT)

/* An arena that is added is at most this part of its pool, or the smallest. */
#define ARENA_SHARE		64

static unsigned int arena_order(const struct mpool_large *large)
{
	unsigned long pages = mpool_large_nr_pages(large) / ARENA_SHARE | 1;

	return clamp_t(unsigned int, ilog2(pages), ARENA_MIN_ORDER,
		       min(ARENA_MAX_ORDER, MAX_PAGE_ORDER));
}

/* A block of @npages pages with our references; those behind it go back. */
static struct page *block_alloc(int nid, unsigned int order, u32 npages,
				gfp_t gfp)
{
	struct page *page;
	u32 i;

	gfp &= ~__GFP_COMP;
	/* Without a wish the policy of the task says it. */
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

/* The largest block from @order down to @least; sets @order to what it is. */
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
 * Takes all references to a page that is ours alone and as it came.  From then on nobody
 * can take one, also if he only tries, by the number of a page.
 */
static bool page_freeze(struct page *page)
{
	return !PageHWPoison(page) && !page_private(page) && !page->mapping &&
	       page_ref_freeze(page, MPOOL_PAGE_REFS);
}

/* Gives a block back as it came; false if it is not ours alone. */
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

/* Gives a block back that nobody has seen. */
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

/* What the pages of an arena begin with once they are nobody's. */
struct virt_end {
	struct rcu_head rcu;
};

/* An arena that is contiguous for the CPU only.  Sleeps, or gives none. */
static struct mpool_arena *virt_grow(struct mpool_large *large, u32 npages,
				     unsigned long align, gfp_t gfp)
{
	unsigned long pages = npages;
	struct mpool_arena *arena;
	void *base;

	/* vmalloc() knows no alignment; the engine finds it in more pages. */
	if (align > PAGE_SIZE)
		pages += (align >> PAGE_SHIFT) - 1;
	/* Nor does it promise a node. */
	if (pages > RUNS_MAX_PAGES || !gfpflags_allow_blocking(gfp) ||
	    irqs_disabled() || in_interrupt() || (gfp & __GFP_THISNODE))
		return NULL;
	/* How hard to try is the caller's to say; zones it takes none. */
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
	/* The page allocator promises no more than two pages, and only who may wait. */
	if (least > 1 || !gfpflags_allow_blocking(gfp))
		gfp &= ~__GFP_NOFAIL;
	/* There is something else to try, but for a page. */
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
	arena->whole = !split && !(gfp & __GFP_ACCOUNT) &&
		       !IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING);
	arena->order = order;
	arena->phys = PFN_PHYS(page_to_pfn(page));
	return arena;
}

static void system_release(struct mpool_arena *arena)
{
	/* vfree() may sleep, which a free must not. */
	if (arena->virt) {
		kvfree_rcu((struct virt_end *)arena->base, rcu);
		return;
	}
	/* All of it left, page by page. */
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

/* Says what is wrong with the arguments, if anything. */
static const char *system_check(const struct mpool_large_args *args)
{
	const gfp_t zones = args->gfp & (__GFP_DMA | __GFP_DMA32);
	const bool virt = args->flags & MPOOL_LARGE_VIRT;

	if (args->flags & ~(MPOOL_LARGE_VIRT | MPOOL_LARGE_NODE))
		return "flags are unknown";
	/* GFP_ZONE_BAD has it: the page allocator would take any zone. */
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
	/* Reserved memory has no zones and is nobody's to account. */
	if (mpool_large_shared && !mpool_large_shared->feed->system &&
	    !args->gfp && !(args->flags & MPOOL_LARGE_NODE))
		return mpool_nested_create(name, mpool_large_shared, args,
					   site);
	large = mpool_large_setup(name, &system_feed, args->gfp,
				  args->on_leak, mpool_limit_args_of(args),
				  site);
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
	/* Reserved memory may be what is shared. */
	if (mpool_large_shared)
		return 0;
	mpool_large_shared = mpool_large_create("shared", NULL);
	return PTR_ERR_OR_ZERO(mpool_large_shared);
}
