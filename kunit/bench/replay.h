/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_REPLAY_H
#define _MPOOL_BENCH_REPLAY_H

#include "bench.h"

u64 bench_replay_empty(struct bench_ctx *ctx);
u64 bench_replay_mpool(struct bench_ctx *ctx);
u64 bench_replay_kmalloc(struct bench_ctx *ctx);

int bench_replay_setup(struct bench_ctx *ctx);
void bench_replay_teardown(struct bench_ctx *ctx);

void bench_replay_load(const char *name);
void bench_replay_unload(void);

#endif /* _MPOOL_BENCH_REPLAY_H */
