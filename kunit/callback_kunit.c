// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks that do what they must not: constructors that free their object.
 *
 * Each is refused with a line, and the pools go on.
 */
#include <kunit/test.h>

#include "fixed.h"
#include "helpers.h"

#define NAME	"kt-callback"
#define SIZE	200

/* --- a constructor that frees its own object --- */

enum freed_by {
	BY_FIXED, BY_BULK, BY_ANY, NR_FREED_BY
};

struct unborn {
	struct mpool_fixed *pool;
	enum freed_by by;
	int ret;		/* of the constructor */
	unsigned int live;	/* times that it was found alive */
};

static int count_live(void *obj, void *arg)
{
	struct unborn *unborn = arg;

	unborn->live++;
	return 0;
}

static int unborn_ctor(void *obj, void *priv)
{
	struct unborn *unborn = priv;
	unsigned int i;

	unborn->live += mpool_fixed_owns(unborn->pool, obj);
	mpool_fixed_walk(unborn->pool, count_live, unborn);
	for (i = 0; i < 2; i++) {
		if (unborn->by == BY_FIXED)
			mpool_fixed_free(unborn->pool, obj);
		else if (unborn->by == BY_BULK)
			mpool_fixed_free_bulk(unborn->pool, 1, &obj);
		else
			mpool_free(obj);
	}
	return unborn->ret;
}

/* An object is not live before its constructor has returned, if it is then. */
static void ctor_frees_its_object(struct kunit *test)
{
	struct unborn unborn = { };
	const struct mpool_fixed_args args = {
		.ctor = unborn_ctor, .priv = &unborn,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	unsigned int n = 0;
	void *p, *q;

	unborn.pool = pool;
	for (unborn.by = 0; unborn.by < NR_FREED_BY; unborn.by++) {
		unborn.ret = -EINVAL;
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
		n += 2;
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->pool));
		KUNIT_EXPECT_EQ(test, 0, mpool_fixed_live(pool));
		unborn.ret = 0;
		p = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		n += 2;
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->pool));
		KUNIT_EXPECT_EQ(test, 0, unborn.live);
		KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, p));
		q = mpool_fixed_zalloc(pool, GFP_KERNEL);
		n += 2;
		KUNIT_EXPECT_PTR_NE(test, p, q);
		KUNIT_EXPECT_EQ(test, 1, unborn.live);	/* the first one */
		unborn.live = 0;
		mpool_fixed_free(pool, p);
		mpool_fixed_free(pool, q);
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->pool));
		KUNIT_EXPECT_EQ(test, 0, mpool_fixed_verify(pool));
	}
}

static struct kunit_case callback_cases[] = {
	KUNIT_CASE(ctor_frees_its_object),
	{ }
};

static struct kunit_suite callback_suite = {
	.name = "mpool_callback",
	.suite_exit = mpool_kunit_verified,
	.test_cases = callback_cases,
};

kunit_test_suite(callback_suite);
