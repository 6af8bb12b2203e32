/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STRPOOL_H
#define _MPOOL_STRPOOL_H

#include <linux/rhashtable-types.h>

#include "small.h"

struct mpool_string {
	/* Constant after creation. */
	struct mpool_small *small;	/* its pool is this pool's */
	bool nocase;

	/* Protects the change of the last reference and of the table. */
	spinlock_t lock;
	struct rhashtable table;
	atomic_long_t nr_strings;
};

int mpool_string_verify(struct mpool_string *strings);

#endif /* _MPOOL_STRPOOL_H */
