// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookup: the live object that begins at an address.
 *
 * Structure: the page map leads to a chunk or to an arena.  A chunk has the state of each
 * object, and an arena has the descriptor of each page.
 *
 * Invariant: any value may be looked up, because only tables of mpool are read.
 *
 * Locking: RCU and preemption off, for chunks and arenas.  The answer is a snapshot unless
 * the caller owns the object.  The pool in it may be gone then, unless the caller is in an
 * RCU read-side section.
 */
#include <linux/rcupdate.h>

#include "fixed.h"
#include "lookup.h"

/* The live object that begins at an address.  Any value. */
struct mpool_found mpool_object_find(const void *p)
{
	struct mpool_chunk *chunk;
	struct mpool_found found = { 0 };
	struct mpool_page *pg;
	u16 *state;

	rcu_read_lock();
	preempt_disable();
	chunk = mpool_chunk_find(p);
	if (chunk) {
		state = mpool_chunk_state(chunk, (unsigned long)p);
		if (state && mpool_obj_live(READ_ONCE(*state))) {
			found.owner = chunk->at.fixed->owner;
			found.size = chunk->at.fixed->chunks.size;
		}
	} else {
		pg = mpool_large_lookup(p);
		if (pg) {
			found.owner = mpool_page_owner(pg);
			found.size = mpool_page_bytes(pg);
		}
	}
	preempt_enable();
	rcu_read_unlock();
	return found;
}

/* The pool that a live object belongs to, or NULL.  Any value. */
struct mpool_pool *mpool_object_owner(const void *p)
{
	return mpool_object_find(p).owner;
}

/* Usable bytes of the live object that begins at @p, or 0.  Any value. */
size_t mpool_object_size(const void *p)
{
	struct mpool_found found = mpool_object_find(p);

	return found.owner ? found.size : 0;
}

/* The run of a chunk, for mpool_hooks.  @entry leads to the chunk. */
struct mpool_page *mpool_object_run(unsigned long entry)
{
	return ((struct mpool_chunk *)entry)->pg;
}
