// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaks: the text of leak reports, in the log and in the file leaks.
 *
 * Structure: one buffer for the report that is being written, so that a report needs no
 * memory; and a list of the last KEPT_MAX reports, for the file.  A report has the sums of
 * the live objects by call site.  It is made when a pool is destroyed, here; and when a
 * module or mpool itself is unloaded, in unload.c.
 *
 * Invariant: a report in the file is in the log, too.
 *
 * Locking: report_mutex for the buffer, kept_mutex for the list.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "large.h"
#include "leaks.h"
#include "site.h"

/* Enough for a report of MPOOL_REPORT_SITES rows, and of the pools of a module. */
#define REPORT_BYTES	SZ_8K

/* Reports that are kept; the oldest go first. */
#define KEPT_MAX	64

struct kept {
	struct list_head list;
	char text[];
};

/* Protects the text that is being written; a report needs no memory. */
static DEFINE_MUTEX(report_mutex);
static char report_text[REPORT_BYTES];

/* Protects the reports that are kept. */
static DEFINE_MUTEX(kept_mutex);
static LIST_HEAD(kept_list);
static unsigned int nr_kept;

/* The functions that free objects, by the kind of their pool. */
static const char * const free_names[] = {
	[MPOOL_KIND_LARGE] = "mpool_large_free()",
	[MPOOL_KIND_FIXED] = "mpool_fixed_free()",
	[MPOOL_KIND_SMALL] = "mpool_small_free()",
	[MPOOL_KIND_STRING] = "mpool_string_put()",
	[MPOOL_FREE_GLOBAL] = "mpool_free()",
};

/* Prints a line about objects that were passed to free functions of the kernel. */
static void report_dropped(struct mpool_out *out, const struct mpool_sums *sums)
{
	const char *before = "";
	unsigned int i;

	if (!sums->dropped)
		return;
	mpool_out(out, "  %zu page%s of it %s freed by kfree(), put_page() or the like, ",
		  sums->dropped, mpool_plural(sums->dropped),
		  sums->dropped == 1 ? "was" : "were");
	mpool_out(out, "which free nothing here: use ");
	for (i = 0; i < ARRAY_SIZE(free_names); i++) {
		if (!(sums->frees & BIT(i)))
			continue;
		mpool_out(out, "%s%s", before, free_names[i]);
		before = ", ";
	}
	mpool_out(out, "\n");
}

/* Prints the first MPOOL_REPORT_SITES rows, and a line about wrong frees. */
void mpool_leaks_rows(struct mpool_out *out, const struct mpool_sums *sums,
		      bool with_pool)
{
	size_t i, n = min_t(size_t, sums->n, MPOOL_REPORT_SITES);
	const struct mpool_site_sum *row = sums->rows;
	size_t count = 0, bytes = 0;

	for (i = 0; i < n; i++, row++) {
		mpool_out(out, "  %zu object%s, %s%zu bytes: ",
			  row->count, mpool_plural(row->count), mpool_rounded(row->rounded),
			  row->bytes);
		mpool_out_site(out, row->site);
		mpool_out(out, ", first %p", row->sample);
		if (with_pool)
			mpool_out(out, " in pool \"%s\"", row->pool->name);
		mpool_out(out, "\n");
		count += row->count;
		bytes += row->bytes;
	}
	if (sums->count > count)
		mpool_out(out, "  and %zu more call site%s: %zu object%s, %s%zu bytes\n",
			  sums->n - n, mpool_plural(sums->n - n),
			  sums->count - count, mpool_plural(sums->count - count),
			  mpool_rounded(sums->rounded), sums->bytes - bytes);
	report_dropped(out, sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_leaks_rows);

static const char *policy_text(struct mpool_pool *pool)
{
	enum mpool_on_leak policy = mpool_pool_policy(pool);

	if (pool->ops->kind == MPOOL_KIND_LARGE && policy == MPOOL_ON_LEAK_KEEP &&
	    !to_large(pool)->source->gives_back)
		return "left in the region, without a pool";
	return mpool_policies[policy].done;
}

/* Prints the report of a pool that ends; nothing if the pool has no live object. */
size_t mpool_leaks_of_pool(struct mpool_out *out, struct mpool_pool *pool)
{
	struct mpool_sums sums = { 0 };

	mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	if (sums.count) {
		mpool_out(out, "%s pool \"%s\" leaks %zu object%s, %s%zu bytes (%s):\n",
			  pool->ops->kind_name, pool->name, sums.count,
			  mpool_plural(sums.count), mpool_rounded(sums.rounded), sums.bytes,
			  policy_text(pool));
		mpool_leaks_rows(out, &sums, false);
	}
	mpool_sums_free(&sums);
	return sums.count;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_leaks_of_pool);

/* Puts a report into the log and keeps it for the file. */
static void report_keep(struct mpool_out *out)
{
	struct kept *kept;

	if (!out->len)
		return;
	mpool_out_log(out);
	/* If memory is short, the report is in the log only. */
	kept = kvmalloc(struct_size(kept, text, out->len + 1),
			GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!kept)
		return;
	memcpy(kept->text, out->buf, out->len + 1);
	mutex_lock(&kept_mutex);
	list_add_tail(&kept->list, &kept_list);
	if (nr_kept == KEPT_MAX) {
		kept = list_first_entry(&kept_list, struct kept, list);
		list_del(&kept->list);
		kvfree(kept);
	} else {
		nr_kept++;
	}
	mutex_unlock(&kept_mutex);
}

void mpool_leaks_begin(struct mpool_out *out)
{
	mutex_lock(&report_mutex);
	report_text[0] = '\0';
	*out = (struct mpool_out){
		.buf = report_text,
		.size = sizeof(report_text),
	};
}

void mpool_leaks_end(struct mpool_out *out)
{
	report_keep(out);
	mutex_unlock(&report_mutex);
}

size_t mpool_leaks_report(struct mpool_pool *pool)
{
	struct mpool_out out;
	size_t leaks;

	mpool_leaks_begin(&out);
	leaks = mpool_leaks_of_pool(&out, pool);
	mpool_leaks_end(&out);
	return leaks;
}

/* The reports so far, as the file leaks shows them. */
void mpool_leaks_show(struct mpool_out *out)
{
	struct kept *kept;

	mutex_lock(&kept_mutex);
	if (list_empty(&kept_list))
		mpool_out(out, "no leaks reported\n");
	list_for_each_entry(kept, &kept_list, list)
		mpool_out(out, "%s", kept->text);
	mutex_unlock(&kept_mutex);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_leaks_show);

void mpool_leaks_exit(void)
{
	struct kept *kept, *next;

	list_for_each_entry_safe(kept, next, &kept_list, list)
		kvfree(kept);
	INIT_LIST_HEAD(&kept_list);
	nr_kept = 0;
}
