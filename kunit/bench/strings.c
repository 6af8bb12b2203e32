// SPDX-License-Identifier: GPL-2.0-only
/* Strings of 16 bytes, with the NUL: kept already, and not. */
#include <linux/slab.h>
#include <linux/string.h>

#include "strings.h"

#define NR_STRINGS	64	/* power of two */

static struct mpool_string *pool;
static char strings[NR_STRINGS][16];
static const char *kept;

typedef const char *(*string_take)(const char *s);
typedef void (*string_give)(const char *s);

static __always_inline const char *empty_take(const char *s)
{
	return bench_nothing(s);
}

static __always_inline void empty_give(const char *s)
{
	bench_nothing(s);
}

static __always_inline const char *mpool_take(const char *s)
{
	return mpool_string_get(pool, s, GFP_KERNEL);
}

static __always_inline void mpool_give(const char *s)
{
	mpool_string_put(pool, s);
}

static __always_inline const char *kstrdup_take(const char *s)
{
	return kstrdup(s, GFP_KERNEL);
}

static __always_inline void kstrdup_give(const char *s)
{
	kfree(s);
}

static __always_inline u64 bench_string(struct bench_ctx *ctx, bool hit,
					string_take take, string_give give)
{
	u64 start = bench_now();
	u32 i, n = ctx->pairs;

	for (i = 0; i < n; i++) {
		const char *s = take(strings[hit ? 0 :
					     1 + i % (NR_STRINGS - 1)]);

		if (unlikely(!s))
			return BENCH_FAILED;
		give(s);
	}
	return bench_now() - start;
}

#define BENCH_STRING(name, take, give)					\
u64 bench_string_##name(struct bench_ctx *ctx)				\
{									\
	return bench_string(ctx, true, take, give);			\
}									\
u64 bench_stringmiss_##name(struct bench_ctx *ctx)			\
{									\
	return bench_string(ctx, false, take, give);			\
}

BENCH_STRING(empty, empty_take, empty_give)
BENCH_STRING(mpool, mpool_take, mpool_give)
BENCH_STRING(kstrdup, kstrdup_take, kstrdup_give)

void bench_string_teardown(struct bench_ctx *ctx)
{
	mpool_string_put(pool, kept);
	mpool_string_destroy(pool);
}

int bench_string_setup(struct bench_ctx *ctx)
{
	u32 i;

	for (i = 0; i < NR_STRINGS; i++)
		snprintf(strings[i], sizeof(strings[i]), "a string no %03u", i);
	pool = mpool_string_create("bench", NULL);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	kept = mpool_string_get(pool, strings[0], GFP_KERNEL);
	return 0;
}
