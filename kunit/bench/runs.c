// SPDX-License-Identifier: GPL-2.0-only
/* Runs of pages from the system, of one length. */
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "runs.h"

/* What a gen_pool has, which does not grow. */
#define GEN_RUNS	4

static struct mpool_large *large;

typedef void *(*run_take)(size_t size);
typedef void (*run_give)(void *p, size_t size);

static __always_inline void *empty_take(size_t size)
{
	return bench_nothing(&large);
}

static __always_inline void empty_give(void *p, size_t size)
{
	bench_nothing(p);
}

static __always_inline void *mpool_take(size_t size)
{
	size_t real;

	return mpool_large_alloc(large, size, &real, GFP_KERNEL);
}

static __always_inline void mpool_give(void *p, size_t size)
{
	mpool_large_free(large, p);
}

static __always_inline void *kmalloc_take(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static __always_inline void kmalloc_give(void *p, size_t size)
{
	kfree(p);
}

static __always_inline void *exact_take(size_t size)
{
	return alloc_pages_exact(size, GFP_KERNEL);
}

static __always_inline void exact_give(void *p, size_t size)
{
	free_pages_exact(p, size);
}

static __always_inline void *kvmalloc_take(size_t size)
{
	return kvmalloc(size, GFP_KERNEL);
}

static __always_inline void kvmalloc_give(void *p, size_t size)
{
	kvfree(p);
}

static __always_inline u64 bench_run(struct bench_ctx *ctx, run_take take,
				     run_give give)
{
	size_t size = (size_t)ctx->size << PAGE_SHIFT;
	u64 start = bench_now();
	u32 i, n = ctx->pairs;

	for (i = 0; i < n; i++) {
		void *p = take(size);

		if (unlikely(!p))
			return BENCH_FAILED;
		give(p, size);
	}
	return bench_now() - start;
}

#define BENCH_RUN(name, take, give)					\
u64 bench_run_##name(struct bench_ctx *ctx)				\
{									\
	return bench_run(ctx, take, give);				\
}

BENCH_RUN(empty, empty_take, empty_give)
BENCH_RUN(mpool, mpool_take, mpool_give)
BENCH_RUN(kmalloc, kmalloc_take, kmalloc_give)
BENCH_RUN(alloc_pages_exact, exact_take, exact_give)
BENCH_RUN(kvmalloc, kvmalloc_take, kvmalloc_give)

#ifdef CONFIG_GENERIC_ALLOCATOR
static struct gen_pool *gen_pool;
static void *gen_memory;

static __always_inline void *gen_take(size_t size)
{
	return (void *)gen_pool_alloc(gen_pool, size);
}

static __always_inline void gen_give(void *p, size_t size)
{
	gen_pool_free(gen_pool, (unsigned long)p, size);
}

BENCH_RUN(gen_pool, gen_take, gen_give)

static void gen_teardown(void)
{
	if (gen_pool)
		gen_pool_destroy(gen_pool);
	gen_pool = NULL;
	vfree(gen_memory);
	gen_memory = NULL;
}

static void gen_setup(size_t size)
{
	gen_memory = vmalloc(size);
	gen_pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!gen_memory || !gen_pool ||
	    gen_pool_add(gen_pool, (unsigned long)gen_memory, size,
			 NUMA_NO_NODE))
		gen_teardown();
}
#else
#define gen_pool	false

static void gen_setup(size_t size)
{
}

static void gen_teardown(void)
{
}
#endif

/* What a run of each holds, in pages, as far as its allocator tells. */
void bench_run_after(struct bench_ctx *ctx)
{
	size_t real, size = (size_t)ctx->size << PAGE_SHIFT;
	void *p = mpool_large_alloc(large, size, &real, GFP_KERNEL);

	if (p)
		bench_say(ctx, BENCH_MPOOL,
			  100ull * (real >> PAGE_SHIFT), "pages");
	mpool_large_free(large, p);
	p = kmalloc(size, GFP_KERNEL);
	if (p)
		bench_say(ctx, BENCH_KMALLOC,
			  100ull * (ksize(p) >> PAGE_SHIFT), "pages");
	kfree(p);
}

bool bench_run_has(enum bench_alloc alloc)
{
	return alloc != BENCH_GEN_POOL || gen_pool;
}

void bench_run_teardown(struct bench_ctx *ctx)
{
	gen_teardown();
	mpool_large_destroy(large);
	large = NULL;
}

int bench_run_setup(struct bench_ctx *ctx)
{
	large = mpool_large_create("bench", NULL);
	if (IS_ERR(large))
		return PTR_ERR(large);
	gen_setup((size_t)ctx->size * GEN_RUNS << PAGE_SHIFT);
	return 0;
}
