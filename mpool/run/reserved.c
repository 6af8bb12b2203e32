// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved memory: a physical range that all of mpool's memory comes from.
 *
 * Structure: the module parameters region_phys and region_size name a range that
 * was kept from the kernel at boot.  It is claimed, mapped cached, and becomes
 * the region of the pool "shared", where the global pool and all pools take their
 * memory that were not given a large one.
 *
 * A pool of mpool_large_create() then takes its arenas there, too: an arena is a
 * run of the outer pool, which counts it as a chunk.
 *
 * Descriptions are not in the range: they come from kmalloc() as ever.
 *
 * Invariant: the range is mapped and claimed as long as a run of it is in use,
 * also after mpool was unloaded, so that what outlives mpool can be used, and
 * nobody takes the range again.
 *
 * Locking: none; init and exit of the module.  The arenas of inner pools are
 * taken and given back by the functions of large.c, without a lock held.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "region.h"
#include "reserved.h"

/* Least pages of an arena of an inner pool. */
#define WITHIN_PAGES	16

/* The range while it is mapped, and where. */
static struct resource *reserved;
static void *reserved_base;

/* --- pools within the pool --- */

static struct mpool_arena *within_describe(struct mpool_large *large,
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

static struct mpool_page *within_take(struct mpool_large *outer, u32 npages,
				      unsigned long align, gfp_t gfp)
{
	gfp &= ~__GFP_NOFAIL;
	return mpool_large_take(outer, npages, align, gfp, MPOOL_PAGE_CHUNK,
				&outer->pool, 0, 0);
}

static struct mpool_arena *within_grow(struct mpool_large *large, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	struct mpool_page *pg = NULL;
	struct mpool_arena *arena;

	if (npages < WITHIN_PAGES)
		pg = within_take(large->outer, WITHIN_PAGES, align, gfp);
	if (!pg)
		pg = within_take(large->outer, npages, align, gfp);
	if (!pg)
		return NULL;
	arena = within_describe(large, pg, gfp);
	if (!arena) {
		mpool_large_give(large->outer, pg);
		return NULL;
	}
	mpool_pagemap_set(arena->base, arena->npages,
			  (unsigned long)arena);
	return arena;
}

static void within_release(struct mpool_arena *arena)
{
	mpool_large_give(mpool_page_large(arena->within), arena->within);
}

const struct mpool_large_feed mpool_within_feed = {
	.what = "another pool",
	.grow = within_grow,
	.release = within_release,
	.gives_back = true,
};

/* A pool whose arenas are runs of another one, a region. */
struct mpool_large *mpool_within_create(const char *name,
					struct mpool_large *outer,
					const struct mpool_large_args *args,
					struct mpool_site *site)
{
	struct mpool_large *large;
	int err;

	large = mpool_large_setup(name, &mpool_within_feed, 0, args->on_leak,
				  mpool_limit_args_of(args), site);
	if (IS_ERR(large))
		return large;
	large->outer = outer;
	large->pool.below = &outer->pool;
	large->io = outer->io;
	atomic_inc(&outer->pool.users);
	/* MPOOL_LARGE_VIRT asks for more than there is; its pool shall be made. */
	if (args->flags & ~MPOOL_LARGE_VIRT) {
		mpool_refuse(large->pool.ops, name, "flags are unknown");
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
EXPORT_SYMBOL_IF_KUNIT(mpool_within_create);

/* --- the range --- */

static struct mpool_arena *reserved_grow(struct mpool_large *large, u32 npages,
					 unsigned long align, gfp_t gfp)
{
	return NULL;
}

static void reserved_unmap(void)
{
	const char *name = reserved->name;

	memunmap(reserved_base);
	release_mem_region(reserved->start, resource_size(reserved));
	kfree(name);
	reserved = NULL;
}

/* No run of it is in use. */
static void reserved_release(struct mpool_arena *arena)
{
	reserved_unmap();
}

static const struct mpool_large_feed reserved_feed = {
	.what = "a region",
	.grow = reserved_grow,
	.release = reserved_release,
};

/* Says what is wrong with the parameters, if anything. */
static const char *reserved_check(phys_addr_t phys, size_t size)
{
	phys_addr_t end;

	if (!IS_ENABLED(CONFIG_HAS_IOMEM))
		return "this kernel has no physical ranges";
	if (phys == MPOOL_NO_PHYS || !size)
		return "both parameters are needed, and the size is not 0";
	if (!PAGE_ALIGNED(phys) || !PAGE_ALIGNED(size))
		return "address and size must be multiples of a page";
	if (size >> PAGE_SHIFT > RUNS_MAX_PAGES)
		return "size is more than a region can have";
	if (check_add_overflow(phys, (phys_addr_t)size - 1, &end) ||
	    end > iomem_resource.end)
		return "the range ends beyond what the machine can address";
	/* memremap() would give RAM that others use. */
	if (region_intersects(phys, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return "a part is RAM of the kernel's: reserve it, by memmap= or no-map";
	return NULL;
}

/*
 * Claims and maps the range.  Its name is not mpool's own: it may stay in
 * /proc/iomem when mpool is gone.
 */
static int reserved_map(phys_addr_t phys, size_t size)
{
	char *name = kstrdup("mpool", GFP_KERNEL);

	if (!name)
		return -ENOMEM;
	reserved = request_mem_region(phys, size, name);
	if (!reserved) {
		pr_err("region_phys=%pa region_size=%zu: is claimed already, see /proc/iomem (perhaps by an earlier mpool that was unloaded with objects out)\n",
		       &phys, size);
		kfree(name);
		return -EBUSY;
	}
	reserved_base = memremap(phys, size, MEMREMAP_WB);
	if (reserved_base)
		return 0;
	pr_err("region_phys=%pa region_size=%zu: the range cannot be mapped\n",
	       &phys, size);
	release_mem_region(phys, size);
	reserved = NULL;
	kfree(name);
	return -EINVAL;
}

/* Makes the range the memory of the pool "shared". */
int mpool_reserved_init(phys_addr_t phys, size_t size)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_PHYS,
		.phys = phys,
	};
	const char *wrong = reserved_check(phys, size);
	struct mpool_large *large;
	int err;

	if (wrong) {
		pr_err("region_phys=%pa region_size=%zu: %s\n", &phys, size,
		       wrong);
		return -EINVAL;
	}
	err = reserved_map(phys, size);
	if (err)
		return err;
	large = mpool_region_create("shared", &reserved_feed, reserved_base,
				    size, &args, MPOOL_HERE);
	if (IS_ERR(large)) {
		if (reserved)
			reserved_unmap();
		return PTR_ERR(large);
	}
	mpool_large_shared = large;
	return 0;
}

/* After all pools have ended: says so if the range has to stay. */
void mpool_reserved_exit(void)
{
	if (reserved)
		pr_warn("objects are still out in %pR: it stays mapped and claimed\n",
			reserved);
}
