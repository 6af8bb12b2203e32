/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_WHATIS_H
#define _MPOOL_WHATIS_H

#include "strpool.h"

/*
 * Whose what an address points to is; kept apart from what a caller may know.  The pool
 * may be gone by the time that this is read.
 */
struct mpool_whose {
	const struct mpool_pool *pool;	/* to compare, not to follow; or NULL */
	enum mpool_kind kind;
	bool orphan;
};

void mpool_whatis_whose(const void *p, struct mpool_whatis *what,
			struct mpool_whose *whose);
const char *mpool_area_name(enum mpool_area area);

#endif /* _MPOOL_WHATIS_H */
