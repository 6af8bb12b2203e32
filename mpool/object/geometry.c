// SPDX-License-Identifier: GPL-2.0-only
/*
 * Geometry: the number of pages of the chunks of a pool, and of the objects in them.
 *
 * Structure: no data of its own; it fills in the constant part of struct mpool_chunks.  A
 * chunk is the shortest run of at most CHUNK_MAX_PAGES pages that loses little behind its
 * last object: four objects of 3072 bytes are three pages, and no byte is lost.  If all
 * lengths lose much, it is the one that loses least.  Longer objects have a chunk each.
 *
 * The longer a chunk, the longer one object keeps its pages.  So longer chunks that lose
 * less are not worth it; a pool with few objects has the shortest chunks that hold one.
 *
 * Invariant: a chunk has at least one object, and at most MPOOL_CHUNK_OBJS.
 *
 * Locking: none; the numbers are constant once a pool was created.
 */
#include <linux/kernel.h>

#include "chunk.h"

#define CHUNK_MAX_PAGES		4

/*
 * The part of a chunk that may be lost.  Sizes of the table of a small pool, which serve
 * many requests of other sizes, may lose more: shorter chunks come back sooner.
 */
#define CHUNK_LOSS		16
#define CHUNK_LOSS_STEP		8

/* A pool with fewer objects than so many chunks has short chunks. */
#define CHUNK_FEW		4

/* All smaller chunks are one page: a longer one has larger objects. */
static_assert(PAGE_SIZE / ARCH_KMALLOC_MINALIGN <= MPOOL_CHUNK_OBJS);

/* The bytes behind the last object. */
static u32 chunk_loss(u32 npages, u32 size)
{
	return npages * PAGE_SIZE % size;
}

/* The shortest length that loses at most 1/@part, or else the one that loses least. */
static u32 chunk_length(u32 size, u32 part)
{
	u32 n, best = DIV_ROUND_UP(size, PAGE_SIZE);

	for (n = best; n <= CHUNK_MAX_PAGES; n++) {
		if (chunk_loss(n, size) * part <= n * PAGE_SIZE)
			return n;
		if (chunk_loss(n, size) * best < chunk_loss(best, size) * n)
			best = n;
	}
	return best;
}

/* Is it a size of the table of small pools, which has four steps in each doubling? */
static bool is_step(u32 size)
{
	return !(size & ((1u << __fls(size) >> 2) - 1));
}

/*
 * The inverse of an odd number modulo 2^32: each Newton step doubles the bits that are
 * right.
 */
static u32 inverse_of(u32 odd)
{
	u32 x = odd;	/* right in the lowest three bits */
	int i;

	for (i = 0; i < 4; i++)
		x *= 2 - odd * x;
	return x;
}

/* Sets the geometry for objects of chunks->size bytes, of a class or of a pool. */
void mpool_chunks_measure(struct mpool_chunks *chunks, bool class)
{
	bool step = class && is_step(chunks->size);

	chunks->shift = __ffs(chunks->size);
	chunks->inverse = inverse_of(chunks->size >> chunks->shift);
	chunks->npages = chunk_length(chunks->size, step ? CHUNK_LOSS_STEP : CHUNK_LOSS);
	chunks->nr = chunks->npages * PAGE_SIZE / chunks->size;
}

/* The pages of the next chunk. */
u32 mpool_chunk_next_length(struct mpool_chunks *chunks)
{
	if (mpool_hint(chunks->nr_objs) >= CHUNK_FEW * chunks->nr)
		return chunks->npages;
	return DIV_ROUND_UP(chunks->size, PAGE_SIZE);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_chunk_next_length);
