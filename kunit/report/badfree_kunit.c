// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad frees: every kind of wrong address to every function that takes one.
 *
 * Each is refused and counted, nothing changes, and the pools go on.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "helpers.h"
#include "whatis.h"

#define OBJ	1000
#define RUN	40000

/* One pool of each kind with one live object, and what belongs to others. */
struct zoo {
	struct mpool_large *large;
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct mpool_string *string;
	u8 *run, *obj, *little, *much;
	const char *s;
	/* Not live any more. */
	u8 *was_run, *was_obj, *was_little, *was_much;
	u8 *slab, *area, *page;
	unsigned int got;	/* by a realloc that should have failed */
};

/* Functions that take an address, and the pool that counts the refusal. */
enum how {
	HOW_FREE, HOW_REALLOC, HOW_LARGE, HOW_LARGE_REALLOC, HOW_FIXED,
	HOW_FIXED_BULK, HOW_SMALL, HOW_SMALL_REALLOC, HOW_STRING, NR_HOW
};

static const char * const how_names[NR_HOW] = {
	"mpool_free", "mpool_realloc", "mpool_large_free",
	"mpool_large_realloc", "mpool_fixed_free", "mpool_fixed_free_bulk",
	"mpool_small_free", "mpool_small_realloc", "mpool_string_put",
};

static void do_how(struct zoo *zoo, enum how how, void *p)
{
	void *got = NULL;

	switch (how) {
	case HOW_FREE:
		mpool_free(p);
		break;
	case HOW_REALLOC:
		got = mpool_realloc(p, 50, GFP_KERNEL);
		break;
	case HOW_LARGE:
		mpool_large_free(zoo->large, p);
		break;
	case HOW_LARGE_REALLOC:
		got = mpool_large_realloc(zoo->large, p, 50, NULL, GFP_KERNEL);
		break;
	case HOW_FIXED:
		mpool_fixed_free(zoo->fixed, p);
		break;
	case HOW_FIXED_BULK:
		mpool_fixed_free_bulk(zoo->fixed, 1, &p);
		break;
	case HOW_SMALL:
		mpool_small_free(zoo->small, p);
		break;
	case HOW_SMALL_REALLOC:
		got = mpool_small_realloc(zoo->small, p, 50, GFP_KERNEL);
		break;
	default:
		mpool_string_put(zoo->string, p);
	}
	zoo->got += !!got;
}

/* The pool that was named in the call, if one was. */
static struct mpool_pool *how_pool(struct zoo *zoo, enum how how)
{
	switch (how) {
	case HOW_LARGE:
	case HOW_LARGE_REALLOC:
		return &zoo->large->base;
	case HOW_FIXED:
	case HOW_FIXED_BULK:
		return &zoo->fixed->base;
	case HOW_SMALL:
	case HOW_SMALL_REALLOC:
		return &zoo->small->base;
	case HOW_STRING:
		return &zoo->string->small.base;
	default:
		return NULL;
	}
}

static void zoo_end(void *arg)
{
	struct zoo *zoo = arg;

	kfree(zoo->slab);
	vfree(zoo->area);
	free_page((unsigned long)zoo->page);
}

static struct zoo *zoo_create(struct kunit *test)
{
	struct zoo *zoo = kunit_kzalloc(test, sizeof(*zoo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, zoo);
	zoo->large = mpool_kunit_region(test, "kt-large", 64);
	zoo->fixed = mpool_kunit_fixed(test, "kt-fixed", OBJ, NULL);
	zoo->small = mpool_kunit_small(test, "kt-small", NULL);
	zoo->string = mpool_kunit_string(test, "kt-string", NULL);
	zoo->run = mpool_large_alloc(zoo->large, RUN, NULL, GFP_KERNEL);
	zoo->obj = mpool_fixed_alloc(zoo->fixed, GFP_KERNEL);
	zoo->little = mpool_small_alloc(zoo->small, OBJ, GFP_KERNEL);
	zoo->much = mpool_small_alloc(zoo->small, RUN, GFP_KERNEL);
	zoo->s = mpool_string_get(zoo->string, "bystander", GFP_KERNEL);
	zoo->was_run = mpool_large_alloc(zoo->large, RUN, NULL, GFP_KERNEL);
	zoo->was_obj = mpool_fixed_alloc(zoo->fixed, GFP_KERNEL);
	zoo->was_little = mpool_small_alloc(zoo->small, OBJ, GFP_KERNEL);
	zoo->was_much = mpool_small_alloc(zoo->small, RUN, GFP_KERNEL);
	mpool_large_free(zoo->large, zoo->was_run);
	mpool_fixed_free(zoo->fixed, zoo->was_obj);
	mpool_small_free(zoo->small, zoo->was_little);
	mpool_small_free(zoo->small, zoo->was_much);
	zoo->slab = kmalloc(OBJ, GFP_KERNEL);
	zoo->area = vmalloc(RUN);
	zoo->page = (u8 *)__get_free_page(GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, zoo_end, zoo), 0);
	KUNIT_ASSERT_TRUE(test, zoo->run && zoo->obj && zoo->little &&
			  zoo->much && zoo->s && zoo->slab && zoo->area &&
			  zoo->page);
	mpool_kunit_fill(zoo->run, RUN, 1);
	mpool_kunit_fill(zoo->obj, OBJ, 2);
	mpool_kunit_fill(zoo->little, OBJ, 3);
	mpool_kunit_fill(zoo->much, RUN, 4);
	return zoo;
}

static u64 zoo_bad(struct zoo *zoo)
{
	return mpool_kunit_bad(&zoo->large->base) +
	       mpool_kunit_bad(&zoo->fixed->base) +
	       mpool_kunit_bad(&zoo->small->base) +
	       mpool_kunit_bad(&zoo->string->small.base);
}

/* Everything as it was: number of what is not. */
static int zoo_hurt(struct zoo *zoo)
{
	int bad = 0;

	bad += !mpool_kunit_intact(zoo->run, RUN, 1);
	bad += !mpool_kunit_intact(zoo->obj, OBJ, 2);
	bad += !mpool_kunit_intact(zoo->little, OBJ, 3);
	bad += !mpool_kunit_intact(zoo->much, RUN, 4);
	bad += strcmp(zoo->s, "bystander") != 0;
	bad += !mpool_large_owns(zoo->large, zoo->run);
	bad += !mpool_fixed_owns(zoo->fixed, zoo->obj);
	bad += !mpool_small_owns(zoo->small, zoo->little);
	bad += !mpool_small_owns(zoo->small, zoo->much);
	bad += !mpool_string_has(zoo->string, "bystander");
	bad += mpool_fixed_live(zoo->fixed) != 1;
	return bad + zoo->got;
}

static int zoo_verify(struct zoo *zoo)
{
	return mpool_large_verify(zoo->large) +
	       mpool_fixed_verify(zoo->fixed) +
	       mpool_small_verify(zoo->small) +
	       mpool_string_verify(zoo->string) +
	       mpool_large_verify(mpool_large_shared);
}

/* After all that each gives and takes as ever. */
static void zoo_goes_on(struct kunit *test, struct zoo *zoo)
{
	KUNIT_EXPECT_EQ(test, zoo_hurt(zoo), 0);
	KUNIT_EXPECT_EQ(test, zoo_verify(zoo), 0);
	mpool_large_free(zoo->large, zoo->run);
	mpool_fixed_free(zoo->fixed, zoo->obj);
	mpool_free(zoo->little);
	mpool_small_free(zoo->small, zoo->much);
	mpool_string_put(zoo->string, zoo->s);
	zoo->run = mpool_large_alloc(zoo->large, RUN, NULL, GFP_KERNEL);
	zoo->obj = mpool_fixed_alloc(zoo->fixed, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, zoo->run);
	KUNIT_EXPECT_NOT_NULL(test, zoo->obj);
	mpool_free(zoo->run);
	mpool_free(zoo->obj);
	KUNIT_EXPECT_EQ(test, zoo_verify(zoo), 0);
}

static void expect_refused(struct kunit *test, struct zoo *zoo, enum how how,
			   const void *p, const char *name)
{
	struct mpool_pool *pool = how_pool(zoo, how);
	u64 before = pool ? mpool_kunit_bad(pool) : 0;

	do_how(zoo, how, (void *)p);
	if (pool)
		KUNIT_EXPECT_EQ_MSG(test, before + 1, mpool_kunit_bad(pool),
				    "%s of %s", how_names[how], name);
	KUNIT_EXPECT_EQ_MSG(test, zoo_hurt(zoo), 0, "%s of %s", how_names[how],
			    name);
}

static const char a_constant[64] = "constant";
static char a_variable[64] = "variable";

/* What is nobody's live object: refused by all. */
static void nobodys(struct kunit *test)
{
	struct zoo *zoo = zoo_create(test);
	struct mpool_chunk *chunk = mpool_chunk_find(zoo->obj);
	u8 on_stack[64] = { 0 };
	const struct {
		const void *p;
		const char *name;
	} values[] = {
		{ zoo->was_run, "freed run" },
		{ zoo->was_obj, "freed object" },
		{ zoo->was_little, "freed small object" },
		{ zoo->was_much, "freed run of a small pool" },
		{ zoo->obj + 8, "inside of an object" },
		{ zoo->obj + 1, "odd address" },
		{ zoo->obj + OBJ - 1, "end of an object" },
		{ zoo->run + PAGE_SIZE, "page of a run" },
		{ zoo->run + 5, "inside of a run" },
		{ zoo->much + PAGE_SIZE, "page of a small pool's run" },
		{ zoo->little + 16, "inside of a small object" },
		{ (void *)chunk->at.base + chunk->at.nr * chunk->at.fixed->chunks.size, "tail" },
		{ zoo->s + 1, "inside of a string" },
		{ zoo->slab, "kmalloc" }, { zoo->slab + 8, "inside kmalloc" },
		{ zoo->area, "vmalloc" }, { zoo->page, "page" },
		{ on_stack, "stack" }, { a_variable, "module data" },
		{ a_constant, "module rodata" }, { nobodys, "module text" },
		{ vfree, "kernel text" }, { (void *)0x400000, "user" },
		{ (void *)0x7fff12345678, "user stack" },
		{ (void *)0xdead000000000122, "poison" },
		{ (void *)0xffff888000000000, "wild" },
		{ (void *)17, "behind ZERO_SIZE_PTR" },
		{ (void *)-1ul, "minus one" },
		{ (void *)-4096ul, "end of the address space" },
		{ ERR_PTR(-ENOMEM), "error pointer" },
	};
	int i, how, count = 0;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		for (how = 0; how < NR_HOW; how++, count++)
			expect_refused(test, zoo, how, values[i].p,
				       values[i].name);
	KUNIT_EXPECT_EQ(test, count, 30 * NR_HOW);
	zoo_goes_on(test, zoo);
}

/* What is somebody's live object: refused by all that are not its pool's. */
static void somebody_elses(struct kunit *test)
{
	struct zoo *zoo = zoo_create(test);
	struct mpool_fixed *fixed = mpool_kunit_fixed(test, "kt-other", 64,
						      NULL);
	void *other = mpool_fixed_alloc(fixed, GFP_KERNEL);
	void *global = mpool_malloc(64, GFP_KERNEL);
	int how;

	for (how = 0; how < NR_HOW; how++) {
		if (how > HOW_LARGE_REALLOC)
			expect_refused(test, zoo, how, zoo->run, "run");
		if (how != HOW_FREE && how != HOW_FIXED &&
		    how != HOW_FIXED_BULK)
			expect_refused(test, zoo, how, zoo->obj, "object");
		if (how > HOW_REALLOC && how != HOW_SMALL &&
		    how != HOW_SMALL_REALLOC) {
			expect_refused(test, zoo, how, zoo->little, "little");
			expect_refused(test, zoo, how, zoo->much, "much");
			expect_refused(test, zoo, how, global, "global");
		}
		if (how != HOW_STRING)
			expect_refused(test, zoo, how, zoo->s, "string");
		if (how != HOW_FREE)
			expect_refused(test, zoo, how, other, "other");
	}
	expect_refused(test, zoo, HOW_REALLOC, zoo->run, "run");
	expect_refused(test, zoo, HOW_SMALL, global, "global");
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(fixed, other));
	KUNIT_EXPECT_TRUE(test, mpool_owns(global));
	mpool_free(other);
	mpool_free(global);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(fixed), 0);
	zoo_goes_on(test, zoo);
}

/* Nothing was freed that way, so nothing is free to be handed out twice. */
static void refused_is_not_handed_out(struct kunit *test)
{
	struct zoo *zoo = zoo_create(test);
	void *objs[50];
	int i, j, same = 0;

	for (i = 0; i < 5; i++) {
		mpool_free(zoo->was_obj);
		mpool_fixed_free(zoo->fixed, zoo->was_obj);
	}
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&zoo->fixed->base), 10);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(zoo->fixed, GFP_KERNEL, 50, objs),
			50);
	for (i = 0; i < 50; i++)
		for (j = 0; j < i; j++)
			same += objs[i] == objs[j];
	KUNIT_EXPECT_EQ(test, same, 0);
	mpool_fixed_free_bulk(zoo->fixed, 50, objs);
	zoo_goes_on(test, zoo);
}

#define RANDOM_VALUES	1000000

static void *random_value(struct zoo *zoo, struct rnd_state *rnd)
{
	u8 *near[] = {
		zoo->run, zoo->obj, zoo->little, zoo->much, (u8 *)zoo->s,
		zoo->was_run, zoo->was_obj, zoo->was_little, zoo->was_much,
	};
	u64 any = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

	if (any & 1)
		return (void *)any;
	any >>= 1;
	return (void *)((unsigned long)near[(any >> 32) % ARRAY_SIZE(near)] ^
			(any & (any & BIT(30) ? 0xfff : 0xffff)));
}

/* A million values through what takes any: nothing changes. */
static void a_million_values(struct kunit *test)
{
	struct zoo *zoo = zoo_create(test);
	struct mpool_small *global = mpool_global();
	u64 before = mpool_kunit_bad(&global->base);
	struct mpool_whatis what;
	struct rnd_state rnd;
	unsigned int i, hits = 0, wrong = 0;
	u64 bad = zoo_bad(zoo);
	void *p;

	mpool_kunit_random(test, &rnd);
	for (i = 0; i < RANDOM_VALUES; i++) {
		p = random_value(zoo, &rnd);
		if (i % 10000 == 0) {
			wrong += zoo_hurt(zoo);
			cond_resched();
		}
		if (mpool_owns(p)) {
			hits++;
			continue;
		}
		if (i % 8 == 0)
			wrong += mpool_whatis(p, &what) && !what.offset &&
				 strcmp(what.pool, "kt-string");
		mpool_free(p);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_LT(test, hits, RANDOM_VALUES / 100);
	/* Those within a pool's memory were counted there. */
	KUNIT_EXPECT_GT(test, zoo_bad(zoo), bad + 1000);
	KUNIT_EXPECT_GE(test, mpool_kunit_bad(&global->base), before);
	zoo_goes_on(test, zoo);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(global), 0);
}

/* The reason that the reporter was given. */
static enum mpool_bad_free told;
static unsigned int told_times;

static void note_bad_free(struct mpool_pool *pool, const void *p,
			  enum mpool_bad_free why, unsigned long ip)
{
	told = why;
	told_times++;
}

/* A realloc that is refused is called one, by pools of every kind. */
static void realloc_is_called_one(struct kunit *test)
{
	static const enum how hows[] = {
		HOW_REALLOC, HOW_LARGE_REALLOC, HOW_SMALL_REALLOC,
	};
	typeof(mpool_hooks.bad_free) old = mpool_hooks.bad_free;
	struct zoo *zoo = zoo_create(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hows); i++) {
		told = MPOOL_BAD_FREE_ADDRESS;
		told_times = 0;
		WRITE_ONCE(mpool_hooks.bad_free, note_bad_free);
		do_how(zoo, hows[i], zoo->slab);
		WRITE_ONCE(mpool_hooks.bad_free, old);
		KUNIT_EXPECT_EQ_MSG(test, told, MPOOL_BAD_REALLOC, "%s",
				    how_names[hows[i]]);
		KUNIT_EXPECT_EQ(test, told_times, 1);
	}
	zoo_goes_on(test, zoo);
}

static struct kunit_case badfree_cases[] = {
	KUNIT_CASE(realloc_is_called_one),
	KUNIT_CASE(nobodys),
	KUNIT_CASE(somebody_elses),
	KUNIT_CASE(refused_is_not_handed_out),
	KUNIT_CASE(a_million_values),
	{ }
};

static struct kunit_suite badfree_suite = {
	.name = "mpool_badfree",
	.suite_exit = mpool_kunit_verified,
	.test_cases = badfree_cases,
};

kunit_test_suite(badfree_suite);
