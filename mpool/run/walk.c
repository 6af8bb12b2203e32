// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks over the runs of a large pool, however many there are.
 *
 * Structure: a cursor, with the serial number of an arena and the index of a page in it.
 * A step visits WALK_STEP runs from the cursor on, in one RCU read-side section.  Between
 * steps nothing is held: if an arena goes, the walk continues with the next one.  The
 * list of arenas is in the order of their serial numbers.
 *
 * Invariant: a run that is in use during the whole walk is visited once, any other run
 * once or not at all.
 *
 * Locking: RCU for a step.  It keeps the arenas that the step passes, and the owner of
 * each run that the step finds in use.  If an arena was removed since the last step, the
 * step passes the arenas before its own, with a load for each.
 */
#include <linux/rculist.h>
#include <linux/sched.h>

#include "large.h"
#include "site.h"

/* Runs that are visited in one RCU read-side section. */
#define WALK_STEP	64

/*
 * The arena where a step begins: that of the cursor, or the first one after it; NULL if
 * there is none.  The caller is in an RCU read-side section.
 */
static struct mpool_arena *walk_resume(struct mpool_large *large, struct mpool_cursor *at)
{
	/* Pairs with smp_store_release() in mpool_arena_unlink_locked(). */
	u32 unlinked = smp_load_acquire(&large->nr_unlinked);
	struct mpool_arena *arena;

	/*
	 * If no arena was removed since the cursor found its arena, that is still on the
	 * list.  If this load misses a removal, its grace period has not ended before this
	 * read-side section: an end of it would order the store of nr_unlinked before this
	 * load.  So the memory of the arena, and of those behind it, is still there.
	 */
	if (at->arena && at->unlinked == unlinked)
		return at->arena;
	at->arena = NULL;
	at->unlinked = unlinked;
	list_for_each_entry_rcu(arena, &large->arenas, list)
		if (mpool_arena_serial(arena) >= at->serial)
			return arena;
	return NULL;
}

/* One step; false if it has come to the end. */
static bool walk_step(struct mpool_large *large, struct mpool_cursor *at,
		      mpool_run_fn fn, void *arg, int *ret)
{
	struct mpool_arena *arena = walk_resume(large, at);
	unsigned int left = WALK_STEP;
	u64 serial;

	if (!arena)
		return false;
	list_for_each_entry_from_rcu(arena, &large->arenas, list) {
		serial = mpool_arena_serial(arena);
		if (serial > at->serial) {
			at->serial = serial;
			at->index = 0;
		}
		at->arena = arena;
		for (;;) {
			at->index = mpool_arena_next_start(arena, at->index);
			if (at->index >= arena->npages)
				break;
			if (!left--)
				return true;
			*ret = fn(arena, &arena->pages[at->index++], arg);
			if (*ret)
				return true;
		}
	}
	return false;
}

/*
 * Calls @fn for each run from *@at on, free runs too, in RCU read-side sections, until
 * @fn returns a value that is not 0.  *@at is behind the last run then.  Sleeps between
 * the read-side sections.
 */
int mpool_large_walk(struct mpool_large *large, struct mpool_cursor *at,
		     mpool_run_fn fn, void *arg)
{
	int ret = 0;
	bool more;

	do {
		rcu_read_lock();
		more = walk_step(large, at, fn, arg, &ret);
		rcu_read_unlock();
		cond_resched();
	} while (more && !ret);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_walk);

struct owner_walk {
	struct mpool_pool *owner;
	mpool_visit_fn fn;
	void *arg;
};

static int visit_owner(struct mpool_arena *arena, struct mpool_page *pg,
		       void *arg)
{
	struct owner_walk *walk = arg;
	struct mpool_obj obj;

	if (!mpool_page_is_run(pg) || mpool_page_owner(pg) != walk->owner)
		return 0;
	obj.addr = mpool_page_address(arena, pg);
	/* Load it after the state: the barrier is in mpool_page_owner(). */
	obj.size = mpool_page_bytes(pg) - mpool_page_slack(pg);
	obj.site = READ_ONCE(pg->site);
	/* As in whatis_arena(): a link is not a site. */
	smp_rmb();
	return mpool_page_is_run(pg) ? walk->fn(&obj, walk->arg) : 0;
}

/* Visits the runs that @owner has in @large.  Sleeps, but not while @fn runs. */
int mpool_large_walk_owner(struct mpool_large *large, struct mpool_pool *owner,
			   mpool_visit_fn fn, void *arg)
{
	struct owner_walk walk = { .owner = owner, .fn = fn, .arg = arg };
	struct mpool_cursor at = { };

	return mpool_large_walk(large, &at, visit_owner, &walk);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_large_walk_owner);

struct drop {
	struct mpool_pool *owner;
	const struct module *mod;
	size_t count;
};

static int drop_one(const struct mpool_obj *obj, void *arg)
{
	struct mpool_page *pg = mpool_large_lookup(obj->addr);
	struct drop *drop = arg;

	if (!pg || (drop->mod && !mpool_site_of_module(obj->site, drop->mod)))
		return 0;
	if (!mpool_runs_claim_of(pg, drop->owner))
		return 0;
	/* Before the claim, the run may have been freed and allocated at another site. */
	if (READ_ONCE(pg->site) != obj->site) {
		mpool_runs_unclaim(pg);
		return 0;
	}
	mpool_large_free_claimed(drop->owner, pg);
	drop->count++;
	return 0;
}

/*
 * Frees the runs that @owner has in @large; if @mod is given, only the runs that call
 * sites of @mod have allocated.
 */
size_t mpool_large_drop_owner(struct mpool_large *large,
			      struct mpool_pool *owner,
			      const struct module *mod)
{
	struct drop drop = { .owner = owner, .mod = mod };

	mpool_large_walk_owner(large, owner, drop_one, &drop);
	return drop.count;
}

static int adopt_one(const struct mpool_obj *obj, void *arg)
{
	struct mpool_page *pg = mpool_large_lookup(obj->addr);
	struct mpool_large *large = arg;

	if (pg)
		WRITE_ONCE(pg->owner, &large->base);
	return 0;
}

/*
 * The runs that a pool leaves in use at its end belong to the large pool from now on: no
 * run has a pointer to the ended pool.
 */
void mpool_large_adopt(struct mpool_large *large, struct mpool_pool *owner)
{
	mpool_large_walk_owner(large, owner, adopt_one, large);
}

static int add_slack(struct mpool_arena *arena, struct mpool_page *pg,
		     void *arg)
{
	size_t *sum = arg;
	u32 slack;

	if (!mpool_page_is_run(pg))
		return 0;
	smp_rmb(); /* Pairs with smp_wmb() in fill_locked(). */
	slack = mpool_page_slack(pg);
	smp_rmb(); /* As in whatis_arena(): a link is not a slack. */
	if (mpool_page_is_run(pg))
		*sum += slack;
	return 0;
}

/* Bytes that were not requested, in the runs of all owners. */
size_t mpool_large_slack(struct mpool_large *large)
{
	struct mpool_cursor at = { };
	size_t slack = 0;

	mpool_large_walk(large, &at, add_slack, &slack);
	return slack;
}
