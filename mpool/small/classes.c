// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes: the fixed pool that serves each size of a small pool.
 *
 * Structure: classes[] has for each size class the fixed pool that serves it, or NULL.  A
 * fixed pool costs a page, a struct and magazines, so there are not as many as classes:
 *
 *	regular		one of four classes in each doubling, a multiple of 8; made at the
 *			first use of a size that rounds up to it
 *	own		any other class, made for its size only
 *
 * A request that finds nothing free in its regular class needs a new chunk.  That may as
 * well be the first chunk of an own class: if the size leads all others of the regular
 * class by CLASS_LEAD such requests, and if its own class saves 1/CLASS_GAIN of the size,
 * it gets it.  So sizes that are often requested lose little to rounding, and loads of
 * many sizes have few classes, which share their chunks.
 *
 * Where no class can be made, in NMI context, in the atomic contexts of PREEMPT_RT, or
 * for lack of memory, the next larger class that exists stands in for one request.  If
 * there is none, a run serves requests with __GFP_NOFAIL, and other requests fail.
 *
 * Invariant: classes[] has for a size NULL, its regular class or its own class.
 *
 * Locking: none.  classes[] changes by cmpxchg, from NULL to the regular class, and from
 * that to the own class; it never goes back.  The votes are hints: if two CPUs change
 * them at once, one change is lost, and a class comes later.
 */
#include <linux/kernel.h>
#include <linux/log2.h>

#include "small.h"

/* The lead over all other sizes of a regular class that makes an own class. */
#define CLASS_LEAD	8

/* An own class is not made if it would save less than 1/CLASS_GAIN of the size. */
#define CLASS_GAIN	16

/* The regular class of @class: its size is rounded up to one of four in each doubling. */
unsigned int mpool_class_regular(unsigned int class)
{
	size_t size = mpool_small_class_size(class);

	return mpool_small_class(round_up(size, max_t(size_t, 8,
						      roundup_pow_of_two(size) / 8)));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_class_regular);

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
 * The first use of a class: returns the fixed pool that serves it.  That is its regular
 * class, which is made if necessary, and which serves the class from now on.  If it cannot
 * be made, the next larger class that exists and has the alignment serves this request
 * only; NULL if there is none.
 */
struct mpool_fixed *mpool_class_first(struct mpool_small *small,
				      unsigned int class, gfp_t gfp)
{
	const size_t align = 1ul << __ffs(mpool_small_class_size(class));
	unsigned int regular = mpool_class_regular(class);
	struct mpool_fixed *fixed = READ_ONCE(small->classes[regular]);

	if (!fixed && mpool_may_grow())
		fixed = mpool_class_make(small, regular, NULL, gfp);
	if (fixed && class != regular)
		return cmpxchg(&small->classes[class], NULL, fixed) ?: fixed;
	for (class++; !fixed && class < SMALL_CLASSES; class++) {
		fixed = READ_ONCE(small->classes[class]);
		if (fixed && !IS_ALIGNED(fixed->chunks.size, align))
			fixed = NULL;
	}
	return fixed;
}

/*
 * Counts a vote for @class; true if the class gets its own fixed pool.  Only requests that
 * find the regular class empty vote.  This is the majority vote of Boyer and Moore: it has
 * one candidate and one count.  A vote for the candidate raises the count, any other vote
 * lowers it; at 0 the class of the next vote is the candidate.
 */
static bool class_elected(struct mpool_fixed *regular, unsigned int class)
{
	u8 more = mpool_hint(regular->wanted_more);
	bool won = false;

	if (mpool_hint(regular->wanted) == class) {
		won = ++more == CLASS_LEAD;
		if (won)
			more = 0;
	} else if (more) {
		more--;
	} else {
		WRITE_ONCE(regular->wanted, class);
		more = 1;
	}
	WRITE_ONCE(regular->wanted_more, more);
	return won;
}

/*
 * Called when the regular class of a size has nothing free; returns the fixed pool that
 * serves this request.
 */
struct mpool_fixed *mpool_class_refill(struct mpool_small *small,
				       unsigned int class,
				       struct mpool_fixed *regular, gfp_t gfp)
{
	size_t size = mpool_small_class_size(class);
	struct mpool_fixed *own = NULL;

	/* A class that stands in for one request has no votes. */
	if (mpool_may_grow() && READ_ONCE(small->classes[class]) == regular &&
	    (regular->chunks.size - size) * CLASS_GAIN >= size &&
	    class_elected(regular, class))
		own = mpool_class_make(small, class, regular, gfp);
	return own ?: regular;
}

/*
 * Makes all regular classes, and enters them for each class up to SMALL_MAX.  For the
 * global pool: its first allocation may be in a context where no class can be made.
 */
int mpool_small_make_classes(struct mpool_small *small)
{
	unsigned int i;

	for (i = 0; i <= mpool_small_class(SMALL_MAX); i++)
		if (!small->classes[i] && !mpool_class_first(small, i, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}
