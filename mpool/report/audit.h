/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_AUDIT_H
#define _MPOOL_AUDIT_H

int mpool_verify(void);

#endif /* _MPOOL_AUDIT_H */
