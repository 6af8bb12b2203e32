/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_PAGEMAP_H
#define _MPOOL_PAGEMAP_H

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "internal.h"

/*
 * A window is what one page of words covers: 2 MiB with 4 KiB pages.  Windows
 * are numbered from the start of the address space.
 */
#define MPOOL_WINDOW_PAGES	(PAGE_SIZE / sizeof(unsigned long))
#define MPOOL_WINDOW_SHIFT	(PAGE_SHIFT + ilog2(MPOOL_WINDOW_PAGES))

/*
 * What a word says: 0 for a page that is not mpool's, otherwise a pointer with
 * one tag bit.  Of the two the chunk is the untagged one, because the free of
 * an object of a fixed pool is what has to be fast.
 */
#define MPOOL_PAGE_ARENA	1UL

/* Number of no window. */
#define MPOOL_WINDOW_NONE	(~0UL)

struct mpool_window {
	unsigned long nr;	/* MPOOL_WINDOW_NONE: slot was never used */
	unsigned long *words;	/* never NULL */
};

struct mpool_pagemap {
	unsigned int shift;	/* 64 - log2 of the number of slots */
	unsigned int mask;
	struct rcu_head rcu;
	struct mpool_window slots[];
};

extern struct mpool_pagemap __rcu *mpool_pagemap;

static __always_inline unsigned long
mpool_window_word(const struct mpool_window *slot, unsigned long addr)
{
	return READ_ONCE(READ_ONCE(slot->words)[(addr >> PAGE_SHIFT) &
						(MPOOL_WINDOW_PAGES - 1)]);
}

const struct mpool_window *
mpool_pagemap_probe(const struct mpool_pagemap *map, unsigned long nr);

/*
 * The word of any address: a multiplication, and a few loads that hit the
 * cache.  Preemption must be off, or the caller in an RCU read-side section,
 * for as long as it uses what the word leads to, unless a live object pins it.
 *
 * Written by hand, because it is part of every free: hashing, bucket pointer
 * and nulls marker of an rhashtable alone are more than all of this.
 */
static __always_inline unsigned long mpool_pagemap_word(unsigned long addr)
{
	const struct mpool_pagemap *map = rcu_dereference_raw(mpool_pagemap);
	unsigned long nr = addr >> MPOOL_WINDOW_SHIFT;
	const struct mpool_window *slot;

	slot = &map->slots[(u64)nr * GOLDEN_RATIO_64 >> map->shift];
	/* Pairs with smp_store_release() in window_insert_locked(). */
	if (unlikely(smp_load_acquire(&slot->nr) != nr)) {
		slot = mpool_pagemap_probe(map, nr);
		if (!slot)
			return 0;
	}
	return mpool_window_word(slot, addr);
}

/* The same, but 0 also if the window is not in its first slot. */
static __always_inline unsigned long mpool_pagemap_guess(unsigned long addr)
{
	const struct mpool_pagemap *map = rcu_dereference_raw(mpool_pagemap);
	unsigned long nr = addr >> MPOOL_WINDOW_SHIFT;
	const struct mpool_window *slot;

	slot = &map->slots[(u64)nr * GOLDEN_RATIO_64 >> map->shift];
	/* Pairs with smp_store_release() in window_insert_locked(). */
	if (unlikely(smp_load_acquire(&slot->nr) != nr))
		return 0;
	return mpool_window_word(slot, addr);
}

int mpool_pagemap_add(unsigned long base, unsigned long npages,
		      unsigned long word, gfp_t gfp);
void mpool_pagemap_del(unsigned long base, unsigned long npages);
void mpool_pagemap_set(unsigned long base, unsigned long npages,
		       unsigned long word);
int mpool_pagemap_verify(void);
unsigned long mpool_pagemap_bytes(void);

int mpool_pagemap_init(void);
void mpool_pagemap_exit(void);

#endif /* _MPOOL_PAGEMAP_H */
