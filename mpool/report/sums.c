// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums: the live objects of pools, counted by call site and pool, biggest first.
 *
 * Structure: a growing array with a row for each pair of site and pool.  Orphans of one
 * name share the rows of their name.  An object without a row, for lack of memory, is in
 * the totals only.
 *
 * Invariant: the totals are at least the sums of the rows.
 *
 * Locking: none of its own.  The caller of mpool_sums_add() holds the registry or a pin of
 * the pool, and frees the sums before it lets go: the rows point to the pools.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "refs.h"
#include "site.h"
#include "small.h"
#include "sums.h"

/* Pools of one name, most of them orphans, share their rows. */
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

/*
 * Does an object belong to the module of the sums?  Objects of a site without a number
 * count as those of the module that made the pool.
 */
static bool sums_wanted(const struct mpool_sums *sums,
			const struct mpool_pool *pool, u32 site)
{
	return !sums->mod || mpool_site_of_module(site, sums->mod) ||
	       (site == MPOOL_SITE_UNKNOWN && pool->module == sums->mod);
}

/*
 * Examines the memory of an object.  True if its size is the size of a class, and not the
 * size of the request.  Counts the page if a function of the kernel dropped a reference to
 * it, as kfree() of the object does.  A page is examined once, because a walk meets the
 * objects of a page one after another.
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
		sums->frees |= BIT(pool->global ? MPOOL_FREE_GLOBAL : pool->ops->kind);
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
		/* The caller retires the sites of the rows; this site has no row. */
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

/* Adds the live objects of a pool. */
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
