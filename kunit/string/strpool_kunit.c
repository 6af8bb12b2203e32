// SPDX-License-Identifier: GPL-2.0-only
/*
 * String pools: references, canonical pointers, lengths, letters, wrong puts,
 * ends, and 100000 random operations beside a plain array of strings.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "helpers.h"
#include "strpool.h"

#define NAME	"kt-string"

static long strings_in(struct mpool_string *pool)
{
	return READ_ONCE(pool->tab.nr);
}

static u64 bad_of(struct mpool_string *pool)
{
	return mpool_kunit_bad(&pool->small.base);
}

static void one_copy_of_each(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	char mine[] = "eth0";
	const char *a, *b, *c;

	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, "eth0"));
	a = mpool_string_get(pool, mine, GFP_KERNEL);
	b = mpool_string_get(pool, "eth1", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	mine[0] = 'X';
	KUNIT_EXPECT_STREQ(test, a, "eth0");
	KUNIT_EXPECT_PTR_NE(test, a, b);
	c = mpool_string_get(pool, "eth0", GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, a, c);
	KUNIT_EXPECT_PTR_EQ(test, a, mpool_string_get(pool, a, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, strings_in(pool), 2);
	mpool_string_put(pool, a);
	mpool_string_put(pool, a);
	KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, "eth0"));
	mpool_string_put(pool, a);
	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, "eth0"));
	KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, "eth1"));
	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, "ETH1"));
	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, "eth"));
	mpool_string_put(pool, b);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static unsigned long chains_in(struct mpool_string *pool)
{
	unsigned long chains;

	mutex_lock(&pool->tab.resize_mutex);
	chains = mpool_strtab_chains(&pool->tab);
	mutex_unlock(&pool->tab.resize_mutex);
	return chains;
}

/* The table changes its size once it may: by all that it needs. */
static void resizing_waits(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	unsigned long i, chains = chains_in(pool);
	char text[16];

	mutex_lock(&pool->tab.resize_mutex);
	for (i = 0; i < 4 * chains; i++) {
		scnprintf(text, sizeof(text), "waits%lu", i);
		KUNIT_EXPECT_NOT_NULL(test, mpool_string_get(pool, text,
							     GFP_KERNEL));
	}
	KUNIT_EXPECT_EQ(test, chains, mpool_strtab_chains(&pool->tab));
	mutex_unlock(&pool->tab.resize_mutex);
	flush_work(&pool->tab.work);
	KUNIT_EXPECT_EQ(test, 8 * chains, chains_in(pool));
	mpool_string_clear(pool);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static void nothing_for_nothing(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);

	KUNIT_EXPECT_NULL(test, mpool_string_get(pool, NULL, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpool_string_getn(pool, NULL, 5, GFP_KERNEL));
	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, NULL));
	mpool_string_put(pool, NULL);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static void given_lengths(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	static const char text[] = "alpha\0beta";
	const char *a, *b, *c, *empty;

	a = mpool_string_getn(pool, text, 3, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_EXPECT_STREQ(test, a, "alp");
	b = mpool_string_getn(pool, text, sizeof(text), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_STREQ(test, b, "alpha");
	c = mpool_string_getn(pool, text, SIZE_MAX, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, b, c);
	empty = mpool_string_getn(pool, text, 0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, empty);
	KUNIT_EXPECT_STREQ(test, empty, "");
	KUNIT_EXPECT_PTR_EQ(test, empty, mpool_string_get(pool, "",
							  GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, ""));
	KUNIT_EXPECT_EQ(test, strings_in(pool), 3);
	mpool_string_put(pool, empty);
	mpool_string_put(pool, empty);
	mpool_string_put(pool, a);
	mpool_string_put(pool, b);
	mpool_string_put(pool, b);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static void long_strings(struct kunit *test)
{
	static const size_t lengths[] = {
		100, 4000, 4095, 4096, SMALL_MAX - 60, SMALL_MAX - 1,
		SMALL_MAX, SMALL_MAX + 1, 40000, 100000,
	};
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	char *text = kunit_kzalloc(test, 100001, GFP_KERNEL);
	const char *s[ARRAY_SIZE(lengths)];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', 100000);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		s[i] = mpool_string_getn(pool, text, lengths[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s[i]);
		KUNIT_EXPECT_EQ(test, lengths[i], strlen(s[i]));
	}
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		KUNIT_EXPECT_PTR_EQ(test, s[i],
				    mpool_string_getn(pool, text, lengths[i],
						      GFP_KERNEL));
		mpool_string_put(pool, s[i]);
		KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, s[i]));
		mpool_string_put(pool, s[i]);
	}
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static void either_case(struct kunit *test)
{
	struct mpool_string_args args = { .flags = MPOOL_STRING_NOCASE };
	struct mpool_string *pool = mpool_kunit_string(test, NAME, &args);
	const char *a, *b, *c;

	a = mpool_string_get(pool, "Content-Length", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	b = mpool_string_get(pool, "CONTENT-length", GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, a, b);
	/* The first one's letters stay. */
	KUNIT_EXPECT_STREQ(test, b, "Content-Length");
	KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, "content-LENGTH"));
	KUNIT_EXPECT_FALSE(test, mpool_string_has(pool, "content_length"));
	mpool_string_put(pool, a);
	mpool_string_put(pool, a);
	/* Letters of ASCII only: these differ by the same bit. */
	a = mpool_string_get(pool, "[\xc4", GFP_KERNEL);
	b = mpool_string_get(pool, "{\xc4", GFP_KERNEL);
	c = mpool_string_get(pool, "[\xe4", GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_PTR_NE(test, b, c);
	mpool_string_put(pool, a);
	mpool_string_put(pool, b);
	mpool_string_put(pool, c);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

/* --- wrong puts --- */

static void wrong_puts(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	struct mpool_string *other = mpool_kunit_string(test, "kt-other", NULL);
	const char *s = mpool_string_get(pool, "hello", GFP_KERNEL);
	const char *t = mpool_string_get(other, "hello", GFP_KERNEL);
	char *mem = kunit_kzalloc(test, 200, GFP_KERNEL);
	void *obj = mpool_malloc(200, GFP_KERNEL);
	unsigned long values[] = {
		(unsigned long)t, (unsigned long)(s + 1),
		(unsigned long)(s - 1), (unsigned long)(s + 8),
		(unsigned long)"hello", (unsigned long)mem,
		(unsigned long)(mem + 40), (unsigned long)obj,
		(unsigned long)(obj + 40), (unsigned long)values, 1, 8, 4096,
		-1ul, (unsigned long)ERR_PTR(-ENOMEM), 0xdead000000000100,
		0x00007f0000001000,
	};
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		mpool_string_put(pool, (const char *)values[i]);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(values), bad_of(pool));
	KUNIT_EXPECT_STREQ(test, s, "hello");
	/* A string is nobody's object. */
	KUNIT_EXPECT_FALSE(test, mpool_owns(s));
	KUNIT_EXPECT_EQ(test, mpool_usable_size(s), 0);
	mpool_free(s);
	mpool_string_put(pool, s);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	mpool_string_put(pool, s);
	KUNIT_EXPECT_GE(test, bad_of(pool), ARRAY_SIZE(values) + 1);
	mpool_string_put(other, t);
	KUNIT_EXPECT_EQ(test, bad_of(other), 0);
	mpool_free(obj);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(other), 0);
}

/* The object that a string lies in is not to be freed by its address either. */
static void no_free_behind_its_back(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	static const size_t lengths[] = { 5, 30000 };
	char *text = kunit_kzalloc(test, 30001, GFP_KERNEL);
	struct mpool_whatis what;
	const char *s;
	void *p;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'y', 30000);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		s = mpool_string_getn(pool, text, lengths[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_TRUE(test, mpool_whatis(s, &what));
		KUNIT_EXPECT_STREQ(test, what.pool, NAME);
		mpool_free(what.base);
		mpool_free(s);
		mpool_large_free(mpool_large_shared, what.base);
		p = mpool_realloc(what.base, 100000, GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, p);
		KUNIT_EXPECT_FALSE(test, mpool_owns(what.base));
		KUNIT_EXPECT_TRUE(test, mpool_string_has(pool, s));
		KUNIT_EXPECT_EQ(test, lengths[i], strlen(s));
		KUNIT_EXPECT_EQ(test, strings_in(pool), 1);
		mpool_string_put(pool, s);
		KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	}
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static void no_pool_at_all(struct kunit *test)
{
	struct mpool_string *none[] = { NULL, ERR_PTR(-ENOMEM) };
	int i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_NULL(test, mpool_string_get(none[i], "a",
							 GFP_KERNEL));
		KUNIT_EXPECT_NULL(test, mpool_string_getn(none[i], "a", 1,
							  GFP_KERNEL));
		KUNIT_EXPECT_FALSE(test, mpool_string_has(none[i], "a"));
		mpool_string_put(none[i], "a");
		mpool_string_clear(none[i]);
		KUNIT_EXPECT_EQ(test, mpool_string_destroy(none[i]), 0);
	}
}

static void create_refuses(struct kunit *test)
{
	struct mpool_string_args args = { .flags = 2 };
	struct mpool_string *pool;

	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_string_create(NAME, &args)),
			-EINVAL);
	args = (struct mpool_string_args){ .on_leak = 7 };
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_string_create(NAME, &args)),
			-EINVAL);
	args = (struct mpool_string_args){ .large = ERR_PTR(-EINVAL) };
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_string_create(NAME, &args)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_string_create(NULL, NULL)),
			-EINVAL);
	pool = mpool_kunit_string(test, NAME, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(mpool_string_create(NAME, NULL)),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

/* --- clear and destroy --- */

static void take_many(struct kunit *test, struct mpool_string *pool,
		      unsigned int n)
{
	char text[32];
	unsigned int i;

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "string number %u", i);
		KUNIT_ASSERT_NOT_NULL(test, mpool_string_get(pool, text,
							     GFP_KERNEL));
		if (i % 3 == 0)
			mpool_string_get(pool, text, GFP_KERNEL);
	}
}

static void clear_keeps_the_pool(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	int round;

	for (round = 0; round < 3; round++) {
		take_many(test, pool, 1000);
		KUNIT_EXPECT_EQ(test, strings_in(pool), 1000);
		KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
		mpool_string_clear(pool);
		KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
		KUNIT_EXPECT_FALSE(test, mpool_string_has(pool,
							  "string number 7"));
		KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
	}
	mpool_kunit_own_string(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(pool), 0);
}

static void destroy_with_strings_held(struct kunit *test)
{
	struct mpool_string_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	long before = mpool_kunit_shared_pages();
	struct mpool_string *pool = mpool_kunit_string(test, NAME, &args);
	const char *s;

	take_many(test, pool, 300);
	mpool_kunit_own_string(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(pool), 300);
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
	args.on_leak = MPOOL_ON_LEAK_KEEP;
	pool = mpool_kunit_string(test, NAME, &args);
	s = mpool_string_get(pool, "kept", GFP_KERNEL);
	mpool_string_get(pool, "kept", GFP_KERNEL);
	mpool_kunit_own_string(test, pool);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(pool), 1);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 1);
	KUNIT_EXPECT_STREQ(test, s, "kept");
	/* Who holds them may still put them. */
	mpool_string_put(pool, s);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans(NAME), 1);
	KUNIT_EXPECT_STREQ(test, s, "kept");
	mpool_string_put(pool, s);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans(NAME)));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(before ==
			  mpool_kunit_shared_pages()));
}

/* --- allocation failures --- */

static void use_and_end(struct kunit *test, struct mpool_string *pool)
{
	const char *s[40];
	char text[16];
	int i;

	if (IS_ERR(pool)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
		return;
	}
	/* As many as make the table grow. */
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		snprintf(text, sizeof(text), "number %d", i);
		s[i] = mpool_string_get(pool, text, GFP_NOWAIT);
		if (s[i])
			KUNIT_EXPECT_STREQ(test, s[i], text);
		KUNIT_EXPECT_EQ(test, !!s[i], mpool_string_has(pool, text));
	}
	for (i = 0; i < ARRAY_SIZE(s); i++)
		mpool_string_put(pool, s[i]);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(pool), 0);
}

static void every_allocation_failure(struct kunit *test)
{
	long before = mpool_kunit_shared_pages();
	unsigned int n;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 500; n++) {
		mpool_kunit_fail_nth(n);
		use_and_end(test, mpool_string_create(NAME, NULL));
		if (!mpool_kunit_fail_end())
			break;
		KUNIT_ASSERT_NULL(test, mpool_pool_find(NAME));
	}
	kunit_info(test, "%u points of failure\n", n - 1);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 500);
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
}

/* --- many at once --- */

#define CROWD		3
#define CROWD_OPS	20000

struct crowd {
	struct mpool_string *pool;
	struct completion done;
	atomic_t wrong;
	struct rnd_state rnd[CROWD];
	atomic_t nr;
};

/* The last reference goes, and comes back, all the time. */
static int crowd_fn(void *arg)
{
	static const char * const texts[] = { "a", "b", "the third of them" };
	struct crowd *crowd = arg;
	struct rnd_state *rnd = &crowd->rnd[atomic_inc_return(&crowd->nr) - 1];
	const char *held[8] = { NULL };
	unsigned int which[8] = { 0 };
	unsigned int i, slot;

	for (i = 0; i < CROWD_OPS; i++) {
		slot = mpool_kunit_below(rnd, ARRAY_SIZE(held));
		if (held[slot]) {
			if (strcmp(held[slot], texts[which[slot]]))
				atomic_inc(&crowd->wrong);
			mpool_string_put(crowd->pool, held[slot]);
			held[slot] = NULL;
		} else {
			which[slot] = mpool_kunit_below(rnd, 3);
			held[slot] = mpool_string_get(crowd->pool,
						      texts[which[slot]],
						      GFP_KERNEL);
			if (!held[slot])
				atomic_inc(&crowd->wrong);
		}
		if (i % 16 == 0)
			cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(held); i++)
		mpool_string_put(crowd->pool, held[i]);
	complete(&crowd->done);
	return 0;
}

static void many_hold_the_same(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	struct task_struct *task;
	struct rnd_state rnd;
	int i, started = 0;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	mpool_kunit_random(test, &rnd);
	crowd->pool = mpool_kunit_string(test, NAME, NULL);
	init_completion(&crowd->done);
	for (i = 0; i < CROWD; i++)
		prandom_seed_state(&crowd->rnd[i], prandom_u32_state(&rnd) | 1);
	for (i = 0; i < CROWD; i++) {
		task = kthread_run(crowd_fn, crowd, "mpool_crowd");
		started += !IS_ERR(task);
	}
	KUNIT_EXPECT_EQ(test, started, CROWD);
	while (started--)
		wait_for_completion(&crowd->done);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->wrong), 0);
	KUNIT_EXPECT_EQ(test, strings_in(crowd->pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(crowd->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(crowd->pool), 0);
}

/* --- a flush that looks while others change what it looks at --- */

struct flush {
	struct mpool_string *pool;
	struct completion done;
	bool go, over;
};

static int flush_fn(void *arg)
{
	struct flush *flush = arg;

	/* Pairs with the release in flush_sees_no_middle(). */
	while (!smp_load_acquire(&flush->go))
		mpool_kunit_spin();
	mpool_string_flush(flush->pool);
	WRITE_ONCE(flush->over, true);
	complete(&flush->done);
	return 0;
}

/*
 * A put on another CPU has taken the last string out, and has yet to queue the work
 * item, with the lock held.  The pool must not go meanwhile.
 */
static void flush_sees_no_middle(struct kunit *test)
{
	struct flush flush = { };
	unsigned int spins;

	if (num_online_cpus() < 2)
		kunit_skip(test, "a flush on another CPU takes a second one");
	flush.pool = mpool_kunit_string(test, NAME, NULL);
	init_completion(&flush.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(flush_fn, &flush,
						    "mpool_flush")));
	spin_lock_irq(&flush.pool->tab.lock);
	/* Pairs with the acquire in flush_fn(). */
	smp_store_release(&flush.go, true);
	/* It must not come out, however long that takes. */
	for (spins = 0; spins < 2000000 && !READ_ONCE(flush.over); spins++)
		cpu_relax();
	spin_unlock_irq(&flush.pool->tab.lock);
	wait_for_completion(&flush.done);
	KUNIT_EXPECT_EQ(test, spins, 2000000);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(flush.pool), 0);
}

/* --- the model: an array of strings and how often each is held --- */

#define MODEL_OPS	100000
#define MODEL_STRINGS	500

struct model_str {
	char text[40];
	const char *s;
	unsigned int refs;
};

struct model {
	struct mpool_string *pool;
	struct rnd_state rnd;
	struct model_str strs[MODEL_STRINGS];
	unsigned int live, wrong;
};

static void model_get(struct model *m, struct model_str *str)
{
	const char *s;

	if (mpool_kunit_below(&m->rnd, 2))
		s = mpool_string_get(m->pool, str->text, GFP_KERNEL);
	else
		s = mpool_string_getn(m->pool, str->text, strlen(str->text),
				      GFP_KERNEL);
	m->wrong += !s || strcmp(s, str->text) || (str->refs && s != str->s);
	str->s = s;
	m->live += !str->refs++;
}

static void model_put(struct model *m, struct model_str *str)
{
	m->wrong += strcmp(str->s, str->text) != 0;
	mpool_string_put(m->pool, str->s);
	m->live -= !--str->refs;
}

static void model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct model_str *str;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->pool = mpool_kunit_string(test, NAME, NULL);
	mpool_kunit_random(test, &m->rnd);
	for (i = 0; i < MODEL_STRINGS; i++)
		snprintf(m->strs[i].text, sizeof(m->strs[i].text), "%*s%u",
			 i % 30, "", i);
	for (i = 0; i < MODEL_OPS && !m->wrong; i++) {
		str = &m->strs[mpool_kunit_below(&m->rnd, MODEL_STRINGS)];
		if (mpool_kunit_below(&m->rnd, 16) == 0)
			m->wrong += mpool_string_has(m->pool, str->text) !=
				    !!str->refs;
		else if (mpool_kunit_below(&m->rnd, 2) || !str->refs)
			model_get(m, str);
		else
			model_put(m, str);
		m->wrong += strings_in(m->pool) != m->live;
		if (i % 10000 == 0)
			m->wrong += mpool_string_verify(m->pool);
	}
	KUNIT_EXPECT_EQ_MSG(test, m->wrong, 0, "at step %u", i);
	for (str = m->strs; str < m->strs + MODEL_STRINGS; str++)
		while (str->refs)
			model_put(m, str);
	KUNIT_EXPECT_EQ(test, m->wrong, 0);
	KUNIT_EXPECT_EQ(test, strings_in(m->pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(m->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(m->pool), 0);
}

/* --- the table --- */

static void scan(struct kunit *test, const struct mpool_str_secret *secret,
		 const char *s, struct mpool_str_key *key)
{
	KUNIT_EXPECT_TRUE(test, mpool_str_scan(key, s, MPOOL_STR_NO_LIMIT,
					       secret, false, true));
}

/* Strings of two words whose hash is the same: the secret is known. */
static void colliding_strings(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	u64 point = pool->tab.secret.point, first, second, want;
	struct mpool_str_key key, other;
	unsigned long words[3] = { 0 };
	unsigned int i, n = 0;
	const char *s[40];

	want = mpool_str_mix(mpool_str_mix(1, 0x4142434445464748ull, point),
			     0x0041424344454647ull, point);
	for (first = 1; n < ARRAY_SIZE(s) && first < 1000000; first++) {
		words[0] = first * 0x0101010101010101ull ^ 0x4040404040404040ull;
		words[0] ^= first << 33;
		second = mpool_str_mix(mpool_str_mix(1, words[0], point), 0,
				       point);
		/* What is missing, modulo 2^64 - 59. */
		words[1] = want - second - (want < second ? 59 : 0);
		/* One NUL, the last byte. */
		if (strnlen((char *)words, 16) != 15 || words[1] >> 56)
			continue;
		s[n] = mpool_string_get(pool, (char *)words, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s[n]);
		KUNIT_EXPECT_STREQ(test, s[n], (char *)words);
		scan(test, &pool->tab.secret, s[0], &key);
		scan(test, &pool->tab.secret, s[n], &other);
		KUNIT_EXPECT_EQ(test, key.hash, other.hash);
		n++;
	}
	kunit_info(test, "%u strings of one hash\n", n);
	KUNIT_EXPECT_GT(test, n, 2);
	KUNIT_EXPECT_EQ(test, n, strings_in(pool));
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, s[i],
				    mpool_string_get(pool, s[i], GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
	for (i = 0; i < n; i++) {
		mpool_string_put(pool, s[i]);
		mpool_string_put(pool, s[i]);
	}
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

/* What the chains would be like without a bound for how they are hit. */
#define FLOOD_BITS	10
#define FLOOD_SEEDS	50
#define FLOOD_CHAIN	24

/*
 * Strings that differ by pairs of bits: the top one of a word, and @bit of the next.
 * 2^FLOOD_BITS of them, and the longest of as many chains.
 */
static unsigned int flood_chain(struct kunit *test, unsigned int bit, u16 *chains,
				const struct mpool_str_secret *secret)
{
	char s[16 * FLOOD_BITS + 1];
	unsigned int i, b, longest = 0;
	struct mpool_str_key key;

	memset(chains, 0, sizeof(*chains) << FLOOD_BITS);
	for (i = 0; i < 1 << FLOOD_BITS; i++) {
		memset(s, 'A', sizeof(s) - 1);
		s[sizeof(s) - 1] = '\0';
		for (b = 0; b < FLOOD_BITS; b++) {
			if (!(i >> b & 1))
				continue;
			s[16 * b + 7] ^= 0x80;
			s[16 * b + 8 + bit / 8] ^= 1 << bit % 8;
		}
		scan(test, secret, s, &key);
		b = ++chains[key.hash >> (32 - FLOOD_BITS)];
		longest = max(longest, b);
	}
	return longest;
}

/* Without the secrets no strings can be chosen that share a chain. */
static void chosen_strings_spread(struct kunit *test)
{
	u16 *chains = kunit_kzalloc(test, sizeof(*chains) << FLOOD_BITS,
				    GFP_KERNEL);
	unsigned int i, longest = 0, bit;
	struct mpool_str_secret secret;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, chains);
	mpool_kunit_random(test, &rnd);
	for (i = 0; i < FLOOD_SEEDS; i++) {
		prandom_bytes_state(&rnd, &secret, sizeof(secret));
		secret.point >>= 64 - MPOOL_STR_POINT_BITS;
		secret.spread |= 1;
		/* Two that were fatal to xor, multiply and rotate, and one more. */
		bit = i % 3 == 0 ? 31 : i % 3 == 1 ? 63 :
			mpool_kunit_below(&rnd, 63);
		longest = max(longest, flood_chain(test, bit, chains, &secret));
	}
	kunit_info(test, "the longest chain has %u strings\n", longest);
	KUNIT_EXPECT_LT(test, longest, FLOOD_CHAIN);
}

/* The arithmetic of the hash, where halves and carries are at their limits. */
static void hash_is_a_remainder(struct kunit *test)
{
	static const u64 edges[] = {
		0, 1, 58, 59, 60, U32_MAX, 1ull << 32, 1ull << 63,
		-61ull, -60ull, -59ull, -58ull, -2ull, -1ull,
	};
	static const u64 points[] = { 0, 1, 2, 1ull << 57, (1ull << 58) - 1 };
	unsigned int i, j, k, bit, wrong = 0;
	u64 a, sum;

	for (i = 0; i < ARRAY_SIZE(edges); i++)
		for (j = 0; j < ARRAY_SIZE(edges); j++)
			for (k = 0; k < ARRAY_SIZE(points); k++) {
				/* The same, bit by bit, modulo 2^64 - 59. */
				a = edges[i] % -59ull;
				sum = 0;
				for (bit = 58; bit--;) {
					sum = sum + sum + (sum >> 63 ? 59 : 0);
					sum %= -59ull;
					if (!(points[k] >> bit & 1))
						continue;
					sum = sum + a + (sum > ~a ? 59 : 0);
					sum %= -59ull;
				}
				a = edges[j] % -59ull;
				sum = sum + a + (sum > ~a ? 59 : 0);
				sum %= -59ull;
				wrong += mpool_str_mix(edges[i], edges[j],
						       points[k]) % -59ull != sum;
			}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* From 32 chains to thousands, and back. */
static void table_changes_its_size(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	const char **s = kunit_kcalloc(test, 5000, sizeof(*s), GFP_KERNEL);
	unsigned int i, wrong = 0;
	char text[32];

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "%u", i * i);
		s[i] = mpool_string_get(pool, text, GFP_KERNEL);
		snprintf(text, sizeof(text), "%u", i / 2 * (i / 2));
		wrong += !s[i] || !mpool_string_has(pool, text);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 5000);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(chains_in(pool) >= 5000));
	for (i = 0; i < 5000; i++)
		mpool_string_put(pool, s[i]);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(chains_in(pool) < 500));
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, bad_of(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

/* At each place of a page, up to its end, and with each limit. */
static void ends_of_pages(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, NAME, NULL);
	char *page = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	static const char text[] = "0123456789abcdefghijklmn";
	unsigned int len, off, limit, wrong = 0;
	const char *s, *t;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (len = 0; len < sizeof(text); len++) {
		s = mpool_string_getn(pool, text, len, GFP_KERNEL);
		for (off = 0; off < 40; off++) {
			char *at = page + PAGE_SIZE - off;

			memset(page, 'x', 2 * PAGE_SIZE);
			memcpy(at, text, len + 1);
			at[len] = '\0';
			t = mpool_string_get(pool, at, GFP_KERNEL);
			wrong += t != s;
			mpool_string_put(pool, t);
			limit = len + (off % 3 ? 0 : 1ul << 31);
			t = mpool_string_getn(pool, at, limit + (1ul << 32) *
					      !(off % 3), GFP_KERNEL);
			wrong += t != s;
			mpool_string_put(pool, t);
		}
		mpool_string_put(pool, s);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, strings_in(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static struct kunit_case string_cases[] = {
	KUNIT_CASE(one_copy_of_each),
	KUNIT_CASE(resizing_waits),
	KUNIT_CASE(nothing_for_nothing),
	KUNIT_CASE(given_lengths),
	KUNIT_CASE(long_strings),
	KUNIT_CASE(either_case),
	KUNIT_CASE(wrong_puts),
	KUNIT_CASE(no_free_behind_its_back),
	KUNIT_CASE(no_pool_at_all),
	KUNIT_CASE(create_refuses),
	KUNIT_CASE(clear_keeps_the_pool),
	KUNIT_CASE(destroy_with_strings_held),
	KUNIT_CASE(every_allocation_failure),
	KUNIT_CASE(many_hold_the_same),
	KUNIT_CASE(flush_sees_no_middle),
	KUNIT_CASE(colliding_strings),
	KUNIT_CASE(chosen_strings_spread),
	KUNIT_CASE(hash_is_a_remainder),
	KUNIT_CASE(table_changes_its_size),
	KUNIT_CASE(ends_of_pages),
	KUNIT_CASE(model),
	{ }
};

static struct kunit_suite string_suite = {
	.name = "mpool_strpool",
	.suite_exit = mpool_kunit_verified,
	.test_cases = string_cases,
};

kunit_test_suite(string_suite);
