/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SHRINK_H
#define _MPOOL_SHRINK_H

struct mpool_large;

void mpool_shrink_add_large(struct mpool_large *large);
void mpool_shrink_del_large(struct mpool_large *large);

unsigned long mpool_shrink_count(void);
unsigned long mpool_shrink_scan(unsigned long pages);
void mpool_shrink_pass(void);

int mpool_shrink_init(void);
void mpool_shrink_exit(void);

#endif /* _MPOOL_SHRINK_H */
