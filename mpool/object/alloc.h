/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast paths of alloc and free.  They are inlined into a handful of public functions,
 * which are leaf functions: all else is done by tail calls.
 *
 * Preemption is off around both fast paths.  A fast path refuses a request that is not
 * plain before it changes anything, and the slow path begins from the start.  A pool that
 * has no plain requests has mpool_no_cache in place of its caches.
 */
#ifndef _MPOOL_ALLOC_H
#define _MPOOL_ALLOC_H

#include "fixed.h"

/*
 * Makes the object of a slot live; false if it is not a cached one, after a double free.
 */
static __always_inline bool mpool_slot_claim(const struct mpool_slot *slot,
					     u32 site)
{
	/*
	 * Two CPUs that free one object in the same few cycles may both find it live.
	 * Then it is in two magazines.  The CPU that comes second with its copy finds the
	 * object live here; the copy is dropped and reported.  Only if two CPUs also
	 * allocate both copies in the same few cycles do they share the object.  A locked
	 * instruction in the free would exclude that, and cost 20 cycles in each free.
	 */
	if (unlikely(!mpool_obj_cached_at(slot->state)))
		return false;
	WRITE_ONCE(*slot->state, site);
	return true;
}

/*
 * Allocates an object from the loaded magazine; false if the magazine is empty or the
 * cache in use.  The object is not cleared.
 */
static __always_inline bool mpool_alloc_fast(struct mpool_fixed *fixed,
					     u32 site, void **obj)
{
	struct mpool_cache *cache = this_cpu_ptr(mpool_read(fixed->alloc_cache));
	struct mpool_slot *slot;

	if (unlikely(!mpool_cache_try(cache)))
		return false;
	slot = cache->top - 1;
	/*
	 * No object: mpool_no_object is in front of the first slot.  Or an object that
	 * was freed twice, which the slow path reports.
	 */
	if (unlikely(!mpool_slot_claim(slot, site))) {
		mpool_cache_leave(cache);
		return false;
	}
	*obj = slot->obj;
	/*
	 * After the store to the state, which may change anything as far as gcc knows: so
	 * gcc decrements top in memory, and does not keep it in a register.
	 */
	cache->top--;
	cache->allocs++;
	mpool_cache_leave(cache);
	return true;
}

/*
 * Puts the object that begins at @obj in @chunk into the loaded magazine; false if that
 * is not possible.  If the address is in no chunk, @chunk has no objects.  That is
 * detected before @fixed is dereferenced.
 */
static __always_inline bool mpool_free_fast(struct mpool_fixed *fixed,
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
	OPTIMIZER_HIDE_VAR(state);	/* or gcc computes it at each use */
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

void *mpool_alloc_slow(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
void *mpool_alloc_special(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
void *mpool_alloc_clear(struct mpool_fixed *fixed, void *obj, gfp_t gfp);
bool mpool_free_slow(struct mpool_fixed *fixed, struct mpool_chunk *chunk,
		     void *obj, enum mpool_free_mode how, unsigned long ip);

/* The whole fast path of an allocation with plain flags; false if it is refused. */
static __always_inline bool mpool_alloc_plain(struct mpool_fixed *fixed,
					      gfp_t gfp, u32 site, void **obj)
{
	bool done;

	mpool_might_alloc(gfp);
	preempt_disable();
	done = mpool_alloc_fast(fixed, site, obj);
	preempt_enable();
	return done;
}

/* Allocates an object with plain flags, by the fast path if possible. */
static __always_inline void *mpool_alloc_plain_object(struct mpool_fixed *fixed,
						      gfp_t gfp, u32 site)
{
	void *obj;

	if (unlikely(!mpool_alloc_plain(fixed, gfp, site, &obj)))
		return mpool_alloc_slow(fixed, gfp, site);
	return want_init_on_alloc(0) ? mpool_alloc_clear(fixed, obj, gfp) : obj;
}

/* The same with any flags. */
static __always_inline void *mpool_alloc_object(struct mpool_fixed *fixed,
						gfp_t gfp, u32 site)
{
	if (unlikely(gfp & __MPOOL_GFP_ODD))
		return mpool_alloc_special(fixed, gfp, site);
	return mpool_alloc_plain_object(fixed, gfp, site);
}

#endif /* _MPOOL_ALLOC_H */
