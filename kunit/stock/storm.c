// SPDX-License-Identifier: GPL-2.0-only
/*
 * The storm: threads, hard timers and NMIs on all CPUs take, exchange and give
 * back objects of the same pools at once.
 *
 * Each object carries who made it and which one it is, at both ends; an NMI
 * interrupts whatever its CPU was doing in mpool.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "stock.h"
#include "versions.h"

#define SLOTS		512
#define THREADS		4
#define THREAD_OPS	40000
#define FIRES		400
#define FIRE_OPS	10
#define NMIS		2000

#define STAMP_LIVE	0x6c697665u

struct stamp {
	u32 state;
	u32 owner;
	u64 serial;
	u64 size;
};

struct actor {
	struct storm *storm;
	struct rnd_state rnd;
	struct hrtimer timer;
	u32 id;
	unsigned int fires;
	u64 serial, ops, allocs, frees, refused, torn, made, ended;
};

enum { ACTOR_HARD = THREADS, ACTOR_NMI, NR_ACTORS };

struct storm {
	struct stock *t;
	struct mpool_fixed *fixed;
	struct mpool_small *small;
	struct stamp *slots[SLOTS];
	struct actor actors[NR_ACTORS];
	struct completion thread_done, hard_done;
};

static u64 *tail_of(struct stamp *stamp)
{
	return (void *)stamp + stamp->size - sizeof(u64);
}

static u64 sum_of(const struct stamp *stamp)
{
	return ((u64)stamp->owner << 48) + stamp->serial * 0x9e3779b97f4a7c15;
}

static void actor_take(struct actor *actor, gfp_t gfp)
{
	u32 dice = prandom_u32_state(&actor->rnd);
	u64 size = 40 + (dice >> 8) % 300 * 8;
	struct stamp *stamp, *old;

	if (dice % 3 == 0) {
		size = 128;
		stamp = mpool_fixed_alloc(actor->storm->fixed, gfp);
	} else if (dice % 3 == 1) {
		stamp = mpool_small_alloc(actor->storm->small, size, gfp);
	} else {
		stamp = mpool_malloc(size, gfp);
	}
	if (!stamp) {
		actor->refused++;
		return;
	}
	*stamp = (struct stamp){ STAMP_LIVE, actor->id, ++actor->serial, size };
	*tail_of(stamp) = stamp->serial;
	actor->allocs++;
	actor->made += sum_of(stamp);
	old = xchg(&actor->storm->slots[prandom_u32_state(&actor->rnd) % SLOTS],
		   stamp);
	if (!old)
		return;
	if (old->state != STAMP_LIVE || old->size > 4096 ||
	    *tail_of(old) != old->serial) {
		actor->torn++;
		return;
	}
	old->state = 0;
	actor->frees++;
	actor->ended += sum_of(old);
	mpool_free(old);
}

static void actor_burst(struct actor *actor, int n, gfp_t gfp)
{
	while (n--) {
		actor_take(actor, gfp);
		actor->ops++;
	}
}

static int thread_fn(void *arg)
{
	struct actor *actor = arg;
	int i;

	for (i = 0; i < THREAD_OPS; i += 20) {
		actor_burst(actor, 20, i % 3 ? GFP_KERNEL : GFP_ATOMIC);
		cond_resched();
	}
	complete(&actor->storm->thread_done);
	return 0;
}

static enum hrtimer_restart hard_fn(struct hrtimer *timer)
{
	struct actor *actor = container_of(timer, struct actor, timer);

	actor_burst(actor, FIRE_OPS, GFP_ATOMIC);
	if (++actor->fires == FIRES) {
		complete(&actor->storm->hard_done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(NSEC_PER_MSEC));
	return HRTIMER_RESTART;
}

static void nmi_fn(struct stock *t, void *arg)
{
	CHECK(t, in_nmi());
	actor_burst(arg, FIRE_OPS, GFP_ATOMIC);
}

static void storm_run(struct storm *storm)
{
	struct actor *hard = &storm->actors[ACTOR_HARD];
	struct task_struct *task;
	int i, started = 0;

	mpool_test_hard_timer(&hard->timer, hard_fn);
	hrtimer_start(&hard->timer, ns_to_ktime(NSEC_PER_MSEC),
		      HRTIMER_MODE_REL_HARD);
	for (i = 0; i < THREADS; i++) {
		task = kthread_create(thread_fn, &storm->actors[i],
				      "mpool_storm/%d", i);
		if (!CHECK(storm->t, !IS_ERR(task)))
			continue;
		kthread_bind(task, i % num_online_cpus());
		wake_up_process(task);
		started++;
	}
	for (i = 0; i < NMIS; i++) {
		CHECK(storm->t, place_nmi_on(storm->t, i % num_online_cpus(),
					     nmi_fn,
					     &storm->actors[ACTOR_NMI]));
		cond_resched();
	}
	while (started--)
		wait_for_completion(&storm->thread_done);
	wait_for_completion(&storm->hard_done);
	hrtimer_cancel(&hard->timer);
}

static void storm_sums(struct stock *t, struct storm *storm)
{
	u64 allocs = 0, frees = 0, refused = 0, made = 0, ended = 0;
	int i;

	for (i = 0; i < NR_ACTORS; i++) {
		struct actor *actor = &storm->actors[i];

		CHECK(t, !actor->torn);
		allocs += actor->allocs;
		frees += actor->frees;
		refused += actor->refused;
		made += actor->made;
		ended += actor->ended;
		/* Only where no memory can be got is any refused. */
		CHECK(t, i >= ACTOR_HARD || !actor->refused);
		CHECK(t, actor->allocs > actor->refused);
	}
	for (i = 0; i < SLOTS; i++) {
		struct stamp *stamp = storm->slots[i];

		if (!stamp)
			continue;
		CHECK(t, *tail_of(stamp) == stamp->serial);
		frees++;
		ended += sum_of(stamp);
		mpool_free(stamp);
	}
	for (i = 0; i < THREADS; i++)
		CHECK(t, storm->actors[i].ops == THREAD_OPS);
	CHECK(t, storm->actors[ACTOR_HARD].ops == FIRES * FIRE_OPS);
	CHECK(t, storm->actors[ACTOR_NMI].ops == NMIS * FIRE_OPS);
	CHECK(t, allocs == frees);
	CHECK(t, made == ended);
	pr_info("# storm: %llu allocs, %llu refused, %llu in NMIs\n", allocs,
		refused, storm->actors[ACTOR_NMI].allocs);
}

void stock_storm(struct stock *t)
{
	struct mpool_fixed_args args = { .reserve = 64 };
	struct storm *storm = kzalloc(sizeof(*storm), GFP_KERNEL);
	int i;

	if (!CHECK(t, storm))
		return;
	storm->t = t;
	storm->fixed = mpool_fixed_create("storm-fixed", 128, &args);
	storm->small = mpool_small_create("storm-small", NULL);
	init_completion(&storm->thread_done);
	init_completion(&storm->hard_done);
	for (i = 0; i < NR_ACTORS; i++) {
		storm->actors[i].storm = storm;
		storm->actors[i].id = i;
		prandom_seed_state(&storm->actors[i].rnd, 1000 + i);
	}
	t->now = "storm";
	if (CHECK(t, !IS_ERR(storm->fixed) && !IS_ERR(storm->small))) {
		storm_run(storm);
		storm_sums(t, storm);
		CHECK(t, !mpool_fixed_live(storm->fixed));
	}
	CHECK(t, !mpool_fixed_destroy(storm->fixed));
	CHECK(t, !mpool_small_destroy(storm->small));
	kfree(storm);
}
