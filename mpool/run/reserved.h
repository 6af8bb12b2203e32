/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_RESERVED_H
#define _MPOOL_RESERVED_H

int mpool_reserved_init(void);
void mpool_reserved_exit(void);

#endif /* _MPOOL_RESERVED_H */
