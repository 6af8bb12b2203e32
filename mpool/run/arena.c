// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas of a large pool: how they come, become idle, and go.
 *
 * Structure: all arenas of a pool are on a doubly linked list, in the order in which
 * they came, which their serial numbers say; and those without a
 * run in use, the spares, on a second one.  The longest spare of each node is kept,
 * the others go back to the system: a caller that takes and gives back one run must
 * not make the page allocator work each time.  When the system is short of memory,
 * the shrinker takes those that are kept, too.
 *
 * A run that is parked is not in use, and who takes or parks one has no lock.  So
 * the list of spares is lazy: an arena on it may be in use again, which is found out
 * when spares are looked for; and who parks the last run of an arena takes the lock
 * only if the arena is not noted: not on that list, nor one that never is.  An arena
 * is taken off the list in the order of
 *
 *	noted = false, barrier, is live still above 0?
 *
 * and its last run is given back in the order of
 *
 *	live = 0, barrier, is it noted?
 *
 * so that at least one of the two sees the other and puts the arena on the list.
 *
 * An arena with live = 0 may have a run that somebody has just taken from its place
 * and not counted yet, and one that has gone may have live above 0, by somebody who
 * has parked its last run and not counted that yet.  So what decides is not live but
 * that all pages are free once its parked runs are merged, under the lock; and the
 * latter somebody finds an arena that is noted, and whose description is there: he
 * has preemption off, and it is freed after a grace period.
 *
 * An arena of which pages left (refs.c) does not go with the others, because that takes
 * more than a few steps under the lock: a work item gives its runs back one by one.
 *
 * Invariant, checked by mpool_large_verify():
 *	an arena that has no run in use is on the list of spares, if the feed takes
 *	arenas back; noted says so, and is true where there is nothing to say;
 *	surplus is true if two spares are of one node, but for the moment until
 *	they are looked at.
 *
 * Locking: large->lock (raw) for both lists and all of an arena but live, which is
 * counted without it, and noted, which is read without it.
 */
#include <linux/kernel.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "large.h"

/* Takes an arena off the list of spares, if it is there. */
void mpool_arena_used_locked(struct mpool_large *large,
			     struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (list_empty(&arena->spare))
		return;
	list_del_init(&arena->spare);
	large->nr_spares--;
	WRITE_ONCE(arena->noted, false);
}

/* Is there another spare of the same node? */
static bool spare_has_like_locked(struct mpool_large *large,
				  const struct mpool_arena *arena)
{
	const struct mpool_arena *other;

	lockdep_assert_held(&large->lock);
	list_for_each_entry(other, &large->spares, spare)
		if (other != arena && other->nid == arena->nid)
			return true;
	return false;
}

/* Puts an arena on the list of spares if it is idle and not there. */
void mpool_arena_idle_locked(struct mpool_large *large,
			     struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (arena->noted || atomic_read(&arena->live))
		return;
	if (spare_has_like_locked(large, arena))
		WRITE_ONCE(large->surplus, true);
	list_add(&arena->spare, &large->spares);
	large->nr_spares++;
	WRITE_ONCE(arena->noted, true);
	/* It does not go back by the ways of others, but run by run. */
	if (unlikely(arena->gone))
		mpool_kick(&large->late);
}

/*
 * The same, without the lock, also if the arena has gone meanwhile: since before its
 * last run was parked the caller has preemption off, or is in an RCU read-side
 * section.  Any context: what an NMI cannot do, a work item does.
 */
void mpool_arena_idle(struct mpool_large *large, struct mpool_arena *arena)
{
	unsigned long flags;

	if (!mpool_lock_irqsave(&large->lock, flags)) {
		mpool_kick(&large->late);
		return;
	}
	mpool_arena_idle_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
}

/* Takes a spare off that is in use again, unless it has just become idle. */
static void spare_drop_locked(struct mpool_large *large,
			      struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	mpool_arena_used_locked(large, arena);
	/* Pairs with atomic_dec_and_test() in mpool_place_put(). */
	smp_mb();
	mpool_arena_idle_locked(large, arena);
}

/* Takes an arena out of the pool; false if a run of it is not free. */
bool mpool_arena_unlink_locked(struct mpool_large *large,
			       struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (!mpool_runs_remove(arena->runs, arena))
		return false;
	list_del_rcu(&arena->list);
	mpool_arena_used_locked(large, arena);
	/* Whoever counts its last run yet shall leave it alone. */
	WRITE_ONCE(arena->noted, true);
	return true;
}

/* Pages that left are somebody else's in the page map, or not there. */
static void arena_unmap_rest(struct mpool_arena *arena)
{
	struct mpool_page *pg;
	u32 i;

	for_each_set_bit(i, mpool_arena_starts(arena), arena->npages) {
		pg = &arena->pages[i];
		if (mpool_page_state(pg) != MPOOL_PAGE_GONE)
			mpool_pagemap_del((unsigned long)mpool_page_address(arena, pg),
					  pg->len);
	}
}

/* Nobody finds an arena by its pages any more; those of a run are its pool's. */
static void arena_unmap(struct mpool_arena *arena)
{
	struct mpool_page *within = arena->within;

	if (within)
		mpool_pagemap_set(arena->base, arena->npages,
				  (unsigned long)mpool_page_arena(within));
	else if (arena->gone)
		arena_unmap_rest(arena);
	else
		mpool_pagemap_del(arena->base, arena->npages);
}

/* Ends an arena that is on no list.  Context: as the page allocator. */
void mpool_arena_release(struct mpool_large *large, struct mpool_arena *arena)
{
	arena_unmap(arena);
	large->feed->release(arena);
	mpool_stat_inc(&large->pool.stats, MPOOL_STAT_SHRINK);
	kvfree_rcu(arena, rcu);
}

/* Adds an arena that is in the page map already. */
void mpool_large_add_arena(struct mpool_large *large,
			   struct mpool_arena *arena)
{
	unsigned long flags;

	arena->noted = !large->feed->gives_back;
	raw_spin_lock_irqsave(&large->lock, flags);
	arena->serial_low = ++large->serial;
	arena->serial_high = large->serial >> 32;
	list_add_tail_rcu(&arena->list, &large->arenas);
	mpool_runs_add(arena->runs, arena);
	mpool_arena_idle_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	mpool_stat_inc(&large->pool.stats, MPOOL_STAT_GROW);
}

/* The shortest spare; if @keep, of those that are not alone on their node. */
static struct mpool_arena *spare_shortest_locked(struct mpool_large *large,
						 bool keep)
{
	struct mpool_arena *arena, *found = NULL;

	lockdep_assert_held(&large->lock);
	list_for_each_entry(arena, &large->spares, spare)
		if ((!found || arena->npages < found->npages) &&
		    (!keep || spare_has_like_locked(large, arena)))
			found = arena;
	return found;
}

/* Takes such a spare out of the pool. */
static struct mpool_arena *spare_pop(struct mpool_large *large, bool keep)
{
	struct mpool_arena *arena, *next;
	unsigned long flags;
	LIST_HEAD(taken);

	raw_spin_lock_irqsave(&large->lock, flags);
	/* Pairs with atomic_dec_and_test() in mpool_place_put(). */
	list_for_each_entry_safe(arena, next, &large->spares, spare)
		if (atomic_read_acquire(&arena->live))
			spare_drop_locked(large, arena);
	/* One of whose runs is being taken at this moment stays, as if in use. */
	while ((arena = spare_shortest_locked(large, keep)) &&
	       !mpool_arena_unlink_locked(large, arena))
		list_move(&arena->spare, &taken);
	WRITE_ONCE(large->surplus, arena || !list_empty(&taken));
	list_splice(&taken, &large->spares);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return arena;
}

/* Gives all spares back; how many pages that was.  From reclaim, too. */
unsigned long mpool_large_shed(struct mpool_large *large)
{
	struct mpool_arena *arena;
	unsigned long pages = 0;

	mpool_refs_hurry(large);
	while ((arena = spare_pop(large, false))) {
		pages += arena->npages;
		mpool_arena_release(large, arena);
	}
	return pages;
}

/* Gives all spares back but one a node, if this is the place for it. */
void mpool_large_reap(struct mpool_large *large)
{
	struct mpool_arena *arena;

	if (!READ_ONCE(large->surplus) || !mpool_may_grow())
		return;
	while ((arena = spare_pop(large, true)))
		mpool_arena_release(large, arena);
}

/* Pages in spares. */
unsigned long mpool_large_spare_pages(struct mpool_large *large)
{
	struct mpool_arena *arena;
	unsigned long flags, pages = 0;

	if (!mpool_hint(large->nr_spares))
		return 0;
	raw_spin_lock_irqsave(&large->lock, flags);
	list_for_each_entry(arena, &large->spares, spare)
		if (!atomic_read(&arena->live))
			pages += arena->npages - arena->gone;
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_spare_pages);

/*
 * Takes out and ends the arena of a region that was given at an address, to the byte:
 * -ENOENT if there is none, -EBUSY if a run of it is in use.  Process context; no free is
 * put off.
 */
int mpool_large_del_arena(struct mpool_large *large, unsigned long given)
{
	struct mpool_arena *arena;
	unsigned long flags;
	int err = -ENOENT;

	raw_spin_lock_irqsave(&large->lock, flags);
	list_for_each_entry(arena, &large->arenas, list) {
		if (arena->base - arena->trimmed != given)
			continue;
		err = mpool_arena_unlink_locked(large, arena) ? 0 : -EBUSY;
		break;
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	if (!err)
		mpool_arena_release(large, arena);
	return err;
}

/* Runs of an arena stay out when its pool ends. */
static void arena_abandon(struct mpool_arena *arena)
{
	struct mpool_page *within = arena->within;

	if (within)
		WRITE_ONCE(within->owner, &mpool_page_large(within)->pool);
	mpool_refs_look(arena);
}

/*
 * Ends all arenas of a pool that nobody sees any more.  Those with runs in use
 * lose their description; their pages are left as they are.
 */
void mpool_large_end_arenas(struct mpool_large *large)
{
	struct mpool_arena *arena, *next;
	struct mpool_runs *runs;

	mpool_large_for_each_runs(large, runs)
		mpool_runs_merge(runs, NULL);
	list_for_each_entry_safe(arena, next, &large->arenas, list) {
		list_del_rcu(&arena->list);
		arena_unmap(arena);
		if (arena->nfree == arena->npages)
			large->feed->release(arena);
		else
			arena_abandon(arena);
		kvfree_rcu(arena, rcu);
	}
}

/* Breaches of the invariant in one arena; adds up the pages of its chunks. */
static int verify_arena_locked(struct mpool_large *large,
			       struct mpool_arena *arena, unsigned long *chunks)
{
	bool idle = large->feed->gives_back && !atomic_read(&arena->live);
	bool spare = !list_empty(&arena->spare);
	enum mpool_page_state state;
	struct mpool_page *pg;
	unsigned int i;
	int bad = 0;

	lockdep_assert_held(&large->lock);
	bad += mpool_runs_verify_arena(arena->runs, arena);
	bad += mpool_broken(arena->runs->large != large);
	bad += mpool_broken(arena->runs != mpool_large_node(large, arena->nid));
	bad += mpool_broken(idle && !spare);
	bad += mpool_broken(arena->noted !=
			    (spare || !large->feed->gives_back));
	for_each_set_bit(i, mpool_arena_starts(arena), arena->npages) {
		pg = &arena->pages[i];
		state = mpool_page_state(pg);
		if (state == MPOOL_PAGE_CHUNK)
			*chunks += pg->len;
		bad += mpool_broken(state == MPOOL_PAGE_PARKED &&
				    pg->owner != &large->pool);
		bad += mpool_broken((state == MPOOL_PAGE_QUEUED ||
				     state == MPOOL_PAGE_GONE) && pg->owner &&
				    pg->owner != &large->pool);
	}
	return bad;
}

/* Number of breaches of the invariant, in a pool that is at rest. */
int mpool_large_verify(struct mpool_large *large)
{
	unsigned long chunks = 0;
	struct mpool_arena *arena;
	struct mpool_runs *runs;
	unsigned int spares = 0;
	unsigned long flags;
	int bad = 0;

	raw_spin_lock_irqsave(&large->lock, flags);
	list_for_each_entry(arena, &large->arenas, list) {
		bad += verify_arena_locked(large, arena, &chunks);
		spares += !list_empty(&arena->spare);
	}
	mpool_large_for_each_runs(large, runs)
		bad += mpool_large_verify_node(large, runs);
	bad += mpool_broken(spares != large->nr_spares);
	bad += mpool_broken(chunks != large->nr_chunk_pages);
	bad += mpool_broken(large->limit &&
			    atomic_long_read(&large->limit->used) <
			    atomic_long_read(&large->pool.pages));
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_verify);
