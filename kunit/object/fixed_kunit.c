// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed pools: geometry, every public function, and every wrong argument.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"
#include "helpers.h"

#define NAME	"kt-fixed"

static unsigned long pages_of(struct mpool_fixed *pool)
{
	return atomic_long_read(&pool->base.pages);
}

/* --- geometry --- */

static void four_of_3072_in_three_pages(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 3072, NULL);
	void *objs[20];
	int i;

	KUNIT_EXPECT_EQ(test, pool->chunks.npages, 3);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr, 4);
	/* The first sixteen have a page each. */
	KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 20, objs), 20);
	KUNIT_EXPECT_EQ(test, pages_of(pool), 16 + 3);
	for (i = 0; i < 20; i++)
		mpool_kunit_fill(objs[i], 3072, i);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(objs[i], 3072, i));
	mpool_fixed_free_bulk(pool, 20, objs);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static size_t natural(size_t size)
{
	return max_t(size_t, size & -size, ARCH_KMALLOC_MINALIGN);
}

/* The largest part of a chunk of at most four pages that may be lost, by trying all. */
static unsigned int most_lost(size_t stride, unsigned int part)
{
	size_t n, lost, least = PAGE_SIZE;

	for (n = DIV_ROUND_UP(stride, PAGE_SIZE); n <= 4; n++) {
		lost = n * PAGE_SIZE % stride;
		if (lost * part <= n * PAGE_SIZE)
			return PAGE_SIZE / part;
		least = min(least, lost / n);
	}
	return least;
}

/* Every object's start has a state, and no other address of the chunk. */
static int states_wrong(struct mpool_chunks *chunks, struct mpool_chunk *chunk)
{
	u32 bytes = chunks->npages * PAGE_SIZE, off, i;
	int bad = 0;

	chunk->at.base = PAGE_SIZE;
	chunk->at.inverse = chunks->inverse;
	chunk->at.shift = chunks->shift;
	chunk->at.nr = chunks->nr;
	for (i = 0; i < chunks->nr; i++) {
		off = i * chunks->size;
		bad += mpool_chunk_state(chunk, chunk->at.base + off) !=
			&chunk->state[i];
		bad += !!mpool_chunk_state(chunk, chunk->at.base + off + 1);
		bad += !!mpool_chunk_state(chunk, chunk->at.base + off +
					   chunks->size - 1);
	}
	off = chunks->nr * chunks->size;
	if (off < bytes)
		bad += !!mpool_chunk_state(chunk, chunk->at.base + off);
	return bad;
}

static void geometry_of_every_size(struct kunit *test)
{
	static const size_t large[] = {
		12288, 12296, 16392, 32768, 45064, 65536, 65544, 100000,
		131072, 131080, 1 << 20, 3 << 20, 4 << 20,
	};
	struct mpool_chunks *chunks;
	struct mpool_chunk *chunk;
	size_t size, bytes;
	int i, bad = 0;

	chunks = kunit_kzalloc(test, sizeof(*chunks), GFP_KERNEL);
	chunk = kunit_kzalloc(test, struct_size(chunk, state, 32768),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chunks);
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	for (i = 1; i <= 8192 + ARRAY_SIZE(large); i++) {
		size = i <= 8192 ? i : large[i - 8193];
		mpool_chunks_init(chunks, NULL, NULL, NULL, size,
				  natural(size));
		bytes = (size_t)chunks->npages << PAGE_SHIFT;
		bad += chunks->size < size || chunks->size % natural(size);
		bad += chunks->size - size >= natural(size);
		bad += !chunks->nr || (size_t)chunks->nr * chunks->size > bytes;
		bad += chunks->npages > max(4ul, DIV_ROUND_UP(chunks->size, PAGE_SIZE));
		if (chunks->size <= 4 * PAGE_SIZE)
			bad += (bytes - chunks->nr * chunks->size) / chunks->npages >
			       most_lost(chunks->size, 16);
		bad += states_wrong(chunks, chunk);
		if (bad)
			break;
	}
	KUNIT_EXPECT_EQ_MSG(test, bad, 0, "size %zu: %u in %u pages", size,
			    chunks->nr, chunks->npages);
	KUNIT_EXPECT_EQ(test, i, 8193 + (int)ARRAY_SIZE(large));
}

/* The chunk of every length below that of @chunks loses more than 1/@part. */
static bool is_shortest(const struct mpool_chunks *chunks, unsigned int part)
{
	size_t n = chunks->npages * PAGE_SIZE;

	if (n % chunks->size * part > n)
		return true;
	while ((n -= PAGE_SIZE) >= chunks->size)
		if (n % chunks->size * part <= n)
			return false;
	return true;
}

/*
 * Sizes of the table of small pools may lose an eighth of a chunk, other classes and pools
 * a sixteenth.  With few objects the chunks are the shortest that have one.
 */
static void lengths_of_every_size(struct kunit *test)
{
	struct mpool_fixed *fixed;
	struct mpool_pool *owner;
	unsigned int n = 0, bad = 0, longer = 0, steps = 0, part;
	size_t size;

	fixed = kunit_kzalloc(test, sizeof(*fixed), GFP_KERNEL);
	owner = kunit_kzalloc(test, sizeof(*owner), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fixed);
	KUNIT_ASSERT_NOT_NULL(test, owner);
	for (size = 8; size <= 16384; size += 8, n++) {
		struct mpool_chunks *chunks = &fixed->chunks;
		u32 least = DIV_ROUND_UP(size, PAGE_SIZE), npages;

		mpool_chunks_init(chunks, fixed, &fixed->base, NULL, size, 8);
		bad += !is_shortest(chunks, 16);
		npages = chunks->npages;
		mpool_chunks_init(chunks, fixed, owner, NULL, size, 8);
		part = size >> __ffs(size) < 8 ? 8 : 16;
		steps += part == 8;
		bad += !is_shortest(chunks, part) || chunks->npages > npages;
		bad += part == 16 && chunks->npages != npages;
		longer += chunks->npages > least;
		chunks->nr_objs = 4 * chunks->nr - 1;
		bad += mpool_chunk_next_length(chunks) != least;
		chunks->nr_objs++;
		bad += mpool_chunk_next_length(chunks) != chunks->npages;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, n, 2048);
	KUNIT_EXPECT_GT(test, longer, 500);
	/* 8, 16, 24, .. 64, 80, 96, 112, 128, .. 16384 */
	KUNIT_EXPECT_EQ(test, steps, 8 + 4 * 8);
}

static void expect_aligned(struct kunit *test, size_t size, unsigned int align,
			   size_t want, size_t stride)
{
	struct mpool_fixed_args args = { .align = align };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, size, &args);
	void *objs[5];
	int i;

	KUNIT_EXPECT_EQ(test, stride, mpool_fixed_size(pool));
	KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 5, objs),
			5);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)objs[i] % want, 0,
				    "size %zu align %u", size, align);
	mpool_fixed_free_bulk(pool, 5, objs);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
}

static void alignment(struct kunit *test)
{
	expect_aligned(test, 100, 64, 64, 128);
	expect_aligned(test, 100, 256, 256, 256);	/* tbox: at most 128 */
	expect_aligned(test, 24, 4096, 4096, 4096);
	expect_aligned(test, 100, 65536, 65536, 65536);
	expect_aligned(test, 5000, 8192, 8192, 8192);
	expect_aligned(test, 24, 1, ARCH_KMALLOC_MINALIGN, 24);
	expect_aligned(test, 24, 0, 8, 24);
	expect_aligned(test, 96, 0, 32, 96);
	expect_aligned(test, 1024, 0, 1024, 1024);
	expect_aligned(test, 3072, 0, 1024, 3072);
	expect_aligned(test, 16384, 0, 16384, 16384);
	expect_aligned(test, 1, 0, ARCH_KMALLOC_MINALIGN,
		       ARCH_KMALLOC_MINALIGN);
}

/* --- alloc and free --- */

static void recycled_memory_is_cleared(struct kunit *test)
{
	static const size_t sizes[] = { 1, 8, 100, 3072, 5000 };
	struct mpool_fixed *pool;
	void *objs[20];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pool = mpool_kunit_fixed(test, NAME, sizes[i], NULL);
		KUNIT_ASSERT_EQ(test,
				mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 20, objs),
				20);
		for (j = 0; j < 20; j++)
			memset(objs[j], 0xa5, mpool_fixed_size(pool));
		mpool_fixed_free_bulk(pool, 20, objs);
		for (j = 0; j < 20; j++) {
			objs[j] = mpool_fixed_zalloc(pool, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, objs[j]);
			KUNIT_EXPECT_NULL(test,
					  memchr_inv(objs[j], 0,
						     mpool_fixed_size(pool)));
		}
		mpool_fixed_free_bulk(pool, 20, objs);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
		mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	}
}

static void live_size_owns(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 100, NULL);
	u8 *a = mpool_fixed_alloc(pool, GFP_KERNEL);
	u8 *b = mpool_fixed_alloc(pool, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 2);
	KUNIT_EXPECT_EQ(test, mpool_fixed_size(pool), 104);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(a), 104);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, a));
	KUNIT_EXPECT_TRUE(test, mpool_owns(a));
	KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(pool, a + 8));
	KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(pool, NULL));
	KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(pool, test));
	mpool_fixed_free(pool, a);
	KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(pool, a));
	KUNIT_EXPECT_EQ(test, mpool_usable_size(a), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 1);
	mpool_fixed_free(pool, NULL);
	mpool_fixed_free(pool, ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 1);
	mpool_free(b);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static void bulk_is_all_or_nothing(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 10 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, &args);
	void *objs[11];

	KUNIT_EXPECT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 0, NULL),
			0);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 11, objs), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 4, NULL),
			0);
	KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 7, objs),
			7);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 4, objs + 7),
			0);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 3, objs + 7),
			3);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 10);
	objs[10] = NULL;
	mpool_fixed_free_bulk(pool, 11, objs);
	mpool_fixed_free_bulk(pool, 1, NULL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static void expect_limit(struct kunit *test, unsigned int max)
{
	struct mpool_fixed_args args = { .max_objects = max };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 512, &args);
	void **objs = kunit_kcalloc(test, max + 1, sizeof(*objs), GFP_KERNEL);
	unsigned int i, round;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < max; i++) {
			objs[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL_MSG(test, objs[i], "%u of %u", i,
						  max);
		}
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_ATOMIC));
		mpool_fixed_free(pool, objs[max / 2]);
		objs[max / 2] = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, objs[max / 2]);
		KUNIT_EXPECT_EQ(test, max, mpool_fixed_live(pool));
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
		mpool_fixed_free_bulk(pool, max, objs);
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
}

static void max_objects_is_exact(struct kunit *test)
{
	static const unsigned int limits[] = { 1, 2, 7, 8, 9, 64, 100, 333 };
	int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		expect_limit(test, limits[i]);
}

/* --- constructor and destructor --- */

struct births {
	unsigned int born, died;
	bool refuse;
};

#define BORN	0x4d504f4f

static int births_ctor(void *obj, void *priv)
{
	struct births *births = priv;

	if (births->refuse)
		return -EAGAIN;
	births->born++;
	*(u32 *)obj = BORN;
	return 0;
}

static void births_dtor(void *obj, void *priv)
{
	struct births *births = priv;

	births->died += *(u32 *)obj == BORN;
	*(u32 *)obj = 0;
}

static struct mpool_fixed *births_pool(struct kunit *test,
				       struct births *births)
{
	struct mpool_fixed_args args = {
		.ctor = births_ctor,
		.dtor = births_dtor,
		.priv = births,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};

	return mpool_kunit_fixed(test, NAME, 48, &args);
}

static void ctor_may_fail(struct kunit *test)
{
	struct births births = { 0 };
	struct mpool_fixed *pool = births_pool(test, &births);
	void *objs[3];
	int i;

	births.refuse = true;
	for (i = 0; i < 300; i++)
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 3, objs),
			0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, births.died, 0);
	KUNIT_EXPECT_EQ(test,
			mpool_stat_read(&pool->base.stats, MPOOL_STAT_FAIL),
			301);
	KUNIT_EXPECT_LE(test, pages_of(pool), pool->chunks.npages);
	births.refuse = false;
	KUNIT_EXPECT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 3, objs),
			3);
	mpool_fixed_free_bulk(pool, 3, objs);
	KUNIT_EXPECT_EQ(test, births.born, 3);
	KUNIT_EXPECT_EQ(test, births.died, 3);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static void dtor_sees_every_end(struct kunit *test)
{
	struct births births = { 0 };
	struct mpool_fixed *pool = births_pool(test, &births);
	void *objs[100];

	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 100, objs),
			100);
	mpool_fixed_free(pool, objs[0]);
	mpool_free(objs[1]);
	KUNIT_EXPECT_EQ(test, births.died, 2);
	/* A refused free is none. */
	mpool_fixed_free(pool, objs[0]);
	KUNIT_EXPECT_EQ(test, births.died, 2);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 1);
	mpool_fixed_clear(pool);
	KUNIT_EXPECT_EQ(test, births.died, 100);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 70, objs), 70);
	KUNIT_EXPECT_EQ(test, births.born, 170);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			70);
	KUNIT_EXPECT_EQ(test, births.died, 170);
}

/* --- walk --- */

struct walk_test {
	struct mpool_fixed *pool;
	unsigned int seen, stop;
	bool give_back;
};

static int walk_fn(void *obj, void *arg)
{
	struct walk_test *walk = arg;

	*(u32 *)obj += 1;
	if (walk->give_back)
		mpool_fixed_free(walk->pool, obj);
	return ++walk->seen == walk->stop ? 42 : 0;
}

static void walk_visits_the_live(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 700, NULL);
	struct walk_test walk = { .pool = pool };
	u32 *objs[90];
	int i;

	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, walk_fn, &walk), 0);
	KUNIT_EXPECT_EQ(test, walk.seen, 0);
	for (i = 0; i < 90; i++) {
		objs[i] = mpool_fixed_zalloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	for (i = 1; i < 90; i += 3)
		mpool_fixed_free(pool, objs[i]);
	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, walk_fn, &walk), 0);
	KUNIT_EXPECT_EQ(test, walk.seen, 60);
	for (i = 0; i < 90; i++)
		if (i % 3 != 1)
			KUNIT_EXPECT_EQ(test, *objs[i], 1);
	walk.seen = 0;
	walk.stop = 7;
	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, walk_fn, &walk), 42);
	KUNIT_EXPECT_EQ(test, walk.seen, 7);
	walk = (struct walk_test){ .pool = pool, .give_back = true };
	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, walk_fn, &walk), 0);
	KUNIT_EXPECT_EQ(test, walk.seen, 60);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* --- clear and destroy --- */

static void clear_keeps_the_pool(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 200, NULL);
	void *objs[100];
	int round;

	for (round = 0; round < 3; round++) {
		KUNIT_ASSERT_EQ(test,
				mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 100, objs),
				100);
		mpool_fixed_clear(pool);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(pool, objs[77]));
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, pages_of(pool), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			0);
}

static void destroy_returns_the_leaks(struct kunit *test)
{
	struct mpool_fixed_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	long before = mpool_kunit_shared_pages();
	struct mpool_fixed *pool;
	void *objs[50];

	pool = mpool_kunit_fixed(test, NAME, 1000, &args);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 50, objs), 50);
	mpool_fixed_free_bulk(pool, 13, objs);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			37);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 0);
	KUNIT_EXPECT_FALSE(test, mpool_owns(objs[49]));
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(NULL), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(ERR_PTR(-ENOMEM)), 0);
}

static void orphan_lives_as_long_as_its_objects(struct kunit *test)
{
	struct births births = { 0 };
	struct mpool_fixed_args args = {
		.dtor = births_dtor,
		.priv = &births,
		.on_leak = MPOOL_ON_LEAK_KEEP,
	};
	long before = mpool_kunit_shared_pages();
	struct mpool_fixed *pool;
	struct mpool_whatis what;
	void *objs[3];
	int i;

	pool = mpool_kunit_fixed(test, NAME, 300, &args);
	KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 3, objs),
			3);
	for (i = 0; i < 3; i++)
		mpool_kunit_fill(objs[i], 300, i);
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			3);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 1);
	/* The name is free again. */
	pool = mpool_kunit_fixed(test, NAME, 8, NULL);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(objs[i], 300, i));
		KUNIT_EXPECT_TRUE(test, mpool_whatis(objs[i], &what));
		KUNIT_EXPECT_STREQ(test, what.pool, NAME);
		KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 1);
		mpool_free(objs[i]);
		KUNIT_EXPECT_FALSE(test, mpool_owns(objs[i]));
	}
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans(NAME)));
	/* Its code might be gone: an orphan has no destructor. */
	KUNIT_EXPECT_EQ(test, births.died, 0);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(before ==
			  mpool_kunit_shared_pages()));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* --- wrong arguments --- */

static void create_refuses(struct kunit *test)
{
	static const char * const names[] = {
		"", "a/b", "tab\there", "pools", ".", "..",
		"a-name-of-forty-eight-characters-is-too-long-by1",
	};
	const struct mpool_fixed_args wrong[] = {
		{ .align = 3 }, { .align = 12 }, { .align = 8u << 20 },
		{ .flags = 2 }, { .flags = 1u << 31 }, { .reserve = 2000000 },
		{ .reserve = 11, .max_objects = 10 }, { .on_leak = 4 },
		{ .on_leak = -1 }, { .large = ERR_PTR(-ENOMEM) },
	};
	struct mpool_fixed *pool, *twin;
	int i;

	pool = mpool_fixed_create(NULL, 64, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		pool = mpool_fixed_create(names[i], 64, NULL);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(pool), -EINVAL, "%s",
				    names[i]);
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		pool = mpool_fixed_create(NAME, 64, &wrong[i]);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(pool), -EINVAL, "%d", i);
	}
	pool = mpool_fixed_create(NAME, 0, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	pool = mpool_fixed_create(NAME, (4 << 20) + 1, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	pool = mpool_fixed_create(NAME, (1ull << 32) + 8, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	twin = mpool_fixed_create(NAME, 64, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(twin), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, mpool_pool_find(NAME), &pool->base);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	KUNIT_EXPECT_NULL(test, mpool_pool_find(NAME));
}

static void no_pool_at_all(struct kunit *test)
{
	struct mpool_fixed *none[] = { NULL, ERR_PTR(-ENOMEM) };
	struct walk_test walk = { 0 };
	void *objs[2] = { test, test };
	int i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(none[i], GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_fixed_zalloc(none[i],
							   GFP_KERNEL));
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_alloc_bulk(none[i], GFP_KERNEL, 2,
						       objs), 0);
		mpool_fixed_free(none[i], test);
		mpool_fixed_free(none[i], NULL);
		mpool_fixed_free_bulk(none[i], 2, objs);
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_reserve(none[i], 1, GFP_KERNEL),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, mpool_fixed_walk(none[i], walk_fn, &walk),
				0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(none[i]), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_size(none[i]), 0);
		KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(none[i], test));
		mpool_fixed_clear(none[i]);
	}
}

static void zone_flags_are_refused(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);

	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL | GFP_DMA));
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL |
						  __GFP_ACCOUNT));
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

struct typed_object {
	u64 a, b, c;
};

static void created_for_a_type(struct kunit *test)
{
	struct mpool_fixed *pool;

	pool = mpool_fixed_create_type(struct typed_object, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, sizeof(struct typed_object),
			mpool_fixed_size(pool));
	KUNIT_EXPECT_STREQ(test, pool->base.name, "typed_object");
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 0);
}

/* --- over other pools --- */

static void over_a_large_pool(struct kunit *test)
{
	struct mpool_fixed_args args = { };
	struct mpool_large *large;
	struct mpool_fixed *pool;
	void *objs[100];

	large = mpool_large_create("kt-large", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(large));
	args.large = large;
	pool = mpool_kunit_fixed(test, NAME, 256, &args);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 100, objs),
			100);
	KUNIT_EXPECT_NE(test, mpool_large_phys(large, objs[0]) + 1, 0);
	KUNIT_EXPECT_EQ(test, pages_of(pool),
			(unsigned long)atomic_long_read(&large->base.pages));
	/* It serves a pool, so it stays; and its chunks are nobody's runs. */
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	mpool_large_free(large, (void *)((unsigned long)objs[0] & PAGE_MASK));
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&large->base), 1);
	mpool_large_clear(large);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, objs[0]));
	mpool_fixed_free_bulk(pool, 100, objs);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(large), 0);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(large), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-large"));
}

static void region_runs_out_and_recovers(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, "kt-region", 16);
	struct mpool_fixed_args args = { .large = region };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 512, &args);
	void *objs[129];
	unsigned int n, first = 0, round;

	for (round = 0; round < 4; round++) {
		for (n = 0; n < ARRAY_SIZE(objs); n++) {
			objs[n] = mpool_fixed_alloc(pool, GFP_KERNEL);
			if (!objs[n])
				break;
		}
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_ATOMIC));
		/* All that fits, each time. */
		if (!round)
			first = n;
		KUNIT_EXPECT_EQ(test, n, first);
		KUNIT_EXPECT_GE(test, n, 16 / pool->chunks.npages *
				pool->chunks.nr);
		mpool_fixed_free(pool, objs[0]);
		objs[0] = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, objs[0]);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
		mpool_fixed_free_bulk(pool, n, objs);
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(region), 0);
}

static struct kunit_case fixed_cases[] = {
	KUNIT_CASE(four_of_3072_in_three_pages),
	KUNIT_CASE(geometry_of_every_size),
	KUNIT_CASE(lengths_of_every_size),
	KUNIT_CASE(alignment),
	KUNIT_CASE(recycled_memory_is_cleared),
	KUNIT_CASE(live_size_owns),
	KUNIT_CASE(bulk_is_all_or_nothing),
	KUNIT_CASE(max_objects_is_exact),
	KUNIT_CASE(ctor_may_fail),
	KUNIT_CASE(dtor_sees_every_end),
	KUNIT_CASE(walk_visits_the_live),
	KUNIT_CASE(clear_keeps_the_pool),
	KUNIT_CASE(destroy_returns_the_leaks),
	KUNIT_CASE(orphan_lives_as_long_as_its_objects),
	KUNIT_CASE(create_refuses),
	KUNIT_CASE(no_pool_at_all),
	KUNIT_CASE(zone_flags_are_refused),
	KUNIT_CASE(created_for_a_type),
	KUNIT_CASE(over_a_large_pool),
	KUNIT_CASE(region_runs_out_and_recovers),
	{ }
};

static struct kunit_suite fixed_suite = {
	.name = "mpool_fixed",
	.suite_exit = mpool_kunit_verified,
	.test_cases = fixed_cases,
};

kunit_test_suite(fixed_suite);
