/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SHORTAGE_H
#define _MPOOL_SHORTAGE_H

#include <linux/mpool.h>
#include <linux/mutex.h>

#include "defer.h"

#define MPOOL_HOLDERS	4

struct mpool_large;
struct mpool_pool;

/* A limit for which an allocation failed, however much memory is free. */
enum mpool_bar {
	MPOOL_BAR_NONE,
	MPOOL_BAR_BLOCK,	/* longest block of the page allocator */
	MPOOL_BAR_SLEEP,	/* more than that, and the caller may not sleep */
	MPOOL_BAR_LIMIT,	/* max_pages */
	MPOOL_BAR_FULL,		/* max_pages, with the pages in use already */
	MPOOL_BAR_RUN,		/* longest run that is possible */
};

/* An owner of pages of a large pool: a pool above it, or a call site of its own. */
struct mpool_holder {
	char pool[MPOOL_NAME_LEN];	/* "" if it is a call site */
	u32 site;
	unsigned long pages;
};

/* An allocation that failed, and the owners of the memory at that time. */
struct mpool_shortage {
	/*
	 * Set by the failing allocation that fills in the record; cleared by the work
	 * item.  Until then the record is theirs.
	 */
	atomic_t busy;

	char pool[MPOOL_NAME_LEN];	/* of the failed request */
	size_t size;
	gfp_t gfp;
	u32 site;
	unsigned long held;		/* pages of the large pool */
	unsigned long free;
	unsigned long largest;
	unsigned long max;		/* max_pages, or 0 */
	unsigned long used;		/* pages that count against it */
	enum mpool_bar bar;
	unsigned long cached;		/* free objects in the caches of CPUs */
	bool log;

	/* Protected by mpool_shortage_mutex. */
	struct mpool_holder top[MPOOL_HOLDERS];

	unsigned long next_log;		/* jiffies; no line before */
	unsigned long next_walk;	/* jiffies; no walk before */
	struct mpool_defer defer;
};

extern struct mutex mpool_shortage_mutex;

void mpool_shortage_init(struct mpool_shortage *s);
void mpool_shortage_note(struct mpool_large *large,
			 const struct mpool_pool *owner, enum mpool_bar bar);

#endif /* _MPOOL_SHORTAGE_H */
