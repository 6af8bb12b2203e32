// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks: the constructor and the destructor of a fixed pool.
 *
 * Structure: two pointers and, for each, how many calls are under way.  A pointer only
 * goes from a function to none: when the pool ends, or when the module goes whose code
 * it is.  Each call has an entry in call.c as well, so that a callback which ends its
 * own pool is found out.
 *
 * Invariant: once a pointer is none and its count was 0, no CPU is in that function.
 *
 * Locking: none; see the two barriers.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "call.h"
#include "fixed.h"
#include "owner.h"

/* Constructors of one pool, each within the one before. */
#define CALLBACK_DEPTH		4

/*
 * A callback may be dropped while it runs: it is counted from before the pointer is
 * read until it has returned, and mpool_fixed_drop_callbacks() waits for the count.
 * That is one atomic operation more than the slow path has on the same line, and
 * works in NMI context, where SRCU does not on every architecture.
 */
static unsigned int callback_begin(struct mpool_fixed *fixed, atomic_t *calls,
				   struct mpool_call *call)
{
	unsigned int depth = mpool_call_begin(call, fixed);

	atomic_inc(calls);
	/* Pairs with smp_mb() in mpool_fixed_drop_callbacks(). */
	smp_mb__after_atomic();
	return depth;
}

static void callback_end(atomic_t *calls, struct mpool_call *call)
{
	mpool_call_end(call);
	/* Pairs with atomic_read_acquire() there. */
	smp_mb__before_atomic();
	atomic_dec(calls);
}

/* A constructor that allocates from its own pool would need all of the stack. */
static bool callback_too_deep(struct mpool_fixed *fixed, unsigned int depth)
{
	if (depth <= CALLBACK_DEPTH)
		return false;
	pr_err_ratelimited("fixed pool \"%s\": its constructor allocates from it, %u deep: refused\n",
			   fixed->owner->name, depth);
	return true;
}

/* Calls the constructor, if there is one, which may refuse the object. */
int mpool_fixed_construct(struct mpool_fixed *fixed, void *obj)
{
	int (*ctor)(void *obj, void *priv);
	struct mpool_call call;
	unsigned int depth;
	int err = 0;

	/* A call that finds none is not counted, so that the wait for the others ends. */
	if (!READ_ONCE(fixed->ctor))
		return 0;
	depth = callback_begin(fixed, &fixed->ctor_calls, &call);
	ctor = READ_ONCE(fixed->ctor);
	if (callback_too_deep(fixed, depth))
		err = -ELOOP;
	else if (ctor)
		err = ctor(obj, fixed->priv);
	callback_end(&fixed->ctor_calls, &call);
	return err;
}

void mpool_fixed_destruct(struct mpool_fixed *fixed, void *obj)
{
	void (*dtor)(void *obj, void *priv);
	struct mpool_call call;

	if (!READ_ONCE(fixed->dtor))
		return;
	callback_begin(fixed, &fixed->dtor_calls, &call);
	dtor = READ_ONCE(fixed->dtor);
	if (dtor)
		dtor(obj, fixed->priv);
	callback_end(&fixed->dtor_calls, &call);
}

/*
 * From its return on no callback runs or will whose code is @mod's, or none at all if
 * that is NULL.  False if there was none.
 */
bool mpool_fixed_drop_callbacks(struct mpool_fixed *fixed,
				const struct module *mod)
{
	bool ctor = mpool_fn_of_module(fixed->ctor, mod);
	bool dtor = mpool_fn_of_module(fixed->dtor, mod);

	if (ctor)
		WRITE_ONCE(fixed->ctor, NULL);
	if (dtor)
		WRITE_ONCE(fixed->dtor, NULL);
	/*
	 * Pairs with smp_mb__after_atomic() in callback_begin().  Who finds none to
	 * drop waits as well: somebody else may have dropped it a moment ago.  Where one
	 * stays, it is not @mod's, and its calls may never be none.
	 */
	smp_mb();
	while (!READ_ONCE(fixed->ctor) && atomic_read_acquire(&fixed->ctor_calls))
		schedule_timeout_uninterruptible(1);
	while (!READ_ONCE(fixed->dtor) && atomic_read_acquire(&fixed->dtor_calls))
		schedule_timeout_uninterruptible(1);
	return ctor || dtor;
}
