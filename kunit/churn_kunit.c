// SPDX-License-Identifier: GPL-2.0-only
/*
 * Churn: large pools under random load, by one task and by several.
 *
 * The model of a pool is a table of runs, each page of which carries a pattern
 * of its run: runs that overlap, contents that were lost and pages that are not
 * accounted for show.  The same load goes over system memory and over a region.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "pools.h"

#define REGION_PAGES	1000ul

static int churn_init_case(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-churn", NULL);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	test->priv = pool;
	return 0;
}

static void churn_exit_case(struct kunit *test)
{
	if (test->priv)
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(test->priv), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* A pool over REGION_PAGES pages, which the load above fills. */
static struct mpool_large *region_pool(struct kunit *test)
{
	void *mem = mpool_kunit_memory(test, REGION_PAGES * PAGE_SIZE);
	struct mpool_large *pool;

	pool = mpool_large_create_region("kunit-churn-region", mem,
					 REGION_PAGES * PAGE_SIZE, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

/* Everything was given back, and nothing went wrong on the way. */
static void expect_idle(struct kunit *test, struct mpool_large *pool)
{
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 0);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_ALLOC),
			stat_of(pool, MPOOL_STAT_FREE));
}

/* --- the model --- */

#define MODEL_OPS	100000
#define MODEL_RUNS	128

struct run {
	u8 *p;
	size_t real;
	u32 tag;
};

struct model {
	struct mpool_large *pool;
	struct run run[MODEL_RUNS];
	u32 n;
	u32 tag;
	u32 refused;	/* long runs that the system did not have */
	long pages;
	struct rnd_state rnd;
};

/* Marks both ends of each page: runs that overlap are found by that. */
static void run_stamp(const struct run *run, size_t from)
{
	size_t at;

	for (at = from; at < run->real; at += PAGE_SIZE) {
		mpool_kunit_fill(run->p + at, 8, run->tag + at);
		mpool_kunit_fill(run->p + at + PAGE_SIZE - 8, 8, run->tag + at);
	}
}

static bool run_intact(const struct run *run, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE_SIZE)
		if (!mpool_kunit_intact(run->p + at, 8, run->tag + at) ||
		    !mpool_kunit_intact(run->p + at + PAGE_SIZE - 8, 8,
					run->tag + at))
			return false;
	return true;
}

/*
 * May there be no such run?  A region is full one day.  The system need not have
 * blocks beyond PAGE_ALLOC_COSTLY_ORDER, however much is free: pages that were just
 * freed lie one by one with a CPU.  That is rare; see many_workers().
 */
static bool may_be_none(struct model *m, size_t size)
{
	if (!m->pool->source->gives_back)
		return true;
	m->refused++;
	return size > PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER;
}

static size_t model_size(struct model *m)
{
	u32 kind = mpool_kunit_below(&m->rnd, 100);

	if (kind < 60)
		return 1 + mpool_kunit_below(&m->rnd, 4 * PAGE_SIZE);
	if (kind < 95)
		return 1 + mpool_kunit_below(&m->rnd, 24 * PAGE_SIZE);
	return 1 + mpool_kunit_below(&m->rnd, 200 * PAGE_SIZE);
}

static bool model_alloc(struct model *m)
{
	struct run *run = &m->run[m->n];
	size_t size = model_size(m), align = 1;

	if (m->n == MODEL_RUNS)
		return true;
	if (!mpool_kunit_below(&m->rnd, 8))
		align = 1UL << mpool_kunit_below(&m->rnd, PAGE_SHIFT + 6);
	run->p = mpool_large_alloc_aligned(m->pool, size, align, &run->real,
					   GFP_QUIET);
	if (!run->p)
		return may_be_none(m, max(size, align)) && !run->real;
	if (!IS_ALIGNED((unsigned long)run->p, align) ||
	    run->real != PAGE_ALIGN(size))
		return false;
	run->tag = m->tag += 0x10001;
	run_stamp(run, 0);
	m->n++;
	m->pages += run->real / PAGE_SIZE;
	return true;
}

static bool model_free(struct model *m, u32 i)
{
	struct run *run = &m->run[i];

	if (!run_intact(run, run->real))
		return false;
	mpool_large_free(m->pool, run->p);
	m->pages -= run->real / PAGE_SIZE;
	*run = m->run[--m->n];
	return true;
}

static bool model_realloc(struct model *m, u32 i)
{
	size_t real, size = model_size(m);
	struct run *run = &m->run[i];
	u8 *p;

	p = mpool_large_realloc(m->pool, run->p, size, &real, GFP_QUIET);
	if (!p)
		return may_be_none(m, size) && !real &&
		       run_intact(run, run->real);
	if (real != PAGE_ALIGN(size))
		return false;
	m->pages += (long)(real / PAGE_SIZE) - (long)(run->real / PAGE_SIZE);
	swap(run->real, real);
	run->p = p;
	if (!run_intact(run, min(real, run->real)))
		return false;
	run_stamp(run, real);
	return true;
}

static bool model_step(struct model *m, u32 op)
{
	/* It fills for a while, then gets empty, and so on. */
	u32 eager = op / 2000 % 2 ? 30 : 55;
	u32 dice = mpool_kunit_below(&m->rnd, 100);

	if (dice < eager || !m->n)
		return model_alloc(m);
	if (dice < 80)
		return model_free(m, mpool_kunit_below(&m->rnd, m->n));
	return model_realloc(m, mpool_kunit_below(&m->rnd, m->n));
}

static void against_model(struct kunit *test, struct mpool_large *pool)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 op;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->pool = pool;
	mpool_kunit_random(test, &m->rnd);
	for (op = 0; op < MODEL_OPS; op++) {
		if (!model_step(m, op) || charged(pool) != m->pages) {
			KUNIT_FAIL(test, "operation %u differs", op);
			break;
		}
		if (op % 1000)
			continue;
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		cond_resched();
	}
	while (m->n && model_free(m, m->n - 1))
		;
	expect_idle(test, pool);
	KUNIT_EXPECT_LE(test, m->refused, MODEL_OPS / 1000);
}

static void system_against_model(struct kunit *test)
{
	against_model(test, test->priv);
}

static void region_against_model(struct kunit *test)
{
	struct mpool_large *pool = region_pool(test);

	against_model(test, pool);
	/* It was full at times. */
	KUNIT_EXPECT_GT(test, stat_of(pool, MPOOL_STAT_FAIL), 100);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* --- many users --- */

#define WORKERS		3
#define WORKER_OPS	30000

struct worker {
	struct task_struct *task;
	struct model model;
	u32 done;
	bool wrong;
};

static int worker_fn(void *arg)
{
	struct worker *worker = arg;
	struct model *m = &worker->model;
	u32 op;

	for (op = 0; op < WORKER_OPS && !worker->wrong; op++) {
		if (!model_step(m, op))
			worker->wrong = true;
		if (!(op % 256))
			cond_resched();
	}
	while (m->n && !worker->wrong)
		if (!model_free(m, m->n - 1))
			worker->wrong = true;
	WRITE_ONCE(worker->done, 1);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static int look(const struct mpool_obj *obj, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

/* Whoever looks and trims meanwhile disturbs nobody. */
static void look_and_trim(struct mpool_large *pool, struct worker *worker)
{
	unsigned int n = 0;

	mpool_large_trim(pool);
	pool->base.ops->walk(&pool->base, look, &n);
	mpool_large_owns(pool, READ_ONCE(worker->model.run[0].p));
	mpool_large_phys(pool, READ_ONCE(worker->model.run[0].p));
	cond_resched();
}

static void many_workers(struct kunit *test, struct mpool_large *pool)
{
	struct worker *w = kunit_kcalloc(test, WORKERS, sizeof(*w), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	for (i = 0; i < WORKERS; i++) {
		w[i].model.pool = pool;
		w[i].model.tag = i << 28;
		mpool_kunit_random(test, &w[i].model.rnd);
		w[i].task = kthread_run(worker_fn, &w[i], "churn_worker");
	}
	for (i = 0; i < WORKERS; i++) {
		KUNIT_EXPECT_FALSE(test, IS_ERR(w[i].task));
		if (IS_ERR(w[i].task))
			continue;
		while (!READ_ONCE(w[i].done))
			look_and_trim(pool, &w[i]);
		kthread_stop(w[i].task);
		KUNIT_EXPECT_FALSE(test, w[i].wrong);
		KUNIT_EXPECT_LE(test, w[i].model.refused, WORKER_OPS / 1000);
	}
	expect_idle(test, pool);
}

static void many_in_system_memory(struct kunit *test)
{
	many_workers(test, test->priv);
}

static void many_in_a_region(struct kunit *test)
{
	struct mpool_large *pool = region_pool(test);

	many_workers(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* --- two that free the same --- */

struct thief {
	struct task_struct *task;
	struct mpool_large *pool;
	void *p;
	atomic_t turn;		/* rounds that may be played */
	atomic_t played;
	u32 stop;
};

static void wait_for(atomic_t *counter, int value)
{
	while (atomic_read(counter) != value)
		mpool_kunit_spin();
}

static int thief_fn(void *arg)
{
	struct thief *thief = arg;
	int round;

	for (round = 1;; round++) {
		wait_for(&thief->turn, round);
		if (thief->stop)
			break;
		mpool_large_free(thief->pool, thief->p);
		atomic_set(&thief->played, round);
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Of two that free the same run at once exactly one is refused. */
static void two_free_the_same(struct kunit *test)
{
	int round, rounds = num_online_cpus() > 1 ? 20000 : 50;
	struct thief thief = { .pool = test->priv };
	struct mpool_large *pool = test->priv;

	thief.task = kthread_run(thief_fn, &thief, "thief");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thief.task));
	for (round = 1; round <= rounds; round++) {
		thief.p = mpool_large_alloc(pool, 1, NULL, GFP_KERNEL);
		atomic_set(&thief.turn, round);
		mpool_large_free(pool, thief.p);
		wait_for(&thief.played, round);
		if (!(round % 256))
			cond_resched();
	}
	thief.stop = 1;
	atomic_set(&thief.turn, round);
	kthread_stop(thief.task);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_ALLOC), rounds);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FREE), rounds);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), rounds);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
}

static struct kunit_case churn_cases[] = {
	KUNIT_CASE(system_against_model),
	KUNIT_CASE(region_against_model),
	KUNIT_CASE(many_in_system_memory),
	KUNIT_CASE(many_in_a_region),
	KUNIT_CASE(two_free_the_same),
	{ }
};

static struct kunit_suite churn_suite = {
	.name = "mpool_churn",
	.init = churn_init_case,
	.exit = churn_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = churn_cases,
};

kunit_test_suite(churn_suite);
