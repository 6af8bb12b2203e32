/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REPORT_H
#define _MPOOL_REPORT_H

#include "badfree.h"
#include "out.h"

/* Call sites of one report, and objects of one file, that are listed. */
#define MPOOL_REPORT_SITES	16

/* What one site has in one pool. */
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
	size_t dropped;		/* pages of them that a function of the kernel freed */
	unsigned int frees;	/* functions that are to free them, a bit each */
	unsigned long page;	/* that was looked at last */
	const struct module *mod;	/* only its sites, if not NULL */
};

void mpool_sums_add(struct mpool_sums *sums, struct mpool_pool *pool);
void mpool_sums_sort(struct mpool_sums *sums);
void mpool_sums_free(struct mpool_sums *sums);

void mpool_report_rows(struct mpool_out *out, const struct mpool_sums *sums,
		       bool with_pool);
size_t mpool_report_pool(struct mpool_out *out, struct mpool_pool *pool);
void mpool_report_holder(struct mpool_out *out,
			 const struct mpool_holder *holder);
void mpool_report_shortage(struct mpool_out *out,
			   const struct mpool_pool *large,
			   const struct mpool_shortage *s);
void mpool_report_refs(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_refs_count *news,
		       const struct mpool_refs_run *run);
void mpool_report_log_shortage(const struct mpool_pool *large,
			       const struct mpool_shortage *s);
void mpool_report_log_refs(const struct mpool_pool *large,
			   const struct mpool_refs_count *news,
			   const struct mpool_refs_run *run);
size_t mpool_report_leaks(struct mpool_pool *pool);
void mpool_report_verdict(struct module *mod);
void mpool_report_show_leaks(struct mpool_out *out);
void mpool_report_farewell(void);

void mpool_report_exit(void);

#endif /* _MPOOL_REPORT_H */
