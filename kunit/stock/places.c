// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places: has a function called in a context of one's choice, and waits for it.
 *
 * The NMI is an IPI that a CPU sends to itself or to another with the vector of
 * the NMI; whose it is the handler knows by the job that waits for it.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/nmi.h>

#include "stock.h"
#include "versions.h"

static const char * const names[NR_PLACES] = {
	[PLACE_TASK]		= "task",
	[PLACE_SOFTIRQ]		= "softirq",
	[PLACE_HARDIRQ]		= "hard interrupt",
	[PLACE_IRQ_WORK]	= "irq_work",
	[PLACE_IPI]		= "IPI",
	[PLACE_RAW_LOCK]	= "raw spinlock",
	[PLACE_NMI]		= "NMI",
};

struct job {
	struct stock *t;
	place_fn fn;
	void *arg;
	struct timer_list timer;
	struct hrtimer hard;
	struct irq_work work;
	struct completion done;
	bool over;
};

/* What the NMI handler is to do; taken by the one that does it. */
static struct job *nmi_job[NR_CPUS];

const char *place_name(enum place place)
{
	return names[place];
}

/* What may be asked for there. */
gfp_t place_gfp(enum place place)
{
	return place == PLACE_TASK ? GFP_KERNEL : GFP_ATOMIC;
}

/* Does mpool get more memory there when it needs some? */
bool place_may_grow(enum place place)
{
	if (place == PLACE_NMI)
		return false;
	if (place == PLACE_TASK || place == PLACE_SOFTIRQ)
		return true;
	return MPOOL_TEST_HARD_GROWS;
}

static void job_do(struct job *job)
{
	job->fn(job->t, job->arg);
	/* Pairs with smp_load_acquire() in nmi_wait(). */
	smp_store_release(&job->over, true);
}

static void timer_fn(struct timer_list *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	job_do(job);
	complete(&job->done);
}

static enum hrtimer_restart hard_fn(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, hard);

	job_do(job);
	complete(&job->done);
	return HRTIMER_NORESTART;
}

static void work_fn(struct irq_work *work)
{
	struct job *job = container_of(work, struct job, work);

	job_do(job);
	complete(&job->done);
}

static void ipi_fn(void *arg)
{
	job_do(arg);
}

static int nmi_fn(unsigned int type, struct pt_regs *regs)
{
	struct job *job = xchg(&nmi_job[smp_processor_id()], NULL);

	if (!job)
		return NMI_DONE;
	job_do(job);
	return NMI_HANDLED;
}

static bool nmi_wait(struct job *job)
{
	unsigned int i;

	for (i = 0; i < 1000000; i++) {
		/* Pairs with smp_store_release() in job_do(). */
		if (smp_load_acquire(&job->over))
			return true;
		udelay(1);
	}
	return false;
}

static bool nmi_send(struct job *job, unsigned int cpu)
{
	WRITE_ONCE(nmi_job[cpu], job);
	apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	if (nmi_wait(job))
		return true;
	if (xchg(&nmi_job[cpu], NULL))
		return false;
	/* It has begun after all. */
	while (!nmi_wait(job))
		;
	return true;
}

static bool softirq_run(struct job *job)
{
	timer_setup(&job->timer, timer_fn, 0);
	mod_timer(&job->timer, jiffies + 1);
	wait_for_completion(&job->done);
	mpool_test_timer_end(&job->timer);
	return true;
}

static bool hard_run(struct job *job)
{
	mpool_test_hard_timer(&job->hard, hard_fn);
	hrtimer_start(&job->hard, ns_to_ktime(100000), HRTIMER_MODE_REL_HARD);
	wait_for_completion(&job->done);
	hrtimer_cancel(&job->hard);
	return true;
}

static bool work_run(struct job *job)
{
	job->work = IRQ_WORK_INIT_HARD(work_fn);
	irq_work_queue(&job->work);
	wait_for_completion(&job->done);
	irq_work_sync(&job->work);
	return true;
}

static bool raw_run(struct job *job)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	job_do(job);
	raw_spin_unlock_irqrestore(&lock, flags);
	return true;
}

static bool other_run(struct job *job)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());
	bool ran = false;

	put_cpu();
	if (cpu < nr_cpu_ids)
		ran = !smp_call_function_single(cpu, ipi_fn, job, 1);
	return ran;
}

static bool nmi_run(struct job *job)
{
	bool ran = nmi_send(job, get_cpu());

	put_cpu();
	return ran;
}

/* Calls @fn there; false if it could not be.  For one thread, one at a time. */
bool place_run(struct stock *t, enum place at, place_fn fn, void *arg)
{
	static struct job job;

	job = (struct job){ .t = t, .fn = fn, .arg = arg };
	init_completion(&job.done);
	t->now = names[at];
	switch (at) {
	case PLACE_TASK:
		job_do(&job);
		return true;
	case PLACE_SOFTIRQ:
		return softirq_run(&job);
	case PLACE_HARDIRQ:
		return hard_run(&job);
	case PLACE_IRQ_WORK:
		return work_run(&job);
	case PLACE_IPI:
		return other_run(&job);
	case PLACE_RAW_LOCK:
		return raw_run(&job);
	default:
		return nmi_run(&job);
	}
}

/* Calls @fn in an NMI of another CPU. */
bool place_nmi_on(struct stock *t, unsigned int cpu, place_fn fn, void *arg)
{
	struct job job = { .t = t, .fn = fn, .arg = arg };

	t->now = names[PLACE_NMI];
	return nmi_send(&job, cpu);
}

int places_init(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_fn, 0, "mpool_stock");
}

void places_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "mpool_stock");
}
