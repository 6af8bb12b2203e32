/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench: what its parts share.
 *
 * A workload is a row of bench_works[], with a function for each allocator that
 * can do it.  Such a function does ctx->pairs operations, an allocation and a
 * free each, and returns what they took.  BENCH_EMPTY is the same loop without
 * an allocator; what it takes is subtracted.
 *
 * A row with lists of sizes or counts stands for a workload of each.  Its name has the
 * words SIZE and COUNT in their place.
 *
 * The loops are always_inline functions that take the two operations as
 * constants, so that each allocator is called as a driver calls it.
 */
#ifndef _MPOOL_BENCH_H
#define _MPOOL_BENCH_H

#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mpool.h>
#include <linux/prandom.h>
#include <linux/timex.h>

enum bench_alloc {
	BENCH_EMPTY,
	BENCH_FLOOR,		/* see objects.c */
	BENCH_MPOOL,
	BENCH_MPOOL_SMALL,	/* where it is not the only kind, the next two as well */
	BENCH_MPOOL_LARGE,
	BENCH_MPOOL_STRING,
	BENCH_KMEM_CACHE,
	BENCH_KMALLOC,
	BENCH_MEMPOOL,
	BENCH_OBJPOOL,
	BENCH_GEN_POOL,
	BENCH_GEN_POOL_BEST,
	BENCH_DMA_POOL,
	BENCH_ALLOC_PAGES_EXACT,
	BENCH_KVMALLOC,
	BENCH_KSTRDUP,
	BENCH_NR
};

/* Pointers and numbers that a workload may keep, and random numbers that it may use. */
#define BENCH_SLOTS	(1u << 20)
#define BENCH_RANDOM	(1u << 13)	/* power of two */

#define BENCH_FAILED	(~0ull)

#define BENCH_COST	"cost"

struct bench_work;

struct bench_ctx {
	const struct bench_work *work;
	char name[32];
	u32 size;		/* of the row, or one of its lists */
	u32 depth;
	u32 pairs;
	void **slots;
	u32 *words;
	u32 *random;
};

typedef u64 (*bench_fn)(struct bench_ctx *ctx);

struct bench_work {
	const char *name;
	const char *what;
	u32 size;		/* bytes of an object, or pages of a run */
	u32 depth;		/* objects out at once */
	const u32 *sizes;	/* one for each workload of the row, up to a 0 */
	const u32 *counts;	/* the same for @depth */
	u32 pairs;		/* operations of a round in instructions, at least @depth */
	u32 scale;		/* times as many in nanoseconds */
	const struct mpool_fixed_args *args;	/* of the fixed pool */
	bool slow;		/* one kernel is enough */
	u32 rounds;		/* most, 0: as many as the parameter says */
	/*
	 * What the functions return is the result, in hundredths of this unit:
	 * no rounds, no loop to subtract.  BENCH_COST: of the unit of all other workloads.
	 */
	const char *unit;
	int (*setup)(struct bench_ctx *ctx);
	bool (*has)(enum bench_alloc alloc);	/* NULL: all */
	void (*teardown)(struct bench_ctx *ctx);
	/* Once, after the rounds. */
	void (*after)(struct bench_ctx *ctx);
	bench_fn fn[BENCH_NR];
};

extern const struct bench_work bench_works[];

extern bool bench_instructions;

/* A result beside the value of a workload; @value in hundredths. */
void bench_say(const struct bench_ctx *ctx, enum bench_alloc alloc, u64 value,
	       const char *unit);

/* Instructions if the machine counts them in its time stamp counter. */
static __always_inline u64 bench_now(void)
{
	if (bench_instructions)
		return get_cycles();
	return ktime_get_ns();
}

/* An operation that is none, and that the compiler cannot see through. */
static __always_inline void *bench_nothing(const void *p)
{
	asm volatile("" : "+r" (p));
	return (void *)p;
}

/* cross.c: an interrupt, and another CPU. */
u64 bench_in_irq(struct bench_ctx *ctx, bench_fn fn);

#define BENCH_CROSS_BATCH	512

struct bench_cross {
	void (*fill)(void **objs);
	void (*drain)(void **objs);
};

u64 bench_cross_run(struct bench_ctx *ctx, const struct bench_cross *ops);

/* What not every kernel has. */
#ifdef __has_include
#if __has_include(<linux/objpool.h>)
#define BENCH_HAVE_OBJPOOL	1
#endif
#endif
#ifndef BENCH_HAVE_OBJPOOL
#define BENCH_HAVE_OBJPOOL	0
#endif

#endif /* _MPOOL_BENCH_H */
