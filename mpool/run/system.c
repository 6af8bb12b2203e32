// SPDX-License-Identifier: GPL-2.0-only
/*
 * System memory: the arenas of large pools that take their memory from the kernel.
 *
 * Structure: an arena is one block of the page allocator.  split_page() makes each of its
 * pages an order-0 page with a reference count of its own, and mpool has MPOOL_PAGE_REFS
 * references to each (see refs.c).  So a driver may take references to any page.  And if
 * a driver frees a page by mistake, by put_page() or kfree(), the page stays in the
 * arena.
 *
 * Each request gets an arena of its own, exactly as long as the request (runs.c).  So the
 * pages of a run go back as soon as nobody has them, whatever is in use beside them.  The
 * page allocator has blocks of powers of two only: the pages of the block behind the
 * request are freed at once.  So 2.1 MiB take 538 pages, not the 1024 of the block.
 *
 * A pool that was created with MPOOL_LARGE_VIRT has vmalloc() arenas as well.  They serve
 * requests for which the page allocator has no block.
 *
 * Invariant: every page of an arena is an order-0 page.  Until it leaves the arena, mpool
 * has MPOOL_PAGE_REFS references to it, unless the arena is from vmalloc().
 *
 * Locking: none.  A new arena is not shared before mpool_large_add_arena() adds it.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/page_ref.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "large.h"
#include "nested.h"
#include "refs.h"

/*
 * Allocates a block, and keeps its first @npages pages, with the references of mpool.
 * The other pages are freed.
 */
static struct page *block_alloc(int nid, unsigned int order, u32 npages,
				gfp_t gfp)
{
	struct page *page;
	u32 i;

	/* split_page() does not take a compound page. */
	gfp &= ~__GFP_COMP;
	/* Without a node, the memory policy of the task chooses one. */
	page = nid == NUMA_NO_NODE ? alloc_pages(gfp, order) :
				     alloc_pages_node(nid, gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	for (i = npages; i < 1u << order; i++)
		__free_page(page + i);
	for (i = 0; i < npages; i++)
		page_ref_add(page + i, MPOOL_PAGE_REFS - 1);
	return page;
}

/*
 * Sets the count of a page to 0, if mpool has the only references; false if not.  After
 * that no CPU can get a reference to the page, not even one that searches by page frame
 * number.  A page that is poisoned, or in which a driver has set the private or mapping
 * field, is refused: such a page must be freed as a page of its own, so that the page
 * allocator checks it.
 */
static bool page_freeze(struct page *page)
{
	return !PageHWPoison(page) && !page_private(page) && !page->mapping &&
	       page_ref_freeze(page, MPOOL_PAGE_REFS);
}

/*
 * Frees a block in one piece.  If page_freeze() refuses one of its pages, undoes all and
 * returns false.  For 512 pages this takes 9,000 instructions; page by page it is
 * 150,000.
 */
static bool block_join(struct page *page, unsigned int order)
{
	u32 i, n = 1u << order;

	for (i = 0; i < n; i++)
		if (!page_freeze(page + i))
			break;
	if (i == n) {
		/* As a block of alloc_pages(): only its first page has a count. */
		set_page_count(page, 1);
		__free_pages(page, order);
		return true;
	}
	while (i--)
		page_ref_unfreeze(page + i, MPOOL_PAGE_REFS);
	return false;
}

/* Frees a block that no other CPU has seen. */
static void block_free(struct page *page, u32 npages)
{
	for (; npages--; page++) {
		page_ref_sub(page, MPOOL_PAGE_REFS - 1);
		__free_page(page);
	}
}

/* Makes the descriptor of an arena, and enters its pages in the page map. */
static struct mpool_arena *system_describe(struct mpool_large *large,
					   unsigned long base, u32 npages,
					   int nid, gfp_t gfp)
{
	gfp_t meta = gfp & ~(GFP_ZONEMASK | __GFP_ACCOUNT | __GFP_COMP |
			     __GFP_THISNODE);
	struct mpool_arena *arena;

	arena = kvzalloc(mpool_arena_bytes(npages), meta);
	if (!arena)
		return NULL;
	mpool_arena_init(arena, mpool_large_node(large, nid), base, npages);
	arena->nid = nid;
	if (mpool_pagemap_add(base, npages,
			      (unsigned long)arena, meta)) {
		kvfree(arena);
		return NULL;
	}
	return arena;
}

/*
 * kvfree_rcu() needs an rcu_head in the memory that it frees.  In a vmalloc() arena that
 * ends it is in the first bytes of the pages: no run uses them any more.
 */
struct virt_end {
	struct rcu_head rcu;
};

/*
 * Makes an arena of vmalloc(), whose pages are contiguous in virtual addresses only.
 * NULL if the caller may not sleep, or if there is no memory.
 */
static struct mpool_arena *virt_grow(struct mpool_large *large, u32 npages,
				     unsigned long align, gfp_t gfp)
{
	unsigned long pages = npages;
	struct mpool_arena *arena;
	void *base;

	/*
	 * vmalloc() takes no alignment.  With so many more pages, the arena has an
	 * aligned run of @npages wherever it begins; the engine finds it.
	 */
	if (align > PAGE_SIZE)
		pages += (align >> PAGE_SHIFT) - 1;
	/* vmalloc() may sleep, and it does not promise a node. */
	if (pages > RUNS_MAX_PAGES || !gfpflags_allow_blocking(gfp) ||
	    irqs_disabled() || in_interrupt() || (gfp & __GFP_THISNODE))
		return NULL;
	/* vmalloc() gets only flags that say how hard it may try, and __GFP_ACCOUNT. */
	gfp = (gfp | large->zone) & (GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
				     __GFP_NORETRY | __GFP_RETRY_MAYFAIL);
	base = __vmalloc(pages << PAGE_SHIFT, gfp | __GFP_NOWARN);
	if (!base)
		return NULL;
	arena = system_describe(large, (unsigned long)base, pages,
				page_to_nid(vmalloc_to_page(base)), gfp);
	if (!arena) {
		vfree(base);
		return NULL;
	}
	arena->virt = true;
	return arena;
}

/*
 * Makes an arena of @npages.  A block of the page allocator is aligned to its size, so its
 * order is at least that of @align.
 */
static struct mpool_arena *system_grow(struct mpool_large *large, u32 npages,
				       unsigned long align, gfp_t gfp)
{
	unsigned int order = max(get_order((size_t)npages << PAGE_SHIFT),
				 get_order(align));
	struct mpool_arena *arena;
	struct page *page;
	gfp_t req = gfp;

	if (order > MAX_PAGE_ORDER)
		return large->virt ? virt_grow(large, npages, align, gfp) :
				     NULL;
	gfp = (gfp & ~(GFP_ZONEMASK | __GFP_ZERO)) | large->zone;
	/*
	 * The page allocator honours __GFP_NOFAIL for at most two pages, and only if the
	 * caller may sleep.
	 */
	if (order > 1 || !gfpflags_allow_blocking(gfp))
		gfp &= ~__GFP_NOFAIL;
	/* vmalloc() is tried next, so do not try hard for a block of several pages. */
	if (large->virt && order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	page = block_alloc(large->nid, order, npages, gfp);
	if (!page)
		return large->virt ? virt_grow(large, npages, align, req) :
				     NULL;
	arena = system_describe(large, (unsigned long)page_address(page),
				npages, page_to_nid(page), gfp);
	if (!arena) {
		block_free(page, npages);
		return NULL;
	}
	arena->mem = page;
	/*
	 * May the block be freed in one piece later?  Not if some of its pages were freed
	 * above.  And not if memory cgroups or allocation profiling account for it:
	 * split_page() gives each page a part of that accounting, and __free_pages() of
	 * the block would undo the part of the first page only.
	 */
	arena->whole = npages == 1u << order && !(gfp & __GFP_ACCOUNT) &&
		       !IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING);
	arena->order = order;
	arena->phys = PFN_PHYS(page_to_pfn(page));
	return arena;
}

/* Gives the pages of an arena back to the kernel.  No run of it is in use. */
static void system_release(struct mpool_arena *arena)
{
	/* vfree() may sleep, and this may be a free in atomic context. */
	if (arena->virt) {
		kvfree_rcu((struct virt_end *)arena->base, rcu);
		return;
	}
	/* An arena with holes: mpool_large_drain() has freed its pages run by run. */
	if (arena->gone)
		return;
	mpool_account_reclaimed(arena->npages);
	if (!arena->whole || !block_join(arena->mem, arena->order))
		mpool_refs_end(arena);
}

static const struct mpool_large_source system_source = {
	.what = "the system",
	.grow = system_grow,
	.release = system_release,
	.gives_back = true,
	.system = true,
};

static bool node_has_memory(int nid)
{
	return nid >= 0 && nid < nr_node_ids && node_state(nid, N_MEMORY);
}

/* Returns a message if the arguments are invalid, or NULL. */
static const char *system_check(const struct mpool_large_args *args)
{
	const gfp_t zones = args->gfp & (__GFP_DMA | __GFP_DMA32);
	const bool virt = args->flags & MPOOL_LARGE_VIRT;

	if (args->flags & ~(MPOOL_LARGE_VIRT | MPOOL_LARGE_NODE))
		return "flags are unknown";
	/* This combination is in GFP_ZONE_BAD: the page allocator would take any zone. */
	if (zones == (__GFP_DMA | __GFP_DMA32))
		return "gfp has GFP_DMA and GFP_DMA32, no zone is both";
	if (virt && zones)
		return "MPOOL_LARGE_VIRT has no zone";
	if (virt && (args->flags & MPOOL_LARGE_NODE))
		return "MPOOL_LARGE_VIRT has no node";
	return NULL;
}

struct mpool_large *__mpool_large_create(const char *name,
					 const struct mpool_large_args *args,
					 struct mpool_site *site)
{
	static const struct mpool_large_args none;
	struct mpool_large *large;
	const char *wrong;
	int err;

	err = mpool_create_check("large", name, args);
	if (err)
		return ERR_PTR(err);
	if (!args)
		args = &none;
	/*
	 * If the pool "shared" has reserved memory, the new pool takes its memory there.
	 * But reserved memory has no zones and no nodes, and no memory cgroup accounts
	 * for it.  A pool that asks for one of these gets memory of the page allocator.
	 */
	if (mpool_large_shared && !mpool_large_shared->source->system &&
	    !args->gfp && !(args->flags & MPOOL_LARGE_NODE))
		return mpool_nested_create(name, mpool_large_shared, args,
					   site);
	large = mpool_large_setup(name, &system_source, args->gfp,
				  args->on_leak, &args->limits, site);
	if (IS_ERR(large))
		return large;
	large->virt = args->flags & MPOOL_LARGE_VIRT;
	if (args->flags & MPOOL_LARGE_NODE)
		large->nid = args->node;
	wrong = system_check(args);
	if (wrong) {
		mpool_refuse(large->base.ops, name, "%s", wrong);
		err = -EINVAL;
	} else if (args->flags & MPOOL_LARGE_NODE && !node_has_memory(args->node)) {
		mpool_refuse(large->base.ops, name, "node %d has no memory",
			     args->node);
		err = -EINVAL;
	}
	return mpool_large_publish(large, err);
}
EXPORT_SYMBOL_GPL(__mpool_large_create);

/* Creates the pool "shared", for the pools that are created without a large pool. */
int mpool_large_init(void)
{
	/* With reserved memory, mpool_reserved_init() has created the pool already. */
	if (mpool_large_shared)
		return 0;
	mpool_large_shared = mpool_large_create("shared", NULL);
	return PTR_ERR_OR_ZERO(mpool_large_shared);
}
