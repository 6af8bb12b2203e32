/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks: calls from a folder to a later one.
 *
 * A file calls functions of its own folder and of folders before it by their names, and
 * functions of later folders by this struct.  main.c fills it in at compile time, so that
 * each member is set from the first pool to the last.  Only tests store to it.
 */
#ifndef _MPOOL_HOOKS_H
#define _MPOOL_HOOKS_H

#include <linux/types.h>

struct module;
struct mpool_large;
struct mpool_pool;
struct mpool_refs_count;
struct mpool_refs_run;
struct mpool_shortage;

/* What a free was refused for; the report finds out the rest. */
enum mpool_bad_free {
	MPOOL_BAD_FREE_ADDRESS,	/* not a live object of that pool */
	MPOOL_BAD_FREE_TWICE,	/* object was freed and is being freed again */
	MPOOL_BAD_FREE_UNBORN,	/* its constructor has not returned yet */
	MPOOL_BAD_REALLOC,	/* the first, but by a realloc */
};

struct mpool_hooks {
	/* Reports a free that was refused; @pool may be NULL.  Context: any. */
	void (*bad_free)(struct mpool_pool *pool, const void *p,
			 enum mpool_bad_free why, unsigned long ip);
	/* Reports the live objects of a pool that ends; returns their number.  Sleeps. */
	size_t (*leaks)(struct mpool_pool *pool);
	/* Reports foreign changes of the references to pages of a pool.  Sleeps. */
	void (*refs)(const struct mpool_pool *large,
		     const struct mpool_refs_count *news,
		     const struct mpool_refs_run *run);
	/* Logs why an allocation failed.  Context: mpool_shortage_mutex is held. */
	void (*shortage)(const struct mpool_pool *large,
			 const struct mpool_shortage *s);
	/*
	 * Called when a module is unloaded, while its text is still there: deals with all
	 * that the module still has in mpool.  Sleeps.
	 */
	void (*verdict)(struct module *mod);
	/*
	 * A pool was added to the registry or became an orphan; is about to be removed, or
	 * to become one.  Context: registry_mutex is held.
	 */
	void (*added)(struct mpool_pool *pool);
	void (*removed)(struct mpool_pool *pool);
	/*
	 * Gives empty chunks back to a large pool, before that grows; false if there were
	 * none.  Context: where the page allocator may be called; preemption may be off.
	 */
	bool (*gather)(struct mpool_large *large);
	/*
	 * For the shrinker: about how many pages have no live object; gives them up,
	 * returns about how many.  Context: shrink_mutex is held; no wait for a task that
	 * may allocate.
	 */
	unsigned long (*idle)(void);
	unsigned long (*trim)(void);
};

extern struct mpool_hooks mpool_hooks;

#endif /* _MPOOL_HOOKS_H */
