/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mpool: memory pools for drivers.
 *
 * Four kinds of pool, each above the one before it:
 *
 *	large	runs of whole pages, exactly as many as the size needs
 *	fixed	objects of one size, cut from chunks of pages
 *	small	objects of any size: size classes, then page runs
 *	string	interned, reference-counted strings
 *
 * and one global small pool behind mpool_malloc() and mpool_free().
 *
 * Every live object knows the line that allocated it and the module that line
 * belongs to: the allocation functions are macros that pass a static
 * descriptor of their place.  /sys/kernel/debug/mpool shows all of it, and
 * the leaked objects of a module are printed, by call site, when it is unloaded.
 *
 * gfp flags have their usual meaning.  %GFP_DMA, %GFP_DMA32 and
 * %__GFP_ACCOUNT are a property of pages, which objects share: they are refused,
 * with a message, unless the large pool below was created with them, or has a region.
 *
 * A wrong free (a second one, one in the middle of an object, to another pool, or of
 * memory that never was mpool's) is refused, counted and reported.  If two CPUs free one
 * object at the same moment, both may succeed; then the report comes later.
 */
#ifndef _LINUX_MPOOL_H
#define _LINUX_MPOOL_H

#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/types.h>

#ifdef __has_include
#if __has_include(<linux/cleanup.h>)
#include <linux/cleanup.h>
#endif
#endif

struct module;
struct mpool_large;
struct mpool_fixed;
struct mpool_small;
struct mpool_string;

/* Longest name of a pool, with its terminating NUL. */
#define MPOOL_NAME_LEN	48

/**
 * struct mpool_site - a place in the code that allocates.
 * @file: source file
 * @func: function
 * @line: line in @file
 * @id: number given at the first use; 0 until then
 * @module: module the code belongs to, %NULL for the kernel itself
 *
 * Made by %MPOOL_HERE.  A wrapper is a macro that passes %MPOOL_HERE to an _at()
 * function, if the reports must have the lines of its callers.
 *
 * A direct caller of an _at() function passes a static site, in the data of @module.  A
 * site on the stack or in allocated memory gets no number: the log says so, and its
 * objects are reported as those of an unknown call site.
 */
struct mpool_site {
	const char *file;
	const char *func;
	u32 line;
	u32 id;
	struct module *module;
};

/* A static descriptor of this line; costs nothing at run time. */
#define MPOOL_HERE ({							\
	static struct mpool_site __mpool_here = {			\
		.file = __FILE__,					\
		.func = __func__,					\
		.line = __LINE__,					\
		.module = THIS_MODULE,					\
	};								\
	&__mpool_here;							\
})

/*
 * Prevents a tail call; stands after the call of a function that reports its caller.
 * After a tail call, _RET_IP_ would be in the caller's caller.  It emits no instruction.
 */
static __always_inline void __mpool_no_tail_call(void)
{
	asm volatile("");
}

/**
 * enum mpool_on_leak - the fate of objects that were never freed.
 * @MPOOL_ON_LEAK_DEFAULT: as the module parameter on_leak says
 * @MPOOL_ON_LEAK_KEEP: memory stays as it is and visible as an orphan
 * @MPOOL_ON_LEAK_RECLAIM: memory is freed, after the report
 * @MPOOL_ON_LEAK_PANIC: the kernel panics, after the report
 */
enum mpool_on_leak {
	MPOOL_ON_LEAK_DEFAULT,
	MPOOL_ON_LEAK_KEEP,
	MPOOL_ON_LEAK_RECLAIM,
	MPOOL_ON_LEAK_PANIC,
};

/* --- page runs --- */

/**
 * define MPOOL_LIMITS - limits of a large pool: members of the structs of its options
 *
 * * ``unsigned long max_pages``: most pages that may be allocated at a time, 0 for no
 *   limit; a request for more fails, with %__GFP_NOFAIL too, and nothing else happens
 * * ``unsigned long soft_pages``: on_soft() is called when an allocation makes the number
 *   of allocated pages larger than this, perhaps once for several times that are close
 *   together; 0 for no such watermark
 * * ``unsigned long low_pages``: low watermark, 0 for none; on_low() is called likewise
 *   when an allocation leaves fewer pages than this below the limit.  The limit is
 *   max_pages, or the pages of all regions if that is less.  Without regions max_pages
 *   must be set.  A value above the limit is never crossed, and the removal of a region
 *   crosses nothing
 * * ``void (*on_soft)(void *priv)``: see soft_pages, may be %NULL; called from a work
 *   item, may sleep and allocate; destroying the pool is refused there
 * * ``void (*on_low)(void *priv)``: see low_pages, likewise
 * * ``void *priv``: argument of on_soft() and on_low()
 *
 * Pages count while they are allocated, to callers or as chunks of pools above, and from
 * the request on: an allocation that finds no memory may cross a mark for a moment.  A run
 * that mpool_large_realloc() moves counts twice until it is moved.  No callback runs any
 * more when mpool_large_destroy() has returned, or when the module of the callback is
 * unloaded.
 */
#define MPOOL_LIMITS							\
	unsigned long max_pages;					\
	unsigned long soft_pages;					\
	unsigned long low_pages;					\
	void (*on_soft)(void *priv);					\
	void (*on_low)(void *priv);					\
	void *priv

struct mpool_limits {
	MPOOL_LIMITS;
};

/* Flags of struct mpool_large_args. */
#define MPOOL_LARGE_VIRT	0x1u	/* by vmalloc() if there is no block */
#define MPOOL_LARGE_NODE	0x2u	/* @node is given */

/**
 * struct mpool_large_args - options of a pool of page runs.
 * @flags: MPOOL_LARGE_* flags.  With %MPOOL_LARGE_VIRT a run may be longer than
 *	 the page allocator's longest block, or be made of single pages where memory
 *	 is fragmented, if the flags of the allocation allow sleeping; its pages are then
 *	 not contiguous in physical memory, and mpool_large_phys() answers for the
 *	 page that contains the address.
 * @node: with %MPOOL_LARGE_NODE, the NUMA node of its memory, in place of the caller's;
 *	 another node only if this one has no memory left, and never with
 *	 %__GFP_THISNODE.  Not with %MPOOL_LARGE_VIRT.
 * @gfp: zone and accounting flags of all its memory: a combination of
 *	 %__GFP_ACCOUNT and one of %GFP_DMA and %GFP_DMA32
 * @on_leak: fate of runs still allocated when the pool is destroyed
 *
 * The members of MPOOL_LIMITS are members too.
 */
struct mpool_large_args {
	unsigned int flags;
	int node;
	gfp_t gfp;
	enum mpool_on_leak on_leak;
	/* private: the members of MPOOL_LIMITS, by their names and as one */
	union {
		struct { MPOOL_LIMITS; };
		struct mpool_limits limits;
	};
};

/* Flags of struct mpool_region_args. */
#define MPOOL_REGION_PHYS	0x1u	/* @phys is given */
#define MPOOL_REGION_DMA	0x2u	/* @dma is given */
#define MPOOL_REGION_IO		0x4u	/* device memory: mpool never touches it */
					/* (from then on, it also clears and copies */
					/* nothing in the pool's other regions) */

/**
 * struct mpool_region_args - facts about a region that mpool cannot find out.
 * @flags: MPOOL_REGION_* flags
 * @phys: physical address of the region's first byte; plain RAM needs none
 * @dma: DMA address of the region's first byte
 * @on_leak: fate of runs still allocated when the pool is destroyed
 *
 * The members of MPOOL_LIMITS are members too.  They are the pool's, and ignored by
 * mpool_large_add_region().  The addresses belong to the region as it was
 * given, before its ends are trimmed to whole pages.
 */
struct mpool_region_args {
	unsigned int flags;
	phys_addr_t phys;
	dma_addr_t dma;
	enum mpool_on_leak on_leak;
	/* private: the members of MPOOL_LIMITS, by their names and as one */
	union {
		struct { MPOOL_LIMITS; };
		struct mpool_limits limits;
	};
};

/* Returned by mpool_large_phys() when the physical address is not known. */
#define MPOOL_NO_PHYS	(~(phys_addr_t)0)

/* Returned by mpool_large_dma() when the DMA address is not known. */
#define MPOOL_NO_DMA	(~(dma_addr_t)0)

struct mpool_large *__mpool_large_create(const char *name,
					 const struct mpool_large_args *args,
					 struct mpool_site *site);

/**
 * mpool_large_create() - Make a pool of page runs over system memory.
 * @name: name of the pool, 1 to 47 printable characters without blank, '/' and '~'
 * @args: options, may be %NULL
 *
 * Pages come from the page allocator as they are needed, and go back when they are
 * not.  A run of N pages is charged N pages, never the next power of two.
 * If mpool was loaded with region_phys=, pages come from that range, except
 * for a pool that has @args->gfp or %MPOOL_LARGE_NODE.  %MPOOL_LARGE_VIRT is accepted
 * and has no effect then.
 *
 * Context: Process context.  May sleep.
 * Return:
 * * the pool
 * * %-EINVAL: an argument is wrong; the log names it
 * * %-EEXIST: a pool of this name exists
 * * %-ENOMEM: out of memory
 */
#define mpool_large_create(name, args...) \
	__mpool_large_create(name, args, MPOOL_HERE)

struct mpool_large *
__mpool_large_create_region(const char *name, void *base, size_t size,
			    const struct mpool_region_args *args,
			    struct mpool_site *site);

/**
 * mpool_large_create_region() - Make a pool of page runs over given memory.
 * @name: name of the pool, as for mpool_large_create()
 * @base: kernel virtual address of the memory
 * @size: its length in bytes
 * @args: facts about the memory, may be %NULL
 *
 * Ends that are not page aligned are trimmed.  mpool keeps nothing of its own
 * inside the region.  The memory stays the caller's and has to outlive the pool.
 *
 * @base may be an address of vmalloc(), ioremap() or memremap().  Whether memory is
 * mapped there cannot be seen from the address: an access to an unmapped page faults.
 *
 * Context: Process context.  May sleep.
 * Return:
 * * the pool
 * * %-EINVAL: an argument is wrong or no whole page is left; the log names it
 * * %-EEXIST: a pool of this name exists
 * * %-EBUSY: the region overlaps memory that mpool manages already
 * * %-ENOMEM: no memory for the page descriptors
 */
#define mpool_large_create_region(name, base, size, args...) \
	__mpool_large_create_region(name, base, size, args, MPOOL_HERE)

/**
 * mpool_large_add_region() - Add a region to a region pool.
 * @pool: pool made by mpool_large_create_region()
 * @base: kernel virtual address of the memory
 * @size: its length in bytes
 * @args: facts about the memory, may be %NULL
 *
 * The first device memory of a pool (%MPOOL_REGION_IO) is added before the pool is used:
 * an allocation with %__GFP_ZERO at the same time may return memory that is not cleared.
 *
 * Context: Process context.  May sleep.
 * Return: 0, or an error as for mpool_large_create_region(); %-EINVAL also if
 *	   @pool takes its memory from the system.
 */
int mpool_large_add_region(struct mpool_large *pool, void *base, size_t size,
			   const struct mpool_region_args *args);

/**
 * mpool_large_remove_region() - Remove a region from its pool.
 * @pool: pool that has the region
 * @base: its address, as it was given
 *
 * The memory is the caller's again at once.  Allocations from a pool without a region
 * fail; another region may be added.
 *
 * Empty chunks that a fixed or small pool above keeps are runs in use.
 *
 * Context: Process context.  May sleep.
 * Return:
 * * 0
 * * %-EBUSY: a run of the region is in use; nothing was changed
 * * %-ENOENT: no region of @pool was given with @base; the log says so
 * * %-EINVAL: @pool is no region pool; the log says so
 */
int mpool_large_remove_region(struct mpool_large *pool, const void *base);

void *mpool_large_alloc_at(struct mpool_large *pool, size_t size, size_t align,
			   size_t *real, gfp_t gfp, struct mpool_site *site);

/**
 * mpool_large_alloc() - Allocate a run of pages.
 * @pool: pool to allocate from
 * @size: bytes wanted
 * @real: if not %NULL, receives the bytes that may be used: whole pages, with
 *	  the tail of the last one
 * @gfp: allocation flags
 *
 * A run of ceil(@size / %PAGE_SIZE) pages is charged, in system and region mode
 * alike.  Runs are page aligned.  @size 0 gives %ZERO_SIZE_PTR.
 *
 * Context: Any context that @gfp allows.  In NMI context, and where PREEMPT_RT
 *	    forbids the page allocator, only from memory the pool holds already.
 * Return: the run, or %NULL.
 */
#define mpool_large_alloc(pool, size, real, gfp) \
	mpool_large_alloc_at(pool, size, 1, real, gfp, MPOOL_HERE)

/**
 * mpool_large_alloc_aligned() - Allocate an aligned run of pages.
 * @pool: pool to allocate from
 * @size: bytes wanted
 * @align: alignment in bytes, any power of two
 * @real: as for mpool_large_alloc()
 * @gfp: allocation flags
 *
 * Context: As mpool_large_alloc().
 * Return: the run, or %NULL, also if @align is not a power of two.
 */
#define mpool_large_alloc_aligned(pool, size, align, real, gfp) \
	mpool_large_alloc_at(pool, size, align, real, gfp, MPOOL_HERE)

/**
 * struct mpool_place - constraints on the address of a run.
 * @align: alignment in bytes, a power of two; 0 for none
 * @boundary: the run crosses no multiple of this, a power of two and not shorter
 *	      than the run; 0 for none
 * @min: least address of its first byte
 * @max: greatest address of its last byte, as a DMA mask; 0 for no limit
 *
 * All are about the addresses that a device uses: mpool_large_dma() of the run, or
 * mpool_large_phys() where no DMA address is known.  A region of which neither is known
 * never satisfies a constraint.
 */
struct mpool_place {
	u64 align;
	u64 boundary;
	u64 min;
	u64 max;
};

void *mpool_large_alloc_placed_at(struct mpool_large *pool, size_t size,
				  const struct mpool_place *place,
				  size_t *real, gfp_t gfp,
				  struct mpool_site *site);

/**
 * mpool_large_alloc_placed() - Allocate a run of pages at addresses that a device can use.
 * @pool: pool to allocate from
 * @size: bytes wanted
 * @place: constraints, see struct mpool_place; %NULL for none
 * @real: as for mpool_large_alloc()
 * @gfp: allocation flags; %__GFP_NOFAIL is not honoured
 *
 * mpool_large_realloc() does not know of @place: a run that it grows may violate it.
 *
 * Meant for the setup of a driver, not for its fast path: the free runs are tried one
 * after another, some tens with the pool locked, until one fits.  In system mode, if
 * none does, the pool grows, at most three times.
 *
 * Context: As mpool_large_alloc().
 * Return: the run, or %NULL; also if @place contradicts itself or @size; the log
 *	   says so.
 */
#define mpool_large_alloc_placed(pool, size, place, real, gfp) \
	mpool_large_alloc_placed_at(pool, size, place, real, gfp, MPOOL_HERE)

void *mpool_large_realloc_at(struct mpool_large *pool, void *p, size_t size,
			     size_t *real, gfp_t gfp, struct mpool_site *site);

/**
 * mpool_large_realloc() - Change the length of a run.
 * @pool: pool of the run
 * @p: the run; %NULL and %ZERO_SIZE_PTR stand for an empty one
 * @size: bytes wanted now; 0 frees @p, as mpool_large_free() does
 * @real: as for mpool_large_alloc()
 * @gfp: allocation flags; %__GFP_ZERO clears the bytes that are added
 *
 * Shrinks in place and frees the tail; grows in place where the pages behind the run
 * are free, and moves the contents otherwise.  The run keeps the
 * alignment that mpool_large_alloc_aligned() gave it.
 *
 * Context: As mpool_large_alloc().
 * Return: the run, perhaps elsewhere; %ZERO_SIZE_PTR if @size is 0; %NULL if
 *	   there is no memory or @p is not a run of @pool, and then @p is unchanged.
 */
#define mpool_large_realloc(pool, p, size, real, gfp) \
	mpool_large_realloc_at(pool, p, size, real, gfp, MPOOL_HERE)

void __mpool_large_free(struct mpool_large *pool, const void *p);

/**
 * mpool_large_free() - Free a run.
 * @pool: pool of the run
 * @p: the run; %NULL and %ZERO_SIZE_PTR are ignored
 *
 * Anything that is not a live run of @pool is reported and left alone.
 *
 * Context: Any context.
 */
static __always_inline void
mpool_large_free(struct mpool_large *pool, const void *p)
{
	__mpool_large_free(pool, p);
	__mpool_no_tail_call();
}

/**
 * mpool_large_owns() - Is this a live run of the pool?
 * @pool: pool to ask
 * @p: any value
 *
 * Context: Any context.
 * Return: true if @p is the start of a live run of @pool.
 */
bool mpool_large_owns(struct mpool_large *pool, const void *p);

/**
 * mpool_large_phys() - Physical address of a byte of a pool.
 * @pool: pool of the memory
 * @p: address of any byte of it
 *
 * Context: Any context.
 * Return: the physical address, or %MPOOL_NO_PHYS if @p is not in @pool or the
 *	   region came without one.
 */
phys_addr_t mpool_large_phys(struct mpool_large *pool, const void *p);

/**
 * mpool_large_dma() - DMA address of a byte of a pool.
 * @pool: pool of the memory
 * @p: address of any byte of it
 *
 * Context: Any context.
 * Return: the DMA address, or %MPOOL_NO_DMA if @p is not in @pool or the region
 *	   came without one.
 */
dma_addr_t mpool_large_dma(struct mpool_large *pool, const void *p);

/**
 * mpool_large_trim() - Return unused memory to the system.
 * @pool: pool to trim
 *
 * Empty chunks of pools above stay: they go back a few seconds after their last use.
 *
 * Context: Process context.  May sleep.
 * Return: pages returned; 0 for a region pool.
 */
unsigned long mpool_large_trim(struct mpool_large *pool);

/**
 * mpool_large_clear() - Free every run at once, without a report.
 * @pool: pool to empty; it and its runs must not be in use meanwhile
 *
 * Runs that hold the chunks of other pools are not touched.
 *
 * Context: Process context.  May sleep.
 */
void mpool_large_clear(struct mpool_large *pool);

size_t __mpool_large_destroy(struct mpool_large *pool);

/**
 * mpool_large_destroy() - Report leaks and destroy the pool.
 * @pool: pool to destroy; %NULL and error pointers are ignored
 *
 * A pool that still serves other pools is not destroyed: the log names one of them.  It
 * can be destroyed when they are gone.
 *
 * Context: Process context.  May sleep.
 * Return: number of runs that were never freed; 0 also if the log says that it was
 *	   refused.
 */
static __always_inline size_t mpool_large_destroy(struct mpool_large *pool)
{
	size_t n = __mpool_large_destroy(pool);

	__mpool_no_tail_call();
	return n;
}

/* --- objects of one size --- */

/* Flags of struct mpool_fixed_args. */
#define MPOOL_FIXED_NO_CACHE	0x1u	/* no per-CPU magazines: exact, slower */

/**
 * struct mpool_fixed_args - options of a pool of objects of one size.
 * @align: alignment in bytes, a power of two up to 4 MiB, to which each object is
 *	   rounded up; 0 means the natural one: the largest power of two that
 *	   divides the size, and at least %ARCH_KMALLOC_MINALIGN
 * @flags: MPOOL_FIXED_* flags
 * @reserve: objects set aside at creation, see mpool_fixed_reserve()
 * @max_objects: most objects that may be live, 0 for no limit.  A pool with a
 *		 limit has no per-CPU magazines, so that the limit is exact.
 * @large: source of its chunks; %NULL for the large pool that all pools share
 * @ctor: called for each object that is allocated, in the context of the allocation;
 *	  non-zero makes that allocation fail.  The object is not live before @ctor
 *	  returns, and must not be freed there.
 * @dtor: called for each object as it is freed, in the context of the free; for
 *	  objects still allocated also by mpool_fixed_clear(), and by
 *	  mpool_fixed_destroy() with %MPOOL_ON_LEAK_RECLAIM.  It is not called for
 *	  objects that are kept: memory which they own is leaked and reported as well.
 * @priv: second argument of @ctor and @dtor
 * @on_leak: fate of objects still allocated when the pool is destroyed
 */
struct mpool_fixed_args {
	unsigned int align;
	unsigned int flags;
	unsigned int reserve;
	unsigned int max_objects;
	struct mpool_large *large;
	int (*ctor)(void *obj, void *priv);
	void (*dtor)(void *obj, void *priv);
	void *priv;
	enum mpool_on_leak on_leak;
};

struct mpool_fixed *__mpool_fixed_create(const char *name, size_t size,
					 const struct mpool_fixed_args *args,
					 struct mpool_site *site);

/**
 * mpool_fixed_create() - Make a pool of objects of one size.
 * @name: name of the pool, as for mpool_large_create()
 * @size: bytes of an object, 1 byte to 4 MiB
 * @args: options, may be %NULL
 *
 * Context: Process context.  May sleep.
 * Return: the pool, or an error as for mpool_large_create().
 */
#define mpool_fixed_create(name, size, args...) \
	__mpool_fixed_create(name, size, args, MPOOL_HERE)

/**
 * mpool_fixed_create_type() - Make a pool for a type, named after it.
 * @type: type of the objects; the last word of it is the name of the pool
 * @args: options, may be %NULL
 *
 * Names of pools are unique across modules.  For a type that another module may have
 * too, such as struct request or struct buffer, mpool_fixed_create() takes a name that
 * begins with the driver's.
 *
 * Context: Process context.  May sleep.
 * Return: the pool, or an error as for mpool_large_create().
 */
#define mpool_fixed_create_type(type, args...) \
	__mpool_fixed_create(__mpool_last_word(" " #type), sizeof(type), args, \
			     MPOOL_HERE)

/* Names of pools have no blanks.  The result is constant if @words is. */
#define __mpool_last_word(words)	(__builtin_strrchr(words, ' ') + 1)

void *mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			   struct mpool_site *site) __malloc;

/* Flags for the slow path: cached objects and cached runs cannot satisfy them. */
#define __MPOOL_GFP_ODD	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | \
			 __GFP_ACCOUNT | __GFP_ZERO)

/* Constant flags are checked at compile time, in the caller. */
void *__mpool_fixed_alloc_at(struct mpool_fixed *pool, gfp_t gfp,
			     struct mpool_site *site) __malloc;
static __always_inline void *__mpool_fixed_alloc(struct mpool_fixed *pool,
						 gfp_t gfp,
						 struct mpool_site *site)
{
	if (__builtin_constant_p(gfp) && !(gfp & __MPOOL_GFP_ODD))
		return __mpool_fixed_alloc_at(pool, gfp, site);
	return mpool_fixed_alloc_at(pool, gfp, site);
}

/**
 * mpool_fixed_alloc() - Allocate one object.
 * @pool: pool to allocate from
 * @gfp: allocation flags; %__GFP_ZERO clears the object
 *
 * Context: Any context that @gfp allows, NMI and the atomic ones of PREEMPT_RT
 *	    included: there from free objects of the pool, and from its reserve.
 * Return: the object, or %NULL.
 */
#define mpool_fixed_alloc(pool, gfp) \
	__mpool_fixed_alloc(pool, gfp, MPOOL_HERE)

/**
 * mpool_fixed_zalloc() - Allocate one object, cleared.
 * @pool: pool to allocate from
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: the object, or %NULL.
 */
#define mpool_fixed_zalloc(pool, gfp) \
	mpool_fixed_alloc_at(pool, (gfp) | __GFP_ZERO, MPOOL_HERE)

void __mpool_fixed_free(struct mpool_fixed *pool, void *obj);

/**
 * mpool_fixed_free() - Free an object.
 * @pool: pool of the object
 * @obj: the object; %NULL and %ZERO_SIZE_PTR are ignored
 *
 * Anything that is not a live object of @pool is reported and left alone.
 *
 * Context: Any context.
 */
static __always_inline void
mpool_fixed_free(struct mpool_fixed *pool, void *obj)
{
	__mpool_fixed_free(pool, obj);
	__mpool_no_tail_call();
}

unsigned int mpool_fixed_alloc_bulk_at(struct mpool_fixed *pool, gfp_t gfp,
				       unsigned int n, void **objs,
				       struct mpool_site *site);

/**
 * mpool_fixed_alloc_bulk() - Allocate several objects, or none.
 * @pool: pool to allocate from
 * @gfp: allocation flags
 * @n: objects wanted
 * @objs: array that receives them
 *
 * Context: As mpool_fixed_alloc().
 * Return: @n, or 0 and no object if memory is short, or if @objs cannot be an array,
 *	   which the log says.
 */
#define mpool_fixed_alloc_bulk(pool, gfp, n, objs) \
	mpool_fixed_alloc_bulk_at(pool, gfp, n, objs, MPOOL_HERE)

void __mpool_fixed_free_bulk(struct mpool_fixed *pool, unsigned int n,
			     void **objs);

/**
 * mpool_fixed_free_bulk() - Free several objects.
 * @pool: pool of the objects
 * @n: length of @objs
 * @objs: the objects; each is treated as by mpool_fixed_free()
 *
 * Context: Any context.
 */
static __always_inline void
mpool_fixed_free_bulk(struct mpool_fixed *pool, unsigned int n, void **objs)
{
	__mpool_fixed_free_bulk(pool, n, objs);
	__mpool_no_tail_call();
}

/**
 * mpool_fixed_reserve() - Set objects aside for allocations that must not fail.
 * @pool: pool to fill
 * @n: objects to have in reserve, replaces an earlier number
 * @gfp: allocation flags, must allow sleeping
 *
 * After it returned 0, @n allocations succeed in any context, NMI included,
 * even with the system out of memory.  The objects that they take are replaced in the
 * background, and by frees.  On an error the reserve is as it was before.  A
 * constructor may refuse an object of the reserve like any other.
 *
 * A call waits for another one for the same pool.  So if one of them holds a lock that
 * reclaim may take, all of them need flags such as %GFP_NOIO.
 *
 * Context: Process context.  May sleep.
 * Return: 0, %-ENOMEM, %-EINVAL if @gfp does not allow sleeping or has flags
 *	   that are refused, %-ENOSPC if @n is more than the pool may hold or
 *	   1048576; the log says which.  %-ENOSPC without a line if live objects
 *	   leave too few below max_objects.
 */
int mpool_fixed_reserve(struct mpool_fixed *pool, unsigned int n, gfp_t gfp);

/**
 * mpool_fixed_walk() - Visit the live objects.
 * @pool: pool to walk
 * @fn: called for each; returning non-zero ends the walk
 * @arg: second argument of @fn
 *
 * Objects allocated or freed meanwhile may be visited or not.  @fn must not
 * sleep; it may free the object it is given.
 *
 * Context: Any context but NMI.
 * Return: the last return value of @fn, 0 for an empty pool or no pool, %-EINVAL if
 *	   @fn cannot be a function; the log says so.
 */
int mpool_fixed_walk(struct mpool_fixed *pool, int (*fn)(void *obj, void *arg),
		     void *arg);

/**
 * mpool_fixed_live() - How many objects are allocated?
 * @pool: pool to ask
 *
 * Context: Any context.
 * Return: the number; a snapshot if others use the pool meanwhile.
 */
unsigned int mpool_fixed_live(struct mpool_fixed *pool);

/**
 * mpool_fixed_size() - How many bytes of an object may be used?
 * @pool: pool to ask
 *
 * Context: Any context.
 * Return: object size in bytes.
 */
size_t mpool_fixed_size(struct mpool_fixed *pool);

/**
 * mpool_fixed_owns() - Is this a live object of the pool?
 * @pool: pool to ask
 * @p: any value
 *
 * Context: Any context.
 * Return: true if @p is the start of a live object of @pool.
 */
bool mpool_fixed_owns(struct mpool_fixed *pool, const void *p);

/**
 * mpool_fixed_clear() - Free every object at once, without a report.
 * @pool: pool to empty; it and its objects must not be in use meanwhile
 *
 * The destructor is called for each live object.  Allocations of the pool fail
 * meanwhile.  Refused, with a message, in a constructor or destructor of @pool.
 *
 * Context: Process context.  May sleep.
 */
void mpool_fixed_clear(struct mpool_fixed *pool);

size_t __mpool_fixed_destroy(struct mpool_fixed *pool);

/**
 * mpool_fixed_destroy() - Report leaks and destroy the pool.
 * @pool: pool to destroy; %NULL and error pointers are ignored
 *
 * Refused, with a message, in a constructor or destructor of @pool.
 *
 * Context: Process context.  May sleep.
 * Return: number of objects that were never freed; 0 also if the log says that it was
 *	   refused.
 */
static __always_inline size_t mpool_fixed_destroy(struct mpool_fixed *pool)
{
	size_t n = __mpool_fixed_destroy(pool);

	__mpool_no_tail_call();
	return n;
}

/* --- any size --- */

/* Flags of struct mpool_small_args. */
#define MPOOL_SMALL_NO_CACHE	0x1u	/* no per-CPU magazines: any CPU can get */
					/* any free object, slower */

/**
 * struct mpool_small_args - options of a pool of objects of any size.
 * @flags: MPOOL_SMALL_* flags
 * @large: source of its memory; %NULL for the large pool that all pools share
 * @on_leak: fate of objects still allocated when the pool is destroyed
 */
struct mpool_small_args {
	unsigned int flags;
	struct mpool_large *large;
	enum mpool_on_leak on_leak;
};

struct mpool_small *__mpool_small_create(const char *name,
					 const struct mpool_small_args *args,
					 struct mpool_site *site);

/**
 * mpool_small_create() - Make a pool of objects of any size.
 * @name: name of the pool, as for mpool_large_create()
 * @args: options, may be %NULL
 *
 * Context: Process context.  May sleep.
 * Return: the pool, or an error as for mpool_large_create().
 */
#define mpool_small_create(name, args...) \
	__mpool_small_create(name, args, MPOOL_HERE)

void *mpool_small_alloc_at(struct mpool_small *pool, size_t size, gfp_t gfp,
			   struct mpool_site *site) __malloc __alloc_size(2);
void *mpool_small_realloc_at(struct mpool_small *pool, const void *p,
			     size_t size, gfp_t gfp, struct mpool_site *site)
	__realloc_size(3);

/**
 * mpool_small_alloc() - Allocate an object.
 * @pool: pool to allocate from
 * @size: bytes wanted; 0 gives %ZERO_SIZE_PTR
 * @gfp: allocation flags
 *
 * Aligned to the largest power of two that divides @size, and at least to
 * %ARCH_KMALLOC_MINALIGN.
 *
 * Context: As mpool_fixed_alloc().
 * Return: the object, or %NULL.
 */
#define mpool_small_alloc(pool, size, gfp) \
	mpool_small_alloc_at(pool, size, gfp, MPOOL_HERE)

/**
 * mpool_small_zalloc() - Allocate an object, cleared.
 * @pool: pool to allocate from
 * @size: bytes wanted; 0 gives %ZERO_SIZE_PTR
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: the object, or %NULL.
 */
#define mpool_small_zalloc(pool, size, gfp) \
	mpool_small_alloc_at(pool, size, (gfp) | __GFP_ZERO, MPOOL_HERE)

/**
 * mpool_small_realloc() - Change the size of an object.
 * @pool: pool of the object
 * @p: the object; %NULL and %ZERO_SIZE_PTR stand for an empty one
 * @size: bytes wanted now; 0 frees @p
 * @gfp: allocation flags; %__GFP_ZERO clears the bytes behind the usable size
 *	 of @p
 *
 * Context: As mpool_fixed_alloc().
 * Return: the object, perhaps elsewhere; %ZERO_SIZE_PTR if @size is 0; %NULL if
 *	   there is no memory or @p is not an object of @pool, and then @p is
 *	   unchanged.
 */
#define mpool_small_realloc(pool, p, size, gfp) \
	mpool_small_realloc_at(pool, p, size, gfp, MPOOL_HERE)

void __mpool_small_free(struct mpool_small *pool, const void *p);

/**
 * mpool_small_free() - Free an object.
 * @pool: pool of the object
 * @p: the object; %NULL and %ZERO_SIZE_PTR are ignored
 *
 * Anything that is not a live object of @pool is reported and left alone.
 *
 * Context: Any context.
 */
static __always_inline void
mpool_small_free(struct mpool_small *pool, const void *p)
{
	__mpool_small_free(pool, p);
	__mpool_no_tail_call();
}

/**
 * mpool_small_reserve() - Set memory aside for allocations that must not fail.
 * @pool: pool to fill
 * @size: longest allocation in bytes, 1 to 16384; rounded up to a power of two, at least
 *	  64
 * @n: number of allocations; replaces the earlier number for the same rounded size, in
 *     the global pool also a number that another driver has set
 * @gfp: allocation flags, must allow sleeping
 *
 * After it returned 0, @n allocations of up to @size bytes each succeed in any
 * context, NMI included, even with the system out of memory.  It costs @n times
 * @size, rounded up as above.  Reserves of several sizes add up; an allocation takes
 * from the smallest that suffices.  Its object is replaced in the background, and by
 * frees.  On an error the reserve is as it was before.
 *
 * Context: Process context.  May sleep.
 * Return: 0, %-ENOMEM, %-EINVAL if @gfp does not allow sleeping or has flags
 *	   that are refused, or @size is not possible, %-ENOSPC if @n is more
 *	   than 1048576; the log says which.
 */
int mpool_small_reserve(struct mpool_small *pool, size_t size, unsigned int n,
			gfp_t gfp);

/**
 * mpool_small_owns() - Is this a live object of the pool?
 * @pool: pool to ask
 * @p: any value
 *
 * Context: Any context.
 * Return: true if @p is the start of a live object of @pool.
 */
bool mpool_small_owns(struct mpool_small *pool, const void *p);

/**
 * mpool_small_clear() - Free every object at once, without a report.
 * @pool: pool to empty; it and its objects must not be in use meanwhile
 *
 * The global pool is refused, with a message: its objects are not one driver's.
 *
 * Context: Process context.  May sleep.
 */
void mpool_small_clear(struct mpool_small *pool);

size_t __mpool_small_destroy(struct mpool_small *pool);

/**
 * mpool_small_destroy() - Report leaks and destroy the pool.
 * @pool: pool to destroy; %NULL and error pointers are ignored
 *
 * Context: Process context.  May sleep.
 * Return: number of objects that were never freed; 0 also if the log says that it was
 *	   refused.
 */
static __always_inline size_t mpool_small_destroy(struct mpool_small *pool)
{
	size_t n = __mpool_small_destroy(pool);

	__mpool_no_tail_call();
	return n;
}

/* --- interned strings --- */

/* Flags of struct mpool_string_args. */
#define MPOOL_STRING_NOCASE	0x1u	/* ASCII letters of either case are equal */

/**
 * struct mpool_string_args - options of a pool of strings.
 * @flags: MPOOL_STRING_* flags
 * @large: source of its memory; %NULL for the large pool that all pools share
 * @on_leak: fate of strings still held when the pool is destroyed
 */
struct mpool_string_args {
	unsigned int flags;
	struct mpool_large *large;
	enum mpool_on_leak on_leak;
};

struct mpool_string *__mpool_string_create(const char *name,
					   const struct mpool_string_args *args,
					   struct mpool_site *site);

/**
 * mpool_string_create() - Make a pool of interned strings.
 * @name: name of the pool, as for mpool_large_create()
 * @args: options, may be %NULL
 *
 * Context: Process context.  May sleep.
 * Return: the pool, or an error as for mpool_large_create().
 */
#define mpool_string_create(name, args...) \
	__mpool_string_create(name, args, MPOOL_HERE)

const char *mpool_string_get_at(struct mpool_string *pool, const char *s,
				gfp_t gfp, struct mpool_site *site);
const char *mpool_string_getn_at(struct mpool_string *pool, const char *s,
				 size_t len, gfp_t gfp, struct mpool_site *site);

/**
 * mpool_string_get() - Get a reference to the one copy of a string.
 * @pool: pool of the string
 * @s: the string; %NULL gives %NULL, and so does an error pointer, with a line in the log
 * @gfp: allocation flags
 *
 * Equal strings give the same pointer, so they may be compared by pointer.
 *
 * Context: Any context but NMI and, on PREEMPT_RT, hard interrupts and other
 *	    places that must not sleep.
 * Return: the string, until mpool_string_put(), or %NULL.
 */
#define mpool_string_get(pool, s, gfp) \
	mpool_string_get_at(pool, s, gfp, MPOOL_HERE)

/**
 * mpool_string_getn() - Get a reference to a string of given length.
 * @pool: pool of the string
 * @s: its characters, up to @len or to a NUL, whichever comes first
 * @len: most characters to use
 * @gfp: allocation flags
 *
 * Context: As mpool_string_get().
 * Return: the string, until mpool_string_put(), or %NULL.
 */
#define mpool_string_getn(pool, s, len, gfp) \
	mpool_string_getn_at(pool, s, len, gfp, MPOOL_HERE)

void __mpool_string_put(struct mpool_string *pool, const char *s);

/**
 * mpool_string_put() - Drop a reference to a string.
 * @pool: pool of the string
 * @s: pointer that mpool_string_get() returned; %NULL is ignored
 *
 * A pointer to no string of @pool, or to one without a reference, is reported and left
 * alone.
 * References are only counted: a surplus put drops the reference of another holder, and
 * cannot be detected.  The string may then be freed while it is in use.  At most the put
 * of the last holder is reported.
 *
 * Context: As mpool_string_get().
 */
static __always_inline void
mpool_string_put(struct mpool_string *pool, const char *s)
{
	__mpool_string_put(pool, s);
	__mpool_no_tail_call();
}

/**
 * mpool_string_has() - Is a string of this content in the pool?
 * @pool: pool to ask
 * @s: the string
 *
 * Context: As mpool_string_get().
 * Return: true if it is.
 */
bool mpool_string_has(struct mpool_string *pool, const char *s);

/**
 * mpool_string_clear() - Drop every string at once, without a report.
 * @pool: pool to empty; it and its strings must not be in use meanwhile
 *
 * Context: Process context.  May sleep.
 */
void mpool_string_clear(struct mpool_string *pool);

size_t __mpool_string_destroy(struct mpool_string *pool);

/**
 * mpool_string_destroy() - Report strings still held and destroy the pool.
 * @pool: pool to destroy; %NULL and error pointers are ignored
 *
 * Context: Process context.  May sleep.
 * Return: number of strings still held; 0 also if the log says that it was refused.
 */
static __always_inline size_t mpool_string_destroy(struct mpool_string *pool)
{
	size_t n = __mpool_string_destroy(pool);

	__mpool_no_tail_call();
	return n;
}

/* --- the global pool --- */

/*
 * The largest size that has a class; and the class of a size from 1 to there: multiples
 * of 8 up to 512, then 64 classes for each doubling.  A constant if the size is.
 */
#define MPOOL_CLASS_MAX		8192u
#define __mpool_class(size)						\
	((size) <= 512 ? ((unsigned int)(size) - 1) >> 3 :		\
	 (ilog2((size) - 1) - 9) * 64 +					\
	 (((unsigned int)(size) - 1) >> (ilog2((size) - 1) - 6)))

void *mpool_malloc_at(size_t size, gfp_t gfp, struct mpool_site *site)
	__malloc __alloc_size(1);
void *__mpool_malloc_at(unsigned int class, size_t size, gfp_t gfp,
			struct mpool_site *site) __malloc __alloc_size(2);

/* The class of a constant size is computed at compile time, in the caller. */
static __always_inline __alloc_size(1) void *
__mpool_malloc(size_t size, gfp_t gfp, struct mpool_site *site)
{
	if (__builtin_constant_p(size) && size - 1 < MPOOL_CLASS_MAX)
		return __mpool_malloc_at(__mpool_class(size), size, gfp, site);
	return mpool_malloc_at(size, gfp, site);
}

void *mpool_malloc_array_at(size_t n, size_t size, gfp_t gfp,
			    struct mpool_site *site) __malloc __alloc_size(1, 2);
void *mpool_realloc_at(const void *p, size_t size, gfp_t gfp,
		       struct mpool_site *site) __realloc_size(2);

/**
 * mpool_size_roundup() - How many bytes does an allocation have at least?
 * @size: bytes that are needed
 *
 * As kmalloc_size_roundup(): a caller that can use more than @size calls this first, and
 * then allocates that many bytes, by mpool_malloc() or mpool_small_alloc().  They cost
 * no more memory than @size bytes, and the compiler knows that all of them may be used.
 *
 * Context: Any context.
 * Return: the bytes, at least @size; 0 for 0.
 */
static inline size_t mpool_size_roundup(size_t size)
{
	size_t step = size <= 512 ? 8 :
		      size <= MPOOL_CLASS_MAX ? 1ul << (ilog2(size - 1) - 6) :
		      PAGE_SIZE;

	return size > SIZE_MAX - step ? size : (size + step - 1) & ~(step - 1);
}

/**
 * mpool_malloc() - Allocate memory from the global pool.
 * @size: bytes wanted; 0 gives %ZERO_SIZE_PTR
 * @gfp: allocation flags
 *
 * Aligned as by kmalloc().
 *
 * Context: As mpool_fixed_alloc().
 * Return: the memory, or %NULL.
 */
#define mpool_malloc(size, gfp) __mpool_malloc(size, gfp, MPOOL_HERE)

/**
 * mpool_zalloc() - Allocate cleared memory from the global pool.
 * @size: bytes wanted; 0 gives %ZERO_SIZE_PTR
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: the memory, or %NULL.
 */
#define mpool_zalloc(size, gfp) \
	mpool_malloc_at(size, (gfp) | __GFP_ZERO, MPOOL_HERE)

/**
 * mpool_malloc_array() - Allocate memory for an array.
 * @n: number of elements
 * @size: bytes of an element
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: the memory, or %NULL, also if @n * @size overflows.
 */
#define mpool_malloc_array(n, size, gfp) \
	mpool_malloc_array_at(n, size, gfp, MPOOL_HERE)

/**
 * mpool_calloc() - Allocate cleared memory for an array.
 * @n: number of elements
 * @size: bytes of an element
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: the memory, or %NULL, also if @n * @size overflows.
 */
#define mpool_calloc(n, size, gfp) \
	mpool_malloc_array_at(n, size, (gfp) | __GFP_ZERO, MPOOL_HERE)

/**
 * mpool_realloc() - Change the size of an object of any small pool.
 * @p: the object; %NULL and %ZERO_SIZE_PTR stand for an empty one
 * @size: bytes wanted now; 0 frees @p
 * @gfp: allocation flags; %__GFP_ZERO clears the bytes behind the usable size
 *	 of @p
 *
 * The memory stays in the pool that @p came from.
 *
 * Context: As mpool_fixed_alloc().
 * Return: the object, perhaps elsewhere; %ZERO_SIZE_PTR if @size is 0; %NULL if
 *	   there is no memory or @p is no object of a small pool, and then @p is
 *	   unchanged.
 */
#define mpool_realloc(p, size, gfp) mpool_realloc_at(p, size, gfp, MPOOL_HERE)

void __mpool_free(const void *p);

/**
 * mpool_free() - Free any object of any pool.
 * @p: the object; %NULL and %ZERO_SIZE_PTR are ignored
 *
 * The address says which pool it belongs to.  Anything that is not a live
 * object is reported and left alone.  Strings are freed by mpool_string_put().
 *
 * Context: Any context.
 */
static __always_inline void mpool_free(const void *p)
{
	__mpool_free(p);
	__mpool_no_tail_call();
}

/**
 * mpool_new() - Allocate memory for one object of a type.
 * @type: the type
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: pointer to @type, or %NULL.
 */
#define mpool_new(type, gfp) ((type *)mpool_malloc(sizeof(type), gfp))

/**
 * mpool_new_array() - Allocate memory for an array of a type.
 * @type: the type
 * @n: number of elements
 * @gfp: allocation flags
 *
 * Context: As mpool_fixed_alloc().
 * Return: pointer to @type, or %NULL.
 */
#define mpool_new_array(type, n, gfp) \
	((type *)mpool_malloc_array(n, sizeof(type), gfp))

/**
 * mpool_delete() - Free an object of mpool_new().
 * @p: the object; %NULL is ignored
 *
 * Context: Any context.
 */
#define mpool_delete(p) mpool_free(p)

/**
 * mpool_global() - The pool behind mpool_malloc().
 *
 * Until the first use mpool_set_global() may choose another one.
 *
 * Context: Any context.
 * Return: the pool.
 */
struct mpool_small *mpool_global(void);

/**
 * mpool_set_global() - Put another pool behind mpool_malloc().
 * @pool: the pool
 *
 * Possible until the first allocation.  Frees go to the pool that the address belongs
 * to, independent of the global pool.  The regular size classes are made, so that the
 * first allocation may be in any context.
 *
 * There is no way back: the pool cannot be destroyed any more, so the module that has
 * it, or the memory of its region, must stay until mpool is unloaded.
 *
 * Context: Process context.  May sleep.
 * Return: 0, %-EBUSY if the global pool is in use, %-EINVAL for a wrong @pool, or one
 *	   that was destroyed, %-ENOMEM; the log says so.
 */
int mpool_set_global(struct mpool_small *pool);

/* --- the owner of an address --- */

/**
 * enum mpool_area - the kinds of memory an address may point to.
 * @MPOOL_AREA_NOTHING: no memory, or of no known kind
 * @MPOOL_AREA_USER: user space
 * @MPOOL_AREA_LIVE: a live object of a pool
 * @MPOOL_AREA_FREE: free memory of a pool
 * @MPOOL_AREA_STACK: stack of the current task
 * @MPOOL_AREA_TEXT: code of the kernel or of a module
 * @MPOOL_AREA_RODATA: constants of the kernel or of a module
 * @MPOOL_AREA_DATA: variables of the kernel or of a module
 * @MPOOL_AREA_VMALLOC: vmalloc or ioremap
 * @MPOOL_AREA_SLAB: kmalloc or a kmem_cache
 * @MPOOL_AREA_PAGE: some other page of RAM
 */
enum mpool_area {
	MPOOL_AREA_NOTHING,
	MPOOL_AREA_USER,
	MPOOL_AREA_LIVE,
	MPOOL_AREA_FREE,
	MPOOL_AREA_STACK,
	MPOOL_AREA_TEXT,
	MPOOL_AREA_RODATA,
	MPOOL_AREA_DATA,
	MPOOL_AREA_VMALLOC,
	MPOOL_AREA_SLAB,
	MPOOL_AREA_PAGE,
};

/**
 * struct mpool_whatis - all that is known about an address.
 * @area: kind of memory
 * @base: start of the object; for memory of a pool only
 * @size: usable size of the object in bytes; for memory of a pool only
 * @offset: bytes from @base to the address; for memory of a pool only
 * @pool: name of the pool, or empty
 * @site: "file:line function [module]" that allocated it, or empty
 */
struct mpool_whatis {
	enum mpool_area area;
	const void *base;
	size_t size;
	size_t offset;
	char pool[MPOOL_NAME_LEN];
	char site[112];
};

/**
 * mpool_owns() - Is this a live object of any pool?
 * @p: any value
 *
 * Context: Any context.
 * Return: true if @p is the start of a live object; false for a string, which
 *	   mpool_string_has() looks up.
 */
bool mpool_owns(const void *p);

/**
 * mpool_usable_size() - How many bytes does an object have?
 * @p: any value
 *
 * Perhaps more than were requested.  The compiler knows only the requested size: with
 * CONFIG_FORTIFY_SOURCE, memset() and its like stop the kernel when they would write
 * beyond.  To use the rest, call mpool_realloc() with this size, which leaves the object
 * in place, and use its result; for new memory see mpool_size_roundup().
 *
 * Context: Any context.
 * Return: the bytes, 0 if @p is not the start of a live object.
 */
size_t mpool_usable_size(const void *p);

/**
 * mpool_whatis() - Tell all that is known about an address.
 * @p: any value
 * @what: receives the answer
 *
 * Context: Any context.
 * Return: true if @p points into a live object of a pool; false also if @what is no
 *	   address, which the log says.
 */
bool mpool_whatis(const void *p, struct mpool_whatis *what);

/**
 * mpool_footprint() - How much memory does mpool use in all?
 *
 * The pages of all pools over system memory, used and unused, and mpool's descriptors:
 * page map, arenas, chunks, pools, magazines.  Not counted: the memory of regions, which
 * is not mpool's, the hash tables of string pools, the arrays of reserves, the table of
 * call sites, and the module itself.
 *
 * Context: Process context, except in reclaim.  May sleep.
 * Return: bytes; 0 in a wrong context, and the log says so.
 */
size_t mpool_footprint(void);

#ifdef DEFINE_FREE
DEFINE_FREE(mpool_free, void *, if (!IS_ERR_OR_NULL(_T)) mpool_free(_T))
DEFINE_FREE(mpool_large_destroy, struct mpool_large *, mpool_large_destroy(_T))
DEFINE_FREE(mpool_fixed_destroy, struct mpool_fixed *, mpool_fixed_destroy(_T))
DEFINE_FREE(mpool_small_destroy, struct mpool_small *, mpool_small_destroy(_T))
DEFINE_FREE(mpool_string_destroy, struct mpool_string *,
	    mpool_string_destroy(_T))
#endif

#endif /* _LINUX_MPOOL_H */
