// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes of small pools: what stands in for them, when they are made, and
 * what loads of few and of many sizes cost.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "helpers.h"
#include "small.h"

#define NAME	"kt-classes"
#define NR_OBJS	6000

static void **objects(struct kunit *test)
{
	void **objs = kunit_kcalloc(test, NR_OBJS, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	return objs;
}

static void free_all(struct mpool_small *pool, void **objs, unsigned int n)
{
	while (n--)
		mpool_small_free(pool, objs[n]);
}

/* All objects were freed. */
static void end_of(struct kunit *test, struct mpool_small *pool)
{
	struct mpool_count count;

	pool->base.ops->count(&pool->base, &count);
	KUNIT_EXPECT_EQ(test, count.live, 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_small_destroy(mpool_kunit_own_small(test, pool)),
			0);
}

static unsigned int classes_of(struct mpool_small *pool)
{
	struct mpool_fixed *fixed;
	unsigned int i, n = 0;

	mpool_small_for_each(pool, i, fixed)
		n++;
	return n;
}

/* Usable bytes where the size has a class of its own. */
static size_t own_size(size_t size)
{
	return mpool_small_class_size(mpool_small_class(size));
}

/*
 * Objects of one size until one is of its own class, and as many again; how many
 * were of another, or -1.
 */
static int until_own(struct mpool_small *pool, size_t size, void **objs,
		     unsigned int *n)
{
	unsigned int stood_in = 0, more = 0;

	for (*n = 0; *n < NR_OBJS;) {
		void *p = mpool_small_alloc(pool, size, GFP_KERNEL);
		size_t usable = mpool_usable_size(p);

		objs[(*n)++] = p;
		if (usable < size)
			return -1;
		more += usable == own_size(size);
		stood_in += usable != own_size(size);
		/* Never back. */
		if (more && usable != own_size(size))
			return -1;
		if (more && more >= stood_in)
			return stood_in;
	}
	return stood_in;
}

static void demand_makes_a_class(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 8, 24, 40, 56, 65, 88, 104, 200, 300, 520, 1160, 2080, 3000,
		5000, 7000,
	};
	struct mpool_small *pool;
	void **objs = objects(test);
	unsigned int i, n;
	int stood_in;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pool = mpool_kunit_small(test, NAME, NULL);
		stood_in = until_own(pool, sizes[i], objs, &n);
		KUNIT_EXPECT_GT(test, stood_in, 0);
		KUNIT_EXPECT_LE_MSG(test, stood_in * sizes[i], 6 * PAGE_SIZE,
				    "%zu bytes", sizes[i]);
		KUNIT_EXPECT_EQ(test, classes_of(pool), 2);
		free_all(pool, objs, n);
		end_of(test, pool);
	}
}

/* Sizes of which none is most: their step comes, though nobody asks for that. */
static void mixture_makes_a_step(struct kunit *test)
{
	static const size_t sizes[] = { 1160, 1176, 1192, 1208, 1224 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	unsigned int i, step = 0, power = 0;
	struct rnd_state rnd;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < 1000; i++) {
		u32 k = mpool_kunit_below(&rnd, ARRAY_SIZE(sizes));

		objs[i] = mpool_small_alloc(pool, sizes[k], GFP_KERNEL);
		KUNIT_ASSERT_GE(test, mpool_usable_size(objs[i]), sizes[k]);
		step += mpool_usable_size(objs[i]) == 1280;
		power += mpool_usable_size(objs[i]) == 2048;
	}
	/* One or another may have been most for a while, and have its own. */
	KUNIT_EXPECT_GT(test, step, 0);
	KUNIT_EXPECT_GT(test, power, 0);
	KUNIT_EXPECT_LE(test, power, 60);
	KUNIT_EXPECT_NOT_NULL(test, mpool_small_own(pool,
						    mpool_small_class(1280)));
	free_all(pool, objs, i);
	end_of(test, pool);
}

/* A class that would hardly save anything is not made, whatever the demand. */
static void no_class_for_little(struct kunit *test)
{
	static const size_t sizes[] = { 62, 64, 124, 250, 500, 1000, 1024, 2000 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 0; n < 1000; n++) {
			objs[n] = mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
			KUNIT_ASSERT_EQ(test, mpool_usable_size(objs[n]),
					roundup_pow_of_two(sizes[i]));
		}
		free_all(pool, objs, n);
	}
	KUNIT_EXPECT_EQ(test, classes_of(pool), 6);
	end_of(test, pool);
}

static void runs_stand_in_for_long_ones(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	unsigned int n, runs = 0, first = 0;

	for (n = 0; n < 100; n++) {
		objs[n] = mpool_small_alloc(pool, 9000, GFP_KERNEL);
		if (mpool_usable_size(objs[n]) == 3 * PAGE_SIZE)
			runs++;
		else if (!first)
			first = n;
		KUNIT_ASSERT_GE(test, mpool_usable_size(objs[n]), 9000);
		KUNIT_ASSERT_TRUE(test, mpool_small_owns(pool, objs[n]));
	}
	KUNIT_EXPECT_EQ(test, runs, 16);
	KUNIT_EXPECT_EQ(test, first, 16);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(objs[99]), own_size(9000));
	/* Where it is, as a run and as an object. */
	KUNIT_EXPECT_PTR_EQ(test, objs[0], mpool_small_realloc(pool, objs[0],
							       12000,
							       GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, objs[99], mpool_small_realloc(pool, objs[99],
								8900,
								GFP_KERNEL));
	free_all(pool, objs, n);
	end_of(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* A macro with a size that is a constant, and somebody who lies. */
static void class_of_a_constant(struct kunit *test)
{
	static const unsigned int lies[] = { 0, 1, 100, 5000, UINT_MAX };
	void *p, *q;
	int i;

	p = mpool_malloc(16384, GFP_KERNEL);
	KUNIT_EXPECT_GE(test, mpool_usable_size(p), 16384);
	mpool_free(p);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		q = __mpool_malloc_at(lies[i], 3000, GFP_KERNEL, MPOOL_HERE);
		KUNIT_EXPECT_GE(test, mpool_usable_size(q), 3000);
		KUNIT_EXPECT_TRUE(test, mpool_small_owns(mpool_global(), q));
		mpool_free(q);
	}
	KUNIT_EXPECT_PTR_EQ(test, mpool_malloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
}

/* From 8 to 4095 bytes, each doubling as often as the next. */
static size_t random_size(struct rnd_state *rnd)
{
	unsigned int bits = 3 + mpool_kunit_below(rnd, 9);

	return (1u << bits) + mpool_kunit_below(rnd, 1u << bits);
}

/* Pages held, in percent of the bytes that are live. */
static unsigned int percent(struct mpool_small *pool, size_t bytes)
{
	return atomic_long_read(&pool->base.pages) * PAGE_SIZE * 100 / bytes;
}

static void random_load(struct kunit *test, unsigned int live,
			unsigned int steps, unsigned int most)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	u32 *sizes = kunit_kcalloc(test, live, sizeof(*sizes), GFP_KERNEL);
	void **objs = objects(test);
	struct rnd_state rnd;
	size_t bytes = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sizes);
	mpool_kunit_random(test, &rnd);
	for (i = 0; i < live + steps; i++) {
		unsigned int k = i < live ? i : mpool_kunit_below(&rnd, live);

		mpool_small_free(pool, objs[k]);
		bytes -= sizes[k];
		sizes[k] = random_size(&rnd);
		bytes += sizes[k];
		objs[k] = mpool_small_alloc(pool, sizes[k], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[k]);
	}
	kunit_info(test, "%u live: %u %% in %u classes", live,
		   percent(pool, bytes), classes_of(pool));
	KUNIT_EXPECT_LE(test, percent(pool, bytes), most);
	free_all(pool, objs, live);
	end_of(test, pool);
	memset(objs, 0, live * sizeof(*objs));
}

/* Sizes of which none is often asked for must not get all a class each. */
static void random_sizes(struct kunit *test)
{
	const struct cpumask was = *current->cpus_ptr;

	/* On one CPU: each that the thread came by would hold magazines of its own. */
	KUNIT_ASSERT_EQ(test,
			set_cpus_allowed_ptr(current,
					     cpumask_of(raw_smp_processor_id())),
			0);
	/* With 56 classes, all of them used: 361, 201 and 139 of the last three. */
	random_load(test, 60, 20000, 1200);
	random_load(test, 250, 20000, 450);
	random_load(test, 1000, 20000, 280);
	random_load(test, 6000, 60000, 180);
	set_cpus_allowed_ptr(current, &was);
}

static struct kunit_case classes_cases[] = {
	KUNIT_CASE(demand_makes_a_class),
	KUNIT_CASE(mixture_makes_a_step),
	KUNIT_CASE(no_class_for_little),
	KUNIT_CASE(runs_stand_in_for_long_ones),
	KUNIT_CASE(class_of_a_constant),
	KUNIT_CASE(random_sizes),
	{ }
};

static struct kunit_suite classes_suite = {
	.name = "mpool_small_classes",
	.suite_exit = mpool_kunit_verified,
	.test_cases = classes_cases,
};

kunit_test_suite(classes_suite);
