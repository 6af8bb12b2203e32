/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STAT_H
#define _MPOOL_STAT_H

#include <linux/atomic.h>

enum mpool_stat {
	MPOOL_STAT_ALLOC,	/* runs handed out */
	MPOOL_STAT_FREE,	/* runs taken back */
	MPOOL_STAT_FAIL,	/* allocations that returned NULL */
	MPOOL_STAT_BAD_FREE,	/* frees that were refused */
	MPOOL_STAT_GROW,	/* times memory was taken from below */
	MPOOL_STAT_SHRINK,	/* times memory was given back */
	MPOOL_STAT_REFILL,	/* magazines filled from chunks */
	MPOOL_STAT_FLUSH,	/* magazines emptied into chunks */
	MPOOL_STAT_RESERVE,	/* allocations served by the reserve */
	MPOOL_STAT_DEFER,	/* frees finished later */
	MPOOL_NR_STATS
};

/*
 * Not atomic64_t, which is a spinlock on some machines of 32 bits: an NMI counts, too.
 * There they wrap, and the difference of two does not.
 */
struct mpool_stats {
	atomic_long_t v[MPOOL_NR_STATS];
};

static inline void mpool_stat_add(struct mpool_stats *stats,
				  enum mpool_stat item, unsigned long n)
{
	atomic_long_add(n, &stats->v[item]);
}

static inline void mpool_stat_inc(struct mpool_stats *stats,
				  enum mpool_stat item)
{
	atomic_long_inc(&stats->v[item]);
}

static inline u64 mpool_stat_read(const struct mpool_stats *stats,
				  enum mpool_stat item)
{
	return (unsigned long)atomic_long_read(&stats->v[item]);
}

/* What is out, of all that was handed out and taken back. */
static inline unsigned long mpool_stat_out(u64 allocs, u64 frees)
{
	long out = allocs - frees;

	return out > 0 ? out : 0;
}

/* Runs that are out.  Frees first: what is freed meanwhile was allocated before. */
static inline unsigned long mpool_stat_runs(const struct mpool_stats *stats)
{
	u64 frees = mpool_stat_read(stats, MPOOL_STAT_FREE);

	return mpool_stat_out(mpool_stat_read(stats, MPOOL_STAT_ALLOC), frees);
}

const char *mpool_stat_name(enum mpool_stat item);

#endif /* _MPOOL_STAT_H */
