/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LIMIT_H
#define _MPOOL_LIMIT_H

#include <linux/atomic.h>
#include <linux/mpool.h>

#include "defer.h"

struct mpool_limit {
	/* Constant, except for the callbacks: mpool_limit_drop() stores NULL. */
	struct mpool_limits args;
	void (*on_soft)(void *priv);	/* to be called: those of args, until they are dropped */
	void (*on_low)(void *priv);
	const unsigned long *total;	/* pages of a region pool, or NULL */
	const void *whose;		/* the pool, for mpool_call_begin() */

	/* Any context. */
	atomic_long_t used;		/* pages allocated, or about to be allocated */
	atomic_long_t refused;		/* requests that max_pages refused */
	atomic_long_t softs;		/* times that soft_pages was crossed */
	atomic_long_t lows;		/* times that low_pages was crossed */
	unsigned long due;		/* bits of callbacks that were requested */
	struct mpool_defer defer;
	struct rcu_head rcu;
};

const char *mpool_limit_check(const struct mpool_limits *args,
			      bool bounded);
struct mpool_limit *mpool_limit_create(const struct mpool_limits *args,
				       const unsigned long *total,
				       const void *whose);
bool mpool_limit_drop(struct mpool_limit *limit, const struct module *mod);
void mpool_limit_end(struct mpool_limit *limit);
bool __mpool_limit_charge(struct mpool_limit *limit, unsigned long pages);

/* Charges pages before they are allocated; false if that would exceed max_pages. */
static __always_inline bool mpool_limit_charge(struct mpool_limit *limit,
					       unsigned long pages)
{
	return likely(!limit) || __mpool_limit_charge(limit, pages);
}

/* Does max_pages allow so many more pages now?  Any context. */
static inline bool mpool_limit_has(const struct mpool_limit *limit,
				   unsigned long pages)
{
	return !limit || !limit->args.max_pages ||
	       atomic_long_read(&limit->used) + pages <= limit->args.max_pages;
}

/* Uncharges pages that were freed, or were not allocated after all.  Any context. */
static __always_inline void mpool_limit_uncharge(struct mpool_limit *limit,
						 unsigned long pages)
{
	if (unlikely(limit))
		atomic_long_sub(pages, &limit->used);
}

#endif /* _MPOOL_LIMIT_H */
