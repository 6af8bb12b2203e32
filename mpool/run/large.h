/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LARGE_H
#define _MPOOL_LARGE_H

#include "defer.h"
#include "limit.h"
#include "pagemap.h"
#include "refs.h"
#include "registry.h"
#include "runs.h"
#include "shortage.h"

/* The source of a pool's arenas: in system.c, region.c, reserved.c or nested.c. */
struct mpool_large_source {
	/* returns a new arena of at least @npages, entered in the page map, or NULL */
	struct mpool_arena *(*grow)(struct mpool_large *large, u32 npages,
				    unsigned long align, gfp_t gfp);
	/* gives the memory of an arena back; the page map does not lead to the arena */
	void (*release)(struct mpool_arena *arena);
	const char *what;	/* name of the source, for messages */
	bool gives_back;	/* idle arenas are released */
	bool system;		/* the page allocator: it may have more memory later */
};

struct mpool_large {
	struct mpool_pool base;

	/* Constant after creation, except for io and gives. */
	const struct mpool_large_source *source;
	struct mpool_large *outer;	/* pool that has its arenas as runs, or NULL */
	gfp_t zone;		/* zone and accounting flags of all its pages */
	bool io;		/* has device memory; never set back to false */
	struct mpool_limit *limit;	/* NULL: no limit */
	bool virt;		/* may have arenas of vmalloc() */
	int nid;		/* node of its memory; NUMA_NO_NODE: node of the caller */

	/*
	 * api.c allocates runs that are shorter than takes from quick lists, and puts
	 * runs that are shorter than gives on them.  0: none.
	 */
	u32 takes;
	u32 gives;		/* becomes 0 in an orphan */

	struct mpool_runs **nodes;	/* engine of each node; NULL: one for all nodes */
	/*
	 * Protects the rest, unless a member says otherwise.  The time that it is held
	 * does not grow with the pool, except in verify, which is for tests.
	 */
	raw_spinlock_t lock;
	struct mpool_runs runs;		/* engine of the first node, or of all nodes */
	struct list_head arenas;	/* all arenas; RCU for readers */
	u64 serial;		/* of the newest arena */
	u32 nr_unlinked;	/* arenas that were removed from the list, modulo 2^32 */
	unsigned int nr_spares;		/* spares of all engines, see arena.c */
	unsigned long spare_pages;	/* pages of these spares */
	unsigned long meta;		/* bytes of the descriptors of the arenas */
	u8 pass;		/* number of the last trim pass, see arena.c */
	bool holes;		/* an arena may have pages that left; never back to false */
	struct list_head shrink;	/* in the list of shrink.c; under shrink_mutex */
	unsigned long nr_chunk_pages;	/* pages of the runs of state MPOOL_PAGE_CHUNK */
	atomic_t nr_empty;	/* empty chunks of pools above; any context */

	/*
	 * Deferred work: finishes the frees that could not take the lock in NMI context,
	 * and the frees of refs.c.
	 */
	struct mpool_defer deferred;

	struct mpool_shortage shortage;	/* has its own locking */
	struct mpool_refs refs;		/* likewise */
};

/* The large pool with @pool as its member; @pool is of MPOOL_KIND_LARGE. */
static inline struct mpool_large *to_large(struct mpool_pool *pool)
{
	return container_of(pool, struct mpool_large, base);
}

extern struct mpool_large *mpool_large_shared;

/*
 * May mpool read and write the memory of the pool?  Not if any of it is device memory.
 * A caller that is about to access a run asks after it has allocated the run: io is set
 * before the pool has a run of device memory (region_add()).
 */
static inline bool mpool_large_touchable(const struct mpool_large *large)
{
	return !READ_ONCE(large->io);
}

/*
 * Clears the bytes of an object from @from to @to, if @gfp or init_on_alloc asks for
 * that.  Device memory is never cleared.
 */
static inline void mpool_large_zero(const struct mpool_large *large, void *p,
				    size_t from, size_t to, gfp_t gfp)
{
	if (to > from && want_init_on_alloc(gfp) &&
	    mpool_large_touchable(large))
		memset(p + from, 0, to - from);
}

bool mpool_large_refuse_zero(const struct mpool_pool *owner);

/*
 * May a request of @owner be served?  Not if it asks for cleared memory, by __GFP_ZERO,
 * and the pool has device memory; then a line is printed.  Any context.
 */
static inline bool mpool_large_zero_ok(const struct mpool_large *large,
				       const struct mpool_pool *owner, gfp_t gfp)
{
	return likely(!(gfp & __GFP_ZERO) || mpool_large_touchable(large)) ||
	       mpool_large_refuse_zero(owner);
}

/* Clears memory that is freed, if init_on_free asks for that; never device memory. */
static inline void mpool_large_wipe(const struct mpool_large *large, void *p,
				    size_t size)
{
	if (want_init_on_free() && mpool_large_touchable(large))
		memset(p, 0, size);
}

/*
 * A request; its members are the arguments of mpool_large_alloc_run() and of
 * mpool_large_object_room().  may_grow: the context of the caller allows the pool to grow.
 */
struct mpool_run_req {
	u32 npages;
	unsigned long align;
	gfp_t gfp;
	enum mpool_page_state state;
	struct mpool_pool *owner;
	u32 site;
	u32 slack;
	u32 room;		/* pages that a new arena has behind the run */
	bool may_grow;
};

struct mpool_page *mpool_large_alloc_run(struct mpool_large *large, u32 npages,
					 unsigned long align, gfp_t gfp,
					 enum mpool_page_state state,
					 struct mpool_pool *owner, u32 site,
					 u32 slack);
struct mpool_page *mpool_large_alloc_idle(struct mpool_large *large, u32 npages,
					  unsigned long align,
					  struct mpool_pool *owner);
struct mpool_page *mpool_large_carve_locked(struct mpool_large *large,
					    struct mpool_page *pg, u32 gap,
					    const struct mpool_run_req *req);
bool mpool_large_reclaim_again(struct mpool_large *large, gfp_t gfp, unsigned int *round);
bool mpool_large_charge_limit(struct mpool_large *large, u32 npages, gfp_t gfp);
void mpool_large_free_run(struct mpool_large *large, struct mpool_page *pg);
void mpool_large_free_run_locked(struct mpool_large *large, struct mpool_page *pg);

/* Pages of a pool, its free pages, and the length of its longest free run. */
struct mpool_large_room {
	unsigned long pages;
	unsigned long free;
	unsigned long largest;
};

/* search.c */
typedef struct mpool_page *(*mpool_try_fn)(struct mpool_large *large,
					   struct mpool_page *pg,
					   const void *want);
struct mpool_page *mpool_arena_search(struct mpool_large *large,
				      struct mpool_arena *arena,
				      mpool_try_fn try, const void *want);
struct mpool_page *mpool_large_search(struct mpool_runs *runs,
				      const struct mpool_run_req *req);

/* walk.c */

/* The position of a walk; { } is before the first run. */
struct mpool_cursor {
	u64 serial;		/* of the arena */
	u32 index;		/* of the next page that the walk looks at */
	u32 unlinked;		/* large->nr_unlinked, when @arena was found */
	struct mpool_arena *arena;	/* the arena; NULL: not looked for yet */
};

/* Called for each run, in an RCU read-side section; non-zero ends the walk. */
typedef int (*mpool_run_fn)(struct mpool_arena *arena, struct mpool_page *pg,
			    void *arg);
int mpool_large_walk(struct mpool_large *large, struct mpool_cursor *at,
		     mpool_run_fn fn, void *arg);
int mpool_large_walk_owner(struct mpool_large *large, struct mpool_pool *owner,
			   mpool_visit_fn fn, void *arg);
size_t mpool_large_drop_owner(struct mpool_large *large,
			      struct mpool_pool *owner,
			      const struct module *mod);
struct mpool_large *mpool_large_use(const struct mpool_pool_ops *ops,
				    const char *name, struct mpool_large *large);
void mpool_large_adopt(struct mpool_large *large, struct mpool_pool *owner);
size_t mpool_large_slack(struct mpool_large *large);

/* tail.c */
unsigned long mpool_large_tail_pages(const struct mpool_large *large);
unsigned long mpool_large_reclaim_tails(struct mpool_large *large, bool all);
void mpool_large_drain(struct mpool_large *large);

/* Was a spare or a tail not used since the trim pass before the last one? */
static inline bool mpool_arena_is_old(const struct mpool_large *large,
				      const struct mpool_arena *arena)
{
	return (u8)(large->pass - arena->pass) > 1;
}

/* nodes.c */
int mpool_large_make_nodes(struct mpool_large *large, bool system);
void mpool_large_free_nodes(struct mpool_large *large);
bool mpool_large_room(struct mpool_large *large, struct mpool_large_room *room);
int mpool_large_verify_node(struct mpool_large *large, struct mpool_runs *runs);

/* arena.c */
void mpool_arena_used_locked(struct mpool_large *large,
			     struct mpool_arena *arena);
void mpool_arena_idle_locked(struct mpool_large *large,
			     struct mpool_arena *arena);
bool mpool_quick_flush_locked(struct mpool_runs *runs);
void mpool_quick_flush_one_locked(struct mpool_runs *runs);
void mpool_large_flush(struct mpool_large *large);
bool mpool_arena_unlink_locked(struct mpool_large *large,
			       struct mpool_arena *arena);
void mpool_arena_release(struct mpool_large *large, struct mpool_arena *arena);
void mpool_large_reclaim_surplus(struct mpool_large *large);
unsigned long mpool_large_reclaim_spares(struct mpool_large *large);
void mpool_large_trim_pass(struct mpool_large *large);
unsigned long mpool_large_spare_pages(struct mpool_large *large);
struct mpool_page *mpool_large_add_arena(struct mpool_large *large,
					 struct mpool_arena *arena,
					 const struct mpool_run_req *req);
int mpool_large_del_arena(struct mpool_large *large, unsigned long given);
void mpool_large_end_arenas(struct mpool_large *large);

void *mpool_large_object(struct mpool_large *large, struct mpool_pool *owner,
			 size_t size, size_t align, size_t *real, gfp_t gfp,
			 u32 site);
void *mpool_large_object_room(struct mpool_large *large, struct mpool_pool *owner,
			      size_t size, size_t align, size_t *real, gfp_t gfp,
			      u32 site);
void mpool_large_failed_cached(struct mpool_large *large,
			       struct mpool_pool *owner, size_t size,
			       size_t align, gfp_t gfp, u32 site,
			       unsigned long cached);
struct mpool_page *mpool_large_lookup(const void *p);
void mpool_large_free_queued(struct work_struct *work);
void mpool_large_free_claimed(struct mpool_pool *owner, struct mpool_page *pg);
bool mpool_large_free_object(struct mpool_page *pg, struct mpool_pool *owner);
int mpool_large_resize(struct mpool_page *pg, struct mpool_pool *owner,
		       size_t size, u32 site);

struct mpool_large *mpool_large_setup(const char *name,
				      const struct mpool_large_source *source,
				      gfp_t zone, enum mpool_on_leak on_leak,
				      const struct mpool_limits *limits,
				      struct mpool_site *site);
struct mpool_large *mpool_large_publish(struct mpool_large *large, int err);
void mpool_large_teardown(struct mpool_large *large);

static __always_inline int mpool_large_check(const struct mpool_large *pool)
{
	return mpool_pool_check("large", pool);
}

int mpool_large_verify(struct mpool_large *large);

int mpool_large_init(void);

/*
 * The pages of a request, and its slack in *@slack; returns 0 if the request is longer
 * than any run can be.
 */
static inline u32 mpool_large_pages(size_t size, u32 *slack)
{
	size_t npages = (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);

	if (npages > RUNS_MAX_PAGES)
		return 0;
	*slack = (npages << PAGE_SHIFT) - size;
	return npages;
}

static inline struct mpool_large *mpool_page_large(struct mpool_page *pg)
{
	return mpool_page_arena(pg)->runs->large;
}

#define mpool_large_for_each_runs(large, runs)				\
	for ((runs) = &(large)->runs; (runs); (runs) = (runs)->next)

/* The engine of a node. */
static __always_inline struct mpool_runs *
mpool_large_node(struct mpool_large *large, int nid)
{
	return mpool_read(large->nodes) ? large->nodes[nid] : &large->runs;
}

/* The node that a request of this CPU prefers. */
static inline int mpool_large_nid(const struct mpool_large *large)
{
	return large->nid == NUMA_NO_NODE ? numa_mem_id() : large->nid;
}

/* The engine of the node that a request of this CPU prefers. */
static inline struct mpool_runs *mpool_large_here(struct mpool_large *large)
{
	return mpool_large_node(large, mpool_large_nid(large));
}

/* The quick list of a length, in the engine of mpool_large_here(). */
static __always_inline struct mpool_page **
mpool_large_quick(struct mpool_large *large, unsigned long npages)
{
	if (unlikely(mpool_read(large->runs.next)))
		return &large->nodes[mpool_large_nid(large)]->quick[npages];
	return &large->runs.quick[npages];
}

/* Number of pages of all engines.  Any context. */
static inline unsigned long mpool_large_nr_pages(const struct mpool_large *large)
{
	const struct mpool_runs *runs;
	unsigned long pages = 0;

	mpool_large_for_each_runs(large, runs)
		pages += mpool_hint(runs->nr_pages);
	return pages;
}

static inline size_t mpool_page_bytes(const struct mpool_page *pg)
{
	return (size_t)READ_ONCE(pg->len) << PAGE_SHIFT;
}

/*
 * mpool_large_resize() for a run that keeps its length: only slack and site change, which
 * the holder writes without the lock.  @entry is that of the address in the page map.  False
 * if no run of @owner is there, if it is claimed, or if the length is another one.  The
 * caller has preemption off.
 */
static __always_inline bool
mpool_large_resize_quick(unsigned long entry, unsigned long addr,
			 const struct mpool_pool *owner, size_t size, u32 site)
{
	struct mpool_arena *arena = (struct mpool_arena *)entry;
	struct mpool_page *pg;
	size_t slack;
	u32 index, tag;

	if (entry == MPOOL_PAGE_NONE || !mpool_entry_is_arena(entry) || !PAGE_ALIGNED(addr))
		return false;
	index = (addr - arena->base) >> PAGE_SHIFT;
	pg = &arena->pages[index];
	slack = mpool_page_bytes(pg) - size;
	tag = mpool_page_tag(index, MPOOL_PAGE_RUN);
	if (slack >= PAGE_SIZE ||
	    !try_cmpxchg(&pg->tag, &tag, mpool_page_tag(index, MPOOL_PAGE_RESIZED)))
		return false;
	/* Owner and length do not change under the hold, but may have changed before. */
	if (likely(pg->owner == owner && mpool_page_bytes(pg) - size == slack)) {
		WRITE_ONCE(pg->slack, (pg->slack & ~(BIT(MPOOL_SLACK_BITS) - 1)) | slack);
		WRITE_ONCE(pg->site, site);
		owner = NULL;
	}
	/* As mpool_runs_unhold(). */
	smp_store_release(&pg->tag, mpool_page_tag(index, MPOOL_PAGE_RUN));
	return !owner;
}

/*
 * Waits until the frees that were deferred before the call are finished, as
 * mpool_defer_flush() does: one whose interrupt comes late may be missed.  Sleeps.
 */
static inline void mpool_large_flush_deferred(struct mpool_large *large)
{
	mpool_defer_flush(&large->deferred);
}

/* For a pool that ends: waits until all frees that were deferred are finished.  Sleeps. */
static inline void mpool_large_settle(struct mpool_large *large)
{
	mpool_defer_sync(&large->deferred);
}

#endif /* _MPOOL_LARGE_H */
