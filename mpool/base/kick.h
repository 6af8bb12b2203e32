/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_KICK_H
#define _MPOOL_KICK_H

#include <linux/irq_work.h>
#include <linux/workqueue.h>

/* Deferred work, which any context may request, NMI included. */
struct mpool_kick {
	struct irq_work irq;
	struct work_struct work;
	bool used;		/* the work was requested at least once */
	atomic_t queued;	/* times that the irq_work has queued the work item */
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

static inline struct mpool_kick *mpool_kick_of(struct work_struct *work)
{
	return container_of(work, struct mpool_kick, work);
}

#endif /* _MPOOL_KICK_H */
