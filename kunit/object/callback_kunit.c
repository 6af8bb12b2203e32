// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks that do what they must not: constructors that free their object, and
 * callbacks that end their own pool or keep it from ending.
 *
 * Each is refused with a line, and the pools go on.
 */
#include <kunit/test.h>
#include <linux/sched/mm.h>
#include <linux/completion.h>
#include <linux/kmsg_dump.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "fixed.h"
#include "helpers.h"
#include "large.h"

#define NAME	"kt-callback"
#define SIZE	200

/* --- a constructor that frees its own object --- */

enum freed_by {
	BY_FIXED, BY_BULK, BY_ANY, NR_FREED_BY
};

struct unborn {
	struct mpool_fixed *pool;
	enum freed_by by;
	int ret;		/* of the constructor */
	unsigned int live;	/* times that it was found alive */
};

static int count_live(void *obj, void *arg)
{
	struct unborn *unborn = arg;

	unborn->live++;
	return 0;
}

static int unborn_ctor(void *obj, void *priv)
{
	struct unborn *unborn = priv;
	unsigned int i;

	unborn->live += mpool_fixed_owns(unborn->pool, obj);
	mpool_fixed_walk(unborn->pool, count_live, unborn);
	for (i = 0; i < 2; i++) {
		if (unborn->by == BY_FIXED)
			mpool_fixed_free(unborn->pool, obj);
		else if (unborn->by == BY_BULK)
			mpool_fixed_free_bulk(unborn->pool, 1, &obj);
		else
			mpool_free(obj);
	}
	return unborn->ret;
}

/* An object is not live before its constructor has returned, if it is then. */
static void ctor_frees_its_object(struct kunit *test)
{
	struct unborn unborn = { };
	const struct mpool_fixed_args args = {
		.ctor = unborn_ctor, .priv = &unborn,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	unsigned int n = 0;
	void *p, *q;

	unborn.pool = pool;
	for (unborn.by = 0; unborn.by < NR_FREED_BY; unborn.by++) {
		unborn.ret = -EINVAL;
		KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
		n += 2;
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->base));
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		unborn.ret = 0;
		p = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		n += 2;
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->base));
		KUNIT_EXPECT_EQ(test, unborn.live, 0);
		KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, p));
		q = mpool_fixed_zalloc(pool, GFP_KERNEL);
		n += 2;
		KUNIT_EXPECT_PTR_NE(test, p, q);
		KUNIT_EXPECT_EQ(test, unborn.live, 1);	/* the first one */
		unborn.live = 0;
		mpool_fixed_free(pool, p);
		mpool_fixed_free(pool, q);
		KUNIT_EXPECT_EQ(test, n, mpool_kunit_bad(&pool->base));
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
}

/* --- callbacks that end their own pool --- */

struct suicide {
	struct mpool_fixed *pool;
	bool in_ctor, in_dtor;
	unsigned int calls;
};

static void end_own(struct suicide *suicide)
{
	suicide->calls++;
	mpool_fixed_clear(suicide->pool);
	mpool_fixed_destroy(suicide->pool);
}

static int suicide_ctor(void *obj, void *priv)
{
	struct suicide *suicide = priv;

	if (suicide->in_ctor)
		end_own(suicide);
	return 0;
}

static void suicide_dtor(void *obj, void *priv)
{
	struct suicide *suicide = priv;

	if (suicide->in_dtor)
		end_own(suicide);
}

static void pool_is_ended_by_its_callbacks(struct kunit *test)
{
	struct suicide suicide = { };
	const struct mpool_fixed_args args = {
		.ctor = suicide_ctor, .dtor = suicide_dtor, .priv = &suicide,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	void *p, *q;

	suicide.pool = pool;
	q = mpool_fixed_alloc(pool, GFP_KERNEL);
	suicide.in_ctor = true;
	p = mpool_fixed_alloc(pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, suicide.calls, 1);
	suicide.in_ctor = false;
	suicide.in_dtor = true;
	mpool_fixed_free(pool, p);
	KUNIT_EXPECT_EQ(test, suicide.calls, 2);
	KUNIT_EXPECT_PTR_EQ(test, &pool->base, mpool_pool_find(NAME));
	KUNIT_EXPECT_FALSE(test, pool->base.ending);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, q));
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 1);
	mpool_fixed_clear(pool);
	KUNIT_EXPECT_EQ(test, suicide.calls, 3);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	/* Others end it as ever. */
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find(NAME));
}

/* Lines of the log that have a word. */
static unsigned int lines_with(struct kunit *test, const char *word)
{
	char *line = kunit_kzalloc(test, SZ_1K, GFP_KERNEL);
	struct kmsg_dump_iter iter;
	unsigned int n = 0;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, SZ_1K - 1, &len)) {
		line[len] = '\0';
		n += !!strstr(line, word);
	}
	return n;
}

/* A destructor that does it each time has no line for each. */
static void refusals_do_not_fill_the_log(struct kunit *test)
{
	static const char word[] = "\"" NAME "\" is not cleared";
	struct suicide suicide = { };
	const struct mpool_fixed_args args = {
		.dtor = suicide_dtor, .priv = &suicide,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	unsigned int i, before = lines_with(test, word);

	suicide.pool = pool;
	suicide.in_dtor = true;
	for (i = 0; i < 200; i++)
		mpool_fixed_free(pool, mpool_fixed_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, suicide.calls, 200);
	/* Ten each five seconds, and machines are slow. */
	KUNIT_EXPECT_LT(test, lines_with(test, word), before + 100);
	suicide.in_dtor = false;
}

/* Other pools may end where one has a callback. */
static void other_dtor(void *obj, void *priv)
{
	mpool_fixed_clear(priv);
	mpool_fixed_destroy(priv);
}

static void other_pool_is_ended(struct kunit *test)
{
	struct mpool_fixed *other = mpool_kunit_fixed(test, "kt-other", SIZE,
						      NULL);
	const struct mpool_fixed_args args = {
		.dtor = other_dtor, .priv = other,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	void *p = mpool_fixed_alloc(pool, GFP_KERNEL);

	mpool_fixed_alloc(other, GFP_KERNEL);
	mpool_kunit_own_fixed(test, other);
	mpool_fixed_free(pool, p);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("kt-other"));
}

struct marks {
	struct mpool_large *pool;
	unsigned int calls;
	struct completion *over;	/* or NULL */
};

static void marks_end(void *priv)
{
	struct marks *marks = priv;

	marks->calls++;
	mpool_large_destroy(marks->pool);
	if (marks->over)
		complete(marks->over);
}

static void large_pool_is_ended_by_its_marks(struct kunit *test)
{
	struct marks marks = { };
	const struct mpool_large_args args = {
		.max_pages = 10, .soft_pages = 2, .low_pages = 2,
		.on_soft = marks_end, .on_low = marks_end, .priv = &marks,
	};
	void *p;

	marks.pool = mpool_large_create(NAME, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(marks.pool));
	p = mpool_large_alloc(marks.pool, 9 * PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mpool_defer_sync(&marks.pool->limit->defer);
	KUNIT_EXPECT_EQ(test, marks.calls, 2);
	KUNIT_EXPECT_PTR_EQ(test, &marks.pool->base, mpool_pool_find(NAME));
	KUNIT_EXPECT_TRUE(test, mpool_large_owns(marks.pool, p));
	mpool_large_free(marks.pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(marks.pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find(NAME));
}

/*
 * A callback that destroys its own pool does not claim it, for which it would need the
 * mutex that is held here.  Another caller would find the claim, and give up.
 */
static void large_pool_is_not_claimed_by_its_marks(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(over);
	struct marks marks = { .over = &over };
	const struct mpool_large_args args = {
		.soft_pages = 2, .on_soft = marks_end, .priv = &marks,
	};
	unsigned long left;
	void *p;

	marks.pool = mpool_large_create(NAME, &args);
	KUNIT_ASSERT_FALSE(test, IS_ERR(marks.pool));
	mpool_registry_lock();
	p = mpool_large_alloc(marks.pool, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	left = wait_for_completion_timeout(&over, 10 * HZ);
	mpool_registry_unlock();
	KUNIT_EXPECT_NE(test, left, 0);
	mpool_defer_sync(&marks.pool->limit->defer);
	KUNIT_EXPECT_EQ(test, marks.calls, 1);
	mpool_large_free(marks.pool, p);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(marks.pool), 0);
	KUNIT_EXPECT_NULL(test, mpool_pool_find(NAME));
}

/* --- destructors that allocate --- */

struct phoenix {
	struct mpool_fixed *pool;
	unsigned int calls, got;
};

static void phoenix_dtor(void *obj, void *priv)
{
	struct phoenix *phoenix = priv;

	phoenix->calls++;
	phoenix->got += !!mpool_fixed_alloc(phoenix->pool, GFP_KERNEL);
}

/* Not where all go, which would never end. */
static void dtor_allocates(struct kunit *test)
{
	struct phoenix phoenix = { };
	const struct mpool_fixed_args args = {
		.dtor = phoenix_dtor, .priv = &phoenix,
		.on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	unsigned int i;
	void *p;

	phoenix.pool = pool;
	p = mpool_fixed_alloc(pool, GFP_KERNEL);
	mpool_fixed_free(pool, p);
	KUNIT_EXPECT_EQ(test, phoenix.got, 1);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 1);
	for (i = 1; i < 100; i++)
		mpool_fixed_alloc(pool, GFP_KERNEL);
	mpool_fixed_clear(pool);
	KUNIT_EXPECT_EQ(test, phoenix.calls, 101);
	KUNIT_EXPECT_EQ(test, phoenix.got, 1);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	/* And all is as it was. */
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_NOT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test,
			mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool)),
			100);
	KUNIT_EXPECT_EQ(test, phoenix.calls, 201);
	KUNIT_EXPECT_EQ(test, phoenix.got, 1);
}

/* --- constructors that allocate --- */

#define NEST_MOST	16

struct nest {
	struct mpool_fixed *pool;
	void *objs[NEST_MOST];
	unsigned int calls;
};

static int nest_ctor(void *obj, void *priv)
{
	struct nest *nest = priv;
	unsigned int n = nest->calls++;

	if (n < NEST_MOST)
		nest->objs[n] = mpool_fixed_alloc(nest->pool, GFP_KERNEL);
	return 0;
}

/* Not until the stack ends. */
static void ctor_allocates(struct kunit *test)
{
	struct nest nest = { };
	const struct mpool_fixed_args args = {
		.ctor = nest_ctor, .priv = &nest,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	void *p;
	int i;

	nest.pool = pool;
	p = mpool_fixed_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, nest.calls, NEST_MOST);
	KUNIT_EXPECT_NULL(test, nest.objs[nest.calls - 1]);
	for (i = 0; i < NEST_MOST; i++)
		mpool_fixed_free(pool, nest.objs[i]);
	mpool_fixed_free(pool, p);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

struct chain {
	struct mpool_fixed *pool;
	void *objs[NEST_MOST];
	unsigned int left;
	void *got;		/* allocated by the innermost destructor */
};

static int chain_ctor(void *obj, void *priv)
{
	return 0;
}

static void chain_dtor(void *obj, void *priv)
{
	struct chain *chain = priv;

	if (chain->left)
		mpool_fixed_free(chain->pool, chain->objs[--chain->left]);
	else if (!chain->got)
		chain->got = mpool_fixed_alloc(chain->pool, GFP_KERNEL);
}

/* Destructors around a constructor do not make it one that allocates from its pool. */
static void dtors_around_a_ctor(struct kunit *test)
{
	struct chain chain = { };
	const struct mpool_fixed_args args = {
		.ctor = chain_ctor, .dtor = chain_dtor, .priv = &chain,
	};
	unsigned int i;
	void *first;

	chain.pool = mpool_kunit_fixed(test, NAME, SIZE, &args);
	first = mpool_fixed_alloc(chain.pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, first);
	for (i = 0; i < ARRAY_SIZE(chain.objs); i++) {
		chain.objs[i] = mpool_fixed_alloc(chain.pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, chain.objs[i]);
	}
	chain.left = ARRAY_SIZE(chain.objs);
	mpool_fixed_free(chain.pool, first);
	KUNIT_EXPECT_EQ(test, chain.left, 0);
	KUNIT_EXPECT_NOT_NULL(test, chain.got);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(chain.pool), 1);
	mpool_fixed_free(chain.pool, chain.got);
}

/* --- visitors --- */

static int end_visitor(void *obj, void *arg)
{
	struct mpool_fixed *other = arg;

	mpool_fixed_destroy(other);
	return mpool_fixed_reserve(other, 1, GFP_KERNEL) == -EINVAL;
}

/* A visitor is an RCU reader, and the end of a pool waits for those. */
static void pool_is_ended_by_a_visitor(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, NULL);
	struct mpool_fixed *other = mpool_kunit_fixed(test, "kt-other", SIZE, NULL);
	void *p = mpool_fixed_alloc(pool, GFP_KERNEL);
	void *q = mpool_fixed_alloc(other, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, end_visitor, other), 1);
	KUNIT_EXPECT_PTR_EQ(test, &other->base, mpool_pool_find("kt-other"));
	KUNIT_EXPECT_FALSE(test, other->base.ending);
	mpool_fixed_free(pool, p);
	mpool_fixed_free(other, q);
}

static int clear_visitor(void *obj, void *arg)
{
	struct mpool_fixed *pool = arg;

	mpool_fixed_clear(pool);
	mpool_large_trim(pool->chunks.large);
	return mpool_fixed_live(pool);
}

/* Nor may it sleep, or free the chunk that the walk is at. */
static void pool_is_cleared_by_a_visitor(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, NULL);
	void *p = mpool_fixed_alloc(pool, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, mpool_fixed_walk(pool, clear_visitor, pool), 1);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, p));
	mpool_fixed_free(pool, p);
}

/* In reclaim a pool is neither created nor ended: it may be under mpool's mutexes. */
static void refused_in_reclaim(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, NULL);
	void *p = mpool_fixed_alloc(pool, GFP_KERNEL);
	unsigned int noreclaim = memalloc_noreclaim_save();

	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_fixed_create("kt-other", SIZE, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_reserve(pool, 1, GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 0);
	mpool_fixed_clear(pool);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, p));
	mpool_fixed_free(pool, p);
	/* A shrinker may trim. */
	KUNIT_EXPECT_TRUE(test, mpool_pool_may_sleep(&pool->base, "trimmed"));
	mpool_large_trim(mpool_large_shared);
	KUNIT_EXPECT_EQ(test, mpool_footprint(), 0);
	memalloc_noreclaim_restore(noreclaim);
	KUNIT_EXPECT_FALSE(test, pool->base.ending);
	KUNIT_EXPECT_GT(test, mpool_footprint(), 0);
}

struct refused {
	struct mpool_fixed *other;
	size_t leaks;
	int err;
};

static void change_pools(struct refused *r, struct mpool_fixed *pool)
{
	r->other = mpool_fixed_create("kt-other", SIZE, NULL);
	r->leaks = mpool_fixed_destroy(pool);
	r->err = mpool_fixed_reserve(pool, 1, GFP_KERNEL);
	mpool_fixed_clear(pool);
}

/* The end of a pool would wait for its own caller. */
static void refused_in_a_grace_period(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, SIZE, NULL);
	struct refused r[2];
	void *p;
	int i;

	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		kunit_skip(test, "the kernel does not count");
	p = mpool_fixed_alloc(pool, GFP_KERNEL);
	rcu_read_lock();
	change_pools(&r[0], pool);
	rcu_read_unlock();
	preempt_disable();
	change_pools(&r[1], pool);
	preempt_enable();
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(r[i].other), -EINVAL);
		KUNIT_EXPECT_EQ(test, r[i].leaks, 0);
		KUNIT_EXPECT_EQ(test, r[i].err, -EINVAL);
	}
	KUNIT_EXPECT_FALSE(test, pool->base.ending);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool, p));
	mpool_fixed_free(pool, p);
}

static struct kunit_case callback_cases[] = {
	KUNIT_CASE(ctor_frees_its_object),
	KUNIT_CASE(pool_is_ended_by_its_callbacks),
	KUNIT_CASE(refusals_do_not_fill_the_log),
	KUNIT_CASE(other_pool_is_ended),
	KUNIT_CASE(large_pool_is_ended_by_its_marks),
	KUNIT_CASE(large_pool_is_not_claimed_by_its_marks),
	KUNIT_CASE(dtor_allocates),
	KUNIT_CASE(ctor_allocates),
	KUNIT_CASE(dtors_around_a_ctor),
	KUNIT_CASE(pool_is_ended_by_a_visitor),
	KUNIT_CASE(pool_is_cleared_by_a_visitor),
	KUNIT_CASE(refused_in_reclaim),
	KUNIT_CASE(refused_in_a_grace_period),
	{ }
};

static struct kunit_suite callback_suite = {
	.name = "mpool_callback",
	.suite_exit = mpool_kunit_verified,
	.test_cases = callback_cases,
};

kunit_test_suite(callback_suite);
