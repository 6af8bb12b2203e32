// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small pools: every size, realloc across every border, sizes that cannot be,
 * frees to the wrong pool, and 100000 random operations beside a model.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "helpers.h"
#include "small.h"

#define NAME	"kt-small"

static size_t live_of(struct mpool_small *pool)
{
	struct mpool_count count;

	pool->base.ops->count(&pool->base, &count);
	return count.live;
}

static void end_of(struct kunit *test, struct mpool_small *pool)
{
	KUNIT_EXPECT_EQ(test, live_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* --- sizes --- */

/* The bytes that may be used of an object of @size, by the rule. */
static size_t most_usable(size_t size)
{
	if (size > SMALL_MAX)
		return PAGE_ALIGN(size);
	return mpool_small_class_size(mpool_class_regular(mpool_small_class(size)));
}

static bool size_wrong(struct mpool_small *pool, size_t size)
{
	size_t align = max_t(size_t, size & -size, ARCH_KMALLOC_MINALIGN);
	u8 *p = mpool_small_alloc(pool, size, GFP_KERNEL);
	size_t usable = mpool_usable_size(p);
	bool wrong;

	wrong = !p || usable < size || usable > most_usable(size) ||
		(unsigned long)p % align || !mpool_small_owns(pool, p) ||
		mpool_small_owns(pool, p + 1);
	if (p) {
		memset(p, 0x5a, usable);
		wrong |= p[0] != 0x5a || p[usable - 1] != 0x5a;
	}
	mpool_small_free(pool, p);
	return wrong || mpool_small_owns(pool, p);
}

static void every_size(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	size_t size;

	for (size = 1; size <= 20000; size++)
		if (size_wrong(pool, size))
			break;
	KUNIT_EXPECT_EQ(test, size, 20001);
	for (size = 32768; size <= 1 << 20; size *= 2)
		KUNIT_EXPECT_FALSE_MSG(test, size_wrong(pool, size), "%zu",
				       size);
	end_of(test, pool);
}

static void class_table(struct kunit *test)
{
	unsigned int class, last = 0;
	size_t size;

	for (size = 1; size <= SMALL_RESERVE_MAX; size++) {
		class = mpool_small_class(size);
		if (class >= SMALL_CLASSES ||
		    mpool_small_class_size(class) < size ||
		    (class && mpool_small_class_size(class - 1) >= size) ||
		    class - last > 1)
			break;
		last = class;
	}
	KUNIT_EXPECT_EQ(test, size, SMALL_RESERVE_MAX + 1);
	KUNIT_EXPECT_EQ(test, last, SMALL_CLASSES - 1);
}

static void no_size(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void *p;

	KUNIT_EXPECT_PTR_EQ(test, mpool_small_alloc(pool, 0, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, mpool_small_zalloc(pool, 0, GFP_KERNEL),
			    ZERO_SIZE_PTR);
	mpool_small_free(pool, ZERO_SIZE_PTR);
	mpool_small_free(pool, NULL);
	p = mpool_small_realloc(pool, NULL, 0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, p, ZERO_SIZE_PTR);
	p = mpool_small_realloc(pool, ZERO_SIZE_PTR, 100, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, ZERO_OR_NULL_PTR(p));
	KUNIT_EXPECT_EQ(test, live_of(pool), 1);
	p = mpool_small_realloc(pool, p, 0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, p, ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, mpool_usable_size(ZERO_SIZE_PTR), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	end_of(test, pool);
}

/* tbox: lengths of 4 GiB and more wrapped around. */
static void sizes_that_cannot_be(struct kunit *test)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - PAGE_SIZE, SIZE_MAX / 2,
		1ull << 63, 1ull << 44, (1ull << 44) + 1, (1ull << 38) + 100,
		1ull << 40,
	};
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	size_t size;
	void *p;
	int i;

	p = mpool_small_alloc(pool, 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_kunit_fill(p, 100, 7);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		OPTIMIZER_HIDE_VAR(size);
		KUNIT_EXPECT_NULL(test, mpool_small_alloc(pool, size, gfp));
		KUNIT_EXPECT_NULL(test, mpool_small_realloc(pool, p, size,
							    gfp));
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 100, 7));
	}
	/* A length whose low 32 bits look harmless. */
	size = (1ull << 32) + 64;
	OPTIMIZER_HIDE_VAR(size);
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(pool, size, gfp));
	KUNIT_EXPECT_NULL(test, mpool_small_realloc(pool, p, size, gfp));
	/* Flags of a zone, also where the object need not move. */
	KUNIT_EXPECT_NULL(test, mpool_small_realloc(pool, p, 99, GFP_DMA));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, 100, 7));
	mpool_small_free(pool, p);
	end_of(test, pool);
}

/* --- realloc --- */

static bool move_wrong(struct mpool_small *pool, size_t from, size_t to)
{
	u8 *p = mpool_small_alloc(pool, from, GFP_KERNEL), *q;
	size_t had = mpool_usable_size(p), most = most_usable(to);
	bool wrong;

	if (!p)
		return true;
	mpool_kunit_fill(p, from, from + to);
	q = mpool_small_realloc(pool, p, to, GFP_KERNEL);
	/* An object that loses less than half stays, one that grows has half more. */
	if (q == p && to > had / 2)
		most = max(most, had);
	if (q != p && to > had)
		most = max(most, most_usable(min_t(size_t, round_up(had + had / 2, to & -to),
						   SMALL_MAX)));
	wrong = !q || mpool_usable_size(q) < to ||
		mpool_usable_size(q) > most ||
		!mpool_kunit_intact(q, min(from, to), from + to);
	mpool_small_free(pool, q ?: p);
	return wrong;
}

static void realloc_across_every_border(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	unsigned int class, other, bad = 0;
	size_t size;

	for (class = 0; class <= mpool_small_class(SMALL_MAX); class++) {
		size = mpool_small_class_size(class);
		bad += move_wrong(pool, size, size + 1);
		bad += move_wrong(pool, size + 1, size);
		bad += move_wrong(pool, size, size - 1);
		bad += move_wrong(pool, size, 1);
		for (other = class % 3; other < SMALL_CLASSES; other += 3)
			bad += move_wrong(pool, size,
					  mpool_small_class_size(other));
	}
	for (size = 4096; size <= 80000; size += 5555) {
		bad += move_wrong(pool, 100, size);
		bad += move_wrong(pool, size, 100);
		bad += move_wrong(pool, size, size * 2);
		bad += move_wrong(pool, size * 2, size);
		bad += move_wrong(pool, SMALL_MAX, size);
		bad += move_wrong(pool, size, SMALL_MAX + 1);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	end_of(test, pool);
}

/* The same where a size beyond a regular class has its own, which a load makes. */
static void realloc_from_a_class_of_its_own(struct kunit *test)
{
	static const size_t sizes[] = { 72, 520, 2080, 4160 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	unsigned int i, n, class, bad = 0;
	size_t to;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		class = mpool_small_class(sizes[i]);
		for (n = 0; n < 1000 && !mpool_small_own(pool, class); n++)
			mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, mpool_small_own(pool, class));
		for (to = 1; to < 2 * sizes[i]; to += 1 + sizes[i] / 50)
			bad += move_wrong(pool, sizes[i], to);
		/* Less than half is not worth a move, half of them are. */
		p = mpool_small_alloc(pool, sizes[i], GFP_KERNEL);
		KUNIT_EXPECT_PTR_EQ(test, p,
				    mpool_small_realloc(pool, p, sizes[i] - 8,
							GFP_KERNEL));
		p = mpool_small_realloc(pool, p, sizes[i] / 2, GFP_KERNEL);
		KUNIT_EXPECT_LE(test, mpool_usable_size(p),
				most_usable(sizes[i] / 2));
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	mpool_small_clear(pool);
	end_of(test, pool);
}

/* However small the steps are, an object that grows is copied a few times only. */
static void growth_copies_little(struct kunit *test)
{
	static const size_t steps[] = { 1, 8, 24, 64, 100, 1000 };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	size_t size, copied;
	u8 *p, *q;
	int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		p = NULL;
		copied = 0;
		for (size = steps[i]; size <= SMALL_MAX; size += steps[i]) {
			q = mpool_small_realloc(pool, p, size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, q);
			if (p && q != p) {
				copied += size - steps[i];
				KUNIT_EXPECT_EQ(test, (unsigned long)q % (size & -size), 0);
			}
			KUNIT_ASSERT_LE(test, mpool_usable_size(q), 2 * max_t(size_t, size, 8));
			p = q;
		}
		KUNIT_EXPECT_LE_MSG(test, copied, 3 * size, "by %zu", steps[i]);
		mpool_small_free(pool, p);
	}
	end_of(test, pool);
}

static int last_visited(const struct mpool_obj *obj, void *arg)
{
	*(struct mpool_obj *)arg = *obj;
	return 0;
}

/* What stays where it is belongs to the line of the realloc, and has its size. */
static void realloc_in_place_is_seen(struct kunit *test)
{
	static const size_t sizes[][3] = {
		{ 100, 111, 112 }, { 20000, 20001, 20001 }, { 20000, 16385, 16385 },
	};
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	struct mpool_obj before, after;
	int i, round;
	void *p;

	/* In the second round the site has its number, which the fast path needs. */
	for (i = 0, round = 0; i < ARRAY_SIZE(sizes); i += round, round = !round) {
		p = mpool_small_alloc(pool, sizes[i][0], GFP_KERNEL);
		pool->base.ops->walk(&pool->base, last_visited, &before);
		KUNIT_EXPECT_PTR_EQ(test, p,
				    mpool_small_realloc(pool, p, sizes[i][1], GFP_KERNEL));
		pool->base.ops->walk(&pool->base, last_visited, &after);
		KUNIT_EXPECT_PTR_EQ(test, after.addr, p);
		KUNIT_EXPECT_NE(test, after.site, before.site);
		KUNIT_EXPECT_EQ(test, after.size, sizes[i][2]);
		mpool_small_free(pool, p);
	}
	end_of(test, pool);
}

/* What is behind the old usable size is cleared, if that is asked for. */
static void expect_cleared(struct kunit *test, struct mpool_small *pool,
			   size_t from, size_t to)
{
	u8 *p = mpool_small_zalloc(pool, from, GFP_KERNEL);
	size_t had = mpool_usable_size(p);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, had));
	memset(p, 0xa5, had);
	p = mpool_small_realloc(pool, p, to, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0xa5, min(had, to)));
	if (mpool_usable_size(p) > had)
		KUNIT_EXPECT_NULL_MSG(test,
				      memchr_inv(p + had, 0,
						 mpool_usable_size(p) - had),
				      "%zu to %zu", from, to);
	memset(p, 0xa5, mpool_usable_size(p));
	mpool_small_free(pool, p);
}

static void realloc_clears_what_is_new(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 8, 9, 60, 100, 500, 4000, 16000, 16384, 16385, 20000, 40000,
		100000,
	};
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	int i, j, round;

	for (round = 0; round < 3; round++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			for (j = i; j < ARRAY_SIZE(sizes); j++)
				expect_cleared(test, pool, sizes[i], sizes[j]);
	end_of(test, pool);
}

static void realloc_that_fails_changes_nothing(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, "kt-region", 40);
	struct mpool_small_args args = { .large = region };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, &args);
	void *small = mpool_small_alloc(pool, 200, GFP_KERNEL);
	void *run = mpool_small_alloc(pool, 20000, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, run);
	mpool_kunit_fill(small, 200, 1);
	mpool_kunit_fill(run, 20000, 2);
	KUNIT_EXPECT_NULL(test, mpool_small_realloc(pool, small, 200000,
						    GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpool_small_realloc(pool, run, 200000,
						    GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(small, 200, 1));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(run, 20000, 2));
	KUNIT_EXPECT_EQ(test, live_of(pool), 2);
	mpool_small_free(pool, small);
	mpool_small_free(pool, run);
	end_of(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(region), 0);
}

/* --- whose is it --- */

static void wrong_pool(struct kunit *test)
{
	struct mpool_small *a = mpool_kunit_small(test, NAME, NULL);
	struct mpool_small *b = mpool_kunit_small(test, "kt-other", NULL);
	static const size_t sizes[] = { 24, 3000, 50000 };
	void *p, *q;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = mpool_small_alloc(a, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		mpool_kunit_fill(p, sizes[i], i);
		mpool_small_free(b, p);
		q = mpool_small_realloc(b, p, sizes[i] * 2, GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, q);
		/* Where it could stay. */
		q = mpool_small_realloc(b, p, sizes[i], GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, q);
		KUNIT_EXPECT_PTR_EQ(test,
				    mpool_small_realloc(b, p, 0, GFP_KERNEL),
				    ZERO_SIZE_PTR);
		KUNIT_EXPECT_EQ(test, 4 * (i + 1), mpool_kunit_bad(&b->base));
		KUNIT_EXPECT_TRUE(test, mpool_small_owns(a, p));
		KUNIT_EXPECT_FALSE(test, mpool_small_owns(b, p));
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, sizes[i], i));
		/* The right one, and again. */
		mpool_small_free(a, p);
		mpool_small_free(a, p);
		KUNIT_EXPECT_EQ(test, i + 1, mpool_kunit_bad(&a->base));
	}
	end_of(test, a);
	end_of(test, b);
}

/* tbox: the stored size decided which pool a block went back to. */
static void address_decides(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void *p = mpool_small_alloc(pool, SMALL_MAX + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	/* A run that is now short enough for a class, and the reverse. */
	p = mpool_small_realloc(pool, p, 500, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LE(test, mpool_usable_size(p), 512);
	p = mpool_small_realloc(pool, p, 3 * SMALL_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	mpool_free(p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	end_of(test, pool);
}

static void no_pool_at_all(struct kunit *test)
{
	struct mpool_small *none[] = { NULL, ERR_PTR(-ENOMEM) };
	void *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_NULL(test, mpool_small_alloc(none[i], 8,
							  GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_small_zalloc(none[i], 8,
							   GFP_KERNEL));
		p = mpool_small_realloc(none[i], test, 8, GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, p);
		mpool_small_free(none[i], test);
		mpool_small_clear(none[i]);
		KUNIT_EXPECT_FALSE(test, mpool_small_owns(none[i], test));
		KUNIT_EXPECT_EQ(test, mpool_small_destroy(none[i]), 0);
	}
}

static void create_refuses(struct kunit *test)
{
	struct mpool_small_args args = { .on_leak = 9 };
	struct mpool_small *pool;

	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create(NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create("", NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create("a/b", NULL)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create(NAME, &args)),
			-EINVAL);
	args = (struct mpool_small_args){ .large = ERR_PTR(-ENOMEM) };
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create(NAME, &args)),
			-EINVAL);
	pool = mpool_kunit_small(test, NAME, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create(NAME, NULL)), -EEXIST);
	end_of(test, pool);
}

/* --- clear and destroy --- */

static const size_t mixed[] = { 1, 8, 100, 100, 3000, 16384, 20000, 100000 };

static void take_mixed(struct kunit *test, struct mpool_small *pool,
		       void **objs)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mixed); i++) {
		objs[i] = mpool_small_alloc(pool, mixed[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		mpool_kunit_fill(objs[i], mixed[i], i);
	}
}

static void clear_keeps_the_pool(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	void *objs[ARRAY_SIZE(mixed)];
	int i, round;

	for (round = 0; round < 3; round++) {
		take_mixed(test, pool, objs);
		KUNIT_EXPECT_EQ(test, ARRAY_SIZE(mixed), live_of(pool));
		mpool_small_clear(pool);
		for (i = 0; i < ARRAY_SIZE(mixed); i++)
			KUNIT_EXPECT_FALSE(test, mpool_owns(objs[i]));
		end_of(test, pool);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 0);
}

static void destroy_with_leaks(struct kunit *test)
{
	struct mpool_small_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	long before = mpool_kunit_shared_pages();
	struct mpool_small *pool = mpool_kunit_small(test, NAME, &args);
	void *objs[ARRAY_SIZE(mixed)];
	int i;

	take_mixed(test, pool, objs);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(mixed),
			mpool_small_destroy(mpool_kunit_own_small(test, pool)));
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
	args.on_leak = MPOOL_ON_LEAK_KEEP;
	pool = mpool_kunit_small(test, NAME, &args);
	take_mixed(test, pool, objs);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(mixed),
			mpool_small_destroy(mpool_kunit_own_small(test, pool)));
	for (i = 0; i < ARRAY_SIZE(mixed); i++) {
		KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 1);
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(objs[i], mixed[i],
							   i));
		mpool_free(objs[i]);
	}
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans(NAME)));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(before ==
			  mpool_kunit_shared_pages()));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* --- allocation failures --- */

static bool try_everything(struct kunit *test, struct mpool_small *pool)
{
	void *objs[ARRAY_SIZE(mixed)] = { NULL }, *p;
	bool all = true;
	int i;

	for (i = 0; i < ARRAY_SIZE(mixed); i++) {
		objs[i] = mpool_small_alloc(pool, mixed[i], GFP_NOWAIT);
		all &= !!objs[i];
		if (objs[i])
			mpool_kunit_fill(objs[i], mixed[i], i);
	}
	for (i = 0; i < ARRAY_SIZE(mixed); i++) {
		p = mpool_small_realloc(pool, objs[i], mixed[i] * 2,
					GFP_NOWAIT);
		all &= !!p;
		if (p && objs[i] && !mpool_kunit_intact(p, mixed[i], i))
			all = false;
		mpool_small_free(pool, p ?: objs[i]);
	}
	KUNIT_EXPECT_EQ(test, live_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
	return all;
}

static void every_allocation_failure(struct kunit *test)
{
	long before = mpool_kunit_shared_pages();
	unsigned int n, failed = 0;
	struct mpool_small *pool;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 1000; n++) {
		mpool_kunit_fail_nth(n);
		pool = mpool_small_create(NAME, NULL);
		if (IS_ERR(pool))
			failed++;
		else
			failed += !try_everything(test, pool);
		if (!IS_ERR(pool))
			mpool_small_destroy(pool);
		if (!mpool_kunit_fail_end())
			break;
		KUNIT_ASSERT_NULL(test, mpool_pool_find(NAME));
	}
	kunit_info(test, "%u points of failure, %u seen\n", n - 1, failed);
	KUNIT_EXPECT_LT(test, n, 1000);
	KUNIT_EXPECT_GT(test, failed, 5);
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* __GFP_NOFAIL does without a class, if it cannot be made. */
static void nofail_never_fails(struct kunit *test)
{
	static const size_t sizes[] = { 1, 100, 5000, 9000, 16384, 20000 };
	struct mpool_small *pool;
	bool failed = true;
	unsigned int n, i;
	void *p;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 100 && failed; n++) {
		for (failed = false, i = 0; i < ARRAY_SIZE(sizes); i++) {
			pool = mpool_kunit_small(test, NAME, NULL);
			mpool_large_trim(mpool_large_shared);
			mpool_kunit_fail_nth(n);
			p = mpool_small_alloc(pool, sizes[i],
					      GFP_KERNEL | __GFP_NOFAIL);
			failed |= mpool_kunit_fail_end();
			KUNIT_EXPECT_NOT_NULL_MSG(test, p, "%zu, %u", sizes[i],
						  n);
			mpool_small_free(pool, p);
			end_of(test, pool);
			mpool_small_destroy(mpool_kunit_own_small(test, pool));
		}
	}
	KUNIT_EXPECT_GT(test, n, 3);
	KUNIT_EXPECT_FALSE(test, failed);
}

/* --- the model: an array of what should be live --- */

#define MODEL_OPS	100000
#define MODEL_MAX	400

struct model_obj {
	u8 *p;
	size_t size;
	u32 tag;
};

struct model {
	struct mpool_small *pool;
	struct rnd_state rnd;
	struct model_obj objs[MODEL_MAX];
	unsigned int n, wrong;
	u32 tag;
};

/* Log-uniform: as many from 8 to 16 bytes as from 8 to 16 KiB. */
static size_t model_size(struct model *m)
{
	size_t top = 1ul << (1 + mpool_kunit_below(&m->rnd, 11));

	if (!mpool_kunit_below(&m->rnd, 200))
		top = 1 << 16;
	return 1 + mpool_kunit_below(&m->rnd, top);
}

static void model_stamp(struct model *m, struct model_obj *obj)
{
	obj->tag = ++m->tag;
	mpool_kunit_fill(obj->p, obj->size, obj->tag);
}

static void model_alloc(struct model *m)
{
	struct model_obj *obj = &m->objs[m->n];
	bool zero = mpool_kunit_below(&m->rnd, 2);

	obj->size = model_size(m);
	obj->p = zero ? mpool_small_zalloc(m->pool, obj->size, GFP_KERNEL) :
			mpool_small_alloc(m->pool, obj->size, GFP_KERNEL);
	if (!obj->p || mpool_usable_size(obj->p) < obj->size ||
	    (zero && memchr_inv(obj->p, 0, obj->size))) {
		m->wrong++;
		return;
	}
	model_stamp(m, obj);
	m->n++;
}

static void model_free(struct model *m, struct model_obj *obj)
{
	m->wrong += !mpool_kunit_intact(obj->p, obj->size, obj->tag);
	if (mpool_kunit_below(&m->rnd, 2))
		mpool_small_free(m->pool, obj->p);
	else
		mpool_free(obj->p);
	*obj = m->objs[--m->n];
}

static void model_realloc(struct model *m, struct model_obj *obj)
{
	size_t size = model_size(m);
	u8 *p = mpool_small_realloc(m->pool, obj->p, size, GFP_KERNEL);

	m->wrong += !p || !mpool_kunit_intact(p, min(size, obj->size),
					      obj->tag);
	obj->p = p;
	obj->size = size;
	model_stamp(m, obj);
}

static void model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int step;
	u32 dice;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->pool = mpool_kunit_small(test, NAME, NULL);
	mpool_kunit_random(test, &m->rnd);
	for (step = 0; step < MODEL_OPS && !m->wrong; step++) {
		dice = mpool_kunit_below(&m->rnd, 100);
		if (dice < 45 && m->n < MODEL_MAX)
			model_alloc(m);
		else if (dice < 85 && m->n)
			model_free(m, &m->objs[mpool_kunit_below(&m->rnd,
								 m->n)]);
		else if (m->n)
			model_realloc(m, &m->objs[mpool_kunit_below(&m->rnd,
								    m->n)]);
		if (step % 10000)
			continue;
		m->wrong += mpool_small_verify(m->pool);
		m->wrong += live_of(m->pool) != m->n;
	}
	KUNIT_EXPECT_EQ_MSG(test, m->wrong, 0, "at step %u", step);
	while (m->n)
		model_free(m, &m->objs[0]);
	KUNIT_EXPECT_EQ(test, m->wrong, 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&m->pool->base), 0);
	end_of(test, m->pool);
}

/* --- what an allocation has at least --- */

static size_t class_bytes(size_t size)
{
	return mpool_small_class_size(mpool_small_class(size));
}

static void size_roundup(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	size_t size, more, wrong = 0;
	void *p;

	KUNIT_EXPECT_EQ(test, mpool_size_roundup(0), 0);
	KUNIT_EXPECT_EQ(test, mpool_size_roundup(1), 8);
	KUNIT_EXPECT_EQ(test, mpool_size_roundup(513), 520);
	KUNIT_EXPECT_EQ(test, mpool_size_roundup(SMALL_MAX), SMALL_MAX);
	KUNIT_EXPECT_EQ(test, PAGE_ALIGN(SMALL_MAX + 1),
			mpool_size_roundup(SMALL_MAX + 1));
	KUNIT_EXPECT_EQ(test, mpool_size_roundup(SIZE_MAX), SIZE_MAX);
	KUNIT_EXPECT_EQ(test, mpool_size_roundup(SIZE_MAX - 5), SIZE_MAX - 5);
	for (size = 1; size < 70000; size += 1 + size / 100) {
		more = mpool_size_roundup(size);
		wrong += more < size || mpool_size_roundup(more) != more;
		if (size <= SMALL_MAX)
			wrong += more != class_bytes(size);
		p = mpool_small_alloc(pool, size, GFP_KERNEL);
		wrong += !p || mpool_usable_size(p) < more;
		mpool_small_free(pool, p);
		p = mpool_small_alloc(pool, more, GFP_KERNEL);
		if (p)
			memset(p, 0x5a, more);
		mpool_small_free(pool, p);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	end_of(test, pool);
}

/* All of an object may be used once it was asked for, and then it does not move. */
static void all_of_it(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	size_t size, usable, wrong = 0;
	void *p, *q;

	for (size = 1; size < 70000; size += 1 + size / 30) {
		p = mpool_small_alloc(pool, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		usable = mpool_usable_size(p);
		q = mpool_realloc(p, usable, GFP_KERNEL);
		wrong += q != p || mpool_usable_size(q) != usable;
		memset(q, 0, usable);
		mpool_free(q);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	end_of(test, pool);
}

/* --- the reserve --- */

#define RESERVE		20

static struct mpool_fixed *reserve_class(struct mpool_small *pool, size_t size)
{
	return mpool_small_own(pool, mpool_small_class(size));
}

static unsigned long reserve_held(struct mpool_small *pool, size_t size)
{
	struct mpool_fixed *fixed = reserve_class(pool, size);

	return fixed && fixed->reserved ?
		mpool_reserve_objects(fixed->reserved) : 0;
}

/* N allocations of whatever size up to that succeed though there is nothing else. */
static void reserve_without_memory(struct kunit *test)
{
	struct mpool_large *large = mpool_kunit_region(test, "kt-region", 64);
	struct mpool_small_args args = { .large = large };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, &args);
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	unsigned int i, round, got;
	void *objs[3 * RESERVE];
	struct rnd_state rnd;
	size_t size;

	mpool_kunit_random(test, &rnd);
	KUNIT_ASSERT_EQ(test,
			mpool_small_reserve(pool, 1000, RESERVE, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 1024), RESERVE);
	while (mpool_large_alloc(large, PAGE_SIZE, NULL, gfp))
		;
	for (round = 0; round < 5; round++) {
		for (i = 0; i < RESERVE; i++) {
			size = 1 + mpool_kunit_below(&rnd, 1000);
			objs[i] = mpool_small_zalloc(pool, size, gfp);
			KUNIT_ASSERT_NOT_NULL(test, objs[i]);
			size = mpool_usable_size(objs[i]);
			objs[i] = mpool_realloc(objs[i], size, gfp);
			KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], 0, size));
			memset(objs[i], 0xa5, size);
		}
		KUNIT_EXPECT_EQ(test,
				mpool_stat_read(&pool->base.stats, MPOOL_STAT_FAIL),
				0);
		KUNIT_EXPECT_NE(test,
				mpool_stat_read(&pool->base.stats,
						MPOOL_STAT_RESERVE), 0);
		for (i = 0; i < RESERVE; i++)
			mpool_small_free(pool, objs[i]);
		KUNIT_EXPECT_TRUE(test,
				  mpool_kunit_wait(reserve_held(pool, 1024) ==
						   RESERVE));
	}
	/* Longer ones have none; and it is a last resort, not more memory. */
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(pool, 1025, gfp));
	for (got = 0; got < ARRAY_SIZE(objs); got++) {
		objs[got] = mpool_small_alloc(pool, 1000, gfp);
		if (!objs[got])
			break;
	}
	KUNIT_EXPECT_GE(test, got, RESERVE);
	KUNIT_EXPECT_LT(test, got, ARRAY_SIZE(objs));
	while (got--)
		mpool_small_free(pool, objs[got]);
	mpool_large_clear(large);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
}

static void reserves_of_several_sizes(struct kunit *test)
{
	struct mpool_small *pool = mpool_kunit_small(test, NAME, NULL);
	gfp_t gfp = GFP_KERNEL;

	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 1, 7, gfp), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 16384, 3, gfp), 0);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 64), 7);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 16384), 3);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 64, 2, gfp), 0);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 64), 2);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 9000, 0, gfp), 0);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 16384), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 0, 1, gfp), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 16385, 1, gfp),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, SIZE_MAX, 1, gfp),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 8, 1, GFP_ATOMIC),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 8, UINT_MAX, gfp),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(NULL, 8, 1, gfp), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(ERR_PTR(-ENOMEM), 8, 1, gfp),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, 64), 2);
	end_of(test, pool);
}

/* Sizes that are runs otherwise have classes, so that the reserve can serve them. */
static void reserve_of_long_ones(struct kunit *test)
{
	struct mpool_large *large = mpool_kunit_region(test, "kt-region", 64);
	struct mpool_small_args args = { .large = large };
	struct mpool_small *pool = mpool_kunit_small(test, NAME, &args);
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	void *objs[3];
	int i;

	KUNIT_ASSERT_EQ(test, mpool_small_reserve(pool, 9000, 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, reserve_held(pool, SMALL_RESERVE_MAX), 3);
	while (mpool_large_alloc(large, PAGE_SIZE, NULL, gfp))
		;
	for (i = 0; i < 3; i++) {
		objs[i] = mpool_small_alloc(pool, 8193 + 4000 * i, gfp);
		KUNIT_EXPECT_EQ(test, mpool_usable_size(objs[i]), SMALL_RESERVE_MAX);
	}
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(pool, 8193, gfp));
	KUNIT_EXPECT_NULL(test, mpool_small_alloc(pool, SMALL_RESERVE_MAX + 1, gfp));
	for (i = 0; i < 3; i++)
		mpool_small_free(pool, objs[i]);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(reserve_held(pool, SMALL_RESERVE_MAX) == 3));
	mpool_large_clear(large);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
}

/* What one CPU freed another can have at once. */
static void no_cache(struct kunit *test)
{
	struct mpool_small_args args = { .flags = MPOOL_SMALL_NO_CACHE };
	struct mpool_small *pool;
	struct mpool_fixed *fixed;
	unsigned int i, cpu, cached = 0;
	void *objs[50];

	pool = mpool_kunit_small(test, NAME, &args);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = mpool_small_alloc(pool, 100 + i, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mpool_small_free(pool, objs[i]);
	mpool_small_for_each(pool, i, fixed) {
		for_each_possible_cpu(cpu)
			cached += mpool_cache_objects(per_cpu_ptr(fixed->caches,
								  cpu));
	}
	KUNIT_EXPECT_EQ(test, cached, 0);
	end_of(test, pool);
	args.flags = 2;
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_small_create("kt-flags", &args)),
			-EINVAL);
}

static struct kunit_case small_cases[] = {
	KUNIT_CASE(every_size),
	KUNIT_CASE(class_table),
	KUNIT_CASE(no_size),
	KUNIT_CASE(sizes_that_cannot_be),
	KUNIT_CASE(realloc_across_every_border),
	KUNIT_CASE(realloc_from_a_class_of_its_own),
	KUNIT_CASE(growth_copies_little),
	KUNIT_CASE(realloc_in_place_is_seen),
	KUNIT_CASE(realloc_clears_what_is_new),
	KUNIT_CASE(realloc_that_fails_changes_nothing),
	KUNIT_CASE(wrong_pool),
	KUNIT_CASE(address_decides),
	KUNIT_CASE(no_pool_at_all),
	KUNIT_CASE(create_refuses),
	KUNIT_CASE(clear_keeps_the_pool),
	KUNIT_CASE(destroy_with_leaks),
	KUNIT_CASE(size_roundup),
	KUNIT_CASE(all_of_it),
	KUNIT_CASE(reserve_without_memory),
	KUNIT_CASE(reserves_of_several_sizes),
	KUNIT_CASE(reserve_of_long_ones),
	KUNIT_CASE(no_cache),
	KUNIT_CASE(every_allocation_failure),
	KUNIT_CASE(nofail_never_fails),
	KUNIT_CASE(model),
	{ }
};

static struct kunit_suite small_suite = {
	.name = "mpool_small",
	.suite_exit = mpool_kunit_verified,
	.test_cases = small_cases,
};

kunit_test_suite(small_suite);
