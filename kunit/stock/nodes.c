// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA nodes: whose memory a run is of, by who asks, by what there is, and by what
 * may be had.  Needs a machine with two nodes, each with CPUs and memory.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include "stock.h"

#define ROUNDS		300
#define HELD		40
#define LONG_PAGES	70		/* has an arena of its own */

struct nodes {
	struct mpool_large *pool;
	unsigned int cpu[2];		/* one of each node */
	int nid[2];
};

static int nid_of(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

/* What is asked for on a CPU, and what comes. */
struct ask {
	struct mpool_large *pool;
	size_t pages;
	gfp_t gfp;
	void *p;
};

static long ask_fn(void *arg)
{
	struct ask *ask = arg;

	ask->p = mpool_large_alloc(ask->pool, ask->pages * PAGE_SIZE, NULL,
				   ask->gfp);
	return 0;
}

static void *take_on(struct nodes *n, int side, size_t pages, gfp_t gfp)
{
	struct ask ask = { .pool = n->pool, .pages = pages, .gfp = gfp };

	work_on_cpu(n->cpu[side], ask_fn, &ask);
	return ask.p;
}

static void ask_nmi(struct stock *t, void *arg)
{
	CHECK(t, in_nmi());
	ask_fn(arg);
}

static void *take_in_nmi(struct stock *t, struct nodes *n, int side,
			 size_t pages, gfp_t gfp)
{
	struct ask ask = {
		.pool = n->pool, .pages = pages,
		.gfp = gfp | GFP_ATOMIC | __GFP_NOWARN,
	};

	CHECK(t, place_nmi_on(t, n->cpu[side], ask_nmi, &ask));
	return ask.p;
}

/* Of the node that asks, whatever was cached or freed on the other before. */
static void runs_are_near(struct stock *t, struct nodes *n)
{
	static const u8 lens[] = { 1, 5, 5, 17, 32, 33, 64, 100 };
	struct {
		void *p;
		int side;
	} held[HELD] = { };
	unsigned int i, round;

	for (round = 0; round < ROUNDS; round++) {
		i = round * 7 % HELD;
		mpool_large_free(n->pool, held[i].p);
		held[i].side = round / 3 % 2;
		held[i].p = take_on(n, held[i].side,
				    lens[round % ARRAY_SIZE(lens)],
				    round % 5 ? GFP_KERNEL :
						GFP_KERNEL | __GFP_THISNODE);
		if (CHECK(t, held[i].p))
			CHECK(t, nid_of(held[i].p) == n->nid[held[i].side]);
	}
	for (i = 0; i < HELD; i++)
		mpool_large_free(n->pool, held[i].p);
	mpool_large_trim(n->pool);
}

/* Where the pool cannot grow, the other node serves, unless it must not. */
static void far_runs_serve(struct stock *t, struct nodes *n, int side)
{
	void *pin = take_on(n, !side, 1, GFP_KERNEL);
	void *far = take_on(n, !side, 5, GFP_KERNEL);
	void *p;

	CHECK(t, pin && far);
	mpool_large_free(n->pool, far);
	CHECK(t, !take_in_nmi(t, n, side, 5, __GFP_THISNODE));
	p = take_in_nmi(t, n, side, 5, 0);
	if (CHECK(t, p))
		CHECK(t, nid_of(p) == n->nid[!side]);
	mpool_large_free(n->pool, p);
	/* Cached there, it is still of the other node. */
	CHECK(t, !take_in_nmi(t, n, side, 5, __GFP_THISNODE));
	CHECK(t, take_in_nmi(t, n, !side, 5, __GFP_THISNODE) == p);
	mpool_large_free(n->pool, p);
	p = take_on(n, side, 5, GFP_KERNEL);
	if (CHECK(t, p))
		CHECK(t, nid_of(p) == n->nid[side]);
	mpool_large_free(n->pool, p);
	mpool_large_free(n->pool, pin);
	mpool_large_trim(n->pool);
}

/* Of long spares, one is kept for each node.  It goes when asked. */
static void one_spare_a_node(struct stock *t, struct nodes *n)
{
	void *p[6];
	int i;

	for (i = 0; i < 6; i++)
		p[i] = take_on(n, i % 2, LONG_PAGES, GFP_KERNEL);
	for (i = 0; i < 6; i++)
		mpool_large_free(n->pool, p[i]);
	CHECK(t, mpool_large_trim(n->pool) == 2 * LONG_PAGES);
	/* And on each node a cached run. */
	for (i = 0; i < 6; i++)
		p[i] = take_on(n, i % 2, 20, GFP_KERNEL);
	for (i = 0; i < 6; i++)
		mpool_large_free(n->pool, p[i]);
	CHECK(t, mpool_large_trim(n->pool) == 2 * 2 * 20);
}

/* All memory of a node that can be had without anybody else's. */
struct hoard {
	struct list_head pages;
	int nid;
};

static long exhaust(void *arg)
{
	gfp_t gfp = (GFP_KERNEL & ~__GFP_RECLAIM) | __GFP_THISNODE |
		    __GFP_NORETRY | __GFP_NOWARN;
	struct hoard *hoard = arg;
	struct page *page;
	int order;

	for (order = 9; order >= 0; order--) {
		while ((page = alloc_pages_node(hoard->nid, gfp, order))) {
			set_page_private(page, order);
			list_add(&page->lru, &hoard->pages);
		}
	}
	return 0;
}

static void give_back(struct list_head *pages)
{
	struct page *page, *next;
	unsigned int order;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		order = page_private(page);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/*
 * What a node without memory is served: a run that is free and far, not another
 * arena; nothing, if it must be near; and beyond what the pool has, more of the other
 * node.  False if memory came back meanwhile, as others' may.
 */
static bool served_from_far(struct stock *t, struct nodes *n, int side)
{
	void *has = take_on(n, !side, 63, GFP_KERNEL), *p, *near, *more;
	bool far;

	CHECK(t, has);
	mpool_large_free(n->pool, has);
	p = take_on(n, side, 63, GFP_KERNEL);
	far = p == has;
	CHECK(t, p && (far || nid_of(p) == n->nid[side]));
	near = take_on(n, side, 63, GFP_NOWAIT | __GFP_NOWARN | __GFP_THISNODE);
	CHECK(t, !near || nid_of(near) == n->nid[side]);
	more = take_on(n, side, 64, GFP_KERNEL);
	CHECK(t, more);
	far = far && !near && more && nid_of(more) == n->nid[!side];
	mpool_large_free(n->pool, p);
	mpool_large_free(n->pool, near);
	mpool_large_free(n->pool, more);
	mpool_large_trim(n->pool);
	return far;
}

static void node_without_memory(struct stock *t, struct nodes *n, int side)
{
	struct hoard hoard = { .nid = n->nid[side] };
	int tries = 50;
	void *p;

	INIT_LIST_HEAD(&hoard.pages);
	do {
		work_on_cpu(n->cpu[side], exhaust, &hoard);
	} while (!served_from_far(t, n, side) && --tries);
	CHECK(t, tries);
	give_back(&hoard.pages);
	p = take_on(n, side, 63, GFP_KERNEL);
	if (CHECK(t, p))
		CHECK(t, nid_of(p) == n->nid[side]);
	mpool_large_free(n->pool, p);
	mpool_large_trim(n->pool);
}

/* A run that has to lie somewhere is found on either node, whoever asks. */
static void placed_runs(struct stock *t, struct nodes *n, int side)
{
	void *p = take_on(n, side, 4, GFP_KERNEL), *q;
	struct mpool_place place = { };

	if (!CHECK(t, p))
		return;
	/* Where a run of this length was freed. */
	place.min = virt_to_phys(p);
	place.max = place.min + 4 * PAGE_SIZE - 1;
	mpool_large_free(n->pool, p);
	q = mpool_large_alloc_placed(n->pool, 4 * PAGE_SIZE, &place, NULL,
				     GFP_KERNEL);
	CHECK(t, q == p);
	mpool_large_free(n->pool, q);
	mpool_large_trim(n->pool);
}

/* One CPU of each of two nodes; false if there are not two. */
static bool nodes_find(struct stock *t, struct nodes *n)
{
	unsigned int cpu;

	n->cpu[0] = cpumask_first(cpu_online_mask);
	n->nid[0] = cpu_to_mem(n->cpu[0]);
	for_each_online_cpu(cpu) {
		n->nid[1] = cpu_to_mem(cpu);
		n->cpu[1] = cpu;
		if (n->nid[1] != n->nid[0])
			return true;
	}
	t->skip = "one node";
	return false;
}

void stock_nodes(struct stock *t)
{
	struct nodes n = { };

	if (!nodes_find(t, &n))
		return;
	n.pool = mpool_large_create("stock-nodes", NULL);
	if (!CHECK(t, !IS_ERR(n.pool)))
		return;
	runs_are_near(t, &n);
	far_runs_serve(t, &n, 0);
	far_runs_serve(t, &n, 1);
	one_spare_a_node(t, &n);
	node_without_memory(t, &n, 1);
	placed_runs(t, &n, 0);
	placed_runs(t, &n, 1);
	CHECK(t, !mpool_large_destroy(n.pool));
}

/* --- a pool that was made for a node --- */

struct objects {
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct mpool_string *string;
	int nid;
	unsigned int none, far, n;
};

static void count_far(struct objects *o, const void *p)
{
	o->n++;
	o->none += !p;
	o->far += p && nid_of(p) != o->nid;
}

static long objects_fn(void *arg)
{
	struct objects *o = arg;
	char text[24];
	int i;

	for (i = 0; i < 500; i++) {
		count_far(o, mpool_fixed_alloc(o->fixed, GFP_KERNEL));
		count_far(o, mpool_small_alloc(o->small, 1 + i * 37, GFP_KERNEL));
		snprintf(text, sizeof(text), "a text of a node %d", i);
		count_far(o, mpool_string_get(o->string, text, GFP_KERNEL));
	}
	return 0;
}

/* Objects of pools over it, asked for on a CPU of the other node. */
static void objects_of_a_node(struct stock *t, struct nodes *n, int side)
{
	struct mpool_string_args string = { .large = n->pool };
	struct mpool_fixed_args fixed = { .large = n->pool };
	struct mpool_small_args small = { .large = n->pool };
	struct objects o = {
		.fixed = mpool_fixed_create("stock-node-f", 200, &fixed),
		.small = mpool_small_create("stock-node-s", &small),
		.string = mpool_string_create("stock-node-t", &string),
		.nid = n->nid[side],
	};

	if (CHECK(t, !IS_ERR(o.fixed) && !IS_ERR(o.small) && !IS_ERR(o.string))) {
		work_on_cpu(n->cpu[!side], objects_fn, &o);
		CHECK(t, o.n == 1500);
		CHECK(t, !o.none);
		CHECK(t, !o.far);
		mpool_fixed_clear(o.fixed);
		mpool_small_clear(o.small);
		mpool_string_clear(o.string);
	}
	CHECK(t, !mpool_fixed_destroy(o.fixed));
	CHECK(t, !mpool_small_destroy(o.small));
	CHECK(t, !mpool_string_destroy(o.string));
}

/* Runs of the node, whoever asks, wherever, and whoever gave the last one back. */
static void runs_of_a_node(struct stock *t, struct nodes *n, int side)
{
	static const u8 lens[] = { 1, 5, 5, 17, 32, 33, 64, 100 };
	void *p[ARRAY_SIZE(lens) * 2], *q;
	unsigned int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = take_on(n, i % 4 ? !side : side, lens[i / 2], GFP_KERNEL);
			if (CHECK(t, p[i]))
				CHECK(t, nid_of(p[i]) == n->nid[side]);
		}
		for (i = 0; i < ARRAY_SIZE(p); i++)
			mpool_large_free(n->pool, p[i]);
		q = take_in_nmi(t, n, !side, 5, __GFP_THISNODE);
		if (CHECK(t, q))
			CHECK(t, nid_of(q) == n->nid[side]);
		mpool_large_free(n->pool, q);
		if (round % 4 == 3)
			mpool_large_trim(n->pool);
	}
}

void stock_node_pools(struct stock *t)
{
	struct mpool_large_args args = { .flags = MPOOL_LARGE_NODE };
	struct nodes n = { };
	int side;

	if (!nodes_find(t, &n))
		return;
	for (side = 0; side < 2; side++) {
		args.node = n.nid[side];
		n.pool = mpool_large_create("stock-node-pool", &args);
		if (!CHECK(t, !IS_ERR(n.pool)))
			return;
		runs_of_a_node(t, &n, side);
		objects_of_a_node(t, &n, side);
		CHECK(t, !mpool_large_destroy(n.pool));
	}
}
