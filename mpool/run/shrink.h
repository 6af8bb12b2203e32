/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_SHRINK_H
#define _MPOOL_SHRINK_H

#include <linux/list.h>

struct mpool_large;

/* Memory that an upper level can give up when the system is short of memory. */
struct mpool_shrink {
	struct list_head list;
	unsigned long (*count)(void);	/* about how many pages; waits for no task */
	unsigned long (*scan)(void);	/* gives them up; about how many; likewise */
};

void mpool_shrink_register(struct mpool_shrink *shrink);
void mpool_shrink_unregister(struct mpool_shrink *shrink);
void mpool_shrink_add_large(struct mpool_large *large);
void mpool_shrink_del_large(struct mpool_large *large);

unsigned long mpool_shrink_count(void);
unsigned long mpool_shrink_scan(unsigned long pages);

int mpool_shrink_init(void);
void mpool_shrink_exit(void);

#endif /* _MPOOL_SHRINK_H */
