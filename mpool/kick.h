/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_KICK_H
#define _MPOOL_KICK_H

#include <linux/irq_work.h>
#include <linux/workqueue.h>

/* Work that any context may ask for, NMI included. */
struct mpool_kick {
	struct irq_work irq;
	struct work_struct work;
	bool used;		/* was asked for, ever */
};

void mpool_kick_init(struct mpool_kick *kick, work_func_t fn);
void mpool_kick(struct mpool_kick *kick);
void mpool_kick_sync(struct mpool_kick *kick);

static inline struct mpool_kick *mpool_kick_of(struct work_struct *work)
{
	return container_of(work, struct mpool_kick, work);
}

#endif /* _MPOOL_KICK_H */
