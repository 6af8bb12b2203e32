// SPDX-License-Identifier: GPL-2.0-only
/* Memory of any size: a size that the compiler knows, and a mix of many. */
#include <linux/slab.h>
#include <linux/mm.h>

#include "malloc.h"

typedef void *(*malloc_take)(size_t size);
typedef void (*malloc_give)(void *p);

static __always_inline void *empty_alloc(size_t size)
{
	return bench_nothing(THIS_MODULE);
}

static __always_inline void empty_free(void *p)
{
	bench_nothing(p);
}

static __always_inline void *mpool_take(size_t size)
{
	return mpool_malloc(size, GFP_KERNEL);
}

static __always_inline void mpool_give(void *p)
{
	mpool_free(p);
}

static __always_inline void *kmalloc_take(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static __always_inline void kmalloc_give(void *p)
{
	kfree(p);
}

static __always_inline void *kvmalloc_take(size_t size)
{
	return kvmalloc(size, GFP_KERNEL);
}

static __always_inline void kvmalloc_give(void *p)
{
	kvfree(p);
}

static __always_inline u64 bench_malloc(struct bench_ctx *ctx,
					malloc_take take, malloc_give give)
{
	u64 start = bench_now();
	u32 i, n = ctx->pairs;

	for (i = 0; i < n; i++) {
		void *p = take(64);

		if (unlikely(!p))
			return BENCH_FAILED;
		give(p);
	}
	return bench_now() - start;
}

/* 8 to 4095 bytes: each doubling as often as the next. */
static __always_inline size_t mix_size(u32 random)
{
	u32 shift = 3 + (random >> 16) % 9;

	return (1u << shift) + (random & ((1u << shift) - 1));
}

static __always_inline u64 bench_mix(struct bench_ctx *ctx,
				     malloc_take take, malloc_give give)
{
	u32 i, n = ctx->pairs, depth = ctx->depth;
	void **slots = ctx->slots;
	u64 start, end;

	for (i = 0; i < depth; i++)
		slots[i] = take(mix_size(ctx->random[i]));
	start = bench_now();
	for (i = 0; i < n; i++) {
		u32 random = ctx->random[i & (BENCH_RANDOM - 1)];
		u32 k = i & (depth - 1);

		if (likely(slots[k]))
			give(slots[k]);
		slots[k] = take(mix_size(random));
	}
	end = bench_now();
	for (i = 0; i < depth; i++)
		if (slots[i])
			give(slots[i]);
	return end - start;
}

#define BENCH_MALLOC(name, take, give)					\
u64 bench_malloc_##name(struct bench_ctx *ctx)				\
{									\
	return bench_malloc(ctx, take, give);				\
}									\
u64 bench_mix_##name(struct bench_ctx *ctx)				\
{									\
	return bench_mix(ctx, take, give);				\
}

BENCH_MALLOC(empty, empty_alloc, empty_free)
BENCH_MALLOC(mpool, mpool_take, mpool_give)
BENCH_MALLOC(kmalloc, kmalloc_take, kmalloc_give)
BENCH_MALLOC(kvmalloc, kvmalloc_take, kvmalloc_give)
