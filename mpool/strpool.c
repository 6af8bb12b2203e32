// SPDX-License-Identifier: GPL-2.0-only
/*
 * String pools: one copy of each string, counted by reference.
 *
 * Structure: a string is an object of a small pool that this pool has for
 * itself, with its hash table node, count and length in front.  A hit is a
 * lookup under RCU and a reference, without a lock.  The table is the kernel's
 * rhashtable.
 *
 * The small pool's face is the string pool's: it is registered with this file's
 * operations, and charged and asked as one pool.
 *
 * A string whose last reference goes leaves the table, under the lock, and is
 * freed after a grace period.  A lookup that finds it in between finds a count
 * of zero, which it must not raise; it goes on as if it had found nothing.
 *
 * Invariant, checked by mpool_string_verify():
 *	the strings in the table are those with a reference, each once; there
 *	are nr_strings of them; equal strings are the same string.
 *
 * Locking: strings->lock (spinlock_t, so not for NMI, nor for the atomic
 * contexts of PREEMPT_RT) for the table's writers and for the change of a count
 * from and to zero.
 */
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "strpool.h"

struct str {
	struct rhash_head node;
	atomic_t refs;
	u32 hash;
	size_t len;
	struct rcu_head rcu;
	char s[];
};

struct str_key {
	const char *s;
	size_t len;
	u32 hash;
	bool nocase;
};

/* Letters of ASCII only: tolower() folds half of Latin-1 too. */
static u8 fold(u8 c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len && fold(a[i]) == fold(b[i]); i++)
		;
	return i == len;
}

/* FNV-1a over folded characters: jhash wants them in one piece. */
static u32 hash_nocase(const char *s, size_t len)
{
	u32 hash = 0x811c9dc5;

	while (len--)
		hash = (hash ^ fold(*s++)) * 0x01000193;
	return hash;
}

static struct str_key str_key(const struct mpool_string *strings, const char *s,
			      size_t len)
{
	return (struct str_key){
		.s = s,
		.len = len,
		.hash = strings->nocase ? hash_nocase(s, len) :
					  jhash(s, len, 0),
		.nocase = strings->nocase,
	};
}

static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct str_key *key = data;

	return key->hash ^ seed;
}

static u32 str_hash(const void *data, u32 len, u32 seed)
{
	const struct str *str = data;

	return str->hash ^ seed;
}

static int str_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct str_key *key = arg->key;
	const struct str *str = obj;

	if (key->hash != str->hash || key->len != str->len)
		return 1;
	return key->nocase ? !same_nocase(key->s, str->s, key->len) :
			     memcmp(key->s, str->s, key->len);
}

static const struct rhashtable_params str_params = {
	.head_offset = offsetof(struct str, node),
	.hashfn = key_hash,
	.obj_hashfn = str_hash,
	.obj_cmpfn = str_cmp,
	.automatic_shrinking = true,
};

static __always_inline int string_check(const struct mpool_string *pool)
{
	return mpool_pool_check("string", pool);
}

/* One more reference; false if there is none left, or no more can be counted. */
static bool str_hold(struct str *str)
{
	int refs = atomic_read(&str->refs);

	do {
		if (refs <= 0 || refs == INT_MAX)
			return false;
	} while (!atomic_try_cmpxchg(&str->refs, &refs, refs + 1));
	return true;
}

static struct str *str_find(struct mpool_string *strings,
			    const struct str_key *key)
{
	struct str *str;

	rcu_read_lock();
	str = rhashtable_lookup(&strings->table, key, str_params);
	if (str && !str_hold(str))
		str = NULL;
	rcu_read_unlock();
	return str;
}

static struct str *str_new(struct mpool_string *strings,
			   const struct str_key *key, gfp_t gfp,
			   struct mpool_site *site)
{
	struct str *str;
	size_t size;

	if (check_add_overflow(key->len, sizeof(*str) + 1, &size))
		return NULL;
	str = mpool_small_take(strings->small, size, gfp, site);
	if (!str)
		return NULL;
	atomic_set(&str->refs, 1);
	str->hash = key->hash;
	str->len = key->len;
	memcpy(str->s, key->s, key->len);
	str->s[key->len] = '\0';
	return str;
}

static void str_free(struct mpool_string *strings, struct str *str)
{
	mpool_small_give(strings->small, str, MPOOL_GIVE_INTERNAL, _RET_IP_);
}

static void str_free_rcu(struct rcu_head *rcu)
{
	struct str *str = container_of(rcu, struct str, rcu);
	struct mpool_pool *owner = mpool_object_owner(str);
	struct mpool_small *small;

	if (WARN_ON_ONCE(!owner))
		return;
	small = container_of(owner, struct mpool_small, pool);
	str_free(small->above, str);
}

/* Puts a new string into the table, or finds that somebody else did. */
static struct str *str_insert(struct mpool_string *strings, struct str *new,
			      const struct str_key *key)
{
	unsigned long flags;
	struct str *str;

	spin_lock_irqsave(&strings->lock, flags);
	str = str_find(strings, key);
	if (!str && !rhashtable_insert_fast(&strings->table, &new->node,
					    str_params)) {
		atomic_long_inc(&strings->nr_strings);
		str = new;
	}
	spin_unlock_irqrestore(&strings->lock, flags);
	if (str != new)
		str_free(strings, new);
	return str;
}

const char *mpool_string_getn_at(struct mpool_string *pool, const char *s,
				 size_t len, gfp_t gfp, struct mpool_site *site)
{
	struct str_key key;
	struct str *str;

	if (!s || string_check(pool))
		return NULL;
	might_alloc(gfp);
	key = str_key(pool, s, strnlen(s, len));
	str = str_find(pool, &key);
	if (!str) {
		str = str_new(pool, &key, gfp, site);
		if (str)
			str = str_insert(pool, str, &key);
	}
	return str ? str->s : NULL;
}
EXPORT_SYMBOL_GPL(mpool_string_getn_at);

const char *mpool_string_get_at(struct mpool_string *pool, const char *s,
				gfp_t gfp, struct mpool_site *site)
{
	return mpool_string_getn_at(pool, s, SIZE_MAX, gfp, site);
}
EXPORT_SYMBOL_GPL(mpool_string_get_at);

/* Takes a string out of the table, for good. */
static void str_remove_locked(struct mpool_string *strings, struct str *str)
{
	lockdep_assert_held(&strings->lock);
	atomic_set(&str->refs, 0);
	rhashtable_remove_fast(&strings->table, &str->node, str_params);
	atomic_long_dec(&strings->nr_strings);
	call_rcu(&str->rcu, str_free_rcu);
}

/* Drops a reference; false if there was none. */
static bool str_drop(struct mpool_string *strings, struct str *str)
{
	int refs = atomic_read(&str->refs);
	unsigned long flags;

	while (refs > 1)
		if (atomic_try_cmpxchg(&str->refs, &refs, refs - 1))
			return true;
	spin_lock_irqsave(&strings->lock, flags);
	/* Others may still take and drop references, but not the last one. */
	do {
		refs = atomic_read(&str->refs);
	} while (refs > 0 && atomic_cmpxchg(&str->refs, refs, refs - 1) != refs);
	if (refs == 1)
		str_remove_locked(strings, str);
	spin_unlock_irqrestore(&strings->lock, flags);
	return refs > 0;
}

void mpool_string_put(struct mpool_string *pool, const char *s)
{
	struct str *str = (struct str *)(s - offsetof(struct str, s));

	if (!s || string_check(pool))
		return;
	rcu_read_lock();
	/* Not touched before it is known to be a string of this pool. */
	if (mpool_object_owner(str) != &pool->small->pool)
		mpool_pool_bad_free(&pool->small->pool, s,
				    MPOOL_BAD_FREE_ADDRESS, _RET_IP_);
	else if (!str_drop(pool, str))
		mpool_pool_bad_free(&pool->small->pool, s,
				    MPOOL_BAD_FREE_TWICE, _RET_IP_);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(mpool_string_put);

bool mpool_string_has(struct mpool_string *pool, const char *s)
{
	struct str_key key;
	struct str *str;
	bool has;

	if (!s || string_check(pool))
		return false;
	key = str_key(pool, s, strlen(s));
	rcu_read_lock();
	str = rhashtable_lookup(&pool->table, &key, str_params);
	has = str && atomic_read(&str->refs) > 0;
	rcu_read_unlock();
	return has;
}
EXPORT_SYMBOL_GPL(mpool_string_has);

/* --- the whole pool --- */

static struct mpool_string *strings_of(struct mpool_pool *pool)
{
	return container_of(pool, struct mpool_small, pool)->above;
}

static void string_count(struct mpool_pool *pool, struct mpool_count *count)
{
	struct mpool_string *strings = strings_of(pool);

	mpool_small_count(strings->small, count);
	/* Not those that only wait for their grace period. */
	count->live = atomic_long_read(&strings->nr_strings);
}

struct string_visit {
	mpool_visit_fn fn;
	void *arg;
};

/* Shows a string as its user knows it. */
static int visit_string(const struct mpool_obj *obj, void *arg)
{
	const struct str *str = obj->addr;
	struct string_visit *visit = arg;
	struct mpool_obj seen = {
		.addr = str->s,
		.size = obj->size,
		.site = obj->site,
	};
	atomic_t refs;

	/* It may be freed under our eyes: no fault, and no report, for that. */
	if (copy_from_kernel_nofault(&refs, &str->refs, sizeof(refs)))
		return 0;
	return atomic_read(&refs) > 0 ? visit->fn(&seen, visit->arg) : 0;
}

static int string_walk(struct mpool_pool *pool, mpool_visit_fn fn, void *arg)
{
	struct string_visit visit = { .fn = fn, .arg = arg };

	return mpool_small_walk(strings_of(pool)->small, visit_string, &visit);
}

/*
 * A string is shared, and its site only the first of those who hold it: none
 * is taken away because a module goes.
 */
static size_t string_reclaim(struct mpool_pool *pool, const struct module *mod)
{
	return 0;
}

/* Takes every string out of the table. */
static void string_empty(struct mpool_string *pool)
{
	struct rhashtable_iter iter;
	unsigned long flags;
	struct str *str;

	rhashtable_walk_enter(&pool->table, &iter);
	rhashtable_walk_start(&iter);
	while ((str = rhashtable_walk_next(&iter))) {
		/* The table was resized: the walk begins again by itself. */
		if (IS_ERR(str))
			continue;
		spin_lock_irqsave(&pool->lock, flags);
		if (atomic_read(&str->refs) > 0)
			str_remove_locked(pool, str);
		spin_unlock_irqrestore(&pool->lock, flags);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void string_put(struct mpool_string *strings)
{
	rcu_barrier();
	rhashtable_destroy(&strings->table);
	mpool_small_put(strings->small);
	kfree(strings);
}

static void string_dispose(struct mpool_pool *pool)
{
	string_put(strings_of(pool));
}

/* Ends a pool after the report, or makes an orphan of it. */
static void string_finish(struct mpool_pool *pool, bool keep)
{
	struct mpool_string *strings = strings_of(pool);

	mpool_small_kill(strings->small);
	if (keep) {
		mpool_pool_orphan(pool);
		return;
	}
	mpool_pool_unregister(pool);
	string_empty(strings);
	string_put(strings);
}

static const struct mpool_pool_ops string_ops = {
	.kind = MPOOL_KIND_STRING,
	.kind_name = "string",
	.count = string_count,
	.walk = string_walk,
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
	int err;

	strings = kzalloc(sizeof(*strings), GFP_KERNEL);
	if (!strings)
		return ERR_PTR(-ENOMEM);
	strings->small = mpool_small_setup(name, &small_args, &string_ops,
					   site);
	if (IS_ERR(strings->small)) {
		err = PTR_ERR(strings->small);
		goto err_free;
	}
	strings->small->above = strings;
	strings->nocase = args->flags & MPOOL_STRING_NOCASE;
	spin_lock_init(&strings->lock);
	err = -EINVAL;
	if (args->flags & ~MPOOL_STRING_NOCASE) {
		mpool_refuse(&string_ops, name, "flags are unknown");
		goto err_small;
	}
	err = rhashtable_init(&strings->table, &str_params);
	if (err)
		goto err_small;
	return strings;

err_small:
	mpool_small_put(strings->small);
err_free:
	kfree(strings);
	return ERR_PTR(err);
}

struct mpool_string *__mpool_string_create(const char *name,
					   const struct mpool_string_args *args,
					   struct mpool_site *site)
{
	static const struct mpool_string_args none;
	struct mpool_string *strings;
	int err;

	strings = string_setup(name, args ?: &none, site);
	if (IS_ERR(strings))
		return strings;
	err = mpool_pool_register(&strings->small->pool);
	if (err) {
		string_put(strings);
		return ERR_PTR(err);
	}
	return strings;
}
EXPORT_SYMBOL_GPL(__mpool_string_create);

void mpool_string_clear(struct mpool_string *pool)
{
	if (string_check(pool))
		return;
	string_empty(pool);
	/* Their memory is back when this returns. */
	rcu_barrier();
}
EXPORT_SYMBOL_GPL(mpool_string_clear);

size_t mpool_string_destroy(struct mpool_string *pool)
{
	struct mpool_pool *face;
	size_t leaks;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	face = &pool->small->pool;
	leaks = mpool_pool_leaks(face);
	string_finish(face, leaks && mpool_pool_keeps(face));
	return leaks;
}
EXPORT_SYMBOL_GPL(mpool_string_destroy);

struct string_tally {
	struct mpool_string *strings;
	long seen;
	int bad;
};

/* A string is in the table under its content, and thus is the only such one. */
static int verify_string(const struct mpool_obj *obj, void *arg)
{
	struct string_tally *tally = arg;
	const struct str *str = obj->addr;
	struct str_key key = str_key(tally->strings, str->s, str->len);

	tally->seen++;
	tally->bad += atomic_read(&str->refs) <= 0 || key.hash != str->hash;
	tally->bad += str->s[str->len] != '\0';
	tally->bad += rhashtable_lookup(&tally->strings->table, &key,
					str_params) != str;
	return 0;
}

/* Number of breaches of the invariants, in a pool that is at rest. */
int mpool_string_verify(struct mpool_string *strings)
{
	struct string_tally tally = { .strings = strings };
	long nr;

	rcu_barrier();
	/* Not by walking the table, which may be between two sizes. */
	mpool_small_walk(strings->small, verify_string, &tally);
	nr = atomic_long_read(&strings->nr_strings);
	tally.bad += tally.seen != nr;
	tally.bad += atomic_read(&strings->table.nelems) != nr;
	return tally.bad + mpool_small_verify(strings->small);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_string_verify);
