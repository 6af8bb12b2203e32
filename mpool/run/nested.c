// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested pools: large pools that have runs of another large pool as their arenas.
 *
 * Structure: if all of mpool's memory is in a reserved range (reserved.c), a pool of
 * mpool_large_create() takes its arenas from the pool "shared", which counts each of them
 * as a chunk.  The descriptors of the arenas are not in the range: kvzalloc() allocates
 * them.
 *
 * Invariant: the run of the outer pool is in use as long as its arena is there.
 *
 * Locking: none of its own.  No lock is held when nested_grow() and nested_release() are
 * called; the functions of large.c that they call take the lock of the outer pool.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "nested.h"

/* Least pages of an arena, unless the outer pool has no such run. */
#define NESTED_PAGES	16

static struct mpool_arena *nested_describe(struct mpool_large *large,
					   struct mpool_page *pg, gfp_t gfp)
{
	struct mpool_arena *outer = mpool_page_arena(pg), *arena;
	unsigned long off = (unsigned long)(pg - outer->pages) << PAGE_SHIFT;

	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP | __GFP_NOFAIL);
	arena = kvzalloc(mpool_arena_bytes(pg->len), gfp);
	if (!arena)
		return NULL;
	mpool_arena_init(arena, &large->runs, outer->base + off, pg->len);
	arena->within = pg;
	arena->io = outer->io;
	if (outer->phys != MPOOL_NO_PHYS)
		arena->phys = outer->phys + off;
	if (outer->dma != MPOOL_NO_DMA)
		arena->dma = outer->dma + off;
	return arena;
}

static struct mpool_page *nested_alloc(struct mpool_large *outer, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	gfp &= ~__GFP_NOFAIL;
	return mpool_large_alloc_run(outer, npages, align, gfp, MPOOL_PAGE_CHUNK,
				&outer->base, 0, 0);
}

static struct mpool_arena *nested_grow(struct mpool_large *large, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	struct mpool_page *pg = NULL;
	struct mpool_arena *arena;

	if (npages < NESTED_PAGES)
		pg = nested_alloc(large->outer, NESTED_PAGES, align, gfp);
	if (!pg)
		pg = nested_alloc(large->outer, npages, align, gfp);
	if (!pg)
		return NULL;
	arena = nested_describe(large, pg, gfp);
	if (!arena) {
		mpool_large_free_run(large->outer, pg);
		return NULL;
	}
	mpool_pagemap_set(arena->base, arena->npages,
			  (unsigned long)arena);
	return arena;
}

static void nested_release(struct mpool_arena *arena)
{
	mpool_large_free_run(mpool_page_large(arena->within), arena->within);
}

static const struct mpool_large_source nested_source = {
	.what = "another pool",
	.grow = nested_grow,
	.release = nested_release,
	.gives_back = true,
};

/* Creates a pool that has runs of @outer, a region, as its arenas. */
struct mpool_large *mpool_nested_create(const char *name,
					struct mpool_large *outer,
					const struct mpool_large_args *args,
					struct mpool_site *site)
{
	struct mpool_large *large;
	int err = 0;

	large = mpool_large_setup(name, &nested_source, 0, args->on_leak,
				  &args->limits, site);
	if (IS_ERR(large))
		return large;
	large->outer = outer;
	large->base.below = &outer->base;
	large->io = outer->io;
	atomic_inc(&outer->base.users);
	/*
	 * MPOOL_LARGE_VIRT is ignored: it asks for memory of vmalloc(), which a reserved
	 * range does not have, but the pool must be created.
	 */
	if (args->flags & ~MPOOL_LARGE_VIRT) {
		mpool_refuse(large->base.ops, name, "flags are unknown");
		err = -EINVAL;
	}
	return mpool_large_publish(large, err);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_nested_create);
