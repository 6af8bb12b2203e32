// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of one size, through every allocator that has them.
 *
 * Each allocator is a pair of inline functions, NAME_alloc() and NAME_free();
 * BENCH_OBJECTS() makes the functions of all workloads of them.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/genalloc.h>
#include <linux/log2.h>
#include <linux/mempool.h>
#include <linux/percpu.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "objects.h"

#if BENCH_HAVE_OBJPOOL
#include <linux/objpool.h>
#endif

/* Objects that pools which do not grow have. */
#define POOL_OBJECTS	8192

static struct mpool_fixed *fixed;
static struct kmem_cache *cache;
static mempool_t *mempool;

/* --- nothing, and mpool --- */

static __always_inline void *empty_alloc(gfp_t gfp)
{
	return bench_nothing(&cache);
}

static __always_inline void empty_free(void *p)
{
	bench_nothing(p);
}

static __always_inline void *fixed_alloc(gfp_t gfp)
{
	return mpool_fixed_alloc(fixed, gfp);
}

static __always_inline void fixed_free(void *p)
{
	mpool_fixed_free(fixed, p);
}

/*
 * --- the floor: what any cache of a CPU costs that is a function to call ---
 *
 * An array and a number of objects, preemption off, and nothing else: it looks
 * at no flag, does not grow, knows nobody and believes every free.
 */

struct floor {
	u32 n;
	void *objs[POOL_OBJECTS];
};

static struct floor *floor_all;
static DEFINE_PER_CPU(struct floor *, floor_here);

static noinline void *floor_take(gfp_t gfp)
{
	struct floor *floor;
	void *p = NULL;

	preempt_disable();
	floor = __this_cpu_read(floor_here);
	if (likely(floor->n))
		p = floor->objs[--floor->n];
	preempt_enable();
	return p;
}

static noinline void floor_give(void *p)
{
	struct floor *floor;

	preempt_disable();
	floor = __this_cpu_read(floor_here);
	if (likely(floor->n < POOL_OBJECTS))
		floor->objs[floor->n++] = p;
	preempt_enable();
}

static void floor_teardown(void)
{
	vfree(floor_all);
	floor_all = NULL;
}

static int floor_setup(void)
{
	u32 i;
	int cpu;

	floor_all = vzalloc(array_size(nr_cpu_ids, sizeof(*floor_all)));
	if (!floor_all)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct floor *floor = &floor_all[cpu];

		for (i = 0; i < POOL_OBJECTS; i++)
			floor->objs[i] = &floor->objs[i];
		floor->n = POOL_OBJECTS;
		per_cpu(floor_here, cpu) = floor;
	}
	return 0;
}

/* --- slab and what is above it --- */

static __always_inline void *cache_alloc(gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

static __always_inline void cache_free(void *p)
{
	kmem_cache_free(cache, p);
}

static __always_inline void *kmalloc_alloc(gfp_t gfp)
{
	return kmalloc(64, gfp);
}

static __always_inline void kmalloc_free(void *p)
{
	kfree(p);
}

static __always_inline void *kmalloc256_alloc(gfp_t gfp)
{
	return kmalloc(256, gfp);
}

static __always_inline void kmalloc256_free(void *p)
{
	kfree(p);
}

static __always_inline void *mempool_take(gfp_t gfp)
{
	return mempool_alloc(mempool, gfp);
}

static __always_inline void mempool_give(void *p)
{
	mempool_free(p, mempool);
}

BENCH_OBJECTS(empty, empty_alloc, empty_free)
BENCH_OBJECTS(floor, floor_take, floor_give)
BENCH_OBJECTS(mpool, fixed_alloc, fixed_free)
BENCH_OBJECTS(kmem_cache, cache_alloc, cache_free)
BENCH_OBJECTS(kmalloc, kmalloc_alloc, kmalloc_free)
BENCH_OBJECTS(mempool, mempool_take, mempool_give)
BENCH_PAIR(kmalloc256, kmalloc256_alloc, kmalloc256_free)

/* --- constructors and destructors; with kmem_cache the caller calls them --- */

static noinline int object_ctor(void *obj, void *priv)
{
	*(u64 *)obj = (unsigned long)priv;
	return 0;
}

static noinline void object_dtor(void *obj, void *priv)
{
	*(u64 *)obj = 0;
}

const struct mpool_fixed_args bench_args_nocache = { .flags = MPOOL_FIXED_NO_CACHE };
const struct mpool_fixed_args bench_args_max = { .max_objects = POOL_OBJECTS };
const struct mpool_fixed_args bench_args_ctor = { .ctor = object_ctor };
const struct mpool_fixed_args bench_args_dtor = { .dtor = object_dtor };

static __always_inline void *cache_alloc_ctor(gfp_t gfp)
{
	void *p = kmem_cache_alloc(cache, gfp);

	if (likely(p) && unlikely(object_ctor(p, NULL))) {
		kmem_cache_free(cache, p);
		return NULL;
	}
	return p;
}

static __always_inline void cache_free_dtor(void *p)
{
	object_dtor(p, NULL);
	kmem_cache_free(cache, p);
}

BENCH_PAIR(kmem_cache_ctor, cache_alloc_ctor, cache_free)
BENCH_PAIR(kmem_cache_dtor, cache_alloc, cache_free_dtor)

/* --- objpool: since 6.7 --- */

#if BENCH_HAVE_OBJPOOL
static struct objpool_head objpool;
static bool objpool_there;

static __always_inline void *objpool_take(gfp_t gfp)
{
	return objpool_pop(&objpool);
}

static __always_inline void objpool_give(void *p)
{
	objpool_push(p, &objpool);
}

BENCH_OBJECTS(objpool, objpool_take, objpool_give)

static int objpool_object(void *obj, void *context)
{
	return 0;
}

static void objpool_setup(u32 size)
{
	memset(&objpool, 0, sizeof(objpool));
	objpool_there = !objpool_init(&objpool, POOL_OBJECTS, size, GFP_KERNEL,
				      NULL, objpool_object, NULL);
}

static void objpool_teardown(void)
{
	if (objpool_there)
		objpool_fini(&objpool);
	objpool_there = false;
}
#else
#define objpool_there	false

static void objpool_setup(u32 size)
{
}

static void objpool_teardown(void)
{
}
#endif

/* --- gen_pool --- */

#ifdef CONFIG_GENERIC_ALLOCATOR
static struct gen_pool *gen_pool;
static void *gen_memory;
static size_t gen_size;

static __always_inline void *gen_take(gfp_t gfp)
{
	return (void *)gen_pool_alloc(gen_pool, gen_size);
}

static __always_inline void gen_give(void *p)
{
	gen_pool_free(gen_pool, (unsigned long)p, gen_size);
}

BENCH_OBJECTS(gen_pool, gen_take, gen_give)

static void gen_teardown(void)
{
	if (gen_pool)
		gen_pool_destroy(gen_pool);
	gen_pool = NULL;
	vfree(gen_memory);
	gen_memory = NULL;
}

static void gen_setup(u32 size)
{
	gen_size = size;
	gen_memory = vmalloc(POOL_OBJECTS * size);
	gen_pool = gen_pool_create(ilog2(size), NUMA_NO_NODE);
	if (!gen_memory || !gen_pool ||
	    gen_pool_add(gen_pool, (unsigned long)gen_memory,
			 POOL_OBJECTS * size, NUMA_NO_NODE))
		gen_teardown();
}
#else
#define gen_pool	false

static void gen_setup(u32 size)
{
}

static void gen_teardown(void)
{
}
#endif

/* --- dma_pool: a driver has to remember the handle; here the object does --- */

#ifdef CONFIG_HAS_DMA
static struct platform_device *dma_dev;
static struct dma_pool *dma_pool;

static __always_inline void *dma_take(gfp_t gfp)
{
	dma_addr_t handle;
	dma_addr_t *p = dma_pool_alloc(dma_pool, gfp, &handle);

	if (likely(p))
		*p = handle;
	return p;
}

static __always_inline void dma_give(void *p)
{
	dma_pool_free(dma_pool, p, *(dma_addr_t *)p);
}

BENCH_OBJECTS(dma_pool, dma_take, dma_give)

static void dma_teardown(void)
{
	dma_pool_destroy(dma_pool);
	dma_pool = NULL;
	if (dma_dev)
		platform_device_unregister(dma_dev);
	dma_dev = NULL;
}

static void dma_setup(u32 size)
{
	dma_dev = platform_device_register_simple("mpool_bench",
						  PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(dma_dev)) {
		dma_dev = NULL;
		return;
	}
	if (!dma_coerce_mask_and_coherent(&dma_dev->dev, DMA_BIT_MASK(64)))
		dma_pool = dma_pool_create("mpool_bench", &dma_dev->dev, size,
					   size, 0);
}
#else
#define dma_pool	false

static void dma_setup(u32 size)
{
}

static void dma_teardown(void)
{
}
#endif

/* --- all of them --- */

bool bench_objects_has(enum bench_alloc alloc)
{
	switch (alloc) {
	case BENCH_OBJPOOL:
		return objpool_there;
	case BENCH_GEN_POOL:
		return gen_pool;
	case BENCH_DMA_POOL:
		return dma_pool;
	default:
		return true;
	}
}

/* With preemption or interrupts off: the locks of most sleep on PREEMPT_RT. */
bool bench_objects_has_atomic(enum bench_alloc alloc)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && alloc > BENCH_MPOOL &&
	    alloc != BENCH_OBJPOOL && alloc != BENCH_GEN_POOL)
		return false;
	return bench_objects_has(alloc);
}

/*
 * A machine that counts instructions has one CPU.  The floor's objects would all
 * end on the CPU that frees.
 */
bool bench_objects_has_cross(enum bench_alloc alloc)
{
	return num_online_cpus() > 1 && !bench_instructions &&
	       alloc != BENCH_FLOOR &&
	       bench_objects_has(alloc);
}

void bench_objects_teardown(struct bench_ctx *ctx)
{
	dma_teardown();
	gen_teardown();
	objpool_teardown();
	floor_teardown();
	mempool_destroy(mempool);
	mempool = NULL;
	kmem_cache_destroy(cache);
	cache = NULL;
	mpool_fixed_destroy(fixed);
	fixed = NULL;
}

int bench_objects_setup(struct bench_ctx *ctx)
{
	u32 size = ctx->size;

	fixed = mpool_fixed_create("bench", size, ctx->work->args);
	if (IS_ERR(fixed))
		return PTR_ERR(fixed);
	cache = kmem_cache_create("mpool_bench", size, 0, 0, NULL);
	if (cache)
		mempool = mempool_create_slab_pool(16, cache);
	if (!mempool || floor_setup()) {
		bench_objects_teardown(ctx);
		return -ENOMEM;
	}
	/* Where a pool cannot grow, it has to have something. */
	mpool_fixed_free(fixed, mpool_fixed_alloc(fixed, GFP_KERNEL));
	if (ctx->work->fn[BENCH_OBJPOOL])
		objpool_setup(size);
	if (ctx->work->fn[BENCH_GEN_POOL])
		gen_setup(size);
	if (ctx->work->fn[BENCH_DMA_POOL])
		dma_setup(size);
	return 0;
}

/* --- many at once --- */

u64 bench_bulk_empty(struct bench_ctx *ctx)
{
	u64 start = bench_now();
	u32 i;

	for (i = 0; i < ctx->pairs / ctx->depth; i++) {
		void *objs = bench_nothing(ctx->slots);

		if (!objs)
			return BENCH_FAILED;
		bench_nothing(objs);
	}
	return bench_now() - start;
}

u64 bench_bulk_mpool(struct bench_ctx *ctx)
{
	u64 start = bench_now();
	u32 i, n = ctx->depth;

	for (i = 0; i < ctx->pairs / n; i++) {
		if (!mpool_fixed_alloc_bulk(fixed, GFP_KERNEL, n, ctx->slots))
			return BENCH_FAILED;
		mpool_fixed_free_bulk(fixed, n, ctx->slots);
	}
	return bench_now() - start;
}

u64 bench_bulk_kmem_cache(struct bench_ctx *ctx)
{
	u64 start = bench_now();
	u32 i, n = ctx->depth;

	for (i = 0; i < ctx->pairs / n; i++) {
		if (!kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, ctx->slots))
			return BENCH_FAILED;
		kmem_cache_free_bulk(cache, n, ctx->slots);
	}
	return bench_now() - start;
}
