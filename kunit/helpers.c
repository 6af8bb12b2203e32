// SPDX-License-Identifier: GPL-2.0-only
/* What the suites share; see helpers.h. */
#include <kunit/resource.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/vmalloc.h>

#include "helpers.h"
#include "large.h"
#include "trim.h"

unsigned long mpool_kunit_seed;
module_param_named(seed, mpool_kunit_seed, ulong, 0644);
MODULE_PARM_DESC(seed, "Seed of the random cases, 0 for a new one each");

/*
 * Pages that the shared pool has handed out; what others left idle, and what anybody who
 * needs pages may take from them meanwhile, is out of the way.
 */
long mpool_kunit_shared_pages(void)
{
	mpool_trim_pass();
	mpool_trim_all();
	return atomic_long_read(&mpool_large_shared->base.pages);
}

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

KUNIT_DEFINE_ACTION_WRAPPER(end_memory, vfree, void *);
KUNIT_DEFINE_ACTION_WRAPPER(end_large, mpool_large_destroy,
			    struct mpool_large *);
KUNIT_DEFINE_ACTION_WRAPPER(end_fixed, mpool_fixed_destroy,
			    struct mpool_fixed *);
KUNIT_DEFINE_ACTION_WRAPPER(end_small, mpool_small_destroy,
			    struct mpool_small *);
KUNIT_DEFINE_ACTION_WRAPPER(end_string, mpool_string_destroy,
			    struct mpool_string *);

void *mpool_kunit_memory(struct kunit *test, size_t size)
{
	void *mem = vmalloc(size);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_memory, mem), 0);
	return mem;
}

struct mpool_large *mpool_kunit_region(struct kunit *test, const char *name,
				       unsigned int npages)
{
	void *base = mpool_kunit_memory(test, (size_t)npages << PAGE_SHIFT);
	struct mpool_large *pool;

	pool = mpool_large_create_region(name, base,
					 (size_t)npages << PAGE_SHIFT, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_large, pool),
			0);
	return pool;
}

struct mpool_fixed *mpool_kunit_fixed(struct kunit *test, const char *name,
				      size_t size,
				      const struct mpool_fixed_args *args)
{
	struct mpool_fixed *pool = mpool_fixed_create(name, size, args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_fixed, pool),
			0);
	return pool;
}

struct mpool_fixed *mpool_kunit_own_fixed(struct kunit *test,
					  struct mpool_fixed *pool)
{
	kunit_remove_action(test, end_fixed, pool);
	return pool;
}

struct mpool_small *mpool_kunit_small(struct kunit *test, const char *name,
				      const struct mpool_small_args *args)
{
	struct mpool_small *pool = mpool_small_create(name, args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_small, pool),
			0);
	return pool;
}

struct mpool_small *mpool_kunit_own_small(struct kunit *test,
					  struct mpool_small *pool)
{
	kunit_remove_action(test, end_small, pool);
	return pool;
}

struct mpool_string *mpool_kunit_string(struct kunit *test, const char *name,
					const struct mpool_string_args *args)
{
	struct mpool_string *pool = mpool_string_create(name, args);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_string, pool),
			0);
	return pool;
}

struct mpool_string *mpool_kunit_own_string(struct kunit *test,
					    struct mpool_string *pool)
{
	kunit_remove_action(test, end_string, pool);
	return pool;
}

unsigned int mpool_kunit_orphans(const char *name)
{
	struct list_head *list = mpool_registry_lock();
	struct mpool_pool *pool;
	unsigned int n = 0;

	list_for_each_entry(pool, list, list)
		n += pool->orphan && !strcmp(pool->name, name);
	mpool_registry_unlock();
	return n;
}

/* What lies idle is counted by the cases: the timer must not take it meanwhile. */
static int __init helpers_init(void)
{
	mpool_trim_stop();
	return 0;
}
module_init(helpers_init);

static void __exit helpers_exit(void)
{
	mpool_trim_start();
}
module_exit(helpers_exit);

MODULE_DESCRIPTION("mpool: KUnit suites");
MODULE_LICENSE("GPL");
