// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench: runs the workloads of table.c and prints what they took.
 *
 * For each workload every allocator runs one round that does not count, because
 * it fills caches, then the rounds, interleaved: one of each, nine times.  The
 * value is the median, less the median of the same loop without an allocator.
 *
 *	bench: workload,allocator,value,unit
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/glob.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "bench.h"
#include "replay.h"

#define MAX_ROUNDS	99

static char *work = "*";
module_param(work, charp, 0444);
MODULE_PARM_DESC(work, "workloads to run, a glob");

static bool slow = true;
module_param(slow, bool, 0444);
MODULE_PARM_DESC(slow, "workloads that one kernel is enough for, too");

static unsigned int rounds = 9;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds of each, the median counts");

bool bench_instructions;
module_param_named(instructions, bench_instructions, bool, 0444);
MODULE_PARM_DESC(instructions, "the time stamp counter counts instructions, as it does in QEMU with -icount shift=0");

static char *trace = "/bench.trace";
module_param(trace, charp, 0444);
MODULE_PARM_DESC(trace, "file that replay-fs replays");

static const char *const alloc_names[BENCH_NR] = {
	[BENCH_EMPTY] = "none",
	[BENCH_FLOOR] = "floor",
	[BENCH_MPOOL] = "mpool",
	[BENCH_MPOOL_SMALL] = "mpool_small",
	[BENCH_MPOOL_LARGE] = "mpool_large",
	[BENCH_MPOOL_STRING] = "mpool_string",
	[BENCH_KMEM_CACHE] = "kmem_cache",
	[BENCH_KMALLOC] = "kmalloc",
	[BENCH_MEMPOOL] = "mempool",
	[BENCH_OBJPOOL] = "objpool",
	[BENCH_GEN_POOL] = "gen_pool",
	[BENCH_GEN_POOL_BEST] = "gen_pool-best",
	[BENCH_DMA_POOL] = "dma_pool",
	[BENCH_ALLOC_PAGES_EXACT] = "alloc_pages_exact",
	[BENCH_KVMALLOC] = "kvmalloc",
	[BENCH_KSTRDUP] = "kstrdup",
};

struct samples {
	u32 n;
	u64 v[MAX_ROUNDS];
};

/*
 * The lines of a workload are printed at its end, and a while passes then: a
 * console that prints in a thread is not to do it during the next one.
 */
#define MAX_LINES	64

struct line {
	const char *alloc;
	const char *unit;
	u64 value;
};

static struct line lines[MAX_LINES];
static unsigned int nr_lines;

void bench_say(const struct bench_ctx *ctx, enum bench_alloc alloc, u64 value,
	       const char *unit)
{
	if (nr_lines < MAX_LINES)
		lines[nr_lines++] = (struct line){
			.alloc = alloc_names[alloc],
			.unit = unit,
			.value = value,
		};
}

static void say_all(const struct bench_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < nr_lines; i++)
		pr_info("bench: %s,%s,%llu.%02llu,%s\n", ctx->name,
			lines[i].alloc, lines[i].value / 100,
			lines[i].value % 100, lines[i].unit);
	nr_lines = 0;
	msleep(50);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Hundredths of an operation, less those of the empty loop. */
static u64 per_pair(struct bench_ctx *ctx, u64 value, u64 empty)
{
	return value > empty ? (value - empty) * 100 / ctx->pairs : 0;
}

static const char *cost_unit(void)
{
	return bench_instructions ? "instructions" : "ns";
}

static void report(struct bench_ctx *ctx, struct samples *samples)
{
	const char *unit = cost_unit();
	u64 empty = 0;
	u32 i;

	for (i = 0; i < BENCH_NR; i++) {
		struct samples *s = &samples[i];

		if (!s->n)
			continue;
		sort(s->v, s->n, sizeof(*s->v), compare, NULL);
		if (i == BENCH_EMPTY) {
			empty = s->v[s->n / 2];
			continue;
		}
		bench_say(ctx, i, per_pair(ctx, s->v[s->n / 2], empty), unit);
		if (bench_instructions)
			continue;
		bench_say(ctx, i, per_pair(ctx, s->v[0], empty), "ns-min");
		bench_say(ctx, i, per_pair(ctx, s->v[s->n - 1], empty),
			  "ns-max");
	}
}

/* A workload whose functions return their result. */
static void run_plain(struct bench_ctx *ctx)
{
	const struct bench_work *work = ctx->work;
	const char *unit = strcmp(work->unit, BENCH_COST) ? work->unit : cost_unit();
	u32 i;

	for (i = BENCH_EMPTY + 1; i < BENCH_NR; i++) {
		u64 value;

		if (!work->fn[i] || (work->has && !work->has(i)))
			continue;
		value = work->fn[i](ctx);
		if (value != BENCH_FAILED)
			bench_say(ctx, i, value, unit);
	}
}

static void run_rounds(struct bench_ctx *ctx, struct samples *samples)
{
	const struct bench_work *work = ctx->work;
	u32 i, r, n = work->rounds ? min(rounds, work->rounds) : rounds;
	bool in[BENCH_NR];

	for (i = 0; i < BENCH_NR; i++) {
		samples[i].n = 0;
		in[i] = work->fn[i] && (!work->has || work->has(i)) &&
			work->fn[i](ctx) != BENCH_FAILED;
		cond_resched();
	}
	for (r = 0; r < n; r++) {
		for (i = 0; i < BENCH_NR; i++) {
			u64 took = in[i] ? work->fn[i](ctx) : BENCH_FAILED;

			if (took != BENCH_FAILED)
				samples[i].v[samples[i].n++] = took;
			cond_resched();
		}
	}
	report(ctx, samples);
}

static void run_work(struct bench_ctx *ctx, struct samples *samples)
{
	const struct bench_work *work = ctx->work;

	ctx->pairs = max(work->pairs, ctx->depth);
	if (!bench_instructions && work->scale)
		ctx->pairs *= work->scale;
	if (work->setup && work->setup(ctx)) {
		pr_info("%s: cannot be set up here\n", ctx->name);
		return;
	}
	if (work->unit)
		run_plain(ctx);
	else
		run_rounds(ctx, samples);
	if (work->after)
		work->after(ctx);
	if (work->teardown)
		work->teardown(ctx);
	say_all(ctx);
}

/* The name of a workload: that of its row, with numbers for SIZE and COUNT. */
static void name_work(struct bench_ctx *ctx)
{
	const char *from = ctx->work->name;
	char *to = ctx->name, *end = to + sizeof(ctx->name);

	while (*from && to < end - 1) {
		if (strstarts(from, "SIZE")) {
			to += scnprintf(to, end - to, "%u", ctx->size);
			from += strlen("SIZE");
		} else if (strstarts(from, "COUNT")) {
			to += scnprintf(to, end - to, "%u", ctx->depth);
			from += strlen("COUNT");
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* All workloads of a row. */
static void run_row(struct bench_ctx *ctx, struct samples *samples)
{
	const struct bench_work *row = ctx->work;
	const u32 one_size[] = { row->size, 0 }, one_depth[] = { row->depth, 0 };
	const u32 *size, *depth;

	size = row->sizes ?: one_size;
	do {
		depth = row->counts ?: one_depth;
		do {
			ctx->size = *size;
			ctx->depth = *depth;
			name_work(ctx);
			if (glob_match(work, ctx->name))
				run_work(ctx, samples);
		} while (*depth && *++depth);
	} while (*size && *++size);
}

static int bench(void *done)
{
	const struct bench_work *row;
	struct rnd_state rnd;
	struct bench_ctx ctx = {};
	struct samples *samples;
	u32 i;

	ctx.slots = kvcalloc(BENCH_SLOTS, sizeof(*ctx.slots), GFP_KERNEL);
	ctx.words = kvcalloc(BENCH_SLOTS, sizeof(*ctx.words), GFP_KERNEL);
	ctx.random = kvcalloc(BENCH_RANDOM, sizeof(*ctx.random), GFP_KERNEL);
	samples = kvcalloc(BENCH_NR, sizeof(*samples), GFP_KERNEL);
	if (!ctx.slots || !ctx.words || !ctx.random || !samples)
		goto out;
	/* What the kernel still has to do after boot is not to be done meanwhile. */
	msleep(3000);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < BENCH_RANDOM; i++)
		ctx.random[i] = prandom_u32_state(&rnd);
	for (row = bench_works; row->name; row++) {
		if (row->slow && !slow)
			continue;
		ctx.work = row;
		run_row(&ctx, samples);
	}
out:
	kvfree(samples);
	kvfree(ctx.random);
	kvfree(ctx.words);
	kvfree(ctx.slots);
	/* Not a return: the module may be gone before its code is left. */
	kthread_complete_and_exit(done, 0);
}

static int __init bench_init(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	if (glob_match(work, "replay-fs"))
		bench_replay_load(trace);
	rounds = clamp(rounds, 1u, MAX_ROUNDS + 0u);
	task = kthread_create(bench, &done, "mpool_bench");
	if (IS_ERR(task)) {
		bench_replay_unload();
		return PTR_ERR(task);
	}
	kthread_bind(task, cpumask_first(cpu_online_mask));
	wake_up_process(task);
	/* It may take minutes: not a task that hangs. */
	while (!wait_for_completion_timeout(&done, 60 * HZ))
		;
	return 0;
}

static void __exit bench_exit(void)
{
	bench_replay_unload();
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Bench of mpool and its peers");
MODULE_LICENSE("GPL");
