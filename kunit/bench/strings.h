/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_BENCH_STRINGS_H
#define _MPOOL_BENCH_STRINGS_H

#include "bench.h"

#define BENCH_STRING_DECLARE(name)					\
u64 bench_string_##name(struct bench_ctx *ctx);				\
u64 bench_stringmiss_##name(struct bench_ctx *ctx);			\
u64 bench_flood_##name(struct bench_ctx *ctx)

BENCH_STRING_DECLARE(empty);
BENCH_STRING_DECLARE(mpool);
BENCH_STRING_DECLARE(kstrdup);

int bench_string_setup(struct bench_ctx *ctx);
void bench_string_teardown(struct bench_ctx *ctx);
int bench_flood_setup(struct bench_ctx *ctx);
void bench_flood_after(struct bench_ctx *ctx);
void bench_flood_teardown(struct bench_ctx *ctx);

#endif /* _MPOOL_BENCH_STRINGS_H */
