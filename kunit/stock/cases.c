// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has to work in every context: taking and giving back, the reserve with
 * no memory left, wrong frees, and questions about addresses; then objects that
 * change the CPU, and CPUs that go.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "stock.h"

#define ROUNDS		50
#define RESERVE		32
#define REGION_PAGES	64
#define MOST		2048

/* --- take and give back, anywhere --- */

struct use {
	struct mpool_fixed *fixed;	/* with a reserve */
	struct mpool_small *small;
	struct mpool_large *large;	/* with a run of each of run_pages cached */
	enum place place;
	unsigned int misses;
};

static const size_t use_sizes[] = { 8, 100, 2000, 9000 };
static const size_t run_pages[] = { 1, 2, 5, 17, 32 };

static void use_one(struct stock *t, struct use *use, void *p, size_t size)
{
	if (!p) {
		use->misses++;
		return;
	}
	CHECK(t, mpool_owns(p));
	CHECK(t, mpool_usable_size(p) >= size);
	memset(p, 0x3c, size);
	mpool_free(p);
	CHECK(t, !mpool_owns(p));
}

/* What was given back last is there for who asks next, wherever that is. */
static void use_runs(struct stock *t, struct use *use, gfp_t gfp)
{
	void *p[ARRAY_SIZE(run_pages)];
	size_t size, real;
	int i;

	for (i = 0; i < ARRAY_SIZE(run_pages); i++) {
		size = run_pages[i] * PAGE_SIZE - 7;
		p[i] = mpool_large_alloc(use->large, size, &real, gfp);
		if (CHECK(t, p[i]) && CHECK(t, real == size + 7))
			memset(p[i], i, real);
	}
	for (i = 0; i < ARRAY_SIZE(run_pages); i++) {
		if (!p[i])
			continue;
		size = run_pages[i] * PAGE_SIZE;
		CHECK(t, !memchr_inv(p[i], i, size));
		CHECK(t, mpool_large_owns(use->large, p[i]));
		mpool_large_free(use->large, p[i]);
		CHECK(t, !mpool_large_owns(use->large, p[i]));
	}
}

static void use_fn(struct stock *t, void *arg)
{
	struct use *use = arg;
	gfp_t gfp = place_gfp(use->place);
	void *objs[4];
	int i;

	CHECK(t, (use->place == PLACE_NMI) == !!in_nmi());
	for (i = 0; i < 4; i++) {
		objs[i] = mpool_fixed_alloc(use->fixed, gfp);
		if (CHECK(t, objs[i]))
			memset(objs[i], 0xc3, 200);
	}
	for (i = 0; i < 4; i++) {
		CHECK(t, !objs[i] || mpool_fixed_owns(use->fixed, objs[i]));
		mpool_fixed_free(use->fixed, objs[i]);
	}
	use_runs(t, use, gfp);
	for (i = 0; i < ARRAY_SIZE(use_sizes); i++) {
		use_one(t, use, mpool_small_alloc(use->small, use_sizes[i],
						  gfp), use_sizes[i]);
		use_one(t, use, mpool_malloc(use_sizes[i], gfp), use_sizes[i]);
	}
}

static void every_context(struct stock *t)
{
	struct mpool_fixed_args args = { .reserve = RESERVE };
	void *most, *pin = NULL;
	struct use use = { };
	int round;

	use.fixed = mpool_fixed_create("stock-fixed", 200, &args);
	use.small = mpool_small_create("stock-small", NULL);
	use.large = mpool_large_create("stock-large", NULL);
	if (!CHECK(t, !IS_ERR(use.fixed) && !IS_ERR(use.small) &&
		   !IS_ERR(use.large)))
		goto out;
	/* All of them in one arena, which a run that stays pins. */
	most = mpool_large_alloc(use.large, 63 * PAGE_SIZE, NULL, GFP_KERNEL);
	pin = mpool_large_alloc(use.large, PAGE_SIZE, NULL, GFP_KERNEL);
	mpool_large_free(use.large, most);
	use_runs(t, &use, GFP_KERNEL);
	for (use.place = 0; use.place < NR_PLACES; use.place++) {
		use.misses = 0;
		for (round = 0; round < ROUNDS; round++)
			CHECK(t, place_run(t, use.place, use_fn, &use));
		/* Where nothing can be got, what there is has to do. */
		CHECK(t, place_may_grow(use.place) ? !use.misses :
		      use.misses < ROUNDS * 2 * ARRAY_SIZE(use_sizes));
	}
	CHECK(t, !mpool_fixed_live(use.fixed));
	mpool_large_free(use.large, pin);
out:
	CHECK(t, !mpool_fixed_destroy(use.fixed));
	CHECK(t, !mpool_small_destroy(use.small));
	CHECK(t, !mpool_large_destroy(use.large));
}

/* --- the reserve --- */

struct dry {
	struct mpool_large *region;
	struct mpool_fixed *pool;
	void *base;
	void **objs;
	unsigned int n, total;
	void *taken[RESERVE + 1];
	gfp_t gfp;
};

static void dry_end(struct stock *t, struct dry *dry)
{
	CHECK(t, !mpool_fixed_destroy(dry->pool));
	CHECK(t, !mpool_large_destroy(dry->region));
	vfree(dry->base);
	kvfree(dry->objs);
}

static bool dry_create(struct stock *t, struct dry *dry, unsigned int reserve)
{
	struct mpool_fixed_args args = { .reserve = reserve };

	*dry = (struct dry){
		.base = vmalloc(REGION_PAGES * PAGE_SIZE),
		.objs = kvcalloc(MOST, sizeof(void *), GFP_KERNEL),
	};
	if (CHECK(t, dry->base && dry->objs))
		dry->region = mpool_large_create_region("stock-region",
							dry->base,
							REGION_PAGES *
							PAGE_SIZE, NULL);
	if (CHECK(t, !IS_ERR_OR_NULL(dry->region))) {
		args.large = dry->region;
		dry->pool = mpool_fixed_create("stock-dry", 256, &args);
	}
	if (CHECK(t, !IS_ERR_OR_NULL(dry->pool)))
		return true;
	dry_end(t, dry);
	return false;
}

static unsigned int take_all(struct dry *dry, unsigned int most)
{
	while (dry->n < most) {
		dry->objs[dry->n] = mpool_fixed_alloc(dry->pool, GFP_KERNEL);
		if (!dry->objs[dry->n])
			break;
		dry->n++;
	}
	return dry->n;
}

static void give_all(struct dry *dry)
{
	mpool_fixed_free_bulk(dry->pool, dry->n, dry->objs);
	dry->n = 0;
}

static void reserve_fn(struct stock *t, void *arg)
{
	struct dry *dry = arg;
	int i;

	for (i = 0; i <= RESERVE; i++) {
		dry->taken[i] = mpool_fixed_alloc(dry->pool, dry->gfp);
		if (dry->taken[i])
			memset(dry->taken[i], i, 256);
	}
	for (i = 0; i < RESERVE; i++)
		if (CHECK(t, dry->taken[i]))
			CHECK(t, !memchr_inv(dry->taken[i], i, 256));
	CHECK(t, !dry->taken[RESERVE]);
	for (i = 0; i <= RESERVE; i++)
		mpool_fixed_free(dry->pool, dry->taken[i]);
}

static void reserve_everywhere(struct stock *t)
{
	enum place place;
	struct dry dry;
	int round;

	if (!dry_create(t, &dry, RESERVE))
		return;
	/* All there is, and then that but for the reserve. */
	dry.total = take_all(&dry, MOST);
	CHECK(t, dry.total > RESERVE && dry.total < MOST);
	give_all(&dry);
	take_all(&dry, dry.total - RESERVE);
	CHECK(t, dry.n == dry.total - RESERVE);
	for (place = 0; place < NR_PLACES; place++) {
		dry.gfp = place == PLACE_TASK ? GFP_KERNEL | __GFP_NOWARN :
						GFP_ATOMIC;
		for (round = 0; round < ROUNDS; round++)
			CHECK(t, place_run(t, place, reserve_fn, &dry));
	}
	CHECK(t, mpool_fixed_live(dry.pool) == dry.n);
	give_all(&dry);
	CHECK(t, !mpool_fixed_live(dry.pool));
	dry_end(t, &dry);
}

/* --- wrong frees --- */

static u8 a_variable[16];

struct wrong {
	struct mpool_fixed *fixed;
	struct mpool_large *region;
	u8 *obj, *freed, *slab, *little, *run;
	const char *s;
	u8 *area;
};

static void wrong_values(struct stock *t, struct wrong *w)
{
	u8 stack[16] = { 0 };
	void *values[] = {
		w->freed, w->obj + 1, w->obj + 8, w->obj + 511, w->slab,
		w->slab + 8, w->area, stack, w->run + PAGE_SIZE, w->run + 3,
		(void *)w->s, (void *)(w->s + 1), a_variable,
		(void *)wrong_values, (void *)vfree, (void *)0x400000,
		(void *)0xdead000000000122, (void *)0xffff888000000001,
		(void *)-1ul, ERR_PTR(-ENOMEM),
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		mpool_free(values[i]);
		mpool_fixed_free(w->fixed, values[i]);
		mpool_large_free(w->region, values[i]);
		mpool_small_free(mpool_global(), values[i]);
		CHECK(t, !mpool_owns(values[i]));
	}
}

static void wrong_fn(struct stock *t, void *arg)
{
	struct wrong *w = arg;

	wrong_values(t, w);
	/* Of another pool. */
	mpool_fixed_free(w->fixed, w->little);
	mpool_large_free(w->region, w->obj);
	mpool_small_free(mpool_global(), w->obj);
	CHECK(t, mpool_fixed_owns(w->fixed, w->obj));
	CHECK(t, mpool_large_owns(w->region, w->run));
	CHECK(t, mpool_owns(w->little));
	CHECK(t, mpool_fixed_live(w->fixed) == 1);
	CHECK(t, !memchr_inv(w->obj, 0x77, 512));
	CHECK(t, !strcmp(w->s, "bystander"));
}

static void wrong_frees_everywhere(struct stock *t)
{
	struct mpool_string *strings = NULL;
	struct wrong w = { };
	enum place place;
	struct dry dry;

	if (!dry_create(t, &dry, 0))
		return;
	strings = mpool_string_create("stock-string", NULL);
	w.fixed = dry.pool;
	w.region = dry.region;
	w.obj = mpool_fixed_alloc(w.fixed, GFP_KERNEL);
	w.freed = mpool_fixed_alloc(w.fixed, GFP_KERNEL);
	w.run = mpool_large_alloc(w.region, 3 * PAGE_SIZE, NULL, GFP_KERNEL);
	w.little = mpool_malloc(512, GFP_KERNEL);
	w.slab = kmalloc(512, GFP_KERNEL);
	w.area = vmalloc(PAGE_SIZE);
	w.s = mpool_string_get(strings, "bystander", GFP_KERNEL);
	mpool_fixed_free(w.fixed, w.freed);
	if (CHECK(t, w.obj && w.freed && w.run && w.little && w.slab &&
		  w.area && w.s)) {
		memset(w.obj, 0x77, 512);
		for (place = 0; place < NR_PLACES; place++)
			CHECK(t, place_run(t, place, wrong_fn, &w));
	}
	mpool_string_put(strings, w.s);
	CHECK(t, !mpool_string_destroy(strings));
	vfree(w.area);
	kfree(w.slab);
	mpool_free(w.little);
	mpool_large_free(w.region, w.run);
	mpool_fixed_free(w.fixed, w.obj);
	dry_end(t, &dry);
}

/* --- questions --- */

static void whatis_fn(struct stock *t, void *arg)
{
	struct wrong *w = arg;
	struct mpool_whatis what;
	u64 any = 88172645463325252ull;
	int i;

	CHECK(t, mpool_whatis(w->obj + 5, &what));
	CHECK(t, what.base == w->obj && what.offset == 5);
	CHECK(t, !strcmp(what.pool, "stock-what"));
	CHECK(t, !strncmp(what.site, "cases.c:", 8));
	CHECK(t, strstr(what.site, " whatis_everywhere [mpool_stock_test]"));
	CHECK(t, !mpool_whatis(w->freed, &what));
	CHECK(t, what.area == MPOOL_AREA_FREE);
	CHECK(t, !mpool_whatis(w->slab, &what));
	CHECK(t, what.area == MPOOL_AREA_SLAB);
	CHECK(t, !mpool_whatis((void *)whatis_fn, &what));
	CHECK(t, what.area == MPOOL_AREA_TEXT);
	CHECK(t, !mpool_whatis(w->area, &what));
	CHECK(t, what.area == MPOOL_AREA_VMALLOC);
	CHECK(t, !mpool_whatis(NULL, &what));
	CHECK(t, !mpool_whatis((void *)0x400000, &what));
	CHECK(t, what.area == MPOOL_AREA_USER);
	for (i = 0; i < 500; i++) {
		any ^= any << 13;
		any ^= any >> 7;
		any ^= any << 17;
		CHECK(t, !mpool_owns((void *)any));
		CHECK(t, !mpool_whatis((void *)any, &what));
	}
}

static void whatis_everywhere(struct stock *t)
{
	struct wrong w = { };
	enum place place;

	w.fixed = mpool_fixed_create("stock-what", 500, NULL);
	w.obj = mpool_fixed_alloc(w.fixed, GFP_KERNEL);
	w.freed = mpool_fixed_alloc(w.fixed, GFP_KERNEL);
	w.slab = kmalloc(512, GFP_KERNEL);
	w.area = vmalloc(PAGE_SIZE);
	mpool_fixed_free(w.fixed, w.freed);
	if (CHECK(t, w.obj && w.freed && w.slab && w.area))
		for (place = 0; place < NR_PLACES; place++)
			CHECK(t, place_run(t, place, whatis_fn, &w));
	vfree(w.area);
	kfree(w.slab);
	mpool_fixed_free(w.fixed, w.obj);
	CHECK(t, !mpool_fixed_destroy(w.fixed));
}

/* --- other CPUs --- */

static long take_all_work(void *arg)
{
	return take_all(arg, MOST);
}

static long give_all_work(void *arg)
{
	give_all(arg);
	return 0;
}

static unsigned int other_cpu(void)
{
	return cpumask_last(cpu_online_mask);
}

static void freed_on_another_cpu(struct stock *t)
{
	struct dry dry;
	int round;

	if (!dry_create(t, &dry, 0))
		return;
	dry.total = work_on_cpu(0, take_all_work, &dry);
	for (round = 0; round < ROUNDS; round++) {
		work_on_cpu(round % 2 ? 0 : other_cpu(), give_all_work, &dry);
		CHECK(t, !mpool_fixed_live(dry.pool));
		CHECK(t, work_on_cpu(round % 2 ? other_cpu() : 0,
				     take_all_work, &dry) == dry.total);
	}
	give_all(&dry);
	dry_end(t, &dry);
}

static void give_all_nmi(struct stock *t, void *arg)
{
	CHECK(t, in_nmi());
	give_all(arg);
}

static void freed_in_an_nmi_elsewhere(struct stock *t)
{
	struct dry dry;
	int round;

	if (!dry_create(t, &dry, 0))
		return;
	dry.total = take_all(&dry, MOST);
	for (round = 0; round < ROUNDS; round++) {
		CHECK(t, place_nmi_on(t, other_cpu(), give_all_nmi, &dry));
		CHECK(t, !mpool_fixed_live(dry.pool));
		/* What the NMI could not put back at once is waited for. */
		CHECK(t, take_all(&dry, MOST) == dry.total);
	}
	give_all(&dry);
	dry_end(t, &dry);
}

#ifdef CONFIG_HOTPLUG_CPU
static void cpu_goes_with_objects(struct stock *t)
{
	unsigned int cpu = other_cpu();
	struct dry dry;
	int round;

	if (!cpu) {
		t->skip = "one CPU";
		return;
	}
	if (!dry_create(t, &dry, 0))
		return;
	dry.total = take_all(&dry, MOST);
	for (round = 0; round < 5; round++) {
		work_on_cpu(cpu, give_all_work, &dry);
		if (remove_cpu(cpu)) {
			t->skip = "the CPU does not go";
			break;
		}
		CHECK(t, take_all(&dry, MOST) == dry.total);
		CHECK(t, !add_cpu(cpu));
		CHECK(t, mpool_fixed_live(dry.pool) == dry.total);
	}
	give_all(&dry);
	dry_end(t, &dry);
}
#else
static void cpu_goes_with_objects(struct stock *t)
{
	t->skip = "the kernel has no CONFIG_HOTPLUG_CPU";
}
#endif

/* --- a burst of all sizes --- */

#define BURST	256

struct burst {
	struct mpool_small *pool;
	enum place place;
	size_t most;
	unsigned int n;
	void *objs[BURST];
};

static void burst_fn(struct stock *t, void *arg)
{
	gfp_t gfp = place_gfp(((struct burst *)arg)->place);
	unsigned int i, got = 0, cut = 0;
	struct burst *burst = arg;
	size_t size;

	for (i = 0; i < burst->n; i++) {
		size = 1 + (i + 1) * 7919u % burst->most;
		burst->objs[i] = mpool_small_alloc(burst->pool, size, gfp);
		got += !!burst->objs[i];
		cut += mpool_usable_size(burst->objs[i]) < size;
	}
	CHECK(t, got == burst->n);
	CHECK(t, !cut);
	for (i = 0; i < burst->n; i++)
		mpool_small_free(burst->pool, burst->objs[i]);
}

/* What was set aside is there, whatever sizes it is for, in a pool without classes. */
static void burst_everywhere(struct stock *t)
{
	struct burst *burst = kzalloc(sizeof(*burst), GFP_KERNEL);

	if (!CHECK(t, burst))
		return;
	burst->n = BURST;
	burst->most = 16384;
	for (burst->place = 0; burst->place < NR_PLACES; burst->place++) {
		burst->pool = mpool_small_create("stock-burst", NULL);
		if (!CHECK(t, !IS_ERR(burst->pool)))
			break;
		CHECK(t, !mpool_small_reserve(burst->pool, burst->most, BURST,
					      GFP_KERNEL));
		CHECK(t, place_run(t, burst->place, burst_fn, burst));
		CHECK(t, !mpool_small_destroy(burst->pool));
	}
	burst->pool = mpool_global();
	burst->n = 50;
	burst->most = 3000;
	burst->place = PLACE_NMI;
	CHECK(t, !mpool_small_reserve(burst->pool, burst->most, burst->n,
				      GFP_KERNEL));
	CHECK(t, place_run(t, PLACE_NMI, burst_fn, burst));
	CHECK(t, !mpool_small_reserve(burst->pool, burst->most, 0, GFP_KERNEL));
	kfree(burst);
}

const struct stock_case stock_cases[] = {
	{ "every_context", every_context },
	{ "reserve_everywhere", reserve_everywhere },
	{ "burst_everywhere", burst_everywhere },
	{ "wrong_frees_everywhere", wrong_frees_everywhere },
	{ "whatis_everywhere", whatis_everywhere },
	{ "freed_on_another_cpu", freed_on_another_cpu },
	{ "freed_in_an_nmi_elsewhere", freed_in_an_nmi_elsewhere },
	{ "cpu_goes_with_objects", cpu_goes_with_objects },
	{ "pool_ends_as_its_cpu_goes", stock_cpu_ends },
	{ "killed_stays_dead", stock_tune },
	{ "runs_change_hands", stock_runs },
	{ "reclaim_meets_runs", stock_reclaim },
	{ "runs_of_nodes", stock_nodes },
	{ "pools_of_nodes", stock_node_pools },
	{ "references_of_others", stock_refs },
	{ "mapped_pages", stock_mapped },
	{ "pinned_pages", stock_pinned },
	{ "resized_is_in_use", stock_resize },
	{ "storm", stock_storm },
	{ "nothing_lost_twice_or_torn", stock_exchange },
	{ "pair64_interrupted", stock_pairs },
	{ "reentered_at_each_instruction", stock_reentry },
	{ "locks_of_a_driver", stock_nest },
	{ "protected_region", stock_untouched },
};

const unsigned int nr_stock_cases = ARRAY_SIZE(stock_cases);
