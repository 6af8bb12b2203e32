/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_MALLOC_H
#define _MPOOL_BENCH_MALLOC_H

#include "bench.h"

#define BENCH_MALLOC_DECLARE(name)					\
u64 bench_malloc_##name(struct bench_ctx *ctx);				\
u64 bench_mix_##name(struct bench_ctx *ctx)

BENCH_MALLOC_DECLARE(empty);
BENCH_MALLOC_DECLARE(mpool);
BENCH_MALLOC_DECLARE(kmalloc);
BENCH_MALLOC_DECLARE(kvmalloc);

#endif /* _MPOOL_BENCH_MALLOC_H */
