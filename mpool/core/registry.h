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

/* What a pool holds at one moment. */
struct mpool_count {
	size_t objsize;		/* bytes of an object, 0 if they differ */
	size_t live;		/* objects out */
	size_t live_bytes;	/* bytes they may use */
	size_t capacity;	/* objects that fit into the memory held now */
	u64 allocs;
	u64 frees;
};

/* A live object, as a walk meets it. */
struct mpool_obj {
	const void *addr;
	size_t size;
	u32 site;
};

/* Called for each live object; non-zero ends the walk. */
typedef int (*mpool_visit_fn)(const struct mpool_obj *obj, void *arg);

/* What every kind of pool can do for the upper levels. */
struct mpool_pool_ops {
	enum mpool_kind kind;
	const char *kind_name;
	void (*count)(struct mpool_pool *pool, struct mpool_count *count);
	int (*walk)(struct mpool_pool *pool, mpool_visit_fn fn, void *arg);
	/* breaches of the invariants, which it prints; at rest there are none.  Sleeps */
	int (*verify)(struct mpool_pool *pool);
	/* bytes that it costs the system, but for what pools below or above count */
	size_t (*footprint)(struct mpool_pool *pool);
	/* frees the live objects that @mod's sites allocated */
	size_t (*reclaim)(struct mpool_pool *pool, const struct module *mod);
	/* @mod's code is about to go: none of it runs or will; NULL for any callback */
	bool (*drop_callbacks)(struct mpool_pool *pool, const struct module *mod);
	/* ends a pool that was reported, or makes an orphan of it */
	void (*finish)(struct mpool_pool *pool, bool keep);
	/* ends an orphan; objects that are still out keep their memory */
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
	unsigned int max;	/* max_objects, if that was why */
	int ctor;		/* what the constructor returned, if it was */
	ktime_t when;		/* 0 if none is known */
	unsigned long next_log;	/* jiffies; of max there is no line before */
};

/* The part that all pools have; the first member of each. */
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
	const struct module *module;	/* that created it, as long as that is there */
	bool ending;		/* somebody ends it, and nobody else may */
	bool orphan;		/* destroyed with objects out, and kept; read anywhere */
	unsigned int pins;	/* users of it that do not hold the mutex */
	unsigned int nth;	/* of the orphans of its name; 0 for none */
	u64 bad_said;		/* bad frees that the log knows the number of */
	struct dentry *dir;	/* debugfs' */
	struct mpool_pool *below;	/* large pool that it takes from; of a named one */

	/* Any context. */
	atomic_long_t pages;	/* charged to the pool */
	atomic_long_t peak;	/* most that were */
	struct mpool_stats stats;
	struct mpool_failure fail;	/* may be torn if two fail at once */
	atomic_t users;		/* pools that take their memory from this one */
	bool global;		/* it is, or may become, what mpool_malloc() takes from */
	atomic_t burst;		/* bad frees since a work item looked; badfree.c */
};

/* Bad frees of one pool that are shown before a work item looks for more. */
#define MPOOL_BURST	10

/* An enum mpool_on_leak: as a word of a user, and as what became of the objects. */
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

/* Charges pages to a pool, or takes the charge back.  Any context. */
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
struct mpool_pool *mpool_pool_use(enum mpool_kind kind, const void *handle);
unsigned int mpool_pool_above(const struct mpool_pool *pool, char *name, size_t size);
void mpool_pool_unuse(struct mpool_pool *pool);

/*
 * Counts a run of a pool that was taken back.  Last: an orphan may be ended as soon as
 * its last object was counted, but not before this reader is over.  Any context.
 */
static inline void mpool_pool_freed(struct mpool_pool *pool)
{
	bool orphan;

	rcu_read_lock();
	mpool_stat_inc(&pool->stats, MPOOL_STAT_FREE);
	/* Pairs with synchronize_rcu() in mpool_pool_orphan(). */
	orphan = READ_ONCE(pool->orphan);
	rcu_read_unlock();
	if (orphan)
		mpool_pool_sweep();
}

struct list_head *mpool_registry_lock(void);
void mpool_registry_unlock(void);

/*
 * IS_ERR_OR_NULL() in one comparison, and where the addresses of the kernel are
 * negative numbers, in one with a constant.
 */
static __always_inline bool mpool_pool_bad(const void *pool)
{
	if (MPOOL_KERNEL_IS_NEGATIVE)
		return (long)pool >= -MAX_ERRNO;
	return (unsigned long)pool + MAX_ERRNO <= MAX_ERRNO;
}

/*
 * Can nothing be there?  NULL, a small number and an error pointer are told from an
 * address, and cost a message and not an oops; what else is wrong cannot be told.
 */
static inline bool mpool_no_address(const void *p)
{
	return (unsigned long)p < PAGE_SIZE || IS_ERR(p);
}

int mpool_args_bad(const char *kind, const char *name, const void *args);

/* The optional struct of arguments of a create function, if it can be one. */
static inline int mpool_args_check(const char *kind, const char *name,
				   const void *args)
{
	return args && mpool_no_address(args) ?
		mpool_args_bad(kind, name, args) : 0;
}

/* @ip is the caller's: the check is inlined into the public function. */
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
