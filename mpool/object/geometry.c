// SPDX-License-Identifier: GPL-2.0-only
/*
 * Geometry: the number of pages of the chunks of a pool, and of the objects in them.
 *
 * Structure: no data of its own; it fills in the constant part of struct mpool_chunks.  A
 * chunk is a run of 1 to CHUNK_MAX_PAGES pages with as many objects as fit, or of as many
 * pages as one object needs if that is more.  The length is the one that wastes least, or
 * a shorter one that wastes hardly more: four objects of 3072 bytes are three pages, and
 * no byte is wasted.
 *
 * The classes of a small pool are many, most of them with few objects.  Their chunks are
 * short at first; the more objects a class has, the longer its new chunks are.  The
 * memory that a long chunk saves in each page is weighed against the free half of the
 * last chunk.
 *
 * Invariant: a chunk has at least one object, and at most MPOOL_CHUNK_OBJS; the rungs
 * ascend from 0.
 *
 * Locking: none; the numbers are constant once a pool was created.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include "chunk.h"

#define CHUNK_MAX_PAGES		32

/*
 * A longer chunk must save more than 1/CHUNK_PATIENCE of the memory.  With this value, no
 * size up to 2 KiB loses more than 2 % of a chunk behind the last object.
 */
#define CHUNK_PATIENCE		90

/*
 * A chunk has at least this many objects, or else this many pages: each chunk costs a
 * description.
 */
#define CHUNK_FEW		4

/*
 * A free run of the large pool is used for a shorter chunk if that costs at most
 * 1/CHUNK_SHORT more.
 */
#define CHUNK_SHORT		8

/* From one rung to the next, the number of objects grows by this factor at least. */
#define RUNG_STEP		3

/* The bytes that kmalloc() takes for a description. */
static size_t meta_cost(u32 nr)
{
	return kmalloc_size_roundup(mpool_chunk_bytes(nr));
}

/* The cost of an object in a chunk of @npages, in bytes << 10. */
static u64 chunk_cost(u32 npages, u32 size)
{
	u32 nr = npages * PAGE_SIZE / size;

	return div_u64(((u64)npages * PAGE_SIZE + meta_cost(nr)) << 10, nr);
}

/* The most pages of a chunk: its objects must be numbered in 16 bits. */
static u32 chunk_most(u32 size)
{
	u32 least = DIV_ROUND_UP(size, PAGE_SIZE);

	return max_t(u64, least,
		     min_t(u64, CHUNK_MAX_PAGES,
			   (u64)MPOOL_CHUNK_OBJS * size >> PAGE_SHIFT));
}

/*
 * The shortest length from @least on that costs at most 1/@patience more than the best.
 */
static u32 chunk_length(u32 size, u32 least, u32 patience)
{
	u32 most = chunk_most(size), n;
	u64 best = U64_MAX;

	for (n = least; n <= most; n++)
		best = min(best, chunk_cost(n, size));
	best += div_u64(best, patience);
	for (n = least; chunk_cost(n, size) > best; n++)
		;
	return n;
}

/*
 * The next longer length that is worth it, and the number of objects from which it is:
 * half of the last chunk is free, which costs more in a longer chunk, but there each
 * object costs less.  The length is 0 if no longer chunk is worth it.
 */
static struct mpool_rung rung_after(const u64 *cost, u32 npages, u32 most)
{
	struct mpool_rung next = { .from = U32_MAX };
	u64 from;
	u32 n;

	for (n = npages + 1; n <= most; n++) {
		if (cost[n] >= cost[npages])
			continue;
		from = div64_u64((u64)(n - npages) * PAGE_SIZE << 9,
				 cost[npages] - cost[n]);
		if (from < next.from)
			next = (struct mpool_rung){ .from = from, .npages = n };
	}
	return next;
}

/*
 * Sets the length of chunks by the number of objects, from the shortest on.  For the
 * classes of a small pool, which are many, most of them with few objects.
 */
static void chunks_make_rungs(struct mpool_chunks *chunks)
{
	u32 n = DIV_ROUND_UP(chunks->size, PAGE_SIZE), most = chunk_most(chunks->size);
	struct mpool_rung next = { .npages = n }, *top = chunks->rungs;
	u64 cost[CHUNK_MAX_PAGES + 1];

	*top = next;
	for (; n <= most && most <= CHUNK_MAX_PAGES; n++)
		cost[n] = chunk_cost(n, chunks->size);
	while (next.npages < most) {
		next = rung_after(cost, next.npages, most);
		if (!next.npages)
			break;
		if (next.from < RUNG_STEP * top->from)
			continue;
		/*
		 * If there are more lengths than rungs, the longest is in the last rung.
		 */
		if (top < &chunks->rungs[MPOOL_RUNGS - 1])
			top++;
		*top = next;
	}
	chunks->nr_rungs = top - chunks->rungs + 1;
	chunks->npages = top->npages;
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
	u32 least = DIV_ROUND_UP(chunks->size, PAGE_SIZE), few;

	chunks->shift = __ffs(chunks->size);
	chunks->inverse = inverse_of(chunks->size >> chunks->shift);
	if (class) {
		chunks_make_rungs(chunks);
	} else {
		few = DIV_ROUND_UP(CHUNK_FEW * chunks->size, PAGE_SIZE);
		chunks->npages = chunk_length(chunks->size,
					      max(least, min_t(u32, few, CHUNK_FEW)),
					      CHUNK_PATIENCE);
		chunks->rungs[0].npages = chunks->npages;
		chunks->nr_rungs = 1;
	}
	chunks->short_pages = chunk_length(chunks->size, least, CHUNK_SHORT);
	chunks->nr = chunks->npages * PAGE_SIZE / chunks->size;
}

/* The pages of the next chunk. */
u32 mpool_chunk_next_length(struct mpool_chunks *chunks)
{
	unsigned long nr = mpool_hint(chunks->nr_objs);
	u32 i = chunks->nr_rungs - 1;

	while (chunks->rungs[i].from > nr)
		i--;
	return chunks->rungs[i].npages;
}
