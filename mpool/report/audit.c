// SPDX-License-Identifier: GPL-2.0-only
/*
 * Audit: are all invariants true, and what does mpool cost the system?
 *
 * Structure: two sums over the registry, of what each pool says itself.  verify
 * re-derives what a layer keeps from its lowest level and counts the breaches, each with
 * its condition in the log (mpool_broken()).  In the footprint what comes from kmalloc()
 * counts with the bytes of its size class, what comes from the page allocator with its
 * pages.
 *
 * Invariant: nothing is written; 0 breaches, whenever the pools are at rest.
 *
 * Locking: registry_mutex, and that of the layers for as long as one pool takes.  verify
 * is for tests, and for pools that nobody uses meanwhile.
 */
#include <linux/kernel.h>

#include "audit.h"
#include "pagemap.h"
#include "registry.h"
#include "site.h"

/* Number of breaches in all of mpool. */
int mpool_verify(void)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;
	int bad = mpool_site_verify() + mpool_pagemap_verify();

	list_for_each_entry(pool, pools, list)
		bad += pool->ops->verify(pool);
	mpool_registry_unlock();
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_verify);

size_t mpool_footprint(void)
{
	struct list_head *pools = mpool_registry_lock();
	size_t bytes = mpool_pagemap_bytes();
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list)
		bytes += pool->ops->footprint(pool);
	mpool_registry_unlock();
	return bytes;
}
EXPORT_SYMBOL_GPL(mpool_footprint);
