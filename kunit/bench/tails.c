// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tails: each operation by itself, and how long the slowest of them take.
 *
 * A pool is filled, then objects are replaced at random, then all go in another order
 * than they came.  An operation in which a tick or another task ran does not count.  What
 * the clock takes, and the call through a pointer, is subtracted.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "pools.h"
#include "tails.h"

#define TAIL_TIMES	200000
#define OBJECTS_LIVE	100000
#define MIX_LIVE	20000
#define RUNS_LIVE	5000
#define RUN_PAGES	16

struct tail {
	const struct bench_side *side;
	u32 live;
	bool runs;		/* of pages; else the mix, for a side that has sizes */
	bool allocs, frees;	/* which of them count */
	/* private: */
	struct bench_ctx *ctx;
	struct rnd_state rnd;
	u32 n;			/* samples, in ctx->words */
	u32 overhead;
};

static __always_inline unsigned long disturbed(void)
{
	return jiffies + current->nvcsw + current->nivcsw;
}

static void sample(struct tail *tail, bool counts, u64 took)
{
	if (counts && tail->n < BENCH_SLOTS)
		tail->ctx->words[tail->n++] = min_t(u64, took, U32_MAX);
	if (!(tail->n % 64))
		cond_resched();
}

static bool take_one(struct tail *tail, u32 at)
{
	size_t size = tail->runs ? PAGE_SIZE * (1 + bench_below(&tail->rnd, RUN_PAGES)) :
		      bench_mix_size(&tail->rnd);
	unsigned long before = disturbed();
	u64 took, start = bench_now();
	void *p = tail->side->take(size);

	took = bench_now() - start;
	tail->ctx->slots[at] = p;
	sample(tail, tail->allocs && before == disturbed(), took);
	return p;
}

static void give_one(struct tail *tail, u32 at)
{
	unsigned long before = disturbed();
	u64 took, start = bench_now();

	tail->side->give(tail->ctx->slots[at]);
	took = bench_now() - start;
	tail->ctx->slots[at] = NULL;
	sample(tail, tail->frees && before == disturbed(), took);
}

static void shuffle(struct tail *tail, u32 n)
{
	while (n > 1) {
		u32 other = bench_below(&tail->rnd, n--);

		swap(tail->ctx->slots[n], tail->ctx->slots[other]);
	}
}

static bool run(struct tail *tail, u32 live, u32 times)
{
	u32 i, filled = 0;
	bool good = true;

	while (filled < live && good)
		good = take_one(tail, filled++);
	while (good && times--) {
		u32 at = bench_below(&tail->rnd, live);

		give_one(tail, at);
		good = take_one(tail, at);
	}
	shuffle(tail, filled);
	for (i = 0; i < filled; i++)
		if (tail->ctx->slots[i])
			give_one(tail, i);
	return good;
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Hundredths of what all but one of @part samples take at most. */
static u64 quantile(const struct tail *tail, u32 part)
{
	u32 value = tail->ctx->words[tail->n - 1 - tail->n / part];

	return value > tail->overhead ? (value - tail->overhead) * 100ull : 0;
}

static void sort_samples(struct tail *tail)
{
	sort(tail->ctx->words, tail->n, sizeof(*tail->ctx->words), compare, NULL);
}

static u64 bench_tail(struct bench_ctx *ctx, struct tail tail)
{
	const struct bench_side *side = tail.side;

	tail.ctx = ctx;
	prandom_seed_state(&tail.rnd, 3);
	tail.side = &bench_side_empty;
	run(&tail, 1000, 0);
	sort_samples(&tail);
	tail.overhead = ctx->words[0];
	tail.side = side;
	tail.n = 0;
	if (!run(&tail, tail.live, TAIL_TIMES) || !tail.n)
		return BENCH_FAILED;
	sort_samples(&tail);
	bench_say(ctx, side->alloc, quantile(&tail, 2), "p50");
	bench_say(ctx, side->alloc, quantile(&tail, 100), "p99");
	bench_say(ctx, side->alloc, quantile(&tail, 1000), "p99.9");
	bench_say(ctx, side->alloc, quantile(&tail, 10000), "p99.99");
	return quantile(&tail, U32_MAX);
}

#define BENCH_TAIL(loop, name, side_, live_, args...)			\
u64 bench_tail_##loop##_##name(struct bench_ctx *ctx)			\
{									\
	return bench_tail(ctx, (struct tail){				\
		.side = &bench_side_##side_,				\
		.live = live_,						\
		args							\
	});								\
}

BENCH_TAIL(alloc, mpool, fixed, OBJECTS_LIVE, .allocs = true)
BENCH_TAIL(alloc, mpool_small, small, MIX_LIVE, .allocs = true)
BENCH_TAIL(alloc, kmem_cache, cache, OBJECTS_LIVE, .allocs = true)
BENCH_TAIL(alloc, kmalloc, kmalloc, MIX_LIVE, .allocs = true)
BENCH_TAIL(free, mpool, fixed, OBJECTS_LIVE, .frees = true)
BENCH_TAIL(free, mpool_small, small, MIX_LIVE, .frees = true)
BENCH_TAIL(free, kmem_cache, cache, OBJECTS_LIVE, .frees = true)
BENCH_TAIL(free, kmalloc, kmalloc, MIX_LIVE, .frees = true)
BENCH_TAIL(run, mpool, large, RUNS_LIVE, .runs = true, .allocs = true, .frees = true)
BENCH_TAIL(run, kmalloc, kmalloc, RUNS_LIVE, .runs = true, .allocs = true, .frees = true)
