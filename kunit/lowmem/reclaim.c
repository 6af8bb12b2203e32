// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim: what lies idle in pools is there for whoever needs memory.
 *
 * Nobody calls the shrinker here but the kernel, because somebody takes page
 * after page as anybody would.
 */
#include "large.h"
#include "lowmem.h"

#define SPARES		4
#define SPARE_PAGES	512

/* Pools of which each has an arena that is not in use. */
struct idle {
	struct mpool_large *large[SPARES];
	struct load *load;
	unsigned long pages;
};

static unsigned long footprint_pages(void)
{
	return mpool_footprint() >> PAGE_SHIFT;
}

static void destroy_spares(struct idle *idle)
{
	unsigned int i;

	for (i = 0; i < SPARES; i++)
		mpool_large_destroy(idle->large[i]);
}

KUNIT_DEFINE_ACTION_WRAPPER(end_spares, destroy_spares, struct idle *);

static struct idle *idle_begin(struct kunit *test)
{
	struct idle *idle = kunit_kzalloc(test, sizeof(*idle), GFP_KERNEL);
	char name[MPOOL_NAME_LEN];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, idle);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_spares,
							   idle));
	for (i = 0; i < SPARES; i++) {
		scnprintf(name, sizeof(name), "lowmem-spare-%u", i);
		idle->large[i] = mpool_large_create(name, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(idle->large[i]));
	}
	idle->load = load_begin(test, 20000);
	return idle;
}

/* Uses the pools and gives everything back; how many pages stay in them. */
static void idle_fill(struct kunit *test, struct idle *idle)
{
	unsigned long before = footprint_pages();
	unsigned int i;
	void *p;

	for (i = 0; i < SPARES; i++) {
		p = mpool_large_alloc(idle->large[i], SPARE_PAGES * PAGE_SIZE,
				      NULL, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p);
		mpool_large_free(idle->large[i], p);
	}
	for (i = 0; i < 3000 * LOAD_SIZES; i++)
		load_take(idle->load, LOAD_FIXED, load_size[i % LOAD_SIZES],
			  GFP_QUIET);
	load_give_all(idle->load);
	idle->pages = footprint_pages() - before;
	/* A magazine or two at least of each, and mostly the depot's 512 KiB. */
	KUNIT_EXPECT_GE(test, idle->pages, SPARES * SPARE_PAGES + 300);
	for (i = 0; i < SPARES; i++)
		KUNIT_EXPECT_EQ(test, idle->large[i]->runs.nr_pages,
				SPARE_PAGES);
}

static void expect_empty(struct kunit *test, struct idle *idle,
			 unsigned long before)
{
	unsigned int i;

	for (i = 0; i < SPARES; i++)
		KUNIT_EXPECT_EQ(test, idle->large[i]->runs.nr_pages, 0);
	/* What pools of others had idle went, too; tables may have grown. */
	KUNIT_EXPECT_LE(test, footprint_pages(), before + 32);
}

static void idle_end(struct kunit *test, struct idle *idle)
{
	load_end(test, idle->load);
	kunit_release_action(test, end_spares, idle);
}

/* Who does not insist gets it all: reclaim is told that there was progress. */
static void goes_to_who_tries_once(struct kunit *test)
{
	struct idle *idle = idle_begin(test);
	unsigned long all, before, n;
	struct hog *hog = hog_begin(test);

	hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	all = hog->pages;
	hog_give_all(hog);
	before = footprint_pages();
	idle_fill(test, idle);
	n = hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	kunit_info(test, "%lu of %lu pages were had, %lu lay idle\n", n, all,
		   idle->pages);
	KUNIT_EXPECT_GE(test, n + idle->pages / 10, all);
	expect_empty(test, idle, before);
	hog_end(test, hog);
	idle_end(test, idle);
}

/* An ordinary allocation has half of what was idle without a kill. */
static void goes_before_somebody_is_killed(struct kunit *test)
{
	struct idle *idle = idle_begin(test);
	unsigned long most, n;
	struct hog *hog = hog_begin(test);

	most = lowmem_free_pages();
	idle_fill(test, idle);
	most -= idle->pages / 2;
	n = hog_take(hog, 0, most, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, n, most);
	hog_end(test, hog);
	idle_end(test, idle);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(goes_to_who_tries_once),
	KUNIT_CASE(goes_before_somebody_is_killed),
	{ }
};

static struct kunit_suite reclaim_suite = {
	.name = "mpool_lowmem_reclaim",
	.init = lowmem_init_case,
	.exit = lowmem_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
