/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BADFREE_H
#define _MPOOL_BADFREE_H

#include "out.h"
#include "whatis.h"

void mpool_badfree(struct mpool_pool *pool, const void *p,
		   enum mpool_bad_free why, unsigned long ip);
void mpool_badfree_text(struct mpool_out *out, const struct mpool_pool *pool,
			const void *p, enum mpool_bad_free why,
			unsigned long ip);
void mpool_badfree_bursts(void);

void mpool_badfree_init(void);
void mpool_badfree_exit(void);

#endif /* _MPOOL_BADFREE_H */
