// SPDX-License-Identifier: GPL-2.0-only
/*
 * Magazines: free objects for each CPU.
 *
 * Structure, after Bonwick and Adams (2001): a magazine is an array of objects that are
 * not live, each with the address of its state, so an allocation needs no lookup.  A CPU
 * has two magazines, the loaded one and a spare.  With one magazine only, a caller that
 * frees and allocates while the magazine has no room or no object would go to the chunks
 * each time.
 *
 *	CPU: loaded, spare  <->  chunks: free lists
 *
 * There is no depot of full magazines between the two: the objects in it would keep the
 * chunks that they are in.  For the same reason a magazine has at most MAGAZINE_BYTES of
 * objects, and there are none for objects beyond that.
 *
 * A CPU starts with mpool_no_magazine, which has no object and no room, so that all
 * operations go to the slow path.  In front of the first slot of each magazine is the
 * address of mpool_no_object, in the place where a slot has the address of its state.  An
 * allocation from an empty magazine reads this state.  It is not MPOOL_OBJ_CACHED, so the
 * allocation goes to the slow path, as it does after a double free.
 *
 * A drain runs where memory must not be freed, so the magazines that it takes from a CPU
 * are on a list until mpool_magazines_free_gone().
 *
 * Invariant, checked by mpool_magazines_verify() and mpool_cache_verify() except that an
 * object is in one magazine only:
 *	0 <= n <= cap; an object is in one magazine at most, and its state is
 *	MPOOL_OBJ_CACHED then.
 *
 * Locking: a cache by its flag idle, see struct mpool_cache; the list of magazines that
 * no CPU has needs none.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "magazine.h"

/* The capacity (cap), which is the number of slots, of the longest magazine. */
#define MAGAZINE_CAP \
	((SZ_512 - sizeof(struct mpool_magazine)) / sizeof(struct mpool_slot))

/* The most bytes of the objects in a magazine. */
#define MAGAZINE_BYTES		SZ_4K

/*
 * The cap of a magazine is at most 1/MAGAZINE_PART of the objects of the pool, but 2 of
 * them are possible always, if that is not more than MAGAZINE_BYTES.
 */
#define MAGAZINE_PART		4

/* If memory is bounded, all CPUs together cache at most 1/BOUNDED_PART of the objects. */
#define BOUNDED_PART		32

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

void mpool_magazines_init(struct mpool_magazines *mags, size_t size, bool bounded)
{
	mags->cap = min(MAGAZINE_CAP, MAGAZINE_BYTES / size);
	mags->bounded = bounded;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_magazines_init);

/*
 * The cap of a new magazine in a pool of @nr_objs objects.  In a pool with few objects it
 * is halved until it fits.  If memory is bounded, an allocation cannot get more memory for
 * the objects that lie in the two magazines of each CPU.  So all these objects together
 * are at most 1/BOUNDED_PART of the pool, and if that is no object for each magazine, the
 * cap is 0.
 */
u32 mpool_magazine_cap(const struct mpool_magazines *mags, unsigned long nr_objs)
{
	u32 cap = mags->cap, least = min(cap, 2u);

	if (mags->bounded) {
		nr_objs /= BOUNDED_PART * 2 * num_online_cpus();
		while (cap > nr_objs)
			cap /= 2;
		return cap;
	}
	while (cap > least && cap * MAGAZINE_PART > nr_objs)
		cap /= 2;
	return max(cap, least);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_magazine_cap);

/* The bytes that kmalloc() takes for a magazine. */
static size_t magazine_bytes(u32 cap)
{
	return kmalloc_size_roundup(struct_size((struct mpool_magazine *)NULL,
						slots, cap));
}

static struct mpool_magazine *magazine_alloc(struct mpool_magazines *mags, u32 cap,
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
	atomic_long_add(magazine_bytes(cap), &mags->bytes);
	return mag;
}

static void magazine_free(struct mpool_magazines *mags, struct mpool_magazine *mag)
{
	if (!mag || mag == &mpool_no_magazine)
		return;
	atomic_long_sub(magazine_bytes(mag->cap), &mags->bytes);
	kfree(mag);
}

/* Frees the magazines that were drained.  Context: where memory may be freed. */
void mpool_magazines_free_gone(struct mpool_magazines *mags)
{
	struct mpool_magazine *mag, *next;
	struct llist_node *gone;

	if (llist_empty(&mags->gone))
		return;
	gone = llist_del_all(&mags->gone);
	llist_for_each_entry_safe(mag, next, gone, gone)
		magazine_free(mags, mag);
}

/* The shorter magazine becomes the spare.  The caller has entered the cache. */
static void cache_sort(struct mpool_cache *cache)
{
	if (cache->loaded->cap >= cache->spare->cap)
		return;
	cache_store(cache);
	swap(cache->loaded, cache->spare);
	cache_load(cache);
}

/*
 * Gives @mag, if it is not NULL, to this CPU in place of a shorter one.  Returns the
 * magazine that the caller has to free, which is @mag itself if the cache is in use.
 * *@least is the cap of the shortest magazine now.
 */
static struct mpool_magazine *cache_renew(struct mpool_cache __percpu *caches,
					  struct mpool_magazine *mag, u32 *least)
{
	struct mpool_cache *cache;

	preempt_disable();
	cache = mpool_cache_enter(caches);
	if (cache) {
		cache_sort(cache);
		if (mag && cache->spare->cap < mag->cap) {
			mag->n = cache->spare->n;
			memcpy(mag->slots, cache->spare->slots,
			       mag->n * sizeof(*mag->slots));
			swap(cache->spare, mag);
			cache_sort(cache);
		}
		*least = cache->spare->cap;
		mpool_cache_leave(cache);
	}
	preempt_enable();
	return mag;
}

/*
 * Tries to give this CPU magazines with the capacity for a pool of @nr_objs objects, in
 * place of shorter ones.
 */
void mpool_magazines_supply(struct mpool_magazines *mags,
			    struct mpool_cache __percpu *caches,
			    unsigned long nr_objs, gfp_t gfp)
{
	u32 cap = mpool_magazine_cap(mags, nr_objs), least = cap;
	struct mpool_magazine *mag = NULL;
	unsigned int i;

	/* Two at most; the first look finds whether one is needed. */
	for (i = 0; cap && i < 3; i++) {
		magazine_free(mags, cache_renew(caches, mag, &least));
		if (least >= cap)
			break;
		mag = i < 2 ? magazine_alloc(mags, cap, gfp) : NULL;
		if (!mag)
			break;
	}
}

/*
 * The part of mpool_cache_reload() in which the loaded magazine has the number of its
 * objects.  The loaded magazine is empty.
 */
static bool cache_reload(struct mpool_cache *cache, struct mpool_chunks *chunks)
{
	struct mpool_magazine *mag;

	if (cache->spare->n || cache->spare->cap > cache->loaded->cap)
		swap(cache->loaded, cache->spare);
	mag = cache->loaded;
	/* mpool_no_magazine is never written to. */
	if (mag->n || !mag->cap)
		return mag->n;
	mag->n = mpool_chunks_pop(chunks, mag->slots, min(mag->cap, MPOOL_CHUNK_BATCH));
	if (mag->n)
		mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_REFILL);
	return mag->n;
}

/*
 * Called when the loaded magazine is empty: exchanges it for the spare, or fills it from
 * the chunks.  False if there is no object, no magazine to fill, or if an NMI cannot take
 * the lock.  The caller has entered the cache.  Any context.
 */
bool mpool_cache_reload(struct mpool_cache *cache, struct mpool_chunks *chunks)
{
	bool done;

	cache_store(cache);
	done = cache_reload(cache, chunks);
	cache_load(cache);
	return done;
}

/*
 * Puts the last objects of a magazine back into the chunks, MPOOL_CHUNK_BATCH at most.
 * False if an NMI cannot take the lock of the chunks.
 */
static bool magazine_flush(struct mpool_magazine *mag, struct mpool_chunks *chunks)
{
	unsigned int n = min(mag->n, MPOOL_CHUNK_BATCH);

	if (!mpool_chunks_push(chunks, &mag->slots[mag->n - n], n))
		return false;
	mag->n -= n;
	return true;
}

/*
 * The part of mpool_cache_unload() in which the loaded magazine has the number of its
 * objects.  The loaded magazine has no room.
 */
static bool cache_unload(struct mpool_cache *cache, struct mpool_chunks *chunks,
			 u32 least)
{
	struct mpool_magazine *mag = cache->spare;

	if (mag->n == mag->cap && min(mag->cap, cache->loaded->cap) < least)
		return false;
	/* The spare was filled before the loaded one: its objects go. */
	if (mag->cap)
		swap(cache->loaded, cache->spare);
	mag = cache->loaded;
	if (mag->n < mag->cap)
		return true;
	/* mpool_no_magazine has no object to flush. */
	if (!mag->cap)
		return false;
	mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_FLUSH);
	return magazine_flush(mag, chunks);
}

/*
 * Called when the loaded magazine has no room: exchanges it for the spare, and puts
 * objects of that back into the chunks if it has no room either.  False if it has none and
 * a magazine is shorter than @least, or if an NMI cannot take the lock.  The caller has
 * entered the cache.  Any context.
 */
bool mpool_cache_unload(struct mpool_cache *cache, struct mpool_chunks *chunks,
			u32 least)
{
	bool done;

	cache_store(cache);
	done = cache_unload(cache, chunks, least);
	cache_load(cache);
	return done;
}

/*
 * Puts the objects of a cache back into the chunks, and takes its magazines, which the
 * caller frees by mpool_magazines_free_gone() later.  The caller has entered the cache, or
 * the CPU of the cache is offline, or the pool ends.  Any context but NMI.
 */
void mpool_cache_drain(struct mpool_cache *cache, struct mpool_magazines *mags,
		       struct mpool_chunks *chunks)
{
	struct mpool_magazine *old[] = { cache->loaded, cache->spare };
	unsigned int i;

	cache_store(cache);
	cache_clear(cache);
	for (i = 0; i < ARRAY_SIZE(old); i++) {
		if (old[i] == &mpool_no_magazine)
			continue;
		if (old[i]->n)
			mpool_stat_inc(&chunks->owner->stats, MPOOL_STAT_FLUSH);
		while (old[i]->n)
			magazine_flush(old[i], chunks);
		llist_add(&old[i]->gone, &mags->gone);
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

/* Number of breaches of the invariant in the magazines of a pool at rest. */
int mpool_magazines_verify(const struct mpool_magazines *mags)
{
	int bad = 0;

	bad += mpool_broken(mpool_no_magazine.n);
	bad += mpool_broken(mpool_no_magazine.cap);
	bad += mpool_broken(atomic_long_read(&mags->bytes) < 0);
	return bad;
}
