// SPDX-License-Identifier: GPL-2.0-only
/*
 * Audit: the number of invariants that are broken, and the memory that mpool uses.
 *
 * Structure: two sums over the registry, with a function of each pool.  verify computes
 * the figures of a layer again, from its lowest level, and counts the breaches;
 * mpool_broken() prints the condition of each.  In the footprint, memory of kmalloc()
 * counts with the bytes of its size class, and memory of the page allocator with its
 * pages.
 *
 * Invariant: nothing is written; 0 breaches if the pools are at rest.
 *
 * Locking: registry_mutex, and the locks of the layers, for one pool at a time.  verify
 * is for tests, and for pools that no task uses meanwhile.
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
	const char *by = mpool_no_change();
	struct mpool_pool *pool;
	struct list_head *pools;
	size_t bytes;

	/* A task that holds the mutex may wait for memory, and so for this reclaim. */
	if (by) {
		pr_err_ratelimited("the footprint is not counted by %s; called from %pS\n",
				   by, (void *)_RET_IP_);
		return 0;
	}
	bytes = mpool_pagemap_bytes();
	pools = mpool_registry_lock();
	list_for_each_entry(pool, pools, list)
		bytes += pool->ops->footprint(pool);
	mpool_registry_unlock();
	return bytes;
}
EXPORT_SYMBOL_GPL(mpool_footprint);
