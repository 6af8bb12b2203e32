// SPDX-License-Identifier: GPL-2.0-only
/*
 * References: pages of the page allocator to which not only mpool has references.
 *
 * Structure: each page of an arena of the page allocator is an order-0 page, to which
 * mpool has MPOOL_PAGE_REFS references.  While a run is in use, other users may take
 * references to its pages, too: to map a page to user space, to send it as a part of a
 * network buffer, or to pin it.  And a driver may drop references of mpool by mistake:
 * kfree(), put_page() and the like, which cannot free memory of mpool, drop one reference
 * to the page each.
 *
 * A free checks the counts of the pages of its run (mpool_run_alone()).  If one is not
 * MPOOL_PAGE_REFS, the run is left to deferred work.  mpool_refs_settle() goes over the
 * run from its end, in pieces of pages with the same fate:
 *
 *	MPOOL_PAGE_REFS		the piece is freed
 *	MPOOL_PAGE_LOST or more	references of mpool were dropped: they are added again and
 *	(but fewer than that)	reported, and the piece is freed
 *	more			others have references: mpool drops its own, the piece
 *				leaves the arena, and the last put frees each page
 *	below MPOOL_PAGE_LOST	a function that ignores the count has freed the page, or
 *				the page has another owner already: the piece leaves the
 *				arena, and the pages are not touched
 *
 * Pages that left are a hole in their arena.  An idle arena with holes is freed run by
 * run, in the same way (tail.c): it cannot be freed as the block that it was.
 *
 * Invariant: a page that left (MPOOL_PAGE_GONE) has no entry in the page map, and mpool
 * has dropped its references to it, unless the page was lost.
 *
 * Locking: large->lock for the engine, for one piece at a time.  Counts are atomic.
 * Deferred work owns a run that was left to it, as the caller of a free owns the run that
 * it has claimed.  refs->busy protects refs->run, the record for the report.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/string.h>

#include "large.h"
#include "refs.h"

/* The least time between two reports about a pool, except for its last one. */
#define TELL_PERIOD	HZ

enum fate {
	STAYS,
	LEAVES,
	LOST,
};

static enum fate page_fate(const struct page *page)
{
	int count = page_ref_count(page);

	if (count < MPOOL_PAGE_LOST)
		return LOST;
	return count > MPOOL_PAGE_REFS ? LEAVES : STAYS;
}

/* References of mpool to a page that others dropped; 0 if the page is lost. */
static unsigned int page_dropped(const struct page *page)
{
	int count = page_ref_count(page);

	return count < MPOOL_PAGE_LOST || count >= MPOOL_PAGE_REFS ?
	       0 : MPOOL_PAGE_REFS - count;
}

void mpool_refs_init(struct mpool_refs *refs)
{
	refs->next = jiffies;
}

/*
 * Records a run that is left to deferred work, from its page @from on, for the report:
 * its owner may end before the report is written.  Any context.
 */
void mpool_refs_note(struct mpool_large *large, struct mpool_page *pg, u32 from)
{
	struct mpool_refs *refs = &large->refs;
	struct mpool_refs_run *run = &refs->run;

	/*
	 * There is one record.  Pairs with atomic_set_release() in mpool_refs_tell(): the
	 * previous record has been reported.
	 */
	if (atomic_cmpxchg_acquire(&refs->busy, 0, 1))
		return;
	strscpy(run->pool, pg->owner->name, sizeof(run->pool));
	run->addr = mpool_page_address(mpool_page_arena(pg), pg + from);
	run->npages = pg->len - from;
	run->site = pg->site;
	/*
	 * The record is complete.  Pairs with atomic_read_acquire() in
	 * mpool_refs_tell().
	 */
	atomic_set_release(&refs->busy, 2);
}

/*
 * Drops mpool's references to pages, except lost ones.  Context: where the page allocator
 * may be called.
 */
static void pages_drop(struct page *page, u32 n)
{
	for (; n--; page++) {
		if (page_fate(page) == LOST)
			continue;
		page_ref_sub(page, MPOOL_PAGE_REFS - 1);
		__free_page(page);
	}
}

/*
 * Makes the pages of a run leave their arena: the holders of references keep them, or the
 * page allocator gets them.  Process context.
 */
void mpool_refs_leave(struct mpool_large *large, struct mpool_arena *arena,
		      struct mpool_page *pg)
{
	unsigned long flags;
	bool over;

	/*
	 * Before the references are dropped: after the last reference, another pool may
	 * get the pages, and enter them in the page map.
	 */
	mpool_pagemap_del((unsigned long)mpool_page_address(arena, pg), pg->len);
	pages_drop(arena->mem + mpool_page_index(pg), pg->len);
	raw_spin_lock_irqsave(&large->lock, flags);
	large->holes = true;
	mpool_runs_leave(arena->runs, pg);
	over = arena->gone == arena->npages;
	if (over)
		mpool_arena_unlink_locked(large, arena);
	else
		mpool_arena_idle_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	if (over)
		mpool_arena_release(large, arena);
}

static void piece_stays(struct mpool_large *large, struct mpool_arena *arena,
			struct mpool_page *pg)
{
	unsigned long flags;

	/* The free has skipped init_on_free, because some counts were wrong. */
	mpool_large_wipe(large, mpool_page_address(arena, pg), mpool_page_bytes(pg));
	raw_spin_lock_irqsave(&large->lock, flags);
	mpool_large_free_run_locked(large, pg);
	raw_spin_unlock_irqrestore(&large->lock, flags);
}

/*
 * Adds the references that were dropped, and counts them and lost pages; false if there
 * were none.
 */
bool mpool_refs_mend(struct mpool_refs *refs, struct page *page, u32 n)
{
	unsigned int dropped;
	bool any = false;

	for (; n--; page++) {
		dropped = page_dropped(page);
		if (dropped) {
			page_ref_add(page, dropped);
			atomic_long_add(dropped, &refs->dropped);
			any = true;
		} else if (page_fate(page) == LOST) {
			atomic_long_inc(&refs->lost);
			any = true;
		}
	}
	return any;
}

/* Finishes the free of a run in state MPOOL_PAGE_QUEUED.  Process context. */
void mpool_refs_settle(struct mpool_large *large, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	struct page *page = arena->mem + mpool_page_index(pg);
	struct mpool_page *piece;
	unsigned long flags;
	enum fate fate;
	u32 from;

	mpool_refs_mend(&large->refs, page, pg->len);
	do {
		from = pg->len - 1;
		fate = page_fate(page + from);
		while (from && page_fate(page + from - 1) == fate)
			from--;
		piece = pg;
		if (from) {
			raw_spin_lock_irqsave(&large->lock, flags);
			piece = mpool_runs_split(pg, from, MPOOL_PAGE_QUEUED,
						 &large->base);
			raw_spin_unlock_irqrestore(&large->lock, flags);
		}
		if (fate == LEAVES)
			atomic_long_add(piece->len, &large->refs.held);
		if (fate == STAYS)
			piece_stays(large, arena, piece);
		else
			mpool_refs_leave(large, arena, piece);
		/*
		 * The last piece begins at 0.  After it, another CPU may have the run, or
		 * may have freed the arena.
		 */
	} while (from);
}

/*
 * Drops mpool's references to all pages of an arena that ends.  Context: where the page
 * allocator may be called.
 */
void mpool_refs_end(struct mpool_arena *arena)
{
	struct mpool_large *large = arena->runs->large;

	if (mpool_refs_mend(&large->refs, arena->mem, arena->npages))
		mpool_defer(&large->deferred);
	pages_drop(arena->mem, arena->npages);
}

/*
 * Were references of mpool dropped, to the page of an address in a run?  Another object
 * may be in the same page.  The run is in use, or the caller is in an RCU read-side
 * section, which keeps the arena.
 */
bool mpool_refs_dropped(struct mpool_page *pg, const void *addr)
{
	const struct mpool_arena *arena = mpool_page_arena(pg);
	const struct page *page = READ_ONCE(arena->mem);

	return page && page_dropped(page + (((unsigned long)addr - arena->base) >>
					    PAGE_SHIFT));
}

/*
 * Counts the dropped references and the lost pages of an arena that has runs in use when
 * its pool ends.
 */
void mpool_refs_look(struct mpool_arena *arena)
{
	struct mpool_refs *refs = &arena->runs->large->refs;
	struct mpool_page *pg;
	struct page *page;
	u32 i, n;

	if (!arena->mem)
		return;
	mpool_arena_for_each_start(i, arena) {
		pg = &arena->pages[i];
		if (mpool_page_state(pg) == MPOOL_PAGE_GONE)
			continue;
		page = arena->mem + i;
		for (n = 0; n < pg->len; n++, page++) {
			atomic_long_add(page_dropped(page), &refs->dropped);
			if (page_fate(page) == LOST)
				atomic_long_inc(&refs->lost);
		}
	}
}

/*
 * Reports the changes of references that were found since the last report.  Process
 * context.  Two calls never overlap: the callers are the work item, and the teardown of
 * the pool after the last work item.
 */
void mpool_refs_tell(struct mpool_large *large, bool last)
{
	struct mpool_refs *refs = &large->refs;
	struct mpool_refs_count now = {
		.dropped = atomic_long_read(&refs->dropped),
		.held = atomic_long_read(&refs->held),
		.lost = atomic_long_read(&refs->lost),
	}, news = {
		.dropped = now.dropped - refs->told.dropped,
		/* References of others are normal.  They are reported once for each pool. */
		.held = refs->told.held ? 0 : now.held,
		.lost = now.lost - refs->told.lost,
	};
	/*
	 * At 2 the record is complete.  Pairs with atomic_set_release() in
	 * mpool_refs_note().
	 */
	bool known = atomic_read_acquire(&refs->busy) == 2;

	if (!last && time_before(jiffies, refs->next))
		return;
	if (news.dropped || news.held || news.lost) {
		mpool_hooks.refs(&large->base, &news, known ? &refs->run : NULL);
		refs->next = jiffies + TELL_PERIOD;
	}
	refs->told = now;
	/*
	 * Pairs with atomic_cmpxchg_acquire() in mpool_refs_note(): the record has been
	 * read, and may be written again.
	 */
	if (known)
		atomic_set_release(&refs->busy, 0);
}
