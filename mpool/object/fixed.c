// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed pools: objects of one size.
 *
 * Structure: a fixed pool has chunks (chunk.c), a cache for each CPU
 * (magazine.c), and a reserve (reserve.c).  alloc.c allocates and frees the
 * objects.  This file creates and destroys pools, and has the other public functions.
 *
 * A pool that has a name is in the registry.  The classes of a small pool are fixed
 * pools without a name: the small pool is charged for them, and messages name it.  For a
 * class, the memory of struct mpool_fixed ends before the members that only named pools
 * use.  The reserve of a class, if it has one, is separate memory, and serves the
 * smaller classes of the small pool, too.
 *
 * Invariant, checked by mpool_fixed_verify():
 *	the number of live objects is the number of allocs minus the number of frees; the
 *	objects in caches and reserve have the state MPOOL_OBJ_CACHED, and no other
 *	objects have it.
 *
 * Locking: that of the parts; the list of pools is that of turn.c.
 */
#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "call.h"
#include "fixed.h"

/* The largest object; the most objects of a reserve: a larger number is a mistake. */
#define FIXED_MAX_SIZE		(4ul << 20)
#define FIXED_MAX_RESERVE	BIT(20)

/* The most empty chunks that one mpool_fixed_reclaim_empty() gives back. */
#define RECLAIM_CHUNKS		16

/*
 * Held while trim or CPU hotplug takes idle objects from pools, and while a pool ends.
 * Alloc and free do not take it; reclaim only tries it.
 */
DEFINE_MUTEX(mpool_trim_mutex);
EXPORT_SYMBOL_IF_KUNIT(mpool_trim_mutex);

static int fixed_cpuhp_state;

/*
 * The sums of the allocs and of the frees of all CPUs.  They are approximate while other
 * CPUs count: an object may be allocated on one CPU and freed on another.  The frees are
 * read first.  An object is allocated before it is freed, so the allocs, which are read
 * later, mostly include each object that the frees include.
 */
static u64 sum_caches(struct mpool_fixed *fixed, u64 *frees)
{
	u64 allocs = 0, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += mpool_hint(per_cpu_ptr(fixed->caches, cpu)->frees);
	*frees = sum;
	for_each_possible_cpu(cpu)
		allocs += mpool_hint(per_cpu_ptr(fixed->caches, cpu)->allocs);
	return allocs;
}

/* Fills in @count; approximate unless the pool is at rest.  Any context. */
void mpool_fixed_count(struct mpool_fixed *fixed, struct mpool_count *count)
{
	u64 frees;

	*count = (struct mpool_count){
		.objsize = fixed->chunks.size,
		.capacity = mpool_hint(fixed->chunks.nr_objs),
	};
	/* The frees first, as in sum_caches(). */
	count->frees = atomic64_read(&fixed->slow_frees);
	count->allocs = sum_caches(fixed, &frees);
	count->frees += frees;
	count->allocs += atomic64_read(&fixed->slow_allocs);
	/* A double free counts as two frees until it is detected. */
	count->frees = min(count->frees, count->allocs);
	count->live = max_t(s64, 0, count->allocs - count->frees);
	count->live_bytes = count->live * fixed->chunks.size;
}

/* The number of objects in caches and reserve of a pool at rest. */
static unsigned int fixed_cached(struct mpool_fixed *fixed)
{
	unsigned long n = 0;
	int cpu;

	if (fixed->reserved)
		n += mpool_reserve_objects(fixed->reserved);
	for_each_possible_cpu(cpu)
		n += mpool_cache_objects(per_cpu_ptr(fixed->caches, cpu));
	return n;
}

/* Number of breaches of the invariants, in a pool that is at rest. */
int mpool_fixed_verify(struct mpool_fixed *fixed)
{
	struct mpool_count count;
	int cpu, bad = 0;

	if (fixed->reserved)
		bad += mpool_reserve_verify(fixed->reserved);
	mpool_chunks_settle(&fixed->chunks);
	mpool_fixed_count(fixed, &count);
	for_each_possible_cpu(cpu)
		bad += mpool_cache_verify(per_cpu_ptr(fixed->caches, cpu));
	bad += mpool_magazines_verify(&fixed->mags);
	bad += mpool_chunks_verify(&fixed->chunks, count.live,
				   fixed_cached(fixed));
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_fixed_verify);

/* Bytes of the pool, without the pages of its chunks, which the large pool counts. */
size_t mpool_fixed_footprint(struct mpool_fixed *fixed)
{
	bool class = mpool_fixed_is_class(fixed);
	const struct mpool_chunk *chunk;
	size_t bytes;

	bytes = kmalloc_size_roundup(mpool_fixed_bytes(class)) +
		sizeof(struct mpool_cache) * num_possible_cpus() +
		atomic_long_read(&fixed->mags.bytes);
	if (class && fixed->reserved)
		bytes += kmalloc_size_roundup(sizeof(*fixed->reserved));
	rcu_read_lock();
	list_for_each_entry_rcu(chunk, &fixed->chunks.all, all)
		bytes += kmalloc_size_roundup(mpool_chunk_bytes(chunk->at.nr));
	rcu_read_unlock();
	return bytes;
}

/* The most objects that mpool_fixed_drop() frees after one step of its walk. */
#define DROP_BATCH	32

struct drop {
	const struct module *mod;
	void *objs[DROP_BATCH];
	u16 sites[DROP_BATCH];
	unsigned int n;
};

/* Visitor: notes an object that is to be freed; ends the step when the batch is full. */
static int drop_collect(const struct mpool_obj *obj, void *arg)
{
	struct drop *drop = arg;

	if (drop->mod && !mpool_site_of_module(obj->site, drop->mod))
		return 0;
	drop->sites[drop->n] = obj->site;
	drop->objs[drop->n++] = (void *)obj->addr;
	return drop->n == DROP_BATCH;
}

/* Frees an object if it is still a live object of @site; false if not. */
static bool drop_one(struct mpool_fixed *fixed, void *obj, u16 site)
{
	struct mpool_slot slot = { .obj = obj };
	struct mpool_chunk *chunk;
	bool mine = false;

	preempt_disable();
	chunk = mpool_chunk_of(fixed, obj);
	if (chunk) {
		slot.state = mpool_chunk_state(chunk, (unsigned long)obj);
		/*
		 * Since the walk saw the object it may have been freed, and allocated
		 * again at another site.  Then the cmpxchg() fails, and the object stays.
		 * If it succeeds, the object pins its chunk from then on.
		 */
		mine = slot.state &&
		       cmpxchg(slot.state, site, MPOOL_OBJ_FREEING) == site;
	}
	preempt_enable();
	if (mine)
		mpool_fixed_free_claimed(fixed, &slot, MPOOL_FREE_INTERNAL);
	return mine;
}

/*
 * Frees the live objects, or only those that sites of @mod allocated, if @mod is not
 * NULL.  Each batch is freed between two steps of the walk, because a destructor may do
 * things that are forbidden in an RCU read-side section.
 */
size_t mpool_fixed_drop(struct mpool_fixed *fixed, const struct module *mod)
{
	struct mpool_chunk_cursor at = { };
	struct drop drop = { .mod = mod };
	size_t count = 0;
	bool more;

	/*
	 * The walk ends, although destructors run between its steps: they cannot add
	 * objects, because a pool is closed while all its objects are freed.  With @mod
	 * the pool is not closed.  But new chunks come before the first one, where the
	 * walk does not go any more.
	 */
	do {
		more = mpool_chunks_step(&fixed->chunks, &at, drop_collect, &drop);
		for (; drop.n; drop.n--)
			count += drop_one(fixed, drop.objs[drop.n - 1],
					  drop.sites[drop.n - 1]);
		cond_resched();
	} while (more);
	return count;
}

/* Ends the reserve, if there is one; its objects go back to the chunks. */
static void fixed_end_reserve(struct mpool_fixed *fixed)
{
	if (fixed->reserved)
		mpool_reserve_end(fixed->reserved);
}

/*
 * Called when a pool ends or becomes an orphan, and no caller allocates from it any more.
 * Turns off everything but frees, which put objects straight into the chunks from now on.
 */
void mpool_fixed_kill(struct mpool_fixed *fixed)
{
	fixed_end_reserve(fixed);
	/*
	 * dead is stored before mpool_fixed_tune() below takes the caches away.  At the
	 * same time another CPU may be in mpool_fixed_tune() and store the caches to
	 * free_cache.  The barrier pairs with smp_mb() there.  Either that CPU sees dead
	 * after its stores, and takes the caches away again; or its stores come before
	 * those of the call below, which are the last ones then.
	 */
	smp_store_mb(fixed->dead, true);
	mpool_fixed_tune(fixed);
	mpool_fixed_drain(fixed);
}

/*
 * Drains the caches of a CPU that is offline.  The mutex keeps the pools from ending.  A
 * class that is being made may be in use before it is on the list.  If it is missed here,
 * the objects in its cache of that CPU stay there until the CPU is online again or the
 * pool ends.
 */
static int fixed_cpu_dead(unsigned int cpu)
{
	struct mpool_fixed *fixed;

	mutex_lock(&mpool_trim_mutex);
	mpool_fixed_for_each(fixed) {
		mpool_cache_drain(per_cpu_ptr(fixed->caches, cpu),
				  &fixed->mags, &fixed->chunks);
		mpool_magazines_free_gone(&fixed->mags);
		cond_resched();
	}
	mutex_unlock(&mpool_trim_mutex);
	return 0;
}

/*
 * Gives empty chunks of the pools above a large pool back to it; false if there were
 * none.  At most RECLAIM_CHUNKS at a time, because the caller may have preemption off.
 */
bool mpool_fixed_reclaim_empty(struct mpool_large *large)
{
	unsigned int had, n = RECLAIM_CHUNKS;
	struct mpool_fixed *fixed;

	rcu_read_lock();
	list_for_each_entry_rcu(fixed, &mpool_fixed_list, list) {
		had = mpool_hint(fixed->chunks.nr_empty);
		if (fixed->chunks.large != large || !had)
			continue;
		mpool_chunks_reclaim(&fixed->chunks, had > n ? had - n : 0);
		n -= min(had, n);
		if (!n)
			break;
	}
	rcu_read_unlock();
	return n < RECLAIM_CHUNKS;
}

int mpool_fixed_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					      "mpool:dead", NULL,
					      fixed_cpu_dead);

	if (state < 0)
		return state;
	fixed_cpuhp_state = state;
	return 0;
}

void mpool_fixed_exit(void)
{
	cpuhp_remove_state_nocalls(fixed_cpuhp_state);
}

/* --- creation and end --- */

/*
 * The functions that begin with "registered_" are the operations of a pool that has a
 * name.  Each of them is described in struct mpool_pool_ops.
 */

static void registered_count(struct mpool_pool *pool, struct mpool_count *count)
{
	mpool_fixed_count(to_fixed(pool), count);
}

static int registered_walk(struct mpool_pool *pool, mpool_visit_fn fn,
			   void *arg)
{
	return mpool_chunks_walk(&to_fixed(pool)->chunks, fn, arg);
}

static int registered_verify(struct mpool_pool *pool)
{
	return mpool_fixed_verify(to_fixed(pool));
}

static size_t registered_footprint(struct mpool_pool *pool)
{
	return mpool_fixed_footprint(to_fixed(pool));
}

static size_t registered_reclaim(struct mpool_pool *pool,
				 const struct module *mod)
{
	return mpool_fixed_drop(to_fixed(pool), mod);
}

static bool registered_drop_callbacks(struct mpool_pool *pool,
				      const struct module *mod)
{
	return mpool_fixed_drop_callbacks(to_fixed(pool), mod);
}

static void registered_dispose(struct mpool_pool *pool)
{
	mpool_fixed_teardown(to_fixed(pool));
}

/*
 * Ends a pool after the report, or makes an orphan of it.  A pool that ends is removed
 * from the registry before the destructors run, so that no other task finds it then.
 */
static void registered_finish(struct mpool_pool *pool, bool keep)
{
	struct mpool_fixed *fixed = to_fixed(pool);

	/* No destructor may allocate while all objects are freed. */
	WRITE_ONCE(fixed->closed, !keep);
	mpool_fixed_kill(fixed);
	if (keep) {
		registered_drop_callbacks(pool, NULL);
		mpool_pool_orphan(pool);
		return;
	}
	mpool_pool_unregister(pool);
	mpool_fixed_drop(fixed, NULL);
	mpool_fixed_teardown(fixed);
}

static const struct mpool_pool_ops fixed_ops = {
	.kind = MPOOL_KIND_FIXED,
	.kind_name = "fixed",
	.count = registered_count,
	.walk = registered_walk,
	.verify = registered_verify,
	.footprint = registered_footprint,
	.reclaim = registered_reclaim,
	.drop_callbacks = registered_drop_callbacks,
	.finish = registered_finish,
	.dispose = registered_dispose,
};

/* The reason why the arguments are refused, or NULL. */
static const char *fixed_check(size_t size, const struct mpool_fixed_args *args)
{
	if (!size || size > FIXED_MAX_SIZE)
		return "size must be 1 byte to 4 MiB";
	if (args->align && !is_power_of_2(args->align))
		return "align is not a power of two";
	if (args->align > FIXED_MAX_SIZE)
		return "align is more than 4 MiB";
	if ((args->ctor && mpool_no_address(args->ctor)) ||
	    (args->dtor && mpool_no_address(args->dtor)))
		return "ctor or dtor is no address";
	if (args->flags & ~MPOOL_FIXED_NO_CACHE)
		return "flags are unknown";
	if (args->reserve > FIXED_MAX_RESERVE)
		return "reserve is more than 1048576";
	if (args->max_objects && args->reserve > args->max_objects)
		return "reserve is more than max_objects";
	return NULL;
}

/*
 * The alignment of objects: the requested one.  Without one, as that of kmalloc(): the
 * largest power of two that divides the size.
 */
static size_t fixed_align(size_t size, size_t align)
{
	return max_t(size_t, align ?: 1ul << __ffs(size),
		     ARCH_KMALLOC_MINALIGN);
}

/* Frees a pool after a grace period.  rcu_barrier() in pagemap.c waits for this. */
static void fixed_free_rcu(struct rcu_head *rcu)
{
	struct mpool_fixed *fixed = container_of(rcu, struct mpool_fixed, rcu);

	free_percpu(fixed->caches);
	if (mpool_fixed_is_class(fixed))
		kfree(fixed->reserved);
	kfree(fixed);
}

/**
 * mpool_fixed_setup() - make a pool, not registered yet
 * @name: its name, for the log if @owner is given
 * @size: bytes of an object
 * @args: options
 * @owner: pool above that is charged, or %NULL for a pool that has a name
 * @large: pool to allocate chunks from
 * @gfp: allocation flags
 * @site: call site that creates the pool
 *
 * Context: where the page allocator may be called, if @owner is given; process
 *	    context if not.
 * Return: the pool, or an error as for mpool_fixed_create().
 */
struct mpool_fixed *mpool_fixed_setup(const char *name, size_t size,
				      const struct mpool_fixed_args *args,
				      struct mpool_pool *owner,
				      struct mpool_large *large, gfp_t gfp,
				      struct mpool_site *site)
{
	const char *wrong = fixed_check(size, args);
	struct mpool_fixed *fixed;
	int cpu, err = 0;
	size_t align;

	fixed = kzalloc(mpool_fixed_bytes(owner), gfp);
	if (!fixed)
		return ERR_PTR(-ENOMEM);
	fixed->owner = owner ?: &fixed->base;
	if (!owner) {
		err = mpool_pool_init(&fixed->base, name, &fixed_ops,
				      args->on_leak, site);
		fixed->base.handle = fixed;
	}
	if (!err && wrong) {
		mpool_refuse(&fixed_ops, name, "%s", wrong);
		err = -EINVAL;
	}
	if (err)
		goto err_free;
	err = -ENOMEM;
	fixed->caches = alloc_percpu_gfp(struct mpool_cache, gfp);
	if (!fixed->caches)
		goto err_free;
	for_each_possible_cpu(cpu)
		mpool_cache_init(per_cpu_ptr(fixed->caches, cpu));
	align = fixed_align(size, args->align);
	fixed->size = size;
	fixed->ctor = args->ctor;
	fixed->dtor = args->dtor;
	fixed->priv = args->priv;
	if (!args->max_objects && !(args->flags & MPOOL_FIXED_NO_CACHE))
		mpool_magazines_init(&fixed->mags, ALIGN(size, align),
				     large->limit || !large->source->system);
	mpool_fixed_tune(fixed);
	mpool_chunks_init(&fixed->chunks, fixed, fixed->owner, large, size,
			  align);
	fixed->chunks.max_objects = args->max_objects;
	if (!owner) {
		mpool_reserve_init(&fixed->reserve, &fixed->chunks);
		fixed->reserved = &fixed->reserve;
	}
	if (!owner)
		fixed->base.below = &large->base;
	atomic_inc(&large->base.users);
	INIT_LIST_HEAD(&fixed->list);
	return fixed;

err_free:
	kfree(fixed);
	return ERR_PTR(err);
}

/* Frees a pool that has no chunk any more.  Context: as for its setup. */
static void fixed_end(struct mpool_fixed *fixed)
{
	mpool_pool_unuse(&fixed->chunks.large->base);
	/* A lookup that has found a chunk may still access the pool. */
	call_rcu(&fixed->rcu, fixed_free_rcu);
}

/*
 * Ends a pool that was never used and is not on the list, so no mutex is needed: the
 * context is that of its setup.  For a class that another CPU has made at the same time.
 */
void mpool_fixed_discard(struct mpool_fixed *fixed)
{
	fixed_end(fixed);
}

/*
 * Ends a pool that no caller can find any more.  Live objects keep their memory.  No CPU
 * uses its cache any more, so this task drains the caches of all CPUs, online or not.
 */
void mpool_fixed_teardown(struct mpool_fixed *fixed)
{
	int cpu;

	fixed_end_reserve(fixed);
	mutex_lock(&mpool_trim_mutex);
	/* First: after that no other CPU drains the caches, see mpool_fixed_turn(). */
	mpool_fixed_list_del(fixed);
	for_each_possible_cpu(cpu)
		mpool_cache_drain(per_cpu_ptr(fixed->caches, cpu),
				  &fixed->mags, &fixed->chunks);
	mpool_magazines_free_gone(&fixed->mags);
	mpool_chunks_end(&fixed->chunks);
	fixed_end(fixed);
	mutex_unlock(&mpool_trim_mutex);
}

/* --- the public face --- */

struct mpool_fixed *__mpool_fixed_create(const char *name, size_t size,
					 const struct mpool_fixed_args *args,
					 struct mpool_site *site)
{
	static const struct mpool_fixed_args none;
	struct mpool_fixed *fixed;
	struct mpool_large *large;
	int err;

	err = mpool_create_check("fixed", name, args);
	if (err)
		return ERR_PTR(err);
	if (!args)
		args = &none;
	large = mpool_large_use(&fixed_ops, name, args->large);
	if (IS_ERR(large))
		return ERR_CAST(large);
	fixed = mpool_fixed_setup(name, size, args, NULL, large, GFP_KERNEL,
				  site);
	/* The new pool is a user of the large pool itself now: drop that of this task. */
	mpool_pool_unuse(&large->base);
	if (IS_ERR(fixed))
		return fixed;
	mpool_fixed_list_add(fixed);
	err = mpool_fixed_reserve(fixed, args->reserve, GFP_KERNEL);
	if (!err)
		err = mpool_pool_register(&fixed->base);
	if (err) {
		mpool_fixed_teardown(fixed);
		return ERR_PTR(err);
	}
	return fixed;
}
EXPORT_SYMBOL_GPL(__mpool_fixed_create);

/* The reserve of a pool.  A class gets one at the first call, and keeps it. */
static struct mpool_reserve *fixed_get_reserve(struct mpool_fixed *fixed,
					       gfp_t gfp)
{
	struct mpool_reserve *new, *old = READ_ONCE(fixed->reserved);

	if (old)
		return old;
	new = kzalloc(sizeof(*new), gfp);
	if (!new)
		return NULL;
	mpool_reserve_init(new, &fixed->chunks);
	/* Pairs with the dependent reads of fixed->reserved. */
	old = cmpxchg(&fixed->reserved, NULL, new);
	if (!old)
		return new;
	kfree(new);
	return old;
}

/* The most objects that the reserve may have. */
static unsigned int fixed_most_reserve(const struct mpool_fixed *fixed)
{
	return min(fixed->chunks.max_objects ?: UINT_MAX,
		   (unsigned int)FIXED_MAX_RESERVE);
}

/*
 * Sets the size of the reserve of a pool or a class to @n objects.  The caller has
 * checked @gfp by mpool_reserve_gfp_ok().  Sleeps.
 */
int mpool_fixed_set_reserve(struct mpool_fixed *fixed, unsigned int n,
			    gfp_t gfp)
{
	struct mpool_reserve *reserve;
	int err;

	if (n > fixed_most_reserve(fixed)) {
		mpool_refuse(fixed->owner->ops, fixed->owner->name,
			     "a reserve has at most %u objects, not %u",
			     fixed_most_reserve(fixed), n);
		return -ENOSPC;
	}
	/* Chunks get the zone of the large pool.  Without memory this returns an error. */
	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_ZERO | __GFP_NOFAIL);
	/* A mistyped number must not start the OOM killer. */
	gfp |= __GFP_RETRY_MAYFAIL;
	reserve = fixed_get_reserve(fixed, gfp);
	if (!reserve)
		return -ENOMEM;
	err = mpool_reserve_set(reserve, n, gfp);
	if (!err)
		return 0;
	/* Free objects may be in the caches of CPUs: drain them, and try again. */
	mpool_fixed_drain(fixed);
	err = mpool_reserve_set(reserve, n, gfp);
	if (err == -ENOMEM)
		mpool_refuse(fixed->owner->ops, fixed->owner->name,
			     "there is no memory for a reserve of %u objects", n);
	return err;
}

int mpool_fixed_reserve(struct mpool_fixed *pool, unsigned int n, gfp_t gfp)
{
	if (mpool_fixed_check(pool))
		return -EINVAL;
	if (!mpool_reserve_gfp_ok(pool->owner, pool->chunks.large, gfp))
		return -EINVAL;
	might_sleep();
	return mpool_fixed_set_reserve(pool, n, gfp);
}
EXPORT_SYMBOL_GPL(mpool_fixed_reserve);

/* The function of a caller that walks the objects, as a visitor of a walk. */
struct walk {
	int (*fn)(void *obj, void *arg);
	void *arg;
};

static int walk_one(const struct mpool_obj *obj, void *arg)
{
	struct walk *walk = arg;

	return walk->fn((void *)obj->addr, walk->arg);
}

int mpool_fixed_walk(struct mpool_fixed *pool, int (*fn)(void *obj, void *arg),
		     void *arg)
{
	struct walk walk = { .fn = fn, .arg = arg };
	struct mpool_call call;
	int ret;

	if (mpool_fixed_check(pool))
		return 0;
	if (mpool_no_address(fn)) {
		pr_err_ratelimited("fixed pool \"%s\": fn of a walk is %ld, not an address; called from %pS\n",
				   pool->base.name, (long)fn, (void *)_RET_IP_);
		return -EINVAL;
	}
	mpool_call_begin(&call, &mpool_in_walk, MPOOL_CALL_OTHER);
	ret = mpool_chunks_walk(&pool->chunks, walk_one, &walk);
	mpool_call_end(&call);
	return ret;
}
EXPORT_SYMBOL_GPL(mpool_fixed_walk);

unsigned int mpool_fixed_live(struct mpool_fixed *pool)
{
	struct mpool_count count;

	if (mpool_fixed_check(pool))
		return 0;
	mpool_fixed_count(pool, &count);
	return count.live;
}
EXPORT_SYMBOL_GPL(mpool_fixed_live);

size_t mpool_fixed_size(struct mpool_fixed *pool)
{
	return mpool_fixed_check(pool) ? 0 : pool->chunks.size;
}
EXPORT_SYMBOL_GPL(mpool_fixed_size);

bool mpool_fixed_owns(struct mpool_fixed *pool, const void *p)
{
	struct mpool_chunk *chunk;
	bool owns = false;
	u16 *state;

	preempt_disable();
	chunk = mpool_chunk_of(pool, p);
	if (chunk) {
		state = mpool_chunk_state(chunk, (unsigned long)p);
		owns = state && mpool_obj_live(READ_ONCE(*state));
	}
	preempt_enable();
	return owns;
}
EXPORT_SYMBOL_GPL(mpool_fixed_owns);

/*
 * Refuses to clear or destroy a pool in its own callback, and prints that.  A destroy
 * would wait until that callback has returned, for ever.
 */
static bool fixed_refuse_inside(const struct mpool_fixed *fixed,
				const char *what, unsigned long ip)
{
	if (!mpool_call_inside(fixed))
		return false;
	pr_err_ratelimited("fixed pool \"%s\" is not %s: its own constructor or destructor asks for it; called from %pS\n",
			   fixed->owner->name, what, (void *)ip);
	return true;
}

/*
 * Turns the fast path of alloc off, or on again.  mpool_fixed_tune() on another CPU may
 * have read the old value, and have its store to come: the grace period waits for that.
 */
static void fixed_close(struct mpool_fixed *fixed, bool closed)
{
	WRITE_ONCE(fixed->closed, closed);
	synchronize_rcu();
	mpool_fixed_tune(fixed);
}

/*
 * The pool is closed meanwhile: allocations fail, because an allocation by a destructor
 * would keep the clear from coming to an end.  mpool_fixed_tune() turns the fast path of
 * alloc off, so that it does not miss this, and on again.
 */
void mpool_fixed_clear(struct mpool_fixed *pool)
{
	if (mpool_fixed_check(pool) || !mpool_pool_may_change(pool->owner, "cleared") ||
	    fixed_refuse_inside(pool, "cleared", _RET_IP_))
		return;
	fixed_close(pool, true);
	mpool_fixed_drop(pool, NULL);
	fixed_close(pool, false);
	mpool_fixed_drain(pool);
}
EXPORT_SYMBOL_GPL(mpool_fixed_clear);

size_t __mpool_fixed_destroy(struct mpool_fixed *pool)
{
	size_t leaks;

	/*
	 * A call in a callback is refused before it claims the pool.  If it claimed the
	 * pool for a moment, another task that destroys the pool in this moment would be
	 * refused, and the pool would stay.
	 */
	if (IS_ERR_OR_NULL(pool) || fixed_refuse_inside(pool, "destroyed", _RET_IP_) ||
	    !mpool_pool_claim(&fixed_ops, pool, _RET_IP_))
		return 0;
	leaks = mpool_pool_leaks(&pool->base);
	registered_finish(&pool->base, leaks && mpool_pool_keeps(&pool->base));
	return leaks;
}
EXPORT_SYMBOL_GPL(__mpool_fixed_destroy);
