// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: alloc and free of the objects of a fixed pool.
 *
 * Structure: an allocation searches these places in this order, and stops at the first
 * one that has an object:
 *
 *	loaded magazine -> spare -> chunks -> new chunk -> drain -> reserve
 *
 * The first place is the fast path, in alloc.h.  If no chunk can be made and the caller
 * may sleep, a drain returns the objects in the caches of all CPUs to the chunks.  If the
 * cache is in use, because the allocation has interrupted an operation of the same CPU,
 * one object at a time comes from the chunks or the reserve.
 *
 * A free looks up the address, checks by the state that the object is live, and puts the
 * object into the loaded magazine.  A wrong free is detected before anything is written;
 * a double free by two CPUs in the same few cycles is detected later, see below.
 *
 * Invariant: an object is MPOOL_OBJ_CACHED just before it is allocated, and live from the
 * return of the allocation to its free.  The fast path of a free is atomic on its own CPU
 * only, see mpool_obj_cache_at(), so two CPUs may both free an object at once.
 * mpool_slot_claim() detects that when one of the two copies is allocated.
 *
 * Locking: none on the fast path, which has preemption off and enters the cache, see
 * mpool_cache_try().  The slow paths take the lock of the chunks.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "alloc.h"

/* --- free --- */

/*
 * Decides whether the fast paths of alloc and of free may use the caches.  As long as the
 * reserve lacks an object, the fast path of free is off: frees have to fill the reserve,
 * not the magazines.
 */
void mpool_fixed_tune(struct mpool_fixed *fixed)
{
	struct mpool_reserve *reserve;
	bool plain;

	/* mpool_pool_orphan() and fixed_close() wait for a grace period, and so for this. */
	preempt_disable();
	reserve = READ_ONCE(fixed->reserved);
	plain = !READ_ONCE(fixed->dead) && !READ_ONCE(fixed->dtor) &&
		!fixed->internal && !want_init_on_free() &&
		!(reserve && mpool_reserve_lacks(reserve));
	WRITE_ONCE(fixed->alloc_cache, READ_ONCE(fixed->dead) || READ_ONCE(fixed->closed) ||
		   READ_ONCE(fixed->ctor) ? &mpool_no_cache : fixed->caches);
	WRITE_ONCE(fixed->free_cache, plain ? fixed->caches : &mpool_no_cache);
	/*
	 * Orders the stores above before the loads of held and dead below.  Pairs with
	 * smp_mb() in alloc_reserved(), and smp_store_mb() in mpool_fixed_kill() and
	 * mpool_class_make().  The other CPU stores held or dead, and then free_cache.
	 * Either this CPU sees the first store, or the second store comes after that of
	 * this CPU.
	 */
	smp_mb();
	reserve = READ_ONCE(fixed->reserved);
	if (reserve && mpool_reserve_lacks(reserve))
		WRITE_ONCE(fixed->free_cache, &mpool_no_cache);
	/* If the pool was killed meanwhile, the stores above may have undone that. */
	if (READ_ONCE(fixed->dead)) {
		WRITE_ONCE(fixed->alloc_cache, &mpool_no_cache);
		WRITE_ONCE(fixed->free_cache, &mpool_no_cache);
	}
	preempt_enable();
}

/*
 * Puts a cached object into the cache of this CPU.  False if the cache is in use, or if it
 * has no room and a magazine is shorter than @least.
 */
static bool free_cached(struct mpool_fixed *fixed, const struct mpool_slot *slot,
			u32 least)
{
	struct mpool_cache *cache;
	bool done = false;

	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	if (cache) {
		done = cache->top < cache->limit ||
		       mpool_cache_unload(cache, &fixed->chunks, least);
		if (done)
			*cache->top++ = *slot;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return done;
}

/*
 * The same, after it has given this CPU magazines of the length that suits the pool.  They
 * are not allocated in the cache, where preemption is off.
 */
static bool free_supplied(struct mpool_fixed *fixed, const struct mpool_slot *slot)
{
	unsigned long nr = mpool_hint(fixed->chunks.nr_objs);

	if (mpool_may_grow()) {
		if (free_cached(fixed, slot, mpool_magazine_cap(&fixed->mags, nr)))
			return true;
		mpool_magazines_supply(&fixed->mags, fixed->caches, nr, GFP_NOWAIT);
	}
	return free_cached(fixed, slot, 0);
}

/*
 * Puts an object that is not live into the reserve, the cache or its chunk, without the
 * fast path.  Any context.
 */
static void free_slot(struct mpool_fixed *fixed, struct mpool_slot *slot)
{
	struct mpool_reserve *reserve = READ_ONCE(fixed->reserved);

	WRITE_ONCE(*slot->state, MPOOL_OBJ_CACHED);
	if (reserve && mpool_reserve_put(reserve, slot))
		return;
	/* The reserve may be full now: look whether the fast path is possible again. */
	if (fixed->free_cache != fixed->caches)
		mpool_fixed_tune(fixed);
	if ((fixed->dead || !fixed->mags.cap || !free_supplied(fixed, slot)) &&
	    !mpool_chunks_push(&fixed->chunks, slot, 1))
		mpool_chunks_push_deferred(&fixed->chunks, slot);
	mpool_chunks_reclaim_surplus(&fixed->chunks);
}

/* Reports a free that is refused; returns false.  Preemption is off; enables it. */
static bool free_refused(struct mpool_fixed *fixed, const void *obj,
			 enum mpool_bad_free why, unsigned long ip)
{
	struct mpool_pool *owner = fixed->owner;

	/*
	 * The pool may end at any time, because the caller may have no live object of it.
	 * The RCU read-side section begins before preemption is on again, and keeps the
	 * pool until the free is reported.
	 */
	rcu_read_lock();
	preempt_enable();
	mpool_pool_bad_free(owner, obj, why, ip);
	rcu_read_unlock();
	return false;
}

/* Frees an object that the caller has claimed: its state is MPOOL_OBJ_FREEING or _UNBORN. */
void mpool_fixed_free_claimed(struct mpool_fixed *fixed,
			      struct mpool_slot *slot,
			      enum mpool_free_mode how)
{
	bool orphan;

	if (how != MPOOL_FREE_UNBORN)
		mpool_fixed_destruct(fixed, slot->obj);
	mpool_large_wipe(fixed->chunks.large, slot->obj, fixed->chunks.size);
	free_slot(fixed, slot);
	/*
	 * The count comes last.  As soon as its last object is counted, a sweep may end
	 * an orphan.  But it waits for this reader first, which still loads the flag.
	 * Pairs with synchronize_rcu() in mpool_pool_orphan() and in sweep_fn().
	 */
	rcu_read_lock();
	atomic64_inc(&fixed->slow_frees);
	orphan = READ_ONCE(fixed->owner->orphan);
	rcu_read_unlock();
	if (orphan)
		mpool_pool_sweep();
}

/*
 * Frees the object that begins at @obj in @chunk, by the slow path, which serves all
 * requests; false if the free is refused.  The caller has turned preemption off before
 * the lookup of @chunk; this enables it.
 */
bool mpool_free_slow(struct mpool_fixed *fixed, struct mpool_chunk *chunk,
		     void *obj, enum mpool_free_mode how, unsigned long ip)
{
	u16 *state = mpool_chunk_state(chunk, (unsigned long)obj);
	struct mpool_slot slot = { .obj = obj, .state = state };
	u16 site = state ? READ_ONCE(*state) : MPOOL_OBJ_FREE;

	/* True for MPOOL_OBJ_UNBORN, too: its high byte is the same. */
	if (mpool_obj_is(site, MPOOL_OBJ_FREEING))
		return free_refused(fixed, obj, site == MPOOL_OBJ_UNBORN ?
				    MPOOL_BAD_FREE_UNBORN :
				    MPOOL_BAD_FREE_TWICE, ip);
	if (!mpool_obj_live(site) ||
	    (how == MPOOL_FREE_PLAIN && fixed->internal))
		return free_refused(fixed, obj, MPOOL_BAD_FREE_ADDRESS, ip);
	/*
	 * If several CPUs free the object here, one succeeds.  It has the object from
	 * then on.  An object that is not free keeps its chunk, so preemption may be on.
	 */
	if (cmpxchg(state, site, MPOOL_OBJ_FREEING) != site)
		return free_refused(fixed, obj, MPOOL_BAD_FREE_TWICE, ip);
	preempt_enable();
	mpool_fixed_free_claimed(fixed, &slot, how);
	return true;
}

/*
 * The caches that the fast path of a free may use.  For internal objects free_cache is
 * mpool_no_cache, so that a free by a driver is refused.  Only the string pool above, with
 * MPOOL_FREE_INTERNAL, uses the real caches.
 */
static __always_inline struct mpool_cache __percpu *
free_caches(struct mpool_fixed *fixed, enum mpool_free_mode how)
{
	if (how == MPOOL_FREE_INTERNAL && fixed->internal && !fixed->dead &&
	    !want_init_on_free())
		return fixed->caches;
	return READ_ONCE(fixed->free_cache);
}

/*
 * Frees the object that begins at @obj in @chunk; false if the free is refused.  The
 * caller has turned preemption off before the lookup of @chunk; this enables it.
 */
bool mpool_fixed_do_free(struct mpool_chunk *chunk, void *obj,
			 enum mpool_free_mode how, unsigned long ip)
{
	struct mpool_fixed *fixed = chunk->at.fixed;

	if (unlikely(!mpool_free_fast(fixed, free_caches(fixed, how), chunk,
				      obj)))
		return mpool_free_slow(fixed, chunk, obj, how, ip);
	preempt_enable();
	return true;
}

/*
 * Frees an address that the fast path has refused: begins anew, with the checks of the
 * arguments.  Preemption is off; enables it.
 */
static noinline void free_slow(struct mpool_fixed *pool, void *obj,
			       unsigned long ip)
{
	struct mpool_chunk *chunk;

	if (ZERO_OR_NULL_PTR(obj)) {
		preempt_enable();
		return;
	}
	if (IS_ERR_OR_NULL(pool)) {
		preempt_enable();
		mpool_pool_none("fixed", pool, ip);
		return;
	}
	chunk = mpool_chunk_of(pool, obj);
	if (chunk)
		mpool_fixed_do_free(chunk, obj, MPOOL_FREE_PLAIN, ip);
	else
		free_refused(pool, obj, MPOOL_BAD_FREE_ADDRESS, ip);
}

void __mpool_fixed_free(struct mpool_fixed *pool, void *obj)
{
	struct mpool_chunk *chunk;

	preempt_disable();
	chunk = mpool_chunk_near(obj);
	/*
	 * If @obj is in no chunk, the lookup has found an entry without a pool and
	 * without objects.  A NULL @pool matches that entry, but then there is no
	 * object, and @pool is not dereferenced.
	 */
	if (likely(chunk->at.fixed == pool &&
		   mpool_free_fast(pool, NULL, chunk, obj)))
		preempt_enable();
	else
		free_slow(pool, obj, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__mpool_fixed_free);

/* --- alloc --- */

/* Reports that two CPUs have freed an object at once, found by mpool_slot_claim(). */
static noinline void slot_twice(struct mpool_fixed *fixed,
				const struct mpool_slot *slot)
{
	/* The double free was counted as two frees. */
	atomic64_dec(&fixed->slow_frees);
	mpool_pool_bad_free(fixed->owner, slot->obj, MPOOL_BAD_FREE_TWICE, 0);
}

/*
 * Allocates up to @n objects from the cache of this CPU; reloads the cache if necessary.
 * Returns how many.
 */
static unsigned int alloc_cached(struct mpool_fixed *fixed, unsigned int n,
				 void **objs, u32 site)
{
	struct mpool_cache *cache;
	unsigned int done = 0;

	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	while (cache && done < n) {
		const struct mpool_slot *slot;

		if (cache->top == cache->bottom) {
			if (!mpool_cache_reload(cache, &fixed->chunks))
				break;
			continue;
		}
		slot = --cache->top;
		if (mpool_slot_claim(slot, site))
			objs[done++] = slot->obj;
		else
			slot_twice(fixed, slot);
	}
	if (cache) {
		cache->allocs += done;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return done;
}

/* Allocates one object from the chunks, without the cache. */
static bool alloc_single(struct mpool_fixed *fixed, struct mpool_slot *slot,
			 u32 site)
{
	while (mpool_chunks_pop(&fixed->chunks, slot, 1)) {
		if (mpool_slot_claim(slot, site)) {
			atomic64_inc(&fixed->slow_allocs);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
}

/* Allocates one object from the reserve of a pool or a class. */
static bool alloc_reserved(struct mpool_fixed *fixed, struct mpool_slot *slot,
			   u32 site)
{
	struct mpool_reserve *reserve = READ_ONCE(fixed->reserved);

	while (reserve && mpool_reserve_take(reserve, slot)) {
		/*
		 * mpool_reserve_take() has lowered held.  Pairs with smp_mb() in
		 * mpool_fixed_tune(), which stores the caches to free_cache and then
		 * loads held.  Either it sees that an object is missing and takes the
		 * caches away again, or its store comes before the one below.
		 */
		smp_mb();
		WRITE_ONCE(fixed->free_cache, &mpool_no_cache);
		if (mpool_slot_claim(slot, site)) {
			atomic64_inc(&fixed->slow_allocs);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
}

/*
 * Allocates an object from the reserve of the pool; for a class, from the reserves of its
 * own size and of larger sizes.  The object may be larger than those of @fixed.  It is
 * cleared here, as a whole, if @gfp wants that: the caller of this function knows the
 * size of @fixed only, but the user of the object may use all of it.  An object of a pool
 * that is no class is cleared by the caller.
 */
static bool alloc_any_reserve(struct mpool_fixed *fixed, struct mpool_slot *slot,
			      gfp_t gfp, u32 site)
{
	struct mpool_fixed *from;
	unsigned int i;

	if (!fixed->backups)
		return alloc_reserved(fixed, slot, site);
	for (i = 0; i < MPOOL_BACKUPS; i++) {
		from = READ_ONCE(fixed->backups[i]);
		if (!from || from->chunks.size < fixed->chunks.size ||
		    !alloc_reserved(from, slot, site))
			continue;
		mpool_alloc_clear(from, slot->obj, gfp);
		return true;
	}
	return false;
}

/*
 * Would an allocation on this CPU have to make a chunk?  If the cache is in use, by code
 * that this has interrupted, its objects are not known, and the answer is no.
 */
bool mpool_fixed_is_empty(struct mpool_fixed *fixed)
{
	struct mpool_cache *cache;
	bool dry = false;

	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	if (cache) {
		dry = cache->top == cache->bottom && !cache->spare->n;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return dry && !mpool_hint(fixed->chunks.nr_free);
}

/*
 * May a chunk that cannot be made now be made later, so that the caller should wait?
 * Only if memory comes from the system.  Never if the shortest chunk is longer than the
 * longest block of the page allocator, or than the limit of the large pool, which is
 * constant.
 */
static bool waiting_helps(const struct mpool_fixed *fixed)
{
	const struct mpool_chunks *chunks = &fixed->chunks;
	unsigned long pages = DIV_ROUND_UP(chunks->size, PAGE_SIZE);

	return chunks->large->source->system &&
	       get_order(max(pages << PAGE_SHIFT, chunks->align)) <=
	       MAX_PAGE_ORDER &&
	       mpool_limit_has(chunks->large->limit, pages);
}

/*
 * May the caller wait for a chunk that another task makes?  Not without __GFP_IO and
 * __GFP_FS, in @gfp and in the scope of the task: the other task may be in reclaim, and
 * wait for a lock that the caller holds.  Not with PF_MEMALLOC: the chunk may be made by
 * this task itself, in an allocation that has entered reclaim.
 */
bool mpool_may_wait_for_chunk(gfp_t gfp)
{
	const gfp_t all = __GFP_IO | __GFP_FS;

	return (current_gfp_context(gfp) & all) == all &&
	       !(current->flags & PF_MEMALLOC);
}

/*
 * Called when no object was found: makes a chunk, waits for one, or drains the caches.
 * True if the allocation should be tried again.  *@drained bounds this to one drain.
 */
static bool make_more(struct mpool_fixed *fixed, gfp_t gfp, bool *drained)
{
	int err;

	if (!mpool_may_grow())
		return false;
	err = mpool_chunks_grow(&fixed->chunks, gfp);
	if (!err) {
		mpool_magazines_supply(&fixed->mags, fixed->caches,
				       mpool_hint(fixed->chunks.nr_objs), gfp);
		mpool_fixed_turn(fixed);
		return true;
	}
	if (!gfpflags_allow_blocking(gfp) || irqs_disabled() || in_interrupt())
		return false;
	if (err == -EAGAIN && mpool_may_wait_for_chunk(gfp)) {
		schedule_timeout_uninterruptible(1);
		return true;
	}
	/* Free objects may be in the caches of other CPUs. */
	if (!*drained && fixed->mags.cap) {
		*drained = true;
		mpool_fixed_drain(fixed);
		return true;
	}
	if (err == -ENOSPC || !(gfp & __GFP_NOFAIL) || !waiting_helps(fixed))
		return false;
	memalloc_retry_wait(gfp);
	return true;
}

/*
 * Records an allocation that failed.  If the chunks have as many objects as max_objects
 * allows, the limit is the reason, and not a lack of memory.
 */
static noinline void *alloc_failed(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	const unsigned int max = fixed->chunks.max_objects;
	struct mpool_count count;
	size_t taken;

	mpool_fixed_count(fixed, &count);
	if (max && count.capacity >= max) {
		mpool_pool_full(fixed->owner, fixed->size, gfp, site, max);
		return NULL;
	}
	/*
	 * An object that is neither live nor on a free list is in the cache of a CPU,
	 * mostly of another one.
	 */
	taken = count.live + mpool_hint(fixed->chunks.nr_free);
	mpool_large_failed_cached(fixed->chunks.large, fixed->owner,
				  fixed->size, 1, gfp, site,
				  fixed->mags.cap && count.capacity > taken ?
				  count.capacity - taken : 0);
	return NULL;
}

/*
 * Refuses an allocation while all objects of the pool are being freed.  If destructors
 * could allocate, the pool might never become empty.
 */
static noinline void *alloc_closed(struct mpool_fixed *fixed, gfp_t gfp,
				   u32 site)
{
	pr_err_ratelimited("pool \"%s\": allocation refused: all its objects are being freed\n",
			   fixed->owner->name);
	mpool_pool_failed(fixed->owner, fixed->size, gfp, site);
	return NULL;
}

/*
 * Allocates an object from any source that has one; its state becomes @state.  The object
 * is not cleared, unless it is from the reserve of a class.
 */
static void *alloc_any(struct mpool_fixed *fixed, gfp_t gfp, u32 site,
		       u16 state)
{
	struct mpool_slot slot;
	bool drained = false;
	void *obj;

	if (unlikely(READ_ONCE(fixed->closed)))
		return alloc_closed(fixed, gfp, site);
	might_alloc(gfp);
	do {
		if (fixed->mags.cap && alloc_cached(fixed, 1, &obj, state))
			return obj;
		if (alloc_single(fixed, &slot, state))
			return slot.obj;
	} while (make_more(fixed, gfp, &drained));
	/*
	 * Once more: another task may have made the last chunk that max_objects allows,
	 * after this task has searched and before make_more() was refused.
	 */
	if (alloc_single(fixed, &slot, state) ||
	    alloc_any_reserve(fixed, &slot, gfp, state))
		return slot.obj;
	return alloc_failed(fixed, gfp, site);
}

/*
 * Clears an object, if @gfp or the kernel (init_on_alloc) wants that.  Not inlined: the
 * functions of the fast paths stay leaf functions, which save no registers.
 */
noinline void *mpool_alloc_clear(struct mpool_fixed *fixed, void *obj,
				gfp_t gfp)
{
	mpool_large_zero(fixed->chunks.large, obj, 0, fixed->chunks.size, gfp);
	return obj;
}

/*
 * Allocates an object and constructs it.  The object is not live before the constructor
 * has returned.  A free before that is refused, for example one by the constructor.
 */
static void *alloc_constructed(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	struct mpool_slot slot;
	int err;

	slot.obj = alloc_any(fixed, gfp, site, MPOOL_OBJ_UNBORN);
	if (!slot.obj)
		return NULL;
	/* Before the object is touched: its chunk may be gone. */
	slot.state = mpool_obj_state_of(fixed, slot.obj);
	if (unlikely(!slot.state)) {
		/* Two frees and two allocs were counted: nothing is to be taken back. */
		mpool_pool_bad_free(fixed->owner, slot.obj, MPOOL_BAD_FREE_TWICE, 0);
		return NULL;
	}
	mpool_alloc_clear(fixed, slot.obj, gfp);
	err = mpool_fixed_construct(fixed, slot.obj);
	if (!err) {
		WRITE_ONCE(*slot.state, site);
		return slot.obj;
	}
	/* The destructor is not called: the object was not constructed. */
	mpool_pool_unborn(fixed->owner, fixed->size, gfp, site, err);
	mpool_fixed_free_claimed(fixed, &slot, MPOOL_FREE_UNBORN);
	return NULL;
}

/* Allocates an object by the slow path, cleared and constructed. */
void *mpool_alloc_slow(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	void *obj;

	if (READ_ONCE(fixed->ctor))
		return alloc_constructed(fixed, gfp, site);
	obj = alloc_any(fixed, gfp, site, site);
	return obj ? mpool_alloc_clear(fixed, obj, gfp) : NULL;
}

/* May the pool serve a request with these flags?  If not, prints the reason. */
static bool gfp_special_ok(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	const struct mpool_large *large = fixed->chunks.large;

	return mpool_large_zero_ok(large, fixed->owner, gfp) &&
	       mpool_pool_gfp_ok(fixed->owner, gfp, large->zone, site);
}

/* Allocates an object, with flags that must be checked or that clear the object. */
void *mpool_alloc_special(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	void *obj;
	bool done;

	if (!gfp_special_ok(fixed, gfp, site))
		return NULL;
	preempt_disable();
	done = mpool_alloc_fast(fixed, site, &obj);
	preempt_enable();
	return done ? mpool_alloc_clear(fixed, obj, gfp) :
		      mpool_alloc_slow(fixed, gfp, site);
}

/* Allocates an object for a call site.  For callers in other files of mpool. */
void *mpool_fixed_do_alloc(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	return mpool_alloc_object(fixed, gfp, site);
}

/* Allocates at the first use of a site; reports a pool that is NULL or an error. */
static noinline void *alloc_first(struct mpool_fixed *pool, gfp_t gfp,
				  struct mpool_site *site, unsigned long ip)
{
	if (IS_ERR_OR_NULL(pool)) {
		mpool_pool_none("fixed", pool, ip);
		return NULL;
	}
	return mpool_fixed_do_alloc(pool, gfp, mpool_site_id(site));
}

void *mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			   struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	if (unlikely(mpool_pool_bad(pool) || !id))
		return alloc_first(pool, gfp, site, _RET_IP_);
	return mpool_alloc_object(pool, gfp, id);
}
EXPORT_SYMBOL_GPL(mpool_fixed_alloc_at);

/* mpool_fixed_alloc_at() for constant flags, none of which is in __MPOOL_GFP_ODD. */
void *__mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			     struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	if (unlikely(mpool_pool_bad(pool) || !id))
		return alloc_first(pool, gfp, site, _RET_IP_);
	return mpool_alloc_plain_object(pool, gfp, id);
}
EXPORT_SYMBOL_GPL(__mpool_fixed_alloc_at);

/* --- several at once --- */

/* The most objects that are allocated or freed between enter and leave of the cache. */
#define BULK_BATCH	64

/*
 * Allocates up to @n objects from the cache at once, and returns how many.  None if the
 * flags, a constructor, device memory or the pool exclude the cache, or if the cache is in
 * use or stays empty.
 */
static unsigned int alloc_batch(struct mpool_fixed *fixed, gfp_t gfp,
				unsigned int n, void **objs, u32 site)
{
	unsigned int done, i;

	if ((gfp & __MPOOL_GFP_ODD & ~__GFP_ZERO) ||
	    fixed->alloc_cache != fixed->caches ||
	    !mpool_large_touchable(fixed->chunks.large))
		return 0;
	done = alloc_cached(fixed, min(n, BULK_BATCH), objs, site);
	for (i = 0; i < done && want_init_on_alloc(gfp); i++)
		mpool_large_zero(fixed->chunks.large, objs[i], 0,
				 fixed->chunks.size, gfp);
	return done;
}

/* True if the array of a caller is no address, which is printed. */
static bool objs_bad(const struct mpool_fixed *pool, unsigned int n,
		     void *const *objs, unsigned long ip)
{
	if (likely(!n || !mpool_no_address(objs)))
		return false;
	pr_err_ratelimited("fixed pool \"%s\": the array for %u objects is %ld, not an address; called from %pS\n",
			   pool->base.name, n, (long)objs, (void *)ip);
	return true;
}

unsigned int mpool_fixed_alloc_bulk_at(struct mpool_fixed *pool, gfp_t gfp,
				       unsigned int n, void **objs,
				       struct mpool_site *site)
{
	unsigned int got, done = 0;
	u32 id;

	if (mpool_fixed_check(pool) || objs_bad(pool, n, objs, _RET_IP_))
		return 0;
	id = mpool_site_id(site);
	while (done < n) {
		got = alloc_batch(pool, gfp, n - done, objs + done, id);
		done += got;
		if (got)
			continue;
		/* An ordinary allocation tries all sources. */
		objs[done] = mpool_fixed_do_alloc(pool, gfp, id);
		if (!objs[done]) {
			mpool_fixed_free_bulk(pool, done, objs);
			return 0;
		}
		done++;
	}
	return n;
}
EXPORT_SYMBOL_GPL(mpool_fixed_alloc_bulk_at);

/*
 * Frees objects into the cache, from the first one on, until one needs the slow path.
 * Returns the number of those that were freed.
 */
static unsigned int free_batch(struct mpool_fixed *fixed, unsigned int n,
			       void **objs)
{
	struct mpool_cache *cache;
	struct mpool_chunk *chunk;
	unsigned int done = 0;
	u16 *state;

	preempt_disable();
	cache = mpool_cache_enter(READ_ONCE(fixed->free_cache));
	for (; cache && done < n; done++) {
		chunk = mpool_chunk_near(objs[done]);
		if (chunk->at.fixed != fixed)
			break;
		state = mpool_chunk_state(chunk, (unsigned long)objs[done]);
		if (!state)
			break;
		if (cache->top == cache->limit &&
		    !mpool_cache_unload(cache, &fixed->chunks, 0))
			break;
		if (!mpool_obj_cache_at(state))
			break;
		*cache->top++ = (struct mpool_slot){ objs[done], state };
	}
	if (cache) {
		cache->frees += done;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return done;
}

void __mpool_fixed_free_bulk(struct mpool_fixed *pool, unsigned int n,
			     void **objs)
{
	unsigned int want, got, done = 0;

	if (mpool_fixed_check(pool) || objs_bad(pool, n, objs, _RET_IP_))
		return;
	while (done < n) {
		/*
		 * Now, and not after the last free: as long as an object of this caller
		 * is live, the pool does not end.
		 */
		mpool_chunks_reclaim_surplus(&pool->chunks);
		want = min(n - done, BULK_BATCH);
		got = free_batch(pool, want, objs + done);
		done += got;
		if (got == want)
			continue;
		/* The object is NULL, or the free is wrong or needs the slow path. */
		preempt_disable();
		free_slow(pool, objs[done++], _RET_IP_);
	}
}
EXPORT_SYMBOL_GPL(__mpool_fixed_free_bulk);
