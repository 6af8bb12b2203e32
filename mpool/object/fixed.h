/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_FIXED_H
#define _MPOOL_FIXED_H

#include <linux/mutex.h>
#include <linux/rculist.h>

#include "chunk.h"
#include "magazine.h"
#include "reserve.h"

/* On whose behalf an object is given back. */
enum mpool_give {
	MPOOL_GIVE_FREE,		/* a caller's */
	MPOOL_GIVE_INTERNAL,		/* the pool's above */
	MPOOL_GIVE_UNBORN,		/* its constructor failed */
};

/* Classes of a small pool that may have a reserve: powers of two. */
#define MPOOL_BACKUPS	9

struct mpool_fixed {
	/* Read on every alloc and free, constant after creation. */
	/* caches, or mpool_no_cache; see mpool_fixed_tune() */
	struct mpool_cache __percpu *alloc_cache;
	struct mpool_cache __percpu *free_cache;
	struct mpool_cache __percpu *caches;
	struct mpool_pool *owner;	/* &pool, or that of the small pool above */
	bool dead;			/* orphan: frees only, no cache */
	bool internal;			/* objects are not for callers to free */
	u16 class;			/* of the small pool above */
	u16 wanted;			/* class that it stood in for when dry */
	u8 wanted_more;			/* times, less those of all others */
	bool closed;			/* all is freed, nothing allocated meanwhile */

	struct mpool_chunks chunks;
	struct mpool_depot depot;
	atomic64_t slow_allocs;		/* that passed the caches by */
	atomic64_t slow_frees;
	size_t size;			/* as it was asked for */
	int (*ctor)(void *obj, void *priv);
	void (*dtor)(void *obj, void *priv);
	void *priv;
	struct list_head list;		/* mpool_fixed_list */
	u64 trim_ops;			/* allocs and frees at the last trim */
	atomic_t ctor_calls;		/* that are under way */
	atomic_t dtor_calls;
	struct rcu_head rcu;
	struct mpool_reserve *reserved;	/* &reserve, a class's own, or NULL */
	struct mpool_fixed **backups;	/* MPOOL_BACKUPS of a class, or NULL */

	/* A class of a small pool ends here: there may be hundreds. */
	struct mpool_pool pool;		/* on the registry */
	struct mpool_reserve reserve;
};

static inline bool mpool_fixed_is_class(const struct mpool_fixed *fixed)
{
	return fixed->owner != &fixed->pool;
}

/* Bytes of a pool, or of a class. */
static inline size_t mpool_fixed_bytes(bool class)
{
	return class ? offsetof(struct mpool_fixed, pool) :
		       sizeof(struct mpool_fixed);
}

struct mpool_fixed *mpool_fixed_setup(const char *name, size_t size,
				      const struct mpool_fixed_args *args,
				      struct mpool_pool *owner,
				      struct mpool_large *large, gfp_t gfp,
				      struct mpool_site *site);
void mpool_fixed_put(struct mpool_fixed *fixed);
void mpool_fixed_kill(struct mpool_fixed *fixed);
int mpool_fixed_set_reserve(struct mpool_fixed *fixed, unsigned int n,
			    gfp_t gfp);
void mpool_fixed_count(struct mpool_fixed *fixed, struct mpool_count *count);
extern struct list_head mpool_fixed_list;
extern struct mutex mpool_trim_mutex;

/* All pools; the caller holds mpool_trim_mutex, so that none ends. */
#define mpool_fixed_for_each(fixed)					\
	list_for_each_entry_rcu(fixed, &mpool_fixed_list, list,		\
				lockdep_is_held(&mpool_trim_mutex))

void mpool_fixed_list_add(struct mpool_fixed *fixed);

void mpool_fixed_tune(struct mpool_fixed *fixed);
void mpool_fixed_drain_cpu(void *arg);
void mpool_fixed_drain(struct mpool_fixed *fixed);
bool mpool_fixed_dry(struct mpool_fixed *fixed);
size_t mpool_fixed_drop(struct mpool_fixed *fixed, const struct module *mod);
int mpool_fixed_construct(struct mpool_fixed *fixed, void *obj);
void mpool_fixed_destruct(struct mpool_fixed *fixed, void *obj);
bool mpool_fixed_drop_callbacks(struct mpool_fixed *fixed,
				const struct module *mod);
int mpool_fixed_verify(struct mpool_fixed *fixed);

void *mpool_fixed_take(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
bool mpool_fixed_give(struct mpool_chunk *chunk, void *obj,
		      enum mpool_give how, unsigned long ip);
void mpool_fixed_give_claimed(struct mpool_fixed *fixed,
			      const struct mpool_slot *slot,
			      enum mpool_give how);

static __always_inline int mpool_fixed_check(const struct mpool_fixed *pool)
{
	return mpool_pool_check("fixed", pool);
}

void mpool_fixed_discard(struct mpool_fixed *fixed);

int mpool_fixed_init(void);
void mpool_fixed_exit(void);

#endif /* _MPOOL_FIXED_H */
