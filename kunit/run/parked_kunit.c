// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of parked runs: free runs that the engine keeps as they are, and the arenas
 * that have nothing else.
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

#define PARK_RUNS	4
#define PARK_MAX	3

/* Gives a run back, parked if @park and there is room; false if that is wrong. */
static bool park_or_free(struct mpool_runs *runs, struct mpool_arena *arena,
			 struct mpool_page *pg, bool park,
			 struct mpool_page **parked)
{
	u32 len = pg->len;

	if (park) {
		if (mpool_runs_park(runs, arena, pg) == !!parked[len])
			return false;
		if (!parked[len]) {
			parked[len] = pg;
			return true;
		}
	}
	mpool_runs_free(runs, pg);
	return true;
}

/* What is parked is found again, once, and merges with what is around it. */
static const char *park_ends(struct mpool_runs *runs,
			     struct mpool_arena *arena,
			     struct mpool_page **parked)
{
	u32 len;

	for (len = 1; len <= PARK_MAX; len++) {
		if (mpool_runs_unpark(runs, len) != parked[len] ||
		    mpool_runs_unpark(runs, len))
			return "another run was parked";
		if (parked[len] && !mpool_runs_park(runs, arena, parked[len]))
			return "its place is taken";
	}
	mpool_runs_merge(runs, NULL);
	if (mpool_runs_merge(runs, NULL) || verify_one(runs, arena))
		return "the merged arena is damaged";
	return one_free_run(arena) ? NULL : "parked runs were not merged";
}

/* Four runs go back in that order, those of @mask to be parked. */
static const char *park_in_order(struct mpool_runs *runs,
				 struct mpool_arena *arena, const u8 *len,
				 u32 order, u32 mask)
{
	struct mpool_page *pg[PARK_RUNS], *parked[PARK_MAX + 1] = {};
	u32 i, nfree = 0, merged = 0;

	for (i = 0; i < PARK_RUNS; i++)
		pg[i] = take(runs, len[i]);
	for (i = 0; i < PARK_RUNS; i++, order /= PARK_RUNS) {
		u32 k = order % PARK_RUNS;

		nfree += len[k];
		if (!park_or_free(runs, arena, pg[k], mask & BIT(k), parked))
			return "parked where there is no room, or not";
		if (parked[len[k]] != pg[k])
			merged += len[k];
		if (arena->nfree != merged || runs->nr_free != merged)
			return "the number of pages in merged runs is wrong";
		if (mpool_runs_nr_free(runs) != nfree ||
		    mpool_arena_nr_free(arena) != nfree)
			return "the number of free pages is wrong";
		if (atomic_read(&arena->live) != PARK_RUNS - 1 - i)
			return "the number of runs in use is wrong";
		if (verify_one(runs, arena))
			return "the arena is damaged";
		if (mpool_runs_claim(pg[k]))
			return "a free run was claimed";
	}
	return park_ends(runs, arena, parked);
}

/* All of one set of lengths; counts the cases. */
static void park_all(struct kunit *test, struct mpool_runs *runs,
		     struct mpool_arena *arena, u32 combo, u32 *cases)
{
	u32 i, order, mask, rest = combo, pages = 0;
	u8 len[PARK_RUNS];
	const char *wrong;

	for (i = 0; i < PARK_RUNS; i++, rest /= PARK_MAX) {
		len[i] = 1 + rest % PARK_MAX;
		pages += len[i];
	}
	reset_arena(runs, arena, FAKE_BASE, pages);
	for (order = 0; order < 256; order++) {
		if ((BIT(order & 3) | BIT(order >> 2 & 3) |
		     BIT(order >> 4 & 3) | BIT(order >> 6)) != 0xf)
			continue;
		for (mask = 0; mask < BIT(PARK_RUNS); mask++, ++*cases) {
			wrong = park_in_order(runs, arena, len, order, mask);
			KUNIT_ASSERT_NULL_MSG(test, wrong,
					      "lengths %u, order %x, parked %x: %s",
					      combo, order, mask, wrong);
		}
	}
}

/* Four runs of 1 to 3 pages, given back in every order, any of them parked. */
static void all_orders_of_parking(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 combo, cases = 0;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, PARK_RUNS * PARK_MAX);
	for (combo = 0; combo < 81; combo++)
		park_all(test, runs, arena, combo, &cases);
	KUNIT_EXPECT_EQ(test, cases, 81 * 24 * 16);
}

/* Only short runs are parked, and an arena goes with those it has. */
static void parked_run_goes_with_its_arena(struct kunit *test)
{
	struct mpool_page *pg, *other;
	struct mpool_arena *a, *b;
	struct mpool_runs *runs;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	a = new_arena(test, runs, FAKE_BASE, RUNS_PARK);
	b = new_arena(test, runs, FAKE_BASE * 2, RUNS_PARK - 1);
	pg = take(runs, RUNS_PARK);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_FALSE(test, mpool_runs_park(runs, a, pg));
	mpool_runs_free(runs, pg);
	other = take(runs, RUNS_PARK - 1);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(other), b);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, b, other));
	pg = take(runs, 5);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, a, pg));
	KUNIT_EXPECT_EQ(test, mpool_arena_nr_free(a), RUNS_PARK);
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_NULL(test, mpool_runs_unpark(runs, 5));
	KUNIT_EXPECT_EQ(test, mpool_runs_nr_free(runs), RUNS_PARK - 1);
	KUNIT_EXPECT_EQ(test, verify_one(runs, b), 0);
	KUNIT_EXPECT_PTR_EQ(test, mpool_runs_unpark(runs, RUNS_PARK - 1),
			    other);
}

/* A verifier that finds nothing is worth nothing. */
static void verify_finds_lost_run(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, arena, pg));
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	runs->parked[5] = NULL;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	runs->parked[6] = pg;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 32), 0);
	runs->parked[6] = NULL;
	runs->parked[5] = pg;
	atomic_inc(&arena->live);
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	atomic_dec(&arena->live);
	runs->nr_free += 5;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 27), 0);
	runs->nr_free -= 5;
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

/* A run that somebody has taken from its place is in use, whatever its state. */
static void run_on_its_way_is_in_use(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, arena, pg));
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->live), 0);
	KUNIT_ASSERT_PTR_EQ(test, mpool_place_take(&runs->parked[5]), pg);
	/* Not counted yet: nobody may have its arena, nor its pages. */
	KUNIT_EXPECT_EQ(test, mpool_page_state(pg), MPOOL_PAGE_PARKED);
	KUNIT_EXPECT_FALSE(test, mpool_runs_merge(runs, arena));
	KUNIT_EXPECT_FALSE(test, mpool_runs_remove(runs, arena));
	KUNIT_EXPECT_EQ(test, mpool_runs_largest(runs), 27);
	KUNIT_EXPECT_NULL(test, take(runs, 28));
	atomic_inc(&arena->live);
	mpool_page_set(pg, 0, MPOOL_PAGE_RUN);
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
	KUNIT_EXPECT_TRUE(test, mpool_runs_park(runs, arena, pg));
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, arena));
}

/* Grows over what is parked behind it, and over what is free behind that. */
static void grows_over_parked_runs(struct kunit *test)
{
	struct mpool_page *pg, *next[4];
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 mask, i, room;

	runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	arena = new_arena(test, runs, FAKE_BASE, 1 + 1 + 2 + 3 + 4);
	for (mask = 0; mask < 81; mask++) {
		u32 rest = mask;
		bool open = true;

		reset_arena(runs, arena, FAKE_BASE, 11);
		pg = take(runs, 1);
		for (i = 0; i < 4; i++)
			next[i] = take(runs, i + 1);
		/* Each of the four is in use, parked, or free. */
		for (i = room = 0; i < 4; i++, rest /= 3) {
			open = open && rest % 3;
			room += open ? i + 1 : 0;
			if (rest % 3 == 1)
				mpool_runs_park(runs, arena, next[i]);
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
	struct mpool_large *pool = mpool_large_create("kunit-parked", NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

static void *run_of(struct kunit *test, struct mpool_large *pool, u32 npages)
{
	void *p = mpool_large_alloc(pool, npages * PAGE_SIZE, NULL, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/* What is parked is charged to nobody, and counted as free. */
static void parked_pages_are_free(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	u32 len, pages = 0;
	void *p[RUNS_PARK];

	for (len = 1; len < RUNS_PARK; len++) {
		p[len] = run_of(test, pool, len);
		pages += len;
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->pool.pages), pages);
	for (len = 1; len < RUNS_PARK; len++)
		mpool_large_free(pool, p[len]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->pool.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_runs_nr_free(&pool->runs),
			pool->runs.nr_pages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	/* One of each length is where it was. */
	for (len = 1; len < RUNS_PARK; len++) {
		struct mpool_page *pg = READ_ONCE(pool->runs.parked[len]);

		if (!pg)
			continue;
		p[len] = run_of(test, pool, len);
		KUNIT_EXPECT_PTR_EQ(test, p[len],
				    mpool_page_address(mpool_page_arena(pg),
						       pg));
		mpool_large_free(pool, p[len]);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->pool.peak), pages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* A run of each length of two, in an arena of its own. */
static void two_arenas(struct kunit *test, struct mpool_large *pool, void **p)
{
	p[0] = run_of(test, pool, 17);
	p[1] = run_of(test, pool, 20);
	KUNIT_ASSERT_EQ(test, pool->runs.nr_pages, 64);
	KUNIT_ASSERT_EQ(test, pool->nr_spares, 0);
}

/* Arenas that have nothing but parked runs are idle: one of them is kept. */
static void idle_arena_with_parked_run_goes(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	u32 order;
	void *p[2];

	for (order = 0; order < 2; order++) {
		two_arenas(test, pool, p);
		mpool_large_free(pool, p[order]);
		KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 64);
		mpool_large_free(pool, p[!order]);
		KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 32);
		KUNIT_EXPECT_FALSE(test, pool->surplus);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 32);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* An arena whose parked run was taken again is no spare, though on the list. */
static void busy_spare_is_not_counted(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	void *p[2];

	two_arenas(test, pool, p);
	mpool_large_free(pool, p[0]);
	KUNIT_EXPECT_PTR_EQ(test, p[0], run_of(test, pool, 17));
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	KUNIT_EXPECT_EQ(test, mpool_large_spare_pages(pool), 0);
	/* It is found out when there is another. */
	mpool_large_free(pool, p[1]);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 64);
	KUNIT_EXPECT_EQ(test, mpool_large_spare_pages(pool), 32);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	/* Or when all are given back. */
	KUNIT_EXPECT_PTR_EQ(test, p[1], run_of(test, pool, 20));
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_free(pool, p[0]);
	mpool_large_free(pool, p[1]);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 32);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* One of whose runs is just being taken stays, and goes as soon as it can. */
static void arena_of_a_run_on_its_way_stays(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	struct mpool_page *pg;
	void *p[2];

	two_arenas(test, pool, p);
	mpool_large_free(pool, p[0]);
	pg = mpool_place_take(&pool->runs.parked[17]);
	KUNIT_ASSERT_NOT_NULL(test, pg);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	mpool_large_free(pool, p[1]);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 32);
	/* As its free would. */
	KUNIT_EXPECT_NULL(test, cmpxchg(&pool->runs.parked[17], NULL, pg));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 32);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* The same, when it is the spare that is too many. */
static void surplus_is_remembered(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test);
	struct mpool_page *pg;
	void *p[2];

	p[0] = run_of(test, pool, 17);
	p[1] = run_of(test, pool, 40);
	KUNIT_ASSERT_EQ(test, pool->runs.nr_pages, 32 + 64);
	mpool_large_free(pool, p[0]);
	pg = mpool_place_take(&pool->runs.parked[17]);
	KUNIT_ASSERT_NOT_NULL(test, pg);
	mpool_large_free(pool, p[1]);
	KUNIT_EXPECT_TRUE(test, pool->surplus);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 2);
	KUNIT_EXPECT_NULL(test, cmpxchg(&pool->runs.parked[17], NULL, pg));
	mpool_large_free(pool, run_of(test, pool, 17));
	KUNIT_EXPECT_FALSE(test, pool->surplus);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 64);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
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
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->pool), 1);
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
	static const u8 lens[] = { 1, 2, 3, 5, 5, 5, 17, 33 };
	u32 i = racer_rnd(r, RACE_HELD);

	if (r->held[i]) {
		r->torn += !racer_intact(r, i);
		mpool_large_free(r->race->pool, r->held[i]);
		r->held[i] = NULL;
		return;
	}
	r->len[i] = lens[racer_rnd(r, ARRAY_SIZE(lens))];
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
	atomic_set(&race->go, RACERS * RACE_OPS);
	for (n = 0; n < RACERS; n++) {
		racers[n].race = race;
		racers[n].id = (n + 1) * 1000;
		racers[n].rnd = n;
		racers[n].task = kthread_run(racer_fn, &racers[n], "racer");
		if (IS_ERR(racers[n].task))
			break;
	}
	KUNIT_EXPECT_EQ(test, n, RACERS);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(atomic_read(&race->go) < 0));
	for (i = 0; i < n; i++) {
		kthread_stop(racers[i].task);
		KUNIT_EXPECT_EQ(test, racers[i].torn, 0);
		KUNIT_EXPECT_EQ(test, racers[i].failed, 0);
	}
	allocs = mpool_stat_read(&pool->pool.stats, MPOOL_STAT_ALLOC);
	KUNIT_EXPECT_GT(test, allocs, RACERS * RACE_OPS / 3);
	KUNIT_EXPECT_EQ(test, allocs, mpool_stat_read(&pool->pool.stats,
						      MPOOL_STAT_FREE));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->pool.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
}

/* Nothing is handed out twice, and in the end one arena at most is kept. */
static void race_of_lengths(struct kunit *test)
{
	struct race race = { .pool = new_pool(test) };

	run_race(test, &race);
	KUNIT_EXPECT_EQ(test, mpool_runs_nr_free(&race.pool->runs),
			race.pool->runs.nr_pages);
	mpool_large_free(race.pool, run_of(test, race.pool, 5));
	KUNIT_EXPECT_LE(test, race.pool->nr_spares, num_online_nodes());
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(race.pool), 0);
}

/* The same while arenas go under those who park and take. */
static void race_with_trim(struct kunit *test)
{
	struct race race = { .pool = new_pool(test), .trims = true };

	run_race(test, &race);
	mpool_large_trim(race.pool);
	KUNIT_EXPECT_EQ(test, race.pool->runs.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(race.pool), 0);
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
 * The last run of an arena is freed just when somebody takes the arena off the list
 * of spares, because it seems to be in use: it is there again in the end, or gone.
 */
static void last_free_meets_trim(struct kunit *test)
{
	struct meeting m = { .pool = new_pool(test) };
	u32 n, most, spin, gone = 0, lost = 0;
	struct task_struct *task;

	task = kthread_run(meeting_fn, &m, "meeting");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* With one CPU they do not meet. */
	most = num_online_cpus() > 1 ? MEETINGS : 50;
	for (n = 0; n < most && !lost; n++) {
		mpool_large_free(m.pool, run_of(test, m.pool, 5));
		m.run = run_of(test, m.pool, 5);
		atomic_set_release(&m.turn, 1);
		for (spin = n % 256; spin; spin--)
			cpu_relax();
		mpool_large_trim(m.pool);
		while (atomic_read_acquire(&m.turn))
			mpool_kunit_spin();
		gone += !m.pool->runs.nr_pages;
		lost += m.pool->runs.nr_pages && !m.pool->nr_spares;
	}
	kthread_stop(task);
	kunit_info(test, "%u of %u times the arena went\n", gone, n);
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(m.pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(m.pool), 0);
}

static void parked_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case parked_cases[] = {
	KUNIT_CASE(all_orders_of_parking),
	KUNIT_CASE(parked_run_goes_with_its_arena),
	KUNIT_CASE(verify_finds_lost_run),
	KUNIT_CASE(run_on_its_way_is_in_use),
	KUNIT_CASE(grows_over_parked_runs),
	KUNIT_CASE(parked_pages_are_free),
	KUNIT_CASE(idle_arena_with_parked_run_goes),
	KUNIT_CASE(busy_spare_is_not_counted),
	KUNIT_CASE(arena_of_a_run_on_its_way_stays),
	KUNIT_CASE(surplus_is_remembered),
	KUNIT_CASE(wrong_frees),
	KUNIT_CASE(race_of_lengths),
	KUNIT_CASE(race_with_trim),
	KUNIT_CASE(last_free_meets_trim),
	{ }
};

static struct kunit_suite parked_suite = {
	.name = "mpool_runs_parked",
	.exit = parked_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = parked_cases,
};

kunit_test_suite(parked_suite);
