// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resizing: the length of a run in use changes where it is.
 *
 * Structure: the run is held (mpool_runs_hold()), the engine does it, and the books follow.
 *
 * Invariant: a run is one in use at every moment, to those who ask whose an address is.
 *
 * Locking: large->lock for the engine.  Who holds a run is the one who writes its tag,
 * length, site and slack: a free that comes at the same time, which needs no lock, finds
 * that it is not in use for him, and is reported.
 */
#include <linux/mm.h>

#include "large.h"

/* Grows a run where it is, if the limit has that much. */
static bool grow_locked(struct mpool_large *large, struct mpool_page *pg,
			u32 npages)
{
	u32 more = npages - pg->len;

	lockdep_assert_held(&large->lock);
	if (!mpool_limit_take(large->limit, more))
		return false;
	if (mpool_runs_grow(mpool_page_arena(pg)->runs, pg, npages))
		return true;
	mpool_limit_give(large->limit, more);
	return false;
}

/* Gives the tail of a run back, or leaves it to the work item. */
static void shrink_locked(struct mpool_large *large, struct mpool_page *pg,
			  u32 npages, bool alone)
{
	lockdep_assert_held(&large->lock);
	if (alone) {
		mpool_runs_shrink(mpool_page_arena(pg)->runs, pg, npages);
		return;
	}
	mpool_refs_note(large, pg, npages);
	/* The owner of the rest may end before the tail is free. */
	mpool_runs_split(pg, npages, MPOOL_PAGE_QUEUED, &large->pool);
	mpool_kick(&large->late);
}

/* Changes the length of a run in use, which the caller holds. */
static int resize_locked(struct mpool_large *large, struct mpool_page *pg,
			 u32 npages, u32 slack, u32 site, bool alone)
{
	lockdep_assert_held(&large->lock);
	if (npages > pg->len && !grow_locked(large, pg, npages))
		return -ENOSPC;
	if (npages < pg->len)
		shrink_locked(large, pg, npages, alone);
	WRITE_ONCE(pg->slack, mpool_slack_word(slack, mpool_page_align(pg)));
	WRITE_ONCE(pg->site, site);
	return 0;
}

/* Are the pages of a run from @npages on mpool's alone?  Without the lock: any length. */
static bool tail_alone(struct mpool_page *pg, u32 npages)
{
	u32 len = READ_ONCE(pg->len);

	return npages >= len ||
	       mpool_run_alone(mpool_page_arena(pg),
			       mpool_page_index(pg) + npages, len - npages);
}

/*
 * Changes the length of a run where it is; -ENOSPC if that cannot be, -ENOENT if it
 * was freed meanwhile.  It is one in use for all others as long as that takes, but held:
 * a wrong free at the same time must not park a run whose length changes.
 */
int mpool_large_resize(struct mpool_page *pg, size_t size, u32 site)
{
	struct mpool_large *large = mpool_page_large(pg);
	u32 slack, npages = mpool_large_pages(size, &slack);
	struct mpool_pool *owner = NULL;
	unsigned long flags;
	int err = -ENOENT;
	long more = 0;
	bool alone;

	if (!npages)
		return -ENOSPC;
	alone = tail_alone(pg, npages);
	if (!mpool_lock_irqsave(&large->lock, flags))
		return -ENOSPC;
	if (mpool_runs_hold(pg)) {
		/* Not before: it may have been freed, and be another's by now. */
		owner = pg->owner;
		more = (long)npages - pg->len;
		err = resize_locked(large, pg, npages, slack, site, alone);
		mpool_runs_unhold(pg);
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	if (err)
		return err;
	mpool_pool_charge(owner, more);
	if (owner != &large->pool)
		mpool_pool_charge(&large->pool, more);
	if (more < 0)
		mpool_limit_give(large->limit, -more);
	return 0;
}
