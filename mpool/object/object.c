// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: how one is taken from a fixed pool and given back.
 *
 * Structure: an allocation looks in this order, and stops at the first that has
 * an object:
 *
 *	loaded magazine -> spare -> depot -> chunks -> new chunk -> reserve
 *
 * The first is the fast path, in object.h.  Where the cache is not to be had,
 * because this interrupted its user, objects come from depot, chunks and reserve
 * one by one.
 *
 * A free looks the address up, asks the state whether the object is live,
 * and puts it into the loaded magazine.  What is wrong with it is found before
 * anything is written.
 *
 * Invariant: an object that is handed out was MPOOL_OBJ_CACHED and is live from
 * then on until its free.  A free looks at the state and changes it in one instruction
 * of its CPU, which nothing on that CPU comes between.  Two CPUs that free one object
 * in the same few cycles may both find it live; then it is in two magazines, and the
 * second that wants to hand it out finds it live, drops it and reports it.  Only if two
 * CPUs also hand out both copies within the same few cycles is it shared: a locked
 * instruction would exclude that, and costs 20 cycles in each free.
 *
 * Locking: none on the fast path, which is preemption off and the idle flag of
 * the cache.  The slow paths take the locks of depot and chunks, one at a time.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "object.h"

/* --- free --- */

/*
 * Settles which operations may use the caches as they are.  As long as the
 * reserve lacks an object, frees may not: what went into a magazine would be out
 * of its reach.
 */
void mpool_fixed_tune(struct mpool_fixed *fixed)
{
	struct mpool_reserve *reserve;
	bool plain, dead;

	/* For mpool_pool_orphan(), which waits until this is over. */
	preempt_disable();
	dead = READ_ONCE(fixed->dead);
	plain = !dead && !READ_ONCE(fixed->dtor) && !fixed->internal &&
		!want_init_on_free();
	WRITE_ONCE(fixed->alloc_cache, dead || READ_ONCE(fixed->closed) ||
		   READ_ONCE(fixed->ctor) ? &mpool_no_cache : fixed->caches);
	WRITE_ONCE(fixed->free_cache, plain ? fixed->caches : &mpool_no_cache);
	/* Pairs with smp_mb() in take_reserve(), and that of the kill. */
	smp_mb();
	reserve = READ_ONCE(fixed->reserved);
	if (reserve && mpool_reserve_lacks(reserve))
		WRITE_ONCE(fixed->free_cache, &mpool_no_cache);
	/* A pool that died since does not come alive by these stores. */
	if (READ_ONCE(fixed->dead)) {
		WRITE_ONCE(fixed->alloc_cache, &mpool_no_cache);
		WRITE_ONCE(fixed->free_cache, &mpool_no_cache);
	}
	preempt_enable();
}

/* Puts a slot that is not live away, without the fast path.  Any context. */
static void give_slot(struct mpool_fixed *fixed, const struct mpool_slot *slot)
{
	struct mpool_reserve *reserve = READ_ONCE(fixed->reserved);
	struct mpool_cache *cache = NULL;
	bool done = false;

	WRITE_ONCE(*slot->state, MPOOL_OBJ_CACHED);
	if (reserve && mpool_reserve_put(reserve, slot))
		return;
	if (fixed->free_cache != fixed->caches)
		mpool_fixed_tune(fixed);
	/* The room for more magazines, before anything is held. */
	if (!fixed->dead && mpool_may_grow())
		mpool_depot_supply(&fixed->depot, mpool_hint(fixed->chunks.nr_objs),
				   GFP_NOWAIT);
	preempt_disable();
	if (!fixed->dead && fixed->depot.cap)
		cache = mpool_cache_enter(fixed->caches);
	if (cache) {
		done = cache->top < cache->limit ||
		       mpool_cache_unload(cache, &fixed->depot, &fixed->chunks);
		if (done)
			*cache->top++ = *slot;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	if (!done && !mpool_chunks_put(&fixed->chunks, slot, 1))
		mpool_chunks_put_late(&fixed->chunks, slot);
	mpool_chunks_reap_more(&fixed->chunks);
}

static bool give_refused(struct mpool_fixed *fixed, const void *obj,
			 enum mpool_bad_free why, unsigned long ip)
{
	struct mpool_pool *owner = fixed->owner;

	/* Nothing of the caller's keeps this pool: it is looked at until it was said. */
	rcu_read_lock();
	preempt_enable();
	mpool_pool_bad_free(owner, obj, why, ip);
	rcu_read_unlock();
	return false;
}

/*
 * Frees an object whose state is the caller's, MPOOL_OBJ_BUSY.  It is counted last: an
 * orphan may be ended as soon as its last object was, and no reader is there.
 */
void mpool_fixed_give_claimed(struct mpool_fixed *fixed,
			      const struct mpool_slot *slot,
			      enum mpool_give how)
{
	bool dead;

	if (how != MPOOL_GIVE_UNBORN)
		mpool_fixed_destruct(fixed, slot->obj);
	mpool_large_wipe(fixed->chunks.large, slot->obj, fixed->chunks.size);
	give_slot(fixed, slot);
	rcu_read_lock();
	atomic64_inc(&fixed->slow_frees);
	/* Pairs with synchronize_rcu() in mpool_pool_orphan(). */
	dead = READ_ONCE(fixed->dead);
	rcu_read_unlock();
	if (dead)
		mpool_pool_sweep();
}

/*
 * Frees what begins at @obj in @chunk, in all cases.  Who wins the state
 * has the object, and the object pins its chunk from then on.
 *
 * Preemption was turned off before the lookup; enables it.  False if refused.
 */
bool mpool_give_slow(struct mpool_fixed *fixed, struct mpool_chunk *chunk,
		     void *obj, enum mpool_give how, unsigned long ip)
{
	u16 *state = mpool_chunk_state(chunk, (unsigned long)obj);
	const struct mpool_slot slot = { .obj = obj, .state = state };
	u16 site = state ? READ_ONCE(*state) : MPOOL_OBJ_FREE;

	if (mpool_obj_is(site, MPOOL_OBJ_BUSY))
		return give_refused(fixed, obj, site == MPOOL_OBJ_UNBORN ?
				    MPOOL_BAD_FREE_UNBORN :
				    MPOOL_BAD_FREE_TWICE, ip);
	if (!mpool_obj_live(site) ||
	    (how == MPOOL_GIVE_FREE && fixed->internal))
		return give_refused(fixed, obj, MPOOL_BAD_FREE_ADDRESS, ip);
	if (cmpxchg(state, site, MPOOL_OBJ_BUSY) != site)
		return give_refused(fixed, obj, MPOOL_BAD_FREE_TWICE, ip);
	preempt_enable();
	mpool_fixed_give_claimed(fixed, &slot, how);
	return true;
}

/* The caches that a free may use as they are. */
static __always_inline struct mpool_cache __percpu *
give_caches(struct mpool_fixed *fixed, enum mpool_give how)
{
	if (how == MPOOL_GIVE_INTERNAL && fixed->internal && !fixed->dead &&
	    !want_init_on_free())
		return fixed->caches;
	return READ_ONCE(fixed->free_cache);
}

/*
 * Frees what begins at @obj in @chunk, which the caller looked up after turning
 * preemption off.  Enables preemption.  False if it was refused.
 */
bool mpool_fixed_give(struct mpool_chunk *chunk, void *obj,
		      enum mpool_give how, unsigned long ip)
{
	struct mpool_fixed *fixed = chunk->at.fixed;

	if (unlikely(!mpool_give_fast(fixed, give_caches(fixed, how), chunk,
				      obj)))
		return mpool_give_slow(fixed, chunk, obj, how, ip);
	preempt_enable();
	return true;
}

/* What is not plain, from the start.  Preemption is off; enables it. */
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
	chunk = mpool_chunk_find(obj);
	if (chunk && chunk->at.fixed == pool)
		mpool_fixed_give(chunk, obj, MPOOL_GIVE_FREE, ip);
	else
		give_refused(pool, obj, MPOOL_BAD_FREE_ADDRESS, ip);
}

void __mpool_fixed_free(struct mpool_fixed *pool, void *obj)
{
	struct mpool_chunk *chunk;

	preempt_disable();
	chunk = mpool_chunk_near(obj);
	/* Neither what is no chunk nor what is no pool has objects. */
	if (likely(chunk->at.fixed == pool &&
		   mpool_give_fast(pool, NULL, chunk, obj)))
		preempt_enable();
	else
		free_slow(pool, obj, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__mpool_fixed_free);

/* --- alloc --- */

static noinline void slot_twice(struct mpool_fixed *fixed,
				const struct mpool_slot *slot)
{
	/* That was counted as two frees. */
	atomic64_dec(&fixed->slow_frees);
	mpool_pool_bad_free(fixed->owner, slot->obj, MPOOL_BAD_FREE_TWICE, 0);
}

/* Through the cache of this CPU, reloading it if need be: up to @n objects. */
static unsigned int take_cached(struct mpool_fixed *fixed, unsigned int n,
				void **objs, u32 site)
{
	struct mpool_cache *cache;
	unsigned int done = 0;

	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	while (cache && done < n) {
		const struct mpool_slot *slot;

		if (cache->top == cache->bottom) {
			if (!mpool_cache_reload(cache, &fixed->depot,
						&fixed->chunks))
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

/* Past the cache, one by one. */
static bool take_single(struct mpool_fixed *fixed, struct mpool_slot *slot,
			u32 site)
{
	while (mpool_depot_pop(&fixed->depot, slot) ||
	       mpool_chunks_take(&fixed->chunks, slot, 1)) {
		if (mpool_slot_claim(slot, site)) {
			atomic64_inc(&fixed->slow_allocs);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
}

static bool take_reserve(struct mpool_fixed *fixed, struct mpool_slot *slot,
			 u32 site)
{
	struct mpool_reserve *reserve = READ_ONCE(fixed->reserved);

	while (reserve && mpool_reserve_take(reserve, slot)) {
		/*
		 * After its room was raised.  Pairs with smp_mb() in mpool_fixed_tune(),
		 * which gives frees the cache, then looks at the room: it sees this one,
		 * or this store comes last.
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
 * From the reserve of the pool, or for a class from those of its own size or more.
 * All of a larger object is cleared: it is what may be used.
 */
static bool take_reserves(struct mpool_fixed *fixed, struct mpool_slot *slot,
			  gfp_t gfp, u32 site)
{
	struct mpool_fixed *from;
	unsigned int i;

	if (!fixed->backups)
		return take_reserve(fixed, slot, site);
	for (i = 0; i < MPOOL_BACKUPS; i++) {
		from = READ_ONCE(fixed->backups[i]);
		if (!from || from->chunks.size < fixed->chunks.size ||
		    !take_reserve(from, slot, site))
			continue;
		mpool_take_clear(from, slot->obj, gfp);
		return true;
	}
	return false;
}

/*
 * Is nothing at hand, so that the pool would have to grow?  A cache that is in
 * use, by what this interrupted, has something.
 */
bool mpool_fixed_dry(struct mpool_fixed *fixed)
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
	return dry && !mpool_hint(fixed->chunks.nr_free) &&
	       !mpool_depot_full(&fixed->depot);
}

/* What this CPU has; interrupts are off. */
void mpool_fixed_drain_cpu(void *arg)
{
	struct mpool_fixed *fixed = arg;
	struct mpool_cache *cache = mpool_cache_enter(fixed->caches);

	if (!cache)
		return;
	mpool_cache_drain(cache, &fixed->depot, &fixed->chunks);
	mpool_cache_leave(cache);
}

/*
 * Gets the free objects of all CPUs together.  Sleeps, but for no work item: that would
 * wait for memory if this is what frees memory.
 */
void mpool_fixed_drain(struct mpool_fixed *fixed)
{
	on_each_cpu(mpool_fixed_drain_cpu, fixed, 1);
	mpool_depot_drain(&fixed->depot, &fixed->chunks);
	mpool_chunks_collect(&fixed->chunks);
	mpool_chunks_reap(&fixed->chunks, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_fixed_drain);

/*
 * Does waiting bring a chunk?  From the system, but not one that is longer than its
 * longest block, and not beyond the limit of the large pool, which nobody may raise.
 */
static bool waiting_helps(const struct mpool_fixed *fixed)
{
	const struct mpool_chunks *chunks = &fixed->chunks;
	unsigned long pages = DIV_ROUND_UP(chunks->size, PAGE_SIZE);

	return chunks->large->feed->system &&
	       get_order(max(pages << PAGE_SHIFT, chunks->align)) <=
	       MAX_PAGE_ORDER &&
	       mpool_limit_has(chunks->large->limit, pages);
}

/*
 * May this wait for the chunk that another is making?  That one may be in reclaim, and
 * wait for this task, or have called it.
 */
static bool may_wait_for_others(gfp_t gfp)
{
	const gfp_t all = __GFP_IO | __GFP_FS;

	return (gfp & all) == all && !(current->flags & PF_MEMALLOC);
}

/*
 * What is to be done when nothing is at hand: true if the allocation should be
 * tried again, after more was made or found.
 */
static bool take_more(struct mpool_fixed *fixed, gfp_t gfp, bool *drained)
{
	int err;

	if (!mpool_may_grow())
		return false;
	err = mpool_chunks_grow(&fixed->chunks, gfp);
	if (!err) {
		mpool_depot_thin(&fixed->depot);
		mpool_depot_supply(&fixed->depot, mpool_hint(fixed->chunks.nr_objs),
				   gfp);
		return true;
	}
	if (!gfpflags_allow_blocking(gfp) || irqs_disabled() || in_interrupt())
		return false;
	if (err == -EAGAIN && may_wait_for_others(gfp)) {
		schedule_timeout_uninterruptible(1);
		return true;
	}
	/* Free objects may lie with other CPUs. */
	if (!*drained && fixed->depot.cap) {
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
 * Remembers an allocation that failed.  A pool whose chunks hold all that its limit
 * allows does not want for memory.  What is free in another is in no chunk and not in
 * the depot: it lies in the caches of CPUs, most of them not this one.
 */
static noinline void *take_failed(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	const unsigned int max = fixed->chunks.max_objects;
	struct mpool_count count;
	size_t taken;

	mpool_fixed_count(fixed, &count);
	if (max && count.capacity >= max) {
		mpool_pool_full(fixed->owner, fixed->size, gfp, site, max);
		return NULL;
	}
	taken = count.live + mpool_hint(fixed->chunks.nr_free);
	mpool_large_failed_cached(fixed->chunks.large, fixed->owner,
				  fixed->size, 1, gfp, site,
				  fixed->depot.cap && count.capacity > taken ?
				  count.capacity - taken : 0);
	return NULL;
}

/* A destructor that allocates would never let the end come. */
static noinline void *take_closed(struct mpool_fixed *fixed, gfp_t gfp,
				  u32 site)
{
	pr_err_ratelimited("pool \"%s\": no allocation while all its objects are freed\n",
			   fixed->owner->name);
	mpool_pool_failed(fixed->owner, fixed->size, gfp, site);
	return NULL;
}

/* An object as it is, wherever there is one; its state becomes @state. */
static void *take_any(struct mpool_fixed *fixed, gfp_t gfp, u32 site,
		      u16 state)
{
	struct mpool_slot slot;
	bool drained = false;
	void *obj;

	if (unlikely(READ_ONCE(fixed->closed)))
		return take_closed(fixed, gfp, site);
	might_alloc(gfp);
	do {
		if (take_cached(fixed, 1, &obj, state))
			return obj;
		if (take_single(fixed, &slot, state))
			return slot.obj;
	} while (take_more(fixed, gfp, &drained));
	/* Others may have made more while this found that it may not. */
	if (take_single(fixed, &slot, state) ||
	    take_reserves(fixed, &slot, gfp, state))
		return slot.obj;
	return take_failed(fixed, gfp, site);
}

/*
 * Clears an object, as far as the caller and the kernel want it.  Not inlined:
 * the fast paths call nobody.
 */
noinline void *mpool_take_clear(struct mpool_fixed *fixed, void *obj,
				gfp_t gfp)
{
	mpool_large_zero(fixed->chunks.large, obj, 0, fixed->chunks.size, gfp);
	return obj;
}

/*
 * An object that a constructor makes ready.  It is not live before that is done: whoever
 * frees it until then, the constructor itself for one, is refused.
 */
static void *take_constructed(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	struct mpool_slot slot;
	int err;

	slot.obj = take_any(fixed, gfp, site, MPOOL_OBJ_UNBORN);
	if (!slot.obj)
		return NULL;
	mpool_take_clear(fixed, slot.obj, gfp);
	/* An object that is not free pins its chunk. */
	slot.state = mpool_chunk_state(mpool_chunk_find(slot.obj),
				       (unsigned long)slot.obj);
	err = mpool_fixed_construct(fixed, slot.obj);
	if (!err) {
		WRITE_ONCE(*slot.state, site);
		return slot.obj;
	}
	/* It never was an object for the destructor. */
	mpool_pool_unborn(fixed->owner, fixed->size, gfp, site, err);
	mpool_fixed_give_claimed(fixed, &slot, MPOOL_GIVE_UNBORN);
	return NULL;
}

/* An object by the long way, cleared and constructed. */
void *mpool_take_slow(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	void *obj;

	if (READ_ONCE(fixed->ctor))
		return take_constructed(fixed, gfp, site);
	obj = take_any(fixed, gfp, site, site);
	return obj ? mpool_take_clear(fixed, obj, gfp) : NULL;
}

static bool gfp_odd_ok(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	const struct mpool_large *large = fixed->chunks.large;

	return mpool_large_zero_ok(large, fixed->owner, gfp) &&
	       mpool_pool_gfp_ok(fixed->owner, gfp, large->zone, site);
}

/* An object with flags that are to be looked at, or are to clear it. */
void *mpool_take_odd(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	void *obj;
	bool done;

	if (!gfp_odd_ok(fixed, gfp, site))
		return NULL;
	preempt_disable();
	done = mpool_take_fast(fixed, site, &obj);
	preempt_enable();
	return done ? mpool_take_clear(fixed, obj, gfp) :
		      mpool_take_slow(fixed, gfp, site);
}

/* Takes an object for a site, as the owner of the pool. */
void *mpool_fixed_take(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	return mpool_take_object(fixed, gfp, site);
}

/* The first use of a site, or no pool at all. */
static noinline void *alloc_first(struct mpool_fixed *pool, gfp_t gfp,
				  struct mpool_site *site, unsigned long ip)
{
	if (IS_ERR_OR_NULL(pool)) {
		mpool_pool_none("fixed", pool, ip);
		return NULL;
	}
	return mpool_fixed_take(pool, gfp, mpool_site_id(site));
}

void *mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			   struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	if (unlikely(mpool_pool_bad(pool) || !id))
		return alloc_first(pool, gfp, site, _RET_IP_);
	return mpool_take_object(pool, gfp, id);
}
EXPORT_SYMBOL_GPL(mpool_fixed_alloc_at);

void *__mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			     struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	if (unlikely(mpool_pool_bad(pool) || !id))
		return alloc_first(pool, gfp, site, _RET_IP_);
	return mpool_take_plain_object(pool, gfp, id);
}
EXPORT_SYMBOL_GPL(__mpool_fixed_alloc_at);

/* --- several at once --- */

/* Objects moved while the cache is held once. */
#define BULK_BATCH	64

/* Up to @n objects in one go, if the pool has no more to do for each. */
static unsigned int take_batch(struct mpool_fixed *fixed, gfp_t gfp,
			       unsigned int n, void **objs, u32 site)
{
	unsigned int done, i;

	if ((gfp & __MPOOL_GFP_ODD & ~__GFP_ZERO) ||
	    fixed->alloc_cache != fixed->caches ||
	    !mpool_large_touchable(fixed->chunks.large))
		return 0;
	done = take_cached(fixed, min(n, BULK_BATCH), objs, site);
	for (i = 0; i < done && want_init_on_alloc(gfp); i++)
		mpool_large_zero(fixed->chunks.large, objs[i], 0,
				 fixed->chunks.size, gfp);
	return done;
}

/* Says so, once in a while, if a caller's array can be none. */
static bool objs_bad(const struct mpool_fixed *pool, unsigned int n,
		     void *const *objs, unsigned long ip)
{
	if (likely(!n || !mpool_no_address(objs)))
		return false;
	pr_err_ratelimited("fixed pool \"%s\": the array for %u objects is %ld, no address; called from %pS\n",
			   pool->pool.name, n, (long)objs, (void *)ip);
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
		got = take_batch(pool, gfp, n - done, objs + done, id);
		done += got;
		/* One by the long way, if need be: it brings more. */
		if (got)
			continue;
		objs[done] = mpool_fixed_take(pool, gfp, id);
		if (!objs[done]) {
			mpool_fixed_free_bulk(pool, done, objs);
			return 0;
		}
		done++;
	}
	return n;
}
EXPORT_SYMBOL_GPL(mpool_fixed_alloc_bulk_at);

/* Puts live objects of the pool into the cache; how many, from the first. */
static unsigned int give_batch(struct mpool_fixed *fixed, unsigned int n,
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
		    !mpool_cache_unload(cache, &fixed->depot, &fixed->chunks))
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
		/* Now, while the objects that are left keep the pool. */
		mpool_chunks_reap_more(&pool->chunks);
		want = min(n - done, BULK_BATCH);
		got = give_batch(pool, want, objs + done);
		done += got;
		if (got == want)
			continue;
		/* What a batch does not take is NULL, wrong or special. */
		preempt_disable();
		free_slow(pool, objs[done++], _RET_IP_);
	}
}
EXPORT_SYMBOL_GPL(__mpool_fixed_free_bulk);
