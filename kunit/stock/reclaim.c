// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim: the kernel has its shrinkers called while runs of a pool are taken and given
 * back on another CPU.
 *
 * At two points the shrinker is stopped by a kprobe until the other CPU has taken a run:
 * before it looks for idle arenas, and when it has one that it is about to give back.
 * After that the two go as they like.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/string.h>

#include "large.h"
#include "stock.h"

#define ARENAS	20	/* that have to go under the churn */

static struct {
	struct mpool_large *pool;
	struct task_struct *dropper;
	struct completion over;
	bool stop, churn;
	unsigned int want, got;		/* runs asked of the other CPU in the midst */
	unsigned int pages;		/* of such a run */
	void *run;
	unsigned int late, none, torn;
	unsigned long rounds;
} meet;

#define DROP_CACHES	"/proc/sys/vm/drop_caches"

static bool can_drop(void)
{
	struct file *file = filp_open(DROP_CACHES, O_WRONLY, 0);

	if (IS_ERR(file))
		return false;
	filp_close(file, NULL);
	return true;
}

/* Has the shrinkers called for all there is, as "echo 2 >/proc/sys/vm/drop_caches". */
static bool drop_slabs(void)
{
	struct file *file = filp_open(DROP_CACHES, O_WRONLY, 0);
	loff_t pos = 0;
	bool done;

	if (IS_ERR(file))
		return false;
	/* 4: from now on nothing is said of it. */
	done = kernel_write(file, "4", 1, &pos) == 1;
	pos = 0;
	done = done && kernel_write(file, "2", 1, &pos) == 1;
	filp_close(file, NULL);
	return done;
}

static void *run_take(unsigned int pages, int tag)
{
	void *p = mpool_large_alloc(meet.pool, pages * PAGE_SIZE, NULL, GFP_KERNEL);

	if (p)
		memset(p, tag, pages * PAGE_SIZE);
	else
		meet.none++;
	return p;
}

static void run_give(void *p, unsigned int pages, int tag)
{
	if (!p)
		return;
	meet.torn += !!memchr_inv(p, tag, pages * PAGE_SIZE);
	mpool_large_free(meet.pool, p);
}

/* Up to two runs at once, of lengths that are cached and others; then none. */
static void churn_round(unsigned long i)
{
	static const u8 lens[] = { 1, 5, 17, 33, 64, 2, 70 };
	unsigned int a = lens[i % 7], b = lens[i / 7 % 7];
	void *p = run_take(a, i), *q = i % 3 ? run_take(b, ~i) : NULL;

	run_give(p, a, i);
	run_give(q, b, ~i);
	WRITE_ONCE(meet.rounds, i + 1);
}

static int other_fn(void *arg)
{
	unsigned long i = 0;

	while (!READ_ONCE(meet.stop)) {
		if (READ_ONCE(meet.want) != meet.got) {
			meet.run = run_take(meet.pages, 0x5a);
			/* Pairs with smp_load_acquire() in stop_here(). */
			smp_store_release(&meet.got, meet.got + 1);
		}
		if (READ_ONCE(meet.churn))
			churn_round(i++);
		cond_resched();
	}
	complete(&meet.over);
	return 0;
}

/* Pages of the pool go and others come, while both do what they like. */
static void churn(struct stock *t)
{
	unsigned long rounds = 0;
	unsigned int drops = 0;
	u64 went = 0, was;

	meet.rounds = 0;
	WRITE_ONCE(meet.churn, true);
	while ((went < ARENAS || rounds < 1000) && drops++ < 50000) {
		was = mpool_stat_read(&meet.pool->base.stats, MPOOL_STAT_SHRINK);
		CHECK(t, drop_slabs());
		went += mpool_stat_read(&meet.pool->base.stats, MPOOL_STAT_SHRINK) - was;
		/* The other is never left behind, however busy the machine is. */
		while (READ_ONCE(meet.rounds) == rounds)
			cond_resched();
		rounds = READ_ONCE(meet.rounds);
	}
	WRITE_ONCE(meet.churn, false);
	CHECK(t, went >= ARENAS);
	pr_info("# reclaim: %u passes over %lu rounds\n", drops, rounds);
}

#if IS_ENABLED(CONFIG_KPROBES)
static int stop_here(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned int i;

	if (current != READ_ONCE(meet.dropper) ||
	    (void *)regs_get_kernel_argument(regs, 0) != meet.pool)
		return 0;
	WRITE_ONCE(meet.dropper, NULL);
	WRITE_ONCE(meet.want, meet.want + 1);
	/* Pairs with smp_store_release() in other_fn(). */
	for (i = 0; i < 2000000 && smp_load_acquire(&meet.got) != meet.want; i++)
		udelay(1);
	meet.late += meet.got != meet.want;
	return 0;
}
NOKPROBE_SYMBOL(stop_here);

/* A pool with an idle arena is asked for it, and has a run taken from it at @where. */
static void meet_at(struct stock *t, const char *where)
{
	struct kprobe probe = { .symbol_name = where, .pre_handler = stop_here };
	unsigned int round, was;
	void *p;

	if (!CHECK(t, !register_kprobe(&probe)))
		return;
	for (round = 0; round < 10; round++) {
		/* One that is cached, and taken without the lock, and one that is not. */
		meet.pages = round % 2 ? 20 : 40;
		p = run_take(meet.pages, 1);
		run_give(p, meet.pages, 1);
		CHECK(t, mpool_large_nr_pages(meet.pool) >= meet.pages);
		meet.run = NULL;
		was = meet.want;
		WRITE_ONCE(meet.dropper, current);
		CHECK(t, drop_slabs());
		WRITE_ONCE(meet.dropper, NULL);
		CHECK(t, meet.want == was + 1);
		/* There is no other: the shrinker has left it, or it is a new one. */
		CHECK(t, mpool_large_nr_pages(meet.pool) >= meet.pages);
		CHECK(t, mpool_large_owns(meet.pool, meet.run));
		run_give(meet.run, meet.pages, 0x5a);
		CHECK(t, drop_slabs());
		CHECK(t, !mpool_large_nr_pages(meet.pool));
	}
	unregister_kprobe(&probe);
}

static void meet_all(struct stock *t)
{
	meet_at(t, "mpool_large_reclaim_spares");
	meet_at(t, "mpool_arena_release");
}
#else
static void meet_all(struct stock *t)
{
}
#endif

void stock_reclaim(struct stock *t)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);
	struct task_struct *task;

	if (!cpu) {
		t->skip = "one CPU";
		return;
	}
	if (!can_drop()) {
		t->skip = "no " DROP_CACHES;
		return;
	}
	memset(&meet, 0, sizeof(meet));
	init_completion(&meet.over);
	meet.pool = mpool_large_create("stock-reclaim", NULL);
	if (!CHECK(t, !IS_ERR(meet.pool)))
		return;
	task = kthread_create(other_fn, NULL, "mpool_other");
	if (CHECK(t, !IS_ERR(task))) {
		kthread_bind(task, cpu);
		set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));
		wake_up_process(task);
		meet_all(t);
		churn(t);
		WRITE_ONCE(meet.stop, true);
		wait_for_completion(&meet.over);
		set_cpus_allowed_ptr(current, cpu_possible_mask);
	}
	CHECK(t, !meet.late);
	CHECK(t, !meet.none);
	CHECK(t, !meet.torn);
	/* All of it is idle now, and goes. */
	CHECK(t, drop_slabs());
	CHECK(t, !mpool_large_nr_pages(meet.pool));
	CHECK(t, !mpool_large_destroy(meet.pool));
}
