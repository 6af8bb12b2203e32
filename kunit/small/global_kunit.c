// SPDX-License-Identifier: GPL-2.0-only
/*
 * The global pool, as a driver uses it that makes no pool of its own.
 *
 * Which pool it is can be changed until its first use, which in a kernel happens
 * once: here it is in use, so that only the refusals can be tried.
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "global.h"
#include "helpers.h"

static size_t live_now(void)
{
	struct mpool_count count;

	mpool_global()->base.ops->count(&mpool_global()->base, &count);
	return count.live;
}

static void malloc_and_free(struct kunit *test)
{
	size_t before = live_now();
	u8 *p = mpool_malloc(100, GFP_KERNEL);
	u8 *q = mpool_zalloc(20000, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_GE(test, mpool_usable_size(p), 104);
	KUNIT_EXPECT_LE(test, mpool_usable_size(p), 128);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(q), 5 * PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, mpool_usable_size(q)));
	KUNIT_EXPECT_TRUE(test, mpool_owns(p));
	KUNIT_EXPECT_TRUE(test, mpool_small_owns(mpool_global(), p));
	KUNIT_EXPECT_EQ(test, before + 2, live_now());
	mpool_free(p);
	mpool_free(q);
	mpool_free(NULL);
	mpool_free(ZERO_SIZE_PTR);
	KUNIT_EXPECT_FALSE(test, mpool_owns(p));
	KUNIT_EXPECT_EQ(test, before, live_now());
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
}

static void no_size(struct kunit *test)
{
	void *p;

	KUNIT_EXPECT_PTR_EQ(test, mpool_malloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, mpool_zalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, mpool_calloc(0, 8, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, mpool_calloc(8, 0, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	p = mpool_realloc(NULL, 0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, p, ZERO_SIZE_PTR);
}

/* tbox: n * size was computed without a look at what became of it. */
static void arrays_that_cannot_be(struct kunit *test)
{
	static const size_t pairs[][2] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX, SIZE_MAX },
		{ 1ull << 32, 1ull << 32 }, { (1ull << 32) + 1, 1ull << 32 },
		{ SIZE_MAX / 8 + 1, 8 }, { 1ull << 63, 2 },
		{ 0x4000000000000001, 4 },
	};
	u64 fails = mpool_stat_read(&mpool_global()->base.stats,
				    MPOOL_STAT_FAIL);
	size_t n, size;
	int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		n = pairs[i][0];
		size = pairs[i][1];
		OPTIMIZER_HIDE_VAR(n);
		OPTIMIZER_HIDE_VAR(size);
		KUNIT_EXPECT_NULL(test, mpool_malloc_array(n, size,
							   GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_calloc(n, size, GFP_KERNEL));
	}
	KUNIT_EXPECT_EQ(test, fails + 2 * ARRAY_SIZE(pairs),
			mpool_stat_read(&mpool_global()->base.stats,
					MPOOL_STAT_FAIL));
}

struct point {
	int x, y, z;
};

static void new_and_delete(struct kunit *test)
{
	size_t before = live_now();
	struct point *p = mpool_new(struct point, GFP_KERNEL);
	struct point *q = mpool_new_array(struct point, 100, GFP_KERNEL);
	int *c = mpool_calloc(100, sizeof(int), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_GE(test, mpool_usable_size(p), sizeof(*p));
	KUNIT_EXPECT_GE(test, mpool_usable_size(q), 100 * sizeof(*q));
	KUNIT_EXPECT_NULL(test, memchr_inv(c, 0, 100 * sizeof(int)));
	p->z = 1;
	q[99].z = 2;
	mpool_delete(p);
	mpool_delete(q);
	mpool_delete(c);
	mpool_delete(NULL);
	KUNIT_EXPECT_EQ(test, before, live_now());
}

#ifdef DEFINE_FREE
static bool scope_keeps(void **kept)
{
	void *mine __free(mpool_free) = mpool_malloc(64, GFP_KERNEL);
	void *none __free(mpool_free) = NULL;
	void *err __free(mpool_free) = ERR_PTR(-ENOMEM);
	void *theirs __free(mpool_free) = mpool_malloc(64, GFP_KERNEL);

	if (!mine || !theirs || none || !IS_ERR(err))
		return false;
	*kept = no_free_ptr(theirs);
	return true;
}

static void freed_at_the_end_of_its_scope(struct kunit *test)
{
	u64 bad = mpool_kunit_bad(&mpool_global()->base);
	size_t before = live_now();
	void *kept = NULL;

	KUNIT_EXPECT_TRUE(test, scope_keeps(&kept));
	KUNIT_EXPECT_EQ(test, before + 1, live_now());
	KUNIT_EXPECT_TRUE(test, mpool_owns(kept));
	mpool_free(kept);
	{
		struct mpool_fixed *pool __free(mpool_fixed_destroy) =
			mpool_fixed_create("kt-scope", 8, NULL);

		KUNIT_EXPECT_PTR_EQ(test, &pool->base,
				    mpool_pool_find("kt-scope"));
	}
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-scope"));
	KUNIT_EXPECT_EQ(test, before, live_now());
	KUNIT_EXPECT_EQ(test, bad, mpool_kunit_bad(&mpool_global()->base));
}
#else
static void freed_at_the_end_of_its_scope(struct kunit *test)
{
	kunit_skip(test, "the kernel has no DEFINE_FREE()");
}
#endif

static void realloc_stays_in_the_pool(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, "kt-small", NULL);
	size_t before = live_now();
	void *p = mpool_realloc(NULL, 50, GFP_KERNEL);
	void *q = mpool_small_alloc(pool, 50, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	mpool_kunit_fill(p, 50, 1);
	mpool_kunit_fill(q, 50, 2);
	p = mpool_realloc(p, 50000, GFP_KERNEL);
	q = mpool_realloc(q, 50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 50, 1));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(q, 50, 2));
	KUNIT_EXPECT_TRUE(test, mpool_small_owns(mpool_global(), p));
	KUNIT_EXPECT_TRUE(test, mpool_small_owns(pool, q));
	KUNIT_EXPECT_PTR_EQ(test, mpool_realloc(p, 0, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, mpool_realloc(q, 0, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	p = mpool_realloc(ZERO_SIZE_PTR, 9, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, mpool_small_owns(mpool_global(), p));
	mpool_free(p);
	KUNIT_EXPECT_EQ(test, before, live_now());
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
}

static void set_refuses(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, "kt-small", NULL);
	struct mpool_small *is = mpool_global();

	KUNIT_EXPECT_EQ(test, mpool_set_global(NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_set_global(ERR_PTR(-ENOMEM)), -EINVAL);
	/* In use by now. */
	KUNIT_EXPECT_EQ(test, mpool_set_global(pool), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, is, mpool_global());
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
	/* So it goes as easily as any other. */
	KUNIT_EXPECT_EQ(test,
			mpool_small_destroy(mpool_kunit_own_small(test, pool)),
			0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-small"));
}

/* mpool_set_global() prepares a pool before its first use. */
static void set_prepares_the_pool(struct kunit *test)
{
	struct mpool_small *first = mpool_kunit_small(test, "kt-first", NULL);
	struct mpool_small *second = mpool_kunit_small(test, "kt-second", NULL);
	struct mpool_small *gone = mpool_small_create("kt-gone", NULL);
	unsigned long at = (unsigned long)first | 1;
	unsigned int i;
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gone));
	p = mpool_small_alloc(gone, 8, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(gone), 1);
	atomic_inc(&first->base.users);
	/* An orphan takes frees only. */
	KUNIT_EXPECT_EQ(test, mpool_global_offer(&at, gone, _THIS_IP_),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, (unsigned long)first | 1, at);
	KUNIT_EXPECT_EQ(test, mpool_global_offer(&at, second, _THIS_IP_), 0);
	KUNIT_EXPECT_EQ(test, (unsigned long)second | 1, at);
	KUNIT_EXPECT_EQ(test, atomic_read(&first->base.users), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&second->base.users), 1);
	/* Each size of a class is served in any context. */
	for (i = 0; i <= mpool_small_class(SMALL_MAX); i++)
		KUNIT_EXPECT_NOT_NULL(test, second->classes[i]);
	/* In use. */
	at &= ~1ul;
	KUNIT_EXPECT_EQ(test, mpool_global_offer(&at, first, _THIS_IP_),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, atomic_read(&first->base.users), 0);
	atomic_dec(&second->base.users);
	mpool_free(p);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("kt-gone")));
}

static void cannot_be_destroyed(struct kunit *test)
{
	struct mpool_small *pool = mpool_global();
	void *p;

	KUNIT_EXPECT_EQ(test, mpool_small_destroy(pool), 0);
	KUNIT_EXPECT_PTR_EQ(test, pool, mpool_global());
	p = mpool_malloc(10, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_free(p);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
}

/* It has the objects of all drivers. */
static void cannot_be_cleared(struct kunit *test)
{
	void *p = mpool_malloc(10, GFP_KERNEL);
	void *q = mpool_malloc(100000, GFP_KERNEL);

	mpool_small_clear(mpool_global());
	KUNIT_EXPECT_TRUE(test, mpool_owns(p));
	KUNIT_EXPECT_TRUE(test, mpool_owns(q));
	mpool_free(p);
	mpool_free(q);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
}

static void fails_cleanly(struct kunit *test)
{
	static const size_t sizes[] = { 10, 700, 9000, 70000 };
	struct mpool_small *pool = mpool_global();
	unsigned int n, i, class, seen = 0;
	size_t before = live_now();
	void *p, *q;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 100; n++) {
		i = n % ARRAY_SIZE(sizes);
		class = mpool_small_class(min_t(size_t, sizes[i], SMALL_MAX));
		if (pool->classes[class])
			mpool_fixed_drain(pool->classes[class]);
		mpool_large_trim(mpool_large_shared);
		mpool_kunit_fail_nth(1 + n / ARRAY_SIZE(sizes));
		p = mpool_malloc(sizes[i], GFP_NOWAIT);
		q = mpool_realloc(p, sizes[i] * 3, GFP_NOWAIT);
		seen += mpool_kunit_fail_end();
		mpool_free(q ?: p);
		KUNIT_EXPECT_EQ(test, before, live_now());
	}
	KUNIT_EXPECT_GT(test, seen, 10);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

static struct kunit_case global_cases[] = {
	KUNIT_CASE(malloc_and_free),
	KUNIT_CASE(no_size),
	KUNIT_CASE(arrays_that_cannot_be),
	KUNIT_CASE(new_and_delete),
	KUNIT_CASE(freed_at_the_end_of_its_scope),
	KUNIT_CASE(realloc_stays_in_the_pool),
	KUNIT_CASE(set_refuses),
	KUNIT_CASE(set_prepares_the_pool),
	KUNIT_CASE(cannot_be_destroyed),
	KUNIT_CASE(cannot_be_cleared),
	KUNIT_CASE(fails_cleanly),
	{ }
};

static struct kunit_suite global_suite = {
	.name = "mpool_global",
	.suite_exit = mpool_kunit_verified,
	.test_cases = global_cases,
};

kunit_test_suite(global_suite);
