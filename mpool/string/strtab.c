// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a string pool: from the content of a string to its one copy.
 *
 * Structure: an array of chains, twice as long whenever there are more strings
 * than chains.  A work item makes the new array, and moves the strings with the
 * lock held, a few at a time.  Strings have one link only: a reader that stands on one as
 * it is moved goes on in another chain, and may miss what it looks for.  Whoever
 * does not find a string therefore asks once more with the lock held, which looks
 * at both arrays; those who do not find take it anyway, to insert.
 *
 * Not an rhashtable: get and put of 16 bytes that are there were 554 instructions
 * with it, jhash() and rcu_read_lock(), and are 148 here.
 *
 * Invariant, checked by mpool_strtab_verify():
 *	a string is in the chain that its hash says, of the array or of the old
 *	one; their number is nr; without an old one there are at most grow_at.
 *
 * Locking: tab->lock (spinlock_t) for writers; readers have preemption off and
 * no lock.  Strings and arrays are freed after a grace period.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "strtab.h"

#define MIN_BITS	5u
#define MAX_BITS	24u

/* Strings moved while the lock is held once, interrupts off. */
#define MOVE_BATCH	16

/* The word at @p where not all of it may be loaded at once. */
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
	if (!buckets)
		return NULL;
	buckets->bits = bits;
	buckets->shift = 64 - bits;
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
	struct mpool_buckets *buckets = buckets_locked(tab);
	struct mpool_str *str;

	lockdep_assert_held(&tab->lock);
	str = mpool_buckets_find(buckets, key, tab->nocase);
	if (!str && buckets->old)
		str = mpool_buckets_find(buckets->old, key, tab->nocase);
	return str;
}

static bool chain_has(const struct mpool_buckets *buckets,
		      const struct mpool_str *str, u64 hash)
{
	const struct mpool_str *at;

	at = rcu_dereference_raw(buckets->heads[hash >> buckets->shift]);
	while (at && at != str)
		at = rcu_dereference_raw(at->next);
	return at;
}

/* Is that a string of the table?  It is not looked at; any value. */
bool mpool_strtab_has_locked(struct mpool_strtab *tab,
			     const struct mpool_str *str, u64 hash)
{
	struct mpool_buckets *buckets = buckets_locked(tab);

	lockdep_assert_held(&tab->lock);
	return chain_has(buckets, str, hash) ||
	       (buckets->old && chain_has(buckets->old, str, hash));
}

static void chain_push(struct mpool_buckets *buckets, struct mpool_str *str)
{
	struct mpool_str __rcu **head = &buckets->heads[str->hash >>
							buckets->shift];

	RCU_INIT_POINTER(str->next, rcu_dereference_raw(*head));
	rcu_assign_pointer(*head, str);
}

static bool chain_del(struct mpool_buckets *buckets, struct mpool_str *str)
{
	struct mpool_str __rcu **link = &buckets->heads[str->hash >>
							buckets->shift];
	struct mpool_str *at;

	while ((at = rcu_dereference_raw(*link)) && at != str)
		link = &at->next;
	if (!at)
		return false;
	/* A reader that stands on it still finds the way on. */
	RCU_INIT_POINTER(*link, rcu_dereference_raw(str->next));
	return true;
}

static void resize_locked(struct mpool_strtab *tab)
{
	lockdep_assert_held(&tab->lock);
	if (tab->resizing || tab->frozen)
		return;
	tab->resizing = true;
	schedule_work(&tab->work);
}

void mpool_strtab_add_locked(struct mpool_strtab *tab, struct mpool_str *str)
{
	lockdep_assert_held(&tab->lock);
	chain_push(buckets_locked(tab), str);
	if (unlikely(++tab->nr > tab->grow_at))
		resize_locked(tab);
}

void mpool_strtab_del_locked(struct mpool_strtab *tab, struct mpool_str *str)
{
	struct mpool_buckets *buckets = buckets_locked(tab);

	lockdep_assert_held(&tab->lock);
	if (!chain_del(buckets, str) && buckets->old)
		chain_del(buckets->old, str);
	if (unlikely(--tab->nr < tab->shrink_at))
		resize_locked(tab);
}

/* --- another size --- */

static unsigned int bits_for(unsigned long nr)
{
	unsigned int bits = MIN_BITS;

	while (bits < MAX_BITS && nr > 1ul << bits)
		bits++;
	return bits;
}

static void set_bounds(struct mpool_strtab *tab, unsigned int bits)
{
	tab->grow_at = bits < MAX_BITS ? 1ul << bits : ULONG_MAX;
	tab->shrink_at = bits > MIN_BITS ? 1ul << bits >> 3 : 0;
}

/* Moves some strings of a chain; false if there are none left. */
static bool move_some(struct mpool_strtab *tab, struct mpool_buckets *from,
		      struct mpool_buckets *to, unsigned long i)
{
	struct mpool_str *str;
	unsigned int n;

	spin_lock_irq(&tab->lock);
	for (n = 0; n < MOVE_BATCH; n++) {
		str = rcu_dereference_protected(from->heads[i], true);
		if (!str)
			break;
		RCU_INIT_POINTER(from->heads[i],
				 rcu_dereference_protected(str->next, true));
		chain_push(to, str);
	}
	spin_unlock_irq(&tab->lock);
	return n == MOVE_BATCH;
}

static void move_all(struct mpool_strtab *tab, struct mpool_buckets *old,
		     struct mpool_buckets *new)
{
	unsigned long i;

	new->old = old;
	spin_lock_irq(&tab->lock);
	rcu_assign_pointer(tab->buckets, new);
	spin_unlock_irq(&tab->lock);
	for (i = 0; i < 1ul << old->bits; i++) {
		while (move_some(tab, old, new, i))
			cond_resched();
		cond_resched();
	}
	spin_lock_irq(&tab->lock);
	new->old = NULL;
	spin_unlock_irq(&tab->lock);
	/* A reader may be looking at its chains. */
	synchronize_rcu();
	kvfree(old);
}

static void resize_fn(struct work_struct *work)
{
	struct mpool_strtab *tab = container_of(work, struct mpool_strtab,
						work);
	struct mpool_buckets *old = rcu_dereference_protected(tab->buckets,
							      true);
	unsigned int bits = bits_for(READ_ONCE(tab->nr));
	struct mpool_buckets *new = NULL;

	if (bits != old->bits) {
		/* Nobody waits for it, and nobody shall be killed for it. */
		new = buckets_alloc(bits, GFP_KERNEL | __GFP_NORETRY |
					  __GFP_NOWARN);
		if (new)
			move_all(tab, old, new);
	}
	spin_lock_irq(&tab->lock);
	if (new || bits == old->bits) {
		set_bounds(tab, bits);
	} else {
		/* No memory: not again before much has changed. */
		tab->grow_at = 2 * tab->nr;
		tab->shrink_at = tab->nr / 2;
	}
	tab->resizing = false;
	/* It may have changed meanwhile. */
	if (tab->nr > tab->grow_at || tab->nr < tab->shrink_at)
		resize_locked(tab);
	spin_unlock_irq(&tab->lock);
}

/*
 * Ends a change of size, and has no other begin before mpool_strtab_thaw().  Several
 * may do so at once, as two that empty the table.
 */
void mpool_strtab_freeze(struct mpool_strtab *tab)
{
	spin_lock_irq(&tab->lock);
	tab->frozen++;
	spin_unlock_irq(&tab->lock);
	flush_work(&tab->work);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_strtab_freeze);

void mpool_strtab_thaw(struct mpool_strtab *tab)
{
	spin_lock_irq(&tab->lock);
	tab->frozen--;
	if (tab->nr > tab->grow_at || tab->nr < tab->shrink_at)
		resize_locked(tab);
	spin_unlock_irq(&tab->lock);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_strtab_thaw);

/* The first string from *@bucket on, or NULL; of a table that is frozen. */
struct mpool_str *mpool_strtab_first_locked(struct mpool_strtab *tab,
					    unsigned int *bucket)
{
	struct mpool_buckets *buckets = buckets_locked(tab);
	struct mpool_str *str = NULL;

	lockdep_assert_held(&tab->lock);
	for (; *bucket < 1u << buckets->bits; ++*bucket) {
		str = rcu_dereference_raw(buckets->heads[*bucket]);
		if (str)
			break;
	}
	return str;
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
	set_bounds(tab, MIN_BITS);
	INIT_WORK(&tab->work, resize_fn);
	return 0;
}

/* Nobody looks at the table or changes it any more. */
void mpool_strtab_end(struct mpool_strtab *tab)
{
	mpool_strtab_freeze(tab);
	kvfree(rcu_dereference_protected(tab->buckets, true));
}

/* Number of breaches of the invariants, in a table that is at rest. */
int mpool_strtab_verify(struct mpool_strtab *tab)
{
	struct mpool_buckets *buckets;
	unsigned long i, nr = 0;
	struct mpool_str *str;
	int bad = 0;

	mpool_strtab_freeze(tab);
	buckets = rcu_dereference_protected(tab->buckets, true);
	bad += mpool_broken(buckets->old);
	bad += mpool_broken(tab->resizing);
	bad += mpool_broken(buckets->shift + buckets->bits != 64);
	for (i = 0; i < 1ul << buckets->bits; i++) {
		str = rcu_dereference_protected(buckets->heads[i], true);
		while (str) {
			bad += mpool_broken(str->hash >> buckets->shift != i);
			nr++;
			str = rcu_dereference_protected(str->next, true);
		}
	}
	bad += mpool_broken(nr != tab->nr);
	mpool_strtab_thaw(tab);
	return bad;
}
