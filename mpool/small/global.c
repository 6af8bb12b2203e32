// SPDX-License-Identifier: GPL-2.0-only
/*
 * The global pool: mpool_malloc(), mpool_free(), new and delete.
 *
 * Structure: global is the address of the pool behind mpool_malloc(), and a bit,
 * GLOBAL_OPEN, that is set until the pool is used.  The first allocation, in whatever
 * context, clears the bit by one cmpxchg.  Until then mpool_set_global() may put another
 * pool there.  At first it is the built-in pool, which is ready since mpool was loaded.
 * A pool has all its regular classes before its address is stored in global.
 *
 * mpool_free() does not use the global pool: the page map leads from the address to its
 * pool.
 *
 * Invariant: without the bit, global never changes again.  The pool in global has one
 * more user, so it cannot be destroyed.
 *
 * Locking: none; global changes by cmpxchg only.
 */
#include <linux/module.h>
#include <linux/overflow.h>

#include "global.h"
#include "alloc.h"

/* Set in global until the pool is used. */
#define GLOBAL_OPEN	1ul

static unsigned long global;
static struct mpool_small *builtin;	/* constant after init */

/* The global pool, once it cannot change any more; NULL until then. */
static struct mpool_small *ready;

static noinline struct mpool_small *global_decide(void)
{
	unsigned long was = READ_ONCE(global);

	while (was & GLOBAL_OPEN)
		if (try_cmpxchg(&global, &was, was & ~GLOBAL_OPEN))
			break;
	WRITE_ONCE(ready, (struct mpool_small *)(was & ~GLOBAL_OPEN));
	return (struct mpool_small *)(was & ~GLOBAL_OPEN);
}

struct mpool_small *mpool_global(void)
{
	unsigned long is = READ_ONCE(global);

	return likely(!(is & GLOBAL_OPEN)) ? (struct mpool_small *)is :
					     global_decide();
}
EXPORT_SYMBOL_GPL(mpool_global);

/* Puts a pool into *@at, if that is open.  The caller is a user of the pool. */
static int offer_used(unsigned long *at, struct mpool_small *pool)
{
	unsigned long was = READ_ONCE(*at);
	struct mpool_small *old;
	int err = -EBUSY;

	/* The first allocation may be in any context, so it cannot make the classes. */
	if (was & GLOBAL_OPEN)
		err = mpool_small_make_classes(pool);
	if (err)
		return err;
	do {
		if (!(was & GLOBAL_OPEN))
			return -EBUSY;
	} while (!try_cmpxchg(at, &was, (unsigned long)pool | GLOBAL_OPEN));
	old = (struct mpool_small *)(was & ~GLOBAL_OPEN);
	/* For messages only: after two offers at once both pools may have it set. */
	WRITE_ONCE(old->base.global, false);
	WRITE_ONCE(pool->base.global, true);
	mpool_pool_unuse(&old->base);
	return 0;
}

/* mpool_set_global() for a word like global; tests have one of their own. */
int mpool_global_offer(unsigned long *at, struct mpool_small *pool,
		       unsigned long ip)
{
	const char *why = "out of memory for its classes", *by = mpool_no_change();
	int err;

	if (IS_ERR_OR_NULL(pool))
		return mpool_pool_none("small", pool, ip);
	if (by) {
		pr_err_ratelimited("small pool %p cannot be made the global pool by %s; called from %pS\n",
				   pool, by, (void *)ip);
		return -EINVAL;
	}
	if (!mpool_pool_use(MPOOL_KIND_SMALL, pool)) {
		pr_err_ratelimited("small pool %p cannot be the global pool: there is no such pool, or it was destroyed; called from %pS\n",
				   pool, (void *)ip);
		return -EINVAL;
	}
	err = offer_used(at, pool);
	if (!err)
		return 0;
	if (err == -EBUSY)
		why = "the global pool is in use already";
	pr_err_ratelimited("small pool \"%s\" cannot be the global pool: %s; called from %pS\n",
			   pool->base.name, why, (void *)ip);
	mpool_pool_unuse(&pool->base);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_global_offer);

int mpool_set_global(struct mpool_small *pool)
{
	return mpool_global_offer(&global, pool, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_set_global);

/*
 * All requests that the fast path does not serve: the first use of the pool, of a class
 * or of a site, and sizes that have no class.
 */
static noinline void *malloc_slow(size_t size, gfp_t gfp,
				  struct mpool_site *site)
{
	return mpool_small_do_alloc(mpool_global(), size, gfp, site);
}

/*
 * Allocates an object of a class.  A request that is not plain goes to malloc_slow(),
 * which knows the classes that stand in for others.
 */
static __always_inline void *malloc_from(struct mpool_fixed *fixed, size_t size,
					 gfp_t gfp, struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);
	void *obj;

	if (unlikely(!id || (gfp & __MPOOL_GFP_ODD) ||
		     !mpool_alloc_plain(fixed, gfp, id, &obj)))
		return malloc_slow(size, gfp, site);
	return want_init_on_alloc(0) ? mpool_alloc_clear(fixed, obj, gfp) : obj;
}

static __always_inline struct mpool_fixed *class_of(unsigned int class)
{
	struct mpool_small *pool = READ_ONCE(ready);

	return likely(pool) ? READ_ONCE(pool->classes[class]) : NULL;
}

void *mpool_malloc_at(size_t size, gfp_t gfp, struct mpool_site *site)
{
	struct mpool_fixed *fixed;

	/* For size 0 the difference is beyond all classes. */
	if (unlikely(size - 1 >= SMALL_MAX))
		return malloc_slow(size, gfp, site);
	fixed = class_of(mpool_small_class(size));
	if (unlikely(!fixed))
		return malloc_slow(size, gfp, site);
	return malloc_from(fixed, size, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_malloc_at);

void *__mpool_malloc_at(unsigned int class, size_t size, gfp_t gfp,
			struct mpool_site *site)
{
	struct mpool_fixed *fixed;

	/* A wrong @class costs speed only: it is checked here. */
	if (unlikely(class >= SMALL_CLASSES))
		return malloc_slow(size, gfp, site);
	fixed = class_of(class);
	if (unlikely(!fixed || size > fixed->chunks.size))
		return malloc_slow(size, gfp, site);
	return malloc_from(fixed, size, gfp, site);
}
EXPORT_SYMBOL_GPL(__mpool_malloc_at);

void *mpool_malloc_array_at(size_t n, size_t size, gfp_t gfp,
			    struct mpool_site *site)
{
	struct mpool_small *pool = mpool_global();
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes))) {
		mpool_pool_failed(&pool->base, SIZE_MAX, gfp,
				  mpool_site_id(site));
		return NULL;
	}
	return mpool_small_do_alloc(pool, bytes, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_malloc_array_at);

void *mpool_realloc_at(const void *p, size_t size, gfp_t gfp,
		       struct mpool_site *site)
{
	struct mpool_small *pool;

	if (ZERO_OR_NULL_PTR(p))
		return mpool_small_do_alloc(mpool_global(), size, gfp, site);
	pool = mpool_small_of(p);
	if (pool)
		return mpool_small_realloc_at(pool, p, size, gfp, site);
	mpool_pool_bad_free(NULL, p, MPOOL_BAD_REALLOC, _RET_IP_);
	return NULL;
}
EXPORT_SYMBOL_GPL(mpool_realloc_at);

/*
 * Frees an address that the fast path has refused, from the start.  Preemption is off;
 * enables it.
 */
static noinline void free_slow(const void *p, unsigned long ip)
{
	struct mpool_chunk *chunk = mpool_chunk_find(p);

	if (chunk) {
		mpool_fixed_do_free(chunk, (void *)p, MPOOL_FREE_PLAIN, ip);
		return;
	}
	preempt_enable();
	if (!ZERO_OR_NULL_PTR(p))
		mpool_free_run(NULL, p, ip);
}

void __mpool_free(const void *p)
{
	struct mpool_chunk *chunk;

	preempt_disable();
	chunk = mpool_chunk_near(p);
	if (likely(mpool_free_fast(chunk->at.fixed, NULL, chunk, p)))
		preempt_enable();
	else
		free_slow(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__mpool_free);

int mpool_global_init(void)
{
	int err;

	builtin = mpool_small_create("global", NULL);
	if (IS_ERR(builtin))
		return PTR_ERR(builtin);
	err = mpool_small_make_classes(builtin);
	if (err)
		return err;
	builtin->base.global = true;
	atomic_inc(&builtin->base.users);
	global = (unsigned long)builtin | GLOBAL_OPEN;
	return 0;
}
