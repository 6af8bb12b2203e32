/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LEAKS_H
#define _MPOOL_LEAKS_H

#include "out.h"
#include "sums.h"

/* The most call sites that a report lists. */
#define MPOOL_REPORT_SITES	16

static inline const char *mpool_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Printed before a number of bytes, if these are the bytes of size classes. */
static inline const char *mpool_rounded(bool rounded)
{
	return rounded ? "up to " : "";
}

void mpool_leaks_begin(struct mpool_out *out);
void mpool_leaks_end(struct mpool_out *out);
void mpool_leaks_rows(struct mpool_out *out, const struct mpool_sums *sums,
		      bool with_pool);
size_t mpool_leaks_of_pool(struct mpool_out *out, struct mpool_pool *pool);
size_t mpool_leaks_report(struct mpool_pool *pool);
void mpool_leaks_show(struct mpool_out *out);
void mpool_leaks_exit(void);

#endif /* _MPOOL_LEAKS_H */
