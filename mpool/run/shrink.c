// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker: what the pools give up when the system is short of memory.
 *
 * Structure: a list of large pools, whose spare arenas go back, and one of what
 * upper levels have registered.  Those are asked if the spares were not enough;
 * what they free may make more arenas idle.
 *
 * Invariant: only memory without a live object in it is counted or given up.
 *
 * Locking: shrink_mutex for both lists.  Who holds it allocates nothing and waits
 * for nobody who may, so that reclaim may wait for it where it wants memory.  It has
 * to: if another task is at it already, who gave up would find no progress, and have
 * somebody killed while memory is on its way.  Who asks how much there is, which is
 * far more often, only tries, and has the last figure if another is at it.
 */
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

/* Pages that could be given up, about.  Waits for nobody. */
unsigned long mpool_shrink_count(void)
{
	static unsigned long last;
	struct mpool_shrink *shrink;
	struct mpool_large *large;
	unsigned long pages = 0;

	if (!mutex_trylock(&shrink_mutex))
		return READ_ONCE(last);
	list_for_each_entry(shrink, &shrink_others, list)
		pages += shrink->count();
	list_for_each_entry(large, &shrink_larges, shrink)
		pages += mpool_large_spare_pages(large);
	WRITE_ONCE(last, pages);
	mutex_unlock(&shrink_mutex);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_shrink_count);

/* Gives up about as many pages, if there are; how many it were. */
unsigned long mpool_shrink_scan(unsigned long pages)
{
	struct mpool_shrink *shrink;
	struct mpool_large *large;
	unsigned long done = 0;

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
	shrinker = mpool_shrinker_add("mpool", shrinker_count, shrinker_scan);
	return shrinker ? 0 : -ENOMEM;
}

void mpool_shrink_exit(void)
{
	mpool_shrinker_del(shrinker);
}
