/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SUMS_H
#define _MPOOL_SUMS_H

#include "registry.h"

/*
 * The bit of mpool_free(); the free function of a kind of pool has the bit of that kind.
 */
#define MPOOL_FREE_GLOBAL	(MPOOL_KIND_STRING + 1)

/* The live objects of one site in one pool. */
struct mpool_site_sum {
	const struct mpool_pool *pool;
	u32 site;
	size_t count;
	size_t bytes;
	bool rounded;		/* bytes are those of a size class */
	const void *sample;
};

struct mpool_sums {
	struct mpool_site_sum *rows;
	size_t n;
	size_t size;
	size_t count;		/* of all rows */
	size_t bytes;
	bool rounded;
	size_t dropped;		/* pages passed to free functions of the kernel */
	unsigned int frees;	/* bits of the right functions to free these objects */
	unsigned long page;	/* the page that was examined last */
	const struct module *mod;	/* if not NULL, only sites of this module count */
};

void mpool_sums_add(struct mpool_sums *sums, struct mpool_pool *pool);
void mpool_sums_sort(struct mpool_sums *sums);
void mpool_sums_free(struct mpool_sums *sums);

#endif /* _MPOOL_SUMS_H */
