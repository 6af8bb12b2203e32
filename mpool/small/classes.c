// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes: the fixed pool that serves each size of a small pool.
 *
 * Structure: classes[] has for each size class the fixed pool that serves it, or NULL.  A
 * load uses few of the size classes, and each fixed pool costs a page, a struct and
 * magazines.  So a size is served by one of three fixed pools, from coarse to fine:
 *
 *	power of two	the first power of two that is not smaller, made at the first use
 *			of a size that it serves; not for sizes beyond 8 KiB
 *	step		one of eight sizes in each doubling
 *	own class	for this size class only
 *
 * The fallback of a size is its power of two or its step, if that serves the size.  When a
 * fallback is empty at a request and would have to grow, the size of the request may get
 * a finer fixed pool instead.  If the size wins a vote (class_elected()), it gets its own
 * class.  If not, its step is made at the third such request.  The step then replaces the
 * fallback of the sizes in use that round up to it.  So few objects lose memory to
 * rounding.  A recorded load (replay-fs) makes 27 fixed pools.
 *
 * For a size beyond 8 KiB, a run serves the first requests (small.c), then its own class.
 *
 * Where no class can be made, in NMI context, in the atomic contexts of PREEMPT_RT, or
 * for lack of memory, the next larger class that exists stands in for one request.  If
 * there is none, a run serves sizes beyond 8 KiB and requests with __GFP_NOFAIL, and
 * other requests fail.
 *
 * Invariant: classes[] has for a size NULL, its power of two, its step or its own class.
 *
 * Locking: none.  classes[] changes by cmpxchg, from NULL to the power of two, to the
 * step, to the own class; it may skip some of these, but it never goes back.  The votes
 * are hints: if two CPUs change them at once, one change is lost, and a class comes
 * later.
 */
#include <linux/kernel.h>
#include <linux/log2.h>

#include "small.h"

/*
 * The count at which a vote for the candidate wins.
 */
#define CLASS_WANTED	1

/* Requests with an empty fallback before the request that makes the step. */
#define CLASS_EMPTY	2

/* An own class is not made if it would save less than 1/CLASS_GAIN of the size. */
#define CLASS_GAIN	16

/*
 * The index of the power of two for @class; beyond SMALL_BASE_MAX, @class itself.
 */
unsigned int mpool_class_base(unsigned int class)
{
	size_t size = mpool_small_class_size(class);

	return size > SMALL_BASE_MAX ? class :
		mpool_small_class(max_t(size_t, SMALL_BASE_MIN,
					roundup_pow_of_two(size)));
}

/*
 * Makes the fixed pool of a class, which then serves its sizes in place of @was.  If
 * another CPU has replaced @was meanwhile, the new fixed pool is discarded, and the one
 * of that CPU is returned.  NULL if there is no memory.  Context: where the page
 * allocator may be called.
 */
struct mpool_fixed *mpool_class_make(struct mpool_small *small,
				     unsigned int class,
				     struct mpool_fixed *was, gfp_t gfp)
{
	const struct mpool_fixed_args args = { .flags = small->flags };
	struct mpool_fixed *fixed, *old;

	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_ZERO | __GFP_NOFAIL);
	/* Without it, another class or a run serves the request. */
	gfp |= __GFP_NOWARN;
	/*
	 * alloc_percpu() takes a mutex, under which it may enter reclaim, and so come here
	 * by a shrinker.  Without this flag it takes none.
	 */
	if (current->flags & PF_MEMALLOC)
		gfp &= ~__GFP_DIRECT_RECLAIM;
	fixed = mpool_fixed_setup(small->base.name,
				  mpool_small_class_size(class), &args,
				  &small->base, small->large, gfp, MPOOL_HERE);
	if (IS_ERR(fixed))
		return NULL;
	fixed->class = class;
	fixed->backups = small->backups;
	if (small->base.ops->kind == MPOOL_KIND_STRING) {
		fixed->internal = true;
		mpool_fixed_tune(fixed);
	}
	/* Pairs with the dependent read of small->classes[] everywhere. */
	old = cmpxchg(&small->classes[class], was, fixed);
	if (old == was) {
		mpool_fixed_list_add(fixed);
		/*
		 * Pairs with smp_mb() in mpool_small_kill(): either that sees this class,
		 * or the pool is seen dead here.
		 */
		smp_mb__after_atomic();
		if (READ_ONCE(small->dead)) {
			/* As mpool_fixed_kill(); there is nothing in the caches yet. */
			smp_store_mb(fixed->dead, true);
			mpool_fixed_tune(fixed);
		}
		return fixed;
	}
	mpool_fixed_discard(fixed);
	return old;
}

/*
 * The first use of a class: returns the fixed pool that serves it.  That is its power of
 * two, which is made if necessary, and which serves the class from now on.  If it cannot
 * be made, the next larger class that exists and has the alignment serves this request
 * only; NULL if there is none.
 */
struct mpool_fixed *mpool_class_first(struct mpool_small *small,
				      unsigned int class, gfp_t gfp)
{
	const size_t align = 1ul << __ffs(mpool_small_class_size(class));
	unsigned int base = mpool_class_base(class);
	struct mpool_fixed *fixed = READ_ONCE(small->classes[base]);

	if (!fixed && mpool_may_grow())
		fixed = mpool_class_make(small, base, NULL, gfp);
	if (fixed && class != base)
		return cmpxchg(&small->classes[class], NULL, fixed) ?: fixed;
	for (class++; !fixed && class < SMALL_CLASSES; class++) {
		fixed = READ_ONCE(small->classes[class]);
		if (fixed && !IS_ALIGNED(fixed->chunks.size, align))
			fixed = NULL;
	}
	return fixed;
}

/*
 * The step of a class: its size is rounded up to one of eight sizes in each doubling.
 * The sizes of steps are multiples of 8 at least, so up to 128 bytes it is the class
 * itself.
 */
unsigned int mpool_class_step(unsigned int class)
{
	size_t size = mpool_small_class_size(class);

	return mpool_small_class(round_up(size, max_t(size_t, 8,
						      roundup_pow_of_two(size) / 16)));
}

/*
 * Counts a vote for @class; true if the class gets its own fixed pool.  Only requests that
 * find the fallback empty vote.  This is the majority vote of Boyer and
 * Moore: it has one candidate and one count.  A vote for the candidate raises the count,
 * any other vote lowers it; at 0 the class of the next vote is the candidate.  So the
 * winner may have less than half of all votes.
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
 * The step of a class that @fallback serves, if the step exists or is due; NULL if not,
 * or if the step is @fallback already.  Makes it the fallback of all classes that round
 * up to it and that @fallback still serves.
 */
static struct mpool_fixed *step_get(struct mpool_small *small,
				    unsigned int class,
				    struct mpool_fixed *fallback, gfp_t gfp)
{
	unsigned int i, step = mpool_class_step(class);
	/*
	 * One load, for the test and for the cmpxchg().  With two loads, a step that
	 * another CPU makes in between would be replaced by a second step, and leaked.
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
	/* A class that has another fixed pool by now keeps that. */
	for (i = step; i-- && mpool_class_step(i) == step;)
		cmpxchg(&small->classes[i], fallback, fixed);
	return fixed;
}

/*
 * Called when the fallback of a class is empty; returns the fixed pool that serves this
 * request.  The request needs a new chunk in any case, so that may as well be the first
 * chunk of a new class.
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

/*
 * Makes all powers of two, and enters them for each class up to SMALL_BASE_MAX.  For the
 * global pool: its first allocation may be in a context where no class can be made.
 */
int mpool_small_make_classes(struct mpool_small *small)
{
	unsigned int i;

	for (i = 0; i <= mpool_small_class(SMALL_BASE_MAX); i++)
		if (!small->classes[i] && !mpool_class_first(small, i, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}
