// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of quick lists: free runs that stay as they are, and the arenas that have nothing
 * else.
 *
 * As in runs_kunit.c, which has them in its model, arenas of engines without a pool
 * cover addresses that mean nothing.
 */
#include <linux/kthread.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "arenas.h"
#include "helpers.h"
#include "large.h"
#include "nested.h"

#define QUICK_RUNS	4
#define QUICK_MAX	3

/* Gives a run back, cached if @cache and there is room; false if that is wrong. */
static bool cache_or_free(struct mpool_runs *runs, struct mpool_page *pg,
			  bool cache, struct mpool_page **cached)
{
	u32 len = pg->len;

	if (cache) {
		if (mpool_runs_cache(runs, pg) == !!cached[len])
			return false;
		if (!cached[len]) {
			cached[len] = pg;
			return true;
		}
	}
	mpool_runs_free(runs, pg);
	return true;
}

/* A cached run is found again, once, and merges with the runs around it. */
static const char *cached_end(struct mpool_runs *runs,
			      struct mpool_arena *arena,
			      struct mpool_page **cached)
{
	u32 len;

	for (len = 1; len <= QUICK_MAX; len++) {
		if (mpool_runs_uncache(runs, len) != cached[len] ||
		    mpool_runs_uncache(runs, len))
			return "another run was cached";
		if (cached[len] && !mpool_runs_cache(runs, cached[len]))
			return "its list is not empty";
	}
	merge_cached(runs);
	if (merge_cached(runs) || verify_one(runs, arena))
		return "the merged arena is damaged";
	return one_free_run(arena) ? NULL : "cached runs were not merged";
}

/* Four runs go back in that order, those of @mask to be cached. */
static const char *free_in_order(struct mpool_runs *runs,
				 struct mpool_arena *arena, const u8 *len,
				 u32 order, u32 mask)
{
	struct mpool_page *pg[QUICK_RUNS], *cached[QUICK_MAX + 1] = {};
	u32 i, nfree = 0, merged = 0;

	for (i = 0; i < QUICK_RUNS; i++)
		pg[i] = take(runs, len[i]);
	for (i = 0; i < QUICK_RUNS; i++, order /= QUICK_RUNS) {
		u32 k = order % QUICK_RUNS;
		bool idle;

		nfree += len[k];
		if (!cache_or_free(runs, pg[k], mask & BIT(k), cached))
			return "cached where there is no room, or not";
		if (cached[len[k]] != pg[k])
			merged += len[k];
		if (arena->nfree != merged || runs->nr_free != merged)
			return "the number of pages in merged runs is wrong";
		if (mpool_kunit_free_pages(runs) != nfree ||
		    mpool_arena_nr_free(arena) != nfree)
			return "the number of free pages is wrong";
		if (atomic_read(&arena->live) != QUICK_RUNS - 1 - i)
			return "the number of runs in use is wrong";
		idle = merged == arena->npages;
		if (mpool_arena_is_idle(arena) != idle)
			return "idle with a cached run, or not";
		if (verify_one(runs, arena))
			return "the arena is damaged";
		if (mpool_runs_claim(pg[k]))
			return "a free run was claimed";
	}
	return cached_end(runs, arena, cached);
}

/* All of one set of lengths; counts the cases. */
static void all_of_lengths(struct kunit *test, struct mpool_runs *runs,
			   struct mpool_arena *arena, u32 combo, u32 *cases)
{
	u32 i, order, mask, rest = combo, pages = 0;
	u8 len[QUICK_RUNS];
	const char *wrong;

	for (i = 0; i < QUICK_RUNS; i++, rest /= QUICK_MAX) {
		len[i] = 1 + rest % QUICK_MAX;
		pages += len[i];
	}
	reset_arena(runs, arena, FAKE_BASE, pages);
	for (order = 0; order < 256; order++) {
		if ((BIT(order & 3) | BIT(order >> 2 & 3) |
		     BIT(order >> 4 & 3) | BIT(order >> 6)) != 0xf)
			continue;
		for (mask = 0; mask < BIT(QUICK_RUNS); mask++, ++*cases) {
			wrong = free_in_order(runs, arena, len, order, mask);
			KUNIT_ASSERT_NULL_MSG(test, wrong,
					      "lengths %u, order %x, cached %x: %s",
					      combo, order, mask, wrong);
		}
	}
}

/* Four runs of 1 to 3 pages, given back in every order, any of them cached. */
static void all_orders_of_caching(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 combo, cases = 0;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, QUICK_RUNS * QUICK_MAX);
	for (combo = 0; combo < 81; combo++)
		all_of_lengths(test, runs, arena, combo, &cases);
	KUNIT_EXPECT_EQ(test, cases, 81 * 24 * 16);
}

/* Only short runs are cached, and an arena goes when those it has are merged. */
static void cached_run_holds_its_arena(struct kunit *test)
{
	struct mpool_page *pg, *other;
	struct mpool_arena *a, *b;
	struct mpool_runs *runs;

	runs = new_runs(test);
	a = new_arena(test, runs, FAKE_BASE, RUNS_QUICK);
	b = new_arena(test, runs, FAKE_BASE * 2, RUNS_QUICK - 1);
	pg = take(runs, RUNS_QUICK);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_FALSE(test, mpool_runs_cache(runs, pg));
	mpool_runs_free(runs, pg);
	other = take(runs, RUNS_QUICK - 1);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(other), b);
	KUNIT_EXPECT_TRUE(test, mpool_runs_cache(runs, other));
	pg = take(runs, 5);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_TRUE(test, mpool_runs_cache(runs, pg));
	KUNIT_EXPECT_EQ(test, mpool_arena_nr_free(a), RUNS_QUICK);
	KUNIT_EXPECT_FALSE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_NULL(test, mpool_quick_merge(runs, 5, b));
	KUNIT_EXPECT_PTR_EQ(test, mpool_quick_merge(runs, 5, a), a);
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_NULL(test, mpool_runs_uncache(runs, 5));
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(runs), RUNS_QUICK - 1);
	KUNIT_EXPECT_EQ(test, verify_one(runs, b), 0);
	KUNIT_EXPECT_PTR_EQ(test, mpool_runs_uncache(runs, RUNS_QUICK - 1),
			    other);
}

/* A verifier that finds nothing is worth nothing. */
static void verify_finds_lost_run(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_EXPECT_TRUE(test, mpool_runs_cache(runs, pg));
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	runs->quick[5] = NULL;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	runs->quick[6] = pg;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 27), 0);
	runs->quick[6] = NULL;
	runs->quick[5] = pg;
	atomic_inc(&arena->live);
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	atomic_dec(&arena->live);
	runs->nr_free += 5;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 27), 0);
	runs->nr_free -= 5;
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

/* A run that was taken from its list is in use, whatever its state. */
static void run_on_its_way_is_in_use(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_EXPECT_TRUE(test, mpool_runs_cache(runs, pg));
	KUNIT_ASSERT_PTR_EQ(test, mpool_quick_pop(&runs->quick[5]), pg);
	/* Not filled in yet: its arena stays, and its pages are not free. */
	KUNIT_EXPECT_EQ(test, mpool_page_state(pg), MPOOL_PAGE_CACHED);
	KUNIT_EXPECT_EQ(test, merge_cached(runs), 0);
	KUNIT_EXPECT_FALSE(test, mpool_runs_remove(runs, arena));
	KUNIT_EXPECT_EQ(test, mpool_runs_largest(runs), 27);
	KUNIT_EXPECT_NULL(test, take(runs, 28));
	atomic_inc(&arena->live);
	mpool_page_set(pg, 0, MPOOL_PAGE_RUN);
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	KUNIT_EXPECT_TRUE(test, mpool_runs_cache(runs, pg));
	KUNIT_EXPECT_EQ(test, merge_cached(runs), 1);
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, arena));
}

/* Grows over the cached runs behind it, and over the free ones behind those. */
static void grows_over_cached_runs(struct kunit *test)
{
	struct mpool_page *pg, *next[4];
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 mask, i, room;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 1 + 1 + 2 + 3 + 4);
	for (mask = 0; mask < 81; mask++) {
		u32 rest = mask;
		bool open = true;

		reset_arena(runs, arena, FAKE_BASE, 11);
		pg = take(runs, 1);
		for (i = 0; i < 4; i++)
			next[i] = take(runs, i + 1);
		/* Each of the four is in use, cached, or free. */
		for (i = room = 0; i < 4; i++, rest /= 3) {
			open = open && rest % 3;
			room += open ? i + 1 : 0;
			if (rest % 3 == 1)
				mpool_runs_cache(runs, next[i]);
			else if (rest % 3 == 2)
				mpool_runs_free(runs, next[i]);
		}
		KUNIT_EXPECT_FALSE(test, mpool_runs_grow(runs, pg, room + 2));
		KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
		if (room)
			KUNIT_EXPECT_TRUE(test, mpool_runs_grow(runs, pg,
								room + 1));
		KUNIT_EXPECT_EQ(test, pg->len, room + 1);
		KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	}
}

/* --- pools --- */

static struct mpool_large *new_pool(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-quick", NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

#define SHARED_PAGES	4096

/* A pool in which many runs share an arena: its arenas are runs of a region. */
static struct mpool_large *new_shared(struct kunit *test)
{
	static const struct mpool_large_args none;
	struct mpool_large *outer, *pool;

	outer = mpool_kunit_region(test, "kunit-outer", SHARED_PAGES);
	pool = mpool_nested_create("kunit-quick", outer, &none, MPOOL_HERE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

static void *run_of(struct kunit *test, struct mpool_large *pool, u32 npages)
{
	void *p = mpool_large_alloc(pool, npages * PAGE_SIZE, NULL, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/* A cached run is not charged, and counted as free. */
static void cached_pages_are_free(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	u32 len, pages = 0;
	void *p[RUNS_QUICK];

	for (len = 1; len < RUNS_QUICK; len++) {
		p[len] = run_of(test, pool, len);
		pages += len;
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), pages);
	for (len = 1; len < RUNS_QUICK; len++)
		mpool_large_free(pool, p[len]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&pool->runs),
			pool->runs.nr_pages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	/* One of each length is where it was. */
	for (len = 1; len < RUNS_QUICK; len++) {
		struct mpool_page *pg = pool->runs.quick[len];

		if (!pg)
			continue;
		p[len] = run_of(test, pool, len);
		KUNIT_EXPECT_PTR_EQ(test, p[len],
				    mpool_page_address(mpool_page_arena(pg),
						       pg));
		mpool_large_free(pool, p[len]);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.peak), pages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* A run of each length of two, in an arena of its own. */
static void two_arenas(struct kunit *test, struct mpool_large *pool, void **p)
{
	p[0] = run_of(test, pool, 9);
	p[1] = run_of(test, pool, 10);
	KUNIT_ASSERT_EQ(test, pool->runs.nr_pages, 32);
	KUNIT_ASSERT_EQ(test, pool->nr_spares, 0);
}

/* The last run of an arena is not cached: the arena is idle, and one of them is kept. */
static void arenas_of_cached_runs_go(struct kunit *test)
{
	struct mpool_large *pool = new_shared(test);
	void *p[2], *q;
	u32 order;

	for (order = 0; order < 4; order++) {
		two_arenas(test, pool, p);
		q = order & 2 ? run_of(test, pool, 3) : NULL;
		/* Where it is cached, its arena has another one. */
		mpool_large_free(pool, q);
		mpool_large_free(pool, p[order & 1]);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 32);
		mpool_large_free(pool, p[!(order & 1)]);
		KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 0);
		KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
		KUNIT_EXPECT_EQ(test, pool->spare_pages, 16);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 16);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 16);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* An only arena may have nothing but cached runs: counted as a spare. */
static void only_arena_of_cached_runs(struct kunit *test)
{
	struct mpool_large *pool = new_shared(test);
	void *p = run_of(test, pool, 9), *q;

	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 9);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_spare_pages(pool), 16);
	KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 0);
	KUNIT_EXPECT_PTR_EQ(test, p, run_of(test, pool, 9));
	KUNIT_EXPECT_EQ(test, mpool_large_spare_pages(pool), 0);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 9);
	/* It is a spare before there is a second one. */
	q = run_of(test, pool, 40);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 16 + 40);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 40);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_free(pool, run_of(test, pool, 9));
	KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 9);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 40);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* Two frees at once may cache the last two runs of an arena: it is found out later. */
static void arena_of_two_last_runs(struct kunit *test)
{
	struct mpool_large *pool = new_shared(test);
	void *p[2], *q;

	two_arenas(test, pool, p);
	q = run_of(test, pool, 3);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(mpool_large_lookup(q)),
			    mpool_page_arena(mpool_large_lookup(p[1])));
	mpool_large_free(pool, q);
	/* As if the free of @q had come to its end just now. */
	atomic_inc(&mpool_page_arena(mpool_large_lookup(p[1]))->live);
	mpool_large_free(pool, p[1]);
	atomic_dec(&mpool_page_arena(pool->runs.quick[3])->live);
	KUNIT_EXPECT_EQ(test, mpool_kunit_cached_pages(&pool->runs), 3 + 10);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_spare_pages(pool), 16);
	mpool_large_free(pool, p[0]);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* However many runs are freed, the work to merge those that are cached is bounded. */
static void cached_runs_are_few(struct kunit *test)
{
	struct mpool_large *pool = new_shared(test);
	const u32 most = RUNS_QUICK * 5;
	unsigned long flags;
	void **p, *pin;
	u32 i, n;

	p = kunit_kcalloc(test, most, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	pin = run_of(test, pool, 1);
	for (i = 0; i < most; i++)
		p[i] = run_of(test, pool, 1 + i % (RUNS_QUICK + 1));
	for (i = 0; i < most; i++)
		mpool_large_free(pool, p[i]);
	raw_spin_lock_irqsave(&pool->lock, flags);
	n = merge_cached(&pool->runs);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_LT(test, n, RUNS_QUICK);
	mpool_large_free(pool, pin);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* An arena stays while a run of it is being taken, and goes as soon as it can. */
static void arena_of_a_run_on_its_way_stays(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	struct mpool_page *pg;

	mpool_large_free(pool, run_of(test, pool, 17));
	pg = mpool_quick_pop(&pool->runs.quick[17]);
	KUNIT_ASSERT_NOT_NULL(test, pg);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 17);
	mpool_large_free(pool, run_of(test, pool, 40));
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 40);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 17);
	/* As its free would. */
	KUNIT_EXPECT_TRUE(test, mpool_quick_push(&pool->runs.quick[17], pg));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 17);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* --- spares --- */

static const struct mpool_large_source *real_source;
static unsigned int last_spares;
static unsigned int bad_releases;

/* The memory of one arena goes at a time, and without the lock. */
static void release_one(struct mpool_arena *arena)
{
	struct mpool_large *large = arena->runs->large;

	bad_releases += large->nr_spares != --last_spares;
	bad_releases += raw_spin_is_locked(&large->lock);
	real_source->release(arena);
}

/* With the lock held throughout, so that no arena goes meanwhile. */
static void give_all(struct mpool_large *pool, void **p, u32 n)
{
	struct mpool_page *pg;
	unsigned long flags;

	while (n--) {
		pg = mpool_large_lookup(p[n]);
		mpool_pool_charge(&pool->base, -(long)pg->len);
		mpool_runs_claim(pg);
		mpool_stat_inc(&pool->base.stats, MPOOL_STAT_FREE);
		raw_spin_lock_irqsave(&pool->lock, flags);
		mpool_large_free_run_locked(pool, pg);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
}

/* Many spares: exactly counted, taken from the middle, given back one by one. */
static void many_spares(struct kunit *test)
{
	struct mpool_large *pool = new_shared(test);
	struct mpool_large_source source = *pool->source;
	u32 i, n, pages = 0, taken;
	void *p[40];

	real_source = pool->source;
	source.release = release_one;
	pool->source = &source;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		n = 64 + i * 7 % ARRAY_SIZE(p);
		pages += n;
		p[i] = run_of(test, pool, n);
	}
	KUNIT_ASSERT_EQ(test, pool->runs.nr_pages, pages);
	give_all(pool, p, ARRAY_SIZE(p));
	KUNIT_EXPECT_EQ(test, pool->nr_spares, ARRAY_SIZE(p));
	KUNIT_EXPECT_EQ(test, pool->spare_pages, pages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	p[0] = run_of(test, pool, 80);
	taken = mpool_page_arena(mpool_large_lookup(p[0]))->npages;
	KUNIT_EXPECT_EQ(test, pool->nr_spares, ARRAY_SIZE(p) - 1);
	KUNIT_EXPECT_EQ(test, pool->spare_pages, pages - taken);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	bad_releases = 0;
	last_spares = pool->nr_spares;
	mpool_large_reclaim_surplus(pool);
	KUNIT_EXPECT_EQ(test, bad_releases, 0);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	/* The longest. */
	KUNIT_EXPECT_EQ(test, pool->spare_pages, 64 + ARRAY_SIZE(p) - 1);
	last_spares = 2;
	mpool_large_free(pool, p[0]);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, bad_releases, 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	pool->source = real_source;
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* What is wrong is refused without a look at what is no pool. */
static void wrong_frees(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	char *p = run_of(test, pool, 5);

	mpool_large_free(NULL, p);
	mpool_large_free(NULL, p + PAGE_SIZE);
	mpool_large_free(NULL, p + 7 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_large_free(pool, p);
	mpool_large_free(pool, p);
	mpool_large_free(NULL, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 1);
	KUNIT_EXPECT_PTR_EQ(test, p, run_of(test, pool, 5));
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* --- several at once --- */

#define RACERS		4
#define RACE_OPS	50000
#define RACE_HELD	3

struct race {
	struct mpool_large *pool;
	atomic_t go;		/* operations that may begin */
	u32 ops;		/* of each racer */
	bool trims;		/* and gives back what is idle, now and then */
};

struct racer {
	struct task_struct *task;
	struct race *race;
	unsigned long id;
	u32 rnd;
	u32 torn;		/* runs that somebody else had written to */
	u32 failed;
	unsigned long *held[RACE_HELD];
	u32 len[RACE_HELD];
};

static u32 racer_rnd(struct racer *r, u32 n)
{
	r->rnd = r->rnd * 1664525 + 1013904223;
	return (r->rnd >> 8) % n;
}

/* The first and the last word of each page say whose it is. */
static void racer_stamp(struct racer *r, u32 i)
{
	u32 words = PAGE_SIZE / sizeof(long), page;

	for (page = 0; page < r->len[i]; page++) {
		WRITE_ONCE(r->held[i][page * words], r->id + i);
		WRITE_ONCE(r->held[i][(page + 1) * words - 1], r->id + i);
	}
}

static bool racer_intact(struct racer *r, u32 i)
{
	u32 words = PAGE_SIZE / sizeof(long), page;
	bool ok = true;

	for (page = 0; page < r->len[i]; page++) {
		ok &= READ_ONCE(r->held[i][page * words]) == r->id + i;
		ok &= READ_ONCE(r->held[i][(page + 1) * words - 1]) ==
			r->id + i;
	}
	return ok;
}

/* Gives back what it holds there, or takes a run of one of a few lengths. */
static void racer_step(struct racer *r)
{
	/* The page allocator has blocks of up to eight pages however divided it is. */
	static const u8 blocks[] = { 1, 2, 3, 5, 5, 5, 7, 8 };
	static const u8 shared[] = { 1, 2, 3, 5, 5, 5, 17, 33 };
	const u8 *lens = r->race->pool->source->system ? blocks : shared;
	u32 i = racer_rnd(r, RACE_HELD);

	if (r->held[i]) {
		r->torn += !racer_intact(r, i);
		mpool_large_free(r->race->pool, r->held[i]);
		r->held[i] = NULL;
		return;
	}
	r->len[i] = lens[racer_rnd(r, ARRAY_SIZE(shared))];
	r->held[i] = mpool_large_alloc(r->race->pool, r->len[i] * PAGE_SIZE,
				       NULL, GFP_KERNEL | __GFP_NOWARN);
	if (r->held[i])
		racer_stamp(r, i);
	else
		r->failed++;
}

static int racer_fn(void *arg)
{
	struct racer *r = arg;
	u32 i;

	while (atomic_dec_return(&r->race->go) >= 0) {
		racer_step(r);
		if (r->race->trims && !racer_rnd(r, 500))
			mpool_large_trim(r->race->pool);
		if (!racer_rnd(r, 64))
			cond_resched();
	}
	for (i = 0; i < RACE_HELD; i++) {
		if (!r->held[i])
			continue;
		r->torn += !racer_intact(r, i);
		mpool_large_free(r->race->pool, r->held[i]);
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static void run_race(struct kunit *test, struct race *race)
{
	struct mpool_large *pool = race->pool;
	struct racer *racers;
	u64 allocs;
	u32 i, n;

	racers = kunit_kcalloc(test, RACERS, sizeof(*racers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, racers);
	atomic_set(&race->go, RACERS * race->ops);
	for (n = 0; n < RACERS; n++) {
		racers[n].race = race;
		racers[n].id = (n + 1) * 1000;
		racers[n].rnd = n;
		racers[n].task = kthread_run(racer_fn, &racers[n], "racer");
		if (IS_ERR(racers[n].task))
			break;
	}
	KUNIT_EXPECT_EQ(test, n, RACERS);
	/* Three minutes, for busy hosts. */
	for (i = 0; i < 18 && atomic_read(&race->go) >= 0; i++)
		mpool_kunit_wait(atomic_read(&race->go) < 0);
	KUNIT_EXPECT_LT(test, atomic_read(&race->go), 0);
	for (i = 0; i < n; i++) {
		kthread_stop(racers[i].task);
		KUNIT_EXPECT_EQ(test, racers[i].torn, 0);
		KUNIT_EXPECT_EQ(test, racers[i].failed, 0);
	}
	allocs = mpool_stat_read(&pool->base.stats, MPOOL_STAT_ALLOC);
	KUNIT_EXPECT_GT(test, allocs, RACERS * race->ops / 3);
	KUNIT_EXPECT_EQ(test, allocs, mpool_stat_read(&pool->base.stats,
						      MPOOL_STAT_FREE));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
}

/* Nothing is handed out twice, and in the end one arena at most is kept. */
static void race_of_lengths(struct kunit *test)
{
	struct race race = { .pool = new_shared(test), .ops = RACE_OPS };

	run_race(test, &race);
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&race.pool->runs),
			race.pool->runs.nr_pages);
	KUNIT_EXPECT_LE(test, race.pool->nr_spares, num_online_nodes());
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(race.pool), 0);
}

/* The same over system memory, where what stays is bounded. */
static void race_of_blocks(struct kunit *test)
{
	struct race race = { .pool = new_pool(test), .ops = RACE_OPS / 5 };

	run_race(test, &race);
	mpool_large_spare_pages(race.pool);	/* merges the cached runs */
	mpool_large_reclaim_surplus(race.pool);
	KUNIT_EXPECT_LE(test, mpool_large_nr_pages(race.pool), 64 * num_online_nodes());
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(race.pool), 0);
}

/* The same while arenas go under those that cache and take. */
static void race_with_trim(struct kunit *test)
{
	struct race race = { .trims = true };
	u32 i;

	for (i = 0; i < 2; i++) {
		/* A run of system memory is a call of the page allocator. */
		race.pool = i ? new_pool(test) : new_shared(test);
		race.ops = i ? RACE_OPS / 5 : RACE_OPS;
		run_race(test, &race);
		mpool_large_trim(race.pool);
		KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(race.pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(race.pool), 0);
	}
}

#define MEETINGS	4000

struct meeting {
	struct mpool_large *pool;
	void *run;
	atomic_t turn;		/* 1: the thread's, 0: the case's */
};

static int meeting_fn(void *arg)
{
	struct meeting *m = arg;

	while (!kthread_should_stop()) {
		if (atomic_read_acquire(&m->turn)) {
			mpool_large_free(m->pool, m->run);
			atomic_set_release(&m->turn, 0);
		}
		mpool_kunit_spin();
	}
	return 0;
}

/*
 * The last run of an arena is freed just when the pool is trimmed: the arena goes then, or
 * with the next trim.
 */
static void last_free_meets_trim(struct kunit *test)
{
	struct meeting m = { .pool = new_shared(test) };
	u32 n, most, spin, gone = 0;
	struct task_struct *task;

	task = kthread_run(meeting_fn, &m, "meeting");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* With one CPU they do not meet. */
	most = num_online_cpus() > 1 ? MEETINGS : 50;
	for (n = 0; n < most; n++) {
		mpool_large_free(m.pool, run_of(test, m.pool, 5));
		m.run = run_of(test, m.pool, 5);
		atomic_set_release(&m.turn, 1);
		for (spin = n % 256; spin; spin--)
			cpu_relax();
		mpool_large_trim(m.pool);
		while (atomic_read_acquire(&m.turn))
			mpool_kunit_spin();
		gone += !m.pool->runs.nr_pages;
		mpool_large_trim(m.pool);
		if (m.pool->runs.nr_pages)
			break;
	}
	kthread_stop(task);
	kunit_info(test, "%u of %u times the arena went\n", gone, n);
	KUNIT_EXPECT_EQ(test, n, most);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(m.pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(m.pool), 0);
}

static void quick_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case quick_cases[] = {
	KUNIT_CASE(all_orders_of_caching),
	KUNIT_CASE(cached_run_holds_its_arena),
	KUNIT_CASE(verify_finds_lost_run),
	KUNIT_CASE(run_on_its_way_is_in_use),
	KUNIT_CASE(grows_over_cached_runs),
	KUNIT_CASE(cached_pages_are_free),
	KUNIT_CASE(arenas_of_cached_runs_go),
	KUNIT_CASE(only_arena_of_cached_runs),
	KUNIT_CASE(arena_of_two_last_runs),
	KUNIT_CASE(cached_runs_are_few),
	KUNIT_CASE(arena_of_a_run_on_its_way_stays),
	KUNIT_CASE(many_spares),
	KUNIT_CASE(wrong_frees),
	KUNIT_CASE(race_of_lengths),
	KUNIT_CASE(race_of_blocks),
	KUNIT_CASE(race_with_trim),
	KUNIT_CASE(last_free_meets_trim),
	{ }
};

static struct kunit_suite quick_suite = {
	.name = "mpool_runs_quick",
	.exit = quick_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = quick_cases,
};

kunit_test_suite(quick_suite);
