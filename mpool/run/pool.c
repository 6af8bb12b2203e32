// SPDX-License-Identifier: GPL-2.0-only
/*
 * The large pool as a pool: its operations for the registry, and how it is created,
 * trimmed, cleared and destroyed.
 *
 * Structure: struct mpool_large with its engines (nodes.c), its limit and its deferred
 * work.  A pool that is kept for its runs at its end is an orphan, if it serves other
 * pools or can give its memory back later; a region without users is not.
 *
 * Invariant: mpool_large_teardown() is called once, when the pool is not in the registry,
 * no caller uses it, and its deferred work is done or is waited for there.
 *
 * Locking: none of its own; the claim in registry.c settles which caller ends the pool.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "call.h"
#include "large.h"
#include "shrink.h"

static void large_count(struct mpool_pool *pool, struct mpool_count *count)
{
	struct mpool_large *large = to_large(pool);
	size_t used = atomic_long_read(&pool->pages) << PAGE_SHIFT;
	size_t slack = mpool_large_slack(large);

	*count = (struct mpool_count){
		.frees = mpool_stat_read(&pool->stats, MPOOL_STAT_FREE),
		.allocs = mpool_stat_read(&pool->stats, MPOOL_STAT_ALLOC),
		.capacity = mpool_large_nr_pages(large),
		.live_bytes = used > slack ? used - slack : 0,
	};
	count->live = max_t(s64, 0, count->allocs - count->frees);
}

static int large_walk(struct mpool_pool *pool, mpool_visit_fn fn, void *arg)
{
	return mpool_large_walk_owner(to_large(pool), pool, fn, arg);
}

static int large_verify(struct mpool_pool *pool)
{
	return mpool_large_verify(to_large(pool));
}

static size_t large_footprint(struct mpool_pool *pool)
{
	struct mpool_large *large = to_large(pool);
	size_t bytes = kmalloc_size_roundup(sizeof(*large)) + mpool_hint(large->meta);
	const struct mpool_runs *runs;

	/* All other memory is that of regions, and belongs to their owners. */
	if (large->source->system)
		bytes += mpool_large_nr_pages(large) << PAGE_SHIFT;
	for (runs = large->runs.next; runs; runs = runs->next)
		bytes += kmalloc_size_roundup(sizeof(*runs));
	return bytes;
}

static size_t large_reclaim(struct mpool_pool *pool, const struct module *mod)
{
	return mpool_large_drop_owner(to_large(pool), pool, mod);
}

static void large_dispose(struct mpool_pool *pool)
{
	mpool_large_teardown(to_large(pool));
}

static bool large_drop_callbacks(struct mpool_pool *pool, const struct module *mod)
{
	return mpool_limit_drop(to_large(pool)->limit, mod);
}

static void large_empty(struct mpool_large *large)
{
	mpool_large_flush_deferred(large);
	mpool_large_drop_owner(large, &large->base, NULL);
	mpool_large_reclaim_surplus(large);
}

/* Destroys a pool after the report, or makes it an orphan. */
static void large_finish(struct mpool_pool *pool, bool keep)
{
	struct mpool_large *large = to_large(pool);

	large_drop_callbacks(pool, NULL);
	/* The live runs of a region stay without their pool: they need no orphan. */
	if (atomic_read(&pool->users) || (keep && large->source->gives_back)) {
		/* No free takes the fast path any more, which does not sweep orphans. */
		WRITE_ONCE(large->gives, 0);
		mpool_pool_orphan(pool);
		return;
	}
	mpool_pool_unregister(pool);
	/* Runs to keep lose only their descriptors: init_on_free must not wipe them. */
	if (!keep)
		large_empty(large);
	mpool_large_teardown(large);
}

static const struct mpool_pool_ops large_ops = {
	.kind = MPOOL_KIND_LARGE,
	.kind_name = "large",
	.count = large_count,
	.walk = large_walk,
	.verify = large_verify,
	.footprint = large_footprint,
	.reclaim = large_reclaim,
	.drop_callbacks = large_drop_callbacks,
	.finish = large_finish,
	.dispose = large_dispose,
};

/*
 * Adds a user, a pool above, to @large, or to the shared pool if @large is NULL; returns
 * the large pool.  @large may be any value: an error if it is no large pool, or one that
 * is being destroyed.
 */
struct mpool_large *mpool_large_use(const struct mpool_pool_ops *ops,
				    const char *name, struct mpool_large *large)
{
	if (!large) {
		atomic_inc(&mpool_large_shared->base.users);
		return mpool_large_shared;
	}
	if (mpool_pool_use(MPOOL_KIND_LARGE, large))
		return large;
	mpool_refuse(ops, name, "large is not a large pool, or it was destroyed");
	return ERR_PTR(-EINVAL);
}

/* Creates a pool without arenas, which is not registered yet. */
struct mpool_large *mpool_large_setup(const char *name,
				      const struct mpool_large_source *source,
				      gfp_t zone, enum mpool_on_leak on_leak,
				      const struct mpool_limits *limits,
				      struct mpool_site *site)
{
	struct mpool_large *large = kzalloc(sizeof(*large), GFP_KERNEL);
	const char *wrong = mpool_limit_check(limits, !source->gives_back);
	int err;

	if (!large)
		return ERR_PTR(-ENOMEM);
	err = mpool_pool_init(&large->base, name, &large_ops, on_leak, site);
	if (!err && (zone & ~(__GFP_DMA | __GFP_DMA32 | __GFP_ACCOUNT))) {
		zone &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_ACCOUNT);
		mpool_refuse(&large_ops, name,
			     "gfp has flags %pGg that are not for a pool",
			     &zone);
		err = -EINVAL;
	}
	if (!err && wrong) {
		mpool_refuse(&large_ops, name, "%s", wrong);
		err = -EINVAL;
	}
	if (!err)
		err = mpool_large_make_nodes(large, source->system);
	if (!err) {
		large->limit = mpool_limit_create(limits, source->gives_back ?
						  NULL : &large->runs.nr_pages,
						  large);
		err = PTR_ERR_OR_ZERO(large->limit);
	}
	if (err) {
		mpool_large_free_nodes(large);
		kfree(large);
		return ERR_PTR(err);
	}
	large->source = source;
	large->zone = zone;
	large->nid = NUMA_NO_NODE;
	large->takes = large->limit || want_init_on_alloc(0) ? 0 : RUNS_QUICK;
	large->gives = large->limit || want_init_on_free() ? 0 : RUNS_QUICK;
	raw_spin_lock_init(&large->lock);
	INIT_LIST_HEAD(&large->arenas);
	mpool_defer_init(&large->deferred, mpool_large_free_queued);
	mpool_shortage_init(&large->shortage);
	mpool_refs_init(&large->refs);
	if (source->gives_back)
		mpool_shrink_add_large(large);
	return large;
}

/*
 * Registers a pool that was set up, unless @err says that it cannot be made; then destroys
 * it, and returns the error.
 */
struct mpool_large *mpool_large_publish(struct mpool_large *large, int err)
{
	if (!err)
		err = mpool_pool_register(&large->base);
	if (!err)
		return large;
	mpool_large_teardown(large);
	return ERR_PTR(err);
}

/* Destroys a pool that is not in the registry, or was removed from it. */
void mpool_large_teardown(struct mpool_large *large)
{
	if (large->source->gives_back)
		mpool_shrink_del_large(large);
	mpool_defer_sync(&large->shortage.defer);
	/* The work item gives arenas with holes back, if no cached run holds them. */
	mpool_large_flush(large);
	mpool_large_settle(large);
	mpool_large_end_arenas(large);
	/* The end of the arenas may have requested the work item: mpool_refs_end(). */
	mpool_large_settle(large);
	mpool_refs_tell(large, true);
	if (large->outer)
		mpool_pool_unuse(&large->outer->base);
	/* A lookup that found an arena before may still read the pool. */
	synchronize_rcu();
	mpool_limit_end(large->limit);
	mpool_large_free_nodes(large);
	kfree(large);
}

unsigned long mpool_large_trim(struct mpool_large *pool)
{
	if (mpool_large_check(pool) || !mpool_pool_may_sleep(&pool->base, "trimmed"))
		return 0;
	/* Cached runs may be all that holds an arena. */
	mpool_large_flush(pool);
	/*
	 * Reclaim does not wait for a work item: its worker may need the memory that the
	 * caller is to free.
	 */
	if (!(current->flags & PF_MEMALLOC))
		mpool_large_flush_deferred(pool);
	return mpool_large_reclaim_spares(pool);
}
EXPORT_SYMBOL_GPL(mpool_large_trim);

void mpool_large_clear(struct mpool_large *pool)
{
	if (mpool_large_check(pool) || !mpool_pool_may_change(&pool->base, "cleared"))
		return;
	large_empty(pool);
}
EXPORT_SYMBOL_GPL(mpool_large_clear);

/*
 * Refuses to destroy a pool from its own callback: the destroy would wait until the
 * callback returns.  In such a callback @large is a valid pool, with a name to print.
 */
static bool destroy_inside(const struct mpool_large *large, unsigned long ip)
{
	if (!mpool_call_inside(large))
		return false;
	pr_err_ratelimited("large pool \"%s\" is not destroyed: its own on_soft or on_low asks for it; called from %pS\n",
			   large->base.name, (void *)ip);
	return true;
}

/* Refuses to destroy a pool that has users, and prints the name of the first one. */
static bool destroy_refused(struct mpool_large *large, unsigned long ip)
{
	char name[MPOOL_NAME_LEN], more[24] = "";
	unsigned int n;

	if (!atomic_read(&large->base.users))
		return false;
	/* A user that is being created or destroyed may be missing in the registry. */
	n = mpool_pool_above(&large->base, name, sizeof(name));
	if (!n)
		strscpy(name, "?", sizeof(name));
	else if (n > 1)
		snprintf(more, sizeof(more), " and %u more", n - 1);
	pr_err_ratelimited("large pool \"%s\" is not destroyed: it still serves pool \"%s\"%s: destroy %s first; called from %pS\n",
			   large->base.name, name, more, n > 1 ? "them" : "that",
			   (void *)ip);
	return true;
}

size_t __mpool_large_destroy(struct mpool_large *pool)
{
	size_t leaks;

	/*
	 * A callback of the pool must not claim the pool, even for a moment: a task that
	 * destroys the pool and finds the claim gives up.
	 */
	if (IS_ERR_OR_NULL(pool) || destroy_inside(pool, _RET_IP_) ||
	    !mpool_pool_claim(&large_ops, pool, _RET_IP_))
		return 0;
	if (destroy_refused(pool, _RET_IP_)) {
		mpool_pool_unclaim(&pool->base);
		return 0;
	}
	mpool_large_settle(pool);
	leaks = mpool_pool_leaks(&pool->base);
	large_finish(&pool->base, leaks && mpool_pool_keeps(&pool->base));
	return leaks;
}
EXPORT_SYMBOL_GPL(__mpool_large_destroy);
