// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scale: pools that are made and ended while ctx->depth others are there, and the memory
 * of a pool with one object.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "scale.h"

/* Pools of a round. */
#define NR_NEW	10

/* Memory that nobody uses has gone by then. */
#define REST_MS	10000

#define NAME_LEN	32

struct kind {
	void *(*create)(const char *name, u32 i);
	void (*destroy)(void *pool);
};

static char names[NR_NEW][NAME_LEN];

/* A slab cache with a constructor is merged with no other. */
static void cache_ctor(void *obj)
{
}

static void *create_fixed(const char *name, u32 i)
{
	return mpool_fixed_create(name, 72 + 8 * (i % 50), NULL);
}

static void destroy_fixed(void *pool)
{
	mpool_fixed_destroy(pool);
}

static void *create_small(const char *name, u32 i)
{
	return mpool_small_create(name, NULL);
}

static void destroy_small(void *pool)
{
	mpool_small_destroy(pool);
}

static void *create_large(const char *name, u32 i)
{
	return mpool_large_create(name, NULL);
}

static void destroy_large(void *pool)
{
	mpool_large_destroy(pool);
}

static void *create_string(const char *name, u32 i)
{
	return mpool_string_create(name, NULL);
}

static void destroy_string(void *pool)
{
	mpool_string_destroy(pool);
}

static void *create_cache(const char *name, u32 i)
{
	return kmem_cache_create(name, 72 + 8 * (i % 50), 0, 0, cache_ctor);
}

static void destroy_cache(void *pool)
{
	kmem_cache_destroy(pool);
}

static __always_inline bool create_all(void **pools, const struct kind *kind)
{
	bool good = true;
	u32 i;

	for (i = 0; i < NR_NEW; i++) {
		pools[i] = kind->create(names[i], i);
		good &= !IS_ERR_OR_NULL(pools[i]);
	}
	return good;
}

static __always_inline void destroy_all(void **pools, const struct kind *kind)
{
	u32 i;

	for (i = 0; i < NR_NEW; i++)
		if (!IS_ERR_OR_NULL(pools[i]))
			kind->destroy(pools[i]);
}

/* Creates pools and ends them; returns what one of the two took. */
static __always_inline u64 scale(struct bench_ctx *ctx, const struct kind *kind,
				 bool create)
{
	void **pools = ctx->slots + 2 * ctx->depth;
	u64 start = bench_now(), middle;
	bool good = create_all(pools, kind);

	middle = bench_now();
	destroy_all(pools, kind);
	if (!good)
		return BENCH_FAILED;
	return create ? middle - start : bench_now() - middle;
}

#define BENCH_SCALE(name, type)					\
static const struct kind kind_##name = {				\
	.create = create_##type,					\
	.destroy = destroy_##type,					\
};									\
									\
u64 bench_create_##name(struct bench_ctx *ctx)				\
{									\
	return scale(ctx, &kind_##name, true);				\
}									\
									\
u64 bench_destroy_##name(struct bench_ctx *ctx)				\
{									\
	return scale(ctx, &kind_##name, false);				\
}

BENCH_SCALE(mpool, fixed)
BENCH_SCALE(mpool_small, small)
BENCH_SCALE(mpool_large, large)
BENCH_SCALE(mpool_string, string)
BENCH_SCALE(kmem_cache, cache)

/* Fixed pools, and as many slab caches. */
static bool fill(void **slots, u32 n, const struct kind *kind)
{
	char name[NAME_LEN];
	u32 i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "bench-there-%u", i);
		slots[i] = kind->create(name, i);
		if (IS_ERR_OR_NULL(slots[i]))
			return false;
		cond_resched();
	}
	return true;
}

static void drain(void **slots, u32 n, const struct kind *kind)
{
	u32 i;

	for (i = 0; i < n && !IS_ERR_OR_NULL(slots[i]); i++) {
		kind->destroy(slots[i]);
		cond_resched();
	}
}

void bench_scale_teardown(struct bench_ctx *ctx)
{
	drain(ctx->slots, ctx->depth, &kind_mpool);
	drain(ctx->slots + ctx->depth, ctx->depth, &kind_kmem_cache);
}

int bench_scale_setup(struct bench_ctx *ctx)
{
	u32 i, n = ctx->depth;

	memset(ctx->slots, 0, 2 * n * sizeof(*ctx->slots));
	for (i = 0; i < NR_NEW; i++)
		snprintf(names[i], sizeof(names[i]), "bench-new-%u", i);
	ctx->pairs = NR_NEW;
	if (fill(ctx->slots, n, &kind_mpool) &&
	    fill(ctx->slots + n, n, &kind_kmem_cache))
		return 0;
	bench_scale_teardown(ctx);
	return -ENOMEM;
}

/*
 * --- one object: hundredths of the bytes that a pool with it has ---
 *
 * The pool has its pages from a large pool of its own, which counts, too.  That of the
 * system may have free ones, of workloads before.
 */

static struct mpool_large *idle_begin(size_t *before)
{
	msleep(REST_MS);
	*before = mpool_footprint();
	return mpool_large_create("bench-large", NULL);
}

/* What there is now for object @p. */
static u64 idle_value(const void *p, size_t before)
{
	return p ? (mpool_footprint() - before) * 100ull : BENCH_FAILED;
}

u64 bench_idle_mpool(struct bench_ctx *ctx)
{
	struct mpool_fixed_args args = { 0 };
	u64 value = BENCH_FAILED;
	struct mpool_fixed *pool;
	size_t before;
	void *p;

	args.large = idle_begin(&before);
	if (IS_ERR(args.large))
		return BENCH_FAILED;
	pool = mpool_fixed_create("bench", ctx->size, &args);
	if (!IS_ERR(pool)) {
		p = mpool_fixed_alloc(pool, GFP_KERNEL);
		value = idle_value(p, before);
		mpool_fixed_free(pool, p);
		mpool_fixed_destroy(pool);
	}
	mpool_large_destroy(args.large);
	return value;
}

u64 bench_idle_mpool_small(struct bench_ctx *ctx)
{
	struct mpool_small_args args = { 0 };
	u64 value = BENCH_FAILED;
	struct mpool_small *pool;
	size_t before;
	void *p;

	args.large = idle_begin(&before);
	if (IS_ERR(args.large))
		return BENCH_FAILED;
	pool = mpool_small_create("bench", &args);
	if (!IS_ERR(pool)) {
		p = mpool_small_alloc(pool, ctx->size, GFP_KERNEL);
		value = idle_value(p, before);
		mpool_small_free(pool, p);
		mpool_small_destroy(pool);
	}
	mpool_large_destroy(args.large);
	return value;
}
