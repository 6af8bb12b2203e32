// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner: calls each case in a thread and prints KTAP.
 *
 * Loading the module runs them all, and waits for the end; that it loads says
 * nothing of the results.  red=1 runs one case that fails instead, so that who
 * judges the output can show that he can tell.  foreign=1 runs one that makes the
 * kernel complain, which kunit/foreign.sh looks at.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "stock.h"

static bool red;
module_param(red, bool, 0444);
MODULE_PARM_DESC(red, "Run one case that fails, and no other");

static bool foreign;
module_param(foreign, bool, 0444);
MODULE_PARM_DESC(foreign, "Run the case that has the kernel free what is mpool's, and no other");

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "Run the case of this name, and no other");

struct mm_struct *stock_mm;

static unsigned int raced;

/* A race that KCSAN has to see, if the kernel has it. */
static noinline void planted_race(void)
{
	raced++;
	/* KCSAN would watch the store for longer, and in another function. */
	smp_mb();
}

static int race_fn(void *arg)
{
	unsigned long end = jiffies + HZ;

	while (time_before(jiffies, end)) {
		planted_race();
		cond_resched();
	}
	complete(arg);
	return 0;
}

static void plant_race(struct stock *t)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;
	unsigned int i, started = 0;

	for (i = 0; i < 2; i++) {
		task = kthread_run(race_fn, &done, "mpool_race/%u", i);
		if (CHECK(t, !IS_ERR(task)))
			started++;
	}
	while (started--)
		wait_for_completion(&done);
}

static void always_fails(struct stock *t)
{
	if (IS_ENABLED(CONFIG_KCSAN))
		plant_race(t);
	CHECK(t, false);
}

static const struct stock_case red_case = { "always_fails", always_fails };
static const struct stock_case foreign_case = { "kernel_frees_what_is_not_its", stock_foreign };

static void print_failure(const struct stock *t, const char *name)
{
	pr_info("# %s: %s:%u: failed: %s%s%s (%u in all)\n", name, t->file,
		t->line, t->what, t->place ? ", in " : "", t->place ?: "",
		t->fails);
}

static void run_case(const struct stock_case *one, unsigned int nr)
{
	struct stock t = { .now = NULL };

	one->fn(&t);
	if (t.fails)
		print_failure(&t, one->name);
	if (t.skip && !t.fails)
		pr_info("ok %u %s # SKIP %s\n", nr, one->name, t.skip);
	else
		pr_info("%s %u %s\n", t.fails ? "not ok" : "ok", nr, one->name);
}

/* The cases to be run, *@n of them. */
static const struct stock_case *choose(unsigned int *n)
{
	unsigned int i;

	*n = 1;
	if (red)
		return &red_case;
	if (foreign)
		return &foreign_case;
	for (i = 0; i < nr_stock_cases; i++)
		if (!strcmp(stock_cases[i].name, only))
			return &stock_cases[i];
	*n = nr_stock_cases;
	return stock_cases;
}

static int run_all(void *arg)
{
	struct completion *done = arg;
	const struct stock_case *cases;
	unsigned int i, n;

	cases = choose(&n);
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", n);
	for (i = 0; i < n; i++)
		run_case(&cases[i], i + 1);
	complete(done);
	return 0;
}

static int __init stock_init(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;
	int err = places_init();

	if (err)
		return err;
	stock_mm = current->mm;
	task = kthread_run(run_all, &done, "mpool_stock");
	if (IS_ERR(task)) {
		places_exit();
		return PTR_ERR(task);
	}
	wait_for_completion(&done);
	return 0;
}

static void __exit stock_exit(void)
{
	places_exit();
}

module_init(stock_init);
module_exit(stock_exit);

MODULE_DESCRIPTION("mpool: tests for kernels without KUnit");
MODULE_LICENSE("GPL");
