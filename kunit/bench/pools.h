/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One pool of each kind, and the slab cache beside them, for workloads in which the size
 * is a variable.  A pool of objects has kmem_cache beside it, a pool of any size has
 * kmalloc().
 */
#ifndef _MPOOL_BENCH_POOLS_H
#define _MPOOL_BENCH_POOLS_H

#include <linux/slab.h>

#include "bench.h"

struct bench_pools {
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct mpool_large *large;
	struct kmem_cache *cache;
};

extern struct bench_pools bench_pools;

/* Objects have ctx->size bytes. */
int bench_pools_setup(struct bench_ctx *ctx);
void bench_pools_teardown(struct bench_ctx *ctx);

typedef void *(*sized_take)(size_t size, gfp_t gfp);
typedef void (*sized_give)(void *p);

static __always_inline void *empty_take(size_t size, gfp_t gfp)
{
	return bench_nothing(&bench_pools);
}

static __always_inline void empty_give(void *p)
{
	bench_nothing(p);
}

static __always_inline void *fixed_take(size_t size, gfp_t gfp)
{
	return mpool_fixed_alloc(bench_pools.fixed, gfp);
}

static __always_inline void fixed_give(void *p)
{
	mpool_fixed_free(bench_pools.fixed, p);
}

static __always_inline void *small_take(size_t size, gfp_t gfp)
{
	return mpool_small_alloc(bench_pools.small, size, gfp);
}

static __always_inline void small_give(void *p)
{
	mpool_small_free(bench_pools.small, p);
}

static __always_inline void *cache_take(size_t size, gfp_t gfp)
{
	return kmem_cache_alloc(bench_pools.cache, gfp);
}

static __always_inline void cache_give(void *p)
{
	kmem_cache_free(bench_pools.cache, p);
}

static __always_inline void *kmalloc_take(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static __always_inline void kmalloc_give(void *p)
{
	kfree(p);
}

#endif /* _MPOOL_BENCH_POOLS_H */
