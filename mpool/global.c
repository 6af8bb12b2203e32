// SPDX-License-Identifier: GPL-2.0-only
/*
 * The global pool: mpool_malloc(), mpool_free(), new and delete.
 *
 * Structure: global is the pool behind mpool_malloc(), and one bit that says
 * that nobody has used it yet.  The first who does, in whatever context, clears
 * the bit by one cmpxchg; mpool_set_global() may put another pool there until
 * then.  At first it is the built-in pool, which is ready since mpool was
 * loaded, with all its classes.
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

/* Set in global as long as nobody has used it. */
#define GLOBAL_OPEN	1ul

static unsigned long global;
static struct mpool_small *builtin;	/* constant after init */

static noinline struct mpool_small *global_decide(void)
{
	unsigned long was = READ_ONCE(global);

	while (was & GLOBAL_OPEN)
		if (try_cmpxchg(&global, &was, was & ~GLOBAL_OPEN))
			break;
	return (struct mpool_small *)(was & ~GLOBAL_OPEN);
}

struct mpool_small *mpool_global(void)
{
	unsigned long is = READ_ONCE(global);

	return likely(!(is & GLOBAL_OPEN)) ? (struct mpool_small *)is :
					     global_decide();
}
EXPORT_SYMBOL_GPL(mpool_global);

int mpool_set_global(struct mpool_small *pool)
{
	unsigned long was = READ_ONCE(global);

	if (IS_ERR_OR_NULL(pool) || pool->dead) {
		pr_err_ratelimited("small pool is %ld, not a pool; cannot be the global pool\n",
				   PTR_ERR(pool));
		return -EINVAL;
	}
	atomic_inc(&pool->pool.users);
	do {
		if (!(was & GLOBAL_OPEN)) {
			atomic_dec(&pool->pool.users);
			return -EBUSY;
		}
	} while (!try_cmpxchg(&global, &was,
			      (unsigned long)pool | GLOBAL_OPEN));
	atomic_dec(&((struct mpool_small *)(was & ~GLOBAL_OPEN))->pool.users);
	return 0;
}
EXPORT_SYMBOL_GPL(mpool_set_global);

void *mpool_malloc_at(size_t size, gfp_t gfp, struct mpool_site *site)
{
	return mpool_small_take(mpool_global(), size, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_malloc_at);

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
	mpool_pool_bad_free(NULL, p, MPOOL_BAD_FREE_ADDRESS, _RET_IP_);
	return NULL;
}
EXPORT_SYMBOL_GPL(mpool_realloc_at);

/* Runs, and what is none. */
static noinline void free_other(const void *p, unsigned long ip)
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

void mpool_free(const void *p)
{
	struct mpool_chunk *chunk;

	if (unlikely(ZERO_OR_NULL_PTR(p)))
		return;
	preempt_disable();
	chunk = mpool_chunk_find(p);
	if (likely(chunk)) {
		mpool_fixed_give(chunk, (void *)p, MPOOL_GIVE_FREE, _RET_IP_);
		return;
	}
	preempt_enable();
	free_other(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_free);

int mpool_global_init(void)
{
	int err;

	builtin = mpool_small_create("global", NULL);
	if (IS_ERR(builtin))
		return PTR_ERR(builtin);
	err = mpool_small_make_classes(builtin);
	if (err)
		return err;
	atomic_inc(&builtin->pool.users);
	global = (unsigned long)builtin | GLOBAL_OPEN;
	return 0;
}
