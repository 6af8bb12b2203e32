// SPDX-License-Identifier: GPL-2.0-only
/*
 * All contexts at once: threads, a timer, a hard timer and irq_work take and
 * give back objects of the same pools, and exchange them, so that most are freed
 * by another context than the one that allocated them.
 *
 * Each object carries who made it and which one it is, at both ends.  What is
 * lost shows in the sums, what is handed out twice in a stamp that is torn.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include "global.h"
#include "helpers.h"
#include "versions.h"

#define FIXED_NAME	"kt-context-fixed"
#define SMALL_NAME	"kt-context-small"

#define SLOTS		2048
#define THREADS		4
#define THREAD_OPS	40000
#define FIRES		200	/* of each kind of interrupt */
#define FIRE_OPS	20

#define STAMP_LIVE	0x6c697665u
#define STAMP_DEAD	0x64656164u

enum from { FROM_FIXED, FROM_SMALL, FROM_GLOBAL, NR_FROM };

struct stamp {
	u32 state;
	u32 owner;
	u64 serial;
	u32 size;
	enum from from;
};

/* Whoever does operations, one at a time. */
struct actor {
	struct world *world;
	struct rnd_state rnd;
	u32 id;
	u64 serial;
	/* Counts, and sums of the serials. */
	u64 ops, allocs, frees, failed, torn, remote;
	u64 made, ended;
};

struct world {
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct stamp *slots[SLOTS];
	struct actor threads[THREADS];
	struct actor timer_actor, hard_actor, work_actor;
	struct timer_list timer;
	struct hrtimer hard;
	struct irq_work work;
	unsigned int timer_fires, hard_fires, work_fires;
	struct completion timer_done, hard_done, work_done;
	struct completion thread_done;
};

static u64 *tail_of(struct stamp *stamp)
{
	return (void *)stamp + stamp->size - sizeof(u64);
}

static u64 stamp_sum(const struct stamp *stamp)
{
	return ((u64)stamp->owner << 48) + stamp->serial * 0x9e3779b97f4a7c15;
}

static u32 random_size(struct actor *actor)
{
	u32 dice = mpool_kunit_below(&actor->rnd, 100);

	/* Multiples of 8, for the tail. */
	if (dice < 80)
		return 40 + 8 * mpool_kunit_below(&actor->rnd, 60);
	if (dice < 98)
		return 512 + 8 * mpool_kunit_below(&actor->rnd, 500);
	return 16384 + 8 * mpool_kunit_below(&actor->rnd, 1000);
}

static struct stamp *actor_alloc(struct actor *actor, gfp_t gfp)
{
	enum from from = mpool_kunit_below(&actor->rnd, NR_FROM);
	struct world *world = actor->world;
	u32 size = random_size(actor);
	struct stamp *stamp;

	switch (from) {
	case FROM_FIXED:
		size = 96;
		stamp = mpool_fixed_alloc(world->fixed, gfp);
		break;
	case FROM_SMALL:
		stamp = mpool_small_alloc(world->small, size, gfp);
		break;
	default:
		stamp = mpool_malloc(size, gfp);
	}
	if (!stamp) {
		actor->failed++;
		return NULL;
	}
	*stamp = (struct stamp){
		.state = STAMP_LIVE, .owner = actor->id,
		.serial = ++actor->serial, .size = size, .from = from,
	};
	*tail_of(stamp) = stamp->serial;
	actor->allocs++;
	actor->made += stamp_sum(stamp);
	return stamp;
}

static void actor_free(struct actor *actor, struct stamp *stamp)
{
	if (stamp->state != STAMP_LIVE || stamp->size > 32768 ||
	    *tail_of(stamp) != stamp->serial) {
		actor->torn++;
		return;
	}
	actor->frees++;
	actor->ended += stamp_sum(stamp);
	actor->remote += stamp->owner != actor->id;
	stamp->state = STAMP_DEAD;
	if (mpool_kunit_below(&actor->rnd, 2))
		mpool_free(stamp);
	else if (stamp->from == FROM_FIXED)
		mpool_fixed_free(actor->world->fixed, stamp);
	else if (stamp->from == FROM_SMALL)
		mpool_small_free(actor->world->small, stamp);
	else
		mpool_delete(stamp);
}

/* One operation: something, or nothing, for what lies in a slot. */
static void actor_step(struct actor *actor, gfp_t gfp)
{
	u32 i = mpool_kunit_below(&actor->rnd, SLOTS);
	struct stamp *mine = NULL, *other;

	if (mpool_kunit_below(&actor->rnd, 4))
		mine = actor_alloc(actor, gfp);
	other = xchg(&actor->world->slots[i], mine);
	if (other)
		actor_free(actor, other);
	actor->ops++;
}

static void actor_burst(struct actor *actor)
{
	int i;

	for (i = 0; i < FIRE_OPS; i++)
		actor_step(actor, GFP_ATOMIC);
}

static int thread_fn(void *arg)
{
	struct actor *actor = arg;
	int i;

	for (i = 0; i < THREAD_OPS; i++) {
		actor_step(actor, i % 3 ? GFP_KERNEL : GFP_NOWAIT);
		if (i % 64 == 0)
			cond_resched();
	}
	complete(&actor->world->thread_done);
	return 0;
}

static void work_fn(struct irq_work *work)
{
	struct world *world = container_of(work, struct world, work);

	actor_burst(&world->work_actor);
	if (++world->work_fires == FIRES)
		complete(&world->work_done);
}

static void timer_fn(struct timer_list *timer)
{
	struct world *world = container_of(timer, struct world, timer);

	if (world->timer_fires < FIRES) {
		actor_burst(&world->timer_actor);
		if (++world->timer_fires == FIRES)
			complete(&world->timer_done);
	}
	if (READ_ONCE(world->work_fires) < FIRES)
		irq_work_queue(&world->work);
	if (world->timer_fires < FIRES || READ_ONCE(world->work_fires) < FIRES)
		mod_timer(timer, jiffies + 1);
}

static enum hrtimer_restart hard_fn(struct hrtimer *timer)
{
	struct world *world = container_of(timer, struct world, hard);

	actor_burst(&world->hard_actor);
	if (++world->hard_fires == FIRES) {
		complete(&world->hard_done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(3 * NSEC_PER_MSEC));
	return HRTIMER_RESTART;
}

static void hard_start(struct world *world)
{
	mpool_test_hard_timer(&world->hard, hard_fn);
	hrtimer_start(&world->hard, ns_to_ktime(NSEC_PER_MSEC),
		      HRTIMER_MODE_REL_HARD);
}

static void actor_init(struct world *world, struct actor *actor, u32 id,
		       struct rnd_state *rnd)
{
	actor->world = world;
	actor->id = id;
	prandom_seed_state(&actor->rnd, prandom_u32_state(rnd) | 1);
}

static struct world *world_create(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	mpool_kunit_random(test, &rnd);
	world->fixed = mpool_kunit_fixed(test, FIXED_NAME, 96, NULL);
	world->small = mpool_kunit_small(test, SMALL_NAME, NULL);
	for (i = 0; i < THREADS; i++)
		actor_init(world, &world->threads[i], i, &rnd);
	actor_init(world, &world->timer_actor, THREADS, &rnd);
	actor_init(world, &world->hard_actor, THREADS + 1, &rnd);
	actor_init(world, &world->work_actor, THREADS + 2, &rnd);
	init_completion(&world->timer_done);
	init_completion(&world->hard_done);
	init_completion(&world->work_done);
	init_completion(&world->thread_done);
	timer_setup(&world->timer, timer_fn, 0);
	init_irq_work(&world->work, work_fn);
	return world;
}

static void world_run(struct kunit *test, struct world *world)
{
	unsigned long most = 60 * HZ;
	struct task_struct *task;
	int i, started = 0;

	mod_timer(&world->timer, jiffies + 1);
	hard_start(world);
	for (i = 0; i < THREADS; i++) {
		task = kthread_create(thread_fn, &world->threads[i],
				      "mpool_kt/%d", i);
		KUNIT_EXPECT_FALSE(test, IS_ERR(task));
		if (IS_ERR(task))
			continue;
		kthread_bind(task, i % num_online_cpus());
		wake_up_process(task);
		started++;
	}
	while (started--)
		wait_for_completion(&world->thread_done);
	KUNIT_EXPECT_NE(test,
			wait_for_completion_timeout(&world->timer_done, most),
			0);
	KUNIT_EXPECT_NE(test,
			wait_for_completion_timeout(&world->work_done, most),
			0);
	KUNIT_EXPECT_NE(test,
			wait_for_completion_timeout(&world->hard_done, most),
			0);
	hrtimer_cancel(&world->hard);
	mpool_test_timer_end(&world->timer);
	irq_work_sync(&world->work);
}

static void expect_actor(struct kunit *test, struct actor *actor, u64 ops,
			 struct actor *sum)
{
	KUNIT_EXPECT_EQ_MSG(test, actor->ops, ops, "actor %u", actor->id);
	KUNIT_EXPECT_EQ_MSG(test, actor->torn, 0, "actor %u", actor->id);
	sum->allocs += actor->allocs;
	sum->frees += actor->frees;
	sum->failed += actor->failed;
	sum->made += actor->made;
	sum->ended += actor->ended;
	sum->remote += actor->remote;
}

static size_t live_of(struct mpool_small *small)
{
	struct mpool_count count;

	small->base.ops->count(&small->base, &count);
	return count.live;
}

static void world_sums(struct kunit *test, struct world *world)
{
	struct actor sum = { }, last = { .id = THREADS + 3, .world = world };
	int i;

	prandom_seed_state(&last.rnd, 1);
	for (i = 0; i < SLOTS; i++)
		if (world->slots[i])
			actor_free(&last, world->slots[i]);
	expect_actor(test, &last, 0, &sum);
	for (i = 0; i < THREADS; i++)
		expect_actor(test, &world->threads[i], THREAD_OPS, &sum);
	expect_actor(test, &world->timer_actor, FIRES * FIRE_OPS, &sum);
	expect_actor(test, &world->work_actor, world->work_fires * FIRE_OPS,
		     &sum);
	KUNIT_EXPECT_GE(test, world->work_fires, FIRES);
	expect_actor(test, &world->hard_actor, FIRES * FIRE_OPS, &sum);
	kunit_info(test, "%llu allocs, %llu refused, %llu freed elsewhere\n",
		   sum.allocs, sum.failed, sum.remote);
	KUNIT_EXPECT_EQ(test, sum.allocs, sum.frees);
	KUNIT_EXPECT_EQ(test, sum.made, sum.ended);
	KUNIT_EXPECT_GT(test, sum.remote, sum.frees / 16);
	KUNIT_EXPECT_EQ(test, sum.failed,
			MPOOL_TEST_HARD_GROWS ? 0 : world->hard_actor.failed);
}

static void everybody_at_once(struct kunit *test)
{
	size_t before = live_of(mpool_global());
	struct world *world = world_create(test);

	world_run(test, world);
	world_sums(test, world);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(world->fixed), 0);
	KUNIT_EXPECT_EQ(test, live_of(world->small), 0);
	KUNIT_EXPECT_EQ(test, before, live_of(mpool_global()));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(world->fixed), 0);
	mpool_fixed_drain(world->fixed);
	KUNIT_EXPECT_EQ(test, world->fixed->chunks.nr_objs, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(world->fixed), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(world->small), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(mpool_global()), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&world->fixed->base), 0);
	KUNIT_EXPECT_EQ(test, mpool_kunit_bad(&world->small->base), 0);
}

/* --- pools that come and go while addresses are asked about --- */

#define CYCLES	150

struct churn {
	void *seen[64];
	unsigned int wrong, cycles, turn;
	struct completion done;
};

static int churn_fn(void *arg)
{
	struct mpool_fixed_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct churn *churn = arg;
	struct mpool_fixed *pool;
	unsigned int i, n;
	char name[32];
	void *obj;

	for (n = 0; n < CYCLES; n++) {
		snprintf(name, sizeof(name), "kt-churn-%u", n % 7);
		pool = mpool_fixed_create(name, 64 + 700 * (n % 9), &args);
		if (IS_ERR(pool)) {
			churn->wrong++;
			break;
		}
		for (i = 0; i < ARRAY_SIZE(churn->seen); i++) {
			obj = mpool_fixed_alloc(pool, GFP_KERNEL);
			WRITE_ONCE(churn->seen[i], obj);
			if (i % 2)
				mpool_fixed_free(pool, obj);
		}
		churn->wrong += mpool_fixed_destroy(pool) != 32;
		WRITE_ONCE(churn->cycles, n + 1);
	}
	complete(&churn->done);
	return 0;
}

static void pools_come_and_go(struct kunit *test)
{
	struct churn *churn = kunit_kzalloc(test, sizeof(*churn), GFP_KERNEL);
	struct mpool_whatis what;
	struct task_struct *task;
	unsigned int i, found = 0;

	KUNIT_ASSERT_NOT_NULL(test, churn);
	init_completion(&churn->done);
	task = kthread_run(churn_fn, churn, "mpool_churn");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (!try_wait_for_completion(&churn->done)) {
		for (i = 0; i < ARRAY_SIZE(churn->seen); i++) {
			void *obj = READ_ONCE(churn->seen[i]);

			mpool_owns(obj);
			mpool_usable_size(obj);
			if (mpool_whatis(obj, &what))
				found += !strncmp(what.pool, "kt-churn-", 9);
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, churn->wrong, 0);
	KUNIT_EXPECT_EQ(test, churn->cycles, CYCLES);
	KUNIT_EXPECT_GT(test, found, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(mpool_large_shared), 0);
}

/* --- runs that come and go while every address is asked about --- */

#define PAGES		64
#define BOUNCES		400000

struct bounce {
	struct mpool_large *region;
	struct rnd_state rnd;
	struct completion done;
	unsigned int failed;
};

static int bounce_fn(void *arg)
{
	void *runs[6] = { NULL };
	struct bounce *bounce = arg;
	unsigned int i, n;

	for (i = 0; i < BOUNCES; i++) {
		n = mpool_kunit_below(&bounce->rnd, ARRAY_SIZE(runs));
		mpool_free(runs[n]);
		runs[n] = mpool_large_alloc(bounce->region, PAGE_SIZE *
				(1 + mpool_kunit_below(&bounce->rnd, 4)),
				NULL, GFP_KERNEL);
		bounce->failed += !runs[n];
		if (i % 64 == 0)
			cond_resched();
	}
	for (n = 0; n < ARRAY_SIZE(runs); n++)
		mpool_free(runs[n]);
	complete(&bounce->done);
	return 0;
}

static void runs_come_and_go(struct kunit *test)
{
	struct bounce *bounce = kunit_kzalloc(test, sizeof(*bounce),
					      GFP_KERNEL);
	struct mpool_whatis what;
	struct task_struct *task;
	unsigned int i, owned = 0, wrong = 0;
	void *base, *p;

	KUNIT_ASSERT_NOT_NULL(test, bounce);
	mpool_kunit_random(test, &bounce->rnd);
	bounce->region = mpool_kunit_region(test, "kt-bounce", PAGES);
	base = mpool_large_alloc(bounce->region, PAGE_SIZE, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, base);
	base = (void *)list_first_entry(&bounce->region->arenas,
					struct mpool_arena, list)->base;
	init_completion(&bounce->done);
	task = kthread_create(bounce_fn, bounce, "mpool_bounce");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	for (i = 0; !try_wait_for_completion(&bounce->done); i++) {
		p = base + (i % PAGES << PAGE_SHIFT);
		owned += mpool_owns(p);
		mpool_small_owns(mpool_global(), p);
		mpool_whatis(p, &what);
		wrong += strcmp(what.pool, "kt-bounce") != 0;
		if (i % 1024 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_GT(test, owned, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, bounce->failed, 0);
	mpool_large_clear(bounce->region);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(bounce->region), 0);
}

/* --- a limit that nobody exceeds --- */

struct crowd {
	struct mpool_fixed *pool;
	atomic_t live, over, got;
	struct completion done;
};

#define CROWD_LIMIT	40

static int crowd_fn(void *arg)
{
	struct crowd *crowd = arg;
	void *objs[CROWD_LIMIT];
	unsigned int n, i;

	for (i = 0; i < 2000; i++) {
		for (n = 0; n < CROWD_LIMIT; n++) {
			objs[n] = mpool_fixed_alloc(crowd->pool, GFP_KERNEL);
			if (!objs[n])
				break;
			if (atomic_inc_return(&crowd->live) > CROWD_LIMIT)
				atomic_inc(&crowd->over);
		}
		atomic_add(n, &crowd->got);
		cond_resched();
		atomic_sub(n, &crowd->live);
		mpool_fixed_free_bulk(crowd->pool, n, objs);
	}
	complete(&crowd->done);
	return 0;
}

static void limit_holds_for_many(struct kunit *test)
{
	struct mpool_fixed_args args = { .max_objects = CROWD_LIMIT };
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	int i, started = 0;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->pool = mpool_kunit_fixed(test, FIXED_NAME, 512, &args);
	init_completion(&crowd->done);
	for (i = 0; i < 3; i++)
		started += !IS_ERR(kthread_run(crowd_fn, crowd, "mpool_crowd"));
	KUNIT_EXPECT_EQ(test, started, 3);
	while (started--)
		wait_for_completion(&crowd->done);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->over), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&crowd->got), 2000);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(crowd->pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(crowd->pool), 0);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(everybody_at_once),
	KUNIT_CASE(pools_come_and_go),
	KUNIT_CASE(runs_come_and_go),
	KUNIT_CASE(limit_holds_for_many),
	{ }
};

static struct kunit_suite context_suite = {
	.name = "mpool_context",
	.suite_exit = mpool_kunit_verified,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);
