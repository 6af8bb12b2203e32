// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory: pools of every kind are filled until they get nothing.
 *
 * Whatever the flags, that is an answer and not a disaster: nobody is killed,
 * the pool says what it lacked and goes on, and work that nobody waits for does
 * without.
 */
#include "audit.h"
#include "fixed.h"
#include "lowmem.h"
#include "strpool.h"

struct want {
	enum load_kind kind;
	gfp_t gfp;
	const char *flags;
};

#define GFP_DRY		(GFP_NOWAIT | __GFP_NOWARN)
#define GFP_URGENT	(GFP_ATOMIC | __GFP_NOWARN)

static const struct want wants[] = {
	{ LOAD_LARGE, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_LARGE, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_LARGE, GFP_URGENT, "GFP_ATOMIC" },
	{ LOAD_VIRT, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_VIRT, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_VIRT, GFP_URGENT, "GFP_ATOMIC" },
	{ LOAD_FIXED, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_FIXED, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_FIXED, GFP_URGENT, "GFP_ATOMIC" },
	{ LOAD_SMALL, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_SMALL, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_SMALL, GFP_URGENT, "GFP_ATOMIC" },
	{ LOAD_STRING, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_STRING, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_STRING, GFP_URGENT, "GFP_ATOMIC" },
	{ LOAD_GLOBAL, GFP_QUIET, "GFP_KERNEL" },
	{ LOAD_GLOBAL, GFP_DRY, "GFP_NOWAIT" },
	{ LOAD_GLOBAL, GFP_URGENT, "GFP_ATOMIC" },
};

static void want_name(const struct want *want, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s, %s",
		 load_kind_name[want->kind], want->flags);
}

KUNIT_ARRAY_PARAM(want, wants, want_name);

/* What is asked for, of each kind. */
static const u32 want_size[LOAD_KINDS] = {
	[LOAD_LARGE] = 5 * PAGE_SIZE,
	[LOAD_VIRT] = 64 * PAGE_SIZE,
	[LOAD_FIXED] = 1000,
	[LOAD_SMALL] = 2500,
	[LOAD_STRING] = LOAD_TEXT,
	[LOAD_GLOBAL] = 3000,
};

static struct mpool_large *large_of(struct load *load, enum load_kind kind)
{
	return kind == LOAD_LARGE ? load->large :
	       kind == LOAD_VIRT ? load->virt : mpool_large_shared;
}

/* Who had the memory is found out by a work item. */
static bool has_holders(struct mpool_large *large)
{
	bool has;

	mutex_lock(&mpool_shortage_mutex);
	has = large->shortage.top[0].pages;
	mutex_unlock(&mpool_shortage_mutex);
	return has;
}

static void expect_explained(struct kunit *test, struct load *load,
			     const struct want *want)
{
	u32 size = want_size[want->kind];
	struct mpool_pool *pool = load_pool(load, want->kind, size);
	const struct mpool_failure *fail = &pool->fail;

	KUNIT_EXPECT_GE(test, fail->size, size);
	/* A class is asked for, and a string has something in front. */
	KUNIT_EXPECT_LE(test, fail->size, size + size / 8 + 32);
	KUNIT_EXPECT_EQ(test, (__force u32)fail->gfp, (__force u32)want->gfp);
	KUNIT_EXPECT_NE(test, fail->site, 0);
	KUNIT_EXPECT_GE(test, mpool_stat_read(&pool->stats, MPOOL_STAT_FAIL),
			1);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(has_holders(large_of(load,
								      want->kind))));
}

/* What is there can be given, had again, and found. */
static void expect_usable(struct kunit *test, struct load *load,
			  const struct want *want)
{
	const char *s = load->item[0].p;

	if (want->kind == LOAD_STRING) {
		KUNIT_EXPECT_PTR_EQ(test, mpool_string_get(load->string, s,
							   want->gfp), s);
		mpool_string_put(load->string, s);
		return;
	}
	load_give(load, load->n - 1);
	KUNIT_EXPECT_TRUE(test, load_take(load, want->kind,
					  want_size[want->kind], want->gfp));
}

/*
 * A megabyte that is given back when there is nothing, for what KUnit has to say then:
 * GFP_ATOMIC leaves less than GFP_KERNEL may touch, and that would kill somebody.
 */
#define BALLAST_ORDER	8

/* Does each request take a block of the page allocator? */
static bool whole_blocks(const struct want *want)
{
	return want->kind == LOAD_LARGE ||
	       (want->kind == LOAD_VIRT && !gfpflags_allow_blocking(want->gfp));
}

static void until_there_is_nothing(struct kunit *test)
{
	const struct want *want = test->param_value;
	struct load *load = load_begin(test, 5 * totalram_pages());
	unsigned long ballast = __get_free_pages(GFP_KERNEL, BALLAST_ORDER);
	unsigned long pages = lowmem_free_pages();
	u32 size = want_size[want->kind];

	while (load_take(load, want->kind, size, want->gfp))
		cond_resched();
	free_pages(ballast, BALLAST_ORDER);
	kunit_info(test, "%u times %u bytes served, of %lu pages\n",
		   load->served, size, pages);
	KUNIT_EXPECT_EQ(test, load->refused, 1);
	/*
	 * The rest is what the kernel keeps, descriptions, and odd pieces.  A run of five
	 * pages takes a block of eight, of which three go back, too few for another run.
	 * One of 64 pages takes a whole block, and a single slab in a block is enough to
	 * make it useless, unless the caller may sleep, and gets pages of vmalloc().
	 */
	KUNIT_EXPECT_GE(test, (u64)load->n * size, whole_blocks(want) ?
			(u64)pages * PAGE_SIZE / 2 :
			(u64)pages * PAGE_SIZE / 4 * 3);
	expect_explained(test, load, want);
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
	expect_usable(test, load, want);
	load_end(test, load);
}

#define DRY	20

/* All kinds at once until each was refused often; then there is enough again. */
static void all_at_once(struct kunit *test)
{
	struct load *load = load_begin(test, 5 * totalram_pages());
	unsigned int dry[LOAD_KINDS] = { 0 }, left = LOAD_KINDS;
	struct rnd_state rnd;
	enum load_kind kind;

	mpool_kunit_random(test, &rnd);
	while (left && load->n < load->max) {
		kind = mpool_kunit_below(&rnd, LOAD_KINDS);
		if (!load_take(load, kind, load_random_size(&rnd, kind),
			       GFP_QUIET))
			left -= ++dry[kind] == DRY;
	}
	kunit_info(test, "%u served, %u refused\n", load->served,
		   load->refused);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
	while (load->n > load->served / 2)
		load_give(load, mpool_kunit_below(&rnd, load->n));
	for (kind = 0; kind < LOAD_KINDS; kind++)
		KUNIT_EXPECT_TRUE(test, load_take(load, kind, 1000,
						  GFP_KERNEL));
	load_end(test, load);
}

/* --- what nobody waits for --- */

/* The table cannot be made longer: its chains get longer. */
static void table_of_strings(struct kunit *test)
{
	struct load *load = load_begin(test, 3000);
	struct hog *hog = hog_begin(test);
	struct mpool_strtab *tab = &load->string->tab;
	unsigned int i;

	mutex_lock(&tab->resize_mutex);
	for (i = 0; i < 2000; i++)
		load_take(load, LOAD_STRING, 20, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, load->n, 2000);
	hog_take_all(hog);
	mutex_unlock(&tab->resize_mutex);
	flush_work(&tab->work);
	hog_end(test, hog);
	for (i = 0; i < 2000; i++)
		if (!mpool_string_has(load->string, load->item[i].p))
			break;
	KUNIT_EXPECT_EQ(test, i, 2000);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(load->string), 0);
	load_end(test, load);
}

#define RESERVE	64

/* The reserve is used up, cannot be filled, and is filled later. */
static void reserve(struct kunit *test)
{
	const struct mpool_fixed_args args = { .reserve = RESERVE };
	struct mpool_fixed *fixed = mpool_kunit_fixed(test, "lowmem-reserve",
						      4096, &args);
	struct hog *hog = hog_begin(test);
	void *first = NULL, *obj;
	unsigned int n;

	hog_take_all(hog);
	for (n = 0; (obj = mpool_fixed_alloc(fixed, GFP_NOWAIT)); n++) {
		*(void **)obj = first;
		first = obj;
	}
	KUNIT_EXPECT_GE(test, n, RESERVE);
	flush_work(&fixed->reserve.defer.work);
	hog_end(test, hog);
	while (first) {
		obj = first;
		first = *(void **)obj;
		mpool_fixed_free(fixed, obj);
	}
	KUNIT_EXPECT_TRUE(test,
			  mpool_kunit_wait(mpool_reserve_objects(&fixed->reserve) ==
					   RESERVE));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(fixed), 0);
	/* The reserve is memory too. */
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, fixed));
}

/* A pool ends, and what it leaks is reported, without a page. */
static void ends_and_reports(struct kunit *test)
{
	const struct mpool_small_args args = {
		.on_leak = MPOOL_ON_LEAK_RECLAIM
	};
	struct mpool_small *small = mpool_small_create("lowmem-leaks", &args);
	struct load *load = load_begin(test, 100);
	struct hog *hog = hog_begin(test);
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(small));
	for (i = 0; i < 100; i++)
		load_take(load, i % LOAD_KINDS, 1000, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, mpool_small_alloc(small, 100, GFP_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, mpool_small_alloc(small, 50000,
						      GFP_KERNEL));
	hog_take_all(hog);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 2);
	hog_take_all(hog);
	load_end(test, load);
	hog_end(test, hog);
}

static struct kunit_case exhausted_cases[] = {
	KUNIT_CASE_PARAM(until_there_is_nothing, want_gen_params),
	KUNIT_CASE(all_at_once),
	KUNIT_CASE(table_of_strings),
	KUNIT_CASE(reserve),
	KUNIT_CASE(ends_and_reports),
	{ }
};

static struct kunit_suite exhausted_suite = {
	.name = "mpool_lowmem_exhausted",
	.init = lowmem_init_case,
	.exit = lowmem_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = exhausted_cases,
};

kunit_test_suite(exhausted_suite);
