// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of regions that are taken out of their pool again.
 *
 * The memory is vmalloc()'s.  The model of a pool is which ranges it has, and
 * how many pages of each are in use.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "pools.h"

static void destroy(struct kunit *test, struct mpool_large *pool)
{
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-region"));
}

/* A region goes when it is empty, in any order, and others serve on. */
static void regions_come_and_go(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 48 * PAGE_SIZE), *p, *q;
	struct mpool_large *pool = new_region(test, mem + 5, 16 * PAGE_SIZE,
					      NULL);
	char *two = mem + 16 * PAGE_SIZE, *three = mem + 32 * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, two, 16 * PAGE_SIZE, NULL),
			0);
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, three, 16 * PAGE_SIZE, NULL),
			0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 15 + 16 + 16);
	p = mpool_large_alloc(pool, 15 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_EXPECT_PTR_EQ(test, p, mem + PAGE_SIZE);
	q = mpool_large_alloc(pool, 16 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_ASSERT_TRUE(test, q == two || q == three);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + 5), -EBUSY);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, q), -EBUSY);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 47);
	/* It is the start that counts, as it was given, and none that is rounded to it. */
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, two + PAGE_SIZE),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem), -ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + 4),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + 6),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + PAGE_SIZE),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, two - 1),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, two + 1),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, three - 1),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, (void *)~0UL),
			-ENOENT);
	KUNIT_EXPECT_EQ(test,
			mpool_large_remove_region(pool, q == two ? three : two),
			0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 31);
	KUNIT_EXPECT_EQ(test, word_at(q == two ? three : two), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, q));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL, GFP_QUIET));
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + 5), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem + 5),
			-ENOENT);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 1);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, q), 0);
	/* The pool of no region, and one with a region again. */
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL, GFP_QUIET));
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, mem, 48 * PAGE_SIZE, NULL),
			0);
	p = mpool_large_alloc(pool, 48 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_EXPECT_PTR_EQ(test, p, mem);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem), 0);
	destroy(test, pool);
}

/* A pool above holds its region, and a pool of the system has none. */
static void removal_is_refused(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 32 * PAGE_SIZE);
	struct mpool_large *pool = new_region(test, mem, 32 * PAGE_SIZE, NULL);
	const struct mpool_fixed_args args = { .large = pool };
	struct mpool_fixed *fixed;
	void *obj;

	fixed = mpool_fixed_create("kunit-above", 100, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	obj = mpool_fixed_alloc(fixed, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem), -EBUSY);
	mpool_fixed_free(fixed, obj);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem), 0);
	destroy(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(NULL, mem), -EINVAL);
	pool = mpool_large_create("kunit-system", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, mem), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

#define MODEL_RANGES	8
#define MODEL_PAGES	24
#define MODEL_RUNS	40
#define MODEL_OPS	40000

struct model {
	struct mpool_large *pool;
	char *mem;
	bool has[MODEL_RANGES];
	unsigned int used[MODEL_RANGES];	/* pages */
	struct { char *p; unsigned int pages; } run[MODEL_RUNS];
	unsigned int done[4];			/* by what came of removals */
};

static unsigned int range_of(const struct model *m, const char *p)
{
	return (p - m->mem) / (MODEL_PAGES * PAGE_SIZE);
}

static void model_range(struct kunit *test, struct model *m, unsigned int i)
{
	char *base = m->mem + i * MODEL_PAGES * PAGE_SIZE;
	int err = m->has[i] ? m->used[i] ? -EBUSY : 0 : -ENOENT;

	if (!m->has[i] && m->done[0] % 4) {
		KUNIT_EXPECT_EQ(test,
				mpool_large_add_region(m->pool, base,
						       MODEL_PAGES * PAGE_SIZE,
						       NULL), 0);
		m->has[i] = true;
		m->done[0]++;
		return;
	}
	KUNIT_EXPECT_EQ(test, err, mpool_large_remove_region(m->pool, base));
	KUNIT_EXPECT_EQ(test, !err || err == -ENOENT, !word_at(base));
	m->has[i] = err == -EBUSY;
	m->done[!err ? 1 : err == -EBUSY ? 2 : 3]++;
	m->done[0] += err == -ENOENT;
}

static void model_run(struct kunit *test, struct model *m, unsigned int i,
		      unsigned int pages)
{
	char *p = m->run[i].p;

	if (p) {
		m->used[range_of(m, p)] -= m->run[i].pages;
		mpool_large_free(m->pool, p);
		m->run[i].p = NULL;
		return;
	}
	p = mpool_large_alloc(m->pool, pages * PAGE_SIZE, NULL, GFP_QUIET);
	if (!p)
		return;
	KUNIT_ASSERT_LT(test, range_of(m, p), MODEL_RANGES);
	KUNIT_EXPECT_TRUE(test, m->has[range_of(m, p)]);
	m->run[i].p = p;
	m->run[i].pages = pages;
	m->used[range_of(m, p)] += pages;
}

/* Eight ranges side by side come and go under random runs. */
static void random_ranges(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i, pages;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->mem = mpool_kunit_memory(test, MODEL_RANGES * MODEL_PAGES * PAGE_SIZE);
	m->pool = new_region(test, m->mem, MODEL_PAGES * PAGE_SIZE, NULL);
	m->has[0] = true;
	mpool_kunit_random(test, &rnd);
	for (i = 0; i < MODEL_OPS; i++) {
		if (!mpool_kunit_below(&rnd, 8))
			model_range(test, m, mpool_kunit_below(&rnd,
							       MODEL_RANGES));
		else
			model_run(test, m, mpool_kunit_below(&rnd, MODEL_RUNS),
				  1 + mpool_kunit_below(&rnd, 8));
		if (i % 1000)
			continue;
		KUNIT_EXPECT_EQ(test, mpool_large_verify(m->pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	}
	for (i = 0; i < MODEL_RUNS; i++)
		if (m->run[i].p)
			model_run(test, m, i, 0);
	for (i = pages = 0; i < MODEL_RANGES; i++)
		pages += m->has[i] ? MODEL_PAGES : 0;
	KUNIT_EXPECT_EQ(test, m->pool->runs.nr_pages, pages);
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&m->pool->runs), pages);
	/* Each of the three answers has been there. */
	for (i = 1; i < 4; i++)
		KUNIT_EXPECT_GT(test, m->done[i], 20);
	destroy(test, m->pool);
}

struct busy {
	struct mpool_large *pool;
	unsigned long allocs;
};

static int busy_thread(void *data)
{
	struct busy *busy = data;
	void *p;

	while (!kthread_should_stop()) {
		p = mpool_large_alloc(busy->pool, 3 * PAGE_SIZE, NULL,
				      GFP_QUIET);
		if (p) {
			busy->allocs++;
			memset(p, 1, 3 * PAGE_SIZE);
			mpool_large_free(busy->pool, p);
		}
		cond_resched();
	}
	return 0;
}

/* Two ranges take turns under a thread that uses whatever there is. */
static void removal_under_load(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 16 * PAGE_SIZE);
	struct busy busy = { };
	unsigned int n, has = 0, removed = 0;
	struct task_struct *task;
	int err;

	busy.pool = new_region(test, mem, 8 * PAGE_SIZE, NULL);
	task = kthread_run(busy_thread, &busy, "mpool_kunit_busy");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (n = 0; n < 4000 || (n < 400000 && removed < 1000); n++) {
		err = mpool_large_remove_region(busy.pool, mem +
						has * 8 * PAGE_SIZE);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -EBUSY);
			cond_resched();
			continue;
		}
		/* Nobody's any more: whoever writes there now is caught. */
		KUNIT_EXPECT_EQ(test, word_at(mem + has * 8 * PAGE_SIZE), 0);
		memset(mem + has * 8 * PAGE_SIZE, 0x5a, 8 * PAGE_SIZE);
		cond_resched();
		KUNIT_EXPECT_NULL(test, memchr_inv(mem + has * 8 * PAGE_SIZE,
						   0x5a, 8 * PAGE_SIZE));
		has = !has;
		removed++;
		KUNIT_EXPECT_EQ(test,
				mpool_large_add_region(busy.pool,
						       mem + has * 8 * PAGE_SIZE,
						       8 * PAGE_SIZE, NULL), 0);
	}
	kthread_stop(task);
	kunit_info(test, "%u removals, %lu runs\n", removed, busy.allocs);
	KUNIT_EXPECT_GE(test, removed, 1000);
	destroy(test, busy.pool);
}

static void removal_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case removal_cases[] = {
	KUNIT_CASE(regions_come_and_go),
	KUNIT_CASE(removal_is_refused),
	KUNIT_CASE(random_ranges),
	KUNIT_CASE(removal_under_load),
	{ }
};

static struct kunit_suite removal_suite = {
	.name = "mpool_removal",
	.exit = removal_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = removal_cases,
};

kunit_test_suite(removal_suite);
