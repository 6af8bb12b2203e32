// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of deferred work: mpool_defer_sync() waits for all that was requested, wherever
 * it is.
 */
#include <linux/completion.h>
#include <linux/kthread.h>

#include "helpers.h"
#include "defer.h"

#define REQUESTERS		2

struct counted {
	struct mpool_defer defer;
	struct completion synced;
	atomic_t requests;		/* each is counted before it is made */
	int seen;			/* requests that the work has seen at its end */
	int again;			/* times that the work is to request itself */
	int runs;
	atomic_t early;			/* waits that ended before the request was served */
};

static void count_fn(struct work_struct *work)
{
	struct counted *c = container_of(mpool_defer_of(work), struct counted, defer);

	c->runs++;
	if (c->again) {
		c->again--;
		mpool_defer(&c->defer);
	}
	/* The new request ends before the work does, or meanwhile. */
	usleep_range(50, 100);
	WRITE_ONCE(c->seen, atomic_read(&c->requests));
}

static struct counted *new_counted(struct kunit *test)
{
	struct counted *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	mpool_defer_init(&c->defer, count_fn);
	init_completion(&c->synced);
	return c;
}

static int sync_fn(void *arg)
{
	struct counted *c = arg;

	mpool_defer_sync(&c->defer);
	complete(&c->synced);
	return 0;
}

/* A request that was begun, and whose interrupt is still to come. */
static void waits_for_the_interrupt(struct kunit *test)
{
	struct counted *c = new_counted(test);

	mpool_defer_sync(&c->defer);
	KUNIT_EXPECT_EQ(test, c->runs, 0);
	atomic_inc(&c->defer.pending);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(sync_fn, c, "defer_sync")));
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&c->synced));
	/* It comes: the handler is called as the kernel calls it, with interrupts off. */
	local_irq_disable();
	c->defer.irq.func(&c->defer.irq);
	local_irq_enable();
	wait_for_completion(&c->synced);
	KUNIT_EXPECT_EQ(test, c->runs, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->defer.pending), 0);
}

/* Work that requests itself is done as well. */
static void waits_for_what_the_work_requests(struct kunit *test)
{
	struct counted *c = new_counted(test);
	int i;

	for (i = 0; i < 20; i++) {
		c->again = i;
		c->runs = 0;
		mpool_defer(&c->defer);
		mpool_defer_sync(&c->defer);
		KUNIT_EXPECT_EQ(test, c->again, 0);
		KUNIT_EXPECT_EQ(test, c->runs, i + 1);
	}
}

static void for_ever_fn(struct work_struct *work)
{
	struct counted *c = container_of(mpool_defer_of(work), struct counted, defer);

	WRITE_ONCE(c->runs, c->runs + 1);
	if (!READ_ONCE(c->again))
		mpool_defer(&c->defer);
}

/* A flush does not wait for the requests that come meanwhile. */
static void flush_has_an_end(struct kunit *test)
{
	struct counted *c = new_counted(test);
	int i;

	INIT_WORK(&c->defer.work, for_ever_fn);
	mpool_defer(&c->defer);
	for (i = 0; i < 5; i++) {
		mpool_defer(&c->defer);
		mpool_defer_flush(&c->defer);
	}
	WRITE_ONCE(c->again, 1);
	mpool_defer_sync(&c->defer);
	KUNIT_EXPECT_GT(test, c->runs, 0);
	KUNIT_EXPECT_FALSE(test, work_busy(&c->defer.work));
}

static int requester_fn(void *arg)
{
	struct counted *c = arg;
	int mine;

	while (!kthread_should_stop()) {
		mine = atomic_inc_return(&c->requests);
		mpool_defer(&c->defer);
		mpool_defer_sync(&c->defer);
		if (READ_ONCE(c->seen) < mine)
			atomic_inc(&c->early);
		mpool_kunit_spin();
	}
	return 0;
}

/* Each of two tasks finds its own request done, although the other makes more. */
static void each_finds_its_own_done(struct kunit *test)
{
	struct counted *c = new_counted(test);
	struct task_struct *tasks[REQUESTERS];
	int i;

	for (i = 0; i < REQUESTERS; i++) {
		tasks[i] = kthread_run(requester_fn, c, "requester");
		KUNIT_ASSERT_FALSE(test, IS_ERR(tasks[i]));
	}
	msleep(1000);
	for (i = 0; i < REQUESTERS; i++)
		kthread_stop(tasks[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->early), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->defer.pending), 0);
	KUNIT_EXPECT_EQ(test, c->seen, atomic_read(&c->requests));
	KUNIT_EXPECT_GT(test, c->runs, 10);
}

static struct kunit_case defer_cases[] = {
	KUNIT_CASE(waits_for_the_interrupt),
	KUNIT_CASE(waits_for_what_the_work_requests),
	KUNIT_CASE(flush_has_an_end),
	KUNIT_CASE(each_finds_its_own_done),
	{ }
};

static struct kunit_suite defer_suite = {
	.name = "mpool_defer",
	.suite_exit = mpool_kunit_verified,
	.test_cases = defer_cases,
};

kunit_test_suite(defer_suite);
