// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page map: from any value to what mpool keeps in that page, if anything.
 *
 * Structure: the address space is cut into windows of MPOOL_WINDOW_PAGES pages.
 * A window that has a page of mpool's has one page of words, a word a page.
 * An open hash table with linear probing leads from the number of a window to
 * its words:
 *
 *	address -> window number -> slot -> words[] -> arena or chunk
 *
 * Only mpool's own tables are read, so that any value may be looked up, from
 * any context.  Virtual addresses are the key, because a region need not have
 * struct pages, and the same page may be mapped somewhere else.
 *
 * A slot keeps its window number for ever; a window that lost its last page
 * points to a page of zeroes that all such slots share.  When half of the slots
 * are in use the table is replaced by one without those.
 *
 * Invariant, checked by mpool_pagemap_verify():
 *	at most half of the slots are in use, so that each probe ends; a window
 *	is found where its number says; its words are not all zero, or they are
 *	the shared page.
 *
 * Locking: pagemap_lock for everything that writes windows.  The words belong
 * to the owner of the pages, who alone writes them.  Readers use RCU; tables
 * and pages of words are freed after a grace period.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pagemap.h"

#define PAGEMAP_MIN_SLOTS	64

struct mpool_pagemap __rcu *mpool_pagemap;
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap);

/* Protects the table and its windows; taken where kmalloc() may be called. */
static DEFINE_SPINLOCK(pagemap_lock);

/* Words of every window that has no page left; never written. */
static unsigned long *zero_words;

/* Slots in use, and those of them with words of their own; pagemap_lock. */
static unsigned int nr_used;
static unsigned int nr_windows;

static struct mpool_pagemap *map_locked(void)
{
	return rcu_dereference_protected(mpool_pagemap,
					 lockdep_is_held(&pagemap_lock));
}

static struct mpool_pagemap *map_alloc(unsigned int slots, gfp_t gfp)
{
	struct mpool_pagemap *map;
	unsigned int i;

	map = kvmalloc(struct_size(map, slots, slots), gfp);
	if (!map)
		return NULL;
	map->mask = slots - 1;
	map->shift = 64 - ilog2(slots);
	for (i = 0; i < slots; i++) {
		map->slots[i].nr = MPOOL_WINDOW_NONE;
		map->slots[i].words = zero_words;
	}
	return map;
}

/* The slot of a window, or the free slot where it would go. */
static struct mpool_window *map_slot(struct mpool_pagemap *map,
				     unsigned long nr)
{
	unsigned int i = (u64)nr * GOLDEN_RATIO_64 >> map->shift;

	while (map->slots[i & map->mask].nr != nr &&
	       map->slots[i & map->mask].nr != MPOOL_WINDOW_NONE)
		i++;
	return &map->slots[i & map->mask];
}

/* The slot of a window that was not where it belongs, or NULL.  Any context. */
const struct mpool_window *
mpool_pagemap_probe(const struct mpool_pagemap *map, unsigned long nr)
{
	unsigned int i = (u64)nr * GOLDEN_RATIO_64 >> map->shift;
	const struct mpool_window *slot;
	unsigned long key;

	for (;; i++) {
		slot = &map->slots[i & map->mask];
		/* Pairs with smp_store_release() in window_insert_locked(). */
		key = smp_load_acquire(&slot->nr);
		if (key == nr)
			return slot;
		if (key == MPOOL_WINDOW_NONE)
			return NULL;
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_probe);

/* Copies the windows that have pages into @map and puts it in place. */
static void map_replace_locked(struct mpool_pagemap *map)
{
	struct mpool_pagemap *old = map_locked();
	unsigned int i;

	lockdep_assert_held(&pagemap_lock);
	nr_used = 0;
	for (i = 0; i <= old->mask; i++) {
		if (old->slots[i].words == zero_words)
			continue;
		*map_slot(map, old->slots[i].nr) = old->slots[i];
		nr_used++;
	}
	rcu_assign_pointer(mpool_pagemap, map);
	kvfree_rcu(old, rcu);
}

/* Makes sure that one more window fits. */
static int map_make_room(gfp_t gfp)
{
	struct mpool_pagemap *map;
	unsigned long flags;
	unsigned int slots;
	bool full;

	for (;;) {
		spin_lock_irqsave(&pagemap_lock, flags);
		full = (nr_used + 1) * 2 > map_locked()->mask + 1;
		slots = max_t(unsigned int, PAGEMAP_MIN_SLOTS,
			      roundup_pow_of_two((nr_windows + 1) * 4));
		spin_unlock_irqrestore(&pagemap_lock, flags);
		if (!full)
			return 0;
		map = map_alloc(slots, gfp);
		if (!map)
			return -ENOMEM;
		spin_lock_irqsave(&pagemap_lock, flags);
		if ((nr_windows + 1) * 2 <= slots)
			map_replace_locked(map);
		else
			kvfree_rcu(map, rcu);	/* many others came before us */
		spin_unlock_irqrestore(&pagemap_lock, flags);
	}
}

/*
 * Takes @words into use for window @nr if it has none; true if it was taken.
 * False with no window means that others filled the table meanwhile.
 */
static bool window_insert_locked(unsigned long nr, unsigned long *words)
{
	struct mpool_pagemap *map = map_locked();
	struct mpool_window *slot = map_slot(map, nr);

	lockdep_assert_held(&pagemap_lock);
	if (slot->nr == nr && slot->words != zero_words)
		return false;
	if (slot->nr == MPOOL_WINDOW_NONE) {
		if ((nr_used + 1) * 2 > map->mask + 1)
			return false;
		nr_used++;
	}
	nr_windows++;
	/* Pairs with the dependent read of readers: the page was cleared. */
	smp_store_release(&slot->words, words);
	/* Pairs with smp_load_acquire() in mpool_pagemap_word(). */
	smp_store_release(&slot->nr, nr);
	return true;
}

static bool words_empty(const unsigned long *words, unsigned int from,
			unsigned int n)
{
	return !memchr_inv(words + from, 0, n * sizeof(*words));
}

static void words_set(unsigned long *words, unsigned int from, unsigned int n,
		      unsigned long word)
{
	while (n--)
		WRITE_ONCE(words[from++], word);
}

/* Enters pages that lie within one window. */
static int window_add(unsigned long base, unsigned int n, unsigned long word,
		      gfp_t gfp)
{
	unsigned int from = (base >> PAGE_SHIFT) & (MPOOL_WINDOW_PAGES - 1);
	unsigned long nr = base >> MPOOL_WINDOW_SHIFT;
	struct mpool_window *slot;
	unsigned long *words;
	unsigned long flags;
	int err;

	words = (unsigned long *)get_zeroed_page(gfp);
	if (!words)
		return -ENOMEM;
	do {
		err = map_make_room(gfp);
		if (err)
			break;
		spin_lock_irqsave(&pagemap_lock, flags);
		if (window_insert_locked(nr, words))
			words = NULL;
		slot = map_slot(map_locked(), nr);
		if (slot->nr != nr) {
			err = -EAGAIN;
		} else if (!words_empty(slot->words, from, n)) {
			err = -EBUSY;
		} else {
			smp_wmb(); /* Pairs with the dependent read of readers. */
			words_set(slot->words, from, n, word);
		}
		spin_unlock_irqrestore(&pagemap_lock, flags);
	} while (err == -EAGAIN);
	free_page((unsigned long)words);
	return err;
}

static void words_free_rcu(struct rcu_head *rcu)
{
	__free_page(container_of(rcu, struct page, rcu_head));
}

/* Takes pages of one window out again. */
static void window_del(unsigned long base, unsigned int n)
{
	unsigned int from = (base >> PAGE_SHIFT) & (MPOOL_WINDOW_PAGES - 1);
	struct mpool_window *slot;
	unsigned long *words = NULL;
	unsigned long flags;

	spin_lock_irqsave(&pagemap_lock, flags);
	slot = map_slot(map_locked(), base >> MPOOL_WINDOW_SHIFT);
	/* Pages that were never entered: nothing to do, and nothing to write to. */
	if (WARN_ON_ONCE(slot->words == zero_words)) {
		spin_unlock_irqrestore(&pagemap_lock, flags);
		return;
	}
	words_set(slot->words, from, n, 0);
	if (words_empty(slot->words, 0, MPOOL_WINDOW_PAGES)) {
		words = slot->words;
		WRITE_ONCE(slot->words, zero_words);
		nr_windows--;
	}
	spin_unlock_irqrestore(&pagemap_lock, flags);
	if (words)
		call_rcu(&virt_to_page(words)->rcu_head, words_free_rcu);
}

static unsigned int pages_in_window(unsigned long base, unsigned long npages)
{
	unsigned long from = (base >> PAGE_SHIFT) & (MPOOL_WINDOW_PAGES - 1);

	return min(npages, MPOOL_WINDOW_PAGES - from);
}

/**
 * mpool_pagemap_add() - enter pages that become mpool's
 * @base: address of the first
 * @npages: number of pages
 * @word: what to say of them; what it points to is complete
 * @gfp: allocation flags for windows
 *
 * Context: where the page allocator may be called.
 * Return: 0, %-ENOMEM, or %-EBUSY if one of them is mpool's already; then none
 *	   was entered.
 */
int mpool_pagemap_add(unsigned long base, unsigned long npages,
		      unsigned long word, gfp_t gfp)
{
	unsigned long done = 0;
	unsigned int n;
	int err;

	/* Zone and accounting flags are for the memory, not for its map. */
	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP);
	while (done < npages) {
		n = pages_in_window(base + (done << PAGE_SHIFT), npages - done);
		err = window_add(base + (done << PAGE_SHIFT), n, word, gfp);
		if (err) {
			mpool_pagemap_del(base, done);
			return err;
		}
		done += n;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_add);

/* Takes pages out that are mpool's no more.  Context: as mpool_pagemap_add(). */
void mpool_pagemap_del(unsigned long base, unsigned long npages)
{
	unsigned int n;

	while (npages) {
		n = pages_in_window(base, npages);
		window_del(base, n);
		base += (unsigned long)n << PAGE_SHIFT;
		npages -= n;
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_del);

/*
 * Says something else of pages that are entered.  Their owner does that, in any
 * context: the pages pin their windows, and the windows their words.
 */
void mpool_pagemap_set(unsigned long base, unsigned long npages,
		       unsigned long word)
{
	struct mpool_pagemap *map;
	unsigned int n;

	smp_wmb(); /* Pairs with the dependent read of mpool_pagemap_word(). */
	rcu_read_lock();
	map = rcu_dereference(mpool_pagemap);
	while (npages) {
		n = pages_in_window(base, npages);
		words_set(map_slot(map, base >> MPOOL_WINDOW_SHIFT)->words,
			  (base >> PAGE_SHIFT) & (MPOOL_WINDOW_PAGES - 1), n,
			  word);
		base += (unsigned long)n << PAGE_SHIFT;
		npages -= n;
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_set);

/* Bytes that the map itself takes. */
unsigned long mpool_pagemap_bytes(void)
{
	unsigned long flags, bytes;

	spin_lock_irqsave(&pagemap_lock, flags);
	bytes = nr_windows * PAGE_SIZE +
		(map_locked()->mask + 1) * sizeof(struct mpool_window);
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_bytes);

int mpool_pagemap_verify(void)
{
	struct mpool_pagemap *map;
	unsigned int i, used = 0, windows = 0;
	unsigned long flags;
	int bad = 0;

	spin_lock_irqsave(&pagemap_lock, flags);
	map = map_locked();
	for (i = 0; i <= map->mask; i++) {
		const struct mpool_window *slot = &map->slots[i];

		if (slot->nr == MPOOL_WINDOW_NONE) {
			bad += slot->words != zero_words;
			continue;
		}
		used++;
		bad += map_slot(map, slot->nr) != slot;
		if (slot->words == zero_words)
			continue;
		windows++;
		bad += words_empty(slot->words, 0, MPOOL_WINDOW_PAGES);
	}
	bad += used != nr_used || windows != nr_windows ||
	       used * 2 > map->mask + 1;
	bad += !words_empty(zero_words, 0, MPOOL_WINDOW_PAGES);
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_verify);

int mpool_pagemap_init(void)
{
	struct mpool_pagemap *map;

	zero_words = (unsigned long *)get_zeroed_page(GFP_KERNEL);
	if (!zero_words)
		return -ENOMEM;
	map = map_alloc(PAGEMAP_MIN_SLOTS, GFP_KERNEL);
	if (!map) {
		free_page((unsigned long)zero_words);
		return -ENOMEM;
	}
	rcu_assign_pointer(mpool_pagemap, map);
	return 0;
}

/* Windows that kept orphans still have stay out of the way of nobody. */
void mpool_pagemap_exit(void)
{
	struct mpool_pagemap *map = rcu_dereference_protected(mpool_pagemap, 1);
	unsigned int i;

	rcu_barrier();
	for (i = 0; i <= map->mask; i++)
		if (map->slots[i].words != zero_words)
			free_page((unsigned long)map->slots[i].words);
	kvfree(map);
	free_page((unsigned long)zero_words);
}
