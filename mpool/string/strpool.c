// SPDX-License-Identifier: GPL-2.0-only
/*
 * String pools: one copy of each string, counted by reference.
 *
 * Structure: a string pool begins with a small pool of its own, and each string is an
 * object of that.  In front of the text are 16 bytes: the link of the string in the table
 * (strtab.c), its hash, and its count.  A get of a string that is in the pool takes one
 * pass over the characters, a lookup and a reference, without a lock.
 *
 * The small pool and the string pool have one struct mpool_pool.  It is registered with
 * string_ops; charges and reports name the string pool.
 *
 * The put of the last reference removes a string from the table, under the lock, and adds
 * it to the list @retired.  A work item takes the whole list, waits for a grace period,
 * and frees the strings.
 *
 * Invariant, checked by mpool_string_verify():
 *	the table has the strings with a reference, each of them once; no two strings of
 *	the table are equal.
 *
 * Locking: strings->tab.lock (spinlock_t, so not in NMI context, and not in the atomic
 * contexts of PREEMPT_RT) for writers of the table, for the step of a count to zero, and
 * to add to @retired.  Readers have preemption off, also while they compare a long
 * string; this costs a third of rcu_read_lock().
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "strpool.h"

static __always_inline int string_check(const struct mpool_string *pool)
{
	return mpool_pool_check("string", pool);
}

static struct mpool_str *str_of(const char *s)
{
	return (struct mpool_str *)(s - offsetof(struct mpool_str, text));
}

/*
 * Takes a reference to a string; false if the count is 0 or INT_MAX.  A count of 0 is
 * never raised: the string is not in the table any more, and will be freed.
 */
static __always_inline bool str_hold(struct mpool_str *str)
{
	int refs = atomic_read(&str->refs), more;

	do {
		more = (unsigned int)refs + 1;
		if (unlikely(more <= 1))
			return false;
	} while (!atomic_try_cmpxchg(&str->refs, &refs, more));
	return true;
}

static void str_free(struct mpool_string *strings, struct mpool_str *str)
{
	mpool_small_do_free(&strings->small, str, MPOOL_FREE_INTERNAL, _RET_IP_);
}

static struct mpool_str *str_new(struct mpool_string *strings,
				 const struct mpool_str_key *key, gfp_t gfp,
				 struct mpool_site *site)
{
	size_t i, n = key->whole / sizeof(unsigned long);
	struct mpool_str *str;

	str = mpool_small_do_alloc(&strings->small, struct_size(str, text, n + 1),
				   gfp, site);
	if (!str)
		return NULL;
	/* The large pool may have got device memory after this pool was created. */
	if (!mpool_large_touchable(strings->small.large)) {
		pr_warn_ratelimited("string pool \"%s\": device memory is never touched, it cannot have strings\n",
				    strings->small.base.name);
		str_free(strings, str);
		return NULL;
	}
	atomic_set(&str->refs, 1);
	str->hash = key->hash;
	for (i = 0; i < n; i++)
		str->text[i] = read_word_at_a_time(key->s +
						   i * sizeof(key->last));
	str->text[n] = key->last;
	return str;
}

/* Adds a string that a lookup without the lock has not found. */
static const char *str_add(struct mpool_string *strings,
			   const struct mpool_str_key *key, gfp_t gfp,
			   struct mpool_site *site)
{
	struct mpool_str *new, *str;
	unsigned long flags;

	new = str_new(strings, key, gfp, site);
	if (!new)
		return NULL;
	spin_lock_irqsave(&strings->tab.lock, flags);
	/* Another CPU may have added the same text, or the lookup may have missed it. */
	str = mpool_strtab_find_locked(&strings->tab, key);
	if (likely(!str)) {
		mpool_strtab_add_locked(&strings->tab, new);
		str = new;
	} else if (!str_hold(str)) {
		/* The count is INT_MAX: in the table, under the lock, it is not 0. */
		str = NULL;
	}
	spin_unlock_irqrestore(&strings->tab.lock, flags);
	if (unlikely(str != new))
		str_free(strings, new);
	if (!str)
		mpool_pool_failed(&strings->small.base, key->whole, gfp, mpool_site_id(site));
	return str ? mpool_str_text(str) : NULL;
}

static __always_inline struct mpool_str *
str_find(struct mpool_string *strings, const struct mpool_str_key *key,
	 bool nocase)
{
	struct mpool_str *str;

	preempt_disable();
	str = mpool_strtab_find(&strings->tab, key, nocase);
	if (unlikely(!str || !str_hold(str)))
		str = NULL;
	preempt_enable();
	return str;
}

static noinline bool str_scan(const struct mpool_string *strings,
			      struct mpool_str_key *key, const char *s,
			      const char *limit)
{
	return mpool_str_scan(key, s, limit, &strings->tab.secret,
			      strings->tab.nocase, true);
}

/* Is the text of a caller no address?  Then prints a line, at a limited rate. */
static bool text_bad(const struct mpool_string *strings, const char *s,
		     unsigned long ip)
{
	if (likely(!mpool_no_address(s)))
		return false;
	pr_err_ratelimited("string pool \"%s\": the string is %ld, not an address; called from %pS\n",
			   strings->small.base.name, (long)s, (void *)ip);
	return true;
}

/* Refuses NMI context: the NMI may have interrupted the holder of the lock. */
static bool in_nmi_bad(const struct mpool_string *strings, unsigned long ip)
{
	if (likely(!in_nmi()))
		return false;
	pr_err_ratelimited("string pool \"%s\" is not for NMI context; called from %pS\n",
			   strings->small.base.name, (void *)ip);
	return true;
}

/* The slow path: serves or refuses any request, from the start. */
static noinline const char *str_get(struct mpool_string *strings, const char *s,
				    const char *limit, gfp_t gfp,
				    struct mpool_site *site, unsigned long ip)
{
	struct mpool_str_key key;
	struct mpool_str *str;

	if (!s)
		return NULL;
	if (IS_ERR_OR_NULL(strings)) {
		mpool_pool_none("string", strings, ip);
		return NULL;
	}
	if (text_bad(strings, s, ip))
		return NULL;
	if (!str_scan(strings, &key, s, limit)) {
		mpool_pool_failed(&strings->small.base, SIZE_MAX, gfp,
				  mpool_site_id(site));
		return NULL;
	}
	str = str_find(strings, &key, strings->tab.nocase);
	if (!str && in_nmi_bad(strings, ip))
		return NULL;
	return str ? mpool_str_text(str) : str_add(strings, &key, gfp, site);
}

const char *mpool_string_getn_at(struct mpool_string *pool, const char *s,
				 size_t len, gfp_t gfp, struct mpool_site *site)
{
	mpool_might_alloc(gfp);
	len = min_t(size_t, len, MPOOL_STR_NO_LIMIT - s);
	return str_get(pool, s, s + len, gfp, site, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_string_getn_at);

/*
 * May @s be no address?  One comparison; if the addresses of the kernel are negative,
 * it also finds addresses of user space.  str_get() decides.
 */
static __always_inline bool text_odd(const char *s)
{
	return MPOOL_KERNEL_IS_NEGATIVE ? mpool_pool_bad(s) :
					  mpool_no_address(s);
}

/*
 * The fast path.  All rare cases are one tail call of str_get(), so this function saves
 * few registers.
 */
const char *mpool_string_get_at(struct mpool_string *pool, const char *s,
				gfp_t gfp, struct mpool_site *site)
{
	struct mpool_str_key key;
	struct mpool_str *str;

	if (text_odd(s) || mpool_pool_bad(pool) || unlikely(pool->tab.nocase))
		goto slow;
	mpool_might_alloc(gfp);
	if (unlikely(!mpool_str_scan(&key, s, MPOOL_STR_NO_LIMIT,
				     &pool->tab.secret, false, false)))
		goto slow;
	str = str_find(pool, &key, false);
	if (likely(str))
		return mpool_str_text(str);
slow:
	return str_get(pool, s, MPOOL_STR_NO_LIMIT, gfp, site, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpool_string_get_at);

/* --- the last reference --- */

static void retired_fn(struct work_struct *work)
{
	struct mpool_string *strings = container_of(work, struct mpool_string,
						    work);
	struct llist_node *node = llist_del_all(&strings->retired), *next;

	/* A reader may still compare one of these strings. */
	synchronize_rcu();
	for (; node; node = next) {
		next = node->next;
		str_free(strings, str_of((char *)node));
		cond_resched();
	}
}

/* Waits until all strings without a reference are freed.  Sleeps. */
void mpool_string_flush(struct mpool_string *strings)
{
	/*
	 * An orphan ends as soon as its table is empty.  The put on another CPU that has
	 * removed the last string may not have queued the work item yet, but it holds the
	 * lock until it has.
	 */
	spin_lock_irq(&strings->tab.lock);
	spin_unlock_irq(&strings->tab.lock);
	flush_work(&strings->work);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_string_flush);

/* Removes a string from the table, and leaves it to the work item. */
static void str_remove_locked(struct mpool_string *strings,
			      struct mpool_str *str)
{
	lockdep_assert_held(&strings->tab.lock);
	atomic_set(&str->refs, 0);
	mpool_strtab_del_locked(&strings->tab, str);
	/*
	 * A reader without the lock may stand on the string.  Its link in the table and
	 * its hash do not change.  The first word of its text becomes the link of the
	 * list: a reader that compares that word finds another text, or takes no
	 * reference, because the count is 0.
	 *
	 * llist_add() returns true if the list was empty.  If the work item runs, it has
	 * taken only the strings before this one, and is queued again.
	 */
	smp_wmb(); /* The count comes first, for a reader that compares the text. */
	if (llist_add((struct llist_node *)str->text, &strings->retired))
		queue_work(mpool_wq, &strings->work);
}

/* Drops a reference that is not the last; false if the count is 1 or 0. */
static __always_inline bool str_drop(struct mpool_str *str)
{
	int refs = atomic_read(&str->refs);

	do {
		if (unlikely(refs <= 1))
			return false;
	} while (!atomic_try_cmpxchg(&str->refs, &refs, refs - 1));
	return true;
}

/*
 * Drops a reference, the last one too.  The caller is in an RCU read-side section, which
 * keeps the string.
 */
static void str_drop_last(struct mpool_string *strings, struct mpool_str *str,
			  unsigned long ip)
{
	unsigned long flags;
	int left;

	/* Then the reference, and so the string, leaks; the log has a line about it. */
	if (in_nmi_bad(strings, ip))
		return;
	spin_lock_irqsave(&strings->tab.lock, flags);
	/*
	 * Other CPUs may take and drop references without the lock, but the step to 0
	 * needs it, and a string with a count of 0 is removed before the lock is
	 * released.
	 */
	left = atomic_dec_if_positive(&str->refs);
	if (likely(!left))
		str_remove_locked(strings, str);
	spin_unlock_irqrestore(&strings->tab.lock, flags);
	if (unlikely(left < 0))
		mpool_pool_bad_free(&strings->small.base, mpool_str_text(str),
				    MPOOL_BAD_FREE_TWICE, ip);
}

/*
 * A put that needs the lock, of a string that is known to be one of the pool.  Called
 * with preemption off; enables it.
 */
static noinline void put_last(struct mpool_string *strings,
			      struct mpool_str *str, unsigned long ip)
{
	/* On PREEMPT_RT the lock may sleep: RCU keeps the string from here on. */
	rcu_read_lock();
	preempt_enable();
	str_drop_last(strings, str, ip);
	rcu_read_unlock();
}

/*
 * A put of a string that is a run, or of any other value.  Called with preemption off;
 * enables it.
 */
static noinline void put_other(struct mpool_string *strings, const char *s,
			       unsigned long ip)
{
	struct mpool_str *str = str_of(s);

	rcu_read_lock();
	preempt_enable();
	if (!s || IS_ERR_OR_NULL(strings))
		(void)(s && mpool_pool_none("string", strings, ip));
	else if (mpool_object_owner(str) != &strings->small.base)
		mpool_pool_bad_free(&strings->small.base, s,
				    MPOOL_BAD_FREE_ADDRESS, ip);
	else
		str_drop_last(strings, str, ip);
	rcu_read_unlock();
}

void __mpool_string_put(struct mpool_string *pool, const char *s)
{
	struct mpool_str *str = str_of(s);
	struct mpool_chunk *chunk;
	u32 i;

	preempt_disable();
	/* The string is not accessed before it is known to be one of this pool. */
	chunk = mpool_chunk_near(str);
	i = mpool_chunk_index(chunk, (unsigned long)str);
	if (unlikely(mpool_pool_bad(pool) || i >= chunk->at.nr ||
		     chunk->at.fixed->owner != &pool->small.base ||
		     !mpool_obj_live_at(&chunk->state[i])))
		return put_other(pool, s, _RET_IP_);
	if (unlikely(!str_drop(str)))
		return put_last(pool, str, _RET_IP_);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(__mpool_string_put);

bool mpool_string_has(struct mpool_string *pool, const char *s)
{
	struct mpool_str_key key;
	struct mpool_str *str;
	unsigned long flags;
	bool has;

	if (!s || string_check(pool) || text_bad(pool, s, _RET_IP_))
		return false;
	if (!str_scan(pool, &key, s, MPOOL_STR_NO_LIMIT))
		return false;
	preempt_disable();
	str = mpool_strtab_find(&pool->tab, &key, pool->tab.nocase);
	has = str && atomic_read(&str->refs) > 0;
	preempt_enable();
	if (has || in_nmi_bad(pool, _RET_IP_))
		return has;
	spin_lock_irqsave(&pool->tab.lock, flags);
	has = mpool_strtab_find_locked(&pool->tab, &key);
	spin_unlock_irqrestore(&pool->tab.lock, flags);
	return has;
}
EXPORT_SYMBOL_GPL(mpool_string_has);

/* --- the whole pool --- */

static void string_count(struct mpool_pool *pool, struct mpool_count *count)
{
	mpool_small_count(pool, count);
	/* Without the strings that wait for a grace period. */
	count->live = READ_ONCE(to_strings(pool)->tab.nr);
}

struct string_visit {
	mpool_visit_fn fn;
	void *arg;
};

/* Passes a string to the visitor, with the address that its users have. */
static int visit_string(const struct mpool_obj *obj, void *arg)
{
	const struct mpool_str *str = obj->addr;
	struct string_visit *visit = arg;
	struct mpool_obj seen = {
		.addr = str->text,
		.size = obj->size,
		.site = obj->site,
	};
	atomic_t refs;

	/* The string may be freed, and its page unmapped, meanwhile. */
	if (copy_from_kernel_nofault(&refs, &str->refs, sizeof(refs)))
		return 0;
	return atomic_read(&refs) > 0 ? visit->fn(&seen, visit->arg) : 0;
}

/*
 * Copies the first characters of a string that was in the pool a moment ago.  Returns its
 * count, or 0 if the string is not in the pool any more.
 */
int mpool_string_peek(struct mpool_pool *pool, const char *s,
		      char text[MPOOL_STRING_PEEK])
{
	struct mpool_string *strings = to_strings(pool);
	struct mpool_str *str = str_of(s);
	int refs = 0;
	u32 hash;

	/* Without the lock the string may be freed, and its page unmapped. */
	if (copy_from_kernel_nofault(&hash, &str->hash, sizeof(hash)))
		return 0;
	/* A string that is in the table stays there as long as the lock is held. */
	spin_lock_irq(&strings->tab.lock);
	if (mpool_strtab_has_locked(&strings->tab, str, hash)) {
		strscpy(text, mpool_str_text(str), MPOOL_STRING_PEEK);
		refs = atomic_read(&str->refs);
	}
	spin_unlock_irq(&strings->tab.lock);
	return refs;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_string_peek);

static int string_walk(struct mpool_pool *pool, mpool_visit_fn fn, void *arg)
{
	struct string_visit visit = { .fn = fn, .arg = arg };

	return mpool_small_walk(pool, visit_string, &visit);
}

/*
 * Frees nothing.  A string is shared, and its site is only the site of its first get: the
 * unload of the module of that site frees no string.
 */
static size_t string_reclaim(struct mpool_pool *pool, const struct module *mod)
{
	return 0;
}

/* Removes every string from the table. */
static void string_empty(struct mpool_string *strings)
{
	struct mpool_strtab *tab = &strings->tab;
	struct mpool_str *str;
	unsigned long i;

	mutex_lock(&tab->resize_mutex);
	for (i = 0; i < mpool_strtab_chains(tab); i++) {
		do {
			spin_lock_irq(&tab->lock);
			str = mpool_strtab_first_locked(tab, i);
			if (str)
				str_remove_locked(strings, str);
			spin_unlock_irq(&tab->lock);
			cond_resched();
		} while (str);
	}
	mutex_unlock(&tab->resize_mutex);
}

static void string_teardown(struct mpool_string *strings)
{
	mpool_string_flush(strings);
	mpool_strtab_end(&strings->tab);
	mpool_small_teardown(&strings->small);
}

static void string_dispose(struct mpool_pool *pool)
{
	string_teardown(to_strings(pool));
}

/* Ends a pool after the report, or makes it an orphan. */
static void string_finish(struct mpool_pool *pool, bool keep)
{
	struct mpool_string *strings = to_strings(pool);

	mpool_small_kill(&strings->small);
	if (keep) {
		mpool_pool_orphan(pool);
		return;
	}
	mpool_pool_unregister(pool);
	string_empty(strings);
	string_teardown(strings);
}

struct string_tally {
	struct mpool_string *strings;
	unsigned long seen;
	int bad;
};

/* Checks that a lookup of the text of a string finds that string: then it is unique. */
static int verify_string(const struct mpool_obj *obj, void *arg)
{
	struct mpool_str *str = (struct mpool_str *)obj->addr;
	struct string_tally *tally = arg;
	struct mpool_strtab *tab = &tally->strings->tab;
	struct mpool_str_key key;

	tally->seen++;
	tally->bad += mpool_broken(atomic_read(&str->refs) <= 0);
	tally->bad += mpool_broken(!str_scan(tally->strings, &key,
					     mpool_str_text(str),
					     MPOOL_STR_NO_LIMIT));
	tally->bad += mpool_broken(key.hash != str->hash);
	tally->bad += mpool_broken(str !=
				   mpool_strtab_find(tab, &key, tab->nocase));
	return 0;
}

/* Number of breaches of the invariant, in a pool that is at rest. */
int mpool_string_verify(struct mpool_string *strings)
{
	struct string_tally tally = { .strings = strings };

	mpool_string_flush(strings);
	mutex_lock(&strings->tab.resize_mutex);
	mpool_small_walk(&strings->small.base, verify_string, &tally);
	tally.bad += mpool_broken(tally.seen != strings->tab.nr);
	tally.bad += mpool_strtab_verify(&strings->tab);
	mutex_unlock(&strings->tab.resize_mutex);
	return tally.bad + mpool_small_verify(&strings->small);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_string_verify);

static int string_verify(struct mpool_pool *pool)
{
	return mpool_string_verify(to_strings(pool));
}

static const struct mpool_pool_ops string_ops = {
	.kind = MPOOL_KIND_STRING,
	.kind_name = "string",
	.count = string_count,
	.walk = string_walk,
	.verify = string_verify,
	.footprint = mpool_small_footprint,
	.reclaim = string_reclaim,
	.finish = string_finish,
	.dispose = string_dispose,
};

static struct mpool_string *string_setup(const char *name,
					 const struct mpool_string_args *args,
					 struct mpool_site *site)
{
	struct mpool_small_args small_args = {
		.large = args->large,
		.on_leak = args->on_leak,
	};
	struct mpool_string *strings;
	struct mpool_small *small;
	int err = -EINVAL;

	small = mpool_small_setup(name, &small_args, &string_ops,
				  sizeof(*strings), site);
	if (IS_ERR(small))
		return ERR_CAST(small);
	strings = container_of(small, struct mpool_string, small);
	INIT_WORK(&strings->work, retired_fn);
	if (args->flags & ~MPOOL_STRING_NOCASE)
		mpool_refuse(&string_ops, name, "flags are unknown");
	else if (!mpool_large_touchable(small->large))
		mpool_refuse(&string_ops, name,
			     "large has device memory, which is never touched");
	else
		err = mpool_strtab_init(&strings->tab,
					args->flags & MPOOL_STRING_NOCASE);
	if (!err)
		return strings;
	mpool_small_teardown(small);
	return ERR_PTR(err);
}

struct mpool_string *__mpool_string_create(const char *name,
					   const struct mpool_string_args *args,
					   struct mpool_site *site)
{
	static const struct mpool_string_args none;
	struct mpool_string *strings;
	int err;

	err = mpool_create_check("string", name, args);
	if (err)
		return ERR_PTR(err);
	strings = string_setup(name, args ?: &none, site);
	if (IS_ERR(strings))
		return strings;
	err = mpool_pool_register(&strings->small.base);
	if (err) {
		string_teardown(strings);
		return ERR_PTR(err);
	}
	return strings;
}
EXPORT_SYMBOL_GPL(__mpool_string_create);

void mpool_string_clear(struct mpool_string *pool)
{
	if (string_check(pool) || !mpool_pool_may_change(&pool->small.base, "cleared"))
		return;
	string_empty(pool);
	/* The strings are freed when this function returns. */
	mpool_string_flush(pool);
}
EXPORT_SYMBOL_GPL(mpool_string_clear);

size_t __mpool_string_destroy(struct mpool_string *pool)
{
	struct mpool_pool *face;
	size_t leaks;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	face = mpool_pool_claim(&string_ops, pool, _RET_IP_);
	if (!face)
		return 0;
	leaks = mpool_pool_leaks(face);
	string_finish(face, leaks && mpool_pool_keeps(face));
	return leaks;
}
EXPORT_SYMBOL_GPL(__mpool_string_destroy);
