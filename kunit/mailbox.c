// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox: threads and timers on all CPUs take objects, put them into slots
 * that all of them share, and free what they find there, so that most objects
 * are freed by another than who allocated them.
 *
 * Structure: an object carries who made it and which one of his it is, in each
 * of its words.  A slot is exchanged by xchg(), which gives the object to one
 * only.  Each thread is bound to a CPU and has a timer there, which interrupts
 * it wherever it is.
 *
 * Invariant: an object that is torn was handed out twice or lost to somebody
 * who wrote to it; the serials made and those ended have the same sum, or one
 * was lost or came twice.
 *
 * Locking: none; an actor belongs to its thread or timer, an object to who took
 * it out of the allocator or of a slot.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mailbox.h"
#include "versions.h"

#define FIRE_STEPS	8
#define MOST_BULK	16
#define FIXED_SIZE	200

enum kind { KIND_PAIR, KIND_FIXED, KIND_SMALL, KIND_GLOBAL, NR_KINDS };

struct mailbox_stamp {
	u64 id;
	u32 size;
	u32 kind;
	u64 words[];
};

static u32 below(struct mailbox_actor *actor, u32 n)
{
	return prandom_u32_state(&actor->rnd) % n;
}

/* What stands in word @i of the object @id; other sums for other sets of ids. */
static u64 word_of(u64 id, u32 i)
{
	u64 x = (id + i) * 0x9e3779b97f4a7c15ull;

	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
}

static void stamp_write(struct mailbox_stamp *stamp, u64 id, u32 size,
			enum kind kind)
{
	u32 i, n = (size - sizeof(*stamp)) / 8;
	u64 last = word_of(id, n);

	*stamp = (struct mailbox_stamp){ .id = id, .size = size, .kind = kind };
	for (i = 0; i < n; i++)
		stamp->words[i] = word_of(id, i);
	/* To the last byte. */
	memcpy(&stamp->words[n], &last, size % 8);
}

static bool stamp_intact(const struct mailbox_stamp *stamp)
{
	u32 i, n = (stamp->size - sizeof(*stamp)) / 8;
	u64 last = word_of(stamp->id, n);

	if (stamp->size < sizeof(*stamp) || stamp->size > SZ_64K ||
	    stamp->kind >= NR_KINDS)
		return false;
	for (i = 0; i < n; i++)
		if (stamp->words[i] != word_of(stamp->id, i))
			return false;
	return !memcmp(&stamp->words[n], &last, stamp->size % 8);
}

/* Sizes of every class, few that are whole pages. */
static u32 random_size(struct mailbox_actor *actor)
{
	u32 dice = below(actor, 1000);

	if (dice < 900)
		return sizeof(struct mailbox_stamp) + below(actor, 300);
	if (dice < 995)
		return 256 + below(actor, 4000);
	return 8000 + below(actor, 24000);
}

/* Gives the object its name. */
static void actor_made(struct mailbox_actor *actor, struct mailbox_stamp *stamp,
		       u32 size, enum kind kind)
{
	u64 id = (u64)actor->id << 48 | ++actor->serial;

	stamp_write(stamp, id, size, kind);
	actor->sum.allocs++;
	actor->sum.made += word_of(id, 0);
}

static struct mailbox_stamp *actor_alloc(struct mailbox_actor *actor,
					 enum kind kind, gfp_t gfp)
{
	struct mailbox *box = actor->box;
	u32 size = random_size(actor);
	struct mailbox_stamp *stamp;

	switch (kind) {
	case KIND_PAIR:
		size = 64;
		stamp = mpool_fixed_alloc(box->pairs, gfp);
		break;
	case KIND_FIXED:
		size = FIXED_SIZE;
		stamp = mpool_fixed_alloc(box->fixed, gfp);
		break;
	case KIND_SMALL:
		stamp = mpool_small_alloc(box->small, size, gfp);
		break;
	default:
		stamp = mpool_malloc(size, gfp);
	}
	if (stamp)
		actor_made(actor, stamp, size, kind);
	else
		actor->sum.refused++;
	return stamp;
}

/* The last look at an object; one that is torn is never freed. */
static bool actor_ended(struct mailbox_actor *actor,
			struct mailbox_stamp *stamp)
{
	if (!stamp_intact(stamp)) {
		actor->sum.torn++;
		return false;
	}
	actor->sum.frees++;
	actor->sum.ended += word_of(stamp->id, 0);
	actor->sum.remote += stamp->id >> 48 != actor->id;
	/* Who still has it finds it torn. */
	stamp->id = ~stamp->id;
	return true;
}

static void actor_free(struct mailbox_actor *actor, struct mailbox_stamp *stamp)
{
	struct mailbox *box = actor->box;
	enum kind kind = stamp->kind;

	if (!actor_ended(actor, stamp))
		return;
	if (below(actor, 2))
		kind = KIND_GLOBAL;
	switch (kind) {
	case KIND_PAIR:
		mpool_fixed_free(box->pairs, stamp);
		break;
	case KIND_FIXED:
		mpool_fixed_free(box->fixed, stamp);
		break;
	case KIND_SMALL:
		mpool_small_free(box->small, stamp);
		break;
	default:
		mpool_free(stamp);
	}
}

static struct mailbox_stamp *actor_post(struct mailbox_actor *actor,
					struct mailbox_stamp *stamp)
{
	u32 i = below(actor, MAILBOX_SLOTS);

	return xchg(&actor->box->slots[i], stamp);
}

/* Several at once, out and back; what else was in the slots goes one by one. */
static void actor_bulk(struct mailbox_actor *actor, gfp_t gfp)
{
	struct mpool_fixed *fixed = actor->box->fixed;
	unsigned int i, n = 1 + below(actor, MOST_BULK), nr_old = 0;
	struct mailbox_stamp *old;
	void *objs[MOST_BULK];

	if (!mpool_fixed_alloc_bulk(fixed, gfp, n, objs)) {
		actor->sum.refused++;
		return;
	}
	actor->sum.bulks++;
	for (i = 0; i < n; i++) {
		actor_made(actor, objs[i], FIXED_SIZE, KIND_FIXED);
		old = actor_post(actor, objs[i]);
		if (!old)
			continue;
		/* Slot i is done with, and nr_old is not beyond it. */
		if (old->kind != KIND_FIXED)
			actor_free(actor, old);
		else if (actor_ended(actor, old))
			objs[nr_old++] = old;
	}
	mpool_fixed_free_bulk(fixed, nr_old, objs);
}

static void actor_step(struct mailbox_actor *actor, gfp_t gfp)
{
	u32 dice = below(actor, 32);
	enum kind kind = dice % NR_KINDS;
	struct mailbox_stamp *stamp;

	if (actor->box->plan.pairs)
		kind = KIND_PAIR;
	else if (!dice)
		return actor_bulk(actor, gfp);
	/* Now and then a slot is left empty. */
	if (actor->box->plan.pairs || dice < 28) {
		stamp = actor_alloc(actor, kind, gfp);
		if (!stamp)
			return;
	} else {
		stamp = NULL;
	}
	if (!actor->box->plan.pairs)
		stamp = actor_post(actor, stamp);
	if (stamp)
		actor_free(actor, stamp);
}

static ktime_t box_period(const struct mailbox *box)
{
	return ns_to_ktime((u64)box->plan.period_us * NSEC_PER_USEC);
}

static enum hrtimer_restart mailbox_fire(struct hrtimer *timer)
{
	struct mailbox_actor *actor = container_of(timer, struct mailbox_actor,
						   timer);
	int i;

	for (i = 0; i < FIRE_STEPS; i++)
		actor_step(actor, GFP_ATOMIC);
	actor->sum.hard_fires += !!in_hardirq();
	actor->sum.fires++;
	WRITE_ONCE(actor->fires, actor->sum.fires);
	hrtimer_forward_now(timer, box_period(actor->box));
	return HRTIMER_RESTART;
}

/* On the CPU of its thread, which starts it. */
static void actor_start_timer(struct mailbox_actor *actor)
{
	enum hrtimer_mode mode = actor->hard ? HRTIMER_MODE_REL_PINNED_HARD :
					       HRTIMER_MODE_REL_PINNED_SOFT;

	mpool_test_hrtimer(&actor->timer, mailbox_fire, mode);
	hrtimer_start(&actor->timer, box_period(actor->box), mode);
}

static int mailbox_thread(void *arg)
{
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_NOWAIT, GFP_ATOMIC };
	struct mailbox_actor *actor = arg;
	struct mailbox_sum *sum = &actor->sum;
	struct mailbox *box = actor->box;
	unsigned int i = 0;

	actor_start_timer(actor + MAILBOX_THREADS);
	while (sum->allocs + sum->frees < box->plan.ops / MAILBOX_THREADS &&
	       sum->refused < 1000) {
		actor_step(actor, gfp[i % ARRAY_SIZE(gfp)]);
		if (++i % 64 == 0)
			cond_resched();
	}
	complete(&box->done);
	return 0;
}

/* How many threads were started. */
static unsigned int threads_start(struct mailbox *box)
{
	unsigned int i, cpu = cpumask_first(cpu_online_mask);
	struct task_struct *task;

	for (i = 0; i < MAILBOX_THREADS; i++) {
		task = kthread_create(mailbox_thread, &box->actors[i],
				      "mpool_mailbox/%u", i);
		if (IS_ERR(task))
			break;
		kthread_bind(task, cpu);
		wake_up_process(task);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return i;
}

/* Has every timer fired as often as it shall?  They go on meanwhile. */
static bool timers_wait(struct mailbox *box, unsigned int n)
{
	unsigned int i, tries = 0;

	for (i = 0; i < n; i++) {
		struct mailbox_actor *actor = &box->actors[MAILBOX_THREADS + i];

		while (READ_ONCE(actor->fires) < box->plan.fires) {
			if (++tries > 6000)
				return false;
			msleep(20);
		}
	}
	return true;
}

static void sum_add(struct mailbox_sum *sum, const struct mailbox_sum *part)
{
	sum->allocs += part->allocs;
	sum->frees += part->frees;
	sum->refused += part->refused;
	sum->torn += part->torn;
	sum->remote += part->remote;
	sum->made += part->made;
	sum->ended += part->ended;
	sum->bulks += part->bulks;
	sum->fires += part->fires;
	sum->hard_fires += part->hard_fires;
}

/**
 * mailbox_run() - let everybody do his part, and empty the slots
 * @box: as it was created
 * @sum: receives what was done
 *
 * Context: Process context.  May sleep.
 * Return: false if not all of the threads and timers did.
 */
bool mailbox_run(struct mailbox *box, struct mailbox_sum *sum)
{
	unsigned int i, started = threads_start(box);
	struct mailbox_actor last = { .box = box, .id = MAILBOX_ACTORS };
	bool done;

	for (i = 0; i < started; i++)
		wait_for_completion(&box->done);
	done = timers_wait(box, started) && started == MAILBOX_THREADS;
	for (i = 0; i < started; i++)
		hrtimer_cancel(&box->actors[MAILBOX_THREADS + i].timer);
	prandom_seed_state(&last.rnd, box->plan.seed);
	for (i = 0; i < MAILBOX_SLOTS; i++)
		if (box->slots[i])
			actor_free(&last, box->slots[i]);
	*sum = last.sum;
	for (i = 0; i < MAILBOX_ACTORS; i++) {
		struct mailbox_sum *part = &box->actors[i].sum;

		if (i < MAILBOX_THREADS) {
			sum->thread_ops += part->allocs + part->frees;
			sum->thread_refused += part->refused;
		}
		sum_add(sum, part);
	}
	return done;
}

struct mailbox *mailbox_create(const struct mailbox_plan *plan)
{
	struct mpool_fixed_args args = { .reserve = 64 };
	struct mailbox *box = kvzalloc(sizeof(*box), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	if (!box)
		return NULL;
	box->plan = *plan;
	box->pairs = mpool_fixed_create("mailbox-64", 64, NULL);
	box->fixed = mpool_fixed_create("mailbox-fixed", FIXED_SIZE, &args);
	box->small = mpool_small_create("mailbox-small", NULL);
	if (IS_ERR(box->pairs) || IS_ERR(box->fixed) || IS_ERR(box->small)) {
		mailbox_destroy(box);
		return NULL;
	}
	init_completion(&box->done);
	prandom_seed_state(&rnd, plan->seed);
	for (i = 0; i < MAILBOX_ACTORS; i++) {
		struct mailbox_actor *actor = &box->actors[i];

		actor->box = box;
		actor->id = i;
		/* One of each sort on a CPU of two. */
		actor->hard = plan->hard && i % MAILBOX_THREADS < 2;
		prandom_seed_state(&actor->rnd, prandom_u32_state(&rnd) | 1);
	}
	return box;
}

/* Returns the number of objects that were never freed. */
size_t mailbox_destroy(struct mailbox *box)
{
	size_t leaks;

	leaks = mpool_fixed_destroy(box->pairs);
	leaks += mpool_fixed_destroy(box->fixed);
	leaks += mpool_small_destroy(box->small);
	kvfree(box);
	return leaks;
}
