// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: objects set aside for contexts that cannot wait for memory.
 *
 * Structure: places, each of which has an object or is empty, and two counts: held
 * objects and empty places.  An operation has three steps.  First it claims an object, or
 * an empty place, by lowering a count.  Then it searches for one and changes it.  Last it
 * raises the other count:
 *
 *	take: held - 1, a place is emptied, empty + 1
 *	put:  empty - 1, a place is filled, held + 1
 *
 * There is no lock, because an NMI could only try to take it.  The attempt would fail if
 * the NMI has interrupted the holder, and always without SMP, where a lock has no state.
 * Then the take would fail although the reserve has objects.
 *
 * If there are fewer objects than the target, a free puts its object here, and so does a
 * work item, which each take requests.  A larger size adds a block of places.  Blocks stay
 * until the size is 0, so that no object moves.  There are MPOOL_RESERVE_OTHERS places
 * beyond the target, for puts by the work item and by frees that are not those of users.
 * So these do not use up the places of the users.
 *
 * Invariant, checked by mpool_reserve_verify():
 *	held + empty + operations in progress = places;
 *	target + MPOOL_RESERVE_OTHERS <= places, or both are 0.
 *
 * And not checked: an object is in one place at most, and its state is MPOOL_OBJ_CACHED.
 * At any time there are at least as many objects as held and takes in progress, and at
 * least as many empty places as empty and puts in progress.  So each operation finds its
 * place.
 *
 * Promise: if there are no more users than the target, and each has one object at most,
 * then each take finds an object, after the reserve was full once.  Proof: a user owes an
 * object from the moment at which it lowers held, until it raises held, or until it finds
 * held >= target or empty == 0.  Always held >= target - users that owe.  With empty == 0,
 * (places - held) operations are in progress.  At most MPOOL_RESERVE_OTHERS of them are
 * not those of users, or take a surplus away.  The rest are those of users that owe, which
 * are at least places - held - MPOOL_RESERVE_OTHERS >= target - held.
 *
 * Two things can break the promise, both for an object that is freed just then.  More than
 * MPOOL_RESERVE_OTHERS tasks may be preempted within the same few instructions.  And
 * mpool_fixed_tune() may allow the fast path of free for a moment although an object was
 * taken meanwhile: the object of a user then goes to the cache of its CPU.
 *
 * Locking: fill_mutex protects target and blocks, and the work item holds it.  Each
 * reserve has its own, because a holder may wait for memory, and must not delay other
 * pools by that.  Places change by cmpxchg, without the mutex.  Before a task frees the
 * blocks, it has claimed all places, so no other operation is in progress.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "fixed.h"

/*
 * A place by its number.  The numbers go through all blocks, and behind the last place
 * comes the first one again.  So a search that goes on for ever meets each place.
 */
static void **reserve_place(const struct mpool_reserve *reserve, unsigned int i)
{
	struct mpool_reserve_block *block = reserve->blocks;

	for (; i >= block->n; block = READ_ONCE(block->next) ?: reserve->blocks)
		i -= block->n;
	return &block->objs[i];
}

/*
 * Fills an empty place with @put and returns NULL; or, if @put is NULL, empties a place
 * and returns its object.  The claim of the caller makes sure that there is such a place.
 * If other operations change places at the same time, the search goes on until it meets
 * one.
 *
 * The search begins at @i, the number of claimable objects.  As long as the objects are
 * in the first places, that is the first empty place, or the last place with an object.
 */
static void *reserve_swap(struct mpool_reserve *reserve, unsigned int i, void *put)
{
	void **place, *obj;

	for (;; i++) {
		place = reserve_place(reserve, i);
		obj = READ_ONCE(*place);
		if (!obj == !put)
			continue;
		if (cmpxchg(place, obj, put) == obj)
			return obj;
	}
}

/*
 * Looks up the state of an object of the reserve: a place has only the object.  False if
 * the chunk is gone.  That happens after a double free by two CPUs in the same few
 * cycles: the other copy of the object went back to the chunk, which became empty.
 */
static bool slot_find(const struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	struct mpool_fixed *fixed = reserve->chunks->fixed;

	slot->state = mpool_obj_state_of(fixed, slot->obj);
	if (likely(slot->state))
		return true;
	/* The double free was counted as two frees. */
	atomic64_dec(&fixed->slow_frees);
	mpool_pool_bad_free(reserve->chunks->owner, slot->obj, MPOOL_BAD_FREE_TWICE, 0);
	return false;
}

/* The first two steps of a take; NULL if there is no object to claim. */
static void *reserve_remove(struct mpool_reserve *reserve)
{
	int n = atomic_dec_if_positive(&reserve->held);

	return n < 0 ? NULL : reserve_swap(reserve, n, NULL);
}

/* Takes an object, if there is one.  Any context. */
bool mpool_reserve_take(struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	while ((slot->obj = reserve_remove(reserve))) {
		/*
		 * The cmpxchg() orders this after the store that emptied the place.  A
		 * put that claims this place then finds an empty one.
		 */
		atomic_inc(&reserve->empty);
		mpool_defer(&reserve->defer);
		if (!slot_find(reserve, slot))
			continue;
		mpool_stat_inc(&reserve->chunks->owner->stats, MPOOL_STAT_RESERVE);
		return true;
	}
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_take);

/* Claims and removes an object if there are more than @n; NULL if not. */
static void *reserve_remove_above(struct mpool_reserve *reserve, unsigned int n)
{
	int held = atomic_read(&reserve->held);

	do {
		if (held <= (int)n)
			return NULL;
	} while (!atomic_try_cmpxchg(&reserve->held, &held, held - 1));
	return reserve_swap(reserve, held - 1, NULL);
}

/*
 * Takes an object that is more than the target, if there is one.  The caller has stored
 * the target, or incremented held, and then passed a full barrier.  So a put sees the new
 * target, or the task that has stored the target sees the new object.
 */
static bool reserve_take_surplus(struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	while ((slot->obj = reserve_remove_above(reserve,
						 mpool_reserve_target(reserve)))) {
		/* As in mpool_reserve_take(). */
		atomic_inc(&reserve->empty);
		if (slot_find(reserve, slot))
			return true;
	}
	return false;
}

/*
 * Puts an object into the reserve; false if it has enough, or if many operations are in
 * progress.  If false, @slot may have changed to another object, a surplus one of the
 * reserve; the caller frees @slot.  Any context.
 */
bool mpool_reserve_put(struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	if (!mpool_reserve_lacks(reserve) ||
	    atomic_dec_if_positive(&reserve->empty) < 0)
		return false;
	reserve_swap(reserve, mpool_reserve_objects(reserve), slot->obj);
	/*
	 * The cmpxchg() orders this after the store that filled the place.  A take that
	 * claims this object then finds one.
	 */
	if (likely(atomic_inc_return(&reserve->held) <= mpool_reserve_target(reserve)))
		return true;
	/* Another CPU has filled it, or lowered the target, since the look at it above. */
	return !reserve_take_surplus(reserve, slot);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_put);

/*
 * Gets an object from the chunks, which grow if they have none.  If another CPU is making
 * the last chunk that max_objects allows, waits for it, unless @gfp forbids that.  Sleeps.
 */
static int slot_get(struct mpool_reserve *reserve, struct mpool_slot *slot,
		    gfp_t gfp)
{
	int err = 0;

	while (!err && !mpool_chunks_pop(reserve->chunks, slot, 1)) {
		err = mpool_chunks_grow(reserve->chunks, gfp);
		if (err != -EAGAIN)
			continue;
		if (!mpool_may_wait_for_chunk(gfp))
			return -ENOSPC;
		schedule_timeout_uninterruptible(1);
		err = 0;
	}
	return err;
}

/*
 * Fills the reserve up to @n objects.  Their number is read once, at the start: an object
 * that is taken meanwhile is not replaced here, just as one that is taken afterwards.
 */
static int reserve_fill_locked(struct mpool_reserve *reserve, unsigned int n,
			       gfp_t gfp)
{
	unsigned int has = mpool_reserve_objects(reserve);
	struct mpool_slot slot;
	int err;

	lockdep_assert_held(&reserve->fill_mutex);
	for (; has < n; has++) {
		err = slot_get(reserve, &slot, gfp);
		if (err)
			return err;
		/* If frees have filled the reserve meanwhile, the object goes back. */
		if (!mpool_reserve_put(reserve, &slot))
			mpool_chunks_push(reserve->chunks, &slot, 1);
	}
	return 0;
}

/*
 * The work item: fills the reserve.  If there is no memory, it gives up.  Then frees fill
 * the places, or the next take requests the work item again.
 *
 * Its allocations do not enter file systems or block devices: these may wait for a lock
 * whose holder waits for fill_mutex in mpool_fixed_reserve() with GFP_NOIO.
 */
static void reserve_fn(struct work_struct *work)
{
	struct mpool_reserve *reserve = container_of(mpool_defer_of(work),
						     struct mpool_reserve, defer);

	mutex_lock(&reserve->fill_mutex);
	reserve_fill_locked(reserve, reserve->target,
			    GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
	mutex_unlock(&reserve->fill_mutex);
}

void mpool_reserve_init(struct mpool_reserve *reserve,
			struct mpool_chunks *chunks)
{
	mutex_init(&reserve->fill_mutex);
	reserve->chunks = chunks;
	mpool_defer_init_outside(&reserve->defer, reserve_fn);
}

/* Raises the target to @n, if that is more.  The new places are empty. */
static int reserve_extend_locked(struct mpool_reserve *reserve, unsigned int n,
				 gfp_t gfp)
{
	struct mpool_reserve_block *block, **last = &reserve->blocks;
	unsigned int more;

	lockdep_assert_held(&reserve->fill_mutex);
	if (n <= reserve->target)
		return 0;
	if (n + MPOOL_RESERVE_OTHERS > reserve->places) {
		more = n + MPOOL_RESERVE_OTHERS - reserve->places;
		block = kvzalloc(struct_size(block, objs, more), gfp);
		if (!block)
			return -ENOMEM;
		block->n = more;
		while (*last)
			last = &(*last)->next;
		/*
		 * A search in progress may walk into the new block.  Pairs with its
		 * dependent loads: they see the block initialised.
		 */
		smp_store_release(last, block);
		reserve->places += more;
		/*
		 * After the store of the first block.  Pairs with the claims, which are
		 * full barriers: without a claim no operation loads reserve->blocks.
		 */
		atomic_fetch_add_release(more, &reserve->empty);
	}
	WRITE_ONCE(reserve->target, n);
	return 0;
}

/* Lowers the target to @n, if that is less, and gives objects back to their chunks. */
static void reserve_cut_locked(struct mpool_reserve *reserve, unsigned int n)
{
	struct mpool_slot slot;

	lockdep_assert_held(&reserve->fill_mutex);
	WRITE_ONCE(reserve->target, min(n, reserve->target));
	/* Pairs with atomic_inc_return() in mpool_reserve_put(). */
	smp_mb();
	while (reserve_take_surplus(reserve, &slot)) {
		mpool_chunks_push(reserve->chunks, &slot, 1);
		cond_resched();
	}
}

/*
 * Claims an empty place for good; or else an object, which goes back to its chunk.  False
 * if operations in progress have claimed all of them.  Their tasks may be preempted, so
 * the caller has to sleep before it tries again.
 */
static bool reserve_claim_place(struct mpool_reserve *reserve)
{
	struct mpool_slot slot;

	if (atomic_dec_if_positive(&reserve->empty) >= 0)
		return true;
	slot.obj = reserve_remove(reserve);
	if (!slot.obj)
		return false;
	if (slot_find(reserve, &slot))
		mpool_chunks_push(reserve->chunks, &slot, 1);
	return true;
}

/* Frees all places.  The target is 0. */
static void reserve_free_locked(struct mpool_reserve *reserve)
{
	struct mpool_reserve_block *block;

	lockdep_assert_held(&reserve->fill_mutex);
	while (reserve->places)
		if (reserve_claim_place(reserve))
			WRITE_ONCE(reserve->places, reserve->places - 1);
		else
			schedule_timeout_uninterruptible(1);
	/* All places are claimed: no operation is in progress, and none can start. */
	while ((block = reserve->blocks)) {
		reserve->blocks = block->next;
		kvfree(block);
	}
}

/* True if a reserve can be filled with these flags; if not, prints the reason. */
bool mpool_reserve_gfp_ok(struct mpool_pool *owner,
			  const struct mpool_large *large, gfp_t gfp)
{
	const char *by = mpool_no_change();

	if (!gfpflags_allow_blocking(gfp)) {
		mpool_refuse(owner->ops, owner->name,
			     "a reserve needs flags that allow sleeping, not %pGg",
			     &gfp);
		return false;
	}
	if (by) {
		mpool_refuse(owner->ops, owner->name,
			     "a reserve is not filled by %s", by);
		return false;
	}
	return mpool_pool_gfp_ok(owner, gfp, large->zone, 0);
}

/*
 * Sets the size of the reserve to @n objects, and fills it.  First the target is raised,
 * if @n is more, and last it is lowered, if @n is less.  After an error it is the old one
 * again.
 */
int mpool_reserve_set(struct mpool_reserve *reserve, unsigned int n, gfp_t gfp)
{
	unsigned int was;
	int err;

	mutex_lock(&reserve->fill_mutex);
	was = reserve->target;
	err = reserve_extend_locked(reserve, n, gfp) ?:
	      reserve_fill_locked(reserve, n, gfp);
	reserve_cut_locked(reserve, err ? was : n);
	if (!reserve->target)
		reserve_free_locked(reserve);
	mutex_unlock(&reserve->fill_mutex);
	mpool_chunks_reclaim_surplus(reserve->chunks);
	return err;
}

/*
 * Ends the reserve; no caller takes objects from it any more.  The work item may still be
 * queued: with a target of 0 it does nothing, but it must be done before the memory goes.
 */
void mpool_reserve_end(struct mpool_reserve *reserve)
{
	mpool_reserve_set(reserve, 0, GFP_KERNEL);
	mpool_defer_sync(&reserve->defer);
}

/* Number of breaches of the invariant, in a pool that is at rest. */
int mpool_reserve_verify(struct mpool_reserve *reserve)
{
	unsigned int held = 0, places = 0, i;
	struct mpool_reserve_block *block;
	int bad = 0;

	/* The work item may have an object that is in no place yet, nor anywhere else. */
	mpool_defer_sync(&reserve->defer);
	for (block = reserve->blocks; block; block = block->next) {
		for (i = 0; i < block->n; i++)
			held += !!block->objs[i];
		places += block->n;
	}
	bad += mpool_broken(held != mpool_reserve_objects(reserve));
	bad += mpool_broken(held + atomic_read(&reserve->empty) != places);
	bad += mpool_broken(held > reserve->target);
	bad += mpool_broken(places && reserve->target + MPOOL_RESERVE_OTHERS > places);
	bad += mpool_broken(reserve->places != places);
	return bad;
}
