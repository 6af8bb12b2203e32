// SPDX-License-Identifier: GPL-2.0-only
/* What the suites share; see helpers.h. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>

#include "helpers.h"

unsigned long mpool_kunit_seed;
module_param_named(seed, mpool_kunit_seed, ulong, 0644);
MODULE_PARM_DESC(seed, "Seed of the random cases, 0 for a new one each");

void mpool_kunit_random(struct kunit *test, struct rnd_state *rnd)
{
	unsigned long seed = mpool_kunit_seed ?: get_random_u32() | 1;

	kunit_info(test, "seed=%lu\n", seed);
	prandom_seed_state(rnd, seed);
}

static u8 pattern(u32 tag, size_t i)
{
	return (tag * 2654435761u + i * 40503u) >> 11;
}

void mpool_kunit_fill(void *p, size_t size, u32 tag)
{
	u8 *byte = p;
	size_t i;

	for (i = 0; i < size; i++)
		byte[i] = pattern(tag, i);
}

bool mpool_kunit_intact(const void *p, size_t size, u32 tag)
{
	const u8 *byte = p;
	size_t i;

	for (i = 0; i < size; i++)
		if (byte[i] != pattern(tag, i))
			return false;
	return true;
}

MODULE_DESCRIPTION("mpool: KUnit suites");
MODULE_LICENSE("GPL");
