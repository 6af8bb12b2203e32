// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trimming: the memory of idle objects goes back to its source.
 *
 * Structure: a work item passes over all fixed pools every few seconds, on a timer that
 * wakes no idle CPU.  A pool that was not used since the last pass loses the magazines of
 * the CPUs and its empty chunk; only CPUs that have magazines are interrupted.  Under
 * memory pressure this happens to all pools at once.
 *
 * Invariant: a pass frees the memory of free objects only, and never that of the reserve.
 *
 * Locking: mpool_trim_mutex keeps pools from ending during a pass; new pools may come.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "fixed.h"
#include "shrink.h"
#include "trim.h"

#define TRIM_PERIOD	(4 * HZ)

/*
 * A count of the idle objects is used for so many jiffies; count_next is the time of the
 * next count.
 */
#define COUNT_PERIOD	max(HZ / 20, 1)
static unsigned long count_next = INITIAL_JIFFIES;

/* Reclaim waits for so many jiffies at most until another pass is done. */
#define LOCK_PERIOD	max(HZ / 10, 2)

static void trim_fn(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(trim_work, trim_fn);

/* Drains the cache of this CPU; interrupts are off. */
void mpool_fixed_drain_cpu(void *arg)
{
	struct mpool_fixed *fixed = arg;
	struct mpool_cache *cache = mpool_cache_enter(fixed->caches);

	if (!cache)
		return;
	mpool_cache_drain(cache, &fixed->mags, &fixed->chunks);
	mpool_cache_leave(cache);
}

/*
 * Returns the free objects of all CPUs to the chunks, and frees empty chunks.  Sleeps, but
 * waits for no work item: an allocation calls this, and a work item may wait for memory,
 * which may only come when this allocation is over.
 */
void mpool_fixed_drain(struct mpool_fixed *fixed)
{
	on_each_cpu(mpool_fixed_drain_cpu, fixed, 1);
	mpool_magazines_free_gone(&fixed->mags);
	mpool_chunks_collect(&fixed->chunks);
	mpool_chunks_reclaim(&fixed->chunks, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_fixed_drain);

/*
 * Does a CPU have magazines?  Another CPU calls this, and must not dereference the
 * pointers.
 */
static bool cpu_has_some(int cpu, void *arg)
{
	struct mpool_fixed *fixed = arg;
	struct mpool_cache *cache = per_cpu_ptr(fixed->caches, cpu);

	return READ_ONCE(cache->loaded) != &mpool_no_magazine ||
	       READ_ONCE(cache->spare) != &mpool_no_magazine;
}

static bool fixed_is_idle(struct mpool_fixed *fixed)
{
	u64 was = fixed->trim_ops;
	struct mpool_count count;

	mpool_fixed_count(fixed, &count);
	fixed->trim_ops = count.allocs + count.frees;
	return fixed->trim_ops == was;
}

static void fixed_empty(struct mpool_fixed *fixed)
{
	if (fixed->mags.cap)
		on_each_cpu_cond(cpu_has_some, mpool_fixed_drain_cpu, fixed, 1);
	mpool_magazines_free_gone(&fixed->mags);
	mpool_chunks_reclaim(&fixed->chunks, 0);
}

/* One pass over all pools.  Sleeps. */
void mpool_trim_pass(void)
{
	struct mpool_fixed *fixed;

	mutex_lock(&mpool_trim_mutex);
	mpool_fixed_for_each(fixed) {
		if (fixed_is_idle(fixed))
			fixed_empty(fixed);
		cond_resched();
	}
	mutex_unlock(&mpool_trim_mutex);
	/* Then the runs that went back to the large pools, and were not used since. */
	mpool_shrink_pass();
	mpool_pagemap_trim();
}
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_pass);

static void trim_fn(struct work_struct *work)
{
	mpool_trim_pass();
	schedule_delayed_work(&trim_work, TRIM_PERIOD);
}

static unsigned long fixed_trim_all(struct mpool_fixed *fixed)
{
	unsigned long had = mpool_hint(fixed->chunks.nr_objs), has;

	fixed_empty(fixed);
	has = mpool_hint(fixed->chunks.nr_objs);
	return had > has ? (had - has) * fixed->chunks.size >> PAGE_SHIFT : 0;
}

/*
 * Waits for mpool_trim_mutex, but not for long.  Its holder may be in a destructor that
 * waits for the task that is in reclaim here.  Mostly the holder is another pass, which is
 * short.  If reclaim did not wait for it, reclaim would report no progress, and the OOM
 * killer would kill a task while memory is on its way.
 */
static bool trim_lock_soon(void)
{
	unsigned long end = jiffies + LOCK_PERIOD;

	while (!mutex_trylock(&mpool_trim_mutex)) {
		if (time_after(jiffies, end))
			return false;
		schedule_timeout_uninterruptible(1);
	}
	return true;
}

/*
 * Gives up all objects that are not live, for reclaim; returns about how many pages that
 * was.  Sleeps, but waits for another task for at most LOCK_PERIOD.
 */
unsigned long mpool_trim_all(void)
{
	struct mpool_fixed *fixed;
	unsigned long pages = 0;

	if (!trim_lock_soon())
		return 0;
	mpool_fixed_for_each(fixed) {
		pages += fixed_trim_all(fixed);
		cond_resched();
	}
	WRITE_ONCE(count_next, jiffies);
	mutex_unlock(&mpool_trim_mutex);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_all);

/* Pages' worth of the free objects in chunks.  A look at each pool only. */
static unsigned long count_quick(void)
{
	struct mpool_fixed *fixed;
	unsigned long pages = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(fixed, &mpool_fixed_list, list) {
		pages += mpool_hint(fixed->chunks.nr_free) *
			 fixed->chunks.size >> PAGE_SHIFT;
	}
	rcu_read_unlock();
	return pages;
}

/*
 * Pages' worth of the objects that are not live, those of the reserve included.  A count
 * looks at each CPU for each pool, and reclaim asks often.  So the part in the magazines
 * of CPUs may be COUNT_PERIOD old, or older while another task has mpool_trim_mutex.  The
 * rest is counted each time: if it were old, reclaim would not ask for the memory that was
 * freed a moment ago, and the OOM killer would kill a task.
 */
unsigned long mpool_trim_count(void)
{
	static unsigned long last;
	struct mpool_fixed *fixed;
	struct mpool_count count;
	unsigned long pages = 0;

	if (time_before(jiffies, READ_ONCE(count_next)) ||
	    !mutex_trylock(&mpool_trim_mutex))
		return max(READ_ONCE(last), count_quick());
	mpool_fixed_for_each(fixed) {
		mpool_fixed_count(fixed, &count);
		if (count.capacity > count.live)
			pages += (count.capacity - count.live) *
				 fixed->chunks.size >> PAGE_SHIFT;
		cond_resched();
	}
	WRITE_ONCE(last, pages);
	WRITE_ONCE(count_next, jiffies + COUNT_PERIOD);
	mutex_unlock(&mpool_trim_mutex);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_count);

/* Starts the timer.  Tests that count idle objects stop it. */
void mpool_trim_start(void)
{
	schedule_delayed_work(&trim_work, TRIM_PERIOD);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_start);

void mpool_trim_stop(void)
{
	cancel_delayed_work_sync(&trim_work);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_stop);
