/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_RUNS_H
#define _MPOOL_BENCH_RUNS_H

#include "bench.h"

u64 bench_run_empty(struct bench_ctx *ctx);
u64 bench_run_mpool(struct bench_ctx *ctx);
u64 bench_run_kmalloc(struct bench_ctx *ctx);
u64 bench_run_gen_pool(struct bench_ctx *ctx);
u64 bench_run_alloc_pages_exact(struct bench_ctx *ctx);
u64 bench_run_kvmalloc(struct bench_ctx *ctx);

int bench_run_setup(struct bench_ctx *ctx);
void bench_run_teardown(struct bench_ctx *ctx);
void bench_run_after(struct bench_ctx *ctx);
bool bench_run_has(enum bench_alloc alloc);

#define BENCH_REGION_DECLARE(name)					\
u64 bench_region_low_##name(struct bench_ctx *ctx);			\
u64 bench_region_high_##name(struct bench_ctx *ctx);			\
u64 bench_region_churn_##name(struct bench_ctx *ctx)

BENCH_REGION_DECLARE(empty);
BENCH_REGION_DECLARE(mpool);
BENCH_REGION_DECLARE(gen_pool);
BENCH_REGION_DECLARE(gen_pool_best);

int bench_region_setup(struct bench_ctx *ctx);
void bench_region_teardown(struct bench_ctx *ctx);
bool bench_region_has(enum bench_alloc alloc);

#endif /* _MPOOL_BENCH_RUNS_H */
