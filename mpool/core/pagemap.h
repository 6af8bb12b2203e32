/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_PAGEMAP_H
#define _MPOOL_PAGEMAP_H

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "internal.h"

/*
 * A window is the range that one page of entries covers: 2 MiB with 4 KiB pages.  Windows
 * are numbered from the start of the address space.
 */
#define MPOOL_WINDOW_PAGES	(PAGE_SIZE / sizeof(unsigned long))
#define MPOOL_WINDOW_SHIFT	(PAGE_SHIFT + ilog2(MPOOL_WINDOW_PAGES))

/*
 * The same in the linear map: a leaf is 64 entries, 512 bytes.  The page allocator gives
 * scattered pages.  With a page of entries for each 2 MiB, a pool whose memory was in
 * random pieces of 16 KiB held 1.28, not 1.23, times the bytes asked for.
 */
#define MPOOL_LEAF_PAGES	64u
#define MPOOL_LEAF_SHIFT	(PAGE_SHIFT + 6)

/*
 * An entry is the address of this struct, which is the first member of each chunk and each
 * arena.  Pages that are in no chunk lead to the spot of their arena, which has no
 * objects and no pool.  So a free of an object, which has to be fast, need not test
 * whether the address is in a chunk: it compares the pool, and the index with the number
 * of objects, anyway.
 *
 * A bit of the entry that tells arenas from chunks would make the union in struct
 * mpool_arena unnecessary.  Its test is 3 instructions in each free, and pair64 79, not
 * 76.  A spot beside the other members of an arena makes an arena of 16 pages, the
 * smallest, longer than 512 bytes, for which kmalloc() takes 1024.
 */
struct mpool_spot {
	struct mpool_fixed *fixed;	/* NULL: no chunk */
	unsigned long base;
	u32 inverse;			/* see mpool_chunk_index() */
	u32 shift;
	u32 nr;				/* objects; 0: no chunk */
	/* Of chunks only; here because they fit in.  Protected by chunks->lock. */
	u16 nfree;			/* objects on the free list */
	u16 first;			/* no lower index is on the free list */
};

/*
 * The spot of pages that mpool does not have.  It saves a test of the entry for NULL, 3
 * instructions in each free of an object.
 */
extern const struct mpool_spot mpool_no_spot;

/* The map has this in place of 0; mpool_pagemap_entry() returns 0 for it. */
#define MPOOL_PAGE_NONE		((unsigned long)&mpool_no_spot)

/*
 * Does an entry of mpool_pagemap_entry() lead to a chunk, or to an arena?  MPOOL_PAGE_NONE
 * is not allowed here.
 */
static __always_inline bool mpool_entry_is_chunk(unsigned long entry)
{
	return entry && ((const struct mpool_spot *)entry)->nr;
}

static __always_inline bool mpool_entry_is_arena(unsigned long entry)
{
	return entry && !((const struct mpool_spot *)entry)->nr;
}

/* A number that no window has. */
#define MPOOL_WINDOW_NONE	(~0UL)

struct mpool_window {
	unsigned long nr;	/* MPOOL_WINDOW_NONE: slot was never used */
	unsigned long *entries;	/* never NULL */
};

struct mpool_pagemap {
	unsigned int shift;	/* 64 - log2 of the number of slots */
	unsigned int mask;
	struct rcu_head rcu;
	struct mpool_window slots[];
};

/* The leaves of the linear map, in the order of their numbers.  Constant after init. */
struct mpool_linear {
	unsigned long first;		/* number of the first leaf */
	unsigned long nr;
	unsigned long **entries;		/* of each leaf, never NULL */
};

extern struct mpool_pagemap __rcu *mpool_pagemap;
extern struct mpool_linear mpool_linear;

unsigned long mpool_pagemap_far(unsigned long addr);

/*
 * The entry of an address in the linear map; MPOOL_PAGE_NONE for all other addresses, too.
 * mpool has this lookup of its own because each free does it: it takes eleven
 * instructions, and the hash of an rhashtable alone takes more.
 *
 * As long as the caller uses the arena or chunk of the entry, it has preemption off or is
 * an RCU reader.  It need not if a live object pins the arena or chunk.
 */
static __always_inline unsigned long mpool_pagemap_near(unsigned long addr)
{
	unsigned long i = (addr >> MPOOL_LEAF_SHIFT) - mpool_linear.first;
	const unsigned long *entries;
	unsigned long entry;

	if (unlikely(i >= mpool_linear.nr))
		return MPOOL_PAGE_NONE;
	/*
	 * Dependent loads; pair with smp_store_release() in entries_publish().
	 * READ_ONCE() is not used, because gcc does not fold a volatile load into an
	 * addressing mode.  OPTIMIZER_HIDE_VAR() is enough to have each entry loaded
	 * once.
	 */
	entries = mpool_read(mpool_linear.entries[i]);
	OPTIMIZER_HIDE_VAR(entries);
	entry = mpool_read(entries[(addr >> PAGE_SHIFT) & (MPOOL_LEAF_PAGES - 1)]);
	OPTIMIZER_HIDE_VAR(entry);
	return entry;
}

/*
 * The entry of any address; 0 if mpool does not have its page.  As mpool_pagemap_near();
 * but the caller always has preemption off or is an RCU reader during the call, even if a
 * live object pins the chunk: for addresses outside the linear map this reads the table,
 * which may be replaced and freed.
 */
static __always_inline unsigned long mpool_pagemap_entry(unsigned long addr)
{
	unsigned long entry = mpool_pagemap_near(addr);

	if (entry == MPOOL_PAGE_NONE)
		entry = mpool_pagemap_far(addr);
	return entry == MPOOL_PAGE_NONE ? 0 : entry;
}

int mpool_pagemap_add(unsigned long base, unsigned long npages,
		      unsigned long entry, gfp_t gfp);
void mpool_pagemap_del(unsigned long base, unsigned long npages);
void mpool_pagemap_set(unsigned long base, unsigned long npages,
		       unsigned long entry);
int mpool_pagemap_verify(void);
unsigned long mpool_pagemap_bytes(void);
void mpool_pagemap_trim(void);

int mpool_pagemap_init(void);
void mpool_pagemap_exit(void);

#endif /* _MPOOL_PAGEMAP_H */
