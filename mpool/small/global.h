/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_GLOBAL_H
#define _MPOOL_GLOBAL_H

#include "small.h"

int mpool_global_offer(unsigned long *at, struct mpool_small *pool,
		       unsigned long ip);
int mpool_global_init(void);

#endif /* _MPOOL_GLOBAL_H */
