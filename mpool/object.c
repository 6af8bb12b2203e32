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
 * hand it out finds it live, drops it and reports it.  Only if two CPUs also hand
 * out both copies within the same few instructions would it be shared: a plain
 * load and store cannot exclude that, and an atomic operation is too dear here.
 *
 * Locking: none on the fast path, which is preemption off and the busy flag of
 * the cache.  The slow paths take the locks of depot and chunks, one at a time.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fixed.h"

/* --- free --- */

/*
 * As long as the reserve lacks an object, frees are special and come by here:
 * what went into a magazine would be out of its reach.
 */
static void reserve_filled(struct mpool_fixed *fixed)
{
	if (likely(!fixed->special) || fixed->ctor || fixed->dtor ||
	    fixed->internal || fixed->dead)
		return;
	WRITE_ONCE(fixed->special, false);
	/* Pairs with the order of the stores in take_reserve(). */
	smp_mb();
	if (atomic_read(&fixed->reserve.missing))
		WRITE_ONCE(fixed->special, true);
}

/* Puts a slot that is not live away, without the fast path.  Any context. */
static noinline void give_slow(struct mpool_fixed *fixed,
			       const struct mpool_slot *slot)
{
	struct mpool_cache *cache = NULL;
	bool done = false;

	WRITE_ONCE(*slot->state, MPOOL_OBJ_CACHED);
	if (mpool_reserve_put(&fixed->reserve, slot))
		return;
	reserve_filled(fixed);
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
 * object pins its chunk from then on.  It is counted last: an orphan may be
 * ended as soon as its last object was.  Enables preemption.
 */
static noinline bool give_special(struct mpool_fixed *fixed, void *obj,
				  u32 *state, enum mpool_give how,
				  unsigned long ip)
{
	const struct mpool_slot slot = { .obj = obj, .state = state };
	u32 site = READ_ONCE(*state);
	bool dead = fixed->dead;

	if (how == MPOOL_GIVE_FREE && fixed->internal)
		return give_refused(fixed, obj, MPOOL_OBJ_FREE, ip);
	if (!mpool_obj_live(site) ||
	    cmpxchg(state, site, MPOOL_OBJ_BUSY) != site)
		return give_refused(fixed, obj, MPOOL_OBJ_BUSY, ip);
	preempt_enable();
	if (how != MPOOL_GIVE_UNBORN && fixed->dtor)
		fixed->dtor(obj, fixed->priv);
	if (want_init_on_free() && !fixed->chunks.large->io)
		memset(obj, 0, fixed->chunks.size);
	give_slow(fixed, &slot);
	mpool_stat_inc(&fixed->pool.stats, MPOOL_STAT_FREE);
	if (dead)
		mpool_pool_sweep();
	return true;
}

/* What begins at @obj in @chunk.  Enables preemption. */
static __always_inline bool give(struct mpool_fixed *fixed,
				 struct mpool_chunk *chunk, void *obj,
				 enum mpool_give how, unsigned long ip)
{
	u32 *state = mpool_chunk_state(chunk, (unsigned long)obj);
	struct mpool_magazine *mag;
	struct mpool_cache *cache;
	struct mpool_slot *slot;

	if (unlikely(!state))
		return give_refused(fixed, obj, MPOOL_OBJ_FREE, ip);
	if (unlikely(!mpool_obj_live(READ_ONCE(*state))))
		return give_refused(fixed, obj, READ_ONCE(*state), ip);
	if (unlikely(fixed->special || want_init_on_free()))
		return give_special(fixed, obj, state, how, ip);
	cache = this_cpu_ptr(fixed->caches);
	if (unlikely(!mpool_cache_try(cache)))
		return give_special(fixed, obj, state, how, ip);
	mag = cache->loaded;
	if (unlikely(mag->n >= mag->cap)) {
		mpool_cache_leave(cache);
		return give_special(fixed, obj, state, how, ip);
	}
	WRITE_ONCE(*state, MPOOL_OBJ_CACHED);
	slot = &mag->slots[mag->n++];
	slot->obj = obj;
	slot->state = state;
	cache->frees++;
	mpool_cache_leave(cache);
	preempt_enable();
	return true;
}

/*
 * Frees what begins at @obj in @chunk, which the caller looked up after turning
 * preemption off.  Enables preemption.  False if it was refused.
 */
bool mpool_fixed_give(struct mpool_chunk *chunk, void *obj,
		      enum mpool_give how, unsigned long ip)
{
	return give(chunk->fixed, chunk, obj, how, ip);
}

/*
 * The fast paths below are leaves: whatever is rare is a tail call, so that no
 * register has to be saved for it.
 */

/* Where the page map has to look further, or has another answer. */
static noinline void free_probe(struct mpool_fixed *pool, void *obj,
				unsigned long ip)
{
	struct mpool_chunk *chunk = mpool_chunk_find(obj);

	if (chunk && chunk->fixed == pool)
		give(pool, chunk, obj, MPOOL_GIVE_FREE, ip);
	else
		give_refused(pool, obj, MPOOL_OBJ_FREE, ip);
}

void mpool_fixed_free(struct mpool_fixed *pool, void *obj)
{
	struct mpool_chunk *chunk;

	if (unlikely(ZERO_OR_NULL_PTR(obj)))
		return;
	if (IS_ERR_OR_NULL(pool)) {
		mpool_pool_none("fixed", pool, _RET_IP_);
		return;
	}
	preempt_disable();
	chunk = mpool_chunk_guess(obj);
	if (likely(chunk && chunk->fixed == pool))
		give(pool, chunk, obj, MPOOL_GIVE_FREE, _RET_IP_);
	else
		free_probe(pool, obj, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_fixed_free);

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
		/* After missing was raised; see reserve_filled(). */
		smp_store_release(&fixed->special, true);
		if (slot_claim(slot, site)) {
			mpool_stat_inc(&fixed->pool.stats, MPOOL_STAT_ALLOC);
			return true;
		}
		slot_twice(fixed, slot);
	}
	return false;
}

static void drain_this_cpu(void *arg)
{
	struct mpool_fixed *fixed = arg;
	struct mpool_cache *cache = mpool_cache_enter(fixed->caches);

	if (!cache)
		return;
	mpool_cache_drain(cache, &fixed->depot, &fixed->chunks);
	mpool_cache_leave(cache);
}

/* Gets the free objects of all CPUs together.  Sleeps. */
void mpool_fixed_drain(struct mpool_fixed *fixed)
{
	on_each_cpu(drain_this_cpu, fixed, 1);
	mpool_depot_drain(&fixed->depot, &fixed->chunks);
	mpool_chunks_settle(&fixed->chunks);
	mpool_chunks_reap(&fixed->chunks, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_fixed_drain);

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
	if (err == -EAGAIN) {
		schedule_timeout_uninterruptible(1);
		return true;
	}
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

static noinline void *take_slow(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	struct mpool_slot slot;
	bool drained = false;

	might_alloc(gfp);
	do {
		if (take_cached(fixed, &slot, site) ||
		    take_single(fixed, &slot, site))
			return slot.obj;
	} while (take_more(fixed, gfp, &drained));
	/* Others may have made more while this found that it may not. */
	if (take_single(fixed, &slot, site) || take_reserve(fixed, &slot, site))
		return slot.obj;
	mpool_large_failed(fixed->chunks.large, fixed->owner, fixed->size, gfp,
			   site);
	return NULL;
}

/* Clears and constructs an object that was taken, if one was. */
static noinline void *take_finish(struct mpool_fixed *fixed, void *obj,
				  gfp_t gfp)
{
	int (*ctor)(void *obj, void *priv) = READ_ONCE(fixed->ctor);

	if (!obj)
		return NULL;
	if (want_init_on_alloc(gfp) && !fixed->chunks.large->io)
		memset(obj, 0, fixed->chunks.size);
	if (!ctor || !ctor(obj, fixed->priv))
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

/* An object as it is, from the loaded magazine if that has one. */
static __always_inline void *take(struct mpool_fixed *fixed, gfp_t gfp,
				  u32 site)
{
	struct mpool_magazine *mag;
	struct mpool_cache *cache;
	struct mpool_slot *slot;
	void *obj;

	mpool_might_alloc(gfp);
	preempt_disable();
	cache = this_cpu_ptr(fixed->caches);
	if (unlikely(!mpool_cache_try(cache)))
		goto slow;
	mag = cache->loaded;
	if (unlikely(!mag->n))
		goto slow_leave;
	slot = &mag->slots[mag->n - 1];
	/* The slow path reports it, if this one was freed twice. */
	if (unlikely(!slot_claim(slot, site)))
		goto slow_leave;
	obj = slot->obj;
	mag->n--;
	cache->allocs++;
	mpool_cache_leave(cache);
	preempt_enable();
	return obj;

slow_leave:
	mpool_cache_leave(cache);
slow:
	preempt_enable();
	return take_slow(fixed, gfp, site);
}

static noinline void *take_odd(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	if (!gfp_odd_ok(fixed, gfp))
		return NULL;
	return take_finish(fixed, take(fixed, gfp, site), gfp);
}

static __always_inline void *take_object(struct mpool_fixed *fixed, gfp_t gfp,
					 u32 site)
{
	void *obj;

	if (unlikely(gfp & GFP_ODD))
		return take_odd(fixed, gfp, site);
	obj = take(fixed, gfp, site);
	if (unlikely(fixed->special) || want_init_on_alloc(0))
		return take_finish(fixed, obj, gfp);
	return obj;
}

/* Takes an object for a site, as the owner of the pool. */
void *mpool_fixed_take(struct mpool_fixed *fixed, gfp_t gfp, u32 site)
{
	return take_object(fixed, gfp, site);
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

	if (IS_ERR_OR_NULL(pool) || unlikely(!id))
		return alloc_first(pool, gfp, site, _RET_IP_);
	return take_object(pool, gfp, id);
}
EXPORT_SYMBOL_GPL(mpool_fixed_alloc_at);
