// SPDX-License-Identifier: GPL-2.0-only
/* The picture of a large pool, character by character. */
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"
#include "helpers.h"
#include "map.h"

#define NAME	"kt-map"

/* Addresses where nothing is: what is device memory is not touched. */
#define FAKE_BASE	((void *)MPOOL_KUNIT_NOWHERE)

static struct mpool_out *out_new(struct kunit *test, size_t size)
{
	struct mpool_out *out = kunit_kzalloc(test, sizeof(*out), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, out);
	out->buf = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out->buf);
	out->size = size;
	return out;
}

static void draw(struct mpool_out *out, struct mpool_large *pool)
{
	struct mpool_arena *arena;
	unsigned int number = 0;

	out->len = 0;
	rcu_read_lock();
	list_for_each_entry_rcu(arena, &pool->arenas, list)
		mpool_map_arena(out, arena, number++);
	rcu_read_unlock();
}

struct want {
	char map[17];
	char text[64];
};

static void want_is(struct kunit *test, struct want *want,
		    struct mpool_out *out, struct mpool_large *pool)
{
	snprintf(want->text, sizeof(want->text),
		 "\narena 0: 16 pages, %lu free\n%s\n",
		 mpool_kunit_free_pages(&pool->runs), want->map);
	draw(out, pool);
	KUNIT_EXPECT_STREQ(test, out->buf, want->text);
}

/* What is where, as it is drawn at each step. */
static void known_layout(struct kunit *test)
{
	struct mpool_large *pool = mpool_kunit_region(test, NAME, 16);
	struct mpool_fixed_args args = { .large = pool };
	struct want want = { .map = "................" };
	struct mpool_out *out = out_new(test, 1024);
	struct mpool_fixed *fixed;
	struct mpool_chunk *chunk;
	void *run, *obj;
	u32 at;

	want_is(test, &want, out, pool);
	run = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	memcpy(want.map, "Rrr", 3);
	want_is(test, &want, out, pool);
	fixed = mpool_kunit_fixed(test, "kt-map-obj", PAGE_SIZE, &args);
	obj = mpool_fixed_alloc(fixed, GFP_KERNEL);
	chunk = mpool_chunk_find(obj);
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	at = mpool_page_index(chunk->pg);
	memset(want.map + at, 'c', chunk->pg->len);
	want.map[at] = 'C';
	want_is(test, &want, out, pool);
	mpool_large_free(pool, run);
	memcpy(want.map, ",,,", 3);
	want_is(test, &want, out, pool);
	/* Who asks for the longest run has what is kept merged. */
	mpool_map_header(out, pool);
	KUNIT_EXPECT_NOT_NULL(test, strstr(out->buf, "\n16 pages, "));
	memcpy(want.map, "...", 3);
	want_is(test, &want, out, pool);
	mpool_fixed_free(fixed, obj);
}

static unsigned int count_of(const char *text, const char *chars)
{
	unsigned int n = 0;

	while (*text)
		n += !!strchr(chars, *text++);
	return n;
}

#define RANDOM_PAGES	300
#define RANDOM_RUNS	60
#define RANDOM_OPS	2000

/* Whatever comes and goes, the characters add up. */
static void characters_add_up(struct kunit *test)
{
	struct mpool_large *pool = mpool_kunit_region(test, NAME, RANDOM_PAGES);
	struct mpool_out *out = out_new(test, 4096);
	void *run[RANDOM_RUNS] = { NULL };
	unsigned int op, bad = 0, live;
	struct rnd_state rnd;
	const char *map;
	u32 i, len;

	mpool_kunit_random(test, &rnd);
	for (op = 0; op < RANDOM_OPS; op++) {
		i = mpool_kunit_below(&rnd, RANDOM_RUNS);
		if (run[i])
			mpool_large_free(pool, run[i]);
		len = 1 + mpool_kunit_below(&rnd, 12);
		run[i] = NULL;
		if (op % 3)
			run[i] = mpool_large_alloc(pool, len * PAGE_SIZE, NULL,
						   GFP_KERNEL | __GFP_NOWARN);
		draw(out, pool);
		map = strstr(out->buf, "free\n") + 5;
		for (i = 0, live = 0; i < RANDOM_RUNS; i++)
			live += !!run[i];
		bad += count_of(map, "Rr.,") != RANDOM_PAGES;
		bad += count_of(map, ".,") != mpool_kunit_free_pages(&pool->runs);
		bad += count_of(map, "R") != live;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	for (i = 0; i < RANDOM_RUNS; i++)
		if (run[i])
			mpool_large_free(pool, run[i]);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(pool), 0);
}

/* Three pages to a character, because two would be some characters too many. */
static void long_arena_has_a_scale(struct kunit *test)
{
	static const char want[] =
		"arena 0: 8193 pages, 8188 free, 3 to a character\nr+..";
	struct mpool_region_args args = { .flags = MPOOL_REGION_IO };
	struct mpool_out *out = out_new(test, 8192);
	struct mpool_large *pool;
	void *run;

	pool = mpool_large_create_region(NAME, FAKE_BASE, 8193 * PAGE_SIZE,
					 &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	run = mpool_large_alloc(pool, 5 * PAGE_SIZE, NULL, GFP_KERNEL);
	draw(out, pool);
	KUNIT_EXPECT_NOT_NULL(test, strstr(out->buf, want));
	/* 2731 characters, 64 a line. */
	KUNIT_EXPECT_EQ(test, strlen(strstr(out->buf, "\nr+") + 1), 2731 + 43);
	mpool_large_free(pool, run);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(pool), 0);
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE(known_layout),
	KUNIT_CASE(characters_add_up),
	KUNIT_CASE(long_arena_has_a_scale),
	{}
};

static struct kunit_suite map_suite = {
	.name = "mpool_map",
	.suite_exit = mpool_kunit_verified,
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);

MODULE_LICENSE("GPL");
