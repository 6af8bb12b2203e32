// SPDX-License-Identifier: GPL-2.0-only
/* The pools of pools.h. */
#include <linux/err.h>

#include "pools.h"

struct bench_pools bench_pools;

void bench_pools_teardown(struct bench_ctx *ctx)
{
	struct bench_pools *pools = &bench_pools;

	kmem_cache_destroy(pools->cache);
	if (!IS_ERR_OR_NULL(pools->small))
		mpool_small_destroy(pools->small);
	if (!IS_ERR_OR_NULL(pools->fixed))
		mpool_fixed_destroy(pools->fixed);
	if (!IS_ERR_OR_NULL(pools->large))
		mpool_large_destroy(pools->large);
	*pools = (struct bench_pools){ 0 };
}

int bench_pools_setup(struct bench_ctx *ctx)
{
	struct bench_pools *pools = &bench_pools;

	pools->fixed = mpool_fixed_create("bench", ctx->size, NULL);
	pools->small = mpool_small_create("bench-small", NULL);
	pools->large = mpool_large_create("bench-large", NULL);
	pools->cache = kmem_cache_create("mpool_bench", ctx->size, 0, 0, NULL);
	if (!IS_ERR(pools->fixed) && !IS_ERR(pools->small) && !IS_ERR(pools->large) &&
	    pools->cache)
		return 0;
	bench_pools_teardown(ctx);
	return -ENOMEM;
}
