// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kick: deferred work.  Any context may request the work, even an NMI, which can
 * neither take locks nor allocate memory.  The work is done in process context.
 *
 * Structure: an irq_work and a work item.  A request queues the irq_work, which is
 * possible in an NMI, too.  The irq_work queues the work item, which does the work.
 *
 * Invariant: after mpool_kick_sync() has returned, all work that was requested before the
 * call is done, and so is the work that this work has requested: neither the irq_work nor
 * the work item runs or is queued, unless another task or interrupt requests work
 * meanwhile.
 *
 * Locking: none; irq_work_queue() and schedule_work() are atomic.
 */
#include <linux/compiler.h>

#include "internal.h"
#include "kick.h"

/* Queues the work item.  In a hard interrupt. */
static void kick_fn(struct irq_work *irq)
{
	struct mpool_kick *kick = container_of(irq, struct mpool_kick, irq);

	atomic_inc(&kick->queued);
	schedule_work(&kick->work);
}

/*
 * Initialises all but the work item; see mpool_kick_init().  The irq_work is a hard one
 * on PREEMPT_RT as well.  Other irq_works run in a thread of the CPU there.  That thread
 * is parked before the CPU goes offline, and it accesses an irq_work after
 * irq_work_sync() has returned.
 */
void mpool_kick_init_irq(struct mpool_kick *kick)
{
	kick->irq = IRQ_WORK_INIT_HARD(kick_fn);
	kick->used = false;
	atomic_set(&kick->queued, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_init_irq);

/*
 * Requests the work: it sees all stores that the caller made before.  A request that
 * comes before the last one has run may be served by the same run.  Any context.
 */
void mpool_kick(struct mpool_kick *kick)
{
	WRITE_ONCE(kick->used, true);
	irq_work_queue(&kick->irq);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick);

/* Was the work requested, or queued, since @n was read?  Then it may still be to do. */
static bool kick_again(struct mpool_kick *kick, int n)
{
	if (irq_work_is_busy(&kick->irq))
		return true;
	smp_rmb(); /* The count comes before the end of busy, in irq_work_single(). */
	return n != atomic_read(&kick->queued);
}

/* Waits for all work that was requested.  Sleeps. */
void mpool_kick_sync(struct mpool_kick *kick)
{
	int n;

	/*
	 * The stores that the caller made before this call come before the load of used.
	 * An example is mpool_limit_drop(), which stores NULL to a callback.  If used is
	 * false here, no work was requested so far, and work that is requested later sees
	 * those stores: it finds the NULL and does not call the callback.  Pairs with the
	 * full barrier in irq_work_queue(), which is between the store of used and the
	 * loads of the work.
	 */
	smp_mb();
	/*
	 * Most pools never request the work.  irq_work_sync() waits for a grace period on
	 * some kernels, which would slow down the end of each pool.
	 */
	if (!READ_ONCE(kick->used))
		return;
	/*
	 * The work may request itself.  If the irq_work counts in n, irq_work_sync()
	 * waits until it has queued the work item, and flush_work() until that work is
	 * done.  If the work requested itself before its end, the irq_work is busy here,
	 * or has counted since n was read.
	 */
	do {
		n = atomic_read(&kick->queued);
		irq_work_sync(&kick->irq);
		flush_work(&kick->work);
	} while (kick_again(kick, n));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_sync);
