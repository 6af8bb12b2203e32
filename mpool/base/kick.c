// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kick: deferred work.  A context that can neither take locks nor allocate memory
 * requests the work; it is done in process context.
 *
 * Structure: an irq_work, which an NMI may queue.  It queues a work item.
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

static void kick_fn(struct irq_work *irq)
{
	schedule_work(&container_of(irq, struct mpool_kick, irq)->work);
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
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_init_irq);

/* Requests the work.  Any context. */
void mpool_kick(struct mpool_kick *kick)
{
	WRITE_ONCE(kick->used, true);
	irq_work_queue(&kick->irq);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick);

/* Waits for all work that was requested.  Sleeps. */
void mpool_kick_sync(struct mpool_kick *kick)
{
	/*
	 * The caller's stores come before the load of used.  If used is false here, work
	 * that is requested later sees those stores.  Pairs with the full barrier in
	 * irq_work_queue(), which is between the store of used and the work.
	 */
	smp_mb();
	/*
	 * Most pools never request the work.  irq_work_sync() waits for a grace period on
	 * some kernels, which would slow down the end of each pool.
	 */
	if (!READ_ONCE(kick->used))
		return;
	/*
	 * The irq_work is busy until it has queued the work item, and the work may
	 * request work again.  flush_work() waits for the run of the work item that it
	 * found.  A run that was queued meanwhile may be running, not pending, when
	 * flush_work() returns.
	 */
	do {
		irq_work_sync(&kick->irq);
		flush_work(&kick->work);
	} while (irq_work_is_busy(&kick->irq) || work_busy(&kick->work));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_sync);
