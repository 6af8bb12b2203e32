/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SITE_H
#define _MPOOL_SITE_H

#include "internal.h"

/* Entries of one block of the table. */
#define MPOOL_SITES_PER_BLOCK	128

/* The bit above all ids is set in the states of objects that are not live. */
#define MPOOL_SITE_MAX		(BIT(15) - MPOOL_SITES_PER_BLOCK)

/* The id of all sites that could not get an id of their own. */
#define MPOOL_SITE_UNKNOWN	1u

/* Facts about a site.  The strings are valid in the caller's RCU read-side section. */
struct mpool_site_info {
	const char *file;
	const char *func;
	const char *module;	/* "" for the kernel itself */
	u32 line;
	bool gone;		/* the module was unloaded */
};

u32 __mpool_site_register(struct mpool_site *site);

/* The id of a site, given at its first use.  Any context. */
static inline u32 mpool_site_id(struct mpool_site *site)
{
	u32 id = READ_ONCE(site->id);

	return likely(id) ? id : __mpool_site_register(site);
}

bool mpool_site_get(u32 id, struct mpool_site_info *info);
void mpool_site_retire(u32 id);
bool mpool_site_of_module(u32 id, const struct module *mod);
int mpool_site_print(u32 id, char *buf, size_t size);
u32 mpool_site_count(void);
u32 mpool_site_looked(void);
bool mpool_site_module_has(const struct module *mod);
bool mpool_site_module_gone(const struct module *mod);
int mpool_site_verify(void);

int mpool_site_init(void);
void mpool_site_exit(void);

#endif /* _MPOOL_SITE_H */
