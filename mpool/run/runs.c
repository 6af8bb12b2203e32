// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of pages: the engine of a large pool.
 *
 * Structure: runs cover the pages of an arena without a gap.  A run is free, cached, in
 * use, or gone.  Free runs are on lists, one for each size class (lists.c).  Below 64
 * pages a class has one length, and the first run of the class is the best fit.
 *
 * If runs_lookup() finds no run for a request of 64 pages or more, or for an aligned
 * request, and if the pool cannot grow, search.c looks at all free runs.  It looks at a
 * few at a time, and releases the lock in between.  So a request fails only if for each
 * free run there was a moment at which the run was too short.  No step under the lock
 * takes longer in a larger pool.
 *
 * None of these data are in the pages.  Each page has a descriptor in its arena.  The
 * descriptors of the first and the last page of a free run have its length (boundary
 * tags): a run that is freed finds its free neighbours by them.  A bitmap of the pages
 * where a run begins leads from any page of a run to its first page.
 *
 * Alloc, free, grow and shrink are O(1), however many pages the pool has.
 *
 * To split a run and to merge it again is most of the cost of a pair of alloc and free,
 * and a free is often followed by a request for the same length.  So each length up to 32
 * pages has a quick list (as in Weinstock's QuickFit), where a free run stays as it is:
 * it is cached.  A list has at most one run, which suffices for such pairs: run5 takes
 * 173 instructions with the lists, and 929 without.  An engine has at most 32 cached
 * runs, so all of them can be merged under the lock at once; large.c and arena.c say
 * when.
 *
 * An exact engine has the memory of the page allocator.  There an arena is one block, made
 * for one run, and goes back to the page allocator when the run is free.  So only free
 * runs that are all of their arena are on the lists, and a request gets only a run of
 * exactly its length.  A shorter free run is the tail of an arena, behind a run that was
 * shrunk or that may grow: only that run can grow into it (tail.c).
 *
 * The quick lists need no lock.  For the engine a cached run counts as in use: its state
 * is not MPOOL_PAGE_FREE, and nr_free and nfree do not include it.  So no function under
 * the lock depends on whether the run is on its list.  With the lock, and interrupts off,
 * run5 took 306 instructions and run17 342.
 *
 * Pages may leave their arena (refs.c).  Then a run in state MPOOL_PAGE_GONE covers them.
 * Its state never changes again.
 *
 * Invariant, checked by mpool_runs_verify_arena() and mpool_runs_verify():
 *	runs cover each arena exactly; two neighbours are never both free, but one or
 *	both may be cached; each free run, of an exact engine each that is all of its
 *	arena, is on the list of its class, and the bitmaps say which lists are not empty;
 *	a cached run is on the quick list of its length;
 *	nr_free and nfree are the pages of the free runs, without the cached runs; gone
 *	is the number of pages that left; live is the number of runs that are not free,
 *	cached or gone.
 *
 * Locking: the caller holds the lock of the pool.  The quick lists, live, and the
 * functions of runs.h that claim a run need no lock.  Nor does mpool_runs_find(), which
 * reads single words: its result was right at one moment of the call, and remains right
 * only if the caller knows that the run does not change.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "runs.h"

/* Is a free run of @len pages of the arena on a list? */
static bool run_is_listed(const struct mpool_runs *runs,
			  const struct mpool_arena *arena, u32 len)
{
	return !runs->exact || len == arena->npages;
}

/* Makes a free run of pages that no run covers. */
static void run_insert(struct mpool_runs *runs, struct mpool_arena *arena,
		       u32 index, u32 len)
{
	struct mpool_page *pg = &arena->pages[index];

	mpool_page_set(pg + len - 1, index + len - 1, MPOOL_PAGE_FREE);
	pg[len - 1].len = len;
	mpool_page_set(pg, index, MPOOL_PAGE_FREE);
	pg->len = len;
	__set_bit(index, mpool_arena_starts(arena));
	pg->prev = NULL;
	if (run_is_listed(runs, arena, len))
		mpool_run_list(runs, pg);
	else
		mpool_run_set_next(pg, NULL);
	runs->nr_free += len;
	arena->nfree += len;
}

/* Undoes run_insert(): after that no run covers the pages. */
static void run_extract(struct mpool_runs *runs, struct mpool_arena *arena,
			struct mpool_page *pg)
{
	u32 index = mpool_page_index(pg);
	u32 len = pg->len;

	if (run_is_listed(runs, arena, len))
		mpool_run_unlist(runs, pg);
	mpool_page_set(pg + len - 1, index + len - 1, MPOOL_PAGE_BODY);
	mpool_page_set(pg, index, MPOOL_PAGE_BODY);
	__clear_bit(index, mpool_arena_starts(arena));
	runs->nr_free -= len;
	arena->nfree -= len;
}

/* Does a request fit into a free run?  Sets @gap to the pages in front of its place. */
bool mpool_runs_fits(const struct mpool_page *pg, u32 npages,
		     unsigned long align, u32 *gap)
{
	struct mpool_arena *arena = mpool_page_arena((struct mpool_page *)pg);
	unsigned long addr = (unsigned long)mpool_page_address(arena, pg);
	unsigned long pages = 0;

	if (align > PAGE_SIZE)
		pages = (ALIGN(addr, align) - addr) >> PAGE_SHIFT;
	*gap = pages;
	return pg->len >= npages && pg->len - npages >= pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_fits);

/*
 * May a request of @npages have a part of this free run?  An exact engine gives all of an
 * arena or nothing.
 */
bool mpool_runs_may_carve(const struct mpool_page *pg, u32 npages)
{
	const struct mpool_arena *arena = mpool_page_arena((struct mpool_page *)pg);

	return !arena->runs->exact || (pg->len == npages && npages == arena->npages);
}

/* A run of exactly @len pages, among the first RUNS_LOOK of its class. */
static struct mpool_page *runs_same(struct mpool_runs *runs, u32 len,
				    unsigned long align, u32 *gap)
{
	struct mpool_page *pg = runs->heads[mpool_runs_class(len)];
	unsigned int look = RUNS_LOOK;

	for (; pg && look--; pg = mpool_run_next(pg))
		if (pg->len == len && mpool_runs_fits(pg, len, align, gap))
			return pg;
	return NULL;
}

/* A run in which the request fits, among the first RUNS_LOOK from @class to @end. */
static struct mpool_page *runs_look(struct mpool_runs *runs, unsigned int class,
				    unsigned int end, u32 len,
				    unsigned long align, u32 *gap)
{
	unsigned int look = RUNS_LOOK;
	struct mpool_page *pg;

	for (class = mpool_class_next(runs, class); class < end;
	     class = mpool_class_next(runs, class + 1))
		for (pg = runs->heads[class]; pg; pg = mpool_run_next(pg)) {
			if (!look--)
				return NULL;
			if (mpool_runs_fits(pg, len, align, gap))
				return pg;
		}
	return NULL;
}

/* A run of the first class in which every run is long enough, whatever its address. */
static struct mpool_page *runs_sure(struct mpool_runs *runs, u32 len,
				    unsigned long align, u32 *gap)
{
	unsigned long most = len;
	unsigned int class;

	if (align > PAGE_SIZE)
		most += (align >> PAGE_SHIFT) - 1;
	if (most > RUNS_MAX_PAGES)
		return NULL;
	class = mpool_class_next(runs, mpool_runs_class_above(most));
	if (class >= RUNS_CLASSES)
		return NULL;
	if (align > PAGE_SIZE)
		mpool_runs_fits(runs->heads[class], len, align, gap);
	return runs->heads[class];
}

static struct mpool_page *runs_lookup(struct mpool_runs *runs, u32 len,
				      unsigned long align, u32 *gap)
{
	unsigned int class = mpool_runs_class(len);

	if (runs->exact)
		return runs_same(runs, len, align, gap);
	/*
	 * An unaligned request below 64 pages fits the first run of its class and of each
	 * class above.  A longer one is first looked for in the classes above, where it
	 * fits every run, and then in the first RUNS_LOOK runs of its own class.  An
	 * aligned request looks at the first RUNS_LOOK runs from its class on, and then
	 * takes one that is long enough at any address.
	 */
	if (align > PAGE_SIZE)
		return runs_look(runs, class, RUNS_CLASSES, len, align, gap) ?:
		       runs_sure(runs, len, align, gap);
	if (len < RUNS_LINEAR)
		return runs_sure(runs, len, align, gap);
	return runs_sure(runs, len, align, gap) ?:
	       runs_look(runs, class, class + 1, len, align, gap);
}

/* Allocates @npages of a free run from its page @gap on; the rest stays free. */
static __always_inline struct mpool_page *
run_carve(struct mpool_runs *runs, struct mpool_page *pg, u32 gap, u32 npages,
	  enum mpool_page_state state)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	u32 index = mpool_page_index(pg);
	u32 len = pg->len;

	run_extract(runs, arena, pg);
	if (gap)
		run_insert(runs, arena, index, gap);
	if (len - gap > npages)
		run_insert(runs, arena, index + gap + npages,
			   len - gap - npages);
	pg += gap;
	WRITE_ONCE(pg->owner, NULL);
	pg->site = 0;
	pg->slack = 0;
	pg->len = npages;
	atomic_inc(&arena->live);
	smp_wmb(); /* Pairs with smp_rmb() in mpool_page_owner(). */
	mpool_page_set(pg, index + gap, state);
	__set_bit(index + gap, mpool_arena_starts(arena));
	return pg;
}

/**
 * mpool_runs_alloc() - allocate a run
 * @runs: engine
 * @npages: length in pages, not 0
 * @align: alignment of its address in bytes, a power of two
 * @state: state of the run
 *
 * Context: the caller holds the lock of the pool.
 * Return: the descriptor of the first page, of which the caller sets owner and site;
 *	   %NULL if no free run that was looked at is long enough.  For an unaligned
 *	   request of up to 63 pages, no free run of the engine is long enough then.
 */
struct mpool_page *mpool_runs_alloc(struct mpool_runs *runs, u32 npages,
				    unsigned long align,
				    enum mpool_page_state state)
{
	u32 gap = 0;
	struct mpool_page *pg = runs_lookup(runs, npages, align, &gap);

	return pg ? run_carve(runs, pg, gap, npages, state) : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_alloc);

/* Allocates a part of a free run that the caller has chosen, as mpool_runs_alloc(). */
struct mpool_page *mpool_runs_carve(struct mpool_runs *runs,
				    struct mpool_page *pg, u32 gap, u32 npages,
				    enum mpool_page_state state)
{
	return run_carve(runs, pg, gap, npages, state);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_carve);

/* The free run that ends before @index, or NULL. */
static struct mpool_page *run_before(struct mpool_arena *arena, u32 index)
{
	struct mpool_page *tail = &arena->pages[index - 1];

	if (!index || mpool_page_state(tail) != MPOOL_PAGE_FREE)
		return NULL;
	return tail - (tail->len - 1);
}

/* The free run that begins at @index, or NULL. */
static struct mpool_page *run_at(struct mpool_arena *arena, u32 index)
{
	struct mpool_page *pg = &arena->pages[index];

	if (index == arena->npages || mpool_page_state(pg) != MPOOL_PAGE_FREE)
		return NULL;
	return pg;
}

/* Frees pages that no run covers, and merges them with their free neighbours. */
static void run_release(struct mpool_runs *runs, struct mpool_arena *arena,
			u32 index, u32 len)
{
	struct mpool_page *next = run_at(arena, index + len);
	struct mpool_page *prev = run_before(arena, index);

	if (next) {
		len += next->len;
		run_extract(runs, arena, next);
	}
	if (prev) {
		index -= prev->len;
		len += prev->len;
		run_extract(runs, arena, prev);
	}
	run_insert(runs, arena, index, len);
}

static void run_free(struct mpool_runs *runs, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	u32 index = mpool_page_index(pg);

	mpool_page_set(pg, index, MPOOL_PAGE_BODY);
	__clear_bit(index, mpool_arena_starts(arena));
	run_release(runs, arena, index, pg->len);
}

/* Frees a run.  The caller holds the lock of the pool. */
void mpool_runs_free(struct mpool_runs *runs, struct mpool_page *pg)
{
	atomic_dec(&mpool_page_arena(pg)->live);
	run_free(runs, pg);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_free);

/* Merges a run that was seen on a quick list; false if the run is not there any more. */
static bool cached_merge(struct mpool_runs *runs, struct mpool_page **quick,
			 struct mpool_page *pg)
{
	/*
	 * Takes the run from its list, as the xchg() in mpool_quick_pop() does.  If
	 * another CPU has taken the run and cached it again meanwhile, it is the same run
	 * of the same length.
	 */
	if (cmpxchg(quick, pg, NULL) != pg)
		return false;
	run_free(runs, pg);
	return true;
}

/*
 * Merges the cached run of a length with its free neighbours; if @arena is not NULL, only
 * a run in @arena.  Returns the arena of the run, or NULL if no run was merged.  The
 * caller holds the lock of the pool.
 */
struct mpool_arena *mpool_quick_merge(struct mpool_runs *runs, u32 len,
				      const struct mpool_arena *arena)
{
	struct mpool_page *pg = READ_ONCE(runs->quick[len]);
	struct mpool_arena *in;

	if (!pg)
		return NULL;
	/*
	 * The run keeps its arena as long as the caller holds the lock, even if another
	 * CPU takes it from its list now: only under the lock a run becomes free, and an
	 * arena is removed.
	 */
	in = mpool_page_arena(pg);
	if ((arena && in != arena) || !cached_merge(runs, &runs->quick[len], pg))
		return NULL;
	return in;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_quick_merge);

/*
 * Merges the run that begins at @index, if it is cached.  False if it is not, if another
 * CPU takes or caches it at this moment, or if @index is the end of the arena.
 */
static bool merge_at(struct mpool_runs *runs, struct mpool_arena *arena,
		     u32 index)
{
	struct mpool_page *pg = &arena->pages[index];

	/* No CPU changes the length of a run without the lock, which the caller holds. */
	return index < arena->npages &&
	       mpool_page_state(pg) == MPOOL_PAGE_CACHED &&
	       pg->len < RUNS_QUICK &&
	       cached_merge(runs, &runs->quick[pg->len], pg);
}

/*
 * Grows a run in place, into the free and cached runs behind it; false if these are too
 * short.
 */
bool mpool_runs_grow(struct mpool_runs *runs, struct mpool_page *pg, u32 npages)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	u32 end = mpool_page_index(pg) + pg->len;
	u32 more = npages - pg->len;
	struct mpool_page *next;
	u32 len;

	for (;;) {
		next = run_at(arena, end);
		len = next ? next->len : 0;
		if (len >= more)
			break;
		if (!merge_at(runs, arena, end + len))
			return false;
	}
	run_extract(runs, arena, next);
	if (len > more)
		run_insert(runs, arena, end + more, len - more);
	WRITE_ONCE(pg->len, npages);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_grow);

/* Shrinks a run in place, and frees its tail. */
void mpool_runs_shrink(struct mpool_runs *runs, struct mpool_page *pg,
		       u32 npages)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	u32 index = mpool_page_index(pg);
	u32 len = pg->len - npages;

	if (!len)
		return;
	WRITE_ONCE(pg->len, npages);
	run_release(runs, arena, index + npages, len);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_shrink);

/*
 * Splits a run in use behind its first @npages pages.  The tail becomes a run of its own,
 * of @owner and in @state, which is not the state of an object.  The caller holds the
 * lock of the pool.
 */
struct mpool_page *mpool_runs_split(struct mpool_page *pg, u32 npages,
				    enum mpool_page_state state,
				    struct mpool_pool *owner)
{
	struct mpool_arena *arena = mpool_page_arena(pg);
	u32 index = mpool_page_index(pg) + npages;
	struct mpool_page *tail = pg + npages;

	WRITE_ONCE(tail->owner, owner);
	tail->site = pg->site;
	tail->slack = 0;
	tail->len = pg->len - npages;
	WRITE_ONCE(pg->len, npages);
	atomic_inc(&arena->live);
	/*
	 * Pairs with smp_load_acquire() in find_queued(), which has no lock: the tail has
	 * its owner and length before its state.
	 */
	smp_store_release(&tail->tag, mpool_page_tag(index, state));
	__set_bit(index, mpool_arena_starts(arena));
	return tail;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_split);

/*
 * Makes the pages of a run in use leave their arena.  The caller holds the lock of the
 * pool.
 */
void mpool_runs_leave(struct mpool_runs *runs, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);

	mpool_page_set(pg, mpool_page_index(pg), MPOOL_PAGE_GONE);
	arena->gone += pg->len;
	runs->nr_pages -= pg->len;
	atomic_dec(&arena->live);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_leave);

/* The first page of the run that has an address of the arena.  Any context. */
struct mpool_page *mpool_runs_find(struct mpool_arena *arena,
				   unsigned long addr)
{
	u32 index = (addr - arena->base) >> PAGE_SHIFT;

	/* Without the lock; either value of a bit is right: mpool_arena_next_start(). */
	index = data_race(find_last_bit(mpool_arena_starts(arena), index + 1));
	return &arena->pages[min(index, arena->npages - 1)];
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_find);

/* Bytes of the descriptor of an arena, with its page descriptors and its bitmap. */
size_t mpool_arena_bytes(unsigned long npages)
{
	return sizeof(struct mpool_arena) +
	       npages * sizeof(struct mpool_page) +
	       BITS_TO_LONGS(npages) * sizeof(long);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_arena_bytes);

/* Initializes an arena.  @arena has mpool_arena_bytes(@npages) bytes, all zero. */
void mpool_arena_init(struct mpool_arena *arena, struct mpool_runs *runs,
		      unsigned long base, u32 npages)
{
	arena->runs = runs;
	arena->base = base;
	arena->npages = npages;
	arena->phys = MPOOL_NO_PHYS;
	arena->dma = MPOOL_NO_DMA;
	INIT_LIST_HEAD(&arena->list);
	INIT_LIST_HEAD(&arena->spare);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_arena_init);

/* Adds an arena, as one free run.  The caller holds the lock of the pool. */
void mpool_runs_add(struct mpool_runs *runs, struct mpool_arena *arena)
{
	runs->nr_pages += arena->npages;
	runs->nr_arenas++;
	run_insert(runs, arena, 0, arena->npages);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_add);

/*
 * Removes an arena; false if a run of it is in use or cached, or if some of its pages
 * left, but not all.  The caller holds the lock of the pool.
 */
bool mpool_runs_remove(struct mpool_runs *runs, struct mpool_arena *arena)
{
	if (arena->gone != arena->npages) {
		if (arena->nfree != arena->npages)
			return false;
		run_extract(runs, arena, &arena->pages[0]);
		runs->nr_pages -= arena->npages;
	}
	runs->nr_arenas--;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_remove);

/*
 * Free pages of an arena, with its cached runs.  About that number, if other CPUs
 * allocate and free meanwhile.  Any context.
 */
u32 mpool_arena_nr_free(const struct mpool_arena *arena)
{
	u32 pages = mpool_hint(arena->nfree), len;
	const struct mpool_page *pg;

	/*
	 * A cached run may be of another arena, of which the memory may be free by now.
	 * So the addresses are compared, and the descriptor is not read.
	 */
	for (len = 1; len < RUNS_QUICK; len++) {
		pg = READ_ONCE(arena->runs->quick[len]);
		if (pg >= arena->pages && pg < arena->pages + arena->npages)
			pages += len;
	}
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_arena_nr_free);

/*
 * Number of breaches of the invariant in an arena.  The caller holds the lock of the
 * pool.
 */
int mpool_runs_verify_arena(struct mpool_runs *runs, struct mpool_arena *arena)
{
	bool was_free = false;
	u32 index = 0, nfree = 0, gone = 0, runs_seen = 0;
	int bad = 0, live = 0;

	while (index < arena->npages) {
		struct mpool_page *pg = &arena->pages[index];
		enum mpool_page_state state = mpool_page_state(pg);
		bool is_free = state == MPOOL_PAGE_FREE;

		if (mpool_broken(!pg->len) ||
		    mpool_broken(pg->len > arena->npages - index) ||
		    mpool_broken(state == MPOOL_PAGE_BODY))
			return bad + 1;
		bad += mpool_broken(mpool_page_index(pg) != index);
		bad += mpool_broken(!test_bit(index,
					      mpool_arena_starts(arena)));
		bad += mpool_broken(is_free && was_free);
		if (is_free) {
			bad += mpool_broken(pg[pg->len - 1].len != pg->len);
			bad += mpool_broken(state !=
					    mpool_page_state(&pg[pg->len - 1]));
			bad += mpool_broken(mpool_run_listed(runs, pg) !=
					    run_is_listed(runs, arena, pg->len));
			nfree += pg->len;
		} else if (state == MPOOL_PAGE_CACHED) {
			bad += mpool_broken(pg->len >= RUNS_QUICK ||
					    READ_ONCE(runs->quick[pg->len]) != pg);
		} else if (state == MPOOL_PAGE_GONE) {
			gone += pg->len;
		} else {
			live++;
		}
		if (!is_free && pg->len > 1)
			bad += mpool_broken(mpool_page_state(&pg[pg->len - 1]) ==
					    MPOOL_PAGE_FREE);
		was_free = is_free;
		runs_seen++;
		index += pg->len;
	}
	bad += mpool_broken(index != arena->npages);
	bad += mpool_broken(nfree != arena->nfree);
	bad += mpool_broken(gone != arena->gone);
	bad += mpool_broken(live != atomic_read(&arena->live));
	bad += mpool_broken(bitmap_weight(mpool_arena_starts(arena),
					  arena->npages) != runs_seen);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_verify_arena);
