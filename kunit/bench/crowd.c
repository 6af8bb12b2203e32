// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crowd: a million objects from a thousand call sites, in one pool.  The files of
 * debugfs, the report about leaks and mpool_fixed_clear() have to look at each.
 *
 * A thread of the same CPU wants to run now and then meanwhile.  The longest time that it
 * waits is a figure, too.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "crowd.h"

#define NR_OBJECTS	1000000
#define NR_SITES	1000
#define OBJECT_SIZE	64

#define WATCH_NS	200017

static_assert(NR_OBJECTS <= BENCH_SLOTS);

static struct mpool_fixed *pool;
static u32 nr_objects;
static bool orphan;
static struct mpool_site sites[NR_SITES];
static s64 longest_wait;

static int watch(void *unused)
{
	sched_set_fifo(current);
	while (!kthread_should_stop()) {
		ktime_t due = ktime_add_ns(ktime_get(), WATCH_NS);

		set_current_state(TASK_INTERRUPTIBLE);
		schedule_hrtimeout_range(&due, 0, HRTIMER_MODE_ABS);
		longest_wait = max(longest_wait, ktime_to_ns(ktime_sub(ktime_get(), due)));
	}
	return 0;
}

/* Hundredths of what @work takes for an object. */
static u64 watched(struct bench_ctx *ctx, enum bench_alloc alloc,
		   bool (*work)(struct bench_ctx *ctx))
{
	struct task_struct *watcher = kthread_create(watch, NULL, "mpool_watch");
	u64 start, took;
	bool good;

	if (IS_ERR(watcher))
		return BENCH_FAILED;
	kthread_bind(watcher, cpumask_first(cpu_online_mask));
	wake_up_process(watcher);
	msleep(20);
	longest_wait = 0;
	start = bench_now();
	good = work(ctx);
	took = bench_now() - start;
	kthread_stop(watcher);
	if (!good)
		return BENCH_FAILED;
	bench_say(ctx, alloc, longest_wait * 100, "longest-wait");
	return took * 100 / NR_OBJECTS;
}

/* As a user reads it, who has a shell. */
static bool read_file(const char *command)
{
	char *argv[4] = { "/bin/sh", "-c", (char *)command };
	char *envp[2] = { "PATH=/bin" };

	return !call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static bool read_sites(struct bench_ctx *ctx)
{
	return read_file("exec cat /sys/kernel/debug/mpool/bench-1m/sites >/dev/null");
}

static bool read_objects(struct bench_ctx *ctx)
{
	return read_file("exec cat /sys/kernel/debug/mpool/bench-1m/objects >/dev/null");
}

/* The pool ends, and says who has leaked its objects.  It is there until they are freed. */
static bool leak(struct bench_ctx *ctx)
{
	orphan = true;
	return mpool_fixed_destroy(pool) == NR_OBJECTS;
}

static bool clear(struct bench_ctx *ctx)
{
	mpool_fixed_clear(pool);
	nr_objects = 0;
	return true;
}

u64 bench_crowd_sites(struct bench_ctx *ctx)
{
	return watched(ctx, BENCH_MPOOL, read_sites);
}

u64 bench_crowd_objects(struct bench_ctx *ctx)
{
	return watched(ctx, BENCH_MPOOL, read_objects);
}

u64 bench_crowd_verdict(struct bench_ctx *ctx)
{
	return watched(ctx, BENCH_MPOOL, leak);
}

u64 bench_crowd_clear(struct bench_ctx *ctx)
{
	return watched(ctx, BENCH_MPOOL, clear);
}

/*
 * A slab cache cannot be cleared: its user frees one object after the other.  After
 * clear(), when the slots are free.
 */
u64 bench_crowd_free_kmem_cache(struct bench_ctx *ctx)
{
	struct kmem_cache *cache = kmem_cache_create("mpool_bench", OBJECT_SIZE, 0, 0, NULL);
	void **slots = ctx->slots;
	u64 took;
	u32 i, n;

	if (!cache)
		return BENCH_FAILED;
	for (n = 0; n < NR_OBJECTS; n++) {
		slots[n] = kmem_cache_alloc(cache, GFP_KERNEL);
		if (!slots[n])
			break;
		cond_resched();
	}
	took = bench_now();
	for (i = 0; i < n; i++)
		kmem_cache_free(cache, slots[i]);
	took = bench_now() - took;
	kmem_cache_destroy(cache);
	return took * 100 / max(n, 1u);
}

void bench_crowd_teardown(struct bench_ctx *ctx)
{
	while (nr_objects) {
		mpool_fixed_free(pool, ctx->slots[--nr_objects]);
		cond_resched();
	}
	if (!orphan)
		mpool_fixed_destroy(pool);
}

int bench_crowd_setup(struct bench_ctx *ctx)
{
	const struct mpool_fixed_args args = { .on_leak = MPOOL_ON_LEAK_KEEP };
	u32 i;

	pool = mpool_fixed_create("bench-1m", OBJECT_SIZE, &args);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	for (i = 0; i < NR_SITES; i++) {
		sites[i].file = __FILE__;
		sites[i].func = __func__;
		sites[i].line = 10000 + i;
		sites[i].module = THIS_MODULE;
	}
	orphan = false;
	for (nr_objects = 0; nr_objects < NR_OBJECTS; nr_objects++) {
		struct mpool_site *site = &sites[nr_objects % NR_SITES];
		void *p = mpool_fixed_alloc_at(pool, GFP_KERNEL, site);

		if (!p) {
			bench_crowd_teardown(ctx);
			return -ENOMEM;
		}
		ctx->slots[nr_objects] = p;
		cond_resched();
	}
	return 0;
}
