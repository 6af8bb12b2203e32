/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STRPOOL_H
#define _MPOOL_STRPOOL_H

#include <linux/llist.h>

#include "small.h"
#include "strtab.h"

struct mpool_string {
	/* At the beginning: the one allocation is the small pool's. */
	struct mpool_small small;	/* its pool is this pool's */
	struct mpool_strtab tab;

	/* Strings without a reference, linked by their first words; freed by the work item. */
	struct llist_head retired;
	struct work_struct work;
};

/* The string pool that a pool of that kind is. */
static inline struct mpool_string *to_strings(struct mpool_pool *pool)
{
	return container_of(to_small(pool), struct mpool_string, small);
}

/* Characters of a string that are shown, one that says that there are more, a NUL. */
#define MPOOL_STRING_SHOWN	64
#define MPOOL_STRING_PEEK	(MPOOL_STRING_SHOWN + 2)

int mpool_string_peek(struct mpool_pool *pool, const char *s,
		      char text[MPOOL_STRING_PEEK]);
void mpool_string_flush(struct mpool_string *strings);
int mpool_string_verify(struct mpool_string *strings);

#endif /* _MPOOL_STRPOOL_H */
