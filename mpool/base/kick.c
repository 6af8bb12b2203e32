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

	schedule_work(&kick->work);
	/* A reader of the new count finds the work queued; pairs with mpool_kick_sync(). */
	smp_mb__before_atomic();
	atomic_inc(&kick->queued);
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

/* Waits for all work that was requested.  Sleeps. */
void mpool_kick_sync(struct mpool_kick *kick)
{
	bool busy;
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
	 * irq_work_sync() may return while kick_fn() runs: if two CPUs are in it, the first
	 * to leave clears busy.  So the count tells, of kick_fn() at its end.
	 *
	 * A kick_fn() that is counted in n has queued the work before: flush_work() waits.
	 * If the work requests itself before its end, then behind flush_work() its kick_fn()
	 * has not begun, and the irq_work is busy; or it has begun, and the grace period
	 * waits for its end, because it has interrupts off, and it is counted after n.
	 */
	do {
		n = atomic_read_acquire(&kick->queued);
		irq_work_sync(&kick->irq);
		flush_work(&kick->work);
		busy = irq_work_is_busy(&kick->irq);
		synchronize_rcu();
	} while (busy || n != atomic_read(&kick->queued));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_sync);
