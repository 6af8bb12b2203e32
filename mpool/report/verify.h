/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_VERIFY_H
#define _MPOOL_VERIFY_H

struct mpool_pool;

int mpool_verify_pool(struct mpool_pool *pool);
int mpool_verify(void);

#endif /* _MPOOL_VERIFY_H */
