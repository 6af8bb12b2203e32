/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REGISTRY_H
#define _MPOOL_REGISTRY_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rcupdate.h>

#include "hooks.h"
#include "internal.h"
#include "stat.h"

struct dentry;
struct mpool_pool;

enum mpool_kind {
	MPOOL_KIND_LARGE,
	MPOOL_KIND_FIXED,
	MPOOL_KIND_SMALL,
	MPOOL_KIND_STRING,
};

/* The contents of a pool at one moment. */
struct mpool_count {
	size_t objsize;		/* bytes of an object, 0 if they differ */
	size_t live;		/* objects that are live */
	size_t live_bytes;	/* usable bytes of the live objects */
	size_t capacity;	/* objects that fit into the memory of the pool now */
	u64 allocs;
	u64 frees;
};

/* A live object, as a walk shows it to a visitor. */
struct mpool_obj {
	const void *addr;
	size_t size;
	u32 site;
};

/* Called for each live object; non-zero ends the walk. */
typedef int (*mpool_visit_fn)(const struct mpool_obj *obj, void *arg);

/* The operations of a kind of pool that the registry and later folders call. */
struct mpool_pool_ops {
	enum mpool_kind kind;
	const char *kind_name;
	void (*count)(struct mpool_pool *pool, struct mpool_count *count);
	int (*walk)(struct mpool_pool *pool, mpool_visit_fn fn, void *arg);
	/* prints the breaches of the invariants; their number, 0 at rest.  Sleeps */
	int (*verify)(struct mpool_pool *pool);
	/* bytes of the system's memory, without those that pools below or above count */
	size_t (*footprint)(struct mpool_pool *pool);
	/* frees the live objects that sites of @mod allocated */
	size_t (*reclaim)(struct mpool_pool *pool, const struct module *mod);
	/* drops callbacks that are code of @mod, all if NULL; false if there were none */
	bool (*drop_callbacks)(struct mpool_pool *pool, const struct module *mod);
	/* ends a pool after the report, or makes an orphan of it */
	void (*finish)(struct mpool_pool *pool, bool keep);
	/* ends an orphan; objects that are still live keep their memory */
	void (*dispose)(struct mpool_pool *pool);
};

/* The last allocation that failed. */
struct mpool_failure {
	size_t size;
	gfp_t gfp;
	u32 site;
	unsigned long free;	/* pages free in the large pool */
	unsigned long largest;	/* longest free run there, in pages */
	unsigned long cached;	/* free objects in the caches of CPUs */
	unsigned int max;	/* max_objects, if that was the reason */
	int ctor;		/* error of the constructor, if that was the reason */
	ktime_t when;		/* 0: no allocation has failed */
	unsigned long next_log;	/* jiffies; no line about max before */
};

/* The part that all pools with a name have in common; a member of their structs. */
struct mpool_pool {
	/* Constant after registration. */
	char name[MPOOL_NAME_LEN];
	const struct mpool_pool_ops *ops;
	enum mpool_on_leak on_leak;
	u32 site;		/* where it was created */
	ktime_t born;
	const void *handle;	/* pointer that its creator has */

	/* Protected by registry_mutex. */
	struct list_head list;
	const struct module *module;	/* that created it, until that is unloaded */
	bool ending;		/* claimed by the task that ends it */
	bool orphan;		/* destroyed with live objects, and kept; read anywhere */
	unsigned int pins;	/* tasks that use the pool without the mutex */
	unsigned int nth;	/* number among the orphans of its name, or 0 */
	u64 bad_said;		/* number of bad frees in the last line about it */
	struct dentry *dir;	/* directory in debugfs */
	struct mpool_pool *below;	/* large pool that a pool takes memory from */

	/* Any context. */
	atomic_long_t pages;	/* charged to the pool */
	atomic_long_t peak;	/* most pages that were charged at a time */
	struct mpool_stats stats;
	struct mpool_failure fail;	/* may be torn if two allocations fail at once */
	atomic_t users;		/* pools that take memory from it; 1 more if global */
	bool global;		/* it is, or may become, the global pool */
	atomic_t burst;		/* bad frees since the work item of badfree.c ran */
};

/* Bad frees of one pool that are printed before the work item has run. */
#define MPOOL_BURST	10

/* Words for an enum mpool_on_leak: that of a user, and the fate of the objects. */
struct mpool_policy {
	const char *name;
	const char *done;
};

extern const struct mpool_policy mpool_policies[];
extern enum mpool_on_leak mpool_default_on_leak;

const char *mpool_name_wrong(const char *name);
int mpool_pool_init(struct mpool_pool *pool, const char *name,
		    const struct mpool_pool_ops *ops,
		    enum mpool_on_leak on_leak, struct mpool_site *site);
int mpool_pool_register(struct mpool_pool *pool);
struct mpool_pool *mpool_pool_claim(const struct mpool_pool_ops *ops,
				    const void *handle, unsigned long ip);
void mpool_pool_unclaim(struct mpool_pool *pool);
struct mpool_pool *mpool_pool_pin_next(struct mpool_pool *pool);
void mpool_pool_unpin(struct mpool_pool *pool);
void mpool_pool_unregister(struct mpool_pool *pool);
void mpool_pool_orphan(struct mpool_pool *pool);
struct mpool_pool *mpool_pool_find(const char *name);
enum mpool_on_leak mpool_pool_policy(const struct mpool_pool *pool);

static inline bool mpool_pool_keeps(const struct mpool_pool *pool)
{
	return mpool_pool_policy(pool) == MPOOL_ON_LEAK_KEEP;
}

/* Charges pages to a pool, or uncharges them if @pages is negative.  Any context. */
static inline void mpool_pool_charge(struct mpool_pool *pool, long pages)
{
	long now = atomic_long_add_return(pages, &pool->pages);
	long peak = atomic_long_read(&pool->peak);

	while (unlikely(now > peak) &&
	       !atomic_long_try_cmpxchg(&pool->peak, &peak, now))
		;
}

void mpool_pool_bad_free(struct mpool_pool *pool, const void *p,
			 enum mpool_bad_free why, unsigned long ip);
void mpool_pool_failed(struct mpool_pool *pool, size_t size, gfp_t gfp,
		       u32 site);
void mpool_pool_full(struct mpool_pool *pool, size_t size, gfp_t gfp, u32 site,
		     unsigned int max);
void mpool_pool_unborn(struct mpool_pool *pool, size_t size, gfp_t gfp, u32 site,
		       int err);
bool mpool_pool_gfp_ok(struct mpool_pool *pool, gfp_t gfp, gfp_t has, u32 site);
size_t mpool_pool_leaks(struct mpool_pool *pool);
void mpool_pool_sweep(void);
const char *mpool_no_sleep(void);
const char *mpool_no_change(void);
struct mpool_pool *mpool_pool_use(enum mpool_kind kind, const void *handle);
unsigned int mpool_pool_above(const struct mpool_pool *pool, char *name, size_t size);
void mpool_pool_unuse(struct mpool_pool *pool);

/* Counts the free of a run of a pool, as the last step of that free.  Any context. */
static inline void mpool_pool_freed(struct mpool_pool *pool)
{
	bool orphan;

	/*
	 * An orphan may be ended as soon as its last object is counted, but not before
	 * this reader is over.  Pairs with synchronize_rcu() in mpool_pool_orphan() and
	 * in sweep_fn().
	 */
	rcu_read_lock();
	mpool_stat_inc(&pool->stats, MPOOL_STAT_FREE);
	orphan = READ_ONCE(pool->orphan);
	rcu_read_unlock();
	if (orphan)
		mpool_pool_sweep();
}

struct list_head *mpool_registry_lock(void);
void mpool_registry_unlock(void);

/*
 * IS_ERR_OR_NULL() in one comparison.  Where the addresses of the kernel are negative
 * numbers, it is a comparison with a constant.
 */
static __always_inline bool mpool_pool_bad(const void *pool)
{
	if (MPOOL_KERNEL_IS_NEGATIVE)
		return (long)pool >= -MAX_ERRNO;
	return (unsigned long)pool + MAX_ERRNO <= MAX_ERRNO;
}

/*
 * Is a pointer NULL, a small number or an error pointer, and thus no address?  For these
 * the caller gets a message and no oops.  Other wrong pointers cannot be detected.
 */
static inline bool mpool_no_address(const void *p)
{
	return (unsigned long)p < PAGE_SIZE || IS_ERR(p);
}

int mpool_args_check(const char *kind, const char *name, const void *args);
int mpool_create_check(const char *kind, const char *name, const void *args);
bool mpool_pool_may_sleep(const struct mpool_pool *pool, const char *what);
bool mpool_pool_may_change(const struct mpool_pool *pool, const char *what);

/*
 * @ip is in the caller of the public function, which mpool_pool_check() is inlined into.
 */
int mpool_pool_none(const char *kind, const void *pool, unsigned long ip);

static __always_inline int mpool_pool_check(const char *kind, const void *pool)
{
	return IS_ERR_OR_NULL(pool) ? mpool_pool_none(kind, pool, _RET_IP_) : 0;
}

void mpool_registry_init(void);
void mpool_registry_exit(void);

__printf(3, 4)
void mpool_refuse_kind(const char *kind, const char *name, const char *fmt, ...);

#define mpool_refuse(ops, name, fmt...) \
	mpool_refuse_kind((ops)->kind_name, name, fmt)

#endif /* _MPOOL_REGISTRY_H */
