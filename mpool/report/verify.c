// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify: are all invariants true?
 *
 * Structure: each layer has a function that re-derives what it keeps from its
 * lowest level and counts the breaches, each with its condition in the log
 * (mpool_broken()); here they are called for one pool, or for everything there
 * is.
 *
 * Invariant: 0 breaches, whenever the pools are at rest.
 *
 * Locking: that of the layers, for as long as one pool takes; for tests, and
 * for pools that nobody uses meanwhile.
 */
#include <linux/kernel.h>

#include "pagemap.h"
#include "site.h"
#include "strpool.h"
#include "verify.h"

/* Number of breaches in a pool that is at rest. */
int mpool_verify_pool(struct mpool_pool *pool)
{
	switch (pool->ops->kind) {
	case MPOOL_KIND_LARGE:
		return mpool_large_verify(to_large(pool));
	case MPOOL_KIND_FIXED:
		return mpool_fixed_verify(to_fixed(pool));
	case MPOOL_KIND_SMALL:
		return mpool_small_verify(to_small(pool));
	case MPOOL_KIND_STRING:
		return mpool_string_verify(to_strings(pool));
	}
	return 1;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_verify_pool);

/* Number of breaches in all of mpool. */
int mpool_verify(void)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;
	int bad = mpool_site_verify() + mpool_pagemap_verify();

	list_for_each_entry(pool, pools, list)
		bad += mpool_verify_pool(pool);
	mpool_registry_unlock();
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_verify);
