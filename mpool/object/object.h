/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast paths of alloc and free, to be inlined where they begin: a handful of
 * public functions, which stay leaves because they leave all else to tail calls.
 *
 * Preemption is off around both.  Whatever is not plain is refused without a
 * trace, and the slow path begins from the start.  Pools for which nothing is
 * plain have mpool_no_cache in place of their caches.
 */
#ifndef _MPOOL_OBJECT_H
#define _MPOOL_OBJECT_H

#include "fixed.h"

/* Makes a slot's object live; false if it is live, by a double free. */
static __always_inline bool mpool_slot_claim(const struct mpool_slot *slot,
					     u32 site)
{
	if (unlikely(!mpool_obj_cached_at(slot->state)))
		return false;
	WRITE_ONCE(*slot->state, site);
	return true;
}

/* An object of the loaded magazine, as it is, if that can be. */
static __always_inline bool mpool_take_fast(struct mpool_fixed *fixed,
					    u32 site, void **obj)
{
	struct mpool_cache *cache = this_cpu_ptr(mpool_read(fixed->alloc_cache));
	struct mpool_slot *slot;

	if (unlikely(!mpool_cache_try(cache)))
		return false;
	slot = cache->top - 1;
	/* None, or one that was freed twice, which the slow path reports. */
	if (unlikely(!mpool_slot_claim(slot, site))) {
		mpool_cache_leave(cache);
		return false;
	}
	*obj = slot->obj;
	/* After the state, which gcc knows may be anything: changed in place. */
	cache->top--;
	cache->allocs++;
	mpool_cache_leave(cache);
	return true;
}

/*
 * Puts what begins at @obj in @chunk into the loaded magazine, if it can.  What is
 * no chunk has no objects, which is found out before @fixed is looked at.
 */
static __always_inline bool mpool_give_fast(struct mpool_fixed *fixed,
					    struct mpool_cache __percpu *caches,
					    struct mpool_chunk *chunk,
					    const void *obj)
{
	u32 i = mpool_chunk_index(chunk, (unsigned long)obj);
	struct mpool_cache *cache;
	struct mpool_slot *slot;
	u16 *state;

	if (unlikely(i >= chunk->at.nr))
		return false;
	state = &chunk->state[i];
	OPTIMIZER_HIDE_VAR(state);	/* from being computed at each use */
	cache = this_cpu_ptr(caches ?: mpool_read(fixed->free_cache));
	if (unlikely(!mpool_cache_try(cache)))
		return false;
	slot = cache->top;
	if (unlikely(slot == cache->limit || !mpool_obj_cache_at(state))) {
		mpool_cache_leave(cache);
		return false;
	}
	slot->obj = (void *)obj;
	slot->state = state;
	cache->top++;
	cache->frees++;
	mpool_cache_leave(cache);
	return true;
}

void *mpool_take_slow(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
void *mpool_take_odd(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
void *mpool_take_clear(struct mpool_fixed *fixed, void *obj, gfp_t gfp);
bool mpool_give_slow(struct mpool_fixed *fixed, struct mpool_chunk *chunk,
		     void *obj, enum mpool_give how, unsigned long ip);

/* The fast path as a whole, for plain flags; false if it is not to be had. */
static __always_inline bool mpool_take_plain(struct mpool_fixed *fixed,
					     gfp_t gfp, u32 site, void **obj)
{
	bool done;

	mpool_might_alloc(gfp);
	preempt_disable();
	done = mpool_take_fast(fixed, site, obj);
	preempt_enable();
	return done;
}

/* An object for a site, with plain flags, by the fast path if that can be. */
static __always_inline void *mpool_take_plain_object(struct mpool_fixed *fixed,
						     gfp_t gfp, u32 site)
{
	void *obj;

	if (unlikely(!mpool_take_plain(fixed, gfp, site, &obj)))
		return mpool_take_slow(fixed, gfp, site);
	return want_init_on_alloc(0) ? mpool_take_clear(fixed, obj, gfp) : obj;
}

/* The same, with any. */
static __always_inline void *mpool_take_object(struct mpool_fixed *fixed,
					       gfp_t gfp, u32 site)
{
	if (unlikely(gfp & __MPOOL_GFP_ODD))
		return mpool_take_odd(fixed, gfp, site);
	return mpool_take_plain_object(fixed, gfp, site);
}

#endif /* _MPOOL_OBJECT_H */
