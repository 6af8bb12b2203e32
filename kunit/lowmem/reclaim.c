// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim: what lies idle in pools is there for whoever needs memory.
 *
 * Nobody calls the shrinker here but the kernel, because somebody takes page
 * after page as anybody would.
 */
#include "large.h"
#include "lowmem.h"

#define SPARES		64
#define SPARE_PAGES	32
#define TRIES		10

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
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_spares, idle),
			0);
	for (i = 0; i < SPARES; i++) {
		scnprintf(name, sizeof(name), "lowmem-spare-%u", i);
		idle->large[i] = mpool_large_create(name, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(idle->large[i]));
	}
	idle->load = load_begin(test, 20000);
	return idle;
}

/* Idle pages that did not go to those who were short of memory. */
static unsigned int idle_left(struct idle *idle)
{
	unsigned int i, left = 0;

	for (i = 0; i < SPARES; i++)
		left += mpool_large_nr_pages(idle->large[i]);
	return left;
}

/*
 * Uses the pools and gives everything back; how many pages stay in them, or 0 if the
 * kernel took some at once: it may at any time, when it was short of memory before.
 */
static unsigned long idle_fill(struct kunit *test, struct idle *idle)
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
	/* A chunk of each size at least. */
	if (idle_left(idle) != SPARES * SPARE_PAGES ||
	    (long)idle->pages < SPARES * SPARE_PAGES + LOAD_SIZES)
		return 0;
	return idle->pages;
}

static void idle_end(struct kunit *test, struct idle *idle)
{
	load_end(test, idle->load);
	kunit_release_action(test, end_spares, idle);
}

/* Does who takes pages until the first is refused get all that lies idle? */
static bool try_once(struct kunit *test, struct idle *idle, struct hog *hog)
{
	unsigned long all, before, n;

	hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	all = hog->pages;
	hog_give_all(hog);
	before = footprint_pages();
	if (!idle_fill(test, idle))
		return false;
	n = hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	kunit_info(test, "%lu of %lu pages were had, %lu lay idle, %u do\n", n, all,
		   idle->pages, idle_left(idle));
	/* Idle pages of other pools went, too; tables may have grown. */
	return n + idle->pages / 10 >= all && !idle_left(idle) &&
	       footprint_pages() <= before + 32;
}

/*
 * A caller that does not insist gets it all: reclaim is told that there was progress.
 * Others take memory, too, and free what was theirs, whenever they get to run: then all
 * is tried again, from the start.  Where reclaim is not told, each of the tries ends
 * early.
 */
static void goes_to_who_tries_once(struct kunit *test)
{
	struct idle *idle = idle_begin(test);
	struct hog *hog = hog_begin(test);
	unsigned int tries = TRIES;

	while (!try_once(test, idle, hog) && --tries) {
		hog_give_all(hog);
		schedule_timeout_uninterruptible(1);
	}
	KUNIT_EXPECT_GT(test, tries, 0);
	hog_end(test, hog);
	idle_end(test, idle);
}

/* An ordinary allocation has half of what was idle without a kill. */
static void goes_before_somebody_is_killed(struct kunit *test)
{
	struct idle *idle = idle_begin(test);
	unsigned long most = 0, n, pages = 0;
	struct hog *hog = hog_begin(test);
	unsigned int tries = TRIES;

	while (!pages && tries--) {
		most = lowmem_free_pages();
		pages = idle_fill(test, idle);
	}
	KUNIT_EXPECT_GT(test, pages, 0);
	most -= pages / 2;
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
