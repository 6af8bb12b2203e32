// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of the debugfs files: pools, stats, sites, objects.
 *
 * Structure: one function for each file, which reads the pool, or a snapshot of it, and
 * prints text.
 *
 * Invariant: nothing is changed.
 *
 * Locking: registry_mutex for the list of pools.  A pool is kept by the caller: the files
 * of the pool are removed before the pool ends.  Figures that other CPUs change meanwhile
 * are read one by one, and each was true once.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "findings.h"
#include "show.h"
#include "site.h"
#include "strpool.h"
#include "sums.h"

/* "12s", "3m05s", "2h10m", "4d03h" */
static const char *age_text(ktime_t born, char *buf, size_t size)
{
	u32 s = ktime_divns(ktime_sub(ktime_get(), born), NSEC_PER_SEC);

	if (s < 60)
		scnprintf(buf, size, "%us", s);
	else if (s < 3600)
		scnprintf(buf, size, "%um%02us", s / 60, s % 60);
	else if (s < 86400)
		scnprintf(buf, size, "%uh%02um", s / 3600, s / 60 % 60);
	else
		scnprintf(buf, size, "%ud%02uh", s / 86400, s / 3600 % 24);
	return buf;
}

/* Share of the pool's pages that is not live objects, in percent. */
static const char *waste_text(unsigned long pages, size_t bytes, char *buf,
			      size_t size)
{
	u64 held = (u64)pages << PAGE_SHIFT, waste;

	if (!held)
		return "-";
	waste = held > bytes ? div64_u64((held - bytes) * 1000, held) : 0;
	scnprintf(buf, size, "%llu.%llu", waste / 10, waste % 10);
	return buf;
}

static void show_pool(struct mpool_out *out, struct mpool_pool *pool)
{
	unsigned long pages = atomic_long_read(&pool->pages);
	char objsize[16] = "-", waste[16], age[16], name[MPOOL_NAME_LEN + 12];
	struct mpool_site_info info;
	struct mpool_count count;

	pool->ops->count(pool, &count);
	if (count.objsize)
		scnprintf(objsize, sizeof(objsize), "%zu", count.objsize);
	/* An orphan has the name of its directory here: other pools may have its name. */
	if (pool->nth)
		scnprintf(name, sizeof(name), "%s~%u", pool->name, pool->nth);
	rcu_read_lock();
	mpool_site_get(pool->site, &info);
	mpool_out(out, "%-24s %-6s %-16s %8s %8zu %8zu %7lu %7lu %6s %10llu %10llu %6llu %7s%s\n",
		  pool->nth ? name : pool->name, pool->ops->kind_name,
		  *info.module ? info.module : "-", objsize, count.live,
		  count.capacity, pages, atomic_long_read(&pool->peak),
		  waste_text(pages, count.live_bytes, waste, sizeof(waste)),
		  count.allocs, count.frees,
		  mpool_stat_read(&pool->stats, MPOOL_STAT_FAIL),
		  age_text(pool->born, age, sizeof(age)),
		  pool->orphan ? " orphan" : "");
	rcu_read_unlock();
}

/* The file pools: one line for each pool. */
void mpool_show_pools(struct mpool_out *out)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;

	mpool_out(out, "%-24s %-6s %-16s %8s %8s %8s %7s %7s %6s %10s %10s %6s %7s\n",
		  "name", "kind", "owner", "size", "live", "capacity", "pages",
		  "peak", "waste%", "allocs", "frees", "fails", "age");
	list_for_each_entry(pool, pools, list)
		show_pool(out, pool);
	mpool_registry_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(mpool_show_pools);

static void line(struct mpool_out *out, const char *name, u64 value)
{
	mpool_out(out, "%-20s %llu\n", name, value);
}

static void show_fixed(struct mpool_out *out, struct mpool_fixed *fixed)
{
	u64 shrunk;

	line(out, "object size", fixed->size);
	line(out, "object stride", fixed->chunks.size);
	line(out, "chunk pages", fixed->chunks.npages);
	line(out, "chunk objects", fixed->chunks.nr);
	/*
	 * Chunks may have fewer pages and objects.  MPOOL_STAT_SHRINK is read first:
	 * each chunk that it counts was counted by MPOOL_STAT_GROW before.
	 */
	shrunk = mpool_stat_read(&fixed->base.stats, MPOOL_STAT_SHRINK);
	line(out, "chunks", mpool_stat_read(&fixed->base.stats,
					    MPOOL_STAT_GROW) - shrunk);
	line(out, "free in chunks", mpool_hint(fixed->chunks.nr_free));
	line(out, "magazine objects", fixed->mags.cap);
	line(out, "reserve", mpool_reserve_target(&fixed->reserve));
	line(out, "reserve filled", mpool_reserve_objects(&fixed->reserve));
	if (fixed->chunks.max_objects)
		line(out, "max objects", fixed->chunks.max_objects);
}

static void show_small(struct mpool_out *out, struct mpool_small *small)
{
	struct mpool_count count;
	struct mpool_fixed *fixed;
	unsigned long target = 0, filled = 0;
	unsigned int i;

	mpool_small_for_each(small, i, fixed) {
		if (!fixed->reserved)
			continue;
		target += mpool_reserve_target(fixed->reserved);
		filled += mpool_reserve_objects(fixed->reserved);
	}
	line(out, "reserve", target);
	line(out, "reserve filled", filled);
	mpool_out(out, "%-20s %10s %10s %10s\n", "class", "live", "capacity",
		  "allocs");
	mpool_small_for_each(small, i, fixed) {
		mpool_fixed_count(fixed, &count);
		if (count.allocs)
			mpool_out(out, "%-20zu %10zu %10zu %10llu\n",
				  mpool_small_class_size(i), count.live,
				  count.capacity, count.allocs);
	}
}

static void show_limit(struct mpool_out *out, const struct mpool_limit *limit)
{
	if (!limit)
		return;
	if (limit->args.max_pages) {
		line(out, "max pages", limit->args.max_pages);
		line(out, "refused by max", atomic_long_read(&limit->refused));
	}
	if (limit->args.soft_pages) {
		line(out, "soft pages", limit->args.soft_pages);
		line(out, "times above soft", atomic_long_read(&limit->softs));
	}
	if (limit->args.low_pages) {
		line(out, "low pages", limit->args.low_pages);
		line(out, "times below low", atomic_long_read(&limit->lows));
	}
}

static void show_large(struct mpool_out *out, struct mpool_large *large)
{
	struct mpool_large_room room;

	mpool_large_room(large, &room);
	mpool_out(out, "%-20s %s\n", "memory from", large->source->what);
	line(out, "pages held", room.pages);
	line(out, "pages free", room.free);
	line(out, "largest free run", room.largest);
	line(out, "pages in chunks", READ_ONCE(large->nr_chunk_pages));
	line(out, "spare arenas", mpool_hint(large->nr_spares));
	line(out, "pools served", atomic_read(&large->base.users));
	line(out, "freed by the kernel", atomic_long_read(&large->refs.dropped));
	line(out, "pages left to others", atomic_long_read(&large->refs.held));
	line(out, "pages lost", atomic_long_read(&large->refs.lost));
	show_limit(out, large->limit);
}

static void show_holders(struct mpool_out *out, struct mpool_pool *pool)
{
	bool is_large = pool->ops->kind == MPOOL_KIND_LARGE;
	struct mpool_shortage *s = &to_large(is_large ? pool : pool->below)->shortage;
	unsigned int i;

	mutex_lock(&mpool_shortage_mutex);
	for (i = 0; i < MPOOL_HOLDERS && s->top[i].pages; i++) {
		mpool_out(out, "%-20s ", i ? "" : "held then");
		mpool_findings_holder(out, &s->top[i]);
	}
	mutex_unlock(&mpool_shortage_mutex);
}

/* The reason of the last failure, if it was not a lack of memory. */
static const char *fail_text(const struct mpool_failure *fail, char *buf, size_t size)
{
	int err = READ_ONCE(fail->ctor);
	unsigned int max = READ_ONCE(fail->max);

	if (err)
		scnprintf(buf, size, ": the constructor returned %d", err);
	else if (max)
		scnprintf(buf, size, ": max_objects is %u, %u are live", max, max);
	else
		return "";
	return buf;
}

static void show_fail(struct mpool_out *out, struct mpool_pool *pool)
{
	char age[16], why[48];
	gfp_t gfp = pool->fail.gfp;

	if (!READ_ONCE(pool->fail.when))
		return;
	mpool_out(out, "%-20s %zu bytes, %pGg, at ", "last failure", pool->fail.size, &gfp);
	mpool_out_site(out, pool->fail.site);
	mpool_out(out, ", %s ago%s\n", age_text(pool->fail.when, age, sizeof(age)),
		  fail_text(&pool->fail, why, sizeof(why)));
	if (READ_ONCE(pool->fail.ctor) || READ_ONCE(pool->fail.max))
		return;
	line(out, "pages free then", pool->fail.free);
	line(out, "largest run then", pool->fail.largest);
	if (pool->fail.cached)
		line(out, "in CPU caches then", pool->fail.cached);
	show_holders(out, pool);
}

/* The file stats of a pool: one figure on each line. */
void mpool_show_stats(struct mpool_out *out, struct mpool_pool *pool)
{
	struct mpool_count count;
	enum mpool_stat item;
	char age[16];

	pool->ops->count(pool, &count);
	mpool_out(out, "%-20s %s\n", "kind", pool->ops->kind_name);
	mpool_out(out, "%-20s ", "created at");
	mpool_out_site(out, pool->site);
	mpool_out(out, "\n%-20s %s\n", "age", age_text(pool->born, age, sizeof(age)));
	mpool_out(out, "%-20s %s\n", "on leak",
		  mpool_policies[mpool_pool_policy(pool)].name);
	line(out, "live", count.live);
	line(out, "live bytes", count.live_bytes);
	line(out, "pages", atomic_long_read(&pool->pages));
	line(out, "peak pages", atomic_long_read(&pool->peak));
	line(out, "allocs", count.allocs);
	line(out, "frees", count.frees);
	for (item = MPOOL_STAT_FAIL; item < MPOOL_NR_STATS; item++)
		line(out, mpool_stat_name(item),
		     mpool_stat_read(&pool->stats, item));
	show_fail(out, pool);
	if (pool->ops->kind == MPOOL_KIND_FIXED)
		show_fixed(out, to_fixed(pool));
	else if (pool->ops->kind == MPOOL_KIND_LARGE)
		show_large(out, to_large(pool));
	else
		show_small(out, to_small(pool));
}
EXPORT_SYMBOL_IF_KUNIT(mpool_show_stats);

/* The file sites of a pool: live objects by call site, the biggest sum first. */
void mpool_show_sites(struct mpool_out *out, struct mpool_pool *pool)
{
	struct mpool_sums sums = { 0 };
	size_t i;

	mpool_sums_add(&sums, pool);
	mpool_sums_sort(&sums);
	mpool_out(out, "%10s %12s  %s\n", "objects", "bytes", "site");
	for (i = 0; i < sums.n; i++) {
		mpool_out(out, "%10zu %12zu  ", sums.rows[i].count, sums.rows[i].bytes);
		mpool_out_site(out, sums.rows[i].site);
		mpool_out(out, "\n");
	}
	mpool_sums_free(&sums);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_show_sites);

static int snap_visit(const struct mpool_obj *obj, void *arg)
{
	struct mpool_snap *snap = arg;

	if (snap->n == snap->size)
		return 1;
	snap->objs[snap->n++] = *obj;
	return 0;
}

/* The live objects of a pool at this moment; NULL without memory. */
struct mpool_snap *mpool_snap(struct mpool_pool *pool)
{
	struct mpool_count count;
	struct mpool_snap *snap;
	size_t size;

	pool->ops->count(pool, &count);
	/* Room for some more objects: other CPUs allocate meanwhile. */
	size = count.live + count.live / 8 + 64;
	snap = kvmalloc(struct_size(snap, objs, size), GFP_KERNEL);
	if (!snap)
		return NULL;
	snap->pool = pool;
	snap->n = 0;
	snap->size = size;
	pool->ops->walk(pool, snap_visit, snap);
	return snap;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_snap);

/* The reference count of a string and its first characters, if it still is a string. */
static void show_string(struct mpool_out *out, struct mpool_pool *pool,
			const void *addr)
{
	char text[MPOOL_STRING_PEEK];
	int refs, len;

	refs = mpool_string_peek(pool, addr, text);
	if (refs <= 0)
		return;
	len = strlen(text);
	mpool_out(out, "  refs=%d \"%*pE\"%s", refs,
		  min(len, MPOOL_STRING_SHOWN), text,
		  len > MPOOL_STRING_SHOWN ? "..." : "");
}

/* One line of the file objects. */
void mpool_show_object(struct mpool_out *out, struct mpool_pool *pool,
		       const struct mpool_obj *obj)
{
	mpool_out(out, "%p %8zu  ", obj->addr, obj->size);
	mpool_out_site(out, obj->site);
	if (pool->ops->kind == MPOOL_KIND_STRING)
		show_string(out, pool, obj->addr);
	mpool_out(out, "\n");
}
EXPORT_SYMBOL_IF_KUNIT(mpool_show_object);
