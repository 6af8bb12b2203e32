// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of 1 to 64 pages, at random, in a region: what they cost when it is empty
 * and when it is nearly full, and when they start to fail.
 *
 * The region is half of the machine's memory, 1 GiB at most.  No allocator here
 * touches it, so that all may have the same.
 */
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "runs.h"

#define MAX_RUN		64

/* Operations at 90 %, for who is quick and for who is not, and above it. */
#define CHURN_MANY	1000000
#define CHURN_SOME	20000
#define CHURN_LEVEL	10000

static void *memory;
static u32 npages;
static struct mpool_large *large;

struct region {
	void **runs;
	u8 *lens;
	u32 n;
	u32 used;		/* pages */
	u32 random;
	u32 failed;
};

static struct region regions[BENCH_NR];

typedef void *(*region_take)(u32 pages);
typedef void (*region_give)(void *p, u32 pages);

static __always_inline void *empty_take(u32 pages)
{
	return bench_nothing(&memory);
}

static __always_inline void empty_give(void *p, u32 pages)
{
	bench_nothing(p);
}

static __always_inline void *mpool_take(u32 pages)
{
	size_t real;

	return mpool_large_alloc(large, (size_t)pages << PAGE_SHIFT, &real,
				 GFP_KERNEL | __GFP_NOWARN);
}

static __always_inline void mpool_give(void *p, u32 pages)
{
	mpool_large_free(large, p);
}

static __always_inline u32 run_length(u32 random)
{
	return 1 + ((random >> 20) & (MAX_RUN - 1));
}

/* A new number each time, so that no allocator sees them repeat. */
static u32 next_random(struct region *region)
{
	u32 x = region->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	region->random = x;
	return x;
}

/* One of the runs; of other bits than run_length(). */
static __always_inline u32 pick(const struct region *region, u32 random)
{
	return (u64)(random << 12) * region->n >> 32;
}

static __always_inline void region_add(struct region *region, u32 len,
				       region_take take)
{
	void *p = take(len);

	if (!p) {
		region->failed++;
		return;
	}
	region->runs[region->n] = p;
	region->lens[region->n++] = len;
	region->used += len;
}

static __always_inline void region_drop(struct region *region, u32 i,
					region_give give)
{
	give(region->runs[i], region->lens[i]);
	region->used -= region->lens[i];
	region->n--;
	region->runs[i] = region->runs[region->n];
	region->lens[i] = region->lens[region->n];
}

/*
 * Allocates below @level pages in use and frees above, @n times.  The next one
 * is drawn in either case, so that a failure is not tried again at once.
 */
static __always_inline void region_churn(struct region *region, u32 level,
					 u32 n, region_take take,
					 region_give give)
{
	while (n--) {
		u32 random = next_random(region);
		u32 len = run_length(random);

		if (region->used + len <= level)
			region_add(region, len, take);
		else
			region_drop(region, pick(region, random), give);
		if (!(n & 1023))
			cond_resched();
	}
}

static __always_inline void region_clear(struct region *region,
					 region_give give)
{
	while (region->n)
		region_drop(region, region->n - 1, give);
}

static __always_inline u64 region_low(struct bench_ctx *ctx, region_take take,
				      region_give give)
{
	u64 start = bench_now();
	u32 i, n = ctx->pairs;

	for (i = 0; i < n; i++) {
		u32 len = run_length(ctx->random[i & (BENCH_RANDOM - 1)]);
		void *p = take(len);

		if (unlikely(!p))
			return BENCH_FAILED;
		give(p, len);
	}
	return bench_now() - start;
}

static __always_inline u64 region_high(struct bench_ctx *ctx,
				       struct region *region, region_take take,
				       region_give give)
{
	u32 i, n = ctx->pairs, level = npages / 10 * 9;
	u64 start;

	/* The first time: fill it, and let it age. */
	if (!region->n)
		region_churn(region, level, npages / 8, take, give);
	/* Back to the level, from where the last round left it. */
	while (region->used + MAX_RUN / 2 < level)
		region_churn(region, level, 1, take, give);
	start = bench_now();
	for (i = 0; i < n; i++) {
		u32 random = ctx->random[i & (BENCH_RANDOM - 1)];
		u32 k = pick(region, random), len = run_length(random);
		void *p;

		give(region->runs[k], region->lens[k]);
		region->used -= region->lens[k];
		while (unlikely(!(p = take(len)))) {
			region->failed++;
			len = len / 2 ?: 1;
		}
		region->runs[k] = p;
		region->lens[k] = len;
		region->used += len;
	}
	return bench_now() - start;
}

/* The occupancy, in hundredths of a percent, at which failures begin. */
static __always_inline u64 region_fails(struct bench_ctx *ctx,
					enum bench_alloc alloc, u32 n,
					region_take take, region_give give)
{
	struct region *region = &regions[alloc];
	u32 level = 900;

	region_churn(region, npages / 1000 * level, npages / 8, take, give);
	region->failed = 0;
	region_churn(region, npages / 1000 * level, n, take, give);
	bench_say(ctx, alloc, 100ull * region->failed, "failures");
	bench_say(ctx, alloc, 100ull * n, "operations");
	/* From the level that holds upwards; if 90 % does not, downwards. */
	while (region->failed && level > 400) {
		level -= 10;
		region_clear(region, give);
		region_churn(region, npages / 1000 * level, npages / 8, take,
			     give);
		region->failed = 0;
		region_churn(region, npages / 1000 * level, n, take, give);
	}
	while (!region->failed && level < 1000) {
		level += 5;
		region_churn(region, npages / 1000 * level, CHURN_LEVEL, take,
			     give);
	}
	region_clear(region, give);
	return level * 10;
}

#define BENCH_REGION(name, alloc, n, take, give)			\
u64 bench_region_low_##name(struct bench_ctx *ctx)			\
{									\
	return region_low(ctx, take, give);				\
}									\
u64 bench_region_high_##name(struct bench_ctx *ctx)			\
{									\
	return region_high(ctx, &regions[alloc], take, give);		\
}									\
u64 bench_region_churn_##name(struct bench_ctx *ctx)			\
{									\
	return region_fails(ctx, alloc, n, take, give);			\
}

/* A search through a bitmap takes its time. */
BENCH_REGION(empty, BENCH_EMPTY, 1, empty_take, empty_give)
BENCH_REGION(mpool, BENCH_MPOOL, CHURN_MANY, mpool_take, mpool_give)

#ifdef CONFIG_GENERIC_ALLOCATOR
static struct gen_pool *gen_first, *gen_best;

static __always_inline void *first_take(u32 pages)
{
	return (void *)gen_pool_alloc(gen_first, (size_t)pages << PAGE_SHIFT);
}

static __always_inline void first_give(void *p, u32 pages)
{
	gen_pool_free(gen_first, (unsigned long)p, (size_t)pages << PAGE_SHIFT);
}

static __always_inline void *best_take(u32 pages)
{
	return (void *)gen_pool_alloc(gen_best, (size_t)pages << PAGE_SHIFT);
}

static __always_inline void best_give(void *p, u32 pages)
{
	gen_pool_free(gen_best, (unsigned long)p, (size_t)pages << PAGE_SHIFT);
}

BENCH_REGION(gen_pool, BENCH_GEN_POOL, CHURN_SOME, first_take, first_give)
BENCH_REGION(gen_pool_best, BENCH_GEN_POOL_BEST, CHURN_SOME, best_take,
	     best_give)

static struct gen_pool *gen_make(void)
{
	struct gen_pool *pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);

	if (pool && gen_pool_add(pool, (unsigned long)memory,
				 (size_t)npages << PAGE_SHIFT, NUMA_NO_NODE)) {
		gen_pool_destroy(pool);
		pool = NULL;
	}
	return pool;
}

static void gen_setup(void)
{
	gen_first = gen_make();
	gen_best = gen_make();
	if (gen_best)
		gen_pool_set_algo(gen_best, gen_pool_best_fit, NULL);
}

static void gen_end(struct gen_pool *pool, struct region *region)
{
	while (region->n--)
		gen_pool_free(pool, (unsigned long)region->runs[region->n],
			      (size_t)region->lens[region->n] << PAGE_SHIFT);
	if (pool)
		gen_pool_destroy(pool);
}

static void gen_teardown(void)
{
	gen_end(gen_first, &regions[BENCH_GEN_POOL]);
	gen_end(gen_best, &regions[BENCH_GEN_POOL_BEST]);
}
#else
#define gen_first	false
#define gen_best	false

static void gen_setup(void)
{
}

static void gen_teardown(void)
{
}
#endif

bool bench_region_has(enum bench_alloc alloc)
{
	if (alloc == BENCH_GEN_POOL)
		return gen_first;
	return alloc != BENCH_GEN_POOL_BEST || gen_best;
}

void bench_region_teardown(struct bench_ctx *ctx)
{
	u32 i;

	gen_teardown();
	if (!IS_ERR_OR_NULL(large))
		mpool_large_clear(large);
	mpool_large_destroy(large);
	large = NULL;
	for (i = 0; i < BENCH_NR; i++) {
		vfree(regions[i].runs);
		vfree(regions[i].lens);
	}
	vfree(memory);
	memory = NULL;
}

int bench_region_setup(struct bench_ctx *ctx)
{
	u32 i;

	npages = min_t(unsigned long, totalram_pages() / 2,
		       SZ_1G >> PAGE_SHIFT);
	memory = vmalloc((size_t)npages << PAGE_SHIFT);
	if (!memory)
		return -ENOMEM;
	for (i = 0; i < BENCH_NR; i++)
		regions[i] = (struct region){ .random = 1 };
	for (i = 0; i < BENCH_NR; i++) {
		if (!ctx->work->fn[i])
			continue;
		regions[i].runs = vmalloc(array_size(npages, sizeof(void *)));
		regions[i].lens = vmalloc(npages);
		if (!regions[i].runs || !regions[i].lens)
			goto fail;
	}
	large = mpool_large_create_region("bench", memory,
					  (size_t)npages << PAGE_SHIFT, NULL);
	if (IS_ERR(large))
		goto fail;
	gen_setup();
	return 0;

fail:
	bench_region_teardown(ctx);
	return -ENOMEM;
}
