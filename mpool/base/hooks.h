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
struct mpool_page;
struct mpool_pool;
struct mpool_refs_count;
struct mpool_refs_run;
struct mpool_shortage;

/* Why a free was refused.  The report finds the other facts by the address. */
enum mpool_bad_free {
	MPOOL_BAD_FREE_ADDRESS,	/* not a live object of that pool */
	MPOOL_BAD_FREE_TWICE,	/* object was freed and is being freed again */
	MPOOL_BAD_FREE_UNBORN,	/* its constructor has not returned yet */
	MPOOL_BAD_REALLOC,	/* as MPOOL_BAD_FREE_ADDRESS, but by a realloc */
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
	 * Called when a module is unloaded, while its text is still mapped: reports the
	 * live objects and pools of the module, and ends its pools and callbacks.
	 * Sleeps.
	 */
	void (*verdict)(struct module *mod);
	/*
	 * added: a pool was added to the registry, or became an orphan.  removed: a pool
	 * will be removed from the registry, or will become an orphan.  Context:
	 * registry_mutex is held.
	 */
	void (*added)(struct mpool_pool *pool);
	void (*removed)(struct mpool_pool *pool);
	/*
	 * Frees empty chunks of the pools above a large pool, before the large pool grows
	 * or fails at its limit; false if there were none.  Context: where the page
	 * allocator may be called; preemption may be off.
	 */
	bool (*reclaim_empty)(struct mpool_large *large);
	/* The run of a chunk, from its page map entry.  Context: RCU read-side section. */
	struct mpool_page *(*chunk_run)(unsigned long entry);
	/*
	 * For the shrinker.  idle: returns the pages of all objects that are not live.
	 * trim: frees such objects, and returns their pages.  Both numbers are estimates.
	 * Context: shrink_mutex is held; neither waits for a task that may allocate.
	 */
	unsigned long (*idle)(void);
	unsigned long (*trim)(void);
};

extern struct mpool_hooks mpool_hooks;

#endif /* _MPOOL_HOOKS_H */
