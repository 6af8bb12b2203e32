// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports, compared word for word.
 *
 * The writer's buffer is what the log and the files get, so that a test that
 * compares the buffer compares what a user reads.  Addresses are printed by %p
 * on both sides, and sites by their line numbers.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "badfree.h"
#include "findings.h"
#include "helpers.h"
#include "leaks.h"
#include "owner.h"
#include "show.h"
#include "small.h"
#include "strpool.h"
#include "unload.h"

#define TEXT_BYTES	SZ_8K

struct text {
	struct mpool_out out;
	char want[TEXT_BYTES];
	size_t len;
};

static struct text *text_new(struct kunit *test)
{
	struct text *text = kunit_kzalloc(test, sizeof(*text), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	text->out.buf = kunit_kzalloc(test, TEXT_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text->out.buf);
	text->out.size = TEXT_BYTES;
	return text;
}

static __printf(2, 3) void want(struct text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text->len += vscnprintf(text->want + text->len,
				TEXT_BYTES - text->len, fmt, args);
	va_end(args);
}

static void compare(struct kunit *test, struct text *text)
{
	KUNIT_EXPECT_STREQ(test, text->out.buf, text->want);
}

static struct mpool_fixed *fixed_new(struct kunit *test, const char *name,
				     size_t size)
{
	struct mpool_fixed_args args = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct mpool_fixed *pool = mpool_fixed_create(name, size, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	return pool;
}

static void nothing_leaked_prints_nothing(struct kunit *test)
{
	struct mpool_fixed *pool = fixed_new(test, "report", 64);
	struct text *text = text_new(test);
	void *obj = mpool_fixed_alloc(pool, GFP_KERNEL);

	mpool_fixed_free(pool, obj);
	KUNIT_EXPECT_EQ(test, mpool_leaks_of_pool(&text->out, &pool->base), 0);
	compare(test, text);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 0);
}

static void pool_report_sums_by_site_biggest_first(struct kunit *test)
{
	struct mpool_fixed *pool = fixed_new(test, "report", 64);
	struct text *text = text_new(test);
	void *one, *two[2];
	int i, line_one, line_two;

	one = mpool_fixed_alloc(pool, GFP_KERNEL); line_one = __LINE__;
	for (i = 0; i < 2; i++) {
		two[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
		line_two = __LINE__ - 1;
	}
	KUNIT_EXPECT_EQ(test, mpool_leaks_of_pool(&text->out, &pool->base), 3);
	want(text, "fixed pool \"report\" leaks 3 objects, 192 bytes (reclaimed):\n");
	want(text, "  2 objects, 128 bytes: report_kunit.c:%d %s [mpool_kunit], first %p\n",
	     line_two, __func__, min(two[0], two[1]));
	want(text, "  1 object, 64 bytes: report_kunit.c:%d %s [mpool_kunit], first %p\n",
	     line_one, __func__, one);
	compare(test, text);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 3);
}

#define MANY_SITES	(MPOOL_REPORT_SITES + 3)

static void sixteen_sites_are_listed_and_the_rest_counted(struct kunit *test)
{
	static struct mpool_site sites[MANY_SITES];
	struct mpool_fixed *pool = fixed_new(test, "report", 64);
	struct text *text = text_new(test);
	void *objs[MANY_SITES];
	int i, j;

	/* Site i has MANY_SITES - i objects, so that the order is known. */
	for (i = 0; i < MANY_SITES; i++) {
		if (!sites[i].file)
			sites[i] = (struct mpool_site){
				.file = "dir/many.c", .func = "many",
				.line = i + 1, .module = THIS_MODULE,
			};
		objs[i] = mpool_fixed_alloc_at(pool, GFP_KERNEL, &sites[i]);
		for (j = i + 1; j < MANY_SITES; j++)
			mpool_fixed_alloc_at(pool, GFP_KERNEL, &sites[i]);
	}
	mpool_leaks_of_pool(&text->out, &pool->base);
	want(text, "fixed pool \"report\" leaks 190 objects, 12160 bytes (reclaimed):\n");
	for (i = 0; i < MPOOL_REPORT_SITES; i++)
		want(text, "  %d objects, %d bytes: many.c:%d many [mpool_kunit], first %p\n",
		     MANY_SITES - i, (MANY_SITES - i) * 64, i + 1, objs[i]);
	want(text, "  and 3 more call sites: 6 objects, 384 bytes\n");
	/* Which object is met first is the walk's choice: leave it out. */
	for (i = 0; i < 2; i++) {
		char *p = i ? text->want : text->out.buf;

		while ((p = strstr(p, ", first ")))
			while (*p != '\n')
				*p++ = '.';
	}
	compare(test, text);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 190);
}

static void large_and_string_pools_report_too(struct kunit *test)
{
	struct mpool_string_args sargs = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct mpool_large_args largs = { .on_leak = MPOOL_ON_LEAK_RECLAIM };
	struct mpool_large *large = mpool_large_create("rep-large", &largs);
	struct mpool_string *strings = mpool_string_create("rep-str", &sargs);
	struct text *text = text_new(test);
	int line_run, line_str;
	const char *s;
	void *run;

	run = mpool_large_alloc(large, 5000, NULL, GFP_KERNEL); line_run = __LINE__;
	s = mpool_string_get(strings, "leaked", GFP_KERNEL); line_str = __LINE__;
	mpool_leaks_of_pool(&text->out, &large->base);
	mpool_leaks_of_pool(&text->out, &strings->small.base);
	want(text, "large pool \"rep-large\" leaks 1 object, 5000 bytes (reclaimed):\n");
	want(text, "  1 object, 5000 bytes: report_kunit.c:%d %s [mpool_kunit], first %p\n",
	     line_run, __func__, run);
	want(text, "string pool \"rep-str\" leaks 1 object, up to 24 bytes (reclaimed):\n");
	want(text, "  1 object, up to 24 bytes: report_kunit.c:%d %s [mpool_kunit], first %p\n",
	     line_str, __func__, s);
	compare(test, text);
	KUNIT_EXPECT_EQ(test, mpool_large_destroy(large), 1);
	KUNIT_EXPECT_EQ(test, mpool_string_destroy(strings), 1);
}

static struct module *fake_module(struct kunit *test, const char *name)
{
	struct module *mod = kunit_kzalloc(test, sizeof(*mod), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mod);
	strscpy(mod->name, name, sizeof(mod->name));
	return mod;
}

static bool leaks_file_has(struct kunit *test, const char *what)
{
	struct mpool_out out = { .size = SZ_1M };
	bool has;

	out.buf = kvzalloc(out.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out.buf);
	mpool_leaks_show(&out);
	has = strstr(out.buf, what);
	if (!has)
		kunit_info(test, "wanted:\n%shave:\n%s", what, out.buf);
	kvfree(out.buf);
	return has;
}

/* Objects in two pools, one of them its own and left behind. */
static void module_that_goes_is_reported_and_forgotten(struct kunit *test)
{
	struct module *mod = fake_module(test, "fakedrv");
	struct mpool_site *site = kunit_kzalloc(test, 2 * sizeof(*site),
						GFP_KERNEL);
	struct mpool_fixed *others = fixed_new(test, "others", 128), *own;
	struct text *text = text_new(test);
	void *a, *b, *c;

	site[0] = (struct mpool_site){ .file = "drv/fake.c", .func = "fake_open",
				       .line = 7, .module = mod };
	site[1] = (struct mpool_site){ .file = "drv/fake.c", .func = "fake_init",
				       .line = 9, .module = mod };
	mpool_kunit_module_has(mod, site, 2 * sizeof(*site));
	own = __mpool_fixed_create("own", 64, NULL, &site[1]);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, own);
	a = mpool_fixed_alloc_at(others, GFP_KERNEL, &site[0]);
	b = mpool_fixed_alloc_at(own, GFP_KERNEL, &site[1]);
	c = mpool_fixed_alloc(others, GFP_KERNEL);	/* not the module's */
	mpool_owner_going(mod);
	want(text, "module fakedrv is unloaded and leaves 2 objects, 192 bytes, and 1 pool:\n");
	want(text, "  1 object, 128 bytes: fake.c:7 fake_open [fakedrv], ");
	want(text, "first %p in pool \"others\"\n", a);
	want(text, "  1 object, 64 bytes: fake.c:9 fake_init [fakedrv], first %p in pool \"own\"\n",
	     b);
	want(text, "  fixed pool \"own\" was not destroyed\n");
	KUNIT_EXPECT_TRUE(test, leaks_file_has(test, text->want));
	/* others reclaims; own keeps, as an orphan without a name of its own. */
	KUNIT_EXPECT_FALSE(test, mpool_owns(a));
	KUNIT_EXPECT_TRUE(test, mpool_owns(b));
	KUNIT_EXPECT_TRUE(test, mpool_owns(c));
	KUNIT_EXPECT_NULL(test, mpool_pool_find("own"));
	/* Said once: the module may come and go again. */
	memset(site, 0xff, 2 * sizeof(*site));
	mpool_owner_going(mod);
	mpool_free(b);
	mpool_free(c);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(others), 0);
}

static void bad_free(struct kunit *test, struct text *text,
		     const struct mpool_pool *pool, const void *p,
		     enum mpool_bad_free why)
{
	mpool_badfree_text(&text->out, pool, p, why, _THIS_IP_);
}

static void bad_free_reports_say_what_it_was(struct kunit *test)
{
	struct mpool_fixed *pool = fixed_new(test, "mine", 64);
	struct mpool_fixed *other = fixed_new(test, "other", 64);
	struct text *text = text_new(test);
	void *obj, *kmem = kmalloc(64, GFP_KERNEL), *vm = vmalloc(64);
	char site[112], by[KSYM_SYMBOL_LEN];
	int line, stack;

	obj = mpool_fixed_alloc(pool, GFP_KERNEL); line = __LINE__;
	snprintf(site, sizeof(site), "report_kunit.c:%d %s [mpool_kunit]", line,
		 __func__);
	bad_free(test, text, &pool->base, obj + 24, MPOOL_BAD_FREE_ADDRESS);
	bad_free(test, text, &other->base, obj, MPOOL_BAD_FREE_ADDRESS);
	mpool_fixed_free(pool, obj);
	bad_free(test, text, &pool->base, obj, MPOOL_BAD_FREE_ADDRESS);
	bad_free(test, text, NULL, kmem, MPOOL_BAD_FREE_ADDRESS);
	bad_free(test, text, NULL, vm, MPOOL_BAD_FREE_ADDRESS);
	bad_free(test, text, NULL, &stack, MPOOL_BAD_FREE_ADDRESS);
	bad_free(test, text, NULL, ERR_PTR(-ENOMEM), MPOOL_BAD_FREE_ADDRESS);
	/* All were called from one place: take what it is called. */
	snprintf(by, sizeof(by), "%s", strstr(text->out.buf, "; freed by") ?: "");
	if (strchr(by, '\n'))
		*strchr(by, '\n') = '\0';
	KUNIT_EXPECT_NOT_NULL(test, strstr(by, "bad_free"));
	want(text, "bad free: %p is 24 bytes into an object of 64 bytes ", obj + 24);
	want(text, "of pool \"mine\", from %s%s\n", site, by);
	want(text, "bad free: %p is an object of pool \"mine\", from %s, not of \"other\"%s\n",
	     obj, site, by);
	want(text, "bad free: %p is free already, ", obj);
	want(text, "an object of 64 bytes of pool \"mine\"%s\n", by);
	want(text,
	     "bad free: %p is in slab memory, not mpool's: kfree() frees memory of kmalloc()%s\n",
	     kmem, by);
	want(text,
	     "bad free: %p is in vmalloc memory, not mpool's: vfree() frees memory of vmalloc()%s\n",
	     vm, by);
	want(text, "bad free: %p is in the stack, not mpool's%s\n", &stack, by);
	want(text, "bad free: %p is error pointer -12%s\n", ERR_PTR(-ENOMEM),
	     by);
	compare(test, text);
	kfree(kmem);
	vfree(vm);
	mpool_fixed_destroy(pool);
	mpool_fixed_destroy(other);
}

/* The part of the last line between the address and the function that freed it. */
static const char *said(struct text *text)
{
	char *end = strstr(text->out.buf, "; ");

	if (end)
		*end = '\0';
	text->out.len = 0;
	return strstr(text->out.buf, " is ") ?: "";
}

/* A string is one, whatever lies in front of it. */
static void bad_frees_of_strings_say_so(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, "kt-words", NULL);
	struct mpool_string *other = mpool_kunit_string(test, "kt-others", NULL);
	struct text *text = text_new(test);
	const char *s = mpool_string_get(pool, "eth0", GFP_KERNEL);
	int line = __LINE__ - 1;
	char from[160];

	KUNIT_ASSERT_NOT_NULL(test, s);
	snprintf(from, sizeof(from), "string of pool \"kt-words\", from %s:%d %s [mpool_kunit]",
		 "report_kunit.c", line, __func__);
	bad_free(test, text, &pool->small.base, s, MPOOL_BAD_FREE_ADDRESS);
	want(text, " is a %s, which mpool_string_put() takes", from);
	KUNIT_EXPECT_STREQ(test, said(text), text->want);
	text->len = 0;
	bad_free(test, text, &other->small.base, s, MPOOL_BAD_FREE_ADDRESS);
	want(text, " is a %s, not of \"kt-others\"", from);
	KUNIT_EXPECT_STREQ(test, said(text), text->want);
	text->len = 0;
	bad_free(test, text, NULL, s, MPOOL_BAD_REALLOC);
	want(text, " is a %s, not of a small pool", from);
	KUNIT_EXPECT_STREQ(test, said(text), text->want);
	text->len = 0;
	bad_free(test, text, &pool->small.base, s + 2, MPOOL_BAD_FREE_ADDRESS);
	want(text, " is 2 bytes into a %s", from);
	KUNIT_EXPECT_STREQ(test, said(text), text->want);
	text->len = 0;
	bad_free(test, text, &pool->small.base, s - 16, MPOOL_BAD_FREE_ADDRESS);
	want(text, " is 16 bytes before a %s", from);
	KUNIT_EXPECT_STREQ(test, said(text), text->want);
	mpool_string_put(pool, s);
	mpool_string_flush(pool);
	bad_free(test, text, &pool->small.base, s, MPOOL_BAD_FREE_ADDRESS);
	KUNIT_EXPECT_STREQ(test, said(text),
			   " is free already, a string of pool \"kt-words\"");
}

#define SAID(words) KUNIT_EXPECT_NOT_NULL(test, strstr(text->out.buf, words))

/* Pools are compared, not their names; and who takes no such object says so. */
static void bad_frees_compare_pools(struct kunit *test)
{
	struct mpool_fixed *orphan = mpool_fixed_create("kt-twin", 64, NULL), *pool;
	struct text *text = text_new(test);
	void *old, *new;

	KUNIT_ASSERT_FALSE(test, IS_ERR(orphan));
	old = mpool_fixed_alloc(orphan, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(orphan), 1);
	pool = mpool_kunit_fixed(test, "kt-twin", 64, NULL);
	new = mpool_fixed_alloc(pool, GFP_KERNEL);
	bad_free(test, text, &pool->base, old, MPOOL_BAD_FREE_ADDRESS);
	SAID(" is an object of pool \"kt-twin\" (orphan), from ");
	SAID("], not of \"kt-twin\"; freed by");
	text->out.len = 0;
	bad_free(test, text, &orphan->base, new, MPOOL_BAD_FREE_ADDRESS);
	SAID(" is an object of pool \"kt-twin\", from ");
	SAID("], not of \"kt-twin\" (orphan); freed by");
	text->out.len = 0;
	bad_free(test, text, NULL, new, MPOOL_BAD_REALLOC);
	SAID("], not of a small pool; reallocated by");
	mpool_free(old);
	mpool_free(new);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("kt-twin")));
}

/* The farewell says "up to" for sizes that are those of classes. */
static void farewell_knows_what_was_rounded(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, "kt-words", NULL);
	const char *s = mpool_string_get(pool, "left", GFP_KERNEL);
	struct mpool_sums sums = { 0 };
	struct mpool_pool *each;
	struct list_head *pools;
	char words[80];

	KUNIT_ASSERT_NOT_NULL(test, s);
	pools = mpool_registry_lock();
	list_for_each_entry(each, pools, list)
		mpool_sums_add(&sums, each);
	mpool_registry_unlock();
	mpool_unload_self();
	snprintf(words, sizeof(words), " live object%s, up to %zu bytes, lost until reboot:\n",
		 sums.count == 1 ? "" : "s", sums.bytes);
	KUNIT_EXPECT_TRUE(test, leaks_file_has(test, words));
	mpool_sums_free(&sums);
	mpool_string_put(pool, s);
}

/* Fields of the pool's line, without the age. */
static void pools_file_has_an_aligned_line_a_pool(struct kunit *test)
{
	struct mpool_fixed *pool = fixed_new(test, "a-line", 64);
	struct mpool_out out = { .size = SZ_64K };
	void *obj = mpool_fixed_alloc(pool, GFP_KERNEL);
	char want[160], *head, *line;
	size_t capacity, pages;

	capacity = pool->chunks.nr_objs;
	pages = pool->chunks.npages;
	out.buf = kvzalloc(out.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out.buf);
	mpool_show_pools(&out);
	head = out.buf;
	line = strstr(out.buf, "\na-line ");
	KUNIT_ASSERT_NOT_NULL(test, line);
	line++;
	snprintf(want, sizeof(want),
		 "a-line                   fixed  mpool_kunit            64        1 %8zu %7zu %7zu ",
		 capacity, pages, pages);
	KUNIT_EXPECT_EQ(test, strncmp(line, want, strlen(want)), 0);
	/* Aligned: the header is as long as the line. */
	KUNIT_EXPECT_EQ(test, strcspn(head, "\n"), strcspn(line, "\n"));
	kvfree(out.buf);
	mpool_fixed_free(pool, obj);
	mpool_fixed_destroy(pool);
}

static void sites_file_is_sorted(struct kunit *test)
{
	struct mpool_fixed *pool = fixed_new(test, "a-sites", 96);
	struct text *text = text_new(test);
	int i, line_few, line_many;

	mpool_fixed_alloc(pool, GFP_KERNEL); line_few = __LINE__;
	for (i = 0; i < 10; i++) {
		mpool_fixed_alloc(pool, GFP_KERNEL);
		line_many = __LINE__ - 1;
	}
	mpool_show_sites(&text->out, &pool->base);
	want(text, "   objects        bytes  site\n");
	want(text, "        10          960  report_kunit.c:%d %s [mpool_kunit]\n",
	     line_many, __func__);
	want(text, "         1           96  report_kunit.c:%d %s [mpool_kunit]\n",
	     line_few, __func__);
	compare(test, text);
	KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 11);
}

static void text_that_does_not_fit_is_cut(struct kunit *test)
{
	char buf[8] = "";
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };

	mpool_out(&out, "%s", "12345");
	mpool_out(&out, "%s", "67890");
	mpool_out(&out, "%s", "x");
	KUNIT_EXPECT_STREQ(test, buf, "1234567");
	KUNIT_EXPECT_EQ(test, out.len, 7);
}

static void everything_verifies(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_verify(), 0);
}

#define SHORT_PAGES	40
#define HAS(text) KUNIT_EXPECT_NOT_NULL(test, strstr(buf, text))

/* Who had the memory when there was none: pools by name, others by line. */
static void shortage_names_the_holders(struct kunit *test)
{
	struct mpool_large *large = mpool_kunit_region(test, "kunit-short",
						       SHORT_PAGES);
	struct mpool_small_args args = { .large = large };
	struct mpool_small *small = mpool_kunit_small(test, "kunit-above",
						      &args);
	struct mpool_shortage *s = &large->shortage;
	gfp_t quiet = GFP_KERNEL | __GFP_NOWARN;
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_8K };
	void *big;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	mpool_large_alloc(large, PAGE_SIZE, NULL, quiet);
	big = mpool_small_alloc(small, 10 * PAGE_SIZE, quiet);
	KUNIT_ASSERT_NOT_NULL(test, big);
	mpool_large_alloc(large, 20 * PAGE_SIZE, NULL, quiet);
	KUNIT_EXPECT_NULL(test, mpool_large_alloc(large, 10 * PAGE_SIZE, NULL,
						  quiet));
	mpool_defer_sync(&s->defer);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->busy), 0);
	KUNIT_EXPECT_FALSE(test, s->log);
	KUNIT_EXPECT_EQ(test, s->held, SHORT_PAGES);
	KUNIT_EXPECT_EQ(test, s->free, 9);
	KUNIT_EXPECT_EQ(test, s->largest, large->base.fail.largest);
	KUNIT_EXPECT_EQ(test, s->top[0].pages, 20);
	KUNIT_EXPECT_STREQ(test, s->top[0].pool, "");
	KUNIT_EXPECT_EQ(test, s->top[1].pages, 10);
	KUNIT_EXPECT_STREQ(test, s->top[1].pool, "kunit-above");
	KUNIT_EXPECT_EQ(test, s->top[2].pages, 1);
	KUNIT_EXPECT_EQ(test, s->top[3].pages, 0);
	mpool_findings_shortage(&out, &large->base, s);
	HAS("no memory: pool \"kunit-short\" was asked for ");
	HAS("; large pool \"kunit-short\" had 9 of 40 pages free, the largest run ");
	HAS("\n  held 10 pages: pool \"kunit-above\"\n");
	KUNIT_EXPECT_NULL(test, strstr(buf, "other CPUs"));
	out.len = 0;
	s->cached = 22;
	mpool_findings_shortage(&out, &large->base, s);
	HAS("\n  22 free objects of that size are in the caches of other CPUs");
	out.len = 0;
	mpool_show_stats(&out, &large->base);
	HAS("held then            20 pages: report_kunit.c:");
	HAS("\n                     10 pages: pool \"kunit-above\"\n");
	mpool_small_free(small, big);
	mpool_large_clear(large);
}

/* Those of one name are told apart, by the names of their directories. */
static void orphans_are_told_apart(struct kunit *test)
{
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_8K };
	struct mpool_fixed *pool;
	void *obj[2];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < 2; i++) {
		pool = mpool_fixed_create("kt-again", 64, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
		obj[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, mpool_fixed_destroy(pool), 1);
	}
	mpool_show_pools(&out);
	HAS("\nkt-again~1               fixed ");
	HAS("\nkt-again~2               fixed ");
	mpool_free(obj[0]);
	mpool_free(obj[1]);
	KUNIT_EXPECT_TRUE(test, mpool_kunit_wait(!mpool_kunit_orphans("kt-again")));
}

static void one_page_is_no_pages(struct kunit *test)
{
	char buf[160] = "";
	struct mpool_out out = { .buf = buf, .size = sizeof(buf) };
	struct mpool_holder holder = { .pool = "kunit-one", .pages = 1 };

	mpool_findings_holder(&out, &holder);
	KUNIT_EXPECT_STREQ(test, buf, "1 page: pool \"kunit-one\"\n");
}

/* What another CPU has of a pool when this one gets no more. */
struct elsewhere {
	struct mpool_fixed *pool;
	unsigned int n;
	void *objs[200];
};

static long elsewhere_fn(void *arg)
{
	struct elsewhere *e = arg;
	unsigned int i;

	for (e->n = 0; e->n < ARRAY_SIZE(e->objs); e->n++) {
		e->objs[e->n] = mpool_fixed_alloc(e->pool, GFP_NOWAIT |
						  __GFP_NOWARN);
		if (!e->objs[e->n])
			break;
	}
	for (i = 0; i < e->n; i++)
		mpool_fixed_free(e->pool, e->objs[i]);
	return e->n;
}

static void a_failure_counts_what_lies_elsewhere(struct kunit *test)
{
	struct mpool_large *large = mpool_kunit_region(test, "kunit-short", 4);
	struct mpool_fixed_args args = { .large = large };
	struct elsewhere *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_8K };
	long here, there;

	KUNIT_ASSERT_NOT_NULL(test, e);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	if (num_online_cpus() < 2)
		kunit_skip(test, "there is no other CPU");
	e->pool = mpool_kunit_fixed(test, "kunit-elsewhere", 256, &args);
	here = work_on_cpu(0, elsewhere_fn, e);
	KUNIT_EXPECT_EQ(test, e->pool->base.fail.cached, 0);
	there = work_on_cpu(1, elsewhere_fn, e);
	KUNIT_EXPECT_EQ(test, here - there, e->pool->base.fail.cached);
	mpool_show_stats(&out, &e->pool->base);
	KUNIT_EXPECT_EQ(test, here > there, !!strstr(buf, "in CPU caches then"));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(e->pool), 0);
}

/* The text of a string and how often it is held; nothing of what is none. */
static void strings_are_shown(struct kunit *test)
{
	struct mpool_string *pool = mpool_kunit_string(test, "kunit-shown", NULL);
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_8K };
	struct mpool_snap *snap;
	char long_text[81] = "";
	const char *s[4];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < 80; i++)
		long_text[i] = '0' + i % 10;
	s[0] = mpool_string_get(pool, "eth0", GFP_KERNEL);
	s[1] = mpool_string_get(pool, "a\n\x01z", GFP_KERNEL);
	s[2] = mpool_string_get(pool, long_text, GFP_KERNEL);
	s[3] = mpool_string_get(pool, "", GFP_KERNEL);
	mpool_string_get(pool, "eth0", GFP_KERNEL);
	snap = mpool_snap(&pool->small.base);
	KUNIT_ASSERT_NOT_NULL(test, snap);
	KUNIT_EXPECT_EQ(test, snap->n, 4);
	for (i = 0; i < snap->n; i++)
		mpool_show_object(&out, snap->pool, &snap->objs[i]);
	HAS("  refs=2 \"eth0\"\n");
	HAS("  refs=1 \"a\\n\\001z\"\n");
	HAS("0123456789012345678901234567890123456789012345678901234567890123\"...\n");
	HAS("  refs=1 \"\"\n");
	/* They may go while the file is read. */
	for (i = 0; i < 4; i++)
		mpool_string_put(pool, s[i]);
	mpool_string_put(pool, s[0]);
	out.len = 0;
	for (i = 0; i < snap->n; i++)
		mpool_show_object(&out, snap->pool, &snap->objs[i]);
	snap->objs[0].addr = (void *)-4096ul;
	mpool_show_object(&out, snap->pool, &snap->objs[0]);
	KUNIT_EXPECT_NULL(test, strstr(buf, "refs="));
	kvfree(snap);
	KUNIT_EXPECT_EQ(test, mpool_string_verify(pool), 0);
}

static int busy_ctor(void *obj, void *priv)
{
	return -EBUSY;
}

/* A failure that memory has nothing to do with sends nobody to look for memory. */
static void failures_say_what_refused(struct kunit *test)
{
	struct mpool_fixed_args args = { .ctor = busy_ctor };
	struct mpool_fixed_args limit = { .max_objects = 2 };
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct mpool_out out = { .buf = buf, .size = SZ_8K };
	struct mpool_fixed *pool;
	unsigned long next;
	void *objs[2];

	KUNIT_ASSERT_NOT_NULL(test, buf);
	pool = mpool_kunit_fixed(test, "kunit-ctor", 64, &args);
	mpool_show_stats(&out, &pool->base);
	KUNIT_EXPECT_NULL(test, strstr(buf, "last failure"));
	out.len = 0;
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
	mpool_show_stats(&out, &pool->base);
	HAS("last failure         64 bytes, GFP_KERNEL, at report_kunit.c:");
	HAS(" ago: the constructor returned -16\n");
	KUNIT_EXPECT_NULL(test, strstr(buf, "pages free then"));
	pool = mpool_kunit_fixed(test, "kunit-max", 64, &limit);
	KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 2, objs),
			2);
	next = pool->base.fail.next_log;
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_ATOMIC | __GFP_NOWARN));
	KUNIT_EXPECT_EQ(test, next, pool->base.fail.next_log);
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_NE(test, next, pool->base.fail.next_log);
	out.len = 0;
	mpool_show_stats(&out, &pool->base);
	/* The flags are the caller's. */
	HAS("last failure         64 bytes, GFP_KERNEL, at report_kunit.c:");
	HAS(" ago: max_objects is 2, 2 are live\n");
	KUNIT_EXPECT_NULL(test, strstr(buf, "pages free then"));
	mpool_fixed_free_bulk(pool, 2, objs);
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(nothing_leaked_prints_nothing),
	KUNIT_CASE(pool_report_sums_by_site_biggest_first),
	KUNIT_CASE(sixteen_sites_are_listed_and_the_rest_counted),
	KUNIT_CASE(large_and_string_pools_report_too),
	KUNIT_CASE(module_that_goes_is_reported_and_forgotten),
	KUNIT_CASE(bad_free_reports_say_what_it_was),
	KUNIT_CASE(bad_frees_of_strings_say_so),
	KUNIT_CASE(bad_frees_compare_pools),
	KUNIT_CASE(farewell_knows_what_was_rounded),
	KUNIT_CASE(pools_file_has_an_aligned_line_a_pool),
	KUNIT_CASE(sites_file_is_sorted),
	KUNIT_CASE(text_that_does_not_fit_is_cut),
	KUNIT_CASE(shortage_names_the_holders),
	KUNIT_CASE(a_failure_counts_what_lies_elsewhere),
	KUNIT_CASE(orphans_are_told_apart),
	KUNIT_CASE(one_page_is_no_pages),
	KUNIT_CASE(failures_say_what_refused),
	KUNIT_CASE(strings_are_shown),
	KUNIT_CASE(everything_verifies),
	{ }
};

static struct kunit_suite report_suite = {
	.name = "mpool_report",
	.suite_exit = mpool_kunit_verified,
	.test_cases = report_cases,
};

kunit_test_suite(report_suite);
