// SPDX-License-Identifier: GPL-2.0-only
/*
 * A load of all kinds of pools beside a table of what they gave.
 *
 * Each thing carries marks of its own over its whole length; strings are made
 * from their number and compared.  What is refused must leave nothing behind.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fixed.h"
#include "lowmem.h"
#include "strpool.h"

const char * const load_kind_name[LOAD_KINDS] = {
	"large", "virt", "fixed", "small", "string", "global"
};

const u32 load_size[LOAD_SIZES] = { 24, 192, 1000, 3072, 4096 };

static void ended(struct load *load)
{
	unsigned int i;

	mpool_large_destroy(load->large);
	mpool_large_destroy(load->virt);
	for (i = 0; i < LOAD_SIZES; i++)
		mpool_fixed_destroy(load->fixed[i]);
	mpool_small_destroy(load->small);
	mpool_string_destroy(load->string);
	vfree(load->item);
	kfree(load);
}

KUNIT_DEFINE_ACTION_WRAPPER(end_load, ended, struct load *);

/* "lowmem-3-large": several loads may be there at once. */
static const char *name_of(struct load *load, const char *what)
{
	static atomic_t nr;

	if (!load->nr)
		load->nr = atomic_inc_return(&nr);
	scnprintf(load->text, MPOOL_NAME_LEN, "lowmem-%u-%s", load->nr, what);
	return load->text;
}

static bool load_create(struct load *load)
{
	const struct mpool_large_args virt = { .flags = MPOOL_LARGE_VIRT };
	bool good = true;
	unsigned int i;
	char size[16];

	load->large = mpool_large_create(name_of(load, "large"), NULL);
	load->virt = mpool_large_create(name_of(load, "virt"), &virt);
	for (i = 0; i < LOAD_SIZES; i++) {
		scnprintf(size, sizeof(size), "%u", load_size[i]);
		load->fixed[i] = mpool_fixed_create(name_of(load, size),
						    load_size[i], NULL);
		good = good && !IS_ERR(load->fixed[i]);
	}
	load->small = mpool_small_create(name_of(load, "small"), NULL);
	load->string = mpool_string_create(name_of(load, "strings"), NULL);
	return good && !IS_ERR(load->large) && !IS_ERR(load->virt) &&
	       !IS_ERR(load->small) && !IS_ERR(load->string) && load->item;
}

/* All pools, and a table for @max things. */
struct load *load_begin(struct kunit *test, u32 max)
{
	struct load *load = kzalloc(sizeof(*load), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, load);
	load->max = max;
	load->item = vmalloc(array_size(max, sizeof(*load->item)));
	if (!load_create(load)) {
		ended(load);
		KUNIT_FAIL_AND_ABORT(test, "no pools");
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_load, load),
			0);
	return load;
}

/* The pool that serves a size. */
struct mpool_pool *load_pool(struct load *load, enum load_kind kind, u32 size)
{
	unsigned int i;

	switch (kind) {
	case LOAD_LARGE:
		return &load->large->base;
	case LOAD_VIRT:
		return &load->virt->base;
	case LOAD_FIXED:
		for (i = 0; load_size[i] < size; i++)
			;
		return &load->fixed[i]->base;
	case LOAD_SMALL:
		return &load->small->base;
	case LOAD_STRING:
		return &load->string->small.base;
	default:
		return &mpool_global()->base;
	}
}

static struct mpool_fixed *fixed_of(struct load *load, u32 size)
{
	return container_of(load_pool(load, LOAD_FIXED, size),
			    struct mpool_fixed, base);
}

/* A string of @size bytes with its NUL. */
static const char *text_of(struct load *load, u32 tag, u32 size)
{
	memset(load->text, 'a' + tag % 26, size - 1);
	load->text[size - 1] = '\0';
	snprintf(load->text, min(size, 9u), "%08x", tag);
	if (size > 9)
		load->text[8] = '.';
	return load->text;
}

/* Writes or checks marks: a byte in 64, and the last one. */
static bool item_marks(const struct load_item *item, bool write)
{
	u32 end = item->size - 1, at = 0;
	u8 *p = item->p, mark;

	for (;; at = min(at + 64, end)) {
		mark = (item->tag + at) * 2654435761u >> 24;
		if (write)
			p[at] = mark;
		else if (p[at] != mark)
			return false;
		if (at == end)
			return true;
	}
}

static void *take(struct load *load, enum load_kind kind, u32 size, u32 tag,
		  gfp_t gfp)
{
	size_t real = 0;
	void *p;

	switch (kind) {
	case LOAD_LARGE:
	case LOAD_VIRT:
		p = mpool_large_alloc(kind == LOAD_LARGE ? load->large :
				      load->virt, size, &real, gfp);
		load->torn += real != (p ? PAGE_ALIGN(size) : 0);
		return p;
	case LOAD_FIXED:
		return mpool_fixed_alloc(fixed_of(load, size), gfp);
	case LOAD_SMALL:
		return mpool_small_alloc(load->small, size, gfp);
	case LOAD_STRING:
		return (void *)mpool_string_get(load->string,
						text_of(load, tag, size), gfp);
	default:
		return mpool_malloc(size, gfp);
	}
}

/* Asks for @size bytes; of a string 10 to LOAD_TEXT. */
bool load_take(struct load *load, enum load_kind kind, u32 size, gfp_t gfp)
{
	struct load_item *item = &load->item[load->n];

	if (load->n == load->max)
		return false;
	*item = (struct load_item){
		.p = take(load, kind, size, load->tag + 1, gfp),
		.size = size,
		.tag = load->tag + 1,
		.kind = kind,
	};
	if (!item->p) {
		load->refused++;
		return false;
	}
	load->tag++;
	load->served++;
	load->n++;
	if (kind != LOAD_STRING)
		item_marks(item, true);
	return true;
}

/* Gives the @i-th thing back, if it is as it was. */
void load_give(struct load *load, u32 i)
{
	struct load_item item = load->item[i];

	load->item[i] = load->item[--load->n];
	load->torn += item.kind == LOAD_STRING ?
		!!strcmp(item.p, text_of(load, item.tag, item.size)) :
		!item_marks(&item, false);
	switch (item.kind) {
	case LOAD_LARGE:
		return mpool_large_free(load->large, item.p);
	case LOAD_VIRT:
		return mpool_large_free(load->virt, item.p);
	case LOAD_FIXED:
		return mpool_fixed_free(fixed_of(load, item.size), item.p);
	case LOAD_SMALL:
		return mpool_small_free(load->small, item.p);
	case LOAD_STRING:
		return mpool_string_put(load->string, item.p);
	default:
		return mpool_free(item.p);
	}
}

void load_give_all(struct load *load)
{
	while (load->n) {
		load_give(load, load->n - 1);
		cond_resched();
	}
}

/* A size that is as likely short as long, of those that the kind has. */
u32 load_random_size(struct rnd_state *rnd, enum load_kind kind)
{
	u32 most;

	switch (kind) {
	case LOAD_FIXED:
		return load_size[mpool_kunit_below(rnd, LOAD_SIZES)];
	case LOAD_STRING:
		return 10 + mpool_kunit_below(rnd, LOAD_TEXT - 10);
	case LOAD_SMALL:
	case LOAD_GLOBAL:
		most = 64u << mpool_kunit_below(rnd, 10);
		break;
	default:
		most = PAGE_SIZE << mpool_kunit_below(rnd, 7);
		break;
	}
	return 1 + mpool_kunit_below(rnd, most);
}

/* Nothing is out, nothing was torn, nothing is broken; ends the pools. */
void load_end(struct kunit *test, struct load *load)
{
	struct mpool_pool *pool;
	struct mpool_count count;
	unsigned int kind, i;

	load_give_all(load);
	KUNIT_EXPECT_EQ(test, load->torn, 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(load->large), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(load->virt), 0);
	KUNIT_EXPECT_EQ(test, mpool_small_verify(load->small), 0);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(load->string), 0);
	for (i = 0; i < LOAD_SIZES; i++)
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(load->fixed[i]), 0);
	for (kind = 0; kind < LOAD_GLOBAL; kind++) {
		for (i = 0; i < LOAD_SIZES; i++) {
			pool = load_pool(load, kind, load_size[i]);
			pool->ops->count(pool, &count);
			KUNIT_EXPECT_EQ(test, count.live, 0);
			KUNIT_EXPECT_EQ(test, mpool_kunit_bad(pool), 0);
		}
	}
	kunit_release_action(test, end_load, load);
}

void load_step(struct load *load, struct rnd_state *rnd)
{
	static const gfp_t flags[] = {
		GFP_QUIET, GFP_NOWAIT | __GFP_NOWARN, GFP_ATOMIC | __GFP_NOWARN
	};
	enum load_kind kind = mpool_kunit_below(rnd, LOAD_KINDS);
	u32 i;

	if (load->n < load->max && (!load->n || mpool_kunit_below(rnd, 100) < 55)) {
		load_take(load, kind, load_random_size(rnd, kind),
			  flags[mpool_kunit_below(rnd, ARRAY_SIZE(flags))]);
		return;
	}
	i = mpool_kunit_below(rnd, load->n);
	load_give(load, i);
}
