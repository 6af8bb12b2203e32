// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pools of pools.h.  They have their pages from a large pool that begins empty: that
 * of the system may have free ones, of workloads before.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#include "pools.h"

struct bench_pools bench_pools;

/* Of the whole system; the CPUs' own counts come into the sum within three seconds. */
static size_t slab_held(void)
{
	return (global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B)) <<
	       PAGE_SHIFT;
}

#define SIDE(name, alloc_, held_)					\
static void *side_##name##_take(size_t size)				\
{									\
	return name##_take(size, GFP_KERNEL);				\
}									\
static void side_##name##_give(void *p)					\
{									\
	name##_give(p);							\
}									\
const struct bench_side bench_side_##name = {				\
	.alloc = alloc_,						\
	.take = side_##name##_take,					\
	.give = side_##name##_give,					\
	.held = held_,							\
}

SIDE(empty, BENCH_EMPTY, NULL);
SIDE(fixed, BENCH_MPOOL, mpool_footprint);
SIDE(small, BENCH_MPOOL_SMALL, mpool_footprint);
SIDE(large, BENCH_MPOOL, mpool_footprint);
SIDE(cache, BENCH_KMEM_CACHE, slab_held);
SIDE(kmalloc, BENCH_KMALLOC, slab_held);

void bench_pools_teardown(struct bench_ctx *ctx)
{
	struct bench_pools *pools = &bench_pools;

	kmem_cache_destroy(pools->cache);
	if (!IS_ERR_OR_NULL(pools->small))
		mpool_small_destroy(pools->small);
	if (!IS_ERR_OR_NULL(pools->fixed))
		mpool_fixed_destroy(pools->fixed);
	mpool_large_destroy(pools->large);
	*pools = (struct bench_pools){ 0 };
}

int bench_pools_setup(struct bench_ctx *ctx)
{
	struct bench_pools *pools = &bench_pools;
	struct mpool_fixed_args fixed_args = { 0 };
	struct mpool_small_args small_args = { 0 };
	int err;

	pools->large = mpool_large_create("bench-large", NULL);
	if (IS_ERR(pools->large)) {
		err = PTR_ERR(pools->large);
		pools->large = NULL;
		return err;
	}
	fixed_args.large = pools->large;
	small_args.large = pools->large;
	pools->fixed = mpool_fixed_create("bench", ctx->size, &fixed_args);
	pools->small = mpool_small_create("bench-small", &small_args);
	pools->cache = kmem_cache_create("mpool_bench", ctx->size, 0, 0, NULL);
	if (!IS_ERR(pools->fixed) && !IS_ERR(pools->small) && pools->cache)
		return 0;
	bench_pools_teardown(ctx);
	return -ENOMEM;
}
