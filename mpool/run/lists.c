// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists: the free runs of an engine by their lengths.
 *
 * Structure: two-level segregated fit (Masmano et al. 2004) at page granularity.  A doubly
 * linked list for each size class:
 *
 *	length	1 2 3 ... 63 | 64-65 66-67 ... 126-127 | 128-131 ... | ...
 *	class	1 2 3 ... 63 |    64    65 ...      95 |      96 ... | ...
 *
 * A bitmap of levels, and one of classes for each level, lead to the first class that has
 * a run.
 *
 * Invariant, checked by mpool_runs_verify():
 *	the bitmaps say which lists are not empty; a run is on the list of its class; the
 *	links of a list agree.
 *
 * Locking: the caller holds the lock of the pool.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "runs.h"

unsigned int mpool_runs_class(u32 len)
{
	unsigned int level;

	if (len < RUNS_LINEAR)
		return len;
	level = fls(len) - 1 - RUNS_LINEAR_SHIFT;
	return RUNS_LINEAR + level * RUNS_STEPS +
	       ((len >> (level + RUNS_LINEAR_SHIFT - RUNS_STEP_SHIFT)) &
		(RUNS_STEPS - 1));
}

/* The first class in which every run has @len pages or more. */
unsigned int mpool_runs_class_above(u32 len)
{
	unsigned int shift;

	if (len < RUNS_LINEAR)
		return len;
	shift = fls(len) - 1 - RUNS_STEP_SHIFT;
	return mpool_runs_class(len + (1u << shift) - 1);
}

static void class_mark(struct mpool_runs *runs, unsigned int class)
{
	unsigned int level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;

	if (class < RUNS_LINEAR) {
		__set_bit(class, runs->linear);
		runs->levels |= 1;
	} else {
		runs->steps[level] |= BIT(class & (RUNS_STEPS - 1));
		runs->levels |= 2u << level;
	}
}

static void class_unmark(struct mpool_runs *runs, unsigned int class)
{
	unsigned int level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;

	if (class < RUNS_LINEAR) {
		__clear_bit(class, runs->linear);
		if (bitmap_empty(runs->linear, RUNS_LINEAR))
			runs->levels &= ~1u;
	} else {
		runs->steps[level] &= ~BIT(class & (RUNS_STEPS - 1));
		if (!runs->steps[level])
			runs->levels &= ~(2u << level);
	}
}

/* The first class that has a run, from @class on; RUNS_CLASSES if there is none. */
unsigned int mpool_class_next(const struct mpool_runs *runs, unsigned int class)
{
	unsigned int level = 0;
	u32 map;

	if (class >= RUNS_CLASSES)
		return RUNS_CLASSES;
	if (class < RUNS_LINEAR) {
		class = find_next_bit(runs->linear, RUNS_LINEAR, class);
		if (class < RUNS_LINEAR)
			return class;
		map = runs->levels >> 1;
	} else {
		level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;
		map = runs->steps[level] & (~0u << (class & (RUNS_STEPS - 1)));
		if (map)
			return RUNS_LINEAR + level * RUNS_STEPS + __ffs(map);
		map = runs->levels >> 1 & (~1u << level);
	}
	if (!map)
		return RUNS_CLASSES;
	level = __ffs(map);
	return RUNS_LINEAR + level * RUNS_STEPS + __ffs(runs->steps[level]);
}

/* Puts a free run on the list of its class. */
void mpool_run_list(struct mpool_runs *runs, struct mpool_page *pg)
{
	unsigned int class = mpool_runs_class(pg->len);
	struct mpool_page *head = runs->heads[class];

	mpool_run_set_next(pg, head);
	if (head)
		head->prev = pg;
	else
		class_mark(runs, class);
	runs->heads[class] = pg;
}

/* Takes a free run off its list. */
void mpool_run_unlist(struct mpool_runs *runs, struct mpool_page *pg)
{
	unsigned int class = mpool_runs_class(pg->len);
	struct mpool_page *next = mpool_run_next(pg);

	if (next)
		next->prev = pg->prev;
	if (pg->prev)
		mpool_run_set_next(pg->prev, next);
	else
		runs->heads[class] = next;
	if (!runs->heads[class])
		class_unmark(runs, class);
}

static struct mpool_page *class_first(const struct mpool_runs *runs,
				      unsigned int class)
{
	class = mpool_class_next(runs, class);
	return class < RUNS_CLASSES ? runs->heads[class] : NULL;
}

/*
 * The first free run of the class of @len pages, or of the next class that has a run.
 * Runs of the first class may be shorter than @len.  The caller holds the lock of the
 * pool from here to its last mpool_runs_after().
 */
struct mpool_page *mpool_runs_first(const struct mpool_runs *runs, u32 len)
{
	return class_first(runs, mpool_runs_class(len));
}

/* The free run behind @pg, in its class or in the next class that has a run; or NULL. */
struct mpool_page *mpool_runs_after(const struct mpool_runs *runs,
				    const struct mpool_page *pg)
{
	return mpool_run_next(pg) ?: class_first(runs, mpool_runs_class(pg->len) + 1);
}

/*
 * Length of the longest free run, not cached.  Of the highest class that has runs, only
 * the first RUNS_LOOK are looked at: the result is too low by at most 1/32.
 */
unsigned long mpool_runs_largest(struct mpool_runs *runs)
{
	unsigned int class, look = RUNS_LOOK;
	const struct mpool_page *pg;
	unsigned long largest = 0;

	if (runs->levels >> 1) {
		unsigned int level = fls(runs->levels >> 1) - 1;

		class = RUNS_LINEAR + level * RUNS_STEPS +
			fls(runs->steps[level]) - 1;
	} else if (runs->levels) {
		return find_last_bit(runs->linear, RUNS_LINEAR);
	} else {
		return 0;
	}
	for (pg = runs->heads[class]; pg && look--; pg = mpool_run_next(pg))
		largest = max_t(unsigned long, largest, pg->len);
	return largest;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_largest);

bool mpool_run_listed(const struct mpool_runs *runs, const struct mpool_page *pg)
{
	const struct mpool_page *on;

	for (on = runs->heads[mpool_runs_class(pg->len)]; on; on = mpool_run_next(on))
		if (on == pg)
			return true;
	return false;
}

/*
 * Number of breaches of the invariant in the lists of an engine.  Its arenas have @pages
 * pages, and @free of them are free and not cached.  The caller holds the lock of the
 * pool.
 */
int mpool_runs_verify(struct mpool_runs *runs, unsigned long pages,
		      unsigned long free)
{
	unsigned long listed = 0;
	struct mpool_page *pg;
	unsigned int class, level;
	int bad = 0;
	u32 len;

	for (len = 0; len < RUNS_QUICK; len++) {
		pg = READ_ONCE(runs->quick[len]);
		bad += mpool_broken(pg && pg->len != len);
		bad += mpool_broken(pg && mpool_page_state(pg) !=
					  MPOOL_PAGE_CACHED);
	}
	bad += mpool_broken((runs->levels & 1) ==
			    bitmap_empty(runs->linear, RUNS_LINEAR));
	for (level = 0; level < RUNS_LEVELS; level++)
		bad += mpool_broken(!(runs->levels & 2u << level) ==
				    !!runs->steps[level]);
	for (class = 0; class < RUNS_CLASSES; class++) {
		bool marked = mpool_class_next(runs, class) == class;

		bad += mpool_broken(marked != !!runs->heads[class]);
		for (pg = runs->heads[class]; pg; pg = mpool_run_next(pg)) {
			bad += mpool_broken(mpool_runs_class(pg->len) != class);
			bad += mpool_broken(mpool_page_state(pg) !=
					    MPOOL_PAGE_FREE);
			bad += mpool_broken(mpool_run_next(pg) &&
					    mpool_run_next(pg)->prev != pg);
			listed += pg->len;
		}
	}
	/* The tails of an exact engine are free, but on no list. */
	bad += mpool_broken(runs->exact ? listed > free : listed != free);
	bad += mpool_broken(runs->nr_free != free);
	bad += mpool_broken(runs->nr_pages != pages);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_verify);
