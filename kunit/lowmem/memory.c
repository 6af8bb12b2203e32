// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a small machine: taking all of it, cutting it up, measuring it.
 *
 * Free memory is measured after all of it was taken and given back once: every
 * shrinker has been asked then.
 *
 * Threads are made by kthreadd, whose stacks are blocks of several pages, and the
 * kernel makes some whenever its work items wait.  That it finds none is no fault
 * of mpool's: it is given some of a few that were set aside, and waits if that is
 * not enough.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/oom.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "lowmem.h"

/* The object of another directory's module cannot be linked into this one. */
#include "../helpers.c"

#define LOWMEM_BYTES	SZ_128M

/*
 * Pages that need not be back: stacks, tables of pages, lists of the CPUs; with
 * KASAN the shadow of vmalloc() areas not yet purged.
 */
#define LOWMEM_SLACK	(IS_ENABLED(CONFIG_KASAN) ? 256 : 64)

/* Slabs that may have got more: one that has an object left is whole. */
#define SLAB_SLACK	768

/* Down to the last page, which only those may take who give it back at once. */
#define GFP_LAST	(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN)

struct hog_link {
	struct hog_link *next;
	unsigned int order;
};

/* Takes blocks until there are @most, or the system refuses; how many. */
unsigned long hog_take(struct hog *hog, unsigned int order, unsigned long most,
		       gfp_t gfp)
{
	struct hog_link *link;
	unsigned long n;

	for (n = 0; n < most; n++) {
		link = (void *)__get_free_pages(gfp, order);
		if (!link)
			break;
		link->next = hog->first;
		link->order = order;
		hog->first = link;
		hog->pages += 1ul << order;
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	return n;
}

static void hog_free(struct hog *hog, struct hog_link **at)
{
	struct hog_link *link = *at;

	*at = link->next;
	hog->pages -= 1ul << link->order;
	free_pages((unsigned long)link, link->order);
}

/* Gives @most blocks back, the last first. */
void hog_give(struct hog *hog, unsigned long most)
{
	while (hog->first && most--) {
		hog_free(hog, &hog->first);
		cond_resched();
	}
}

void hog_give_all(struct hog *hog)
{
	hog_give(hog, ULONG_MAX);
}

/* Takes what there is, to the last page, for a moment. */
void hog_take_all(struct hog *hog)
{
	hog_take(hog, 0, ULONG_MAX, GFP_QUIET);
	hog_take(hog, 0, ULONG_MAX, GFP_LAST);
}

KUNIT_DEFINE_ACTION_WRAPPER(let_go, hog_give_all, struct hog *);

/* One that lets go of all when its case ends, also if that fails. */
struct hog *hog_begin(struct kunit *test)
{
	struct hog *hog = kunit_kzalloc(test, sizeof(*hog), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hog);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, let_go, hog), 0);
	return hog;
}

void hog_end(struct kunit *test, struct hog *hog)
{
	kunit_release_action(test, let_go, hog);
}

/* Takes every other @len pages of all there is: what is free is no longer. */
void hog_fragment(struct hog *hog, unsigned int len)
{
	struct hog_link **at = &hog->first;
	unsigned int order;

	hog_take_all(hog);
	while (*at) {
		if (page_to_pfn(virt_to_page(*at)) & len)
			at = &(*at)->next;
		else
			hog_free(hog, at);
	}
	/* Others had pages too, and gave them back. */
	for (order = MAX_PAGE_ORDER; order > ilog2(len); order--)
		hog_take(hog, order, ULONG_MAX, GFP_LAST);
}

/* --- stacks for threads of the kernel --- */

#define STACKS		16

/* Protects the blocks that were set aside. */
static DEFINE_MUTEX(stacks_mutex);
static struct hog stacks;

static int stacks_notify(struct notifier_block *nb, unsigned long unused,
			 void *freed)
{
	/* Whoever else is about to have somebody killed shall be seen. */
	if (!strcmp(current->comm, "kthreadd")) {
		mutex_lock(&stacks_mutex);
		hog_give(&stacks, 2);
		mutex_unlock(&stacks_mutex);
		schedule_timeout_uninterruptible(1);
		++*(unsigned long *)freed;
	}
	return NOTIFY_OK;
}

static struct notifier_block stacks_nb = { .notifier_call = stacks_notify };

static void stacks_set_aside(unsigned int n)
{
	mutex_lock(&stacks_mutex);
	hog_give_all(&stacks);
	hog_take(&stacks, get_order(THREAD_SIZE), n, GFP_QUIET);
	mutex_unlock(&stacks_mutex);
}

/* Free pages that the CPUs have at hand, which MemFree does not count. */
static unsigned long at_hand(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int cpu;

	for (zone = NODE_DATA(0)->node_zones;
	     zone < NODE_DATA(0)->node_zones + MAX_NR_ZONES; zone++)
		for_each_possible_cpu(cpu)
			if (populated_zone(zone))
				pages += per_cpu_ptr(zone->per_cpu_pageset,
						     cpu)->count;
	return pages;
}

unsigned long lowmem_free_pages(void)
{
	struct hog hog = { };
	struct sysinfo info;

	rcu_barrier();
	hog_take(&hog, 0, ULONG_MAX, GFP_QUIET);
	hog_give_all(&hog);
	si_meminfo(&info);
	return info.freeram + at_hand();
}

static unsigned long slab_pages(void)
{
	return global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
	       global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);
}

static unsigned long nr_kills(void)
{
	unsigned long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += per_cpu(vm_event_states, cpu).event[OOM_KILL];
	return n;
}

/* What a case began with. */
struct before {
	unsigned long free;
	unsigned long slab;
	unsigned long kills;
};

int lowmem_init_case(struct kunit *test)
{
	struct before *before;
	int err;

	if (totalram_pages() > LOWMEM_BYTES >> PAGE_SHIFT)
		kunit_skip(test, "needs a machine of at most 128 MiB");
	before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	if (!before)
		return -ENOMEM;
	err = register_oom_notifier(&stacks_nb);
	if (err)
		return err;
	stacks_set_aside(STACKS);
	before->free = lowmem_free_pages();
	before->slab = slab_pages();
	before->kills = nr_kills();
	test->priv = before;
	return 0;
}

/* Are all pages back, but those of slabs, of which there may be some more? */
static bool is_back(const struct before *before, struct before *now)
{
	now->free = lowmem_free_pages();
	now->slab = slab_pages();
	return now->free + now->slab + LOWMEM_SLACK >=
	       before->free + before->slab &&
	       now->slab <= before->slab + SLAB_SLACK;
}

/* All is well, nobody was killed, and every page is back. */
void lowmem_exit_case(struct kunit *test)
{
	struct before *before = test->priv, now;

	if (!before)
		return;
	stacks_set_aside(STACKS);
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
	KUNIT_EXPECT_EQ(test, before->kills, nr_kills());
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(is_back(before, &now)));
	kunit_info(test, "%lu pages free and %lu in slabs before, %lu and %lu after\n",
		   before->free, before->slab, now.free, now.slab);
	stacks_set_aside(0);
	unregister_oom_notifier(&stacks_nb);
}
