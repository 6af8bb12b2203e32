/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_KICK_H
#define _MPOOL_KICK_H

#include <linux/irq_work.h>
#include <linux/workqueue.h>

/* Deferred work, which any context may request, NMI included. */
struct mpool_kick {
	struct irq_work irq;
	struct work_struct work;
	atomic_t pending;	/* requests whose kick_fn() has not ended */
	atomic_t queued;	/* times that kick_fn() has queued the work item */
};

void mpool_kick_init_irq(struct mpool_kick *kick);

/*
 * A macro, so that each kind of work has its own lockdep class, and may wait for another.
 */
#define mpool_kick_init(kick, fn)					\
do {									\
	mpool_kick_init_irq(kick);					\
	INIT_WORK(&(kick)->work, fn);					\
} while (0)

void mpool_kick(struct mpool_kick *kick);
void mpool_kick_sync(struct mpool_kick *kick);

/* Was the work ever requested? */
static inline bool mpool_kick_used(const struct mpool_kick *kick)
{
	return atomic_read(&kick->pending) || atomic_read(&kick->queued);
}

static inline struct mpool_kick *mpool_kick_of(struct work_struct *work)
{
	return container_of(work, struct mpool_kick, work);
}

#endif /* _MPOOL_KICK_H */
