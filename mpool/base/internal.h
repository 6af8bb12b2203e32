/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * House rules, shared by every layer.
 *
 * Folders.  A file includes headers of its own folder and of folders before it, in this
 * order: base, core, run, object, small, string, report.  main.c includes any header.  So
 * a function is called by its name only from its own folder and from later ones; the
 * calls in the other direction are those of mpool_hooks (hooks.h).  A spinlock of a
 * folder may be taken while a spinlock of a later folder is held, never the reverse.
 *
 * Null objects.  Where a pointer of a fast path could be NULL it leads to a static object
 * instead, mpool_no_spot, mpool_no_entries, mpool_no_magazine, mpool_no_object or
 * mpool_no_cache, which the checks of the path refuse anyway.  The comment of each has the
 * test that it saves.  Without one of them pair64 is 78 or more instructions, not 76.
 *
 * Lock order, outermost first, with the file and the type of each lock;
 * scripts/check-layers compares this with the sources.  Alloc and free take no mutex,
 * unless an allocation enters reclaim.
 *
 *	report_mutex		leaks.c		mutex	text of a report of leaks
 *	kept_mutex		leaks.c		mutex	reports of leaks that are kept
 *	registry_mutex		registry.c	mutex	names and list of pools
 *	owner_mutex		owner.c		mutex	list of the modules that are loaded
 *	reserve->fill_mutex	reserve.h	mutex	objects set aside, of one pool
 *	tab->resize_mutex	strtab.h	mutex	chains of one table of strings
 *	region_mutex		region.c	mutex	adding, removing of regions
 *	mpool_shortage_mutex	shortage.c	mutex	owners of memory at a failed alloc
 *	refs_mutex		findings.c	mutex	text about references to pages
 *	trim_mutex		pagemap.c	mutex	leaves of the page map without a page
 *	shrink_mutex		shrink.c	mutex	large pools, for reclaim
 *	mpool_trim_mutex	fixed.c		mutex	idle objects of all fixed pools
 *	turn_lock		turn.c		spin	pools whose turn it is, one after another
 *	fixed_lock		turn.c		spin	list of all fixed pools
 *	tab->lock		strtab.h	spin	strings of one pool
 *	chunks->lock		chunk.h		raw	free objects of one fixed pool
 *	large->lock		large.h		raw	runs of one large pool
 *	pagemap_lock		pagemap.c	spin	windows of the page map
 *	site_lock		site.c		raw	table of call sites
 *	bucket->lock		call.c		raw	callbacks that tasks are in
 *
 * An allocation with GFP_KERNEL may enter reclaim, which takes shrink_mutex.  So
 * shrink_mutex is inside each mutex under which memory is allocated in this way.  The
 * holder of shrink_mutex only tries mpool_trim_mutex, for a tenth of a second.  The count
 * function of the shrinker only tries shrink_mutex itself.  The locks from chunks->lock on
 * are not taken under each other.
 *
 * The work under a raw lock, with interrupts off, does not grow with the size of a pool.
 * Under a raw lock nothing is allocated, freed to the kernel, copied or printed; verify
 * alone prints there, when it finds a breach.  In NMI context raw locks are only tried.
 * pagemap_lock is a spinlock_t: it is taken only where the page allocator may be called.
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
 * Reads an aligned word, on a fast path, that another CPU may be writing.  The old and
 * the new value are both right, and the caller uses the value once.  READ_ONCE() would
 * do, but gcc loads a volatile word with an instruction of its own: ten instructions in a
 * pair of alloc and free.
 */
#define mpool_read(word) data_race(word) /* see above */

/*
 * Reads a word that other CPUs change at the same time by plain stores, under a lock or
 * each on its own CPU.  Any value that the word had is right: the caller decides whether
 * to take the lock, or adds up a count.
 */
#define mpool_hint(word) data_race(READ_ONCE(word)) /* see above */

/*
 * Would lockdep let the caller take a spinlock_t?  With PROVE_RAW_LOCK_NESTING lockdep
 * holds every kernel to the rule of PREEMPT_RT: no spinlock_t in a hard interrupt that
 * cannot be threaded, and none under a raw lock.
 */
#ifdef CONFIG_PROVE_RAW_LOCK_NESTING
static inline bool mpool_lockdep_may_spin(void)
{
	int i;

	/*
	 * After its first report lockdep does not record locks any more, and the locks
	 * that held_locks[] still lists may be gone.
	 */
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
 * May the caller call the page allocator and kmalloc(), and free memory to them?  They
 * take a spinlock_t, whatever the gfp flags say.  So the answer is: never in NMI context;
 * on PREEMPT_RT only where preemption and interrupts are on; on other kernels also in
 * hard interrupts, as for kmalloc() with GFP_ATOMIC, which a driver that moves to mpool
 * relies on.  Where lockdep would report a kmalloc(), a pool behaves as on PREEMPT_RT: it
 * serves requests from the memory that it has.  So mpool is never the cause of such a
 * report.
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
 * Takes a raw lock; the caller has interrupts off.  In NMI context the lock is only
 * tried, because the NMI may have interrupted the holder.  Without SMP a raw lock has no
 * state, and a try could not fail: there an NMI does not get the lock.
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
 * might_alloc() on kernels where it finds bugs.  On other kernels might_alloc() is only a
 * point to reschedule at, and costs 30 instructions.  The fast path does without; the
 * slow paths call might_alloc().
 */
static __always_inline void mpool_might_alloc(gfp_t gfp)
{
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))
		might_alloc(gfp);
}

/* __GFP_NOFAIL can be honoured only where the caller may sleep. */
static inline bool mpool_gfp_nofail(gfp_t gfp)
{
	return (gfp & __GFP_NOFAIL) && gfpflags_allow_blocking(gfp) &&
	       mpool_may_grow();
}

/*
 * Flags to ask for more memory than the request needs: no reclaim, no compaction, no
 * warning, and none of the reserves that are for atomic requests and PF_MEMALLOC.  With
 * the reserves, one GFP_ATOMIC object took 520 pages of them.
 */
static inline gfp_t mpool_gfp_try(gfp_t gfp)
{
	return (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_HIGH |
			__GFP_MEMALLOC)) |
	       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/*
 * Is @cond true, which it must not be in any layer at rest?  Prints the condition if it
 * is.  For verify.
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
