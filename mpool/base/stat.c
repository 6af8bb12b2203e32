// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of a pool, and their names.
 *
 * Structure: an array indexed by enum mpool_stat, and a table of the names it
 * is printed by.  What a fixed pool hands out and takes back is counted by its
 * caches (magazine.h) and, where it passes them by, in the pool itself.
 *
 * Invariant: every counter has a name, and the build fails if one is missing.
 *
 * Locking: none; the counters are atomic, because they are counted in any
 * context, and only on paths that are slow already.
 */
#include <linux/kernel.h>
#include <linux/build_bug.h>

#include "stat.h"

static const char * const stat_names[] = {
	[MPOOL_STAT_ALLOC]	= "runs taken",
	[MPOOL_STAT_FREE]	= "runs given back",
	[MPOOL_STAT_FAIL]	= "failed allocs",
	[MPOOL_STAT_BAD_FREE]	= "bad frees",
	[MPOOL_STAT_GROW]	= "grown",
	[MPOOL_STAT_SHRINK]	= "shrunk",
	[MPOOL_STAT_REFILL]	= "magazines filled",
	[MPOOL_STAT_FLUSH]	= "magazines flushed",
	[MPOOL_STAT_RESERVE]	= "served by reserve",
	[MPOOL_STAT_DEFER]	= "deferred frees",
};
static_assert(ARRAY_SIZE(stat_names) == MPOOL_NR_STATS);

const char *mpool_stat_name(enum mpool_stat item)
{
	return item < MPOOL_NR_STATS ? stat_names[item] : "?";
}
