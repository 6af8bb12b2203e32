// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred work.  Any context may request the work, even an NMI, which can
 * neither take locks nor allocate memory.  The work is done in process context.
 *
 * Structure: an irq_work and a work item.  A request queues the irq_work, which is
 * possible in an NMI, too.  The irq_work queues the work item, which does the work.
 * Two counts tell of the irq_work: requests that are under way, and those that are over.
 *
 * Invariant: after mpool_defer_sync() has returned, all work that was requested before the
 * call is done, and so is the work that this work has requested: neither defer_fn() nor
 * the work item runs or is queued, unless another task or interrupt requests work
 * meanwhile.  The kernel may still write to the irq_work, with interrupts off, after
 * defer_fn() has returned.  So the memory of a struct mpool_defer is freed
 * after a grace period.
 *
 * Locking: none; irq_work_queue() and queue_work() are atomic.
 */
#include <linux/compiler.h>

#include "internal.h"
#include "defer.h"

/*
 * A queue with a rescuer.  A client may trim a pool in a worker that reclaim waits for
 * (WQ_MEM_RECLAIM), and so may wait for work here, which must not need a new worker then.
 * This work takes no lock under which reclaim may run.
 */
struct workqueue_struct *mpool_wq;
EXPORT_SYMBOL_IF_KUNIT(mpool_wq);

int mpool_defer_start(void)
{
	mpool_wq = alloc_workqueue("mpool", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return mpool_wq ? 0 : -ENOMEM;
}

void mpool_defer_stop(void)
{
	destroy_workqueue(mpool_wq);
}

/* Queues the work item.  In a hard interrupt. */
static void defer_fn(struct irq_work *irq)
{
	struct mpool_defer *defer = container_of(irq, struct mpool_defer, irq);

	if (defer->outside)
		schedule_work(&defer->work);
	else
		queue_work(mpool_wq, &defer->work);
	/*
	 * The work is queued before it is counted, and counted before the request is over.
	 * Pairs with the loads in mpool_defer_sync().
	 */
	atomic_inc_return_release(&defer->queued);
	atomic_dec_return_release(&defer->pending);
}

/*
 * Initialises all but the work item; see mpool_defer_init().  The irq_work is a hard one
 * on PREEMPT_RT as well.  Other irq_works run in a thread of the CPU there.  That thread
 * is parked before the CPU goes offline, and it accesses an irq_work after
 * irq_work_sync() has returned.
 */
void mpool_defer_init_irq(struct mpool_defer *defer, bool outside)
{
	defer->outside = outside;
	defer->irq = IRQ_WORK_INIT_HARD(defer_fn);
	atomic_set(&defer->pending, 0);
	atomic_set(&defer->queued, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_defer_init_irq);

/*
 * Requests the work: it sees all stores that the caller made before.  A request that
 * comes before the last one has run may be served by the same run.  Any context.
 */
void mpool_defer(struct mpool_defer *defer)
{
	atomic_inc(&defer->pending);
	/* If the irq_work is queued already, that request serves this one. */
	if (!irq_work_queue(&defer->irq))
		atomic_dec(&defer->pending);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_defer);

/*
 * Waits for the work that was requested before the call.  The wait has an end while others
 * go on to request work.  Sleeps.
 *
 * Work that runs after the return sees all stores that the caller made before the call.
 * An example is mpool_limit_drop(), which stores NULL to a callback: afterwards no work
 * calls the callback.  The full barrier pairs with the one in queue_work().
 *
 * Requests whose interrupt is still to come get a tick for it.  If it comes later, their
 * work is not waited for.
 */
void mpool_defer_flush(struct mpool_defer *defer)
{
	/* After the stores of the caller, see above. */
	smp_mb();
	if (atomic_read_acquire(&defer->pending))
		schedule_timeout_uninterruptible(1);
	flush_work(&defer->work);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_defer_flush);

/*
 * Waits for all work, also for the work that the work requests.  For a pool that ends: the
 * wait has no end while others go on to request work.  Sleeps.
 *
 * irq_work_sync() may miss a request: if an irq_work is queued again while it runs, two
 * CPUs may be in it, and the first to leave ends the wait.  A grace period behind it would
 * do, but then each end of a pool would take that time.
 */
void mpool_defer_sync(struct mpool_defer *defer)
{
	int queued;

	/* The stores of the caller come before the loads below. */
	smp_mb();
	do {
		while (atomic_read_acquire(&defer->pending))
			schedule_timeout_uninterruptible(1);
		/* Each request that was over above is counted here, and its work queued. */
		queued = atomic_read_acquire(&defer->queued);
		flush_work(&defer->work);
		/*
		 * A request that the work has made before its end is under way, or it is
		 * over.  If it is over, it is counted, because pending is loaded first.
		 */
	} while (atomic_read_acquire(&defer->pending) ||
		 queued != atomic_read(&defer->queued));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_defer_sync);
