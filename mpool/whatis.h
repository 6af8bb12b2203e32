/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_WHATIS_H
#define _MPOOL_WHATIS_H

#include "strpool.h"

const char *mpool_area_name(enum mpool_area area);

#endif /* _MPOOL_WHATIS_H */
