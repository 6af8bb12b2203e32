/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SYSTEM_H
#define _MPOOL_SYSTEM_H

#include "large.h"

extern const struct mpool_large_feed mpool_system_feed;

#endif /* _MPOOL_SYSTEM_H */
