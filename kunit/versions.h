/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * versions: the only file of the tests that knows about kernel versions.
 *
 * What was renamed between 6.1 and 7.3, and has no macro that would tell.
 */
#ifndef _MPOOL_KUNIT_VERSIONS_H
#define _MPOOL_KUNIT_VERSIONS_H

#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/version.h>

/*
 * Does mpool get more memory in a hard interrupt?  Not by the rules of PREEMPT_RT,
 * which other kernels have, too, where lockdep proves them.
 */
#define MPOOL_TEST_HARD_GROWS	(!IS_ENABLED(CONFIG_PREEMPT_RT) &&	\
				 !IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING))

static inline void mpool_test_hrtimer(struct hrtimer *timer,
				      enum hrtimer_restart
				      (*fn)(struct hrtimer *timer),
				      enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, mode);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = fn;
#endif
}

/* A timer that fires in hard interrupts, on PREEMPT_RT too. */
static inline void mpool_test_hard_timer(struct hrtimer *timer,
					 enum hrtimer_restart
					 (*fn)(struct hrtimer *timer))
{
	mpool_test_hrtimer(timer, fn, HRTIMER_MODE_REL_HARD);
}

static inline void mpool_test_timer_end(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

/* Makes one function the code of a module that was never loaded. */
static inline void mpool_test_module_code(struct module *mod, void *fn)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	mod->mem[MOD_TEXT].base = fn;
	mod->mem[MOD_TEXT].size = 1;
#else
	mod->core_layout.base = fn;
	mod->core_layout.size = 1;
	mod->core_layout.text_size = 1;
#endif
}

/*
 * Does kfree() take a page that is no slab's for one of its own, and drop a reference?
 * Since 6.15 a large kmalloc() has a mark, and what has none is refused.
 */
#define MPOOL_TEST_KFREE_DROPS	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0))

/* Waits for what kfree_rcu() was asked, where there is a function that does. */
static inline void mpool_test_kfree_rcu_wait(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	kvfree_rcu_barrier();
#endif
}

#endif /* _MPOOL_KUNIT_VERSIONS_H */
