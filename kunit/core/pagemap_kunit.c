// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page map.
 *
 * The map keeps entries and never follows them, so that the pages entered here
 * are at addresses where nothing is, and the entries are plain numbers.  Nobody
 * else asks for these addresses, and each case takes out what it entered.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "helpers.h"
#include "pagemap.h"

/* Not canonical where memory is; page and window aligned. */
#define FAKE_BASE	(1UL << 52)

#define WINDOW_BYTES	(1UL << MPOOL_WINDOW_SHIFT)

static unsigned long entry_at(unsigned long addr)
{
	unsigned long entry;

	rcu_read_lock();
	entry = mpool_pagemap_entry(addr);
	rcu_read_unlock();
	return entry;
}

/* --- the model --- */

#define MODEL_WINDOWS	24
#define MODEL_PAGES	(MODEL_WINDOWS * MPOOL_WINDOW_PAGES)
#define MODEL_RANGES	48
#define MODEL_OPS	100000

struct span {
	u32 from;
	u32 n;
};

struct model {
	unsigned long *entry;	/* what each page's has to be */
	struct span range[MODEL_RANGES];
	u32 nr;
	u32 busy;		/* adds that were refused */
	unsigned long next;	/* an entry nobody has */
	struct rnd_state rnd;
};

static unsigned long page_addr(u32 page)
{
	return FAKE_BASE + (unsigned long)page * PAGE_SIZE;
}

static bool model_is(const struct model *m, u32 from, u32 n)
{
	while (n--)
		if (entry_at(page_addr(from + n)) != m->entry[from + n])
			return false;
	return true;
}

static void model_set(struct model *m, u32 from, u32 n, unsigned long entry)
{
	while (n--)
		m->entry[from++] = entry;
}

static bool model_add(struct model *m)
{
	u32 from = mpool_kunit_below(&m->rnd, MODEL_PAGES);
	u32 most = min_t(u32, MODEL_PAGES - from, 1300);
	u32 n = 1 + mpool_kunit_below(&m->rnd, most);
	int err, want = 0;
	u32 i;

	if (m->nr == MODEL_RANGES)
		return true;
	if (mpool_kunit_below(&m->rnd, 2))
		n = min_t(u32, n, 1 + mpool_kunit_below(&m->rnd, 16));
	for (i = 0; i < n; i++)
		if (m->entry[from + i])
			want = -EBUSY;
	m->next += 2;
	err = mpool_pagemap_add(page_addr(from), n, m->next, GFP_KERNEL);
	if (err != want)
		return false;
	if (err) {
		m->busy++;
	} else {
		model_set(m, from, n, m->next);
		m->range[m->nr++] = (struct span){ from, n };
	}
	return model_is(m, from, n);
}

/* A part of a range, or all of it. */
static struct span model_part(struct model *m, const struct span *r)
{
	struct span part = *r;

	if (mpool_kunit_below(&m->rnd, 2)) {
		part.from += mpool_kunit_below(&m->rnd, r->n);
		part.n = 1 + mpool_kunit_below(&m->rnd,
					       r->n - (part.from - r->from));
	}
	return part;
}

static bool model_del(struct model *m)
{
	struct span *r = &m->range[mpool_kunit_below(&m->rnd, m->nr)];
	struct span part = model_part(m, r);
	u32 end = r->from + r->n;
	u32 behind = end - (part.from + part.n);

	/* What is left in front and behind are ranges of their own. */
	if (behind && m->nr == MODEL_RANGES)
		return true;
	mpool_pagemap_del(page_addr(part.from), part.n);
	model_set(m, part.from, part.n, 0);
	r->n = part.from - r->from;
	if (behind)
		m->range[m->nr++] = (struct span){ end - behind, behind };
	if (!r->n)
		*r = m->range[--m->nr];
	return model_is(m, part.from, part.n);
}

static bool model_change(struct model *m)
{
	struct span *r = &m->range[mpool_kunit_below(&m->rnd, m->nr)];
	struct span part = model_part(m, r);

	m->next += 2;
	mpool_pagemap_set(page_addr(part.from), part.n, m->next);
	model_set(m, part.from, part.n, m->next);
	return model_is(m, r->from, r->n);
}

static bool model_look(struct model *m)
{
	u32 page = mpool_kunit_below(&m->rnd, MODEL_PAGES);
	unsigned long addr = page_addr(page);

	addr += mpool_kunit_below(&m->rnd, PAGE_SIZE);
	return entry_at(addr) == m->entry[page];
}

static bool model_step(struct model *m)
{
	u32 dice = mpool_kunit_below(&m->rnd, 100);

	if (dice < 30 || !m->nr)
		return model_add(m);
	if (dice < 50)
		return model_del(m);
	if (dice < 65)
		return model_change(m);
	return model_look(m);
}

static void random_against_model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 op;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->entry = kunit_kcalloc(test, MODEL_PAGES, sizeof(*m->entry),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->entry);
	mpool_kunit_random(test, &m->rnd);
	for (op = 0; op < MODEL_OPS; op++) {
		if (!model_step(m)) {
			KUNIT_FAIL(test, "operation %u differs", op);
			break;
		}
		if (op % 2000)
			continue;
		KUNIT_EXPECT_TRUE(test, model_is(m, 0, MODEL_PAGES));
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
		rcu_barrier();	/* entries that were freed, before there are many */
	}
	KUNIT_EXPECT_GT(test, m->busy, 1000);
	while (m->nr) {
		struct span *r = &m->range[--m->nr];

		mpool_pagemap_del(page_addr(r->from), r->n);
		model_set(m, r->from, r->n, 0);
	}
	KUNIT_EXPECT_TRUE(test, model_is(m, 0, MODEL_PAGES));
}

/* --- windows --- */

/* Two ranges in one window do not disturb each other, in any order of leaving. */
static void neighbours_share_a_window(struct kunit *test)
{
	unsigned long mid = FAKE_BASE + 100 * PAGE_SIZE;
	int first;

	for (first = 0; first < 2; first++) {
		KUNIT_ASSERT_EQ(test,
				mpool_pagemap_add(FAKE_BASE, 100, 2, GFP_KERNEL),
				0);
		KUNIT_ASSERT_EQ(test,
				mpool_pagemap_add(mid, 412, 4, GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, entry_at(mid - 1), 2);
		KUNIT_EXPECT_EQ(test, entry_at(mid), 4);
		KUNIT_EXPECT_EQ(test, entry_at(FAKE_BASE - 1), 0);
		KUNIT_EXPECT_EQ(test, entry_at(FAKE_BASE + WINDOW_BYTES - 1), 4);
		KUNIT_EXPECT_EQ(test, entry_at(FAKE_BASE + WINDOW_BYTES), 0);
		if (first)
			mpool_pagemap_del(FAKE_BASE, 100);
		else
			mpool_pagemap_del(mid, 412);
		KUNIT_EXPECT_EQ(test, entry_at(mid - 1), first ? 0 : 2);
		KUNIT_EXPECT_EQ(test, entry_at(mid), first ? 4 : 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
		if (first)
			mpool_pagemap_del(mid, 412);
		else
			mpool_pagemap_del(FAKE_BASE, 100);
		KUNIT_EXPECT_EQ(test, entry_at(mid), 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	}
}

/* A range that meets another in its last window leaves nothing in the others. */
static void overlap_enters_nothing(struct kunit *test)
{
	unsigned long taken = FAKE_BASE + 3 * WINDOW_BYTES + 7 * PAGE_SIZE;
	unsigned long base = FAKE_BASE + 5 * PAGE_SIZE;
	unsigned long pages = (taken - base) / PAGE_SIZE;
	unsigned long bytes, addr;
	u32 i;

	KUNIT_ASSERT_EQ(test, mpool_pagemap_add(taken, 1, 6, GFP_KERNEL), 0);
	bytes = mpool_pagemap_bytes();
	for (i = 1; i < 4; i++)
		KUNIT_EXPECT_EQ(test,
				mpool_pagemap_add(base, pages + i, 8, GFP_KERNEL),
				-EBUSY);
	/* As the first page, and inside another. */
	KUNIT_EXPECT_EQ(test, mpool_pagemap_add(taken, 1000, 8, GFP_KERNEL),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_add(taken, 1, 8, GFP_KERNEL),
			-EBUSY);
	for (addr = FAKE_BASE; addr < taken + 1100 * PAGE_SIZE;
	     addr += PAGE_SIZE)
		KUNIT_ASSERT_EQ(test, entry_at(addr), addr == taken ? 6 : 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	/* The table may have grown, by windows that came and went. */
	KUNIT_EXPECT_LT(test, mpool_pagemap_bytes(), bytes + PAGE_SIZE);
	/* Up to it there is room. */
	KUNIT_EXPECT_EQ(test, mpool_pagemap_add(base, pages, 8, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, entry_at(taken - 1), 8);
	KUNIT_EXPECT_EQ(test, entry_at(taken), 6);
	mpool_pagemap_del(base, pages);
	mpool_pagemap_del(taken, 1);
	KUNIT_EXPECT_EQ(test, entry_at(taken), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* Both ends of the address space, where numbers might wrap. */
static void ends_of_the_address_space(struct kunit *test)
{
	unsigned long last = 0 - PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, entry_at(0), 0);
	KUNIT_EXPECT_EQ(test, entry_at(~0UL), 0);
	KUNIT_ASSERT_EQ(test, mpool_pagemap_add(0, 1, 2, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, mpool_pagemap_add(last, 1, 4, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, entry_at(PAGE_SIZE - 1), 2);
	KUNIT_EXPECT_EQ(test, entry_at(PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, entry_at(~0UL), 4);
	KUNIT_EXPECT_EQ(test, entry_at(last - 1), 0);
	mpool_pagemap_del(0, 1);
	mpool_pagemap_del(last, 1);
	KUNIT_EXPECT_EQ(test, entry_at(0), 0);
	KUNIT_EXPECT_EQ(test, entry_at(~0UL), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* --- the table --- */

#define MANY	1500

static unsigned long many_addr(u32 i)
{
	return FAKE_BASE + i * WINDOW_BYTES + i % MPOOL_WINDOW_PAGES * PAGE_SIZE;
}

static u32 many_add(u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (mpool_pagemap_add(many_addr(i), 1, 2 * i + 2, GFP_KERNEL))
			break;
	return i;
}

static void many_del(u32 n)
{
	while (n--)
		mpool_pagemap_del(many_addr(n), 1);
}

static u32 many_found(u32 n)
{
	u32 i, found = 0;

	for (i = 0; i < n; i++)
		found += entry_at(many_addr(i)) == 2 * i + 2;
	return found;
}

/* The table grows with the windows, and what was in it stays to be found. */
static void table_grows(struct kunit *test)
{
	unsigned long before = mpool_pagemap_bytes();
	int round;

	for (round = 0; round < 3; round++) {
		u32 n = many_add(MANY);

		KUNIT_EXPECT_EQ(test, n, MANY);
		KUNIT_EXPECT_EQ(test, many_found(n), n);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
		KUNIT_EXPECT_GE(test, mpool_pagemap_bytes(),
				before + MANY * PAGE_SIZE);
		many_del(n);
		KUNIT_EXPECT_EQ(test, many_found(n), 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
		KUNIT_EXPECT_LT(test, mpool_pagemap_bytes(),
				before + MANY * PAGE_SIZE);
	}
	rcu_barrier();
}

/* A table full of windows that came and went must not grow for ever. */
static void passing_windows_do_not_fill_it(struct kunit *test)
{
	unsigned long before = mpool_pagemap_bytes();
	u32 i;

	for (i = 0; i < 20000; i++) {
		unsigned long addr = FAKE_BASE + i * WINDOW_BYTES;

		KUNIT_ASSERT_EQ(test, mpool_pagemap_add(addr, 1, 2, GFP_KERNEL),
				0);
		mpool_pagemap_del(addr, 1);
		if (!(i % 1000))
			rcu_barrier();
	}
	rcu_barrier();
	KUNIT_EXPECT_LE(test, mpool_pagemap_bytes(), before);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* Any value may be looked up. */
static void million_random_values(struct kunit *test)
{
	struct rnd_state rnd;
	u32 i, hits = 0;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < 1000000; i++) {
		u64 value = (u64)prandom_u32_state(&rnd) << 32 |
			    prandom_u32_state(&rnd);

		hits += !!entry_at(value);
	}
	KUNIT_EXPECT_EQ(test, hits, 0);
}

/* --- readers and the table's replacement --- */

#define READERS	2
#define FIXED	64

struct reader {
	struct task_struct *task;
	unsigned long looked;
	unsigned long wrong;
};

/* Entries that stay: where no other case has any. */
static unsigned long fixed_addr(u32 i)
{
	return FAKE_BASE * 2 + i * WINDOW_BYTES * 3;
}

static int reader_fn(void *arg)
{
	struct reader *r = arg;
	u32 i;

	while (!kthread_should_stop()) {
		for (i = 0; i < FIXED; i++) {
			unsigned long entry = entry_at(fixed_addr(i));

			r->wrong += entry != 2 * i + 2;
			r->wrong += !!entry_at(fixed_addr(i) + PAGE_SIZE);
			r->wrong += !!entry_at(fixed_addr(i) + WINDOW_BYTES);
			/* One that comes and goes is there, or not. */
			entry = entry_at(many_addr(i * 8));
			r->wrong += entry && entry != 16 * i + 2;
		}
		WRITE_ONCE(r->looked, r->looked + FIXED);
		cond_resched();
	}
	return 0;
}

static void readers_while_it_is_replaced(struct kunit *test)
{
	struct reader readers[READERS] = { };
	u32 i, n, round;

	for (n = 0; n < FIXED; n++)
		if (mpool_pagemap_add(fixed_addr(n), 1, 2 * n + 2, GFP_KERNEL))
			break;
	KUNIT_EXPECT_EQ(test, n, FIXED);
	for (i = 0; i < READERS; i++)
		readers[i].task = kthread_run(reader_fn, &readers[i],
					      "pagemap_reader");
	for (round = 0; round < 30; round++) {
		u32 added = many_add(600);

		KUNIT_EXPECT_EQ(test, added, 600);
		many_del(added);
		cond_resched();
	}
	for (i = 0; i < READERS; i++) {
		if (IS_ERR(readers[i].task)) {
			KUNIT_FAIL(test, "no reader");
			continue;
		}
		while (READ_ONCE(readers[i].looked) < 10 * FIXED)
			schedule_timeout_uninterruptible(1);
		kthread_stop(readers[i].task);
		KUNIT_EXPECT_EQ(test, readers[i].wrong, 0);
	}
	while (n--)
		mpool_pagemap_del(fixed_addr(n), 1);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	rcu_barrier();
}

/* --- no memory --- */

/* One that fails half way has entered nothing. */
static void failed_allocation(struct kunit *test)
{
	unsigned int n, failed = 0;
	bool done = false;
	u32 page;
	int err;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (n = 1; !done && n < 100; n++) {
		mpool_kunit_fail_nth(n);
		err = mpool_pagemap_add(FAKE_BASE + PAGE_SIZE, 2000, 2,
					GFP_KERNEL | __GFP_NOWARN);
		done = !mpool_kunit_fail_end();
		KUNIT_EXPECT_EQ(test, err, done ? 0 : -ENOMEM);
		failed += err == -ENOMEM;
		for (page = 0; page < 2002; page++)
			KUNIT_ASSERT_EQ(test, entry_at(page_addr(page)),
					!err && page && page <= 2000 ? 2 : 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
		if (!err)
			mpool_pagemap_del(FAKE_BASE + PAGE_SIZE, 2000);
		rcu_barrier();
	}
	KUNIT_EXPECT_TRUE(test, done);
	/* 2000 pages from the second on lie in four windows. */
	KUNIT_EXPECT_GE(test, failed, 4);
}

/* The same while the table has to be replaced, as windows come and go. */
static void failed_replacement(struct kunit *test)
{
	unsigned int i, failed = 0;
	unsigned long addr;
	int err;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (i = 0; i < 20000; i++) {
		addr = FAKE_BASE * 3 + i * WINDOW_BYTES;
		/* The second allocation of an add, if there is one. */
		mpool_kunit_fail_nth(2);
		err = mpool_pagemap_add(addr, 1, 2, GFP_KERNEL | __GFP_NOWARN);
		mpool_kunit_fail_end();
		if (err) {
			failed++;
			KUNIT_ASSERT_EQ(test, err, -ENOMEM);
			KUNIT_ASSERT_EQ(test, entry_at(addr), 0);
			err = mpool_pagemap_add(addr, 1, 2, GFP_KERNEL);
		}
		KUNIT_ASSERT_EQ(test, err, 0);
		KUNIT_ASSERT_EQ(test, entry_at(addr), 2);
		mpool_pagemap_del(addr, 1);
		if (!(i % 1000))
			rcu_barrier();
	}
	/* A table that is longer than a page comes from vmalloc() then. */
	KUNIT_EXPECT_GT(test, failed, 100);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	rcu_barrier();
}

#define LINEAR_PAGES	200

/* Pages of the page allocator: found without the table, and so are their likes. */
static void pages_of_the_linear_map(struct kunit *test)
{
	unsigned long *page = kunit_kcalloc(test, LINEAR_PAGES, sizeof(*page),
					    GFP_KERNEL);
	unsigned int i, bad = 0;
	unsigned long bytes;

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* Those of earlier tests. */
	for (i = 0; i < 100; i++)
		mpool_pagemap_trim();
	bytes = mpool_pagemap_bytes();
	for (i = 0; i < LINEAR_PAGES; i++) {
		page[i] = __get_free_page(GFP_KERNEL);
		if (!page[i] || mpool_pagemap_add(page[i], 1, 2 * i + 2,
						  GFP_KERNEL))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, LINEAR_PAGES);
	while (i--) {
		bad += (page[i] >> MPOOL_LEAF_SHIFT) - mpool_linear.first >=
			mpool_linear.nr;
		bad += mpool_pagemap_near(page[i] + 7) != 2 * i + 2;
		bad += entry_at(page[i] + PAGE_SIZE - 1) != 2 * i + 2;
		mpool_pagemap_del(page[i], 1);
		bad += mpool_pagemap_near(page[i]) != MPOOL_PAGE_NONE;
		bad += entry_at(page[i]) != 0;
		free_page(page[i]);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	/* Not in it: user space, the other end, and what is behind the array. */
	KUNIT_EXPECT_EQ(test, mpool_pagemap_near(0), MPOOL_PAGE_NONE);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_near(~0ul), MPOOL_PAGE_NONE);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_near((mpool_linear.first +
			mpool_linear.nr) << MPOOL_LEAF_SHIFT),
			MPOOL_PAGE_NONE);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_near((mpool_linear.first <<
			MPOOL_LEAF_SHIFT) - 1), MPOOL_PAGE_NONE);
	/* Leaves without a page go, as the hand of the trim comes by. */
	KUNIT_EXPECT_GT(test, mpool_pagemap_bytes(), bytes);
	for (i = 0; i < 1000 && mpool_pagemap_bytes() > bytes; i++)
		mpool_pagemap_trim();
	KUNIT_EXPECT_LE(test, mpool_pagemap_bytes(), bytes);
}

static void pagemap_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case pagemap_cases[] = {
	KUNIT_CASE(random_against_model),
	KUNIT_CASE(neighbours_share_a_window),
	KUNIT_CASE(overlap_enters_nothing),
	KUNIT_CASE(ends_of_the_address_space),
	KUNIT_CASE(table_grows),
	KUNIT_CASE(passing_windows_do_not_fill_it),
	KUNIT_CASE(million_random_values),
	KUNIT_CASE(readers_while_it_is_replaced),
	KUNIT_CASE(failed_allocation),
	KUNIT_CASE(failed_replacement),
	KUNIT_CASE(pages_of_the_linear_map),
	{ }
};

static struct kunit_suite pagemap_suite = {
	.name = "mpool_pagemap",
	.exit = pagemap_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = pagemap_cases,
};

kunit_test_suite(pagemap_suite);
