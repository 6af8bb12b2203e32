// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mpool costs the system: the footprint rises by what pools take and is back
 * when they have ended, and what describes memory is about a hundredth of it at most.
 */
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fixed.h"
#include "helpers.h"
#include "large.h"
#include "pagemap.h"
#include "shrink.h"
#include "trim.h"

/* What other cases left idle is out of the way. */
static size_t footprint(void)
{
	unsigned int i;

	mpool_shrink_scan(ULONG_MAX);
	/* All leaves of the page map without a page: some at each call. */
	for (i = 0; i < 100; i++)
		mpool_pagemap_trim();
	return mpool_footprint();
}

/* Bytes that describe the memory of a pool: arenas, and a word a page. */
static size_t described_by(struct mpool_large *large)
{
	struct mpool_arena *arena;
	size_t bytes = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(arena, &large->arenas, list)
		bytes += kmalloc_size_roundup(mpool_arena_bytes(arena->npages)) +
			 arena->npages * sizeof(unsigned long);
	rcu_read_unlock();
	return bytes;
}

static void expect_described(struct kunit *test, struct mpool_large *large,
			     unsigned int thousandths)
{
	size_t managed = mpool_large_nr_pages(large) << PAGE_SHIFT;
	size_t meta = described_by(large);

	kunit_info(test, "%zu bytes describe %zu\n", meta, managed);
	KUNIT_EXPECT_LE(test, meta * 1000, managed * thousandths);
}

#define RUNS		160

/*
 * Each run has an arena of its own, and kmalloc() rounds its descriptor up: 152 bytes for
 * one page are 192, and 2528 bytes for 100 pages are 4096.
 */
static void arenas_of_the_system(struct kunit *test)
{
	static const u32 lengths[] = { 1, 5, 17, 31, 64, 100 };
	struct mpool_large *large;
	void **run = kunit_kcalloc(test, RUNS, sizeof(*run), GFP_KERNEL);
	size_t before = footprint();
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, run);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		large = mpool_large_create("kt-footprint", NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(large));
		for (j = 0; j < RUNS; j++) {
			run[j] = mpool_large_alloc(large, lengths[i] * PAGE_SIZE,
						   NULL, GFP_KERNEL);
			KUNIT_EXPECT_NOT_NULL(test, run[j]);
		}
		expect_described(test, large, lengths[i] > 1 ? 18 : 49);
		KUNIT_EXPECT_GE(test, mpool_footprint(), before +
				RUNS * lengths[i] * PAGE_SIZE);
		for (j = 0; j < RUNS; j++)
			mpool_large_free(large, run[j]);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
		KUNIT_EXPECT_EQ(test, footprint(), before);
	}
}

#define REGION_PAGES	(1ul << 18)

/* Of device memory nothing is touched, so that its addresses may be any. */
static void region_of_a_gigabyte(struct kunit *test)
{
	const struct mpool_region_args args = { .flags = MPOOL_REGION_IO };
	size_t before = footprint(), meta;
	struct mpool_large *large;

	large = mpool_large_create_region("kt-footprint",
					  (void *)MPOOL_KUNIT_NOWHERE,
					  REGION_PAGES << PAGE_SHIFT, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(large));
	expect_described(test, large, 10);
	/* The region itself is not the system's. */
	meta = mpool_footprint() - before;
	KUNIT_EXPECT_GE(test, meta, described_by(large));
	KUNIT_EXPECT_LE(test, meta * 100, REGION_PAGES << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	KUNIT_EXPECT_LE(test, footprint(), before + meta / 100);
}

#define OBJECTS		2000

static void objects_and_magazines(struct kunit *test)
{
	struct mpool_fixed *fixed;
	void **obj = kunit_kcalloc(test, OBJECTS, sizeof(*obj), GFP_KERNEL);
	size_t before = footprint(), full, states;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	fixed = mpool_fixed_create("kt-footprint", 256, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(fixed, GFP_KERNEL, OBJECTS, obj),
			OBJECTS);
	full = mpool_footprint();
	states = OBJECTS * sizeof(u32);
	KUNIT_EXPECT_GE(test, full, before + OBJECTS * 256 + states);
	/* Half an arena, a chunk and a magazine or two for each CPU beyond that. */
	KUNIT_EXPECT_LE(test, full, before + OBJECTS * 256 + 2 * states +
			SZ_256K);
	for (i = 0; i < OBJECTS; i++)
		mpool_fixed_free(fixed, obj[i]);
	/* Reclaim gets all but the pool itself. */
	KUNIT_EXPECT_LT(test, footprint(), full - OBJECTS * 256 / 4);
	KUNIT_EXPECT_GT(test, mpool_footprint(), before);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, footprint(), before);
}

static void small_and_strings(struct kunit *test)
{
	size_t before = footprint(), with;
	struct mpool_string *strings;
	struct mpool_small *small;
	const char *s;
	void *p, *run;

	small = mpool_small_create("kt-footprint", NULL);
	strings = mpool_string_create("kt-footprint-s", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(small));
	KUNIT_ASSERT_FALSE(test, IS_ERR(strings));
	with = mpool_footprint();
	KUNIT_EXPECT_GT(test, with, before);
	p = mpool_small_alloc(small, 3000, GFP_KERNEL);
	run = mpool_small_alloc(small, 50 * PAGE_SIZE, GFP_KERNEL);
	s = mpool_string_get(strings, "what a string costs", GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, s);
	KUNIT_EXPECT_GE(test, mpool_footprint(), with + 52 * PAGE_SIZE);
	mpool_small_free(small, p);
	mpool_small_free(small, run);
	mpool_string_put(strings, s);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(strings), 0);
	KUNIT_EXPECT_EQ(test, footprint(), before);
}

static struct kunit_case footprint_cases[] = {
	KUNIT_CASE(arenas_of_the_system),
	KUNIT_CASE(region_of_a_gigabyte),
	KUNIT_CASE(objects_and_magazines),
	KUNIT_CASE(small_and_strings),
	{ }
};

static int footprint_suite_init(struct kunit_suite *suite)
{
	mpool_trim_stop();
	return 0;
}

static void footprint_suite_exit(struct kunit_suite *suite)
{
	mpool_kunit_verified(suite);
	mpool_trim_start();
}

static struct kunit_suite footprint_suite = {
	.name = "mpool_footprint",
	.suite_init = footprint_suite_init,
	.suite_exit = footprint_suite_exit,
	.test_cases = footprint_cases,
};

kunit_test_suite(footprint_suite);
