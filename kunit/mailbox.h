/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads and timers that exchange objects; see mailbox.c.  By the public
 * interface alone: for KUnit, and for kernels that have none.
 */
#ifndef _MPOOL_KUNIT_MAILBOX_H
#define _MPOOL_KUNIT_MAILBOX_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/mpool.h>
#include <linux/prandom.h>

#define MAILBOX_SLOTS	4096
#define MAILBOX_THREADS	4
#define MAILBOX_ACTORS	(2 * MAILBOX_THREADS)	/* a timer for each */

struct mailbox_plan {
	u32 seed;
	u64 ops;		/* allocs and frees of the threads, at least */
	unsigned int fires;	/* of each timer, at least */
	unsigned int period_us;	/* of the timers */
	bool hard;		/* half of the timers in hard interrupts */
	bool pairs;		/* 64 bytes out and back, nothing exchanged */
};

/* What was done, and what was made and ended: sums over the serials. */
struct mailbox_sum {
	u64 allocs, frees, refused, torn, remote, made, ended;
	u64 thread_ops, thread_refused, bulks;
	unsigned int fires, hard_fires;
};

struct mailbox;
struct mailbox_stamp;

/* Whoever does operations, one at a time. */
struct mailbox_actor {
	struct mailbox *box;
	struct rnd_state rnd;
	struct hrtimer timer;
	u32 id;
	bool hard;
	u64 serial;
	unsigned int fires;
	struct mailbox_sum sum;
};

struct mailbox {
	struct mailbox_plan plan;
	struct mpool_fixed *pairs;	/* 64 bytes */
	struct mpool_fixed *fixed;	/* with a reserve */
	struct mpool_small *small;
	struct mailbox_stamp *slots[MAILBOX_SLOTS];
	/* Threads first, then their timers. */
	struct mailbox_actor actors[MAILBOX_ACTORS];
	struct completion done;
};

struct mailbox *mailbox_create(const struct mailbox_plan *plan);
bool mailbox_run(struct mailbox *box, struct mailbox_sum *sum);
size_t mailbox_destroy(struct mailbox *box);

#endif /* _MPOOL_KUNIT_MAILBOX_H */
