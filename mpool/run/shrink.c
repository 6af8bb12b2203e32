// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker: the memory that pools give up when the system is short of memory.
 *
 * Structure: a list of large pools, which give up their spare arenas and tails.  If the spares were
 * not enough, the pools above give up objects (mpool_hooks.trim), which may make more
 * arenas idle.
 *
 * Invariant: only memory without a live object in it is counted or given up.
 *
 * Locking: shrink_mutex for the list.  Its holder allocates nothing, and waits for no
 * task that may allocate.  So reclaim may wait for the mutex, wherever an allocation
 * enters it.
 */
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>

#include "large.h"
#include "shrink.h"

/* Keeps the pools of the list from being ended while it is walked. */
static DEFINE_MUTEX(shrink_mutex);
static LIST_HEAD(shrink_larges);

static struct shrinker *shrinker;

void mpool_shrink_add_large(struct mpool_large *large)
{
	mutex_lock(&shrink_mutex);
	list_add_tail(&large->shrink, &shrink_larges);
	mutex_unlock(&shrink_mutex);
}

void mpool_shrink_del_large(struct mpool_large *large)
{
	mutex_lock(&shrink_mutex);
	list_del(&large->shrink);
	mutex_unlock(&shrink_mutex);
}

/* About how many pages could be given up.  Waits for no other task. */
unsigned long mpool_shrink_count(void)
{
	static unsigned long last;
	struct mpool_large *large;
	unsigned long pages;

	/*
	 * Reclaim counts far more often than it scans.  If another task has the mutex,
	 * the last figure is good enough.
	 */
	if (!mutex_trylock(&shrink_mutex))
		return READ_ONCE(last);
	pages = mpool_hooks.idle();
	list_for_each_entry(large, &shrink_larges, shrink)
		pages += mpool_large_spare_pages(large);
	WRITE_ONCE(last, pages);
	mutex_unlock(&shrink_mutex);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_count);

/* Gives up about @pages pages, if there are as many; returns how many it has given up. */
unsigned long mpool_shrink_scan(unsigned long pages)
{
	struct mpool_large *large;
	unsigned long done = 0;

	/*
	 * Wait for the mutex, in reclaim too.  If another task is scanning, a scan that
	 * gave up here would report no progress, and the OOM killer would kill a task
	 * while memory is on its way.
	 */
	mutex_lock(&shrink_mutex);
	/* Spare arenas first: no pool loses a cached object by that. */
	list_for_each_entry(large, &shrink_larges, shrink)
		if (done < pages)
			done += mpool_large_reclaim_spares(large);
	if (done < pages) {
		mpool_hooks.trim();
		list_for_each_entry(large, &shrink_larges, shrink)
			done += mpool_large_reclaim_spares(large);
	}
	mutex_unlock(&shrink_mutex);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_scan);

/* A trim pass over all large pools, see arena.c.  Sleeps. */
void mpool_shrink_pass(void)
{
	struct mpool_large *large;

	mutex_lock(&shrink_mutex);
	list_for_each_entry(large, &shrink_larges, shrink)
		mpool_large_trim_pass(large);
	mutex_unlock(&shrink_mutex);
}

static unsigned long shrinker_count(struct shrinker *s,
				    struct shrink_control *sc)
{
	return mpool_shrink_count() ?: SHRINK_EMPTY;
}

static unsigned long shrinker_scan(struct shrinker *s,
				   struct shrink_control *sc)
{
	return mpool_shrink_scan(sc->nr_to_scan) ?: SHRINK_STOP;
}

int mpool_shrink_init(void)
{
	shrinker = mpool_shrinker_add("mpool", shrinker_count, shrinker_scan);
	return shrinker ? 0 : -ENOMEM;
}

void mpool_shrink_exit(void)
{
	mpool_shrinker_del(shrinker);
}
