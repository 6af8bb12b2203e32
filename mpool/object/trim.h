/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_TRIM_H
#define _MPOOL_TRIM_H

void mpool_trim_pass(void);
unsigned long mpool_trim_all(void);
unsigned long mpool_trim_count(void);

void mpool_trim_start(void);
void mpool_trim_stop(void);

#endif /* _MPOOL_TRIM_H */
