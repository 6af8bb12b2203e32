/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LARGE_H
#define _MPOOL_LARGE_H

#include "kick.h"
#include "limit.h"
#include "pagemap.h"
#include "refs.h"
#include "registry.h"
#include "runs.h"
#include "shortage.h"

/* Where a large pool gets its arenas: system.c or region.c. */
struct mpool_large_feed {
	/* an arena of at least @npages, entered in the page map, or NULL */
	struct mpool_arena *(*grow)(struct mpool_large *large, u32 npages,
				    unsigned long align, gfp_t gfp);
	/* gives the memory of an arena back; its pages are not in the map */
	void (*release)(struct mpool_arena *arena);
	const char *what;	/* where the memory is from */
	bool gives_back;	/* idle arenas are released */
	bool system;		/* there is more where that came from */
};

struct mpool_large {
	struct mpool_pool pool;

	/* Constant after creation. */
	const struct mpool_large_feed *feed;
	struct mpool_large *outer;	/* whose runs its arenas are, or NULL */
	gfp_t zone;		/* zone and accounting flags of all its pages */
	bool io;		/* has device memory, which is never touched */
	struct mpool_limit *limit;	/* NULL: there is none */
	bool virt;		/* may have arenas that vmalloc() made */
	int nid;		/* node of its memory, or NUMA_NO_NODE: of who asks */

	struct mpool_runs **nodes;	/* engine of each node, or NULL: one for all */
	unsigned long takes;	/* shorter runs by the fast path, or 0 */

	/* Read anywhere. */
	u32 parks;		/* shorter runs of its own, or 0 */
	bool surplus;		/* maybe two spares of a node; under the lock */

	/* Protects the rest but where it says otherwise; never held for long. */
	raw_spinlock_t lock;
	struct mpool_runs runs;		/* of the first node, or of all */
	struct list_head arenas;	/* doubly linked, RCU for readers */
	u64 serial;		/* of the arena that came last */
	struct list_head spares;	/* arenas without a run in use, and others */
	unsigned int nr_spares;		/* on that list */
	struct list_head shrink;	/* all that give back; shrink_mutex */
	unsigned long nr_chunk_pages;	/* in runs of fixed pools */
	atomic_t nr_empty;	/* chunks without a live object, about */

	/* Finishes frees that could not take the lock in NMI context. */
	struct mpool_kick late;

	struct mpool_shortage shortage;	/* protects itself */
	struct mpool_refs refs;		/* likewise */
};

/* The large pool that a pool of that kind is. */
static inline struct mpool_large *to_large(struct mpool_pool *pool)
{
	return container_of(pool, struct mpool_large, pool);
}

extern struct mpool_large *mpool_large_shared;

/*
 * May bytes of the pool's memory be read and written?  Not if any of it is a
 * device's.  Asked after the memory was taken: the pool says so before it gets
 * memory of that kind.
 */
static inline bool mpool_large_touchable(const struct mpool_large *large)
{
	return !READ_ONCE(large->io);
}

/*
 * Clears the bytes of an object from @from to @to, as far as the caller and the
 * kernel want new memory to be cleared, and never of a device.
 */
static inline void mpool_large_zero(const struct mpool_large *large, void *p,
				    size_t from, size_t to, gfp_t gfp)
{
	if (to > from && want_init_on_alloc(gfp) &&
	    mpool_large_touchable(large))
		memset(p + from, 0, to - from);
}

bool mpool_large_refuse_zero(const struct mpool_pool *owner);

/* Can memory for @owner be cleared, if the flags ask for that?  Any context. */
static inline bool mpool_large_zero_ok(const struct mpool_large *large,
				       const struct mpool_pool *owner, gfp_t gfp)
{
	return likely(!(gfp & __GFP_ZERO) || mpool_large_touchable(large)) ||
	       mpool_large_refuse_zero(owner);
}

/* Clears what is freed, if the kernel wants that, and never of a device. */
static inline void mpool_large_wipe(const struct mpool_large *large, void *p,
				    size_t size)
{
	if (want_init_on_free() && mpool_large_touchable(large))
		memset(p, 0, size);
}

/* A request that was not served at once; see mpool_large_take(). */
struct mpool_wish {
	u32 npages;
	unsigned long align;
	gfp_t gfp;
	enum mpool_page_state state;
	struct mpool_pool *owner;
	u32 site;
	u32 slack;
	bool may_grow;
};

struct mpool_page *mpool_large_take(struct mpool_large *large, u32 npages,
				    unsigned long align, gfp_t gfp,
				    enum mpool_page_state state,
				    struct mpool_pool *owner, u32 site,
				    u32 slack);
struct mpool_page *mpool_large_take_idle(struct mpool_large *large, u32 npages,
					 unsigned long align,
					 struct mpool_pool *owner);
struct mpool_page *mpool_large_carve_locked(struct mpool_large *large,
					    struct mpool_page *pg, u32 gap,
					    const struct mpool_wish *wish);
void mpool_large_give(struct mpool_large *large, struct mpool_page *pg);
void mpool_large_give_locked(struct mpool_large *large, struct mpool_page *pg);

/* Pages that are free, and those of the longest free run. */
struct mpool_large_room {
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
				      const struct mpool_wish *wish);

/* walk.c */

/* Where a walk is; { } is before the first run. */
struct mpool_cursor {
	u64 serial;		/* of the arena */
	u32 index;		/* of the next page to be looked at */
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

/* nodes.c */
int mpool_large_make_nodes(struct mpool_large *large, bool system);
void mpool_large_free_nodes(struct mpool_large *large);
struct mpool_large_room mpool_large_room_locked(struct mpool_large *large);
int mpool_large_verify_node(struct mpool_large *large, struct mpool_runs *runs);

/* arena.c */
void mpool_arena_used_locked(struct mpool_large *large,
			     struct mpool_arena *arena);
void mpool_arena_idle_locked(struct mpool_large *large,
			     struct mpool_arena *arena);
void mpool_arena_idle(struct mpool_large *large, struct mpool_arena *arena);
bool mpool_arena_unlink_locked(struct mpool_large *large,
			       struct mpool_arena *arena);
void mpool_arena_release(struct mpool_large *large, struct mpool_arena *arena);
void mpool_large_reap(struct mpool_large *large);
unsigned long mpool_large_shed(struct mpool_large *large);
unsigned long mpool_large_spare_pages(struct mpool_large *large);
void mpool_large_add_arena(struct mpool_large *large,
			   struct mpool_arena *arena);
int mpool_large_del_arena(struct mpool_large *large, unsigned long given);
void mpool_large_end_arenas(struct mpool_large *large);

void *mpool_large_object(struct mpool_large *large, struct mpool_pool *owner,
			 size_t size, size_t align, size_t *real, gfp_t gfp,
			 u32 site);
void mpool_large_failed_cached(struct mpool_large *large,
			       struct mpool_pool *owner, size_t size,
			       size_t align, gfp_t gfp, u32 site,
			       unsigned long cached);
struct mpool_page *mpool_large_lookup(const void *p);
void mpool_large_free_claimed(struct mpool_pool *owner, struct mpool_page *pg);
bool mpool_large_free_object(struct mpool_page *pg, struct mpool_pool *owner);
int mpool_large_resize(struct mpool_page *pg, size_t size, u32 site);

struct mpool_large *mpool_large_setup(const char *name,
				      const struct mpool_large_feed *feed,
				      gfp_t zone, enum mpool_on_leak on_leak,
				      const struct mpool_limits *limits,
				      struct mpool_site *site);
void mpool_large_put(struct mpool_large *large);

static __always_inline int mpool_large_check(const struct mpool_large *pool)
{
	return mpool_pool_check("large", pool);
}

int mpool_large_verify(struct mpool_large *large);

int mpool_large_init(void);

/* Pages and slack of a request, 0 if it is longer than any run can be. */
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

/* The engine for runs of a node. */
static __always_inline struct mpool_runs *
mpool_large_node(struct mpool_large *large, int nid)
{
	return mpool_read(large->nodes) ? large->nodes[nid] : &large->runs;
}

/* The node whose memory is wanted first. */
static inline int mpool_large_nid(const struct mpool_large *large)
{
	return large->nid == NUMA_NO_NODE ? numa_mem_id() : large->nid;
}

/* The engine for who asks here. */
static inline struct mpool_runs *mpool_large_here(struct mpool_large *large)
{
	return mpool_large_node(large, mpool_large_nid(large));
}

/* Where its run of a length is parked. */
static __always_inline struct mpool_page **
mpool_large_place(struct mpool_large *large, unsigned long npages)
{
	if (unlikely(mpool_read(large->runs.next)))
		return &large->nodes[mpool_large_nid(large)]->parked[npages];
	return &large->runs.parked[npages];
}

/* Pages of all nodes.  Any context. */
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

/* Finishes every free that was put off.  Sleeps. */
static inline void mpool_large_settle(struct mpool_large *large)
{
	mpool_kick_sync(&large->late);
}

/*
 * Makes a run that was taken from its place an object of the pool itself.  Its arena
 * stays on the list of spares, if it is there: who looks for spares takes it off.
 * Any context.
 */
static __always_inline void *mpool_large_unpark(struct mpool_large *large,
						struct mpool_page *pg,
						u32 site, u32 slack)
{
	u32 len = pg->len, tag = pg->tag, index = tag >> MPOOL_TAG_SHIFT;
	struct mpool_arena *arena = mpool_arena_of(pg, index);

	/* Before anybody can free it. */
	atomic_inc(&arena->live);
	/* Its owner is the pool already. */
	WRITE_ONCE(pg->site, site);
	WRITE_ONCE(pg->slack, slack);
	smp_wmb(); /* Pairs with smp_rmb() in mpool_page_owner(). */
	WRITE_ONCE(pg->tag, tag - MPOOL_PAGE_PARKED + MPOOL_PAGE_RUN);
	mpool_pool_charge(&large->pool, len);
	mpool_stat_inc(&large->pool.stats, MPOOL_STAT_ALLOC);
	return (void *)(arena->base + ((unsigned long)index << PAGE_SHIFT));
}

/*
 * Parks a run of the pool itself after mpool_place_claim(); false if it is to be
 * freed in another way, its state is that of a claimed run then.  *@last as
 * mpool_place_put().  Preemption is off since the lookup.  Any context.
 */
static __always_inline bool mpool_large_park(struct mpool_large *large,
					     struct mpool_arena *arena,
					     struct mpool_page *pg, u32 index,
					     bool *last)
{
	unsigned long len = mpool_read(pg->len);
	struct mpool_page **place;

	/* By a race of wrong frees it may have got another owner before. */
	if (unlikely(len >= mpool_read(large->parks) ||
		     mpool_read(pg->owner) != &large->pool))
		goto refuse;
	place = &arena->runs->parked[len];
	OPTIMIZER_HIDE_VAR(place);	/* from being computed at each use */
	if (unlikely(READ_ONCE(*place)))
		goto refuse;
	if (unlikely(!mpool_run_alone(arena, index, len)))
		goto refuse;
	/* Before somebody else can be charged for it. */
	atomic_long_sub(len, &large->pool.pages);
	if (likely(mpool_place_put(place, arena, pg, last)))
		return true;
	atomic_long_add(len, &large->pool.pages);
refuse:
	mpool_page_set(pg, index, MPOOL_PAGE_LATE);
	return false;
}

#endif /* _MPOOL_LARGE_H */
