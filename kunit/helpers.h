/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: reproducible random numbers, patterns in objects,
 * and pools that end with their case.
 */
#ifndef _MPOOL_KUNIT_HELPERS_H
#define _MPOOL_KUNIT_HELPERS_H

#include <kunit/test.h>
#include <linux/mpool.h>
#include <linux/prandom.h>
#include <linux/sched.h>

/* Module parameter: 0 takes a new seed for each case. */
extern unsigned long mpool_kunit_seed;

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
