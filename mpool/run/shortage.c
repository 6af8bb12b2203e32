// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shortages: the owners of the memory when an allocation failed.
 *
 * Structure: an allocation that fails, in any context, fills in the record of its large
 * pool and requests deferred work.  The work item walks the runs of the pool and sums up
 * their pages in a table: by the pool above that has the run, or by call site if the
 * large pool itself was asked.  It keeps the biggest sums in the record and has them
 * reported.  The table is static: there may be no memory now.
 *
 * For each large pool, at most one failure in a second is followed up, and one in five
 * seconds is printed: for a driver that lives with failures they cost nothing.
 *
 * Invariant: a record has one writer at a time, which has set busy.
 *
 * Locking: mpool_shortage_mutex for the table and for the results in the records; RCU for
 * each step of the walk.  After the step, the owners in the table may be gone.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include "large.h"
#include "shortage.h"

#define ROWS_SHIFT	8
#define ROWS		BIT(ROWS_SHIFT)
#define PROBES		16

/* Protects rows, and top of the records of all large pools. */
DEFINE_MUTEX(mpool_shortage_mutex);
EXPORT_SYMBOL_IF_KUNIT(mpool_shortage_mutex);

static struct {
	const struct mpool_pool *owner;		/* to compare only: it may be gone */
	char pool[MPOOL_NAME_LEN];
	u32 site;
	unsigned long pages;
} rows[ROWS];

/*
 * Adds a run to the row of its owner.  A run that finds no row is not counted: the table
 * is for a few big owners.  The caller is in the RCU read-side section in which it found
 * the owner.
 */
static void row_add(const struct mpool_large *large,
		    const struct mpool_pool *owner, u32 site,
		    unsigned long pages)
{
	unsigned int i = hash_long((unsigned long)owner + site, ROWS_SHIFT);
	unsigned int probe;

	for (probe = 0; probe < PROBES; probe++, i = (i + 1) % ROWS) {
		if (!rows[i].owner) {
			rows[i].owner = owner;
			rows[i].site = site;
			if (owner != &large->base)
				strscpy(rows[i].pool, owner->name,
					sizeof(rows[i].pool));
		} else if (rows[i].owner != owner || rows[i].site != site) {
			continue;
		}
		rows[i].pages += pages;
		break;
	}
}

static int add_run(struct mpool_arena *arena, struct mpool_page *pg, void *arg)
{
	const struct mpool_pool *owner = mpool_page_owner(pg);
	const struct mpool_large *large = arg;
	u32 site = READ_ONCE(pg->site);
	enum mpool_page_state state;

	smp_rmb(); /* As in whatis_arena(): a link is not a site. */
	state = mpool_page_state(pg);
	/*
	 * The state says that the run is in use.  @owner is the owner of a run that was
	 * in use here, or will be: it has not ended in this read-side section.
	 */
	if (owner && (state == MPOOL_PAGE_RUN || state == MPOOL_PAGE_RESIZED ||
		      state == MPOOL_PAGE_CHUNK))
		row_add(large, owner, owner == &large->base ? site : 0,
			READ_ONCE(pg->len));
	return 0;
}

/* Moves the biggest rows to @s. */
static void rows_top(struct mpool_shortage *s)
{
	unsigned int i, n, best;

	for (n = 0; n < MPOOL_HOLDERS; n++) {
		for (best = 0, i = 1; i < ROWS; i++)
			if (rows[i].pages > rows[best].pages)
				best = i;
		s->top[n].pages = rows[best].pages;
		s->top[n].site = rows[best].site;
		strscpy(s->top[n].pool, rows[best].pool,
			sizeof(s->top[n].pool));
		rows[best].pages = 0;
	}
}

static void shortage_fn(struct work_struct *work)
{
	struct mpool_shortage *s = container_of(mpool_defer_of(work),
						struct mpool_shortage, defer);
	struct mpool_large *large = container_of(s, struct mpool_large,
						 shortage);
	struct mpool_cursor at = { };

	mutex_lock(&mpool_shortage_mutex);
	memset(rows, 0, sizeof(rows));
	mpool_large_walk(large, &at, add_run, large);
	rows_top(s);
	if (s->log)
		mpool_hooks.shortage(&large->base, s);
	mutex_unlock(&mpool_shortage_mutex);
	/* Pairs with atomic_cmpxchg_acquire() in mpool_shortage_note(). */
	atomic_set_release(&s->busy, 0);
}

void mpool_shortage_init(struct mpool_shortage *s)
{
	s->next_log = jiffies;
	s->next_walk = jiffies;
	mpool_defer_init(&s->defer, shortage_fn);
}

/* Records the failure in @owner->fail and requests the work item.  Any context. */
void mpool_shortage_note(struct mpool_large *large,
			 const struct mpool_pool *owner, enum mpool_bar bar)
{
	const struct mpool_failure *fail = &owner->fail;
	struct mpool_shortage *s = &large->shortage;
	bool log = !(fail->gfp & __GFP_NOWARN) &&
		   time_after_eq(jiffies, READ_ONCE(s->next_log));

	if (!log && time_before(jiffies, READ_ONCE(s->next_walk)))
		return;
	/* Pairs with atomic_set_release() in shortage_fn(). */
	if (atomic_cmpxchg_acquire(&s->busy, 0, 1))
		return;
	strscpy(s->pool, owner->name, sizeof(s->pool));
	s->size = fail->size;
	s->gfp = fail->gfp;
	s->site = fail->site;
	s->held = mpool_large_nr_pages(large);
	s->free = fail->free;
	s->largest = fail->largest;
	s->max = large->limit ? large->limit->args.max_pages : 0;
	s->used = large->limit ? atomic_long_read(&large->limit->used) : 0;
	s->bar = bar;
	s->cached = fail->cached;
	s->log = log;
	if (log)
		WRITE_ONCE(s->next_log, jiffies + 5 * HZ);
	WRITE_ONCE(s->next_walk, jiffies + HZ);
	mpool_defer(&s->defer);
}

/*
 * Does max_pages refuse @npages: because of this request alone, or because of this
 * request and the pages in use now?
 */
static enum mpool_bar limit_bar(const struct mpool_limit *limit, u32 npages)
{
	unsigned long used, max = limit ? limit->args.max_pages : 0;

	if (!max)
		return MPOOL_BAR_NONE;
	if (npages > max)
		return MPOOL_BAR_LIMIT;
	used = min_t(unsigned long, atomic_long_read(&limit->used), max);
	return npages > max - used ? MPOOL_BAR_FULL : MPOOL_BAR_NONE;
}

/*
 * The limit for which the request fails however much memory is free, or MPOOL_BAR_NONE.
 */
static enum mpool_bar large_bar(const struct mpool_large *large, size_t size,
				size_t align, gfp_t gfp)
{
	u32 slack, npages = mpool_large_pages(size, &slack);
	enum mpool_bar bar = limit_bar(large->limit, npages);

	if (!npages)
		return MPOOL_BAR_RUN;
	if (bar != MPOOL_BAR_NONE)
		return bar;
	if (!large->source->system ||
	    get_order(max(size, align)) <= MAX_PAGE_ORDER)
		return MPOOL_BAR_NONE;
	if (!large->virt)
		return MPOOL_BAR_BLOCK;
	return gfpflags_allow_blocking(gfp) && mpool_may_grow() ?
	       MPOOL_BAR_NONE : MPOOL_BAR_SLEEP;
}

/*
 * Records an allocation that failed, and the free memory of the large pool at that time.
 * @cached: free objects of that size in the caches of CPUs.
 */
void mpool_large_failed_cached(struct mpool_large *large,
			       struct mpool_pool *owner, size_t size,
			       size_t align, gfp_t gfp, u32 site,
			       unsigned long cached)
{
	struct mpool_large_room room;

	mpool_pool_failed(owner, size, gfp, site);
	WRITE_ONCE(owner->fail.cached, cached);
	if (!mpool_large_room(large, &room))
		return;
	owner->fail.free = room.free;
	owner->fail.largest = room.largest;
	mpool_shortage_note(large, owner, large_bar(large, size, align, gfp));
}
