/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LIFE_H
#define _MPOOL_LIFE_H

/* Has another module free an object a moment later, on another CPU. */
void life_hold(void *obj);

#endif /* _MPOOL_LIFE_H */
