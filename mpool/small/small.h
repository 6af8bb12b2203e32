/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SMALL_H
#define _MPOOL_SMALL_H

#include "fixed.h"
#include "lookup.h"

/*
 * Classes: multiples of 8 up to 512 bytes, then 64 steps for each doubling.  Those beyond
 * SMALL_MAX exist only if SMALL_RESERVE_MAX has a reserve.
 */
#define SMALL_MIN_SHIFT		3
#define SMALL_STEP_SHIFT	6
#define SMALL_STEPS		(1u << SMALL_STEP_SHIFT)
#define SMALL_MAX		MPOOL_CLASS_MAX
#define SMALL_CLASSES		(__mpool_class(SMALL_RESERVE_MAX) + 1)

/* The sizes of reserves are powers of two. */
#define SMALL_RESERVE_MIN	64u
#define SMALL_RESERVE_MAX	16384u

struct mpool_small {
	struct mpool_pool base;

	/* Constant after creation. */
	struct mpool_large *large;
	unsigned int flags;		/* MPOOL_FIXED_*, of all classes */

	/*
	 * The class that serves each size: NULL at first, then its regular class, then
	 * perhaps its own class; never back.  Any context reads this.
	 */
	struct mpool_fixed *classes[SMALL_CLASSES];
	/*
	 * Classes with a reserve, by size, or NULL; never back to NULL.  Any context
	 * reads this.
	 */
	struct mpool_fixed *backups[MPOOL_BACKUPS];
	bool dead;			/* orphan: frees only */
};

/* The small pool that a pool of that kind is, or is part of as a string pool's. */
static inline struct mpool_small *to_small(struct mpool_pool *pool)
{
	return container_of(pool, struct mpool_small, base);
}

/* The class of a size from 1 to SMALL_RESERVE_MAX: a few shifts, no table. */
static __always_inline unsigned int mpool_small_class(size_t size)
{
	return __mpool_class(size);
}

static inline size_t mpool_small_class_size(unsigned int class)
{
	unsigned int level = class >> SMALL_STEP_SHIFT;

	if (!level)
		return (class + 1) << SMALL_MIN_SHIFT;
	return (size_t)(class % SMALL_STEPS + SMALL_STEPS + 1) <<
	       (level - 1 + SMALL_MIN_SHIFT);
}

/* The fixed pool that was made for @class, or NULL. */
static inline struct mpool_fixed *mpool_small_own(struct mpool_small *small,
						  unsigned int class)
{
	struct mpool_fixed *fixed = READ_ONCE(small->classes[class]);

	return fixed && fixed->class == class ? fixed : NULL;
}

/* The next class from @class on that was made, or SMALL_CLASSES. */
static inline unsigned int mpool_small_next(struct mpool_small *small,
					    unsigned int class,
					    struct mpool_fixed **fixed)
{
	for (; class < SMALL_CLASSES; class++) {
		*fixed = mpool_small_own(small, class);
		if (*fixed)
			break;
	}
	return class;
}

/* All classes that were made; @fixed is the fixed pool of @class. */
#define mpool_small_for_each(small, class, fixed)			\
	for ((class) = mpool_small_next(small, 0, &(fixed));		\
	     (class) < SMALL_CLASSES;					\
	     (class) = mpool_small_next(small, (class) + 1, &(fixed)))

/* classes.c */
unsigned int mpool_class_regular(unsigned int class);
struct mpool_fixed *mpool_class_make(struct mpool_small *small,
				     unsigned int class,
				     struct mpool_fixed *was, gfp_t gfp);
struct mpool_fixed *mpool_class_first(struct mpool_small *small,
				      unsigned int class, gfp_t gfp);
struct mpool_fixed *mpool_class_refill(struct mpool_small *small,
				       unsigned int class,
				       struct mpool_fixed *regular, gfp_t gfp);
int mpool_small_make_classes(struct mpool_small *small);

/* small.c */
struct mpool_small *mpool_small_setup(const char *name,
				      const struct mpool_small_args *args,
				      const struct mpool_pool_ops *ops,
				      size_t bytes, struct mpool_site *site);
void *mpool_small_do_alloc(struct mpool_small *small, size_t size, gfp_t gfp,
			   struct mpool_site *site);
void mpool_small_teardown(struct mpool_small *small);
void mpool_small_count(struct mpool_pool *pool, struct mpool_count *count);
void mpool_small_kill(struct mpool_small *small);
int mpool_small_walk(struct mpool_pool *pool, mpool_visit_fn fn, void *arg);
size_t mpool_small_footprint(struct mpool_pool *pool);
void mpool_small_do_free(struct mpool_small *pool, const void *p,
			 enum mpool_free_mode how, unsigned long ip);
void mpool_free_run(struct mpool_pool *pool, const void *p, unsigned long ip);
struct mpool_small *mpool_small_of(const void *p);
int mpool_small_verify(struct mpool_small *small);

#endif /* _MPOOL_SMALL_H */
