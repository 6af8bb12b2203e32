/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_SCALE_H
#define _MPOOL_BENCH_SCALE_H

#include "bench.h"

#define BENCH_SCALE_DECLARE(name)					\
u64 bench_create_##name(struct bench_ctx *ctx);				\
u64 bench_destroy_##name(struct bench_ctx *ctx)

BENCH_SCALE_DECLARE(mpool);
BENCH_SCALE_DECLARE(mpool_small);
BENCH_SCALE_DECLARE(mpool_large);
BENCH_SCALE_DECLARE(mpool_string);
BENCH_SCALE_DECLARE(kmem_cache);

int bench_scale_setup(struct bench_ctx *ctx);
void bench_scale_teardown(struct bench_ctx *ctx);

u64 bench_idle_mpool(struct bench_ctx *ctx);
u64 bench_idle_mpool_small(struct bench_ctx *ctx);

#endif /* _MPOOL_BENCH_SCALE_H */
