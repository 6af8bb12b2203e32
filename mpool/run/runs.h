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
	MPOOL_PAGE_PARKED,	/* first page of a free run that is kept as it is */
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
			u32 nfree;		/* of free runs not parked; lock */
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
	bool noted;		/* idle or not, nothing is to be done; read anywhere */
	u16 serial_high;	/* ascends along the list, constant once it is there; */
	u32 gone;		/* pages that left */
	/* Any context. */
	atomic_t live;		/* runs in use, those that are parked not */
	u32 serial_low;		/* in two parts, which take no room */
	/* Protected by the lock of the pool. */
	struct list_head list;	/* all arenas of the pool, by RCU for readers */
	union {
		struct list_head spare;	/* those without a run in use */
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

/* Lengths of which one free run may be parked: shorter than this. */
#define RUNS_PARK		33

struct mpool_runs {
	/* Constant. */
	struct mpool_large *large;	/* whose runs they are */
	struct mpool_runs *next;	/* those of its next node, or NULL */
	/* Protected by the lock of the pool, but for parked. */
	unsigned long nr_pages;
	unsigned long nr_free;	/* pages of free runs that are not parked */
	struct mpool_page *parked[RUNS_PARK];	/* by length; without the lock */
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
 * control dependent on it, and there is a full barrier (cmpxchg() of the place where it
 * is parked) or the pair of an unlock and a lock between.
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

	smp_rmb(); /* Pairs with smp_wmb() in fill_locked(), mpool_large_unpark(). */
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
 * Takes the run that is parked in a place, or NULL.  The caller counts it in the
 * arena and makes it one in use.  Without the lock, in any context.
 *
 * From the xchg() on the run is the caller's, and by that its arena stays: for the
 * engine it is in use, parked or not.
 */
static __always_inline struct mpool_page *
mpool_place_take(struct mpool_page **place)
{
	OPTIMIZER_HIDE_VAR(place);	/* from being computed at each use */
	if (!READ_ONCE(*place))
		return NULL;
	/* Pairs with cmpxchg() in mpool_place_put(). */
	return xchg(place, NULL);
}

/*
 * mpool_runs_claim() for a run that is to be parked: it is, for all others.  Of
 * anything else the state is not touched, nor looked at before.
 */
static __always_inline bool mpool_place_claim(struct mpool_page *pg, u32 index)
{
	u32 tag = mpool_page_tag(index, MPOOL_PAGE_RUN);

	return try_cmpxchg(&pg->tag, &tag,
			   mpool_page_tag(index, MPOOL_PAGE_PARKED));
}

/*
 * Puts a run of the caller's whose state is that into a place; false if the place is
 * not empty.  *@last says whether no run of the arena is in use any more.  Without
 * the lock, in any context, but preemption is off: from the cmpxchg() on somebody
 * else may have the run, and the arena may go.
 */
static __always_inline bool mpool_place_put(struct mpool_page **place,
					    struct mpool_arena *arena,
					    struct mpool_page *pg, bool *last)
{
	struct mpool_page *none = NULL;

	/* Pairs with xchg() in mpool_place_take(), cmpxchg() in parked_merge(). */
	if (unlikely(!try_cmpxchg(place, &none, pg)))
		return false;
	/* After that: who finds none in use must find the run in its place. */
	*last = atomic_dec_and_test(&arena->live);
	return true;
}

/* Keeps a run for the next request of its length; false if it cannot be. */
static inline bool mpool_runs_park(struct mpool_runs *runs,
				   struct mpool_arena *arena,
				   struct mpool_page *pg)
{
	u32 index = mpool_page_index(pg), len = pg->len;
	bool last;

	if (len >= RUNS_PARK || READ_ONCE(runs->parked[len]))
		return false;
	mpool_page_set(pg, index, MPOOL_PAGE_PARKED);
	if (mpool_place_put(&runs->parked[len], arena, pg, &last))
		return true;
	mpool_page_set(pg, index, MPOOL_PAGE_LATE);
	return false;
}

/* The parked run of a length, or NULL; the caller makes it one in use. */
static inline struct mpool_page *mpool_runs_unpark(struct mpool_runs *runs,
						   u32 npages)
{
	struct mpool_page *pg = NULL;

	if (npages < RUNS_PARK)
		pg = mpool_place_take(&runs->parked[npages]);
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
bool mpool_runs_merge(struct mpool_runs *runs, const struct mpool_arena *arena);
void mpool_runs_free(struct mpool_runs *runs, struct mpool_page *pg);
bool mpool_runs_grow(struct mpool_runs *runs, struct mpool_page *pg,
		     u32 npages);
void mpool_runs_shrink(struct mpool_runs *runs, struct mpool_page *pg,
		       u32 npages);
struct mpool_page *mpool_runs_find(struct mpool_arena *arena,
				   unsigned long addr);
unsigned long mpool_runs_largest(struct mpool_runs *runs);
unsigned long mpool_runs_nr_free(const struct mpool_runs *runs);
u32 mpool_arena_nr_free(const struct mpool_arena *arena);
int mpool_runs_verify_arena(struct mpool_runs *runs,
			    struct mpool_arena *arena);
int mpool_runs_verify(struct mpool_runs *runs, unsigned long pages,
		      unsigned long free);

#endif /* _MPOOL_RUNS_H */
