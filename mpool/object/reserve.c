// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: objects set aside for contexts that cannot wait for memory.
 *
 * Structure: places, each with an object or empty, and two counts.  An operation first
 * claims an object, or an empty place, by lowering a count.  Then it searches one, and
 * last it raises the other count:
 *
 *	take: held - 1, a place is emptied, room + 1
 *	put:  room - 1, a place is filled, held + 1
 *
 * There is no lock, because an NMI could only try it: it would fail with objects in the
 * reserve if it interrupted the holder, and always without SMP.
 *
 * Empty places are filled by a work item, which each take starts, and by frees.  A larger
 * size adds a block of places.  Blocks stay until the size is 0, so that no object moves.
 *
 * Invariant, checked by mpool_reserve_verify():
 *	held + room + operations under way = target <= places.  An object is in one
 *	place at most, and its state is MPOOL_OBJ_CACHED.
 *	At any time there are at least as many objects as held and takes under way, and
 *	at least as many empty places as room and puts under way.
 *
 * Locking: fill_mutex, one for each reserve, for target and blocks, and for the work item:
 * it is held while memory is waited for, which must not delay other pools.  Places change
 * by cmpxchg.  The task that frees the blocks has claimed all objects and all room before,
 * so that no operation is under way.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "fixed.h"

/* A place by its number; behind the last one comes the first one again. */
static void **reserve_place(const struct mpool_reserve *reserve, unsigned int i)
{
	struct mpool_reserve_block *block = reserve->blocks;

	for (; i >= block->n; block = READ_ONCE(block->next) ?: reserve->blocks)
		i -= block->n;
	return &block->objs[i];
}

/*
 * Fills an empty place with @put, or empties a place if @put is NULL; returns the old
 * content.  The claim of the caller makes sure that there is such a place.  The search
 * begins at @i, the number of objects, where it ends at once if they are the first places.
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
 * Looks up the state of an object of the reserve.  False if its chunk is gone: two CPUs
 * freed the object in the same few cycles, and the other copy went back to the chunk.
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

/* Claims an object and takes one; NULL if there is none to claim. */
static void *reserve_remove(struct mpool_reserve *reserve)
{
	int n = atomic_dec_if_positive(&reserve->held);

	return n < 0 ? NULL : reserve_swap(reserve, n, NULL);
}

/* Takes an object, if there is one.  Any context. */
bool mpool_reserve_take(struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	while ((slot->obj = reserve_remove(reserve))) {
		/* After the place, by the cmpxchg(); pairs with the claim of a put. */
		atomic_inc(&reserve->room);
		mpool_kick(&reserve->kick);
		if (!slot_find(reserve, slot))
			continue;
		mpool_stat_inc(&reserve->chunks->owner->stats, MPOOL_STAT_RESERVE);
		return true;
	}
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_take);

/* Puts an object where one is missing; false if none is.  Any context. */
bool mpool_reserve_put(struct mpool_reserve *reserve,
		       const struct mpool_slot *slot)
{
	if (atomic_dec_if_positive(&reserve->room) < 0)
		return false;
	reserve_swap(reserve, atomic_read(&reserve->held), slot->obj);
	/* After the place, by the cmpxchg(); pairs with the claim of a take. */
	atomic_inc(&reserve->held);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_put);

static int slot_get(struct mpool_reserve *reserve, struct mpool_slot *slot,
		    gfp_t gfp)
{
	int err = 0;

	while (!err && !mpool_chunks_take(reserve->chunks, slot, 1)) {
		err = mpool_chunks_grow(reserve->chunks, gfp);
		if (err != -EAGAIN)
			continue;
		schedule_timeout_uninterruptible(1);
		err = 0;
	}
	return err;
}

/*
 * Adds the objects that are missing to @n at the time of the call.  Objects that are
 * taken meanwhile are not replaced: they might as well be taken afterwards.
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
		if (!mpool_reserve_put(reserve, &slot))
			mpool_chunks_put(reserve->chunks, &slot, 1);
	}
	return 0;
}

/* If this fails, the next frees fill the places, or the next take tries it again. */
static void reserve_fn(struct work_struct *work)
{
	struct mpool_reserve *reserve = container_of(mpool_kick_of(work),
						     struct mpool_reserve, kick);

	mutex_lock(&reserve->fill_mutex);
	reserve_fill_locked(reserve, reserve->target,
			    GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	mutex_unlock(&reserve->fill_mutex);
}

void mpool_reserve_init(struct mpool_reserve *reserve,
			struct mpool_chunks *chunks)
{
	mutex_init(&reserve->fill_mutex);
	reserve->chunks = chunks;
	mpool_kick_init(&reserve->kick, reserve_fn);
}

/* Raises the target to @n, if that is more; the objects are missing at first. */
static int reserve_extend_locked(struct mpool_reserve *reserve, unsigned int n,
				 gfp_t gfp)
{
	struct mpool_reserve_block *block, **last = &reserve->blocks;

	lockdep_assert_held(&reserve->fill_mutex);
	if (n > reserve->places) {
		block = kvzalloc(struct_size(block, objs, n - reserve->places), gfp);
		if (!block)
			return -ENOMEM;
		block->n = n - reserve->places;
		reserve->places = n;
		while (*last)
			last = &(*last)->next;
		/* Pairs with the dependent reads of searches that are under way. */
		smp_store_release(last, block);
	}
	if (n <= reserve->target)
		return 0;
	/* After the first block; pairs with the claims, which are full barriers. */
	atomic_fetch_add_release(n - reserve->target, &reserve->room);
	WRITE_ONCE(reserve->target, n);
	return 0;
}

/*
 * Claims an empty place for good, or else an object, which goes back to its chunk.  False
 * if operations under way have all of them; their tasks may be preempted.
 */
static bool reserve_give_up(struct mpool_reserve *reserve)
{
	struct mpool_slot slot;

	if (atomic_dec_if_positive(&reserve->room) >= 0)
		return true;
	slot.obj = reserve_remove(reserve);
	if (!slot.obj)
		return false;
	if (slot_find(reserve, &slot))
		mpool_chunks_put(reserve->chunks, &slot, 1);
	return true;
}

/* Lowers the target to @n, if that is less. */
static void reserve_cut_locked(struct mpool_reserve *reserve, unsigned int n)
{
	struct mpool_reserve_block *block;

	lockdep_assert_held(&reserve->fill_mutex);
	while (reserve->target > n)
		if (reserve_give_up(reserve))
			WRITE_ONCE(reserve->target, reserve->target - 1);
		else
			schedule_timeout_uninterruptible(1);
	/* All objects and all room are claimed, so no operation is under way. */
	while (!n && reserve->blocks) {
		block = reserve->blocks;
		reserve->blocks = block->next;
		kvfree(block);
	}
	if (!n)
		reserve->places = 0;
}

/* True if a reserve can be filled with these flags; if not, prints the reason. */
bool mpool_reserve_gfp_ok(struct mpool_pool *owner,
			  const struct mpool_large *large, gfp_t gfp)
{
	if (!gfpflags_allow_blocking(gfp)) {
		mpool_refuse(owner->ops, owner->name,
			     "a reserve needs flags that allow sleeping, not %pGg",
			     &gfp);
		return false;
	}
	if (mpool_no_sleep()) {
		mpool_refuse(owner->ops, owner->name,
			     "a reserve is not filled by %s", mpool_no_sleep());
		return false;
	}
	return mpool_pool_gfp_ok(owner, gfp, large->zone, 0);
}

/*
 * Sets the size of the reserve to @n objects, and fills it.  The size is lowered last;
 * after an error, it is lowered to the old size.
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
	mutex_unlock(&reserve->fill_mutex);
	mpool_chunks_reap_more(reserve->chunks);
	return err;
}

/* Ends the reserve; no caller takes objects from it any more. */
void mpool_reserve_end(struct mpool_reserve *reserve)
{
	mpool_reserve_set(reserve, 0, GFP_KERNEL);
	mpool_kick_sync(&reserve->kick);
}

/* Number of breaches of the invariant, in a pool that is at rest. */
int mpool_reserve_verify(struct mpool_reserve *reserve)
{
	unsigned int held = 0, places = 0, i;
	struct mpool_reserve_block *block;
	int bad = 0;

	/* The work item may have an object that is in no place yet, nor anywhere else. */
	mpool_kick_sync(&reserve->kick);
	for (block = reserve->blocks; block; block = block->next) {
		for (i = 0; i < block->n; i++)
			held += !!block->objs[i];
		places += block->n;
	}
	bad += mpool_broken(held != mpool_reserve_objects(reserve));
	bad += mpool_broken(held + atomic_read(&reserve->room) != reserve->target);
	bad += mpool_broken(reserve->target > places);
	bad += mpool_broken(reserve->places != places);
	return bad;
}
