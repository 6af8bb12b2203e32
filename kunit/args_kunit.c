// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments that can be no address, for each pointer that a public function takes: NULL
 * where it has no meaning, error pointers, small numbers.
 *
 * Each is refused with the error that the function has, and nothing faults or changes.
 * Addresses that are freed are in badfree_kunit.c, with any value.
 */
#include <linux/gfp.h>
#include <linux/string.h>

#include "global.h"
#include "helpers.h"
#include "large.h"
#include "strpool.h"

/* Arguments; the first is left out where NULL has a meaning. */
static void * const nothings[] = {
	NULL, (void *)8, (void *)(PAGE_SIZE - 1), (void *)-(long)ENOMEM,
	(void *)-1l, (void *)-(long)MAX_ERRNO,
};

/* A pool of each kind, for functions that want one and something else. */
struct pools {
	struct mpool_large *large;	/* a region */
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct mpool_string *string;
};

static bool large_name(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_large_create(p, NULL)) == -EINVAL;
}

static bool large_args(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_large_create("kt-args", p)) == -EINVAL;
}

static bool large_site(struct pools *pools, void *p)
{
	return PTR_ERR(__mpool_large_create("kt-args", NULL, p)) == -EINVAL;
}

static bool region_name(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_large_create_region(p, pools, SZ_1M, NULL)) == -EINVAL;
}

static bool region_base(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_large_create_region("kt-args", p, SZ_1M, NULL)) == -EINVAL;
}

static bool region_args(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_large_create_region("kt-args", pools, SZ_1M, p)) == -EINVAL;
}

static bool add_region_base(struct pools *pools, void *p)
{
	return mpool_large_add_region(pools->large, p, SZ_1M, NULL) == -EINVAL;
}

static bool add_region_args(struct pools *pools, void *p)
{
	return mpool_large_add_region(pools->large, pools, SZ_1M, p) == -EINVAL;
}

static bool remove_region(struct pools *pools, void *p)
{
	return mpool_large_remove_region(pools->large, p) == -ENOENT;
}

static bool place(struct pools *pools, void *p)
{
	size_t real = 1;

	return !mpool_large_alloc_placed(pools->large, 1, p, &real, GFP_KERNEL) && !real;
}

static bool large_phys(struct pools *pools, void *p)
{
	return mpool_large_phys(pools->large, p) == MPOOL_NO_PHYS &&
	       mpool_large_dma(pools->large, p) == MPOOL_NO_DMA;
}

static bool fixed_name(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_fixed_create(p, 8, NULL)) == -EINVAL;
}

static bool fixed_args(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_fixed_create("kt-args", 8, p)) == -EINVAL;
}

static bool fixed_site(struct pools *pools, void *p)
{
	return PTR_ERR(__mpool_fixed_create("kt-args", 8, NULL, p)) == -EINVAL;
}

static bool alloc_bulk(struct pools *pools, void *p)
{
	return !mpool_fixed_alloc_bulk(pools->fixed, GFP_KERNEL, 3, p) &&
	       !mpool_fixed_live(pools->fixed);
}

static bool free_bulk(struct pools *pools, void *p)
{
	mpool_fixed_free_bulk(pools->fixed, 3, p);
	return !mpool_kunit_bad(&pools->fixed->base);
}

static bool walk(struct pools *pools, void *p)
{
	void *obj = mpool_fixed_alloc(pools->fixed, GFP_KERNEL);
	int ret = mpool_fixed_walk(pools->fixed, p, NULL);

	mpool_fixed_free(pools->fixed, obj);
	return ret == -EINVAL;
}

static bool callbacks(struct pools *pools, void *p)
{
	struct mpool_fixed_args ctor = { .ctor = p }, dtor = { .dtor = p };
	struct mpool_large_args soft = { .soft_pages = 1, .on_soft = p };
	struct mpool_large_args low = { .max_pages = 2, .low_pages = 1, .on_low = p };

	return PTR_ERR(mpool_fixed_create("kt-args", 8, &ctor)) == -EINVAL &&
	       PTR_ERR(mpool_fixed_create("kt-args", 8, &dtor)) == -EINVAL &&
	       PTR_ERR(mpool_large_create("kt-args", &soft)) == -EINVAL &&
	       PTR_ERR(mpool_large_create("kt-args", &low)) == -EINVAL;
}

static bool small_name(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_small_create(p, NULL)) == -EINVAL;
}

static bool small_args(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_small_create("kt-args", p)) == -EINVAL;
}

static bool small_site(struct pools *pools, void *p)
{
	return PTR_ERR(__mpool_small_create("kt-args", NULL, p)) == -EINVAL;
}

static bool string_name(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_string_create(p, NULL)) == -EINVAL;
}

static bool string_args(struct pools *pools, void *p)
{
	return PTR_ERR(mpool_string_create("kt-args", p)) == -EINVAL;
}

static bool string_site(struct pools *pools, void *p)
{
	return PTR_ERR(__mpool_string_create("kt-args", NULL, p)) == -EINVAL;
}

static bool string_get(struct pools *pools, void *p)
{
	return !mpool_string_get(pools->string, p, GFP_KERNEL) &&
	       !mpool_string_getn(pools->string, p, 5, GFP_KERNEL) &&
	       !mpool_string_getn(pools->string, p, SIZE_MAX, GFP_KERNEL);
}

static bool string_has(struct pools *pools, void *p)
{
	return !mpool_string_has(pools->string, p);
}

static bool whatis(struct pools *pools, void *p)
{
	void *obj = mpool_fixed_alloc(pools->fixed, GFP_KERNEL);
	bool what = mpool_whatis(obj, p);

	mpool_fixed_free(pools->fixed, obj);
	return !what;
}

static bool owns(struct pools *pools, void *p)
{
	return !mpool_owns(p) && !mpool_usable_size(p) &&
	       !mpool_large_owns(pools->large, p) &&
	       !mpool_fixed_owns(pools->fixed, p) &&
	       !mpool_small_owns(pools->small, p);
}

static const struct {
	const char *name;
	bool (*refused)(struct pools *pools, void *p);
	bool null_is_fine;
} functions[] = {
	{ "mpool_large_create, name", large_name },
	{ "mpool_large_create, args", large_args, true },
	{ "mpool_large_create, site", large_site },
	{ "mpool_large_create_region, name", region_name },
	{ "mpool_large_create_region, base", region_base },
	{ "mpool_large_create_region, args", region_args, true },
	{ "mpool_large_add_region, base", add_region_base },
	{ "mpool_large_add_region, args", add_region_args, true },
	{ "mpool_large_remove_region, base", remove_region },
	{ "mpool_large_alloc_placed, place", place, true },
	{ "mpool_large_phys, p", large_phys },
	{ "mpool_fixed_create, name", fixed_name },
	{ "mpool_fixed_create, args", fixed_args, true },
	{ "mpool_fixed_create, site", fixed_site },
	{ "mpool_fixed_alloc_bulk, objs", alloc_bulk },
	{ "mpool_fixed_free_bulk, objs", free_bulk },
	{ "mpool_fixed_walk, fn", walk },
	{ "callbacks of pools", callbacks, true },
	{ "mpool_small_create, name", small_name },
	{ "mpool_small_create, args", small_args, true },
	{ "mpool_small_create, site", small_site },
	{ "mpool_string_create, name", string_name },
	{ "mpool_string_create, args", string_args, true },
	{ "mpool_string_create, site", string_site },
	{ "mpool_string_get, s", string_get },
	{ "mpool_string_has, s", string_has },
	{ "mpool_whatis, what", whatis },
	{ "mpool_owns, p", owns },
};

static void no_addresses(struct kunit *test)
{
	struct pools pools = {
		.large = mpool_kunit_region(test, "kt-large", 8),
		.fixed = mpool_kunit_fixed(test, "kt-fixed", 64, NULL),
		.small = mpool_kunit_small(test, "kt-small", NULL),
		.string = mpool_kunit_string(test, "kt-string", NULL),
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		for (j = functions[i].null_is_fine; j < ARRAY_SIZE(nothings); j++)
			KUNIT_EXPECT_TRUE_MSG(test,
					      functions[i].refused(&pools, nothings[j]),
					      "%s: %ld", functions[i].name,
					      (long)nothings[j]);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-args"));
	/* The pools go on. */
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pools.large), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pools.fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pools.string), 0);
}

/* One reason, which is the right one. */
static void wrong_names(struct kunit *test)
{
	static const struct {
		const char *name, *wrong;
	} names[] = {
		{ NULL, "NULL" }, { (void *)12, "no address" }, { "", "empty" },
		{ "a b", "blank" }, { "a\tb", "blank" }, { "a/b", "'/'" },
		{ "a~1", "'~'" }, { "a\x01", "printable" }, { "\xc3\xa4", "printable" },
		{ "pools", "reserved" }, { "..", "reserved" }, { "a.json", "reserved" },
		{ "a23456789012345678901234567890123456789012345678",
		  "longer than 47 characters" },
	};
	const char *wrong;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		wrong = mpool_name_wrong(names[i].name);
		KUNIT_ASSERT_NOT_NULL(test, wrong);
		KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(wrong, names[i].wrong),
					  "%u: %s", i, wrong);
	}
	KUNIT_EXPECT_NULL(test, mpool_name_wrong(names[i - 1].name + 1));
	KUNIT_EXPECT_NULL(test, mpool_name_wrong("a"));
}

/* An empty array is none, whatever its address. */
static void nothing_of_nothing(struct kunit *test)
{
	struct mpool_fixed *fixed = mpool_kunit_fixed(test, "kt-fixed", 64, NULL);

	KUNIT_EXPECT_EQ(test,
			mpool_fixed_alloc_bulk(fixed, GFP_KERNEL, 0, NULL), 0);
	mpool_fixed_free_bulk(fixed, 0, NULL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(fixed), 0);
}

/* A struct of arguments may stand in the call, commas and all. */
static void literal_args(struct kunit *test)
{
	struct mpool_large *large, *region;
	struct mpool_fixed *fixed, *type;
	struct mpool_string *string;
	struct mpool_small *small;

	large = mpool_large_create("kt-large", &(struct mpool_large_args){
			.max_pages = 100, .soft_pages = 10 });
	KUNIT_ASSERT_FALSE(test, IS_ERR(large));
	region = mpool_large_create_region("kt-region", (void *)MPOOL_KUNIT_NOWHERE,
					   SZ_1M, &(struct mpool_region_args){
			.flags = MPOOL_REGION_IO, .max_pages = 3 });
	KUNIT_EXPECT_FALSE(test, IS_ERR(region));
	fixed = mpool_fixed_create("kt-fixed", 64, &(struct mpool_fixed_args){
			.max_objects = 10, .large = large });
	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed));
	KUNIT_EXPECT_EQ(test, fixed->chunks.max_objects, 10);
	KUNIT_EXPECT_PTR_EQ(test, large, fixed->chunks.large);
	type = mpool_fixed_create_type(struct list_head, &(struct mpool_fixed_args){
			.max_objects = 10, .reserve = 2 });
	KUNIT_EXPECT_FALSE(test, IS_ERR(type));
	small = mpool_small_create("kt-small", &(struct mpool_small_args){
			.flags = MPOOL_SMALL_NO_CACHE, .large = large });
	KUNIT_EXPECT_FALSE(test, IS_ERR(small));
	string = mpool_string_create("kt-string", &(struct mpool_string_args){
			.on_leak = MPOOL_ON_LEAK_KEEP, .large = large });
	KUNIT_EXPECT_FALSE(test, IS_ERR(string));
	mpool_string_destroy(string);
	mpool_small_destroy(small);
	mpool_fixed_destroy(type);
	mpool_fixed_destroy(fixed);
	mpool_large_destroy(region);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-large"));
}

static void walk_of_no_pool(void *none)
{
	mpool_fixed_walk(none, NULL, NULL);
	mpool_fixed_clear(none);
	mpool_small_clear(none);
	mpool_string_clear(none);
	mpool_large_clear(none);
}

/* Functions of a pool that is none. */
static void no_pools(struct kunit *test)
{
	void *none[] = { NULL, ERR_PTR(-ENOMEM), ERR_PTR(-1) };
	unsigned int i;
	void *obj;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_NULL(test, mpool_large_alloc(none[i], 1, NULL, GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_large_alloc_aligned(none[i], 1, 8, NULL,
								  GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_large_alloc_placed(none[i], 1, none[i], NULL,
								 GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, mpool_large_remove_region(none[i], &none),
				-EINVAL);
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(none[i], GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_fixed_zalloc(none[i], GFP_KERNEL));
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_alloc_bulk(none[i], GFP_KERNEL, 1,
						       &obj), 0);
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_reserve(none[i], 1, GFP_KERNEL),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(none[i]), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_size(none[i]), 0);
		KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(none[i], &none));
		KUNIT_EXPECT_NULL(test, mpool_small_alloc(none[i], 1, GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_small_realloc(none[i], NULL, 1, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test,
				mpool_small_reserve(none[i], 8, 1, GFP_KERNEL),
				-EINVAL);
		KUNIT_EXPECT_FALSE(test, mpool_small_owns(none[i], &none));
		KUNIT_EXPECT_NULL(test, mpool_string_get(none[i], "a", GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_string_getn(none[i], "a", 1, GFP_KERNEL));
		KUNIT_EXPECT_FALSE(test, mpool_string_has(none[i], "a"));
		KUNIT_EXPECT_EQ(test, mpool_set_global(none[i]), -EINVAL);
		walk_of_no_pool(none[i]);
		mpool_large_free(none[i], &none);
		mpool_fixed_free(none[i], &none);
		mpool_fixed_free_bulk(none[i], 1, &obj);
		mpool_small_free(none[i], &none);
		mpool_string_put(none[i], "a");
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_destroy(none[i]) +
				mpool_small_destroy(none[i]) +
				mpool_string_destroy(none[i]) +
				mpool_large_destroy(none[i]), 0);
	}
}

static struct kunit_case args_cases[] = {
	KUNIT_CASE(no_addresses),
	KUNIT_CASE(wrong_names),
	KUNIT_CASE(literal_args),
	KUNIT_CASE(nothing_of_nothing),
	KUNIT_CASE(no_pools),
	{ }
};

static struct kunit_suite args_suite = {
	.name = "mpool_args",
	.suite_exit = mpool_kunit_verified,
	.test_cases = args_cases,
};

kunit_test_suite(args_suite);
