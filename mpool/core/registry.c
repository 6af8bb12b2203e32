// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry: the part that all pools have in common, and the list of the pools.
 *
 * Structure: a list of struct mpool_pool, which is a member of every pool that has a
 * name.  Pools that serve inside another pool are not on the list.  A pool that is kept
 * after it was destroyed with live objects stays on the list as an orphan.
 *
 * A destroy function, or the unload of a module, claims the pool before it ends it, and
 * only one caller can claim a pool.  A claim begins with a search of the list for the
 * pointer, so a pool that is gone is not dereferenced.  Two functions end pools without a
 * claim: the sweep ends orphans, which were claimed when they were destroyed, and
 * mpool_registry_exit() ends all pools that are left, when no caller is left.
 *
 * Invariant: two pools on the list that are not orphans have different names; two orphans
 * of one name have different numbers; peak >= pages for each pool, except in the middle
 * of mpool_pool_charge(); a pool that is pinned stays on the list.
 *
 * Locking: registry_mutex protects the list and the flags of pools.  In the lock order,
 * only the mutexes of leaks.c come before it.  Alloc and free do not take it.  No
 * callback of a client is called with it held: a caller of callbacks pins the pool.  The
 * charge counters are atomic.
 */
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "call.h"
#include "defer.h"
#include "registry.h"
#include "site.h"

/* Protects the list, and the fields of struct mpool_pool that registry.h names. */
static DEFINE_MUTEX(registry_mutex);
static LIST_HEAD(registry_list);

/* Tasks that wait until a pool is not pinned any more. */
static DECLARE_WAIT_QUEUE_HEAD(registry_unpinned);

const struct mpool_policy mpool_policies[] = {
	[MPOOL_ON_LEAK_KEEP]	= { .name = "keep", .done = "kept" },
	[MPOOL_ON_LEAK_RECLAIM]	= { .name = "reclaim", .done = "reclaimed" },
	[MPOOL_ON_LEAK_PANIC]	= { .name = "panic", .done = "panic" },
};

/* The module parameter on_leak. */
enum mpool_on_leak mpool_default_on_leak = MPOOL_ON_LEAK_KEEP;

/*
 * Names that a pool must not have: a file beside the directories of the pools has this
 * name, in this version or perhaps in a later one.
 */
static const char * const reserved_names[] = {
	"pools", "leaks", "whatis", "control", "dump", "stats", "sites",
	"modules", "growth", "verify", ".", "..",
};

/* A name that ends like this is reserved, too. */
#define RESERVED_END	".json"

/* The time between two lines about one pool that say that max_objects are live. */
#define FULL_PERIOD	(5 * HZ)

/* The name as it may be printed: a pointer that is no address is not dereferenced. */
static const char *name_shown(const char *name)
{
	return mpool_no_address(name) ? "" : name;
}

/* The text behind a name that was cut. */
static const char *name_rest(const char *name)
{
	return strnlen(name_shown(name), MPOOL_NAME_LEN) == MPOOL_NAME_LEN ? "..." : "";
}

/* Prints one line: why a pool is not created, or a setting of a pool is refused. */
void mpool_refuse_kind(const char *kind, const char *name, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	/* Escaped: the name may have a new line. */
	pr_err_ratelimited("%s pool \"%*pE%s\": %pV\n", kind,
			   (int)strnlen(name_shown(name), MPOOL_NAME_LEN - 1),
			   name_shown(name), name_rest(name), &vaf);
	va_end(args);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_refuse_kind);

/* Refuses a wrong pointer to arguments.  NULL is right: there are none. */
int mpool_args_check(const char *kind, const char *name, const void *args)
{
	if (!args || !mpool_no_address(args))
		return 0;
	mpool_refuse_kind(kind, name, "args is %ld, not an address", (long)args);
	return -EINVAL;
}

/*
 * Refuses the errors that every create function refuses before it allocates anything: a
 * caller that must not sleep, and a wrong pointer to arguments.
 */
int mpool_create_check(const char *kind, const char *name, const void *args)
{
	const char *by = mpool_no_change();

	if (!by)
		return mpool_args_check(kind, name, args);
	mpool_refuse_kind(kind, name, "must not be made by %s", by);
	return -EINVAL;
}

/* Prints a line and returns false if there is a forbidden context, @by. */
static bool pool_allowed(const struct mpool_pool *pool, const char *what,
			 const char *by)
{
	if (by) {
		mpool_refuse(pool->ops, pool->name, "is not %s by %s", what, by);
		return false;
	}
	might_sleep();
	return true;
}

/* For functions that sleep. */
bool mpool_pool_may_sleep(const struct mpool_pool *pool, const char *what)
{
	return pool_allowed(pool, what, mpool_no_sleep());
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pool_may_sleep);

/* For functions that wait for a mutex under which memory is allocated. */
bool mpool_pool_may_change(const struct mpool_pool *pool, const char *what)
{
	return pool_allowed(pool, what, mpool_no_change());
}

/* Prints that the pool that a caller passed is NULL or an error; returns -EINVAL. */
int mpool_pool_none(const char *kind, const void *pool, unsigned long ip)
{
	if (pool)
		pr_err_ratelimited("%s pool is error %ld, not a pool: its create function failed; called from %pS\n",
				   kind, PTR_ERR(pool), (void *)ip);
	else
		pr_err_ratelimited("%s pool is NULL, not a pool; called from %pS\n",
				   kind, (void *)ip);
	return -EINVAL;
}

/*
 * Returns the name of the context if the caller must not sleep, or NULL.  Some of these
 * contexts cannot be detected.  The visitor of a walk must not sleep: it
 * is an RCU reader.  If it ended a pool, it would wait for its own read-side section.
 */
const char *mpool_no_sleep(void)
{
	if (!in_task())
		return "an interrupt";
	if (irqs_disabled())
		return "code with interrupts off";
	/* A spinlock is seen only where the kernel counts it. */
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && preempt_count())
		return "code with preemption off";
	/* The end of a pool waits for a grace period, and so for its own caller. */
	if (rcu_preempt_depth())
		return "an RCU reader";
	return mpool_call_inside(&mpool_in_walk) ? "the visitor of a walk" : NULL;
}

/*
 * As mpool_no_sleep(), and also returns the name of reclaim.  For functions that wait for
 * a mutex under which mpool allocates memory: a shrinker of a client may run in such an
 * allocation.
 */
const char *mpool_no_change(void)
{
	return mpool_no_sleep() ?: current->flags & PF_MEMALLOC ? "reclaim" : NULL;
}

/* Is a name one that files have, or may have? */
static bool name_reserved(const char *name)
{
	size_t i = strlen(name);

	if (i >= strlen(RESERVED_END) &&
	    !strcmp(name + i - strlen(RESERVED_END), RESERVED_END))
		return true;
	for (i = 0; i < ARRAY_SIZE(reserved_names); i++)
		if (!strcmp(name, reserved_names[i]))
			return true;
	return false;
}

/*
 * The reason why a name is refused, or NULL.  A blank would shift the columns of the
 * files.  A '/' cannot be in the name of a directory, and '~' stands before the number of
 * an orphan.
 */
const char *mpool_name_wrong(const char *name)
{
	const char *c;

	static_assert(MPOOL_NAME_LEN == 48);
	if (!name)
		return "name is NULL";
	if (mpool_no_address(name))
		return "name is no address";
	if (!*name)
		return "name is empty";
	if (strnlen(name, MPOOL_NAME_LEN) == MPOOL_NAME_LEN)
		return "name is longer than 47 characters";
	for (c = name; *c; c++) {
		if (isascii(*c) && isspace(*c))
			return "name has a blank";
		if (*c == '/' || *c == '~')
			return "name has a '/' or '~'";
		if (!isascii(*c) || !isgraph(*c))
			return "name has a character that is not printable ASCII";
	}
	return name_reserved(name) ? "name is reserved, for a file" : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_name_wrong);

/* Fills in the common part of a pool, which is not on the list yet. */
int mpool_pool_init(struct mpool_pool *pool, const char *name,
		    const struct mpool_pool_ops *ops,
		    enum mpool_on_leak on_leak, struct mpool_site *site)
{
	const char *wrong = mpool_name_wrong(name);

	if (wrong) {
		mpool_refuse(ops, name, "%s", wrong);
		return -EINVAL;
	}
	if ((unsigned int)on_leak > MPOOL_ON_LEAK_PANIC) {
		mpool_refuse(ops, name, "on_leak %d is not a policy", on_leak);
		return -EINVAL;
	}
	if (mpool_no_address(site)) {
		mpool_refuse(ops, name, "site is %ld, not an address", (long)site);
		return -EINVAL;
	}
	strscpy(pool->name, name, sizeof(pool->name));
	pool->ops = ops;
	pool->on_leak = on_leak;
	pool->site = mpool_site_id(site);
	pool->module = site->module;
	pool->handle = pool;
	pool->born = ktime_get();
	pool->fail.next_log = jiffies;
	INIT_LIST_HEAD(&pool->list);
	return 0;
}

/* The pool of this name that is no orphan, or NULL. */
static struct mpool_pool *registry_find_locked(const char *name)
{
	struct mpool_pool *pool;

	lockdep_assert_held(&registry_mutex);
	list_for_each_entry(pool, &registry_list, list)
		if (!pool->orphan && !strcmp(pool->name, name))
			return pool;
	return NULL;
}

/* The pool of this kind that has this handle, or NULL.  @handle may be any value. */
static struct mpool_pool *registry_at_locked(enum mpool_kind kind,
					     const void *handle)
{
	struct mpool_pool *pool;

	lockdep_assert_held(&registry_mutex);
	list_for_each_entry(pool, &registry_list, list)
		if (pool->handle == handle && pool->ops->kind == kind)
			return pool;
	return NULL;
}

/* Adds a pool to the list.  Other tasks may read the pool from now on: it is complete. */
int mpool_pool_register(struct mpool_pool *pool)
{
	int err = 0;

	mutex_lock(&registry_mutex);
	if (registry_find_locked(pool->name)) {
		mpool_refuse(pool->ops, pool->name,
			     "a pool of this name exists");
		err = -EEXIST;
	} else {
		list_add_tail(&pool->list, &registry_list);
		mpool_hooks.added(pool);
	}
	mutex_unlock(&registry_mutex);
	return err;
}

/*
 * Claims the pool that has this handle, so that only this caller ends it.  If there is no
 * such pool, if another caller has claimed it, or if this caller must not sleep, prints
 * one line and returns NULL.  @handle may be any value and is not dereferenced: the pool
 * may be gone.
 */
struct mpool_pool *mpool_pool_claim(const struct mpool_pool_ops *ops,
				    const void *handle, unsigned long ip)
{
	const char *by = mpool_no_change();
	struct mpool_pool *found;

	if (by) {
		pr_err_ratelimited("%s pool %p is not destroyed by %s; called from %pS\n",
				   ops->kind_name, handle, by, (void *)ip);
		return NULL;
	}
	mutex_lock(&registry_mutex);
	found = registry_at_locked(ops->kind, handle);
	if (!found)
		pr_err_ratelimited("%s pool %p is not destroyed: there is no such pool, or it was destroyed; called from %pS\n",
				   ops->kind_name, handle, (void *)ip);
	else if (found->ending)
		pr_err_ratelimited("%s pool \"%s\" is not destroyed: another call destroys it, or has done so; called from %pS\n",
				   ops->kind_name, found->name, (void *)ip);
	if (found && found->ending)
		found = NULL;
	if (found)
		found->ending = true;
	mutex_unlock(&registry_mutex);
	return found;
}

/* Drops a claim: the caller does not end the pool after all. */
void mpool_pool_unclaim(struct mpool_pool *pool)
{
	mutex_lock(&registry_mutex);
	pool->ending = false;
	mutex_unlock(&registry_mutex);
}

/*
 * Adds a user to the pool that has this handle, and returns the pool; NULL if there is no
 * such pool, or if it is claimed.  @handle may be any value and is not dereferenced.
 */
struct mpool_pool *mpool_pool_use(enum mpool_kind kind, const void *handle)
{
	struct mpool_pool *pool;

	mutex_lock(&registry_mutex);
	pool = registry_at_locked(kind, handle);
	if (pool && pool->ending)
		pool = NULL;
	/* Under the mutex: a task that claims the pool later sees this user. */
	if (pool)
		atomic_inc(&pool->users);
	mutex_unlock(&registry_mutex);
	return pool;
}

/* Returns how many pools take their memory from @pool; copies the name of the first. */
unsigned int mpool_pool_above(const struct mpool_pool *pool, char *name, size_t size)
{
	const struct mpool_pool *above;
	unsigned int n = 0;

	*name = '\0';
	mutex_lock(&registry_mutex);
	list_for_each_entry(above, &registry_list, list)
		if (above->below == pool && !n++)
			strscpy(name, above->name, size);
	mutex_unlock(&registry_mutex);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pool_above);

/* Drops a pin.  The caller must not access the pool after this. */
void mpool_pool_unpin(struct mpool_pool *pool)
{
	bool orphan;

	mutex_lock(&registry_mutex);
	orphan = pool->orphan;
	WRITE_ONCE(pool->pins, pool->pins - 1);
	if (!pool->pins)
		wake_up_all(&registry_unpinned);
	mutex_unlock(&registry_mutex);
	/* A sweep may have skipped the orphan, because it was pinned: request another. */
	if (orphan)
		mpool_pool_sweep();
}

/*
 * Goes on in the list of pools.  Returns the pool after @pool, or the first one if @pool
 * is NULL; NULL at the end of the list.  The returned pool is pinned, and the pin of
 * @pool is dropped.  A pinned pool stays on the list until mpool_pool_unpin(); it may
 * become an orphan meanwhile.  The caller holds no lock between two calls, so it may call
 * callbacks, which may create and destroy other pools.
 */
struct mpool_pool *mpool_pool_pin_next(struct mpool_pool *pool)
{
	struct mpool_pool *next = NULL;
	struct list_head *link;

	mutex_lock(&registry_mutex);
	link = pool ? pool->list.next : registry_list.next;
	if (link != &registry_list) {
		next = list_entry(link, struct mpool_pool, list);
		WRITE_ONCE(next->pins, next->pins + 1);
	}
	mutex_unlock(&registry_mutex);
	if (pool)
		mpool_pool_unpin(pool);
	return next;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pool_pin_next);

/*
 * Called when a pool ends or becomes an orphan: prints the number of its bad frees, if it
 * had more since this was last printed.  hidden is how many bad frees of the last burst
 * were not shown; see badfree.c.
 */
static void registry_say_bad(struct mpool_pool *pool)
{
	u64 bad = mpool_stat_read(&pool->stats, MPOOL_STAT_BAD_FREE);
	int hidden = atomic_xchg(&pool->burst, 0) - MPOOL_BURST;

	lockdep_assert_held(&registry_mutex);
	if (bad == pool->bad_said)
		return;
	pool->bad_said = bad;
	if (hidden > 0)
		pr_err("%s pool \"%s\" had %llu bad frees; the last %d of them were not shown\n",
		       pool->ops->kind_name, pool->name, bad, hidden);
	else
		pr_err("%s pool \"%s\" had %llu bad free%s\n",
		       pool->ops->kind_name, pool->name, bad,
		       bad == 1 ? "" : "s");
}

/*
 * Waits until a pool is not pinned, and removes it from the list.  After the return no
 * file of debugfs reads it: the removal of its files has waited for their readers.  That
 * is no deadlock, although registry_mutex is held: no file of a pool takes
 * registry_mutex.
 */
void mpool_pool_unregister(struct mpool_pool *pool)
{
	bool done;

	do {
		/* The pool may be pinned again before the mutex is taken. */
		wait_event(registry_unpinned, !READ_ONCE(pool->pins));
		mutex_lock(&registry_mutex);
		done = !pool->pins;
		if (done) {
			registry_say_bad(pool);
			mpool_hooks.removed(pool);
			list_del_init(&pool->list);
		}
		mutex_unlock(&registry_mutex);
	} while (!done);
}

/* A number that no other orphan of the same name has. */
static unsigned int registry_nth_locked(const struct mpool_pool *pool)
{
	const struct mpool_pool *other;
	unsigned int nth = 0;

	lockdep_assert_held(&registry_mutex);
	list_for_each_entry(other, &registry_list, list)
		if (!strcmp(other->name, pool->name))
			nth = max(nth, other->nth);
	return nth + 1;
}

/*
 * Keeps a destroyed pool on the list as an orphan, which accepts frees only.  A new pool
 * may have the name of the orphan, so the files of the orphan move to a directory with a
 * number.  The caller must not access the pool after this: the sweep may end it.
 */
void mpool_pool_orphan(struct mpool_pool *pool)
{
	mutex_lock(&registry_mutex);
	registry_say_bad(pool);
	mpool_hooks.removed(pool);
	pool->nth = registry_nth_locked(pool);
	WRITE_ONCE(pool->orphan, true);
	mpool_hooks.added(pool);
	mutex_unlock(&registry_mutex);
	/*
	 * A CPU that has not seen the flag yet may free the last object now, and then
	 * requests no sweep.  So the sweep is requested here, after all such frees are
	 * counted.  A free has preemption off, or is an RCU reader, from before it loads
	 * the flag or free_cache until it has counted the object.
	 *
	 * One grace period is enough for frees that load the flag.  A fast path does not:
	 * it loads free_cache.  The caller has turned free_cache off, but a call of
	 * mpool_fixed_tune() that began before may turn it on again for a moment, with
	 * preemption off.  The first grace period waits for these calls: after it no fast
	 * path begins.  The second one waits for the fast paths that have begun.
	 */
	synchronize_rcu();
	synchronize_rcu();
	mpool_pool_sweep();
}

/* For tests only: the test makes sure that the pool is not destroyed meanwhile. */
struct mpool_pool *mpool_pool_find(const char *name)
{
	struct mpool_pool *pool;

	mutex_lock(&registry_mutex);
	pool = registry_find_locked(name);
	mutex_unlock(&registry_mutex);
	return pool;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pool_find);

/* The policy of a pool now: if it has none of its own, the parameter on_leak decides. */
enum mpool_on_leak mpool_pool_policy(const struct mpool_pool *pool)
{
	return pool->on_leak == MPOOL_ON_LEAK_DEFAULT ?
		READ_ONCE(mpool_default_on_leak) : pool->on_leak;
}

/* Counts and reports a free that was refused.  Any context. */
void mpool_pool_bad_free(struct mpool_pool *pool, const void *p,
			 enum mpool_bad_free why, unsigned long ip)
{
	if (pool)
		mpool_stat_inc(&pool->stats, MPOOL_STAT_BAD_FREE);
	mpool_hooks.bad_free(pool, p, why, ip);
}

/* Counts an allocation that failed, and records the request.  Any context. */
static void fail_note(struct mpool_pool *pool, size_t size, gfp_t gfp, u32 site)
{
	mpool_stat_inc(&pool->stats, MPOOL_STAT_FAIL);
	WRITE_ONCE(pool->fail.size, size);
	WRITE_ONCE(pool->fail.gfp, gfp);
	WRITE_ONCE(pool->fail.site, site);
	WRITE_ONCE(pool->fail.cached, 0);
	WRITE_ONCE(pool->fail.max, 0);
	WRITE_ONCE(pool->fail.ctor, 0);
	WRITE_ONCE(pool->fail.when, ktime_get_mono_fast_ns());
}

/* Records an allocation that failed.  Any context. */
void mpool_pool_failed(struct mpool_pool *pool, size_t size, gfp_t gfp,
		       u32 site)
{
	fail_note(pool, size, gfp, site);
	if (unlikely(gfp & __GFP_NOFAIL))
		pr_warn_ratelimited("pool \"%s\": __GFP_NOFAIL cannot be honoured here: the pool is limited, or the caller must not wait\n",
				    pool->name);
}

/*
 * Records an allocation that failed because max_objects are live.  Prints one line, but
 * at most one in FULL_PERIOD.  Memory is not short, so this prints no list of the owners
 * of memory, as the report of a failure in a large pool does.
 */
void mpool_pool_full(struct mpool_pool *pool, size_t size, gfp_t gfp, u32 site,
		     unsigned int max)
{
	char text[112];

	mpool_pool_failed(pool, size, gfp, site);
	WRITE_ONCE(pool->fail.max, max);
	if ((gfp & __GFP_NOWARN) ||
	    time_before(jiffies, READ_ONCE(pool->fail.next_log)))
		return;
	WRITE_ONCE(pool->fail.next_log, jiffies + FULL_PERIOD);
	mpool_site_print(site, text, sizeof(text));
	pr_err("no memory: pool \"%s\" was asked for %zu bytes, %pGg, by %s; its max_objects is %u, %u are live\n",
	       pool->name, size, &gfp, text, max, max);
}

/* Records an allocation that failed because the constructor refused the object. */
void mpool_pool_unborn(struct mpool_pool *pool, size_t size, gfp_t gfp, u32 site,
		       int err)
{
	fail_note(pool, size, gfp, site);
	WRITE_ONCE(pool->fail.ctor, err);
}

/* Prints the flags that are refused, and how to make a pool that accepts them. */
static noinline void gfp_say(const struct mpool_pool *pool, gfp_t odd, u32 site)
{
	const char *instead = odd & __GFP_HIGHMEM ? "no pool has such memory" :
		READ_ONCE(pool->global) ?
		"not for mpool_malloc(): make a large pool with them, and a small pool over it" :
		"give them to the large pool at its creation, if it is of system memory";
	char text[112] = "mpool_fixed_reserve() or mpool_small_reserve()";

	if (site)
		mpool_site_print(site, text, sizeof(text));
	pr_warn_ratelimited("pool \"%s\": gfp flags %pGg, by %s, are refused: %s\n",
			    pool->name, &odd, text, instead);
}

/*
 * True if the pool was created with the zone and accounting flags of a request, @has.
 * These flags are a property of pages, and objects share pages, so a request cannot bring
 * other flags.  @site is 0 for a reserve.
 */
bool mpool_pool_gfp_ok(struct mpool_pool *pool, gfp_t gfp, gfp_t has, u32 site)
{
	gfp_t odd = gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM |
			   __GFP_ACCOUNT) & ~has;

	if (likely(!odd))
		return true;
	gfp_say(pool, odd, site);
	return false;
}

/*
 * Reports the live objects of a pool that ends, and returns their number; panics if there
 * are any and that is the policy.
 */
size_t mpool_pool_leaks(struct mpool_pool *pool)
{
	size_t leaks = mpool_hooks.leaks(pool);

	if (leaks && mpool_pool_policy(pool) == MPOOL_ON_LEAK_PANIC)
		panic("mpool: %s pool \"%s\" leaked %zu objects\n",
		      pool->ops->kind_name, pool->name, leaks);
	return leaks;
}

/* Ends the orphans that have no live object, no pin and no user any more. */
static void sweep_fn(struct work_struct *work)
{
	struct mpool_pool *pool, *next;
	struct mpool_count count;
	LIST_HEAD(done);

	mutex_lock(&registry_mutex);
	list_for_each_entry_safe(pool, next, &registry_list, list) {
		if (!pool->orphan || pool->pins || atomic_read(&pool->users))
			continue;
		pool->ops->count(pool, &count);
		if (count.live)
			continue;
		registry_say_bad(pool);
		mpool_hooks.removed(pool);
		list_move_tail(&pool->list, &done);
	}
	mutex_unlock(&registry_mutex);
	/*
	 * The free that freed the last object of a pool on done has counted it, but may
	 * still access the pool.  It need not be the free that requested this sweep,
	 * which may have been requested for another orphan.  Until a free is over, it is
	 * an RCU reader or has preemption off.  So wait for a grace period before
	 * dispose.
	 */
	if (!list_empty(&done))
		synchronize_rcu();
	list_for_each_entry_safe(pool, next, &done, list) {
		list_del_init(&pool->list);
		pool->ops->dispose(pool);
	}
}

static struct mpool_defer sweep;

/*
 * Requests a sweep.  Each change that may make an orphan ready for its end does this: a
 * free, the end of a pin, the end of a user, and the orphan itself when it becomes one.
 * Any context.
 */
void mpool_pool_sweep(void)
{
	mpool_defer(&sweep);
}

/* Removes a user of @pool. */
void mpool_pool_unuse(struct mpool_pool *pool)
{
	bool sweep_it;

	/*
	 * After the last user is gone, a sweep may end an orphan.  The sweep waits for
	 * this RCU reader, until the flag is loaded.
	 */
	rcu_read_lock();
	sweep_it = atomic_dec_and_test(&pool->users) &&
		   READ_ONCE(pool->orphan);
	rcu_read_unlock();
	if (sweep_it)
		mpool_pool_sweep();
}

static bool pool_is_large(const struct mpool_pool *pool)
{
	return pool->ops->kind == MPOOL_KIND_LARGE;
}

/*
 * Ends the newest pool that is left, of the large pools or of the others; false if there
 * is none.
 */
static bool dispose_one(bool large)
{
	struct mpool_pool *pool, *found = NULL;

	mutex_lock(&registry_mutex);
	list_for_each_entry_reverse(pool, &registry_list, list) {
		if (pool_is_large(pool) != large)
			continue;
		found = pool;
		registry_say_bad(pool);
		mpool_hooks.removed(pool);
		list_del_init(&pool->list);
		break;
	}
	mutex_unlock(&registry_mutex);
	if (found)
		found->ops->dispose(found);
	return found;
}

void mpool_registry_init(void)
{
	mpool_defer_init_outside(&sweep, sweep_fn);
}

/*
 * Ends every pool that is left when mpool is unloaded: orphans, and mpool's own pools.
 * A pool that takes memory from another one ends first: large pools end last, and the
 * pools on the list end from the newest to the oldest.
 */
void mpool_registry_exit(void)
{
	/*
	 * A sweep may be ending a pool whose memory is from a pool that dispose_one() ends
	 * next.  Wait until it has ended.
	 */
	mpool_defer_sync(&sweep);
	while (dispose_one(false))
		;
	/*
	 * Wait again: the end of a pool above requests a sweep, if the pool was the last
	 * user of an orphan.
	 */
	mpool_defer_sync(&sweep);
	while (dispose_one(true))
		;
	/*
	 * Wait once more, for the same reason: a large pool may be the user of another.
	 * And the text of sweep_fn() is about to be unloaded.
	 */
	mpool_defer_sync(&sweep);
}

/* Takes registry_mutex and returns the list of pools. */
struct list_head *mpool_registry_lock(void)
{
	mutex_lock(&registry_mutex);
	return &registry_list;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_registry_lock);

void mpool_registry_unlock(void)
{
	mutex_unlock(&registry_mutex);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_registry_unlock);
