/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_WHATIS_H
#define _MPOOL_WHATIS_H

#include "strpool.h"

/*
 * The owner of the object that an address points to.  It is not in struct mpool_whatis,
 * because callers of mpool_whatis() must not know it.  The pool may be gone when this is
 * read.
 */
struct mpool_whose {
	const struct mpool_pool *pool;	/* to compare only; or NULL */
	enum mpool_kind kind;
	bool orphan;
};

void mpool_whatis_whose(const void *p, struct mpool_whatis *what,
			struct mpool_whose *whose);
const char *mpool_area_name(enum mpool_area area);

#endif /* _MPOOL_WHATIS_H */
