// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes of small pools: the table of the regular ones, when a size gets its
 * own, and what loads of few and of many sizes cost.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "helpers.h"
#include "small.h"

#define NAME	"kt-classes"
#define NR_OBJS	40000

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

static unsigned int chunks_of(struct mpool_fixed *fixed)
{
	struct mpool_chunk *chunk;
	unsigned int n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(chunk, &fixed->chunks.all, all)
		n++;
	rcu_read_unlock();
	return n;
}

static size_t regular_size(size_t size)
{
	return mpool_small_class_size(mpool_class_regular(mpool_small_class(size)));
}

static size_t own_size(size_t size)
{
	return mpool_small_class_size(mpool_small_class(size));
}

/* A fixed table: 36 classes, and a quarter of a size is the most that is lost. */
static void regular_classes(struct kunit *test)
{
	unsigned int class, regular, n = 0;
	size_t size, rounded;

	for (class = 0; class <= mpool_small_class(SMALL_MAX); class++) {
		size = mpool_small_class_size(class);
		regular = mpool_class_regular(class);
		rounded = mpool_small_class_size(regular);
		n += regular == class;
		KUNIT_EXPECT_EQ(test, mpool_class_regular(regular), regular);
		KUNIT_EXPECT_GE(test, rounded, size);
		KUNIT_EXPECT_LE_MSG(test, 4 * (rounded - size), size, "%zu", size);
		KUNIT_EXPECT_EQ(test, rounded % (size & -size), 0);
		if (size <= 64)
			KUNIT_EXPECT_EQ(test, rounded, size);
	}
	KUNIT_EXPECT_EQ(test, n, 36);
}

/*
 * One size, alone: the eighth time that the regular class is empty, its own is made, and
 * serves all that come later.
 */
static void demand_makes_a_class(struct kunit *test)
{
	static const size_t sizes[] = {
		65, 88, 130, 200, 290, 520, 1160, 2080, 2600, 4200, 5300,
	};
	struct mpool_fixed *regular;
	struct mpool_small *pool;
	void **objs = objects(test);
	unsigned int i, n, class;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		class = mpool_small_class(sizes[i]);
		pool = mpool_kunit_small(test, NAME, NULL);
		for (n = 0; n < NR_OBJS && !mpool_small_own(pool, class); n++)
			objs[n] = mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL_MSG(test, mpool_small_own(pool, class), "%zu",
					  sizes[i]);
		KUNIT_EXPECT_EQ(test, mpool_usable_size(objs[0]), regular_size(sizes[i]));
		KUNIT_EXPECT_EQ(test, mpool_usable_size(objs[n - 1]), own_size(sizes[i]));
		regular = mpool_small_own(pool, mpool_class_regular(class));
		KUNIT_EXPECT_EQ_MSG(test, chunks_of(regular), 7, "%zu", sizes[i]);
		mpool_small_free(pool, objs[--n]);
		objs[n++] = mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, mpool_usable_size(objs[n - 1]), own_size(sizes[i]));
		KUNIT_EXPECT_EQ(test, classes_of(pool), 2);
		free_all(pool, objs, n);
		end_of(test, pool);
	}
}

/* Sizes of which none leads share their regular class. */
static void mixture_makes_no_class(struct kunit *test)
{
	static const size_t sizes[] = { 1048, 1080, 1112, 1144, 1176 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	struct rnd_state rnd;
	unsigned int i;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < 2000; i++) {
		u32 k = mpool_kunit_below(&rnd, ARRAY_SIZE(sizes));

		objs[i] = mpool_small_alloc(pool, sizes[k], GFP_KERNEL);
		KUNIT_ASSERT_EQ(test, mpool_usable_size(objs[i]), 1280);
	}
	KUNIT_EXPECT_EQ(test, classes_of(pool), 1);
	free_all(pool, objs, i);
	end_of(test, pool);
}

/* A class that would hardly save anything is not made, whatever the demand. */
static void no_class_for_little(struct kunit *test)
{
	static const size_t sizes[] = { 1, 62, 64, 124, 250, 500, 1000, 1024, 2000, 7000 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 0; n < 1000; n++) {
			objs[n] = mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
			KUNIT_ASSERT_EQ(test, mpool_usable_size(objs[n]),
					regular_size(sizes[i]));
		}
		free_all(pool, objs, n);
	}
	KUNIT_EXPECT_EQ(test, classes_of(pool), 8);
	end_of(test, pool);
}

/* However many there are, objects beyond 8 KiB are runs, exact to the page. */
static void long_ones_are_runs(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void **objs = objects(test);
	unsigned int n;

	for (n = 0; n < 100; n++) {
		objs[n] = mpool_small_alloc(pool, 8193 + n, GFP_KERNEL);
		KUNIT_ASSERT_EQ(test, mpool_usable_size(objs[n]), 3 * PAGE_SIZE);
		KUNIT_ASSERT_TRUE(test, mpool_small_owns(pool, objs[n]));
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 300);
	KUNIT_EXPECT_EQ(test, classes_of(pool), 0);
	/* Where it is. */
	KUNIT_EXPECT_PTR_EQ(test, objs[0],
			    mpool_small_realloc(pool, objs[0], 12000, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, objs[99],
			    mpool_small_realloc(pool, objs[99], 8200, GFP_KERNEL));
	free_all(pool, objs, n);
	end_of(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* Where no class can be made, the next larger one that is aligned stands in. */
static void larger_class_stands_in(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	void *a, *b, *c;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	a = mpool_small_alloc(pool, 320, GFP_KERNEL);
	b = mpool_small_alloc(pool, 512, GFP_KERNEL);
	mpool_small_free(pool, a);
	mpool_small_free(pool, b);
	mpool_kunit_fail_nth(1);
	a = mpool_small_alloc(pool, 200, gfp);
	mpool_kunit_fail_nth(1);
	b = mpool_small_alloc(pool, 256, gfp);
	mpool_kunit_fail_nth(1);
	c = mpool_small_alloc(pool, 513, gfp);
	mpool_kunit_fail_end();
	KUNIT_EXPECT_EQ(test, mpool_usable_size(a), 320);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(b), 512);
	KUNIT_EXPECT_NULL(test, c);
	mpool_small_free(pool, a);
	mpool_small_free(pool, b);
	/* For one request: the next makes its class. */
	a = mpool_small_alloc(pool, 200, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(a), 224);
	mpool_small_free(pool, a);
	end_of(test, pool);
}

/* A macro with a size that is a constant, and somebody who lies. */
static void class_of_a_constant(struct kunit *test)
{
	static const unsigned int lies[] = { 0, 1, 100, 5000, UINT_MAX };
	void *p, *q;
	int i;

	p = mpool_malloc(8192, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(p), 8192);
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

/* The bytes that may be used, in percent of those that were asked for. */
static unsigned int rounded(void **objs, unsigned int n, size_t bytes)
{
	size_t usable = 0;

	while (n--)
		usable += mpool_usable_size(objs[n]);
	return usable * 100 / bytes;
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
	kunit_info(test, "%u live: %u %% in %u classes, %u %% rounded", live,
		   percent(pool, bytes), classes_of(pool), rounded(objs, live, bytes));
	KUNIT_EXPECT_LE(test, percent(pool, bytes), most);
	KUNIT_EXPECT_LE(test, classes_of(pool), 36);
	KUNIT_EXPECT_LE(test, rounded(objs, live, bytes), 113);
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
	random_load(test, 60, 20000, 1500);
	random_load(test, 250, 20000, 400);
	random_load(test, 1000, 20000, 230);
	random_load(test, 6000, 60000, 150);
	set_cpus_allowed_ptr(current, &was);
}

static struct kunit_case classes_cases[] = {
	KUNIT_CASE(regular_classes),
	KUNIT_CASE(demand_makes_a_class),
	KUNIT_CASE(mixture_makes_no_class),
	KUNIT_CASE(no_class_for_little),
	KUNIT_CASE(long_ones_are_runs),
	KUNIT_CASE(larger_class_stands_in),
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
