/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REGION_H
#define _MPOOL_REGION_H

#include "large.h"

struct mpool_large *mpool_region_create(const char *name,
					const struct mpool_large_source *source,
					void *base, size_t size,
					const struct mpool_region_args *args,
					struct mpool_site *site);

#endif /* _MPOOL_REGION_H */
