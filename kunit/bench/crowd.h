/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_CROWD_H
#define _MPOOL_BENCH_CROWD_H

#include "bench.h"

u64 bench_crowd_sites(struct bench_ctx *ctx);
u64 bench_crowd_objects(struct bench_ctx *ctx);
u64 bench_crowd_verdict(struct bench_ctx *ctx);
u64 bench_crowd_clear(struct bench_ctx *ctx);
u64 bench_crowd_free_kmem_cache(struct bench_ctx *ctx);

int bench_crowd_setup(struct bench_ctx *ctx);
void bench_crowd_teardown(struct bench_ctx *ctx);

#endif /* _MPOOL_BENCH_CROWD_H */
