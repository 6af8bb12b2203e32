// SPDX-License-Identifier: GPL-2.0-only
/*
 * Region mode: arenas over memory that the caller provides.
 *
 * Structure: each region is one arena; its ends are trimmed to whole pages.  The memory
 * belongs to the caller: plain RAM, memremap(), ioremap() or a DMA buffer.  mpool itself
 * does not read or write a byte of it, except to clear objects, and it refuses to clear
 * device memory.
 *
 * Invariant: a page is in at most one region of one pool, because a region is entered in
 * the page map as a whole, or refused.
 *
 * Locking: the page map refuses an overlap under its own lock; region_mutex serialises
 * the tasks that add and remove regions.
 */
#include <linux/align.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "large.h"
#include "region.h"

/* Serialises the adding and removing of regions. */
static DEFINE_MUTEX(region_mutex);

static struct mpool_arena *region_grow(struct mpool_large *large, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	return NULL;
}

/* There is nothing to free: the memory belongs to the caller. */
static void region_release(struct mpool_arena *arena)
{
}

static const struct mpool_large_source region_source = {
	.what = "a region",
	.grow = region_grow,
	.release = region_release,
	.gives_back = false,
};

static bool bus_bad(u64 addr, size_t size)
{
	return addr == U64_MAX || addr + size < addr;
}

/* Returns a message if a region is invalid, or NULL. */
static const char *region_check(const void *base, size_t size,
				const struct mpool_region_args *args)
{
	unsigned long start = (unsigned long)base, end;

	if (args->flags & ~(MPOOL_REGION_PHYS | MPOOL_REGION_DMA |
			    MPOOL_REGION_IO))
		return "flags are unknown";
	if (mpool_no_address(base))
		return "base is no address";
	if (start < TASK_SIZE_MAX && !IS_ENABLED(CONFIG_UML))
		return "base is in user space";
	if (check_add_overflow(start, (unsigned long)size, &end))
		return "base + size is beyond the address space";
	if (end < PAGE_SIZE || PAGE_ALIGN(start) >= (end & PAGE_MASK) ||
	    PAGE_ALIGN(start) < start)
		return "size leaves no whole page";
	if ((end - start) >> PAGE_SHIFT > RUNS_MAX_PAGES)
		return "size is more than a region can have";
	if (args->flags & MPOOL_REGION_PHYS && bus_bad(args->phys, size))
		return "phys is no address, or phys + size is beyond all";
	/* DMA_MAPPING_ERROR is refused, too. */
	if (args->flags & MPOOL_REGION_DMA && bus_bad(args->dma, size))
		return "dma is no address, or dma + size is beyond all";
	return NULL;
}

static void region_addresses(struct mpool_arena *arena, const void *base,
			     const struct mpool_region_args *args)
{
	unsigned long trimmed = arena->base - (unsigned long)base;

	if (args->flags & MPOOL_REGION_PHYS)
		arena->phys = args->phys + trimmed;
	else if (virt_addr_valid((void *)arena->base))
		arena->phys = virt_to_phys((void *)arena->base);
	if (args->flags & MPOOL_REGION_DMA)
		arena->dma = args->dma + trimmed;
	arena->trimmed = trimmed;
	arena->io = args->flags & MPOOL_REGION_IO;
}

static int region_add(struct mpool_large *large, void *base, size_t size,
		      const struct mpool_region_args *args)
{
	unsigned long start = PAGE_ALIGN((unsigned long)base);
	unsigned long end = ((unsigned long)base + size) & PAGE_MASK;
	u32 npages = (end - start) >> PAGE_SHIFT;
	struct mpool_arena *arena;
	int err;

	arena = kvzalloc(mpool_arena_bytes(npages), GFP_KERNEL | __GFP_NOWARN);
	if (!arena)
		return -ENOMEM;
	mpool_arena_init(arena, &large->runs, start, npages);
	region_addresses(arena, base, args);
	mutex_lock(&region_mutex);
	err = mpool_pagemap_add(start, npages,
				(unsigned long)arena,
				GFP_KERNEL);
	if (!err) {
		if (arena->io)
			/*
			 * Set before the arena is added: no run of device memory is
			 * allocated before the pool is known to have some.
			 */
			WRITE_ONCE(large->io, true);
		mpool_large_add_arena(large, arena, NULL);
	}
	mutex_unlock(&region_mutex);
	if (!err)
		return 0;
	if (err == -EBUSY)
		mpool_refuse(large->base.ops, large->base.name,
			     "region of %zu bytes overlaps memory of a pool",
			     size);
	kvfree_rcu(arena, rcu);
	return err;
}

/*
 * Creates a pool over memory of the caller; the release function of @source gets the
 * memory at the end of the pool.
 */
struct mpool_large *mpool_region_create(const char *name,
					const struct mpool_large_source *source,
					void *base, size_t size,
					const struct mpool_region_args *args,
					struct mpool_site *site)
{
	struct mpool_large *large;
	const char *wrong;
	int err;

	/* Requests may have any zone flag: the caller has chosen the memory. */
	large = mpool_large_setup(name, source, GFP_DMA | GFP_DMA32,
				  args->on_leak, &args->limits, site);
	if (IS_ERR(large))
		return large;
	wrong = region_check(base, size, args);
	if (wrong) {
		mpool_refuse(large->base.ops, name, "region: %s", wrong);
		err = -EINVAL;
	} else {
		err = region_add(large, base, size, args);
	}
	return mpool_large_publish(large, err);
}

struct mpool_large *
__mpool_large_create_region(const char *name, void *base, size_t size,
			    const struct mpool_region_args *args,
			    struct mpool_site *site)
{
	static const struct mpool_region_args none;
	int err = mpool_create_check("large", name, args);

	if (err)
		return ERR_PTR(err);
	return mpool_region_create(name, &region_source, base, size,
				   args ?: &none, site);
}
EXPORT_SYMBOL_GPL(__mpool_large_create_region);

int mpool_large_add_region(struct mpool_large *pool, void *base, size_t size,
			   const struct mpool_region_args *args)
{
	static const struct mpool_region_args none;
	const char *wrong;
	int err = mpool_large_check(pool);

	if (!err && !mpool_pool_may_change(&pool->base, "given a region"))
		err = -EINVAL;
	if (!err)
		err = mpool_args_check("large", pool->base.name, args);
	if (err)
		return err;
	if (!args)
		args = &none;
	if (pool->source == &region_source)
		wrong = region_check(base, size, args);
	else
		wrong = "the pool takes its memory from the system";
	if (wrong) {
		mpool_refuse(pool->base.ops, pool->base.name, "region: %s",
			     wrong);
		return -EINVAL;
	}
	return region_add(pool, base, size, args);
}
EXPORT_SYMBOL_GPL(mpool_large_add_region);

int mpool_large_remove_region(struct mpool_large *pool, const void *base)
{
	int err = mpool_large_check(pool);

	if (!err && !mpool_pool_may_change(&pool->base, "taken a region from"))
		err = -EINVAL;
	if (err)
		return err;
	if (pool->source != &region_source) {
		mpool_refuse(pool->base.ops, pool->base.name,
			     "its memory is from %s, not from regions",
			     pool->source->what);
		return -EINVAL;
	}
	mpool_large_flush_deferred(pool);
	mutex_lock(&region_mutex);
	err = mpool_large_del_arena(pool, (unsigned long)base);
	mutex_unlock(&region_mutex);
	if (err == -ENOENT)
		mpool_refuse(pool->base.ops, pool->base.name,
			     "no region was given that begins at %p", base);
	return err;
}
EXPORT_SYMBOL_GPL(mpool_large_remove_region);
