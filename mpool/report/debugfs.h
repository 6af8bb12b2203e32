/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_DEBUGFS_H
#define _MPOOL_DEBUGFS_H

struct mpool_pool;

void mpool_debugfs_added(struct mpool_pool *pool);
void mpool_debugfs_removed(struct mpool_pool *pool);

void mpool_debugfs_init(void);
void mpool_debugfs_exit(void);

#endif /* _MPOOL_DEBUGFS_H */
