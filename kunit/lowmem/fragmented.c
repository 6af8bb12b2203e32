// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragmented memory: half of it is free, and no block is longer than one page,
 * two or four.
 *
 * What fits into such a block is served, whatever the kind of pool; what does
 * not is refused, unless the pool may have memory that is contiguous for the
 * CPU only.
 */
#include <linux/log2.h>

#include "large.h"
#include "lowmem.h"

static const unsigned int lengths[] = { 1, 2, 4 };

static void length_name(const unsigned int *len, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u pages", *len);
}

KUNIT_ARRAY_PARAM(length, lengths, length_name);

static unsigned int len_of(struct kunit *test)
{
	return *(const unsigned int *)test->param_value;
}

struct fragments {
	struct hog *hog;
	struct load *load;
};

/* Pools, and then the memory in pieces. */
static struct fragments *fragments_begin(struct kunit *test, u32 max)
{
	struct fragments *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->load = load_begin(test, max);
	f->hog = hog_begin(test);
	hog_fragment(f->hog, len_of(test));
	KUNIT_EXPECT_GT(test, f->hog->pages, 1000);
	return f;
}

static void fragments_end(struct kunit *test, struct fragments *f,
			  const char *what)
{
	kunit_info(test, "blocks of %u: %u %s served, %u refused\n",
		   len_of(test), f->load->served, what, f->load->refused);
	load_end(test, f->load);
	hog_end(test, f->hog);
}

static const u8 run_pages[] = {
	1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64
};

/* Runs as long as a block are served, and much longer ones are not. */
static void runs_as_long_as_blocks(struct kunit *test)
{
	struct fragments *f = fragments_begin(test, 4 * ARRAY_SIZE(run_pages));
	unsigned int i, served = 0, refused = 0, len = len_of(test);

	for (i = 0; i < 4 * ARRAY_SIZE(run_pages); i++) {
		u32 pages = run_pages[i / 4];
		bool good = load_take(f->load, LOAD_LARGE, pages * PAGE_SIZE,
				      GFP_QUIET);

		if (pages <= len)
			served += good;
		/* Pages that others free may make a block of a few. */
		else if (pages > 8 * len)
			refused += !good;
		else
			continue;
		KUNIT_EXPECT_EQ_MSG(test, good, pages <= len, "%u pages",
				    pages);
	}
	KUNIT_EXPECT_EQ(test, served, 4 * len);
	/* 33, 63 and 64 are always much longer. */
	KUNIT_EXPECT_GE(test, refused, 4 * 3);
	KUNIT_EXPECT_EQ(test, f->load->large->base.fail.size, 64 * PAGE_SIZE);
	KUNIT_EXPECT_LE(test, f->load->large->base.fail.largest, 16 * len);
	fragments_end(test, f, "runs");
}

/* Longer than any block, and longer than any block can be. */
static void virt_has_any_length(struct kunit *test)
{
	struct fragments *f = fragments_begin(test, 2 * ARRAY_SIZE(run_pages));
	static const u32 longer[] = { 600, 1024, 1100 };
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(run_pages); i++)
		KUNIT_EXPECT_TRUE_MSG(test,
				      load_take(f->load, LOAD_VIRT,
						run_pages[i / 2] * PAGE_SIZE,
						GFP_QUIET),
				      "%u pages", run_pages[i / 2]);
	KUNIT_EXPECT_EQ(test, f->load->n, 2 * ARRAY_SIZE(run_pages));
	load_give_all(f->load);
	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		KUNIT_EXPECT_FALSE(test, load_take(f->load, LOAD_LARGE,
						   longer[i] * PAGE_SIZE,
						   GFP_QUIET));
		KUNIT_EXPECT_TRUE_MSG(test,
				      load_take(f->load, LOAD_VIRT,
						longer[i] * PAGE_SIZE,
						GFP_QUIET),
				      "%u pages", longer[i]);
		load_give_all(f->load);
		mpool_large_trim(f->load->virt);
	}
	fragments_end(test, f, "runs");
}

#define OBJECTS	200

/* Whatever fits into a page is served: that chunks like to be longer is no wall. */
static void objects_need_a_page(struct kunit *test)
{
	struct fragments *f = fragments_begin(test, 4000);
	struct load *load = f->load;
	struct rnd_state rnd;
	unsigned int i, size;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < OBJECTS * LOAD_SIZES; i++)
		load_take(load, LOAD_FIXED, load_size[i / OBJECTS], GFP_QUIET);
	KUNIT_EXPECT_EQ(test, load->served, OBJECTS * LOAD_SIZES);
	for (i = 0; i < OBJECTS; i++) {
		size = 1 + mpool_kunit_below(&rnd, PAGE_SIZE);
		load_take(load, LOAD_SMALL, size, GFP_QUIET);
		load_take(load, LOAD_GLOBAL, size, GFP_QUIET);
		load_take(load, LOAD_STRING, 10 + size % (LOAD_TEXT - 10),
			  GFP_QUIET);
	}
	KUNIT_EXPECT_EQ(test, load->served, OBJECTS * (LOAD_SIZES + 3));
	KUNIT_EXPECT_EQ(test, load->refused, 0);
	fragments_end(test, f, "objects");
}

/* What does not fit is served or refused, and what is refused is explained. */
static void objects_beyond_a_block(struct kunit *test)
{
	struct fragments *f = fragments_begin(test, 1000);
	struct load *load = f->load;
	struct rnd_state rnd;
	unsigned int i, refused = 0;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < OBJECTS; i++) {
		u32 size = PAGE_SIZE * len_of(test) + 1 +
			   mpool_kunit_below(&rnd, 64000 * len_of(test));
		enum load_kind kind = i % 2 ? LOAD_SMALL : LOAD_GLOBAL;
		const struct mpool_failure *fail =
			&load_pool(load, kind, size)->fail;

		if (load_take(load, kind, size, GFP_QUIET))
			continue;
		refused += size > 8 * PAGE_SIZE * len_of(test);
		KUNIT_EXPECT_GE(test, fail->size, size);
		/* What stands in for a class that was never made. */
		KUNIT_EXPECT_LE(test, fail->size, roundup_pow_of_two(size));
	}
	/* Half of all, or a third, are much longer than any block. */
	KUNIT_EXPECT_GE(test, refused, OBJECTS / 5);
	fragments_end(test, f, "objects");
}

static struct kunit_case fragmented_cases[] = {
	KUNIT_CASE_PARAM(runs_as_long_as_blocks, length_gen_params),
	KUNIT_CASE_PARAM(virt_has_any_length, length_gen_params),
	KUNIT_CASE_PARAM(objects_need_a_page, length_gen_params),
	KUNIT_CASE_PARAM(objects_beyond_a_block, length_gen_params),
	{ }
};

static struct kunit_suite fragmented_suite = {
	.name = "mpool_lowmem_fragmented",
	.init = lowmem_init_case,
	.exit = lowmem_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = fragmented_cases,
};

kunit_test_suite(fragmented_suite);
