// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of a large pool: its pages, as a picture made of characters.
 *
 * Structure: a header with the legend and the sums, then for each arena a line with its
 * figures and its pages, MAP_WIDTH characters a line.  A short arena of system memory has
 * its pages only.  An arena of more than MAP_CELLS
 * pages is drawn to a scale, so that a region of a GiB can be read on one screen.
 *
 * Invariant: each page is in one character; without a scale there are as many characters
 * as pages.
 *
 * Locking: large->lock for the sums.  The pages are read without it, word by word, so
 * that no allocation waits for a reader of the file.  If runs are allocated or freed
 * meanwhile, the picture has parts of both states.  The caller is in an RCU read-side
 * section.
 */
#include <linux/math.h>
#include <linux/minmax.h>

#include "large.h"
#include "map.h"

#define MAP_WIDTH	64
#define MAP_CELLS	4096

void mpool_map_header(struct mpool_out *out, struct mpool_large *large)
{
	struct mpool_large_room room;

	mpool_large_room(large, &room);
	mpool_out(out, "# A character is a page, or as many as its arena says:\n");
	mpool_out(out, "#   R run, r its rest    C chunk of a fixed pool, c its rest\n");
	mpool_out(out, "#   . free               , free, cached for its length\n");
	mpool_out(out, "#   q being freed        + not all alike\n");
	mpool_out(out, "#   x not the pool's any more: others have references to it\n");
	mpool_out(out, "# Fragmentation: free pages that are not in the longest free run.\n");
	mpool_out(out, "%lu pages, %lu free, longest free run %lu, fragmentation %lu %%\n",
		  room.pages, room.free, room.largest,
		  room.free ? (room.free - min(room.largest, room.free)) * 100 / room.free : 0);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_map_header);

/* The character for a page.  @first: it is the first page of its run. */
static char page_char(enum mpool_page_state state, bool first)
{
	switch (state) {
	case MPOOL_PAGE_RUN:
	case MPOOL_PAGE_RESIZED:
		return first ? 'R' : 'r';
	case MPOOL_PAGE_CHUNK:
		return first ? 'C' : 'c';
	case MPOOL_PAGE_FREEING:
	case MPOOL_PAGE_QUEUED:
		return 'q';
	case MPOOL_PAGE_CACHED:
		return ',';
	case MPOOL_PAGE_GONE:
		return 'x';
	default:
		return '.';
	}
}

/* Prints the characters of one line, from page @index on. */
static void map_line(struct mpool_out *out, struct mpool_arena *arena,
		     u32 index, u32 scale, enum mpool_page_state *state)
{
	char text[MAP_WIDTH + 1], c;
	unsigned int n = 0;
	u32 i, end;
	bool first;

	for (; n < MAP_WIDTH && index < arena->npages; n++) {
		end = min(arena->npages, index + scale);
		text[n] = 0;
		for (i = index; i < end; i++) {
			first = mpool_arena_next_start(arena, i) == i;
			if (first)
				*state = mpool_page_state(&arena->pages[i]);
			c = page_char(*state, first && scale == 1);
			if (!text[n])
				text[n] = c;
			else if (text[n] != c)
				text[n] = '+';
		}
		index = end;
	}
	text[n] = 0;
	mpool_out(out, "%s\n", text);
}

/*
 * Prints one arena; @number is its place in the list.  An arena of system memory, of which
 * a pool may have very many, is a line without figures if it is not longer than a line.
 */
void mpool_map_arena(struct mpool_out *out, struct mpool_arena *arena,
		     unsigned int number)
{
	u32 scale = DIV_ROUND_UP(arena->npages, MAP_CELLS), index;
	enum mpool_page_state state = MPOOL_PAGE_FREE;

	if (!arena->runs->exact || arena->npages > MAP_WIDTH) {
		mpool_out(out, "\narena %u: %u pages, %u free", number, arena->npages,
			  mpool_arena_nr_free(arena));
		if (scale > 1)
			mpool_out(out, ", %u to a character", scale);
		mpool_out(out, "\n");
	}
	for (index = 0; index < arena->npages; index += MAP_WIDTH * scale)
		map_line(out, arena, index, scale, &state);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_map_arena);
