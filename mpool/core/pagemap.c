// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page map: from any address to the arena or chunk that has its page, if mpool has
 * it.
 *
 * Structure: the address space is divided into windows of MPOOL_WINDOW_PAGES pages.  A
 * window with a page of mpool has one page of entries, one entry for each page of the
 * window:
 *
 *	address -> window number -> slot -> entries[] -> arena or chunk
 *
 * Memory of the page allocator is in the linear map, which is divided into leaves of
 * MPOOL_LEAF_PAGES pages instead.  They have one array of slots, allocated at init.  The
 * array covers at most 1 TiB, and takes 32 MiB for that, 0.003 %.  All windows, such as
 * those of device memory and of memory that was added to the machine later, are in an
 * open hash table with linear probing.
 *
 * A lookup reads only mpool's own tables.  So any value may be looked up, in any context.
 * The key is the virtual address, because a region need not have struct pages, and
 * because the same page may be mapped at other addresses as well.
 *
 * A slot keeps its window number as long as its table exists: if it were removed, a
 * lookup that probes past this slot would stop here.  When a window loses its last page,
 * its slot points to mpool_no_entries, a page of entries that are all MPOOL_PAGE_NONE.
 * All such slots share this page.  When a window must be added to a table that is half
 * full, a new table replaces the old one.  Only the windows that have pages are copied
 * into the new table.
 *
 * A leaf that loses its last page keeps its entries for some time: pages of the page
 * allocator come and go.  mpool_pagemap_trim(), which each trim pass calls, goes over a
 * part of the array and frees the leaves without a page.
 *
 * Invariant, checked by mpool_pagemap_verify():
 *	at most half of the slots are in use, so that each probe ends; a lookup of its
 *	number finds each window; the entries of a window are not all MPOOL_PAGE_NONE,
 *	unless they are mpool_no_entries.
 *
 * Locking: pagemap_lock for the table, its slots and the array.  Pages are entered and
 * removed under it.  The entry of a page that is entered is changed without the lock, by
 * mpool_pagemap_set(), which only the owner of the page calls.  Readers use RCU: tables
 * and pages of entries are freed after a grace period.
 */
#include <linux/align.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pagemap.h"

#define PAGEMAP_MIN_SLOTS	64

/* The array covers at most this many leaves of the linear map: 1 TiB. */
#define LINEAR_MAX		BIT(22)

/* The slots of the array that a trim looks at, and the most leaves that it frees. */
#define TRIM_SLOTS		4096
#define TRIM_LEAVES		64

const struct mpool_spot mpool_no_spot;
EXPORT_SYMBOL_IF_KUNIT(mpool_no_spot);

struct mpool_pagemap __rcu *mpool_pagemap;
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap);

struct mpool_linear mpool_linear __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(mpool_linear);

/*
 * Protects the table, the array and their windows.  A spinlock_t, which sleeps on
 * PREEMPT_RT: it is taken only where kmalloc() may be called.
 */
static DEFINE_SPINLOCK(pagemap_lock);

/* One task at a time frees leaves. */
static DEFINE_MUTEX(trim_mutex);

/*
 * The entries of every window without a page of mpool; never written after init.  This
 * page saves a test of the entries for NULL, 2 instructions in each free of an object.
 */
static unsigned long *mpool_no_entries;

/*
 * Protected by pagemap_lock.  nr_used: slots of the table that have a window number.
 * nr_far: those of them whose window has entries of its own, and so has pages.
 * nr_leaves: leaves of the array with entries of their own.
 */
static unsigned int nr_used;
static unsigned int nr_far;
static unsigned int nr_leaves;

static struct mpool_pagemap *map_locked(void)
{
	return rcu_dereference_protected(mpool_pagemap,
					 lockdep_is_held(&pagemap_lock));
}

/* A table of @slots unused slots; @slots is a power of two. */
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
		map->slots[i].entries = mpool_no_entries;
	}
	return map;
}

/*
 * The slot of a window, or the unused slot where it would go.  The probe ends, because
 * half of the slots are unused.  The caller holds the lock; without the lock the window
 * must have pages, so that its slot is there.  All other readers use the probe in
 * mpool_pagemap_far(), whose slots may be filled at the same time.
 */
static struct mpool_window *map_slot(struct mpool_pagemap *map,
				     unsigned long nr)
{
	unsigned int i = (u64)nr * GOLDEN_RATIO_64 >> map->shift;

	while (map->slots[i & map->mask].nr != nr &&
	       map->slots[i & map->mask].nr != MPOOL_WINDOW_NONE)
		i++;
	return &map->slots[i & map->mask];
}

/* Loads the entry of an address from the entries of its window, for a reader. */
static unsigned long entry_of(unsigned long *const *entries, unsigned long addr)
{
	/* Dependent loads; pair with smp_store_release() in entries_publish(). */
	const unsigned long *w = READ_ONCE(*entries);

	return READ_ONCE(w[(addr >> PAGE_SHIFT) & (MPOOL_WINDOW_PAGES - 1)]);
}

/*
 * The entry of an address in a table; MPOOL_PAGE_NONE if it is not there.  The probe is
 * that of map_slot(), but without the lock: it loads the number of each slot with
 * acquire.
 */
static unsigned long map_entry(const struct mpool_pagemap *map, unsigned long addr)
{
	unsigned long key, nr = addr >> MPOOL_WINDOW_SHIFT;
	unsigned int i = (u64)nr * GOLDEN_RATIO_64 >> map->shift;
	const struct mpool_window *slot;

	for (;; i++) {
		slot = &map->slots[i & map->mask];
		/* Pairs with smp_store_release() in window_insert_locked(). */
		key = smp_load_acquire(&slot->nr);
		if (key == nr)
			return entry_of(&slot->entries, addr);
		if (key == MPOOL_WINDOW_NONE)
			return MPOOL_PAGE_NONE;
	}
}

/*
 * The entry of an address in the table; MPOOL_PAGE_NONE if it is not there.  The caller
 * has preemption off or is an RCU reader.  Any context.
 */
unsigned long mpool_pagemap_far(unsigned long addr)
{
	const struct mpool_pagemap *map = rcu_dereference_raw(mpool_pagemap), *was;
	unsigned long entry;

	for (;;) {
		entry = map_entry(map, addr);
		if (entry != MPOOL_PAGE_NONE)
			return entry;
		/*
		 * The load of the table may have come before the load that gave the caller
		 * this address: nothing orders them.  So the old table was searched.  The
		 * barrier orders the load of the address before the one below.
		 */
		smp_rmb();
		was = map;
		map = rcu_dereference_raw(mpool_pagemap);
		if (map == was)
			return MPOOL_PAGE_NONE;
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_far);

/*
 * Replaces the table by @map, with copies of the windows that have pages.  A reader may
 * still search the old table: there it finds the same entries, and misses only windows
 * that are added later.  Then it finds that the table was replaced, and searches the new
 * one.  Interrupts are off for a time that grows with the windows of the table: 16384 for
 * a region of 64 GiB of which mpool has all pages.
 */
static void map_replace_locked(struct mpool_pagemap *map)
{
	struct mpool_pagemap *old = map_locked();
	unsigned int i;

	lockdep_assert_held(&pagemap_lock);
	nr_used = 0;
	for (i = 0; i <= old->mask; i++) {
		if (old->slots[i].entries == mpool_no_entries)
			continue;
		*map_slot(map, old->slots[i].nr) = old->slots[i];
		nr_used++;
	}
	rcu_assign_pointer(mpool_pagemap, map);
	kvfree_rcu(old, rcu);
}

/*
 * Makes room for one more window in the table.  The table is allocated without the lock.
 * Other tasks may use up the room before the caller takes the lock again.
 */
static int map_make_room(gfp_t gfp)
{
	struct mpool_pagemap *map;
	unsigned long flags;
	unsigned int slots;
	bool full;

	for (;;) {
		spin_lock_irqsave(&pagemap_lock, flags);
		full = (nr_used + 1) * 2 > map_locked()->mask + 1;
		/* At most a quarter of it is in use at first, so it lasts for a while. */
		slots = max_t(unsigned int, PAGEMAP_MIN_SLOTS,
			      roundup_pow_of_two((nr_far + 1) * 4));
		spin_unlock_irqrestore(&pagemap_lock, flags);
		if (!full)
			return 0;
		map = map_alloc(slots, gfp);
		if (!map)
			return -ENOMEM;
		spin_lock_irqsave(&pagemap_lock, flags);
		if ((nr_far + 1) * 2 <= slots)
			map_replace_locked(map);
		else
			kvfree_rcu(map, rcu);	/* others have added many windows */
		spin_unlock_irqrestore(&pagemap_lock, flags);
	}
}

/* The slot of an address in the array; NULL if the array does not cover the address. */
static unsigned long **linear_slot(unsigned long addr)
{
	/* A number before the first becomes a large one: one comparison for both ends. */
	unsigned long nr = (addr >> MPOOL_LEAF_SHIFT) - mpool_linear.first;

	return nr < mpool_linear.nr ? &mpool_linear.entries[nr] : NULL;
}

/* The number of entries of the leaf or window of an address. */
static unsigned int entries_of(unsigned long addr)
{
	return linear_slot(addr) ? MPOOL_LEAF_PAGES : MPOOL_WINDOW_PAGES;
}

/* The place of an address in the entries of its leaf or window. */
static unsigned int entry_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) & (entries_of(addr) - 1);
}

/* Makes initialised entries those of a leaf or window. */
static void entries_publish(unsigned long **slot, unsigned long *entries)
{
	/* Pairs with the dependent loads of readers: they see the entries initialised. */
	smp_store_release(slot, entries);
}

/*
 * The pointer to the entries of an address, in the array or in the table.  If they have no
 * page of mpool, the pointer leads to mpool_no_entries.
 */
static unsigned long **window_find(struct mpool_pagemap *map, unsigned long addr)
{
	return linear_slot(addr) ?: &map_slot(map, addr >> MPOOL_WINDOW_SHIFT)->entries;
}

/*
 * As window_find(), but gives the leaf or window entries of its own if it has none: these are
 * *@entries, and *@entries is set to NULL.  Returns NULL if other tasks have used up the
 * room that map_make_room() has made; the caller makes room again.
 */
static unsigned long **window_insert_locked(unsigned long addr,
					    unsigned long **entries)
{
	unsigned long nr = addr >> MPOOL_WINDOW_SHIFT;
	unsigned long **linear = linear_slot(addr);
	struct mpool_pagemap *map = map_locked();
	struct mpool_window *slot;

	lockdep_assert_held(&pagemap_lock);
	if (linear) {
		if (*linear == mpool_no_entries) {
			entries_publish(linear, *entries);
			nr_leaves++;
			*entries = NULL;
		}
		return linear;
	}
	slot = map_slot(map, nr);
	if (slot->nr == nr && slot->entries != mpool_no_entries)
		return &slot->entries;
	/* A slot that has the number, but lost its entries, is in nr_used already. */
	if (slot->nr == MPOOL_WINDOW_NONE) {
		if ((nr_used + 1) * 2 > map->mask + 1)
			return NULL;
		nr_used++;
	}
	nr_far++;
	entries_publish(&slot->entries, *entries);
	*entries = NULL;
	/* After the entries.  Pairs with smp_load_acquire() in mpool_pagemap_far(). */
	smp_store_release(&slot->nr, nr);
	return &slot->entries;
}

/* Are these entries all MPOOL_PAGE_NONE? */
static bool entries_none(const unsigned long *entries, unsigned int from,
			 unsigned int n)
{
	while (n--)
		if (entries[from++] != MPOOL_PAGE_NONE)
			return false;
	return true;
}

static void entries_set(unsigned long *entries, unsigned int from, unsigned int n,
			unsigned long entry)
{
	while (n--)
		WRITE_ONCE(entries[from++], entry);
}

/* Entries for a leaf, from kmalloc(), or for a window: a page. */
static unsigned long *entries_alloc(unsigned int n, gfp_t gfp)
{
	unsigned long *entries;

	if (n == MPOOL_LEAF_PAGES)
		entries = kmalloc_array(n, sizeof(*entries), gfp);
	else
		entries = (unsigned long *)__get_free_page(gfp);
	if (entries)
		entries_set(entries, 0, n, MPOOL_PAGE_NONE);
	return entries;
}

static void entries_free(unsigned long *entries, unsigned int n)
{
	if (n == MPOOL_LEAF_PAGES)
		kfree(entries);
	else
		free_page((unsigned long)entries);
}

/* Enters pages in the entries of their window; -EBUSY if one of them is entered already. */
static int entries_enter_locked(unsigned long *entries, unsigned int from,
				unsigned int n, unsigned long entry)
{
	lockdep_assert_held(&pagemap_lock);
	if (!entries_none(entries, from, n))
		return -EBUSY;
	smp_wmb(); /* Pairs with the dependent loads of readers. */
	entries_set(entries, from, n, entry);
	return 0;
}

/*
 * Enters pages of a window that has other pages already, which is the common case;
 * -EAGAIN if it has none.
 */
static int window_add_more(unsigned long base, unsigned int from, unsigned int n,
			   unsigned long entry)
{
	unsigned long **slot, flags;
	int err = -EAGAIN;

	spin_lock_irqsave(&pagemap_lock, flags);
	slot = window_find(map_locked(), base);
	if (*slot != mpool_no_entries)
		err = entries_enter_locked(*slot, from, n, entry);
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return err;
}

/*
 * Enters pages that lie within one leaf or window.  If it has no entries, they are
 * allocated without the lock.  Another task may give it entries meanwhile: then
 * window_insert_locked() uses those, and the entries of this task are freed.  If they were
 * used, @entries is NULL, and entries_free() does nothing.
 */
static int window_add(unsigned long base, unsigned int n, unsigned long entry,
		      gfp_t gfp)
{
	unsigned int from = entry_index(base), all = entries_of(base);
	unsigned long **slot, *entries, flags;
	int err = window_add_more(base, from, n, entry);

	if (err != -EAGAIN)
		return err;
	entries = entries_alloc(all, gfp);
	if (!entries)
		return -ENOMEM;
	do {
		err = linear_slot(base) ? 0 : map_make_room(gfp);
		if (err)
			break;
		spin_lock_irqsave(&pagemap_lock, flags);
		slot = window_insert_locked(base, &entries);
		err = slot ? entries_enter_locked(*slot, from, n, entry) : -EAGAIN;
		spin_unlock_irqrestore(&pagemap_lock, flags);
	} while (err == -EAGAIN);
	entries_free(entries, all);
	return err;
}

/* Frees a page of entries.  The rcu_head is the one in its struct page. */
static void entries_free_rcu(struct rcu_head *rcu)
{
	__free_page(container_of(rcu, struct page, rcu_head));
}

/*
 * Removes pages of one leaf or window.  The entries of a window are freed with the last of
 * its pages, those of a leaf by mpool_pagemap_trim().
 */
static void window_del(unsigned long base, unsigned int n)
{
	unsigned int from = entry_index(base);
	unsigned long **slot, *entries = NULL;
	unsigned long flags;

	spin_lock_irqsave(&pagemap_lock, flags);
	slot = window_find(map_locked(), base);
	/* These pages were never entered, and mpool_no_entries must not be written to. */
	if (WARN_ON_ONCE(*slot == mpool_no_entries)) {
		spin_unlock_irqrestore(&pagemap_lock, flags);
		return;
	}
	entries_set(*slot, from, n, MPOOL_PAGE_NONE);
	if (!linear_slot(base) && entries_none(*slot, 0, MPOOL_WINDOW_PAGES)) {
		entries = *slot;
		WRITE_ONCE(*slot, mpool_no_entries);
		nr_far--;
	}
	spin_unlock_irqrestore(&pagemap_lock, flags);
	if (entries)
		call_rcu(&virt_to_page(entries)->rcu_head, entries_free_rcu);
}

/*
 * The number of pages, of the @npages from @base on, that are in the leaf or window of
 * @base.
 */
static unsigned int pages_in_window(unsigned long base, unsigned long npages)
{
	return min_t(unsigned long, npages, entries_of(base) - entry_index(base));
}

/**
 * mpool_pagemap_add() - enter pages that mpool has from now on
 * @base: address of the first page
 * @npages: number of pages
 * @entry: address of the arena or chunk that has the pages; it is complete
 * @gfp: allocation flags for the entries of windows
 *
 * Context: where the page allocator may be called.
 * Return: 0, %-ENOMEM, or %-EBUSY if one of the pages is entered already; on an error
 *	   no page is entered.
 */
int mpool_pagemap_add(unsigned long base, unsigned long npages,
		      unsigned long entry, gfp_t gfp)
{
	unsigned long done = 0;
	unsigned int n;
	int err;

	/* Zone and accounting flags are for the memory itself, not for its map. */
	gfp &= ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP);
	while (done < npages) {
		n = pages_in_window(base + (done << PAGE_SHIFT), npages - done);
		err = window_add(base + (done << PAGE_SHIFT), n, entry, gfp);
		if (err) {
			mpool_pagemap_del(base, done);
			return err;
		}
		done += n;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_add);

/* Removes pages that mpool is about to give away.  Context: as mpool_pagemap_add(). */
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
 * Changes the entry of pages that are entered.  The owner of the pages calls this.  Any
 * context, without the lock.
 */
void mpool_pagemap_set(unsigned long base, unsigned long npages,
		       unsigned long entry)
{
	struct mpool_pagemap *map;
	unsigned int n;

	smp_wmb(); /* Pairs with the dependent loads of mpool_pagemap_entry(). */
	rcu_read_lock();
	/*
	 * If the table is replaced meanwhile, the new table leads to the same entries: a
	 * window keeps its entries as long as one of its pages is entered, and these pages
	 * are.  For the same reason map_slot() finds the slot without the lock.
	 */
	map = rcu_dereference(mpool_pagemap);
	while (npages) {
		n = pages_in_window(base, npages);
		entries_set(*window_find(map, base), entry_index(base), n, entry);
		base += (unsigned long)n << PAGE_SHIFT;
		npages -= n;
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_set);

/* About how many bytes the map itself uses: kvmalloc() may round them up. */
unsigned long mpool_pagemap_bytes(void)
{
	unsigned long flags, bytes;

	spin_lock_irqsave(&pagemap_lock, flags);
	bytes = nr_far * PAGE_SIZE +
		nr_leaves * MPOOL_LEAF_PAGES * sizeof(unsigned long) +
		(map_locked()->mask + 1) * sizeof(struct mpool_window) +
		mpool_linear.nr * sizeof(*mpool_linear.entries);
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_bytes);

/* Takes the entries of a leaf without a page out of the array; NULL if it has a page. */
static unsigned long *leaf_unhook(unsigned long **slot)
{
	unsigned long *entries = READ_ONCE(*slot), flags;
	bool none;

	if (entries == mpool_no_entries)
		return NULL;
	/* Pages come and go meanwhile: the lock decides. */
	none = data_race(entries_none(entries, 0, MPOOL_LEAF_PAGES));
	if (!none)
		return NULL;
	spin_lock_irqsave(&pagemap_lock, flags);
	if (entries_none(entries, 0, MPOOL_LEAF_PAGES)) {
		WRITE_ONCE(*slot, mpool_no_entries);
		nr_leaves--;
	} else {
		entries = NULL;
	}
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return entries;
}

/*
 * Frees leaves without a page, in the next TRIM_SLOTS of the array.  Sleeps.  The mutex
 * keeps another task from freeing the entries that leaf_unhook() reads without the lock.
 */
void mpool_pagemap_trim(void)
{
	unsigned int n = 0, look = min_t(unsigned long, TRIM_SLOTS, mpool_linear.nr);
	unsigned long *leaves[TRIM_LEAVES];
	static unsigned long hand;

	guard(mutex)(&trim_mutex);
	for (; look-- && n < TRIM_LEAVES; hand++) {
		if (hand >= mpool_linear.nr)
			hand = 0;
		leaves[n] = leaf_unhook(&mpool_linear.entries[hand]);
		n += !!leaves[n];
		cond_resched();
	}
	if (!n)
		return;
	/* A reader may have loaded the pointer to one of them. */
	synchronize_rcu();
	while (n--)
		kfree(leaves[n]);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_trim);

/* The number of breaches of the invariant in the table. */
static int verify_table(struct mpool_pagemap *map)
{
	unsigned int i, used = 0, far = 0;
	int bad = 0;

	for (i = 0; i <= map->mask; i++) {
		const struct mpool_window *slot = &map->slots[i];

		if (slot->nr == MPOOL_WINDOW_NONE) {
			bad += mpool_broken(slot->entries != mpool_no_entries);
			continue;
		}
		used++;
		bad += mpool_broken(map_slot(map, slot->nr) != slot);
		bad += mpool_broken(linear_slot(slot->nr << MPOOL_WINDOW_SHIFT));
		if (slot->entries == mpool_no_entries)
			continue;
		far++;
		bad += mpool_broken(entries_none(slot->entries, 0,
					       MPOOL_WINDOW_PAGES));
	}
	bad += mpool_broken(used != nr_used);
	bad += mpool_broken(far != nr_far);
	bad += mpool_broken(used * 2 > map->mask + 1);
	return bad;
}

/* The number of breaches of the invariant.  Context: as mpool_pagemap_add(). */
int mpool_pagemap_verify(void)
{
	unsigned int near = 0;
	unsigned long flags, i;
	int bad;

	spin_lock_irqsave(&pagemap_lock, flags);
	bad = verify_table(map_locked());
	for (i = 0; i < mpool_linear.nr; i++) {
		if (mpool_linear.entries[i] == mpool_no_entries)
			continue;
		near++;
	}
	bad += mpool_broken(near != nr_leaves);
	bad += mpool_broken(!entries_none(mpool_no_entries, 0, MPOOL_WINDOW_PAGES));
	spin_unlock_irqrestore(&pagemap_lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_pagemap_verify);

/*
 * Makes the array: from the start of the linear map to the end of the memory that is
 * there now, but at most LINEAR_MAX windows.
 */
static int linear_init(void)
{
	/* Whole windows: none is partly in the array and partly in the table. */
	const unsigned long leaves = MPOOL_WINDOW_PAGES / MPOOL_LEAF_PAGES;
	unsigned long first = ALIGN_DOWN(PAGE_OFFSET >> MPOOL_LEAF_SHIFT, leaves);
	unsigned long last = ((unsigned long)high_memory - 1) >> MPOOL_LEAF_SHIFT;
	unsigned long i, nr = min(ALIGN(last - first + 1, leaves), LINEAR_MAX);
	unsigned long **entries = kvmalloc_array(nr, sizeof(*entries), GFP_KERNEL);

	if (!entries)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		entries[i] = mpool_no_entries;
	mpool_linear = (struct mpool_linear){ first, nr, entries };
	return 0;
}

int mpool_pagemap_init(void)
{
	struct mpool_pagemap *map;

	mpool_no_entries = entries_alloc(MPOOL_WINDOW_PAGES, GFP_KERNEL);
	if (!mpool_no_entries)
		return -ENOMEM;
	map = map_alloc(PAGEMAP_MIN_SLOTS, GFP_KERNEL);
	if (!map || linear_init()) {
		kvfree(map);
		free_page((unsigned long)mpool_no_entries);
		return -ENOMEM;
	}
	rcu_assign_pointer(mpool_pagemap, map);
	return 0;
}

/*
 * Frees the map.  Every pool has ended and has removed its pages, also if live objects
 * were left.  So no window should have entries any more; the first loop frees those that
 * a bug has left.
 */
void mpool_pagemap_exit(void)
{
	struct mpool_pagemap *map = rcu_dereference_protected(mpool_pagemap, 1);
	unsigned long i;

	/*
	 * Waits until all RCU callbacks of mpool have run: their code is about to be
	 * unloaded.  This is the only rcu_barrier() of mpool.  entries_free_rcu() needs
	 * it, and so does fixed_free_rcu() in fixed.c.
	 */
	rcu_barrier();
	for (i = 0; i <= map->mask; i++)
		if (map->slots[i].entries != mpool_no_entries)
			free_page((unsigned long)map->slots[i].entries);
	for (i = 0; i < mpool_linear.nr; i++)
		if (mpool_linear.entries[i] != mpool_no_entries)
			kfree(mpool_linear.entries[i]);
	kvfree(mpool_linear.entries);
	kvfree(map);
	free_page((unsigned long)mpool_no_entries);
}
