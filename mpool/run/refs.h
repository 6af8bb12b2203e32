/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_REFS_H
#define _MPOOL_REFS_H

#include <linux/atomic.h>
#include <linux/mpool.h>

struct mpool_arena;
struct mpool_large;
struct mpool_page;

/* What was found of the references to pages of a large pool. */
struct mpool_refs_count {
	unsigned long dropped;	/* references of mpool's that somebody dropped */
	unsigned long held;	/* pages left to those who have references */
	unsigned long lost;	/* pages that the kernel made somebody else's */
};

/* The first run of which something is to be told, and whose it was. */
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
	/* Whose the record is: of the free that set it, then of the work item. */
	atomic_t busy;
	struct mpool_refs_run run;

	/* The work item's. */
	struct mpool_refs_count told;
	unsigned long next;	/* jiffies; nothing is told before */
};

void mpool_refs_init(struct mpool_refs *refs);
void mpool_refs_note(struct mpool_large *large, struct mpool_page *pg, u32 from);
void mpool_refs_settle(struct mpool_large *large, struct mpool_page *pg);
void mpool_refs_drain(struct mpool_large *large);
void mpool_refs_end(struct mpool_arena *arena);
bool mpool_refs_dropped(struct mpool_page *pg, const void *addr);
void mpool_refs_look(struct mpool_arena *arena);
void mpool_refs_tell(struct mpool_large *large, bool last);

#endif /* _MPOOL_REFS_H */
