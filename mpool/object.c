// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: how one is taken from a fixed pool and given back.
 *
 * Structure: an allocation looks in this order, and stops at the first that has
 * an object:
 *
 *	loaded magazine -> spare -> depot -> chunks -> new chunk -> reserve
 *
 * The first is the fast path.  Where the cache is not to be had, because this
 * interrupted its user, objects come from depot, chunks and reserve one by one.
 *
 * A free looks the address up, asks the state word whether the object is live,
 * and puts it into the loaded magazine.  What is wrong with it is found before
 * anything is written.
 *
 * Invariant: an object that is handed out was MPOOL_OBJ_CACHED and is live from
 * then on until its free.  Two CPUs that free one object at the same moment may
 * both find it live; then it is in two magazines, and the second that wants to
 * hand it out finds it live, drops it and reports it.  Nobody ever shares it.
 *
 * Locking: none on the fast path, which is preemption off and the busy flag of
 * the cache.  The slow paths take the locks of depot and chunks, one at a time.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"

/* --- free --- */

/* Puts a slot that is not live away, without the fast path.  Any context. */
static noinline void give_slow(struct mpool_fixed *fixed,
			       const struct mpool_slot *slot)
{
	struct mpool_cache *cache = NULL;
	bool done = false;

	WRITE_ONCE(*slot->state, MPOOL_OBJ_CACHED);
	if (mpool_reserve_put(&fixed->reserve, slot))
		return;
	/* The room for more magazines, before anything is held. */
	if (!fixed->dead && mpool_may_grow())
		mpool_depot_supply(&fixed->depot, GFP_NOWAIT);
	preempt_disable();
	if (!fixed->dead && fixed->depot.cap)
		cache = mpool_cache_enter(fixed->caches);
	if (cache) {
		if (cache->loaded->n < cache->loaded->cap ||
		    mpool_cache_unload(cache, &fixed->depot, &fixed->chunks)) {
			struct mpool_magazine *mag = cache->loaded;

			mag->slots[mag->n++] = *slot;
			done = true;
		}
		mpool_cache_leave(cache);
	}
	preempt_enable();
	if (!done && !mpool_chunks_put(&fixed->chunks, slot, 1))
		mpool_chunks_put_late(&fixed->chunks, slot);
	mpool_chunks_reap(&fixed->chunks, 1);
	if (fixed->dead)
		mpool_pool_sweep();
}

/* Enables preemption. */
static noinline bool give_refused(struct mpool_fixed *fixed, const void *obj,
				  u32 state, unsigned long ip)
{
	struct mpool_pool *owner = fixed->owner;

	preempt_enable();
	mpool_pool_bad_free(owner, obj, state == MPOOL_OBJ_BUSY ?
			    MPOOL_BAD_FREE_TWICE : MPOOL_BAD_FREE_ADDRESS, ip);
	return false;
}

/*
 * Frees that have more to do.  Who wins the state word has the object, and the
 * object pins its chunk from then on.  Enables preemption.
 */
static noinline bool give_special(struct mpool_fixed *fixed,
				  const struct mpool_slot *slot, u32 site,
				  enum mpool_give how, unsigned long ip)
{
	if (how == MPOOL_GIVE_FREE && fixed->internal)
		return give_refused(fixed, slot->obj, MPOOL_OBJ_FREE, ip);
	if (cmpxchg(slot->state, site, MPOOL_OBJ_BUSY) != site)
		return give_refused(fixed, slot->obj, MPOOL_OBJ_BUSY, ip);
	preempt_enable();
	if (how != MPOOL_GIVE_UNBORN && fixed->dtor)
		fixed->dtor(slot->obj, fixed->priv);
	if (want_init_on_free() && !fixed->chunks.large->io)
		memset(slot->obj, 0, fixed->chunks.size);
	mpool_stat_inc(&fixed->pool.stats, MPOOL_STAT_FREE);
	give_slow(fixed, slot);
	return true;
}

/*
 * Frees what begins at @obj in @chunk, which the caller looked up after turning
 * preemption off.  Enables preemption.  False if it was refused.
 */
bool mpool_fixed_give(struct mpool_chunk *chunk, void *obj,
		      enum mpool_give how, unsigned long ip)
{
	struct mpool_fixed *fixed = chunk->fixed;
	struct mpool_slot slot = { .obj = obj };
	struct mpool_magazine *mag;
	struct mpool_cache *cache;
	u32 state = MPOOL_OBJ_FREE;

	slot.state = mpool_chunk_state(chunk, (unsigned long)obj);
	if (likely(slot.state))
		state = READ_ONCE(*slot.state);
	if (unlikely(!mpool_obj_live(state)))
		return give_refused(fixed, obj, state, ip);
	if (unlikely(fixed->special || want_init_on_free()))
		return give_special(fixed, &slot, state, how, ip);
	cache = mpool_cache_enter(fixed->caches);
	if (unlikely(!cache))
		return give_special(fixed, &slot, state, how, ip);
	mag = cache->loaded;
	if (unlikely(mag->n >= mag->cap)) {
		mpool_cache_leave(cache);
		return give_special(fixed, &slot, state, how, ip);
	}
	WRITE_ONCE(*slot.state, MPOOL_OBJ_CACHED);
	mag->slots[mag->n++] = slot;
	cache->frees++;
	mpool_cache_leave(cache);
	preempt_enable();
	return true;
}

/* --- alloc --- */

/* Makes a slot's object live; false if it is live, by a double free. */
static __always_inline bool slot_claim(const struct mpool_slot *slot, u32 site)
{
	if (unlikely(*slot->state != MPOOL_OBJ_CACHED))
		return false;
	WRITE_ONCE(*slot->state, site);
	return true;
}

static noinline void slot_twice(struct mpool_fixed *fixed,
				const struct mpool_slot *slot)
{
	/* That was counted as two frees. */
	mpool_stat_add(&fixed->pool.stats, MPOOL_STAT_FREE, -1);
	mpool_pool_bad_free(fixed->owner, slot->obj, MPOOL_BAD_FREE_TWICE, 0);
}

/* Through the cache of this CPU, reloading it if need be. */
static bool take_cached(struct mpool_fixed *fixed, struct mpool_slot *slot,
			u32 site)
{
	struct mpool_cache *cache;
	bool done = false;

	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	while (cache && !done) {
		struct mpool_magazine *mag = cache->loaded;

		if (!mag->n) {
			if (!mpool_cache_reload(cache, &fixed->depot,
						&fixed->chunks))
				break;
			continue;
		}
		*slot = mag->slots[--mag->n];
		done = slot_claim(slot, site);
		if (done)
			cache->allocs++;
		else
			slot_twice(fixed, slot);
	}
	if (cache)
		mpool_cache_leave(cache);
	preempt_enable();
	return done;
}

/* Past the cache, one by one. */
static bool take_single(struct mpool_fixed *fixed, struct mpool_slot *slot,
			u32 site)
{
	while (mpool_depot_pop(&fixed->depot, slot) ||
	       mpool_chunks_take(&fixed->chunks, slot, 1)) {
		if (slot_claim(slot, site)) {
			mpool_stat_inc(&fixed->pool.stats, MPOOL_STAT_ALLOC);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
}

static bool take_reserve(struct mpool_fixed *fixed, struct mpool_slot *slot,
			 u32 site)
{
	while (mpool_reserve_take(&fixed->reserve, slot)) {
		if (slot_claim(slot, site)) {
			mpool_stat_inc(&fixed->pool.stats, MPOOL_STAT_ALLOC);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
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
	mpool_depot_supply(&fixed->depot, gfp);
	err = mpool_chunks_grow(&fixed->chunks, gfp);
	if (!err)
		return true;
	if (!gfpflags_allow_blocking(gfp) || irqs_disabled() || in_interrupt())
		return false;
	/* Free objects may lie with other CPUs. */
	if (!*drained && fixed->depot.cap) {
		*drained = true;
		mpool_fixed_drain(fixed);
		return true;
	}
	if (err == -ENOSPC || !(gfp & __GFP_NOFAIL) ||
	    !fixed->chunks.large->feed->gives_back)
		return false;
	memalloc_retry_wait(gfp);
	return true;
}

static noinline bool take_slow(struct mpool_fixed *fixed, gfp_t gfp,
			       struct mpool_slot *slot, u32 site)
{
	bool drained = false;

	do {
		if (take_cached(fixed, slot, site) ||
		    take_single(fixed, slot, site))
			return true;
	} while (take_more(fixed, gfp, &drained));
	if (take_reserve(fixed, slot, site))
		return true;
	mpool_pool_failed(fixed->owner, fixed->size, gfp, site);
	fixed->owner->fail.free = READ_ONCE(fixed->chunks.large->runs.nr_free);
	return false;
}

/* Clears and constructs an object that was taken. */
static noinline void *take_finish(struct mpool_fixed *fixed, void *obj,
				  gfp_t gfp)
{
	if (want_init_on_alloc(gfp) && !fixed->chunks.large->io)
		memset(obj, 0, fixed->chunks.size);
	if (!fixed->ctor || !fixed->ctor(obj, fixed->priv))
		return obj;
	/* It never was an object for the destructor. */
	mpool_stat_inc(&fixed->owner->stats, MPOOL_STAT_FAIL);
	preempt_disable();
	mpool_fixed_give(mpool_chunk_find(obj), obj, MPOOL_GIVE_UNBORN,
			 _RET_IP_);
	return NULL;
}

/* Flags that need more than a look into the magazine. */
#define GFP_ODD	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_ACCOUNT | \
		 __GFP_ZERO)

static noinline bool gfp_odd_ok(struct mpool_fixed *fixed, gfp_t gfp)
{
	if ((gfp & __GFP_ZERO) && fixed->chunks.large->io) {
		pr_warn_ratelimited("pool \"%s\": device memory is never touched, __GFP_ZERO is refused\n",
				    fixed->owner->name);
		return false;
	}
	return mpool_pool_gfp_ok(fixed->owner, gfp, fixed->chunks.large->zone);
}

/* Takes an object for a site, as the owner of the pool. */
void *mpool_fixed_take(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	struct mpool_magazine *mag;
	struct mpool_cache *cache;
	struct mpool_slot slot;

	might_alloc(gfp);
	if (unlikely(gfp & GFP_ODD) && !gfp_odd_ok(fixed, gfp))
		return NULL;
	preempt_disable();
	cache = mpool_cache_enter(fixed->caches);
	if (unlikely(!cache))
		goto slow;
	mag = cache->loaded;
	if (unlikely(!mag->n))
		goto slow_leave;
	slot = mag->slots[--mag->n];
	if (unlikely(!slot_claim(&slot, site))) {
		slot_twice(fixed, &slot);
		goto slow_leave;
	}
	cache->allocs++;
	mpool_cache_leave(cache);
	preempt_enable();
	goto finish;

slow_leave:
	mpool_cache_leave(cache);
slow:
	preempt_enable();
	if (!take_slow(fixed, gfp, &slot, site))
		return NULL;
finish:
	if (unlikely(fixed->special) || want_init_on_alloc(gfp))
		return take_finish(fixed, slot.obj, gfp);
	return slot.obj;
}
