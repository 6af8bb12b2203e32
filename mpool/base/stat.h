/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STAT_H
#define _MPOOL_STAT_H

#include <linux/atomic.h>

enum mpool_stat {
	MPOOL_STAT_ALLOC,	/* runs allocated */
	MPOOL_STAT_FREE,	/* runs freed */
	MPOOL_STAT_FAIL,	/* allocations that returned NULL */
	MPOOL_STAT_BAD_FREE,	/* frees that were refused */
	MPOOL_STAT_GROW,	/* times that memory was added from below */
	MPOOL_STAT_SHRINK,	/* times that memory was given back */
	MPOOL_STAT_REFILL,	/* magazines filled from chunks */
	MPOOL_STAT_FLUSH,	/* magazines emptied into chunks */
	MPOOL_STAT_RESERVE,	/* allocations served by the reserve */
	MPOOL_STAT_DEFER,	/* frees finished later */
	MPOOL_NR_STATS
};

struct mpool_stats {
	atomic64_t v[MPOOL_NR_STATS];
};

static inline void mpool_stat_inc(struct mpool_stats *stats,
				  enum mpool_stat item)
{
	atomic64_inc(&stats->v[item]);
}

static inline u64 mpool_stat_read(const struct mpool_stats *stats,
				  enum mpool_stat item)
{
	return atomic64_read(&stats->v[item]);
}

const char *mpool_stat_name(enum mpool_stat item);

#endif /* _MPOOL_STAT_H */
