// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of pages: the engine under both kinds of large pool.
 *
 * Two-level segregated fit (Masmano et al. 2004) at page granularity.  The
 * pages of an arena are covered by runs without a gap; a run is free, or in
 * use.  Free runs are on doubly linked lists by size class:
 *
 *	length	1 2 3 ... 63 | 64-65 66-67 ... 126-127 | 128-131 ... | ...
 *	class	1 2 3 ... 63 |    64    65 ...      95 |      96 ... | ...
 *
 * so that below 64 pages a class holds one length and the first run found is
 * the best fit there is.  A bitmap of levels and one of classes in each level
 * lead to the first class that has a run.  For longer requests the class above
 * is looked in first, where every run fits.
 *
 * A request that need not fit the first run of its class, because it has 64 pages or
 * more, or an alignment beyond a page, looks at RUNS_LOOK free runs, and takes one of
 * those where any such request fits, if there is one.  All others are looked at by
 * search.c, a few at a time with the lock given back between, after the pool could not
 * grow.  So a request fails only if there was a moment for each free run at which it
 * was too short, and nothing that is done under the lock grows with the pool.
 *
 * Nothing of this is in the pages.  Each has a descriptor in its arena; the
 * first and the last of a free run carry its length (boundary tags), which is
 * how neighbours are found when a run is freed.  A bit for each page
 * that begins a run leads from the middle of one to its head.
 *
 * All of alloc, free, grow and shrink are O(1), whatever the pool holds.
 *
 * Splitting a run and merging it again is most of the cost of a pair, and a free is
 * often followed by a request for the same length.  So each length up to 32 pages has a
 * quick list (as in Weinstock's QuickFit), on which a free run may stay as it is.  A list
 * has at most one run, which is all that such a pair needs: run5 takes 173 instructions
 * with it and 929 without.  So an engine never has more than 32 cached runs, and all of
 * them can be merged in one go under the lock; large.c and arena.c say when.
 *
 * The quick lists need no lock.  A cached run is one in use for the engine: in the tags of
 * its neighbours, in nr_free and nfree.  So the engine never looks for one, and does not
 * depend on where it is.  The run belongs to its list until xchg(), or cmpxchg() for a
 * certain run, has replaced the pointer, and to the caller of that from then on; a run that
 * was gone and came back meanwhile is the same.  Under the lock, with interrupts off, run5
 * took 306 instructions and run17 342.
 *
 * Pages may leave their arena (refs.c).  They are covered by runs of state GONE then,
 * which are neither free nor in use, and never become anything else.
 *
 * Invariant, checked by mpool_runs_verify_arena() and mpool_runs_verify():
 *	runs cover each arena exactly; two neighbours are never both free, unless
 *	one is cached; each other free run is on the list of its class and the
 *	bitmaps say which lists are not empty; a cached one is on the quick list
 *	of its length; nr_free and nfree are the sums of free runs without those
 *	that are cached; gone is the sum of runs that left; live is the number of
 *	all others.
 *
 * Locking: the caller's, for everything but the quick lists, live, and
 * mpool_runs_find(), which reads single words and gives an answer that was true once, or
 * of which the caller knows that it cannot change.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "runs.h"

/* Free runs that are looked at for one request, or for the longest. */
#define RUNS_LOOK		32

static unsigned int runs_class(u32 len)
{
	unsigned int level;

	if (len < RUNS_LINEAR)
		return len;
	level = fls(len) - 1 - RUNS_LINEAR_SHIFT;
	return RUNS_LINEAR + level * RUNS_STEPS +
	       ((len >> (level + RUNS_LINEAR_SHIFT - RUNS_STEP_SHIFT)) &
		(RUNS_STEPS - 1));
}

/* The first class in which every run has @len pages or more. */
static unsigned int runs_class_above(u32 len)
{
	unsigned int shift;

	if (len < RUNS_LINEAR)
		return len;
	shift = fls(len) - 1 - RUNS_STEP_SHIFT;
	return runs_class(len + (1u << shift) - 1);
}

static void class_mark(struct mpool_runs *runs, unsigned int class)
{
	unsigned int level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;

	if (class < RUNS_LINEAR) {
		__set_bit(class, runs->linear);
		runs->levels |= 1;
	} else {
		runs->steps[level] |= BIT(class & (RUNS_STEPS - 1));
		runs->levels |= 2u << level;
	}
}

static void class_unmark(struct mpool_runs *runs, unsigned int class)
{
	unsigned int level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;

	if (class < RUNS_LINEAR) {
		__clear_bit(class, runs->linear);
		if (bitmap_empty(runs->linear, RUNS_LINEAR))
			runs->levels &= ~1u;
	} else {
		runs->steps[level] &= ~BIT(class & (RUNS_STEPS - 1));
		if (!runs->steps[level])
			runs->levels &= ~(2u << level);
	}
}

/* The first class that has a run, from @class on; RUNS_CLASSES if there is none. */
static unsigned int class_next(const struct mpool_runs *runs,
			       unsigned int class)
{
	unsigned int level = 0;
	u32 map;

	if (class >= RUNS_CLASSES)
		return RUNS_CLASSES;
	if (class < RUNS_LINEAR) {
		class = find_next_bit(runs->linear, RUNS_LINEAR, class);
		if (class < RUNS_LINEAR)
			return class;
		map = runs->levels >> 1;
	} else {
		level = (class - RUNS_LINEAR) >> RUNS_STEP_SHIFT;
		map = runs->steps[level] & (~0u << (class & (RUNS_STEPS - 1)));
		if (map)
			return RUNS_LINEAR + level * RUNS_STEPS + __ffs(map);
		map = runs->levels >> 1 & (~1u << level);
	}
	if (!map)
		return RUNS_CLASSES;
	level = __ffs(map);
	return RUNS_LINEAR + level * RUNS_STEPS + __ffs(runs->steps[level]);
}

static struct mpool_page *run_next(const struct mpool_page *pg)
{
	return (struct mpool_page *)(pg->link & ~MPOOL_PAGE_LINK);
}

static void run_set_next(struct mpool_page *pg, struct mpool_page *next)
{
	WRITE_ONCE(pg->link, (unsigned long)next | MPOOL_PAGE_LINK);
}

/* Makes a free run of pages that no run covers, and puts it on its list. */
static void run_insert(struct mpool_runs *runs, struct mpool_arena *arena,
		       u32 index, u32 len)
{
	struct mpool_page *pg = &arena->pages[index];
	unsigned int class = runs_class(len);
	struct mpool_page *head = runs->heads[class];

	mpool_page_set(pg + len - 1, index + len - 1, MPOOL_PAGE_FREE);
	pg[len - 1].len = len;
	mpool_page_set(pg, index, MPOOL_PAGE_FREE);
	pg->len = len;
	__set_bit(index, mpool_arena_starts(arena));
	pg->prev = NULL;
	run_set_next(pg, head);
	if (head)
		head->prev = pg;
	else
		class_mark(runs, class);
	runs->heads[class] = pg;
	runs->nr_free += len;
	arena->nfree += len;
}

/* Takes a free run off its list; its pages are covered by no run then. */
static void run_extract(struct mpool_runs *runs, struct mpool_arena *arena,
			struct mpool_page *pg)
{
	unsigned int class = runs_class(pg->len);
	u32 index = mpool_page_index(pg);
	struct mpool_page *next = run_next(pg);
	u32 len = pg->len;

	if (next)
		next->prev = pg->prev;
	if (pg->prev)
		run_set_next(pg->prev, next);
	else
		runs->heads[class] = next;
	if (!runs->heads[class])
		class_unmark(runs, class);
	mpool_page_set(pg + len - 1, index + len - 1, MPOOL_PAGE_BODY);
	mpool_page_set(pg, index, MPOOL_PAGE_BODY);
	__clear_bit(index, mpool_arena_starts(arena));
	runs->nr_free -= len;
	arena->nfree -= len;
}

/* Does a request fit into a free run?  Sets the pages to leave before it. */
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

/* One of the first few runs from a class on in which the request fits. */
static struct mpool_page *runs_look(struct mpool_runs *runs, unsigned int class,
				    unsigned int end, u32 len,
				    unsigned long align, u32 *gap)
{
	unsigned int look = RUNS_LOOK;
	struct mpool_page *pg;

	for (class = class_next(runs, class); class < end;
	     class = class_next(runs, class + 1))
		for (pg = runs->heads[class]; pg; pg = run_next(pg)) {
			if (!look--)
				return NULL;
			if (mpool_runs_fits(pg, len, align, gap))
				return pg;
		}
	return NULL;
}

/* A run of a class in which every run is long enough, at any address. */
static struct mpool_page *runs_sure(struct mpool_runs *runs, u32 len,
				    unsigned long align, u32 *gap)
{
	unsigned long most = len;
	unsigned int class;

	if (align > PAGE_SIZE)
		most += (align >> PAGE_SHIFT) - 1;
	if (most > RUNS_MAX_PAGES)
		return NULL;
	class = class_next(runs, runs_class_above(most));
	if (class >= RUNS_CLASSES)
		return NULL;
	if (align > PAGE_SIZE)
		mpool_runs_fits(runs->heads[class], len, align, gap);
	return runs->heads[class];
}

static struct mpool_page *runs_lookup(struct mpool_runs *runs, u32 len,
				      unsigned long align, u32 *gap)
{
	unsigned int class = runs_class(len);

	if (align > PAGE_SIZE)
		return runs_look(runs, class, RUNS_CLASSES, len, align, gap) ?:
		       runs_sure(runs, len, align, gap);
	if (len < RUNS_LINEAR)
		return runs_sure(runs, len, align, gap);
	return runs_sure(runs, len, align, gap) ?:
	       runs_look(runs, class, class + 1, len, align, gap);
}

/* Takes @npages of a free run from its page @gap on; the rest stays free. */
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
 * mpool_runs_alloc() - take a run
 * @runs: engine
 * @npages: length in pages, not 0
 * @align: alignment of its address in bytes, a power of two
 * @state: what it is for
 *
 * Context: the caller holds the lock of the engine.
 * Return: descriptor of the first page, its owner and site to be filled in, or
 *	   %NULL if no free run that was looked at is long enough: if there is none of
 *	   up to 63 pages, for which a page is aligned enough.
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

/* The same, of a free run that the caller has chosen. */
struct mpool_page *mpool_runs_carve(struct mpool_runs *runs,
				    struct mpool_page *pg, u32 gap, u32 npages,
				    enum mpool_page_state state)
{
	return run_carve(runs, pg, gap, npages, state);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_carve);

static struct mpool_page *class_first(const struct mpool_runs *runs,
				      unsigned int class)
{
	class = class_next(runs, class);
	return class < RUNS_CLASSES ? runs->heads[class] : NULL;
}

/*
 * Free runs from the class of @len pages on, by class: some of the first may be
 * shorter.  The caller holds the lock of the engine throughout.
 */
struct mpool_page *mpool_runs_first(const struct mpool_runs *runs, u32 len)
{
	return class_first(runs, runs_class(len));
}

struct mpool_page *mpool_runs_after(const struct mpool_runs *runs,
				    const struct mpool_page *pg)
{
	return run_next(pg) ?: class_first(runs, runs_class(pg->len) + 1);
}

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

/* Frees pages that no run covers, together with their free neighbours. */
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

/* Gives a run back.  The caller holds the lock of the engine. */
void mpool_runs_free(struct mpool_runs *runs, struct mpool_page *pg)
{
	atomic_dec(&mpool_page_arena(pg)->live);
	run_free(runs, pg);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_free);

/* Merges a run that was seen on a quick list; false if it is not there now. */
static bool cached_merge(struct mpool_runs *runs, struct mpool_page **quick,
			 struct mpool_page *pg)
{
	if (cmpxchg(quick, pg, NULL) != pg)
		return false;
	run_free(runs, pg);
	return true;
}

/*
 * Merges the cached run of a length with its neighbours, any or one in @arena; says in
 * which arena it was, or NULL if there was none.  The caller holds the lock of the engine.
 */
struct mpool_arena *mpool_quick_merge(struct mpool_runs *runs, u32 len,
				      const struct mpool_arena *arena)
{
	struct mpool_page *pg = READ_ONCE(runs->quick[len]);
	struct mpool_arena *in;

	if (!pg)
		return NULL;
	/* Cached or taken from there, the run holds its arena as long as we have the lock. */
	in = mpool_page_arena(pg);
	if ((arena && in != arena) || !cached_merge(runs, &runs->quick[len], pg))
		return NULL;
	return in;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_quick_merge);

/*
 * Merges the cached run that begins at @index, where some run does; false if there is
 * none, or it is being taken or cached at this moment.
 */
static bool merge_at(struct mpool_runs *runs, struct mpool_arena *arena,
		     u32 index)
{
	struct mpool_page *pg = &arena->pages[index];

	/* The length does not change without the lock, whoever has the run. */
	return index < arena->npages &&
	       mpool_page_state(pg) == MPOOL_PAGE_CACHED &&
	       pg->len < RUNS_QUICK &&
	       cached_merge(runs, &runs->quick[pg->len], pg);
}

/* Grows a run in place; false if the pages behind it are not free. */
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

/* Shrinks a run in place and frees its tail. */
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
 * Cuts a run in use in two, of which the second is one of its own of @owner, in a state
 * that is no caller's.  The caller holds the lock of the engine.
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
	/* Pairs with smp_load_acquire() in find_queued(). */
	smp_store_release(&tail->tag, mpool_page_tag(index, state));
	__set_bit(index, mpool_arena_starts(arena));
	return tail;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_split);

/* The pages of a run in use leave their arena.  The caller holds the lock. */
void mpool_runs_leave(struct mpool_runs *runs, struct mpool_page *pg)
{
	struct mpool_arena *arena = mpool_page_arena(pg);

	mpool_page_set(pg, mpool_page_index(pg), MPOOL_PAGE_GONE);
	arena->gone += pg->len;
	runs->nr_pages -= pg->len;
	atomic_dec(&arena->live);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_leave);

/* The head of the run that an address of the arena is in.  Any context. */
struct mpool_page *mpool_runs_find(struct mpool_arena *arena,
				   unsigned long addr)
{
	u32 index = (addr - arena->base) >> PAGE_SHIFT;

	/* Nearly always under no lock; see mpool_arena_next_start(). */
	index = data_race(find_last_bit(mpool_arena_starts(arena), index + 1));
	return &arena->pages[min(index, arena->npages - 1)];
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_find);

/* Bytes of the description of an arena. */
size_t mpool_arena_bytes(unsigned long npages)
{
	return sizeof(struct mpool_arena) +
	       npages * sizeof(struct mpool_page) +
	       BITS_TO_LONGS(npages) * sizeof(long);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_arena_bytes);

/* @arena has mpool_arena_bytes(@npages) zeroed bytes. */
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

/* Adds an arena, all free.  The caller holds the lock of the engine. */
void mpool_runs_add(struct mpool_runs *runs, struct mpool_arena *arena)
{
	runs->nr_pages += arena->npages;
	runs->nr_arenas++;
	run_insert(runs, arena, 0, arena->npages);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_add);

/*
 * Takes an arena out again; false if a run of it is in use, or if only some of its pages
 * left.  The caller holds the lock of the engine.
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
 * Length of the longest free run but cached ones; of a class with many runs, of those
 * that are looked at: at most a 32nd less.
 */
unsigned long mpool_runs_largest(struct mpool_runs *runs)
{
	unsigned int class, look = RUNS_LOOK;
	const struct mpool_page *pg;
	unsigned long largest = 0;

	if (runs->levels >> 1) {
		unsigned int level = fls(runs->levels >> 1) - 1;

		class = RUNS_LINEAR + level * RUNS_STEPS +
			fls(runs->steps[level]) - 1;
	} else if (runs->levels) {
		return find_last_bit(runs->linear, RUNS_LINEAR);
	} else {
		return 0;
	}
	for (pg = runs->heads[class]; pg && look--; pg = run_next(pg))
		largest = max_t(unsigned long, largest, pg->len);
	return largest;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_largest);

/* Free pages of an arena, cached ones too; about, if they come and go.  Any context. */
u32 mpool_arena_nr_free(const struct mpool_arena *arena)
{
	u32 pages = mpool_hint(arena->nfree), len;
	const struct mpool_page *pg;

	/* A cached run of another arena may be gone by now: its address tells. */
	for (len = 1; len < RUNS_QUICK; len++) {
		pg = READ_ONCE(arena->runs->quick[len]);
		if (pg >= arena->pages && pg < arena->pages + arena->npages)
			pages += len;
	}
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_arena_nr_free);

static bool run_listed(const struct mpool_runs *runs,
		       const struct mpool_page *pg)
{
	const struct mpool_page *on;

	for (on = runs->heads[runs_class(pg->len)]; on; on = run_next(on))
		if (on == pg)
			return true;
	return false;
}

/* Number of breaches of the invariant in one arena; the caller holds the lock. */
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
			bad += mpool_broken(!run_listed(runs, pg));
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

/*
 * Number of breaches in the lists, of an engine whose arenas have @pages pages,
 * of them @free free and not cached.  The caller holds the lock.
 */
int mpool_runs_verify(struct mpool_runs *runs, unsigned long pages,
		      unsigned long free)
{
	unsigned long listed = 0;
	struct mpool_page *pg;
	unsigned int class, level;
	int bad = 0;
	u32 len;

	for (len = 0; len < RUNS_QUICK; len++) {
		pg = READ_ONCE(runs->quick[len]);
		bad += mpool_broken(pg && pg->len != len);
		bad += mpool_broken(pg && mpool_page_state(pg) !=
					  MPOOL_PAGE_CACHED);
	}
	bad += mpool_broken((runs->levels & 1) ==
			    bitmap_empty(runs->linear, RUNS_LINEAR));
	for (level = 0; level < RUNS_LEVELS; level++)
		bad += mpool_broken(!(runs->levels & 2u << level) ==
				    !!runs->steps[level]);
	for (class = 0; class < RUNS_CLASSES; class++) {
		bool marked = class_next(runs, class) == class;

		bad += mpool_broken(marked != !!runs->heads[class]);
		for (pg = runs->heads[class]; pg; pg = run_next(pg)) {
			bad += mpool_broken(runs_class(pg->len) != class);
			bad += mpool_broken(mpool_page_state(pg) !=
					    MPOOL_PAGE_FREE);
			bad += mpool_broken(run_next(pg) &&
					    run_next(pg)->prev != pg);
			listed += pg->len;
		}
	}
	bad += mpool_broken(listed != free);
	bad += mpool_broken(runs->nr_free != free);
	bad += mpool_broken(runs->nr_pages != pages);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_runs_verify);
