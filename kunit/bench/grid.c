// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of every size: many out, then all back.
 *
 * A pool of objects has kmem_cache beside it, a pool of any size has kmalloc().  The
 * size is not known when compiled.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "grid.h"

static struct mpool_fixed *fixed;
static struct mpool_small *small;
static struct kmem_cache *cache;

typedef void *(*grid_take)(size_t size, gfp_t gfp);
typedef void (*grid_give)(void *p);

static __always_inline void *empty_take(size_t size, gfp_t gfp)
{
	return bench_nothing(&cache);
}

static __always_inline void empty_give(void *p)
{
	bench_nothing(p);
}

static __always_inline void *mpool_take(size_t size, gfp_t gfp)
{
	return mpool_fixed_alloc(fixed, gfp);
}

static __always_inline void mpool_give(void *p)
{
	mpool_fixed_free(fixed, p);
}

static __always_inline void *small_take(size_t size, gfp_t gfp)
{
	return mpool_small_alloc(small, size, gfp);
}

static __always_inline void small_give(void *p)
{
	mpool_small_free(small, p);
}

static __always_inline void *cache_take(size_t size, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

static __always_inline void cache_give(void *p)
{
	kmem_cache_free(cache, p);
}

static __always_inline void *kmalloc_take(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static __always_inline void kmalloc_give(void *p)
{
	kfree(p);
}

static __always_inline u64 bench_grid(struct bench_ctx *ctx, grid_take take,
				      grid_give give, gfp_t gfp)
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
BENCH_GRID(mpool, mpool_take, mpool_give)
BENCH_GRID(mpool_small, small_take, small_give)
BENCH_GRID(kmem_cache, cache_take, cache_give)
BENCH_GRID(kmalloc, kmalloc_take, kmalloc_give)

void bench_grid_teardown(struct bench_ctx *ctx)
{
	kmem_cache_destroy(cache);
	mpool_small_destroy(small);
	mpool_fixed_destroy(fixed);
}

int bench_grid_setup(struct bench_ctx *ctx)
{
	fixed = mpool_fixed_create("bench", ctx->size, NULL);
	if (IS_ERR(fixed))
		return PTR_ERR(fixed);
	small = mpool_small_create("bench-small", NULL);
	if (IS_ERR(small)) {
		mpool_fixed_destroy(fixed);
		return PTR_ERR(small);
	}
	cache = kmem_cache_create("mpool_bench", ctx->size, 0, 0, NULL);
	if (!cache) {
		bench_grid_teardown(ctx);
		return -ENOMEM;
	}
	return 0;
}
