// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of limits: what they refuse, that they are exact, and who is told when.
 */
#include <linux/sizes.h>
#include <linux/kthread.h>
#include <linux/vmalloc.h>

#include "findings.h"
#include "fixed.h"
#include "out.h"
#include "pools.h"

static long used(const struct mpool_large *pool)
{
	return atomic_long_read(&pool->limit->used);
}

static void *take(struct mpool_large *pool, unsigned long pages)
{
	return mpool_large_alloc(pool, pages * PAGE_SIZE, NULL, GFP_QUIET);
}

static struct mpool_large *limited(struct kunit *test,
				   const struct mpool_large_args *args)
{
	struct mpool_large *pool = mpool_large_create("kunit-limit", args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

static void end(struct kunit *test, struct mpool_large *pool)
{
	KUNIT_EXPECT_EQ(test, used(pool), charged(pool));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

static void count_call(void *priv)
{
	atomic_inc(priv);
}

static void wrong_arguments(struct kunit *test)
{
	static const struct mpool_large_args args[] = {
		{ .max_pages = 10, .soft_pages = 11 },
		{ .max_pages = 10, .low_pages = 11 },
		{ .low_pages = 1 },
		{ .on_low = count_call }, { .on_soft = count_call },
		{ .max_pages = 10, .on_low = count_call },
		{ .max_pages = ULONG_MAX }, { .soft_pages = ULONG_MAX },
		{ .max_pages = 10, .low_pages = ULONG_MAX },
		{ .max_pages = (unsigned long)LONG_MAX + 1 },
	};
	struct mpool_region_args region = { .low_pages = 1 };
	struct mpool_large *pool;
	unsigned int i;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(args); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    PTR_ERR(mpool_large_create("kunit-wrong",
							       &args[i])),
				    -EINVAL, "arguments %u", i);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-wrong"));
	/* A region has an end of its own. */
	mem = vmalloc(8 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	pool = mpool_large_create_region("kunit-low", mem, 8 * PAGE_SIZE,
					 &region);
	KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
	mpool_large_destroy(pool);
	vfree(mem);
}

/* No limit, no counter. */
static void unlimited(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-limit", NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_NULL(test, pool->limit);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* To the page, by alloc, realloc and free; what is refused takes nothing. */
static void exact(struct kunit *test)
{
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.max_pages = 10 });
	void *p, *q;

	KUNIT_EXPECT_NULL(test, take(pool, 11));
	KUNIT_EXPECT_EQ(test, used(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	p = take(pool, 10);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 7 * PAGE_SIZE,
							 NULL, GFP_QUIET));
	KUNIT_EXPECT_NULL(test, take(pool, 4));
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, 11 * PAGE_SIZE,
						    NULL, GFP_QUIET));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, used(pool), 7);
	q = take(pool, 3);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, take(pool, 1));
	KUNIT_EXPECT_EQ(test, charged(pool), 10);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 10 * PAGE_SIZE,
							 NULL, GFP_QUIET));
	KUNIT_EXPECT_NULL(test, take(pool, 1));
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 1, NULL,
							 GFP_QUIET));
	KUNIT_EXPECT_EQ(test, used(pool), 1);
	q = take(pool, 9);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_GE(test, atomic_long_read(&pool->limit->refused), 5);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.peak), 10);
	mpool_large_free(pool, q);
	mpool_large_free(pool, q);	/* refused: counts nothing */
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, used(pool), 0);
	end(test, pool);
}

/* Chunks of pools above count, and go back with them. */
static void guests_count(struct kunit *test)
{
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.max_pages = 32 });
	struct mpool_fixed_args args = { .large = pool };
	struct mpool_fixed *fixed;
	unsigned int n = 0;

	fixed = mpool_fixed_create("kunit-guest", 1000, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	while (n < 1000 && mpool_fixed_alloc(fixed, GFP_QUIET))
		n++;
	KUNIT_EXPECT_GE(test, n, 64);
	KUNIT_EXPECT_LT(test, n, 1000);
	KUNIT_EXPECT_LE(test, used(pool), 32);
	KUNIT_EXPECT_EQ(test, used(pool), charged(pool));
	mpool_fixed_clear(fixed);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, used(pool), 0);
	end(test, pool);
}

/* Both marks are told of once for each crossing, and not below them. */
static void marks(struct kunit *test)
{
	atomic_t calls = ATOMIC_INIT(0);
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.max_pages = 100, .soft_pages = 50, .low_pages = 20,
		.on_soft = count_call, .on_low = count_call, .priv = &calls });
	unsigned int round;
	void *p, *q, *r;

	for (round = 1; round <= 3; round++) {
		p = take(pool, 50);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->softs),
				round - 1);
		q = take(pool, 30);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->softs),
				round);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->lows),
				round - 1);
		r = take(pool, 1);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->lows),
				round);
		mpool_defer_sync(&pool->limit->defer);
		KUNIT_EXPECT_EQ(test, atomic_read(&calls), 2 * round);
		mpool_large_free(pool, q);
		mpool_large_free(pool, r);
		mpool_large_free(pool, p);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->refused), 0);
	end(test, pool);
}

/* Interrupts off: the callback waits for its work item. */
static void atomic_context(struct kunit *test)
{
	atomic_t calls = ATOMIC_INIT(0);
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.soft_pages = 1, .on_soft = count_call, .priv = &calls });
	unsigned long flags;
	int seen;
	void *p;

	p = take(pool, 8);
	mpool_defer_sync(&pool->limit->defer);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls), 1);
	local_irq_save(flags);
	p = mpool_large_alloc(pool, 8 * PAGE_SIZE, NULL, GFP_ATOMIC);
	local_irq_restore(flags);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_defer_sync(&pool->limit->defer);
	seen = atomic_read(&calls);
	KUNIT_EXPECT_EQ(test, seen, 2);
	mpool_large_free(pool, p);
	end(test, pool);
}

struct held {
	struct completion began, may_end;
};

static void hold_call(void *priv)
{
	struct held *held = priv;

	complete(&held->began);
	wait_for_completion(&held->may_end);
}

/* A module that goes waits for its own callbacks only. */
static void callback_of_another_module(struct kunit *test)
{
	struct module *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct held held;
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.soft_pages = 1, .on_soft = hold_call, .priv = &held });
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, other);
	init_completion(&held.began);
	init_completion(&held.may_end);
	p = take(pool, 2);
	wait_for_completion(&held.began);
	/* It returns, although the callback does not. */
	KUNIT_EXPECT_FALSE(test, pool->base.ops->drop_callbacks(&pool->base, other));
	complete(&held.may_end);
	KUNIT_EXPECT_TRUE(test, pool->base.ops->drop_callbacks(&pool->base, THIS_MODULE));
	KUNIT_EXPECT_FALSE(test, pool->base.ops->drop_callbacks(&pool->base, THIS_MODULE));
	mpool_large_free(pool, p);
	end(test, pool);
}

/* After this the module with the callback may be gone. */
static void callbacks_are_dropped(struct kunit *test)
{
	atomic_t calls = ATOMIC_INIT(0);
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.soft_pages = 1, .on_soft = count_call, .priv = &calls });
	void *p = take(pool, 2);

	pool->base.ops->drop_callbacks(&pool->base, NULL);
	KUNIT_EXPECT_LE(test, atomic_read(&calls), 1);
	atomic_set(&calls, 0);
	mpool_large_free(pool, p);
	mpool_large_free(pool, take(pool, 2));
	mpool_defer_sync(&pool->limit->defer);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->softs), 2);
	end(test, pool);
}

/* A region is told of before its own end, and of more when it grows. */
static void region_low(struct kunit *test)
{
	struct mpool_region_args args = { .low_pages = 4 };
	struct mpool_large *pool;
	void *mem, *p, *q;

	mem = vmalloc(32 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	pool = mpool_large_create_region("kunit-limit", mem, 16 * PAGE_SIZE,
					 &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	p = take(pool, 12);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->lows), 0);
	q = take(pool, 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->lows), 1);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_EQ(test, mpool_large_add_region(pool,
						     mem + 16 * PAGE_SIZE,
						     16 * PAGE_SIZE, NULL), 0);
	q = take(pool, 16);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->lows), 1);
	mpool_large_free(pool, p);
	mpool_large_free(pool, q);
	end(test, pool);
	vfree(mem);
}

#define RACERS		4
#define RACE_MAX	40
#define RACE_ROUNDS	3000

struct race {
	struct mpool_large *pool;
	atomic_long_t out;
	atomic_t over;
	atomic_t taken;
	atomic_t done;
};

static int racer(void *arg)
{
	struct race *race = arg;
	unsigned int i, n;
	void *p;

	for (i = 0; i < RACE_ROUNDS; i++) {
		n = 1 + i % 17;
		p = take(race->pool, n);
		if (p) {
			if (atomic_long_add_return(n, &race->out) > RACE_MAX)
				atomic_inc(&race->over);
			atomic_inc(&race->taken);
			if (i % 3 == 0)
				cond_resched();
			atomic_long_sub(n, &race->out);
			mpool_large_free(race->pool, p);
		}
		cond_resched();
	}
	atomic_inc(&race->done);
	return 0;
}

/* Never a page more, whoever takes at the same time; and none is lost. */
static void exact_with_others(struct kunit *test)
{
	struct race race = {
		.pool = limited(test, &(struct mpool_large_args){
			.max_pages = RACE_MAX }),
	};
	int i, started = 0;
	void *p;

	for (i = 0; i < RACERS; i++)
		started += !IS_ERR(kthread_run(racer, &race, "limit/%d", i));
	KUNIT_EXPECT_GE(test, started, 2);
	while (atomic_read(&race.done) < started)
		msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.over), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race.taken), 0);
	KUNIT_EXPECT_LE(test, atomic_long_read(&race.pool->base.peak),
			RACE_MAX);
	KUNIT_EXPECT_EQ(test, used(race.pool), 0);
	p = take(race.pool, RACE_MAX);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_large_free(race.pool, p);
	end(test, race.pool);
}

/* Waiting for what the limit refuses would never end. */
static void nofail_is_no_exception(struct kunit *test)
{
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.max_pages = 10 });
	struct mpool_fixed_args fixed_args = { .large = pool };
	struct mpool_small_args small_args = { .large = pool };
	struct mpool_fixed *fixed = mpool_kunit_fixed(test, "kt-fixed", 3000,
						      &fixed_args);
	struct mpool_small *small = mpool_kunit_small(test, "kt-small",
						      &small_args);
	gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;
	unsigned int n = 0;

	KUNIT_EXPECT_NOT_NULL(test, mpool_small_alloc(small, 100, gfp));
	while (mpool_fixed_alloc(fixed, gfp))
		n++;
	KUNIT_EXPECT_GE(test, n, 9);
	KUNIT_EXPECT_LE(test, n, 12);
	while (mpool_small_alloc(small, 100, gfp))
		n++;
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(small, 3000, gfp));
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(small, 9000, gfp));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, PAGE_SIZE, NULL, gfp));
	KUNIT_EXPECT_LE(test, used(pool), 10);
	mpool_fixed_clear(fixed);
	KUNIT_EXPECT_NOT_NULL(test, mpool_small_alloc(small, 3000, gfp));
	mpool_small_clear(small);
	mpool_small_destroy(mpool_kunit_own_small(test, small));
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, fixed));
	end(test, pool);
}

/* The n-th allocation below fails: what was reserved goes back. */
static void failed_alloc(struct kunit *test)
{
	struct mpool_large *pool = limited(test, &(struct mpool_large_args){
		.max_pages = 600 });
	unsigned int n, failed = 0;
	bool hit = true;
	void *p;

	if (!MPOOL_KUNIT_CAN_FAIL) {
		mpool_large_destroy(pool);
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	}
	for (n = 1; hit && n < 200; n++) {
		mpool_kunit_fail_nth(n);
		p = take(pool, 600);
		hit = mpool_kunit_fail_end();
		KUNIT_EXPECT_EQ(test, used(pool), p ? 600 : 0);
		failed += !p;
		mpool_large_free(pool, p);
		mpool_large_trim(pool);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GE(test, failed, 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->refused), 0);
	end(test, pool);
}

/* Requests that no memory would serve: what bars them is said, not who has what. */
static void bars_are_named(struct kunit *test)
{
	static const struct {
		size_t size;
		struct mpool_large_args args;
		gfp_t gfp;
		enum mpool_bar bar;
		const char *says;
	} cases[] = {
		{ (PAGE_SIZE << MAX_PAGE_ORDER) + 1, {}, GFP_KERNEL,
		  MPOOL_BAR_BLOCK, "the longest block" },
		{ (PAGE_SIZE << MAX_PAGE_ORDER) + 1,
		  { .flags = MPOOL_LARGE_VIRT }, GFP_ATOMIC,
		  MPOOL_BAR_SLEEP, "only where the caller may sleep" },
		{ 3 * PAGE_SIZE, { .max_pages = 2 }, GFP_KERNEL,
		  MPOOL_BAR_LIMIT,
		  "; large pool \"kunit-bar\": its max_pages is 2, 0 are in use\n" },
		{ SIZE_MAX, {}, GFP_KERNEL, MPOOL_BAR_RUN, "too long" },
	};
	char *buf = kunit_kzalloc(test, SZ_2K, GFP_KERNEL);
	struct mpool_large *pool;
	struct mpool_out out;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		pool = mpool_large_create("kunit-bar", &cases[i].args);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, cases[i].size, NULL,
							  cases[i].gfp | __GFP_NOWARN));
		mpool_defer_sync(&pool->shortage.defer);
		KUNIT_EXPECT_EQ(test, pool->shortage.bar, cases[i].bar);
		buf[0] = '\0';
		out = (struct mpool_out){ .buf = buf, .size = SZ_2K };
		mpool_findings_shortage(&out, &pool->base, &pool->shortage);
		KUNIT_EXPECT_NOT_NULL(test, strstr(buf, cases[i].says));
		KUNIT_EXPECT_NULL(test, strstr(buf, "pages free"));
		mpool_large_destroy(pool);
	}
}

#define SAYS(words) KUNIT_EXPECT_NOT_NULL(test, strstr(buf, words))

/* Where it is the sum that max_pages refuses, it is named, and so is who has what. */
static void full_is_named(struct kunit *test)
{
	static const char full[] =
		"; large pool \"kunit-full\": its max_pages is 4, 3 are in use\n";
	struct mpool_large_args args = { .max_pages = 4 };
	struct mpool_large *pool = mpool_large_create("kunit-full", &args);
	struct mpool_fixed_args above = { .large = pool };
	char *buf = kunit_kzalloc(test, SZ_2K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_2K };
	struct mpool_shortage *s = &pool->shortage;
	struct mpool_fixed *fixed;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	p = take(pool, 3);
	KUNIT_EXPECT_NULL(test, take(pool, 2));
	mpool_defer_sync(&s->defer);
	KUNIT_EXPECT_EQ(test, s->bar, MPOOL_BAR_FULL);
	mpool_findings_shortage(&out, &pool->base, s);
	SAYS("no memory: pool \"kunit-full\" was");
	SAYS(full);
	SAYS("\n  held 3 pages: limit_kunit.c:");
	KUNIT_EXPECT_NULL(test, strstr(buf, "pages free"));
	/* For a pool above, it is the large pool's limit. */
	fixed = mpool_fixed_create("kunit-above", 2 * PAGE_SIZE, &above);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	s->next_walk = jiffies;
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(fixed, GFP_KERNEL | __GFP_NOWARN));
	mpool_defer_sync(&s->defer);
	buf[0] = '\0';
	out.len = 0;
	mpool_findings_shortage(&out, &pool->base, s);
	SAYS("no memory: pool \"kunit-above\" was");
	SAYS(full);
	mpool_fixed_destroy(fixed);
	mpool_large_free(pool, p);
	end(test, pool);
}

/* Empty chunks that a pool above keeps do not count against the limit. */
static void empty_chunks_do_not_count(struct kunit *test)
{
	struct mpool_large_args args = { .max_pages = 32 };
	struct mpool_large *pool = limited(test, &args);
	struct mpool_fixed_args over = { .large = pool };
	struct mpool_fixed *fixed = mpool_fixed_create("kunit-over", 512, &over);
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	p = mpool_fixed_alloc(fixed, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_fixed_free(fixed, p);
	/* From where the CPUs have it. */
	mpool_fixed_drain(fixed);
	KUNIT_ASSERT_EQ(test, mpool_chunks_grow(&fixed->chunks, GFP_KERNEL), 0);
	KUNIT_EXPECT_GT(test, used(pool), 0);
	p = take(pool, 32);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_large_free(pool, p);
	mpool_fixed_destroy(fixed);
	end(test, pool);
}

static struct kunit_case limit_cases[] = {
	KUNIT_CASE(empty_chunks_do_not_count),
	KUNIT_CASE(wrong_arguments),
	KUNIT_CASE(unlimited),
	KUNIT_CASE(exact),
	KUNIT_CASE(guests_count),
	KUNIT_CASE(marks),
	KUNIT_CASE(atomic_context),
	KUNIT_CASE(callback_of_another_module),
	KUNIT_CASE(callbacks_are_dropped),
	KUNIT_CASE(region_low),
	KUNIT_CASE(exact_with_others),
	KUNIT_CASE(nofail_is_no_exception),
	KUNIT_CASE(failed_alloc),
	KUNIT_CASE(bars_are_named),
	KUNIT_CASE(full_is_named),
	{ }
};

static struct kunit_suite limit_suite = {
	.name = "mpool_limit",
	.suite_exit = mpool_kunit_verified,
	.test_cases = limit_cases,
};

kunit_test_suite(limit_suite);
