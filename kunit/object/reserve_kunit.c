// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: what it promises with no memory left, how it is filled up again,
 * and how it changes its size.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "fixed.h"
#include "helpers.h"
#include "small.h"

#define NAME		"kt-reserve"
#define MOST		512

struct dry {
	struct mpool_fixed *pool;
	void *objs[MOST];
	unsigned int n;
};

/* A pool over a region of @npages. */
static struct dry *dry_create(struct kunit *test, const char *name,
			      unsigned int npages, unsigned int reserve)
{
	struct mpool_fixed_args args = { .reserve = reserve };
	struct dry *dry = kunit_kzalloc(test, sizeof(*dry), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dry);
	args.large = mpool_kunit_region(test, "kt-region", npages);
	dry->pool = mpool_kunit_fixed(test, name, 256, &args);
	return dry;
}

/* Takes objects until the reserve is all that is left. */
static void dry_out(struct kunit *test, struct dry *dry)
{
	struct mpool_pool *pool = &dry->pool->base;
	u64 used = mpool_stat_read(&pool->stats, MPOOL_STAT_RESERVE);

	while (dry->n < MOST) {
		dry->objs[dry->n] = mpool_fixed_alloc(dry->pool, GFP_KERNEL);
		if (!dry->objs[dry->n])
			break;
		dry->n++;
		if (mpool_stat_read(&pool->stats, MPOOL_STAT_RESERVE) > used) {
			mpool_fixed_free(dry->pool, dry->objs[--dry->n]);
			break;
		}
	}
	KUNIT_ASSERT_LT(test, dry->n, MOST);
}

static unsigned long held(struct mpool_fixed *pool)
{
	return mpool_reserve_objects(&pool->reserve);
}

static void give_all_back(struct dry *dry)
{
	mpool_fixed_free_bulk(dry->pool, dry->n, dry->objs);
	dry->n = 0;
}

static void filled_at_creation(struct kunit *test)
{
	struct dry *dry = dry_create(test, NAME, 16, 10);

	KUNIT_EXPECT_EQ(test, held(dry->pool), 10);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(&dry->pool->reserve), 10);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(dry->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
}

/* N allocations succeed though there is nothing else; the next one fails. */
static void kept_without_memory(struct kunit *test)
{
	struct dry *dry = dry_create(test, NAME, 16, 0);
	unsigned int i, round;
	void *objs[21];

	for (round = 0; round < 3; round++) {
		KUNIT_ASSERT_EQ(test,
				mpool_fixed_reserve(dry->pool, 20, GFP_KERNEL),
				0);
		dry_out(test, dry);
		/* The one that was put back has its place again. */
		KUNIT_EXPECT_EQ(test, held(dry->pool), 20);
		local_irq_disable();
		for (i = 0; i < 21; i++)
			objs[i] = mpool_fixed_alloc(dry->pool, GFP_ATOMIC);
		local_irq_enable();
		for (i = 0; i < 20; i++)
			KUNIT_EXPECT_NOT_NULL_MSG(test, objs[i], "%u", i);
		KUNIT_EXPECT_NULL(test, objs[20]);
		KUNIT_EXPECT_EQ(test, held(dry->pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
		mpool_fixed_free_bulk(dry->pool, 20, objs);
		give_all_back(dry);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
	}
}

static void filled_by_frees(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 30, .reserve = 5 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	void *objs[30];
	int i;

	/* The reserve counts as part of the limit. */
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 30, objs), 30);
	KUNIT_EXPECT_EQ(test, held(pool), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_stat_read(&pool->base.stats, MPOOL_STAT_RESERVE),
			5);
	for (i = 0; i < 30; i++) {
		mpool_fixed_free(pool, objs[i]);
		KUNIT_EXPECT_EQ(test, min(i + 1, 5), held(pool));
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static void filled_in_the_background(struct kunit *test)
{
	struct mpool_fixed_args args = { .reserve = 8 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	struct mpool_slot slots[8];
	int i;

	for (i = 0; i < 8; i++)
		KUNIT_ASSERT_TRUE(test, mpool_reserve_take(&pool->reserve,
							   &slots[i]));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(held(pool) == 8));
	/* With no room in it they go back to the chunks. */
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_TRUE(test, mpool_reserve_put(&pool->reserve,
							  &slots[i]) ||
				  mpool_chunks_push(&pool->chunks, &slots[i],
						    1));
	KUNIT_EXPECT_EQ(test, held(pool), 8);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static void use_up(struct dry *dry, gfp_t gfp)
{
	while (dry->n < MOST) {
		dry->objs[dry->n] = mpool_fixed_alloc(dry->pool, gfp);
		if (!dry->objs[dry->n])
			break;
		dry->n++;
	}
}

/* Also when a CPU has room for all that is freed in its magazine. */
static void filled_when_memory_returns(struct kunit *test)
{
	struct dry *dry = dry_create(test, NAME, 16, 12);
	unsigned int n, round;

	for (round = 0; round < 2; round++) {
		use_up(dry, round ? GFP_ATOMIC : GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, held(dry->pool), 0);
		n = dry->n;
		KUNIT_ASSERT_GT(test, n, 12);
		while (dry->n > n - 12)
			mpool_fixed_free(dry->pool, dry->objs[--dry->n]);
		KUNIT_EXPECT_TRUE(test,
				  mpool_kunit_wait(held(dry->pool) == 12));
		give_all_back(dry);
		KUNIT_EXPECT_EQ(test, held(dry->pool), 12);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
	}
}

/* All the memory there is may lie with the CPUs, as free objects. */
static void filled_from_the_caches(struct kunit *test)
{
	struct dry *dry = dry_create(test, NAME, 16, 0);

	use_up(dry, GFP_ATOMIC);
	KUNIT_ASSERT_GT(test, dry->n, 100);
	while (dry->n > 60)
		mpool_fixed_free(dry->pool, dry->objs[--dry->n]);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(dry->pool, 60, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, held(dry->pool), 60);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(dry->pool), 60);
	give_all_back(dry);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
}

static void resized(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 50, 7, 300, 299, 0, 20, 0 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 100, NULL);
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_reserve(pool, sizes[i], GFP_KERNEL),
				0);
		KUNIT_EXPECT_EQ(test, sizes[i], held(pool));
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
	mpool_fixed_drain(pool);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_objs, 0);
}

static void errors(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 40 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 100, &args);
	struct dry *dry = dry_create(test, "kt-dry", 4, 0);

	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 1, GFP_ATOMIC),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 1, GFP_NOWAIT),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 41, GFP_KERNEL),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 1 << 21, GFP_KERNEL),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, held(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 40, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, held(pool), 40);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	/* More than the region has: what there was before is still there. */
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(dry->pool, 6, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(dry->pool, 1000, GFP_KERNEL),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, held(dry->pool), 6);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(&dry->pool->reserve), 6);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
}

/* Zones and accounting are the large pool's; other flags do no harm. */
static void flags(struct kunit *test)
{
	static const gfp_t wrong[] = {
		GFP_ATOMIC, GFP_KERNEL | __GFP_DMA32, GFP_KERNEL | __GFP_DMA,
		GFP_KERNEL_ACCOUNT, GFP_HIGHUSER,
	};
	static const gfp_t good[] = {
		GFP_KERNEL | __GFP_ZERO, GFP_NOIO, GFP_KERNEL | __GFP_NOFAIL,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 100, NULL);
	struct mpool_small *small = mpool_kunit_small(test, "kt-small", NULL);
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 3, wrong[i]),
				-EINVAL);
		KUNIT_EXPECT_EQ(test,
				mpool_small_reserve(small, 8, 3, wrong[i]),
				-EINVAL);
	}
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(&pool->reserve), 0);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, i + 1, good[i]),
				0);
		KUNIT_EXPECT_EQ(test, i + 1, held(pool));
		KUNIT_EXPECT_EQ(test,
				mpool_small_reserve(small, 8, i + 1, good[i]),
				0);
	}
}

/* The memory of a reserve that could not be had is there for others. */
static void failure_takes_nothing(struct kunit *test)
{
	struct mpool_small_args args = {
		.large = mpool_kunit_region(test, "kt-region", 64),
	};
	struct mpool_small *pool = mpool_kunit_small(test, NAME, &args);
	struct mpool_fixed *fixed;
	void *run;

	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 4096, 100, GFP_KERNEL),
			-ENOMEM);
	KUNIT_EXPECT_NULL(test, pool->backups[ilog2(4096 / SMALL_RESERVE_MIN)]);
	fixed = mpool_small_own(pool, mpool_small_class(4096));
	KUNIT_ASSERT_NOT_NULL(test, fixed);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(fixed->reserved), 0);
	mpool_fixed_drain(fixed);
	KUNIT_EXPECT_EQ(test, fixed->chunks.nr_objs, 0);
	run = mpool_large_alloc(args.large, 64 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, run);
	mpool_large_free(args.large, run);
	/* An earlier one stays, with all that it has. */
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 4096, 10, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, mpool_small_reserve(pool, 4096, 100, GFP_KERNEL),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(fixed->reserved), 10);
	KUNIT_EXPECT_EQ(test, mpool_reserve_objects(fixed->reserved), 10);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(pool), 0);
}

static void creation_needs_it(struct kunit *test)
{
	struct mpool_fixed_args args = { .reserve = 1000 };
	struct mpool_fixed *pool;

	args.large = mpool_kunit_region(test, "kt-region", 4);
	pool = mpool_fixed_create(NAME, 256, &args);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
	KUNIT_EXPECT_NULL(test, mpool_pool_find(NAME));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(args.large), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&args.large->base.pages), 0);
}

/* With every allocation of the kernel failing that can be made to fail. */
static void kept_under_injected_failure(struct kunit *test)
{
	struct mpool_fixed_args args = { .reserve = 30 };
	struct mpool_fixed *pool;
	unsigned int i, n;
	void *objs[30];

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n <= 4; n++) {
		pool = mpool_kunit_fixed(test, NAME, 2048, &args);
		for (i = 0; i < 30; i++) {
			mpool_kunit_fail_nth(n);
			objs[i] = mpool_fixed_alloc(pool, GFP_ATOMIC);
			mpool_kunit_fail_end();
			KUNIT_EXPECT_NOT_NULL_MSG(test, objs[i], "%u, %u", n,
						  i);
		}
		mpool_fixed_free_bulk(pool, 30, objs);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
		KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(held(pool) == 30));
		mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	}
}

/* It tries again when it has found what lies with the CPUs. */
static void resizing_survives_a_failure(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 3000, NULL);
	unsigned int n;
	int err;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 200; n++) {
		KUNIT_ASSERT_EQ(test, mpool_fixed_reserve(pool, 4, GFP_KERNEL),
				0);
		mpool_fixed_drain(pool);
		mpool_large_trim(mpool_large_shared);
		mpool_kunit_fail_nth(n);
		err = mpool_fixed_reserve(pool, 100, GFP_KERNEL);
		if (!mpool_kunit_fail_end())
			break;
		KUNIT_EXPECT_EQ(test, err, 0);
		KUNIT_EXPECT_EQ(test, held(pool), 100);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
	KUNIT_EXPECT_GT(test, n, 5);
	KUNIT_EXPECT_LT(test, n, 200);
}

/* A reserve that is being filled, and waits for memory, does not delay another. */
static void one_does_not_wait_for_another(struct kunit *test)
{
	struct mpool_fixed *busy = mpool_kunit_fixed(test, NAME, 256, NULL);
	struct mpool_fixed *pool = mpool_kunit_fixed(test, "kt-other", 256,
						     NULL);

	mutex_lock_nested(&busy->reserve.fill_mutex, SINGLE_DEPTH_NESTING);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 5, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, held(pool), 5);
	mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	mutex_unlock(&busy->reserve.fill_mutex);
}

/*
 * Somebody is making the last chunk that the pool may have, and is in reclaim, which
 * waits for this one.
 */
static void somebody_grows(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 4, .reserve = 1 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 2048, &args);
	void *objs[4];
	unsigned int i;

	for (i = 0; i < 3; i++)
		objs[i] = mpool_fixed_alloc(pool, GFP_NOIO);
	pool->chunks.nr_growing++;
	objs[3] = mpool_fixed_alloc(pool, GFP_NOIO);
	KUNIT_EXPECT_NOT_NULL(test, objs[3]);
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_NOFS));
	pool->chunks.nr_growing--;
	for (i = 0; i < 4; i++)
		mpool_fixed_free(pool, objs[i]);
}

/* An object of it that is no more, by a double free: reported, and passed by. */
static void object_is_gone(struct kunit *test)
{
	struct dry *dry = dry_create(test, NAME, 16, 2);
	u64 bad = mpool_kunit_bad(&dry->pool->base);
	void **objs = dry->pool->reserve.blocks->objs;
	struct mpool_slot was = { .obj = objs[0] };

	was.state = mpool_chunk_state(mpool_chunk_find(was.obj),
				      (unsigned long)was.obj);
	objs[0] = dry;
	/* As the second of the two frees. */
	atomic64_inc(&dry->pool->slow_frees);
	use_up(dry, GFP_ATOMIC);
	KUNIT_EXPECT_EQ(test, bad + 1, mpool_kunit_bad(&dry->pool->base));
	give_all_back(dry);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(held(dry->pool) == 2));
	KUNIT_EXPECT_TRUE(test, mpool_chunks_push(&dry->pool->chunks, &was, 1));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(dry->pool), 0);
}

struct shrink {
	struct mpool_fixed *pool;
	struct completion done;
};

static int shrink_fn(void *arg)
{
	struct shrink *shrink = arg;

	mpool_fixed_reserve(shrink->pool, 0, GFP_KERNEL);
	complete(&shrink->done);
	return 0;
}

/* A take that is interrupted has its object for certain, and keeps the places. */
static void interrupted_take(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 3, .reserve = 3 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	struct mpool_reserve *reserve = &pool->reserve;
	struct shrink *shrink = kunit_kzalloc(test, sizeof(*shrink), GFP_KERNEL);
	struct mpool_slot slots[3];

	KUNIT_ASSERT_NOT_NULL(test, shrink);
	shrink->pool = pool;
	init_completion(&shrink->done);
	/* It has claimed one. */
	atomic_dec(&reserve->held);
	KUNIT_EXPECT_TRUE(test, mpool_reserve_take(reserve, &slots[0]));
	KUNIT_EXPECT_TRUE(test, mpool_reserve_take(reserve, &slots[1]));
	KUNIT_EXPECT_FALSE(test, mpool_reserve_take(reserve, &slots[2]));
	KUNIT_EXPECT_TRUE(test, mpool_reserve_put(reserve, &slots[0]));
	KUNIT_EXPECT_TRUE(test, mpool_reserve_put(reserve, &slots[1]));
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(shrink_fn, shrink, "reserve_shrink")));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(READ_ONCE(reserve->places) == 1));
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&shrink->done));
	KUNIT_EXPECT_NOT_NULL(test, READ_ONCE(reserve->blocks));
	/* It goes on, and its object comes back. */
	atomic_inc(&reserve->held);
	wait_for_completion(&shrink->done);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(reserve), 0);
	KUNIT_EXPECT_NULL(test, reserve->blocks);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* Others have claimed places; the users of the reserve still find what they put. */
static void interrupted_fill(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 2, .reserve = 2 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	struct mpool_reserve *reserve = &pool->reserve;
	struct mpool_slot slots[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_TRUE(test, mpool_reserve_take(reserve, &slots[i]));
	/* It finds no object to fill in, because max_objects are out. */
	mpool_defer_sync(&reserve->defer);
	for (i = 0; i < MPOOL_RESERVE_OTHERS; i++)
		KUNIT_ASSERT_TRUE(test, atomic_dec_if_positive(&reserve->empty) >= 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, mpool_reserve_put(reserve, &slots[i]));
	KUNIT_EXPECT_EQ(test, held(pool), 2);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_TRUE(test, mpool_reserve_take(reserve, &slots[i]));
	atomic_add(MPOOL_RESERVE_OTHERS, &reserve->empty);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, mpool_reserve_put(reserve, &slots[i]));
	KUNIT_EXPECT_FALSE(test, mpool_reserve_lacks(reserve));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

#define TAKERS		2

struct taker {
	struct mpool_fixed *pool;
	struct task_struct *task;
	unsigned long takes;
	unsigned long none;
};

static int taker_fn(void *arg)
{
	struct taker *taker = arg;
	struct mpool_fixed *pool = taker->pool;
	struct mpool_slot slot;

	for (; !kthread_should_stop(); taker->takes++) {
		mpool_kunit_spin();
		if (!mpool_reserve_take(&pool->reserve, &slot))
			taker->none++;
		else if (!mpool_reserve_put(&pool->reserve, &slot))
			mpool_chunks_push(&pool->chunks, &slot, 1);
	}
	return 0;
}

/* As many as take one at a time always find one, whatever its size was and will be. */
static void taken_while_resized(struct kunit *test)
{
	static const unsigned int more[] = { 0, 0, 1, 5, 0, 40, 3, 0, 300 };
	struct mpool_fixed_args args = { .reserve = TAKERS };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	struct taker *takers = kunit_kcalloc(test, TAKERS, sizeof(*takers), GFP_KERNEL);
	unsigned int i, n = 0;

	KUNIT_ASSERT_NOT_NULL(test, takers);
	for (; n < TAKERS; n++) {
		takers[n].pool = pool;
		takers[n].task = kthread_run(taker_fn, &takers[n], "reserve_taker");
		if (IS_ERR(takers[n].task))
			break;
	}
	KUNIT_EXPECT_EQ(test, n, TAKERS);
	for (i = 0; i < 300 * ARRAY_SIZE(more); i++) {
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_reserve(pool,
						    TAKERS + more[i % ARRAY_SIZE(more)],
						    GFP_KERNEL), 0);
		mpool_kunit_spin();
	}
	while (n--) {
		kthread_stop(takers[n].task);
		KUNIT_EXPECT_EQ(test, takers[n].none, 0);
		kunit_info(test, "%lu takes\n", takers[n].takes);
	}
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(held(pool) ==
						 mpool_reserve_target(&pool->reserve)));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* Objects that are out do not come back into a reserve that has no room for them. */
static void shrinks_by_what_is_out(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = 10, .reserve = 10 };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	void *objs[8];
	int i;

	for (i = 0; i < 8; i++)
		objs[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, held(pool), 2);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 4, GFP_KERNEL),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, mpool_reserve_target(&pool->reserve), 10);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 2, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, held(pool), 2);
	for (i = 0; i < 8; i++)
		mpool_fixed_free(pool, objs[i]);
	KUNIT_EXPECT_EQ(test, held(pool), 2);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_free, 8);
	/* Places of several blocks. */
	for (i = 3; i <= 10; i++)
		KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, i, GFP_KERNEL),
				0);
	KUNIT_EXPECT_EQ(test, held(pool), 10);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(somebody_grows),
	KUNIT_CASE(object_is_gone),
	KUNIT_CASE(interrupted_take),
	KUNIT_CASE(interrupted_fill),
	KUNIT_CASE(taken_while_resized),
	KUNIT_CASE(shrinks_by_what_is_out),
	KUNIT_CASE(filled_at_creation),
	KUNIT_CASE(kept_without_memory),
	KUNIT_CASE(filled_by_frees),
	KUNIT_CASE(filled_in_the_background),
	KUNIT_CASE(filled_when_memory_returns),
	KUNIT_CASE(filled_from_the_caches),
	KUNIT_CASE(resized),
	KUNIT_CASE(errors),
	KUNIT_CASE(flags),
	KUNIT_CASE(failure_takes_nothing),
	KUNIT_CASE(creation_needs_it),
	KUNIT_CASE(kept_under_injected_failure),
	KUNIT_CASE(resizing_survives_a_failure),
	KUNIT_CASE(one_does_not_wait_for_another),
	{ }
};

static struct kunit_suite reserve_suite = {
	.name = "mpool_reserve",
	.suite_exit = mpool_kunit_verified,
	.test_cases = reserve_cases,
};

kunit_test_suite(reserve_suite);
