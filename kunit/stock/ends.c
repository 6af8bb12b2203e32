// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of pools that meet something else: a CPU that goes away, and a free that is about
 * to settle which fast paths its pool has.
 *
 * Where two have to meet, one stands in a callback or in the handler of a kprobe until
 * the other has come to where it shall be.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "fixed.h"
#include "large.h"
#include "stock.h"

static unsigned int other_cpu(void)
{
	return cpumask_last(cpu_online_mask);
}

/* --- a CPU that goes --- */

#define OBJS	300

struct going {
	struct stock *t;
	unsigned int cpu;
	struct mpool_large *large;
	struct mpool_fixed *fixed, *kept;
	struct mpool_small *small;
	void *objs[OBJS];
	void *stays;			/* in kept, which becomes an orphan */
	unsigned int cached;		/* with the CPU that is gone */
	bool gone;
	struct completion go, done;
};

static struct going *going;

#ifdef CONFIG_HOTPLUG_CPU
/* Objects that lie with a CPU that does nothing. */
static unsigned int cached_with(struct mpool_fixed *fixed, unsigned int cpu)
{
	struct mpool_cache *cache = per_cpu_ptr(fixed->caches, cpu);

	return cache->top - cache->bottom + cache->spare->n;
}

/* Has the CPU that it runs on put objects of all pools by. */
static long fill_fn(void *arg)
{
	struct going *g = arg;
	unsigned int i;

	for (i = 0; i < OBJS; i++)
		g->objs[i] = mpool_fixed_alloc(g->fixed, GFP_KERNEL);
	mpool_fixed_free_bulk(g->fixed, OBJS, g->objs);
	for (i = 0; i < OBJS; i++)
		g->objs[i] = mpool_small_alloc(g->small, 1 + i * 7, GFP_KERNEL);
	for (i = 0; i < OBJS; i++)
		mpool_small_free(g->small, g->objs[i]);
	for (i = 0; i < OBJS; i++)
		g->objs[i] = mpool_fixed_alloc(g->kept, GFP_KERNEL);
	g->stays = g->objs[0];
	mpool_fixed_free_bulk(g->kept, OBJS - 1, g->objs + 1);
	return 0;
}

/* Takes the CPU away; once. */
static void take_cpu(struct going *g)
{
	if (g->gone || remove_cpu(g->cpu))
		return;
	g->gone = true;
}

/* For a pool that takes the CPU away in the midst of its end. */
static void going_dtor(void *obj, void *priv)
{
	take_cpu(priv);
}

static bool going_begin(struct stock *t, struct going *g)
{
	struct mpool_fixed_args args = { };
	struct mpool_small_args small = { };

	g->t = t;
	g->cpu = other_cpu();
	init_completion(&g->go);
	init_completion(&g->done);
	g->large = mpool_large_create("stock-ends", NULL);
	if (!CHECK(t, !IS_ERR(g->large)))
		return false;
	args.large = g->large;
	small.large = g->large;
	g->fixed = mpool_fixed_create("stock-ends-f", 64, &args);
	g->kept = mpool_fixed_create("stock-ends-k", 128, &args);
	g->small = mpool_small_create("stock-ends-s", &small);
	return CHECK(t, !IS_ERR(g->fixed)) && CHECK(t, !IS_ERR(g->kept)) &&
	       CHECK(t, !IS_ERR(g->small));
}

/* All pools end, one of them with an object out. */
static void end_pools(struct going *g)
{
	CHECK(g->t, !mpool_fixed_destroy(g->fixed));
	CHECK(g->t, !mpool_small_destroy(g->small));
	CHECK(g->t, mpool_fixed_destroy(g->kept) == 1);
}

/* Not a page is missing from the large pool below. */
static void nothing_is_lost(struct going *g)
{
	unsigned int tries = 500;

	mpool_free(g->stays);
	/* The orphan is ended by a work item. */
	while (atomic_read(&g->large->base.users) && --tries)
		msleep(20);
	CHECK(g->t, tries);
	mpool_large_trim(g->large);
	CHECK(g->t, !mpool_large_nr_pages(g->large));
	CHECK(g->t, !mpool_large_destroy(g->large));
}

static int ender_fn(void *arg)
{
	struct going *g = arg;

	wait_for_completion(&g->go);
	end_pools(g);
	complete(&g->done);
	return 0;
}

/*
 * The CPU does nothing any more, and mpool has not been told: what was registered later
 * is called earlier.  The pools end here, by another thread: this one has locks.
 */
static int cpu_going(unsigned int cpu)
{
	struct going *g = going;

	if (!g || cpu != g->cpu)
		return 0;
	going = NULL;
	CHECK(g->t, !cpu_online(cpu));
	/* The pool that was used last: others may have lost theirs to a turn. */
	g->cached = cached_with(g->kept, cpu);
	complete(&g->go);
	wait_for_completion(&g->done);
	return 0;
}

static void ends_without_its_cpu(struct stock *t, struct going *g)
{
	struct task_struct *task;
	int state;

	if (!going_begin(t, g))
		return;
	work_on_cpu(g->cpu, fill_fn, g);
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mpool:stock", NULL, cpu_going);
	task = kthread_run(ender_fn, g, "mpool_ender");
	if (!CHECK(t, state > 0) || !CHECK(t, !IS_ERR(task)))
		return;
	going = g;
	take_cpu(g);
	if (going) {
		/* It does not go. */
		going = NULL;
		complete(&g->go);
		wait_for_completion(&g->done);
		t->skip = "the CPU does not go";
	} else {
		CHECK(t, g->cached);
		CHECK(t, !add_cpu(g->cpu));
	}
	cpuhp_remove_state_nocalls(state);
	nothing_is_lost(g);
}

/* Objects are out when the pool ends; the destructor of the first takes the CPU away. */
static void cpu_goes_from_its_end(struct stock *t, struct going *g)
{
	struct mpool_fixed_args args = {
		.dtor = going_dtor, .priv = g, .on_leak = MPOOL_ON_LEAK_RECLAIM,
	};
	struct mpool_fixed *pool;
	unsigned int i;

	if (!going_begin(t, g))
		return;
	args.large = g->large;
	pool = mpool_fixed_create("stock-ends-d", 256, &args);
	if (!CHECK(t, !IS_ERR(pool)))
		return;
	work_on_cpu(g->cpu, fill_fn, g);
	for (i = 0; i < 50; i++)
		CHECK(t, mpool_fixed_alloc(pool, GFP_KERNEL));
	CHECK(t, mpool_fixed_destroy(pool) == 50);
	if (g->gone) {
		/* The others were told. */
		CHECK(t, !cached_with(g->fixed, g->cpu));
		CHECK(t, !cached_with(g->kept, g->cpu));
	}
	end_pools(g);
	if (g->gone)
		CHECK(t, !add_cpu(g->cpu));
	else
		t->skip = "the CPU does not go";
	nothing_is_lost(g);
}

void stock_cpu_ends(struct stock *t)
{
	struct going *g;
	int i;

	if (!other_cpu()) {
		t->skip = "one CPU";
		return;
	}
	for (i = 0; i < 6 && !t->skip && !t->fails; i++) {
		g = kzalloc(sizeof(*g), GFP_KERNEL);
		if (!CHECK(t, g))
			return;
		if (i % 2)
			cpu_goes_from_its_end(t, g);
		else
			ends_without_its_cpu(t, g);
		kfree(g);
	}
}
#else
void stock_cpu_ends(struct stock *t)
{
	t->skip = "the kernel has no CONFIG_HOTPLUG_CPU";
}
#endif

/* --- a free that settles the fast paths --- */

#if IS_ENABLED(CONFIG_KPROBES)

#define REGION_PAGES	2
#define MOST		64

static struct {
	struct stock *t;
	struct task_struct *freer;	/* who is stopped */
	struct task_struct *ender;
	struct mpool_fixed *pool;
	bool go;			/* the ender may begin */
	bool killed;			/* it has settled that the pool is dead */
	bool over;
	unsigned int hits;
	unsigned int late;		/* waited for in vain */
} meet;

/* In the midst of mpool_fixed_tune(): waits until the pool is dead. */
static int stop_freer(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned int i;

	if (current != READ_ONCE(meet.freer) || READ_ONCE(meet.go))
		return 0;
	meet.hits++;
	WRITE_ONCE(meet.go, true);
	for (i = 0; i < 2000000 && !READ_ONCE(meet.killed); i++)
		udelay(1);
	meet.late += !READ_ONCE(meet.killed);
	return 0;
}
NOKPROBE_SYMBOL(stop_freer);

/* mpool_fixed_kill() has done its stores. */
static int see_killed(struct kprobe *kp, struct pt_regs *regs)
{
	if (current == READ_ONCE(meet.ender))
		WRITE_ONCE(meet.killed, true);
	return 0;
}
NOKPROBE_SYMBOL(see_killed);

static int killer_fn(void *arg)
{
	struct mpool_pool *pool = &meet.pool->base;

	/* No timer: who is stopped may be who counts the jiffies. */
	while (!READ_ONCE(meet.go))
		cond_resched();
	/* As destroy does, without the report. */
	pool->ops->finish(pool, true);
	complete(arg);
	return 0;
}

static long free_fn(void *obj)
{
	WRITE_ONCE(meet.freer, current);
	mpool_free(obj);
	WRITE_ONCE(meet.freer, NULL);
	return 0;
}

/* A pool whose next free makes its fast paths what they shall be. */
static unsigned int pool_untuned(struct stock *t, struct mpool_large *region, void **objs)
{
	struct mpool_fixed_args args = { .large = region, .reserve = 1 };
	unsigned int n = 0;

	meet.pool = mpool_fixed_create("stock-tune", 256, &args);
	if (!CHECK(t, !IS_ERR(meet.pool)))
		return 0;
	/* The reserve, too: frees have no fast path until it is full again. */
	while (n < MOST && (objs[n] = mpool_fixed_alloc(meet.pool, GFP_KERNEL | __GFP_NOWARN)))
		n++;
	CHECK(t, n && n < MOST);
	CHECK(t, meet.pool->free_cache != meet.pool->caches);
	/* That it is to have none is not settled yet.  The end has no grace period then. */
	CHECK(t, !mpool_fixed_reserve(meet.pool, 0, GFP_KERNEL));
	CHECK(t, meet.pool->free_cache != meet.pool->caches);
	/* Nor anything on this CPU that it would wait for. */
	irq_work_sync(&meet.pool->reserve.defer.irq);
	flush_work(&meet.pool->reserve.defer.work);
	return n;
}

/* A free and the end of its pool, the first stopped at an instruction. */
static void tune_at(struct stock *t, struct mpool_large *region)
{
	DECLARE_COMPLETION_ONSTACK(done);
	unsigned int n, tries = 500;
	void *objs[MOST];

	meet.go = false;
	meet.killed = false;
	meet.ender = NULL;
	n = pool_untuned(t, region, objs);
	if (!n)
		return;
	meet.ender = kthread_create(killer_fn, &done, "mpool_killer");
	if (!CHECK(t, !IS_ERR(meet.ender)))
		return;
	kthread_bind(meet.ender, other_cpu());
	wake_up_process(meet.ender);
	work_on_cpu(cpumask_first(cpu_online_mask), free_fn, objs[--n]);
	WRITE_ONCE(meet.go, true);
	wait_for_completion(&done);
	CHECK(t, meet.pool->dead);
	CHECK(t, meet.pool->alloc_cache != meet.pool->caches);
	CHECK(t, meet.pool->free_cache != meet.pool->caches);
	while (n)
		mpool_free(objs[--n]);
	while (atomic_read(&region->base.users) && --tries)
		msleep(20);
	CHECK(t, tries);
}

static unsigned int symbol_size(const void *addr)
{
	char name[KSYM_SYMBOL_LEN], *size;
	unsigned int n = 0;

	sprint_symbol(name, (unsigned long)addr);
	size = strstr(name, "/0x");
	return size && sscanf(size, "/0x%x", &n) == 1 ? n : 0;
}

/* At each instruction of mpool_fixed_tune(); how many there were. */
static unsigned int tune_everywhere(struct stock *t, struct mpool_large *region)
{
	unsigned int off, size = 1, points = 0;

	for (off = 0; off < size && !t->fails; off++) {
		struct kprobe kp = {
			.symbol_name = "mpool_fixed_tune",
			.offset = off,
			.pre_handler = stop_freer,
		};

		/* Refused within an instruction. */
		if (register_kprobe(&kp))
			continue;
		if (!off)
			size = symbol_size(kp.addr);
		meet.hits = 0;
		tune_at(t, region);
		unregister_kprobe(&kp);
		points += meet.hits;
	}
	return points;
}

void stock_tune(struct stock *t)
{
	struct kprobe drain = { .symbol_name = "mpool_fixed_drain", .pre_handler = see_killed };
	struct mpool_large *region;
	unsigned int points;
	void *base;

	if (!other_cpu()) {
		t->skip = "one CPU";
		return;
	}
	base = vmalloc(REGION_PAGES * PAGE_SIZE);
	if (!CHECK(t, base))
		return;
	region = mpool_large_create_region("stock-tune-region", base, REGION_PAGES * PAGE_SIZE,
					   NULL);
	if (CHECK(t, !IS_ERR(region)) && CHECK(t, !register_kprobe(&drain))) {
		meet.late = 0;
		points = tune_everywhere(t, region);
		unregister_kprobe(&drain);
		pr_info("# stopped at %u instructions of mpool_fixed_tune()\n", points);
		CHECK(t, points >= 10);
		CHECK(t, !meet.late);
	}
	/* Its memory is not given up where somebody has it. */
	if (!IS_ERR(region) && atomic_read(&region->base.users))
		return;
	CHECK(t, !mpool_large_destroy(region));
	vfree(base);
}
#else
void stock_tune(struct stock *t)
{
	t->skip = "the kernel has no CONFIG_KPROBES";
}
#endif
