// SPDX-License-Identifier: GPL-2.0-only
/*
 * Magazines: objects at hand for each CPU, and the depot they are changed in.
 *
 * Structure, after Bonwick and Adams (2001): a magazine is an array of objects
 * that are not live, each with the place of its state, so that handing one
 * out needs no lookup.  A CPU has two, the loaded one and a spare; with two, a
 * caller that alternates at the edge of one does not go to the depot each time.
 * The depot has for each NUMA node a stack of full ones and one of empty ones.
 *
 *	CPU: loaded, spare  <->  depot: full, empty  <->  chunks: free lists
 *
 * Magazines that the depot of a node had all the time between two trims were not
 * part of its working set, and go: mpool_depot_trim(), which trim.c calls.
 *
 * A CPU starts with mpool_no_magazine, which has no object and no room.  Below the first
 * slot of each magazine lies the place of mpool_no_object.
 *
 * Invariant, checked by mpool_depot_verify() and by the fixed layer:
 *	0 <= n <= cap; each object in a magazine is in one only, and its state
 *	is MPOOL_OBJ_CACHED; a magazine in the stack of full ones has an object,
 *	one in that of empty ones has none; the counts say how many there are, and
 *	the least counts are not above them.
 *
 * Locking: a cache by its idle flag, see struct mpool_cache; the stacks by
 * depot->lock (raw), taken with interrupts off for a few instructions.  Objects are
 * moved and magazines allocated without it.  A holder that could be interrupted would
 * hang in a handler that waits for a driver's lock, if the owner of that lock waits
 * for the depot on another CPU.  Masking costs 10 instructions an exchange, which is
 * less than one for each object.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "magazine.h"

/* Magazines fill a kmalloc size class each, from 1024 bytes to 64. */
#define MAGAZINE_CAP(bytes) \
	(((bytes) - sizeof(struct mpool_magazine)) / sizeof(struct mpool_slot))
#define MAGAZINE_LEAST		MAGAZINE_CAP(64)

/* A magazine has at most this part of the objects that there are, or pages of them. */
#define MAGAZINE_PART		3
#define MAGAZINE_PAGES		4

/* Over bounded memory at most this part is in the magazines of all CPUs together. */
#define BOUNDED_PART		32

/*
 * What the depot may keep of free objects, in bytes; of those beyond 512 bytes also by
 * how many there are: a pool of ten must not have them all there, a page each.
 */
#define DEPOT_BYTES		SZ_512K
#define DEPOT_PART		4
#define DEPOT_PART_CAP		MAGAZINE_CAP(256)

/* Empty magazines that a pool keeps when it grows: nobody has filled them. */
#define DEPOT_EMPTY		2

/*
 * The state below the first slot of a magazine: neither live nor cached.  Saves the test
 * for an empty magazine, 2 instructions in each alloc.
 */
static u16 mpool_no_object = MPOOL_OBJ_BUSY;

struct mpool_magazine mpool_no_magazine = { .none = &mpool_no_object };

DEFINE_PER_CPU(struct mpool_cache, mpool_no_cache);

/* Takes the loaded magazine into use. */
static void cache_load(struct mpool_cache *cache)
{
	struct mpool_magazine *mag = cache->loaded;

	cache->bottom = mag->slots;
	cache->top = mag->slots + mag->n;
	cache->limit = mag->slots + mag->cap;
}

/* Brings the loaded magazine up to date, so that it may be changed. */
static void cache_store(struct mpool_cache *cache)
{
	if (cache->loaded != &mpool_no_magazine)
		cache->loaded->n = cache->top - cache->bottom;
}

/* Takes the magazines away. */
static void cache_clear(struct mpool_cache *cache)
{
	cache->loaded = &mpool_no_magazine;
	cache->spare = &mpool_no_magazine;
	cache_load(cache);
}

void mpool_cache_init(struct mpool_cache *cache)
{
	cache_clear(cache);
	cache->idle = MPOOL_CACHE_IDLE;
}

/* The larger they are the fewer. */
static u32 magazine_cap(size_t size)
{
	if (size <= 128)
		return MAGAZINE_CAP(1024);
	if (size <= 512)
		return MAGAZINE_CAP(512);
	if (size <= 4096)
		return DEPOT_PART_CAP;
	return size <= 16384 ? MAGAZINE_CAP(128) : MAGAZINE_LEAST;
}

/* That of half the bytes. */
static u32 magazine_half(u32 cap)
{
	return (cap - MAGAZINE_LEAST) / 2;
}

/*
 * The fewest: what it may hold is MAGAZINE_PAGES.  With two for all sizes, mallocmix,
 * whose sizes have three objects each, was 160 instructions a pair, not 131.
 */
static u32 magazine_least(size_t size)
{
	u32 cap = min(magazine_cap(size), MAGAZINE_CAP(256));

	while (cap > MAGAZINE_LEAST && cap * size > MAGAZINE_PAGES * PAGE_SIZE)
		cap = magazine_half(cap);
	return cap;
}

/*
 * Those of a pool with a few objects are shorter: from each size class to half of it.
 * Where memory is bounded, what two magazines of each CPU hold is not to be missed by
 * the others; 0 if there are too few objects for any.
 */
static u32 magazine_cap_now(const struct mpool_depot *depot, unsigned long nr_objs)
{
	unsigned long share = nr_objs / (BOUNDED_PART * 2 * num_online_cpus());
	u32 cap = depot->cap;

	while (depot->bounded && cap > share)
		cap = magazine_half(cap);
	while (cap > depot->least && cap * MAGAZINE_PART > nr_objs)
		cap = magazine_half(cap);
	return cap;
}

int mpool_depot_init(struct mpool_depot *depot, size_t size, bool use,
		     bool bounded, gfp_t gfp)
{
	unsigned int i;

	depot->bounded = bounded;
	if (nr_node_ids > 1 && use) {
		depot->more = kcalloc(nr_node_ids - 1, sizeof(*depot->more),
				      gfp);
		if (!depot->more)
			return -ENOMEM;
	}
	for (i = 0; i < mpool_depot_nodes(depot); i++)
		raw_spin_lock_init(&mpool_depot_node(depot, i)->lock);
	if (!use)
		return 0;
	depot->cap = magazine_cap(size);
	depot->least = magazine_least(size);
	depot->most = DEPOT_BYTES / (size * depot->cap);
	depot->limit = depot->most;
	return 0;
}

void mpool_depot_end(struct mpool_depot *depot)
{
	kfree(depot->more);
}

/* The stacks of the node that this CPU takes its memory from. */
static struct mpool_depot_node *depot_here(struct mpool_depot *depot)
{
	return depot->more ? mpool_depot_node(depot, numa_mem_id()) :
			     &depot->first;
}

static void push_locked(struct mpool_depot_node *node,
			struct mpool_magazine *mag)
{
	lockdep_assert_held(&node->lock);
	if (mag->n) {
		mag->next = node->full;
		node->full = mag;
		node->nr_full++;
	} else {
		mag->next = node->empty;
		node->empty = mag;
		node->nr_empty++;
		node->room = mag->cap;
	}
}

/* Context: any but NMI. */
static void depot_push(struct mpool_depot *depot, struct mpool_magazine *mag)
{
	struct mpool_depot_node *node = depot_here(depot);
	unsigned long flags;

	raw_spin_lock_irqsave(&node->lock, flags);
	push_locked(node, mag);
	raw_spin_unlock_irqrestore(&node->lock, flags);
}

static struct mpool_magazine *full_pop_locked(struct mpool_depot_node *node)
{
	struct mpool_magazine *mag = node->full;

	lockdep_assert_held(&node->lock);
	if (mag) {
		node->full = mag->next;
		node->nr_full--;
		node->min_full = min(node->min_full, node->nr_full);
	}
	return mag;
}

static struct mpool_magazine *empty_pop_locked(struct mpool_depot_node *node)
{
	struct mpool_magazine *mag = node->empty;

	lockdep_assert_held(&node->lock);
	if (mag) {
		node->empty = mag->next;
		node->nr_empty--;
		node->room = mag->next ? mag->next->cap : 0;
		node->min_empty = min(node->min_empty, node->nr_empty);
	}
	return mag;
}

static size_t magazine_bytes(u32 cap)
{
	return kmalloc_size_roundup(struct_size((struct mpool_magazine *)NULL,
						slots, cap));
}

static struct mpool_magazine *magazine_alloc(struct mpool_depot *depot, u32 cap,
					     gfp_t gfp)
{
	struct mpool_magazine *mag;

	/* Without one it is slower; nobody is to be killed for it. */
	gfp = mpool_gfp_try(gfp & ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_ZERO));
	mag = kmalloc(struct_size(mag, slots, cap), gfp);
	if (!mag)
		return NULL;
	mag->n = 0;
	mag->cap = cap;
	mag->none = &mpool_no_object;
	atomic_long_add(magazine_bytes(cap), &depot->bytes);
	return mag;
}

static void magazine_free(struct mpool_depot *depot, struct mpool_magazine *mag)
{
	if (!mag)
		return;
	atomic_long_sub(magazine_bytes(mag->cap), &depot->bytes);
	kfree(mag);
}

/* Puts an empty magazine in; what has to go instead, if anything. */
static struct mpool_magazine *depot_renew(struct mpool_depot *depot,
					  struct mpool_magazine *mag)
{
	struct mpool_depot_node *node = depot_here(depot);
	struct mpool_magazine *old = NULL;
	unsigned long flags;

	if (!mpool_lock_irqsave(&node->lock, flags))
		return mag;
	if (node->empty && node->empty->cap < mag->cap)
		old = empty_pop_locked(node);
	push_locked(node, mag);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return old;
}

/*
 * Has an empty magazine ready that is as long as fits a pool with so many objects: in
 * the place of a shorter one, if there was.  Settles how many full ones it may have.
 */
void mpool_depot_supply(struct mpool_depot *depot, unsigned long nr_objs,
			gfp_t gfp)
{
	u32 cap = magazine_cap_now(depot, nr_objs);
	struct mpool_magazine *mag;

	if (depot->cap && depot->cap <= DEPOT_PART_CAP)
		WRITE_ONCE(depot->limit, min_t(unsigned long, depot->most,
					       nr_objs / (DEPOT_PART * depot->cap)));
	if (mpool_hint(depot_here(depot)->room) >= cap)
		return;
	mag = magazine_alloc(depot, cap, gfp);
	if (mag)
		magazine_free(depot, depot_renew(depot, mag));
}

static bool node_pop(struct mpool_depot_node *node, struct mpool_slot *slot)
{
	struct mpool_magazine *mag;
	unsigned long flags;

	if (!mpool_hint(node->nr_full) ||
	    !mpool_lock_irqsave(&node->lock, flags))
		return false;
	mag = node->full;
	if (mag) {
		*slot = mag->slots[--mag->n];
		if (!mag->n)
			push_locked(node, full_pop_locked(node));
	}
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return mag;
}

/*
 * Takes one object out of the depot, for those who cannot use the cache: of any
 * node, because they may have no other way.  Any context.
 */
bool mpool_depot_pop(struct mpool_depot *depot, struct mpool_slot *slot)
{
	unsigned int i;

	if (node_pop(depot_here(depot), slot))
		return true;
	for (i = 0; i < mpool_depot_nodes(depot); i++)
		if (node_pop(mpool_depot_node(depot, i), slot))
			return true;
	return false;
}

/* Changes the loaded magazine, which is empty, for one that is not. */
static bool depot_change_empty(struct mpool_depot *depot,
			       struct mpool_cache *cache)
{
	struct mpool_magazine *full, *old = cache->loaded;
	struct mpool_depot_node *node = depot_here(depot);
	unsigned long flags;

	if (!mpool_hint(node->nr_full) || !mpool_lock_irqsave(&node->lock, flags))
		return false;
	full = full_pop_locked(node);
	if (full) {
		cache->loaded = full;
		if (old != &mpool_no_magazine)
			push_locked(node, old);
	}
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return full;
}

/* Changes the loaded magazine for an empty one, whatever it has. */
static bool depot_change_full(struct mpool_depot *depot,
			      struct mpool_cache *cache,
			      struct mpool_magazine **over)
{
	struct mpool_magazine *empty, *old = cache->loaded;
	struct mpool_depot_node *node = depot_here(depot);
	unsigned long flags;

	*over = NULL;
	if (!mpool_hint(node->nr_empty) || !mpool_lock_irqsave(&node->lock, flags))
		return false;
	empty = empty_pop_locked(node);
	if (empty) {
		cache->loaded = empty;
		if (old == &mpool_no_magazine)
			;
		else if (node->nr_full >= mpool_hint(depot->limit) && !in_nmi())
			*over = old;
		else
			push_locked(node, old);
	}
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return empty;
}

static bool cache_reload(struct mpool_cache *cache, struct mpool_depot *depot,
			 struct mpool_chunks *chunks)
{
	struct mpool_magazine *mag;

	if (cache->spare->n) {
		swap(cache->loaded, cache->spare);
		return true;
	}
	if (depot_change_empty(depot, cache))
		return true;
	if (!cache->loaded->cap && cache->spare->cap)
		swap(cache->loaded, cache->spare);
	if (!cache->loaded->cap && !depot_change_full(depot, cache, &mag))
		return false;
	mag = cache->loaded;
	/* Half: what is freed next finds room. */
	mag->n = mpool_chunks_take(chunks, mag->slots, (mag->cap + 1) / 2);
	if (mag->n)
		mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_REFILL);
	return mag->n;
}

/*
 * Makes the loaded magazine have an object: from the spare, the depot, or the
 * chunks.  The caller has the cache.  Any context.
 */
bool mpool_cache_reload(struct mpool_cache *cache, struct mpool_depot *depot,
			struct mpool_chunks *chunks)
{
	bool done;

	cache_store(cache);
	done = cache_reload(cache, depot, chunks);
	cache_load(cache);
	return done;
}

/*
 * Puts what a magazine has back into the chunks.  In NMI context that may not
 * be had whole; the rest stays in it.
 */
static bool magazine_flush(struct mpool_magazine *mag,
			   struct mpool_chunks *chunks)
{
	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_FLUSH);
	while (mag->n) {
		unsigned int n = min(mag->n, 16u);

		if (!mpool_chunks_put(chunks, &mag->slots[mag->n - n], n))
			return false;
		mag->n -= n;
	}
	return true;
}

static bool cache_unload(struct mpool_cache *cache, struct mpool_depot *depot,
			 struct mpool_chunks *chunks)
{
	struct mpool_magazine *over;

	if (cache->spare->n < cache->spare->cap) {
		swap(cache->loaded, cache->spare);
		return true;
	}
	if (!cache->spare->cap)
		swap(cache->loaded, cache->spare);
	if (!depot_change_full(depot, cache, &over))
		return false;
	if (over) {
		magazine_flush(over, chunks);
		depot_push(depot, over);
	}
	return true;
}

/*
 * Makes the loaded magazine have room: the spare, or an empty one of the depot.
 * The caller has the cache.  Any context.
 */
bool mpool_cache_unload(struct mpool_cache *cache, struct mpool_depot *depot,
			struct mpool_chunks *chunks)
{
	bool done;

	cache_store(cache);
	done = cache_unload(cache, depot, chunks);
	cache_load(cache);
	return done;
}

/* Empties a cache that nobody else uses, and takes its magazines away. */
void mpool_cache_drain(struct mpool_cache *cache, struct mpool_depot *depot,
		       struct mpool_chunks *chunks)
{
	struct mpool_magazine *mags[] = { cache->loaded, cache->spare };
	unsigned int i;

	cache_store(cache);
	cache_clear(cache);
	for (i = 0; i < ARRAY_SIZE(mags); i++) {
		if (mags[i] == &mpool_no_magazine)
			continue;
		if (mags[i]->n)
			magazine_flush(mags[i], chunks);
		depot_push(depot, mags[i]);
	}
}

/* Takes a magazine away, full ones first, if there are more than the numbers. */
static struct mpool_magazine *node_take(struct mpool_depot_node *node,
					unsigned int full, unsigned int empty)
{
	struct mpool_magazine *mag = NULL;
	unsigned long flags;

	if (!mpool_lock_irqsave(&node->lock, flags))
		return NULL;
	if (node->nr_full > full)
		mag = full_pop_locked(node);
	else if (node->nr_empty > empty)
		mag = empty_pop_locked(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return mag;
}

/* Leaves a node this many magazines; the objects of others go to the chunks. */
static void node_reduce(struct mpool_depot *depot,
			struct mpool_depot_node *node,
			struct mpool_chunks *chunks, unsigned int full,
			unsigned int empty)
{
	struct mpool_magazine *mag;

	while ((mag = node_take(node, full, empty))) {
		if (mag->n)
			magazine_flush(mag, chunks);
		magazine_free(depot, mag);
	}
}

/* Gives up empty magazines, of a pool that has to grow. */
void mpool_depot_thin(struct mpool_depot *depot)
{
	struct mpool_depot_node *node = depot_here(depot);
	struct mpool_magazine *mag;

	while (mpool_hint(node->nr_empty) > DEPOT_EMPTY &&
	       (mag = node_take(node, UINT_MAX, DEPOT_EMPTY)))
		magazine_free(depot, mag);
}

/* Empties the depot into the chunks and frees its magazines. */
void mpool_depot_drain(struct mpool_depot *depot, struct mpool_chunks *chunks)
{
	unsigned int i;

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		node_reduce(depot, mpool_depot_node(depot, i), chunks, 0, 0);
}

/*
 * Gives up what nobody took since the last trim.  What is put there meanwhile
 * may go in its place; it is the number that counts.
 */
void mpool_depot_trim(struct mpool_depot *depot, struct mpool_chunks *chunks)
{
	unsigned int i, full, empty;
	unsigned long flags;

	for (i = 0; i < mpool_depot_nodes(depot); i++) {
		struct mpool_depot_node *node = mpool_depot_node(depot, i);

		raw_spin_lock_irqsave(&node->lock, flags);
		full = node->nr_full - node->min_full;
		empty = node->nr_empty - node->min_empty;
		raw_spin_unlock_irqrestore(&node->lock, flags);
		node_reduce(depot, node, chunks, full, empty);
		raw_spin_lock_irqsave(&node->lock, flags);
		node->min_full = node->nr_full;
		node->min_empty = node->nr_empty;
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
}

unsigned long mpool_cache_objects(const struct mpool_cache *cache)
{
	/* At rest: nobody changes or frees a magazine meanwhile. */
	long n = mpool_hint(cache->top) - mpool_hint(cache->bottom);
	const struct mpool_magazine *loaded = mpool_hint(cache->loaded);
	const struct mpool_magazine *spare = mpool_hint(cache->spare);

	return clamp_t(long, n, 0, loaded->cap) + mpool_hint(spare->n);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_cache_objects);

/* Full magazines of all nodes. */
unsigned int mpool_depot_full(struct mpool_depot *depot)
{
	unsigned int i, n = 0;

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		n += mpool_hint(mpool_depot_node(depot, i)->nr_full);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_full);

/* All magazines, the empty ones too. */
unsigned int mpool_depot_magazines(struct mpool_depot *depot)
{
	unsigned int i, n = mpool_depot_full(depot);

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		n += mpool_hint(mpool_depot_node(depot, i)->nr_empty);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_magazines);

unsigned long mpool_depot_objects(struct mpool_depot *depot)
{
	struct mpool_magazine *mag;
	unsigned long flags, n = 0;
	unsigned int i;

	for (i = 0; i < mpool_depot_nodes(depot); i++) {
		struct mpool_depot_node *node = mpool_depot_node(depot, i);

		raw_spin_lock_irqsave(&node->lock, flags);
		for (mag = node->full; mag; mag = mag->next)
			n += mag->n;
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_objects);

/* Number of breaches of the invariant. */
int mpool_cache_verify(const struct mpool_cache *cache)
{
	const struct mpool_magazine *mag = cache->loaded;
	const struct mpool_slot *slot;
	int bad = 0;
	u32 i;

	bad += mpool_broken(cache->idle != MPOOL_CACHE_IDLE);
	bad += mpool_broken(cache->bottom != mag->slots);
	bad += mpool_broken(cache->limit != mag->slots + mag->cap);
	bad += mpool_broken(cache->top < cache->bottom);
	bad += mpool_broken(cache->top > cache->limit);
	for (slot = cache->bottom; slot < cache->top; slot++)
		bad += mpool_broken(!mpool_obj_is(*slot->state,
						  MPOOL_OBJ_CACHED));
	mag = cache->spare;
	bad += mpool_broken(mag->n > mag->cap);
	for (i = 0; i < mag->n; i++)
		bad += mpool_broken(!mpool_obj_is(*mag->slots[i].state,
						  MPOOL_OBJ_CACHED));
	return bad;
}

static int node_verify(struct mpool_depot_node *node)
{
	unsigned int full = 0, empty = 0;
	struct mpool_magazine *mag;
	unsigned long flags;
	int bad = 0;
	u32 i;

	raw_spin_lock_irqsave(&node->lock, flags);
	for (mag = node->full; mag; mag = mag->next, full++) {
		bad += mpool_broken(!mag->n);
		bad += mpool_broken(mag->n > mag->cap);
		for (i = 0; i < mag->n; i++)
			bad += mpool_broken(!mpool_obj_is(*mag->slots[i].state,
							  MPOOL_OBJ_CACHED));
	}
	for (mag = node->empty; mag; mag = mag->next, empty++)
		bad += mpool_broken(mag->n != 0);
	bad += mpool_broken(node->room != (empty ? node->empty->cap : 0));
	bad += mpool_broken(full != node->nr_full);
	bad += mpool_broken(empty != node->nr_empty);
	bad += mpool_broken(node->min_full > full);
	bad += mpool_broken(node->min_empty > empty);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return bad;
}

/* The same. */
int mpool_depot_verify(struct mpool_depot *depot)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		bad += node_verify(mpool_depot_node(depot, i));
	bad += mpool_broken(mpool_no_magazine.n);
	bad += mpool_broken(mpool_no_magazine.cap);
	bad += mpool_broken(atomic_long_read(&depot->bytes) < 0);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_verify);
