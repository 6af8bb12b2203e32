// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad frees: what was freed that should not have been, in one line each.
 *
 * Structure: a report asks whatis what the address is.  Of each pool MPOOL_BURST are
 * shown, and as many of no pool.  The first of a burst asks for a work item, which a few
 * seconds later says how many were not shown and begins anew; a pool that ends before
 * says it itself.
 *
 * Invariant: a burst that is not 0 has asked for the work item.
 *
 * Locking: none; bad frees are reported from any context, bursts are atomic.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "badfree.h"
#include "kick.h"

/* The name of a pool; an orphan may have the same. */
static void say_pool(struct mpool_out *out, const char *name, bool orphan)
{
	mpool_out(out, "\"%s\"%s", name, orphan ? " (orphan)" : "");
}

/* The object that an address is in, of the kind that its user knows. */
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

/* Why a live object is not to be freed so, if that does not follow from its kind. */
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

/* The function that frees memory of an area, where that is known. */
static const char *area_free(enum mpool_area area)
{
	switch (area) {
	case MPOOL_AREA_SLAB:
		return ": kfree() frees that";
	case MPOOL_AREA_VMALLOC:
		return ": vfree() frees that";
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

/* One line: the address, what is there, and the function that freed it. */
void mpool_report_bad_free(struct mpool_out *out, const struct mpool_pool *pool,
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
		mpool_out(out, "; found when it was to be handed out again\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_bad_free);

/* How long a burst of bad frees is; and that of frees of no pool. */
#define BURST_TIME	(5 * HZ)

static atomic_t burst_of_none;

static int burst_hidden(atomic_t *burst)
{
	return max(0, atomic_xchg(burst, 0) - MPOOL_BURST);
}

/* Says how many bad frees were not shown, and begins anew. */
void mpool_report_bursts(void)
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
EXPORT_SYMBOL_IF_KUNIT(mpool_report_bursts);

static void burst_over_fn(struct work_struct *work)
{
	mpool_report_bursts();
}

static DECLARE_DELAYED_WORK(burst_over, burst_over_fn);

/* A timer is not for every context that may free wrongly. */
static void burst_begin_fn(struct work_struct *work)
{
	schedule_delayed_work(&burst_over, BURST_TIME);
}

static struct mpool_kick burst_begin;

/* Reports a free that was refused.  Any context. */
void mpool_badfree(struct mpool_pool *pool, const void *p,
		   enum mpool_bad_free why, unsigned long ip)
{
	char buf[384] = "";
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };
	int n = atomic_inc_return(pool ? &pool->burst : &burst_of_none);

	if (n == 1)
		mpool_kick(&burst_begin);
	if (n > MPOOL_BURST)
		return;
	mpool_report_bad_free(&out, pool, p, why, ip);
	mpool_out_log(&out);
}

void mpool_badfree_init(void)
{
	mpool_kick_init(&burst_begin, burst_begin_fn);
}

/* No pool is left; a timer that runs yet is for what was of none. */
void mpool_badfree_exit(void)
{
	mpool_kick_sync(&burst_begin);
	if (cancel_delayed_work_sync(&burst_over))
		mpool_report_bursts();
}
