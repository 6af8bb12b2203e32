// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public functions for runs of pages: alloc, realloc, free, and lookups of addresses.
 *
 * Structure: no data of its own.  The fast paths of alloc and free use the quick lists
 * directly.  The slow paths check all arguments; then large.c does the work.
 *
 * Invariant: a call that is refused changes no run, for any values of its arguments.
 *
 * Locking: an RCU read-side section around each lookup, until the run that was found is
 * known to belong to the caller, or is claimed.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hooks.h"
#include "large.h"
#include "site.h"

static noinline void align_say(const struct mpool_large *pool, size_t align, u32 site)
{
	char text[112];

	mpool_site_print(site, text, sizeof(text));
	pr_warn_ratelimited("large pool \"%s\": alignment %zu, by %s, is not a power of two\n",
			    pool->base.name, align, text);
}

static noinline void *alloc_slow(struct mpool_large *pool, size_t size,
				 size_t align, size_t *real, gfp_t gfp,
				 struct mpool_site *site)
{
	size_t usable = 0;
	void *p = NULL;

	if (mpool_large_check(pool))
		goto out;
	might_alloc(gfp);
	if (!size)
		p = ZERO_SIZE_PTR;
	else if (!is_power_of_2(align))
		align_say(pool, align, mpool_site_id(site));
	else if (mpool_pool_gfp_ok(&pool->base, gfp, pool->zone, mpool_site_id(site)))
		p = mpool_large_object(pool, &pool->base, size, align, &usable,
				       gfp, mpool_site_id(site));
out:
	if (real)
		*real = usable;
	return p;
}

/*
 * Allocates @pg, which the caller has taken from its quick list, for the pool itself.
 * Any context.
 */
static __always_inline void *quick_alloc(struct mpool_large *pool,
					 struct mpool_page *pg, u32 site,
					 u32 slack)
{
	u32 len = pg->len, tag = pg->tag, index = tag >> MPOOL_TAG_SHIFT;
	struct mpool_arena *arena = mpool_arena_of(pg, index);

	/* Count the run before the store of its state: after that, it may be freed. */
	atomic_inc(&arena->live);
	/* The pool is the owner of each cached run already. */
	WRITE_ONCE(pg->site, site);
	WRITE_ONCE(pg->slack, slack);
	smp_wmb(); /* Pairs with smp_rmb() in mpool_page_owner(). */
	WRITE_ONCE(pg->tag, tag - MPOOL_PAGE_CACHED + MPOOL_PAGE_RUN);
	mpool_pool_charge(&pool->base, len);
	mpool_stat_inc(&pool->base.stats, MPOOL_STAT_ALLOC);
	return (void *)(arena->base + ((unsigned long)index << PAGE_SHIFT));
}

void *mpool_large_alloc_at(struct mpool_large *pool, size_t size, size_t align,
			   size_t *real, gfp_t gfp, struct mpool_site *site)
{
	unsigned long npages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct mpool_page *pg;

	mpool_might_alloc(gfp);
	/*
	 * Each run has an alignment of 1.  If the size is 0, or so large that the sum
	 * above wraps around, npages is 0, and that quick list is always empty.
	 */
	if (unlikely(mpool_pool_bad(pool) || !mpool_read(site->id) ||
		     align != 1 || npages >= mpool_read(pool->takes) ||
		     (gfp & __MPOOL_GFP_ODD)))
		return alloc_slow(pool, size, align, real, gfp, site);
	pg = mpool_quick_pop(mpool_large_quick(pool, npages));
	if (unlikely(!pg))
		return alloc_slow(pool, size, align, real, gfp, site);
	if (real)
		*real = PAGE_ALIGN(size);
	/* The id of the site was not 0 above, so it does not change any more. */
	return quick_alloc(pool, pg, mpool_read(site->id), -size & ~PAGE_MASK);
}
EXPORT_SYMBOL_GPL(mpool_large_alloc_at);

/*
 * Returns the run of @pool that begins at @p, or NULL after a report with the reason
 * @why.  The caller is in an RCU read-side section.
 */
static struct mpool_page *large_own(struct mpool_large *pool, const void *p,
				    enum mpool_bad_free why, unsigned long ip)
{
	struct mpool_page *pg = mpool_large_lookup(p);

	if (pg && mpool_page_owner(pg) == &pool->base)
		return pg;
	mpool_pool_bad_free(&pool->base, p, why, ip);
	return NULL;
}

static noinline void free_slow(struct mpool_large *pool, const void *p,
			       unsigned long ip)
{
	struct mpool_page *pg;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (mpool_pool_bad(pool)) {
		mpool_pool_none("large", pool, ip);
		return;
	}
	rcu_read_lock();
	pg = large_own(pool, p, MPOOL_BAD_FREE_ADDRESS, ip);
	if (pg && !mpool_large_free_object(pg, &pool->base))
		mpool_pool_bad_free(&pool->base, p, MPOOL_BAD_FREE_TWICE, ip);
	rcu_read_unlock();
}

/*
 * Gets the arena, the descriptor and the index of the page at @p; mpool_quick_claim()
 * then finds out whether a run in use begins there.  False if @p is not the start of a
 * page of an arena in the linear map, or if @pool is not the owner in the descriptor.
 */
static __always_inline bool own_near(struct mpool_large *pool, const void *p,
				     struct mpool_arena **arena,
				     struct mpool_page **pg, u32 *index)
{
	unsigned long addr = (unsigned long)p;
	unsigned long entry = mpool_pagemap_near(addr);

	/* mpool_entry_is_arena() has a test for 0, which this entry never is. */
	if (entry == MPOOL_PAGE_NONE || ((struct mpool_spot *)entry)->nr ||
	    !PAGE_ALIGNED(addr))
		return false;
	*arena = (struct mpool_arena *)entry;
	*index = (addr - (*arena)->base) >> PAGE_SHIFT;
	*pg = &(*arena)->pages[*index];
	OPTIMIZER_HIDE_VAR(*pg);	/* computed once, not at each use */
	return mpool_read((*pg)->owner) == &pool->base;
}

/*
 * Caches a run that the caller has claimed by mpool_quick_claim().  False if it must not
 * be cached: the run has the state of mpool_runs_claim() then, and the caller frees it by
 * mpool_large_free_claimed(), or lets it be if it has another owner.  Any context.
 */
static __always_inline bool quick_free(struct mpool_large *pool,
				       struct mpool_arena *arena,
				       struct mpool_page *pg, u32 index)
{
	unsigned long len = mpool_read(pg->len);
	struct mpool_page **quick;

	/*
	 * Load the owner again.  Between the load in own_near() and the claim, a wrong
	 * free by another CPU may have freed the run, and another owner may have
	 * allocated it.
	 */
	if (unlikely(len >= mpool_read(pool->gives) ||
		     mpool_read(pg->owner) != &pool->base))
		goto refuse;
	quick = &arena->runs->quick[len];
	OPTIMIZER_HIDE_VAR(quick);	/* computed once, not at each use */
	if (unlikely(READ_ONCE(*quick)))
		goto refuse;
	if (unlikely(!mpool_run_alone(arena, index, len) ||
		     mpool_run_must_merge(arena, len)))
		goto refuse;
	/*
	 * Uncount and uncharge the run before it is on the list: after that, another CPU
	 * may allocate it, count it and charge it.
	 */
	atomic_dec(&arena->live);
	atomic_long_sub(len, &pool->base.pages);
	if (likely(mpool_quick_push(quick, pg)))
		return true;
	atomic_long_add(len, &pool->base.pages);
	atomic_inc(&arena->live);
refuse:
	mpool_page_set(pg, index, MPOOL_PAGE_FREEING);
	return false;
}

void __mpool_large_free(struct mpool_large *pool, const void *p)
{
	struct mpool_arena *arena;
	struct mpool_page *pg;
	u32 index;

	/* This is an RCU read-side section, too: it keeps the arena, and an orphan. */
	preempt_disable();
	if (unlikely(!own_near(pool, p, &arena, &pg, &index) ||
		     !mpool_quick_claim(pg, index))) {
		preempt_enable();
		free_slow(pool, p, _RET_IP_);
		return;
	}
	if (unlikely(!quick_free(pool, arena, pg, index))) {
		/* The owner does not change any more: the run is claimed. */
		if (unlikely(pg->owner != &pool->base)) {
			mpool_runs_unclaim(pg);
			preempt_enable();
			free_slow(pool, p, _RET_IP_);
			return;
		}
		preempt_enable();
		mpool_large_free_claimed(&pool->base, pg);
		return;
	}
	mpool_stat_inc(&pool->base.stats, MPOOL_STAT_FREE);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(__mpool_large_free);

/* Device memory is not copied: a run of it cannot be moved. */
static void move_refused(struct mpool_large *pool, size_t size, gfp_t gfp, u32 site)
{
	pr_warn_ratelimited("large pool \"%s\": device memory is never touched, a run cannot be moved to grow to %zu bytes\n",
			    pool->base.name, size);
	mpool_pool_failed(&pool->base, size, gfp, site);
}

static void *large_move(struct mpool_large *pool, void *p, size_t had,
			size_t size, size_t align, size_t *real, gfp_t gfp,
			struct mpool_site *site)
{
	const gfp_t plain = gfp & ~__GFP_ZERO;
	void *new;

	if (size > had)
		new = mpool_large_object_room(pool, &pool->base, size, align, real, plain,
					      mpool_site_id(site));
	else
		new = mpool_large_alloc_at(pool, size, align, real, plain, site);
	if (!new)
		return NULL;
	/*
	 * This is checked after the allocation: the region may have been added just before
	 * it, and @new may be the first device memory of the pool.
	 */
	if (!mpool_large_touchable(pool)) {
		mpool_large_free(pool, new);
		move_refused(pool, size, gfp, mpool_site_id(site));
		*real = 0;
		return NULL;
	}
	memcpy(new, p, min(had, *real));
	mpool_large_zero(pool, new, min(had, *real), *real, gfp);
	mpool_large_free(pool, p);
	return new;
}

void *mpool_large_realloc_at(struct mpool_large *pool, void *p, size_t size,
			     size_t *real, gfp_t gfp, struct mpool_site *site)
{
	size_t had = 0, align = 1, usable = 0;
	struct mpool_page *pg;
	int err = -EINVAL;

	if (!real)
		real = &usable;
	if (ZERO_OR_NULL_PTR(p))
		return mpool_large_alloc_at(pool, size, 1, real, gfp, site);
	*real = 0;
	if (mpool_large_check(pool))
		return NULL;
	if (!size) {
		free_slow(pool, p, _RET_IP_);
		return ZERO_SIZE_PTR;
	}
	if (!mpool_pool_gfp_ok(&pool->base, gfp, pool->zone, mpool_site_id(site)) ||
	    !mpool_large_zero_ok(pool, &pool->base, gfp))
		return NULL;
	rcu_read_lock();
	pg = large_own(pool, p, MPOOL_BAD_REALLOC, _RET_IP_);
	if (pg) {
		had = mpool_page_bytes(pg);
		align = mpool_page_align(pg);
		err = mpool_large_resize(pg, &pool->base, size, mpool_site_id(site));
		*real = mpool_page_bytes(pg);
	}
	if (err == -ENOENT)
		mpool_pool_bad_free(&pool->base, p, MPOOL_BAD_REALLOC, _RET_IP_);
	rcu_read_unlock();
	if (err)
		*real = 0;
	if (err == -EINVAL || err == -ENOENT)
		return NULL;
	if (err && !mpool_large_touchable(pool)) {
		move_refused(pool, size, gfp, mpool_site_id(site));
		return NULL;
	}
	if (err)
		return large_move(pool, p, had, size, align, real, gfp, site);
	mpool_large_zero(pool, p, had, *real, gfp);
	return p;
}
EXPORT_SYMBOL_GPL(mpool_large_realloc_at);

bool mpool_large_owns(struct mpool_large *pool, const void *p)
{
	struct mpool_page *pg;
	bool owns;

	rcu_read_lock();
	pg = mpool_large_lookup(p);
	owns = pg && !IS_ERR_OR_NULL(pool) &&
	       mpool_page_owner(pg) == &pool->base;
	rcu_read_unlock();
	return owns;
}
EXPORT_SYMBOL_GPL(mpool_large_owns);

/*
 * Returns the arena of @pool that has the address @p, or NULL.  The page map leads to a
 * chunk, or to the innermost arena, of a nested pool perhaps.  The caller is in an RCU
 * read-side section.
 */
static struct mpool_arena *large_arena(struct mpool_large *pool, const void *p)
{
	unsigned long entry = mpool_pagemap_entry((unsigned long)p);
	struct mpool_arena *arena = NULL;

	if (mpool_entry_is_chunk(entry))
		arena = mpool_page_arena(mpool_hooks.chunk_run(entry));
	else if (mpool_entry_is_arena(entry))
		arena = (struct mpool_arena *)entry;
	while (arena && arena->runs->large != pool)
		arena = arena->within ? mpool_page_arena(arena->within) : NULL;
	return arena;
}

phys_addr_t mpool_large_phys(struct mpool_large *pool, const void *p)
{
	phys_addr_t phys = MPOOL_NO_PHYS;
	struct mpool_arena *arena;

	rcu_read_lock();
	arena = large_arena(pool, p);
	if (arena && arena->phys != MPOOL_NO_PHYS)
		phys = arena->phys + ((unsigned long)p - arena->base);
	else if (arena && arena->virt)
		phys = PFN_PHYS(vmalloc_to_pfn(p)) + offset_in_page(p);
	rcu_read_unlock();
	return phys;
}
EXPORT_SYMBOL_GPL(mpool_large_phys);

dma_addr_t mpool_large_dma(struct mpool_large *pool, const void *p)
{
	dma_addr_t dma = MPOOL_NO_DMA;
	struct mpool_arena *arena;

	rcu_read_lock();
	arena = large_arena(pool, p);
	if (arena && arena->dma != MPOOL_NO_DMA)
		dma = arena->dma + ((unsigned long)p - arena->base);
	rcu_read_unlock();
	return dma;
}
EXPORT_SYMBOL_GPL(mpool_large_dma);
