// SPDX-License-Identifier: GPL-2.0-only
/*
 * Magazines: free objects for each CPU, and the depot in which CPUs exchange magazines.
 *
 * Structure, after Bonwick and Adams (2001): a magazine is an array of objects that are
 * not live, each with the address of its state, so an allocation needs no lookup.  A CPU
 * has two magazines, the loaded one and a spare.  With one magazine only, a caller that
 * frees and allocates while the magazine has no room or no object would go to the depot
 * each time.  For each NUMA node, the depot has two stacks: one of filled magazines, and
 * one of empty magazines.  A filled magazine, "full" in the code, has at least one
 * object, but it may have room for more.
 *
 *	CPU: loaded, spare  <->  depot: full, empty  <->  chunks: free lists
 *
 * If a stack never had fewer than m magazines between two trims, m magazines were not
 * used in that time: mpool_depot_trim(), which trim.c calls, frees as many.
 *
 * A CPU starts with mpool_no_magazine, which has no object and no room, so that all
 * operations go to the slow path.  In front of the first slot of each magazine is the
 * address of mpool_no_object, in the place where a slot has the address of its state.  An
 * allocation from an empty magazine reads this state.  It is not MPOOL_OBJ_CACHED, so the
 * allocation goes to the slow path, as it does after a double free.
 *
 * Invariant, checked by mpool_depot_verify() and mpool_cache_verify() except that an
 * object is in one magazine only:
 *	0 <= n <= cap; an object is in one magazine at most, and its state is
 *	MPOOL_OBJ_CACHED then; a magazine in the stack of filled ones has an object, a
 *	magazine in the stack of empty ones has none; nr_full and nr_empty are the numbers
 *	of magazines in the stacks; min_full and min_empty are not more than these.
 *
 * Locking: a cache by its flag idle, see struct mpool_cache; the stacks of a node by
 * its own depot->lock (raw).  Magazines are allocated, filled from chunks and flushed to
 * chunks without that lock.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "magazine.h"

/*
 * The capacity (cap), which is the number of slots, of a magazine of @bytes.  @bytes is a
 * size class of kmalloc(), from 64 to 1024.
 */
#define MAGAZINE_CAP(bytes) \
	(((bytes) - sizeof(struct mpool_magazine)) / sizeof(struct mpool_slot))
#define MAGAZINE_LEAST		MAGAZINE_CAP(64)

/*
 * The capacity of a magazine is at most 1/MAGAZINE_PART of the objects of the pool, but
 * not less than magazine_least().  A pool with bounded memory may go below that, to 0.
 */
#define MAGAZINE_PART		3
#define MAGAZINE_PAGES		4

/* If memory is bounded, all CPUs together cache at most 1/BOUNDED_PART of the objects. */
#define BOUNDED_PART		32

/*
 * The depot of a node keeps at most DEPOT_BYTES of free objects.  If objects are larger
 * than 512 bytes, which is where the cap is DEPOT_PART_CAP or less, it also keeps at most
 * 1/DEPOT_PART of the objects of the pool: a pool of ten objects of a page each must not
 * have all of them in the depot.
 */
#define DEPOT_BYTES		SZ_512K
#define DEPOT_PART		4
#define DEPOT_PART_CAP		MAGAZINE_CAP(256)

/*
 * The most empty magazines that a node keeps when the pool grows.  They lay empty while
 * objects were allocated, so the next frees hardly need more.
 */
#define DEPOT_EMPTY		2

/*
 * The state in front of the first slot of a magazine: neither live nor cached.  It saves
 * a test for an empty magazine, 2 instructions in each alloc.
 */
static u16 mpool_no_object = MPOOL_OBJ_FREEING;

struct mpool_magazine mpool_no_magazine = { .none = &mpool_no_object };

DEFINE_PER_CPU(struct mpool_cache, mpool_no_cache);

/* Sets the pointers of the cache to the slots of the loaded magazine. */
static void cache_load(struct mpool_cache *cache)
{
	struct mpool_magazine *mag = cache->loaded;

	cache->bottom = mag->slots;
	cache->top = mag->slots + mag->n;
	cache->limit = mag->slots + mag->cap;
}

/*
 * Stores the number of objects to the loaded magazine, before the magazine is exchanged.
 * mpool_no_magazine is shared by all CPUs and is never written to.
 */
static void cache_store(struct mpool_cache *cache)
{
	if (cache->loaded != &mpool_no_magazine)
		cache->loaded->n = cache->top - cache->bottom;
}

/* Makes a cache one without magazines.  The caller has them, or there were none. */
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

/* The cap of the longest magazine: the larger the objects, the smaller the cap. */
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

/* The cap of a magazine of half the bytes: the next smaller size class of kmalloc(). */
static u32 magazine_half(u32 cap)
{
	return (cap - MAGAZINE_LEAST) / 2;
}

/*
 * The cap of the shortest magazine of a pool: its objects are at most MAGAZINE_PAGES
 * pages, or the cap is MAGAZINE_LEAST, which is 2 objects.  With MAGAZINE_LEAST for all
 * sizes the load mallocmix, which has three objects of each size, took 160 instructions a
 * pair, not 131.
 */
static u32 magazine_least(size_t size)
{
	u32 cap = min(magazine_cap(size), MAGAZINE_CAP(256));

	while (cap > MAGAZINE_LEAST && cap * size > MAGAZINE_PAGES * PAGE_SIZE)
		cap = magazine_half(cap);
	return cap;
}

/*
 * The cap of a new magazine.  In a pool with few objects magazines are shorter: the bytes
 * are halved until the cap fits.  If memory is bounded, an allocation cannot get more
 * memory for the objects that lie in the two magazines of each CPU.  So all these objects
 * together are at most 1/BOUNDED_PART of the pool.  If there are too few objects for any
 * magazine, the cap is 0.
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

/* If @use is false, the depot never has magazines: its cap stays 0. */
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

/* The stacks of the node that this CPU allocates memory from. */
static struct mpool_depot_node *depot_here(struct mpool_depot *depot)
{
	return depot->more ? mpool_depot_node(depot, numa_mem_id()) :
			     &depot->first;
}

/* Pushes a magazine on the stack of its kind. */
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

/* Pushes a magazine on a stack of this node.  Any context but NMI. */
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

/* The bytes that kmalloc() takes for a magazine. */
static size_t magazine_bytes(u32 cap)
{
	return kmalloc_size_roundup(struct_size((struct mpool_magazine *)NULL,
						slots, cap));
}

static struct mpool_magazine *magazine_alloc(struct mpool_depot *depot, u32 cap,
					     gfp_t gfp)
{
	struct mpool_magazine *mag;

	/* mpool_gfp_try(): without the magazine the pool is slower, but it works. */
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

/*
 * Pushes the empty magazine @mag.  If the first one of the stack is shorter, @mag
 * replaces it.  Returns a magazine that the caller has to free: the replaced one, or @mag
 * itself if an NMI cannot take the lock; NULL if there is none to free.
 */
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
 * Tries to keep an empty magazine in the stack of this node, with the capacity for a pool
 * of @nr_objs objects.  If the first one is shorter, or if there is none, one is
 * allocated.  If that fails, the depot does without.  Also sets the number of filled
 * magazines that a node may keep.
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

/*
 * Takes one object out of the first filled magazine of a node.  False if there is none, or
 * if an NMI cannot take the lock.
 */
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
		/* The magazine is empty now: it moves to the other stack. */
		if (!mag->n)
			push_locked(node, full_pop_locked(node));
	}
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return mag;
}

/*
 * Allocates one object from the depot, for a caller that cannot use the cache.  The
 * object may be from any node, because the caller may have no other source.  Any
 * context.
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

/*
 * Exchanges the loaded magazine, which is empty, for a filled one.  False if there is
 * none, or if an NMI cannot take the lock.
 */
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

/*
 * Exchanges the loaded magazine for an empty one; false if there is none, or if an NMI
 * cannot take the lock.  The old one goes to the depot.  But if the depot has as many
 * filled magazines as it may keep, the caller gets the old one in *@over, and has to
 * flush it.  An NMI could not flush it for certain, so its magazine goes to the depot in
 * any case.
 */
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

/*
 * The part of mpool_cache_reload() in which the loaded magazine has the number of its
 * objects.  The loaded magazine is empty.
 */
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
	/*
	 * The chunks need a magazine to fill.  If the loaded one is mpool_no_magazine, use
	 * the spare, or an empty one of the depot.  depot_change_full() sets @mag to NULL
	 * here: there is no old magazine to flush.
	 */
	if (!cache->loaded->cap && cache->spare->cap)
		swap(cache->loaded, cache->spare);
	if (!cache->loaded->cap && !depot_change_full(depot, cache, &mag))
		return false;
	mag = cache->loaded;
	/* Only half is filled, so the next frees find room. */
	mag->n = mpool_chunks_pop(chunks, mag->slots, (mag->cap + 1) / 2);
	if (mag->n)
		mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_REFILL);
	return mag->n;
}

/*
 * Called when the loaded magazine is empty: fills it from the spare, the depot or the
 * chunks.  False if there is no object, no magazine to fill, or if an NMI cannot take a
 * lock.  The caller has entered the cache.
 * Any context.
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
 * Puts the objects of a magazine back into the chunks.  False if an NMI cannot take the
 * lock of the chunks: then the objects that are left stay in the magazine.  16 must be
 * CHUNK_BATCH of chunk.c: mpool_chunks_push() then puts back all of @n objects or none.
 */
static bool magazine_flush(struct mpool_magazine *mag,
			   struct mpool_chunks *chunks)
{
	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_FLUSH);
	while (mag->n) {
		unsigned int n = min(mag->n, 16u);

		if (!mpool_chunks_push(chunks, &mag->slots[mag->n - n], n))
			return false;
		mag->n -= n;
	}
	return true;
}

/*
 * The part of mpool_cache_unload() in which the loaded magazine has the number of its
 * objects.  The loaded magazine has no room.
 */
static bool cache_unload(struct mpool_cache *cache, struct mpool_depot *depot,
			 struct mpool_chunks *chunks)
{
	struct mpool_magazine *over;

	if (cache->spare->n < cache->spare->cap) {
		swap(cache->loaded, cache->spare);
		return true;
	}
	/* Without a spare, the loaded magazine becomes the spare. */
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
 * Called when the loaded magazine has no room: exchanges it for the spare, if that has
 * room, or for an empty magazine of the depot; false if there is neither, or if an NMI
 * cannot take a lock.  The caller has
 * entered the cache.  Any context.
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

/*
 * Puts the objects of a cache back into the chunks, and moves its magazines to the depot.
 * The caller has entered the cache, or the CPU of the cache is offline, or the pool ends.
 * Any context but NMI.
 */
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

/*
 * Pops a filled magazine if there are more than @full; or else an empty one if there are
 * more than @empty; or else returns NULL.
 */
static struct mpool_magazine *node_unlink(struct mpool_depot_node *node,
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

/* Frees the magazines beyond @full and @empty; their objects go to the chunks. */
static void node_reclaim(struct mpool_depot *depot,
			 struct mpool_depot_node *node,
			 struct mpool_chunks *chunks, unsigned int full,
			 unsigned int empty)
{
	struct mpool_magazine *mag;

	while ((mag = node_unlink(node, full, empty))) {
		if (mag->n)
			magazine_flush(mag, chunks);
		magazine_free(depot, mag);
	}
}

/* Frees the empty magazines of this node beyond DEPOT_EMPTY.  Called when the pool grows. */
void mpool_depot_reclaim_empty(struct mpool_depot *depot)
{
	struct mpool_depot_node *node = depot_here(depot);
	struct mpool_magazine *mag;

	while (mpool_hint(node->nr_empty) > DEPOT_EMPTY &&
	       (mag = node_unlink(node, UINT_MAX, DEPOT_EMPTY)))
		magazine_free(depot, mag);
}

/* Moves all objects of the depot to the chunks, and frees its magazines. */
void mpool_depot_drain(struct mpool_depot *depot, struct mpool_chunks *chunks)
{
	unsigned int i;

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		node_reclaim(depot, mpool_depot_node(depot, i), chunks, 0, 0);
}

/*
 * Frees as many magazines as were never needed since the last trim: min_full filled and
 * min_empty empty ones, the least numbers that the stacks had in that time.
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
		node_reclaim(depot, node, chunks, full, empty);
		raw_spin_lock_irqsave(&node->lock, flags);
		node->min_full = node->nr_full;
		node->min_empty = node->nr_empty;
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
}

/* The number of objects in a cache, for a pool at rest. */
unsigned long mpool_cache_objects(const struct mpool_cache *cache)
{
	/* At rest, so no magazine is changed or freed meanwhile. */
	long n = mpool_hint(cache->top) - mpool_hint(cache->bottom);
	const struct mpool_magazine *loaded = mpool_hint(cache->loaded);
	const struct mpool_magazine *spare = mpool_hint(cache->spare);

	return clamp_t(long, n, 0, loaded->cap) + mpool_hint(spare->n);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_cache_objects);

/* About how many filled magazines all nodes have. */
unsigned int mpool_depot_full(struct mpool_depot *depot)
{
	unsigned int i, n = 0;

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		n += mpool_hint(mpool_depot_node(depot, i)->nr_full);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_full);

/* About how many magazines all nodes have, the empty ones included. */
unsigned int mpool_depot_magazines(struct mpool_depot *depot)
{
	unsigned int i, n = mpool_depot_full(depot);

	for (i = 0; i < mpool_depot_nodes(depot); i++)
		n += mpool_hint(mpool_depot_node(depot, i)->nr_empty);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_depot_magazines);

/* The number of objects in the magazines of all nodes, for a pool at rest. */
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

/* Number of breaches of the invariant in a cache of a pool at rest. */
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

/* Number of breaches of the invariant in the stacks of a node. */
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

/* Number of breaches of the invariant in the depot of a pool at rest. */
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
