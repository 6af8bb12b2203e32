// SPDX-License-Identifier: GPL-2.0-only
/* Objects of every size: many out, then all back.  The size is not known when compiled. */
#include "grid.h"
#include "pools.h"

static __always_inline u64 bench_grid(struct bench_ctx *ctx, sized_take take,
				      sized_give give, gfp_t gfp)
{
	u32 i, depth = ctx->depth, n = ctx->pairs / depth;
	void **slots = ctx->slots;
	size_t size = ctx->size;
	u64 start = bench_now();

	while (n--) {
		for (i = 0; i < depth; i++) {
			slots[i] = take(size, gfp);
			if (unlikely(!slots[i]))
				goto failed;
		}
		for (i = 0; i < depth; i++)
			give(slots[i]);
	}
	return bench_now() - start;
failed:
	while (i)
		give(slots[--i]);
	return BENCH_FAILED;
}

#define BENCH_GRID(name, take, give)					\
u64 bench_grid_##name(struct bench_ctx *ctx)				\
{									\
	return bench_grid(ctx, take, give, GFP_KERNEL);			\
}									\
u64 bench_gridz_##name(struct bench_ctx *ctx)				\
{									\
	return bench_grid(ctx, take, give, GFP_KERNEL | __GFP_ZERO);	\
}

BENCH_GRID(empty, empty_take, empty_give)
BENCH_GRID(mpool, fixed_take, fixed_give)
BENCH_GRID(mpool_small, small_take, small_give)
BENCH_GRID(kmem_cache, cache_take, cache_give)
BENCH_GRID(kmalloc, kmalloc_take, kmalloc_give)
