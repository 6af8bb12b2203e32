// SPDX-License-Identifier: GPL-2.0-only
/*
 * At the edge: threads take and give back at random where there is hardly a page,
 * each beside a table of what it has.
 *
 * A good part is refused, at any point of any path; what is served is whole, and
 * what is refused leaves nothing behind.
 */
#include <linux/completion.h>
#include <linux/kthread.h>

#include "lowmem.h"

#define WALKERS		2
#define STEPS		6000

/* Pages that they have between them, beside what the kernel keeps. */
#define EDGE_PAGES	300

struct walker {
	struct task_struct *task;
	struct completion *start;
	struct load *load;
	struct rnd_state rnd;
	int done;
};

static int walker_fn(void *arg)
{
	struct walker *walker = arg;
	unsigned int i;

	wait_for_completion(walker->start);
	for (i = 0; i < STEPS; i++) {
		load_step(walker->load, &walker->rnd);
		cond_resched();
	}
	WRITE_ONCE(walker->done, 1);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static void walker_begin(struct kunit *test, struct walker *walker,
			 struct completion *start)
{
	walker->start = start;
	walker->load = load_begin(test, 500);
	mpool_kunit_random(test, &walker->rnd);
	walker->task = kthread_run(walker_fn, walker, "lowmem_walker");
	KUNIT_EXPECT_FALSE(test, IS_ERR(walker->task));
	if (IS_ERR(walker->task))
		walker->done = 1;
}

static void walker_end(struct kunit *test, struct walker *walker)
{
	struct load *load = walker->load;

	if (!IS_ERR(walker->task))
		kthread_stop(walker->task);
	kunit_info(test, "%u served, %u refused\n", load->served,
		   load->refused);
	KUNIT_EXPECT_GE(test, load->served, STEPS / 20);
	KUNIT_EXPECT_GE(test, load->refused, STEPS / 200);
	load_end(test, load);
}

static bool all_done(struct walker *walker)
{
	unsigned int i;

	for (i = 0; i < WALKERS; i++)
		if (!READ_ONCE(walker[i].done))
			return false;
	return true;
}

/* All memory but @left pages is taken, once or again and again. */
static void walk_at_edge(struct kunit *test, unsigned long left, bool again)
{
	struct walker *walker = kunit_kcalloc(test, WALKERS, sizeof(*walker),
					      GFP_KERNEL);
	DECLARE_COMPLETION_ONSTACK(start);
	struct hog *hog = hog_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, walker);
	for (i = 0; i < WALKERS; i++)
		walker_begin(test, &walker[i], &start);
	hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	hog_give(hog, left);
	complete_all(&start);
	while (!all_done(walker)) {
		schedule_timeout_uninterruptible(1);
		if (!again)
			continue;
		hog_give(hog, left);
		hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	}
	hog_end(test, hog);
	for (i = 0; i < WALKERS; i++)
		walker_end(test, &walker[i]);
}

static void random_with_failures(struct kunit *test)
{
	walk_at_edge(test, EDGE_PAGES, false);
}

/* The kernel takes what is idle from pools while they are used. */
static void random_under_reclaim(struct kunit *test)
{
	walk_at_edge(test, 4 * EDGE_PAGES, true);
}

static struct kunit_case edge_cases[] = {
	KUNIT_CASE(random_with_failures),
	KUNIT_CASE(random_under_reclaim),
	{ }
};

static struct kunit_suite edge_suite = {
	.name = "mpool_lowmem_edge",
	.init = lowmem_init_case,
	.exit = lowmem_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = edge_cases,
};

kunit_test_suite(edge_suite);
