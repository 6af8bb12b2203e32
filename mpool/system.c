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
 * Invariant: every page of an arena is either a part of one compound page or an
 * order-0 page of its own, so that a driver may take references to any of them.
 *
 * Locking: none; what is built here is not shared until large.c adds it.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>

#include "large.h"
#include "reserved.h"
#include "system.h"

#define ARENA_MIN_ORDER		4
#define ARENA_MAX_ORDER		9
#define OWN_BLOCK_PAGES		64

/* For orders that are nice to have: no reclaim, no compaction, no warning. */
static gfp_t gfp_try(gfp_t gfp)
{
	return (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) |
	       __GFP_NORETRY | __GFP_NOWARN;
}

static unsigned int arena_order(const struct mpool_large *large)
{
	unsigned long pages = READ_ONCE(large->runs.nr_pages) | 1;

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
		page = alloc_pages(gfp_try(gfp) | __GFP_COMP, *order);
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
					   struct page *page, u32 npages,
					   bool split, unsigned int order,
					   gfp_t gfp)
{
	gfp_t meta = gfp & ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP);
	unsigned long base = (unsigned long)page_address(page);
	struct mpool_arena *arena;

	arena = kvzalloc(mpool_arena_bytes(npages), meta);
	if (!arena)
		return NULL;
	mpool_arena_init(arena, &large->runs, base, npages);
	arena->split = split;
	arena->order = order;
	arena->nid = page_to_nid(page);
	arena->phys = PFN_PHYS(page_to_pfn(page));
	if (mpool_pagemap_add(base, npages,
			      (unsigned long)arena | MPOOL_PAGE_ARENA, meta)) {
		kvfree(arena);
		return NULL;
	}
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

	if (least > MAX_PAGE_ORDER)
		return NULL;
	gfp = (gfp & ~(GFP_ZONEMASK | __GFP_ZERO)) | large->zone;
	/* The page allocator does not promise more than two pages. */
	if (least > 1)
		gfp &= ~__GFP_NOFAIL;
	if (npages >= OWN_BLOCK_PAGES)
		order = least;
	if (split)
		page = block_exact(order, npages, gfp);
	else
		page = block_shared(&order, least, gfp);
	if (!page)
		return NULL;
	if (!split)
		npages = 1u << order;
	arena = system_describe(large, page, npages, split, order, gfp);
	if (!arena)
		block_free(page, npages, split, order);
	return arena;
}

static void system_release(struct mpool_arena *arena)
{
	block_free(virt_to_page((void *)arena->base), arena->npages,
		   arena->split, arena->order);
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
	err = mpool_pool_register(&large->pool);
	if (err) {
		mpool_large_put(large);
		return ERR_PTR(err);
	}
	return large;
}
EXPORT_SYMBOL_GPL(__mpool_large_create);
