/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the suites of large pools: figures of a pool, and pools over regions. */
#ifndef _KUNIT_POOLS_H
#define _KUNIT_POOLS_H

#include "helpers.h"
#include "large.h"

#define GFP_QUIET	(GFP_KERNEL | __GFP_NOWARN)

static inline long charged(const struct mpool_large *pool)
{
	return atomic_long_read(&pool->base.pages);
}

static inline u64 stat_of(const struct mpool_large *pool, enum mpool_stat item)
{
	return mpool_stat_read(&pool->base.stats, item);
}

/* The entry of an address in the page map. */
static inline unsigned long word_at(const void *p)
{
	unsigned long word;

	rcu_read_lock();
	word = mpool_pagemap_entry((unsigned long)p);
	rcu_read_unlock();
	return word;
}

static inline struct mpool_large *new_region(struct kunit *test, void *base,
					     size_t size,
					     const struct mpool_region_args *args)
{
	struct mpool_large *pool;

	pool = mpool_large_create_region("kunit-region", base, size, args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

#endif /* _KUNIT_POOLS_H */
