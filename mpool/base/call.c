// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls: the callbacks of clients that a task is in.
 *
 * The end of a pool waits until the callbacks of the pool have returned.  A callback that
 * destroys its own pool would wait for itself.  So the functions that destroy a pool with
 * callbacks, which is a fixed or a large pool, call mpool_call_inside() first, and
 * refuse.
 *
 * There is a second use: mpool_no_sleep() detects the visitor of a walk, which is an RCU
 * reader and must not sleep.
 *
 * Structure: each running callback has an entry in a hash table by task.  The entry is on
 * the stack of the function that calls the callback.  A callback in an interrupt has an
 * entry of the interrupted task.  A callback in an NMI has none: no pool can be ended
 * there.
 *
 * Invariant: the entries of a task are in the bucket of that task, and only the task
 * itself, or an interrupt on top of it, adds and removes them.  So the entries that a
 * task finds as its own are those of the callbacks that it is in.  One exception is
 * accepted: after an oops in a callback, the entry stays in the table, but the stack with
 * the entry is freed.  The next task that searches this bucket reads freed memory, and
 * may crash as well.
 *
 * Locking: bucket->lock (raw), because entries of other tasks may be in the same bucket.
 */
#include <linux/hash.h>
#include <linux/list.h>

#include "call.h"
#include "internal.h"

#define CALL_BITS	6

struct bucket {
	raw_spinlock_t lock;
	struct hlist_head calls;
} ____cacheline_aligned_in_smp;

/* The name in the initializer only appears in the messages of lockdep. */
static struct bucket buckets[1 << CALL_BITS] = {
	[0 ... (1 << CALL_BITS) - 1] = {
		.lock = __RAW_SPIN_LOCK_UNLOCKED(buckets.lock),
	},
};

/* The bucket of the entries of a task; other tasks may have the same bucket. */
static struct bucket *bucket_of(const struct task_struct *task)
{
	return &buckets[hash_ptr(task, CALL_BITS)];
}

/*
 * The number of callbacks of this owner that the current task, or an interrupt on top of
 * it, is in: all if @like is NULL, or those of the same kind and context as @like.
 */
static unsigned int depth_locked(struct bucket *bucket, const void *whose,
				 const struct mpool_call *like)
{
	struct mpool_call *call;
	unsigned int n = 0;

	lockdep_assert_held(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		n += call->task == current && call->whose == whose &&
		     (!like || (call->kind == like->kind && call->level == like->level));
	return n;
}

/*
 * Enters a callback of an owner: a fixed pool, a large pool, or &mpool_in_walk.  Returns
 * the number of callbacks of that owner and @kind that the caller is in now: this one and
 * those around it in the same task, soft interrupt or hard interrupt.  In an NMI callbacks
 * are not counted, and the result is 1.  Any context.
 */
unsigned int mpool_call_begin(struct mpool_call *call, const void *whose,
			      enum mpool_call_kind kind)
{
	struct bucket *bucket;
	unsigned long flags;
	unsigned int depth;

	/* An interrupt returns before its task goes on: its callbacks are on top. */
	call->task = in_nmi() ? NULL : current;
	call->whose = whose;
	call->kind = kind;
	call->level = interrupt_context_level();
	if (!call->task)
		return 1;
	bucket = bucket_of(call->task);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&call->node, &bucket->calls);
	depth = depth_locked(bucket, whose, call);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return depth;
}

/* Leaves a callback that has returned. */
void mpool_call_end(struct mpool_call *call)
{
	struct bucket *bucket;
	unsigned long flags;

	if (!call->task)
		return;
	bucket = bucket_of(call->task);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_del(&call->node);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/*
 * Is the current task in a callback of this owner?  False in an NMI, which may have
 * interrupted the holder of the lock.
 */
bool mpool_call_inside(const void *whose)
{
	struct bucket *bucket = bucket_of(current);
	unsigned long flags;
	bool inside;

	if (in_nmi())
		return false;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	inside = depth_locked(bucket, whose, NULL);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return inside;
}

/* Only the address is used. */
const u8 mpool_in_walk;
