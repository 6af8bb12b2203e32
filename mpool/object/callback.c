// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks: the constructor and the destructor of a fixed pool.
 *
 * Structure: two pointers and, for each, the number of calls that run.  A pointer only
 * changes from a function to NULL: when the pool ends, or when the module that has the
 * function is unloaded.  Each call has an entry in call.c as well, so that a callback
 * which ends its own pool is detected.
 *
 * Invariant: once a pointer is NULL and its count was 0 after that, no CPU is in the
 * function.
 *
 * Locking: none; see the barriers in callback_begin() and mpool_fixed_drop_callbacks().
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "call.h"
#include "fixed.h"
#include "owner.h"

/* The most nested calls of the constructor of one pool. */
#define CALLBACK_DEPTH		4

static unsigned int callback_begin(struct mpool_fixed *fixed, atomic_t *calls,
				   struct mpool_call *call,
				   enum mpool_call_kind kind)
{
	unsigned int depth = mpool_call_begin(call, fixed, kind);

	atomic_inc(calls);
	/*
	 * Pairs with smp_mb() in mpool_fixed_drop_callbacks(), which waits for the count:
	 * a callback may be dropped while it runs, so it is counted from before the
	 * pointer is loaded until it has returned.  This is one more atomic operation on
	 * a cache line that the slow path has anyway, and works in NMI context, where
	 * SRCU does not on every architecture.
	 */
	smp_mb__after_atomic();
	return depth;
}

static void callback_end(atomic_t *calls, struct mpool_call *call)
{
	mpool_call_end(call);
	/* Pairs with atomic_read_acquire() in mpool_fixed_drop_callbacks(). */
	smp_mb__before_atomic();
	atomic_dec(calls);
}

/* A constructor that allocates from its own pool would use up the stack. */
static bool callback_too_deep(struct mpool_fixed *fixed, unsigned int depth)
{
	if (depth <= CALLBACK_DEPTH)
		return false;
	pr_err_ratelimited("fixed pool \"%s\": its constructor allocates from it, %u deep: refused\n",
			   fixed->owner->name, depth);
	return true;
}

/* Calls the constructor, if the pool has one; it may refuse the object. */
int mpool_fixed_construct(struct mpool_fixed *fixed, void *obj)
{
	int (*ctor)(void *obj, void *priv);
	struct mpool_call call;
	unsigned int depth;
	int err = 0;

	/*
	 * If the pointer is NULL nothing is counted, so that the wait for other calls
	 * ends.
	 */
	if (!READ_ONCE(fixed->ctor))
		return 0;
	depth = callback_begin(fixed, &fixed->ctor_calls, &call, MPOOL_CALL_CTOR);
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
	callback_begin(fixed, &fixed->dtor_calls, &call, MPOOL_CALL_OTHER);
	dtor = READ_ONCE(fixed->dtor);
	if (dtor)
		dtor(obj, fixed->priv);
	callback_end(&fixed->dtor_calls, &call);
}

/*
 * Drops the callbacks that are code of @mod, or all callbacks if @mod is NULL.  After the
 * return none of them runs or will run.  False if there was none to drop.
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
	 * Pairs with smp_mb__after_atomic() in callback_begin().  A caller that has
	 * nothing to drop waits as well: another task may have dropped the callback a
	 * moment ago.  A pointer that is not NULL is not code of @mod, and its count may
	 * never be 0.
	 */
	smp_mb();
	while (!READ_ONCE(fixed->ctor) && atomic_read_acquire(&fixed->ctor_calls))
		schedule_timeout_uninterruptible(1);
	while (!READ_ONCE(fixed->dtor) && atomic_read_acquire(&fixed->dtor_calls))
		schedule_timeout_uninterruptible(1);
	return ctor || dtor;
}
