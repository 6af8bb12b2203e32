// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the engine under the large pools: runs of pages.
 *
 * The engine never touches the pages it manages, so that the arenas here cover
 * addresses that mean nothing.  The model of an arena is an array with a number
 * for each page: 0 if it is free, otherwise that of the run it is in.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arenas.h"
#include "helpers.h"
#include "runs.h"

#define MODEL_OPS	100000
#define MODEL_RUNS	512
#define MODEL_ARENAS	4

/* Every engine of this suite has its arenas at the same places. */
static const u32 model_pages[MODEL_ARENAS] = { 2048, 300, 64, 1 };

struct model_run {
	struct mpool_page *pg;
	u32 arena;
	u32 index;
	u32 len;
};

struct model {
	struct mpool_runs runs;
	struct mpool_arena *arenas[MODEL_ARENAS];
	u16 *owner[MODEL_ARENAS];	/* slot in run[] plus one, or 0 */
	struct model_run run[MODEL_RUNS];
	u32 nr_run;
	u32 failed;			/* allocs that could not be */
	u32 cached;			/* allocs of a run that was cached */
	struct rnd_state rnd;
};

/* --- the model --- */

static struct model *model_new(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < MODEL_ARENAS; i++) {
		m->arenas[i] = new_arena(test, &m->runs,
					 FAKE_BASE * (i + 1), model_pages[i]);
		m->owner[i] = kunit_kcalloc(test, model_pages[i],
					    sizeof(u16), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, m->owner[i]);
	}
	return m;
}

/* Sets pages of the model; false if one of them was not @was. */
static bool model_set(struct model *m, u32 arena, u32 index, u32 n, u16 was,
		      u16 now)
{
	if (index > model_pages[arena] || n > model_pages[arena] - index)
		return false;
	while (n--) {
		if (m->owner[arena][index] != was)
			return false;
		m->owner[arena][index++] = now;
	}
	return true;
}

static bool model_fits_in(const struct model *m, u32 a, u32 npages,
			  unsigned long align)
{
	u32 i, nfree = 0;

	/* From the end: nfree is the number of free pages from i on. */
	for (i = model_pages[a]; i--;) {
		unsigned long addr = m->arenas[a]->base + i * PAGE_SIZE;

		nfree = m->owner[a][i] ? 0 : nfree + 1;
		if (nfree >= npages && !(addr & (align - 1)))
			return true;
	}
	return false;
}

/* Is there any place for such a run? */
static bool model_fits(const struct model *m, u32 npages, unsigned long align)
{
	u32 a;

	for (a = 0; a < MODEL_ARENAS; a++)
		if (model_fits_in(m, a, npages, align))
			return true;
	return false;
}

static unsigned long model_largest(const struct model *m)
{
	unsigned long largest = 0;
	u32 a, i, nfree;

	for (a = 0; a < MODEL_ARENAS; a++) {
		for (i = nfree = 0; i < model_pages[a]; i++) {
			nfree = m->owner[a][i] ? 0 : nfree + 1;
			largest = max_t(unsigned long, largest, nfree);
		}
	}
	return largest;
}

static u32 model_length(struct model *m)
{
	u32 kind = mpool_kunit_below(&m->rnd, 16);

	if (kind < 10)
		return 1 + mpool_kunit_below(&m->rnd, 8);
	if (kind < 14)
		return 1 + mpool_kunit_below(&m->rnd, 70);
	return 1 + mpool_kunit_below(&m->rnd, 800);
}

/* As search.c looks at each free run, for what the lists do not lead to. */
static struct mpool_page *model_search(struct model *m, u32 len,
				       unsigned long align)
{
	struct mpool_page *pg;
	u32 a, i, gap;

	if (len < RUNS_LINEAR && align <= PAGE_SIZE)
		return NULL;
	for (a = 0; a < MODEL_ARENAS; a++) {
		mpool_arena_for_each_start(i, m->arenas[a]) {
			pg = &m->arenas[a]->pages[i];
			if (mpool_page_state(pg) != MPOOL_PAGE_FREE ||
			    !mpool_runs_fits(pg, len, align, &gap))
				continue;
			return mpool_runs_carve(&m->runs, pg, gap, len,
						MPOOL_PAGE_RUN);
		}
	}
	return NULL;
}

/* As a large pool takes a run. */
static struct mpool_page *model_take(struct model *m, u32 len,
				     unsigned long align)
{
	struct mpool_page *pg = NULL;

	if (align <= PAGE_SIZE)
		pg = mpool_runs_uncache(&m->runs, len);
	if (pg) {
		m->cached++;
		mpool_page_set(pg, mpool_page_index(pg), MPOOL_PAGE_RUN);
		return pg;
	}
	pg = mpool_runs_alloc(&m->runs, len, align, MPOOL_PAGE_RUN);
	if (!pg) {
		merge_cached(&m->runs);
		pg = mpool_runs_alloc(&m->runs, len, align, MPOOL_PAGE_RUN);
	}
	return pg ?: model_search(m, len, align);
}

static bool model_alloc(struct model *m)
{
	unsigned long align = 1;
	u32 len = model_length(m);
	struct mpool_page *pg;
	struct model_run *run;
	u32 a;

	if (m->nr_run == MODEL_RUNS)
		return true;
	if (!mpool_kunit_below(&m->rnd, 4))
		align = 1UL << mpool_kunit_below(&m->rnd, PAGE_SHIFT + 12);
	pg = model_take(m, len, align);
	if (!pg) {
		m->failed++;
		return !model_fits(m, len, align);
	}
	for (a = 0; a < MODEL_ARENAS - 1; a++)
		if (mpool_page_arena(pg) == m->arenas[a])
			break;
	run = &m->run[m->nr_run++];
	*run = (struct model_run){
		.pg = pg, .arena = a, .index = pg - m->arenas[a]->pages,
		.len = len,
	};
	if ((unsigned long)mpool_page_address(m->arenas[a], pg) & (align - 1))
		return false;
	return pg->len == len && mpool_page_state(pg) == MPOOL_PAGE_RUN &&
	       model_set(m, a, run->index, len, 0, m->nr_run);
}

static bool model_free(struct model *m, u32 i)
{
	struct model_run *run = &m->run[i];
	bool ok;

	ok = mpool_runs_claim(run->pg) && !mpool_runs_claim(run->pg) &&
	     model_set(m, run->arena, run->index, run->len, i + 1, 0);
	if (mpool_kunit_below(&m->rnd, 2) ||
	    !mpool_runs_cache(&m->runs, run->pg))
		mpool_runs_free(&m->runs, run->pg);
	m->nr_run--;
	if (i == m->nr_run || !ok)
		return ok;
	/* The last one takes the place in the table. */
	*run = m->run[m->nr_run];
	return model_set(m, run->arena, run->index, run->len, m->nr_run + 1,
			 i + 1);
}

static bool model_resize(struct model *m, u32 i)
{
	struct model_run *run = &m->run[i];
	u32 end = run->index + run->len;
	u32 len = model_length(m);
	u32 room = 0;

	if (len <= run->len) {
		mpool_runs_shrink(&m->runs, run->pg, len);
		if (!model_set(m, run->arena, run->index + len,
			       run->len - len, i + 1, 0))
			return false;
	} else {
		while (end + room < model_pages[run->arena] &&
		       !m->owner[run->arena][end + room])
			room++;
		if (mpool_runs_grow(&m->runs, run->pg, len) !=
		    (len - run->len <= room))
			return false;
		if (len - run->len > room)
			return run->pg->len == run->len;
		if (!model_set(m, run->arena, end, len - run->len, 0, i + 1))
			return false;
	}
	run->len = len;
	return run->pg->len == len;
}

/* Looks up a random byte of an arena. */
static bool model_find(struct model *m)
{
	u32 a = mpool_kunit_below(&m->rnd, MODEL_ARENAS);
	u32 index = mpool_kunit_below(&m->rnd, model_pages[a]);
	struct mpool_arena *arena = m->arenas[a];
	u32 id = m->owner[a][index];
	struct mpool_page *pg;

	pg = mpool_runs_find(arena, arena->base + index * PAGE_SIZE +
				    mpool_kunit_below(&m->rnd, PAGE_SIZE));
	if (id)
		return pg == m->run[id - 1].pg;
	if (mpool_page_state(pg) == MPOOL_PAGE_CACHED &&
	    (m->runs.quick[pg->len] != pg || pg > &arena->pages[index] ||
	     pg + pg->len <= &arena->pages[index]))
		return false;
	/* The head of the free run around it, when no neighbour is cached. */
	merge_cached(&m->runs);
	pg = mpool_runs_find(arena, arena->base + index * PAGE_SIZE);
	while (index && !m->owner[a][index - 1])
		index--;
	return pg == &arena->pages[index] &&
	       mpool_page_state(pg) == MPOOL_PAGE_FREE;
}

static int model_verify(struct model *m)
{
	unsigned long pages = 0, nfree = 0, cached = mpool_kunit_cached_pages(&m->runs);
	int bad = 0;
	u32 a, i;

	for (a = 0; a < MODEL_ARENAS; a++) {
		u32 here = 0;

		bad += mpool_runs_verify_arena(&m->runs, m->arenas[a]);
		for (i = 0; i < model_pages[a]; i++)
			here += !m->owner[a][i];
		bad += here != mpool_arena_nr_free(m->arenas[a]);
		pages += model_pages[a];
		nfree += here;
	}
	bad += mpool_runs_verify(&m->runs, pages, nfree - cached);
	merge_cached(&m->runs);
	bad += mpool_runs_largest(&m->runs) != model_largest(m);
	for (a = 0; a < MODEL_ARENAS; a++)
		bad += mpool_runs_verify_arena(&m->runs, m->arenas[a]);
	return bad + mpool_runs_verify(&m->runs, pages, nfree);
}

static bool model_step(struct model *m, u32 op)
{
	/* Half of the time the arenas fill up, half of it they get empty. */
	u32 eager = op / 5000 % 2 ? 30 : 60;
	u32 dice = mpool_kunit_below(&m->rnd, 100);

	if (dice < eager || !m->nr_run)
		return model_alloc(m);
	if (dice < 85)
		return model_free(m, mpool_kunit_below(&m->rnd, m->nr_run));
	if (dice < 95)
		return model_resize(m, mpool_kunit_below(&m->rnd, m->nr_run));
	return model_find(m);
}

static void random_against_model(struct kunit *test)
{
	struct model *m = model_new(test);
	u32 op, i;

	mpool_kunit_random(test, &m->rnd);
	for (op = 0; op < MODEL_OPS; op++) {
		KUNIT_ASSERT_TRUE_MSG(test, model_step(m, op),
				      "operation %u differs", op);
		if (op % 200)
			continue;
		KUNIT_ASSERT_EQ_MSG(test, model_verify(m), 0,
				    "after operation %u", op);
		cond_resched();
	}
	/* Nearly full and nearly empty have both been there. */
	KUNIT_EXPECT_GT(test, m->failed, 100);
	KUNIT_EXPECT_GT(test, m->cached, 100);
	while (m->nr_run)
		KUNIT_ASSERT_TRUE(test, model_free(m, m->nr_run - 1));
	KUNIT_EXPECT_EQ(test, model_verify(m), 0);
	merge_cached(&m->runs);
	for (i = 0; i < MODEL_ARENAS; i++)
		KUNIT_EXPECT_TRUE(test, one_free_run(m->arenas[i]));
}

/* --- small worlds, completely --- */

#define SMALL_RUNS	6
#define SMALL_MAX	4
#define SMALL_ORDERS	720

/* Each order of six things, as nibbles. */
static u32 *all_orders(struct kunit *test)
{
	u32 *orders = kunit_kcalloc(test, SMALL_ORDERS, sizeof(*orders),
				    GFP_KERNEL);
	u32 code, n = 0;

	KUNIT_ASSERT_NOT_NULL(test, orders);
	for (code = 0; code < 6 * 6 * 6 * 6 * 6 * 6; code++) {
		u32 i, rest = code, seen = 0, order = 0;

		for (i = 0; i < SMALL_RUNS; i++, rest /= 6) {
			seen |= 1u << rest % 6;
			order |= (rest % 6) << (4 * i);
		}
		if (seen != 0x3f)
			continue;
		KUNIT_ASSERT_LT(test, n, SMALL_ORDERS);
		orders[n++] = order;
	}
	KUNIT_ASSERT_EQ(test, n, SMALL_ORDERS);
	return orders;
}

/* Takes six runs, frees them in that order; says what went wrong, or NULL. */
static const char *free_in_order(struct mpool_runs *runs,
				 struct mpool_arena *arena, const u8 *len,
				 u32 order)
{
	struct mpool_page *pg[SMALL_RUNS];
	u32 i, at = 0, nfree = 0;

	for (i = 0; i < SMALL_RUNS; i++) {
		pg[i] = take(runs, len[i]);
		if (pg[i] != &arena->pages[at])
			return "a run is not where it has to be";
		at += len[i];
	}
	if (arena->nfree || take(runs, 1))
		return "a full arena has room";
	for (i = 0; i < SMALL_RUNS; i++, order >>= 4) {
		nfree += len[order & 7];
		mpool_runs_free(runs, pg[order & 7]);
		if (arena->nfree != nfree || runs->nr_free != nfree)
			return "the number of free pages is wrong";
	}
	return one_free_run(arena) ? NULL : "free runs were not merged";
}

/* Six runs of 1 to 4 pages, freed in every order. */
static void all_orders_of_freeing(struct kunit *test)
{
	u32 combos = SMALL_MAX * SMALL_MAX * SMALL_MAX * SMALL_MAX *
		     SMALL_MAX * SMALL_MAX;
	const u32 *orders = all_orders(test);
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 combo, i, cases = 0;
	u8 len[SMALL_RUNS];
	const char *wrong;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, SMALL_RUNS * SMALL_MAX);
	for (combo = 0; combo < combos; combo++) {
		u32 pages = 0, rest = combo;

		for (i = 0; i < SMALL_RUNS; i++, rest /= SMALL_MAX) {
			len[i] = 1 + rest % SMALL_MAX;
			pages += len[i];
		}
		reset_arena(runs, arena, FAKE_BASE, pages);
		for (i = 0; i < SMALL_ORDERS; i++, cases++) {
			wrong = free_in_order(runs, arena, len, orders[i]);
			if (!wrong)
				continue;
			KUNIT_FAIL(test, "lengths %u, order %x: %s", combo,
				   orders[i], wrong);
			return;
		}
		KUNIT_ASSERT_EQ(test, verify_one(runs, arena), 0);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, cases, 4096 * 720);
}

#define RESIZE_PAGES	12

struct resize {
	u32 start;	/* the run, from start to end */
	u32 end;
	u32 wall;	/* first page behind it that is taken */
};

/* Builds that arena and changes the run's length; what went wrong, or NULL. */
static const char *resize_to(struct mpool_runs *runs,
			     struct mpool_arena *arena, struct resize r,
			     u32 len)
{
	struct mpool_page *pg, *space = NULL;
	bool fits = r.start + len <= r.wall;
	u32 used;

	reset_arena(runs, arena, FAKE_BASE, RESIZE_PAGES);
	if (r.start)
		take(runs, r.start);
	pg = take(runs, r.end - r.start);
	if (r.wall > r.end)
		space = take(runs, r.wall - r.end);
	if (r.wall < RESIZE_PAGES)
		take(runs, RESIZE_PAGES - r.wall);
	if (space)
		mpool_runs_free(runs, space);
	used = RESIZE_PAGES - arena->nfree;
	if (pg != &arena->pages[r.start] || used + r.wall - r.end != RESIZE_PAGES)
		return "the world is not as intended";
	if (len <= pg->len)
		mpool_runs_shrink(runs, pg, len);
	else if (mpool_runs_grow(runs, pg, len) != fits)
		return fits ? "did not grow" : "grew over the wall";
	if (!fits)
		len = r.end - r.start;
	if (pg->len != len || verify_one(runs, arena))
		return "the arena is damaged";
	if (RESIZE_PAGES - arena->nfree != used + len - (r.end - r.start))
		return "pages were lost";
	return NULL;
}

/* All new lengths of one run; counts the cases. */
static void resize_to_all(struct kunit *test, struct mpool_runs *runs,
			  struct mpool_arena *arena, struct resize r,
			  u32 *cases)
{
	const char *wrong;
	u32 len;

	for (len = 1; len <= RESIZE_PAGES; len++, ++*cases) {
		wrong = resize_to(runs, arena, r, len);
		if (wrong)
			KUNIT_FAIL(test, "run %u-%u, wall %u, length %u: %s",
				   r.start, r.end, r.wall, len, wrong);
	}
}

/* Each place and length of a run, each room behind it, each new length. */
static void all_resizes_in_place(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct resize r;
	u32 cases = 0;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, RESIZE_PAGES);
	for (r.start = 0; r.start < RESIZE_PAGES; r.start++)
		for (r.end = r.start + 1; r.end <= RESIZE_PAGES; r.end++)
			for (r.wall = r.end; r.wall <= RESIZE_PAGES; r.wall++)
				resize_to_all(test, runs, arena, r, &cases);
	/* 364 triples start < end <= wall <= 12. */
	KUNIT_EXPECT_EQ(test, cases, 364 * RESIZE_PAGES);
}

/* --- alignment --- */

/* The first page of an arena at @base where such a run fits; -1 if none. */
static int aligned_place(unsigned long base, u32 pages, u32 len,
			 unsigned long align)
{
	u32 i;

	for (i = 0; i + len <= pages; i++)
		if (!((base + i * PAGE_SIZE) & (align - 1)))
			return i;
	return -1;
}

/* Each alignment to 64 pages, at each place of an arena relative to it. */
static void all_alignments(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 shift, skew, len, cases = 0;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 16);
	for (shift = 0; shift <= PAGE_SHIFT + 6; shift++) {
		for (skew = 0; skew < 64 * 16; skew++, cases++) {
			unsigned long base = (1UL << 40) +
					     skew / 16 * PAGE_SIZE;
			struct mpool_page *pg;
			int want;

			len = 1 + skew % 16;
			want = aligned_place(base, 16, len, 1UL << shift);
			reset_arena(runs, arena, base, 16);
			pg = mpool_runs_alloc(runs, len, 1UL << shift,
					      MPOOL_PAGE_RUN);
			KUNIT_ASSERT_EQ(test, want,
					pg ? pg - arena->pages : -1);
			KUNIT_ASSERT_EQ(test, verify_one(runs, arena), 0);
			if (!pg)
				continue;
			mpool_runs_free(runs, pg);
			KUNIT_ASSERT_TRUE(test, one_free_run(arena));
		}
	}
	KUNIT_EXPECT_EQ(test, cases, (PAGE_SHIFT + 7) * 1024);
}

/* The way to an alignment may be longer than 32 bits can count pages. */
static void alignment_of_terabytes(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 shift;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 64);
	for (shift = 44; shift < 64; shift++) {
		unsigned long align = 1UL << shift;

		/* Halfway between two, a little below a whole 2^32 pages. */
		reset_arena(runs, arena, (1UL << 44) - 16 * PAGE_SIZE, 64);
		if (shift > 44)
			KUNIT_EXPECT_NULL(test,
					  mpool_runs_alloc(runs, 1, align,
							   MPOOL_PAGE_RUN));
		reset_arena(runs, arena, align - 16 * PAGE_SIZE, 64);
		KUNIT_EXPECT_PTR_EQ(test,
				    mpool_runs_alloc(runs, 48, align,
						     MPOOL_PAGE_RUN),
				    &arena->pages[16]);
		KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
		/* At the very end of the address space. */
		reset_arena(runs, arena, 0 - 65 * PAGE_SIZE, 64);
		KUNIT_EXPECT_NULL(test, mpool_runs_alloc(runs, 1, align,
							 MPOOL_PAGE_RUN));
	}
}

/* --- lengths --- */

/* One free run of @pages: has room for so many, and for not one more. */
static void check_length(struct kunit *test, struct mpool_runs *runs,
			 struct mpool_arena *arena, u32 pages)
{
	struct mpool_page *pg;

	reset_arena(runs, arena, FAKE_BASE, pages);
	KUNIT_ASSERT_EQ(test, mpool_runs_largest(runs), pages);
	KUNIT_ASSERT_NULL(test, take(runs, pages + 1));
	pg = take(runs, pages);
	KUNIT_ASSERT_PTR_EQ(test, pg, &arena->pages[0]);
	KUNIT_ASSERT_EQ(test, mpool_runs_largest(runs), 0);
	KUNIT_ASSERT_EQ(test, runs->nr_free, 0);
	mpool_runs_free(runs, pg);
	KUNIT_ASSERT_TRUE(test, one_free_run(arena));
	KUNIT_ASSERT_EQ(test, mpool_runs_verify(runs, pages, pages), 0);
}

/* No length falls between two classes. */
static void every_length_is_found(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 pages, shift;
	int off;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, (1 << 16) + 1);
	for (pages = 1; pages <= 1100; pages++)
		check_length(test, runs, arena, pages);
	for (shift = 11; shift <= 16; shift++)
		for (off = -1; off <= 1; off++)
			check_length(test, runs, arena, (1 << shift) + off);
}

/* Beyond 64 pages too a request fails only if no run is long enough. */
static void search_of_own_class(struct kunit *test)
{
	struct mpool_page *a, *b;
	struct mpool_arena *arena;
	struct mpool_runs *runs;

	runs = new_runs(test);
	/* 1000 and 1007 pages are of one class: 992 to 1007. */
	arena = new_arena(test, runs, FAKE_BASE, 1007 + 1 + 1000 + 1);
	a = take(runs, 1007);
	take(runs, 1);
	b = take(runs, 1000);
	take(runs, 1);
	KUNIT_ASSERT_EQ(test, runs->nr_free, 0);
	mpool_runs_free(runs, a);
	mpool_runs_free(runs, b);
	KUNIT_EXPECT_EQ(test, mpool_runs_largest(runs), 1007);
	KUNIT_EXPECT_NULL(test, take(runs, 1008));
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 1001), a);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 993), b);
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

/* Below 64 pages the shortest run that will do is taken. */
static void best_fit(struct kunit *test)
{
	static const u8 lens[] = { 9, 3, 63, 5, 20 };
	struct mpool_page *pg[ARRAY_SIZE(lens)];
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	u32 i;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 9 + 3 + 63 + 5 + 20 + 5);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		pg[i] = take(runs, lens[i]);
		take(runs, 1);
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		mpool_runs_free(runs, pg[i]);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 4), pg[3]);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 4), pg[0]);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 2), pg[1]);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 21), pg[2]);
	KUNIT_EXPECT_PTR_EQ(test, take(runs, 20), pg[4]);
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

/* --- the rest --- */

/* Only a run that a caller has can be claimed, and by one only. */
static void claim(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 8);
	KUNIT_EXPECT_FALSE(test, mpool_runs_claim(&arena->pages[0]));
	KUNIT_EXPECT_FALSE(test, mpool_runs_claim(&arena->pages[3]));
	pg = mpool_runs_alloc(runs, 2, 1, MPOOL_PAGE_CHUNK);
	KUNIT_ASSERT_NOT_NULL(test, pg);
	KUNIT_EXPECT_FALSE(test, mpool_runs_claim(pg));
	mpool_runs_free(runs, pg);
	pg = take(runs, 3);
	KUNIT_ASSERT_NOT_NULL(test, pg);
	KUNIT_EXPECT_FALSE(test, mpool_runs_claim(pg + 1));
	KUNIT_EXPECT_TRUE(test, mpool_runs_claim(pg));
	KUNIT_EXPECT_EQ(test, mpool_page_state(pg), MPOOL_PAGE_FREEING);
	KUNIT_EXPECT_EQ(test, mpool_page_index(pg), 0);
	KUNIT_EXPECT_FALSE(test, mpool_runs_claim(pg));
	mpool_runs_free(runs, pg);
	KUNIT_EXPECT_TRUE(test, one_free_run(arena));
}

/* An arena goes only when all of it is free, and takes its pages with it. */
static void remove_arena(struct kunit *test)
{
	struct mpool_arena *a, *b;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = new_runs(test);
	a = new_arena(test, runs, FAKE_BASE, 100);
	b = new_arena(test, runs, FAKE_BASE * 2, 10);
	KUNIT_EXPECT_EQ(test, mpool_runs_verify(runs, 110, 110), 0);
	pg = take(runs, 11);
	KUNIT_ASSERT_PTR_EQ(test, mpool_page_arena(pg), a);
	KUNIT_EXPECT_FALSE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, b));
	KUNIT_EXPECT_EQ(test, mpool_runs_verify(runs, 100, 89), 0);
	KUNIT_EXPECT_EQ(test, mpool_runs_verify_arena(runs, a), 0);
	mpool_runs_free(runs, pg);
	KUNIT_EXPECT_TRUE(test, mpool_runs_remove(runs, a));
	KUNIT_EXPECT_EQ(test, mpool_runs_verify(runs, 0, 0), 0);
	KUNIT_EXPECT_NULL(test, take(runs, 1));
}

/* A verifier that finds nothing is worth nothing. */
static void verify_finds_damage(struct kunit *test)
{
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	struct mpool_page *pg;

	runs = new_runs(test);
	arena = new_arena(test, runs, FAKE_BASE, 32);
	pg = take(runs, 5);
	KUNIT_ASSERT_EQ(test, verify_one(runs, arena), 0);
	pg->len = 4;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	pg->len = 5;
	__clear_bit(5, mpool_arena_starts(arena));
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	__set_bit(5, mpool_arena_starts(arena));
	arena->nfree++;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	arena->nfree--;
	arena->pages[31].len = 1;
	KUNIT_EXPECT_GT(test, mpool_runs_verify_arena(runs, arena), 0);
	arena->pages[31].len = 27;
	runs->levels = 0;
	KUNIT_EXPECT_GT(test, mpool_runs_verify(runs, 32, 27), 0);
	runs->levels = 1;
	KUNIT_EXPECT_EQ(test, verify_one(runs, arena), 0);
}

static struct kunit_case runs_cases[] = {
	KUNIT_CASE(random_against_model),
	KUNIT_CASE(all_orders_of_freeing),
	KUNIT_CASE(all_resizes_in_place),
	KUNIT_CASE(all_alignments),
	KUNIT_CASE(alignment_of_terabytes),
	KUNIT_CASE(every_length_is_found),
	KUNIT_CASE(search_of_own_class),
	KUNIT_CASE(best_fit),
	KUNIT_CASE(claim),
	KUNIT_CASE(remove_arena),
	KUNIT_CASE(verify_finds_damage),
	{ }
};

static struct kunit_suite runs_suite = {
	.name = "mpool_runs",
	.suite_exit = mpool_kunit_verified,
	.test_cases = runs_cases,
};

kunit_test_suite(runs_suite);
