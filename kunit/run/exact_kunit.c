// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of system memory, where each run has an arena of its own: what stays in use holds
 * no other pages, little is kept, and runs grow into the rest of their block.
 */
#include <linux/kthread.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pools.h"
#include "shrink.h"

#define NAME		"kunit-exact"
#define RUNS		600
#define MOST_PAGES	12

static struct mpool_large *new_with(struct kunit *test,
				    const struct mpool_large_args *args)
{
	struct mpool_large *pool = mpool_large_create(NAME, args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	if (!pool->source->system)
		kunit_skip(test, "reserved memory");
	return pool;
}

static struct mpool_large *new_exact(struct kunit *test)
{
	return new_with(test, NULL);
}

static void *run_of(struct kunit *test, struct mpool_large *pool, u32 npages)
{
	void *p = mpool_large_alloc(pool, npages * PAGE_SIZE, NULL, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void end(struct kunit *test, struct mpool_large *pool)
{
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

static struct mpool_arena *arena_of(struct kunit *test, const void *p)
{
	struct mpool_page *pg;

	rcu_read_lock();
	pg = mpool_large_lookup(p);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, pg);
	return mpool_page_arena(pg);
}

/* Nine of ten runs go, at random: after a trim the pool has the pages of the others. */
static void survivors_hold_nothing_else(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	struct rnd_state rnd;
	unsigned long live = 0;
	void **p;
	u32 i, len;

	mpool_kunit_random(test, &rnd);
	p = kunit_kcalloc(test, RUNS, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < RUNS; i++) {
		len = 1 + mpool_kunit_below(&rnd, MOST_PAGES);
		p[i] = run_of(test, pool, len);
		live += len;
	}
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), live);
	for (i = 0; i < RUNS; i++) {
		if (!mpool_kunit_below(&rnd, 10))
			continue;
		live -= arena_of(test, p[i])->npages;
		mpool_large_free(pool, p[i]);
		p[i] = NULL;
	}
	/* Before that: a cached run of each length, and a few spares. */
	KUNIT_EXPECT_LE(test, mpool_large_nr_pages(pool), live + 64 +
			MOST_PAGES * (MOST_PAGES + 1) / 2);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), live);
	KUNIT_EXPECT_EQ(test, charged(pool), live);
	for (i = 0; i < RUNS; i++)
		mpool_large_free(pool, p[i]);
	end(test, pool);
}

/* A spare serves a request of its own length, and no shorter one. */
static void only_the_same_length(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *forty = run_of(test, pool, 40), *p;

	mpool_large_free(pool, forty);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	p = run_of(test, pool, 39);
	KUNIT_EXPECT_EQ(test, arena_of(test, p)->npages, 39);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 79);
	KUNIT_EXPECT_PTR_EQ(test, forty, run_of(test, pool, 40));
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 0);
	mpool_large_free(pool, p);
	mpool_large_free(pool, forty);
	end(test, pool);
}

/* The oldest spares go first, and those that are kept have 64 pages at most. */
static void spares_are_bounded(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *p[100];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = run_of(test, pool, 33 + i % 3);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		mpool_large_free(pool, p[i]);
	/* Each of them is more than half of the bound. */
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	KUNIT_EXPECT_EQ(test, pool->spare_pages, 33 + 99 % 3);
	mpool_large_trim(pool);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = run_of(test, pool, 5);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		mpool_large_free(pool, p[i]);
	KUNIT_EXPECT_LE(test, pool->spare_pages, 64);
	KUNIT_EXPECT_LE(test, mpool_large_nr_pages(pool), 64 + 5);
	KUNIT_EXPECT_PTR_EQ(test, p[0], run_of(test, pool, 5));	/* cached */
	KUNIT_EXPECT_PTR_EQ(test, p[99], run_of(test, pool, 5));
	mpool_large_free(pool, p[0]);
	mpool_large_free(pool, p[99]);
	end(test, pool);
}

#define LIVE_RUNS	4
#define LIVE_PAGES	256
#define SPARES		12
#define SPARE_PAGES	4

/* Of spares that are too many the oldest goes, and the newest serves the next request. */
static void oldest_spare_goes(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *live[LIVE_RUNS], *p[SPARES];
	struct mpool_arena *arena[SPARES];
	u32 i;

	for (i = 0; i < LIVE_RUNS; i++)
		live[i] = run_of(test, pool, LIVE_PAGES);
	for (i = 0; i < SPARES; i++) {
		p[i] = run_of(test, pool, SPARE_PAGES);
		arena[i] = arena_of(test, p[i]);
	}
	for (i = 0; i < SPARES; i++)
		mpool_large_free(pool, p[i]);
	/* The first is cached.  1/64 of the pool and 4 pages are five spares. */
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 5);
	KUNIT_EXPECT_EQ(test, pool->spare_pages, 5 * SPARE_PAGES);
	for (i = 1; i < SPARES; i++)
		KUNIT_EXPECT_EQ_MSG(test, word_at(p[i]) == (unsigned long)arena[i],
				    i >= SPARES - 5, "spare %u", i);
	KUNIT_EXPECT_PTR_EQ(test, p[0], run_of(test, pool, SPARE_PAGES));
	KUNIT_EXPECT_PTR_EQ(test, p[SPARES - 1], run_of(test, pool, SPARE_PAGES));
	mpool_large_free(pool, p[0]);
	mpool_large_free(pool, p[SPARES - 1]);
	for (i = 0; i < LIVE_RUNS; i++)
		mpool_large_free(pool, live[i]);
	end(test, pool);
}

/* At the second pass after its last use, a pool that is not used has no pages. */
static void idle_pool_has_no_pages(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *p = run_of(test, pool, 3), *q = run_of(test, pool, 3);
	u32 i;

	mpool_large_free(pool, p);	/* cached */
	mpool_large_free(pool, q);	/* a spare */
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 6);
	mpool_large_trim_pass(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 6);
	/* A use each time. */
	for (i = 0; i < 5; i++) {
		mpool_large_free(pool, run_of(test, pool, 3));
		mpool_large_trim_pass(pool);
		KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 3);
	}
	mpool_large_trim_pass(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	end(test, pool);
}

/* The tail of a shorter run stays for its growth, and leaves at the second pass. */
static void tail_leaves(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *p = run_of(test, pool, 20);
	u32 i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 7 * PAGE_SIZE,
								 NULL, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, charged(pool), 7);
		KUNIT_EXPECT_EQ(test, mpool_large_tail_pages(pool), 13);
		mpool_large_trim_pass(pool);
		KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 20);
		KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 9 * PAGE_SIZE,
								 NULL, GFP_KERNEL));
		mpool_large_trim_pass(pool);
		KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 20);
	}
	mpool_large_trim_pass(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 9);
	KUNIT_EXPECT_EQ(test, mpool_large_tail_pages(pool), 0);
	KUNIT_EXPECT_EQ(test, word_at(p + 9 * PAGE_SIZE) == word_at(p), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	memset(p, 1, 9 * PAGE_SIZE);
	mpool_large_free(pool, p);
	/* An arena with a hole is freed by the work item. */
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	end(test, pool);
}

/* Reclaim does not wait for a pass. */
static void reclaim_takes_tails(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	void *p = run_of(test, pool, 20), *q;

	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 1, NULL, GFP_KERNEL));
	KUNIT_EXPECT_GE(test, mpool_shrink_count(), 19);
	KUNIT_EXPECT_GE(test, mpool_shrink_scan(ULONG_MAX), 19);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 1);
	/* Now it moves to grow. */
	q = mpool_large_realloc(pool, p, 2 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	/* The first run is free completely, though its tail went before it. */
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 2);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_GE(test, mpool_shrink_scan(ULONG_MAX), 2);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	end(test, pool);
}

#define GROWN_PAGES	1024
#define SURE_PAGES	256

static bool stamped(const void *p, u32 npages)
{
	u32 i;

	for (i = 0; i < npages; i++)
		if (*(const u32 *)(p + i * PAGE_SIZE) != i)
			return false;
	return true;
}

/*
 * A run that grows page by page is copied less often than it has pages.  It may be that
 * memory has no block for the last steps.
 */
static void growth_is_bounded(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	unsigned long copied = 0, moves = 0;
	void *p = run_of(test, pool, 1), *q;
	u32 len;

	*(u32 *)p = 0;
	for (len = 2; len <= GROWN_PAGES; len++) {
		q = mpool_large_realloc(pool, p, len * PAGE_SIZE, NULL, GFP_QUIET);
		if (!q)
			break;
		if (q != p) {
			KUNIT_EXPECT_TRUE(test, stamped(q, len - 1));
			copied += len - 1;
			moves++;
		}
		p = q;
		*(u32 *)(p + (len - 1) * PAGE_SIZE) = len - 1;
	}
	len--;
	KUNIT_EXPECT_GE(test, len, SURE_PAGES);
	KUNIT_EXPECT_TRUE(test, stamped(p, len));
	KUNIT_EXPECT_LE(test, copied, len);
	KUNIT_EXPECT_LE(test, moves, 10);
	KUNIT_EXPECT_EQ(test, charged(pool), len);
	mpool_large_free(pool, p);
	end(test, pool);
}

/* The room is not charged before the run has it, and the limit may refuse it. */
static void limit_refuses_room(struct kunit *test)
{
	struct mpool_large *pool = new_with(test, &(struct mpool_large_args){
		.max_pages = 10 });
	void *p = run_of(test, pool, 4), *q;

	p = mpool_large_realloc(pool, p, 5 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, charged(pool), 5);
	KUNIT_EXPECT_EQ(test, mpool_large_tail_pages(pool), 3);
	q = run_of(test, pool, 3);
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, 8 * PAGE_SIZE, NULL,
						    GFP_QUIET));
	KUNIT_EXPECT_EQ(test, charged(pool), 8);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 7 * PAGE_SIZE, NULL,
							 GFP_QUIET));
	mpool_large_free(pool, q);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 8 * PAGE_SIZE, NULL,
							 GFP_QUIET));
	KUNIT_EXPECT_EQ(test, charged(pool), 8);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	end(test, pool);
}

/* An aligned run, and one behind a boundary, begin their arena. */
static void aligned_and_placed(struct kunit *test)
{
	const struct mpool_place place = { .align = SZ_64K, .boundary = SZ_128K };
	struct mpool_large *pool = new_exact(test);
	void *p, *q;
	u32 i;

	for (i = 0; i < 2; i++) {
		p = mpool_large_alloc_aligned(pool, 3 * PAGE_SIZE, SZ_64K, NULL,
					      GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, SZ_64K));
		KUNIT_EXPECT_EQ(test, arena_of(test, p)->npages, 3);
		q = mpool_large_alloc_placed(pool, 20 * PAGE_SIZE, &place, NULL,
					     GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(mpool_large_phys(pool, q), SZ_64K));
		KUNIT_EXPECT_EQ(test, arena_of(test, q)->npages, 20);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		mpool_large_free(pool, p);
		mpool_large_free(pool, q);
	}
	end(test, pool);
}

/*
 * vmalloc() aligns no memory, so a run with an alignment has free pages on both sides.
 * They do not leave, as pages of vmalloc() cannot, and serve nobody else.
 */
static void aligned_in_vmalloc(struct kunit *test)
{
	struct mpool_large *pool = new_with(test, &(struct mpool_large_args){
		.flags = MPOOL_LARGE_VIRT });
	const size_t align = PAGE_SIZE << (MAX_PAGE_ORDER + 1);
	const u32 npages = 3 + (align >> PAGE_SHIFT) - 1;
	struct mpool_arena *arena;
	void *p, *q;

	p = mpool_large_alloc_aligned(pool, 3 * PAGE_SIZE, align, NULL, GFP_QUIET);
	if (!p) {
		end(test, pool);
		kunit_skip(test, "too little memory");
	}
	arena = arena_of(test, p);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, align));
	KUNIT_EXPECT_TRUE(test, arena->virt);
	KUNIT_EXPECT_EQ(test, arena->npages, npages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	q = run_of(test, pool, 1);
	KUNIT_EXPECT_PTR_NE(test, arena_of(test, q), arena);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, PAGE_SIZE, NULL,
							 GFP_QUIET));
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), npages + 1);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, pool->spare_pages, npages);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), npages);
	mpool_large_free(pool, q);
	end(test, pool);
}

#define GROWERS		3
#define GROW_STEPS	20000
#define GROW_PAGES	8

/* Changes the length of a run again and again. */
struct grower {
	struct task_struct *task;
	struct mpool_large *pool;
	atomic_t *left;
	u32 torn;
	u32 refused;
};

static void grower_step(struct grower *g, void **p, u32 *len, u32 next)
{
	u32 had = *len, i;
	void *q = mpool_large_realloc(g->pool, *p, next * PAGE_SIZE, NULL, GFP_QUIET);

	if (!q) {
		g->refused++;
		return;
	}
	g->torn += !stamped(q, min(had, next));
	for (i = had; i < next; i++)
		*(u32 *)(q + i * PAGE_SIZE) = i;
	*p = q;
	*len = next;
}

static int grower_fn(void *arg)
{
	struct grower *g = arg;
	u32 rnd = (unsigned long)g, len = 0, i;
	void *p = NULL;

	for (i = 0; i < GROW_STEPS; i++) {
		rnd = rnd * 1664525 + 1013904223;
		if (rnd >> 8 & 31) {
			grower_step(g, &p, &len, 1 + (rnd >> 16) % GROW_PAGES);
		} else if (p) {
			mpool_large_free(g->pool, p);
			p = NULL;
			len = 0;
		}
		if (!(i & 63))
			cond_resched();
	}
	if (p)
		mpool_large_free(g->pool, p);
	atomic_dec(g->left);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Runs grow and shrink while their tails leave. */
static void growth_meets_reclaim(struct kunit *test)
{
	struct mpool_large *pool = new_exact(test);
	struct grower *growers;
	atomic_t left = ATOMIC_INIT(GROWERS);
	u32 i, n, rounds = 0;

	growers = kunit_kcalloc(test, GROWERS, sizeof(*growers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, growers);
	for (n = 0; n < GROWERS; n++) {
		growers[n].pool = pool;
		growers[n].left = &left;
		growers[n].task = kthread_run(grower_fn, &growers[n], "grower");
		if (IS_ERR(growers[n].task))
			break;
	}
	KUNIT_EXPECT_EQ(test, n, GROWERS);
	while (atomic_read(&left) > (int)(GROWERS - n)) {
		mpool_large_trim_pass(pool);
		if (!(++rounds & 3))
			mpool_large_trim(pool);
		cond_resched();
	}
	for (i = 0; i < n; i++) {
		kthread_stop(growers[i].task);
		KUNIT_EXPECT_EQ(test, growers[i].torn, 0);
		KUNIT_EXPECT_EQ(test, growers[i].refused, 0);
	}
	mpool_large_settle(pool);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	end(test, pool);
}

static struct kunit_case exact_cases[] = {
	KUNIT_CASE(survivors_hold_nothing_else),
	KUNIT_CASE(only_the_same_length),
	KUNIT_CASE(spares_are_bounded),
	KUNIT_CASE(oldest_spare_goes),
	KUNIT_CASE(idle_pool_has_no_pages),
	KUNIT_CASE(tail_leaves),
	KUNIT_CASE(reclaim_takes_tails),
	KUNIT_CASE(growth_is_bounded),
	KUNIT_CASE(limit_refuses_room),
	KUNIT_CASE(aligned_and_placed),
	KUNIT_CASE(aligned_in_vmalloc),
	KUNIT_CASE(growth_meets_reclaim),
	{ }
};

static struct kunit_suite exact_suite = {
	.name = "mpool_exact",
	.suite_exit = mpool_kunit_verified,
	.test_cases = exact_cases,
};

kunit_test_suite(exact_suite);
