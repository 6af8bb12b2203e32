/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * House rules, shared by every layer.
 *
 * Folders.  A file includes headers of its own folder and of those before it, in the order
 * base, core, run, object, small, string, report; main.c includes any.  So no call goes up.
 * Spinlocks of a folder may be taken while one of a later folder is held, never the reverse.
 *
 * Lock order, outermost first, with the file that has each and its type; scripts/
 * check-layers compares this with the sources.  A mutex is never taken by alloc and
 * free, unless they reclaim memory.
 *
 *	report_mutex		report.c	mutex	text of a report of leaks
 *	kept_mutex		report.c	mutex	reports of leaks that are kept
 *	registry_mutex		registry.c	mutex	names and list of pools
 *	owner_mutex		owner.c		mutex	list of the modules that are loaded
 *	reserve->fill_mutex	reserve.h	mutex	objects set aside, of one pool
 *	region_mutex		region.c	mutex	adding, removing of regions
 *	mpool_shortage_mutex	shortage.c	mutex	owners of memory when there was none
 *	refs_mutex		report.c	mutex	text about references to pages
 *	shrink_mutex		shrink.c	mutex	large pools, for reclaim
 *	mpool_trim_mutex	fixed.c		mutex	idle objects of all fixed pools
 *	fixed_lock		fixed.c		spin	list of all fixed pools
 *	tab->lock		strtab.h	spin	strings of one pool
 *	depot->lock		magazine.h	raw	magazines of one pool, on one node
 *	chunks->lock		chunk.h		raw	free objects of one fixed pool
 *	large->lock		large.h		raw	runs of one large pool
 *	pagemap_lock		pagemap.c	spin	windows of the page map
 *	site_lock		site.c		raw	table of call sites
 *	bucket->lock		call.c		raw	callbacks that tasks are in
 *
 * Reclaim may begin wherever memory is allocated with GFP_KERNEL, so that shrink_mutex
 * is inside of each mutex under which that is done; it only tries mpool_trim_mutex, and
 * is only tried by who asks how much there is.
 * The locks from depot->lock on are not taken under each other.
 *
 * The work under a raw lock, with interrupts off, does not grow with the size of a
 * pool.  Nothing is allocated, freed to the kernel, copied or printed under them, but
 * for what verify finds broken.  In NMI context they are only tried.  pagemap_lock
 * is a spinlock_t: it is taken only where the page allocator may be called.
 */
#ifndef _MPOOL_INTERNAL_H
#define _MPOOL_INTERNAL_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mpool.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>

#include "compat.h"

/*
 * Reads an aligned word on a fast path that others may be writing, where either
 * value will do and it is used once.  READ_ONCE() would do, but gcc gives what
 * is volatile a load of its own: ten instructions in a pair of alloc and free.
 */
#define mpool_read(word) data_race(word) /* see above */

/*
 * Reads a word that others change meanwhile by plain stores, under a lock or on
 * their own CPU, where any value it had will do: to look whether a lock is worth
 * taking, or to count.
 */
#define mpool_hint(word) data_race(READ_ONCE(word)) /* see above */

/*
 * Would lockdep let the caller take a spinlock_t?  With PROVE_RAW_LOCK_NESTING
 * it holds every kernel to the rule of PREEMPT_RT: not in a hard interrupt that
 * could not be threaded, and not under a raw lock.  Once it has reported a bug
 * it keeps no more books, and the locks that it still lists may be gone.
 */
#ifdef CONFIG_PROVE_RAW_LOCK_NESTING
static inline bool mpool_lockdep_may_spin(void)
{
	int i;

	if (!debug_locks)
		return true;
	if (in_hardirq() && !current->hardirq_threaded && !current->irq_config)
		return false;
	for (i = 0; i < current->lockdep_depth; i++)
		if (current->held_locks[i].instance->wait_type_inner ==
		    LD_WAIT_SPIN)
			return false;
	return true;
}
#else
static inline bool mpool_lockdep_may_spin(void)
{
	return true;
}
#endif

/*
 * May the page allocator and kmalloc be called here, and memory be given back
 * to them?  Where a spinlock_t may be taken, because they take some, whatever
 * the gfp flags say: never in NMI; on PREEMPT_RT not where preemption or
 * interrupts are off.  On other kernels also in hard interrupts, as kmalloc()
 * with GFP_ATOMIC may, which a driver that moves to mpool relies on.  Where
 * lockdep would report kmalloc() there, a pool does what it does on PREEMPT_RT:
 * it lives on what it has, and a driver's report is never mpool's doing.
 */
static inline bool mpool_may_grow(void)
{
	if (in_nmi())
		return false;
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return preemptible();
	return mpool_lockdep_may_spin();
}

/*
 * Takes a raw lock with interrupts off; in NMI context only tries, because the
 * holder may be what the NMI interrupted.  Without SMP there is nothing to try:
 * the lock has no state that would tell.
 */
static inline bool mpool_lock(raw_spinlock_t *lock)
{
	if (!in_nmi()) {
		raw_spin_lock(lock);
		return true;
	}
	return IS_ENABLED(CONFIG_SMP) && raw_spin_trylock(lock);
}

#define mpool_lock_irqsave(lock, flags)					\
({									\
	bool __locked;							\
									\
	local_irq_save(flags);						\
	__locked = mpool_lock(lock);					\
	if (!__locked)							\
		local_irq_restore(flags);				\
	__locked;							\
})

/*
 * might_alloc() where it finds bugs.  Elsewhere it is a point to reschedule at,
 * which the slow paths have: 30 instructions that a fast path does without.
 */
static __always_inline void mpool_might_alloc(gfp_t gfp)
{
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))
		might_alloc(gfp);
}

/* __GFP_NOFAIL can be honoured only where the caller may wait. */
static inline bool mpool_gfp_nofail(gfp_t gfp)
{
	return (gfp & __GFP_NOFAIL) && gfpflags_allow_blocking(gfp) &&
	       mpool_may_grow();
}

/*
 * For more than what was asked for: no reclaim, no compaction, no warning, and none of
 * the reserves that atomic requests and PF_MEMALLOC have: one GFP_ATOMIC object took
 * 520 pages of them.
 */
static inline gfp_t mpool_gfp_try(gfp_t gfp)
{
	return (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_HIGH |
			__GFP_MEMALLOC)) |
	       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/*
 * Is this condition true, that no state of a layer at rest may have?  For
 * verify; says which one it was.
 */
#define mpool_broken(cond)						\
({									\
	bool __broken = (cond);						\
									\
	if (unlikely(__broken))						\
		mpool_broken_say(__FILE__, __LINE__, #cond);		\
	__broken;							\
})

void mpool_broken_say(const char *file, int line, const char *cond);

#endif /* _MPOOL_INTERNAL_H */
