/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_OWNER_H
#define _MPOOL_OWNER_H

#include <linux/module.h>

#include "internal.h"

void mpool_owner_going(struct module *mod);
enum mpool_area mpool_owner_area(unsigned long addr);

/* Is @fn code of @mod?  If @mod is NULL: is there a function at all? */
static inline bool mpool_fn_of_module(const void *fn, const struct module *mod)
{
	return fn && (!mod || within_module((unsigned long)fn, mod));
}

int mpool_owner_init(void);
void mpool_owner_exit(void);

#endif /* _MPOOL_OWNER_H */
