/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests by the public interface alone, for kernels without KUnit.
 *
 * runner.c prints KTAP, places.c has a function called in any context, cases.c,
 * runs.c, nodes.c, refs.c, storm.c and exchange.c are what is tried there.  foreign.c
 * is a case by itself, which makes the kernel warn.
 */
#ifndef _MPOOL_STOCK_H
#define _MPOOL_STOCK_H

#include <linux/mpool.h>
#include <linux/preempt.h>
#include <linux/types.h>

/*
 * A case, or what runs for it elsewhere.  Written in any context: the first
 * failure is kept and printed when the case is over.
 */
struct stock {
	const char *skip;	/* why the case was not run */
	unsigned int fails;
	unsigned int line;
	const char *file;
	const char *what;
	const char *place;	/* where it was when it failed */
	const char *now;	/* where it is */
};

/* Notes a failure and goes on.  Any context. */
#define CHECK(t, cond) ({						\
	struct stock *__t = (t);					\
	bool __ok = (cond);						\
									\
	if (!__ok && !__t->fails++) {					\
		__t->file = __FILE__;					\
		__t->line = __LINE__;					\
		__t->what = #cond;					\
		__t->place = __t->now;					\
	}								\
	__ok;								\
})

struct stock_case {
	const char *name;
	void (*fn)(struct stock *t);
};

extern const struct stock_case stock_cases[];
extern const unsigned int nr_stock_cases;

void stock_runs(struct stock *t);
void stock_nodes(struct stock *t);
void stock_refs(struct stock *t);
void stock_resize(struct stock *t);
void stock_storm(struct stock *t);
void stock_exchange(struct stock *t);
void stock_nest(struct stock *t);
void stock_reentry(struct stock *t);
void stock_pairs(struct stock *t);
void stock_untouched(struct stock *t);
void stock_cpu_ends(struct stock *t);
void stock_tune(struct stock *t);
void stock_reclaim(struct stock *t);
void stock_node_pools(struct stock *t);
void stock_mapped(struct stock *t);
void stock_pinned(struct stock *t);
void stock_foreign(struct stock *t);

/* Address space of who loads the module, for what needs one. */
extern struct mm_struct *stock_mm;

enum place {
	PLACE_TASK,
	PLACE_SOFTIRQ,
	PLACE_HARDIRQ,		/* hard timer */
	PLACE_IRQ_WORK,		/* hard, on PREEMPT_RT too */
	PLACE_IPI,		/* another CPU */
	PLACE_RAW_LOCK,		/* under a raw spinlock, interrupts off */
	PLACE_NMI,
	NR_PLACES
};

/* What is called there. */
typedef void (*place_fn)(struct stock *t, void *arg);

const char *place_name(enum place place);
bool place_run(struct stock *t, enum place at, place_fn fn, void *arg);
bool place_nmi_on(struct stock *t, unsigned int cpu, place_fn fn, void *arg);
gfp_t place_gfp(enum place place);
bool place_may_grow(enum place place);

int places_init(void);
void places_exit(void);

#endif /* _MPOOL_STOCK_H */
