// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of large pools over memory that the caller gives.
 *
 * The memory is from vmalloc() and from the page allocator, or it is an address
 * where nothing is, because mpool must not touch the memory of a region itself.
 * Whoever reads or writes there anyway ends the test machine.
 */
#include <linux/io.h>
#include <linux/slab.h>

#include "pools.h"

/* Where nothing is: UML has no memory there, other machines no addresses. */
#define FAKE_BASE	((void *)MPOOL_KUNIT_NOWHERE)

static unsigned int nr_pools(void)
{
	unsigned int n = list_count_nodes(mpool_registry_lock());

	mpool_registry_unlock();
	return n;
}

/* Pages of the longest free run. */
static unsigned long largest(struct mpool_large *pool)
{
	struct mpool_large_room room;

	return mpool_large_room(pool, &room) ? room.largest : 0;
}

static void destroy(struct kunit *test, struct mpool_large *pool)
{
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kunit-region"));
}

/* --- create --- */

static void wrong_arguments(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 4 * PAGE_SIZE);
	static const struct mpool_region_args flags = { .flags = 8 };
	static const struct mpool_region_args policy = { .on_leak = 9 };
	static const struct mpool_region_args no_dma = {
		.flags = MPOOL_REGION_DMA, .dma = ~(dma_addr_t)0,
	};
	static const struct mpool_region_args wraps = {
		.flags = MPOOL_REGION_PHYS, .phys = 0 - PAGE_SIZE,
	};
	const struct {
		const char *name;
		void *base;
		size_t size;
		const struct mpool_region_args *args;
	} t[] = {
		{ "kunit-region", NULL, SZ_1M, NULL },
		{ "kunit-region", ERR_PTR(-ENOMEM), SZ_1M, NULL },
		{ "kunit-region", ZERO_SIZE_PTR, 10, NULL },
		{ "kunit-region", mem, 0, NULL },
		{ "kunit-region", mem, 1, NULL },
		{ "kunit-region", mem, PAGE_SIZE - 1, NULL },
		{ "kunit-region", mem + 1, 2 * PAGE_SIZE - 2, NULL },
		{ "kunit-region", mem + 1, PAGE_SIZE, NULL },
		{ "kunit-region", mem, SIZE_MAX, NULL },
		{ "kunit-region", mem, 0 - (unsigned long)mem, NULL },
		{ "kunit-region", FAKE_BASE, (RUNS_MAX_PAGES + 1) * PAGE_SIZE,
		  NULL },
		{ "kunit-region", (void *)(0 - 2 * PAGE_SIZE), SZ_1M, NULL },
		{ "kunit-region", mem, 4 * PAGE_SIZE, &flags },
		{ "kunit-region", mem, 4 * PAGE_SIZE, &policy },
		{ "kunit-region", mem, 4 * PAGE_SIZE, &no_dma },
		{ "kunit-region", mem, 4 * PAGE_SIZE, &wraps },
		{ "a/b", mem, 4 * PAGE_SIZE, NULL },
		{ NULL, mem, 4 * PAGE_SIZE, NULL },
	};
	unsigned int i, before = nr_pools();

	for (i = 0; i < ARRAY_SIZE(t); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    PTR_ERR(mpool_large_create_region(t[i].name,
								      t[i].base,
								      t[i].size,
								      t[i].args)),
				    -EINVAL, "arguments %u", i);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
	KUNIT_EXPECT_EQ(test, word_at(mem), 0);
}

/* More pages than can be described: refused without a warning. */
static void too_much_to_describe(struct kunit *test)
{
	unsigned int before = nr_pools();

	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_large_create_region("kunit-region",
							  FAKE_BASE,
							  RUNS_MAX_PAGES * PAGE_SIZE,
							  NULL)),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, nr_pools(), before);
	KUNIT_EXPECT_EQ(test, word_at(FAKE_BASE), 0);
}

/* Two pools of one name: the second's region is free for others. */
static void name_is_taken(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 8 * PAGE_SIZE);
	struct mpool_large *pool = new_region(test, mem, 4 * PAGE_SIZE, NULL);

	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_large_create_region("kunit-region",
							  mem + 4 * PAGE_SIZE,
							  4 * PAGE_SIZE,
							  NULL)),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, word_at(mem + 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, mem + 4 * PAGE_SIZE,
					       4 * PAGE_SIZE, NULL), 0);
	destroy(test, pool);
}

/* Ends that are no whole pages are left alone, at every offset of interest. */
static void ends_are_trimmed(struct kunit *test)
{
	static const unsigned int skews[] = { 0, 1, 2048, 4095 };
	char *mem = mpool_kunit_memory(test, 6 * PAGE_SIZE), *p;
	unsigned int i, j, pages, n;
	struct mpool_large *pool;

	for (i = 0; i < ARRAY_SIZE(skews); i++) {
		for (j = 0; j < ARRAY_SIZE(skews); j++) {
			pages = 6 - !!skews[i] - !!skews[j];
			memset(mem, 0x5a, 6 * PAGE_SIZE);
			pool = new_region(test, mem + skews[i],
					  6 * PAGE_SIZE - skews[i] - skews[j],
					  NULL);
			KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, pages);
			for (n = 0; n < pages; n++) {
				p = mpool_large_alloc(pool, 1, NULL, GFP_QUIET);
				KUNIT_ASSERT_NOT_NULL(test, p);
				KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(p));
				memset(p, 0, PAGE_SIZE);
			}
			KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL,
								  GFP_QUIET));
			if (skews[i])
				KUNIT_EXPECT_NULL(test, memchr_inv(mem, 0x5a,
								   PAGE_SIZE));
			if (skews[j])
				KUNIT_EXPECT_NULL(test,
						  memchr_inv(mem + 5 * PAGE_SIZE,
							     0x5a, PAGE_SIZE));
			mpool_large_clear(pool);
			destroy(test, pool);
		}
	}
}

/* --- overlaps --- */

static void overlaps_are_refused(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 1024 * PAGE_SIZE), *at;
	struct mpool_large *pool = new_region(test, mem + 100 * PAGE_SIZE,
					      600 * PAGE_SIZE, NULL);
	static const struct {
		unsigned int from, pages;
		int err;
	} t[] = {
		{ 0, 101, -EBUSY }, { 699, 100, -EBUSY }, { 100, 600, -EBUSY },
		{ 300, 1, -EBUSY }, { 0, 1024, -EBUSY }, { 0, 100, 0 },
		{ 99, 1, -EBUSY }, { 700, 100, 0 }, { 799, 2, -EBUSY },
		{ 800, 224, 0 },
	};
	unsigned long pages = 600;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		at = mem + t[i].from * PAGE_SIZE;
		KUNIT_EXPECT_EQ_MSG(test, t[i].err,
				    mpool_large_add_region(pool, at,
							   t[i].pages * PAGE_SIZE,
							   NULL),
				    "%u", i);
		if (!t[i].err)
			pages += t[i].pages;
		else
			KUNIT_EXPECT_EQ(test,
					PTR_ERR(mpool_large_create_region("kunit-other",
									  at,
									  t[i].pages * PAGE_SIZE,
									  NULL)),
					-EBUSY);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, pages);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, pages, 1024);
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	destroy(test, pool);
	for (i = 0; i < 1024; i++)
		KUNIT_EXPECT_EQ(test, word_at(mem + i * PAGE_SIZE), 0);
}

/* Memory of a system pool, taken or idle, is no region. */
static void system_memory_is_no_region(struct kunit *test)
{
	struct mpool_large *pool = mpool_large_create("kunit-system", NULL);
	char *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	p = mpool_large_alloc(pool, 2 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_large_create_region("kunit-region", p,
							  PAGE_SIZE, NULL)),
			-EBUSY);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_large_create_region("kunit-region",
							  p + PAGE_SIZE,
							  PAGE_SIZE, NULL)),
			-EBUSY);
	/* Nor does such a pool take one. */
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, mpool_kunit_memory(test, SZ_1M),
					       SZ_1M, NULL), -EINVAL);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(mpool_large_create_region("kunit-region", p,
							  PAGE_SIZE, NULL)),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

/* A pool as RAM does not become one of device memory by an add that failed. */
static void refused_region_leaves_no_trace(struct kunit *test)
{
	static const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	char *mem = mpool_kunit_memory(test, 8 * PAGE_SIZE), *p;
	struct mpool_large *pool = new_region(test, mem, 8 * PAGE_SIZE, NULL);
	size_t real;

	KUNIT_EXPECT_EQ(test, mpool_large_add_region(pool, mem, PAGE_SIZE, &io),
			-EBUSY);
	p = mpool_large_alloc(pool, 100, &real, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_NOT_NULL(test, p);
	if (p)
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, real));
	mpool_large_free(pool, p);
	destroy(test, pool);
}

/* --- use --- */

/* Several regions of both kinds of memory serve one pool. */
static void several_regions(struct kunit *test)
{
	char *a = mpool_kunit_memory(test, 16 * PAGE_SIZE), *b, *c, *p[4];
	struct mpool_large *pool = new_region(test, a, 16 * PAGE_SIZE, NULL);
	unsigned long pages;
	size_t real;

	b = (char *)__get_free_pages(GFP_KERNEL, 5);
	c = kunit_kmalloc(test, 10 * PAGE_SIZE + 100, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, b && c);
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, b, 32 * PAGE_SIZE, NULL),
			0);
	KUNIT_EXPECT_EQ(test,
			mpool_large_add_region(pool, c, 10 * PAGE_SIZE + 100, NULL),
			0);
	pages = pool->runs.nr_pages;
	KUNIT_EXPECT_GE(test, pages, 16 + 32 + 9);
	p[0] = mpool_large_alloc(pool, 16 * PAGE_SIZE, &real, GFP_QUIET);
	p[1] = mpool_large_alloc(pool, 32 * PAGE_SIZE, NULL, GFP_QUIET);
	p[2] = mpool_large_alloc(pool, 9 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_EXPECT_PTR_EQ(test, p[0], a);
	KUNIT_EXPECT_EQ(test, real, 16 * PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, p[1], b);
	KUNIT_EXPECT_TRUE(test, p[2] >= c && p[2] < c + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, a), MPOOL_NO_PHYS);
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, b + 4321),
			virt_to_phys(b + 4321));
	/* A run does not go over the end of a region. */
	mpool_large_clear(pool);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 33 * PAGE_SIZE, NULL,
						  GFP_QUIET));
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&pool->runs), pages);
	/* Idle regions stay: they are the caller's to take. */
	KUNIT_EXPECT_EQ(test, mpool_large_trim(pool), 0);
	KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, pages);
	destroy(test, pool);
	free_pages((unsigned long)b, 5);
}

/* The size of the request counts, not the power of two above it. */
static void exact_lengths(struct kunit *test)
{
	size_t size = 21 * SZ_1M / 10, real;
	u32 pages = DIV_ROUND_UP(size, PAGE_SIZE);
	char *mem = mpool_kunit_memory(test, 2 * pages * PAGE_SIZE), *p, *q;
	struct mpool_large *pool;

	pool = new_region(test, mem, 2 * pages * PAGE_SIZE, NULL);
	p = mpool_large_alloc(pool, size, &real, GFP_QUIET);
	q = mpool_large_alloc(pool, size, NULL, GFP_QUIET);
	KUNIT_ASSERT_TRUE(test, p && q);
	KUNIT_EXPECT_EQ(test, real, pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, charged(pool), 2 * pages);
	KUNIT_EXPECT_EQ(test, mpool_kunit_free_pages(&pool->runs), 0);
	mpool_kunit_fill(p, real, 1);
	mpool_kunit_fill(q, real, 2);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(p, real, 1));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(q, real, 2));
	mpool_large_free(pool, p);
	mpool_large_free(pool, q);
	destroy(test, pool);
}

/* A full pool says so, changes nothing, and recovers. */
static void full_and_again(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 64 * PAGE_SIZE), *p[64];
	struct mpool_large *pool = new_region(test, mem, 64 * PAGE_SIZE, NULL);
	unsigned int i, round;
	size_t real;

	for (round = 1; round <= 3; round++) {
		for (i = 0; i < 64; i++) {
			p[i] = mpool_large_alloc(pool, PAGE_SIZE, NULL,
						 GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, &real,
							  GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, real, 0);
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, NULL,
							  GFP_KERNEL |
							  __GFP_NOFAIL));
		KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p[7],
							    PAGE_SIZE + 1, &real,
							    GFP_KERNEL));
		KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p[7]));
		KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FAIL),
				4 * round - 1);
		KUNIT_EXPECT_EQ(test, charged(pool), 64);
		/* Every other first: free runs have to find each other. */
		for (i = 0; i < 64; i += 2)
			mpool_large_free(pool, p[i]);
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, PAGE_SIZE + 1,
							  NULL, GFP_KERNEL));
		for (i = 1; i < 64; i += 2)
			mpool_large_free(pool, p[i]);
		KUNIT_EXPECT_EQ(test, largest(pool), 64);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
	}
	destroy(test, pool);
}

/* The allocator mpool learns from merged only with the run behind. */
static void merged_with_the_run_before(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 3 * PAGE_SIZE), *p[3];
	struct mpool_large *pool = new_region(test, mem, 3 * PAGE_SIZE, NULL);
	unsigned int i;

	for (i = 0; i < 3; i++)
		p[i] = mpool_large_alloc(pool, 1, NULL, GFP_QUIET);
	for (i = 0; i < 3; i++)
		mpool_large_free(pool, p[i]);
	p[0] = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_QUIET);
	KUNIT_EXPECT_PTR_EQ(test, p[0], mem);
	mpool_large_free(pool, p[0]);
	destroy(test, pool);
}

/*
 * Leaked runs belong to the caller, whatever the policy.  Those that are kept stay as
 * they are, also with init_on_free, which the job 7.3-init has.
 */
static void destroyed_with_leaks(struct kunit *test)
{
	static const enum mpool_on_leak policies[] = {
		MPOOL_ON_LEAK_KEEP, MPOOL_ON_LEAK_RECLAIM,
	};
	char *mem = mpool_kunit_memory(test, 32 * PAGE_SIZE), *p;
	unsigned int i, before = nr_pools();
	struct mpool_large *pool;
	bool wiped;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct mpool_region_args args = { .on_leak = policies[i] };

		wiped = policies[i] == MPOOL_ON_LEAK_RECLAIM && want_init_on_free();
		pool = new_region(test, mem, 32 * PAGE_SIZE, &args);
		p = mpool_large_alloc(pool, 5 * PAGE_SIZE, NULL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		mpool_large_alloc(pool, PAGE_SIZE, NULL, GFP_KERNEL);
		mpool_kunit_fill(p, 5 * PAGE_SIZE, i);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 2);
		KUNIT_EXPECT_EQ(test, nr_pools(), before);
		KUNIT_EXPECT_EQ(test, word_at(p), 0);
		KUNIT_EXPECT_EQ(test, mpool_kunit_intact(p, 5 * PAGE_SIZE, i), !wiped);
	}
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

/* --- addresses --- */

/* What the caller said holds for each byte, counted from the untrimmed start. */
static void given_addresses(struct kunit *test)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_PHYS | MPOOL_REGION_DMA,
		.phys = 0x123456789000ull + 100,
		.dma = 0x80000000ull + 100,
	};
	char *mem = mpool_kunit_memory(test, 20 * PAGE_SIZE), *p;
	struct mpool_large *pool;
	size_t off;

	pool = new_region(test, mem + 100, 20 * PAGE_SIZE - 100, &args);
	p = mpool_large_alloc(pool, 19 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, p, mem + PAGE_SIZE);
	for (off = PAGE_SIZE; off < 20 * PAGE_SIZE; off += 555) {
		KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, mem + off),
				(phys_addr_t)0x123456789000ull + off);
		KUNIT_EXPECT_EQ(test, mpool_large_dma(pool, mem + off),
				(dma_addr_t)0x80000000ull + off);
	}
	/* Trimmed pages are not the pool's. */
	KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, mem + PAGE_SIZE - 1),
			MPOOL_NO_PHYS);
	KUNIT_EXPECT_EQ(test, mpool_large_dma(pool, mem + 20 * PAGE_SIZE),
			MPOOL_NO_DMA);
	mpool_large_free(pool, p);
	destroy(test, pool);
}

/* One of the two, or none, may be known. */
static void addresses_not_given(struct kunit *test)
{
	static const struct mpool_region_args t[] = {
		{ .phys = 0x1000, .dma = 0x2000 },
		{ .flags = MPOOL_REGION_PHYS, .phys = 0x1000, .dma = 0x2000 },
		{ .flags = MPOOL_REGION_DMA, .phys = 0x1000, .dma = 0x2000 },
	};
	char *mem = mpool_kunit_memory(test, 2 * PAGE_SIZE);
	struct mpool_large *pool;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		pool = new_region(test, mem, 2 * PAGE_SIZE, &t[i]);
		KUNIT_EXPECT_EQ(test, mpool_large_phys(pool, mem + 7),
				t[i].flags & MPOOL_REGION_PHYS ?
				(phys_addr_t)0x1007 : MPOOL_NO_PHYS);
		KUNIT_EXPECT_EQ(test, mpool_large_dma(pool, mem + 7),
				t[i].flags & MPOOL_REGION_DMA ?
				(dma_addr_t)0x2007 : MPOOL_NO_DMA);
		destroy(test, pool);
	}
}

/* --- device memory --- */

#define IO_RUNS	32

/* Random allocs, frees and reallocs, all of lengths, in a pool. */
static void random_use(struct mpool_large *pool, struct rnd_state *rnd,
		       unsigned int ops)
{
	char *p[IO_RUNS] = { };
	unsigned int i;
	void *q;

	while (ops--) {
		size_t size = 1 + mpool_kunit_below(rnd, 40 * PAGE_SIZE);

		i = mpool_kunit_below(rnd, IO_RUNS);
		if (!p[i]) {
			p[i] = mpool_large_alloc(pool, size, NULL, GFP_KERNEL);
		} else if (mpool_kunit_below(rnd, 2)) {
			q = mpool_large_realloc(pool, p[i], size, NULL,
						GFP_KERNEL);
			if (q)
				p[i] = q;
		} else {
			mpool_large_free(pool, p[i]);
			p[i] = NULL;
		}
	}
	for (i = 0; i < IO_RUNS; i++)
		mpool_large_free(pool, p[i]);
}

/* Not a byte of it changes. */
static void device_memory_is_not_written(struct kunit *test)
{
	static const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	size_t size = 256 * PAGE_SIZE;
	char *mem = mpool_kunit_memory(test, size);
	struct mpool_large *pool;
	struct rnd_state rnd;

	mpool_kunit_random(test, &rnd);
	mpool_kunit_fill(mem, size, 77);
	pool = new_region(test, mem, size, &io);
	random_use(pool, &rnd, 20000);
	KUNIT_EXPECT_GT(test, stat_of(pool, MPOOL_STAT_ALLOC), 1000);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(mem, size, 77));
	mpool_large_alloc(pool, 5 * PAGE_SIZE, NULL, GFP_KERNEL);
	mpool_large_clear(pool);
	destroy(test, pool);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_intact(mem, size, 77));
}

/* Nor is it read: there is nothing at these addresses. */
static void device_memory_is_not_read(struct kunit *test)
{
	static const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	struct mpool_large *pool = new_region(test, FAKE_BASE, SZ_1M, &io);
	struct mpool_whatis what;
	struct rnd_state rnd;
	void *p;

	mpool_kunit_random(test, &rnd);
	random_use(pool, &rnd, 20000);
	p = mpool_large_alloc(pool, 5 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	mpool_whatis(p + 5, &what);
	KUNIT_EXPECT_EQ(test, what.area, MPOOL_AREA_LIVE);
	KUNIT_EXPECT_EQ(test, what.offset, 5);
	/* Wrong frees, too. */
	mpool_large_free(pool, p + PAGE_SIZE);
	mpool_large_free(pool, p);
	mpool_large_free(pool, p);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_BAD_FREE), 2);
	mpool_large_alloc(pool, 1, NULL, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 1);
}

/* What would need to touch it is refused. */
static void device_memory_refuses(struct kunit *test)
{
	static const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	struct mpool_large *pool = new_region(test, FAKE_BASE, 64 * PAGE_SIZE,
					      &io);
	gfp_t zero = GFP_KERNEL | __GFP_ZERO;
	char *p, *wall;
	size_t real;

	KUNIT_EXPECT_NULL(test, mpool_large_alloc(pool, 1, &real, zero));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_EQ(test, stat_of(pool, MPOOL_STAT_FAIL), 1);
	p = mpool_large_alloc(pool, 2 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, 3 * PAGE_SIZE,
						    &real, zero));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_EQ(test, charged(pool), 2);
	/* In place it grows; elsewhere it would have to be copied. */
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 3 * PAGE_SIZE,
							 &real, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 3 * PAGE_SIZE);
	wall = mpool_large_alloc(pool, 1, NULL, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, wall, p + 3 * PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, mpool_large_realloc(pool, p, 4 * PAGE_SIZE,
						    &real, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, 0);
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(pool, p));
	KUNIT_EXPECT_EQ(test, charged(pool), 4);
	KUNIT_EXPECT_PTR_EQ(test, p, mpool_large_realloc(pool, p, 1, &real,
							 GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, real, PAGE_SIZE);
	mpool_large_free(pool, p);
	mpool_large_free(pool, wall);
	destroy(test, pool);
}

/* --- at 90 percent --- */

#define BUSY_PAGES	(SZ_1G / PAGE_SIZE)
#define BUSY_RUNS	16384
#define BUSY_OPS	1000000

/*
 * Runs of 1 to 64 pages come and go at random, 90 percent of 1 GiB in use:
 * fragmentation must not make one of them fail.
 */
static void churn_at_90_percent(struct kunit *test)
{
	void **p = kunit_kcalloc(test, BUSY_RUNS, sizeof(*p), GFP_KERNEL);
	u8 *len = kunit_kcalloc(test, BUSY_RUNS, sizeof(*len), GFP_KERNEL);
	unsigned int op, i, n = 0, allocs = 0, failed = 0, used = 0;
	struct mpool_large *pool = new_region(test, FAKE_BASE,
					      BUSY_PAGES * PAGE_SIZE, NULL);
	struct rnd_state rnd;

	KUNIT_ASSERT_TRUE(test, p && len);
	mpool_kunit_random(test, &rnd);
	for (op = 0; op < BUSY_OPS; op++) {
		size_t pages = 1 + mpool_kunit_below(&rnd, 64);

		/* Room for it is made where it happens to come about. */
		while (n && (used + pages > BUSY_PAGES * 9 / 10 ||
			     n == BUSY_RUNS)) {
			i = mpool_kunit_below(&rnd, n);
			mpool_large_free(pool, p[i]);
			used -= len[i];
			n--;
			p[i] = p[n];
			len[i] = len[n];
		}
		p[n] = mpool_large_alloc(pool, pages * PAGE_SIZE, NULL,
					 GFP_KERNEL);
		allocs++;
		if (!p[n]) {
			failed++;
			continue;
		}
		used += pages;
		len[n++] = pages;
		if (op % 200000)
			continue;
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		cond_resched();
	}
	kunit_info(test, "%u of %u failed, %u runs of %u pages at the end\n",
		   failed, allocs, n, used);
	KUNIT_EXPECT_EQ(test, failed, 0);
	KUNIT_EXPECT_EQ(test, allocs, BUSY_OPS);
	KUNIT_EXPECT_EQ(test, charged(pool), used);
	KUNIT_EXPECT_GE(test, used, BUSY_PAGES * 9 / 10 - 64);
	while (n--)
		mpool_large_free(pool, p[n]);
	KUNIT_EXPECT_EQ(test, largest(pool), BUSY_PAGES);
	destroy(test, pool);
}

/* --- no memory --- */

static void failed_create(struct kunit *test)
{
	unsigned int n, failed = 0, before = nr_pools();
	char *mem = mpool_kunit_memory(test, 2000 * PAGE_SIZE);
	struct mpool_large *pool;
	bool hit = true;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	for (n = 1; hit && n < 200; n++) {
		mpool_kunit_fail_nth(n);
		pool = mpool_large_create_region("kunit-region", mem,
						 2000 * PAGE_SIZE, NULL);
		hit = mpool_kunit_fail_end();
		if (IS_ERR(pool)) {
			KUNIT_EXPECT_TRUE(test, hit);
			KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
			failed++;
		} else {
			destroy(test, pool);
		}
		KUNIT_EXPECT_EQ(test, nr_pools(), before);
		KUNIT_EXPECT_EQ(test, word_at(mem), 0);
		KUNIT_EXPECT_EQ(test, word_at(mem + 1999 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
	}
	KUNIT_EXPECT_FALSE(test, hit);
	/* The pool and each of the four or five windows. */
	KUNIT_EXPECT_GE(test, failed, 5);
}

static void failed_add_region(struct kunit *test)
{
	char *mem = mpool_kunit_memory(test, 2100 * PAGE_SIZE);
	struct mpool_large *pool = new_region(test, mem, 100 * PAGE_SIZE, NULL);
	unsigned int n, failed = 0;
	bool hit = true;
	int err = 0;

	if (!MPOOL_KUNIT_CAN_FAIL) {
		destroy(test, pool);
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
	}
	for (n = 1; hit && n < 200; n++) {
		mpool_kunit_fail_nth(n);
		err = mpool_large_add_region(pool, mem + 100 * PAGE_SIZE,
					     2000 * PAGE_SIZE, NULL);
		hit = mpool_kunit_fail_end();
		if (!err) {
			/* Begin again. */
			KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 2100);
			destroy(test, pool);
			pool = new_region(test, mem, 100 * PAGE_SIZE, NULL);
			continue;
		}
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_TRUE(test, hit);
		KUNIT_EXPECT_EQ(test, pool->runs.nr_pages, 100);
		KUNIT_EXPECT_EQ(test, word_at(mem + 100 * PAGE_SIZE), 0);
		KUNIT_EXPECT_NE(test, word_at(mem + 99 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
		failed++;
	}
	KUNIT_EXPECT_FALSE(test, hit);
	KUNIT_EXPECT_GE(test, failed, 4);
	destroy(test, pool);
}

static void region_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_pagemap_verify(), 0);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE(wrong_arguments),
	KUNIT_CASE(too_much_to_describe),
	KUNIT_CASE(name_is_taken),
	KUNIT_CASE(ends_are_trimmed),
	KUNIT_CASE(overlaps_are_refused),
	KUNIT_CASE(system_memory_is_no_region),
	KUNIT_CASE(refused_region_leaves_no_trace),
	KUNIT_CASE(several_regions),
	KUNIT_CASE(exact_lengths),
	KUNIT_CASE(full_and_again),
	KUNIT_CASE(merged_with_the_run_before),
	KUNIT_CASE(destroyed_with_leaks),
	KUNIT_CASE(given_addresses),
	KUNIT_CASE(addresses_not_given),
	KUNIT_CASE(device_memory_is_not_written),
	KUNIT_CASE(device_memory_is_not_read),
	KUNIT_CASE(device_memory_refuses),
	KUNIT_CASE(churn_at_90_percent),
	KUNIT_CASE(failed_create),
	KUNIT_CASE(failed_add_region),
	{ }
};

static struct kunit_suite region_suite = {
	.name = "mpool_region",
	.exit = region_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = region_cases,
};

kunit_test_suite(region_suite);
