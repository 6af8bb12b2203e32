/* SPDX-License-Identifier: GPL-2.0-only */
/* The loops over objects of one size. */
#ifndef _MPOOL_BENCH_OBJECTS_H
#define _MPOOL_BENCH_OBJECTS_H

#include <linux/preempt.h>

#include "bench.h"

typedef void *(*bench_take)(gfp_t gfp);
typedef void (*bench_give)(void *p);

/* The same object again and again. */
static __always_inline u64 bench_pair(struct bench_ctx *ctx, bench_take take,
				      bench_give give, gfp_t gfp)
{
	u64 start = bench_now();
	u32 i, n = ctx->pairs;

	for (i = 0; i < n; i++) {
		void *p = take(gfp);

		if (unlikely(!p))
			return BENCH_FAILED;
		give(p);
	}
	return bench_now() - start;
}

/* Gives back the first @n slots of a loop that failed. */
static __always_inline u64 bench_failed(struct bench_ctx *ctx, u32 n,
					bench_give give)
{
	while (n)
		give(ctx->slots[--n]);
	return BENCH_FAILED;
}

/* Many out, then all back in the order in which they came. */
static __always_inline u64 bench_fifo(struct bench_ctx *ctx, bench_take take,
				      bench_give give)
{
	u32 i, depth = ctx->depth, n = ctx->pairs / depth;
	void **slots = ctx->slots;
	u64 start = bench_now();

	while (n--) {
		for (i = 0; i < depth; i++) {
			slots[i] = take(GFP_KERNEL);
			if (unlikely(!slots[i]))
				return bench_failed(ctx, i, give);
		}
		for (i = 0; i < depth; i++)
			give(slots[i]);
	}
	return bench_now() - start;
}

/* Many live; one of them at random is replaced. */
static __always_inline u64 bench_random(struct bench_ctx *ctx, bench_take take,
					bench_give give)
{
	u32 i, depth = ctx->depth, n = ctx->pairs;
	void **slots = ctx->slots;
	u64 start, end;

	for (i = 0; i < depth; i++) {
		slots[i] = take(GFP_KERNEL);
		if (!slots[i])
			return bench_failed(ctx, i, give);
	}
	start = bench_now();
	for (i = 0; i < n; i++) {
		u32 k = ctx->random[i & (BENCH_RANDOM - 1)] & (depth - 1);
		void *p;

		give(slots[k]);
		p = take(GFP_KERNEL);
		if (unlikely(!p)) {
			slots[k] = slots[depth - 1];
			return bench_failed(ctx, depth - 1, give);
		}
		slots[k] = p;
	}
	end = bench_now();
	for (i = 0; i < depth; i++)
		give(slots[i]);
	return end - start;
}

static __always_inline u64 bench_atomic(struct bench_ctx *ctx, bench_take take,
					bench_give give)
{
	u64 took;

	preempt_disable();
	took = bench_pair(ctx, take, give, GFP_ATOMIC);
	preempt_enable();
	return took;
}

/* For the two sides of objects that change CPU. */
static __always_inline void bench_fill(void **objs, u32 n, bench_take take)
{
	u32 i;

	for (i = 0; i < n; i++)
		objs[i] = take(GFP_KERNEL);
}

static __always_inline void bench_drain(void **objs, u32 n, bench_give give)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (likely(objs[i]))
			give(objs[i]);
}

#define BENCH_PAIR(name, take, give)					\
u64 bench_pair_##name(struct bench_ctx *ctx)				\
{									\
	return bench_pair(ctx, take, give, GFP_KERNEL);			\
}

#define BENCH_OBJECTS(name, take, give)					\
BENCH_PAIR(name, take, give)						\
u64 bench_fifo_##name(struct bench_ctx *ctx)				\
{									\
	return bench_fifo(ctx, take, give);				\
}									\
u64 bench_random_##name(struct bench_ctx *ctx)				\
{									\
	return bench_random(ctx, take, give);				\
}									\
u64 bench_atomic_##name(struct bench_ctx *ctx)				\
{									\
	return bench_atomic(ctx, take, give);				\
}									\
u64 bench_irq_##name(struct bench_ctx *ctx)				\
{									\
	return bench_in_irq(ctx, bench_atomic_##name);			\
}									\
static void fill_##name(void **objs)					\
{									\
	bench_fill(objs, BENCH_CROSS_BATCH, take);				\
}									\
static void drain_##name(void **objs)					\
{									\
	bench_drain(objs, BENCH_CROSS_BATCH, give);				\
}									\
u64 bench_cross_##name(struct bench_ctx *ctx)				\
{									\
	static const struct bench_cross ops = {				\
		.fill = fill_##name,					\
		.drain = drain_##name,					\
	};								\
									\
	return bench_cross_run(ctx, &ops);				\
}

#define BENCH_OBJECTS_DECLARE(name)					\
u64 bench_pair_##name(struct bench_ctx *ctx);				\
u64 bench_fifo_##name(struct bench_ctx *ctx);				\
u64 bench_random_##name(struct bench_ctx *ctx);				\
u64 bench_atomic_##name(struct bench_ctx *ctx);				\
u64 bench_irq_##name(struct bench_ctx *ctx);				\
u64 bench_cross_##name(struct bench_ctx *ctx)

BENCH_OBJECTS_DECLARE(empty);
BENCH_OBJECTS_DECLARE(floor);
BENCH_OBJECTS_DECLARE(mpool);
BENCH_OBJECTS_DECLARE(kmem_cache);
BENCH_OBJECTS_DECLARE(kmalloc);
BENCH_OBJECTS_DECLARE(mempool);
BENCH_OBJECTS_DECLARE(objpool);
BENCH_OBJECTS_DECLARE(gen_pool);
BENCH_OBJECTS_DECLARE(dma_pool);

u64 bench_pair_kmalloc256(struct bench_ctx *ctx);
u64 bench_pair_kmem_cache_ctor(struct bench_ctx *ctx);
u64 bench_pair_kmem_cache_dtor(struct bench_ctx *ctx);
u64 bench_bulk_empty(struct bench_ctx *ctx);
u64 bench_bulk_mpool(struct bench_ctx *ctx);
u64 bench_bulk_kmem_cache(struct bench_ctx *ctx);

extern const struct mpool_fixed_args bench_args_nocache;
extern const struct mpool_fixed_args bench_args_max;
extern const struct mpool_fixed_args bench_args_ctor;
extern const struct mpool_fixed_args bench_args_dtor;

int bench_objects_setup(struct bench_ctx *ctx);
void bench_objects_teardown(struct bench_ctx *ctx);
bool bench_objects_has(enum bench_alloc alloc);
bool bench_objects_has_atomic(enum bench_alloc alloc);
bool bench_objects_has_cross(enum bench_alloc alloc);

#endif /* _MPOOL_BENCH_OBJECTS_H */
