// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kick: work that is asked for where neither locks nor memory can be had, and
 * done where both can.
 *
 * Structure: an irq_work, which an NMI may queue, that queues a work item.
 *
 * Invariant: after mpool_kick_sync() returned, all that was asked for before is
 * done, and what that has asked for as well: neither the irq_work nor the work item
 * runs or is queued, unless somebody else asks.
 *
 * Locking: none.  Most kicks never happen; used tells, because irq_work_sync()
 * waits for a grace period on some kernels, which the end of a pool would feel.
 */
#include <linux/compiler.h>

#include "internal.h"
#include "kick.h"

static void kick_fn(struct irq_work *irq)
{
	schedule_work(&container_of(irq, struct mpool_kick, irq)->work);
}

/*
 * Without the work item; see mpool_kick_init().  The irq_work is a hard one on PREEMPT_RT
 * as well: others wait there for a thread of the CPU, which is parked before the CPU
 * goes, and are touched after irq_work_sync() has returned.
 */
void mpool_kick_init_irq(struct mpool_kick *kick)
{
	kick->irq = IRQ_WORK_INIT_HARD(kick_fn);
	kick->used = false;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_init_irq);

/* Asks for the work.  Any context. */
void mpool_kick(struct mpool_kick *kick)
{
	WRITE_ONCE(kick->used, true);
	irq_work_queue(&kick->irq);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick);

/* Waits for all work that was asked for.  Sleeps. */
void mpool_kick_sync(struct mpool_kick *kick)
{
	/* After the caller's stores that the work is to see, if it comes later. */
	smp_mb();
	if (!READ_ONCE(kick->used))
		return;
	/*
	 * The irq_work is busy until it has queued the work, which may ask again.
	 * flush_work() waits for the run that it found: one that was queued
	 * meanwhile may be running, not pending, when it returns.
	 */
	do {
		irq_work_sync(&kick->irq);
		flush_work(&kick->work);
	} while (irq_work_is_busy(&kick->irq) || work_busy(&kick->work));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_kick_sync);
