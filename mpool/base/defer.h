/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_DEFER_H
#define _MPOOL_DEFER_H

#include <linux/irq_work.h>
#include <linux/workqueue.h>

/* Deferred work, which any context may request, NMI included. */
struct mpool_defer {
	struct irq_work irq;
	struct work_struct work;
	bool outside;		/* see mpool_defer_init_outside() */
	atomic_t pending;	/* requests whose defer_fn() has not ended */
	atomic_t queued;	/* times that defer_fn() has queued the work item */
};

extern struct workqueue_struct *mpool_wq;

int mpool_defer_start(void);
void mpool_defer_stop(void);
void mpool_defer_init_irq(struct mpool_defer *defer, bool outside);

/*
 * Macros, so that each kind of work has its own lockdep class, and may wait for another.
 * Work on the queue of mpool waits for no other work on it, and for no reclaim by clients.
 * Work that ends pools, calls clients or waits for memory is outside, on a queue of the
 * system.
 */
#define mpool_defer_init(defer, fn)					\
do {									\
	mpool_defer_init_irq(defer, false);				\
	INIT_WORK(&(defer)->work, fn);					\
} while (0)

#define mpool_defer_init_outside(defer, fn)				\
do {									\
	mpool_defer_init_irq(defer, true);				\
	INIT_WORK(&(defer)->work, fn);					\
} while (0)

void mpool_defer(struct mpool_defer *defer);
void mpool_defer_flush(struct mpool_defer *defer);
void mpool_defer_sync(struct mpool_defer *defer);

/* Was the work ever requested? */
static inline bool mpool_defer_used(const struct mpool_defer *defer)
{
	return atomic_read(&defer->pending) || atomic_read(&defer->queued);
}

static inline struct mpool_defer *mpool_defer_of(struct work_struct *work)
{
	return container_of(work, struct mpool_defer, work);
}

#endif /* _MPOOL_DEFER_H */
