// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: objects set aside for contexts that cannot wait for memory.
 *
 * Structure: an array of places, each with an object or without.  Taking one is
 * a cmpxchg of its place, so that an NMI can do it whatever it interrupted.
 * It is the last resort of an allocation and costs a search, not a lock.  What
 * was taken is replaced by a work item, and by frees that come by.
 *
 * Invariant: an object is in one place at most, and its state is
 * MPOOL_OBJ_CACHED.  missing is only a hint, that spares frees the search.
 *
 * Locking: fill_mutex, one for each reserve, for the change of the array: it is held
 * while memory is waited for, which is no other pool's business.  Places by cmpxchg,
 * within an RCU read-side section.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "fixed.h"

/*
 * An object of the reserve, with its state.  False if it is none any more: two CPUs
 * that freed it in the same few cycles had both its state, and what came of the other
 * copy let its chunk go.
 */
static bool slot_of(const struct mpool_reserve *reserve, void *obj,
		    struct mpool_slot *slot)
{
	struct mpool_chunk *chunk = mpool_chunk_find(obj);

	*slot = (struct mpool_slot){ .obj = obj };
	if (likely(chunk && chunk->at.fixed == reserve->chunks->fixed))
		slot->state = mpool_chunk_state(chunk, (unsigned long)obj);
	if (likely(slot->state && mpool_obj_is(READ_ONCE(*slot->state),
					       MPOOL_OBJ_CACHED)))
		return true;
	/* That was counted as two frees. */
	atomic64_dec(&reserve->chunks->fixed->slow_frees);
	mpool_pool_bad_free(reserve->chunks->owner, obj, MPOOL_BAD_FREE_TWICE, 0);
	return false;
}

/* Takes the first object of an array. */
static bool array_take(const struct mpool_reserve *reserve,
		       struct mpool_reserve_array *array, struct mpool_slot *slot)
{
	unsigned int i;
	void *obj;

	for (i = 0; i < array->n; i++) {
		obj = READ_ONCE(array->objs[i]);
		if (obj && cmpxchg(&array->objs[i], obj, NULL) == obj &&
		    slot_of(reserve, obj, slot))
			return true;
	}
	return false;
}

/* Takes an object, if there is one.  Any context. */
bool mpool_reserve_take(struct mpool_reserve *reserve, struct mpool_slot *slot)
{
	struct mpool_reserve_array *array, *next;
	bool found = false;

	rcu_read_lock();
	next = rcu_dereference(reserve->array);
	/* Again if it was replaced: its objects have moved, see array_replace_locked(). */
	do {
		array = next;
		found = array && array_take(reserve, array, slot);
		next = rcu_dereference(reserve->array);
	} while (!found && next != array);
	rcu_read_unlock();
	if (!found)
		return false;
	atomic_inc(&reserve->missing);
	mpool_stat_inc(&reserve->chunks->owner->stats, MPOOL_STAT_RESERVE);
	mpool_kick(&reserve->kick);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_take);

/* Puts an object where one is missing.  Any context. */
bool mpool_reserve_put(struct mpool_reserve *reserve,
		       const struct mpool_slot *slot)
{
	struct mpool_reserve_array *array;
	/* Before the places: who empties one raises it after that. */
	int missing = atomic_read_acquire(&reserve->missing);
	bool done = false;
	unsigned int i;

	if (likely(!missing))
		return false;
	rcu_read_lock();
	array = rcu_dereference(reserve->array);
	for (i = 0; array && i < array->n && !done; i++)
		done = !READ_ONCE(array->objs[i]) &&
		       !cmpxchg(&array->objs[i], NULL, slot->obj);
	rcu_read_unlock();
	/* Not if somebody has raised it since: that place may have been passed. */
	if (!done)
		atomic_cmpxchg(&reserve->missing, missing, 0);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_put);

static int reserve_get(struct mpool_reserve *reserve, struct mpool_slot *slot,
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

/* Fills the places that are empty. */
static int reserve_fill_locked(struct mpool_reserve *reserve, gfp_t gfp)
{
	struct mpool_reserve_array *array;
	struct mpool_slot slot;
	unsigned int i;
	int err;

	lockdep_assert_held(&reserve->fill_mutex);
	array = rcu_dereference_protected(reserve->array,
					  lockdep_is_held(&reserve->fill_mutex));
	for (i = 0; array && i < array->n; i++) {
		if (READ_ONCE(array->objs[i]))
			continue;
		err = reserve_get(reserve, &slot, gfp);
		if (err)
			return err;
		if (cmpxchg(&array->objs[i], NULL, slot.obj))
			mpool_chunks_put(reserve->chunks, &slot, 1);
	}
	return 0;
}

static void reserve_fn(struct work_struct *work)
{
	struct mpool_reserve *reserve = container_of(mpool_kick_of(work),
						     struct mpool_reserve,
						     kick);

	mutex_lock(&reserve->fill_mutex);
	/* If it fails, the next free or the next use of the reserve helps. */
	if (reserve_fill_locked(reserve, GFP_KERNEL | __GFP_NORETRY |
					 __GFP_NOWARN))
		atomic_inc(&reserve->missing);
	mutex_unlock(&reserve->fill_mutex);
}

void mpool_reserve_init(struct mpool_reserve *reserve,
			struct mpool_chunks *chunks)
{
	mutex_init(&reserve->fill_mutex);
	reserve->chunks = chunks;
	mpool_kick_init(&reserve->kick, reserve_fn);
}

/* Empties an array that no caller takes from any more: into the reserve, or chunks. */
static void array_empty(struct mpool_reserve *reserve,
			struct mpool_reserve_array *array)
{
	struct mpool_slot slot;
	unsigned int i;
	void *obj;

	for (i = 0; i < array->n; i++) {
		obj = xchg(&array->objs[i], NULL);
		if (!obj || !slot_of(reserve, obj, &slot))
			continue;
		if (!mpool_reserve_put(reserve, &slot))
			mpool_chunks_put(reserve->chunks, &slot, 1);
	}
}

/*
 * Moves objects from an array into the one that took its place, as far as there is
 * room.  One at a time is in neither.
 */
static void array_move(struct mpool_reserve *reserve,
		       struct mpool_reserve_array *from,
		       struct mpool_reserve_array *to)
{
	unsigned int i, place = 0;
	struct mpool_slot slot;
	void *obj;

	for (i = 0; i < from->n && place < to->n; i++) {
		obj = xchg(&from->objs[i], NULL);
		if (!obj)
			continue;
		while (place < to->n && cmpxchg(&to->objs[place], NULL, obj))
			place++;
		if (place == to->n && slot_of(reserve, obj, &slot))
			mpool_chunks_put(reserve->chunks, &slot, 1);
	}
}

static void array_replace_locked(struct mpool_reserve *reserve,
				 struct mpool_reserve_array *array)
{
	struct mpool_reserve_array *old;

	lockdep_assert_held(&reserve->fill_mutex);
	old = rcu_dereference_protected(reserve->array,
					lockdep_is_held(&reserve->fill_mutex));
	/* First: who finds nothing in the old one looks into this one. */
	rcu_assign_pointer(reserve->array, array);
	if (!old)
		return;
	/* Orders the pointer before the first place that is emptied: a full barrier. */
	if (array)
		array_move(reserve, old, array);
	/* Nobody takes from the old one and puts into it any more. */
	synchronize_rcu();
	atomic_set(&reserve->missing, array ? 1 : 0);
	array_empty(reserve, old);
	kvfree(old);
}

/* Sets @n objects aside, in the last places of an array that nobody sees yet. */
static int array_fill(struct mpool_reserve *reserve,
		      struct mpool_reserve_array *array, unsigned int n,
		      gfp_t gfp)
{
	struct mpool_slot slot;
	int err;

	while (n--) {
		err = reserve_get(reserve, &slot, gfp);
		if (err)
			return err;
		array->objs[array->n - n - 1] = slot.obj;
	}
	return 0;
}

/* Says so in the log if a reserve cannot be filled with these flags. */
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
 * Makes the reserve one of @n objects that are there.  Those that it lacks are had
 * first, so that nothing has changed if they cannot be had.
 */
int mpool_reserve_set(struct mpool_reserve *reserve, unsigned int n, gfp_t gfp)
{
	struct mpool_reserve_array *array = NULL;
	unsigned long has;
	int err = 0;

	if (n) {
		array = kvzalloc(struct_size(array, objs, n), gfp);
		if (!array)
			return -ENOMEM;
		array->n = n;
	}
	mutex_lock(&reserve->fill_mutex);
	/* An object that is taken from now on might as well be taken afterwards. */
	has = mpool_reserve_objects(reserve);
	if (n > has)
		err = array_fill(reserve, array, n - has, gfp);
	if (!err)
		array_replace_locked(reserve, array);
	else
		array_empty(reserve, array);
	mutex_unlock(&reserve->fill_mutex);
	if (!err)
		return 0;
	kvfree(array);
	mpool_chunks_reap_more(reserve->chunks);
	return err;
}

/* Gives the reserve up; nobody uses the pool any more. */
void mpool_reserve_end(struct mpool_reserve *reserve)
{
	mpool_reserve_set(reserve, 0, GFP_KERNEL);
	mpool_kick_sync(&reserve->kick);
}

unsigned long mpool_reserve_objects(struct mpool_reserve *reserve)
{
	struct mpool_reserve_array *array;
	unsigned long n = 0;
	unsigned int i;

	rcu_read_lock();
	array = rcu_dereference(reserve->array);
	for (i = 0; array && i < array->n; i++)
		n += !!READ_ONCE(array->objs[i]);
	rcu_read_unlock();
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_objects);

unsigned int mpool_reserve_target(struct mpool_reserve *reserve)
{
	struct mpool_reserve_array *array;
	unsigned int n;

	rcu_read_lock();
	array = rcu_dereference(reserve->array);
	n = array ? array->n : 0;
	rcu_read_unlock();
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_reserve_target);
