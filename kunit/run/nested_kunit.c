// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of pools whose arenas are runs of another pool, as all are when mpool's
 * memory is a reserved range.  Here the other pool is a region of vmalloc()'s;
 * a real range is what "make demo REGION=1" has.
 */
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fixed.h"
#include "nested.h"
#include "pools.h"

#define OUTER_PAGES	256
#define OUTER_PHYS	0x123400000ull
#define OUTER_DMA	0x80000000ull

struct world {
	char *base;
	struct mpool_large *outer, *inner;
};

static const struct mpool_large_args none;

static struct mpool_large *new_inner(struct kunit *test, const char *name,
				     struct mpool_large *outer,
				     const struct mpool_large_args *args)
{
	struct mpool_large *inner;

	inner = mpool_nested_create(name, outer, args, MPOOL_HERE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(inner));
	return inner;
}

static int nested_init(struct kunit *test)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_PHYS | MPOOL_REGION_DMA,
		.phys = OUTER_PHYS, .dma = OUTER_DMA,
	};
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	size_t size = OUTER_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->base = vmalloc(size);
	KUNIT_ASSERT_NOT_NULL(test, w->base);
	w->outer = mpool_large_create_region("kunit-outer", w->base, size,
					     &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->outer));
	w->inner = new_inner(test, "kunit-inner", w->outer, &none);
	test->priv = w;
	return 0;
}

/* Every case leaves both pools empty. */
static void nested_exit(struct kunit *test)
{
	struct world *w = test->priv;

	KUNIT_EXPECT_EQ(test, mpool_large_verify(w->inner), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(w->outer), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	KUNIT_EXPECT_EQ(test, charged(w->inner), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(w->inner), 0);
	KUNIT_EXPECT_EQ(test, charged(w->outer), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(w->outer), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&w->outer->runs), OUTER_PAGES);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(w->outer), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	vfree(w->base);
}

static bool inside(const struct world *w, const char *p, size_t size)
{
	return p >= w->base && p + size <= w->base + OUTER_PAGES * PAGE_SIZE;
}

/* A run lies in the outer pool, is charged to the inner one, and has addresses. */
static void runs_within(struct kunit *test)
{
	struct world *w = test->priv;
	struct mpool_whatis what;
	size_t real;
	char *p, *q;

	p = mpool_large_alloc(w->inner, 100 * PAGE_SIZE - 5, &real, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, real, 100 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, inside(w, p, real));
	mpool_kunit_fill(p, real, 1);
	q = mpool_large_alloc_aligned(w->inner, PAGE_SIZE, 8 * PAGE_SIZE, NULL,
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, inside(w, q, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)q, 8 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, charged(w->inner), 101);
	KUNIT_EXPECT_GE(test, charged(w->outer), 101);
	KUNIT_EXPECT_EQ(test, charged(w->outer), w->inner->runs.nr_pages);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(w->inner, p + 77),
			(phys_addr_t)OUTER_PHYS + (p + 77 - w->base));
	KUNIT_EXPECT_EQ(test, mpool_large_dma(w->inner, q),
			(dma_addr_t)OUTER_DMA + (q - w->base));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(w->inner, p));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(w->outer, p));
	mpool_whatis(p + 5, &what);
	KUNIT_EXPECT_EQ(test, what.area, MPOOL_AREA_LIVE);
	KUNIT_EXPECT_EQ(test, what.offset, 5);
	/* The outer pool's free is none for it, and of a free page neither's. */
	mpool_large_free(w->outer, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&w->outer->base), 1);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, 1));
	mpool_large_free(w->inner, p);
	mpool_large_free(w->inner, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&w->inner->base), 1);
	mpool_large_free(w->inner, q);
	KUNIT_EXPECT_GT(test, mpool_large_trim(w->inner), 0);
	KUNIT_EXPECT_EQ(test, charged(w->outer), 0);
	mpool_large_free(w->inner, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&w->inner->base), 2);
}

/* All of it can be had; then there is no more, and nobody waits for it. */
static void no_more_than_there_is(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int i, n = 0;
	size_t real;
	char **p;

	p = kunit_kcalloc(test, OUTER_PAGES, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < OUTER_PAGES; i++) {
		p[n] = mpool_large_alloc(w->inner, 1, NULL, GFP_KERNEL);
		if (p[n] && inside(w, p[n], PAGE_SIZE))
			n++;
	}
	KUNIT_EXPECT_EQ(test, n, OUTER_PAGES);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(w->inner, 1, &real,
						  GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(w->inner, 1, &real,
						  GFP_KERNEL | __GFP_NOFAIL));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(w->outer, 1, &real,
						  GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&w->outer->runs), 0);
	while (n)
		mpool_large_free(w->inner, p[--n]);
	p[0] = mpool_large_alloc(w->inner, (OUTER_PAGES - 16) * PAGE_SIZE,
				 NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	mpool_large_free(w->inner, p[0]);
}

#define CHURN_RUNS	30
#define CHURN_OPS	30000

/* Runs and objects of three pools share the range, and keep their contents. */
static void churn_within(struct kunit *test)
{
	struct world *w = test->priv;
	const struct mpool_fixed_args args = { .large = w->inner };
	struct mpool_large *other;
	struct mpool_fixed *fixed;
	struct rnd_state rnd;
	struct { char *p; size_t size; u32 tag; } run[CHURN_RUNS] = { };
	unsigned int op, i, had = 0;

	other = new_inner(test, "kunit-other", w->outer, &none);
	fixed = mpool_fixed_create("kunit-within", 1000, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	mpool_kunit_random(test, &rnd);
	for (op = 0; op < CHURN_OPS; op++) {
		i = mpool_kunit_below(&rnd, CHURN_RUNS);
		if (run[i].p) {
			KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(run[i].p,
								   run[i].size,
								   run[i].tag));
			if (i % 3 == 2)
				mpool_fixed_free(fixed, run[i].p);
			else
				mpool_large_free(i % 3 ? other : w->inner,
						 run[i].p);
			run[i].p = NULL;
			continue;
		}
		run[i].size = i % 3 == 2 ? 1000 :
			1 + mpool_kunit_below(&rnd, 20 * PAGE_SIZE);
		run[i].tag = op;
		run[i].p = i % 3 == 2 ? mpool_fixed_alloc(fixed, GFP_KERNEL) :
			mpool_large_alloc(i % 3 ? other : w->inner,
					  run[i].size, NULL, GFP_KERNEL);
		if (!run[i].p)
			continue;
		had++;
		KUNIT_EXPECT_TRUE(test, inside(w, run[i].p, run[i].size));
		mpool_kunit_fill(run[i].p, run[i].size, op);
		if (op % 1000 == 0) {
			KUNIT_EXPECT_EQ(test, mpool_large_verify(w->outer), 0);
			KUNIT_EXPECT_EQ(test, mpool_large_verify(other), 0);
			KUNIT_EXPECT_EQ(test, charged(w->outer),
					w->inner->runs.nr_pages +
					other->runs.nr_pages);
		}
	}
	KUNIT_EXPECT_GT(test, had, CHURN_OPS / 4);
	for (i = 0; i < CHURN_RUNS; i++)
		mpool_free(run[i].p);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(other), 0);
}

/* The outer pool stays as long as an inner one does. */
static void outer_outlives_inner(struct kunit *test)
{
	struct world *w = test->priv;
	static const struct mpool_large_args keep = {
		.on_leak = MPOOL_ON_LEAK_KEEP,
	};
	struct mpool_large *two;
	char *p;

	KUNIT_EXPECT_EQ(test, mpool_large_destroy(w->outer), 0);
	KUNIT_EXPECT_PTR_EQ(test, mpool_pool_find("kunit-outer"),
			    &w->outer->base);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_nested_create("kunit-inner", w->outer,
						    &none, MPOOL_HERE)),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->outer->base.users), 1);
	/* What was kept holds its run, and can be freed. */
	two = new_inner(test, "kunit-two", w->outer, &keep);
	p = mpool_large_alloc(two, 70 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(two), 1);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans("kunit-two"), 1);
	KUNIT_EXPECT_EQ(test, charged(w->outer), 70);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->outer->base.users), 2);
	mpool_free(p);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("kunit-two")));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!charged(w->outer)));
	KUNIT_EXPECT_TRUE(test,
			  mpool_kunit_wait(atomic_read(&w->outer->base.users) == 1));
}

/* Unknown flags are refused here too; there is no vmalloc() to fall back to. */
static void flags_within(struct kunit *test)
{
	const struct mpool_large_args wrong = { .flags = 4 };
	const struct mpool_large_args virt = { .flags = MPOOL_LARGE_VIRT };
	struct world *w = test->priv;
	struct mpool_large *two;

	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_nested_create("kunit-two", w->outer,
						    &wrong, MPOOL_HERE)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->outer->base.users), 1);
	two = new_inner(test, "kunit-two", w->outer, &virt);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(two, (OUTER_PAGES + 1) * PAGE_SIZE,
						  NULL, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(two), 0);
}

/* Its limits are its own, whatever it shares with the outer pool. */
static void limited_within(struct kunit *test)
{
	const struct mpool_large_args args = { .max_pages = 20 };
	struct world *w = test->priv;
	struct mpool_large *two;
	void *p;

	two = new_inner(test, "kunit-two", w->outer, &args);
	p = mpool_large_alloc(two, 18 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(two, 3 * PAGE_SIZE, NULL,
						  GFP_KERNEL));
	mpool_large_free(two, p);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(two, 21 * PAGE_SIZE, NULL,
						  GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(two), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(two), 0);
}

/* An arena that cannot be described gives its run back. */
static void failed_arena(struct kunit *test)
{
	struct world *w = test->priv;
	unsigned int n, failed = 0;
	bool hit = true;
	char *p;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (n = 1; hit && n < 20; n++) {
		mpool_kunit_fail_nth(n);
		p = mpool_large_alloc(w->inner, 80 * PAGE_SIZE, NULL,
				      GFP_KERNEL | __GFP_NOWARN);
		hit = mpool_kunit_fail_end();
		failed += !p;
		KUNIT_EXPECT_EQ(test, charged(w->outer), p ? 80 : 0);
		mpool_large_free(w->inner, p);
		mpool_large_trim(w->inner);
		KUNIT_EXPECT_EQ(test, charged(w->outer), 0);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GE(test, failed, 1);
}

static struct kunit_case nested_cases[] = {
	KUNIT_CASE(runs_within),
	KUNIT_CASE(no_more_than_there_is),
	KUNIT_CASE(churn_within),
	KUNIT_CASE(outer_outlives_inner),
	KUNIT_CASE(flags_within),
	KUNIT_CASE(limited_within),
	KUNIT_CASE(failed_arena),
	{ }
};

static struct kunit_suite nested_suite = {
	.name = "mpool_nested",
	.init = nested_init,
	.exit = nested_exit,
	.suite_exit = mpool_kunit_verified,
	.test_cases = nested_cases,
};

kunit_test_suite(nested_suite);
