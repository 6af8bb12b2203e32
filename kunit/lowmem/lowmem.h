/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites on a machine of little memory share: the memory itself, and a
 * load of all kinds of pools beside a table of what they gave.
 */
#ifndef _MPOOL_KUNIT_LOWMEM_H
#define _MPOOL_KUNIT_LOWMEM_H

#include "helpers.h"

/* Fails where the last page is not to be had, and says nothing. */
#define GFP_QUIET	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* --- the memory, memory.c --- */

struct hog_link;

/* Blocks that were taken from the system; the links are in them. */
struct hog {
	struct hog_link *first;
	unsigned long pages;
};

unsigned long hog_take(struct hog *hog, unsigned int order, unsigned long most,
		       gfp_t gfp);
void hog_give(struct hog *hog, unsigned long most);
void hog_give_all(struct hog *hog);
void hog_take_all(struct hog *hog);
void hog_fragment(struct hog *hog, unsigned int len);
struct hog *hog_begin(struct kunit *test);
void hog_end(struct kunit *test, struct hog *hog);

unsigned long lowmem_free_pages(void);
int lowmem_init_case(struct kunit *test);
void lowmem_exit_case(struct kunit *test);

/* --- the load, load.c --- */

enum load_kind {
	LOAD_LARGE,
	LOAD_VIRT,
	LOAD_FIXED,
	LOAD_SMALL,
	LOAD_STRING,
	LOAD_GLOBAL,
	LOAD_KINDS
};

extern const char * const load_kind_name[LOAD_KINDS];

/* Sizes of the fixed pools: some fill a page, others need several for that. */
#define LOAD_SIZES	5
extern const u32 load_size[LOAD_SIZES];

/* Longest string, with its NUL. */
#define LOAD_TEXT	1024

/* Something that a pool gave. */
struct load_item {
	void *p;
	u32 size;
	u32 tag;
	u32 kind;
};

struct load {
	struct mpool_large *large;
	struct mpool_large *virt;
	struct mpool_fixed *fixed[LOAD_SIZES];
	struct mpool_small *small;
	struct mpool_string *string;
	/* What is out. */
	struct load_item *item;
	u32 n, max;
	u32 nr;
	u32 tag;
	u32 served, refused;
	u32 torn;
	char text[LOAD_TEXT];
};

struct load *load_begin(struct kunit *test, u32 max);
void load_end(struct kunit *test, struct load *load);
bool load_take(struct load *load, enum load_kind kind, u32 size, gfp_t gfp);
void load_give(struct load *load, u32 i);
void load_give_all(struct load *load);
u32 load_random_size(struct rnd_state *rnd, enum load_kind kind);
struct mpool_pool *load_pool(struct load *load, enum load_kind kind, u32 size);

/* One random step of those who meet nothing but want. */
void load_step(struct load *load, struct rnd_state *rnd);

#endif /* _MPOOL_KUNIT_LOWMEM_H */
