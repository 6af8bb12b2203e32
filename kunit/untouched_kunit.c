// SPDX-License-Identifier: GPL-2.0-only
/* A region of pages that nobody may read or write: untouched.h. */
#include <linux/slab.h>

#include "helpers.h"
#include "pagemap.h"
#include "untouched.h"

/* All that can be done with a pool, and not one access. */
static void protected_region(struct kunit *test)
{
	struct untouched *u = kunit_kzalloc(test, sizeof(*u), GFP_KERNEL);
	const char *wrong;

	KUNIT_ASSERT_NOT_NULL(test, u);
	KUNIT_ASSERT_TRUE(test, untouched_begin(u));
	wrong = untouched_use(u);
	if (wrong)
		KUNIT_FAIL(test, "%s", wrong);
	untouched_end(u);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans("untouched"), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case untouched_cases[] = {
	KUNIT_CASE(protected_region),
	{ }
};

static struct kunit_suite untouched_suite = {
	.name = "mpool_untouched",
	.suite_exit = mpool_kunit_verified,
	.test_cases = untouched_cases,
};

kunit_test_suite(untouched_suite);
