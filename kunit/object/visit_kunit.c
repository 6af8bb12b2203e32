// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks in steps over the objects of a fixed pool: where they go on, and the chunk that
 * stays for that.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "fixed.h"
#include "helpers.h"

#define NAME	"kt-visit"

struct steps {
	unsigned int seen;
	unsigned int stop;	/* a step ends when so many were seen, if not 0 */
	void *objs[8];		/* the first of them */
};

static int steps_fn(const struct mpool_obj *obj, void *arg)
{
	struct steps *steps = arg;

	++*(u32 *)obj->addr;
	if (steps->seen < ARRAY_SIZE(steps->objs))
		steps->objs[steps->seen] = (void *)obj->addr;
	return ++steps->seen == steps->stop;
}

/* Every object is seen once, while the chunks that were walked over go. */
static void steps_go_on(struct kunit *test)
{
	const struct mpool_fixed_args args = { .flags = MPOOL_FIXED_NO_CACHE };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1000, &args);
	struct mpool_chunk_cursor at = { };
	unsigned int i, seen = 0, wrong = 0;
	struct steps steps;
	bool more;

	for (i = 0; i < 400; i++)
		KUNIT_ASSERT_NOT_NULL(test, mpool_fixed_zalloc(pool, GFP_KERNEL));
	do {
		steps = (struct steps){ .stop = ARRAY_SIZE(steps.objs) };
		more = mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps);
		seen += steps.seen;
		for (i = 0; i < steps.seen; i++) {
			wrong += *(u32 *)steps.objs[i] != 1;
			mpool_fixed_free(pool, steps.objs[i]);
		}
		mpool_chunks_reclaim(&pool->chunks, 0);
		KUNIT_EXPECT_EQ(test, pool->chunks.nr_empty, 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	} while (more && seen < 500);
	KUNIT_EXPECT_EQ(test, seen, 400);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_NULL(test, at.chunk);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
}

/* The chunk that a walk goes on from stays, also when it has no live object. */
static void step_keeps_its_chunk(struct kunit *test)
{
	const struct mpool_fixed_args args = { .flags = MPOOL_FIXED_NO_CACHE };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 4096, &args);
	struct steps steps = { .stop = 1 };
	struct mpool_chunk_cursor at = { };
	void **objs = kunit_kcalloc(test, 200, sizeof(*objs), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 200, objs),
			200);
	for (i = 0; i < 200; i++)
		memset(objs[i], 0, 4096);
	KUNIT_EXPECT_TRUE(test, mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps));
	mpool_fixed_free_bulk(pool, 200, objs);
	mpool_chunks_reclaim(&pool->chunks, 0);
	KUNIT_ASSERT_PTR_EQ(test, at.chunk, mpool_chunk_find(steps.objs[0]));
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_pages, at.chunk->pg->len);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_empty, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	KUNIT_EXPECT_FALSE(test, mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps));
	KUNIT_EXPECT_EQ(test, steps.seen, 1);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_empty, 1);
	mpool_chunks_reclaim(&pool->chunks, 0);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* Where a chunk takes no pin the cursor stays, and the walk goes on from there. */
static void step_without_a_pin(struct kunit *test)
{
	static const u8 pins[] = { MPOOL_CHUNK_GONE - 1, MPOOL_CHUNK_GONE };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 4096, NULL);
	struct steps steps = { .stop = 1 };
	struct mpool_chunk_cursor at = { };
	u32 *obj = mpool_fixed_zalloc(pool, GFP_KERNEL);
	struct mpool_chunk *chunk;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	chunk = mpool_chunk_find(obj);
	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		chunk->pins = pins[i];
		steps.seen = 0;
		KUNIT_EXPECT_TRUE(test, mpool_chunks_step(&pool->chunks, &at, steps_fn,
							  &steps));
		KUNIT_EXPECT_EQ(test, pins[i], chunk->pins);
		KUNIT_EXPECT_NULL(test, at.chunk);
	}
	chunk->pins = 0;
	steps.seen = 0;
	KUNIT_EXPECT_TRUE(test, mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps));
	KUNIT_EXPECT_EQ(test, chunk->pins, 1);
	KUNIT_EXPECT_FALSE(test, mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps));
	KUNIT_EXPECT_EQ(test, chunk->pins, 0);
	KUNIT_EXPECT_EQ(test, *obj, 3);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	mpool_fixed_free(pool, obj);
}

/* A step ends also where nothing is found.  One object in FEW keeps each chunk. */
#define MANY	5000
#define FEW	50

static void steps_are_short(struct kunit *test)
{
	void **objs = kunit_kcalloc(test, MANY, sizeof(*objs), GFP_KERNEL);
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	struct mpool_chunk_cursor at = { };
	struct steps steps = { };
	unsigned int i, n = 0;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, MANY, objs),
			MANY);
	for (i = 0; i < MANY; i++) {
		*(u32 *)objs[i] = 0;
		if (i % FEW)
			mpool_fixed_free(pool, objs[i]);
	}
	while (mpool_chunks_step(&pool->chunks, &at, steps_fn, &steps))
		n++;
	KUNIT_EXPECT_GE(test, n, MANY / 1024);
	KUNIT_EXPECT_LE(test, n, pool->chunks.nr_objs / 1024 + 1);
	KUNIT_EXPECT_EQ(test, steps.seen, MANY / FEW);
	for (i = 0; i < MANY; i += FEW) {
		KUNIT_EXPECT_EQ(test, *(u32 *)objs[i], 1);
		mpool_fixed_free(pool, objs[i]);
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static struct kunit_case visit_cases[] = {
	KUNIT_CASE(steps_go_on),
	KUNIT_CASE(step_keeps_its_chunk),
	KUNIT_CASE(step_without_a_pin),
	KUNIT_CASE(steps_are_short),
	{ }
};

static struct kunit_suite visit_suite = {
	.name = "mpool_visit",
	.suite_exit = mpool_kunit_verified,
	.test_cases = visit_cases,
};

kunit_test_suite(visit_suite);
