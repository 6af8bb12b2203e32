// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unload: the end of a module that uses mpool, and of mpool itself.
 *
 * Structure: when a module goes, or its init failed, a report of its live objects and of
 * its pools; then the pools are ended, the callbacks in its text are dropped, and its
 * objects in pools of others are freed if those pools say so.  When mpool goes, a report
 * of all that is left.
 *
 * Invariant: after mpool_unload_module() nothing in mpool leads to the module.  An object
 * is reported as leaked by the end of its pool or of its module, whichever comes first,
 * and once more when mpool goes.
 *
 * Locking: registry_mutex for the list of pools; a pin of a pool while it is worked on,
 * without a lock, because callbacks may create and destroy pools.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "leaks.h"
#include "owner.h"
#include "site.h"
#include "unload.h"

static bool unload_owns(const struct mpool_pool *pool, const struct module *mod)
{
	return !pool->orphan && !pool->ending && pool->module == mod;
}

static void unload_text(struct mpool_out *out, struct module *mod,
			struct mpool_sums *sums, bool *panics)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;
	unsigned int left = 0;
	size_t before;

	list_for_each_entry(pool, pools, list) {
		if (pool->orphan)
			continue;
		before = sums->count;
		mpool_sums_add(sums, pool);
		if (sums->count > before &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_PANIC)
			*panics = true;
		left += unload_owns(pool, mod);
	}
	mpool_sums_sort(sums);
	if (sums->count || left)
		mpool_out(out, "module %s goes and leaves %zu object%s, %s%zu bytes",
			  mod->name, sums->count, mpool_plural(sums->count),
			  mpool_rounded(sums->rounded), sums->bytes);
	if (left)
		mpool_out(out, ", and %u pool%s", left, mpool_plural(left));
	if (sums->count || left)
		mpool_out(out, ":\n");
	mpool_leaks_rows(out, sums, true);
	list_for_each_entry(pool, pools, list)
		if (unload_owns(pool, mod))
			mpool_out(out, "  %s pool \"%s\" was not destroyed\n",
				  pool->ops->kind_name, pool->name);
	mpool_registry_unlock();
}

/* Claims a pool, if the module owns it and it must be ended in this pass. */
static bool unload_claim(struct mpool_pool *pool, const struct module *mod,
			 bool large)
{
	bool is_large = pool->ops->kind == MPOOL_KIND_LARGE, mine;

	mpool_registry_lock();
	/* The global pool stays. */
	mine = is_large == large && unload_owns(pool, mod) &&
	       (large || !atomic_read(&pool->users));
	if (mine)
		pool->ending = true;
	mpool_registry_unlock();
	return mine;
}

/*
 * Ends the large pools of a module, or the others, which take memory from them, in one pass
 * over the list.  The end of a pool waits for its pins, so the next pool is pinned before
 * this one ends.  No callback runs in the end, so that none can wait for that pin.
 */
static void unload_finish(struct module *mod, bool large)
{
	struct mpool_pool *pool, *next = mpool_pool_pin_next(NULL);
	struct mpool_count count;
	bool mine;

	while ((pool = next)) {
		mine = unload_claim(pool, mod, large);
		if (mine && pool->ops->drop_callbacks)
			pool->ops->drop_callbacks(pool, NULL);
		next = mpool_pool_pin_next(pool);
		if (!mine)
			continue;
		pool->ops->count(pool, &count);
		pool->ops->finish(pool, count.live && mpool_pool_keeps(pool));
	}
}

/*
 * Drops the callbacks that are code of the module, in all pools; and all callbacks of a
 * pool of the module that another task is ending at this moment.  Callbacks may create
 * and destroy pools: one pool at a time, pinned, without a lock.
 */
static void unload_callbacks(struct module *mod)
{
	struct mpool_pool *pool = NULL;
	bool own;

	while ((pool = mpool_pool_pin_next(pool))) {
		own = READ_ONCE(pool->module) == mod;
		if (pool->ops->drop_callbacks &&
		    pool->ops->drop_callbacks(pool, own ? NULL : mod) && !own)
			pr_warn("%s pool \"%s\" loses callbacks: their code goes with module %s\n",
				pool->ops->kind_name, pool->name, mod->name);
	}
}

/*
 * Frees the objects of the module in pools of others.  Destructors may create and destroy
 * pools, too.
 */
static void unload_reclaim(struct module *mod)
{
	struct mpool_pool *pool = NULL;

	while ((pool = mpool_pool_pin_next(pool)))
		if (!READ_ONCE(pool->orphan) && !READ_ONCE(pool->ending) &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_RECLAIM)
			pool->ops->reclaim(pool, mod);
}

/* A pool that stays must not look like a pool of the next module at this address. */
static void unload_forget(const struct module *mod)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list)
		if (pool->module == mod)
			WRITE_ONCE(pool->module, NULL);
	mpool_registry_unlock();
}

/* Does the module have call sites or pools? */
static bool unload_concerns(const struct module *mod)
{
	struct list_head *pools;
	struct mpool_pool *pool;
	bool found = mpool_site_module_has(mod);

	pools = mpool_registry_lock();
	list_for_each_entry(pool, pools, list)
		found |= pool->module == mod;
	mpool_registry_unlock();
	return found;
}

/*
 * A module goes, or its init failed.  Its text is still there; after this nothing in
 * mpool leads to it.
 */
void mpool_unload_module(struct module *mod)
{
	struct mpool_sums sums = { .mod = mod };
	struct mpool_out out;
	bool panics = false;
	size_t i;

	if (!unload_concerns(mod)) {
		unload_callbacks(mod);
		return;
	}
	mpool_leaks_begin(&out);
	unload_text(&out, mod, &sums, &panics);
	mpool_leaks_end(&out);
	for (i = 0; i < sums.n; i++)
		if (sums.rows[i].site != MPOOL_SITE_UNKNOWN)
			mpool_site_retire(sums.rows[i].site);
	if (panics)
		panic("mpool: module %s leaked %zu objects\n", mod->name,
		      sums.count);
	mpool_sums_free(&sums);
	unload_finish(mod, false);
	unload_finish(mod, true);
	unload_callbacks(mod);
	unload_reclaim(mod);
	unload_forget(mod);
}

/* mpool itself goes: a report of the objects that stay live for ever. */
void mpool_unload_self(void)
{
	struct mpool_sums sums = { 0 };
	struct mpool_pool *pool;
	struct list_head *pools;
	struct mpool_out out;

	mpool_leaks_begin(&out);
	pools = mpool_registry_lock();
	list_for_each_entry(pool, pools, list)
		mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	if (sums.count)
		mpool_out(&out, "unloaded with %zu object%s, %s%zu bytes out, lost until reboot:\n",
			  sums.count, mpool_plural(sums.count),
			  mpool_rounded(sums.rounded), sums.bytes);
	mpool_leaks_rows(&out, &sums, true);
	mpool_registry_unlock();
	mpool_leaks_end(&out);
	mpool_sums_free(&sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_unload_self);
