// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad frees: one line for each address that was freed and must not be freed in this way.
 *
 * Structure: a report calls mpool_whatis_whose() for the address.  Of each pool
 * MPOOL_BURST bad frees are printed, and as many of addresses in no pool.  The first of a
 * burst requests deferred work.  A few seconds later the work item prints how many were
 * not shown, and a new burst begins.  A pool that ends before that prints the number
 * itself.
 *
 * Invariant: if a burst is not 0, the work item was requested.
 *
 * Locking: none; any context may report a bad free, and bursts are atomic.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "badfree.h"
#include "defer.h"

/* Prints the name of a pool; an orphan may have the same name. */
static void say_pool(struct mpool_out *out, const char *name, bool orphan)
{
	mpool_out(out, "\"%s\"%s", name, orphan ? " (orphan)" : "");
}

/* Prints the object that an address is in, as its user knows it. */
static void say_object(struct mpool_out *out, const struct mpool_whatis *what,
		       const struct mpool_whose *whose, bool live)
{
	size_t in_front = 0;

	if (whose->kind == MPOOL_KIND_STRING) {
		in_front = offsetof(struct mpool_str, text);
		if (what->offset < in_front)
			mpool_out(out, "%zu bytes before ", in_front - what->offset);
	}
	if (what->offset > in_front)
		mpool_out(out, "%zu bytes into ", what->offset - in_front);
	if (in_front)
		mpool_out(out, "a string of pool ");
	else if (live && !what->offset)
		mpool_out(out, "an object of pool ");
	else
		mpool_out(out, "an object of %zu bytes of pool ", what->size);
	say_pool(out, what->pool, whose->orphan);
	if (live)
		mpool_out(out, ", from %s", what->site);
}

/*
 * Prints why a live object must not be freed in this way, unless that follows from its
 * kind.
 */
static void say_reason(struct mpool_out *out, const struct mpool_pool *pool,
		       const struct mpool_whatis *what,
		       const struct mpool_whose *whose, enum mpool_bad_free why)
{
	const bool string = whose->kind == MPOOL_KIND_STRING;

	if (pool && pool != whose->pool) {
		mpool_out(out, ", not of ");
		say_pool(out, pool->name, READ_ONCE(pool->orphan));
	} else if (why == MPOOL_BAD_REALLOC && whose->kind != MPOOL_KIND_SMALL) {
		mpool_out(out, ", not of a small pool");
	} else if (string && what->offset == offsetof(struct mpool_str, text)) {
		mpool_out(out, ", which mpool_string_put() takes");
	}
}

/*
 * A hint at the function that frees memory of an area.  It need not be the right one: a
 * pool is in slab memory, too, and so may be a page that mpool has given back.
 */
static const char *area_free(enum mpool_area area)
{
	switch (area) {
	case MPOOL_AREA_SLAB:
		return ": kfree() frees memory of kmalloc()";
	case MPOOL_AREA_VMALLOC:
		return ": vfree() frees memory of vmalloc()";
	default:
		return "";
	}
}

static void bad_free_what(struct mpool_out *out, const struct mpool_pool *pool,
			  const void *p, enum mpool_bad_free why)
{
	struct mpool_whatis what;
	struct mpool_whose whose;

	mpool_whatis_whose(p, &what, &whose);
	if (IS_ERR(p)) {
		mpool_out(out, "is error pointer %ld", PTR_ERR(p));
	} else if (what.area == MPOOL_AREA_FREE ||
		   (whose.pool && why == MPOOL_BAD_FREE_TWICE)) {
		mpool_out(out, why == MPOOL_BAD_FREE_UNBORN ?
			  "is under construction, " : "is free already, ");
		say_object(out, &what, &whose, false);
	} else if (what.area == MPOOL_AREA_NOTHING) {
		mpool_out(out, "points to nothing");
	} else if (what.area != MPOOL_AREA_LIVE) {
		mpool_out(out, "is in %s, not mpool's%s",
			  mpool_area_name(what.area), area_free(what.area));
	} else {
		mpool_out(out, "is ");
		say_object(out, &what, &whose, true);
		say_reason(out, pool, &what, &whose, why);
	}
}

/* Prints one line: the address, the memory there, and the function that freed it. */
void mpool_badfree_text(struct mpool_out *out, const struct mpool_pool *pool,
			const void *p, enum mpool_bad_free why,
			unsigned long ip)
{
	mpool_out(out, "bad %s: %p ",
		  why == MPOOL_BAD_REALLOC ? "realloc" : "free", p);
	bad_free_what(out, pool, p, why);
	if (ip)
		mpool_out(out, "; %s by %pS\n",
			  why == MPOOL_BAD_REALLOC ? "reallocated" : "freed",
			  (void *)ip);
	else
		mpool_out(out, "; found when it was allocated again\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_badfree_text);

/* The length of a burst of bad frees. */
#define BURST_TIME	(5 * HZ)

/* The burst of addresses in no pool. */
static atomic_t burst_of_none;

static int burst_hidden(atomic_t *burst)
{
	return max(0, atomic_xchg(burst, 0) - MPOOL_BURST);
}

/* Prints how many bad frees were not shown, and begins new bursts. */
void mpool_badfree_bursts(void)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;
	int hidden;

	list_for_each_entry(pool, pools, list) {
		hidden = atomic_read(&pool->burst) ?
			 burst_hidden(&pool->burst) : 0;
		if (hidden)
			pr_err("bad free: pool \"%s\": %d more were not shown\n",
			       pool->name, hidden);
	}
	mpool_registry_unlock();
	hidden = burst_hidden(&burst_of_none);
	if (hidden)
		pr_err("bad free: of addresses of no pool %d more were not shown\n",
		       hidden);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_badfree_bursts);

static void burst_over_fn(struct work_struct *work)
{
	mpool_badfree_bursts();
}

static DECLARE_DELAYED_WORK(burst_over, burst_over_fn);

/*
 * Deferred work starts the timer, because not every context of a bad free may start one.
 */
static void burst_begin_fn(struct work_struct *work)
{
	schedule_delayed_work(&burst_over, BURST_TIME);
}

static struct mpool_defer burst_begin;

/* Reports a free that was refused.  Any context. */
void mpool_badfree(struct mpool_pool *pool, const void *p,
		   enum mpool_bad_free why, unsigned long ip)
{
	char buf[384] = "";
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };
	int n = atomic_inc_return(pool ? &pool->burst : &burst_of_none);

	if (n == 1)
		mpool_defer(&burst_begin);
	if (n > MPOOL_BURST)
		return;
	mpool_badfree_text(&out, pool, p, why, ip);
	mpool_out_log(&out);
}

void mpool_badfree_init(void)
{
	mpool_defer_init(&burst_begin, burst_begin_fn);
}

/* No pool is left: if the timer still runs, it is for addresses in no pool. */
void mpool_badfree_exit(void)
{
	mpool_defer_sync(&burst_begin);
	if (cancel_delayed_work_sync(&burst_over))
		mpool_badfree_bursts();
}
