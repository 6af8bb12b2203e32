// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox of the suite mpool_storm, for kernels without KUnit: four million
 * operations, because QEMU computes each instruction.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/random.h>

#include "stock.h"
/* The object of another directory's module cannot be linked into this one. */
#include "../mailbox.c"

#define WATCHED	IS_ENABLED(CONFIG_KCSAN)
#define OPS	(WATCHED ? 200000u : 4000000u)
#define FIRES	100u

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Seed of the mailbox, 0 for a new one each");

static void check_sums(struct stock *t, const struct mailbox_sum *sum)
{
	pr_info("# %s: %llu allocs, %llu refused; timers fired %u times, %u hard; %llu freed elsewhere\n",
		t->now, sum->allocs, sum->refused, sum->fires, sum->hard_fires,
		sum->remote);
	CHECK(t, !sum->torn);
	CHECK(t, sum->allocs == sum->frees);
	CHECK(t, sum->made == sum->ended);
	CHECK(t, sum->thread_ops >= OPS);
	CHECK(t, sum->fires >= MAILBOX_THREADS * FIRES);
	CHECK(t, sum->hard_fires >= 2 * FIRES);
	CHECK(t, !sum->thread_refused);
	CHECK(t, !MPOOL_TEST_HARD_GROWS || !sum->refused);
}

static void exchange(struct stock *t, bool pairs, struct mailbox_sum *sum)
{
	struct mailbox_plan plan = {
		.seed = seed ?: get_random_u32() | 1,
		.ops = OPS,
		.fires = FIRES,
		.period_us = WATCHED ? 10000 : 2000,
		.hard = true,
		.pairs = pairs,
	};
	struct mailbox *box = mailbox_create(&plan);

	t->now = pairs ? "pairs" : "mailbox";
	pr_info("# %s: seed=%u\n", t->now, plan.seed);
	if (!CHECK(t, box))
		return;
	CHECK(t, mailbox_run(box, sum));
	check_sums(t, sum);
	CHECK(t, !mpool_fixed_live(box->pairs));
	CHECK(t, !mpool_fixed_live(box->fixed));
	CHECK(t, !mailbox_destroy(box));
}

void stock_exchange(struct stock *t)
{
	struct mailbox_sum sum = { };

	exchange(t, false, &sum);
	CHECK(t, sum.remote > sum.frees / 32);
	CHECK(t, sum.bulks > OPS / 1000);
}

void stock_pairs(struct stock *t)
{
	struct mailbox_sum sum = { };

	exchange(t, true, &sum);
	CHECK(t, !sum.remote);
}
