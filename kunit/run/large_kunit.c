// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of large pools over system memory: the pool, not single runs.
 *
 * What a pool holds and gives back, what it says when it is destroyed, and how
 * it behaves without memory.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pools.h"
#include "shrink.h"
#include "site.h"

static unsigned int nr_pools(void)
{
	unsigned int n = list_count_nodes(mpool_registry_lock());

	mpool_registry_unlock();
	return n;
}

static struct mpool_large *new_pool(struct kunit *test, const char *name,
				    enum mpool_on_leak on_leak)
{
	struct mpool_large_args args = { .on_leak = on_leak };
	struct mpool_large *pool = mpool_large_create(name, &args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	return pool;
}

/* --- create and destroy --- */

static void wrong_arguments(struct kunit *test)
{
	static const char * const names[] = {
		NULL, "", "a/b", "/", "tab\t", "line\n", "\x7f", "\xc3\xa9",
		"123456789012345678901234567890123456789012345678",
		".", "..", "pools", "leaks", "whatis", "control", "dump",
		"stats",
	};
	static const struct mpool_large_args args[] = {
		{ .on_leak = 4 }, { .on_leak = -1 }, { .gfp = GFP_KERNEL },
		{ .gfp = __GFP_ZERO }, { .gfp = __GFP_HIGHMEM },
		{ .gfp = __GFP_NOFAIL }, { .gfp = __GFP_DMA | __GFP_COMP },
		{ .gfp = (__force gfp_t)~0u },
		{ .flags = ~MPOOL_LARGE_VIRT }, { .flags = 4 },
		{ .flags = MPOOL_LARGE_NODE, .node = -1 },
		{ .flags = MPOOL_LARGE_NODE, .node = INT_MAX },
		{ .flags = MPOOL_LARGE_NODE, .node = MAX_NUMNODES },
		{ .flags = MPOOL_LARGE_NODE | MPOOL_LARGE_VIRT },
		{ .flags = MPOOL_LARGE_VIRT, .gfp = GFP_DMA32 },
		{ .gfp = GFP_DMA | GFP_DMA32 },
		{ .gfp = GFP_DMA | GFP_DMA32 | __GFP_ACCOUNT },
	};
	unsigned int i, before = nr_pools();

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    PTR_ERR(mpool_large_create(names[i], NULL)),
				    -EINVAL, "name \"%s\"", names[i]);
	for (i = 0; i < ARRAY_SIZE(args); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    PTR_ERR(mpool_large_create("kunit-wrong",
							       &args[i])),
				    -EINVAL, "arguments %u", i);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-wrong"));
}

static void names(struct kunit *test)
{
	static const char longest[] =
		"a-name-of-47-characters,-as-long-as-it-may-be..";
	struct mpool_large *a, *b;
	unsigned int before = nr_pools();

	KUNIT_ASSERT_EQ(test, sizeof(longest), MPOOL_NAME_LEN);
	a = mpool_large_create(longest, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a));
	KUNIT_EXPECT_STREQ(test, a->base.name, longest);
	KUNIT_EXPECT_PTR_EQ(test, mpool_pool_find(longest), &a->base);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_large_create(longest, NULL)),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, nr_pools(), before + 1);
	b = mpool_large_create("another", NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(b));
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(a), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find(longest));
	/* Its name is free again. */
	a = mpool_large_create(longest, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(a));
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(a), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(b), 0);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
}

/* Leaves three runs behind, of 1, 3 and 70 pages. */
static void leak_three(struct kunit *test, struct mpool_large *pool, char **p)
{
	static const size_t pages[] = { 1, 3, 70 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		p[i] = mpool_large_alloc(pool, pages[i] * PAGE_SIZE - 5, NULL,
					 GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		mpool_kunit_fill(p[i], pages[i] * PAGE_SIZE, i);
	}
}

static void leaks_are_reclaimed(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-leaks",
					    MPOOL_ON_LEAK_RECLAIM);
	unsigned int i, before = nr_pools();
	char *p[3];

	leak_three(test, pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 3);
	KUNIT_EXPECT_EQ(test, nr_pools(), before - 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, word_at(p[i]), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* The pool stays, without its name, until the last run is freed. */
static void leaks_are_kept(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-leaks",
					    MPOOL_ON_LEAK_KEEP);
	unsigned int tries, before = nr_pools();
	char *p[3];

	leak_three(test, pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 3);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-leaks"));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p[0], PAGE_SIZE, 0));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p[1], 3 * PAGE_SIZE, 1));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p[2], 70 * PAGE_SIZE, 2));
	mpool_large_free(pool, p[2]);
	mpool_large_free(pool, p[0]);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p[1]));
	mpool_large_free(pool, p[1]);
	for (tries = 0; tries < 1000 && nr_pools() == before; tries++)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, nr_pools(), before - 1);
	KUNIT_EXPECT_FALSE(test, mpool_owns(p[1]));
}

/* A pool that others live on outlives them. */
static void pool_in_use_stays(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-base",
					    MPOOL_ON_LEAK_RECLAIM);
	struct mpool_fixed_args args = { .large = pool };
	struct mpool_fixed *fixed;
	void *obj, *run;

	fixed = mpool_fixed_create("kunit-guest", 100, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	obj = mpool_fixed_alloc(fixed, GFP_KERNEL);
	run = mpool_large_alloc(pool, 1, NULL, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, obj && run);
	KUNIT_EXPECT_GT(test, charged(pool), 1);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	KUNIT_EXPECT_PTR_EQ(test, mpool_pool_find("kunit-base"), &pool->base);
	/* Its own runs go, the chunks stay. */
	mpool_large_clear(pool);
	KUNIT_EXPECT_FALSE(test, mpool_large_owns(pool, run));
	KUNIT_EXPECT_GT(test, charged(pool), 0);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(fixed, obj));
	memset(obj, 0xa5, 100);
	/* A chunk is nobody's to free. */
	mpool_large_free(pool, (void *)((unsigned long)obj & PAGE_MASK));
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 1);
	mpool_fixed_free(fixed, obj);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-base"));
}

/* --- what a pool holds --- */

static void counts(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-counts", 0);
	struct mpool_count count;
	char *p[3];

	leak_three(test, pool, p);
	pool->base.ops->count(&pool->base, &count);
	KUNIT_EXPECT_EQ(test, count.live, 3);
	KUNIT_EXPECT_EQ(test, count.live_bytes, 74 * PAGE_SIZE - 15);
	KUNIT_EXPECT_EQ(test, count.allocs, 3);
	KUNIT_EXPECT_EQ(test, count.frees, 0);
	KUNIT_EXPECT_EQ(test, count.capacity, pool->runs.nr_pages);
	KUNIT_EXPECT_EQ(test, charged(pool), 74);
	mpool_large_free(pool, p[2]);
	/* Shrunk and grown; the peak is what it was. */
	KUNIT_EXPECT_PTR_EQ(test, p[1],
			    mpool_large_realloc(pool, p[1], 100, NULL,
						GFP_KERNEL));
	pool->base.ops->count(&pool->base, &count);
	KUNIT_EXPECT_EQ(test, count.live, 2);
	KUNIT_EXPECT_EQ(test, count.live_bytes, PAGE_SIZE - 5 + 100);
	KUNIT_EXPECT_EQ(test, charged(pool), 2);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->base.peak), 74);
	mpool_large_clear(pool);
	pool->base.ops->count(&pool->base, &count);
	KUNIT_EXPECT_EQ(test, count.live, 0);
	KUNIT_EXPECT_EQ(test, count.live_bytes, 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

struct seen {
	unsigned int n;
	size_t bytes;
	u32 site;
	const void *last;
};

static int see(const struct mpool_obj *obj, void *arg)
{
	struct seen *seen = arg;

	seen->n++;
	seen->bytes += obj->size;
	seen->site = obj->site;
	seen->last = obj->addr;
	return seen->n == 10;
}

/* A walk meets each live run once, and ends when it is told to. */
static void walk(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-walk",
					    MPOOL_ON_LEAK_RECLAIM);
	struct mpool_site *here = MPOOL_HERE;
	struct seen seen = { };
	unsigned int i;
	void *p;

	KUNIT_EXPECT_EQ(test, pool->base.ops->walk(&pool->base, see, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen.n, 0);
	p = mpool_large_alloc_at(pool, 5000, 1, NULL, GFP_KERNEL, here);
	KUNIT_EXPECT_EQ(test, pool->base.ops->walk(&pool->base, see, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen.n, 1);
	KUNIT_EXPECT_EQ(test, seen.bytes, 5000);
	KUNIT_EXPECT_EQ(test, seen.site, here->id);
	KUNIT_EXPECT_PTR_EQ(test, seen.last, p);
	for (i = 0; i < 20; i++)
		mpool_large_alloc(pool, 50 * PAGE_SIZE, NULL, GFP_KERNEL);
	memset(&seen, 0, sizeof(seen));
	KUNIT_EXPECT_EQ(test, pool->base.ops->walk(&pool->base, see, &seen), 1);
	KUNIT_EXPECT_EQ(test, seen.n, 10);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 21);
}

struct steps {
	const void *last;
	unsigned int n;
	unsigned int stop;
};

static int step(struct mpool_arena *arena, struct mpool_page *pg, void *arg)
{
	struct steps *steps = arg;

	if (!mpool_page_is_run(pg))
		return 0;
	steps->last = mpool_page_address(arena, pg);
	return ++steps->n == steps->stop;
}

#define WALKED	300

/*
 * A walk holds nothing where it stops: arenas go, its own among them, runs come and
 * go, and it meets each of those that stayed once.
 */
static void walk_in_steps(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-steps", 0);
	struct mpool_cursor at = { };
	struct steps steps = { };
	void **p, *late;
	unsigned int i;

	p = kunit_kcalloc(test, WALKED, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < WALKED; i++) {
		/* Every tenth is an arena of its own. */
		p[i] = mpool_large_alloc(pool, (i % 10 ? 1 : 70) * PAGE_SIZE,
					 NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	KUNIT_EXPECT_EQ(test, mpool_large_walk(pool, &at, step, &steps), 0);
	KUNIT_EXPECT_EQ(test, steps.n, WALKED);
	KUNIT_EXPECT_EQ(test, mpool_large_walk(pool, &at, step, &steps), 0);
	KUNIT_EXPECT_EQ(test, steps.n, WALKED);
	/* Runs that were met go, one by one, and their arenas with them. */
	at = (struct mpool_cursor){ };
	for (i = 0; i < WALKED; i++) {
		steps = (struct steps){ .stop = 1 };
		KUNIT_ASSERT_EQ(test, mpool_large_walk(pool, &at, step, &steps),
				1);
		mpool_large_free(pool, (void *)steps.last);
		mpool_large_trim(pool);
		synchronize_rcu();
	}
	steps = (struct steps){ };
	KUNIT_EXPECT_EQ(test, mpool_large_walk(pool, &at, step, &steps), 0);
	KUNIT_EXPECT_EQ(test, steps.n, 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	/* Runs of a new arena are behind the cursor. */
	late = mpool_large_alloc(pool, 70 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_large_walk(pool, &at, step, &steps), 0);
	KUNIT_EXPECT_EQ(test, steps.n, 1);
	mpool_large_free(pool, late);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* The newest idle arena is kept for the next caller; trim takes it, too. */
static void spares(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-spares", 0);
	static const size_t pages[] = { 100, 300, 200, 65 };
	void *p[ARRAY_SIZE(pages)];
	unsigned int i;
	u64 grown;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		p[i] = mpool_large_alloc(pool, pages[i] * PAGE_SIZE, NULL,
					 GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 665);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		mpool_large_free(pool, p[i]);
		KUNIT_EXPECT_EQ(test, pool->nr_spares, 1);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 65);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_SHRINK), 3);
	grown = stat_of(pool, MPOOL_STAT_GROW);
	for (i = 0; i < 1000; i++)
		mpool_large_free(pool, mpool_large_alloc(pool, 65 * PAGE_SIZE,
							 NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_GROW), grown);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 65);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, pool->nr_spares, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* Makes a pool on one node have engines for three, which end with it. */
static void three_engines(struct kunit *test, struct mpool_large *pool)
{
	struct mpool_runs *runs = &pool->runs;
	unsigned int i;

	if (pool->nodes)
		kunit_skip(test, "has nodes of its own");
	pool->nodes = kcalloc(3, sizeof(*pool->nodes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool->nodes);
	pool->nodes[0] = runs;
	for (i = 1; i < 3; i++, runs = runs->next) {
		runs->next = kzalloc(sizeof(*runs), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, runs->next);
		runs->next->large = pool;
		runs->next->exact = true;
		INIT_LIST_HEAD(&runs->next->spares);
		pool->nodes[i] = runs->next;
	}
}

/* The newest of each node, whatever the order. */
static void spares_one_a_node(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-nodes", 0);
	static const size_t pages[] = { 100, 300, 200, 65, 80, 70 };
	struct mpool_arena *arena;
	void *p[ARRAY_SIZE(pages)];
	unsigned int i, first, last, kept;

	three_engines(test, pool);
	for (first = 0; first < ARRAY_SIZE(pages); first++) {
		for (i = 0; i < ARRAY_SIZE(pages); i++) {
			/* The memory of node 0 shall be that of another. */
			swap(pool->nodes[0], pool->nodes[i % 3]);
			p[i] = mpool_large_alloc(pool, pages[i] * PAGE_SIZE,
						 NULL, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			arena = (void *)word_at(p[i]);
			arena->nid = i % 3;
			swap(pool->nodes[0], pool->nodes[i % 3]);
		}
		for (i = 0; i < ARRAY_SIZE(pages); i++)
			mpool_large_free(pool,
					 p[(first + i) % ARRAY_SIZE(pages)]);
		KUNIT_EXPECT_EQ(test, pool->nr_spares, 3);
		/* The last three that were freed are of three nodes. */
		last = first + ARRAY_SIZE(pages);
		for (i = 1, kept = 0; i <= 3; i++)
			kept += pages[(last - i) % ARRAY_SIZE(pages)];
		KUNIT_EXPECT_EQ(test, mpool_large_nr_pages(pool), kept);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), kept);
	}
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

static unsigned int shrink_calls;

static unsigned long shrink_count(void)
{
	return 7;
}

static unsigned long shrink_scan(void)
{
	shrink_calls++;
	return 7;
}

static unsigned long scan_asks(void)
{
	/* As another task that asks meanwhile: reclaim holds what is needed to count. */
	shrink_calls++;
	return mpool_shrink_count();
}

/*
 * Sets the hooks of the shrinker: the count is that of shrink_count(), and @scan trims.
 * The old hooks go to @old.
 */
static void shrink_hook(struct mpool_hooks *old, unsigned long (*scan)(void))
{
	*old = mpool_hooks;
	WRITE_ONCE(mpool_hooks.idle, shrink_count);
	WRITE_ONCE(mpool_hooks.trim, scan);
}

static void shrink_unhook(const struct mpool_hooks *old)
{
	WRITE_ONCE(mpool_hooks.idle, old->idle);
	WRITE_ONCE(mpool_hooks.trim, old->trim);
	/* Takes shrink_mutex: whoever has called the test's functions is done. */
	mpool_shrink_scan(0);
}

/* The count of the shrinker waits for nobody. */
static void shrinker_count_waits_for_nobody(struct kunit *test)
{
	struct mpool_hooks old;

	shrink_calls = 0;
	shrink_hook(&old, scan_asks);
	mpool_shrink_scan(ULONG_MAX);
	KUNIT_EXPECT_EQ(test, shrink_calls, 1);
	KUNIT_EXPECT_GE(test, mpool_shrink_count(), 7);
	shrink_unhook(&old);
}

/* Reclaim gets spares at once, what else there is if that was not enough. */
static void shrinker_takes_spares(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-shrink", 0);
	void *used = mpool_large_alloc(pool, 80 * PAGE_SIZE, NULL, GFP_KERNEL);
	struct mpool_hooks old;
	unsigned long before;

	KUNIT_ASSERT_NOT_NULL(test, used);
	shrink_calls = 0;
	before = mpool_shrink_count();
	shrink_hook(&old, shrink_scan);
	KUNIT_EXPECT_GE(test, mpool_shrink_count(), 7);
	mpool_large_free(pool, mpool_large_alloc(pool, 500 * PAGE_SIZE, NULL,
						 GFP_KERNEL));
	KUNIT_EXPECT_GE(test, mpool_shrink_count(), 500 + 7);
	KUNIT_EXPECT_GE(test, mpool_shrink_scan(before + 100000), 500);
	KUNIT_EXPECT_EQ(test, shrink_calls, 1);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 80);
	mpool_large_free(pool, mpool_large_alloc(pool, 500 * PAGE_SIZE, NULL,
						 GFP_KERNEL));
	KUNIT_EXPECT_GE(test, mpool_shrink_scan(1), 1);
	KUNIT_EXPECT_EQ(test, shrink_calls, 1);
	shrink_unhook(&old);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, used));
	mpool_large_free(pool, used);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* Runs in use keep their arena, and only theirs. */
static void trim_spares_what_is_used(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-trim", 0);
	void *small, *big;
	size_t real;

	small = mpool_large_alloc(pool, 1, &real, GFP_KERNEL);
	big = mpool_large_alloc(pool, 200 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, small && big);
	mpool_kunit_fill(small, real, 1);
	mpool_large_free(pool, big);
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 200);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(small, real, 1));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, small));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	mpool_large_free(pool, small);
	KUNIT_EXPECT_GT(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* With interrupts off a pool gives and takes, and grows as GFP_ATOMIC can. */
static void atomic_context(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-atomic", 0);
	unsigned long flags;
	void *p[40];
	int i;

	local_irq_save(flags);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = mpool_large_alloc(pool, PAGE_SIZE * (1 + i % 9), NULL,
					 GFP_ATOMIC);
	for (i = 0; i < ARRAY_SIZE(p); i += 2) {
		mpool_large_free(pool, p[i]);
		p[i] = NULL;
	}
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		if (i % 2)
			KUNIT_EXPECT_NOT_NULL(test, p[i]);
		mpool_large_free(pool, p[i]);
	}
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* --- not contiguous --- */

#define VIRT_PAGES	((9ul << 20) >> PAGE_SHIFT)

/* Longer than any block there is: grown, asked about, freed, and leaked. */
static void virt_beyond_the_largest_block(struct kunit *test)
{
	struct mpool_large_args args = {
		.flags = MPOOL_LARGE_VIRT,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_large *pool = mpool_large_create("kunit-virt", &args);
	size_t size = VIRT_PAGES << PAGE_SHIFT, real, i;
	struct mpool_whatis what;
	char *p, *q;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, size, &real,
						  GFP_ATOMIC | __GFP_NOWARN));
	p = mpool_large_alloc(pool, size - 5, &real, GFP_QUIET);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, real, size);
	KUNIT_EXPECT_EQ(test, charged(pool), VIRT_PAGES);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	mpool_kunit_fill(p, size, 3);
	for (i = 7; i < size; i += PAGE_SIZE)
		if (mpool_large_phys(pool, p + i) !=
		    page_to_phys(vmalloc_to_page(p + i)) + 7)
			break;
	KUNIT_EXPECT_GE(test, i, size);
	KUNIT_EXPECT_EQ(test, mpool_large_dma(pool, p), MPOOL_NO_DMA);
	KUNIT_EXPECT_TRUE(test, mpool_whatis(p + 100000, &what));
	KUNIT_EXPECT_PTR_EQ(test, what.base, (void *)p);
	KUNIT_EXPECT_EQ(test, what.size, size);
	q = mpool_large_realloc(pool, p, size + (2 << 20), &real, GFP_QUIET);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(q, size, 3));
	KUNIT_EXPECT_PTR_EQ(test, mpool_large_realloc(pool, q, 1, NULL,
						      GFP_QUIET), q);
	KUNIT_EXPECT_EQ(test, charged(pool), 1);
	mpool_large_free(pool, q + PAGE_SIZE);	/* refused */
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 1);
	mpool_large_free(pool, q);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_GE(test, mpool_large_trim(pool), VIRT_PAGES);
	KUNIT_EXPECT_EQ(test, word_at(q), 0);
	p = mpool_large_alloc_aligned(pool, size, 1 << 20, NULL, GFP_QUIET);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, 1 << 20));
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	/* Freed where vfree() could not be called. */
	preempt_disable();
	mpool_large_free(pool, mpool_large_alloc(pool, 1, NULL, GFP_ATOMIC));
	preempt_enable();
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 1);
	KUNIT_EXPECT_EQ(test, word_at(p), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* --- no memory --- */

#define SWEEP_MAX	200

static void failed_create(struct kunit *test)
{
	unsigned int n, failed = 0, before = nr_pools();
	struct mpool_large *pool;
	bool hit = true;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (n = 1; hit && n < SWEEP_MAX; n++) {
		mpool_kunit_fail_nth(n);
		pool = mpool_large_create("kunit-fails", NULL);
		hit = mpool_kunit_fail_end();
		if (IS_ERR(pool)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
			KUNIT_EXPECT_TRUE(test, hit);
			KUNIT_EXPECT_EQ(test, nr_pools(), before);
			failed++;
			continue;
		}
		KUNIT_EXPECT_EQ(test, nr_pools(), before + 1);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GE(test, failed, 1);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
}

/* One alloc after the other, the n-th allocation below each fails. */
static void failed_alloc(struct kunit *test)
{
	static const size_t pages[] = { 1, 17, 64, 100, 512, 600 };
	struct mpool_large *pool = new_pool(test, "kunit-fails", 0);
	unsigned int i, n, failed = 0;
	size_t real;
	bool hit;
	void *p;

	if (!MPOOL_KUNIT_CAN_FAIL) {
		mpool_large_destroy(pool);
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		for (n = 1, hit = true; hit && n < SWEEP_MAX; n++) {
			mpool_kunit_fail_nth(n);
			p = mpool_large_alloc(pool, pages[i] * PAGE_SIZE,
					      &real, GFP_QUIET);
			hit = mpool_kunit_fail_end();
			KUNIT_EXPECT_TRUE(test, hit || p);
			KUNIT_EXPECT_EQ(test, real, p ? pages[i] * PAGE_SIZE : 0);
			KUNIT_EXPECT_EQ(test, charged(pool), p ? pages[i] : 0);
			failed += !p;
			KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FAIL),
					failed);
			mpool_large_free(pool, p);
			mpool_large_trim(pool);
			KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 0);
			KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		}
		KUNIT_EXPECT_FALSE(test, hit);
	}
	KUNIT_EXPECT_GE(test, failed, ARRAY_SIZE(pages));
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

static unsigned long free_memory(void)
{
	struct sysinfo info;

	rcu_barrier();
	si_meminfo(&info);
	return info.freeram;
}

/* Blocks that cannot be described for want of memory go back. */
static void failed_alloc_loses_no_pages(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-fails", 0);
	unsigned int n, round, failed = 0;
	unsigned long before;
	bool hit;
	void *p;

	if (!MPOOL_KUNIT_CAN_FAIL) {
		mpool_large_destroy(pool);
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	}
	before = free_memory();
	for (round = 0; round < 20; round++) {
		for (n = 1, hit = true; hit && n < SWEEP_MAX; n++) {
			/* A block of its own, and one that is cut. */
			size_t size = (round % 2 ? 1024 : 1000) * PAGE_SIZE;

			mpool_kunit_fail_nth(n);
			p = mpool_large_alloc(pool, size, NULL, GFP_QUIET);
			hit = mpool_kunit_fail_end();
			failed += !p;
			mpool_large_free(pool, p);
			mpool_large_trim(pool);
		}
	}
	/* The descriptor each time; the page map keeps its leaves. */
	KUNIT_EXPECT_GE(test, failed, 20);
	/* Others allocate, too, and KASAN holds back what was freed. */
	KUNIT_EXPECT_GT(test, free_memory() + 8192, before);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* A realloc that has to move and cannot leaves the run as it was. */
static void failed_realloc(struct kunit *test)
{
	struct mpool_large *pool = new_pool(test, "kunit-fails", 0);
	unsigned int n, failed = 0;
	bool hit = true;
	char *p, *q;

	if (!MPOOL_KUNIT_CAN_FAIL) {
		mpool_large_destroy(pool);
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	}
	for (n = 1; hit && n < SWEEP_MAX; n++) {
		p = mpool_large_alloc(pool, 70 * PAGE_SIZE, NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		mpool_kunit_fill(p, 70 * PAGE_SIZE, n);
		mpool_kunit_fail_nth(n);
		q = mpool_large_realloc(pool, p, 90 * PAGE_SIZE, NULL,
					GFP_QUIET);
		hit = mpool_kunit_fail_end();
		KUNIT_EXPECT_TRUE(test, hit || q);
		failed += !q;
		KUNIT_EXPECT_EQ(test, charged(pool), q ? 90 : 70);
		KUNIT_EXPECT_EQ(test, mpool_large_owns(pool, p), !q);
		KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(q ?: p,
							   70 * PAGE_SIZE, n));
		mpool_large_free(pool, q ?: p);
		mpool_large_trim(pool);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GE(test, failed, 1);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* A pool with leaks ends and reports as well without memory. */
static void failed_destroy(struct kunit *test)
{
	unsigned int n, before = nr_pools();
	struct mpool_large *pool;
	bool hit = true;
	char *p[3];
	size_t leaks;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (n = 1; hit && n < SWEEP_MAX; n++) {
		pool = new_pool(test, "kunit-fails", MPOOL_ON_LEAK_RECLAIM);
		leak_three(test, pool, p);
		mpool_kunit_fail_nth(n);
		leaks = mpool_large_destroy(pool);
		hit = mpool_kunit_fail_end();
		KUNIT_EXPECT_EQ(test, leaks, 3);
		KUNIT_EXPECT_EQ(test, nr_pools(), before);
		KUNIT_EXPECT_EQ(test, word_at(p[2]), 0);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* What is more than was asked for takes nothing of the kernel's reserves. */
static void more_takes_no_reserve(struct kunit *test)
{
	static const gfp_t asked[] = {
		GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL | __GFP_MEMALLOC,
		GFP_KERNEL | __GFP_NOFAIL,
	};
	unsigned int i;
	gfp_t gfp;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		gfp = mpool_gfp_try(asked[i]);
		KUNIT_EXPECT_FALSE(test, gfp & (__GFP_HIGH | __GFP_MEMALLOC));
		KUNIT_EXPECT_FALSE(test, gfp & (__GFP_RECLAIM | __GFP_NOFAIL));
		KUNIT_EXPECT_TRUE(test, gfp & __GFP_NOMEMALLOC);
		KUNIT_EXPECT_TRUE(test, gfp & __GFP_NOWARN);
	}
}

static void large_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* The pools above, which are to be destroyed first, are named. */
static void pools_above_are_named(struct kunit *test)
{
	struct mpool_large *large = mpool_large_create("kunit-below", NULL);
	struct mpool_fixed_args fixed_args = { .large = large };
	struct mpool_small_args small_args = { .large = large };
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	char name[MPOOL_NAME_LEN];

	KUNIT_ASSERT_FALSE(test, IS_ERR(large));
	KUNIT_EXPECT_EQ(test,
			mpool_pool_above(&large->base, name, sizeof(name)), 0);
	small = mpool_small_create("kunit-above", &small_args);
	fixed = mpool_fixed_create("kunit-second", 64, &fixed_args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(small) || IS_ERR(fixed));
	/* A class of it counts for none. */
	mpool_small_free(small, mpool_small_alloc(small, 64, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test,
			mpool_pool_above(&large->base, name, sizeof(name)), 2);
	KUNIT_EXPECT_STREQ(test, name, "kunit-above");
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	mpool_small_destroy(small);
	KUNIT_EXPECT_EQ(test,
			mpool_pool_above(&large->base, name, sizeof(name)), 1);
	KUNIT_EXPECT_STREQ(test, name, "kunit-second");
	mpool_fixed_destroy(fixed);
	KUNIT_EXPECT_PTR_EQ(test, mpool_pool_find("kunit-below"), &large->base);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-below"));
}

static struct kunit_case large_cases[] = {
	KUNIT_CASE(pools_above_are_named),
	KUNIT_CASE(wrong_arguments),
	KUNIT_CASE(names),
	KUNIT_CASE(leaks_are_reclaimed),
	KUNIT_CASE(leaks_are_kept),
	KUNIT_CASE(pool_in_use_stays),
	KUNIT_CASE(counts),
	KUNIT_CASE(walk),
	KUNIT_CASE(walk_in_steps),
	KUNIT_CASE(spares),
	KUNIT_CASE(spares_one_a_node),
	KUNIT_CASE(shrinker_takes_spares),
	KUNIT_CASE(shrinker_count_waits_for_nobody),
	KUNIT_CASE(trim_spares_what_is_used),
	KUNIT_CASE(atomic_context),
	KUNIT_CASE(more_takes_no_reserve),
	KUNIT_CASE(virt_beyond_the_largest_block),
	KUNIT_CASE(failed_create),
	KUNIT_CASE(failed_alloc),
	KUNIT_CASE(failed_alloc_loses_no_pages),
	KUNIT_CASE(failed_realloc),
	KUNIT_CASE(failed_destroy),
	{ }
};

static struct kunit_suite large_suite = {
	.name = "mpool_large",
	.exit = large_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = large_cases,
};

kunit_test_suite(large_suite);
