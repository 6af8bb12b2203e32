// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker: what the pools give up when the system is short of memory.
 *
 * Structure: a list of large pools, whose spare arenas go back, and one of what
 * upper levels have registered.  Those are asked if the spares were not enough;
 * what they free may make more arenas idle.
 *
 * Reclaim asks how much there is far more often than it wants some, from many CPUs at
 * once.  To count means to look at each pool, and at each CPU for it, so that it is done
 * now and then, by one of those who ask; the others have the last figure.
 *
 * Invariant: only memory without a live object in it is counted or given up.
 *
 * Locking: shrink_mutex for both lists.  Who holds it allocates nothing and waits
 * for nobody who may, so that reclaim may wait for it where it wants memory.  It has
 * to: if another task is at it already, who gave up would find no progress, and have
 * somebody killed while memory is on its way.  Who asks how much there is only tries.
 * The last figure is read and written without it: any that it had will do.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>

#include "large.h"
#include "shrink.h"

/* Keeps pools and upper levels from going while they are asked. */
static DEFINE_MUTEX(shrink_mutex);
static LIST_HEAD(shrink_larges);
static LIST_HEAD(shrink_others);

static struct shrinker *shrinker;

void mpool_shrink_register(struct mpool_shrink *shrink)
{
	mutex_lock(&shrink_mutex);
	list_add_tail(&shrink->list, &shrink_others);
	mutex_unlock(&shrink_mutex);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_register);

/* From its return on nobody asks. */
void mpool_shrink_unregister(struct mpool_shrink *shrink)
{
	mutex_lock(&shrink_mutex);
	list_del(&shrink->list);
	mutex_unlock(&shrink_mutex);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_unregister);

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

/* How long a figure holds. */
#define COUNT_PERIOD	max(HZ / 20, 1)

/* The last figure, and when another is wanted, in jiffies. */
static unsigned long shrink_pages;
static unsigned long shrink_next;

static unsigned long count_locked(void)
{
	struct mpool_shrink *shrink;
	struct mpool_large *large;
	unsigned long pages = 0;

	lockdep_assert_held(&shrink_mutex);
	list_for_each_entry(shrink, &shrink_others, list)
		pages += shrink->count();
	list_for_each_entry(large, &shrink_larges, shrink)
		pages += mpool_large_spare_pages(large);
	WRITE_ONCE(shrink_pages, pages);
	WRITE_ONCE(shrink_next, jiffies + COUNT_PERIOD);
	return pages;
}

/* Pages that could be given up, as of now.  Sleeps. */
unsigned long mpool_shrink_recount(void)
{
	unsigned long pages;

	mutex_lock(&shrink_mutex);
	pages = count_locked();
	mutex_unlock(&shrink_mutex);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_recount);

/* The same, about, and a moment ago.  Waits for nobody. */
unsigned long mpool_shrink_count(void)
{
	if (time_after_eq(jiffies, READ_ONCE(shrink_next)) &&
	    mutex_trylock(&shrink_mutex)) {
		count_locked();
		mutex_unlock(&shrink_mutex);
	}
	return READ_ONCE(shrink_pages);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_count);

/* Gives up about as many pages, if there are; how many it were. */
unsigned long mpool_shrink_scan(unsigned long pages)
{
	struct mpool_shrink *shrink;
	struct mpool_large *large;
	unsigned long left, done = 0;

	mutex_lock(&shrink_mutex);
	/* Spares first: they cost nobody anything yet. */
	list_for_each_entry(large, &shrink_larges, shrink)
		if (done < pages)
			done += mpool_large_shed(large);
	if (done < pages) {
		list_for_each_entry(shrink, &shrink_others, list)
			shrink->scan();
		list_for_each_entry(large, &shrink_larges, shrink)
			done += mpool_large_shed(large);
		/* What is left, if somebody else was at the pools, is not known. */
		WRITE_ONCE(shrink_next, jiffies);
	} else {
		left = READ_ONCE(shrink_pages);
		WRITE_ONCE(shrink_pages, left > done ? left - done : 0);
	}
	mutex_unlock(&shrink_mutex);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_scan);

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
	shrink_next = jiffies;
	shrinker = mpool_shrinker_add("mpool", shrinker_count, shrinker_scan);
	return shrinker ? 0 : -ENOMEM;
}

void mpool_shrink_exit(void)
{
	mpool_shrinker_del(shrinker);
}
