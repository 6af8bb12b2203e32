/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_FIXED_H
#define _MPOOL_FIXED_H

#include <linux/mutex.h>
#include <linux/rculist.h>

#include "chunk.h"
#include "magazine.h"
#include "reserve.h"

/* The reason to free an object. */
enum mpool_free_mode {
	MPOOL_FREE_PLAIN,		/* a caller of the pool frees it */
	MPOOL_FREE_INTERNAL,		/* the pool above frees it */
	MPOOL_FREE_UNBORN,		/* its constructor has failed */
};

/* Classes of a small pool that may have a reserve: powers of two. */
#define MPOOL_BACKUPS	9

struct mpool_fixed {
	/* Read on every alloc and free. */
	/* caches, or mpool_no_cache; see mpool_fixed_tune() */
	struct mpool_cache __percpu *alloc_cache;
	struct mpool_cache __percpu *free_cache;
	struct mpool_cache __percpu *caches;
	struct mpool_pool *owner;	/* &pool, or that of the small pool above */
	bool dead;			/* orphan: frees only, no cache */
	bool internal;			/* objects are not for callers to free */
	u16 class;			/* of the small pool above */
	u16 wanted;			/* class that most often found this one dry */
	u8 wanted_more;			/* how often, less the times of all others */
	bool closed;			/* all objects are being freed: no allocation */

	struct mpool_chunks chunks;
	struct mpool_magazines mags;
	atomic64_t slow_allocs;		/* that bypassed the caches */
	atomic64_t slow_frees;
	size_t size;			/* as requested */
	int (*ctor)(void *obj, void *priv);
	void (*dtor)(void *obj, void *priv);
	void *priv;
	struct list_head list;		/* mpool_fixed_list */
	u64 trim_ops;			/* allocs and frees at the last trim */
	atomic_t ctor_calls;		/* calls that run */
	atomic_t dtor_calls;
	struct rcu_head rcu;
	struct mpool_reserve *reserved;	/* &reserve, that of a class, or NULL */
	struct mpool_fixed **backups;	/* of a class: those of its small pool; or NULL */

	/* For a class of a small pool the struct ends here: there may be hundreds. */
	struct mpool_pool base;		/* in the registry */
	struct mpool_reserve reserve;
};

/* The fixed pool that a pool of that kind is. */
static inline struct mpool_fixed *to_fixed(struct mpool_pool *pool)
{
	return container_of(pool, struct mpool_fixed, base);
}

static inline bool mpool_fixed_is_class(const struct mpool_fixed *fixed)
{
	return fixed->owner != &fixed->base;
}

/* Bytes of a pool, or of a class. */
static inline size_t mpool_fixed_bytes(bool class)
{
	return class ? offsetof(struct mpool_fixed, base) :
		       sizeof(struct mpool_fixed);
}

struct mpool_fixed *mpool_fixed_setup(const char *name, size_t size,
				      const struct mpool_fixed_args *args,
				      struct mpool_pool *owner,
				      struct mpool_large *large, gfp_t gfp,
				      struct mpool_site *site);
void mpool_fixed_teardown(struct mpool_fixed *fixed);
void mpool_fixed_kill(struct mpool_fixed *fixed);
int mpool_fixed_set_reserve(struct mpool_fixed *fixed, unsigned int n,
			    gfp_t gfp);
void mpool_fixed_count(struct mpool_fixed *fixed, struct mpool_count *count);
extern struct list_head mpool_fixed_list;
extern struct mutex mpool_trim_mutex;

/* All pools.  The caller holds mpool_trim_mutex, so that no pool ends. */
#define mpool_fixed_for_each(fixed)					\
	list_for_each_entry_rcu(fixed, &mpool_fixed_list, list,		\
				lockdep_is_held(&mpool_trim_mutex))

/* turn.c */
void mpool_fixed_list_add(struct mpool_fixed *fixed);
void mpool_fixed_list_del(struct mpool_fixed *fixed);
void mpool_fixed_turn(struct mpool_fixed *fixed);

bool mpool_may_wait_for_chunk(gfp_t gfp);
void mpool_fixed_tune(struct mpool_fixed *fixed);
void mpool_fixed_drain_cpu(void *arg);
void mpool_fixed_drain(struct mpool_fixed *fixed);
bool mpool_fixed_is_empty(struct mpool_fixed *fixed);
size_t mpool_fixed_drop(struct mpool_fixed *fixed, const struct module *mod);
int mpool_fixed_construct(struct mpool_fixed *fixed, void *obj);
void mpool_fixed_destruct(struct mpool_fixed *fixed, void *obj);
bool mpool_fixed_drop_callbacks(struct mpool_fixed *fixed,
				const struct module *mod);
int mpool_fixed_verify(struct mpool_fixed *fixed);
bool mpool_fixed_reclaim_empty(struct mpool_large *large);
size_t mpool_fixed_footprint(struct mpool_fixed *fixed);

void *mpool_fixed_do_alloc(struct mpool_fixed *fixed, gfp_t gfp, u32 site);
bool mpool_fixed_do_free(struct mpool_chunk *chunk, void *obj,
			 enum mpool_free_mode how, unsigned long ip);
void mpool_fixed_free_claimed(struct mpool_fixed *fixed,
			      struct mpool_slot *slot,
			      enum mpool_free_mode how);

static __always_inline int mpool_fixed_check(const struct mpool_fixed *pool)
{
	return mpool_pool_check("fixed", pool);
}

void mpool_fixed_discard(struct mpool_fixed *fixed);

int mpool_fixed_init(void);
void mpool_fixed_exit(void);

#endif /* _MPOOL_FIXED_H */
