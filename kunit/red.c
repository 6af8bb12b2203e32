// SPDX-License-Identifier: GPL-2.0-only
/* A case that fails: shows that whoever judges the suites can tell. */
#include <kunit/test.h>
#include <linux/module.h>

static void always_fails(struct kunit *test)
{
	KUNIT_EXPECT_EQ_MSG(test, 1, 2, "planted: this has to be reported");
}

static struct kunit_case red_cases[] = {
	KUNIT_CASE(always_fails),
	{ }
};

static struct kunit_suite red_suite = {
	.name = "mpool_red",
	.test_cases = red_cases,
};

kunit_test_suite(red_suite);

MODULE_DESCRIPTION("mpool: a test that has to fail");
MODULE_LICENSE("GPL");
