// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of ends: of pools, of the modules that made them, and of objects that
 * somebody else frees or gets meanwhile.
 *
 * Where two have to meet, a destructor is the place: it runs in the middle of what
 * is tested.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "badfree.h"
#include "helpers.h"
#include "defer.h"
#include "leaks.h"
#include "alloc.h"
#include "owner.h"
#include "versions.h"

static struct module *fake_module(struct kunit *test)
{
	struct module *mod = kunit_kzalloc(test, sizeof(*mod), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mod);
	strscpy(mod->name, "lifedrv", sizeof(mod->name));
	return mod;
}

static void site_of(struct mpool_site *site, struct module *mod, u32 line)
{
	*site = (struct mpool_site){
		.file = "drv/life.c", .func = "life", .line = line,
		.module = mod,
	};
	/* Asked at the first use of each, which comes before the next is made. */
	mpool_kunit_module_has(mod, site, sizeof(*site));
}

/* --- destroy --- */

static void destroyed_twice(struct kunit *test)
{
	struct mpool_fixed *fixed = mpool_fixed_create("life-f", 64, NULL);
	struct mpool_large *large = mpool_large_create("life-l", NULL);
	struct mpool_small *small = mpool_small_create("life-s", NULL);
	struct mpool_string *string = mpool_string_create("life-t", NULL);
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed) || IS_ERR(large) ||
			   IS_ERR(small) || IS_ERR(string));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(fixed), 0);
		KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 0);
		KUNIT_EXPECT_EQ(test, mpool_small_destroy(small), 0);
		KUNIT_EXPECT_EQ(test, mpool_string_destroy(string), 0);
	}
	/* What never was a pool, or is one of another kind. */
	mpool_fixed_destroy((void *)0xdead000000000100);
	mpool_string_destroy((void *)mpool_global());
	mpool_large_destroy((void *)8);
	mpool_small_destroy(ERR_PTR(-ENOMEM));
	mpool_string_destroy(NULL);
	KUNIT_EXPECT_NOT_NULL(test, mpool_pool_find("global"));
}

static void orphan_is_not_destroyed_again(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_fixed_create("life-o", 64, NULL);
	void *obj;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	obj = mpool_fixed_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 1);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans("life-o"), 1);
	mpool_free(obj);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-o")));
}

/* A moved object would be in a class that does not know that its pool was destroyed. */
static void orphan_moves_nothing(struct kunit *test)
{
	struct mpool_small *pool = mpool_small_create("life-move", NULL);
	void *obj;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	obj = mpool_small_alloc(pool, 100, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_small_destroy(pool), 1);
	KUNIT_EXPECT_NULL(test, mpool_realloc(obj, 3000, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, mpool_owns(obj));
	mpool_free(obj);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-move")));
}

/* Nor is there a pool over one that is gone, or never was. */
static void pool_over_what_is_gone(struct kunit *test)
{
	struct mpool_large *gone = mpool_large_create("life-gone", NULL);
	void *none[] = { gone, (void *)mpool_global(), (void *)0xdead000000000100 };
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gone));
	mpool_large_destroy(gone);
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		struct mpool_fixed_args fixed = { .large = none[i] };
		struct mpool_small_args small = { .large = none[i] };
		struct mpool_string_args string = { .large = none[i] };

		KUNIT_EXPECT_EQ(test,
				PTR_ERR(mpool_fixed_create("life-over", 64, &fixed)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test,
				PTR_ERR(mpool_small_create("life-over", &small)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test,
				PTR_ERR(mpool_string_create("life-over", &string)),
				-EINVAL);
	}
	KUNIT_EXPECT_NULL(test, mpool_pool_find("life-over"));
}

struct race {
	struct mpool_fixed *pool;
	struct completion go, done;
	atomic_t leaks;
};

static int race_fn(void *arg)
{
	struct race *race = arg;

	wait_for_completion(&race->go);
	atomic_add(mpool_fixed_destroy(race->pool), &race->leaks);
	complete(&race->done);
	return 0;
}

static void destroyed_by_two_at_once(struct kunit *test)
{
	struct mpool_fixed_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct race race;
	int round, i;

	for (round = 0; round < 20; round++) {
		init_completion(&race.go);
		init_completion(&race.done);
		atomic_set(&race.leaks, 0);
		race.pool = mpool_fixed_create("life-race", 64, &args);
		KUNIT_ASSERT_FALSE(test, IS_ERR(race.pool));
		mpool_fixed_alloc(race.pool, GFP_KERNEL);
		for (i = 0; i < 2; i++)
			KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(race_fn, &race,
								    "life/%d", i)));
		complete_all(&race.go);
		wait_for_completion(&race.done);
		wait_for_completion(&race.done);
		KUNIT_EXPECT_EQ(test, atomic_read(&race.leaks), 1);
	}
}

/* Its last object is freed after the report, before it is an orphan. */
static void orphan_of_nothing_goes(struct kunit *test)
{
	struct mpool_large *large = mpool_large_create("life-none-l", NULL);
	struct mpool_fixed *fixed = mpool_fixed_create("life-none", 64, NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(fixed) || IS_ERR(large));
	fixed->base.ops->finish(&fixed->base, true);
	large->base.ops->finish(&large->base, true);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-none")));
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-none-l")));
}

static void orphans_have_files_of_their_own(struct kunit *test)
{
	struct mpool_fixed *pool[3];
	void *obj[3];
	int i;

	for (i = 0; i < 3; i++) {
		pool[i] = mpool_fixed_create("life-file", 64, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool[i]));
		obj[i] = mpool_fixed_alloc(pool[i], GFP_KERNEL);
		if (i < 2)
			KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool[i]), 1);
		KUNIT_EXPECT_EQ(test, pool[i]->base.nth, i < 2 ? i + 1 : 0);
		if (IS_ENABLED(CONFIG_DEBUG_FS))
			KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(pool[i]->base.dir));
	}
	for (i = 0; i < 3; i++)
		mpool_free(obj[i]);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool[2]), 0);
	KUNIT_EXPECT_TRUE(test,
			  mpool_kunit_wait(!mpool_kunit_orphans("life-file")));
}

static void names_have_no_blanks(struct kunit *test)
{
	static const char * const wrong[] = {
		"a b", " ", "a\tb", "a~1", "x.json", ".json", "sites", "modules",
		"growth", "whatis", "verify", "dump", "pools", "a/b", "",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_EQ(test,
				PTR_ERR(mpool_large_create(wrong[i], NULL)),
				-EINVAL);
}

/* --- a module that goes --- */

struct swap {
	struct mpool_fixed *pool;
	void *first, *innocent;
	bool done;
};

/*
 * While the first object is reclaimed the other one is freed, and allocated again by
 * somebody else; and another pool comes and goes.
 */
static void swap_dtor(void *obj, void *priv)
{
	struct swap *swap = priv;
	struct mpool_fixed *other;

	if (swap->done)
		return;
	swap->done = true;
	mpool_fixed_free(swap->pool, swap->first);
	swap->innocent = mpool_fixed_alloc(swap->pool, GFP_KERNEL);
	other = mpool_fixed_create("life-within", 64, NULL);
	mpool_fixed_destroy(other);
}

static void reclaim_takes_only_what_it_saw(struct kunit *test)
{
	struct swap swap = { };
	struct mpool_fixed_args args = {
		.on_leak = MPOOL_ON_LEAK_RECLAIM, .dtor = swap_dtor,
		.priv = &swap,
	};
	struct module *mod = fake_module(test);
	struct mpool_site *site = kunit_kzalloc(test, sizeof(*site), GFP_KERNEL);
	void *a, *b;

	KUNIT_ASSERT_NOT_NULL(test, site);
	site_of(site, mod, 1);
	swap.pool = mpool_kunit_fixed(test, "life-swap", 64, &args);
	a = mpool_fixed_alloc_at(swap.pool, GFP_KERNEL, site);
	b = mpool_fixed_alloc_at(swap.pool, GFP_KERNEL, site);
	/* The walk goes up, the batch down. */
	swap.first = min(a, b);
	mpool_owner_going(mod);
	KUNIT_EXPECT_TRUE(test, swap.done);
	KUNIT_EXPECT_PTR_EQ(test, swap.innocent, swap.first);
	KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(swap.pool, swap.innocent));
	KUNIT_EXPECT_FALSE(test, mpool_fixed_owns(swap.pool, max(a, b)));
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&swap.pool->base), 0);
	mpool_fixed_free(swap.pool, swap.innocent);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(swap.pool), 0);
}

/* Each pool is met once, in the order of the list, whatever ends and comes meanwhile. */
static void next_pool_is_pinned(struct kunit *test)
{
	static const char * const names[] = { "life-0", "life-1", "life-2", "life-3" };
	static const unsigned int order[] = { 0, 1, 3, 0 };
	struct mpool_fixed *pools[4] = { };
	struct mpool_pool *pool = NULL;
	unsigned int i, met = 0;

	for (i = 0; i < 3; i++) {
		pools[i] = mpool_fixed_create(names[i], 64, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pools[i]));
	}
	while ((pool = mpool_pool_pin_next(pool))) {
		KUNIT_EXPECT_EQ(test, pool->pins, 1);
		if (strncmp(pool->name, "life-", 5))
			continue;
		KUNIT_EXPECT_STREQ(test, pool->name, names[order[min(met, 3u)]]);
		if (++met != 2)
			continue;
		/* The one before is not pinned any more, nor is the next. */
		KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pools[0]), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pools[2]), 0);
		pools[3] = mpool_fixed_create(names[3], 64, NULL);
	}
	KUNIT_EXPECT_EQ(test, met, 3);
	KUNIT_EXPECT_EQ(test, pools[1]->base.pins, 0);
	mpool_fixed_destroy(pools[1]);
	mpool_fixed_destroy(pools[3]);
}

struct slow {
	struct mpool_fixed *pool;
	void *obj;
	struct completion in, go, freed, dropped;
	struct module *mod;		/* of the second who drops */
	bool returned;
	atomic_t droppers, waited;
};

static void slow_dtor(void *obj, void *priv)
{
	struct slow *slow = priv;

	complete(&slow->in);
	wait_for_completion(&slow->go);
	WRITE_ONCE(slow->returned, true);
}

static int slow_free_fn(void *arg)
{
	struct slow *slow = arg;

	mpool_fixed_free(slow->pool, slow->obj);
	complete(&slow->freed);
	return 0;
}

static int slow_drop_fn(void *arg)
{
	struct slow *slow = arg;

	slow->pool->base.ops->drop_callbacks(&slow->pool->base,
					     atomic_inc_return(&slow->droppers) == 1 ?
					     NULL : slow->mod);
	atomic_add(READ_ONCE(slow->returned), &slow->waited);
	complete(&slow->dropped);
	return 0;
}

/* By who drops them, and by those who come behind and find none. */
static void callbacks_are_waited_for(struct kunit *test)
{
	struct slow *slow = kunit_kzalloc(test, sizeof(*slow), GFP_KERNEL);
	struct mpool_fixed_args args = { .dtor = slow_dtor, .priv = slow };
	int i;

	KUNIT_ASSERT_NOT_NULL(test, slow);
	init_completion(&slow->in);
	init_completion(&slow->go);
	init_completion(&slow->freed);
	init_completion(&slow->dropped);
	slow->pool = mpool_kunit_fixed(test, "life-slow", 64, &args);
	slow->obj = mpool_fixed_alloc(slow->pool, GFP_KERNEL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(slow_free_fn, slow, "life/f")));
	wait_for_completion(&slow->in);
	slow->mod = fake_module(test);
	mpool_test_module_code(slow->mod, slow_dtor);
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(slow_drop_fn, slow,
							    "life/d%d", i)));
		/* For one that does not wait. */
		msleep(100);
	}
	complete(&slow->go);
	wait_for_completion(&slow->freed);
	wait_for_completion(&slow->dropped);
	wait_for_completion(&slow->dropped);
	KUNIT_EXPECT_EQ(test, atomic_read(&slow->waited), 2);
}

static int count_ctor(void *obj, void *priv)
{
	++*(unsigned int *)priv;
	return 0;
}

static void count_dtor(void *obj, void *priv)
{
	++*(unsigned int *)priv;
}

/* The module that made the pool stays. */
static void callbacks_go_with_their_code(struct kunit *test)
{
	unsigned int calls = 0;
	struct mpool_fixed_args args = {
		.ctor = count_ctor, .dtor = count_dtor, .priv = &calls,
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, "life-code", 64, &args);
	struct module *mod = fake_module(test);
	void *obj = mpool_fixed_alloc(pool, GFP_KERNEL);

	mpool_fixed_free(pool, obj);
	KUNIT_EXPECT_EQ(test, calls, 2);
	mpool_test_module_code(mod, count_dtor);
	mpool_owner_going(mod);
	KUNIT_EXPECT_NOT_NULL(test, pool->ctor);
	KUNIT_EXPECT_NULL(test, pool->dtor);
	obj = mpool_fixed_alloc(pool, GFP_KERNEL);
	mpool_fixed_free(pool, obj);
	KUNIT_EXPECT_EQ(test, calls, 3);
	mpool_test_module_code(mod, count_ctor);
	mpool_owner_going(mod);
	KUNIT_EXPECT_NULL(test, pool->ctor);
}

/* --- work items --- */

static struct completion stuck_go, stuck_in;

static void stuck_fn(struct work_struct *work)
{
	complete(&stuck_in);
	wait_for_completion_timeout(&stuck_go, 10 * HZ);
}

/*
 * The work item that would finish a free does not get on, perhaps for want of memory.
 * An allocation does not wait for it, and has the object all the same.
 */
static void alloc_waits_for_no_work(struct kunit *test)
{
	struct mpool_fixed_args args = {
		.large = mpool_kunit_region(test, "life-stuck-l", 1),
	};
	struct mpool_fixed *pool = mpool_kunit_fixed(test, "life-stuck", 2048, &args);
	void *a = mpool_fixed_alloc(pool, GFP_KERNEL);
	work_func_t fn = pool->chunks.deferred.work.func;
	struct mpool_slot slot;
	void *b;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, mpool_chunks_pop(&pool->chunks, &slot, 1), 1);
	init_completion(&stuck_go);
	init_completion(&stuck_in);
	pool->chunks.deferred.work.func = stuck_fn;
	mpool_chunks_push_deferred(&pool->chunks, &slot);
	wait_for_completion(&stuck_in);
	mpool_defer(&pool->chunks.deferred);
	b = mpool_fixed_alloc(pool, GFP_NOIO | __GFP_NOWARN);
	KUNIT_EXPECT_PTR_EQ(test, b, slot.obj);
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_NOIO | __GFP_NOWARN));
	KUNIT_EXPECT_TRUE(test, work_busy(&pool->chunks.deferred.work));
	complete_all(&stuck_go);
	mpool_defer_sync(&pool->chunks.deferred);
	pool->chunks.deferred.work.func = fn;
	mpool_fixed_free(pool, a);
	mpool_fixed_free(pool, b);
}

/* A pool and an object whose sites got no number are their module's all the same. */
static void unknown_sites_are_the_modules(struct kunit *test)
{
	struct module *mod = fake_module(test);
	struct mpool_site *site = kunit_kzalloc(test, sizeof(*site), GFP_KERNEL);
	struct mpool_fixed *pool;
	void *obj;

	KUNIT_ASSERT_NOT_NULL(test, site);
	site_of(site, mod, 2);
	site->id = MPOOL_SITE_UNKNOWN;
	pool = __mpool_fixed_create("life-unknown", 64, NULL, site);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	obj = mpool_fixed_alloc_at(pool, GFP_KERNEL, site);
	mpool_owner_going(mod);
	KUNIT_EXPECT_NULL(test, mpool_pool_find("life-unknown"));
	KUNIT_EXPECT_EQ(test, mpool_kunit_orphans("life-unknown"), 1);
	mpool_free(obj);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-unknown")));
}

#define MANY	(3 * MPOOL_SITES_PER_BLOCK)

static void no_site_is_unknown_in_process_context(struct kunit *test)
{
	struct mpool_site *site = kunit_kcalloc(test, MANY, sizeof(*site),
						GFP_KERNEL);
	struct module *mod = fake_module(test);
	unsigned int i, unknown = 0;

	KUNIT_ASSERT_NOT_NULL(test, site);
	preempt_disable();
	for (i = 0; i < MANY; i++) {
		site_of(&site[i], mod, 1000 + i);
		unknown += mpool_site_id(&site[i]) == MPOOL_SITE_UNKNOWN;
	}
	preempt_enable();
	KUNIT_EXPECT_EQ(test, unknown, 0);
	mpool_owner_going(mod);
	KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
}

/* --- reports --- */

static void rows_of_one_name_are_one(struct kunit *test)
{
	struct mpool_fixed *pool[2];
	struct mpool_sums sums = { };
	void *obj[2];
	int i;

	for (i = 0; i < 2; i++) {
		pool[i] = mpool_fixed_create("life-row", 64, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool[i]));
		obj[i] = mpool_fixed_alloc(pool[i], GFP_KERNEL);
		mpool_sums_add(&sums, &pool[i]->base);
		mpool_fixed_destroy(pool[i]);
	}
	KUNIT_EXPECT_EQ(test, sums.n, 1);
	KUNIT_EXPECT_EQ(test, sums.rows[0].count, 2);
	mpool_sums_free(&sums);
	for (i = 0; i < 2; i++)
		mpool_free(obj[i]);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("life-row")));
}

static void each_pool_has_its_own_burst(struct kunit *test)
{
	struct mpool_fixed *noisy = mpool_kunit_fixed(test, "life-noisy", 64, NULL);
	struct mpool_fixed *quiet = mpool_kunit_fixed(test, "life-quiet", 64, NULL);
	void *obj = mpool_fixed_alloc(noisy, GFP_KERNEL);
	int i;

	for (i = 0; i < MPOOL_BURST + 5; i++)
		mpool_fixed_free(noisy, obj + 8);
	mpool_fixed_free(noisy, obj);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&noisy->base), MPOOL_BURST + 5);
	KUNIT_EXPECT_LE(test, atomic_read(&quiet->base.burst), 0);
	mpool_badfree_bursts();
	KUNIT_EXPECT_EQ(test, atomic_read(&noisy->base.burst), 0);
}

static void text_says_what_is_known(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, "life-region", 8);
	char *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_4K };
	void *run, *obj = mpool_malloc(333, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	run = mpool_large_alloc(region, 5000, NULL, GFP_KERNEL);
	mpool_leaks_of_pool(&out, &region->base);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "leaks 1 object, 5000 bytes (left in the region"));
	mpool_large_free(region, run);
	out.len = 0;
	mpool_free(obj);
	mpool_badfree_text(&out, NULL, obj, MPOOL_BAD_REALLOC, _THIS_IP_);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "bad realloc: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "; reallocated by text_says"));
}

static void life_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(destroyed_twice),
	KUNIT_CASE(orphan_is_not_destroyed_again),
	KUNIT_CASE(orphan_moves_nothing),
	KUNIT_CASE(pool_over_what_is_gone),
	KUNIT_CASE(destroyed_by_two_at_once),
	KUNIT_CASE(orphan_of_nothing_goes),
	KUNIT_CASE(orphans_have_files_of_their_own),
	KUNIT_CASE(names_have_no_blanks),
	KUNIT_CASE(reclaim_takes_only_what_it_saw),
	KUNIT_CASE(next_pool_is_pinned),
	KUNIT_CASE(callbacks_are_waited_for),
	KUNIT_CASE(callbacks_go_with_their_code),
	KUNIT_CASE(alloc_waits_for_no_work),
	KUNIT_CASE(unknown_sites_are_the_modules),
	KUNIT_CASE(no_site_is_unknown_in_process_context),
	KUNIT_CASE(rows_of_one_name_are_one),
	KUNIT_CASE(each_pool_has_its_own_burst),
	KUNIT_CASE(text_says_what_is_known),
	{ }
};

static struct kunit_suite life_suite = {
	.name = "mpool_life",
	.exit = life_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = life_cases,
};

kunit_test_suite(life_suite);
