// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of runs that have to lie somewhere.
 *
 * The regions are at addresses where nothing is.  The model of a region is an
 * array with a byte for each page, and each place in it is tried.
 */
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pools.h"

/* Where nothing is: UML has no memory there, other machines no addresses. */
#define FAKE_BASE	((char *)MPOOL_KUNIT_NOWHERE)
#define P		((u64)PAGE_SIZE)

struct world {
	struct mpool_large *pool;
	u64 start;		/* device's address of the first page */
	u32 npages;
	u8 *used;
};

static void world_begin(struct kunit *test, struct world *w, u64 start,
			u32 npages)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_DMA | MPOOL_REGION_PHYS | MPOOL_REGION_IO,
		.dma = start, .phys = 0x7000,
	};

	w->start = start;
	w->npages = npages;
	w->used = kunit_kzalloc(test, npages, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->used);
	w->pool = mpool_large_create_region("kunit-place", FAKE_BASE,
					    npages * PAGE_SIZE, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->pool));
}

static void world_end(struct kunit *test, struct world *w)
{
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&w->pool->runs), w->npages);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(w->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(w->pool), 0);
}

/* May a run of @len pages begin at page @at? */
static bool allowed(const struct world *w, const struct mpool_place *place,
		    u32 at, u32 len)
{
	u64 first = w->start + at * P, last = first + len * P - 1;

	if (at + len > w->npages || memchr_inv(w->used + at, 0, len))
		return false;
	if (place->align && first % place->align)
		return false;
	if (place->boundary && first / place->boundary != last / place->boundary)
		return false;
	return first >= place->min && (!place->max || last <= place->max);
}

static bool any_allowed(const struct world *w, const struct mpool_place *place,
			u32 len)
{
	u32 at;

	for (at = 0; at + len <= w->npages; at++)
		if (allowed(w, place, at, len))
			return true;
	return false;
}

/* One request beside the model: NULL, or what is wrong.  Sets @at if it was met. */
static const char *try_one(const struct world *w,
			   const struct mpool_place *place, u32 len, char **got)
{
	unsigned long nfree = mpool_kunit_free_pages(&w->pool->runs);
	bool can = any_allowed(w, place, len);
	size_t real;
	char *p;

	p = mpool_large_alloc_placed(w->pool, len * P - 1, place, &real,
				     GFP_QUIET);
	*got = p;
	if (!p)
		return can ? "there was a place" :
			real || mpool_kunit_free_pages(&w->pool->runs) != nfree ?
			"a failure changed something" : NULL;
	if (real != len * P || mpool_kunit_free_pages(&w->pool->runs) != nfree - len)
		return "the run has another length";
	if (!allowed(w, place, (p - FAKE_BASE) >> PAGE_SHIFT, len))
		return "it does not lie where it has to";
	return NULL;
}

static const u64 aligns[] = { 0, 512, 1024, P, 2 * P, 4 * P, 8 * P, 16 * P };
static const u64 bounds[] = { 0, P, 2 * P, 4 * P, 8 * P, 16 * P };
static const u8 lens[] = { 1, 2, 3, 4, 5, 7, 8, 12, 16 };
static const u64 starts[] = { 0, 0x100000, 0x100000 + 3 * P,
			      0x100000 + 3 * P + 512 };

struct tally {
	unsigned int cases, met, unmet, contradictions;
};

static bool contradicts(const struct mpool_place *place, u32 len)
{
	return (place->boundary && place->boundary < len * P) ||
	       (place->max && place->max + 1 < place->min + len * P);
}

static void complain(struct kunit *test, const struct world *w,
		     const struct mpool_place *place, u32 len,
		     const char *wrong)
{
	KUNIT_FAIL(test, "%s: start %llx align %llx boundary %llx", wrong,
		   w->start, place->align, place->boundary);
	kunit_info(test, "min %llx max %llx, %u pages\n", place->min,
		   place->max, len);
}

static void all_limits(struct kunit *test, struct world *w,
		       struct mpool_place *place, u32 len, struct tally *t)
{
	const char *wrong;
	u32 from, to;
	char *p;

	for (from = 0; from <= 16; from++) {
		for (to = 0; to <= 16; to++) {
			t->cases++;
			place->min = w->start + from * P;
			place->max = to < 16 ? w->start + (to + 1) * P - 1 : 0;
			if (contradicts(place, len)) {
				t->contradictions++;
				continue;
			}
			wrong = try_one(w, place, len, &p);
			if (wrong)
				complain(test, w, place, len, wrong);
			t->met += !!p;
			t->unmet += !p;
			mpool_large_free(w->pool, p);
		}
	}
}

/* Every alignment, boundary, limit and length in an empty region of 16 pages. */
static void every_wish_of_16_pages(struct kunit *test)
{
	unsigned int s, a, b, l;
	struct tally t = { };
	struct world w;

	for (s = 0; s < ARRAY_SIZE(starts); s++) {
		world_begin(test, &w, starts[s], 16);
		for (a = 0; a < ARRAY_SIZE(aligns); a++)
			for (b = 0; b < ARRAY_SIZE(bounds); b++)
				for (l = 0; l < ARRAY_SIZE(lens); l++) {
					struct mpool_place place = {
						.align = aligns[a],
						.boundary = bounds[b],
					};

					all_limits(test, &w, &place, lens[l],
						   &t);
				}
		world_end(test, &w);
	}
	kunit_info(test, "%u met, %u not, %u contradict themselves\n", t.met,
		   t.unmet, t.contradictions);
	KUNIT_EXPECT_EQ(test, t.cases, 4 * 8 * 6 * 9 * 17 * 17);
	KUNIT_EXPECT_EQ(test, t.met + t.unmet + t.contradictions, t.cases);
	KUNIT_EXPECT_GT(test, t.met, 10000);
	KUNIT_EXPECT_GT(test, t.unmet, 10000);
}

/* Takes the pages of a pattern, one by one. */
static void occupy(struct kunit *test, struct world *w, u32 pattern)
{
	char *p[8];
	u32 i;

	for (i = 0; i < 8; i++)
		p[i] = mpool_large_alloc(w->pool, 1, NULL, GFP_QUIET);
	for (i = 0; i < 8; i++) {
		u32 at = (p[i] - FAKE_BASE) >> PAGE_SHIFT;

		KUNIT_ASSERT_LT(test, at, 8);
		w->used[at] = pattern >> at & 1;
		if (!w->used[at])
			mpool_large_free(w->pool, p[i]);
	}
}

/* Every alignment and boundary, of every length, in 8 pages as they are. */
static void all_wishes(struct kunit *test, struct world *w, struct tally *t)
{
	struct mpool_place place = { };
	unsigned int a, b, len;
	const char *wrong;
	char *p;

	for (a = 2; a < 7; a++) {
		place.align = aligns[a];
		for (b = 0; b < 5; b++) {
			place.boundary = bounds[b];
			for (len = 1; len <= 8; len++) {
				t->cases++;
				if (contradicts(&place, len))
					continue;
				wrong = try_one(w, &place, len, &p);
				if (wrong)
					complain(test, w, &place, len, wrong);
				t->met += !!p;
				mpool_large_free(w->pool, p);
			}
		}
	}
}

/* Every pattern of free pages among 8, under every alignment and boundary. */
static void every_pattern_of_8_pages(struct kunit *test)
{
	unsigned int s, pattern;
	struct tally t = { };
	struct world w;

	for (s = 1; s < 3; s++) {
		world_begin(test, &w, starts[s], 8);
		for (pattern = 0; pattern < 256; pattern++) {
			occupy(test, &w, pattern);
			all_wishes(test, &w, &t);
			KUNIT_EXPECT_EQ(test, mpool_large_verify(w.pool), 0);
			mpool_large_clear(w.pool);
		}
		world_end(test, &w);
	}
	KUNIT_EXPECT_EQ(test, t.cases, 2 * 256 * 5 * 5 * 8);
	KUNIT_EXPECT_GT(test, t.met, t.cases / 20);
}

/* The one page that will do is behind a thousand that will not. */
static void found_behind_a_thousand(struct kunit *test)
{
	struct mpool_place place = { };
	const char *wrong;
	struct world w;
	char *p;
	u32 i;

	world_begin(test, &w, 0x40000000, 2000);
	for (i = 0; i < 2000; i++) {
		p = mpool_large_alloc(w.pool, 1, NULL, GFP_QUIET);
		KUNIT_ASSERT_NOT_NULL(test, p);
		w.used[(p - FAKE_BASE) >> PAGE_SHIFT] = 1;
	}
	for (i = 0; i < 2000; i += 2) {
		mpool_large_free(w.pool, FAKE_BASE + i * P);
		w.used[i] = 0;
	}
	for (i = 0; i < 2000; i++) {
		place.min = w.start + i * P;
		place.max = place.min + P - 1;
		wrong = try_one(&w, &place, 1, &p);
		KUNIT_EXPECT_NULL(test, wrong);
		KUNIT_EXPECT_EQ(test, !p, i & 1);
		mpool_large_free(w.pool, p);
	}
	mpool_large_clear(w.pool);
	world_end(test, &w);
}

#define MODEL_PAGES	700
#define MODEL_RUNS	64
#define MODEL_OPS	30000

static void mark(struct world *w, char *p, u32 len, u8 used)
{
	memset(w->used + ((p - FAKE_BASE) >> PAGE_SHIFT), used, len);
}

static void random_place(struct rnd_state *rnd, const struct world *w,
			 struct mpool_place *place, u32 len)
{
	memset(place, 0, sizeof(*place));
	if (mpool_kunit_below(rnd, 2))
		place->align = P << mpool_kunit_below(rnd, 6);
	if (mpool_kunit_below(rnd, 2))
		place->boundary = roundup_pow_of_two(len * P) <<
				  mpool_kunit_below(rnd, 4);
	if (mpool_kunit_below(rnd, 2))
		place->min = w->start +
			     mpool_kunit_below(rnd, MODEL_PAGES * P);
	if (mpool_kunit_below(rnd, 2))
		place->max = max(place->min, w->start) + len * P +
			     mpool_kunit_below(rnd, MODEL_PAGES * P);
}

/* Random wishes in a region that is mostly full, beside an array of pages. */
static void random_wishes(struct kunit *test)
{
	struct { char *p; u32 len; } *run;
	unsigned int op, i, len, met = 0, unmet = 0;
	struct mpool_place place;
	struct rnd_state rnd;
	const char *wrong;
	struct world w;

	run = kunit_kcalloc(test, MODEL_RUNS, sizeof(*run), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run);
	world_begin(test, &w, 0x12345000, MODEL_PAGES);
	mpool_kunit_random(test, &rnd);
	for (op = 0; op < MODEL_OPS; op++) {
		i = mpool_kunit_below(&rnd, MODEL_RUNS);
		if (run[i].p) {
			mpool_large_free(w.pool, run[i].p);
			mark(&w, run[i].p, run[i].len, 0);
			run[i].p = NULL;
			continue;
		}
		len = 1 + mpool_kunit_below(&rnd, 40);
		random_place(&rnd, &w, &place, len);
		wrong = try_one(&w, &place, len, &run[i].p);
		KUNIT_ASSERT_NULL(test, wrong);
		if (!run[i].p) {
			unmet++;
			continue;
		}
		met++;
		run[i].len = len;
		mark(&w, run[i].p, len, 1);
		if (op % 1000 == 0)
			KUNIT_EXPECT_EQ(test, mpool_large_verify(w.pool), 0);
	}
	kunit_info(test, "%u met, %u not\n", met, unmet);
	KUNIT_EXPECT_GT(test, met, MODEL_OPS / 10);
	KUNIT_EXPECT_GT(test, unmet, MODEL_OPS / 100);
	mpool_large_clear(w.pool);
	world_end(test, &w);
}

/* What cannot be meant is refused, and counted as a failure. */
static void wishes_that_contradict(struct kunit *test)
{
	static const struct {
		struct mpool_place place;
		size_t size;
	} t[] = {
		{ { .align = 3 }, 1 },
		{ { .align = 3 * P }, 1 },
		{ { .align = U64_MAX }, 1 },
		{ { .boundary = 3 * P }, 1 },
		{ { .boundary = U64_MAX }, 1 },
		{ { .boundary = 1 }, 1 },
		{ { .boundary = P / 2 }, 1 },
		{ { .boundary = P }, P + 1 },
		{ { .min = 2, .max = 1 }, 1 },
		{ { .min = U64_MAX, .max = U64_MAX }, 1 },
		{ { .max = P - 2 }, 1 },
		{ { .max = P }, P + 1 },
		/* These are no contradictions, but nowhere. */
		{ { .min = U64_MAX }, 1 },
		{ { .min = U64_MAX - P }, 1 },
		{ { .align = 1ull << 63 }, 1 },
		{ { .min = 1ull << 63, .boundary = 1ull << 63 }, 1 },
		{ { }, SIZE_MAX },
		{ { }, 17 * P },
	};
	struct world w;
	unsigned int i;
	size_t real;

	world_begin(test, &w, 0x40000000, 16);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		real = 1;
		KUNIT_EXPECT_NULL_MSG(test,
				      mpool_large_alloc_placed(w.pool,
							       t[i].size,
							       &t[i].place,
							       &real,
							       GFP_QUIET),
				      "req %u", i);
		KUNIT_EXPECT_EQ(test, real, 0);
	}
	KUNIT_EXPECT_EQ(test, i, mpool_stat_read(&w.pool->base.stats,
						 MPOOL_STAT_FAIL));
	KUNIT_EXPECT_PTR_EQ(test,
			    mpool_large_alloc_placed(w.pool, 0, &t[0].place,
						     &real, GFP_QUIET),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(NULL, 1, NULL, &real,
							 GFP_QUIET));
	/* Device memory is not cleared. */
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(w.pool, 1,
							 &t[17].place, &real,
							 GFP_QUIET | __GFP_ZERO));
	world_end(test, &w);
}

/* Without an address nothing has a place; of two the device's counts. */
static void addresses_that_count(struct kunit *test)
{
	static const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	const struct mpool_region_args phys = {
		.flags = MPOOL_REGION_PHYS, .phys = 5 * P,
	};
	struct mpool_place place = { .align = 4 * P };
	struct mpool_large *pool;
	struct world w;
	char *p;

	pool = mpool_large_create_region("kunit-place", FAKE_BASE, 16 * P, &io);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(pool, 1, &place, NULL,
							 GFP_QUIET));
	p = mpool_large_alloc_placed(pool, 1, NULL, NULL, GFP_QUIET);
	KUNIT_EXPECT_PTR_EQ(test, p, FAKE_BASE);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_remove_region(pool, FAKE_BASE), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, FAKE_BASE, 16 * P, &phys),
			0);
	p = mpool_large_alloc_placed(pool, 1, &place, NULL, GFP_QUIET);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, p), 8 * P);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	world_begin(test, &w, 3 * P, 16);
	p = mpool_large_alloc_placed(w.pool, 1, &place, NULL, GFP_QUIET);
	KUNIT_EXPECT_EQ(test, mpool_large_dma(w.pool, p), 4 * P);
	mpool_large_free(w.pool, p);
	world_end(test, &w);
}

/* Memory of the system: blocks that are aligned, and no more than one in vain. */
static void system_memory_in_place(struct kunit *test)
{
	static const struct mpool_place t[] = {
		{ .boundary = SZ_64K }, { .align = SZ_64K },
		{ .boundary = SZ_128K, .align = SZ_16K },
		{ .boundary = SZ_1M, .max = U64_MAX }, { .min = P },
	};
	static const struct mpool_place nowhere = { .min = 1ull << 62 };
	struct mpool_large *pool = mpool_large_create("kunit-place", NULL);
	unsigned int i, n;
	phys_addr_t at;
	size_t real;
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		for (n = 1; n <= 40; n++) {
			size_t size = (1 + n % 16) * P;

			p = mpool_large_alloc_placed(pool, size, &t[i], &real,
						     GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, real, size);
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
			memset(p, 1, size);
			at = mpool_large_phys(pool, p);
			if (t[i].align)
				KUNIT_EXPECT_EQ(test, at & (t[i].align - 1), 0);
			if (t[i].boundary)
				KUNIT_EXPECT_EQ(test, (at ^ (at + size - 1)) &
						~(t[i].boundary - 1), 0);
		}
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(pool, 100 * P,
							 &nowhere, &real,
							 GFP_KERNEL));
	KUNIT_EXPECT_LE(test, pool->nr_spares, 1);
	mpool_large_clear(pool);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* Limits of the pool hold here, too, and a failure takes nothing of them. */
static void limited_pool(struct kunit *test)
{
	static const struct mpool_place place = { .align = SZ_16K };
	static const struct mpool_place nowhere = { .min = 1ull << 62 };
	const struct mpool_large_args args = { .max_pages = 10 };
	struct mpool_large *pool = mpool_large_create("kunit-place", &args);
	unsigned int i;
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(pool, 4 * P,
								 &nowhere, NULL,
								 GFP_KERNEL));
	p = mpool_large_alloc_placed(pool, 8 * P, &place, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(pool, 3 * P, &place,
							 NULL, GFP_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, mpool_large_alloc_placed(pool, 2 * P,
							     &place, NULL,
							     GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_clear(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->limit->used), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* What the lists do not lead to, without a place: long runs, and aligned ones. */
static void found_behind_many_alike(struct kunit *test)
{
	enum { HOLES = 100, LEN = 74 };	/* 74 and 75 pages are of one class */
	unsigned long flags;
	struct mpool_page *pg;
	struct world w;
	char *p[HOLES];
	unsigned int i;
	char *q;

	world_begin(test, &w, 0, HOLES * (LEN + 1) + 1);
	for (i = 0; i < HOLES; i++) {
		p[i] = mpool_large_alloc(w.pool, (LEN + !i) * P, NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_ASSERT_NOT_NULL(test, mpool_large_alloc(w.pool, P, NULL,
							      GFP_KERNEL));
	}
	while (mpool_large_alloc(w.pool, P, NULL, GFP_QUIET))
		;
	/* The one that is longer is the last of their list. */
	for (i = 0; i < HOLES; i++)
		mpool_large_free(w.pool, p[i]);
	/* Under the lock a few are looked at, whatever there is ... */
	raw_spin_lock_irqsave(&w.pool->lock, flags);
	pg = mpool_runs_alloc(&w.pool->runs, LEN + 1, 1, MPOOL_PAGE_RUN);
	raw_spin_unlock_irqrestore(&w.pool->lock, flags);
	KUNIT_EXPECT_NULL(test, pg);
	/* ... but all without it, before a request fails. */
	q = mpool_large_alloc(w.pool, (LEN + 1) * P, NULL, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, q, p[0]);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(w.pool, (LEN + 1) * P, NULL,
						  GFP_QUIET));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(w.pool), 0);
	/* So many pages from an aligned address are in one of them only. */
	q = NULL;
	for (i = 1; i < HOLES; i++)
		if (!((unsigned long)p[i] % (128 * P)))
			q = p[i];
	KUNIT_EXPECT_PTR_EQ(test, q, (char *)mpool_large_alloc_aligned(w.pool, LEN * P,
								       128 * P, NULL,
								       GFP_QUIET));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(w.pool), 0);
	mpool_large_clear(w.pool);
	world_end(test, &w);
}

static void place_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* Empty chunks of the pools above go back for a placed run, too. */
static void empty_chunks_go_back(struct kunit *test)
{
	const struct mpool_place place = { .align = 4 * PAGE_SIZE };
	const struct mpool_region_args facts = { .flags = MPOOL_REGION_DMA, .dma = SZ_1M };
	struct mpool_fixed_args args = { };
	struct mpool_large *region;
	struct mpool_fixed *fixed;
	void *base, *p;
	int n;

	base = vmalloc(64 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, base);
	region = mpool_large_create_region("kunit-place", base, 64 * PAGE_SIZE, &facts);
	KUNIT_ASSERT_FALSE(test, IS_ERR(region));
	args.large = region;
	fixed = mpool_fixed_create("kunit-above", PAGE_SIZE, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	for (n = 0; mpool_fixed_alloc(fixed, GFP_QUIET); n++)
		;
	KUNIT_EXPECT_GE(test, n, 60);
	mpool_fixed_clear(fixed);
	p = mpool_large_alloc_placed(region, 16 * PAGE_SIZE, &place, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_large_free(region, p);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(region), 0);
	vfree(base);
}

static struct kunit_case place_cases[] = {
	KUNIT_CASE(every_wish_of_16_pages),
	KUNIT_CASE(every_pattern_of_8_pages),
	KUNIT_CASE(found_behind_a_thousand),
	KUNIT_CASE(random_wishes),
	KUNIT_CASE(wishes_that_contradict),
	KUNIT_CASE(addresses_that_count),
	KUNIT_CASE(system_memory_in_place),
	KUNIT_CASE(limited_pool),
	KUNIT_CASE(found_behind_many_alike),
	KUNIT_CASE(empty_chunks_go_back),
	{ }
};

static struct kunit_suite place_suite = {
	.name = "mpool_place",
	.exit = place_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = place_cases,
};

kunit_test_suite(place_suite);
