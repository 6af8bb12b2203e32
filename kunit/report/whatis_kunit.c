// SPDX-License-Identifier: GPL-2.0-only
/*
 * What any address is: in pools to the word, elsewhere by kind.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fixed.h"
#include "helpers.h"
#include "whatis.h"

#define NAME	"kt-whatis"

static void expect_area(struct kunit *test, const void *p,
			enum mpool_area area)
{
	struct mpool_whatis what;
	bool live;

	memset(&what, 0xa5, sizeof(what));
	live = mpool_whatis(p, &what);
	KUNIT_EXPECT_EQ(test, area, what.area);
	KUNIT_EXPECT_EQ(test, live, area == MPOOL_AREA_LIVE);
	if (area == MPOOL_AREA_LIVE || area == MPOOL_AREA_FREE)
		return;
	KUNIT_EXPECT_STREQ(test, what.pool, "");
	KUNIT_EXPECT_STREQ(test, what.site, "");
	KUNIT_EXPECT_NULL(test, what.base);
	KUNIT_EXPECT_FALSE(test, mpool_owns(p));
	KUNIT_EXPECT_EQ(test, mpool_usable_size(p), 0);
}

static void expect_object(struct kunit *test, const void *base, size_t size,
			  const char *pool, unsigned int line)
{
	size_t offsets[] = { 0, 1, size / 2, size - 1 };
	struct mpool_whatis what;
	char site[112];
	int i;

	snprintf(site, sizeof(site), "whatis_kunit.c:%u %s [%s]", line,
		 test->name, KBUILD_MODNAME);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		KUNIT_EXPECT_TRUE(test, mpool_whatis(base + offsets[i], &what));
		KUNIT_EXPECT_EQ(test, what.area, MPOOL_AREA_LIVE);
		KUNIT_EXPECT_PTR_EQ(test, what.base, base);
		KUNIT_EXPECT_EQ(test, what.size, size);
		KUNIT_EXPECT_EQ(test, what.offset, offsets[i]);
		KUNIT_EXPECT_STREQ(test, what.pool, pool);
		KUNIT_EXPECT_STREQ(test, what.site, site);
	}
}

static void expect_free(struct kunit *test, const void *p, const char *pool)
{
	struct mpool_whatis what;

	KUNIT_EXPECT_FALSE(test, mpool_whatis(p, &what));
	KUNIT_EXPECT_EQ(test, what.area, MPOOL_AREA_FREE);
	KUNIT_EXPECT_STREQ(test, what.pool, pool);
	KUNIT_EXPECT_STREQ(test, what.site, "");
	KUNIT_EXPECT_FALSE(test, mpool_owns(p));
	KUNIT_EXPECT_EQ(test, mpool_usable_size(p), 0);
}

static void fixed_objects(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1000, NULL);
	struct mpool_chunk *chunk;
	unsigned int line;
	void *a, *b, *tail;

	a = mpool_fixed_alloc(pool, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, a);
	expect_object(test, a, 1000, NAME, line);
	b = mpool_fixed_zalloc(pool, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, b);
	expect_object(test, b, 1000, NAME, line);
	KUNIT_EXPECT_TRUE(test, mpool_owns(a));
	KUNIT_EXPECT_FALSE(test, mpool_owns(a + 1));
	mpool_fixed_free(pool, a);
	expect_free(test, a, NAME);
	expect_free(test, a + 500, NAME);
	chunk = mpool_chunk_find(b);
	tail = (void *)(chunk->at.base + chunk->at.nr * chunk->at.fixed->chunks.size);
	KUNIT_ASSERT_LT(test, chunk->at.nr * chunk->at.fixed->chunks.size,
			chunk->pg->len * PAGE_SIZE);
	expect_free(test, tail, NAME);
	expect_free(test, (void *)(chunk->at.base + chunk->pg->len *
				   PAGE_SIZE - 1), NAME);
	mpool_fixed_free(pool, b);
	expect_free(test, b, NAME);
}

static void small_objects_and_runs(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	unsigned int line;
	void *a, *b, *c;

	a = mpool_small_alloc(pool, 130, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, a);
	expect_object(test, a, 160, NAME, line);
	b = mpool_small_alloc(pool, 20000, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, b);
	expect_object(test, b, 20480, NAME, line);
	a = mpool_small_realloc(pool, a, 140, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, a);
	expect_object(test, a, 160, NAME, line);
	c = mpool_malloc(60, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, c);
	expect_object(test, c, 64, mpool_global()->base.name, line);
	mpool_free(a);
	mpool_free(b);
	mpool_free(c);
	expect_area(test, a, MPOOL_AREA_FREE);
	expect_area(test, c, MPOOL_AREA_FREE);
	KUNIT_EXPECT_FALSE(test, mpool_owns(b));
}

static void runs_of_a_region(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, NAME, 16);
	unsigned int line;
	size_t real;
	void *a, *b;

	a = mpool_large_alloc(region, 5000, &real, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, a);
	expect_object(test, a, 8192, NAME, line);
	b = mpool_large_alloc(region, 1, &real, GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, b);
	expect_object(test, b, 4096, NAME, line);
	KUNIT_EXPECT_TRUE(test, mpool_owns(a));
	KUNIT_EXPECT_FALSE(test, mpool_owns(a + 4096));
	mpool_large_free(region, a);
	expect_free(test, a, NAME);
	expect_free(test, a + 8191, NAME);
	mpool_large_free(region, b);
	expect_free(test, b + 5, NAME);
}

static void strings(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	struct mpool_whatis what;
	unsigned int line;
	const char *s;
	char site[112];

	s = mpool_string_get(pool, "who am I", GFP_KERNEL); line = __LINE__;
	KUNIT_ASSERT_NOT_NULL(test, s);
	snprintf(site, sizeof(site), "whatis_kunit.c:%u %s [%s]", line,
		 __func__, KBUILD_MODNAME);
	KUNIT_EXPECT_TRUE(test, mpool_whatis(s, &what));
	KUNIT_EXPECT_STREQ(test, what.pool, NAME);
	KUNIT_EXPECT_STREQ(test, what.site, site);
	KUNIT_EXPECT_PTR_EQ(test, what.base + what.offset, (const void *)s);
	KUNIT_EXPECT_FALSE(test, mpool_owns(s));
	mpool_string_put(pool, s);
}

/* --- what is not mpool's --- */

static const char some_constant[64] = "constant";
static char some_variable[64] = "variable";
static char some_zeroes[64];

static void parts_of_a_module(struct kunit *test)
{
	char on_stack[16];

	on_stack[0] = some_constant[1];
	some_variable[2] = on_stack[0];
	some_zeroes[3] = some_variable[2];
	expect_area(test, (void *)parts_of_a_module, MPOOL_AREA_TEXT);
	expect_area(test, some_constant, MPOOL_AREA_RODATA);
	expect_area(test, some_constant + 63, MPOOL_AREA_RODATA);
	expect_area(test, some_variable, MPOOL_AREA_DATA);
	expect_area(test, some_zeroes + 10, MPOOL_AREA_DATA);
	expect_area(test, on_stack, MPOOL_AREA_STACK);
	expect_area(test, (void *)vfree, MPOOL_AREA_TEXT);
	/* A module is not only ours. */
	expect_area(test, (void *)__mpool_fixed_create, MPOOL_AREA_TEXT);
}

static void memory_of_others(struct kunit *test)
{
	void *slab = kmalloc(100, GFP_KERNEL);
	void *page = (void *)__get_free_page(GFP_KERNEL);
	void *area = vmalloc(10000);

	KUNIT_EXPECT_NOT_NULL(test, slab);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_NOT_NULL(test, area);
	if (slab && page && area) {
		expect_area(test, slab, MPOOL_AREA_SLAB);
		expect_area(test, slab + 50, MPOOL_AREA_SLAB);
		expect_area(test, page, MPOOL_AREA_PAGE);
		expect_area(test, page + 4095, MPOOL_AREA_PAGE);
		expect_area(test, area, MPOOL_AREA_VMALLOC);
		expect_area(test, area + 9999, MPOOL_AREA_VMALLOC);
	}
	vfree(area);
	free_page((unsigned long)page);
	kfree(slab);
}

static void no_memory_at_all(struct kunit *test)
{
	expect_area(test, NULL, MPOOL_AREA_NOTHING);
	expect_area(test, (void *)1, MPOOL_AREA_NOTHING);
	expect_area(test, ZERO_SIZE_PTR, MPOOL_AREA_NOTHING);
	expect_area(test, ERR_PTR(-ENOMEM), MPOOL_AREA_NOTHING);
	expect_area(test, (void *)-1ul, MPOOL_AREA_NOTHING);
	expect_area(test, (void *)0xdead000000000100, MPOOL_AREA_NOTHING);
	expect_area(test, (void *)0x10000, MPOOL_AREA_USER);
}

/* A million values: none faults, and what is said agrees with itself. */
static void any_value(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 200, NULL);
	struct mpool_whatis what;
	struct rnd_state rnd;
	unsigned int i, wrong = 0, hits = 0;
	void *objs[20], *p;
	bool live, owns;

	mpool_kunit_random(test, &rnd);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 20, objs), 20);
	for (i = 0; i < 1000000; i++) {
		p = (void *)((u64)prandom_u32_state(&rnd) << 32 |
			     prandom_u32_state(&rnd));
		/* Every other one near to something. */
		if (i % 2)
			p = (void *)((unsigned long)objs[i % 20] ^
				     ((unsigned long)p & 0xfff));
		live = mpool_whatis(p, &what);
		owns = mpool_owns(p);
		hits += owns;
		wrong += owns && (!live || what.offset);
		wrong += live != (what.area == MPOOL_AREA_LIVE);
		wrong += live && (what.base + what.offset != p ||
				  what.offset >= what.size);
		if (i % 10000 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, hits, 100);
	mpool_fixed_free_bulk(pool, 20, objs);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static struct kunit_case whatis_cases[] = {
	KUNIT_CASE(fixed_objects),
	KUNIT_CASE(small_objects_and_runs),
	KUNIT_CASE(runs_of_a_region),
	KUNIT_CASE(strings),
	KUNIT_CASE(parts_of_a_module),
	KUNIT_CASE(memory_of_others),
	KUNIT_CASE(no_memory_at_all),
	KUNIT_CASE(any_value),
	{ }
};

static struct kunit_suite whatis_suite = {
	.name = "mpool_whatis",
	.suite_exit = mpool_kunit_verified,
	.test_cases = whatis_cases,
};

kunit_test_suite(whatis_suite);
