// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: what leaked, and what was freed that should not have been.
 *
 * Structure: a leak report is a snapshot of live objects, summed up by call site
 * and pool, biggest first.  It goes to the log and is kept for the file leaks.
 * There are three occasions: a pool is destroyed, a module goes, mpool goes.
 *
 * A bad-free report asks whatis what the address is, and says it in one line.  A
 * shortage is told by the work item that found out who had the memory.
 *
 * Invariant: an object is reported as leaked by its pool's end or by its
 * module's, whichever comes first, and then once more when mpool itself goes.
 *
 * Locking: kept_mutex for the reports that are kept.  Bad frees are reported
 * from any context and use no lock but that of the rate limit, which is tried.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "owner.h"
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

/* --- sums --- */

static struct mpool_site_sum *sums_row(struct mpool_sums *sums,
				       const struct mpool_pool *pool, u32 site)
{
	struct mpool_site_sum *rows;
	size_t i;

	for (i = sums->n; i-- > 0;)
		if (sums->rows[i].site == site && sums->rows[i].pool == pool)
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

static int sums_visit(const struct mpool_obj *obj, void *arg)
{
	struct sums_visit *visit = arg;
	struct mpool_sums *sums = visit->sums;
	struct mpool_site_sum *row = visit->last;

	if (sums->mod && !mpool_site_of_module(obj->site, sums->mod))
		return 0;
	sums->count++;
	sums->bytes += obj->size;
	/* Neighbours often have the same site. */
	if (!row || row->site != obj->site)
		row = sums_row(sums, visit->pool, obj->site);
	visit->last = row;
	if (!row)
		return 0;
	if (!row->count++)
		row->sample = obj->addr;
	row->bytes += obj->size;
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

/* The rows of a report, the biggest ones. */
void mpool_report_rows(struct mpool_out *out, const struct mpool_sums *sums,
		       bool with_pool)
{
	size_t i, n = min_t(size_t, sums->n, MPOOL_REPORT_SITES);
	const struct mpool_site_sum *row = sums->rows;
	size_t count = 0, bytes = 0;
	char site[112];

	for (i = 0; i < n; i++, row++) {
		mpool_site_print(row->site, site, sizeof(site));
		mpool_out(out, "  %zu object%s, %zu bytes: %s, first %p%s%s%s\n",
			  row->count, plural(row->count), row->bytes, site,
			  row->sample, with_pool ? " in pool \"" : "",
			  with_pool ? row->pool->name : "",
			  with_pool ? "\"" : "");
		count += row->count;
		bytes += row->bytes;
	}
	if (sums->count > count)
		mpool_out(out, "  and %zu more call site%s: %zu object%s, %zu bytes\n",
			  sums->n - n, plural(sums->n - n),
			  sums->count - count, plural(sums->count - count),
			  sums->bytes - bytes);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_rows);

static const char *policy_text(const struct mpool_pool *pool)
{
	switch (mpool_pool_policy(pool)) {
	case MPOOL_ON_LEAK_RECLAIM:
		return "reclaimed";
	case MPOOL_ON_LEAK_PANIC:
		return "panic";
	default:
		return "kept";
	}
}

/* The report of a pool that ends; nothing if nothing is live. */
size_t mpool_report_pool(struct mpool_out *out, struct mpool_pool *pool)
{
	struct mpool_sums sums = { 0 };

	mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	if (sums.count) {
		mpool_out(out, "%s pool \"%s\" leaks %zu object%s, %zu bytes (%s):\n",
			  pool->ops->kind_name, pool->name, sums.count,
			  plural(sums.count), sums.bytes, policy_text(pool));
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

static size_t report_leaks(struct mpool_pool *pool)
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
	return !pool->orphan && mpool_site_of_module(pool->site, mod);
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
		mpool_out(out, "module %s goes and leaves %zu object%s, %zu bytes",
			  mod->name, sums->count, plural(sums->count),
			  sums->bytes);
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

/*
 * The next pool of a module that is to be ended: those that take memory from
 * others before the others.
 */
static struct mpool_pool *verdict_next(const struct module *mod, bool large)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool, *found = NULL;
	bool is_large;

	list_for_each_entry(pool, pools, list) {
		is_large = pool->ops->kind == MPOOL_KIND_LARGE;
		if (is_large != large || !pool_of(pool, mod))
			continue;
		/* The global pool stays. */
		if (!large && atomic_read(&pool->users))
			continue;
		found = pool;
		break;
	}
	mpool_registry_unlock();
	return found;
}

static void verdict_finish(struct module *mod, bool large)
{
	struct mpool_pool *pool;
	struct mpool_count count;

	while ((pool = verdict_next(mod, large))) {
		if (pool->ops->drop_callbacks)
			pool->ops->drop_callbacks(pool);
		pool->ops->count(pool, &count);
		pool->ops->finish(pool, count.live && mpool_pool_keeps(pool));
	}
}

/* Objects of the module in pools of others. */
static void verdict_reclaim(struct module *mod)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list)
		if (!pool->orphan &&
		    mpool_pool_policy(pool) == MPOOL_ON_LEAK_RECLAIM)
			pool->ops->reclaim(pool, mod);
	mpool_registry_unlock();
}

/*
 * What does a module leave that goes, or whose init failed?  Its text is still
 * there; afterwards nothing of mpool's leads to it.
 */
static void verdict(struct module *mod)
{
	struct mpool_sums sums = { .mod = mod };
	struct mpool_out out;
	bool panics = false;
	size_t i;

	report_begin(&out);
	verdict_text(&out, mod, &sums, &panics);
	report_end(&out);
	for (i = 0; i < sums.n; i++)
		mpool_site_retire(sums.rows[i].site);
	if (panics)
		panic("mpool: module %s leaked %zu objects\n", mod->name,
		      sums.count);
	mpool_sums_free(&sums);
	verdict_finish(mod, false);
	verdict_finish(mod, true);
	verdict_reclaim(mod);
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
		mpool_out(&out, "unloaded with %zu object%s, %zu bytes out, lost until reboot:\n",
			  sums.count, plural(sums.count), sums.bytes);
	mpool_report_rows(&out, &sums, true);
	mpool_registry_unlock();
	report_end(&out);
	mpool_sums_free(&sums);
}

/* --- bad frees --- */

static void bad_free_what(struct mpool_out *out, const struct mpool_pool *pool,
			  const struct mpool_whatis *what, const void *p,
			  enum mpool_bad_free why)
{
	if (IS_ERR(p)) {
		mpool_out(out, "is error pointer %ld", PTR_ERR(p));
	} else if (what->area == MPOOL_AREA_FREE ||
		   why == MPOOL_BAD_FREE_TWICE) {
		mpool_out(out, "is free already, ");
		if (what->offset)
			mpool_out(out, "%zu bytes into ", what->offset);
		mpool_out(out, "an object of %zu bytes of pool \"%s\"", what->size,
			  what->pool);
	} else if (what->area == MPOOL_AREA_NOTHING) {
		mpool_out(out, "points to nothing");
	} else if (what->area != MPOOL_AREA_LIVE) {
		mpool_out(out, "is in %s, not mpool's",
			  mpool_area_name(what->area));
	} else if (what->offset) {
		mpool_out(out, "is %zu bytes into an object of %zu bytes of pool \"%s\", from %s",
			  what->offset, what->size, what->pool, what->site);
	} else {
		mpool_out(out, "is an object of pool \"%s\", from %s",
			  what->pool, what->site);
		if (pool && strcmp(pool->name, what->pool))
			mpool_out(out, ", not of \"%s\"", pool->name);
	}
}

/* One line: what it is that was freed, and by whom. */
void mpool_report_bad_free(struct mpool_out *out, const struct mpool_pool *pool,
			   const void *p, enum mpool_bad_free why,
			   unsigned long ip)
{
	struct mpool_whatis what;

	mpool_whatis(p, &what);
	mpool_out(out, "bad free: %p ", p);
	bad_free_what(out, pool, &what, p, why);
	if (ip)
		mpool_out(out, "; freed by %pS\n", (void *)ip);
	else
		mpool_out(out, "; found when it was to be handed out again\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_bad_free);

static void bad_free(struct mpool_pool *pool, const void *p,
		     enum mpool_bad_free why, unsigned long ip)
{
	/* Its own message about what it suppressed would name this function. */
	static struct ratelimit_state limit =
		RATELIMIT_STATE_INIT_FLAGS(limit, 5 * HZ, 10,
					   RATELIMIT_MSG_ON_RELEASE);
	static atomic_t hidden;
	char buf[384] = "";
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };
	int more;

	if (!__ratelimit(&limit)) {
		atomic_inc(&hidden);
		return;
	}
	more = atomic_xchg(&hidden, 0);
	if (more)
		mpool_out(&out, "bad free: %d more were not shown\n", more);
	mpool_report_bad_free(&out, pool, p, why, ip);
	mpool_out_log(&out);
}

/* --- shortages --- */

/* One that had memory when there was none, as all reports print it. */
void mpool_report_holder(struct mpool_out *out,
			 const struct mpool_holder *holder)
{
	char site[112];

	if (*holder->pool) {
		mpool_out(out, "%lu pages: pool \"%s\"\n", holder->pages,
			  holder->pool);
		return;
	}
	mpool_site_print(holder->site, site, sizeof(site));
	mpool_out(out, "%lu pages: %s\n", holder->pages, site);
}

/* Why an allocation failed, and a line for each of those who had most. */
void mpool_report_shortage(struct mpool_out *out,
			   const struct mpool_pool *large,
			   const struct mpool_shortage *s)
{
	char site[112];
	unsigned int i;

	mpool_site_print(s->site, site, sizeof(site));
	mpool_out(out, "no memory: pool \"%s\" was asked for %zu bytes, %pGg, by %s; ",
		  s->pool, s->size, &s->gfp, site);
	mpool_out(out, "large pool \"%s\" had %lu of %lu pages free, the largest run %lu\n",
		  large->name, s->free, s->held, s->largest);
	for (i = 0; i < MPOOL_HOLDERS && s->top[i].pages; i++) {
		mpool_out(out, "  held ");
		mpool_report_holder(out, &s->top[i]);
	}
}
EXPORT_SYMBOL_IF_KUNIT(mpool_report_shortage);

static void shortage(const struct mpool_pool *large,
		     const struct mpool_shortage *s)
{
	/* There is no memory now; mpool_shortage_mutex is held. */
	static char buf[SZ_1K];
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	lockdep_assert_held(&mpool_shortage_mutex);
	mpool_report_shortage(&out, large, s);
	mpool_out_log(&out);
}

static const struct mpool_reporter reporter = {
	.bad_free = bad_free,
	.leaks = report_leaks,
	.shortage = shortage,
};

void mpool_report_init(void)
{
	mpool_registry_set_reporter(&reporter);
	mpool_owner_set_verdict(verdict);
}

void mpool_report_exit(void)
{
	struct kept *kept, *next;

	list_for_each_entry_safe(kept, next, &kept_list, list)
		kvfree(kept);
	INIT_LIST_HEAD(&kept_list);
	nr_kept = 0;
}
