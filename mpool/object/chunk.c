// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks: the memory of the objects of a fixed pool, and the state of each object.
 *
 * A chunk is a run of pages with as many objects as fit; geometry.c sets the number of
 * pages.  The description of a chunk is not in these pages, but in memory of kvzalloc():
 *
 *	struct mpool_chunk | state 0 | state 1 | ... | state nr - 1 | free list
 *
 * The state of a live object is the number of the call site that allocated it.  So one
 * store in alloc and one in free are enough to attribute leaks and to find wrong frees.
 * The free list is a bitmap.  Of each chunk the free object with the lowest index is
 * allocated first, so live objects gather at the front.
 *
 * A chunk is on one of three lists: full, partial, or empty, which means that all its
 * objects are free.  Few empty chunks are kept, see mpool_chunks_reclaim_surplus(); the
 * others go back to the large pool at once.  If the cursor of a walk is at a chunk, the
 * chunk has a pin: it stays on the list of partial chunks, even if all its objects are
 * free.
 *
 * Invariant, checked by mpool_chunks_verify():
 *	each free list has nfree objects, which are those with the state MPOOL_OBJ_FREE,
 *	and none before at.first; a chunk is on the list that its nfree and pins say;
 *	nr_objs, nr_pages and nr_free are the sums over all chunks; every object is live,
 *	free, cached or queued, and there are as many live and cached ones as the caller has
 *	counted; the page map leads from each page of a chunk to the chunk.
 *
 * Locking: chunks->lock (raw) for lists, counts and free objects.  The state of an object
 * that is not free belongs to the holder of the object.  Chunks are freed after a grace
 * period, so lookups and walks need only RCU.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"

/*
 * The pages in empty chunks that a fixed pool keeps.  They go when they were not used for
 * a while (trim.c, turn.c), or when memory is short.  When one chunk was kept, 100 objects
 * of 4 KiB, allocated and then freed, took 4100 instructions each, and 316 with this.
 */
#define CHUNK_KEEP		((u32)(SZ_512K >> PAGE_SHIFT))

static void deferred_fn(struct work_struct *work);

/**
 * mpool_chunks_init() - initialise, without any chunk, and set the geometry
 * @chunks: the struct to fill in
 * @fixed: pool that has the chunks
 * @owner: pool that is charged
 * @large: pool to allocate runs from
 * @size: of an object, bytes, not 0
 * @align: of an object, a power of two
 */
void mpool_chunks_init(struct mpool_chunks *chunks, struct mpool_fixed *fixed,
		       struct mpool_pool *owner, struct mpool_large *large,
		       size_t size, size_t align)
{
	chunks->fixed = fixed;
	chunks->owner = owner;
	chunks->large = large;
	chunks->size = ALIGN(size, align);
	mpool_chunks_measure(chunks, fixed && owner != &fixed->base);
	chunks->align = max_t(unsigned long, align, PAGE_SIZE);
	raw_spin_lock_init(&chunks->lock);
	INIT_LIST_HEAD(&chunks->partial);
	INIT_LIST_HEAD(&chunks->full);
	INIT_LIST_HEAD(&chunks->empty);
	INIT_LIST_HEAD(&chunks->all);
	mpool_defer_init(&chunks->deferred, deferred_fn);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_init);

/* Are all objects on the free list, without a pin?  Then the chunk may be given back. */
static bool chunk_is_empty(const struct mpool_chunk *chunk)
{
	return chunk->at.nfree == chunk->at.nr && !chunk->pins;
}

/* Moves a chunk to the list that its nfree and its pins say. */
static void chunk_place_locked(struct mpool_chunks *chunks,
			       struct mpool_chunk *chunk)
{
	lockdep_assert_held(&chunks->lock);
	if (!chunk->at.nfree)
		list_move(&chunk->list, &chunks->full);
	else if (chunk_is_empty(chunk))
		list_move(&chunk->list, &chunks->empty);
	else
		list_move(&chunk->list, &chunks->partial);
}

/* Adds @n to the number of empty chunks, of the pool and of the large pool. */
static void chunk_count_empty_locked(struct mpool_chunks *chunks, int n)
{
	lockdep_assert_held(&chunks->lock);
	chunks->nr_empty += n;
	atomic_add(n, &chunks->large->nr_empty);
}

/* The bitmap of the free objects; it is behind the states. */
static unsigned long *chunk_free_list(struct mpool_chunk *chunk)
{
	return (unsigned long *)PTR_ALIGN(&chunk->state[chunk->at.nr], sizeof(long));
}

/* Takes the first @n objects off the free list, which has as many. */
static void chunk_take_locked(struct mpool_chunks *chunks, struct mpool_chunk *chunk,
			      struct mpool_slot *slots, u32 n)
{
	u32 i = round_down(chunk->at.first, BITS_PER_LONG), at = 0;
	unsigned long *list = chunk_free_list(chunk) + i / BITS_PER_LONG;
	u32 was = chunk->at.nfree, done = 0;
	unsigned long word;

	lockdep_assert_held(&chunks->lock);
	if (chunk_is_empty(chunk))
		chunk_count_empty_locked(chunks, -1);
	for (; done < n; list++, i += BITS_PER_LONG) {
		for (word = *list; word && done < n; word &= word - 1) {
			at = i + __ffs(word);
			slots[done].state = &chunk->state[at];
			slots[done++].obj = (void *)(chunk->at.base +
						     (unsigned long)at * chunks->size);
		}
		*list = word;
	}
	chunk->at.first = at + 1;
	chunk->at.nfree -= n;
	chunks->nr_free -= n;
	/* Only if it was the last free object, or if all were free before. */
	if (!chunk->at.nfree || was == chunk->at.nr)
		chunk_place_locked(chunks, chunk);
}

/*
 * Makes an object cached that was taken off a free list; false if its state is not
 * MPOOL_OBJ_FREE.  That happens after two CPUs have freed the object in the same few
 * cycles, see mpool_obj_cache_at(): then two magazines had a copy.  One copy came back to
 * this free list.  After that the other CPU stored MPOOL_OBJ_CACHED, or the other copy was
 * allocated.  The object belongs to the other copy now.  So it is removed from the free
 * list, but not allocated.
 */
static bool slot_take(struct mpool_slot *slot)
{
	if (unlikely(READ_ONCE(*slot->state) != MPOOL_OBJ_FREE))
		return false;
	WRITE_ONCE(*slot->state, MPOOL_OBJ_CACHED);
	return true;
}

/* Puts an object on the free list; false if it is there already, after a double free. */
static bool chunk_push_locked(struct mpool_chunks *chunks,
			      struct mpool_chunk *chunk, u16 *state)
{
	u32 i = state - chunk->state;

	lockdep_assert_held(&chunks->lock);
	WRITE_ONCE(*state, MPOOL_OBJ_FREE);
	if (__test_and_set_bit(i, chunk_free_list(chunk)))
		return false;
	chunk->at.first = min_t(u32, chunk->at.first, i);
	chunk->at.nfree++;
	chunks->nr_free++;
	if (chunk_is_empty(chunk))
		chunk_count_empty_locked(chunks, 1);
	if (chunk->at.nfree == 1 || chunk->at.nfree == chunk->at.nr)
		chunk_place_locked(chunks, chunk);
	return true;
}

/* The chunk to allocate objects from, or NULL. */
static struct mpool_chunk *chunk_next_locked(struct mpool_chunks *chunks)
{
	lockdep_assert_held(&chunks->lock);
	return list_first_entry_or_null(&chunks->partial, struct mpool_chunk, list) ?:
	       list_first_entry_or_null(&chunks->empty, struct mpool_chunk, list);
}

/*
 * Reports objects that two CPUs have freed at once.  Each was counted as two frees, so
 * one is subtracted.
 */
static void chunks_twice(struct mpool_chunks *chunks, void **objs,
			 unsigned int n)
{
	while (n--) {
		atomic64_dec(&chunks->fixed->slow_frees);
		mpool_pool_bad_free(chunks->owner, objs[n],
				    MPOOL_BAD_FREE_TWICE, 0);
	}
}

/*
 * Allocates up to MPOOL_CHUNK_BATCH objects, into @slots from *@done on, and raises *@done.
 * False if no chunk has a free object, or if an NMI cannot take the lock.
 */
static bool chunks_pop_batch(struct mpool_chunks *chunks,
			     struct mpool_slot *slots, unsigned int n,
			     unsigned int *done)
{
	unsigned int tries = MPOOL_CHUNK_BATCH, nr_twice = 0, got;
	struct mpool_slot *from, *end, *to = &slots[*done];
	struct mpool_chunk *chunk = NULL;
	void *twice[MPOOL_CHUNK_BATCH];
	unsigned long flags;

	if (!mpool_lock_irqsave(&chunks->lock, flags))
		return false;
	for (; to < slots + n && tries; tries -= got) {
		chunk = chunk_next_locked(chunks);
		if (!chunk)
			break;
		got = min3((u32)(slots + n - to), tries, (u32)chunk->at.nfree);
		chunk_take_locked(chunks, chunk, to, got);
		for (from = to, end = to + got; from < end; from++) {
			*to = *from;
			if (likely(slot_take(to)))
				to++;
			else
				twice[nr_twice++] = to->obj;
		}
	}
	*done = to - slots;
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	if (unlikely(nr_twice))
		chunks_twice(chunks, twice, nr_twice);
	return chunk;
}

/* Allocates up to @n of the free objects, and returns how many.  Any context. */
unsigned int mpool_chunks_pop(struct mpool_chunks *chunks,
			      struct mpool_slot *slots, unsigned int n)
{
	unsigned int done = 0;

	/* Without the lock, nr_free is a hint that saves the lock; the lists decide. */
	while (done < n && mpool_hint(chunks->nr_free))
		if (!chunks_pop_batch(chunks, slots, n, &done))
			break;
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_pop);

/*
 * Puts one object back.  False after a double free, see slot_take(): the other copy of the
 * object came back before, or was allocated.  Without a double free the chunk is there,
 * because an object that is not on the free list keeps it.  *@last is the chunk of the
 * object before: mostly that of this one, too.
 */
static bool slot_push_locked(struct mpool_chunks *chunks,
			     const struct mpool_slot *slot, struct mpool_chunk **last)
{
	unsigned long addr = (unsigned long)slot->obj;

	lockdep_assert_held(&chunks->lock);
	if (!*last || mpool_chunk_state(*last, addr) != slot->state)
		*last = mpool_chunk_find(slot->obj);
	/*
	 * After a double free the chunk may be gone, and another one may be at this
	 * address.  Then the state is not at the address that the slot has.
	 */
	if (unlikely(!*last || slot->state != mpool_chunk_state(*last, addr) ||
		     !mpool_obj_is(*slot->state, MPOOL_OBJ_CACHED)))
		return false;
	return chunk_push_locked(chunks, *last, slot->state);
}

/*
 * Puts cached objects back.  Chunks that become empty stay: the caller has to call
 * mpool_chunks_reclaim() later, when it holds no lock.  False if an NMI cannot take the
 * lock.  The objects of that batch and of the later ones still belong to the caller then.
 * With at most MPOOL_CHUNK_BATCH objects these are all of them, so a caller that may be an NMI
 * passes no more at a time.
 */
bool mpool_chunks_push(struct mpool_chunks *chunks,
		       const struct mpool_slot *slots, unsigned int n)
{
	unsigned int done = 0, stop, nr_twice;
	void *twice[MPOOL_CHUNK_BATCH];
	struct mpool_chunk *last;
	unsigned long flags;

	while (done < n) {
		if (!mpool_lock_irqsave(&chunks->lock, flags))
			return false;
		nr_twice = 0;
		last = NULL;
		for (stop = min(n, done + MPOOL_CHUNK_BATCH); done < stop; done++)
			if (unlikely(!slot_push_locked(chunks, &slots[done], &last)))
				twice[nr_twice++] = slots[done].obj;
		raw_spin_unlock_irqrestore(&chunks->lock, flags);
		if (unlikely(nr_twice))
			chunks_twice(chunks, twice, nr_twice);
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_push);

/* Leaves the free of an object to the work item: an NMI could not take the lock. */
void mpool_chunks_push_deferred(struct mpool_chunks *chunks,
				const struct mpool_slot *slot)
{
	struct mpool_chunk *chunk;
	void *obj = slot->obj;

	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_DEFER);
	rcu_read_lock();
	chunk = mpool_chunk_of(chunks->fixed, obj);
	/* The state tells a new chunk of the pool in the same place. */
	if (likely(chunk && mpool_chunk_state(chunk, (unsigned long)obj) == slot->state)) {
		WRITE_ONCE(*slot->state, MPOOL_OBJ_QUEUED);
		/*
		 * After the state.  Pairs with xchg() in mpool_chunks_collect(), which
		 * then finds the state.
		 */
		smp_store_release(&chunk->queued, true);
	} else {
		/* As in mpool_obj_state_of(): the other copy was freed, and the chunk. */
		chunks_twice(chunks, &obj, 1);
	}
	rcu_read_unlock();
	mpool_defer(&chunks->deferred);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_push_deferred);

/* Finishes the deferred free of one object. */
static void queued_push(struct mpool_chunks *chunks, struct mpool_chunk *chunk, u32 i)
{
	void *obj = (void *)(chunk->at.base + (unsigned long)i * chunks->size);
	bool queued, pushed = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	/* Another CPU in mpool_chunks_collect() may have been first. */
	queued = mpool_obj_is(READ_ONCE(chunk->state[i]), MPOOL_OBJ_QUEUED);
	if (queued)
		pushed = chunk_push_locked(chunks, chunk, &chunk->state[i]);
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	if (unlikely(queued && !pushed))
		chunks_twice(chunks, &obj, 1);
}

/*
 * Finishes the frees that were deferred so far.  Waits for no other task, because an
 * allocation calls this, and reclaim may wait for that allocation.
 */
void mpool_chunks_collect(struct mpool_chunks *chunks)
{
	struct mpool_chunk *chunk;
	u32 i;

	if (!mpool_defer_used(&chunks->deferred))
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(chunk, &chunks->all, all) {
		if (!READ_ONCE(chunk->queued) || !xchg(&chunk->queued, false))
			continue;
		for (i = 0; i < chunk->at.nr; i++)
			if (mpool_obj_is(READ_ONCE(chunk->state[i]),
					 MPOOL_OBJ_QUEUED))
				queued_push(chunks, chunk, i);
	}
	rcu_read_unlock();
}

static void deferred_fn(struct work_struct *work)
{
	struct mpool_chunks *chunks = container_of(mpool_defer_of(work),
						   struct mpool_chunks, deferred);

	mpool_chunks_collect(chunks);
	mpool_chunks_reclaim_surplus(chunks);
}

/* Waits until the work item has finished the deferred frees. */
void mpool_chunks_settle(struct mpool_chunks *chunks)
{
	mpool_defer_sync(&chunks->deferred);
}

/* Puts all objects of a new chunk, but at most @limit, on its free list. */
static void chunk_fill(struct mpool_chunk *chunk, u32 limit)
{
	/* The chunk has no objects beyond max_objects of the pool. */
	chunk->at.nfree = min(chunk->at.nr, limit);
	chunk->at.nr = chunk->at.nfree;
	memset16(chunk->state, MPOOL_OBJ_FREE, chunk->at.nr);
	bitmap_set(chunk_free_list(chunk), 0, chunk->at.nr);
	chunk->at.first = 0;
}

/*
 * Claims room under max_objects for one more chunk.  Returns the most objects that it may
 * have; -EAGAIN if chunks that are being made have claimed the rest, or -ENOSPC.  A chunk
 * that is being made counts with chunks->nr objects, the most that a chunk can have.
 */
static int grow_claim(struct mpool_chunks *chunks)
{
	unsigned long flags, will;
	int n = chunks->nr;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	will = chunks->nr_objs + (unsigned long)chunks->nr_growing * chunks->nr;
	if (chunks->max_objects)
		n = will >= chunks->max_objects ? 0 :
			min_t(unsigned long, n, chunks->max_objects - will);
	if (n)
		chunks->nr_growing++;
	else
		n = chunks->nr_growing ? -EAGAIN : -ENOSPC;
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	return n;
}

/* A run of @npages; the large pool may grow for it. */
static struct mpool_page *run_alloc(struct mpool_chunks *chunks, u32 npages,
				    gfp_t gfp)
{
	return mpool_large_alloc_run(chunks->large, npages, chunks->align,
				gfp & ~__GFP_NOFAIL, MPOOL_PAGE_CHUNK,
				chunks->owner, 0, 0);
}

/*
 * Allocates the run of a chunk.  For the length that suits the pool the kernel must not
 * reclaim or compact memory.  It may do so only for the shortest run that has an object.
 */
static struct mpool_page *chunk_run(struct mpool_chunks *chunks, gfp_t gfp)
{
	u32 npages = mpool_chunk_next_length(chunks);
	u32 least = DIV_ROUND_UP(chunks->size, PAGE_SIZE);
	struct mpool_page *pg = NULL;

	if (npages > least)
		pg = run_alloc(chunks, npages, mpool_gfp_try(gfp));
	return pg ?: run_alloc(chunks, least, gfp);
}

/*
 * Makes a chunk of at most @limit objects, which is on no list yet.  Lookups find it as
 * soon as mpool_pagemap_set() is called, but no object of it is live.
 */
static struct mpool_chunk *chunk_alloc(struct mpool_chunks *chunks, u32 limit,
				       gfp_t gfp)
{
	gfp_t meta = gfp & ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_NOFAIL);
	struct mpool_page *pg = chunk_run(chunks, gfp);
	struct mpool_chunk *chunk;
	struct mpool_arena *arena;
	u32 npages, nr;

	if (!pg)
		return NULL;
	npages = pg->len;
	nr = npages * PAGE_SIZE / chunks->size;
	chunk = kvzalloc(mpool_chunk_bytes(nr), meta);
	if (!chunk) {
		mpool_large_free_run(chunks->large, pg);
		return NULL;
	}
	arena = mpool_page_arena(pg);
	chunk->pg = pg;
	chunk->at.fixed = chunks->fixed;
	chunk->at.base = (unsigned long)mpool_page_address(arena, pg);
	chunk->at.inverse = chunks->inverse;
	chunk->at.shift = chunks->shift;
	chunk->at.nr = nr;
	chunk_fill(chunk, limit);
	INIT_LIST_HEAD(&chunk->list);
	mpool_pagemap_set(chunk->at.base, npages, (unsigned long)chunk);
	return chunk;
}

/*
 * Adds a chunk to the lists and its objects to the counts.  The chunk is new; or
 * chunk_release() adds it again, with objects that are not on its free list.
 */
static void chunk_link_locked(struct mpool_chunks *chunks,
			      struct mpool_chunk *chunk)
{
	lockdep_assert_held(&chunks->lock);
	chunk->pins = 0;
	list_add_rcu(&chunk->all, &chunks->all);
	list_add(&chunk->list, &chunks->empty);
	if (chunk_is_empty(chunk))
		chunk_count_empty_locked(chunks, 1);
	else
		chunk_place_locked(chunks, chunk);
	chunks->nr_objs += chunk->at.nr;
	chunks->nr_pages += chunk->pg->len;
	chunks->nr_free += chunk->at.nfree;
}

/*
 * Adds one more chunk; -ENOMEM, -ENOSPC if max_objects forbids it, or -EAGAIN if another
 * CPU is making the last chunk that max_objects allows.
 */
int mpool_chunks_grow(struct mpool_chunks *chunks, gfp_t gfp)
{
	int limit = grow_claim(chunks);
	struct mpool_chunk *chunk;
	unsigned long flags;

	if (limit < 0)
		return limit;
	chunk = chunk_alloc(chunks, limit, gfp);
	raw_spin_lock_irqsave(&chunks->lock, flags);
	chunks->nr_growing--;
	if (chunk)
		chunk_link_locked(chunks, chunk);
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	if (!chunk)
		return -ENOMEM;
	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_GROW);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_grow);

/*
 * Removes the objects that are not MPOOL_OBJ_FREE from the free list; returns how many.
 */
static u32 chunk_disown(struct mpool_chunk *chunk)
{
	u32 i, n = 0;

	for (i = 0; i < chunk->at.nr; i++) {
		if (likely(READ_ONCE(chunk->state[i]) == MPOOL_OBJ_FREE))
			continue;
		__clear_bit(i, chunk_free_list(chunk));
		n++;
	}
	chunk->at.nfree -= n;
	return n;
}

/*
 * Gives an empty chunk, which is on no list any more, back to the large pool.  If an
 * object on its free list is not MPOOL_OBJ_FREE, it was freed twice and another copy of
 * it exists, see slot_take().  Then the chunk stays until that copy comes back.
 */
static void chunk_release(struct mpool_chunks *chunks,
			  struct mpool_chunk *chunk)
{
	struct mpool_arena *arena = mpool_page_arena(chunk->pg);
	unsigned long flags;

	mpool_pagemap_set(chunk->at.base, chunk->pg->len,
			  (unsigned long)arena);
	/*
	 * The states are read now, when no lookup leads to the chunk any more.  A free
	 * that found the chunk before changes no state: it needs a live object, and the
	 * chunk has none.
	 */
	if (unlikely(chunk_disown(chunk))) {
		mpool_pagemap_set(chunk->at.base, chunk->pg->len,
				  (unsigned long)chunk);
		raw_spin_lock_irqsave(&chunks->lock, flags);
		/* At the front: a walk that is at it visits all other chunks again. */
		chunk_link_locked(chunks, chunk);
		raw_spin_unlock_irqrestore(&chunks->lock, flags);
		return;
	}
	mpool_large_free_run(chunks->large, chunk->pg);
	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_SHRINK);
	kvfree_rcu(chunk, rcu);
}

/* Removes the chunk that was empty for the longest time, if there are more than @keep. */
static struct mpool_chunk *chunk_unlink_empty(struct mpool_chunks *chunks,
					      unsigned int keep)
{
	struct mpool_chunk *chunk = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	if (chunks->nr_empty > keep) {
		chunk = list_last_entry(&chunks->empty, struct mpool_chunk,
					list);
		list_del(&chunk->list);
		list_del_rcu(&chunk->all);
		chunk->pins = MPOOL_CHUNK_GONE;
		chunk_count_empty_locked(chunks, -1);
		chunks->nr_objs -= chunk->at.nr;
		chunks->nr_pages -= chunk->pg->len;
		chunks->nr_free -= chunk->at.nr;
	}
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	return chunk;
}

/* Gives the empty chunks back but @keep, if the caller may free to the page allocator. */
void mpool_chunks_reclaim(struct mpool_chunks *chunks, unsigned int keep)
{
	struct mpool_chunk *chunk;

	if (mpool_hint(chunks->nr_empty) <= keep || !mpool_may_grow())
		return;
	while ((chunk = chunk_unlink_empty(chunks, keep)))
		chunk_release(chunks, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_reclaim);

/*
 * Gives the empty chunks back but those that are kept.  A class keeps one, which the next
 * objects need: a small pool has many classes.  A fixed pool keeps CHUNK_KEEP pages: it is
 * made for a size that comes again.  With a limit it keeps one, because its pages count
 * against the limit.
 */
void mpool_chunks_reclaim_surplus(struct mpool_chunks *chunks)
{
	bool class = chunks->fixed && chunks->owner != &chunks->fixed->base;
	u32 keep = class || chunks->large->limit ? 1 : max(1u, CHUNK_KEEP / chunks->npages);

	mpool_chunks_reclaim(chunks, keep);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_reclaim_surplus);

/*
 * Changes the pins of a chunk by @n, 1 or -1; true if that has made it empty.  A chunk
 * with a pin is not empty.
 */
static bool chunk_pins_locked(struct mpool_chunks *chunks,
			      struct mpool_chunk *chunk, int n)
{
	bool was = chunk_is_empty(chunk), is;

	lockdep_assert_held(&chunks->lock);
	chunk->pins += n;
	is = chunk_is_empty(chunk);
	if (is != was) {
		chunk_count_empty_locked(chunks, is - was);
		chunk_place_locked(chunks, chunk);
	}
	return is;
}

/*
 * Pins a chunk, so that it stays on the lists.  False if it is off the lists, or if it
 * has the most pins that its counter can hold.
 */
bool mpool_chunk_pin(struct mpool_chunks *chunks, struct mpool_chunk *chunk)
{
	unsigned long flags;
	bool done;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	done = chunk->pins < MPOOL_CHUNK_GONE - 1;
	if (done)
		chunk_pins_locked(chunks, chunk, 1);
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	return done;
}

void mpool_chunk_unpin(struct mpool_chunks *chunks, struct mpool_chunk *chunk)
{
	unsigned long flags;
	bool empty;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	empty = chunk_pins_locked(chunks, chunk, -1);
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	if (empty)
		mpool_chunks_reclaim_surplus(chunks);
}

/*
 * Removes any chunk from the lists; NULL if there is none.  Takes the lock for each
 * chunk, because mpool_fixed_reclaim_empty() may remove empty chunks at the same time.
 */
static struct mpool_chunk *chunk_unlink(struct mpool_chunks *chunks)
{
	struct mpool_chunk *chunk;
	unsigned long flags;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	chunk = list_first_entry_or_null(&chunks->all, struct mpool_chunk, all);
	if (chunk) {
		list_del(&chunk->list);
		list_del_rcu(&chunk->all);
	}
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	return chunk;
}

/*
 * Ends all chunks of a pool that no caller uses any more.  If objects are still live, the
 * pages of their chunk stay in use for ever, and only its description is freed.
 */
void mpool_chunks_end(struct mpool_chunks *chunks)
{
	struct mpool_chunk *chunk;

	mpool_chunks_settle(chunks);
	mpool_chunks_reclaim(chunks, 0);
	while ((chunk = chunk_unlink(chunks))) {
		/* The run stays in use, but its owner ends: the large pool takes over. */
		WRITE_ONCE(chunk->pg->owner, &chunks->large->base);
		mpool_pagemap_set(chunk->at.base, chunk->pg->len,
				  (unsigned long)mpool_page_arena(chunk->pg));
		kvfree_rcu(chunk, rcu);
	}
}

struct tally {
	unsigned long live, cached, free, queued;
};

/* Number of breaches in one chunk; adds its objects to @tally, by their states. */
static int verify_chunk(struct mpool_chunks *chunks, struct mpool_chunk *chunk,
			struct tally *tally)
{
	unsigned long *list = chunk_free_list(chunk);
	u32 i, free = 0;
	int bad = 0;
	u16 state;

	for (i = 0; i < chunk->at.nr; i++) {
		state = chunk->state[i];
		free += state == MPOOL_OBJ_FREE;
		bad += mpool_broken((state == MPOOL_OBJ_FREE) != test_bit(i, list));
		tally->live += mpool_obj_live(state);
		tally->cached += mpool_obj_is(state, MPOOL_OBJ_CACHED);
		tally->queued += mpool_obj_is(state, MPOOL_OBJ_QUEUED);
	}
	bad += mpool_broken(free != chunk->at.nfree);
	bad += mpool_broken(find_first_bit(list, chunk->at.nr) < chunk->at.first);
	for (i = 0; i < chunk->pg->len; i++)
		bad += mpool_broken(mpool_pagemap_entry(chunk->at.base +
						       i * PAGE_SIZE) !=
				    (unsigned long)chunk);
	tally->free += free;
	return bad;
}

/* Number of chunks that are on the wrong list; adds the chunks of @list to *@count. */
static int verify_list(struct mpool_chunks *chunks, struct list_head *list,
		       unsigned int *count)
{
	struct mpool_chunk *chunk;
	int bad = 0;

	list_for_each_entry(chunk, list, list) {
		++*count;
		if (list == &chunks->full)
			bad += mpool_broken(chunk->at.nfree != 0);
		else if (list == &chunks->empty)
			bad += mpool_broken(!chunk_is_empty(chunk));
		else
			bad += mpool_broken(!chunk->at.nfree ||
					    chunk_is_empty(chunk));
	}
	return bad;
}

/*
 * Number of breaches of the invariant, in a pool at rest that should have @live live and
 * @cached cached objects.
 */
int mpool_chunks_verify(struct mpool_chunks *chunks, unsigned long live,
			unsigned long cached)
{
	unsigned int all = 0, listed = 0, empty = 0;
	struct tally tally = { 0 };
	struct mpool_chunk *chunk;
	unsigned long flags, objs = 0, pages = 0;
	int bad = 0;

	raw_spin_lock_irqsave(&chunks->lock, flags);
	list_for_each_entry(chunk, &chunks->all, all) {
		bad += verify_chunk(chunks, chunk, &tally);
		objs += chunk->at.nr;
		pages += chunk->pg->len;
		all++;
	}
	bad += verify_list(chunks, &chunks->full, &listed);
	bad += verify_list(chunks, &chunks->partial, &listed);
	bad += verify_list(chunks, &chunks->empty, &empty);
	bad += mpool_broken(all != listed + empty);
	bad += mpool_broken(empty != chunks->nr_empty);
	bad += mpool_broken(pages != chunks->nr_pages);
	bad += mpool_broken(objs != chunks->nr_objs);
	bad += mpool_broken(tally.free != chunks->nr_free);
	bad += mpool_broken(tally.live + tally.cached + tally.free +
			    tally.queued != objs);
	bad += mpool_broken(tally.live != live);
	bad += mpool_broken(tally.cached != cached);
	raw_spin_unlock_irqrestore(&chunks->lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunks_verify);
