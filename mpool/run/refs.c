// SPDX-License-Identifier: GPL-2.0-only
/*
 * References: pages of the page allocator that are not mpool's alone.
 *
 * Structure: each page of an arena of the page allocator is a page of its own, to
 * which mpool has MPOOL_PAGE_REFS references.  Others may have some, too, while a run is
 * out: who maps it to user space, sends it as a part of a network buffer, or pins it.
 * And a driver may drop ours: by kfree(), put_page() and the like, whose are not for
 * memory of mpool's, each takes one of its page.
 *
 * The counts are looked at when a run is freed, by its caller (mpool_run_alone()).  If
 * one is wrong the run is left to a work item, which goes over it from its end, in pieces
 * of pages alike:
 *
 *	as many as ours		the piece is free
 *	fewer			somebody dropped references; they are made up for, it is
 *				said, and the piece is free
 *	more			somebody has references: ours are dropped, the piece has
 *				left, and who drops the last reference frees the page
 *	hardly any		a function that does not care for counts has freed the
 *				page, or it is somebody else's already: it is not touched
 *
 * Where pages left there is a hole in their arena.  An arena with holes that becomes idle
 * goes run by run, in the same way, because the block that it was cannot go back.
 *
 * Invariant: the page map has no word for a page that left, and from before that no
 * reference of ours counts for it.
 *
 * Locking: large->lock for the engine, a piece at a time.  Counts are atomic; the run is
 * the work item's, as that of any free is its caller's.  busy for the record of what is
 * to be told.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/string.h>

#include "large.h"
#include "refs.h"

/* The log gets no more than this often something of a pool. */
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

/* How many references to a page somebody dropped who had none. */
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
 * Remembers whose a run is that is left to the work item, from its page @from on: its
 * pool may end before.  Any context.
 */
void mpool_refs_note(struct mpool_large *large, struct mpool_page *pg, u32 from)
{
	struct mpool_refs *refs = &large->refs;
	struct mpool_refs_run *run = &refs->run;

	/* Pairs with atomic_set_release() in mpool_refs_tell(). */
	if (atomic_cmpxchg_acquire(&refs->busy, 0, 1))
		return;
	strscpy(run->pool, pg->owner->name, sizeof(run->pool));
	run->addr = mpool_page_address(mpool_page_arena(pg), pg + from);
	run->npages = pg->len - from;
	run->site = pg->site;
	/* Pairs with atomic_read_acquire() in mpool_refs_tell(). */
	atomic_set_release(&refs->busy, 2);
}

/* Drops our references to pages.  Where the page allocator may be called. */
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
 * The pages of a run leave, for those who have references to them, or the system.
 * Process context.
 */
static void run_leaves(struct mpool_large *large, struct mpool_arena *arena,
		       struct mpool_page *pg)
{
	unsigned long flags;
	bool over;

	/* First: from the last reference on they may be another pool's. */
	mpool_pagemap_del((unsigned long)mpool_page_address(arena, pg), pg->len);
	pages_drop(arena->mem + mpool_page_index(pg), pg->len);
	raw_spin_lock_irqsave(&large->lock, flags);
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

	/* Who freed it did not, because of the others. */
	mpool_large_wipe(large, mpool_page_address(arena, pg), mpool_page_bytes(pg));
	raw_spin_lock_irqsave(&large->lock, flags);
	mpool_large_give_locked(large, pg);
	raw_spin_unlock_irqrestore(&large->lock, flags);
}

/* Makes up for references that were dropped; false if nothing is to be told. */
static bool pages_mend(struct mpool_refs *refs, struct page *page, u32 n)
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

/* Finishes the free of a run that was queued.  Process context. */
void mpool_refs_settle(struct mpool_large *large, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	struct page *page = arena->mem + mpool_page_index(pg);
	struct mpool_page *piece;
	unsigned long flags;
	enum fate fate;
	u32 from;

	pages_mend(&large->refs, page, pg->len);
	do {
		from = pg->len - 1;
		fate = page_fate(page + from);
		while (from && page_fate(page + from - 1) == fate)
			from--;
		piece = pg;
		if (from) {
			raw_spin_lock_irqsave(&large->lock, flags);
			piece = mpool_runs_split(pg, from, MPOOL_PAGE_QUEUED,
						 &large->pool);
			raw_spin_unlock_irqrestore(&large->lock, flags);
		}
		if (fate == LEAVES)
			atomic_long_add(piece->len, &large->refs.held);
		if (fate == STAYS)
			piece_stays(large, arena, piece);
		else
			run_leaves(large, arena, piece);
		/* After the last piece the run is not ours, nor its arena. */
	} while (from);
}

/* Takes a free run of an idle arena with holes, if one begins at @index. */
static struct mpool_page *drain_take(struct mpool_large *large,
				     struct mpool_arena *arena, u32 index)
{
	struct mpool_page *pg = &arena->pages[index];
	unsigned long flags;

	raw_spin_lock_irqsave(&large->lock, flags);
	if (mpool_arena_is_idle(arena) && mpool_page_state(pg) == MPOOL_PAGE_FREE &&
	    test_bit(index, mpool_arena_starts(arena)))
		mpool_runs_carve(arena->runs, pg, 0, pg->len, MPOOL_PAGE_QUEUED);
	else
		pg = NULL;
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return pg;
}

static int drain_visit(struct mpool_arena *arena, struct mpool_page *pg,
		       void *arg)
{
	struct mpool_page **taken = arg;

	if (!mpool_hint(arena->gone) || !mpool_arena_is_idle(arena) ||
	    mpool_page_state(pg) == MPOOL_PAGE_GONE)
		return 0;
	*taken = drain_take(mpool_page_large(pg), arena, mpool_page_index(pg));
	return *taken ? 1 : 0;
}

static bool refs_holes(const struct mpool_large *large)
{
	return atomic_long_read(&large->refs.held) ||
	       atomic_long_read(&large->refs.lost);
}

/*
 * Gives back the free runs of arenas with holes that are idle, and then the arenas.  A
 * run that was taken holds its arena.  Process context.
 */
void mpool_refs_drain(struct mpool_large *large)
{
	struct mpool_cursor at = { };
	struct mpool_arena *arena;
	struct mpool_page *pg;

	if (!refs_holes(large))
		return;
	while (mpool_large_walk(large, &at, drain_visit, &pg)) {
		arena = mpool_page_arena(pg);
		pages_mend(&large->refs, arena->mem + mpool_page_index(pg),
			   pg->len);
		run_leaves(large, arena, pg);
	}
}

/* Drops our references to all pages of an arena that ends.  As the page allocator. */
void mpool_refs_end(struct mpool_arena *arena)
{
	struct mpool_large *large = arena->runs->large;

	if (pages_mend(&large->refs, arena->mem, arena->npages))
		mpool_kick(&large->late);
	pages_drop(arena->mem, arena->npages);
}

/*
 * Has somebody dropped references to the page of an address in a run?  That of another
 * object may be the same.  The run stays meanwhile, or its arena, by RCU.
 */
bool mpool_refs_dropped(struct mpool_page *pg, const void *addr)
{
	const struct mpool_arena *arena = mpool_page_arena(pg);
	const struct page *page = READ_ONCE(arena->mem);

	return page && page_dropped(page + (((unsigned long)addr - arena->base) >>
					    PAGE_SHIFT));
}

/* Counts what happened to pages that stay out when their pool ends. */
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
 * Has told what was found since the last time.  Process context, one at a time: the work
 * item, and the end of the pool after it.
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
		/* That is no mistake: said once. */
		.held = refs->told.held ? 0 : now.held,
		.lost = now.lost - refs->told.lost,
	};
	/* Pairs with atomic_set_release() in mpool_refs_note(). */
	bool known = atomic_read_acquire(&refs->busy) == 2;

	if (!last && time_before(jiffies, refs->next))
		return;
	if (news.dropped || news.held || news.lost) {
		mpool_hooks.refs(&large->pool, &news, known ? &refs->run : NULL);
		refs->next = jiffies + TELL_PERIOD;
	}
	refs->told = now;
	/* Pairs with atomic_cmpxchg_acquire() in mpool_refs_note(). */
	if (known)
		atomic_set_release(&refs->busy, 0);
}
