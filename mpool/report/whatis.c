// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatis: the object, or else the kind of memory, that any value points to.
 *
 * Structure: the page map answers for pools.  For all other values there is a list of
 * tests, from the certain to the vague.  Each of them reads only tables that the kernel
 * has for every address, and never the memory at the address.
 *
 * Invariant: nothing is written, and nothing faults, whatever the value.
 *
 * Locking: RCU and preemption off, so that it may be called in any context.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>

#include "owner.h"
#include "site.h"
#include "whatis.h"

static const char * const area_names[] = {
	[MPOOL_AREA_NOTHING]	= "nothing",
	[MPOOL_AREA_USER]	= "user space",
	[MPOOL_AREA_LIVE]	= "live object",
	[MPOOL_AREA_FREE]	= "free pool memory",
	[MPOOL_AREA_STACK]	= "the stack",
	[MPOOL_AREA_TEXT]	= "kernel or module code",
	[MPOOL_AREA_RODATA]	= "kernel or module constants",
	[MPOOL_AREA_DATA]	= "kernel or module data",
	[MPOOL_AREA_VMALLOC]	= "vmalloc memory",
	[MPOOL_AREA_SLAB]	= "slab memory",
	[MPOOL_AREA_PAGE]	= "a page of RAM, or a large kmalloc()",
};
static_assert(ARRAY_SIZE(area_names) == MPOOL_AREA_PAGE + 1);

const char *mpool_area_name(enum mpool_area area)
{
	return area < ARRAY_SIZE(area_names) ? area_names[area] : "?";
}

static void fill(struct mpool_whatis *what, struct mpool_whose *whose,
		 const void *p, unsigned long base, size_t size,
		 const struct mpool_pool *owner, u32 site)
{
	whose->pool = owner;
	whose->kind = owner->ops->kind;
	whose->orphan = READ_ONCE(owner->orphan);
	what->base = (void *)base;
	what->size = size;
	what->offset = (unsigned long)p - base;
	strscpy(what->pool, owner->name, sizeof(what->pool));
	if (site)
		mpool_site_print(site, what->site, sizeof(what->site));
}

static void whatis_chunk(struct mpool_chunk *chunk, const void *p,
			 struct mpool_whatis *what, struct mpool_whose *whose)
{
	u32 size = chunk->at.fixed->chunks.size;
	u32 i = ((unsigned long)p - chunk->at.base) / size;
	/* The rest behind the last object has no state. */
	u16 state = i < chunk->at.nr ? READ_ONCE(chunk->state[i]) : MPOOL_OBJ_FREE;
	bool live = mpool_obj_live(state);

	what->area = live ? MPOOL_AREA_LIVE : MPOOL_AREA_FREE;
	fill(what, whose, p, chunk->at.base + (unsigned long)i * size, size,
	     chunk->at.fixed->owner, live ? state : 0);
}

static void whatis_arena(struct mpool_arena *arena, const void *p,
			 struct mpool_whatis *what, struct mpool_whose *whose)
{
	struct mpool_large *large = arena->runs->large;
	struct mpool_page *pg = mpool_runs_find(arena, (unsigned long)p);
	const struct mpool_pool *owner = mpool_page_owner(pg);
	u32 site = READ_ONCE(pg->site);

	/*
	 * A free run has a link in the place of the site.  The site counts only if the
	 * state, which is loaded after it, says that the run is in use.  Pairs with the
	 * cmpxchg() that claims a run for a free, before a link is stored.
	 */
	smp_rmb();
	if (mpool_page_is_run(pg) && owner) {
		what->area = MPOOL_AREA_LIVE;
	} else {
		what->area = MPOOL_AREA_FREE;
		owner = &large->base;
		site = 0;
	}
	fill(what, whose, p, (unsigned long)mpool_page_address(arena, pg),
	     mpool_page_bytes(pg), owner, site);
}

static enum mpool_area whatis_elsewhere(unsigned long addr)
{
	const void *p = (const void *)addr;
	enum mpool_area area;
	struct page *page;

	if (addr < PAGE_SIZE || IS_ERR_VALUE(addr))
		return MPOOL_AREA_NOTHING;
	if (!in_nmi() && object_is_on_stack(p))
		return MPOOL_AREA_STACK;
	area = mpool_owner_area(addr);
	if (area == MPOOL_AREA_NOTHING)
		area = mpool_kernel_area(addr);
	if (area != MPOOL_AREA_NOTHING)
		return area;
	if (mpool_vmalloc_addr(addr))
		return MPOOL_AREA_VMALLOC;
	page = mpool_online_page(addr);
	if (page)
		return mpool_page_slab(page) ? MPOOL_AREA_SLAB : MPOOL_AREA_PAGE;
	return addr < TASK_SIZE_MAX ? MPOOL_AREA_USER : MPOOL_AREA_NOTHING;
}

void mpool_whatis_whose(const void *p, struct mpool_whatis *what,
			struct mpool_whose *whose)
{
	unsigned long entry;

	*what = (struct mpool_whatis){ 0 };
	*whose = (struct mpool_whose){ 0 };
	rcu_read_lock();
	preempt_disable();
	entry = mpool_pagemap_entry((unsigned long)p);
	if (mpool_entry_is_arena(entry))
		whatis_arena((struct mpool_arena *)entry, p, what, whose);
	else if (entry)
		whatis_chunk((struct mpool_chunk *)entry, p, what, whose);
	else
		what->area = whatis_elsewhere((unsigned long)p);
	preempt_enable();
	rcu_read_unlock();
}

bool mpool_whatis(const void *p, struct mpool_whatis *what)
{
	struct mpool_whose whose;

	if (mpool_no_address(what)) {
		pr_err_ratelimited("whatis: what is %ld, not an address; called from %pS\n",
				   (long)what, (void *)_RET_IP_);
		return false;
	}
	mpool_whatis_whose(p, what, &whose);
	return what->area == MPOOL_AREA_LIVE;
}
EXPORT_SYMBOL_GPL(mpool_whatis);

size_t mpool_usable_size(const void *p)
{
	const struct mpool_pool *owner;
	size_t size = 0;

	rcu_read_lock();
	owner = mpool_object_owner(p);
	/*
	 * The string begins behind a header: the object at this address is not its
	 * user's.
	 */
	if (owner && owner->ops->kind != MPOOL_KIND_STRING)
		size = mpool_object_size(p);
	rcu_read_unlock();
	return size;
}
EXPORT_SYMBOL_GPL(mpool_usable_size);

bool mpool_owns(const void *p)
{
	return mpool_usable_size(p);
}
EXPORT_SYMBOL_GPL(mpool_owns);
