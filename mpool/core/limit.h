/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LIMIT_H
#define _MPOOL_LIMIT_H

#include <linux/atomic.h>
#include <linux/mpool.h>

#include "kick.h"

struct mpool_limit {
	/* Constant, but for the callbacks, which go with their module. */
	struct mpool_limits args;
	const unsigned long *total;	/* pages of a region pool, or NULL */
	const void *whose;		/* the pool, for mpool_call_begin() */

	/* Any context. */
	atomic_long_t used;		/* pages, those about to be taken too */
	atomic_long_t refused;		/* requests that max_pages refused */
	atomic_long_t softs;		/* times that soft_pages was crossed */
	atomic_long_t lows;		/* times that low_pages was crossed */
	unsigned long due;		/* callbacks that the work item owes */
	struct mpool_kick kick;
};

const char *mpool_limit_check(const struct mpool_limits *args,
			      bool bounded);
struct mpool_limit *mpool_limit_create(const struct mpool_limits *args,
				       const unsigned long *total,
				       const void *whose);
bool mpool_limit_drop(struct mpool_limit *limit, const struct module *mod);
void mpool_limit_end(struct mpool_limit *limit);
bool __mpool_limit_take(struct mpool_limit *limit, unsigned long pages);

/* Reserves pages before they are taken; false if there may not be as many. */
static __always_inline bool mpool_limit_take(struct mpool_limit *limit,
					     unsigned long pages)
{
	return likely(!limit) || __mpool_limit_take(limit, pages);
}

/* Are as many pages left now?  Any context. */
static inline bool mpool_limit_has(const struct mpool_limit *limit,
				   unsigned long pages)
{
	return !limit || !limit->args.max_pages ||
	       atomic_long_read(&limit->used) + pages <= limit->args.max_pages;
}

/* Takes back what was reserved, or what was given back.  Any context. */
static __always_inline void mpool_limit_give(struct mpool_limit *limit,
					     unsigned long pages)
{
	if (unlikely(limit))
		atomic_long_sub(pages, &limit->used);
}

#endif /* _MPOOL_LIMIT_H */
