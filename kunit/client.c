// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client module for the cases that need a real one: it may fail its init, leak
 * at its exit, leave a pool behind, make and end pools while others read their
 * files, or free wrongly where the free is the last statement of a callback.
 * kunit/modules.sh loads and unloads it.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mpool.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

static bool fail;
module_param(fail, bool, 0444);
MODULE_PARM_DESC(fail, "Let init fail, with everything still allocated");

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "Leave objects and a pool behind");

static unsigned int churn;
module_param(churn, uint, 0444);
MODULE_PARM_DESC(churn, "Pools of each kind to make, use and end in init");

static bool bad;
module_param(bad, bool, 0444);
MODULE_PARM_DESC(bad, "Free an object twice, in callbacks");

static struct mpool_fixed *pool;
static void *objs[3];
static void *global;

static int client_alloc(void)
{
	int i;

	pool = mpool_fixed_create("client", 96, NULL);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
	global = mpool_malloc(1000, GFP_KERNEL);
	return 0;
}

static void client_free(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mpool_fixed_free(pool, objs[i]);
	mpool_free(global);
	mpool_fixed_destroy(pool);
}

static void churn_strings(struct mpool_string *strings)
{
	char text[16];
	int i;

	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "word %d", i % 7);
		mpool_string_get(strings, text, GFP_KERNEL);
	}
	mpool_string_clear(strings);
}

/* Every file of every kind of pool comes, changes and goes. */
static int client_churn(void)
{
	struct mpool_large *large = mpool_large_create("churn-large", NULL);
	struct mpool_small_args small_args = { .large = large };
	struct mpool_fixed_args fixed_args = { .large = large, .reserve = 4 };
	struct mpool_string *strings;
	struct mpool_small *small;
	struct mpool_fixed *fixed;
	int i;

	if (IS_ERR(large))
		return PTR_ERR(large);
	fixed = mpool_fixed_create("churn-fixed", 200, &fixed_args);
	small = mpool_small_create("churn-small", &small_args);
	strings = mpool_string_create("churn-string", NULL);
	if (!IS_ERR(fixed) && !IS_ERR(small) && !IS_ERR(strings)) {
		for (i = 0; i < 50; i++) {
			mpool_fixed_alloc(fixed, GFP_KERNEL);
			mpool_small_alloc(small, i * 1000 + 1, GFP_KERNEL);
		}
		churn_strings(strings);
		mpool_fixed_clear(fixed);
		mpool_small_clear(small);
	}
	mpool_string_destroy(strings);
	mpool_small_destroy(small);
	mpool_fixed_destroy(fixed);
	mpool_large_destroy(large);
	return 0;
}

struct req {
	struct work_struct work;
	struct rcu_head rcu;
};

static struct mpool_fixed *reqs;

static void client_work(struct work_struct *work)
{
	mpool_fixed_free(reqs, container_of(work, struct req, work));
}

static void client_rcu(struct rcu_head *rcu)
{
	mpool_fixed_free(reqs, container_of(rcu, struct req, rcu));
}

static noinline void client_put(struct req *req)
{
	mpool_free(req);
}

/* One right free, then 23 wrong ones. */
static int client_bad(void)
{
	struct req *req;
	int i;

	reqs = mpool_fixed_create("client-reqs", sizeof(*req), NULL);
	if (IS_ERR(reqs))
		return PTR_ERR(reqs);
	req = mpool_fixed_alloc(reqs, GFP_KERNEL);
	for (i = 0; i < 2 && req; i++) {
		INIT_WORK(&req->work, client_work);
		schedule_work(&req->work);
		flush_work(&req->work);
	}
	if (req)
		call_rcu(&req->rcu, client_rcu);
	rcu_barrier();
	for (i = 0; i < 21; i++)
		client_put(req);
	mpool_fixed_destroy(reqs);
	return 0;
}

static int __init client_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < churn && !err; i++)
		err = client_churn();
	if (!err && bad)
		err = client_bad();
	if (!err)
		err = client_alloc();
	if (!err && fail)
		err = -ENODEV;
	return err;
}

static void __exit client_exit(void)
{
	if (!leak)
		client_free();
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("mpool: a client for tests");
MODULE_LICENSE("GPL");
