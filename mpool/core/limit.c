// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: the most pages of a large pool that may be allocated at a time, and callbacks
 * that are called before the limit is reached.
 *
 * Structure: a counter of pages, which only pools that were created with limits have.
 * Pages are charged to the counter before they are allocated, so the limit is exact if
 * several CPUs allocate at the same time.  If the allocation fails, the pages are
 * uncharged.
 *
 * The allocation that crosses a mark requests the callback as deferred work.
 *
 * Invariant: used <= max; once a pool is at rest, used is the number of pages in its live
 * runs.
 *
 * Locking: none; the counters are atomic.  Callbacks run in the work item only, and
 * mpool_limit_drop() waits for the work item.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/slab.h>

#include "call.h"
#include "internal.h"
#include "limit.h"
#include "owner.h"
#include "registry.h"

/* Bits of due. */
#define DUE_SOFT	0
#define DUE_LOW		1

/* The reason why limits are refused, or NULL. */
const char *mpool_limit_check(const struct mpool_limits *args, bool bounded)
{
	if (args->max_pages > LONG_MAX || args->soft_pages > LONG_MAX ||
	    args->low_pages > LONG_MAX)
		return "max_pages, soft_pages or low_pages is no number of pages";
	if (args->max_pages && args->soft_pages > args->max_pages)
		return "soft_pages is more than max_pages";
	if (args->max_pages && args->low_pages > args->max_pages)
		return "low_pages is more than max_pages";
	if (args->low_pages && !args->max_pages && !bounded)
		return "low_pages needs max_pages";
	if ((args->on_soft && mpool_no_address(args->on_soft)) ||
	    (args->on_low && mpool_no_address(args->on_low)))
		return "on_soft or on_low is no address";
	if (args->on_soft && !args->soft_pages)
		return "on_soft needs soft_pages";
	if (args->on_low && !args->low_pages)
		return "on_low needs low_pages";
	return NULL;
}

static void limit_fn(struct work_struct *work)
{
	struct mpool_limit *limit = container_of(mpool_defer_of(work),
						 struct mpool_limit, defer);
	unsigned long due = xchg(&limit->due, 0);
	void (*soft)(void *priv) = READ_ONCE(limit->on_soft);
	void (*low)(void *priv) = READ_ONCE(limit->on_low);
	struct mpool_call call;

	mpool_call_begin(&call, limit->whose, MPOOL_CALL_OTHER);
	if (due & BIT(DUE_SOFT) && soft)
		soft(limit->args.priv);
	if (due & BIT(DUE_LOW) && low)
		low(limit->args.priv);
	mpool_call_end(&call);
}

/*
 * Creates the counter of a pool; NULL if @args has no limit.  The last argument is the
 * pool: the callbacks are registered as calls of it (call.c).
 */
struct mpool_limit *mpool_limit_create(const struct mpool_limits *args,
				       const unsigned long *total,
				       const void *whose)
{
	struct mpool_limit *limit;

	if (!args->max_pages && !args->soft_pages && !args->low_pages)
		return NULL;
	limit = kzalloc(sizeof(*limit), GFP_KERNEL);
	if (!limit)
		return ERR_PTR(-ENOMEM);
	limit->args = *args;
	limit->on_soft = args->on_soft;
	limit->on_low = args->on_low;
	limit->total = total;
	limit->whose = whose;
	mpool_defer_init_outside(&limit->defer, limit_fn);
	return limit;
}

/*
 * Drops the callbacks that are code of @mod, or all callbacks if @mod is NULL.  After the
 * return none of them runs or will run.  False if there was none to drop.
 */
bool mpool_limit_drop(struct mpool_limit *limit, const struct module *mod)
{
	bool soft, low, dropped;

	if (!limit)
		return false;
	soft = mpool_fn_of_module(READ_ONCE(limit->args.on_soft), mod);
	low = mpool_fn_of_module(READ_ONCE(limit->args.on_low), mod);
	dropped = (soft && xchg(&limit->on_soft, NULL)) |
		  (low && xchg(&limit->on_low, NULL));
	/*
	 * Only for a callback that is code of @mod: any other may wait for this module to
	 * go.  The pointers in args stay until that is done, because another task may have
	 * dropped the callback a moment ago, and waits for it here as well.
	 */
	if (soft || low)
		mpool_defer_flush(&limit->defer);
	if (soft)
		WRITE_ONCE(limit->args.on_soft, NULL);
	if (low)
		WRITE_ONCE(limit->args.on_low, NULL);
	return dropped;
}

void mpool_limit_end(struct mpool_limit *limit)
{
	if (!limit)
		return;
	/* limit_owe() may have requested the work item just before the callbacks were dropped. */
	mpool_defer_sync(&limit->defer);
	/* See defer.c. */
	kfree_rcu(limit, rcu);
}

/*
 * Counts the crossing of a mark and requests its callback.  The callback is deferred
 * work: the owner of the pool is never called from within an allocation.
 */
static void limit_owe(struct mpool_limit *limit, int what, atomic_long_t *count,
		      void (*fn)(void *priv))
{
	atomic_long_inc(count);
	if (!fn)
		return;
	set_bit(what, &limit->due);
	mpool_defer(&limit->defer);
}

/* The most pages that may be allocated at this moment. */
static unsigned long limit_cap(const struct mpool_limit *limit)
{
	unsigned long cap = limit->args.max_pages ?: LONG_MAX;

	return limit->total ? min(cap, READ_ONCE(*limit->total)) : cap;
}

/* Requests the callbacks of the marks between two values of the counter. */
static void limit_crossed(struct mpool_limit *limit, unsigned long from,
			  unsigned long to)
{
	unsigned long soft = limit->args.soft_pages, low = limit->args.low_pages;
	unsigned long cap;

	if (soft && from <= soft && to > soft)
		limit_owe(limit, DUE_SOFT, &limit->softs,
			  READ_ONCE(limit->on_soft));
	if (!low)
		return;
	cap = limit_cap(limit);
	if (from + low <= cap && to + low > cap)
		limit_owe(limit, DUE_LOW, &limit->lows,
			  READ_ONCE(limit->on_low));
}

bool __mpool_limit_charge(struct mpool_limit *limit, unsigned long pages)
{
	unsigned long max = limit->args.max_pages ?: LONG_MAX;
	long used = atomic_long_read(&limit->used);

	do {
		if (pages > max - used) {
			atomic_long_inc(&limit->refused);
			return false;
		}
	} while (!atomic_long_try_cmpxchg(&limit->used, &used, used + pages));
	/*
	 * The counter changed in one step, so only this caller has crossed these marks.
	 */
	limit_crossed(limit, used, used + pages);
	return true;
}
