/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_CALL_H
#define _MPOOL_CALL_H

#include <linux/types.h>

struct task_struct;

/* A callback that a task is in; lies on its stack. */
struct mpool_call {
	struct hlist_node node;
	struct task_struct *task;	/* NULL: it is no task's */
	const void *whose;
};

unsigned int mpool_call_begin(struct mpool_call *call, const void *whose);
void mpool_call_end(struct mpool_call *call);
bool mpool_call_inside(const void *whose);

/* Whose the visitors of walks are, which are RCU readers: of no pool. */
extern const u8 mpool_in_walk;

#endif /* _MPOOL_CALL_H */
