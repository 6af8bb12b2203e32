// SPDX-License-Identifier: GPL-2.0-only
/* All workloads, and who takes part in each. */
#include "bench.h"
#include "crowd.h"
#include "grid.h"
#include "life.h"
#include "malloc.h"
#include "objects.h"
#include "pools.h"
#include "replay.h"
#include "runs.h"
#include "scale.h"
#include "strings.h"
#include "tails.h"

/* Peers that not every kernel has. */
#define OBJPOOL(fn)	(BENCH_HAVE_OBJPOOL ? (fn) : NULL)
#define GEN_POOL(fn)	(IS_ENABLED(CONFIG_GENERIC_ALLOCATOR) ? (fn) : NULL)
#define DMA_POOL(fn)	(IS_ENABLED(CONFIG_HAS_DMA) ? (fn) : NULL)

#define OBJECTS(loop) {							\
	[BENCH_EMPTY] = bench_##loop##_empty,				\
	[BENCH_FLOOR] = bench_##loop##_floor,				\
	[BENCH_MPOOL] = bench_##loop##_mpool,				\
	[BENCH_KMEM_CACHE] = bench_##loop##_kmem_cache,			\
	[BENCH_KMALLOC] = bench_##loop##_kmalloc,			\
	[BENCH_MEMPOOL] = bench_##loop##_mempool,			\
	[BENCH_OBJPOOL] = OBJPOOL(bench_##loop##_objpool),		\
	[BENCH_GEN_POOL] = GEN_POOL(bench_##loop##_gen_pool),		\
	[BENCH_DMA_POOL] = DMA_POOL(bench_##loop##_dma_pool),		\
}

#define BULK {								\
	[BENCH_EMPTY] = bench_bulk_empty,				\
	[BENCH_MPOOL] = bench_bulk_mpool,				\
	[BENCH_KMEM_CACHE] = bench_bulk_kmem_cache,			\
}

/* One object of 64 bytes out and back, of a pool that is made with arguments. */
#define VARIANT(pool_args, cache)					\
	.size = 64, .pairs = 2000, .scale = 2,				\
	.args = &bench_args_##pool_args,				\
	OBJECT_POOLS,							\
	.fn = {								\
		[BENCH_EMPTY] = bench_pair_empty,			\
		[BENCH_MPOOL] = bench_pair_mpool,			\
		[BENCH_KMEM_CACHE] = bench_pair_##cache,		\
		[BENCH_MEMPOOL] = bench_pair_mempool,			\
	}

#define OBJECT_POOLS							\
	.setup = bench_objects_setup,					\
	.has = bench_objects_has,					\
	.teardown = bench_objects_teardown

#define GRID(loop) {							\
	[BENCH_EMPTY] = bench_##loop##_empty,				\
	[BENCH_MPOOL] = bench_##loop##_mpool,				\
	[BENCH_MPOOL_SMALL] = bench_##loop##_mpool_small,		\
	[BENCH_KMEM_CACHE] = bench_##loop##_kmem_cache,			\
	[BENCH_KMALLOC] = bench_##loop##_kmalloc,			\
}

#define SIZED_POOLS							\
	.setup = bench_pools_setup,					\
	.teardown = bench_pools_teardown

#define CHURN(loop)							\
	.unit = "held/asked",						\
	.setup = bench_life_setup,					\
	.teardown = bench_pools_teardown,				\
	.fn = {								\
		[BENCH_MPOOL_SMALL] = bench_##loop##_mpool_small,	\
		[BENCH_KMALLOC] = bench_##loop##_kmalloc,		\
	}

#define SCALE(loop)							\
	.rounds = 3,							\
	.setup = bench_scale_setup,					\
	.teardown = bench_scale_teardown,				\
	.fn = {								\
		[BENCH_MPOOL] = bench_##loop##_mpool,			\
		[BENCH_MPOOL_SMALL] = bench_##loop##_mpool_small,	\
		[BENCH_MPOOL_LARGE] = bench_##loop##_mpool_large,	\
		[BENCH_MPOOL_STRING] = bench_##loop##_mpool_string,	\
		[BENCH_KMEM_CACHE] = bench_##loop##_kmem_cache,		\
	}

#define CROWD(loop)							\
	.slow = true,							\
	.unit = BENCH_COST,						\
	.setup = bench_crowd_setup,					\
	.teardown = bench_crowd_teardown,				\
	.fn[BENCH_MPOOL] = bench_crowd_##loop

#define TAILS(loop)							\
	.size = 64,							\
	.unit = "max",							\
	SIZED_POOLS,							\
	.fn = {								\
		[BENCH_MPOOL] = bench_tail_##loop##_mpool,		\
		[BENCH_MPOOL_SMALL] = bench_tail_##loop##_mpool_small,	\
		[BENCH_KMEM_CACHE] = bench_tail_##loop##_kmem_cache,	\
		[BENCH_KMALLOC] = bench_tail_##loop##_kmalloc,		\
	}

#define LIST(n...)	((const u32[]){ n, 0 })

#define MALLOCS(loop) {							\
	[BENCH_EMPTY] = bench_##loop##_empty,				\
	[BENCH_MPOOL] = bench_##loop##_mpool,				\
	[BENCH_KMALLOC] = bench_##loop##_kmalloc,			\
	[BENCH_KVMALLOC] = bench_##loop##_kvmalloc,			\
}

#define RUNS {								\
	[BENCH_EMPTY] = bench_run_empty,				\
	[BENCH_MPOOL] = bench_run_mpool,				\
	[BENCH_KMALLOC] = bench_run_kmalloc,				\
	[BENCH_GEN_POOL] = GEN_POOL(bench_run_gen_pool),		\
	[BENCH_ALLOC_PAGES_EXACT] = bench_run_alloc_pages_exact,	\
	[BENCH_KVMALLOC] = bench_run_kvmalloc,				\
}

#define RUN_POOLS							\
	.setup = bench_run_setup,					\
	.has = bench_run_has,						\
	.after = bench_run_after,					\
	.teardown = bench_run_teardown

#define REGIONS(loop) {							\
	[BENCH_EMPTY] = bench_region_##loop##_empty,			\
	[BENCH_MPOOL] = bench_region_##loop##_mpool,			\
	[BENCH_GEN_POOL] = GEN_POOL(bench_region_##loop##_gen_pool),	\
	[BENCH_GEN_POOL_BEST] = GEN_POOL(bench_region_##loop##_gen_pool_best),	\
}

#define REGION_POOLS							\
	.setup = bench_region_setup,					\
	.has = bench_region_has,					\
	.teardown = bench_region_teardown

#define STRINGS(loop) {							\
	[BENCH_EMPTY] = bench_##loop##_empty,				\
	[BENCH_MPOOL] = bench_##loop##_mpool,				\
	[BENCH_KSTRDUP] = bench_##loop##_kstrdup,			\
}

#define STRING_POOLS							\
	.setup = bench_string_setup,					\
	.teardown = bench_string_teardown

const struct bench_work bench_works[] = {
	/* First, while the caches of the kernel are as it booted. */
	{
		.name = "replay-fs",
		.what = "a recorded trace of a kernel that handles files",
		.rounds = 3,
		.setup = bench_replay_setup,
		.teardown = bench_replay_teardown,
		.fn = {
			[BENCH_EMPTY] = bench_replay_empty,
			[BENCH_MPOOL] = bench_replay_mpool,
			[BENCH_KMALLOC] = bench_replay_kmalloc,
		},
	}, {
		.name = "pair64",
		.what = "the same object out and back",
		.size = 64, .pairs = 2000, .scale = 2,
		OBJECT_POOLS,
		.fn = OBJECTS(pair),
	}, {
		.name = "pair256",
		.what = "the same object of 256 bytes out and back",
		.size = 256, .pairs = 2000, .scale = 2,
		OBJECT_POOLS,
		.fn = {
			[BENCH_EMPTY] = bench_pair_empty,
			[BENCH_FLOOR] = bench_pair_floor,
			[BENCH_MPOOL] = bench_pair_mpool,
			[BENCH_KMEM_CACHE] = bench_pair_kmem_cache,
			[BENCH_KMALLOC] = bench_pair_kmalloc256,
			[BENCH_MEMPOOL] = bench_pair_mempool,
			[BENCH_OBJPOOL] = OBJPOOL(bench_pair_objpool),
			[BENCH_GEN_POOL] = GEN_POOL(bench_pair_gen_pool),
			[BENCH_DMA_POOL] = DMA_POOL(bench_pair_dma_pool),
		},
	}, {
		.name = "fifo100x64",
		.what = "100 out, then 100 back",
		.size = 64, .depth = 100, .pairs = 2000, .scale = 2,
		OBJECT_POOLS,
		.fn = OBJECTS(fifo),
	}, {
		.name = "fifo1000x64",
		.what = "1000 out, then 1000 back",
		.size = 64, .depth = 1000, .pairs = 2000, .scale = 2,
		OBJECT_POOLS,
		.fn = OBJECTS(fifo),
	}, {
		.name = "fifo4000x64",
		.what = "4000 out, then 4000 back",
		.size = 64, .depth = 4000, .pairs = 4000, .scale = 2,
		OBJECT_POOLS,
		.fn = OBJECTS(fifo),
	}, {
		.name = "random64",
		.what = "one of 1024 live objects is replaced, at random",
		.size = 64, .depth = 1024, .pairs = 2000, .scale = 2,
		OBJECT_POOLS,
		.fn = OBJECTS(random),
	}, {
		.name = "malloc64",
		.what = "64 bytes, known when compiled, out and back",
		.pairs = 2000, .scale = 2,
		.fn = MALLOCS(malloc),
	}, {
		.name = "mallocmix",
		.what = "8 to 4095 bytes, 256 live, the oldest is replaced",
		.depth = 256, .pairs = 2000, .scale = 2,
		.fn = MALLOCS(mix),
	}, {
		.name = "bulk16x64",
		.what = "16 objects out by one call, and back by another",
		.size = 64, .depth = 16, .pairs = 2048, .scale = 2,
		OBJECT_POOLS,
		.fn = BULK,
	}, {
		.name = "xcpu64",
		.what = "out on one CPU, back on another, both at once",
		.size = 64, .pairs = 4 * BENCH_CROSS_BATCH, .scale = 2,
		.setup = bench_objects_setup,
		.has = bench_objects_has_cross,
		.teardown = bench_objects_teardown,
		.fn = OBJECTS(cross),
	}, {
		.name = "atomic64",
		.what = "GFP_ATOMIC with preemption off",
		.size = 64, .pairs = 2000, .scale = 2,
		.setup = bench_objects_setup,
		.has = bench_objects_has_atomic,
		.teardown = bench_objects_teardown,
		.fn = OBJECTS(atomic),
	}, {
		.name = "irq64",
		.what = "GFP_ATOMIC in a hard interrupt",
		.size = 64, .pairs = 1000, .scale = 4,
		.setup = bench_objects_setup,
		.has = bench_objects_has_atomic,
		.teardown = bench_objects_teardown,
		.fn = OBJECTS(irq),
	}, {
		.name = "run5",
		.what = "5 pages out and back",
		.size = 5, .pairs = 500, .scale = 1,
		RUN_POOLS,
		.fn = RUNS,
	}, {
		.name = "run17",
		.what = "17 pages out and back",
		.size = 17, .pairs = 100, .scale = 2,
		RUN_POOLS,
		.fn = RUNS,
	}, {
		.name = "run538",
		.what = "538 pages, 2.1 MiB, out and back",
		.size = 538, .pairs = 20, .scale = 2,
		RUN_POOLS,
		.fn = RUNS,
	}, {
		.name = "region-empty",
		.what = "1 to 64 pages out and back, in an empty region",
		.pairs = 1000, .scale = 4,
		REGION_POOLS,
		.fn = REGIONS(low),
	}, {
		.name = "region-90",
		.what = "a run of 1 to 64 pages is replaced, region 90 % full",
		.pairs = 1000, .scale = 1,
		REGION_POOLS,
		.fn = REGIONS(high),
	}, {
		.name = "churn-90",
		.what = "occupancy at which runs of 1 to 64 pages start to fail",
		.unit = "%",
		REGION_POOLS,
		.fn = REGIONS(churn),
	}, {
		.name = "string16",
		.what = "a string of 16 bytes that is there, got and put",
		.pairs = 2000, .scale = 2,
		STRING_POOLS,
		.fn = STRINGS(string),
	}, {
		.name = "string-miss",
		.what = "a string of 16 bytes that is not there, got and put",
		.pairs = 2000, .scale = 2,
		STRING_POOLS,
		.fn = STRINGS(stringmiss),
	}, {
		.name = "string-flood",
		.what = "8192 strings that a weak hash takes for one, got, then put",
		.rounds = 1,
		.setup = bench_flood_setup,
		.after = bench_flood_after,
		.teardown = bench_flood_teardown,
		.fn = STRINGS(flood),
	}, {
		.name = "grid-SIZE-COUNT",
		.what = "objects of every size: many out, then all back",
		.sizes = LIST(8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 512, 520, 700,
			      1000, 1024, 1500, 2000, 2048, 3000, 3072, 4096, 5000, 6144,
			      8192, 10000, 12288, 16384),
		.counts = LIST(1, 10, 100, 1000, 10000),
		.pairs = 2000, .scale = 2,
		SIZED_POOLS,
		.fn = GRID(grid),
	}, {
		.name = "gridz-SIZE-COUNT",
		.what = "the same with __GFP_ZERO",
		.sizes = LIST(64, 1024, 4096, 16384),
		.counts = LIST(1, 50, 1000),
		.pairs = 2000, .scale = 2,
		SIZED_POOLS,
		.fn = GRID(gridz),
	}, {
		.name = "bulkCOUNT-SIZE",
		.what = "many objects out by one call, and back by another",
		.sizes = LIST(64, 1024, 4096), .counts = LIST(4, 16, 64, 256),
		.pairs = 4096, .scale = 2, .rounds = 3,
		OBJECT_POOLS,
		.fn = BULK,
	}, {
		.name = "nocache64",
		.what = "the pair of a pool without magazines",
		VARIANT(nocache, kmem_cache),
	}, {
		.name = "max64",
		.what = "the pair of a pool that has a limit of objects",
		VARIANT(max, kmem_cache),
	}, {
		.name = "ctor64",
		.what = "the pair of a pool with a constructor",
		VARIANT(ctor, kmem_cache_ctor),
	}, {
		.name = "dtor64",
		.what = "the pair of a pool with a destructor",
		VARIANT(dtor, kmem_cache_dtor),
	}, {
		.name = "comeback-SIZE",
		.what = "100000 objects, nine of ten are freed at random, 10 s later",
		.slow = true,
		.sizes = LIST(64, 1024, 4096),
		.unit = "held/asked",
		SIZED_POOLS,
		.fn = {
			[BENCH_MPOOL] = bench_comeback_mpool,
			[BENCH_MPOOL_SMALL] = bench_comeback_mpool_small,
			[BENCH_KMEM_CACHE] = bench_comeback_kmem_cache,
			[BENCH_KMALLOC] = bench_comeback_kmalloc,
		},
	}, {
		.name = "comeback-mixed",
		.what = "the same with 20000 of 8 to 16383 bytes",
		.slow = true,
		CHURN(comeback),
	}, {
		.name = "churn-mixed",
		.what = "5 million of 20000 objects of 8 to 16383 bytes are replaced",
		.slow = true,
		CHURN(churn_mixed),
	}, {
		.name = "churn-bands",
		.what = "20000 objects of similar sizes; for each 100000 another size",
		.slow = true,
		CHURN(churn_bands),
	}, {
		.name = "append-large",
		.what = "a run grows to 4 MiB by 4 KiB",
		.size = 4096, .depth = 1024,
		.unit = "copied/final",
		SIZED_POOLS,
		.fn = {
			[BENCH_MPOOL] = bench_copied_mpool,
			[BENCH_MPOOL_SMALL] = bench_copied_mpool_small,
			[BENCH_KMALLOC] = bench_copied_kmalloc,
		},
	}, {
		.name = "append-small",
		.what = "memory grows to 32 KiB by 64 bytes, for each step",
		.size = 64, .depth = 512,
		SIZED_POOLS,
		.fn = {
			[BENCH_EMPTY] = bench_append_empty,
			[BENCH_MPOOL_SMALL] = bench_append_mpool_small,
			[BENCH_KMALLOC] = bench_append_kmalloc,
		},
	}, {
		.name = "tail-alloc",
		.what = "single allocations: 64 bytes, and 8 to 16383 bytes",
		TAILS(alloc),
	}, {
		.name = "tail-free",
		.what = "single frees of the same",
		TAILS(free),
	}, {
		.name = "tail-run",
		.what = "single allocations and frees of 1 to 16 pages",
		.size = 64,
		.unit = "max",
		SIZED_POOLS,
		.fn = {
			[BENCH_MPOOL] = bench_tail_run_mpool,
			[BENCH_KMALLOC] = bench_tail_run_kmalloc,
		},
	}, {
		.name = "create-COUNT",
		.what = "a pool is made while many are there",
		.slow = true,
		.counts = LIST(10, 1000, 10000),
		SCALE(create),
	}, {
		.name = "destroy-COUNT",
		.what = "a pool is ended while many are there",
		.slow = true,
		.counts = LIST(10, 1000, 10000),
		SCALE(destroy),
	}, {
		.name = "idle-SIZE",
		.what = "the memory of a pool with one object",
		.slow = true,
		.sizes = LIST(8, 64, 1024),
		.unit = "bytes",
		.fn = {
			[BENCH_MPOOL] = bench_idle_mpool,
			[BENCH_MPOOL_SMALL] = bench_idle_mpool_small,
		},
	}, {
		.name = "sites-1m",
		.what = "the file sites of a pool with a million objects, for each",
		CROWD(sites),
	}, {
		.name = "objects-1m",
		.what = "its file objects",
		CROWD(objects),
	}, {
		.name = "clear-1m",
		.what = "all of its objects are freed at once; peer: one by one",
		CROWD(clear),
		.fn[BENCH_KMEM_CACHE] = bench_crowd_free_kmem_cache,
	}, {
		.name = "verdict-1m",
		.what = "it is ended with all of them, and says whose they are",
		CROWD(verdict),
	},
	{}
};
