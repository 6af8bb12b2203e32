/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REGION_H
#define _MPOOL_REGION_H

#include "large.h"

extern const struct mpool_large_feed mpool_region_feed;

#endif /* _MPOOL_REGION_H */
