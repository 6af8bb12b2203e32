// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unload: the end of a module that uses mpool, and of mpool itself.
 *
 * Structure: the notifier of owner.c calls mpool_unload_module() when a module is
 * unloaded or its init function has failed.  It reports the live objects of the module
 * and its pools.  Then it ends these pools, and drops the callbacks in other pools that
 * are code of the module.  Last it frees objects of the module in pools of others, if the
 * policy of those pools is to reclaim.  When mpool itself is unloaded,
 * mpool_unload_self() reports all objects that are left.
 *
 * Invariant: after mpool_owner_going() nothing in mpool leads to the module: no pool and
 * no callback after the functions here, and no call site after mpool_site_module_gone().
 * An object is reported as leaked by the end of its pool or of its module, whichever
 * comes first.  If the module ends first and the object is kept in a pool of another
 * module, the end of that pool reports it again.  The unload of mpool reports it once
 * more.
 *
 * Locking: registry_mutex for the list of pools.  While callbacks may run, no lock is
 * held, because callbacks may create and destroy pools: the pool that is worked on is
 * pinned.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "leaks.h"
#include "owner.h"
#include "site.h"
#include "unload.h"

/* Has the module created this pool, and no task destroyed it?  Under registry_mutex. */
static bool unload_owns(const struct mpool_pool *pool, const struct module *mod)
{
	return !pool->orphan && !pool->ending && pool->module == mod;
}

/*
 * Writes the report: the live objects of the module in all pools, and its pools.  Sets
 * *@panics if a pool with such objects has that policy.
 */
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
		mpool_out(out, "module %s is unloaded and leaves %zu object%s, %s%zu bytes",
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

/*
 * Claims a pool, if it is the module's and is to be ended in this pass.  Returns whether
 * it has.
 */
static bool unload_claim(struct mpool_pool *pool, const struct module *mod,
			 bool large)
{
	bool is_large = pool->ops->kind == MPOOL_KIND_LARGE, mine;

	mpool_registry_lock();
	/* A pool that is no large pool, but has a user, is the global pool: it stays. */
	mine = is_large == large && unload_owns(pool, mod) &&
	       (large || !atomic_read(&pool->users));
	if (mine)
		pool->ending = true;
	mpool_registry_unlock();
	return mine;
}

/*
 * Ends the large pools of a module; or its other pools, which take memory from large
 * pools and so must end first.  This is one pass over the list.  The end of a pool waits
 * until the pool is not pinned, and the pass cannot go on from a pool that has ended.  So
 * the next pool is pinned before this one ends.  That must not lead to a deadlock: a
 * callback that destroys the next pool would wait for that pin.  So the callbacks of this
 * pool are dropped before, and none runs in its end.
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
 * Drops the callbacks that are code of the module, in all pools.  A pool of the module
 * may still be there, because another task is ending it at this moment: it loses all its
 * callbacks.  drop_callbacks() waits until a callback that runs has returned, and
 * callbacks may create and destroy pools.  So this pins one pool at a time, and holds no
 * lock.
 */
static void unload_callbacks(struct module *mod)
{
	struct mpool_pool *pool = NULL;
	bool own;

	while ((pool = mpool_pool_pin_next(pool))) {
		own = READ_ONCE(pool->module) == mod;
		if (pool->ops->drop_callbacks &&
		    pool->ops->drop_callbacks(pool, own ? NULL : mod) && !own)
			pr_warn("%s pool \"%s\" loses callbacks: their code is unloaded with module %s\n",
				pool->ops->kind_name, pool->name, mod->name);
	}
}

/*
 * Frees the objects of the module in pools of others whose policy is to reclaim.  Pins
 * one pool at a time, as unload_callbacks(), because destructors run.
 */
static void unload_reclaim(struct module *mod)
{
	struct mpool_pool *pool = NULL;

	while ((pool = mpool_pool_pin_next(pool)))
		if (!READ_ONCE(pool->orphan) && !READ_ONCE(pool->ending) &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_RECLAIM)
			pool->ops->reclaim(pool, mod);
}

/*
 * Some pools of the module stay: orphans and the global pool.  Their pointer to the
 * module is cleared, because the struct module of a later module may be at the same
 * address.
 */
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
 * A module is unloaded, or its init function has failed.  Its text is still there.  After
 * this no pool and no callback leads to it.
 */
void mpool_unload_module(struct module *mod)
{
	struct mpool_sums sums = { .mod = mod };
	struct mpool_out out;
	bool panics = false;
	size_t i;

	/* A callback in a pool of others needs neither a call site nor a pool. */
	if (!unload_concerns(mod)) {
		unload_callbacks(mod);
		return;
	}
	mpool_leaks_begin(&out);
	unload_text(&out, mod, &sums, &panics);
	mpool_leaks_end(&out);
	/*
	 * Objects that outlive the module keep their call sites.  If the module is loaded
	 * again, its objects must not be counted together with these.
	 */
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

/*
 * mpool itself is unloaded: reports the live objects of all pools.  mpool_registry_exit()
 * then ends the pools, but leaves the memory of these objects as it is, until reboot.
 */
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
		mpool_out(&out,
			  "unloaded with %zu live object%s, %s%zu bytes, lost until reboot:\n",
			  sums.count, mpool_plural(sums.count),
			  mpool_rounded(sums.rounded), sums.bytes);
	mpool_leaks_rows(&out, &sums, true);
	mpool_registry_unlock();
	mpool_leaks_end(&out);
	mpool_sums_free(&sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_unload_self);
