/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_RUNS_H
#define _MPOOL_RUNS_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "pagemap.h"

/*
 * Size classes of free runs: one for each length below RUNS_LINEAR, then
 * RUNS_STEPS for each doubling.
 */
#define RUNS_LINEAR_SHIFT	6
#define RUNS_LINEAR		(1u << RUNS_LINEAR_SHIFT)
#define RUNS_STEP_SHIFT		5
#define RUNS_STEPS		(1u << RUNS_STEP_SHIFT)
#define RUNS_MAX_SHIFT		26
#define RUNS_MAX_PAGES		((1ul << RUNS_MAX_SHIFT) - 1)
#define RUNS_LEVELS		(RUNS_MAX_SHIFT - RUNS_LINEAR_SHIFT)
#define RUNS_CLASSES		(RUNS_LINEAR + RUNS_LEVELS * RUNS_STEPS)

enum mpool_page_state {
	MPOOL_PAGE_BODY,	/* neither first nor last page of a free run */
	MPOOL_PAGE_FREE,	/* first or last page of a free run */
	MPOOL_PAGE_RUN,		/* first page of a run that a caller has */
	MPOOL_PAGE_CHUNK,	/* first page of a run that a fixed pool has */
	MPOOL_PAGE_LATE,	/* first page of a run that somebody is freeing */
	MPOOL_PAGE_QUEUED,	/* first page of a run that a work item frees */
	MPOOL_PAGE_CACHED,	/* first page of a free run on a quick list */
	MPOOL_PAGE_RESIZED,	/* as MPOOL_PAGE_RUN, while its length changes */
	MPOOL_PAGE_GONE,	/* first page of pages that left their arena */
};

struct mpool_large;
struct mpool_pool;

/*
 * Descriptor of a page; what it says depends on where in its run the page is.
 * Pages within a run say nothing.
 */
struct mpool_page {
	union {
		struct {			/* first page, free */
			unsigned long link;	/* next, and MPOOL_PAGE_LINK */
			struct mpool_page *prev;
		};
		struct {			/* first page, in use */
			struct mpool_pool *owner;
			u32 site;
			u32 slack;		/* see mpool_page_slack() */
		};
	};
	u32 len;		/* pages; first page, and last page of a free run */
	u32 tag;		/* index in the arena and enum mpool_page_state */
};

/* Tells a link from an owner, to those who read it without the lock. */
#define MPOOL_PAGE_LINK		1ul

#define MPOOL_TAG_STATE		15u
#define MPOOL_TAG_SHIFT		4

struct mpool_runs;

/* A range of pages that are contiguous in the address space. */
struct mpool_arena {
	union {
		struct mpool_spot at;		/* see there */
		struct {
			/* Constant, but for nfree. */
			void *no_pool;
			unsigned long base;
			u32 npages;
			union {
				int nid;	/* system: node of the memory */
				u32 trimmed;	/* region: bytes cut off before @base */
			};
			u32 no_objects;
			u32 nfree;		/* pages of free runs but cached ones; lock */
		};
	};
	struct mpool_runs *runs;
	struct mpool_page *within;	/* run of an outer pool, or NULL */
	phys_addr_t phys;	/* of @base, or MPOOL_NO_PHYS */
	dma_addr_t dma;		/* of @base, or MPOOL_NO_DMA */
	struct page *mem;	/* system: first page, each has MPOOL_PAGE_REFS */
	u8 order : 5;		/* system: order of the block */
	bool whole : 1;		/* system: may go back as the block that it was */
	bool io : 1;		/* region: not to be touched */
	bool virt : 1;		/* system: vmalloc()ed */
	/* Protected by the lock of the pool. */
	u16 serial_high;	/* ascends along the list, constant once it is there; */
	u32 gone;		/* pages that left */
	/* Any context. */
	atomic_t live;		/* runs in use, those that are cached not */
	u32 serial_low;		/* in two parts, which take no room */
	/* Protected by the lock of the pool. */
	struct list_head list;	/* all arenas of the pool, by RCU for readers */
	union {
		struct list_head spare;	/* those of its engine that are idle */
		struct rcu_head rcu;	/* of one that is on no list */
	};
	struct mpool_page pages[];
};

static_assert(offsetof(struct mpool_arena, no_pool) ==
	      offsetof(struct mpool_spot, fixed));
static_assert(offsetof(struct mpool_arena, no_objects) ==
	      offsetof(struct mpool_spot, nr));

/* Tells an arena from those before and behind it in the list of its pool. */
static inline u64 mpool_arena_serial(const struct mpool_arena *arena)
{
	return (u64)arena->serial_high << 32 | arena->serial_low;
}

/* A bit for each page that begins a run, behind the descriptors. */
static inline unsigned long *mpool_arena_starts(struct mpool_arena *arena)
{
	return (unsigned long *)&arena->pages[arena->npages];
}

/*
 * The same for those who have no lock: runs come and go meanwhile, and either value of
 * a bit will do, because what is found is looked at again, in its descriptor.
 */
static inline u32 mpool_arena_next_start(struct mpool_arena *arena, u32 index)
{
	/* Of bits that change meanwhile; see above. */
	return data_race(find_next_bit(mpool_arena_starts(arena),
				       arena->npages, index));
}

#define mpool_arena_for_each_start(index, arena)			\
	for ((index) = mpool_arena_next_start(arena, 0);		\
	     (index) < (arena)->npages;					\
	     (index) = mpool_arena_next_start(arena, (index) + 1))

/* Lengths that have a quick list: shorter than this. */
#define RUNS_QUICK		33

struct mpool_runs {
	/* Constant. */
	struct mpool_large *large;	/* whose runs they are */
	struct mpool_runs *next;	/* those of its next node, or NULL */
	/* Protected by the lock of the pool. */
	unsigned long nr_pages;
	unsigned long nr_free;	/* pages of free runs but cached ones */
	unsigned int nr_arenas;
	struct list_head spares;	/* idle arenas, see arena.c */
	/* Without the lock: cached run of each length, or NULL. */
	struct mpool_page *quick[RUNS_QUICK];
	u32 levels;		/* bit 0: linear classes, bit n: level n - 1 */
	u32 steps[RUNS_LEVELS];
	unsigned long linear[RUNS_LINEAR / BITS_PER_LONG];
	struct mpool_page *heads[RUNS_CLASSES];
};

/*
 * References that mpool has to each page of an arena of the page allocator.  So many
 * wrong frees, less MPOOL_PAGE_LOST, leave a page where it is and are told: more than
 * there are objects in a page of 4 KiB, which are 512 of 8 bytes.  With holders it is
 * fewer than folio_maybe_dma_pinned() takes for a pin, 1024.
 */
#define MPOOL_PAGE_REFS		896

/* With fewer the page allocator has the page, or has made it somebody else's. */
#define MPOOL_PAGE_LOST		256

static_assert(PAGE_SIZE > SZ_4K ||
	      MPOOL_PAGE_REFS - MPOOL_PAGE_LOST > PAGE_SIZE / 8);

static __always_inline bool mpool_page_alone(const struct page *page)
{
	return mpool_read(page->_refcount.counter) == MPOOL_PAGE_REFS;
}

/*
 * Has nobody but mpool references to the pages of a run, and all of its own?  Any
 * context; two pages at a time, which are three instructions each.
 *
 * Order: somebody who has a reference when the run is freed got it before, and told the
 * driver, or was told by it, which is what makes that "before": the count shows it.  He
 * who has dropped his did so by an atomic operation that orders all that he did with the
 * page before it.  What the next user of the page writes comes after this look: it is
 * control dependent on it, and there is the cmpxchg() that caches the run, or the pair of
 * an unlock and a lock between.
 */
static __always_inline bool mpool_run_alone(const struct mpool_arena *arena,
					    u32 index, u32 len)
{
	const long size = sizeof(struct page);
	const struct page *end = mpool_read(arena->mem);
	long i = -(long)len * size;

	if (!end)
		return true;
	end += index + len;
	OPTIMIZER_HIDE_VAR(end);	/* from being computed anew for each page */
	if (len & 1) {
		if (unlikely(!mpool_page_alone((const void *)end + i)))
			return false;
		i += size;
	}
	for (; i; i += 2 * size)
		if (unlikely(!mpool_page_alone((const void *)end + i) ||
			     !mpool_page_alone((const void *)end + i + size)))
			return false;
	return true;
}

static inline u32 mpool_page_tag(u32 index, enum mpool_page_state state)
{
	return (index << MPOOL_TAG_SHIFT) + state;
}

static inline enum mpool_page_state mpool_page_state(const struct mpool_page *pg)
{
	return READ_ONCE(pg->tag) & MPOOL_TAG_STATE;
}

/* Is it the first page of a run that a caller has? */
static inline bool mpool_page_is_run(const struct mpool_page *pg)
{
	enum mpool_page_state state = mpool_page_state(pg);

	return state == MPOOL_PAGE_RUN || state == MPOOL_PAGE_RESIZED;
}

/* Bytes of a run that were not asked for, and the alignment that was. */
#define MPOOL_SLACK_BITS	24

static inline u32 mpool_page_slack(const struct mpool_page *pg)
{
	return READ_ONCE(pg->slack) & (BIT(MPOOL_SLACK_BITS) - 1);
}

static inline unsigned long mpool_page_align(const struct mpool_page *pg)
{
	return 1ul << (READ_ONCE(pg->slack) >> MPOOL_SLACK_BITS);
}

static inline u32 mpool_slack_word(u32 slack, unsigned long align)
{
	return slack | (align > PAGE_SIZE ? __ffs(align) : 0) <<
		       MPOOL_SLACK_BITS;
}

static inline u32 mpool_page_index(const struct mpool_page *pg)
{
	/* Others may change the state meanwhile, never the index. */
	return mpool_read(pg->tag) >> MPOOL_TAG_SHIFT;
}

static inline struct mpool_arena *mpool_arena_of(struct mpool_page *pg,
						 u32 index)
{
	return container_of(pg - index, struct mpool_arena, pages[0]);
}

static inline struct mpool_arena *mpool_page_arena(struct mpool_page *pg)
{
	return mpool_arena_of(pg, mpool_page_index(pg));
}

/*
 * Owner of a run that was seen in use, or NULL if it is being taken or given
 * back at this moment.  In an RCU read-side section, which pins the owner.
 */
static inline struct mpool_pool *mpool_page_owner(const struct mpool_page *pg)
{
	unsigned long owner;

	smp_rmb(); /* Pairs with smp_wmb() in fill_locked(), quick_alloc(). */
	owner = (unsigned long)READ_ONCE(pg->owner);
	return owner & MPOOL_PAGE_LINK ? NULL : (struct mpool_pool *)owner;
}

static inline void *mpool_page_address(const struct mpool_arena *arena,
				       const struct mpool_page *pg)
{
	return (void *)(arena->base +
			((unsigned long)(pg - arena->pages) << PAGE_SHIFT));
}

static inline void mpool_page_set(struct mpool_page *pg, u32 index,
				  enum mpool_page_state state)
{
	WRITE_ONCE(pg->tag, mpool_page_tag(index, state));
}

/*
 * Makes the caller the one who frees the run; false if it is not in use, or
 * somebody else does already.  Without the lock, in any context: nobody writes
 * the tag of a run in use but the one who frees it.
 */
static inline bool mpool_runs_claim(struct mpool_page *pg)
{
	u32 tag = READ_ONCE(pg->tag);

	if ((tag & MPOOL_TAG_STATE) != MPOOL_PAGE_RUN)
		return false;
	return cmpxchg(&pg->tag, tag, tag - MPOOL_PAGE_RUN + MPOOL_PAGE_LATE) ==
	       tag;
}

/*
 * mpool_runs_claim() for a run that is to be cached: it is, for all others.  Of
 * anything else the state is not touched, nor looked at before.
 */
static __always_inline bool mpool_quick_claim(struct mpool_page *pg, u32 index)
{
	u32 tag = mpool_page_tag(index, MPOOL_PAGE_RUN);

	return try_cmpxchg(&pg->tag, &tag,
			   mpool_page_tag(index, MPOOL_PAGE_CACHED));
}

/*
 * Makes the caller the one who changes the length of a run; false if it is not in use,
 * or on its way out.  It stays one in use for all but those who want to free it, who
 * find that they may not.
 */
static inline bool mpool_runs_hold(struct mpool_page *pg)
{
	u32 tag = READ_ONCE(pg->tag);

	if ((tag & MPOOL_TAG_STATE) != MPOOL_PAGE_RUN)
		return false;
	return cmpxchg(&pg->tag, tag,
		       tag - MPOOL_PAGE_RUN + MPOOL_PAGE_RESIZED) == tag;
}

static inline void mpool_runs_unhold(struct mpool_page *pg)
{
	/* A free by another CPU, which needs no lock, sees the new length. */
	smp_store_release(&pg->tag, mpool_page_tag(mpool_page_index(pg),
						   MPOOL_PAGE_RUN));
}

/*
 * Are all pages of an arena free, but those that left?  A cached run is in use.  Without
 * the lock of the engine: a guess.
 */
static inline bool mpool_arena_is_idle(const struct mpool_arena *arena)
{
	return mpool_hint(arena->nfree) == arena->npages - mpool_hint(arena->gone);
}

/*
 * Takes the cached run of a length, or NULL; the caller makes it one in use.  Without the
 * lock, in any context.
 */
static __always_inline struct mpool_page *
mpool_quick_take(struct mpool_page **quick)
{
	OPTIMIZER_HIDE_VAR(quick);	/* from being computed at each use */
	/* Most often there is one, but an xchg() takes the line from another CPU. */
	return READ_ONCE(*quick) ? xchg(quick, NULL) : NULL;
}

/*
 * Caches a run of the caller, in the state CACHED; false if the list has one.
 * Without the lock, in any context; from its return on the run may be anybody's.
 */
static __always_inline bool mpool_quick_put(struct mpool_page **quick,
					    struct mpool_page *pg)
{
	struct mpool_page *none = NULL;

	return try_cmpxchg(quick, &none, pg);
}

/*
 * Is a run the last one in use of its arena, which is to be a spare then, or to go?  It
 * shall not be cached.  Where that is the only arena of the engine it may be: one spare is
 * kept anyway.  A guess: if two runs are freed at once both may be cached, and the arena
 * stays until these are merged for another reason.
 */
static __always_inline bool mpool_run_is_last(const struct mpool_arena *arena)
{
	return atomic_read(&arena->live) == 1 &&
	       (mpool_hint(arena->runs->nr_arenas) > 1 ||
		mpool_hint(arena->gone));
}

/* Caches a run that was claimed, for the next request of its length; false if it cannot be. */
static inline bool mpool_runs_cache(struct mpool_runs *runs,
				    struct mpool_page *pg)
{
	u32 index = mpool_page_index(pg), len = pg->len;

	if (len >= RUNS_QUICK || READ_ONCE(runs->quick[len]))
		return false;
	mpool_page_set(pg, index, MPOOL_PAGE_CACHED);
	atomic_dec(&mpool_arena_of(pg, index)->live);
	if (mpool_quick_put(&runs->quick[len], pg))
		return true;
	atomic_inc(&mpool_arena_of(pg, index)->live);
	mpool_page_set(pg, index, MPOOL_PAGE_LATE);
	return false;
}

/* The cached run of a length, or NULL; the caller makes it one in use. */
static inline struct mpool_page *mpool_runs_uncache(struct mpool_runs *runs,
						    u32 npages)
{
	struct mpool_page *pg = NULL;

	if (npages < RUNS_QUICK)
		pg = mpool_quick_take(&runs->quick[npages]);
	if (pg)
		atomic_inc(&mpool_page_arena(pg)->live);
	return pg;
}

size_t mpool_arena_bytes(unsigned long npages);
void mpool_arena_init(struct mpool_arena *arena, struct mpool_runs *runs,
		      unsigned long base, u32 npages);

void mpool_runs_add(struct mpool_runs *runs, struct mpool_arena *arena);
bool mpool_runs_remove(struct mpool_runs *runs, struct mpool_arena *arena);
struct mpool_page *mpool_runs_alloc(struct mpool_runs *runs, u32 npages,
				    unsigned long align,
				    enum mpool_page_state state);
struct mpool_page *mpool_runs_carve(struct mpool_runs *runs,
				    struct mpool_page *pg, u32 gap, u32 npages,
				    enum mpool_page_state state);
bool mpool_runs_fits(const struct mpool_page *pg, u32 npages,
		     unsigned long align, u32 *gap);
struct mpool_page *mpool_runs_split(struct mpool_page *pg, u32 npages,
				    enum mpool_page_state state,
				    struct mpool_pool *owner);
void mpool_runs_leave(struct mpool_runs *runs, struct mpool_page *pg);
struct mpool_page *mpool_runs_first(const struct mpool_runs *runs, u32 len);
struct mpool_page *mpool_runs_after(const struct mpool_runs *runs,
				    const struct mpool_page *pg);
struct mpool_arena *mpool_quick_merge(struct mpool_runs *runs, u32 len,
				      const struct mpool_arena *arena);
void mpool_runs_free(struct mpool_runs *runs, struct mpool_page *pg);
bool mpool_runs_grow(struct mpool_runs *runs, struct mpool_page *pg,
		     u32 npages);
void mpool_runs_shrink(struct mpool_runs *runs, struct mpool_page *pg,
		       u32 npages);
struct mpool_page *mpool_runs_find(struct mpool_arena *arena,
				   unsigned long addr);
unsigned long mpool_runs_largest(struct mpool_runs *runs);
u32 mpool_arena_nr_free(const struct mpool_arena *arena);
int mpool_runs_verify_arena(struct mpool_runs *runs,
			    struct mpool_arena *arena);
int mpool_runs_verify(struct mpool_runs *runs, unsigned long pages,
		      unsigned long free);

#endif /* _MPOOL_RUNS_H */
