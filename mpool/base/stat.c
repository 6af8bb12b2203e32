// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of a pool, and their names.
 *
 * Structure: an array indexed by enum mpool_stat, and a table of the names for output.
 * The allocs and frees of a fixed pool are not in the array: its caches count them
 * (magazine.h), and the pool itself counts those that bypass the caches.
 *
 * Invariant: every counter has a name; the build fails if the table is too short.
 *
 * Locking: none.  The counters are atomic, because any context counts.  The fast paths of
 * objects do not use them.
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
