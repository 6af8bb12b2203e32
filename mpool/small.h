/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SMALL_H
#define _MPOOL_SMALL_H

#include "fixed.h"

/* Classes: multiples of 8 up to 64 bytes, then 8 steps for each doubling. */
#define SMALL_MIN_SHIFT		3
#define SMALL_LINEAR_SHIFT	6
#define SMALL_MAX_SHIFT		14
#define SMALL_MAX		(1u << SMALL_MAX_SHIFT)
#define SMALL_CLASSES		(8 + (SMALL_MAX_SHIFT - SMALL_LINEAR_SHIFT) * 8)

struct mpool_small {
	struct mpool_pool pool;

	/* Constant after creation. */
	struct mpool_large *large;
	void *above;			/* the string pool it is part of */

	/* Made at their first use; never changes back.  Any context reads. */
	struct mpool_fixed *classes[SMALL_CLASSES];

	bool dead;			/* orphan: frees only */
};

/* The class of a size from 1 to SMALL_MAX: a few shifts, no table. */
static __always_inline unsigned int mpool_small_class(size_t size)
{
	unsigned int step;

	if (size <= 1u << SMALL_LINEAR_SHIFT)
		return (size - 1) >> SMALL_MIN_SHIFT;
	/* 8 steps from 2^(step + 3), not included, to 2^(step + 4). */
	step = fls(size - 1) - 4;
	return (step - SMALL_MIN_SHIFT) * 8 + ((size - 1) >> step);
}

static inline size_t mpool_small_class_size(unsigned int class)
{
	unsigned int step = class < 8 ? SMALL_MIN_SHIFT :
				class / 8 - 1 + SMALL_MIN_SHIFT;

	return class < 8 ? (class + 1) << step :
		(size_t)(class % 8 + 9) << step;
}

struct mpool_small *mpool_small_setup(const char *name,
				      const struct mpool_small_args *args,
				      const struct mpool_pool_ops *ops,
				      struct mpool_site *site);
void *mpool_small_take(struct mpool_small *small, size_t size, gfp_t gfp,
		       struct mpool_site *site);
void mpool_small_put(struct mpool_small *small);
int mpool_small_make_classes(struct mpool_small *small);
void mpool_small_count(struct mpool_small *small, struct mpool_count *count);
void mpool_small_kill(struct mpool_small *small);
int mpool_small_walk(struct mpool_small *small, mpool_visit_fn fn, void *arg);
size_t mpool_small_drop(struct mpool_small *small, const struct module *mod);
void mpool_small_give(struct mpool_small *pool, const void *p,
		      enum mpool_give how, unsigned long ip);
struct mpool_pool *mpool_object_owner(const void *p);
struct mpool_small *mpool_small_of(const void *p);
size_t mpool_object_size(const void *p);
int mpool_small_verify(struct mpool_small *small);

#endif /* _MPOOL_SMALL_H */
