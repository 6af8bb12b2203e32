/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_RESERVE_H
#define _MPOOL_RESERVE_H

#include <linux/mutex.h>

#include "chunk.h"

struct mpool_reserve_array {
	struct rcu_head rcu;
	unsigned int n;
	void *objs[];
};

struct mpool_reserve {
	/* Held by who replaces, fills or ends the array, which waits for memory. */
	struct mutex fill_mutex;
	/* Replaced under fill_mutex; RCU for who takes and puts. */
	struct mpool_reserve_array __rcu *array;
	atomic_t missing;		/* hint: not 0 if a place may be empty */
	struct mpool_chunks *chunks;
	struct mpool_kick kick;		/* fills it up */
};

void mpool_reserve_init(struct mpool_reserve *reserve,
			struct mpool_chunks *chunks);
bool mpool_reserve_gfp_ok(struct mpool_pool *owner,
			  const struct mpool_large *large, gfp_t gfp);
int mpool_reserve_set(struct mpool_reserve *reserve, unsigned int n, gfp_t gfp);
bool mpool_reserve_take(struct mpool_reserve *reserve, struct mpool_slot *slot);
bool mpool_reserve_put(struct mpool_reserve *reserve,
		       const struct mpool_slot *slot);
void mpool_reserve_end(struct mpool_reserve *reserve);
unsigned long mpool_reserve_objects(struct mpool_reserve *reserve);
unsigned int mpool_reserve_target(struct mpool_reserve *reserve);

#endif /* _MPOOL_RESERVE_H */
