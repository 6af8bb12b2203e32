// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client for kunit/life.sh, which comes and goes with mpool: pools over pools of its
 * own with objects in them, traffic on two CPUs, frees that wait for a grace period or
 * are finished by a work item, objects that another module frees while this one goes, and
 * a destructor that runs then.  It leaves as much as it is told to.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mpool.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "life.h"

#define SETS	4
#define HELD	32

static bool fail;
module_param(fail, bool, 0444);
MODULE_PARM_DESC(fail, "Let init fail, with everything still allocated");

static bool leak = true;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "Leave pools and objects behind");

/* Pools of each kind over one, with an object of each. */
struct set {
	struct mpool_large *large;
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct mpool_string *string;
	void *run, *obj, *some;
	const char *text;
};

struct later {
	struct rcu_head rcu;
	struct page *page;		/* to which it has a reference, or NULL */
	char rest[72];
};

static struct set sets[SETS];
static struct task_struct *tasks[2];
static unsigned int dtors;

static void life_dtor(void *obj, void *priv)
{
	/* Long enough for the module to go meanwhile. */
	udelay(9);
	WRITE_ONCE(dtors, dtors + 1);
}

static int set_make(struct set *set, int nr)
{
	struct mpool_fixed_args fixed = { .dtor = life_dtor };
	struct mpool_string_args string = { };
	struct mpool_small_args small = { };
	char name[MPOOL_NAME_LEN];

	snprintf(name, sizeof(name), "life-l%d", nr);
	set->large = mpool_large_create(name, NULL);
	if (IS_ERR(set->large))
		return PTR_ERR(set->large);
	fixed.large = set->large;
	small.large = set->large;
	string.large = set->large;
	snprintf(name, sizeof(name), "life-f%d", nr);
	set->fixed = mpool_fixed_create(name, 100, &fixed);
	snprintf(name, sizeof(name), "life-s%d", nr);
	set->small = mpool_small_create(name, &small);
	snprintf(name, sizeof(name), "life-t%d", nr);
	set->string = mpool_string_create(name, &string);
	if (IS_ERR(set->fixed) || IS_ERR(set->small) || IS_ERR(set->string))
		return -ENOMEM;
	set->run = mpool_large_alloc(set->large, 5000, NULL, GFP_KERNEL);
	set->obj = mpool_fixed_alloc(set->fixed, GFP_KERNEL);
	set->some = mpool_small_alloc(set->small, 300, GFP_KERNEL);
	set->text = mpool_string_get(set->string, name, GFP_KERNEL);
	return 0;
}

static void set_end(struct set *set)
{
	mpool_string_put(set->string, set->text);
	mpool_small_free(set->small, set->some);
	mpool_fixed_free(set->fixed, set->obj);
	mpool_large_free(set->large, set->run);
	mpool_string_destroy(set->string);
	mpool_small_destroy(set->small);
	mpool_fixed_destroy(set->fixed);
	mpool_large_destroy(set->large);
}

static void later_fn(struct rcu_head *rcu)
{
	struct later *later = container_of(rcu, struct later, rcu);

	if (later->page)
		put_page(later->page);
	mpool_free(later);
}

/* A run whose free is finished by a work item, because of the references to its pages. */
static void traffic_late(struct set *set, struct later *later, bool dropped)
{
	char *p = mpool_large_alloc(set->large, 3 * PAGE_SIZE, NULL, GFP_KERNEL);

	if (!p)
		return;
	if (dropped) {
		put_page(virt_to_page(p));
	} else {
		later->page = virt_to_page(p + PAGE_SIZE);
		get_page(later->page);
	}
	mpool_large_free(set->large, p);
}

static void traffic_round(struct set *set, unsigned int i)
{
	struct later *later = mpool_malloc(sizeof(*later), GFP_KERNEL | __GFP_ZERO);
	const char *text;
	char name[16];

	if (later && i % 16) {
		mpool_free(later);
	} else if (later) {
		traffic_late(set, later, i % 32);
		call_rcu(&later->rcu, later_fn);
	}
	snprintf(name, sizeof(name), "text %u", i % 9);
	text = mpool_string_get(set->string, name, GFP_KERNEL);
	mpool_string_put(set->string, text);
	mpool_large_free(set->large, mpool_large_alloc(set->large, 9000, NULL,
						       GFP_KERNEL));
}

static int traffic_fn(void *arg)
{
	unsigned int i = 0;

	while (!kthread_should_stop()) {
		traffic_round(arg, i++);
		cond_resched();
	}
	return 0;
}

static void traffic_start(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = kthread_create(traffic_fn, &sets[i], "life/%d", i);
		if (IS_ERR(tasks[i]))
			continue;
		kthread_bind(tasks[i], cpumask_nth(i % num_online_cpus(),
						   cpu_online_mask));
		wake_up_process(tasks[i]);
	}
}

static void life_end(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		if (!IS_ERR_OR_NULL(tasks[i]))
			kthread_stop(tasks[i]);
	/* later_fn() is this module's: it has to be over. */
	rcu_barrier();
	/* The holder has the objects of the first pool, and may be freeing one. */
	for (i = 0; i < HELD; i++)
		life_hold(mpool_fixed_alloc(sets[0].fixed, GFP_KERNEL));
	for (i = 1; i < SETS && !leak; i++)
		set_end(&sets[i]);
}

static int __init life_init(void)
{
	int i, err = 0;

	for (i = 0; i < SETS && !err; i++)
		err = set_make(&sets[i], i);
	if (err)
		return err;
	traffic_start();
	/* Long enough for both to run. */
	msleep(20);
	if (!fail)
		return 0;
	life_end();
	return -ENODEV;
}

static void __exit life_exit(void)
{
	life_end();
}

module_init(life_init);
module_exit(life_exit);

MODULE_DESCRIPTION("mpool: a client that goes");
MODULE_LICENSE("GPL");
