// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life: the memory that is held for each byte asked for, after many replacements and
 * after most objects have gone; and the bytes copied for a run that grows in steps.
 *
 * For mpool the memory is the growth of mpool_footprint(), for the others that of the
 * kernel's slab pages, which counts large blocks of kmalloc(), too.
 */
#include <linux/delay.h>
#include <linux/sched.h>

#include "life.h"
#include "pools.h"

#define CHURN_LIVE	20000
#define CHURN_TIMES	5000000
#define BAND_TIMES	100000
#define NR_BANDS	9
#define NR_UNIFORM	50
#define COMEBACK_LIVE	100000
#define REST_MS		10000

struct life {
	const struct bench_side *side;
	struct bench_ctx *ctx;
	struct rnd_state rnd;
	u32 n;			/* places of objects */
	u32 size;		/* of all objects, 0: the mix, or a band */
	u32 low;		/* the least size of the band, 0: the mix */
	size_t before;		/* held without an object */
	u64 asked;
};

static u32 next_size(struct life *life)
{
	u32 low = life->low;

	if (life->size)
		return life->size;
	if (low)
		return low + bench_below(&life->rnd, low / 4 + 1);
	return bench_mix_size(&life->rnd);
}

static void drop(struct life *life, u32 at)
{
	void **slot = &life->ctx->slots[at];

	if (*slot)
		life->side->give(*slot);
	*slot = NULL;
	life->asked -= life->ctx->words[at];
	life->ctx->words[at] = 0;
}

static void replace(struct life *life, u32 at)
{
	u32 size = next_size(life);
	void *p;

	drop(life, at);
	p = life->side->take(size);
	life->ctx->slots[at] = p;
	life->ctx->words[at] = p ? size : 0;
	life->asked += life->ctx->words[at];
	if (!(at % 64))
		cond_resched();
}

/*
 * After a rest: the memory of the side before has gone, and the CPUs' own counts of slab
 * pages are in the sum.
 */
static void begin(struct life *life)
{
	u32 i;

	prandom_seed_state(&life->rnd, 7);
	msleep(REST_MS);
	life->before = life->side->held();
	for (i = 0; i < life->n; i++) {
		life->ctx->slots[i] = NULL;
		life->ctx->words[i] = 0;
		replace(life, i);
	}
}

static void end(struct life *life)
{
	u32 i;

	for (i = 0; i < life->n; i++)
		drop(life, i);
}

/* Hundredths of a byte held for each that is asked for. */
static u64 held(struct life *life)
{
	ssize_t bytes = life->side->held() - life->before;

	return max(bytes, 0l) * 100ull / max(life->asked, 1ull);
}

static void churn(struct life *life, u32 times)
{
	while (times--)
		replace(life, bench_below(&life->rnd, life->n));
}

/* Nine of ten objects go, at random. */
static void leave(struct life *life)
{
	u32 i;

	for (i = 0; i < life->n; i++)
		if (bench_below(&life->rnd, 10))
			drop(life, i);
}

static u64 churn_mixed(struct bench_ctx *ctx, const struct bench_side *side)
{
	struct life life = { .side = side, .ctx = ctx, .n = CHURN_LIVE };
	u64 value;

	begin(&life);
	churn(&life, CHURN_TIMES / 2);
	bench_say(ctx, side->alloc, held(&life), "held/asked-half");
	churn(&life, CHURN_TIMES / 2);
	value = held(&life);
	leave(&life);
	msleep(REST_MS);
	bench_say(ctx, side->alloc, held(&life), "held/asked-comeback");
	end(&life);
	return value;
}

/* The worst of all ends of bands: first those of nine, then those of fifty at random. */
static u64 churn_bands(struct bench_ctx *ctx, const struct bench_side *side)
{
	struct life life = { .side = side, .ctx = ctx, .n = CHURN_LIVE };
	u64 nine = 0, uniform = 0;
	u32 i;

	life.low = 64;
	begin(&life);
	for (i = 0; i < NR_BANDS; i++) {
		life.low = 64 + 240 * (i * 7 % 10);
		churn(&life, BAND_TIMES);
		nine = max(nine, held(&life));
	}
	for (i = 0; i < NR_UNIFORM; i++) {
		life.low = 8 + bench_below(&life.rnd, 13000 - 8);
		churn(&life, BAND_TIMES);
		uniform = max(uniform, held(&life));
	}
	bench_say(ctx, side->alloc, uniform, "held/asked-uniform");
	end(&life);
	return nine;
}

static u64 comeback(struct bench_ctx *ctx, const struct bench_side *side)
{
	struct life life = { .side = side, .ctx = ctx, .size = ctx->size };
	u64 value;

	life.n = life.size ? COMEBACK_LIVE : CHURN_LIVE;
	begin(&life);
	leave(&life);
	bench_say(ctx, side->alloc, held(&life), "held/asked-now");
	msleep(REST_MS);
	value = held(&life);
	end(&life);
	return value;
}

#define BENCH_LIFE(loop, name, side)					\
u64 bench_##loop##_##name(struct bench_ctx *ctx)			\
{									\
	return loop(ctx, &bench_side_##side);					\
}

BENCH_LIFE(churn_mixed, mpool_small, small)
BENCH_LIFE(churn_mixed, kmalloc, kmalloc)
BENCH_LIFE(churn_bands, mpool_small, small)
BENCH_LIFE(churn_bands, kmalloc, kmalloc)
BENCH_LIFE(comeback, mpool, fixed)
BENCH_LIFE(comeback, mpool_small, small)
BENCH_LIFE(comeback, kmem_cache, cache)
BENCH_LIFE(comeback, kmalloc, kmalloc)

int bench_life_setup(struct bench_ctx *ctx)
{
	u32 size = ctx->size;
	int err;

	/* The mix needs no pool of objects, but there is one. */
	ctx->size = size ?: 64;
	err = bench_pools_setup(ctx);
	ctx->size = size;
	return err;
}

/* --- growth in steps of ctx->size bytes, ctx->depth of them --- */

typedef void *(*append_grow)(void *p, size_t size);

static __always_inline u64 append(struct bench_ctx *ctx, append_grow grow,
				  sized_give give, u64 *copied)
{
	size_t step = ctx->size, size = 0;
	u64 start = bench_now();
	u32 i, n = ctx->depth;
	void *q, *p = NULL;

	*copied = 0;
	for (i = 0; i < n; i++) {
		q = grow(p, size + step);
		if (unlikely(!q))
			break;
		if (p && q != p)
			*copied += size;
		size += step;
		p = q;
	}
	if (p)
		give(p);
	return i < n ? BENCH_FAILED : bench_now() - start;
}

static __always_inline void *empty_grow(void *p, size_t size)
{
	return bench_nothing(&bench_pools);
}

static __always_inline void *large_grow(void *p, size_t size)
{
	return mpool_large_realloc(bench_pools.large, p, size, NULL, GFP_KERNEL);
}

static __always_inline void *small_grow(void *p, size_t size)
{
	return mpool_small_realloc(bench_pools.small, p, size, GFP_KERNEL);
}

static __always_inline void *kmalloc_grow(void *p, size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}

/* The time, and the bytes copied for each of the final size. */
#define BENCH_APPEND(name, grow, give)					\
u64 bench_append_##name(struct bench_ctx *ctx)				\
{									\
	u64 copied;							\
									\
	return append(ctx, grow, give, &copied);			\
}									\
u64 bench_copied_##name(struct bench_ctx *ctx)				\
{									\
	u64 copied;							\
									\
	if (append(ctx, grow, give, &copied) == BENCH_FAILED)		\
		return BENCH_FAILED;					\
	return copied * 100 / ((u64)ctx->size * ctx->depth);		\
}

BENCH_APPEND(empty, empty_grow, empty_give)
BENCH_APPEND(mpool, large_grow, large_give)
BENCH_APPEND(mpool_small, small_grow, small_give)
BENCH_APPEND(kmalloc, kmalloc_grow, kmalloc_give)
