// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed pools, continued: every allocation failure, and 100000 random
 * operations beside a model.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"
#include "helpers.h"

#define NAME	"kt-fixed"

/* --- allocation failures --- */

/* Everything that allocates, once; NULL and error pointers are fine. */
static void use_and_end(struct kunit *test, struct mpool_fixed *pool)
{
	void *objs[40] = { NULL };
	void *obj;

	if (IS_ERR(pool)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
		return;
	}
	obj = mpool_fixed_alloc(pool, GFP_KERNEL);
	mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 40, objs);
	mpool_fixed_free(pool, obj);
	if (mpool_fixed_live(pool) == 40)
		mpool_fixed_free_bulk(pool, 40, objs);
	mpool_fixed_reserve(pool, 50, GFP_KERNEL);
	mpool_fixed_reserve(pool, 3, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 0);
}

static void every_allocation_failure(struct kunit *test)
{
	struct mpool_fixed_args args = { .reserve = 5 };
	long before = mpool_kunit_shared_pages();
	unsigned int n;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	for (n = 1; n < 1000; n++) {
		mpool_kunit_fail_nth(n);
		use_and_end(test, mpool_fixed_create(NAME, 5000, &args));
		if (!mpool_kunit_fail_end())
			break;
		KUNIT_ASSERT_NULL(test, mpool_pool_find(NAME));
	}
	kunit_info(test, "%u points of failure\n", n - 1);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 1000);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
	KUNIT_EXPECT_EQ(test, before, mpool_kunit_shared_pages());
}

/* Lets each allocation in one alloc fail; how many made the alloc fail. */
static unsigned int sweep_alloc(struct kunit *test, struct mpool_fixed *pool)
{
	unsigned int n, failed = 0;
	void *objs[64], *obj;

	for (n = 1; n < 200; n++) {
		mpool_kunit_fail_nth(n);
		obj = mpool_fixed_alloc(pool, GFP_NOWAIT);
		if (!mpool_kunit_fail_end())
			n = 200;
		failed += !obj;
		mpool_fixed_free(pool, obj);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
		KUNIT_EXPECT_EQ(test,
				mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 64, objs),
				64);
		mpool_fixed_free_bulk(pool, 64, objs);
		mpool_fixed_drain(pool);
		mpool_large_trim(mpool_large_shared);
	}
	KUNIT_EXPECT_EQ(test, n, 201);
	return failed;
}

static void alloc_recovers_from_failure(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 2000, NULL);
	unsigned int round, failed = 0;

	if (!MPOOL_KUNIT_CAN_FAIL)
		kunit_skip(test, "the kernel has no CONFIG_FAULT_INJECTION");
	/*
	 * KASAN allocates as well, now and then, for its stacks: where such an
	 * allocation was the one to fail, the sweep steps over the next of ours.
	 */
	for (round = 0; round < 5; round++)
		failed += sweep_alloc(test, pool);
	KUNIT_EXPECT_GT(test, failed, 0);
}

/* --- the model: an array of what should be live --- */

#define MODEL_OPS	100000
#define MODEL_MAX	700

struct model_obj {
	u8 *p;
	u32 tag;
};

struct model {
	struct kunit *test;
	struct mpool_fixed *pool;
	struct rnd_state rnd;
	struct model_obj objs[MODEL_MAX];
	unsigned int n, most, wrong, refused;
	u32 tag;
};

static void model_add(struct model *m, u8 *p)
{
	struct model_obj *obj = &m->objs[m->n++];

	obj->p = p;
	obj->tag = ++m->tag;
	mpool_kunit_fill(p, mpool_fixed_size(m->pool), obj->tag);
}

static void *model_del(struct model *m)
{
	u32 i = mpool_kunit_below(&m->rnd, m->n);
	struct model_obj obj = m->objs[i];

	m->objs[i] = m->objs[--m->n];
	m->wrong += !mpool_kunit_intact(obj.p, mpool_fixed_size(m->pool),
					obj.tag);
	return obj.p;
}

static void model_alloc(struct model *m)
{
	bool zero = mpool_kunit_below(&m->rnd, 2);
	u8 *p;

	if (m->n == MODEL_MAX)
		return;
	p = zero ? mpool_fixed_zalloc(m->pool, GFP_KERNEL) :
		   mpool_fixed_alloc(m->pool, GFP_KERNEL);
	if (!p) {
		m->refused++;
		m->wrong += m->n < m->most;
		return;
	}
	m->wrong += m->most && m->n >= m->most;
	m->wrong += zero && memchr_inv(p, 0, mpool_fixed_size(m->pool));
	model_add(m, p);
}

static void model_bulk(struct model *m)
{
	u32 n = 1 + mpool_kunit_below(&m->rnd, 20), i;
	void *objs[20];

	if (mpool_kunit_below(&m->rnd, 2)) {
		if (m->n + n > MODEL_MAX ||
		    !mpool_fixed_alloc_bulk(m->pool, GFP_KERNEL, n, objs))
			return;
		for (i = 0; i < n; i++)
			model_add(m, objs[i]);
	} else if (m->n >= n) {
		for (i = 0; i < n; i++)
			objs[i] = model_del(m);
		mpool_fixed_free_bulk(m->pool, n, objs);
	}
}

static void model_step(struct model *m, unsigned int step)
{
	u32 dice = mpool_kunit_below(&m->rnd, 100);
	/* The tide: half of the time more is taken than given back. */
	u32 takes = step / 5000 % 2 ? 30 : 60;

	if (dice < takes)
		model_alloc(m);
	else if (dice < 90 && m->n)
		mpool_fixed_free(m->pool, model_del(m));
	else if (dice < 99)
		model_bulk(m);
	else if (mpool_kunit_below(&m->rnd, 50) == 0)
		mpool_fixed_drain(m->pool);
	else if (!m->most && mpool_kunit_below(&m->rnd, 50) == 0)
		/* What it gets of a full region is what there is. */
		mpool_fixed_reserve(m->pool, mpool_kunit_below(&m->rnd, 9),
				    GFP_KERNEL);
}

struct model_param {
	const char *name;
	size_t size;
	struct mpool_fixed_args args;
	unsigned int region;
};

static const struct model_param model_params[] = {
	{ "small objects", 24 },
	{ "no cache", 72, { .flags = MPOOL_FIXED_NO_CACHE } },
	{ "limit", 40, { .max_objects = 300 } },
	{ "region", 192, { }, 24 },
	{ "several pages", 5000 },
};

static void model_name(const struct model_param *param, char *name)
{
	strscpy(name, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(model, model_params, model_name);

static void model(struct kunit *test)
{
	const struct model_param *param = test->param_value;
	struct mpool_fixed_args args = param->args;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int step;

	KUNIT_ASSERT_NOT_NULL(test, m);
	if (param->region)
		args.large = mpool_kunit_region(test, "kt-region",
						param->region);
	m->test = test;
	m->most = args.max_objects;
	m->pool = mpool_kunit_fixed(test, NAME, param->size, &args);
	mpool_kunit_random(test, &m->rnd);
	for (step = 0; step < MODEL_OPS && !m->wrong; step++) {
		model_step(m, step);
		m->wrong += m->n != mpool_fixed_live(m->pool);
		if (step % 10000 == 0)
			m->wrong += mpool_fixed_verify(m->pool);
	}
	KUNIT_EXPECT_EQ_MSG(test, m->wrong, 0, "at step %u", step);
	KUNIT_EXPECT_EQ(test, !!m->refused, args.max_objects || args.large);
	while (m->n)
		mpool_fixed_free(m->pool, model_del(m));
	KUNIT_EXPECT_EQ(test, m->wrong, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(m->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&m->pool->base), 0);
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE(every_allocation_failure),
	KUNIT_CASE(alloc_recovers_from_failure),
	KUNIT_CASE_PARAM(model, model_gen_params),
	{ }
};

static struct kunit_suite model_suite = {
	.name = "mpool_fixed_model",
	.suite_exit = mpool_kunit_verified,
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
