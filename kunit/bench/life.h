/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_LIFE_H
#define _MPOOL_BENCH_LIFE_H

#include "bench.h"

u64 bench_churn_mixed_mpool_small(struct bench_ctx *ctx);
u64 bench_churn_mixed_kmalloc(struct bench_ctx *ctx);
u64 bench_churn_bands_mpool_small(struct bench_ctx *ctx);
u64 bench_churn_bands_kmalloc(struct bench_ctx *ctx);
u64 bench_comeback_mpool(struct bench_ctx *ctx);
u64 bench_comeback_mpool_small(struct bench_ctx *ctx);
u64 bench_comeback_kmem_cache(struct bench_ctx *ctx);
u64 bench_comeback_kmalloc(struct bench_ctx *ctx);

int bench_life_setup(struct bench_ctx *ctx);

#define BENCH_APPEND_DECLARE(name)					\
u64 bench_append_##name(struct bench_ctx *ctx);				\
u64 bench_copied_##name(struct bench_ctx *ctx)

BENCH_APPEND_DECLARE(empty);
BENCH_APPEND_DECLARE(mpool);
BENCH_APPEND_DECLARE(mpool_small);
BENCH_APPEND_DECLARE(kmalloc);

#endif /* _MPOOL_BENCH_LIFE_H */
