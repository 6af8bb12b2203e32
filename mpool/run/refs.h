/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REFS_H
#define _MPOOL_REFS_H

#include <linux/atomic.h>
#include <linux/mpool.h>

struct mpool_arena;
struct mpool_large;
struct mpool_page;
struct page;

/* Counts of foreign changes of the references to pages of a large pool. */
struct mpool_refs_count {
	unsigned long dropped;	/* references of mpool, dropped outside mpool */
	unsigned long held;	/* pages that left because others have references */
	unsigned long lost;	/* pages below MPOOL_PAGE_LOST references */
};

/* The first run since the last report that has something to report, and its owner. */
struct mpool_refs_run {
	char pool[MPOOL_NAME_LEN];	/* "" if it is not known */
	const void *addr;
	u32 npages;
	u32 site;
};

struct mpool_refs {
	/* Any context. */
	atomic_long_t dropped;
	atomic_long_t held;
	atomic_long_t lost;
	/*
	 * The owner of @run.  0: a free may claim it; 1: the free that claimed it; 2:
	 * deferred work.
	 */
	atomic_t busy;
	struct mpool_refs_run run;

	/* Deferred work only. */
	struct mpool_refs_count told;	/* the counts at the last report */
	unsigned long next;	/* jiffies; no report before */
};

void mpool_refs_init(struct mpool_refs *refs);
void mpool_refs_note(struct mpool_large *large, struct mpool_page *pg, u32 from);
void mpool_refs_settle(struct mpool_large *large, struct mpool_page *pg);
bool mpool_refs_mend(struct mpool_refs *refs, struct page *page, u32 n);
void mpool_refs_leave(struct mpool_large *large, struct mpool_arena *arena,
		      struct mpool_page *pg);
void mpool_refs_end(struct mpool_arena *arena);
bool mpool_refs_dropped(struct mpool_page *pg, const void *addr);
void mpool_refs_look(struct mpool_arena *arena);
void mpool_refs_tell(struct mpool_large *large, bool last);

#endif /* _MPOOL_REFS_H */
