/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LOOKUP_H
#define _MPOOL_LOOKUP_H

#include "registry.h"

struct mpool_found {
	struct mpool_pool *owner;	/* NULL: no live object begins there */
	size_t size;
};

struct mpool_found mpool_object_find(const void *p);
struct mpool_pool *mpool_object_owner(const void *p);
size_t mpool_object_size(const void *p);
struct mpool_page *mpool_object_run(unsigned long entry);

#endif /* _MPOOL_LOOKUP_H */
