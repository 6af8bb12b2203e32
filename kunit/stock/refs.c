// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to pages of runs and objects, on kernels as distributed: those of others, as
 * a network buffer has, and those of mpool's that functions of the kernel drop.  And a
 * look at a run by a probe, in the midst of a change of its length.
 *
 * kfree() and the like, which warn, are not called here: what they do to the count of a
 * page, put_page() does.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/string.h>

#include "stock.h"

#define STRAYS		100
#define OBJECTS		200
#define TAKEN		300

static const unsigned int lengths[] = { 1, 5, 33, 70 };

/* --- dropped --- */

static void drop_runs(struct stock *t, struct mpool_large *pool)
{
	unsigned int i, n;
	struct page *page;
	int count;
	char *p;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		p = mpool_large_alloc(pool, lengths[i] * PAGE_SIZE, NULL,
				      GFP_KERNEL);
		if (!CHECK(t, p))
			return;
		memset(p, i, lengths[i] * PAGE_SIZE);
		page = virt_to_page(p + lengths[i] / 2 * PAGE_SIZE);
		count = page_count(page);
		for (n = 0; n < STRAYS; n++)
			put_page(page);
		free_page((unsigned long)page_address(page));
		page_frag_free(page_address(page));
		CHECK(t, page_count(page) == count - STRAYS - 2);
		CHECK(t, mpool_large_owns(pool, p));
		CHECK(t, !memchr_inv(p, i, lengths[i] * PAGE_SIZE));
		mpool_large_free(pool, p);
		/* Waits for the work item, but there is a spare. */
		p = mpool_large_alloc(pool, PAGE_SIZE, NULL, GFP_KERNEL);
		mpool_large_trim(pool);
		mpool_large_free(pool, p);
	}
}

static void drop_objects(struct stock *t)
{
	struct mpool_fixed *fixed = mpool_fixed_create("stock-refs", 64, NULL);
	void *obj[OBJECTS];
	unsigned int i;

	if (!CHECK(t, !IS_ERR(fixed)))
		return;
	for (i = 0; i < OBJECTS; i++) {
		obj[i] = mpool_fixed_alloc(fixed, GFP_KERNEL);
		if (CHECK(t, obj[i]))
			memset(obj[i], i, 64);
	}
	/* A page of objects, each freed as if the page were its. */
	for (i = 0; i < OBJECTS; i++)
		if (obj[i])
			put_page(virt_to_page(obj[i]));
	for (i = 0; i < OBJECTS; i++) {
		CHECK(t, !obj[i] || !memchr_inv(obj[i], i, 64));
		mpool_fixed_free(fixed, obj[i]);
	}
	CHECK(t, !mpool_fixed_live(fixed));
	CHECK(t, !mpool_fixed_destroy(fixed));
}

/* --- held --- */

/* As a part of a network buffer, where there is a network. */
#ifdef CONFIG_NET
static void *hold(struct page *page)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);

	if (!skb)
		return NULL;
	get_page(page);
	skb_fill_page_desc(skb, 0, page, 0, PAGE_SIZE);
	return skb;
}

static void unhold(void *holder)
{
	kfree_skb(holder);
}
#else
static void *hold(struct page *page)
{
	get_page(page);
	return page;
}

static void unhold(void *holder)
{
	put_page(holder);
}
#endif

/* Takes all there is: the page of somebody else must not be among it. */
static void nobody_gets(struct stock *t, struct mpool_large *pool,
			struct page *page)
{
	void *p;
	int i;

	for (i = 0; i < TAKEN; i++) {
		p = mpool_large_alloc(pool, PAGE_SIZE, NULL, GFP_KERNEL);
		CHECK(t, p != page_address(page));
		if (p)
			memset(p, 0, PAGE_SIZE);
	}
	mpool_large_clear(pool);
}

static void hold_runs(struct stock *t, struct mpool_large *pool)
{
	struct page *page;
	unsigned int i;
	void *holder;
	char *p;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		p = mpool_large_alloc(pool, lengths[i] * PAGE_SIZE, NULL,
				      GFP_KERNEL);
		if (!CHECK(t, p))
			return;
		memset(p, 0x5a, lengths[i] * PAGE_SIZE);
		page = virt_to_page(p + lengths[i] / 2 * PAGE_SIZE);
		holder = hold(page);
		mpool_large_free(pool, p);
		nobody_gets(t, pool, page);
		mpool_large_trim(pool);
		if (!CHECK(t, holder))
			continue;
		/* The holder's reference is the only one now. */
		CHECK(t, page_count(page) == 1);
		CHECK(t, !memchr_inv(page_address(page), 0x5a, PAGE_SIZE));
		CHECK(t, !mpool_owns(page_address(page)));
		unhold(holder);
	}
}

void stock_refs(struct stock *t)
{
	struct mpool_large *pool = mpool_large_create("stock-refs-runs", NULL);

	if (!CHECK(t, !IS_ERR(pool)))
		return;
	drop_runs(t, pool);
	drop_objects(t);
	hold_runs(t, pool);
	CHECK(t, !mpool_large_destroy(pool));
}

/* --- in the midst of a resize --- */

#ifdef CONFIG_KPROBES
static struct {
	struct mpool_large *pool;
	void *p;
	unsigned int hits;
	unsigned int missed;
} probed;

static int probe_fn(struct kprobe *probe, struct pt_regs *regs)
{
	struct mpool_whatis what;

	probed.hits++;
	probed.missed += !mpool_large_owns(probed.pool, probed.p) ||
			 !mpool_whatis(probed.p, &what) ||
			 !mpool_usable_size(probed.p);
	return 0;
}
NOKPROBE_SYMBOL(probe_fn);

void stock_resize(struct stock *t)
{
	struct kprobe probe = {
		.symbol_name = "mpool_runs_shrink",
		.pre_handler = probe_fn,
	};
	struct mpool_large *pool = mpool_large_create("stock-resize", NULL);
	void *p;

	if (!CHECK(t, !IS_ERR(pool)))
		return;
	p = mpool_large_alloc(pool, 8 * PAGE_SIZE, NULL, GFP_KERNEL);
	probed.pool = pool;
	probed.p = p;
	if (CHECK(t, p) && CHECK(t, !register_kprobe(&probe))) {
		CHECK(t, mpool_large_realloc(pool, p, 3 * PAGE_SIZE, NULL,
					     GFP_KERNEL) == p);
		unregister_kprobe(&probe);
		CHECK(t, probed.hits);
		CHECK(t, !probed.missed);
	}
	mpool_large_free(pool, p);
	CHECK(t, !mpool_large_destroy(pool));
}
#else
void stock_resize(struct stock *t)
{
	t->skip = "the kernel has no CONFIG_KPROBES";
}
#endif
