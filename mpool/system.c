// SPDX-License-Identifier: GPL-2.0-only
/*
 * System mode: arenas from the page allocator.
 *
 * Structure: an arena is one block of the page allocator.  Requests below
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
 * The pages of a block that was split go back one by one.  Nothing longer is
 * permitted: each has a count of its own, which a driver may have raised, and
 * split_page() gave each its own share of what page_owner, memory cgroups and
 * allocation profiling know of the block; __free_pages() of a longer piece would
 * settle the first page's only.  So does alloc_pages_exact().  It is the spare
 * that keeps this off the path of alloc and free.
 *
 * Invariant: every page of an arena is either a part of one compound page or an
 * order-0 page of its own, so that a driver may take references to any of them.
 *
 * Locking: none; what is built here is not shared until large.c adds it.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "large.h"
#include "reserved.h"
#include "system.h"

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

/* A block for a long request: order-0 pages, those behind @npages returned. */
static struct page *block_exact(unsigned int order, u32 npages, gfp_t gfp)
{
	struct page *page = alloc_pages(gfp & ~__GFP_COMP, order);
	u32 i;

	if (!page)
		return NULL;
	split_page(page, order);
	for (i = npages; i < 1u << order; i++)
		__free_page(page + i);
	return page;
}

/* The largest block from @order down to @least; sets @order to what it is. */
static struct page *block_shared(unsigned int *order, unsigned int least,
				 gfp_t gfp)
{
	struct page *page;

	for (; *order > least; --*order) {
		page = alloc_pages(mpool_gfp_try(gfp) | __GFP_COMP, *order);
		if (page)
			return page;
	}
	return alloc_pages(gfp | __GFP_COMP, least);
}

static void block_free(struct page *page, u32 npages, bool split,
		       unsigned int order)
{
	u32 i;

	if (!split) {
		__free_pages(page, order);
		return;
	}
	for (i = 0; i < npages; i++)
		__free_page(page + i);
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
	    (gfp & __GFP_THISNODE))
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
	/* The page allocator does not promise more than two pages. */
	if (least > 1)
		gfp &= ~__GFP_NOFAIL;
	/* There is something else to try, but for a page. */
	if (large->virt && least)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if (npages >= OWN_BLOCK_PAGES)
		order = least;
	if (split)
		page = block_exact(order, npages, gfp);
	else
		page = block_shared(&order, least, gfp);
	if (!page)
		return large->virt ? virt_grow(large, npages, align, wish) :
				     NULL;
	if (!split)
		npages = 1u << order;
	arena = system_describe(large, (unsigned long)page_address(page),
				npages, page_to_nid(page), gfp);
	if (!arena) {
		block_free(page, npages, split, order);
		return NULL;
	}
	arena->split = split;
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
	block_free(virt_to_page((void *)arena->base), arena->npages,
		   arena->split, arena->order);
	mpool_account_reclaimed(arena->npages);
}

const struct mpool_large_feed mpool_system_feed = {
	.what = "the system",
	.grow = system_grow,
	.release = system_release,
	.gives_back = true,
	.system = true,
};

struct mpool_large *__mpool_large_create(const char *name,
					 const struct mpool_large_args *args,
					 struct mpool_site *site)
{
	static const struct mpool_large_args none;
	struct mpool_large *large;
	int err;

	if (!args)
		args = &none;
	/* Reserved memory has no zones and is nobody's to account. */
	if (mpool_large_shared && !mpool_large_shared->feed->system &&
	    !args->gfp)
		return mpool_within_create(name, mpool_large_shared, args,
					   site);
	large = mpool_large_setup(name, &mpool_system_feed, args->gfp,
				  args->on_leak, mpool_limit_args_of(args),
				  site);
	if (IS_ERR(large))
		return large;
	large->virt = args->flags & MPOOL_LARGE_VIRT;
	if (args->flags & ~MPOOL_LARGE_VIRT) {
		mpool_refuse(large->pool.ops, name, "flags are unknown");
		err = -EINVAL;
	} else if (large->virt && (args->gfp & GFP_ZONEMASK)) {
		mpool_refuse(large->pool.ops, name,
			     "MPOOL_LARGE_VIRT has no zone");
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
