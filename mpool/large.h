/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_LARGE_H
#define _MPOOL_LARGE_H

#include "kick.h"
#include "limit.h"
#include "pagemap.h"
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

	/* Protects the rest but where it says otherwise; never held for long. */
	raw_spinlock_t lock;
	struct mpool_runs runs;
	struct list_head arenas;	/* doubly linked, RCU for readers */
	struct list_head spares;	/* arenas without a run in use; maybe others */
	unsigned int nr_spares;		/* on that list */
	struct list_head shrink;	/* all that give back; shrink_mutex */
	unsigned long nr_chunk_pages;	/* in runs of fixed pools */

	/* Finishes frees that could not take the lock in NMI context. */
	struct mpool_kick late;

	struct mpool_shortage shortage;	/* protects itself */
};

extern struct mpool_large *mpool_large_shared;

struct mpool_page *mpool_large_take(struct mpool_large *large, u32 npages,
				    unsigned long align, gfp_t gfp,
				    enum mpool_page_state state,
				    struct mpool_pool *owner, u32 site,
				    u32 slack);
struct mpool_page *mpool_large_carve_locked(struct mpool_large *large,
					    struct mpool_page *pg, u32 gap,
					    u32 npages, u32 site, u32 slack);
void mpool_large_give(struct mpool_large *large, struct mpool_page *pg);
void mpool_large_reap(struct mpool_large *large);
unsigned long mpool_large_shed(struct mpool_large *large);
void mpool_large_add_arena(struct mpool_large *large,
			   struct mpool_arena *arena);
int mpool_large_del_arena(struct mpool_large *large, unsigned long base);

void *mpool_large_object(struct mpool_large *large, struct mpool_pool *owner,
			 size_t size, size_t align, size_t *real, gfp_t gfp,
			 u32 site);
void mpool_large_failed(struct mpool_large *large, struct mpool_pool *owner,
			size_t size, gfp_t gfp, u32 site);
struct mpool_page *mpool_large_lookup(const void *p);
bool mpool_large_free_object(struct mpool_page *pg, struct mpool_pool *owner);
int mpool_large_resize(struct mpool_page *pg, size_t size, u32 site);
int mpool_large_walk_owner(struct mpool_large *large, struct mpool_pool *owner,
			   mpool_visit_fn fn, void *arg);
size_t mpool_large_drop_owner(struct mpool_large *large,
			      struct mpool_pool *owner,
			      const struct module *mod);

struct mpool_large *mpool_large_setup(const char *name,
				      const struct mpool_large_feed *feed,
				      gfp_t zone, enum mpool_on_leak on_leak,
				      const struct mpool_limit_args *limits,
				      struct mpool_site *site);
void mpool_large_put(struct mpool_large *large);

static __always_inline int mpool_large_check(const struct mpool_large *pool)
{
	return mpool_pool_check("large", pool);
}

bool mpool_large_zero_ok(struct mpool_large *large, gfp_t gfp);
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
	return container_of(mpool_page_arena(pg)->runs, struct mpool_large,
			    runs);
}

static inline size_t mpool_page_bytes(const struct mpool_page *pg)
{
	return (size_t)READ_ONCE(pg->len) << PAGE_SHIFT;
}

static inline void mpool_arena_used_locked(struct mpool_large *large,
					   struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (list_empty(&arena->spare))
		return;
	list_del_init(&arena->spare);
	large->nr_spares--;
}

static inline void mpool_arena_idle_locked(struct mpool_large *large,
					   struct mpool_arena *arena)
{
	lockdep_assert_held(&large->lock);
	if (arena->nfree != arena->npages || !large->feed->gives_back ||
	    !list_empty(&arena->spare))
		return;
	list_add(&arena->spare, &large->spares);
	large->nr_spares++;
}

/*
 * A parked run as an object of the pool itself, if there is one of that length,
 * which is shorter than RUNS_PARK.  Its arena stays on the list of spares, if it
 * is there: who looks for spares takes it off.  Any context.
 */
static __always_inline void *
mpool_large_take_parked(struct mpool_large *large, u32 npages, u32 site,
			u32 slack)
{
	struct mpool_page *pg;
	unsigned long flags;
	void *p = NULL;
	u32 tag;

	if (!READ_ONCE(large->runs.parked[npages]) || in_nmi())
		return NULL;
	raw_spin_lock_irqsave(&large->lock, flags);
	pg = mpool_runs_unpark(&large->runs, npages);
	if (likely(pg)) {
		tag = pg->tag;
		pg->owner = &large->pool;
		pg->site = site;
		pg->slack = slack;
		smp_wmb(); /* Pairs with smp_rmb() in mpool_page_owner(). */
		WRITE_ONCE(pg->tag, tag - MPOOL_PAGE_PARKED + MPOOL_PAGE_RUN);
		tag >>= MPOOL_TAG_SHIFT;
		p = (void *)(mpool_arena_of(pg, tag)->base +
			     ((unsigned long)tag << PAGE_SHIFT));
		mpool_pool_charge(&large->pool, npages);
		mpool_stat_inc(&large->pool.stats, MPOOL_STAT_ALLOC);
	}
	raw_spin_unlock_irqrestore(&large->lock, flags);
	return p;
}

/*
 * Frees a run of the pool itself that is to be parked; false if it is not one,
 * or that cannot be.  Preemption is off since the lookup.  Not in NMI context.
 */
static __always_inline bool mpool_large_give_parked(struct mpool_large *large,
						    struct mpool_arena *arena,
						    struct mpool_page *pg)
{
	u32 len = READ_ONCE(pg->len);
	unsigned long flags;

	if (len >= RUNS_PARK || READ_ONCE(large->runs.parked[len]) ||
	    large->limit || READ_ONCE(large->pool.orphan) || want_init_on_free() ||
	    !mpool_runs_claim(pg))
		return false;
	atomic_long_sub(len, &large->pool.pages);
	raw_spin_lock_irqsave(&large->lock, flags);
	if (unlikely(!mpool_runs_park(&large->runs, arena, pg)))
		mpool_runs_free(&large->runs, pg);
	mpool_arena_idle_locked(large, arena);
	raw_spin_unlock_irqrestore(&large->lock, flags);
	mpool_stat_inc(&large->pool.stats, MPOOL_STAT_FREE);
	return true;
}

#endif /* _MPOOL_LARGE_H */
