// SPDX-License-Identifier: GPL-2.0-only
/*
 * A free that is stopped at each of its instructions by another free of the same
 * object, and an allocation by another allocation.
 *
 * A kprobe stands on one instruction after the other, and what it hits there is called
 * again from its handler, which is as if an interrupt came at just that instruction.
 * Of two frees of one object one is refused; two allocations get different objects;
 * the pool is sound afterwards.
 */
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>

#include "stock.h"

#define BYTES	320u	/* of code that is looked at */
#define OBJS	64u

#if IS_ENABLED(CONFIG_KPROBES) && IS_ENABLED(CONFIG_X86_64)

static struct mpool_fixed *pool;
static void *victim, *second;
static bool armed, freeing;
static unsigned int hits;

/* In place of the instruction's interrupt: once for each call. */
static int reenter(struct kprobe *kp, struct pt_regs *regs)
{
	if (!READ_ONCE(armed))
		return 0;
	WRITE_ONCE(armed, false);
	hits++;
	if (freeing)
		mpool_fixed_free(pool, victim);
	else
		second = mpool_fixed_alloc(pool, GFP_ATOMIC | __GFP_NOWARN);
	return 0;
}

/* All objects of the pool, none of them twice. */
static void take_all_once(struct stock *t)
{
	static void *objs[OBJS];
	unsigned int i, j, n = 0;

	while (n < OBJS && (objs[n] = mpool_fixed_alloc(pool, GFP_NOWAIT | __GFP_NOWARN)))
		n++;
	CHECK(t, n == OBJS);
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			CHECK(t, objs[i] != objs[j]);
	while (n)
		mpool_fixed_free(pool, objs[--n]);
}

static void free_here(struct stock *t)
{
	victim = mpool_fixed_alloc(pool, GFP_KERNEL);
	if (!CHECK(t, victim))
		return;
	preempt_disable();
	freeing = true;
	WRITE_ONCE(armed, true);
	mpool_fixed_free(pool, victim);
	WRITE_ONCE(armed, false);
	preempt_enable();
	/* One of two frees was refused, or the next object would not count. */
	victim = mpool_fixed_alloc(pool, GFP_KERNEL);
	CHECK(t, mpool_fixed_live(pool) == 1);
	mpool_fixed_free(pool, victim);
	CHECK(t, !mpool_fixed_live(pool));
}

static void alloc_here(struct stock *t)
{
	void *first;

	second = NULL;
	preempt_disable();
	freeing = false;
	WRITE_ONCE(armed, true);
	first = mpool_fixed_alloc(pool, GFP_NOWAIT);
	WRITE_ONCE(armed, false);
	preempt_enable();
	CHECK(t, first && first != second);
	mpool_fixed_free(pool, first);
	mpool_fixed_free(pool, second);
	CHECK(t, !mpool_fixed_live(pool));
}

/* At each instruction of a function; how many there were. */
static unsigned int sweep(struct stock *t, void *fn, void (*call)(struct stock *t))
{
	unsigned int off, points = 0;

	for (off = 0; off < BYTES; off++) {
		struct kprobe kp = {
			.addr = (kprobe_opcode_t *)fn + off,
			.pre_handler = reenter,
		};

		/* Refused within an instruction, and where the function has ended. */
		if (register_kprobe(&kp))
			continue;
		hits = 0;
		call(t);
		unregister_kprobe(&kp);
		if (!hits)
			continue;
		points++;
		take_all_once(t);
	}
	return points;
}

void stock_reentry(struct stock *t)
{
	const struct mpool_fixed_args args = { .max_objects = 0 };
	unsigned int frees, allocs;
	void *objs[OBJS];

	pool = mpool_fixed_create("stock-reentry", 3072, &args);
	if (!CHECK(t, !IS_ERR(pool)))
		return;
	/* So many that the sweep needs no more memory. */
	CHECK(t, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, OBJS, objs) == OBJS);
	mpool_fixed_free_bulk(pool, OBJS, objs);
	frees = sweep(t, __mpool_fixed_free, free_here);
	allocs = sweep(t, __mpool_fixed_alloc_at, alloc_here);
	pr_info("# re-entered at %u instructions of free, %u of alloc\n", frees, allocs);
	CHECK(t, frees >= 20);
	CHECK(t, allocs >= 10);
	CHECK(t, !mpool_fixed_destroy(pool));
}

#else

void stock_reentry(struct stock *t)
{
	t->skip = "the kernel has no kprobes";
}

#endif
