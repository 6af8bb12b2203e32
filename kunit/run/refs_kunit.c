// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to pages: those that somebody else has when a run is freed, and those of
 * mpool's that somebody dropped.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "findings.h"
#include "fixed.h"
#include "helpers.h"
#include "large.h"
#include "leaks.h"
#include "out.h"
#include "small.h"

#define OBJECTS		300

static int refs_init_case(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-refs", NULL);

	test->priv = pool;
	return PTR_ERR_OR_ZERO(pool);
}

static void refs_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_large_verify(test->priv), 0);
	mpool_large_destroy(test->priv);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static char *take_pages(struct kunit *test, unsigned int n)
{
	char *p = mpool_large_alloc(test->priv, n * PAGE_SIZE, NULL, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static struct page *nth_page_of(const char *p, unsigned int n)
{
	return virt_to_page(p + n * PAGE_SIZE);
}

static unsigned long nr_dropped(const struct mpool_large *pool)
{
	return atomic_long_read(&pool->refs.dropped);
}

static unsigned long nr_held(const struct mpool_large *pool)
{
	return atomic_long_read(&pool->refs.held);
}

/* Short runs, which are cached, and long ones, blocks of their own among them. */
static const unsigned int lengths[] = { 1, 2, 5, 16, 32, 33, 63, 64, 70, 130 };

/* As kfree(), put_page() and the like do, many times. */
static void dropped_and_made_up_for(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	unsigned int i, n, sum = 0;
	struct page *page;
	char *p;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		p = take_pages(test, lengths[i]);
		memset(p, i, lengths[i] * PAGE_SIZE);
		page = nth_page_of(p, lengths[i] / 2);
		for (n = 0; n < 100; n++)
			put_page(page);
		free_page((unsigned long)page_address(page));
		__free_pages(page, 0);
		put_page(nth_page_of(p, lengths[i] - 1));
		sum += 103;
		KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
		KUNIT_EXPECT_NULL(test, memchr_inv(p, i, lengths[i] * PAGE_SIZE));
		mpool_large_free(pool, p);
		mpool_large_settle(pool);
		KUNIT_EXPECT_EQ(test, nr_dropped(pool), sum);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, nr_held(pool), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->refs.lost), 0);
	/* All is as if nothing had been. */
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		p = take_pages(test, lengths[i]);
		for (n = 0; n < lengths[i]; n++)
			KUNIT_EXPECT_EQ(test, page_count(nth_page_of(p, n)),
					MPOOL_PAGE_REFS);
		mpool_large_free(pool, p);
	}
}

/* A run that somebody has a page of, and what is around it. */
static void held_pages_leave(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	unsigned int i, n, first, last, held = 0;
	struct mpool_whatis what;
	struct page *a, *b;
	char *p, *other;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		other = take_pages(test, 1);
		p = take_pages(test, lengths[i]);
		first = lengths[i] / 3;
		last = lengths[i] - 1;
		a = nth_page_of(p, first);
		b = nth_page_of(p, last);
		memset(p, 0x5a, lengths[i] * PAGE_SIZE);
		get_page(a);
		get_page(b);
		mpool_large_free(pool, p);
		mpool_large_settle(pool);
		held += 1 + (first != last);
		KUNIT_EXPECT_EQ(test, nr_held(pool), held);
		KUNIT_EXPECT_EQ(test, page_count(a), 1 + (first == last));
		KUNIT_EXPECT_EQ(test, page_count(b), 1 + (first == last));
		KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p));
		KUNIT_EXPECT_FALSE(test, mpool_whatis(page_address(a), &what));
		KUNIT_EXPECT_EQ(test, what.area, MPOOL_AREA_PAGE);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		/* Nobody gets them, also if all is taken that is there. */
		for (n = 0; n < 200; n++) {
			char *q = take_pages(test, 1);

			KUNIT_EXPECT_PTR_NE(test, q, (char *)page_address(a));
			KUNIT_EXPECT_PTR_NE(test, q, (char *)page_address(b));
			memset(q, 0, PAGE_SIZE);
		}
		mpool_large_clear(pool);
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(a), 0x5a, PAGE_SIZE));
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(b), 0x5a, PAGE_SIZE));
		put_page(a);
		put_page(b);
		KUNIT_EXPECT_FALSE(test, mpool_owns(other));
	}
	KUNIT_EXPECT_EQ(test, nr_dropped(pool), 0);
}

/* What is left of an arena with holes goes when it is idle, the holes by their holders. */
static void arenas_with_holes_go(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct page *page[8];
	char *p, *rest;
	unsigned int i;

	p = take_pages(test, 8);
	rest = take_pages(test, 3);
	for (i = 0; i < 8; i += 2) {
		page[i] = nth_page_of(p, i);
		get_page(page[i]);
	}
	mpool_large_free(pool, p);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 4);
	/* The other four went at once: nothing else was in the arena. */
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 3);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, rest));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_free(pool, rest);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&pool->arenas));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	for (i = 0; i < 8; i += 2) {
		KUNIT_EXPECT_EQ(test, page_count(page[i]), 1);
		put_page(page[i]);
	}
}

/* The tail that a shorter run gives back. */
static void tail_of_a_shorter_run(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	char *p = take_pages(test, 8);
	struct page *held = nth_page_of(p, 6);
	size_t real;

	get_page(held);
	put_page(nth_page_of(p, 7));
	/* That of the rest is nobody's business yet. */
	get_page(nth_page_of(p, 1));
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)mpool_large_realloc(pool, p, 4 * PAGE_SIZE,
								 &real, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 4 * PAGE_SIZE);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 1);
	KUNIT_EXPECT_EQ(test, nr_dropped(pool), 1);
	KUNIT_EXPECT_EQ(test, page_count(held), 1);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.pages), 4);
	put_page(held);
	put_page(nth_page_of(p, 1));
	mpool_large_free(pool, p);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 1);
}

static void expect_no_other(struct kunit *test, struct mpool_page *pg,
			    enum mpool_page_state state)
{
	struct mpool_large *pool = test->priv;

	KUNIT_EXPECT_EQ(test, mpool_page_state(pg), state);
	KUNIT_EXPECT_PTR_EQ(test, READ_ONCE(pg->owner), &pool->base);
}

/*
 * A run that is left to the work item, or to others, names no pool that may end before.
 * The work item waits for interrupts.
 */
static void left_runs_name_their_pool(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct mpool_small_args args = { .large = pool };
	struct mpool_small *small = mpool_small_create("kunit-refs-owner", &args);
	struct page *held, *tail;
	struct mpool_page *pg;
	unsigned long flags;
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(small));
	p = mpool_small_alloc(small, 16 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	rcu_read_lock();
	pg = mpool_large_lookup(p);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, pg);
	held = nth_page_of(p, 0);
	tail = nth_page_of(p, 15);
	get_page(held);
	get_page(tail);
	local_irq_save(flags);
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)mpool_small_realloc(small, p, 12 * PAGE_SIZE,
								 GFP_ATOMIC));
	expect_no_other(test, pg + 12, MPOOL_PAGE_QUEUED);
	mpool_small_free(small, p);
	expect_no_other(test, pg, MPOOL_PAGE_QUEUED);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 0);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 2);
	put_page(held);
	put_page(tail);
}

/* The pages of a shorter run that left are a hole in an arena that stays. */
static void gone_runs_name_their_pool(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct mpool_small_args args = { .large = pool };
	struct mpool_small *small = mpool_small_create("kunit-refs-owner", &args);
	struct mpool_page *pg;
	struct page *held;
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(small));
	p = mpool_small_alloc(small, 5 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	rcu_read_lock();
	pg = mpool_large_lookup(p);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, pg);
	held = nth_page_of(p, 4);
	get_page(held);
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)mpool_small_realloc(small, p, 4 * PAGE_SIZE,
								 GFP_KERNEL));
	mpool_large_settle(pool);
	expect_no_other(test, pg + 4, MPOOL_PAGE_GONE);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_small_free(small, p);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 0);
	put_page(held);
}

/* Each object of whole pages, freed by a function that takes a reference of its page. */
static void objects_of_whole_pages(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct mpool_fixed_args args = { .large = pool };
	struct mpool_fixed *fixed;
	unsigned int i;
	void **obj;

	obj = kunit_kcalloc(test, OBJECTS, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	fixed = mpool_fixed_create("kunit-refs-objects", 64, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	for (i = 0; i < OBJECTS; i++) {
		obj[i] = mpool_fixed_alloc(fixed, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, obj[i]);
		memset(obj[i], i, 64);
	}
	for (i = 0; i < OBJECTS; i++)
		put_page(virt_to_page(obj[i]));
	for (i = 0; i < OBJECTS; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(obj[i], i, 64));
		mpool_fixed_free(fixed, obj[i]);
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_dropped(pool), OBJECTS);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 0);
}

/* References dropped while pages are free are found when their arena goes. */
static void dropped_while_free(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	char *p = take_pages(test, 5);
	struct page *page = nth_page_of(p, 2);

	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, page_count(page), MPOOL_PAGE_REFS);
	put_page(page);
	put_page(page);
	KUNIT_EXPECT_GT(test, mpool_large_trim(pool), 0);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_dropped(pool), 2);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
}

/* A page whose count says that it is not ours any more is not touched. */
static void lost_pages_are_left_alone(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	char *p = take_pages(test, 3);
	struct page *page = nth_page_of(p, 1);

	memset(p, 0x77, 3 * PAGE_SIZE);
	page_ref_sub(page, MPOOL_PAGE_REFS - 1);
	mpool_large_free(pool, p);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->refs.lost), 1);
	KUNIT_EXPECT_EQ(test, nr_held(pool), 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0x77, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mpool_owns(page_address(page)));
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	__free_page(page);
}

/* Leaks that are reclaimed are frees as any other. */
static void found_when_the_pool_ends(struct kunit *test)
{
	struct mpool_large_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct mpool_large *pool = mpool_large_create("kunit-refs-end", &args);
	struct page *page;
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	p = mpool_large_alloc(pool, 20 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x33, 20 * PAGE_SIZE);
	page = nth_page_of(p, 11);
	get_page(page);
	put_page(nth_page_of(p, 3));
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0x33, PAGE_SIZE));
	put_page(page);
}

/* Held by anybody all the time: random runs, references and wrong frees. */
static void random_references(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	unsigned int i, n, len[32] = { };
	struct page *held[64] = { };
	struct rnd_state rnd;
	char *p[32] = { };

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < 4000; i++) {
		unsigned int at = mpool_kunit_below(&rnd, ARRAY_SIZE(p));
		struct page **hold = &held[mpool_kunit_below(&rnd, ARRAY_SIZE(held))];

		if (!p[at]) {
			len[at] = 1 + mpool_kunit_below(&rnd, 40);
			p[at] = take_pages(test, len[at]);
			mpool_kunit_fill(p[at], len[at] * PAGE_SIZE, at);
			continue;
		}
		n = mpool_kunit_below(&rnd, len[at]);
		if (*hold) {
			put_page(*hold);
			*hold = NULL;
		} else if (i % 2) {
			*hold = nth_page_of(p[at], n);
			get_page(*hold);
		} else if (!(i % 6)) {
			put_page(nth_page_of(p[at], n));
		}
		if (!mpool_kunit_intact(p[at], len[at] * PAGE_SIZE, at))
			KUNIT_FAIL(test, "run %u is torn at %u", at, i);
		mpool_large_free(pool, p[at]);
		p[at] = NULL;
		if (!(i % 64)) {
			mpool_large_settle(pool);
			KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		}
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (p[i])
			mpool_large_free(pool, p[i]);
	mpool_large_trim(pool);
	KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), 0);
	for (i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i])
			put_page(held[i]);
}

static int count_visit(const struct mpool_obj *obj, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

/* A run whose length changes is in use for all but those who would free it. */
static void resized_is_in_use(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct mpool_page *pg;
	struct mpool_whatis what;
	unsigned int runs = 0;
	u64 bad;
	char *p = take_pages(test, 4);

	rcu_read_lock();
	pg = mpool_large_lookup(p);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, pg);
	KUNIT_ASSERT_TRUE(test, mpool_runs_hold(pg));
	KUNIT_EXPECT_FALSE(test, mpool_runs_hold(pg));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_TRUE(test, mpool_whatis(p + PAGE_SIZE, &what));
	KUNIT_EXPECT_EQ(test, mpool_usable_size(p), 4 * PAGE_SIZE);
	mpool_large_walk_owner(pool, &pool->base, count_visit, &runs);
	KUNIT_EXPECT_EQ(test, runs, 1);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	bad = mpool_kunit_bad(&pool->base);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), bad + 1);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_runs_unhold(pg);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&pool->base), bad + 1);
}

/* A report of a pool that ends, of whose objects some were freed wrongly. */
static char *leaks_text(struct kunit *test, struct mpool_pool *pool)
{
	char *buf = kunit_kzalloc(test, SZ_2K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_2K };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mpool_leaks_of_pool(&out, pool);
	return buf;
}

#define EXPECT_SAYS(test, text, words)					\
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, words), "%s", text)

/* Objects that a driver frees by kfree() leak, and the report says why. */
static void leaks_say_what_was_freed_wrongly(struct kunit *test)
{
	struct mpool_fixed_args args = {
		.large = test->priv,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_fixed *fixed;
	void *obj[8];
	unsigned int i;

	fixed = mpool_fixed_create("kunit-refs-kfree", PAGE_SIZE / 4, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	for (i = 0; i < ARRAY_SIZE(obj); i++) {
		obj[i] = mpool_fixed_alloc(fixed, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, obj[i]);
	}
	KUNIT_EXPECT_NULL(test, strstr(leaks_text(test, &fixed->base), "kfree()"));
	put_page(virt_to_page(obj[0]));
	EXPECT_SAYS(test, leaks_text(test, &fixed->base),
		    "\n  1 page of it was freed by kfree(), put_page() or the like, which free nothing here: use mpool_fixed_free()\n");
	for (i = 1; i < ARRAY_SIZE(obj); i++)
		put_page(virt_to_page(obj[i]));
	EXPECT_SAYS(test, leaks_text(test, &fixed->base),
		    " pages of it were freed by kfree()");
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), ARRAY_SIZE(obj));
}

/* Each kind of pool names its own function, and pools together all of them. */
static void leaks_name_the_right_function(struct kunit *test)
{
	struct mpool_small_args small_args = {
		.large = test->priv,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_string_args string_args = {
		.large = test->priv,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_small *small = mpool_small_create("kunit-refs-small", &small_args);
	struct mpool_string *string = mpool_string_create("kunit-refs-string",
							  &string_args);
	struct mpool_large *large = test->priv;
	struct mpool_sums sums = { };
	const char *text;
	char *run, *buf = kunit_kzalloc(test, SZ_2K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_2K };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_FALSE(test, IS_ERR(small) || IS_ERR(string));
	put_page(virt_to_page(mpool_small_alloc(small, 100, GFP_KERNEL)));
	/* A run of its own. */
	put_page(virt_to_page(mpool_small_alloc(small, 20 * PAGE_SIZE, GFP_KERNEL)));
	text = mpool_string_get(string, "freed by kfree", GFP_KERNEL);
	put_page(virt_to_page((void *)text));
	run = take_pages(test, 2);
	put_page(virt_to_page(run));
	EXPECT_SAYS(test, leaks_text(test, &small->base),
		    "\n  2 pages of it were freed by kfree(), put_page() or the like, which free nothing here: use mpool_small_free()\n");
	EXPECT_SAYS(test, leaks_text(test, mpool_pool_find("kunit-refs-string")),
		    ": use mpool_string_put()\n");
	EXPECT_SAYS(test, leaks_text(test, &large->base), ": use mpool_large_free()\n");
	mpool_sums_add(&sums, &small->base);
	mpool_sums_add(&sums, &large->base);
	mpool_leaks_rows(&out, &sums, true);
	mpool_sums_free(&sums);
	EXPECT_SAYS(test, buf, ": use mpool_large_free(), mpool_small_free()\n");
	mpool_large_free(large, run);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 2);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(string), 1);
}

/* What is said of it. */
static void words(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	struct mpool_refs_count news = { .dropped = 5, .held = 2, .lost = 1 };
	struct mpool_refs_run run = { .pool = "objects", .npages = 3 };
	char *buf = kunit_kzalloc(test, SZ_2K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_2K };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mpool_findings_refs(&out, &pool->base, &news, &run);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "pool \"objects\", 3 pages at "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, ": freed 5 times by a function of the kernel"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "(kfree(), put_page() ...)"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, ": 2 pages freed while others have references"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, ": 1 page freed by a function of the kernel that"));
	out.len = 0;
	buf[0] = '\0';
	mpool_findings_refs(&out, &pool->base, &news, NULL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "pool \"kunit-refs\": freed 5 times"));
}

/* Each object of a page may be given to kfree(), and be as small as there is. */
static void as_many_as_objects(struct kunit *test)
{
	struct mpool_large *pool = test->priv;
	unsigned int i, n = PAGE_SIZE / 8;
	char *p = take_pages(test, 1);

	memset(p, 0x5a, PAGE_SIZE);
	for (i = 0; i < n; i++)
		put_page(virt_to_page(p));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5a, PAGE_SIZE));
	mpool_large_free(pool, p);
	mpool_large_settle(pool);
	KUNIT_EXPECT_EQ(test, nr_dropped(pool), n);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->refs.lost), 0);
}

static struct kunit_case refs_cases[] = {
	KUNIT_CASE(as_many_as_objects),
	KUNIT_CASE(dropped_and_made_up_for),
	KUNIT_CASE(held_pages_leave),
	KUNIT_CASE(arenas_with_holes_go),
	KUNIT_CASE(tail_of_a_shorter_run),
	KUNIT_CASE(left_runs_name_their_pool),
	KUNIT_CASE(gone_runs_name_their_pool),
	KUNIT_CASE(objects_of_whole_pages),
	KUNIT_CASE(dropped_while_free),
	KUNIT_CASE(lost_pages_are_left_alone),
	KUNIT_CASE(found_when_the_pool_ends),
	KUNIT_CASE(random_references),
	KUNIT_CASE(resized_is_in_use),
	KUNIT_CASE(leaks_say_what_was_freed_wrongly),
	KUNIT_CASE(leaks_name_the_right_function),
	KUNIT_CASE(words),
	{ }
};

static struct kunit_suite refs_suite = {
	.name = "mpool_refs",
	.init = refs_init_case,
	.exit = refs_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = refs_cases,
};

kunit_test_suite(refs_suite);
