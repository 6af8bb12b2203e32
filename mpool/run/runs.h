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
	MPOOL_PAGE_BODY,	/* any page that has none of the states below */
	MPOOL_PAGE_FREE,	/* first or last page of a free run */
	MPOOL_PAGE_RUN,		/* first page of a run that is an object */
	MPOOL_PAGE_CHUNK,	/* first page of a run that is a chunk */
	MPOOL_PAGE_FREEING,	/* first page of a run that a caller claimed for a free */
	MPOOL_PAGE_QUEUED,	/* first page of a run that deferred work frees */
	MPOOL_PAGE_CACHED,	/* first page of a run on a quick list, or on its way */
	MPOOL_PAGE_RESIZED,	/* as MPOOL_PAGE_RUN, while its length changes */
	MPOOL_PAGE_GONE,	/* first page of a run that left its arena */
};

struct mpool_large;
struct mpool_pool;

/*
 * Descriptor of a page.  The descriptor of the first page of a run has the data of the
 * run.  The descriptor of the last page of a free run has its length and state.  The
 * descriptors of all other pages have no data but the index.
 */
struct mpool_page {
	union {
		struct {			/* first page of a free run */
			unsigned long link;	/* next free run | MPOOL_PAGE_LINK */
			struct mpool_page *prev;
		};
		struct {			/* first page of any other run */
			struct mpool_pool *owner;
			u32 site;
			u32 slack;		/* see mpool_page_slack() */
		};
	};
	u32 len;		/* pages; first page, and last page of a free run */
	u32 tag;		/* index in the arena and enum mpool_page_state */
};

/*
 * Set in each link and in no owner: a reader without the lock recognizes a link by it.
 */
#define MPOOL_PAGE_LINK		1ul

#define MPOOL_TAG_STATE		15u
#define MPOOL_TAG_SHIFT		4

struct mpool_runs;

/* A range of pages that are contiguous in the address space. */
struct mpool_arena {
	union {
		struct mpool_spot at;		/* see struct mpool_spot */
		struct {
			/* Constant, except nfree. */
			void *no_pool;
			unsigned long base;
			u32 npages;
			union {
				int nid;	/* system: node of the memory */
				u32 trimmed;	/* region: bytes cut off before @base */
			};
			u32 no_objects;
			u32 nfree;		/* pages of free runs, not cached; lock */
		};
	};
	struct mpool_runs *runs;
	struct mpool_page *within;	/* run of an outer pool, or NULL */
	phys_addr_t phys;	/* of @base, or MPOOL_NO_PHYS */
	dma_addr_t dma;		/* of @base, or MPOOL_NO_DMA */
	struct page *mem;	/* system: first page, each has MPOOL_PAGE_REFS */
	u8 order : 5;		/* system: order of the block */
	bool whole : 1;		/* system: may be freed as the one block that it was */
	bool io : 1;		/* region: device memory, is never read or written */
	bool virt : 1;		/* system: from vmalloc() */
	/* Protected by the lock of the pool. */
	u8 pass;		/* large->pass when it became a spare, or got its tail */
	u16 serial_high;	/* see mpool_arena_serial() */
	u32 gone;		/* pages that left the arena */
	/* Any context. */
	atomic_t live;		/* runs, except free, cached and gone ones */
	u32 serial_low;		/* the two parts of the serial number fill two gaps */
	/* Protected by the lock of the pool. */
	struct list_head list;	/* all arenas of the pool; readers use RCU */
	union {
		struct list_head spare;	/* the spares of the engine */
		struct rcu_head rcu;	/* for an arena that is on no list */
	};
	struct mpool_page pages[];
};

static_assert(offsetof(struct mpool_arena, no_pool) ==
	      offsetof(struct mpool_spot, fixed));
static_assert(offsetof(struct mpool_arena, no_objects) ==
	      offsetof(struct mpool_spot, nr));

/*
 * Number of an arena.  The numbers ascend along the list of the pool.  The number does
 * not change as long as the arena is on the list.
 */
static inline u64 mpool_arena_serial(const struct mpool_arena *arena)
{
	return (u64)arena->serial_high << 32 | arena->serial_low;
}

/* The bitmap of the pages where a run begins.  It is behind the descriptors. */
static inline unsigned long *mpool_arena_starts(struct mpool_arena *arena)
{
	return (unsigned long *)&arena->pages[arena->npages];
}

/*
 * The first page from @index on where a run begins, or npages.  Without the lock.
 */
static inline u32 mpool_arena_next_start(struct mpool_arena *arena, u32 index)
{
	/*
	 * Other CPUs allocate and free runs meanwhile, which sets and clears bits.
	 * Either value of a bit is right: the caller then reads the descriptor of the
	 * page.
	 */
	return data_race(find_next_bit(mpool_arena_starts(arena),
				       arena->npages, index));
}

#define mpool_arena_for_each_start(index, arena)			\
	for ((index) = mpool_arena_next_start(arena, 0);		\
	     (index) < (arena)->npages;					\
	     (index) = mpool_arena_next_start(arena, (index) + 1))

/* Each length below this, in pages, has a quick list. */
#define RUNS_QUICK		33

struct mpool_runs {
	/* Constant. */
	struct mpool_large *large;	/* the pool of this engine */
	struct mpool_runs *next;	/* the engine of its next node, or NULL */
	bool exact;			/* an arena serves one run at a time, see runs.c */
	/* Protected by the lock of the pool. */
	unsigned long nr_pages;
	unsigned long nr_free;	/* pages of free runs, not cached */
	unsigned int nr_arenas;
	struct list_head spares;	/* idle arenas, see arena.c */
	u32 hand;		/* length of the quick list that was merged last */
	/* Without the lock: the quick list of each length, one cached run or NULL. */
	struct mpool_page *quick[RUNS_QUICK];
	/* Protected by the lock of the pool. */
	u32 levels;		/* bit 0: linear classes, bit n: level n - 1 */
	u32 steps[RUNS_LEVELS];
	unsigned long linear[RUNS_LINEAR / BITS_PER_LONG];
	struct mpool_page *heads[RUNS_CLASSES];
};

/*
 * References that mpool has to each page of an arena of the page allocator.  A function
 * of the kernel that frees an object by mistake drops one of them.  The page stays in its
 * arena, and the frees are reported, until fewer than MPOOL_PAGE_LOST are left.  That is
 * more frees than a page of 4 KiB has objects: 512 objects of 8 bytes.
 *
 * folio_maybe_dma_pinned() takes a page with 1024 references or more for pinned.
 * MPOOL_PAGE_REFS is less, so other holders can have references, too.
 */
#define MPOOL_PAGE_REFS		896

/*
 * A page with fewer references is lost: it is free in the page allocator, or the page
 * allocator has given it to another owner.
 */
#define MPOOL_PAGE_LOST		256

static_assert(PAGE_SIZE > SZ_4K ||
	      MPOOL_PAGE_REFS - MPOOL_PAGE_LOST > PAGE_SIZE / 8);

static __always_inline bool mpool_page_alone(const struct page *page)
{
	return mpool_read(page->_refcount.counter) == MPOOL_PAGE_REFS;
}

/*
 * Has mpool the only references to the pages of a run, and all MPOOL_PAGE_REFS of them?
 * Any context.  A page takes three instructions, because the loop checks two at a time.
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
	OPTIMIZER_HIDE_VAR(end);	/* or gcc computes it again for each page */
	/*
	 * A task that has a reference to a page at the free of the run took it before the
	 * free.  The driver and that task have synchronized in between: one told the
	 * other of the page.  So the count that is loaded here includes the reference.
	 *
	 * A task that has dropped its reference did so by an atomic operation, which is
	 * ordered behind all accesses of the task to the page.
	 *
	 * The stores of the next owner to the page come after these loads.  They have a
	 * control dependency on the loads.  In between is also the cmpxchg() that caches
	 * the run, or an unlock and a lock.
	 */
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

/* Is this the first page of a run that is an object in use? */
static inline bool mpool_page_is_run(const struct mpool_page *pg)
{
	enum mpool_page_state state = mpool_page_state(pg);

	return state == MPOOL_PAGE_RUN || state == MPOOL_PAGE_RESIZED;
}

/*
 * The word @slack of a descriptor: in the low bits the bytes of the run beyond the
 * requested size, in the high bits the logarithm of the requested alignment, or 0 if that
 * is not more than a page.
 */
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
	/* Another CPU may change the state meanwhile; no CPU changes the index. */
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
 * Owner of a run that the caller has seen in use; NULL if the run is allocated or freed
 * at this moment.  The caller is in an RCU read-side section, which keeps the owner.
 */
static inline struct mpool_pool *mpool_page_owner(const struct mpool_page *pg)
{
	unsigned long owner;

	/*
	 * The caller has loaded the state.  Pairs with smp_wmb() in fill_locked(),
	 * quick_alloc() and run_carve(), which store the owner before the state.
	 */
	smp_rmb();
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
 * Claims a run for its free: one caller succeeds.  False if the run is not an object in
 * use, if another caller has claimed it, or if its length is being changed.  Without the
 * lock, in any context.
 */
static inline bool mpool_runs_claim(struct mpool_page *pg)
{
	u32 tag = READ_ONCE(pg->tag);

	if ((tag & MPOOL_TAG_STATE) != MPOOL_PAGE_RUN)
		return false;
	/*
	 * From MPOOL_PAGE_RUN the state changes by a cmpxchg() only: here, in
	 * mpool_quick_claim(), and in mpool_runs_hold().  So one of them succeeds.
	 */
	return cmpxchg(&pg->tag, tag, tag - MPOOL_PAGE_RUN + MPOOL_PAGE_FREEING) ==
	       tag;
}

/* Drops a claim: the run is in use again. */
static inline void mpool_runs_unclaim(struct mpool_page *pg)
{
	mpool_page_set(pg, mpool_page_index(pg), MPOOL_PAGE_RUN);
}

/*
 * mpool_runs_claim() for a run of @owner.  Since the caller looked at the owner, a wrong
 * free may have freed the run, and another pool may have allocated it: then the run is
 * that pool's, and stays in use.
 */
static inline bool mpool_runs_claim_of(struct mpool_page *pg,
				       const struct mpool_pool *owner)
{
	if (!mpool_runs_claim(pg))
		return false;
	/* The owner of a claimed run does not change. */
	if (likely(READ_ONCE(pg->owner) == owner))
		return true;
	mpool_runs_unclaim(pg);
	return false;
}

/*
 * mpool_runs_claim() for a run that is to be cached: its state is MPOOL_PAGE_CACHED at
 * once.  The cmpxchg() is the only access to the state, and changes no state but
 * MPOOL_PAGE_RUN.
 */
static __always_inline bool mpool_quick_claim(struct mpool_page *pg, u32 index)
{
	u32 tag = mpool_page_tag(index, MPOOL_PAGE_RUN);

	return try_cmpxchg(&pg->tag, &tag,
			   mpool_page_tag(index, MPOOL_PAGE_CACHED));
}

/*
 * Claims a run for a change of its length; false if the run is not an object in use, or
 * is claimed.  A lookup still finds the run in use, but a free of it is refused, until
 * mpool_runs_unhold().
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
	/*
	 * Pairs with the cmpxchg() in mpool_runs_claim() and mpool_quick_claim(): a free
	 * by another CPU, which has no lock, claims the run and then sees the new length.
	 */
	smp_store_release(&pg->tag, mpool_page_tag(mpool_page_index(pg),
						   MPOOL_PAGE_RUN));
}

/*
 * Are all pages of an arena free, except those that left?  A cached run counts as in use
 * here.  Without the lock of the pool, the result is a guess.
 */
static inline bool mpool_arena_is_idle(const struct mpool_arena *arena)
{
	return mpool_hint(arena->nfree) == arena->npages - mpool_hint(arena->gone);
}

/*
 * Takes the run of a quick list; NULL if the list is empty.  The caller sets the state of
 * the run, and counts the run in live.  Without the lock, in any context.
 */
static __always_inline struct mpool_page *
mpool_quick_pop(struct mpool_page **quick)
{
	OPTIMIZER_HIDE_VAR(quick);	/* or gcc computes it again for each use */
	/*
	 * A run belongs to its list until this xchg(), or the cmpxchg() in
	 * cached_merge(), has replaced the pointer.  From then on it belongs to the
	 * caller of that.
	 *
	 * The load is for an empty list, which is rare: there an xchg() would take the
	 * cache line from another CPU for nothing.
	 */
	return READ_ONCE(*quick) ? xchg(quick, NULL) : NULL;
}

/*
 * Puts a run on an empty quick list; false if the list has a run.  The run belongs to the
 * caller, and its state is MPOOL_PAGE_CACHED.  Without the lock, in any context.
 */
static __always_inline bool mpool_quick_push(struct mpool_page **quick,
					     struct mpool_page *pg)
{
	struct mpool_page *none = NULL;

	/*
	 * Pairs with the xchg() in mpool_quick_pop(), on another CPU, which may allocate
	 * the run as soon as it is on the list: the stores to its descriptor are done.
	 */
	return try_cmpxchg(quick, &none, pg);
}

/*
 * Must a run of @len pages be merged, and not cached?  In an exact engine, if it is not
 * all of its arena: the pages behind it would be of no use while it is cached.
 *
 * In other engines, if it is the last run in use of its arena: then the arena becomes a
 * spare, or is released.  The last run of the only arena of an engine may be cached,
 * because an engine keeps one spare anyway.  This result is a guess: if two runs are freed
 * at the same time, both may be cached.  Then the arena stays until they are merged for
 * another reason.
 */
static __always_inline bool mpool_run_must_merge(const struct mpool_arena *arena, u32 len)
{
	if (mpool_read(arena->runs->exact))
		return len != arena->npages;
	return atomic_read(&arena->live) == 1 &&
	       mpool_hint(arena->runs->nr_arenas) > 1;
}

/*
 * Caches a claimed run for the next request of its length; false if the length has no
 * quick list, or if the list has a run.
 */
static inline bool mpool_runs_cache(struct mpool_runs *runs,
				    struct mpool_page *pg)
{
	u32 index = mpool_page_index(pg), len = pg->len;

	if (len >= RUNS_QUICK || READ_ONCE(runs->quick[len]))
		return false;
	mpool_page_set(pg, index, MPOOL_PAGE_CACHED);
	/* Before another CPU can take the run, and count it again. */
	atomic_dec(&mpool_arena_of(pg, index)->live);
	if (mpool_quick_push(&runs->quick[len], pg))
		return true;
	atomic_inc(&mpool_arena_of(pg, index)->live);
	mpool_page_set(pg, index, MPOOL_PAGE_FREEING);
	return false;
}

/*
 * Takes the cached run of a length, and counts it in live; NULL if there is none.  The
 * caller sets the state of the run.
 */
static inline struct mpool_page *mpool_runs_uncache(struct mpool_runs *runs,
						    u32 npages)
{
	struct mpool_page *pg = NULL;

	if (npages < RUNS_QUICK)
		pg = mpool_quick_pop(&runs->quick[npages]);
	if (pg)
		atomic_inc(&mpool_page_arena(pg)->live);
	return pg;
}

/* --- lists.c --- */

/* The most free runs that a request looks at, or a search for the longest run. */
#define RUNS_LOOK		32

static inline struct mpool_page *mpool_run_next(const struct mpool_page *pg)
{
	return (struct mpool_page *)(pg->link & ~MPOOL_PAGE_LINK);
}

static inline void mpool_run_set_next(struct mpool_page *pg, struct mpool_page *next)
{
	WRITE_ONCE(pg->link, (unsigned long)next | MPOOL_PAGE_LINK);
}

unsigned int mpool_runs_class(u32 len);
unsigned int mpool_runs_class_above(u32 len);
unsigned int mpool_class_next(const struct mpool_runs *runs, unsigned int class);
void mpool_run_list(struct mpool_runs *runs, struct mpool_page *pg);
void mpool_run_unlist(struct mpool_runs *runs, struct mpool_page *pg);
bool mpool_run_listed(const struct mpool_runs *runs, const struct mpool_page *pg);
struct mpool_page *mpool_runs_first(const struct mpool_runs *runs, u32 len);
struct mpool_page *mpool_runs_after(const struct mpool_runs *runs,
				    const struct mpool_page *pg);
unsigned long mpool_runs_largest(struct mpool_runs *runs);
int mpool_runs_verify(struct mpool_runs *runs, unsigned long pages,
		      unsigned long free);

/* --- runs.c --- */

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
bool mpool_runs_may_carve(const struct mpool_page *pg, u32 npages);
struct mpool_page *mpool_runs_split(struct mpool_page *pg, u32 npages,
				    enum mpool_page_state state,
				    struct mpool_pool *owner);
void mpool_runs_leave(struct mpool_runs *runs, struct mpool_page *pg);
struct mpool_arena *mpool_quick_merge(struct mpool_runs *runs, u32 len,
				      const struct mpool_arena *arena);
void mpool_runs_free(struct mpool_runs *runs, struct mpool_page *pg);
bool mpool_runs_grow(struct mpool_runs *runs, struct mpool_page *pg,
		     u32 npages);
void mpool_runs_shrink(struct mpool_runs *runs, struct mpool_page *pg,
		       u32 npages);
struct mpool_page *mpool_runs_find(struct mpool_arena *arena,
				   unsigned long addr);
u32 mpool_arena_nr_free(const struct mpool_arena *arena);
int mpool_runs_verify_arena(struct mpool_runs *runs,
			    struct mpool_arena *arena);

#endif /* _MPOOL_RUNS_H */
