/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_RESERVED_H
#define _MPOOL_RESERVED_H

#include "large.h"

extern const struct mpool_large_feed mpool_within_feed;

struct mpool_large *mpool_within_create(const char *name,
					struct mpool_large *outer,
					const struct mpool_large_args *args,
					struct mpool_site *site);
int mpool_reserved_init(phys_addr_t phys, size_t size);
void mpool_reserved_exit(void);

#endif /* _MPOOL_RESERVED_H */
