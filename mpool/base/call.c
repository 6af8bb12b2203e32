// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls: which callbacks of clients a task is in.
 *
 * The end of a pool waits until its callbacks have returned.  A callback that ends
 * its own pool would wait for itself, so that the ends ask here first.
 *
 * Structure: each callback that is under way has an entry, on the stack of who calls
 * it, in a hash table by task.  In interrupts and NMIs there is none: nothing can be
 * ended there.
 *
 * Invariant: a task's entries are in the bucket of that task, and are put there and
 * taken out by itself; what it finds there of its own is what it is in.  After an
 * oops in a callback its entry stays, and the stack that it is on does not: a kernel
 * that oopsed is not to be trusted here either.
 *
 * Locking: bucket->lock (raw), for the entries of other tasks in the same bucket.
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

static struct bucket buckets[1 << CALL_BITS] = {
	[0 ... (1 << CALL_BITS) - 1] = {
		.lock = __RAW_SPIN_LOCK_UNLOCKED(buckets.lock),
	},
};

static struct bucket *bucket_of(const struct task_struct *task)
{
	return &buckets[hash_ptr(task, CALL_BITS)];
}

/* In how many callbacks of @whose this task is. */
static unsigned int depth_locked(struct bucket *bucket, const void *whose)
{
	struct mpool_call *call;
	unsigned int n = 0;

	lockdep_assert_held(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		n += call->task == current && call->whose == whose;
	return n;
}

/*
 * A callback of @whose is about to be called; how deep, where that is known.  Any
 * context.
 */
unsigned int mpool_call_begin(struct mpool_call *call, const void *whose)
{
	struct bucket *bucket;
	unsigned long flags;
	unsigned int depth;

	call->task = in_task() ? current : NULL;
	call->whose = whose;
	if (!call->task)
		return 1;
	bucket = bucket_of(call->task);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&call->node, &bucket->calls);
	depth = depth_locked(bucket, whose);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return depth;
}

/* It has returned. */
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

/* Is this task in a callback of @whose? */
bool mpool_call_inside(const void *whose)
{
	struct bucket *bucket = bucket_of(current);
	unsigned long flags;
	bool inside;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	inside = depth_locked(bucket, whose);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return inside;
}

const u8 mpool_in_walk;
