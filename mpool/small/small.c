// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small pools: objects of any size.
 *
 * Structure: a size up to SMALL_MAX is rounded up to a size class: multiples of 8 up to
 * 512 bytes, then 64 sizes for each doubling.  A class is a fixed pool.  A larger size is
 * a run of pages of the large pool.  Both are charged to the small pool, which is their
 * owner.
 *
 *	1..8 9..16 ... 505..512 | 513..520 ... 1017..1024 | ... 8192 | runs
 *
 * A class is made when it is needed, so few of them exist; classes.c decides which of the
 * existing classes serves a size.
 *
 * Only classes of a power of two may have a reserve.  A class that is empty and cannot
 * grow takes objects from the reserves of its own size and of larger sizes.
 *
 * Alignment is as that of kmalloc(): an object of a size that 2^n divides begins at a
 * multiple of 2^n.  For that the size of its class must be divisible by 2^n, too.  This
 * is true for its own class and for its regular one.  A larger class that stands in, where
 * no class can be made, is chosen for it.
 *
 * Invariant, checked by mpool_small_verify():
 *	that of each class; classes[] has for a size its own class, its regular class, or
 *	NULL; a class among backups[] has its size and a reserve.
 * Not checked: an object is in a class that is as large as its size or larger, or a run.
 *
 * Locking: none of its own; classes[] is that of classes.c.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "alloc.h"
#include "small.h"

/* Allocates a run for a size, aligned as by kmalloc(), and to a page at least. */
static noinline void *alloc_run(struct mpool_small *small, size_t size,
				gfp_t gfp, u32 site, bool room)
{
	size_t real, align = 1ul << __ffs(size);

	might_alloc(gfp);
	if (!mpool_pool_gfp_ok(&small->base, gfp, small->large->zone, site))
		return NULL;
	align = max_t(size_t, align, PAGE_SIZE);
	if (room)
		return mpool_large_object_room(small->large, &small->base, size, align,
					       &real, gfp, site);
	return mpool_large_object(small->large, &small->base, size, align, &real, gfp,
				  site);
}

/*
 * Is a size a run?  Yes beyond SMALL_MAX; but a run cannot come from a reserve, so there
 * are classes up to SMALL_RESERVE_MAX if that size has a reserve.
 */
static __always_inline bool size_is_run(const struct mpool_small *small, size_t size)
{
	return unlikely(size > SMALL_MAX) &&
	       (size > SMALL_RESERVE_MAX ||
		!READ_ONCE(small->backups[MPOOL_BACKUPS - 1]));
}

/* Allocates an object, for a caller or for the pool above. */
void *mpool_small_do_alloc(struct mpool_small *small, size_t size, gfp_t gfp,
			   struct mpool_site *site)
{
	u32 id = mpool_site_id(site);
	struct mpool_fixed *fixed;
	unsigned int class;
	void *obj;

	if (unlikely(!size))
		return ZERO_SIZE_PTR;
	if (size_is_run(small, size))
		return alloc_run(small, size, gfp, id, false);
	class = mpool_small_class(size);
	fixed = READ_ONCE(small->classes[class]) ?:
		mpool_class_first(small, class, gfp);
	if (unlikely(!fixed)) {
		/* With __GFP_NOFAIL the allocation waits for a run, never for a class. */
		if (mpool_gfp_nofail(gfp))
			return alloc_run(small, size, gfp, id, false);
		mpool_large_failed_cached(small->large, &small->base, size, 1, gfp, id, 0);
		return NULL;
	}
	if (likely(!(gfp & __MPOOL_GFP_ODD) && mpool_alloc_plain(fixed, gfp, id, &obj)))
		return want_init_on_alloc(0) ? mpool_alloc_clear(fixed, obj, gfp) : obj;
	/* If the regular class would have to grow, the size may get a class of its own. */
	if (fixed->class != class && mpool_fixed_is_empty(fixed))
		fixed = mpool_class_refill(small, class, fixed, gfp);
	return mpool_fixed_do_alloc(fixed, gfp, id);
}

static __always_inline int small_check(const struct mpool_small *pool)
{
	return mpool_pool_check("small", pool);
}

void *mpool_small_alloc_at(struct mpool_small *pool, size_t size, gfp_t gfp,
			   struct mpool_site *site)
{
	return small_check(pool) ? NULL :
		mpool_small_do_alloc(pool, size, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_small_alloc_at);

/*
 * Frees the run that begins at @p, if it belongs to @pool.  If @pool is NULL, it may
 * belong to any pool but a string pool.  Reports any other address as a bad free.
 */
noinline void mpool_free_run(struct mpool_pool *pool, const void *p, unsigned long ip)
{
	enum mpool_bad_free why = MPOOL_BAD_FREE_ADDRESS;
	struct mpool_pool *owner;
	struct mpool_page *pg;
	bool done = false;

	rcu_read_lock();
	pg = mpool_large_lookup(p);
	owner = pg ? mpool_page_owner(pg) : NULL;
	if (owner && (pool ? owner == pool : owner->ops->kind != MPOOL_KIND_STRING)) {
		/* If this fails, another caller has freed the run since the lookup. */
		done = mpool_large_free_object(pg, owner);
		why = MPOOL_BAD_FREE_TWICE;
	}
	if (!done)
		mpool_pool_bad_free(pool ?: owner, p, why, ip);
	rcu_read_unlock();
}

/* Frees an object if it is a live object of the pool.  Any context, any value. */
void mpool_small_do_free(struct mpool_small *pool, const void *p,
			 enum mpool_free_mode how, unsigned long ip)
{
	struct mpool_chunk *chunk;

	preempt_disable();
	chunk = mpool_chunk_find(p);
	if (likely(chunk && chunk->at.fixed->owner == &pool->base)) {
		mpool_fixed_do_free(chunk, (void *)p, how, ip);
		return;
	}
	preempt_enable();
	mpool_free_run(&pool->base, p, ip);
}

void __mpool_small_free(struct mpool_small *pool, const void *p)
{
	if (ZERO_OR_NULL_PTR(p) || small_check(pool))
		return;
	mpool_small_do_free(pool, p, MPOOL_FREE_PLAIN, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__mpool_small_free);

/*
 * The small pool that a live object belongs to, or NULL.  @p may be any value.  The
 * caller may use the pool as long as it owns the object.
 */
struct mpool_small *mpool_small_of(const void *p)
{
	struct mpool_small *small = NULL;
	struct mpool_pool *owner;

	/* The pool of an object that the caller does not own may end at any moment. */
	rcu_read_lock();
	owner = mpool_object_owner(p);
	if (owner && owner->ops->kind == MPOOL_KIND_SMALL)
		small = to_small(owner);
	rcu_read_unlock();
	return small;
}

/*
 * The size of the class for an object of @had bytes that grows to @size.  It gets room to
 * grow further, half of what it had, so all the bytes that are copied are at most three
 * times the final size.  Not beyond the classes, and not where memory is limited.
 */
static size_t size_with_room(const struct mpool_small *pool, size_t had, size_t size)
{
	const struct mpool_large *large = pool->large;
	size_t room = max(size, had + had / 2);

	if (size <= had || size > SMALL_MAX || !large->source->system || large->limit)
		return size;
	/* Aligned as @size is. */
	return min_t(size_t, round_up(room, size & -size), SMALL_MAX);
}

/*
 * resize_in_place() for object @i of a chunk.  If the object is freed meanwhile, which is
 * a mistake of the driver, the chunk may be gone, and a chunk of another pool in its
 * place: so this checks the owner, also if the caller has done so.  Preemption is off, so
 * @chunk stays.
 */
static __always_inline bool resize_object(struct mpool_small *pool,
					  struct mpool_chunk *chunk, u32 i,
					  size_t size, u32 site)
{
	const struct mpool_fixed *fixed = chunk->at.fixed;
	size_t has = mpool_read(fixed->chunks.size);
	u16 *state = &chunk->state[i], old;

	if (fixed->owner != &pool->base || size > has)
		return false;
	/*
	 * It moves if that saves half, which is more than the room to grow, and if
	 * another class would serve it.
	 */
	if (unlikely(size <= has / 2) && mpool_large_touchable(pool->large) &&
	    READ_ONCE(pool->classes[mpool_small_class(size)]) != fixed)
		return false;
	/* The object is of the call site of the realloc now. */
	old = READ_ONCE(*state);
	return old == site ||
	       (mpool_obj_live(old) && cmpxchg(state, old, site) == old);
}

/*
 * Changes the size of a live object in place; false if the object has to move.  An object
 * in device memory cannot be moved, because it cannot be copied.  So it always shrinks in
 * place, even if that wastes much memory.
 */
static bool resize_in_place(struct mpool_small *pool, const void *p,
			    size_t size, u32 site)
{
	struct mpool_chunk *chunk;
	struct mpool_page *pg;
	bool done = false;
	u32 i;

	rcu_read_lock();
	preempt_disable();
	chunk = mpool_chunk_find(p);
	if (chunk) {
		i = mpool_chunk_index(chunk, (unsigned long)p);
		done = i < chunk->at.nr && resize_object(pool, chunk, i, size, site);
	} else if (size > SMALL_MAX || !mpool_large_touchable(pool->large)) {
		pg = mpool_large_lookup(p);
		done = pg && mpool_page_owner(pg) == &pool->base &&
		       !mpool_large_resize(pg, &pool->base, size, site);
	}
	preempt_enable();
	rcu_read_unlock();
	return done;
}

/*
 * The fast path of resize_in_place(), which calls nothing: an object of the linear map that
 * stays in its class, or in the pages of its run.
 */
static __always_inline bool resize_quick(struct mpool_small *pool, const void *p,
					 size_t size, u32 site)
{
	struct mpool_chunk *chunk;
	bool done;
	u32 i;

	preempt_disable();
	chunk = mpool_chunk_near(p);
	i = mpool_chunk_index(chunk, (unsigned long)p);
	if (i < chunk->at.nr)
		done = resize_object(pool, chunk, i, size, site);
	else
		done = size > SMALL_MAX &&
		       mpool_large_resize_quick((unsigned long)chunk, (unsigned long)p,
						&pool->base, size, site);
	preempt_enable();
	return done;
}

/*
 * Moves a live object of @had bytes to a new one of @size bytes; NULL if it cannot be
 * moved.  Device memory is not copied.
 */
static void *move(struct mpool_small *pool, const void *p, size_t had,
		  size_t size, gfp_t gfp, struct mpool_site *site)
{
	size_t room = size_with_room(pool, had, size);
	void *new = NULL;

	/* An orphan does not grow. */
	if (READ_ONCE(pool->dead)) {
		pr_warn_ratelimited("small pool \"%s\": it was destroyed, its objects cannot grow to %zu bytes\n",
				    pool->base.name, size);
		return NULL;
	}
	/* With __GFP_ZERO all bytes are cleared here; then the old bytes are copied. */
	if (room != size)
		new = mpool_small_do_alloc(pool, room, mpool_gfp_try(gfp), site);
	else if (size > had && size_is_run(pool, size))
		new = alloc_run(pool, size, gfp, mpool_site_id(site), true);
	if (!new)
		new = mpool_small_do_alloc(pool, size, gfp, site);
	if (!new)
		return NULL;
	/*
	 * This is checked after the allocation, because the region may have been added
	 * just before it, and @new may be the first device memory of the pool.
	 */
	if (!mpool_large_touchable(pool->large)) {
		pr_warn_ratelimited("small pool \"%s\": device memory is never touched, an object cannot be moved to grow to %zu bytes\n",
				    pool->base.name, size);
		mpool_small_do_free(pool, new, MPOOL_FREE_PLAIN, _RET_IP_);
		return NULL;
	}
	memcpy(new, p, min(had, size));
	mpool_small_do_free(pool, p, MPOOL_FREE_PLAIN, _RET_IP_);
	return new;
}

/*
 * All requests that the fast path does not serve, with the checks of the arguments.  @ip is
 * in the caller of the public function.
 */
static noinline void *realloc_slow(struct mpool_small *pool, const void *p,
				   size_t size, gfp_t gfp, struct mpool_site *site,
				   unsigned long ip)
{
	struct mpool_found found;

	if (IS_ERR_OR_NULL(pool)) {
		mpool_pool_none("small", pool, ip);
		return NULL;
	}
	if (ZERO_OR_NULL_PTR(p))
		return mpool_small_do_alloc(pool, size, gfp, site);
	if (!size) {
		mpool_small_do_free(pool, p, MPOOL_FREE_PLAIN, ip);
		return ZERO_SIZE_PTR;
	}
	found = mpool_object_find(p);
	if (found.owner != &pool->base) {
		mpool_pool_bad_free(&pool->base, p, MPOOL_BAD_REALLOC, ip);
		return NULL;
	}
	if (!mpool_large_zero_ok(pool->large, &pool->base, gfp) ||
	    !mpool_pool_gfp_ok(&pool->base, gfp, pool->large->zone, mpool_site_id(site)))
		return NULL;
	if (resize_in_place(pool, p, size, mpool_site_id(site))) {
		/* Clear the new bytes, if @gfp wants that, up to the usable size. */
		if (size > found.size)
			mpool_large_zero(pool->large, (void *)p, found.size,
					 mpool_object_size(p), gfp);
		return (void *)p;
	}
	return move(pool, p, found.size, size, gfp, site);
}

void *mpool_small_realloc_at(struct mpool_small *pool, const void *p,
			     size_t size, gfp_t gfp, struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	/* The fast path needs flags that need no check and clear nothing. */
	if (likely(id && size && !mpool_pool_bad(pool) && !(gfp & __MPOOL_GFP_ODD) &&
		   !want_init_on_alloc(0) && resize_quick(pool, p, size, id)))
		return (void *)p;
	return realloc_slow(pool, p, size, gfp, site, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_small_realloc_at);

bool mpool_small_owns(struct mpool_small *pool, const void *p)
{
	return !IS_ERR_OR_NULL(pool) && mpool_small_of(p) == pool;
}
EXPORT_SYMBOL_GPL(mpool_small_owns);

/*
 * The size is rounded up to a power of two, and the class of that size gets the reserve.
 * Any smaller size can be served by this reserve.  Since that class exists from now on,
 * no class that serves a smaller size is larger, and so too large for the reserve.
 */
int mpool_small_reserve(struct mpool_small *pool, size_t size, unsigned int n,
			gfp_t gfp)
{
	struct mpool_fixed *fixed;
	unsigned int class;
	int err;

	if (small_check(pool) ||
	    !mpool_reserve_gfp_ok(&pool->base, pool->large, gfp))
		return -EINVAL;
	might_sleep();
	if (!size || size > SMALL_RESERVE_MAX) {
		mpool_refuse(pool->base.ops, pool->base.name,
			     "a reserve has objects of 1 to %u bytes, not of %zu",
			     SMALL_RESERVE_MAX, size);
		return -EINVAL;
	}
	size = max_t(size_t, SMALL_RESERVE_MIN, roundup_pow_of_two(size));
	class = mpool_small_class(size);
	fixed = mpool_small_own(pool, class) ?:
		mpool_class_make(pool, class, NULL, gfp);
	if (!fixed)
		return -ENOMEM;
	err = mpool_fixed_set_reserve(fixed, n, gfp);
	if (!err)
		WRITE_ONCE(pool->backups[ilog2(size / SMALL_RESERVE_MIN)], fixed);
	return err;
}
EXPORT_SYMBOL_GPL(mpool_small_reserve);

/* --- the whole pool --- */

/* The sums over the classes, and the runs; approximate, as mpool_fixed_count(). */
void mpool_small_count(struct mpool_pool *pool, struct mpool_count *count)
{
	/* The pages that are in no chunk are those of the live runs: all are usable. */
	long pages = atomic_long_read(&pool->pages);
	struct mpool_small *small = to_small(pool);
	struct mpool_fixed *fixed;
	struct mpool_count one;
	unsigned int i;

	/* The stats of a small pool count its runs.  Frees first, as in sum_caches(). */
	*count = (struct mpool_count){
		.frees = mpool_stat_read(&pool->stats, MPOOL_STAT_FREE),
	};
	count->allocs = mpool_stat_read(&pool->stats, MPOOL_STAT_ALLOC);
	count->live = max_t(s64, 0, count->allocs - count->frees);
	count->capacity = count->live;
	mpool_small_for_each(small, i, fixed) {
		mpool_fixed_count(fixed, &one);
		count->allocs += one.allocs;
		count->frees += one.frees;
		count->live += one.live;
		count->live_bytes += one.live_bytes;
		count->capacity += one.capacity;
		pages -= READ_ONCE(fixed->chunks.nr_pages);
	}
	if (pages > 0)
		count->live_bytes += (size_t)pages << PAGE_SHIFT;
}

int mpool_small_walk(struct mpool_pool *pool, mpool_visit_fn fn, void *arg)
{
	struct mpool_small *small = to_small(pool);
	struct mpool_fixed *fixed;
	unsigned int i;
	int ret;

	mpool_small_for_each(small, i, fixed) {
		ret = mpool_chunks_walk(&fixed->chunks, fn, arg);
		if (ret)
			return ret;
	}
	return mpool_large_walk_owner(small->large, pool, fn, arg);
}

/* Frees the live objects; if @mod is not NULL, only those that its sites allocated. */
static size_t small_reclaim(struct mpool_pool *pool, const struct module *mod)
{
	struct mpool_small *small = to_small(pool);
	struct mpool_fixed *fixed;
	size_t count = 0;
	unsigned int i;

	mpool_small_for_each(small, i, fixed)
		count += mpool_fixed_drop(fixed, mod);
	return count + mpool_large_drop_owner(small->large, pool, mod);
}

/* Turns off everything but frees, for a pool that ends or becomes an orphan. */
void mpool_small_kill(struct mpool_small *small)
{
	struct mpool_fixed *fixed;
	unsigned int i;

	/* The barrier pairs with the one in mpool_class_make(). */
	smp_store_mb(small->dead, true);
	mpool_small_for_each(small, i, fixed)
		mpool_fixed_kill(fixed);
}

/* Ends a pool that no caller can find any more; live objects keep their memory. */
void mpool_small_teardown(struct mpool_small *small)
{
	struct mpool_fixed *fixed;
	unsigned int i;

	mpool_small_for_each(small, i, fixed)
		mpool_fixed_teardown(fixed);
	/* If runs are still live, the large pool becomes their owner. */
	if (mpool_stat_read(&small->base.stats, MPOOL_STAT_ALLOC) !=
	    mpool_stat_read(&small->base.stats, MPOOL_STAT_FREE))
		mpool_large_adopt(small->large, &small->base);
	mpool_pool_unuse(&small->large->base);
	/* A lookup that has found an object of a class may still access the pool. */
	synchronize_rcu();
	kfree(small);
}

/* Number of breaches of the invariants, in a pool that is at rest. */
int mpool_small_verify(struct mpool_small *small)
{
	struct mpool_fixed *fixed;
	unsigned int i;
	int bad = 0;

	for (i = 0; i < SMALL_CLASSES; i++) {
		fixed = small->classes[i];
		bad += mpool_broken(fixed && fixed->class != i &&
				    fixed->class != mpool_class_regular(i));
	}
	for (i = 0; i < MPOOL_BACKUPS; i++) {
		fixed = small->backups[i];
		bad += mpool_broken(fixed && !fixed->reserved);
		bad += mpool_broken(fixed &&
				    fixed->chunks.size != SMALL_RESERVE_MIN << i);
	}
	mpool_small_for_each(small, i, fixed) {
		bad += mpool_fixed_verify(fixed);
		bad += mpool_broken(fixed->chunks.size !=
				    mpool_small_class_size(i));
		bad += mpool_broken(fixed->owner != &small->base);
	}
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_small_verify);

static int small_verify(struct mpool_pool *pool)
{
	return mpool_small_verify(to_small(pool));
}

size_t mpool_small_footprint(struct mpool_pool *pool)
{
	struct mpool_small *small = to_small(pool);
	size_t bytes = kmalloc_size_roundup(sizeof(*small));
	struct mpool_fixed *fixed;
	unsigned int i;

	mpool_small_for_each(small, i, fixed)
		bytes += mpool_fixed_footprint(fixed);
	return bytes;
}

static void small_dispose(struct mpool_pool *pool)
{
	mpool_small_teardown(to_small(pool));
}

/* Ends a pool after the report, or makes an orphan of it. */
static void small_finish(struct mpool_pool *pool, bool keep)
{
	struct mpool_small *small = to_small(pool);

	/*
	 * Only the global pool has a user.  It serves all modules, so the unload of the
	 * module that created it does not end it.
	 */
	if (atomic_read(&pool->users))
		return;
	mpool_small_kill(small);
	if (keep) {
		mpool_pool_orphan(pool);
		return;
	}
	mpool_pool_unregister(pool);
	small_reclaim(pool, NULL);
	mpool_small_teardown(small);
}

static const struct mpool_pool_ops small_ops = {
	.kind = MPOOL_KIND_SMALL,
	.kind_name = "small",
	.count = mpool_small_count,
	.walk = mpool_small_walk,
	.verify = small_verify,
	.footprint = mpool_small_footprint,
	.reclaim = small_reclaim,
	.finish = small_finish,
	.dispose = small_dispose,
};

/*
 * Creates a pool that is not registered yet, at the begin of @bytes of memory.  A string
 * pool begins with a small pool, and passes its own size.
 */
struct mpool_small *mpool_small_setup(const char *name,
				      const struct mpool_small_args *args,
				      const struct mpool_pool_ops *ops,
				      size_t bytes, struct mpool_site *site)
{
	struct mpool_small *small = kzalloc(bytes, GFP_KERNEL);
	int err;

	if (!small)
		return ERR_PTR(-ENOMEM);
	err = mpool_pool_init(&small->base, name, ops, args->on_leak, site);
	if (!err && (args->flags & ~MPOOL_SMALL_NO_CACHE)) {
		mpool_refuse(small->base.ops, name, "flags are unknown");
		err = -EINVAL;
	}
	if (!err) {
		small->large = mpool_large_use(small->base.ops, name, args->large);
		err = PTR_ERR_OR_ZERO(small->large);
	}
	if (err) {
		kfree(small);
		return ERR_PTR(err);
	}
	if (args->flags & MPOOL_SMALL_NO_CACHE)
		small->flags = MPOOL_FIXED_NO_CACHE;
	small->base.below = &small->large->base;
	return small;
}

struct mpool_small *__mpool_small_create(const char *name,
					 const struct mpool_small_args *args,
					 struct mpool_site *site)
{
	static const struct mpool_small_args none;
	struct mpool_small *small;
	int err;

	err = mpool_create_check("small", name, args);
	if (err)
		return ERR_PTR(err);
	small = mpool_small_setup(name, args ?: &none, &small_ops,
				  sizeof(*small), site);
	if (IS_ERR(small))
		return small;
	err = mpool_pool_register(&small->base);
	if (err) {
		mpool_small_teardown(small);
		return ERR_PTR(err);
	}
	return small;
}
EXPORT_SYMBOL_GPL(__mpool_small_create);

/* A small pool has no destructors, so it need not be closed as a fixed pool. */
void mpool_small_clear(struct mpool_small *pool)
{
	struct mpool_fixed *fixed;
	unsigned int i;

	if (small_check(pool) || !mpool_pool_may_change(&pool->base, "cleared"))
		return;
	/* The global pool has the objects of all drivers. */
	if (atomic_read(&pool->base.users)) {
		pr_err_ratelimited("small pool \"%s\" is not cleared: it is the global pool\n",
				   pool->base.name);
		return;
	}
	small_reclaim(&pool->base, NULL);
	mpool_small_for_each(pool, i, fixed)
		mpool_fixed_drain(fixed);
}
EXPORT_SYMBOL_GPL(mpool_small_clear);

size_t __mpool_small_destroy(struct mpool_small *pool)
{
	size_t leaks;

	if (IS_ERR_OR_NULL(pool) ||
	    !mpool_pool_claim(&small_ops, pool, _RET_IP_))
		return 0;
	/* After the claim: mpool_pool_use() adds no user to a claimed pool. */
	if (atomic_read(&pool->base.users)) {
		pr_err_ratelimited("small pool \"%s\" is not destroyed: it is the global pool; called from %pS\n",
				   pool->base.name, (void *)_RET_IP_);
		mpool_pool_unclaim(&pool->base);
		return 0;
	}
	leaks = mpool_pool_leaks(&pool->base);
	small_finish(&pool->base, leaks && mpool_pool_keeps(&pool->base));
	return leaks;
}
EXPORT_SYMBOL_GPL(__mpool_small_destroy);
