// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a string pool: from a text to its one string.
 *
 * Structure: an array of chains, with less than one string in a chain on average.  When
 * the number of strings has changed enough, a work item allocates an array of another
 * length, and moves the strings, one at a time under the lock.  Lookups go on meanwhile
 * without the lock, and may miss a string that is moved.  So a lookup that has found
 * nothing is repeated under the lock, in both arrays.  An insertion needs the lock
 * anyway.
 *
 * With lookups without the lock, string16 takes 146 instructions on 6.12; with the lock
 * in each lookup it takes 190.
 *
 * An rhashtable was measured in the place of this file, with the same hash, and with
 * lookups in sections without preemption, too.  On 6.12 string16 took 184 instructions,
 * and 239 where gcc did not inline the whole lookup by itself; stringmiss16 took 739 and
 * 844.  An rhashtable has other disadvantages:
 *	On 6.1 its writers turn off softirqs, but not interrupts: strings could not be got
 *	and put in hard interrupts.
 *	As soon as there are as many strings as chains, an insertion needs memory for a
 *	longer array.  It takes that memory with GFP_ATOMIC, whatever the flags of the
 *	caller, and fails if there is none.  Here the chains become longer.
 *	It compares strings under a bit lock, with interrupts off, also on PREEMPT_RT.
 *	Here the lock is a spinlock_t.
 *
 * Invariant, checked by mpool_strtab_verify():
 *	a string is in the chain of its hash, in the array, or in the old array while
 *	strings are moved; nr is the number of strings.
 *
 * Locking: tab->lock (spinlock_t) for writers.  Readers have preemption off, and no lock.
 * The arrays are not replaced while tab->resize_mutex is held.  Strings and arrays are
 * freed after a grace period.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "defer.h"
#include "strtab.h"

#define MIN_BITS	5u
#define MAX_BITS	24u

/*
 * The word at @p, loaded byte by byte up to its NUL or to @limit: a load of the whole
 * word could reach into the next page, or beyond @limit.
 */
unsigned long mpool_str_edge(const char *p, const char *limit)
{
	union {
		unsigned long word;
		char c[sizeof(unsigned long)];
	} u = { 0 };
	unsigned int i;

	for (i = 0; i < sizeof(u) && p + i < limit && p[i]; i++)
		u.c[i] = p[i];
	return u.word;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_str_edge);

static struct mpool_buckets *buckets_alloc(unsigned int bits, gfp_t gfp)
{
	struct mpool_buckets *buckets;

	buckets = kvzalloc(struct_size(buckets, heads, 1ul << bits), gfp);
	if (buckets)
		buckets->shift = 32 - bits;
	return buckets;
}

static struct mpool_buckets *buckets_locked(struct mpool_strtab *tab)
{
	return rcu_dereference_protected(tab->buckets,
					 lockdep_is_held(&tab->lock));
}

struct mpool_str *mpool_strtab_find_locked(struct mpool_strtab *tab,
					   const struct mpool_str_key *key)
{
	struct mpool_str *str;

	lockdep_assert_held(&tab->lock);
	str = mpool_buckets_find(buckets_locked(tab), key, tab->nocase);
	if (!str && tab->old)
		str = mpool_buckets_find(tab->old, key, tab->nocase);
	return str;
}

static struct mpool_str __rcu **chain_of(struct mpool_buckets *buckets, u32 hash)
{
	return &buckets->heads[hash >> buckets->shift];
}

/* The link that leads to a string, or the one at the end of its chain. */
static struct mpool_str __rcu **link_in(struct mpool_buckets *buckets,
					const struct mpool_str *str, u32 hash)
{
	struct mpool_str __rcu **link = chain_of(buckets, hash);
	struct mpool_str *at;

	while ((at = rcu_dereference_raw(*link)) && at != str)
		link = &at->next;
	return link;
}

static struct mpool_str __rcu **link_locked(struct mpool_strtab *tab,
					    const struct mpool_str *str, u32 hash)
{
	struct mpool_str __rcu **link = link_in(buckets_locked(tab), str, hash);

	lockdep_assert_held(&tab->lock);
	if (!rcu_access_pointer(*link) && tab->old)
		link = link_in(tab->old, str, hash);
	return link;
}

/* Is @str in the table, if @hash is its hash?  Any value; @str is not dereferenced. */
bool mpool_strtab_has_locked(struct mpool_strtab *tab,
			     const struct mpool_str *str, u32 hash)
{
	lockdep_assert_held(&tab->lock);
	return rcu_access_pointer(*link_locked(tab, str, hash));
}

static void chain_push(struct mpool_buckets *buckets, struct mpool_str *str)
{
	struct mpool_str __rcu **head = chain_of(buckets, str->hash);

	RCU_INIT_POINTER(str->next, rcu_dereference_raw(*head));
	rcu_assign_pointer(*head, str);
}

/* --- another size --- */

/* The size for half a string to less than one string in a chain, on average. */
static unsigned int bits_for(unsigned long nr)
{
	return clamp_t(unsigned int, fls_long(nr), MIN_BITS, MAX_BITS);
}

/*
 * Requests another size, if the number of strings that has just changed needs one.  Only
 * a power of two does: if the work item gets no memory, the next power of two requests it
 * again.
 */
static void changed_locked(struct mpool_strtab *tab)
{
	unsigned int has = 32 - buckets_locked(tab)->shift;
	unsigned int wants = bits_for(tab->nr);

	lockdep_assert_held(&tab->lock);
	/*
	 * No request is lost: a work item that is queued reads nr when it runs, and one
	 * that runs is queued again.
	 */
	if (is_power_of_2(tab->nr) && (wants > has || wants + 2 < has))
		queue_work(mpool_wq, &tab->work);
}

void mpool_strtab_add_locked(struct mpool_strtab *tab, struct mpool_str *str)
{
	lockdep_assert_held(&tab->lock);
	chain_push(buckets_locked(tab), str);
	tab->nr++;
	changed_locked(tab);
}

void mpool_strtab_del_locked(struct mpool_strtab *tab, struct mpool_str *str)
{
	lockdep_assert_held(&tab->lock);
	/* The link of @str does not change: a reader on @str still finds the rest. */
	RCU_INIT_POINTER(*link_locked(tab, str, str->hash),
			 rcu_dereference_raw(str->next));
	tab->nr--;
	changed_locked(tab);
}

/* Number of chains of the array; the caller holds resize_mutex. */
unsigned long mpool_strtab_chains(struct mpool_strtab *tab)
{
	lockdep_assert_held(&tab->resize_mutex);
	return 1ul << (32 - rcu_dereference_raw(tab->buckets)->shift);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_strtab_chains);

/* The first string of a chain, or NULL; the caller holds resize_mutex, too. */
struct mpool_str *mpool_strtab_first_locked(struct mpool_strtab *tab,
					    unsigned long chain)
{
	lockdep_assert_held(&tab->lock);
	return rcu_dereference_raw(buckets_locked(tab)->heads[chain]);
}

/* Moves the first string of a chain of the old array; false if the chain is empty. */
static bool move_one(struct mpool_strtab *tab, unsigned long chain)
{
	struct mpool_str *str;

	spin_lock_irq(&tab->lock);
	str = rcu_dereference_raw(tab->old->heads[chain]);
	if (str) {
		/*
		 * A string has one link only.  A reader that stands on @str goes on in
		 * the chain of the new array, and may miss the string that it looks for.
		 */
		RCU_INIT_POINTER(tab->old->heads[chain],
				 rcu_dereference_raw(str->next));
		chain_push(buckets_locked(tab), str);
	}
	spin_unlock_irq(&tab->lock);
	return str;
}

static void buckets_replace(struct mpool_strtab *tab, struct mpool_buckets *new)
{
	unsigned long i, n = mpool_strtab_chains(tab);
	struct mpool_buckets *old;

	spin_lock_irq(&tab->lock);
	old = buckets_locked(tab);
	tab->old = old;
	rcu_assign_pointer(tab->buckets, new);
	spin_unlock_irq(&tab->lock);
	for (i = 0; i < n; i++) {
		while (move_one(tab, i))
			cond_resched();
		cond_resched();
	}
	spin_lock_irq(&tab->lock);
	tab->old = NULL;
	spin_unlock_irq(&tab->lock);
	/* A reader may still be in a chain of the old array. */
	synchronize_rcu();
	kvfree(old);
}

static void resize_fn(struct work_struct *work)
{
	struct mpool_strtab *tab = container_of(work, struct mpool_strtab,
						work);
	struct mpool_buckets *new = NULL;
	unsigned int bits;

	mutex_lock(&tab->resize_mutex);
	bits = bits_for(READ_ONCE(tab->nr));
	/*
	 * No task waits for this memory, so the OOM killer must not kill one for it.  And
	 * reclaim by clients does not run on the queue of mpool.
	 */
	if (1ul << bits != mpool_strtab_chains(tab))
		new = buckets_alloc(bits, GFP_NOIO | __GFP_NORETRY |
					  __GFP_NOWARN);
	if (new)
		buckets_replace(tab, new);
	mutex_unlock(&tab->resize_mutex);
}

int mpool_strtab_init(struct mpool_strtab *tab, bool nocase)
{
	struct mpool_buckets *buckets = buckets_alloc(MIN_BITS, GFP_KERNEL);

	if (!buckets)
		return -ENOMEM;
	tab->nocase = nocase;
	get_random_bytes(&tab->secret, sizeof(tab->secret));
	tab->secret.point >>= 64 - MPOOL_STR_POINT_BITS;
	tab->secret.spread |= 1;
	RCU_INIT_POINTER(tab->buckets, buckets);
	spin_lock_init(&tab->lock);
	mutex_init(&tab->resize_mutex);
	INIT_WORK(&tab->work, resize_fn);
	return 0;
}

/* Frees the table, after its last reader and its last change. */
void mpool_strtab_end(struct mpool_strtab *tab)
{
	cancel_work_sync(&tab->work);
	kvfree(rcu_dereference_protected(tab->buckets, true));
}

/*
 * Number of breaches of the invariant, in a table that is at rest; the caller holds
 * resize_mutex.
 */
int mpool_strtab_verify(struct mpool_strtab *tab)
{
	struct mpool_buckets *buckets = rcu_dereference_raw(tab->buckets);
	unsigned long i, nr = 0;
	struct mpool_str *str;
	int bad = 0;

	bad += mpool_broken(tab->old);
	for (i = 0; i < mpool_strtab_chains(tab); i++) {
		str = rcu_dereference_raw(buckets->heads[i]);
		for (; str; str = rcu_dereference_raw(str->next), nr++)
			bad += mpool_broken(str->hash >> buckets->shift != i);
	}
	bad += mpool_broken(nr != tab->nr);
	return bad;
}
