/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: reproducible random numbers, patterns in objects,
 * pools that end with their case, waiting, and failures that are injected.
 */
#ifndef _MPOOL_KUNIT_HELPERS_H
#define _MPOOL_KUNIT_HELPERS_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mpool.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "audit.h"
#include "registry.h"
#include "runs.h"

/* Module parameter: 0 takes a new seed for each case. */
extern unsigned long mpool_kunit_seed;

/* Pages that the shared pool has handed out, idle ones given back before. */
long mpool_kunit_shared_pages(void);

/* Pages of an engine's cached runs. */
static inline unsigned long mpool_kunit_cached_pages(const struct mpool_runs *runs)
{
	unsigned long pages = 0;
	u32 len;

	for (len = 1; len < RUNS_QUICK; len++)
		pages += runs->quick[len] ? len : 0;
	return pages;
}

/* Pages of an engine's free runs, cached ones too. */
static inline unsigned long mpool_kunit_free_pages(const struct mpool_runs *runs)
{
	return runs->nr_free + mpool_kunit_cached_pages(runs);
}

/* Random numbers of a case; prints the seed that repeats them. */
void mpool_kunit_random(struct kunit *test, struct rnd_state *rnd);

/* A number from 0 to @n - 1. */
static inline u32 mpool_kunit_below(struct rnd_state *rnd, u32 n)
{
	return prandom_u32_state(rnd) % n;
}

/* Fills an object with a pattern of its own, and checks that it is intact. */
void mpool_kunit_fill(void *p, size_t size, u32 tag);
bool mpool_kunit_intact(const void *p, size_t size, u32 tag);

/* Page aligned memory of vmalloc() that is there until the end of the case. */
void *mpool_kunit_memory(struct kunit *test, size_t size);

/*
 * Pools that end with their case, also if it fails.  One that a case ends itself
 * is taken back first, by the function after it.
 */
struct mpool_large *mpool_kunit_region(struct kunit *test, const char *name,
				       unsigned int npages);
struct mpool_fixed *mpool_kunit_fixed(struct kunit *test, const char *name,
				      size_t size,
				      const struct mpool_fixed_args *args);
struct mpool_fixed *mpool_kunit_own_fixed(struct kunit *test,
					  struct mpool_fixed *pool);
struct mpool_small *mpool_kunit_small(struct kunit *test, const char *name,
				      const struct mpool_small_args *args);
struct mpool_small *mpool_kunit_own_small(struct kunit *test,
					  struct mpool_small *pool);
struct mpool_string *mpool_kunit_string(struct kunit *test, const char *name,
					const struct mpool_string_args *args);
struct mpool_string *mpool_kunit_own_string(struct kunit *test,
					    struct mpool_string *pool);

/*
 * An address for memory that is not there, of pools that do not touch theirs: no
 * user's on any kernel, and none of the kernel's own.
 */
#define MPOOL_KUNIT_NOWHERE	(1UL << 63 | 1UL << 52)

/* A module that was never loaded has @p in its data: sites are there, or are refused. */
static inline void mpool_kunit_module_has(struct module *mod, void *p, size_t size)
{
	mod->mem[MOD_DATA].base = p;
	mod->mem[MOD_DATA].size = size;
}

/* Orphans of a name. */
unsigned int mpool_kunit_orphans(const char *name);

/*
 * The end of each suite: all that mpool keeps is true.  The line of the suite is
 * "not ok" else; what is broken stands before it.
 */
static inline void mpool_kunit_verified(struct kunit_suite *suite)
{
	if (mpool_verify())
		suite->suite_init_err = -EUCLEAN;
}

/* Frees of the pool that were refused. */
static inline u64 mpool_kunit_bad(const struct mpool_pool *pool)
{
	return mpool_stat_read(&pool->stats, MPOOL_STAT_BAD_FREE);
}

/*
 * Lets the other run that a thread spins for.  cond_resched() does nothing in a
 * kernel that preempts, and a UML with one CPU does not preempt who only spins.
 */
static inline void mpool_kunit_spin(void)
{
	if (num_online_cpus() == 1)
		schedule_timeout_uninterruptible(1);
	else
		cond_resched();
}

/* Waits for what happens in the background; false after 10 s. */
#define mpool_kunit_wait(cond) ({					\
	unsigned int __tries = 500;					\
	bool __done;							\
									\
	while (!(__done = (cond)) && --__tries)				\
		msleep(20);						\
	__done;								\
})

/*
 * Lets the @n-th allocation from now on fail that this task asks the kernel
 * for; mpool_kunit_fail_end() says whether there were that many.
 */
#ifdef CONFIG_FAULT_INJECTION
#define MPOOL_KUNIT_CAN_FAIL	true

static inline void mpool_kunit_fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

static inline bool mpool_kunit_fail_end(void)
{
	unsigned int left = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return !left;
}
#else
#define MPOOL_KUNIT_CAN_FAIL	false

static inline void mpool_kunit_fail_nth(unsigned int n)
{
}

static inline bool mpool_kunit_fail_end(void)
{
	return false;
}
#endif

#endif /* _MPOOL_KUNIT_HELPERS_H */
