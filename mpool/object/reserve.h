/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_RESERVE_H
#define _MPOOL_RESERVE_H

#include <linux/mutex.h>

#include "chunk.h"

/* Places that came at one time. */
struct mpool_reserve_block {
	struct mpool_reserve_block *next;
	unsigned int n;
	void *objs[];			/* NULL: empty */
};

/*
 * Places beyond the target: one for each operation that is not that of a user of the
 * reserve, and that is between its two counts at the same time.  See reserve.c.
 */
#define MPOOL_RESERVE_OTHERS	nr_cpu_ids

struct mpool_reserve {
	struct mutex fill_mutex;	/* changes of the size, which wait for memory */
	atomic_t held;			/* objects that may be claimed */
	atomic_t empty;			/* empty places that may be claimed */
	/* Changed under fill_mutex. */
	unsigned int target;		/* objects that there should be */
	unsigned int places;		/* of all blocks; target and OTHERS, or none */
	struct mpool_reserve_block *blocks;	/* in the order of their places */
	struct mpool_chunks *chunks;
	struct mpool_defer defer;		/* fills it up */
};

/* Objects that may be taken. */
static inline unsigned int mpool_reserve_objects(const struct mpool_reserve *reserve)
{
	return atomic_read(&reserve->held);
}

static inline unsigned int mpool_reserve_target(const struct mpool_reserve *reserve)
{
	return READ_ONCE(reserve->target);
}

/* Are there fewer objects than there should be? */
static inline bool mpool_reserve_lacks(const struct mpool_reserve *reserve)
{
	return mpool_reserve_objects(reserve) < mpool_reserve_target(reserve);
}

void mpool_reserve_init(struct mpool_reserve *reserve,
			struct mpool_chunks *chunks);
bool mpool_reserve_gfp_ok(struct mpool_pool *owner,
			  const struct mpool_large *large, gfp_t gfp);
int mpool_reserve_set(struct mpool_reserve *reserve, unsigned int n, gfp_t gfp);
bool mpool_reserve_take(struct mpool_reserve *reserve, struct mpool_slot *slot);
bool mpool_reserve_put(struct mpool_reserve *reserve, struct mpool_slot *slot);
void mpool_reserve_end(struct mpool_reserve *reserve);
int mpool_reserve_verify(struct mpool_reserve *reserve);

#endif /* _MPOOL_RESERVE_H */
