/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SHOW_H
#define _MPOOL_SHOW_H

#include "out.h"
#include "whatis.h"

/* A snapshot of the live objects of a pool. */
struct mpool_snap {
	struct mpool_pool *pool;
	size_t n;
	size_t size;
	struct mpool_obj objs[];
};

void mpool_show_pools(struct mpool_out *out);
void mpool_show_stats(struct mpool_out *out, struct mpool_pool *pool);
void mpool_show_sites(struct mpool_out *out, struct mpool_pool *pool);
struct mpool_snap *mpool_snap(struct mpool_pool *pool);
void mpool_show_object(struct mpool_out *out, struct mpool_pool *pool,
		       const struct mpool_obj *obj);

#endif /* _MPOOL_SHOW_H */
