// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other places: a hard interrupt, and objects that are freed on another CPU
 * than the one that allocated them.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "bench.h"

struct in_irq {
	struct irq_work work;
	struct bench_ctx *ctx;
	bench_fn fn;
	u64 took;
};

static void in_irq_fn(struct irq_work *work)
{
	struct in_irq *irq = container_of(work, struct in_irq, work);

	irq->took = irq->fn(irq->ctx);
}

/* Runs a loop in a hard interrupt of this CPU. */
u64 bench_in_irq(struct bench_ctx *ctx, bench_fn fn)
{
	struct in_irq irq = {
		.work = IRQ_WORK_INIT_HARD(in_irq_fn),
		.ctx = ctx,
		.fn = fn,
		.took = BENCH_FAILED,
	};

	if (irq_work_queue(&irq.work))
		irq_work_sync(&irq.work);
	return irq.took;
}

/*
 * One CPU fills batches, the other drains them, both at once; two batches are
 * on their way.  Each side's own work is timed, not the waiting for the other.
 */
struct cross {
	const struct bench_cross *ops;
	void **objs[2];
	u32 batches;
	u32 filled;
	u32 drained;
	u64 took;		/* by the drain */
	struct completion done;
};

static int cross_drain(void *arg)
{
	struct cross *cross = arg;
	u64 took = 0, start;
	u32 i;

	for (i = 0; i < cross->batches; i++) {
		/* Pairs with the release in bench_cross_run(). */
		while (smp_load_acquire(&cross->filled) == i)
			cond_resched();
		start = bench_now();
		cross->ops->drain(cross->objs[i & 1]);
		took += bench_now() - start;
		/* Pairs with the acquire in bench_cross_run(). */
		smp_store_release(&cross->drained, i + 1);
	}
	cross->took = took;
	kthread_complete_and_exit(&cross->done, 0);
}

u64 bench_cross_run(struct bench_ctx *ctx, const struct bench_cross *ops)
{
	struct cross cross = {
		.ops = ops,
		.objs = { ctx->slots, ctx->slots + BENCH_CROSS_BATCH },
		.batches = ctx->pairs / BENCH_CROSS_BATCH,
	};
	struct task_struct *task;
	u64 took = 0, start;
	u32 i;

	init_completion(&cross.done);
	task = kthread_create(cross_drain, &cross, "mpool_bench/1");
	if (IS_ERR(task))
		return BENCH_FAILED;
	kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	for (i = 0; i < cross.batches; i++) {
		/* Pairs with the release in cross_drain(). */
		while (i - smp_load_acquire(&cross.drained) == 2)
			cond_resched();
		start = bench_now();
		ops->fill(cross.objs[i & 1]);
		took += bench_now() - start;
		/* Pairs with the acquire in cross_drain(). */
		smp_store_release(&cross.filled, i + 1);
	}
	wait_for_completion(&cross.done);
	return took + cross.took;
}
