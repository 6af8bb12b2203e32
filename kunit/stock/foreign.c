// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the kernel that free, called for what is mpool's: for every object of
 * pages of objects, and for runs.  The memory stays where it is, what was dropped is
 * counted, and mpool goes on.
 *
 * The kernel complains of most of them.  A case by itself, for kunit/foreign.sh, which
 * looks at these complaints and at what mpool says.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>	/* page_frag_free() */
#include <linux/slab.h>
#include <linux/string.h>

#include "large.h"
#include "stock.h"
#include "versions.h"

#define OBJS	300u	/* more than are in four pages */
#define SIZE	64u
#define PAGES	3u

struct thing {
	char head[16];
	struct rcu_head rcu;
	char rest[SIZE - 16 - sizeof(struct rcu_head)];
};

static_assert(sizeof(struct thing) == SIZE);

static struct kmem_cache *other_cache;

static void do_kfree(struct thing *p)
{
	kfree(p);
}

static void do_kvfree(struct thing *p)
{
	kvfree(p);
}

static void do_kfree_sensitive(struct thing *p)
{
	kfree_sensitive(p);
}

static void do_krealloc(struct thing *p)
{
	void *q = krealloc(p, 2 * PAGE_SIZE, GFP_KERNEL);

	if (q != p)
		kfree(q);
}

static void do_kfree_rcu(struct thing *p)
{
	kfree_rcu(p, rcu);
}

static void do_put_page(struct thing *p)
{
	put_page(virt_to_page(p));
}

static void do_free_page(struct thing *p)
{
	free_page((unsigned long)p & PAGE_MASK);
}

static void do_page_frag_free(struct thing *p)
{
	page_frag_free(p);
}

static void do_cache_free(struct thing *p)
{
	/* Where the kernel does not look whose an object is, it breaks. */
	if (IS_ENABLED(CONFIG_SLAB_FREELIST_HARDENED))
		kmem_cache_free(other_cache, p);
}

static const struct foreign {
	const char *name;
	void (*fn)(struct thing *p);
	bool drops;		/* a reference, each time */
	bool spoils;		/* writes to the object, or takes it for a page */
} foreign_fns[] = {
	{ "kfree", do_kfree, MPOOL_TEST_KFREE_DROPS },
	{ "kvfree", do_kvfree, MPOOL_TEST_KFREE_DROPS },
	{ "kfree-sensitive", do_kfree_sensitive, MPOOL_TEST_KFREE_DROPS, !MPOOL_TEST_KFREE_DROPS },
	{ "krealloc", do_krealloc, MPOOL_TEST_KFREE_DROPS, !MPOOL_TEST_KFREE_DROPS },
	{ "kfree-rcu", do_kfree_rcu, MPOOL_TEST_KFREE_DROPS },
	{ "put-page", do_put_page, true },
	{ "free-page", do_free_page, true },
	{ "page-frag-free", do_page_frag_free, true },
	{ "kmem-cache-free", do_cache_free, false },
};

static long nr_dropped(struct mpool_large *large)
{
	return atomic_long_read(&large->refs.dropped);
}

/* kfree_rcu() takes its time, and says so on newer kernels only. */
static void wait_for_rcu(struct stock *t, struct thing **objs, unsigned int n, int times,
			 bool drops)
{
	unsigned int i, tries = 3000, left;

	mpool_test_kfree_rcu_wait();
	do {
		left = 0;
		for (i = 0; i < n && drops; i++)
			left += page_count(virt_to_page(objs[i])) > MPOOL_PAGE_REFS - times;
		if (left)
			msleep(20);
	} while (left && --tries);
	CHECK(t, tries);
}

static bool thing_is(const struct thing *p, int tag)
{
	return !memchr_inv(p->head, tag, sizeof(p->head)) &&
	       !memchr_inv(p->rest, tag, sizeof(p->rest));
}

/* All is free: what was dropped is found out, and no page is missing. */
static void large_end(struct stock *t, struct mpool_large *large, long dropped)
{
	unsigned int tries = 500;

	mpool_large_trim(large);
	/* A work item counts. */
	while ((nr_dropped(large) < dropped || mpool_large_nr_pages(large)) && --tries) {
		msleep(20);
		mpool_large_trim(large);
	}
	CHECK(t, nr_dropped(large) == dropped);
	CHECK(t, !atomic_long_read(&large->refs.held));
	CHECK(t, !atomic_long_read(&large->refs.lost));
	CHECK(t, !mpool_large_nr_pages(large));
	CHECK(t, !mpool_large_destroy(large));
}

/* Every object of a pool, freed in a wrong way; then it serves as before. */
static void foreign_objects(struct stock *t, const struct foreign *f)
{
	static struct thing *objs[OBJS];
	struct mpool_fixed_args args = { };
	struct mpool_fixed *fixed;
	char name[MPOOL_NAME_LEN];
	unsigned int i, round;

	snprintf(name, sizeof(name), "foreign-%s", f->name);
	args.large = mpool_large_create(name, NULL);
	if (!CHECK(t, !IS_ERR(args.large)))
		return;
	snprintf(name, sizeof(name), "foreign-%s-f", f->name);
	fixed = mpool_fixed_create(name, SIZE, &args);
	if (!CHECK(t, !IS_ERR(fixed)))
		return;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < OBJS; i++) {
			objs[i] = mpool_fixed_alloc(fixed, GFP_KERNEL);
			if (!CHECK(t, objs[i]))
				return;
			memset(objs[i], i, SIZE);
		}
		for (i = 0; i < OBJS && !round; i++)
			f->fn(objs[i]);
		if (f->fn == do_kfree_rcu && !round)
			wait_for_rcu(t, objs, OBJS, 1, f->drops);
		CHECK(t, mpool_fixed_live(fixed) == OBJS);
		for (i = 0; i < OBJS; i++) {
			CHECK(t, mpool_fixed_owns(fixed, objs[i]));
			CHECK(t, thing_is(objs[i], i));
			mpool_fixed_free(fixed, objs[i]);
		}
		CHECK(t, !mpool_fixed_live(fixed));
	}
	CHECK(t, !mpool_fixed_destroy(fixed));
	large_end(t, args.large, f->drops ? OBJS : 0);
}

/* Each page of a run, several times.  The first page may be spoiled. */
static void foreign_runs(struct stock *t, const struct foreign *f)
{
	struct mpool_large *large;
	char name[MPOOL_NAME_LEN];
	struct thing *page[PAGES];
	unsigned int i, n, times = f->fn == do_kfree_rcu ? 1 : 20;
	char *p;

	snprintf(name, sizeof(name), "foreign-%s-run", f->name);
	large = mpool_large_create(name, NULL);
	if (!CHECK(t, !IS_ERR(large)))
		return;
	p = mpool_large_alloc(large, PAGES * PAGE_SIZE, NULL, GFP_KERNEL);
	if (!CHECK(t, p))
		return;
	memset(p, 0x37, PAGES * PAGE_SIZE);
	for (i = 0; i < PAGES; i++)
		page[i] = (struct thing *)(p + i * PAGE_SIZE);
	for (n = 0; n < times; n++)
		for (i = 0; i < PAGES; i++)
			f->fn(page[i]);
	if (f->fn == do_kfree_rcu)
		wait_for_rcu(t, page, PAGES, 1, f->drops);
	CHECK(t, mpool_large_owns(large, p));
	CHECK(t, mpool_usable_size(p) == PAGES * PAGE_SIZE);
	for (i = 0; i < PAGES && !f->spoils; i++)
		CHECK(t, thing_is(page[i], 0x37));
	mpool_large_free(large, p);
	large_end(t, large, f->drops ? PAGES * times : 0);
}

void stock_foreign(struct stock *t)
{
	unsigned int i;

	other_cache = kmem_cache_create("mpool-foreign", SIZE, 0, 0, NULL);
	if (!CHECK(t, other_cache))
		return;
	for (i = 0; i < ARRAY_SIZE(foreign_fns); i++) {
		t->now = foreign_fns[i].name;
		/* It would clear what follows a small object, too. */
		if (!foreign_fns[i].spoils)
			foreign_objects(t, &foreign_fns[i]);
		foreign_runs(t, &foreign_fns[i]);
	}
	kmem_cache_destroy(other_cache);
}
