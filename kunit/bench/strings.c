// SPDX-License-Identifier: GPL-2.0-only
/* Strings of 16 bytes, with the NUL: kept already, and not.  And strings of an enemy. */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "strings.h"

#define NR_STRINGS	64	/* power of two */

static struct mpool_string *pool;
static char strings[NR_STRINGS][16];
static const char *kept;

/*
 * The flood: 2^FLOOD_PAIRS strings of as many pairs of words.  In each pair bit 63 of the
 * first word and bit 31 of the second are changed together, or not.  A hash that
 * multiplies by an odd number and swaps the halves is the same for all of them.
 */
#define FLOOD_PAIRS	13
#define FLOOD_LEN	(16 * FLOOD_PAIRS + 2)
#define NR_FLOOD	(1u << FLOOD_PAIRS)

static char (*flood)[FLOOD_LEN];		/* and then as many that are no flood */

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

/* All out, then all back. */
static __always_inline u64 bench_flood(struct bench_ctx *ctx, u32 from,
				       string_take take, string_give give)
{
	u64 start = bench_now();
	u32 i, n;

	for (n = 0; n < NR_FLOOD; n++) {
		const char *s = take(flood[from + n]);

		if (unlikely(!s))
			break;
		ctx->slots[n] = (void *)s;
	}
	for (i = 0; i < n; i++)
		give(ctx->slots[i]);
	return n == NR_FLOOD ? bench_now() - start : BENCH_FAILED;
}

#define BENCH_STRING(name, take, give)					\
u64 bench_string_##name(struct bench_ctx *ctx)				\
{									\
	return bench_string(ctx, true, take, give);			\
}									\
u64 bench_stringmiss_##name(struct bench_ctx *ctx)			\
{									\
	return bench_string(ctx, false, take, give);			\
}									\
u64 bench_flood_##name(struct bench_ctx *ctx)				\
{									\
	return bench_flood(ctx, 0, take, give);				\
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

static void flood_string(char *s, u32 nr, bool plain)
{
	u32 i;

	memset(s, 'a', FLOOD_LEN - 1);
	s[FLOOD_LEN - 1] = '\0';
	for (i = 0; i < FLOOD_PAIRS; i++) {
		if (!(nr >> i & 1))
			continue;
		s[16 * i + 7] ^= plain ? 0x01 : 0x80;
		s[16 * i + 11] ^= plain ? 0 : 0x80;
	}
}

/* How many times longer a flood takes than other strings as long. */
void bench_flood_after(struct bench_ctx *ctx)
{
	u64 other = bench_flood(ctx, NR_FLOOD, mpool_take, mpool_give);
	u64 took = bench_flood_mpool(ctx);

	if (other != BENCH_FAILED && took != BENCH_FAILED)
		bench_say(ctx, BENCH_MPOOL, took * 100 / other, "flood/other");
}

void bench_flood_teardown(struct bench_ctx *ctx)
{
	bench_string_teardown(ctx);
	vfree(flood);
}

int bench_flood_setup(struct bench_ctx *ctx)
{
	int err;
	u32 i;

	flood = vmalloc(array_size(2 * NR_FLOOD, sizeof(*flood)));
	if (!flood)
		return -ENOMEM;
	for (i = 0; i < NR_FLOOD; i++) {
		flood_string(flood[i], i, false);
		flood_string(flood[NR_FLOOD + i], i, true);
	}
	ctx->pairs = NR_FLOOD;
	err = bench_string_setup(ctx);
	if (err)
		vfree(flood);
	return err;
}
