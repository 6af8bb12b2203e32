// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of parked runs: free runs that the engine keeps as they are.
 *
 * As in runs_kunit.c, which has them in its model, arenas cover addresses that
 * mean nothing.
 */
#include <linux/slab.h>

#include "helpers.h"
#include "runs.h"

#define FAKE_BASE	((1UL << 40) + 3 * PAGE_SIZE)

static struct mpool_arena *new_arena(struct kunit *test, struct mpool_runs *runs,
				     unsigned long base, u32 npages)
{
	struct mpool_arena *arena;

	arena = kunit_kzalloc(test, mpool_arena_bytes(npages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, arena);
	mpool_arena_init(arena, runs, base, npages);
	mpool_runs_add(runs, arena);
	return arena;
}

/* Puts the one arena of an engine back to the state it began with. */
static void reset_arena(struct mpool_runs *runs, struct mpool_arena *arena,
			unsigned long base, u32 npages)
{
	memset(runs, 0, sizeof(*runs));
	memset(arena, 0, mpool_arena_bytes(npages));
	mpool_arena_init(arena, runs, base, npages);
	mpool_runs_add(runs, arena);
}

static struct mpool_page *take(struct mpool_runs *runs, u32 npages)
{
	return mpool_runs_alloc(runs, npages, 1, MPOOL_PAGE_RUN);
}

static int verify_one(struct mpool_runs *runs, struct mpool_arena *arena)
{
	return mpool_runs_verify_arena(runs, arena) +
	       mpool_runs_verify(runs, arena->npages, arena->nfree);
}

static bool one_free_run(const struct mpool_arena *arena)
{
	return arena->nfree == arena->npages &&
	       mpool_page_state(&arena->pages[0]) == MPOOL_PAGE_FREE &&
	       arena->pages[0].len == arena->npages;
}

#define PARK_RUNS	4
#define PARK_MAX	3

/* Gives a run back, parked if @park and there is room; false if that is wrong. */
static bool park_or_free(struct mpool_runs *runs, struct mpool_arena *arena,
			 struct mpool_page *pg, bool park,
			 struct mpool_page **parked)
{
	u32 len = pg->len;

	if (park) {
		if (mpool_runs_park(runs, arena, pg) == !!parked[len])
			return false;
		if (!parked[len]) {
			parked[len] = pg;
			return true;
		}
	}
	mpool_runs_free(runs, pg);
	return true;
}

/* What is parked is found again, once, and merges with what is around it. */
static const char *park_ends(struct mpool_runs *runs,
			     struct mpool_arena *arena,
			     struct mpool_page **parked)
{
	u32 len;

	for (len = 1; len <= PARK_MAX; len++) {
		if (mpool_runs_unpark(runs, len) != parked[len] ||
		    mpool_runs_unpark(runs, len))
			return "another run was parked";
		if (parked[len] && !mpool_runs_park(runs, arena, parked[len]))
			return "its place is taken";
	}
	mpool_runs_merge(runs, NULL);
	if (runs->nr_parked || verify_one(runs, arena))
		return "the merged arena is damaged";
	return one_free_run(arena) ? NULL : "parked runs were not merged";
}

/* Four runs go back in that order, those of @mask to be parked. */
static const char *park_in_order(struct mpool_runs *runs,
				 struct mpool_arena *arena, const u8 *len,
				 u32 order, u32 mask)
{
	struct mpool_page *pg[PARK_RUNS], *parked[PARK_MAX + 1] = {};
	u32 i, nfree = 0;

	for (i = 0; i < PARK_RUNS; i++)
		pg[i] = take(runs, len[i]);
	for (i = 0; i < PARK_RUNS; i++, order /= PARK_RUNS) {
		u32 k = order % PARK_RUNS;

		nfree += len[k];
		if (!park_or_free(runs, arena, pg[k], mask & BIT(k), parked))
			return "parked where there is no room, or not";
		if (arena->nfree != nfree || runs->nr_free != nfree)
			return "the number of free pages is wrong";
		if (verify_one(runs, arena))
			return "the arena is damaged";
		if (mpool_runs_claim(pg[k]))
			return "a free run was claimed";
	}
	return park_ends(runs, arena, parked);
}

/* All of one set of lengths; counts the cases. */
static void park_all(struct kunit *test, struct mpool_runs *runs,
		     struct mpool_arena *arena, u32 combo, u32 *cases)
{
	u32 i, order, mask, rest = combo, pages = 0;
	u8 len[PARK_RUNS];
	const char *wrong;

	for (i = 0; i < PARK_RUNS; i++, rest /= PARK_MAX) {
		len[i] = 1 + rest % PARK_MAX;
		pages += len[i];
	}
	reset_arena(runs, arena, FAKE_BASE, pages);
	for (order = 0; order < 256; order++) {
		if ((BIT(order & 3) | BIT(order >> 2 & 3) |
		     BIT(order >> 4 & 3) | BIT(order >> 6)) != 0xf)
			continue;
		for (mask = 0; mask < BIT(PARK_RUNS); mask++, ++*cases) {
			wrong = park_in_order(runs, arena, len, order, mask);
			KUNIT_ASSERT_NULL_MSG(test, wrong,
					      "lengths %u, order %x, parked %x: %s",
					      combo, order, mask, wrong);
		}
	}
}

/* Four runs of 1 to 3 pages, given back in every order, any of them parked. */
static void all_orders_of_parking(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 combo, cases = 0;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, PARK_RUNS * PARK_MAX);
	for (combo = 0; combo < 81; combo++)
		park_all(test, runs, arena, combo, &cases);
	KUNIT_EXPECT_EQ(test, cases, 81 * 24 * 16);
}

/* Only short runs are parked, and an arena goes with those it has. */
static void parked_run_goes_with_its_arena(struct kunit *test)
{
	struct mpool_page *pg, *other;
	struct mpool_arena *a, *b;
	struct mpool_runs *runs;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	a = new_arena(test, runs, FAKE_BASE, RUNS_PARK);
	b = new_arena(test, runs, FAKE_BASE * 2, RUNS_PARK - 1);
	pg = take(runs, RUNS_PARK);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_FALSE(test, mpool_runs_park(runs, a, pg));
	mpool_runs_free(runs, pg);
	other = take(runs, RUNS_PARK - 1);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(other), b);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, b, other));
	pg = take(runs, 5);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, a, pg));
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_NULL(test, mpool_runs_unpark(runs, 5));
	KUNIT_EXPECT_EQ(test, runs->nr_parked, 1);
	KUNIT_EXPECT_EQ(test, verify_one(runs, b), 0);
	KUNIT_EXPECT_PTR_EQ(test, mpool_runs_unpark(runs, RUNS_PARK - 1),
			    other);
}

/* A verifier that finds nothing is worth nothing. */
static void verify_finds_lost_run(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, arena, pg));
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	runs->parked[5] = NULL;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	runs->parked[6] = pg;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 32), 0);
	runs->parked[6] = NULL;
	runs->parked[5] = pg;
	runs->nr_parked++;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 32), 0);
	runs->nr_parked--;
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

static struct kunit_case parked_cases[] = {
	KUNIT_CASE(all_orders_of_parking),
	KUNIT_CASE(parked_run_goes_with_its_arena),
	KUNIT_CASE(verify_finds_lost_run),
	{ }
};

static struct kunit_suite parked_suite = {
	.name = "mpool_runs_parked",
	.test_cases = parked_cases,
};

kunit_test_suite(parked_suite);
