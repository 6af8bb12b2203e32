// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of runs in the address space of a process: mapped by vm_insert_page(), and pinned
 * by pin_user_pages(), when their run is freed.
 *
 * They are the mapping's or the pin's from then on, nobody else gets them, and the kernel
 * has them back when the last of these is gone.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "stock.h"

#define MOST	250u	/* pages of a run */
#define ROUNDS	20u
#define TAKEN	200u

/*
 * Runs after which it is counted what is back, and pages that may be out: 1/16 of all of
 * a machine of 1 GiB, because each CPU keeps free ones at hand.
 */
#define LEAKS	160u
#define SLACK	16384ul

static const unsigned int lengths[] = { 1, 5, 33, MOST };

struct mapped {
	struct mpool_large *pool;
	char *run;
	unsigned int n;
	unsigned long addr;
	bool quick;			/* nobody tries to get them */
	struct page *page[MOST], *pages[MOST], *got[MOST];
	void *taken[TAKEN];
	char buf[PAGE_SIZE];
};

static int map_run(struct file *file, struct vm_area_struct *vma)
{
	struct mapped *m = file->private_data;
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->n && !err; i++)
		err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, m->page[i]);
	return err;
}

static const struct file_operations map_fops = {
	.owner = THIS_MODULE,
	.mmap = map_run,
};

/* A run with a pattern, mapped. */
static bool map_begin(struct stock *t, struct mapped *m, unsigned int n, int tag)
{
	struct file *file;
	unsigned int i;

	m->n = n;
	m->run = mpool_large_alloc(m->pool, n * PAGE_SIZE, NULL, GFP_KERNEL);
	if (!CHECK(t, m->run))
		return false;
	memset(m->run, tag, n * PAGE_SIZE);
	for (i = 0; i < n; i++) {
		m->page[i] = virt_to_page(m->run + i * PAGE_SIZE);
		CHECK(t, !PageCompound(m->page[i]));
		CHECK(t, page_size(m->page[i]) == PAGE_SIZE);
		CHECK(t, !compound_order(m->page[i]));
	}
	file = anon_inode_getfile("mpool-stock", &map_fops, m, O_RDWR);
	if (!CHECK(t, !IS_ERR(file)))
		return false;
	m->addr = vm_mmap(file, 0, n * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	/* The mapping has a reference. */
	fput(file);
	return CHECK(t, !IS_ERR_VALUE(m->addr));
}

/* The run goes while its pages have @count other references each. */
static void free_run(struct stock *t, struct mapped *m, int count)
{
	unsigned int i, j, n = m->quick ? 0 : TAKEN;

	mpool_large_free(m->pool, m->run);
	for (i = 0; i < n; i++) {
		m->taken[i] = mpool_large_alloc(m->pool, PAGE_SIZE, NULL, GFP_KERNEL);
		if (!CHECK(t, m->taken[i]))
			continue;
		for (j = 0; j < m->n; j++)
			CHECK(t, virt_to_page(m->taken[i]) != m->page[j]);
		memset(m->taken[i], 0, PAGE_SIZE);
	}
	for (i = 0; i < n; i++)
		mpool_large_free(m->pool, m->taken[i]);
	mpool_large_trim(m->pool);
	for (i = 0; i < m->n; i++) {
		CHECK(t, page_count(m->page[i]) == count);
		CHECK(t, !mpool_owns(m->run + i * PAGE_SIZE));
	}
}

/* The process finds what was there, and may write. */
static void process_has(struct stock *t, struct mapped *m, int tag)
{
	void __user *at = (void __user *)m->addr;
	unsigned int i;

	for (i = 0; i < m->n; i++, at += PAGE_SIZE) {
		CHECK(t, !copy_from_user(m->buf, at, PAGE_SIZE));
		CHECK(t, !memchr_inv(m->buf, tag, PAGE_SIZE));
		CHECK(t, !clear_user(at, PAGE_SIZE));
		CHECK(t, !memchr_inv(m->run + i * PAGE_SIZE, 0, PAGE_SIZE));
	}
}

static void map_round(struct stock *t, struct mapped *m, unsigned int n, int tag)
{
	if (!map_begin(t, m, n, tag))
		return;
	free_run(t, m, 1);
	process_has(t, m, tag);
	CHECK(t, !vm_munmap(m->addr, n * PAGE_SIZE));
}

/* Of a pin and, by turns, a plain reference of get_user_pages(); the mapping is gone. */
static void pin_round(struct stock *t, struct mapped *m, unsigned int n, int tag)
{
	bool both = tag % 2;
	unsigned int i;

	if (!map_begin(t, m, n, tag))
		return;
	if (!CHECK(t, pin_user_pages_fast(m->addr, n, FOLL_WRITE, m->pages) == n))
		return;
	if (both)
		CHECK(t, get_user_pages_fast(m->addr, n, 0, m->got) == n);
	CHECK(t, !vm_munmap(m->addr, n * PAGE_SIZE));
	free_run(t, m, GUP_PIN_COUNTING_BIAS + both);
	for (i = 0; i < n; i++) {
		CHECK(t, m->pages[i] == m->page[i]);
		CHECK(t, !memchr_inv(m->run + i * PAGE_SIZE, tag, PAGE_SIZE));
		if (both)
			put_page(m->got[i]);
	}
	unpin_user_pages(m->pages, n);
}

static unsigned long free_pages_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

typedef void (*round_fn)(struct stock *t, struct mapped *m, unsigned int n, int tag);

/* Runs of all lengths, and then many long ones. */
static void many_rounds(struct stock *t, struct mapped *m, round_fn fn, unsigned int quick)
{
	unsigned int i, j;

	m->pool = mpool_large_create("stock-mapped", NULL);
	if (!CHECK(t, !IS_ERR(m->pool)))
		return;
	m->quick = false;
	for (i = 0; i < ROUNDS && !t->fails; i++)
		for (j = 0; j < ARRAY_SIZE(lengths); j++)
			fn(t, m, lengths[j], 1 + i);
	m->quick = true;
	for (i = 0; i < quick && !t->fails; i++)
		fn(t, m, MOST, 1 + i);
	CHECK(t, !mpool_large_destroy(m->pool));
}

static void all_rounds(struct stock *t, round_fn fn)
{
	struct mapped *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned int tries = 500;
	unsigned long before;

	if (!stock_mm) {
		t->skip = "no process";
	} else if (CHECK(t, m)) {
		kthread_use_mm(stock_mm);
		before = free_pages_now();
		many_rounds(t, m, fn, LEAKS);
		kthread_unuse_mm(stock_mm);
		/* Pages on their way come back some time, lost ones never. */
		while (free_pages_now() + SLACK < before && --tries)
			msleep(20);
		CHECK(t, tries);
	}
	kfree(m);
}

void stock_mapped(struct stock *t)
{
	all_rounds(t, map_round);
}

void stock_pinned(struct stock *t)
{
	all_rounds(t, pin_round);
}
