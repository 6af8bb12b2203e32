/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_GRID_H
#define _MPOOL_BENCH_GRID_H

#include "bench.h"

#define BENCH_GRID_DECLARE(name)					\
u64 bench_grid_##name(struct bench_ctx *ctx);				\
u64 bench_gridz_##name(struct bench_ctx *ctx)

BENCH_GRID_DECLARE(empty);
BENCH_GRID_DECLARE(mpool);
BENCH_GRID_DECLARE(mpool_small);
BENCH_GRID_DECLARE(kmem_cache);
BENCH_GRID_DECLARE(kmalloc);

#endif /* _MPOOL_BENCH_GRID_H */
