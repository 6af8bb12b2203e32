// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks of a driver around the functions of mpool, in every context that they allow,
 * on two CPUs at once.
 *
 * Two threads, bound to two CPUs, call the public functions without a lock and under
 * each kind of lock; hard and soft timers of both CPUs, and NMIs, take the same locks
 * and call them too.  All of them share the pools, so that the locks of mpool meet
 * those of the driver in every order that a driver may have.  Where lockdep is on, it
 * sees each order once, and need not wait for two CPUs to hang; elsewhere the case
 * runs for nest_secs seconds, and is over only if nothing hangs.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "stock.h"
#include "versions.h"

#define OBJS	150

static unsigned int nest_secs = 4;
module_param(nest_secs, uint, 0444);
MODULE_PARM_DESC(nest_secs, "Seconds for which locks are nested");

/* Taken in hard interrupts, in NMI by trying; in soft ones; by tasks. */
static DEFINE_RAW_SPINLOCK(hard_lock);
static DEFINE_SPINLOCK(soft_lock);
static DEFINE_MUTEX(driver_mutex);

struct nest {
	struct mpool_large *large;
	struct mpool_fixed *fixed;	/* with a reserve */
	struct mpool_fixed *dtor;
	struct mpool_small *small;
	struct mpool_string *string;
};

/* What one thread or timer works with. */
struct nester {
	struct nest *nest;
	struct task_struct *task;
	struct hrtimer hard;
	struct hrtimer soft;
	void *objs[OBJS];
	void *hard_objs[OBJS];
	void *soft_objs[OBJS];
	unsigned long rounds, hards, softs;
	unsigned int cpu;
};

static void objects(struct mpool_fixed *pool, gfp_t gfp, void **objs,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		objs[i] = mpool_fixed_alloc(pool, gfp);
	mpool_fixed_owns(pool, objs[0]);
	for (i = 0; i < n; i++)
		mpool_fixed_free(pool, objs[i]);
	n = mpool_fixed_alloc_bulk(pool, gfp, n / 2, objs);
	mpool_fixed_free_bulk(pool, n, objs);
	mpool_fixed_live(pool);
}

static void runs(struct mpool_large *pool, gfp_t gfp)
{
	void *p = mpool_large_alloc(pool, 3 * PAGE_SIZE, NULL, gfp);
	void *q = mpool_large_alloc_aligned(pool, PAGE_SIZE, 8 * PAGE_SIZE, NULL, gfp);
	void *r = p ? mpool_large_realloc(pool, p, 5 * PAGE_SIZE, NULL, gfp) : NULL;

	mpool_large_owns(pool, q);
	mpool_large_phys(pool, q);
	mpool_large_dma(pool, q);
	mpool_large_free(pool, q);
	mpool_large_free(pool, r ?: p);
}

static void sizes(struct mpool_small *pool, gfp_t gfp)
{
	struct mpool_whatis what;
	size_t size;
	void *p, *q;

	for (size = 8; size < 20000; size = 3 * size) {
		p = mpool_small_alloc(pool, size, gfp);
		q = p ? mpool_small_realloc(pool, p, size + size / 2, gfp) : NULL;
		mpool_whatis(q, &what);
		mpool_usable_size(p);
		mpool_small_owns(pool, p);
		mpool_small_free(pool, q ?: p);
		p = mpool_zalloc(size, gfp);
		mpool_owns(p);
		mpool_free(p);
	}
}

/* All that any context may do. */
static void anywhere(struct nest *nest, gfp_t gfp, void **objs, unsigned int n)
{
	gfp |= __GFP_NOWARN;
	objects(nest->fixed, gfp, objs, n);
	objects(nest->dtor, gfp, objs, n);
	runs(nest->large, gfp);
	sizes(nest->small, gfp);
}

/* Strings take a spinlock_t: not where PREEMPT_RT could not sleep. */
static void strings(struct nest *nest, gfp_t gfp)
{
	static const char * const words[] = { "one", "two", "three", "" };
	const char *got[ARRAY_SIZE(words)];
	int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		got[i] = mpool_string_get(nest->string, words[i], gfp | __GFP_NOWARN);
	mpool_string_has(nest->string, "two");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		mpool_string_put(nest->string, got[i]);
}

static int visit(void *obj, void *arg)
{
	return 0;
}

/* All that only a task may do, while it holds a mutex. */
static void tasks_only(struct nest *nest, unsigned int cpu)
{
	static const char * const names[] = { "nest-0", "nest-1" };
	struct mpool_fixed *fixed = mpool_fixed_create(names[cpu], 40, NULL);

	if (!IS_ERR(fixed)) {
		mpool_fixed_free(fixed, mpool_fixed_alloc(fixed, GFP_KERNEL));
		mpool_fixed_clear(fixed);
		mpool_fixed_destroy(fixed);
	}
	mpool_fixed_walk(nest->fixed, visit, NULL);
	mpool_fixed_reserve(nest->fixed, 8 + cpu, GFP_KERNEL);
	mpool_large_trim(nest->large);
}

static enum hrtimer_restart hard_fn(struct hrtimer *timer)
{
	struct nester *nester = container_of(timer, struct nester, hard);

	raw_spin_lock(&hard_lock);
	anywhere(nester->nest, GFP_ATOMIC, nester->hard_objs, 40);
	raw_spin_unlock(&hard_lock);
	nester->hards++;
	hrtimer_forward_now(timer, ns_to_ktime(3000000));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart soft_fn(struct hrtimer *timer)
{
	struct nester *nester = container_of(timer, struct nester, soft);

	spin_lock(&soft_lock);
	anywhere(nester->nest, GFP_ATOMIC, nester->soft_objs, 40);
	strings(nester->nest, GFP_ATOMIC);
	spin_unlock(&soft_lock);
	nester->softs++;
	hrtimer_forward_now(timer, ns_to_ktime(4000000));
	return HRTIMER_RESTART;
}

static void under_locks(struct nester *nester)
{
	struct nest *nest = nester->nest;
	unsigned long flags;

	anywhere(nest, GFP_KERNEL, nester->objs, OBJS);
	strings(nest, GFP_KERNEL);
	raw_spin_lock_irqsave(&hard_lock, flags);
	anywhere(nest, GFP_ATOMIC, nester->objs, OBJS);
	raw_spin_unlock_irqrestore(&hard_lock, flags);
	spin_lock_bh(&soft_lock);
	anywhere(nest, GFP_ATOMIC, nester->objs, OBJS);
	strings(nest, GFP_ATOMIC);
	spin_unlock_bh(&soft_lock);
	spin_lock_irqsave(&soft_lock, flags);
	anywhere(nest, GFP_ATOMIC, nester->objs, OBJS);
	strings(nest, GFP_ATOMIC);
	spin_unlock_irqrestore(&soft_lock, flags);
	mutex_lock(&driver_mutex);
	anywhere(nest, GFP_KERNEL, nester->objs, OBJS);
	strings(nest, GFP_KERNEL);
	if (!(nester->rounds % 16))
		tasks_only(nest, nester->cpu & 1);
	mutex_unlock(&driver_mutex);
}

static int nester_fn(void *arg)
{
	struct nester *nester = arg;

	mpool_test_hrtimer(&nester->hard, hard_fn, HRTIMER_MODE_REL_PINNED_HARD);
	mpool_test_hrtimer(&nester->soft, soft_fn, HRTIMER_MODE_REL_PINNED_SOFT);
	hrtimer_start(&nester->hard, ns_to_ktime(1000000), HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&nester->soft, ns_to_ktime(1500000), HRTIMER_MODE_REL_PINNED_SOFT);
	while (!kthread_should_stop()) {
		under_locks(nester);
		nester->rounds++;
		/* Also without a preemption point, for the softirq threads of PREEMPT_RT. */
		usleep_range(100, 200);
	}
	hrtimer_cancel(&nester->hard);
	hrtimer_cancel(&nester->soft);
	return 0;
}

static void nmi_fn(struct stock *t, void *arg)
{
	struct nest *nest = arg;
	static void *objs[40];

	if (!raw_spin_trylock(&hard_lock))
		return;
	anywhere(nest, GFP_ATOMIC, objs, ARRAY_SIZE(objs));
	raw_spin_unlock(&hard_lock);
}

static void dtor(void *obj, void *priv)
{
	memset(obj, 0, 8);
}

static bool nest_create(struct stock *t, struct nest *nest)
{
	const struct mpool_fixed_args fixed = { .reserve = 8 };
	const struct mpool_fixed_args ends = { .dtor = dtor };

	nest->large = mpool_large_create("nest-large", NULL);
	nest->fixed = mpool_fixed_create("nest-fixed", 64, &fixed);
	nest->dtor = mpool_fixed_create("nest-dtor", 1000, &ends);
	nest->small = mpool_small_create("nest-small", NULL);
	nest->string = mpool_string_create("nest-string", NULL);
	return CHECK(t, !IS_ERR(nest->large) && !IS_ERR(nest->fixed) &&
		     !IS_ERR(nest->dtor) && !IS_ERR(nest->small) &&
		     !IS_ERR(nest->string));
}

static void nest_destroy(struct stock *t, struct nest *nest)
{
	CHECK(t, !mpool_string_destroy(nest->string));
	CHECK(t, !mpool_small_destroy(nest->small));
	CHECK(t, !mpool_fixed_destroy(nest->dtor));
	CHECK(t, !mpool_fixed_destroy(nest->fixed));
	CHECK(t, !mpool_large_destroy(nest->large));
}

static bool nester_start(struct nester *nester, struct nest *nest,
			 unsigned int cpu)
{
	nester->nest = nest;
	nester->cpu = cpu;
	nester->task = kthread_create(nester_fn, nester, "mpool_nest/%u", cpu);
	if (IS_ERR(nester->task)) {
		nester->task = NULL;
		return false;
	}
	kthread_bind(nester->task, cpu);
	wake_up_process(nester->task);
	return true;
}

void stock_nest(struct stock *t)
{
	static struct nester nesters[2];
	unsigned int i, cpu, nmis = 0;
	struct nest nest = { };
	unsigned long end;

	if (!nest_create(t, &nest))
		return;
	memset(nesters, 0, sizeof(nesters));
	for (i = 0; i < 2; i++) {
		cpu = i ? cpumask_last(cpu_online_mask) : 0;
		CHECK(t, nester_start(&nesters[i], &nest, cpu));
	}
	end = jiffies + nest_secs * HZ;
	while (time_before(jiffies, end)) {
		msleep(50);
		nmis += place_nmi_on(t, cpumask_last(cpu_online_mask), nmi_fn, &nest);
	}
	for (i = 0; i < 2; i++) {
		if (nesters[i].task)
			kthread_stop(nesters[i].task);
		CHECK(t, nesters[i].rounds && nesters[i].hards && nesters[i].softs);
		pr_info("# CPU %u: %lu rounds, %lu hard and %lu soft timers, %u NMIs\n",
			nesters[i].cpu, nesters[i].rounds, nesters[i].hards,
			nesters[i].softs, nmis);
	}
	nest_destroy(t, &nest);
}
