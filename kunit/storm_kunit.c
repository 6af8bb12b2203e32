// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ten million operations: threads and timers on all CPUs exchange objects of
 * all sorts, and nothing is lost, comes twice or is torn; then 64 bytes out and
 * back by all of them, where one interrupts another.
 *
 * Kernels that watch every access do fewer.
 */
#include <kunit/test.h>

#include "global.h"
#include "helpers.h"
#include "mailbox.h"
#include "versions.h"

#define WATCHED		(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN))
#define STORM_OPS	(WATCHED ? 2000000u : 10000000u)
#define STORM_FIRES	(WATCHED ? 20u : 100u)

static size_t live_of(struct mpool_small *small)
{
	struct mpool_count count;

	small->base.ops->count(&small->base, &count);
	return count.live;
}

static void expect_sums(struct kunit *test, const struct mailbox_sum *sum)
{
	kunit_info(test, "%llu allocs, %llu by timers that fired %u times, %u hard; %llu freed elsewhere, %llu bulks\n",
		   sum->allocs, sum->allocs - sum->thread_ops / 2, sum->fires,
		   sum->hard_fires, sum->remote, sum->bulks);
	KUNIT_EXPECT_EQ(test, sum->torn, 0);
	KUNIT_EXPECT_EQ(test, sum->thread_refused, 0);
	KUNIT_EXPECT_TRUE(test, !MPOOL_TEST_HARD_GROWS || !sum->refused);
	KUNIT_EXPECT_EQ(test, sum->allocs, sum->frees);
	KUNIT_EXPECT_EQ(test, sum->made, sum->ended);
	KUNIT_EXPECT_GE(test, sum->thread_ops, STORM_OPS);
	KUNIT_EXPECT_GE(test, sum->fires, MAILBOX_THREADS * STORM_FIRES);
	KUNIT_EXPECT_GE(test, sum->hard_fires, 2 * STORM_FIRES);
}

static void expect_at_rest(struct kunit *test, struct mailbox *box)
{
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(box->pairs), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(box->fixed), 0);
	KUNIT_EXPECT_EQ(test, live_of(box->small), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&box->pairs->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&box->fixed->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&box->small->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(box->pairs), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(box->fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(box->small), 0);
	mpool_fixed_drain(box->pairs);
	KUNIT_EXPECT_EQ(test, box->pairs->chunks.nr_objs, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(box->pairs), 0);
}

/* Everybody at once; who is given what is drawn from @test's seed. */
static void storm(struct kunit *test, bool pairs, struct mailbox_sum *sum)
{
	struct mailbox_plan plan = {
		.ops = STORM_OPS,
		.fires = STORM_FIRES,
		.period_us = WATCHED ? 20000 : 1000,
		.hard = true,
		.pairs = pairs,
	};
	u64 bad = mpool_kunit_bad(&mpool_global()->base);
	size_t before = live_of(mpool_global());
	struct mailbox *box;
	struct rnd_state rnd;

	mpool_kunit_random(test, &rnd);
	plan.seed = prandom_u32_state(&rnd);
	box = mailbox_create(&plan);
	KUNIT_ASSERT_NOT_NULL(test, box);
	KUNIT_EXPECT_TRUE(test, mailbox_run(box, sum));
	expect_sums(test, sum);
	expect_at_rest(test, box);
	KUNIT_EXPECT_EQ(test, before, live_of(mpool_global()));
	KUNIT_EXPECT_EQ(test, bad, mpool_kunit_bad(&mpool_global()->base));
	KUNIT_EXPECT_EQ(test, mailbox_destroy(box), 0);
}

static void nothing_lost_twice_or_torn(struct kunit *test)
{
	struct mailbox_sum sum;

	storm(test, false, &sum);
	/* How many more is the scheduler's. */
	KUNIT_EXPECT_GT(test, sum.remote, sum.frees / 32);
	KUNIT_EXPECT_GT(test, sum.bulks, STORM_OPS / 1000);
}

static void pair64_interrupted(struct kunit *test)
{
	struct mailbox_sum sum;

	storm(test, true, &sum);
	KUNIT_EXPECT_EQ(test, sum.remote, 0);
}

static void all_is_well(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
}

static struct kunit_case storm_cases[] = {
	KUNIT_CASE_SLOW(nothing_lost_twice_or_torn),
	KUNIT_CASE_SLOW(pair64_interrupted),
	KUNIT_CASE(all_is_well),
	{ }
};

static struct kunit_suite storm_suite = {
	.name = "mpool_storm",
	.suite_exit = mpool_kunit_verified,
	.test_cases = storm_cases,
};

kunit_test_suite(storm_suite);
