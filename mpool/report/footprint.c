// SPDX-License-Identifier: GPL-2.0-only
/*
 * Footprint: what mpool costs the system, all told.
 *
 * Structure: a sum over the registry.  What comes from kmalloc() counts with the
 * bytes of its size class, what comes from the page allocator with its pages.
 *
 * Invariant: nothing is written.
 *
 * Locking: registry_mutex for the pools, RCU for arenas and chunks.
 */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "pagemap.h"
#include "small.h"

static size_t large_bytes(const struct mpool_large *large)
{
	const struct mpool_arena *arena;
	size_t bytes = kmalloc_size_roundup(sizeof(*large));
	const struct mpool_runs *runs;

	/* The memory of a region is its owner's. */
	if (large->feed->system)
		bytes += mpool_large_nr_pages(large) << PAGE_SHIFT;
	for (runs = large->runs.next; runs; runs = runs->next)
		bytes += kmalloc_size_roundup(sizeof(*runs));
	rcu_read_lock();
	list_for_each_entry_rcu(arena, &large->arenas, list)
		bytes += kmalloc_size_roundup(mpool_arena_bytes(arena->npages));
	rcu_read_unlock();
	return bytes;
}

/* Without the pages of the chunks, which the large pool has. */
static size_t fixed_bytes(struct mpool_fixed *fixed)
{
	bool class = mpool_fixed_is_class(fixed);
	const struct mpool_chunk *chunk;
	size_t bytes;

	bytes = kmalloc_size_roundup(mpool_fixed_bytes(class)) +
		sizeof(struct mpool_cache) * num_possible_cpus() +
		atomic_long_read(&fixed->depot.bytes);
	if (class && fixed->reserved)
		bytes += kmalloc_size_roundup(sizeof(*fixed->reserved));
	rcu_read_lock();
	list_for_each_entry_rcu(chunk, &fixed->chunks.all, all)
		bytes += kmalloc_size_roundup(mpool_chunk_bytes(chunk->at.nr));
	rcu_read_unlock();
	return bytes;
}

static size_t small_bytes(struct mpool_small *small)
{
	size_t bytes = kmalloc_size_roundup(sizeof(*small));
	struct mpool_fixed *fixed;
	unsigned int i;

	mpool_small_for_each(small, i, fixed)
		bytes += fixed_bytes(fixed);
	return bytes;
}

size_t mpool_footprint(void)
{
	struct list_head *pools = mpool_registry_lock();
	size_t bytes = mpool_pagemap_bytes();
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list) {
		switch (pool->ops->kind) {
		case MPOOL_KIND_LARGE:
			bytes += large_bytes(to_large(pool));
			break;
		case MPOOL_KIND_FIXED:
			bytes += fixed_bytes(to_fixed(pool));
			break;
		case MPOOL_KIND_SMALL:
		case MPOOL_KIND_STRING:
			bytes += small_bytes(to_small(pool));
			break;
		}
	}
	mpool_registry_unlock();
	return bytes;
}
EXPORT_SYMBOL_GPL(mpool_footprint);
