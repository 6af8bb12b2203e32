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

/* The longest string, in bytes. */
#define MPOOL_STR_MAX	U32_MAX

/* The limit of a text that ends at its NUL only. */
#define MPOOL_STR_NO_LIMIT	((const char *)ULONG_MAX)

/* A string: the members for the table, and then the text. */
struct mpool_str {
	struct mpool_str __rcu *next;	/* in its chain */
	u32 hash;			/* the upper 32 bits */
	atomic_t refs;			/* 0: the string is not in the table */
	unsigned long text[];	/* the last word is filled up with NULs */
};

/*
 * The secrets of the hash of a table: random numbers, chosen when the table is created.
 *
 * The words of a text are the coefficients of a polynomial, behind a first coefficient of
 * 1.  The hash is the value of the polynomial at @point, modulo the prime 2^64 - 59, and
 * then times @spread.  The upper bits of that product are the number of the chain.
 *
 * The proof, for two different strings of at most n words:
 *
 * - Their polynomials are different modulo the prime.  If the numbers of words differ, so
 *   do the degrees.  If not, two words of one place differ.  They could be equal modulo
 *   the prime only if one were below 59, and the other that number plus the prime.  A
 *   word below 59 has a NUL, so it is a last word.  The other one would have no NUL, and
 *   so would not be a last word.
 * - So the polynomials have the same value at most at n of the 2^58 points.
 * - Different values get the same one of m chains for at most 2/m of the odd factors
 *   (Dietzfelbinger et al. 1997).
 *
 * So whatever strings are chosen without knowledge of the secrets, a chain is on average
 * at most twice as long as with random strings.
 *
 * For 15 characters this takes 14 instructions more than a hash without such a bound.
 * The six rounds of SipHash-1-3 would take 84, without their loads.
 */
struct mpool_str_secret {
	u64 point;		/* below 2^58 */
	u64 spread;		/* odd */
};

/* A text that a lookup searches for. */
struct mpool_str_key {
	const char *s;
	u64 hash;		/* 32 bits; with u32, gcc clears a gap: 5 instructions */
	size_t whole;		/* bytes before the word with the NUL */
	unsigned long last;	/* that word, filled up with NULs as in text[] */
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
	/* Protects the members below, the chains, and the step of a count to zero. */
	spinlock_t lock;
	struct mpool_buckets *old;	/* may still have strings, or NULL */
	unsigned long nr;
	struct mutex resize_mutex;	/* the arrays are not replaced while it is held */
	struct work_struct work;
};

static __always_inline char *mpool_str_text(struct mpool_str *str)
{
	return (char *)str->text;
}

/*
 * Makes the capital letters of ASCII in a word small, all at once.  No sum carries into
 * the next byte.
 */
static __always_inline unsigned long mpool_str_fold(unsigned long word)
{
	unsigned long low = word & REPEAT_BYTE(0x7f);
	unsigned long from_a = low + REPEAT_BYTE(0x80 - 'A');
	unsigned long past_z = low + REPEAT_BYTE(0x7f - 'Z');

	return word | ((from_a & ~past_z & ~word & REPEAT_BYTE(0x80)) >> 2);
}

unsigned long mpool_str_edge(const char *p, const char *limit);

/* Before this address a whole word may be loaded: it is in the page and before @limit. */
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

/* The bytes of a word before its NUL, filled up with NULs; has_zero() has set @mask. */
static __always_inline unsigned long mpool_str_last(unsigned long word,
						    unsigned long mask)
{
	const struct word_at_a_time zeros = WORD_AT_A_TIME_CONSTANTS;

	/*
	 * Keeps the bytes up to the NUL and with it, which makes no difference, and takes
	 * half the instructions.
	 */
	if (IS_ENABLED(CONFIG_CPU_LITTLE_ENDIAN) || IS_ENABLED(CONFIG_X86))
		return word & (mask ^ (mask - 1));
	mask = create_zero_mask(prep_zero_mask(word, mask, &zeros));
	return word & zero_bytemask(mask);
}

#define MPOOL_STR_POINT_BITS	58

/*
 * Adds a word to a hash: hash * point + word, modulo 2^64 - 59.  The result is the
 * remainder or, if that is below 59, may be the remainder plus the prime.  It is the same
 * for equal strings.
 */
static __always_inline u64 mpool_str_mix(u64 hash, u64 word, u64 point)
{
	u64 high, low, sum;

	/*
	 * 2^64 is 59 modulo the prime.  The point is below 2^58, and so is the upper half
	 * of the product.  So 59 times the upper half fits into 64 bits.  A carry of the
	 * sum is worth 59, too; with a carry, the sum is so small that adding 59 fits.
	 */
	low = mpool_mul(hash, point, &high);
	high += check_add_overflow(low, word, &low);
	sum = low + high * 59;
	return sum + (-(u64)(sum < low) & 59);
}

/*
 * Computes length and hash of a text that ends at a NUL or at @limit, in one pass, a word
 * at a time.  A word that reaches beyond the NUL is in the same page, and its bytes
 * behind the NUL are ignored.  False if the text is too long; without @edge also if the
 * text reaches a place where no whole word may be loaded.
 */
static __always_inline bool mpool_str_scan(struct mpool_str_key *key,
					   const char *s, const char *limit,
					   const struct mpool_str_secret *secret,
					   bool nocase, bool edge)
{
	const struct word_at_a_time zeros = WORD_AT_A_TIME_CONSTANTS;
	unsigned long end = mpool_str_end(s, limit), word, mask;
	const char *p = s;
	/* The first coefficient: texts of different numbers of words differ by it. */
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
 * Is @str the string of @key?  If one text is shorter, its last word has a NUL where the
 * word of the other text has none.  So no word behind the end of either text is read.
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

/* The string of @key in an array, or NULL.  Preemption is off, or the lock is held. */
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
 * The string of @key, or NULL.  Without the lock, the lookup may miss the string while
 * the table changes its size.  Preemption is off, or the lock is held.
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
