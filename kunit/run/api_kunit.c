// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of page runs as callers see them: sizes, alignment, contents, frees.
 *
 * Each case has a pool of its own over system memory; the suite's exit checks
 * it and expects that nothing is left in it.
 */
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pools.h"

/* The longest run that system memory can give. */
#define LONGEST		(PAGE_SIZE << MAX_PAGE_ORDER)

static int pages_init_case(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-pages", NULL);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	test->priv = pool;
	return 0;
}

static void pages_exit_case(struct kunit *test)
{
	struct mpool_large *pool = test->priv;

	if (!pool)
		return;
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static bool all_zero(const void *p, size_t size)
{
	return !memchr_inv(p, 0, size);
}

/* --- sizes --- */

static void exact_page_charges(struct kunit *test)
{
	static const struct {
		size_t size;
		long pages;
	} t[] = {
		{ 1, 1 }, { 8, 1 }, { PAGE_SIZE - 1, 1 }, { PAGE_SIZE, 1 },
		{ PAGE_SIZE + 1, 2 }, { 3 * PAGE_SIZE, 3 },
		{ 5 * PAGE_SIZE - 7, 5 }, { 16 * PAGE_SIZE, 16 },
		{ 17 * PAGE_SIZE, 17 }, { 63 * PAGE_SIZE, 63 },
		{ 64 * PAGE_SIZE, 64 }, { 65 * PAGE_SIZE - 1, 65 },
		{ 100 * PAGE_SIZE + 1, 101 },
		{ 538 * PAGE_SIZE - 1000, 538 },
	};
	struct mpool_large *pool = test->priv;
	size_t real;
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		p = mpool_large_alloc(pool, t[i].size, &real, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(p));
		KUNIT_EXPECT_EQ(test, charged(pool), t[i].pages);
		KUNIT_EXPECT_EQ(test, real, t[i].pages * PAGE_SIZE);
		mpool_kunit_fill(p, real, i);
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, i));
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		mpool_large_free(pool, p);
		KUNIT_EXPECT_EQ(test, charged(pool), 0);
		/* Nobody has to want to know. */
		p = mpool_large_alloc(pool, t[i].size, NULL, GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, charged(pool), t[i].pages);
		mpool_large_free(pool, p);
	}
}

/* 2.1 MiB are 538 pages of 4 KiB, and the pool takes no page more for them. */
static void two_point_one_mib(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	size_t size = 21 * SZ_1M / 10, real;
	long pages = DIV_ROUND_UP(size, PAGE_SIZE);
	void *p;

	if (PAGE_SIZE == SZ_4K)
		KUNIT_EXPECT_EQ(test, pages, 538);
	p = mpool_large_alloc(pool, size, &real, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, charged(pool), pages);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, pages);
	KUNIT_EXPECT_EQ(test, real, pages * PAGE_SIZE);
	mpool_kunit_fill(p, real, 21);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, 21));
	mpool_large_free(pool, p);
}

static void nothing_is_no_run(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	size_t real = 77;

	KUNIT_EXPECT_PTR_EQ(test, mpool_large_alloc(pool, 0, &real, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_PTR_EQ(test,
			    mpool_large_alloc_aligned(pool, 0, SZ_1M, NULL,
						      GFP_KERNEL),
			    ZERO_SIZE_PTR);
	mpool_large_free(pool, ZERO_SIZE_PTR);
	mpool_large_free(pool, NULL);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 0);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FREE), 0);
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, ZERO_SIZE_PTR));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, NULL));
}

/* No size wraps around: not at 32 bits, not at 64, not in pages. */
static void sizes_that_cannot_be(struct kunit *test)
{
	static const size_t t[] = {
		LONGEST + 1, SZ_2G, SZ_2G + 1, SZ_4G - 1, SZ_4G, SZ_4G + 1,
		SZ_4G + PAGE_SIZE, RUNS_MAX_PAGES * PAGE_SIZE,
		RUNS_MAX_PAGES * PAGE_SIZE + 1,
		(1UL << (32 + PAGE_SHIFT)) + 1, SIZE_MAX / 2, SIZE_MAX / 2 + 2,
		SIZE_MAX - 2 * PAGE_SIZE, SIZE_MAX - PAGE_SIZE,
		SIZE_MAX - PAGE_SIZE + 1, SIZE_MAX - PAGE_SIZE + 2,
		SIZE_MAX - 1, SIZE_MAX,
	};
	struct mpool_large *pool = test->priv;
	unsigned int i;
	size_t real;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		real = 77;
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, t[i], &real,
							  GFP_QUIET));
		KUNIT_EXPECT_EQ(test, real, 0);
		KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FAIL), i + 1);
		KUNIT_EXPECT_EQ(test, pool->base.fail.size, t[i]);
	}
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_ALLOC), 0);
}

/* The caller must not have waited for ever, and is told. */
static void nofail_that_cannot_be(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;

	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, LONGEST + 1, NULL, gfp));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_aligned(pool, 1, LONGEST * 2,
							  NULL, gfp));
}

static void longest_run(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	size_t real;
	void *p;

	p = mpool_large_alloc(pool, LONGEST, &real, GFP_QUIET);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, real, LONGEST);
	mpool_kunit_fill(p, real, 4);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, 4));
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, LONGEST + 1, &real,
						    GFP_QUIET));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, LONGEST, 4));
	KUNIT_EXPECT_EQ(test, charged(pool), LONGEST / PAGE_SIZE);
	mpool_large_free(pool, p);
}

/* --- alignment --- */

/* Every power of two to the longest block, runs of several sizes, all at once. */
static void all_alignments(struct kunit *test)
{
	static const size_t sizes[] = { 1, PAGE_SIZE + 1, 70 * PAGE_SIZE };
	struct mpool_large *pool = test->priv;
	unsigned int s, shift, n = 0;
	void *p[ARRAY_SIZE(sizes) * 32];
	size_t real;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (shift = 0; 1UL << shift <= LONGEST; shift++) {
			p[n] = mpool_large_alloc_aligned(pool, sizes[s],
							 1UL << shift, &real,
							 GFP_QUIET);
			KUNIT_EXPECT_NOT_NULL(test, p[n]);
			if (!p[n])
				continue;
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p[n],
							   1UL << shift));
			KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(p[n]));
			KUNIT_EXPECT_EQ(test, real, PAGE_ALIGN(sizes[s]));
			mpool_kunit_fill(p[n], real, n);
			n++;
		}
	}
	KUNIT_EXPECT_EQ(test, n, 3 * (PAGE_SHIFT + MAX_PAGE_ORDER + 1));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	while (n--) {
		size_t size = PAGE_ALIGN(sizes[n / (PAGE_SHIFT + MAX_PAGE_ORDER + 1)]);

		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p[n], size, n));
		mpool_large_free(pool, p[n]);
	}
}

/*
 * An aligned request is served from the arena that it has brought, although many runs
 * that do not fit come before it.
 */
static void aligned_growth_is_used(struct kunit *test)
{
	const u32 whole = SZ_64K / PAGE_SIZE;
	struct mpool_large *pool = test->priv;
	unsigned long before;
	void *p[64], *q;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = mpool_large_alloc_aligned(pool, SZ_64K, SZ_64K, NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		KUNIT_EXPECT_PTR_EQ(test, mpool_large_realloc(pool, p[i], PAGE_SIZE, NULL,
							      GFP_KERNEL), p[i]);
	before = mpool_large_nr_pages(pool);
	q = mpool_large_alloc_aligned(pool, 2 * PAGE_SIZE, SZ_1M, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_LE(test, mpool_large_nr_pages(pool) - before, 16 * whole);
	mpool_large_free(pool, q);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		mpool_large_free(pool, p[i]);
}

static void alignments_that_cannot_be(struct kunit *test)
{
	static const size_t t[] = {
		0, 3, 12, 100, PAGE_SIZE + 1, 3 * PAGE_SIZE, SIZE_MAX,
		SIZE_MAX / 2, LONGEST * 2, 1UL << 44, 1UL << 62, 1UL << 63,
	};
	struct mpool_large *pool = test->priv;
	void *keep = mpool_large_alloc(pool, 1, NULL, GFP_KERNEL);
	unsigned int i;
	size_t real;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		real = 77;
		KUNIT_EXPECT_NULL(test,
				  mpool_large_alloc_aligned(pool, 1, t[i],
							    &real, GFP_QUIET));
		KUNIT_EXPECT_EQ(test, real, 0);
	}
	KUNIT_EXPECT_EQ(test, charged(pool), 1);
	mpool_large_free(pool, keep);
}

/* --- contents --- */

/* Memory that was dirty is clear when it is asked for so, its tail too. */
static void zeroed_when_asked(struct kunit *test)
{
	static const size_t sizes[] = {
		1, PAGE_SIZE - 1, PAGE_SIZE + 1, 20 * PAGE_SIZE - 3,
		100 * PAGE_SIZE + 1,
	};
	struct mpool_large *pool = test->priv;
	unsigned int i, round;
	size_t real;
	void *p;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			p = mpool_large_alloc(pool, sizes[i], &real,
					      GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE(test, all_zero(p, real));
			memset(p, 0xa5, real);
			mpool_large_free(pool, p);
		}
	}
	KUNIT_EXPECT_GT(test, stat_of(pool, MPOOL_STAT_ALLOC),
			stat_of(pool, MPOOL_STAT_GROW));
}

/* Leaves memory in the pool that is dirty. */
static void make_dirty(struct mpool_large *pool)
{
	size_t real;
	void *p = mpool_large_alloc(pool, 16 * PAGE_SIZE, &real, GFP_KERNEL);

	if (!p)
		return;
	memset(p, 0xa5, real);
	mpool_large_free(pool, p);
}

/* What realloc adds is clear, where it grows in place and where it moves. */
static void zeroed_growth(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO;
	void *p, *moved;
	size_t real;

	p = mpool_large_alloc(pool, 5 * PAGE_SIZE, &real, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0xa5, real);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 2 * PAGE_SIZE,
							 &real, GFP_KERNEL));
	mpool_kunit_fill(p, real, 1);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 5 * PAGE_SIZE,
							 &real, gfp));
	KUNIT_EXPECT_EQ(test, real, 5 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 2 * PAGE_SIZE, 1));
	KUNIT_EXPECT_TRUE(test, all_zero(p + 2 * PAGE_SIZE, 3 * PAGE_SIZE));
	mpool_kunit_fill(p, real, 2);
	make_dirty(pool);
	moved = mpool_large_realloc(pool, p, 9 * PAGE_SIZE + 1, &real, gfp);
	KUNIT_ASSERT_NOT_NULL(test, moved);
	KUNIT_EXPECT_PTR_NE(test, moved, p);
	KUNIT_EXPECT_EQ(test, real, 10 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(moved, 5 * PAGE_SIZE, 2));
	KUNIT_EXPECT_TRUE(test, all_zero(moved + 5 * PAGE_SIZE, 5 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, charged(pool), 10);
	mpool_large_free(pool, moved);
}

/* Runs shrink where they are, and what they give up can be had at once. */
static void shrinks_in_place(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	void *p, *q;
	size_t real;

	p = mpool_large_alloc(pool, 10 * PAGE_SIZE, &real, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_kunit_fill(p, real, 3);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p,
							 4 * PAGE_SIZE - 1,
							 &real, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, charged(pool), 4);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	q = mpool_large_alloc(pool, 6 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	memset(q, 0xa5, 6 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, 3));
	/* Within its pages nothing moves either. */
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 3 * PAGE_SIZE + 1,
							 &real, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 4 * PAGE_SIZE);
	mpool_large_free(pool, q);
	mpool_large_free(pool, p);
}

/* From every length to every other, over all boundaries, nothing is lost. */
static void realloc_keeps_contents(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 100, 3072, 3073, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1,
		16 * PAGE_SIZE, 16 * PAGE_SIZE + 1, SZ_128K - 1, SZ_128K,
		SZ_128K + 1, 64 * PAGE_SIZE - 1, 64 * PAGE_SIZE, SZ_256K + 1,
		SZ_1M + 17,
	};
	struct mpool_large *pool = test->priv;
	unsigned int i, j, cases = 0;
	size_t real, kept;
	void *p, *q;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++, cases++) {
			p = mpool_large_alloc(pool, sizes[i], NULL, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			mpool_kunit_fill(p, sizes[i], cases);
			q = mpool_large_realloc(pool, p, sizes[j], &real,
						GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, q);
			kept = min(sizes[i], sizes[j]);
			KUNIT_EXPECT_TRUE(test,
					  mpool_kunit_intact(q, kept, cases));
			KUNIT_EXPECT_EQ(test, real, PAGE_ALIGN(sizes[j]));
			KUNIT_EXPECT_EQ(test, charged(pool), real / PAGE_SIZE);
			if (p != q)
				KUNIT_EXPECT_FALSE(test,
						   mpool_large_owns(pool, p));
			mpool_large_free(pool, q);
		}
	}
	KUNIT_EXPECT_EQ(test, cases, ARRAY_SIZE(sizes) * ARRAY_SIZE(sizes));
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 0);
}

static void realloc_of_nothing(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	size_t real;
	void *p;

	p = mpool_large_realloc(pool, NULL, 5000, &real, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, real, PAGE_ALIGN(5000));
	KUNIT_EXPECT_PTR_EQ(test,
			    mpool_large_realloc(pool, p, 0, &real, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	p = mpool_large_realloc(pool, ZERO_SIZE_PTR, 1, NULL, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_large_free(pool, p);
	KUNIT_EXPECT_PTR_EQ(test,
			    mpool_large_realloc(pool, NULL, 0, &real, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 0);
}

/* After a realloc that failed everything is as it was. */
static void failed_realloc_changes_nothing(struct kunit *test)
{
	static const size_t sizes[] = {
		LONGEST + 1, SZ_4G + 1, SIZE_MAX - PAGE_SIZE + 1, SIZE_MAX,
		RUNS_MAX_PAGES * PAGE_SIZE + 1,
	};
	struct mpool_large *pool = test->priv;
	unsigned int i;
	size_t real;
	void *p;

	p = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_kunit_fill(p, 3 * PAGE_SIZE, 9);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, sizes[i],
							    &real, GFP_QUIET));
		KUNIT_EXPECT_EQ(test, real, 0);
		KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
		KUNIT_EXPECT_EQ(test, charged(pool), 3);
	}
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 3 * PAGE_SIZE, 9));
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 0);
}

/* --- wrong frees --- */

struct wrong {
	const char *what;
	const void *p;
};

/* Each is counted, refused by free, realloc and owns, and changes nothing. */
static void expect_wrong(struct kunit *test, struct mpool_large *pool,
			 const struct wrong *wrong)
{
	u64 before = stat_of(pool, MPOOL_STAT_BAD_FREE);
	u64 frees = stat_of(pool, MPOOL_STAT_FREE);
	long pages = charged(pool);
	size_t real = 77;

	mpool_large_free(pool, wrong->p);
	KUNIT_EXPECT_EQ_MSG(test, stat_of(pool, MPOOL_STAT_BAD_FREE),
			    before + 1, "%s", wrong->what);
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, (void *)wrong->p,
						    PAGE_SIZE, &real,
						    GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_FALSE_MSG(test, mpool_large_owns(pool, wrong->p), "%s",
			       wrong->what);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FREE), frees);
	KUNIT_EXPECT_EQ(test, charged(pool), pages);
	KUNIT_EXPECT_EQ_MSG(test, mpool_large_verify(pool), 0, "%s",
			    wrong->what);
}

static void wrong_frees(struct kunit *test)
{
	static char data[2 * PAGE_SIZE];
	struct mpool_large *pool = test->priv, *other;
	void *p, *gone, *slab, *vm, *others;
	unsigned int i;

	other = mpool_large_create("kunit-other", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	others = mpool_large_alloc(other, 1, NULL, GFP_KERNEL);
	p = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	gone = mpool_large_alloc(pool, 2 * PAGE_SIZE, NULL, GFP_KERNEL);
	slab = kunit_kmalloc(test, 4 * PAGE_SIZE, GFP_KERNEL);
	vm = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, others && p && gone && slab && vm);
	mpool_kunit_fill(p, 3 * PAGE_SIZE, 5);
	mpool_large_free(pool, gone);
	{
		const struct wrong t[] = {
			{ "freed already", gone },
			{ "second page", p + PAGE_SIZE },
			{ "last byte", p + 3 * PAGE_SIZE - 1 },
			{ "second byte", p + 1 },
			{ "page that was never taken", gone + PAGE_SIZE },
			{ "of another pool", others },
			{ "kmalloc", slab },
			{ "vmalloc", vm },
			{ "stack", &i },
			{ "module's data", data },
			{ "module's data, aligned", PTR_ALIGN(&data[0], PAGE_SIZE) },
			{ "module's text", wrong_frees },
			{ "kernel's text", kfree },
			{ "the pool", pool },
			{ "error pointer", ERR_PTR(-ENOMEM) },
			{ "user space", (void *)0x400000 },
			{ "not canonical", (void *)0x0123456789abc000 },
			{ "poison", (void *)0x6b6b6b6b6b6b6b6b },
			{ "the last page", (void *)(0 - PAGE_SIZE) },
		};

		for (i = 0; i < ARRAY_SIZE(t); i++)
			expect_wrong(test, pool, &t[i]);
	}
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 3 * PAGE_SIZE, 5));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(other, others));
	vfree(vm);
	mpool_large_free(pool, p);
	mpool_large_free(other, others);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(other), 0);
}

static void random_frees(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct rnd_state rnd;
	void *p;
	u32 i;

	p = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_kunit_random(test, &rnd);
	for (i = 0; i < 100000; i++) {
		u64 value = (u64)prandom_u32_state(&rnd) << 32 |
			    prandom_u32_state(&rnd);

		/* A third near the pool's memory, but for its one run. */
		if (i % 3 == 0)
			value = (unsigned long)p + SZ_16M - value % SZ_32M;
		if (i % 6 == 0)
			value &= PAGE_MASK;
		if (value == (unsigned long)p)
			continue;
		mpool_large_free(pool, (void *)(unsigned long)value);
		mpool_large_owns(pool, (void *)(unsigned long)value);
	}
	KUNIT_EXPECT_GT(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 90000);
	KUNIT_EXPECT_EQ(test, charged(pool), 3);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_large_free(pool, p);
}

/* What is no pool is refused, and what is given back is nothing. */
static void no_pool(struct kunit *test)
{
	void *none[] = { NULL, ERR_PTR(-ENOMEM) };
	size_t real = 77;
	unsigned int i;
	char c;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(none[i], 1, &real,
							  GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, real, 0);
		KUNIT_EXPECT_NULL(test, mpool_large_realloc(none[i], &c, 1,
							    &real, GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_large_realloc(none[i], NULL, 1,
							    &real, GFP_KERNEL));
		mpool_large_free(none[i], &c);
		mpool_large_clear(none[i]);
		KUNIT_EXPECT_FALSE(test, mpool_large_owns(none[i], &c));
		KUNIT_EXPECT_EQ(test, mpool_large_trim(none[i]), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_phys(none[i], &c),
				MPOOL_NO_PHYS);
		KUNIT_EXPECT_EQ(test, mpool_large_dma(none[i], &c),
				MPOOL_NO_DMA);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(none[i]), 0);
		KUNIT_EXPECT_EQ(test,
				mpool_large_add_region(none[i], &c, SZ_1M, NULL),
				-EINVAL);
	}
}

/* --- where it is --- */

static void physical_addresses(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	size_t size = 70 * PAGE_SIZE, off;
	char *p = mpool_large_alloc(pool, size, NULL, GFP_KERNEL);
	char *q = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && q);
	for (off = 0; off < size; off += 777)
		KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, p + off),
				virt_to_phys(p + off));
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, q + 5000),
			virt_to_phys(q + 5000));
	KUNIT_EXPECT_EQ(test, mpool_large_dma(pool, p), MPOOL_NO_DMA);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, &off), MPOOL_NO_PHYS);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, NULL), MPOOL_NO_PHYS);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, (void *)~0UL),
			MPOOL_NO_PHYS);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p + 1));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(mpool_large_shared, p));
	mpool_large_free(pool, p);
	mpool_large_free(pool, q);
}

/* Every page can be given to somebody who takes references to it. */
static void pages_have_references(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	static const size_t sizes[] = { 3, 16, 70, 130 };
	unsigned int i;
	size_t off;
	char *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = mpool_large_alloc(pool, sizes[i] * PAGE_SIZE, NULL,
				      GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		for (off = 0; off < sizes[i] * PAGE_SIZE; off += PAGE_SIZE) {
			struct page *page = virt_to_page(p + off);

			KUNIT_EXPECT_GT(test, page_count(page), 0);
			get_page(page);
			put_page(page);
			KUNIT_EXPECT_GT(test, page_count(page), 0);
		}
		mpool_large_free(pool, p);
	}
}

/* A run that was asked for aligned is so wherever it is moved. */
static void realloc_keeps_alignment(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	unsigned int i, pages;
	char *p, *wall;

	for (i = 0; i < 8; i++) {
		p = mpool_large_alloc_aligned(pool, 2 * PAGE_SIZE, 16 * PAGE_SIZE,
					      NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		for (pages = 3; pages < 9; pages++) {
			/* Now and then it cannot grow where it is. */
			wall = mpool_large_alloc(pool, PAGE_SIZE, NULL, GFP_KERNEL);
			p = mpool_large_realloc(pool, p, pages * PAGE_SIZE, NULL,
						GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p,
							   16 * PAGE_SIZE));
			if (pages % 2)
				mpool_large_free(pool, wall);
		}
	}
	mpool_large_clear(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
}

/* Zone flags belong to the pool. */
static void flags_of_zones(struct kunit *test)
{
	struct mpool_large_args args = { .gfp = GFP_DMA32 };
	struct mpool_large *pool = test->priv, *low;
	size_t real = 77;
	void *p;

	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, &real,
						  GFP_KERNEL | GFP_DMA32));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL, GFP_HIGHUSER));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL,
						  GFP_KERNEL_ACCOUNT));
	low = mpool_large_create("kunit-low", &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(low));
	p = mpool_large_alloc(low, 1, NULL, GFP_KERNEL | GFP_DMA32);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_large_free(low, p);
	p = mpool_large_alloc(low, SZ_1M, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, (u64)virt_to_phys(p), (u64)SZ_4G);
	mpool_large_free(low, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(low), 0);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(exact_page_charges),
	KUNIT_CASE(two_point_one_mib),
	KUNIT_CASE(nothing_is_no_run),
	KUNIT_CASE(sizes_that_cannot_be),
	KUNIT_CASE(nofail_that_cannot_be),
	KUNIT_CASE(longest_run),
	KUNIT_CASE(all_alignments),
	KUNIT_CASE(aligned_growth_is_used),
	KUNIT_CASE(alignments_that_cannot_be),
	KUNIT_CASE(zeroed_when_asked),
	KUNIT_CASE(zeroed_growth),
	KUNIT_CASE(shrinks_in_place),
	KUNIT_CASE(realloc_keeps_contents),
	KUNIT_CASE(realloc_of_nothing),
	KUNIT_CASE(failed_realloc_changes_nothing),
	KUNIT_CASE(wrong_frees),
	KUNIT_CASE(random_frees),
	KUNIT_CASE(no_pool),
	KUNIT_CASE(physical_addresses),
	KUNIT_CASE(pages_have_references),
	KUNIT_CASE(realloc_keeps_alignment),
	KUNIT_CASE(flags_of_zones),
	{ }
};

static struct kunit_suite pages_suite = {
	.name = "mpool_pages",
	.init = pages_init_case,
	.exit = pages_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
