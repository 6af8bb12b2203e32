/* SPDX-License-Identifier: GPL-2.0-only */
/* Arenas of engines without a pool, which cover addresses that mean nothing. */
#ifndef _KUNIT_ARENAS_H
#define _KUNIT_ARENAS_H

#include <kunit/test.h>

#include "helpers.h"
#include "runs.h"

/* Where arenas pretend to be: three pages behind a round address. */
#define FAKE_BASE	((1UL << 40) + 3 * PAGE_SIZE)

/* An engine without arenas. */
static inline struct mpool_runs *new_runs(struct kunit *test)
{
	struct mpool_runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, runs);
	return runs;
}

static inline struct mpool_arena *new_arena(struct kunit *test,
					    struct mpool_runs *runs,
					    unsigned long base, u32 npages)
{
	struct mpool_arena *arena;

	arena = kunit_kzalloc(test, mpool_arena_bytes(npages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, arena);
	mpool_arena_init(arena, runs, base, npages);
	mpool_runs_add(runs, arena);
	return arena;
}

/* Puts the one arena of an engine back to the state it began with. */
static inline void reset_arena(struct mpool_runs *runs,
			       struct mpool_arena *arena, unsigned long base,
			       u32 npages)
{
	memset(runs, 0, sizeof(*runs));
	memset(arena, 0, mpool_arena_bytes(npages));
	mpool_arena_init(arena, runs, base, npages);
	mpool_runs_add(runs, arena);
}

static inline struct mpool_page *take(struct mpool_runs *runs, u32 npages)
{
	return mpool_runs_alloc(runs, npages, 1, MPOOL_PAGE_RUN);
}

static inline int verify_one(struct mpool_runs *runs, struct mpool_arena *arena)
{
	return mpool_runs_verify_arena(runs, arena) +
	       mpool_runs_verify(runs, arena->npages, arena->nfree);
}

/* Merges all cached runs; how many that were. */
static inline u32 merge_cached(struct mpool_runs *runs)
{
	u32 len, n = 0;

	for (len = 1; len < RUNS_QUICK; len++)
		n += !!mpool_quick_merge(runs, len, NULL);
	return n;
}

static inline bool one_free_run(const struct mpool_arena *arena)
{
	return arena->nfree == arena->npages &&
	       mpool_page_state(&arena->pages[0]) == MPOOL_PAGE_FREE &&
	       arena->pages[0].len == arena->npages;
}

#endif /* _KUNIT_ARENAS_H */
