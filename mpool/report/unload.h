/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_UNLOAD_H
#define _MPOOL_UNLOAD_H

struct module;

void mpool_unload_module(struct module *mod);
void mpool_unload_self(void);

#endif /* _MPOOL_UNLOAD_H */
