// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: what leaked, why there was no memory, what became of references.
 *
 * Structure: a leak report is a snapshot of live objects, summed up by call site
 * and pool, biggest first.  It goes to the log and is kept for the file leaks.
 * There are three occasions: a pool is destroyed, a module goes, mpool goes.
 *
 * A shortage is told by the work item that found out who had the memory.  Bad frees
 * are in badfree.c.
 *
 * Invariant: an object is reported as leaked by its pool's end or by its
 * module's, whichever comes first, and then once more when mpool itself goes.
 *
 * Locking: kept_mutex for the reports that are kept, report_mutex and refs_mutex for
 * the text that is being written.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "badfree.h"
#include "owner.h"
#include "refs.h"
#include "report.h"
#include "shortage.h"
#include "site.h"

/* A report of MPOOL_REPORT_SITES rows, and of the pools of a module. */
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

/* Functions that free what pools have out, by kind. */
#define GLOBAL_FREE	(MPOOL_KIND_STRING + 1)

static const char * const free_names[] = {
	[MPOOL_KIND_LARGE] = "mpool_large_free()",
	[MPOOL_KIND_FIXED] = "mpool_fixed_free()",
	[MPOOL_KIND_SMALL] = "mpool_small_free()",
	[MPOOL_KIND_STRING] = "mpool_string_put()",
	[GLOBAL_FREE] = "mpool_free()",
};

/* --- sums --- */

/* Pools of one name, most of them orphans, are one to a reader. */
static bool sums_same(const struct mpool_pool *a, const struct mpool_pool *b)
{
	return a == b || (a->ops == b->ops && !strcmp(a->name, b->name));
}

static struct mpool_site_sum *sums_row(struct mpool_sums *sums,
				       const struct mpool_pool *pool, u32 site)
{
	struct mpool_site_sum *rows;
	size_t i;

	for (i = sums->n; i-- > 0;)
		if (sums->rows[i].site == site &&
		    sums_same(sums->rows[i].pool, pool))
			return &sums->rows[i];
	if (sums->n == sums->size) {
		size_t size = max_t(size_t, 32, sums->size * 2);

		/* Within a walk, which must not sleep. */
		rows = krealloc(sums->rows, array_size(size, sizeof(*rows)),
				GFP_NOWAIT | __GFP_NOWARN);
		if (!rows)
			return NULL;
		sums->rows = rows;
		sums->size = size;
	}
	rows = &sums->rows[sums->n++];
	*rows = (struct mpool_site_sum){ .pool = pool, .site = site };
	return rows;
}

struct sums_visit {
	struct mpool_sums *sums;
	struct mpool_pool *pool;
	struct mpool_site_sum *last;
};

/* Is it the module's?  What it has in its own pool is, if its site has no number. */
static bool sums_wanted(const struct mpool_sums *sums,
			const struct mpool_pool *pool, u32 site)
{
	return !sums->mod || mpool_site_of_module(site, sums->mod) ||
	       (site == MPOOL_SITE_UNKNOWN && pool->module == sums->mod);
}

/*
 * Looks at where an object is: was its size that of a class, so that it was not asked
 * for; did a function of the kernel free its page, which kfree() of the object does?  A
 * page is looked at once, because the objects of a page are met one behind the other.
 */
static bool sums_look(struct mpool_sums *sums, const struct mpool_pool *pool,
		      const struct mpool_obj *obj)
{
	const unsigned long page = (unsigned long)obj->addr & PAGE_MASK;
	struct mpool_chunk *chunk;
	struct mpool_page *pg;

	rcu_read_lock();
	chunk = mpool_chunk_find(obj->addr);
	pg = chunk ? chunk->pg : mpool_large_lookup(obj->addr);
	if (page != sums->page && pg && mpool_refs_dropped(pg, obj->addr)) {
		sums->dropped++;
		sums->frees |= BIT(pool->global ? GLOBAL_FREE : pool->ops->kind);
	}
	rcu_read_unlock();
	sums->page = page;
	return chunk && (pool->ops->kind == MPOOL_KIND_SMALL ||
			 pool->ops->kind == MPOOL_KIND_STRING);
}

static int sums_visit(const struct mpool_obj *obj, void *arg)
{
	struct sums_visit *visit = arg;
	struct mpool_sums *sums = visit->sums;
	struct mpool_site_sum *row = visit->last;
	bool rounded;

	if (!sums_wanted(sums, visit->pool, obj->site))
		return 0;
	rounded = sums_look(sums, visit->pool, obj);
	sums->count++;
	sums->bytes += obj->size;
	sums->rounded |= rounded;
	/* Neighbours often have the same site. */
	if (!row || row->site != obj->site)
		row = sums_row(sums, visit->pool, obj->site);
	visit->last = row;
	if (!row) {
		/* Without a row there is nobody else who would. */
		if (sums->mod && obj->site != MPOOL_SITE_UNKNOWN)
			mpool_site_retire(obj->site);
		return 0;
	}
	if (!row->count++)
		row->sample = obj->addr;
	row->bytes += obj->size;
	row->rounded |= rounded;
	return 0;
}

/* Sums up what is live in a pool. */
void mpool_sums_add(struct mpool_sums *sums, struct mpool_pool *pool)
{
	struct sums_visit visit = { .sums = sums, .pool = pool };

	pool->ops->walk(pool, sums_visit, &visit);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_sums_add);

static int sum_cmp(const void *a, const void *b)
{
	const struct mpool_site_sum *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

/* Biggest first. */
void mpool_sums_sort(struct mpool_sums *sums)
{
	sort(sums->rows, sums->n, sizeof(*sums->rows), sum_cmp, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_sums_sort);

void mpool_sums_free(struct mpool_sums *sums)
{
	kfree(sums->rows);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_sums_free);

/* --- leaks --- */

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static const char *rounded_text(bool rounded)
{
	return rounded ? "up to " : "";
}

/* Says so if some of it was freed, but by a function that frees nothing of mpool's. */
static void report_dropped(struct mpool_out *out, const struct mpool_sums *sums)
{
	const char *before = "";
	unsigned int i;

	if (!sums->dropped)
		return;
	mpool_out(out, "  %zu page%s of it %s freed by kfree(), put_page() or the like, ",
		  sums->dropped, plural(sums->dropped),
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

/* The rows of a report, the biggest ones, and whether some was freed wrongly. */
void mpool_report_rows(struct mpool_out *out, const struct mpool_sums *sums,
		       bool with_pool)
{
	size_t i, n = min_t(size_t, sums->n, MPOOL_REPORT_SITES);
	const struct mpool_site_sum *row = sums->rows;
	size_t count = 0, bytes = 0;

	for (i = 0; i < n; i++, row++) {
		mpool_out(out, "  %zu object%s, %s%zu bytes: ",
			  row->count, plural(row->count), rounded_text(row->rounded),
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
			  sums->n - n, plural(sums->n - n),
			  sums->count - count, plural(sums->count - count),
			  rounded_text(sums->rounded), sums->bytes - bytes);
	report_dropped(out, sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_rows);

static const char *policy_text(struct mpool_pool *pool)
{
	enum mpool_on_leak policy = mpool_pool_policy(pool);

	if (pool->ops->kind == MPOOL_KIND_LARGE && policy == MPOOL_ON_LEAK_KEEP &&
	    !to_large(pool)->feed->gives_back)
		return "left in the region, without a pool";
	return mpool_policies[policy].done;
}

/* The report of a pool that ends; nothing if nothing is live. */
size_t mpool_report_pool(struct mpool_out *out, struct mpool_pool *pool)
{
	struct mpool_sums sums = { 0 };

	mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	if (sums.count) {
		mpool_out(out, "%s pool \"%s\" leaks %zu object%s, %s%zu bytes (%s):\n",
			  pool->ops->kind_name, pool->name, sums.count,
			  plural(sums.count), rounded_text(sums.rounded), sums.bytes,
			  policy_text(pool));
		mpool_report_rows(out, &sums, false);
	}
	mpool_sums_free(&sums);
	return sums.count;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_pool);

/* Puts a report into the log and keeps it for the file. */
static void report_keep(struct mpool_out *out)
{
	struct kept *kept;

	if (!out->len)
		return;
	mpool_out_log(out);
	/* Where memory is short, the log has to do. */
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

static void report_begin(struct mpool_out *out)
{
	mutex_lock(&report_mutex);
	report_text[0] = '\0';
	*out = (struct mpool_out){
		.buf = report_text,
		.size = sizeof(report_text),
	};
}

static void report_end(struct mpool_out *out)
{
	report_keep(out);
	mutex_unlock(&report_mutex);
}

size_t mpool_report_leaks(struct mpool_pool *pool)
{
	struct mpool_out out;
	size_t leaks;

	report_begin(&out);
	leaks = mpool_report_pool(&out, pool);
	report_end(&out);
	return leaks;
}

/* The reports so far, as the file leaks shows them. */
void mpool_report_show_leaks(struct mpool_out *out)
{
	struct kept *kept;

	mutex_lock(&kept_mutex);
	if (list_empty(&kept_list))
		mpool_out(out, "no leaks reported\n");
	list_for_each_entry(kept, &kept_list, list)
		mpool_out(out, "%s", kept->text);
	mutex_unlock(&kept_mutex);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_show_leaks);

/* --- the verdict on a module --- */

static bool pool_of(const struct mpool_pool *pool, const struct module *mod)
{
	return !pool->orphan && !pool->ending && pool->module == mod;
}

static void verdict_text(struct mpool_out *out, struct module *mod,
			 struct mpool_sums *sums, bool *panics)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;
	unsigned int left = 0;
	size_t before;

	list_for_each_entry(pool, pools, list) {
		if (pool->orphan)
			continue;
		before = sums->count;
		mpool_sums_add(sums, pool);
		if (sums->count > before &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_PANIC)
			*panics = true;
		left += pool_of(pool, mod);
	}
	mpool_sums_sort(sums);
	if (sums->count || left)
		mpool_out(out, "module %s goes and leaves %zu object%s, %s%zu bytes",
			  mod->name, sums->count, plural(sums->count),
			  rounded_text(sums->rounded), sums->bytes);
	if (left)
		mpool_out(out, ", and %u pool%s", left, plural(left));
	if (sums->count || left)
		mpool_out(out, ":\n");
	mpool_report_rows(out, sums, true);
	list_for_each_entry(pool, pools, list)
		if (pool_of(pool, mod))
			mpool_out(out, "  %s pool \"%s\" was not destroyed\n",
				  pool->ops->kind_name, pool->name);
	mpool_registry_unlock();
}

/* Claims a pool if it is one of a module's that are to be ended now. */
static bool verdict_claim(struct mpool_pool *pool, const struct module *mod,
			  bool large)
{
	bool is_large = pool->ops->kind == MPOOL_KIND_LARGE, mine;

	mpool_registry_lock();
	/* The global pool stays. */
	mine = is_large == large && pool_of(pool, mod) &&
	       (large || !atomic_read(&pool->users));
	if (mine)
		pool->ending = true;
	mpool_registry_unlock();
	return mine;
}

/*
 * Ends the large pools of a module, or the others, which take memory from them, in one pass
 * over the list.  The end of a pool waits for its pins, so the next pool is pinned before
 * this one ends.  No callback runs in the end, so that none can wait for that pin.
 */
static void verdict_finish(struct module *mod, bool large)
{
	struct mpool_pool *pool, *next = mpool_pool_pin_next(NULL);
	struct mpool_count count;
	bool mine;

	while ((pool = next)) {
		mine = verdict_claim(pool, mod, large);
		if (mine && pool->ops->drop_callbacks)
			pool->ops->drop_callbacks(pool, NULL);
		next = mpool_pool_pin_next(pool);
		if (!mine)
			continue;
		pool->ops->count(pool, &count);
		pool->ops->finish(pool, count.live && mpool_pool_keeps(pool));
	}
}

/*
 * A pool loses the callbacks whose code goes, whoever made it; one of the module's,
 * that somebody else is ending at this moment, all of them.  Callbacks may make and end
 * pools: one pool at a time, pinned, without a lock.
 */
static void verdict_callbacks(struct module *mod)
{
	struct mpool_pool *pool = NULL;
	bool own;

	while ((pool = mpool_pool_pin_next(pool))) {
		own = READ_ONCE(pool->module) == mod;
		if (pool->ops->drop_callbacks &&
		    pool->ops->drop_callbacks(pool, own ? NULL : mod) && !own)
			pr_warn("%s pool \"%s\" loses callbacks: their code goes with module %s\n",
				pool->ops->kind_name, pool->name, mod->name);
	}
}

/* Objects of the module in pools of others, whose destructors may do as much. */
static void verdict_reclaim(struct module *mod)
{
	struct mpool_pool *pool = NULL;

	while ((pool = mpool_pool_pin_next(pool)))
		if (!READ_ONCE(pool->orphan) && !READ_ONCE(pool->ending) &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_RECLAIM)
			pool->ops->reclaim(pool, mod);
}

/* Nothing that stays looks like the next module's that has this address. */
static void verdict_forget(const struct module *mod)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list)
		if (pool->module == mod)
			WRITE_ONCE(pool->module, NULL);
	mpool_registry_unlock();
}

/* Has the module anything to do with mpool? */
static bool verdict_concerns(const struct module *mod)
{
	struct list_head *pools;
	struct mpool_pool *pool;
	bool found = mpool_site_module_has(mod);

	pools = mpool_registry_lock();
	list_for_each_entry(pool, pools, list)
		found |= pool->module == mod;
	mpool_registry_unlock();
	return found;
}

/*
 * What does a module leave that goes, or whose init failed?  Its text is still
 * there; afterwards nothing of mpool's leads to it.
 */
void mpool_report_verdict(struct module *mod)
{
	struct mpool_sums sums = { .mod = mod };
	struct mpool_out out;
	bool panics = false;
	size_t i;

	if (!verdict_concerns(mod)) {
		verdict_callbacks(mod);
		return;
	}
	report_begin(&out);
	verdict_text(&out, mod, &sums, &panics);
	report_end(&out);
	for (i = 0; i < sums.n; i++)
		if (sums.rows[i].site != MPOOL_SITE_UNKNOWN)
			mpool_site_retire(sums.rows[i].site);
	if (panics)
		panic("mpool: module %s leaked %zu objects\n", mod->name,
		      sums.count);
	mpool_sums_free(&sums);
	verdict_finish(mod, false);
	verdict_finish(mod, true);
	verdict_callbacks(mod);
	verdict_reclaim(mod);
	verdict_forget(mod);
}

/* mpool's own unload: what stays out for ever. */
void mpool_report_farewell(void)
{
	struct mpool_sums sums = { 0 };
	struct mpool_pool *pool;
	struct list_head *pools;
	struct mpool_out out;

	report_begin(&out);
	pools = mpool_registry_lock();
	list_for_each_entry(pool, pools, list)
		mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	if (sums.count)
		mpool_out(&out, "unloaded with %zu object%s, %s%zu bytes out, lost until reboot:\n",
			  sums.count, plural(sums.count),
			  rounded_text(sums.rounded), sums.bytes);
	mpool_report_rows(&out, &sums, true);
	mpool_registry_unlock();
	report_end(&out);
	mpool_sums_free(&sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_farewell);

/* --- shortages --- */

/* One that had memory when there was none, as all reports print it. */
void mpool_report_holder(struct mpool_out *out,
			 const struct mpool_holder *holder)
{
	mpool_out(out, "%lu page%s: ", holder->pages, plural(holder->pages));
	if (*holder->pool)
		mpool_out(out, "pool \"%s\"", holder->pool);
	else
		mpool_out_site(out, holder->site);
	mpool_out(out, "\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_holder);

static void report_max(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_shortage *s)
{
	mpool_out(out, "large pool \"%s\": its max_pages is %lu, %lu are in use\n",
		  large->name, s->max, s->used);
}

/* The limit that a request is beyond, whoever has what; false if none. */
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

/* Why an allocation failed, and a line for each of those who had most. */
void mpool_report_shortage(struct mpool_out *out,
			   const struct mpool_pool *large,
			   const struct mpool_shortage *s)
{
	unsigned int i;

	mpool_out(out, "no memory: pool \"%s\" was asked for %zu bytes, %pGg, by ",
		  s->pool, s->size, &s->gfp);
	mpool_out_site(out, s->site);
	mpool_out(out, "; ");
	/* Who has the memory is of no interest if no memory would do. */
	if (report_bar(out, large, s))
		return;
	if (s->bar == MPOOL_BAR_FULL)
		report_max(out, large, s);
	else
		mpool_out(out, "large pool \"%s\" had %lu of %lu pages free, the largest run %lu\n",
			  large->name, s->free, s->held, s->largest);
	if (s->cached)
		mpool_out(out, "  %lu free objects of that size lie in other CPUs' caches\n",
			  s->cached);
	for (i = 0; i < MPOOL_HOLDERS && s->top[i].pages; i++) {
		mpool_out(out, "  held ");
		mpool_report_holder(out, &s->top[i]);
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_shortage);

/* The same into the log, for mpool_hooks. */
void mpool_report_log_shortage(const struct mpool_pool *large,
			       const struct mpool_shortage *s)
{
	/* There is no memory now; mpool_shortage_mutex is held. */
	static char buf[SZ_1K];
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	lockdep_assert_held(&mpool_shortage_mutex);
	mpool_report_shortage(&out, large, s);
	mpool_out_log(&out);
}

/* --- references --- */

/* Whose pages; names a run if @run is known. */
static void refs_whose(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_refs_run *run)
{
	mpool_out(out, "references: pool \"%s\"",
		  run ? run->pool : large->name);
	if (!run)
		return;
	mpool_out(out, ", %u page%s at %p", run->npages, plural(run->npages),
		  run->addr);
	if (!run->site)
		return;
	mpool_out(out, " from ");
	mpool_out_site(out, run->site);
}

/* Lines on what others did to the references to a pool's pages. */
void mpool_report_refs(struct mpool_out *out, const struct mpool_pool *large,
		       const struct mpool_refs_count *news,
		       const struct mpool_refs_run *run)
{
	if (news->dropped) {
		refs_whose(out, large, run);
		mpool_out(out, ": freed %lu time%s by a function of the kernel ",
			  news->dropped, plural(news->dropped));
		mpool_out(out, "(kfree(), put_page() ...), ");
		mpool_out(out, "which is not for mpool's memory; nothing was lost\n");
	}
	if (news->lost) {
		refs_whose(out, large, run);
		mpool_out(out, ": %lu page%s freed by a function of the kernel that ",
			  news->lost, plural(news->lost));
		mpool_out(out, "no reference stops (__free_pages() ...); lost to somebody else\n");
	}
	if (news->held) {
		refs_whose(out, large, run);
		mpool_out(out, ": %lu page%s freed while somebody has references ",
			  news->held, plural(news->held));
		mpool_out(out, "(a mapping, a network buffer, a pin); ");
		mpool_out(out, "left to the last of those, later ones are counted in stats only\n");
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_refs);

/* The same into the log, for mpool_hooks: from a work item or the end of the pool. */
void mpool_report_log_refs(const struct mpool_pool *large,
			   const struct mpool_refs_count *news,
			   const struct mpool_refs_run *run)
{
	static DEFINE_MUTEX(refs_mutex);
	static char buf[SZ_1K + SZ_1K];
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	mutex_lock(&refs_mutex);
	buf[0] = '\0';
	mpool_report_refs(&out, large, news, run);
	mpool_out_log(&out);
	mutex_unlock(&refs_mutex);
}

void mpool_report_exit(void)
{
	struct kept *kept, *next;

	list_for_each_entry_safe(kept, next, &kept_list, list)
		kvfree(kept);
	INIT_LIST_HEAD(&kept_list);
	nr_kept = 0;
}
