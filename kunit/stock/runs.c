// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of a few lengths, of one pool, taken and given back by a thread on each CPU,
 * and in NMIs that interrupt them, so that most of them are the same ones.
 *
 * Who has a run writes into it who he is, and looks again before he gives it back.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "stock.h"

#define THREADS		3
#define THREAD_OPS	20000
#define NMIS		1500
#define NMI_OPS		3
#define HELD		3

struct taker {
	struct mpool_large *pool;
	struct completion *over;
	bool *stop;			/* not before all NMIs were */
	unsigned long id;
	u32 rnd;
	u32 torn;
	u32 refused;
	u32 done;
};

static u32 taker_rnd(struct taker *taker, u32 n)
{
	taker->rnd = taker->rnd * 1664525 + 1013904223;
	return (taker->rnd >> 8) % n;
}

static void run_stamp(unsigned long *p, u32 pages, unsigned long stamp)
{
	size_t words = PAGE_SIZE / sizeof(long), page;

	for (page = 0; page < pages; page++) {
		WRITE_ONCE(p[page * words], stamp);
		WRITE_ONCE(p[(page + 1) * words - 1], stamp);
	}
}

static bool run_has(const unsigned long *p, u32 pages, unsigned long stamp)
{
	size_t words = PAGE_SIZE / sizeof(long), page;
	bool ok = true;

	for (page = 0; page < pages; page++) {
		ok &= READ_ONCE(p[page * words]) == stamp;
		ok &= READ_ONCE(p[(page + 1) * words - 1]) == stamp;
	}
	return ok;
}

/* Takes up to HELD runs and gives them back. */
static void taker_step(struct taker *taker, gfp_t gfp)
{
	static const u8 lens[] = { 1, 2, 3, 5, 5, 17 };
	u32 i, n = 1 + taker_rnd(taker, HELD), len[HELD];
	unsigned long *p[HELD];

	for (i = 0; i < n; i++) {
		len[i] = lens[taker_rnd(taker, ARRAY_SIZE(lens))];
		p[i] = mpool_large_alloc(taker->pool, len[i] * PAGE_SIZE, NULL,
					 gfp | __GFP_NOWARN);
		if (p[i])
			run_stamp(p[i], len[i], taker->id + i);
		else
			taker->refused++;
	}
	for (i = 0; i < n; i++) {
		if (!p[i])
			continue;
		taker->torn += !run_has(p[i], len[i], taker->id + i);
		taker->done++;
		mpool_large_free(taker->pool, p[i]);
	}
}

static int taker_fn(void *arg)
{
	struct taker *taker = arg;
	int i;

	for (i = 0; i < THREAD_OPS || !READ_ONCE(*taker->stop); i++) {
		taker_step(taker, i % 3 ? GFP_KERNEL : GFP_ATOMIC);
		if (!(i % 64))
			cond_resched();
	}
	complete(taker->over);
	return 0;
}

static void nmi_fn(struct stock *t, void *arg)
{
	int i;

	CHECK(t, in_nmi());
	for (i = 0; i < NMI_OPS; i++)
		taker_step(arg, GFP_ATOMIC);
}

void stock_runs(struct stock *t)
{
	struct taker takers[THREADS + 1] = { };
	DECLARE_COMPLETION_ONSTACK(over);
	unsigned int i, cpu = 0, started = 0;
	bool stop = false;
	struct task_struct *task;
	struct mpool_large *pool;

	pool = mpool_large_create("stock-runs", NULL);
	if (!CHECK(t, !IS_ERR(pool)))
		return;
	for (i = 0; i <= THREADS; i++) {
		takers[i].pool = pool;
		takers[i].over = &over;
		takers[i].stop = &stop;
		takers[i].id = (i + 1) * 100;
		takers[i].rnd = i;
		if (i == THREADS)
			break;
		task = kthread_run(taker_fn, &takers[i], "mpool_taker%u", i);
		started += CHECK(t, !IS_ERR(task));
	}
	for (i = 0; i < NMIS; i++) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		CHECK(t, place_nmi_on(t, cpu, nmi_fn, &takers[THREADS]));
		if (!(i % 16))
			schedule_timeout_uninterruptible(1);
		if (!(i % 100))
			mpool_large_trim(pool);
	}
	WRITE_ONCE(stop, true);
	while (started--)
		wait_for_completion(&over);
	for (i = 0; i <= THREADS; i++) {
		CHECK(t, !takers[i].torn);
		/* A task can always wait for memory, an NMI has what is there. */
		CHECK(t, i == THREADS || !takers[i].refused);
		CHECK(t, takers[i].done > (i == THREADS ? NMIS : THREAD_OPS));
	}
	/* All of it is free: nothing was lost. */
	CHECK(t, !mpool_large_destroy(pool));
	pr_info("# runs: %u taken in NMIs, %u not to be had\n",
		takers[THREADS].done, takers[THREADS].refused);
}
