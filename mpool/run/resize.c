// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resizing: changes the length of a run in use, where it is.
 *
 * Structure: the run is held (mpool_runs_hold()), the engine changes its length, and then
 * the charges and the limit are updated.
 *
 * Invariant: the run is in use at every moment, for a lookup of its address.
 *
 * Locking: large->lock for the engine.  The holder of a run alone writes its tag, length,
 * site and slack.
 */
#include <linux/mm.h>

#include "large.h"

/* Grows a run where it is, if the limit allows so many pages. */
static bool grow_locked(struct mpool_large *large, struct mpool_page *pg,
			u32 npages)
{
	u32 more = npages - pg->len;

	lockdep_assert_held(&large->lock);
	if (!mpool_limit_charge(large->limit, more))
		return false;
	if (mpool_runs_grow(mpool_page_arena(pg)->runs, pg, npages))
		return true;
	mpool_limit_uncharge(large->limit, more);
	return false;
}

/* Frees the tail of a run, or leaves the tail to the work item if it is not @alone. */
static void shrink_locked(struct mpool_large *large, struct mpool_page *pg,
			  u32 npages, bool alone)
{
	lockdep_assert_held(&large->lock);
	if (alone) {
		mpool_runs_shrink(mpool_page_arena(pg)->runs, pg, npages);
		return;
	}
	mpool_refs_note(large, pg, npages);
	/*
	 * The tail belongs to the large pool until it is free: the owner of the run may
	 * end before that.
	 */
	mpool_runs_split(pg, npages, MPOOL_PAGE_QUEUED, &large->base);
	mpool_defer(&large->deferred);
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
	/* The tail stays for two trim passes more: the run may grow. */
	mpool_page_arena(pg)->pass = large->pass;
	WRITE_ONCE(pg->slack, mpool_slack_word(slack, mpool_page_align(pg)));
	WRITE_ONCE(pg->site, site);
	return 0;
}

/*
 * Has mpool the only references to the pages of a run from @npages on?  Called without
 * the lock: any length that the run had will do.
 */
static bool tail_alone(struct mpool_page *pg, u32 npages)
{
	u32 len = READ_ONCE(pg->len);

	return npages >= len ||
	       mpool_run_alone(mpool_page_arena(pg),
			       mpool_page_index(pg) + npages, len - npages);
}

/*
 * Changes the length of a run of @owner where it is; -ENOSPC if that is impossible,
 * -ENOENT if the run was freed meanwhile, also if another owner has allocated it.
 */
int mpool_large_resize(struct mpool_page *pg, struct mpool_pool *owner,
		       size_t size, u32 site)
{
	struct mpool_large *large = mpool_page_large(pg);
	u32 slack, npages = mpool_large_pages(size, &slack);
	unsigned long flags;
	int err = -ENOENT;
	long more = 0;
	bool alone;

	if (!npages)
		return -ENOSPC;
	alone = tail_alone(pg, npages);
	if (!mpool_lock_irqsave(&large->lock, flags))
		return -ENOSPC;
	/*
	 * The run stays in use for a lookup, but no free can claim it: a wrong free at
	 * the same time, which takes no lock, must not cache a run while its length
	 * changes.  That free is reported.
	 */
	if (mpool_runs_hold(pg)) {
		/* The owner does not change under the hold. */
		if (likely(pg->owner == owner)) {
			more = (long)npages - pg->len;
			err = resize_locked(large, pg, npages, slack, site, alone);
		}
		mpool_runs_unhold(pg);
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	if (err)
		return err;
	mpool_pool_charge(owner, more);
	if (owner != &large->base)
		mpool_pool_charge(&large->base, more);
	if (more < 0)
		mpool_limit_uncharge(large->limit, -more);
	return 0;
}
