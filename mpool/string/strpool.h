/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STRPOOL_H
#define _MPOOL_STRPOOL_H

#include "small.h"
#include "strtab.h"

struct mpool_string {
	/* Constant after creation. */
	struct mpool_small *small;	/* its pool is this pool's */

	struct mpool_strtab tab;

	/*
	 * Strings without a reference, protected by tab.lock.  Outside of the lock
	 * none are retired unless others wait, and then a callback or the work item
	 * is under way.
	 */
	struct mpool_str *retired;	/* their grace period is to begin */
	struct mpool_str *waiting;	/* has begun; the work item's list */
	struct rcu_head rcu;
	struct work_struct work;
};

/* The string pool that a pool of that kind is. */
static inline struct mpool_string *to_strings(struct mpool_pool *pool)
{
	return to_small(pool)->above;
}

/* Characters of a string that are shown, one that says that there are more, a NUL. */
#define MPOOL_STRING_SHOWN	64
#define MPOOL_STRING_PEEK	(MPOOL_STRING_SHOWN + 2)

int mpool_string_peek(struct mpool_pool *pool, const char *s,
		      char text[MPOOL_STRING_PEEK]);
void mpool_string_flush(struct mpool_string *strings);
int mpool_string_verify(struct mpool_string *strings);

#endif /* _MPOOL_STRPOOL_H */
