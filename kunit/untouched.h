/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that can be done with a region of memory that must not be touched,
 * for the suites of UML and for kernels that have no KUnit.
 */
#ifndef _MPOOL_KUNIT_UNTOUCHED_H
#define _MPOOL_KUNIT_UNTOUCHED_H

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mpool.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define UNTOUCHED_PAGES	64

/* The pages of an area that is mapped without any right. */
struct untouched {
	struct page *pages[UNTOUCHED_PAGES];
	char *base;
};

static inline bool untouched_begin(struct untouched *u)
{
	unsigned int i;

	u->base = NULL;
	for (i = 0; i < UNTOUCHED_PAGES; i++) {
		u->pages[i] = alloc_page(GFP_KERNEL);
		if (!u->pages[i])
			break;
	}
	if (i == UNTOUCHED_PAGES)
		u->base = vmap(u->pages, UNTOUCHED_PAGES, VM_MAP, PAGE_NONE);
	while (!u->base && i--)
		__free_page(u->pages[i]);
	return u->base;
}

static inline void untouched_end(struct untouched *u)
{
	unsigned int i;

	vunmap(u->base);
	for (i = 0; i < UNTOUCHED_PAGES; i++)
		__free_page(u->pages[i]);
}

/* Keeps the first thing that did not hold, in "wrong". */
#define UNTOUCHED(cond)	(wrong = wrong ?: (cond) ? NULL : #cond)

static inline const char *untouched_runs(struct mpool_large *pool, char *base)
{
	const char *wrong = NULL;
	static const struct mpool_place place = { .align = 8 * PAGE_SIZE,
						  .boundary = 16 * PAGE_SIZE };
	struct mpool_whatis what;
	unsigned int i, n = 0;
	char *p[8];
	size_t real;

	for (i = 0; i < 8; i++) {
		p[i] = i == 3 ? mpool_large_alloc_aligned(pool, PAGE_SIZE,
							  4 * PAGE_SIZE, &real,
							  GFP_KERNEL) :
		       i == 5 ? mpool_large_alloc_placed(pool, 9 * PAGE_SIZE,
							 &place, &real,
							 GFP_KERNEL) :
		       mpool_large_alloc(pool, (1 + i) * PAGE_SIZE - 1, &real,
					 GFP_KERNEL);
		UNTOUCHED(p[i] && mpool_large_owns(pool, p[i]));
		UNTOUCHED(p[i] >= base &&
			  p[i] + real <= base + UNTOUCHED_PAGES * PAGE_SIZE);
		UNTOUCHED(mpool_usable_size(p[i]) == real);
		UNTOUCHED(mpool_whatis(p[i] + 5, &what) && what.offset == 5);
	}
	UNTOUCHED(!mpool_large_alloc(pool, 1, &real, GFP_KERNEL | __GFP_ZERO));
	UNTOUCHED(mpool_large_realloc(pool, p[7], PAGE_SIZE, &real,
				      GFP_KERNEL) == p[7]);
	UNTOUCHED(mpool_large_realloc(pool, p[7], 2 * PAGE_SIZE, &real,
				      GFP_KERNEL) == p[7]);
	/* In place it cannot, and it is not copied. */
	UNTOUCHED(!mpool_large_realloc(pool, p[0], 40 * PAGE_SIZE, &real,
				       GFP_KERNEL));
	/* Wrong frees: in the middle, of a page that is free, by others, twice. */
	mpool_large_free(pool, p[4] + PAGE_SIZE);
	mpool_free(p[4] + 1);
	mpool_large_free(pool, base + UNTOUCHED_PAGES * PAGE_SIZE - 1);
	for (i = 0; i < UNTOUCHED_PAGES; i++)
		n += mpool_owns(base + i * PAGE_SIZE);
	UNTOUCHED(n == 8);
	mpool_large_free(pool, p[2]);
	mpool_large_free(pool, p[2]);
	mpool_free(p[6]);
	UNTOUCHED(!mpool_large_owns(pool, p[6]));
	mpool_large_clear(pool);
	UNTOUCHED(!mpool_large_owns(pool, p[0]));
	return wrong;
}

static inline int untouched_visit(void *obj, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

/* Objects, whose states are not in them. */
static inline const char *untouched_objects(struct mpool_large *pool)
{
	const char *wrong = NULL;
	const struct mpool_fixed_args args = {
		.large = pool, .on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_fixed *fixed;
	unsigned int i, n = 0;
	void *obj[20];

	fixed = mpool_fixed_create("untouched-objects", 1000, &args);
	UNTOUCHED(!IS_ERR(fixed));
	for (i = 0; i < 20; i++) {
		obj[i] = mpool_fixed_alloc(fixed, GFP_KERNEL);
		UNTOUCHED(obj[i] && mpool_fixed_owns(fixed, obj[i]));
	}
	mpool_fixed_walk(fixed, untouched_visit, &n);
	UNTOUCHED(n == 20);
	mpool_fixed_free(fixed, obj[0] + 8);
	for (i = 0; i < 19; i++)
		mpool_fixed_free(fixed, obj[i]);
	mpool_fixed_free(fixed, obj[3]);
	UNTOUCHED(mpool_fixed_destroy(fixed) == 1);
	return wrong;
}

/* Objects of any size: they grow and shrink where they are, and are not moved. */
static inline const char *untouched_sizes(struct mpool_large *pool)
{
	static const size_t sizes[] = { 1, 100, 5000, 9000, 20000, 50000 };
	const struct mpool_small_args args = {
		.large = pool, .on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	const char *wrong = NULL;
	struct mpool_small *small;
	char *p[ARRAY_SIZE(sizes)];
	unsigned int i;

	small = mpool_small_create("untouched-sizes", &args);
	UNTOUCHED(!IS_ERR(small));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = mpool_small_alloc(small, sizes[i], GFP_KERNEL);
		UNTOUCHED(p[i] && mpool_small_owns(small, p[i]));
		UNTOUCHED(!mpool_small_zalloc(small, sizes[i], GFP_KERNEL));
		UNTOUCHED(mpool_small_realloc(small, p[i], sizes[i],
					      GFP_KERNEL) == p[i]);
		UNTOUCHED(!mpool_small_realloc(small, p[i], sizes[i],
					       GFP_KERNEL | __GFP_ZERO));
		UNTOUCHED(mpool_small_owns(small, p[i]));
	}
	/* In place, both ways, and what would have to move. */
	UNTOUCHED(mpool_small_realloc(small, p[5], 60000, GFP_KERNEL) == p[5]);
	UNTOUCHED(mpool_small_realloc(small, p[5], 18000, GFP_KERNEL) == p[5]);
	UNTOUCHED(!mpool_small_realloc(small, p[0], 8000, GFP_KERNEL));
	UNTOUCHED(mpool_realloc(p[4], 100, GFP_KERNEL) == p[4]);
	UNTOUCHED(mpool_realloc(p[2], 10, GFP_KERNEL) == p[2]);
	UNTOUCHED(!mpool_small_realloc(small, p[5], UNTOUCHED_PAGES * PAGE_SIZE,
				       GFP_KERNEL));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		UNTOUCHED(mpool_small_owns(small, p[i]));
	mpool_small_free(small, p[1] + 8);
	mpool_small_free(small, p[1]);
	mpool_small_free(small, p[1]);
	mpool_free(p[3]);
	UNTOUCHED(!mpool_small_owns(small, p[3]));
	UNTOUCHED(mpool_small_destroy(small) == 4);
	return wrong;
}

/* Strings are written and read, which is refused. */
static inline const char *untouched_strings(struct mpool_large *pool)
{
	const struct mpool_string_args args = { .large = pool };
	const char *wrong = NULL;

	UNTOUCHED(mpool_string_create("untouched-strings", &args) ==
		  ERR_PTR(-EINVAL));
	return wrong;
}

/* A string pool that was there before its large pool had a device's memory. */
static inline const char *untouched_later(struct untouched *u)
{
	const struct mpool_region_args io = { .flags = MPOOL_REGION_IO };
	size_t size = UNTOUCHED_PAGES * PAGE_SIZE;
	char *mem = vmalloc(4 * PAGE_SIZE);
	struct mpool_string_args args = { };
	struct mpool_string *strings;
	const char *wrong = NULL;
	const char *s;

	UNTOUCHED(mem);
	if (!mem)
		return wrong;
	args.large = mpool_large_create_region("untouched-later", mem,
					       4 * PAGE_SIZE, NULL);
	strings = mpool_string_create("untouched-strings", &args);
	UNTOUCHED(!IS_ERR(strings));
	s = mpool_string_get(strings, "before", GFP_KERNEL);
	UNTOUCHED(s);
	UNTOUCHED(!mpool_large_add_region(args.large, u->base, size, &io));
	UNTOUCHED(!mpool_string_get(strings, "after", GFP_KERNEL));
	UNTOUCHED(mpool_string_get(strings, "before", GFP_KERNEL) == s);
	mpool_string_put(strings, s);
	mpool_string_put(strings, s);
	UNTOUCHED(mpool_string_destroy(strings) == 0);
	mpool_large_destroy(args.large);
	vfree(mem);
	return wrong;
}

/* What went wrong, or NULL.  Whoever touches the region ends the machine. */
static inline const char *untouched_use(struct untouched *u)
{
	const struct mpool_region_args args = {
		.flags = MPOOL_REGION_IO | MPOOL_REGION_PHYS,
		.phys = 0x40000000, .on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	size_t size = UNTOUCHED_PAGES * PAGE_SIZE;
	struct mpool_large *pool;
	const char *wrong = NULL;

	pool = mpool_large_create_region("untouched", u->base, size, &args);
	UNTOUCHED(!IS_ERR(pool));
	wrong = wrong ?: untouched_runs(pool, u->base);
	if (wrong)
		return wrong;
	UNTOUCHED(!mpool_large_remove_region(pool, u->base));
	UNTOUCHED(!mpool_large_add_region(pool, u->base, size, &args));
	UNTOUCHED(mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL));
	UNTOUCHED(mpool_large_remove_region(pool, u->base) == -EBUSY);
	/* It is reported, and taken back. */
	UNTOUCHED(mpool_large_destroy(pool) == 1);
	pool = mpool_large_create_region("untouched", u->base, size, &args);
	UNTOUCHED(!IS_ERR(pool));
	wrong = wrong ?: untouched_objects(pool);
	wrong = wrong ?: untouched_sizes(pool);
	wrong = wrong ?: untouched_strings(pool);
	mpool_large_destroy(pool);
	/* What still has memory there would have it taken away. */
	UNTOUCHED(!mpool_owns(u->base));
	return wrong ?: untouched_later(u);
}

#endif /* _MPOOL_KUNIT_UNTOUCHED_H */
