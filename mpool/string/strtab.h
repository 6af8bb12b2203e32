/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_STRTAB_H
#define _MPOOL_STRTAB_H

#include <asm/word-at-a-time.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Longest string, bytes. */
#define MPOOL_STR_MAX	U32_MAX

/* No place where a string that has no NUL ends. */
#define MPOOL_STR_NO_LIMIT	((const char *)ULONG_MAX)

/* A string with what the table knows of it, in front of it. */
struct mpool_str {
	struct mpool_str __rcu *next;
	u32 hash;			/* the upper bits */
	atomic_t refs;
	unsigned long text[];	/* the last word is filled up with NULs */
};

/*
 * What the hash of a table depends on, drawn when the table is made.
 *
 * The words of a string are the digits of a number in base @point, of which the
 * remainder by the prime 2^64 - 59 is taken; that is multiplied by @spread, and
 * the upper bits of the product are the number of a chain.  Two strings of at most
 * n words are two different polynomials of @point: the degree differs with the
 * number of words, and no two words of one place are equal modulo the prime, since
 * the only numbers below 59 among them are last words, and the numbers that would
 * equal these have no NUL in front.  So they have the same remainder for at most n
 * of 2^58 points.  Different remainders get the same of m chains for at most two
 * in m odd factors (Dietzfelbinger et al. 1997).  Whatever strings are chosen
 * without knowledge of the secrets, a chain is as long as with random ones, within
 * a factor of two on average.
 *
 * 14 instructions more for 15 characters than a hash that had no such bound; the six
 * rounds of SipHash-1-3 would be 84 without their loads.
 */
struct mpool_str_secret {
	u64 point;		/* below 2^58 */
	u64 spread;		/* odd */
};

/* What is looked for. */
struct mpool_str_key {
	const char *s;
	u64 hash;		/* 32 bits; behind a u32 gcc clears a gap: 5 instructions */
	size_t whole;		/* bytes before the word with the NUL */
	unsigned long last;	/* that word, as text[] has it */
};

struct mpool_buckets {
	unsigned int shift;		/* from a hash to its bucket */
	struct mpool_str __rcu *heads[];
};

struct mpool_strtab {
	/* Constant. */
	bool nocase;
	struct mpool_str_secret secret;

	struct mpool_buckets __rcu *buckets;
	/* Protects what follows, the chains, and counts from and to zero. */
	spinlock_t lock;
	struct mpool_buckets *old;	/* may still have strings, or NULL */
	unsigned long nr;
	struct mutex resize_mutex;	/* the arrays stay as long as it is held */
	struct work_struct work;
};

static __always_inline char *mpool_str_text(struct mpool_str *str)
{
	return (char *)str->text;
}

/* Letters of ASCII only, all of a word at once; no sum carries into another. */
static __always_inline unsigned long mpool_str_fold(unsigned long word)
{
	unsigned long low = word & REPEAT_BYTE(0x7f);
	unsigned long from_a = low + REPEAT_BYTE(0x80 - 'A');
	unsigned long past_z = low + REPEAT_BYTE(0x7f - 'Z');

	return word | ((from_a & ~past_z & ~word & REPEAT_BYTE(0x80)) >> 2);
}

unsigned long mpool_str_edge(const char *p, const char *limit);

/* A whole word may be loaded from any place before this. */
static __always_inline unsigned long mpool_str_end(const char *p,
						   const char *limit)
{
	const unsigned long room = sizeof(unsigned long) - 1;
	unsigned long end = ((unsigned long)p | ~PAGE_MASK) - room + 1;

	if (limit == MPOOL_STR_NO_LIMIT)
		return end;
	return (unsigned long)limit <= room ? 0 :
		min(end, (unsigned long)limit - room);
}

/* Of a word with a NUL, what is before it; @mask is of has_zero(). */
static __always_inline unsigned long mpool_str_last(unsigned long word,
						    unsigned long mask)
{
	const struct word_at_a_time zeros = WORD_AT_A_TIME_CONSTANTS;

	/* To the NUL, which is harmless, and takes half the instructions. */
	if (IS_ENABLED(CONFIG_CPU_LITTLE_ENDIAN) || IS_ENABLED(CONFIG_X86))
		return word & (mask ^ (mask - 1));
	mask = create_zero_mask(prep_zero_mask(word, mask, &zeros));
	return word & zero_bytemask(mask);
}

#define MPOOL_STR_POINT_BITS	58

/*
 * One more word: hash * point + word, modulo 2^64 - 59.  Of the product the upper
 * half is below 2^58, so that 59 times that fits into 64 bits, and so does the sum
 * after its carry, which is worth 59, was added.  The result may be the remainder
 * or, if that is below 59, the prime more: equal strings are treated alike.
 */
static __always_inline u64 mpool_str_mix(u64 hash, u64 word, u64 point)
{
	u64 high, low, sum;

	low = mpool_mul(hash, point, &high);
	high += check_add_overflow(low, word, &low);
	sum = low + high * 59;
	return sum + (-(u64)(sum < low) & 59);
}

/*
 * Length and hash of a string that ends at a NUL or at @limit, in one pass, a
 * word at a time.  Words that reach beyond the NUL are of the same page, and what
 * they have there counts for nothing.  False if the string is too long, or if it
 * comes to the end of a page and @edge does not say that this is wanted.
 */
static __always_inline bool mpool_str_scan(struct mpool_str_key *key,
					   const char *s, const char *limit,
					   const struct mpool_str_secret *secret,
					   bool nocase, bool edge)
{
	const struct word_at_a_time zeros = WORD_AT_A_TIME_CONSTANTS;
	unsigned long end = mpool_str_end(s, limit), word, mask;
	const char *p = s;
	/* The first digit, so that the number of words counts. */
	u64 hash = 1;

	for (;; p += sizeof(word)) {
		if (likely((unsigned long)p < end)) {
			word = read_word_at_a_time(p);
		} else {
			if (!edge || p - s > MPOOL_STR_MAX - sizeof(word))
				return false;
			word = mpool_str_edge(p, limit);
			end = mpool_str_end(p + sizeof(word), limit);
		}
		if (has_zero(word, &mask, &zeros))
			break;
		if (nocase)
			word = mpool_str_fold(word);
		hash = mpool_str_mix(hash, word, secret->point);
	}
	word = mpool_str_last(word, mask);
	key->s = s;
	key->whole = p - s;
	key->last = word;
	if (nocase)
		word = mpool_str_fold(word);
	hash = mpool_str_mix(hash, word, secret->point) * secret->spread;
	key->hash = hash >> 32;
	return true;
}

/*
 * Is that the string?  If one is shorter, its last word has a NUL where the other
 * one's word has none: nothing is read beyond either.
 */
static __always_inline bool mpool_str_same(const struct mpool_str *str,
					   const struct mpool_str_key *key,
					   bool nocase)
{
	const unsigned long *text = str->text;
	const char *s = key->s, *end = s + key->whole;
	unsigned long a, b;

	for (; s != end; s += sizeof(b), text++) {
		a = mpool_read(*text);
		b = read_word_at_a_time(s);
		if (nocase ? mpool_str_fold(a) != mpool_str_fold(b) : a != b)
			return false;
	}
	a = mpool_read(*text);
	b = key->last;
	return nocase ? mpool_str_fold(a) == mpool_str_fold(b) : a == b;
}

/* Preemption is off, or the lock held. */
static __always_inline struct mpool_str *
mpool_buckets_find(const struct mpool_buckets *buckets,
		   const struct mpool_str_key *key, bool nocase)
{
	struct mpool_str *str;

	str = rcu_dereference_raw(buckets->heads[key->hash >> buckets->shift]);
	while (str && (str->hash != key->hash ||
		       !mpool_str_same(str, key, nocase)))
		str = rcu_dereference_raw(str->next);
	return str;
}

/*
 * The string of this content.  Without the lock it may be missed while the table
 * changes its size.  Preemption is off, or the lock held.
 */
static __always_inline struct mpool_str *
mpool_strtab_find(const struct mpool_strtab *tab,
		  const struct mpool_str_key *key, bool nocase)
{
	return mpool_buckets_find(rcu_dereference_raw(tab->buckets), key,
				  nocase);
}

struct mpool_str *mpool_strtab_find_locked(struct mpool_strtab *tab,
					   const struct mpool_str_key *key);
bool mpool_strtab_has_locked(struct mpool_strtab *tab,
			     const struct mpool_str *str, u32 hash);
void mpool_strtab_add_locked(struct mpool_strtab *tab, struct mpool_str *str);
void mpool_strtab_del_locked(struct mpool_strtab *tab, struct mpool_str *str);

unsigned long mpool_strtab_chains(struct mpool_strtab *tab);
struct mpool_str *mpool_strtab_first_locked(struct mpool_strtab *tab,
					    unsigned long chain);
int mpool_strtab_init(struct mpool_strtab *tab, bool nocase);
void mpool_strtab_end(struct mpool_strtab *tab);
int mpool_strtab_verify(struct mpool_strtab *tab);

#endif /* _MPOOL_STRTAB_H */
