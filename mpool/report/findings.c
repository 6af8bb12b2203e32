// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings: lines about allocations that failed, and about references to pages that
 * others changed.
 *
 * Structure: a work item of the large pool collects the facts (shortage.c, refs.c) and
 * calls a function of this file by mpool_hooks; debugfs prints the same lines.
 *
 * Invariant: nothing is written but text.
 *
 * Locking: mpool_shortage_mutex, held by the caller, and refs_mutex, for a buffer each.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>

#include "findings.h"
#include "leaks.h"
#include "site.h"

/* Prints a pool or a call site that had memory when an allocation failed. */
void mpool_findings_holder(struct mpool_out *out,
			   const struct mpool_holder *holder)
{
	mpool_out(out, "%lu page%s: ", holder->pages, mpool_plural(holder->pages));
	if (*holder->pool)
		mpool_out(out, "pool \"%s\"", holder->pool);
	else
		mpool_out_site(out, holder->site);
	mpool_out(out, "\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_findings_holder);

static void report_max(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_shortage *s)
{
	mpool_out(out, "large pool \"%s\": its max_pages is %lu, %lu are in use\n",
		  large->name, s->max, s->used);
}

/*
 * Prints the limit that a request exceeds, however much is free; false if there is none.
 */
static bool report_bar(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_shortage *s)
{
	unsigned long block = PAGE_SIZE << MAX_PAGE_ORDER >> 10;

	switch (s->bar) {
	case MPOOL_BAR_BLOCK:
		mpool_out(out, "the longest block that the page allocator has is %lu KiB, ",
			  block);
		mpool_out(out, "longer runs need a large pool with MPOOL_LARGE_VIRT\n");
		return true;
	case MPOOL_BAR_SLEEP:
		mpool_out(out, "MPOOL_LARGE_VIRT has runs longer than %lu KiB ", block);
		mpool_out(out, "only where the caller may sleep\n");
		return true;
	case MPOOL_BAR_LIMIT:
		report_max(out, large, s);
		return true;
	case MPOOL_BAR_RUN:
		mpool_out(out, "that is too long for a run\n");
		return true;
	default:
		return false;
	}
}

/*
 * Prints why an allocation failed, and a line for each of the largest owners of memory.
 */
void mpool_findings_shortage(struct mpool_out *out,
			     const struct mpool_pool *large,
			     const struct mpool_shortage *s)
{
	unsigned int i;

	mpool_out(out, "no memory: pool \"%s\" was asked for %zu bytes, %pGg, by ",
		  s->pool, s->size, &s->gfp);
	mpool_out_site(out, s->site);
	mpool_out(out, "; ");
	/* The owners are not printed if the request fails with any amount of memory. */
	if (report_bar(out, large, s))
		return;
	if (s->bar == MPOOL_BAR_FULL)
		report_max(out, large, s);
	else
		mpool_out(out, "large pool \"%s\" had %lu of %lu pages free, the largest run %lu\n",
			  large->name, s->free, s->held, s->largest);
	if (s->cached)
		mpool_out(out, "  %lu free objects of that size are in the caches of other CPUs\n",
			  s->cached);
	for (i = 0; i < MPOOL_HOLDERS && s->top[i].pages; i++) {
		mpool_out(out, "  held ");
		mpool_findings_holder(out, &s->top[i]);
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_findings_shortage);

/* The same into the log, for mpool_hooks. */
void mpool_findings_log_shortage(const struct mpool_pool *large,
				 const struct mpool_shortage *s)
{
	/*
	 * A static buffer, because memory is short now; mpool_shortage_mutex protects
	 * it.
	 */
	static char buf[SZ_1K];
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	lockdep_assert_held(&mpool_shortage_mutex);
	mpool_findings_shortage(&out, large, s);
	mpool_out_log(&out);
}

/* Prints the pool of the pages; and the run, if @run is known. */
static void refs_owner(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_refs_run *run)
{
	mpool_out(out, "references: pool \"%s\"",
		  run ? run->pool : large->name);
	if (!run)
		return;
	mpool_out(out, ", %u page%s at %p", run->npages, mpool_plural(run->npages),
		  run->addr);
	if (!run->site)
		return;
	mpool_out(out, " from ");
	mpool_out_site(out, run->site);
}

/*
 * Prints lines about references to the pages of a pool that were changed outside mpool.
 */
void mpool_findings_refs(struct mpool_out *out, const struct mpool_pool *large,
			 const struct mpool_refs_count *news,
			 const struct mpool_refs_run *run)
{
	if (news->dropped) {
		refs_owner(out, large, run);
		mpool_out(out, ": freed %lu time%s by a function of the kernel ",
			  news->dropped, mpool_plural(news->dropped));
		mpool_out(out, "(kfree(), put_page() ...), ");
		mpool_out(out, "which is not for mpool's memory; nothing was lost\n");
	}
	if (news->lost) {
		refs_owner(out, large, run);
		mpool_out(out, ": %lu page%s freed by a function of the kernel that ",
			  news->lost, mpool_plural(news->lost));
		mpool_out(out, "no reference stops (__free_pages() ...); lost to another user\n");
	}
	if (news->held) {
		refs_owner(out, large, run);
		mpool_out(out, ": %lu page%s freed while others have references ",
			  news->held, mpool_plural(news->held));
		mpool_out(out, "(a mapping, a network buffer, a pin); ");
		mpool_out(out, "left to the last of those, later ones are counted in stats only\n");
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_findings_refs);

/* The same into the log, for mpool_hooks: from a work item or the end of the pool. */
void mpool_findings_log_refs(const struct mpool_pool *large,
			     const struct mpool_refs_count *news,
			     const struct mpool_refs_run *run)
{
	static DEFINE_MUTEX(refs_mutex);
	static char buf[SZ_1K + SZ_1K];
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	mutex_lock(&refs_mutex);
	buf[0] = '\0';
	mpool_findings_refs(&out, large, news, run);
	mpool_out_log(&out);
	mutex_unlock(&refs_mutex);
}
