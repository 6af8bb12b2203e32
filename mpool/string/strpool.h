/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STRPOOL_H
#define _MPOOL_STRPOOL_H

#include <linux/llist.h>

#include "small.h"
#include "strtab.h"

struct mpool_string {
	/* First: mpool_small_setup() allocates the whole, mpool_small_teardown() frees it. */
	struct mpool_small small;	/* its struct mpool_pool is that of this pool */
	struct mpool_strtab tab;

	/* Strings that wait for a grace period; the first word of a text is the link. */
	struct llist_head retired;
	struct work_struct work;
};

/* The string pool of a struct mpool_pool of that kind. */
static inline struct mpool_string *to_strings(struct mpool_pool *pool)
{
	return container_of(to_small(pool), struct mpool_string, small);
}

/*
 * The most characters of a string that a report prints.  A buffer has room for one more,
 * which says that the string is longer, and for a NUL.
 */
#define MPOOL_STRING_SHOWN	64
#define MPOOL_STRING_PEEK	(MPOOL_STRING_SHOWN + 2)

int mpool_string_peek(struct mpool_pool *pool, const char *s,
		      char text[MPOOL_STRING_PEEK]);
void mpool_string_flush(struct mpool_string *strings);
int mpool_string_verify(struct mpool_string *strings);

#endif /* _MPOOL_STRPOOL_H */
