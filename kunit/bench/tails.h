/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_TAILS_H
#define _MPOOL_BENCH_TAILS_H

#include "bench.h"

#define BENCH_TAIL_DECLARE(name)					\
u64 bench_tail_alloc_##name(struct bench_ctx *ctx);			\
u64 bench_tail_free_##name(struct bench_ctx *ctx)

BENCH_TAIL_DECLARE(mpool);
BENCH_TAIL_DECLARE(mpool_small);
BENCH_TAIL_DECLARE(kmem_cache);
BENCH_TAIL_DECLARE(kmalloc);

u64 bench_tail_run_mpool(struct bench_ctx *ctx);
u64 bench_tail_run_kmalloc(struct bench_ctx *ctx);

#endif /* _MPOOL_BENCH_TAILS_H */
