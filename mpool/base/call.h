/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_CALL_H
#define _MPOOL_CALL_H

#include <linux/types.h>

struct task_struct;

enum mpool_call_kind {
	MPOOL_CALL_CTOR,
	MPOOL_CALL_OTHER,
};

/* A running callback; on the stack of the function that calls it. */
struct mpool_call {
	struct hlist_node node;
	struct task_struct *task;	/* NULL: in an NMI */
	const void *whose;
	enum mpool_call_kind kind;
	u8 level;			/* of interrupts: 0 is the task itself */
};

unsigned int mpool_call_begin(struct mpool_call *call, const void *whose,
			      enum mpool_call_kind kind);
void mpool_call_end(struct mpool_call *call);
bool mpool_call_inside(const void *whose);

/* The owner of the visitors of walks, which belong to no pool: they are RCU readers. */
extern const u8 mpool_in_walk;

#endif /* _MPOOL_CALL_H */
