// SPDX-License-Identifier: GPL-2.0-only
/*
 * The global pool: mpool_malloc(), mpool_free(), new and delete.
 *
 * Structure: global is the pool behind mpool_malloc(), and one bit that says
 * that nobody has used it yet.  The first who does, in whatever context, clears
 * the bit by one cmpxchg; mpool_set_global() may put another pool there until
 * then.  At first it is the built-in pool, which is ready since mpool was
 * loaded.  Each has all its powers of two before it is there.
 *
 * mpool_free() asks the address whose it is, not the global pool.
 *
 * Invariant: without the bit, global never changes again; the pool that is there
 * has a user more, and is thus not destroyed.
 *
 * Locking: none; global changes by cmpxchg only.
 */
#include <linux/module.h>
#include <linux/overflow.h>

#include "global.h"
#include "object.h"

/* Set in global as long as nobody has used it. */
#define GLOBAL_OPEN	1ul

static unsigned long global;
static struct mpool_small *builtin;	/* constant after init */

/*
 * The global pool once that is decided.  Until then one without classes, for
 * which nothing is fast, so that there is no test for it.
 */
static struct mpool_small nobody;
static struct mpool_small *ready = &nobody;

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

/* Puts a pool of which the caller is a user into @at, if that is open. */
static int offer_used(unsigned long *at, struct mpool_small *pool)
{
	unsigned long was = READ_ONCE(*at);
	struct mpool_small *old;
	int err = -EBUSY;

	/* The first use of it may be in any context. */
	if (was & GLOBAL_OPEN)
		err = mpool_small_make_classes(pool);
	if (err)
		return err;
	do {
		if (!(was & GLOBAL_OPEN))
			return -EBUSY;
	} while (!try_cmpxchg(at, &was, (unsigned long)pool | GLOBAL_OPEN));
	old = (struct mpool_small *)(was & ~GLOBAL_OPEN);
	/* For messages only: two offers at once may leave it with both. */
	WRITE_ONCE(old->pool.global, false);
	WRITE_ONCE(pool->pool.global, true);
	mpool_pool_unuse(&old->pool);
	return 0;
}

/* mpool_set_global() for any word that is like global. */
int mpool_global_offer(unsigned long *at, struct mpool_small *pool,
		       unsigned long ip)
{
	const char *why = "out of memory for its classes";
	int err;

	if (IS_ERR_OR_NULL(pool))
		return mpool_pool_none("small", pool, ip);
	if (!mpool_pool_use(MPOOL_KIND_SMALL, pool)) {
		pr_err_ratelimited("small pool %p cannot be the global pool: there is no such pool, or no more; called from %pS\n",
				   pool, (void *)ip);
		return -EINVAL;
	}
	err = offer_used(at, pool);
	if (!err)
		return 0;
	if (err == -EBUSY)
		why = "the global pool is in use already";
	pr_err_ratelimited("small pool \"%s\" cannot be the global pool: %s; called from %pS\n",
			   pool->pool.name, why, (void *)ip);
	mpool_pool_unuse(&pool->pool);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_global_offer);

int mpool_set_global(struct mpool_small *pool)
{
	return mpool_global_offer(&global, pool, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_set_global);

/* The first use of the pool, of a class or of a site, and what is no object. */
static noinline void *malloc_slow(size_t size, gfp_t gfp,
				  struct mpool_site *site)
{
	return mpool_small_take(mpool_global(), size, gfp, site);
}

/* What is not plain is for malloc_slow(), which knows what stands in for what. */
static __always_inline void *malloc_from(struct mpool_fixed *fixed, size_t size,
					 gfp_t gfp, struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);
	void *obj;

	if (unlikely(!id || (gfp & __MPOOL_GFP_ODD) ||
		     !mpool_take_plain(fixed, gfp, id, &obj)))
		return malloc_slow(size, gfp, site);
	return want_init_on_alloc(0) ? mpool_take_clear(fixed, obj, gfp) : obj;
}

static __always_inline struct mpool_fixed *class_of(unsigned int class)
{
	return READ_ONCE(READ_ONCE(ready)->classes[class]);
}

void *mpool_malloc_at(size_t size, gfp_t gfp, struct mpool_site *site)
{
	struct mpool_fixed *fixed;

	/* Of size 0 there is no class either: it is beyond all of them. */
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

	/* The class is trusted for speed only. */
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
		mpool_pool_failed(&pool->pool, SIZE_MAX, gfp,
				  mpool_site_id(site));
		return NULL;
	}
	return mpool_small_take(pool, bytes, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_malloc_array_at);

void *mpool_realloc_at(const void *p, size_t size, gfp_t gfp,
		       struct mpool_site *site)
{
	struct mpool_small *pool;

	if (ZERO_OR_NULL_PTR(p))
		return mpool_small_take(mpool_global(), size, gfp, site);
	pool = mpool_small_of(p);
	if (pool)
		return mpool_small_realloc_at(pool, p, size, gfp, site);
	mpool_pool_bad_free(NULL, p, MPOOL_BAD_REALLOC, _RET_IP_);
	return NULL;
}
EXPORT_SYMBOL_GPL(mpool_realloc_at);

/* A run, or what is nothing. */
static void free_run(const void *p, unsigned long ip)
{
	enum mpool_bad_free why = MPOOL_BAD_FREE_ADDRESS;
	struct mpool_pool *owner = NULL;
	struct mpool_page *pg;
	bool done = false;

	rcu_read_lock();
	pg = mpool_large_lookup(p);
	if (pg)
		owner = mpool_page_owner(pg);
	if (owner && owner->ops->kind != MPOOL_KIND_STRING) {
		done = mpool_large_free_object(pg, owner);
		why = MPOOL_BAD_FREE_TWICE;
	}
	if (!done)
		mpool_pool_bad_free(owner, p, why, ip);
	rcu_read_unlock();
}

/* What is not plain, from the start.  Preemption is off; enables it. */
static noinline void free_slow(const void *p, unsigned long ip)
{
	struct mpool_chunk *chunk = mpool_chunk_find(p);

	if (chunk) {
		mpool_fixed_give(chunk, (void *)p, MPOOL_GIVE_FREE, ip);
		return;
	}
	preempt_enable();
	if (!ZERO_OR_NULL_PTR(p))
		free_run(p, ip);
}

void __mpool_free(const void *p)
{
	struct mpool_chunk *chunk;

	preempt_disable();
	chunk = mpool_chunk_near(p);
	if (likely(mpool_give_fast(chunk->at.fixed, NULL, chunk, p)))
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
	builtin->pool.global = true;
	atomic_inc(&builtin->pool.users);
	global = (unsigned long)builtin | GLOBAL_OPEN;
	return 0;
}
