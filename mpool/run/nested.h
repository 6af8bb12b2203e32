/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_NESTED_H
#define _MPOOL_NESTED_H

#include "large.h"

struct mpool_large *mpool_nested_create(const char *name,
					struct mpool_large *outer,
					const struct mpool_large_args *args,
					struct mpool_site *site);

#endif /* _MPOOL_NESTED_H */
