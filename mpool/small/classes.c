// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes: the fixed pool that serves each size of a small pool.
 *
 * Structure: classes[] has a fixed pool for each size class, or NULL.  A load uses few of
 * the classes, and each costs a page, a descriptor and magazines.  So at first a class is
 * served by its fallback, the power of two that is not smaller, made at its first use;
 * beyond 8 KiB runs serve.  When a fallback is empty for a size and would have to grow, the
 * size gets a class of its own if it is most of the requests of the fallback; otherwise,
 * after a few times, it gets a step: one of eight classes of each doubling, which is the
 * fallback from then on.  Few objects thus lose memory to rounding.  A recorded load
 * (replay-fs) makes 27 classes, where it used 47 of 72 that were coarser and all there
 * from the first use.
 *
 * Where no class can be made, in NMI context and the atomic contexts of PREEMPT_RT, the
 * next larger class that exists serves.  If there is none, a run serves requests with
 * __GFP_NOFAIL.
 *
 * Invariant: a size is served by its class, its step or its power of two.
 *
 * Locking: none.  classes[] changes by cmpxchg, from NULL to a power of two, to a step, to
 * the class itself, and never back.  The votes are hints: a lost update delays a class.
 */
#include <linux/kernel.h>
#include <linux/log2.h>

#include "small.h"

/* A size gets its own class if it has this many votes more than all others together. */
#define CLASS_WANTED	1

/* A step is made when its fallback was empty for it this many times. */
#define CLASS_EMPTY	2

/* A class is not made if it would save less than this part of the size. */
#define CLASS_GAIN	16

/*
 * The fallback of a class: the power of two that is not smaller, or the class itself beyond
 * SMALL_BASE_MAX.
 */
unsigned int mpool_class_base(unsigned int class)
{
	size_t size = mpool_small_class_size(class);

	return size > SMALL_BASE_MAX ? class :
		mpool_small_class(max_t(size_t, SMALL_BASE_MIN,
					roundup_pow_of_two(size)));
}

/* Makes a class; it serves its sizes in place of @was. */
struct mpool_fixed *mpool_class_make(struct mpool_small *small,
				     unsigned int class,
				     struct mpool_fixed *was, gfp_t gfp)
{
	const struct mpool_fixed_args args = { .flags = small->flags };
	struct mpool_fixed *fixed, *old;

	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_ZERO | __GFP_NOFAIL);
	fixed = mpool_fixed_setup(small->pool.name,
				  mpool_small_class_size(class), &args,
				  &small->pool, small->large, gfp, MPOOL_HERE);
	if (IS_ERR(fixed))
		return NULL;
	fixed->class = class;
	fixed->backups = small->backups;
	if (small->pool.ops->kind == MPOOL_KIND_STRING) {
		fixed->internal = true;
		mpool_fixed_tune(fixed);
	}
	/* Pairs with the dependent read of small->classes[] everywhere. */
	old = cmpxchg(&small->classes[class], was, fixed);
	if (old == was) {
		mpool_fixed_list_add(fixed);
		return fixed;
	}
	mpool_fixed_discard(fixed);
	return old;
}

/* The first use of a class: the fixed pool that serves it from now on, or NULL. */
struct mpool_fixed *mpool_class_first(struct mpool_small *small,
				      unsigned int class, gfp_t gfp)
{
	unsigned int base = mpool_class_base(class);
	struct mpool_fixed *fixed = READ_ONCE(small->classes[base]);

	if (!fixed && mpool_may_grow())
		fixed = mpool_class_make(small, base, NULL, gfp);
	if (fixed && class != base)
		return cmpxchg(&small->classes[class], NULL, fixed) ?: fixed;
	for (class++; !fixed && class < SMALL_CLASSES; class++)
		fixed = READ_ONCE(small->classes[class]);
	return fixed;
}

/* The step of a class: one of eight in each doubling, or the class itself. */
unsigned int mpool_class_step(unsigned int class)
{
	size_t size = mpool_small_class_size(class);

	return mpool_small_class(round_up(size, max_t(size_t, 8,
						      roundup_pow_of_two(size) / 16)));
}

/*
 * Is a class requested more often than all others of its fallback together?  The majority
 * vote of Boyer and Moore: one candidate, one count.
 */
static bool class_elected(struct mpool_fixed *fallback, unsigned int class)
{
	size_t size = mpool_small_class_size(class);
	u8 more = mpool_hint(fallback->wanted_more);

	if ((fallback->chunks.size - size) * CLASS_GAIN < size)
		return false;
	if (mpool_hint(fallback->wanted) == class) {
		if (more == CLASS_WANTED)
			return true;
		WRITE_ONCE(fallback->wanted_more, more + 1);
	} else if (more) {
		WRITE_ONCE(fallback->wanted_more, more - 1);
	} else {
		WRITE_ONCE(fallback->wanted, class);
		WRITE_ONCE(fallback->wanted_more, 1);
	}
	return false;
}

/*
 * The step of a class that a power of two serves, if it exists or is due.  From then on it
 * is the fallback of all classes below it in the same eighth.
 */
static struct mpool_fixed *step_get(struct mpool_small *small,
				    unsigned int class,
				    struct mpool_fixed *fallback, gfp_t gfp)
{
	unsigned int i, step = mpool_class_step(class);
	/*
	 * One load for both: if the step came between two loads, it would be replaced by a
	 * second one, and lost.
	 */
	struct mpool_fixed *was = READ_ONCE(small->classes[step]);
	struct mpool_fixed *fixed = was && was->class == step ? was : NULL;
	u8 empty = mpool_hint(small->empty[step]);

	if (!fixed && empty < CLASS_EMPTY) {
		WRITE_ONCE(small->empty[step], empty + 1);
		return NULL;
	}
	if (!fixed)
		fixed = mpool_class_make(small, step, was, gfp);
	if (!fixed || fixed == fallback)
		return NULL;
	for (i = step; i-- && mpool_class_step(i) == step;)
		cmpxchg(&small->classes[i], fallback, fixed);
	return fixed;
}

/*
 * Called when the fallback of a class is empty; returns the fixed pool that serves the
 * class.  The request needs a new chunk in any case, so it may be the first chunk of a
 * new class.
 */
struct mpool_fixed *mpool_class_refill(struct mpool_small *small,
				       unsigned int class,
				       struct mpool_fixed *fallback, gfp_t gfp)
{
	struct mpool_fixed *fixed = NULL;

	if (!mpool_may_grow() || READ_ONCE(small->classes[class]) != fallback)
		return fallback;
	if (class_elected(fallback, class))
		fixed = mpool_class_make(small, class, fallback, gfp);
	else
		fixed = step_get(small, class, fallback, gfp);
	return fixed ?: fallback;
}

/* Makes the powers of two, for a pool that may be first used in any context. */
int mpool_small_make_classes(struct mpool_small *small)
{
	unsigned int i;

	for (i = 0; i <= mpool_small_class(SMALL_BASE_MAX); i++)
		if (!small->classes[i] && !mpool_class_first(small, i, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}
