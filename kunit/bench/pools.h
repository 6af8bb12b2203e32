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

static __always_inline void *large_take(size_t size, gfp_t gfp)
{
	return mpool_large_alloc(bench_pools.large, size, NULL, gfp);
}

static __always_inline void large_give(void *p)
{
	mpool_large_free(bench_pools.large, p);
}

/* The same as functions, and the bytes that the allocator holds. */
struct bench_side {
	enum bench_alloc alloc;
	void *(*take)(size_t size);
	void (*give)(void *p);
	size_t (*held)(void);
};

extern const struct bench_side bench_side_empty;
extern const struct bench_side bench_side_fixed;
extern const struct bench_side bench_side_small;
extern const struct bench_side bench_side_large;
extern const struct bench_side bench_side_cache;
extern const struct bench_side bench_side_kmalloc;

static inline u32 bench_below(struct rnd_state *rnd, u32 n)
{
	return ((u64)prandom_u32_state(rnd) * n) >> 32;
}

/* The mix: each doubling from 8 bytes as often as the next, up to 16383 bytes. */
static inline u32 bench_mix_size(struct rnd_state *rnd)
{
	u32 low = 8u << bench_below(rnd, 11);

	return low + bench_below(rnd, low);
}

#endif /* _MPOOL_BENCH_POOLS_H */
