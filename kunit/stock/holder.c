// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that frees what another one allocated, while that one goes.  By
 * mpool_free(): the pool of an object may be an orphan by then.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mpool.h>
#include <linux/sched.h>

#include "life.h"

#define SLOTS	64

static void *slots[SLOTS];
static struct task_struct *task;

void life_hold(void *obj)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (!cmpxchg(&slots[i], NULL, obj))
			return;
	mpool_free(obj);
}
EXPORT_SYMBOL_GPL(life_hold);

static void free_all(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		mpool_free(xchg(&slots[i], NULL));
		cond_resched();
	}
}

static int holder_fn(void *arg)
{
	while (!kthread_should_stop()) {
		free_all();
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static int __init holder_init(void)
{
	task = kthread_run(holder_fn, NULL, "life/holder");
	return PTR_ERR_OR_ZERO(task);
}

static void __exit holder_exit(void)
{
	kthread_stop(task);
	free_all();
}

module_init(holder_init);
module_exit(holder_exit);

MODULE_DESCRIPTION("mpool: frees what another module allocated");
MODULE_LICENSE("GPL");
