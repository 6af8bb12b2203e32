// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of call sites.
 *
 * Ids are never given back, so that the cases use modules, files and functions
 * of fixed names: a second run finds the ids of the first one again.  A module
 * that goes is played by a struct module that was never loaded; its sites are
 * forgotten before their memory is.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "helpers.h"
#include "site.h"

/* A module that was never loaded, with sites of its own. */
struct fake {
	struct module *mod;
	struct mpool_site *sites;
	char (*files)[32];
	char (*funcs)[32];
	unsigned int n;
};

static void fake_load(struct kunit *test, struct fake *fake, const char *name,
		      unsigned int n)
{
	unsigned int i;

	*fake = (struct fake){
		.mod = kunit_kzalloc(test, sizeof(*fake->mod), GFP_KERNEL),
		.sites = kunit_kcalloc(test, n, sizeof(*fake->sites),
				       GFP_KERNEL),
		.files = kunit_kcalloc(test, n, sizeof(*fake->files),
				       GFP_KERNEL),
		.funcs = kunit_kcalloc(test, n, sizeof(*fake->funcs),
				       GFP_KERNEL),
		.n = n,
	};
	KUNIT_ASSERT_NOT_NULL(test, fake->mod);
	KUNIT_ASSERT_NOT_NULL(test, fake->sites);
	KUNIT_ASSERT_NOT_NULL(test, fake->files);
	KUNIT_ASSERT_NOT_NULL(test, fake->funcs);
	strscpy(fake->mod->name, name, sizeof(fake->mod->name));
	mpool_kunit_module_has(fake->mod, fake->sites, n * sizeof(*fake->sites));
	for (i = 0; i < n; i++) {
		scnprintf(fake->files[i], sizeof(*fake->files),
			  "drivers/fake/file%u.c", i % 7);
		scnprintf(fake->funcs[i], sizeof(*fake->funcs), "func_%u",
			  i % 11);
		fake->sites[i] = (struct mpool_site){
			.file = fake->files[i],
			.func = fake->funcs[i],
			.line = 10 + i,
			.module = fake->mod,
		};
	}
}

/* Its text goes: what mpool still reads of it is visibly wrong. */
static void fake_unload(struct fake *fake)
{
	mpool_site_module_gone(fake->mod);
	memset(fake->mod->name, 'X', sizeof(fake->mod->name) - 1);
	memset(fake->files, 'X', fake->n * sizeof(*fake->files));
	memset(fake->funcs, 'X', fake->n * sizeof(*fake->funcs));
	memset(fake->sites, 0xff, fake->n * sizeof(*fake->sites));
}

/* An id for a site, waiting for room in the table if need be. */
static u32 site_id(struct mpool_site *site)
{
	unsigned int tries;
	u32 id;

	for (tries = 0; tries < 1000; tries++) {
		id = mpool_site_id(site);
		if (id != MPOOL_SITE_UNKNOWN)
			break;
		schedule_timeout_uninterruptible(1);
	}
	return id;
}

static void expect_text(struct kunit *test, u32 id, const char *want)
{
	char buf[128];
	int len;

	len = mpool_site_print(id, buf, sizeof(buf));
	KUNIT_EXPECT_STREQ(test, buf, want);
	KUNIT_EXPECT_EQ(test, len, strlen(want));
}

/* --- ids --- */

static struct mpool_site *one_place(void)
{
	return MPOOL_HERE;
}

static void ids_are_stable(struct kunit *test)
{
	struct mpool_site *site = one_place();
	u32 id = site_id(site);

	KUNIT_EXPECT_GT(test, id, MPOOL_SITE_UNKNOWN);
	KUNIT_EXPECT_LE(test, id, mpool_site_count());
	KUNIT_EXPECT_EQ(test, site->id, id);
	KUNIT_EXPECT_PTR_EQ(test, one_place(), site);
	KUNIT_EXPECT_EQ(test, mpool_site_id(one_place()), id);
	KUNIT_EXPECT_TRUE(test, mpool_site_of_module(id, THIS_MODULE));
	KUNIT_EXPECT_FALSE(test, mpool_site_of_module(id, NULL));
}

static void two_lines_differ(struct kunit *test)
{
	struct mpool_site *a = MPOOL_HERE;
	struct mpool_site *b = MPOOL_HERE;
	struct mpool_site *c = MPOOL_HERE, *d = MPOOL_HERE;
	u32 ids[] = { site_id(a), site_id(b), site_id(c), site_id(d) };
	unsigned int i, j;

	KUNIT_EXPECT_EQ(test, a->line + 1, b->line);
	KUNIT_EXPECT_EQ(test, c->line, d->line);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, ids[i], ids[j]);
}

static void what_an_id_says(struct kunit *test)
{
	struct mpool_site *site = MPOOL_HERE;
	struct mpool_site_info info;
	u32 id = site_id(site);
	char want[96];
	bool known;

	rcu_read_lock();
	known = mpool_site_get(id, &info);
	KUNIT_EXPECT_STREQ(test, info.file, "site_kunit.c");
	KUNIT_EXPECT_STREQ(test, info.func, "what_an_id_says");
	KUNIT_EXPECT_STREQ(test, info.module, "mpool_kunit");
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, known);
	KUNIT_EXPECT_EQ(test, info.line, site->line);
	KUNIT_EXPECT_FALSE(test, info.gone);
	scnprintf(want, sizeof(want),
		  "site_kunit.c:%u what_an_id_says [mpool_kunit]", site->line);
	expect_text(test, id, want);
}

/* One on the stack takes no number, however often it comes. */
static void not_static(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, "kt-site", 64, NULL);
	u32 count = mpool_site_count();
	unsigned int i;
	void *p;

	for (i = 0; i < 100; i++) {
		struct mpool_site site = {
			.file = "drivers/fake/stack.c", .func = "stack", .line = 1,
			.module = i & 1 ? THIS_MODULE : NULL,
		};

		KUNIT_EXPECT_EQ(test, mpool_site_id(&site), MPOOL_SITE_UNKNOWN);
		KUNIT_EXPECT_EQ(test, site.id, 0);
		p = mpool_fixed_alloc_at(pool, GFP_KERNEL, &site);
		KUNIT_EXPECT_NOT_NULL(test, p);
		mpool_fixed_free(pool, p);
	}
	KUNIT_EXPECT_EQ(test, mpool_site_id(&(struct mpool_site){ }), MPOOL_SITE_UNKNOWN);
	KUNIT_EXPECT_EQ(test, mpool_site_id(&(struct mpool_site){ .module = THIS_MODULE }),
			MPOOL_SITE_UNKNOWN);
	KUNIT_EXPECT_EQ(test, count, mpool_site_count());
	KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
}

/* --- text --- */

static void text_of_a_module(struct kunit *test)
{
	struct fake fake;
	u32 id;

	fake_load(test, &fake, "fake_text", 1);
	id = site_id(&fake.sites[0]);
	expect_text(test, id, "file0.c:10 func_0 [fake_text]");
	fake_unload(&fake);
	expect_text(test, id, "file0.c:10 func_0 [fake_text]");
}

/* Code of the kernel itself has no module to name. */
static void text_without_a_module(struct kunit *test)
{
	struct fake fake;
	u32 id;

	fake_load(test, &fake, "", 1);
	id = site_id(&fake.sites[0]);
	expect_text(test, id, "file0.c:10 func_0");
	fake_unload(&fake);
	expect_text(test, id, "file0.c:10 func_0");
}

static void unknown_ids(struct kunit *test)
{
	const u32 ids[] = { 0, mpool_site_count() + 1, MPOOL_SITE_MAX,
			    MPOOL_SITE_MAX + 1, U32_MAX };
	struct mpool_site_info info;
	unsigned int i;
	bool known;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		rcu_read_lock();
		known = mpool_site_get(ids[i], &info);
		rcu_read_unlock();
		KUNIT_EXPECT_FALSE(test, known);
		KUNIT_EXPECT_STREQ(test, info.file, "?");
		KUNIT_EXPECT_STREQ(test, info.func, "?");
		KUNIT_EXPECT_STREQ(test, info.module, "");
		expect_text(test, ids[i], "?:0 ?");
		KUNIT_EXPECT_FALSE(test, mpool_site_of_module(ids[i], NULL));
	}
	expect_text(test, MPOOL_SITE_UNKNOWN, "?:0 (unknown)");
}

/* Every length of buffer ends in a NUL and holds the start of the text. */
static void short_buffers(struct kunit *test)
{
	const char *want = "file0.c:10 func_0 [fake_text]";
	struct fake fake;
	char buf[40];
	size_t size;
	u32 id;

	fake_load(test, &fake, "fake_text", 1);
	id = site_id(&fake.sites[0]);
	for (size = 1; size < sizeof(buf); size++) {
		size_t len = min(size - 1, strlen(want));

		memset(buf, 'z', sizeof(buf));
		KUNIT_EXPECT_EQ(test, mpool_site_print(id, buf, size), len);
		KUNIT_EXPECT_EQ(test, strlen(buf), len);
		KUNIT_EXPECT_EQ(test, strncmp(buf, want, len), 0);
		KUNIT_EXPECT_EQ(test, buf[size], 'z');
	}
	fake_unload(&fake);
}

/* --- modules that come and go --- */

/* More sites than a block of the table has: it grows by itself. */
#define RELOADED	300

static void reload_finds_the_same_ids(struct kunit *test)
{
	u32 *ids = kunit_kcalloc(test, RELOADED, sizeof(*ids), GFP_KERNEL);
	unsigned int round, i;
	struct fake fake;
	u32 count = 0;

	KUNIT_ASSERT_NOT_NULL(test, ids);
	for (round = 0; round < 4; round++) {
		fake_load(test, &fake, "fake_reload", RELOADED);
		for (i = 0; i < RELOADED; i++) {
			u32 id = site_id(&fake.sites[i]);

			KUNIT_EXPECT_NE(test, id, MPOOL_SITE_UNKNOWN);
			if (!round)
				ids[i] = id;
			KUNIT_EXPECT_EQ(test, id, ids[i]);
			KUNIT_EXPECT_TRUE(test,
					  mpool_site_of_module(id, fake.mod));
		}
		if (!round)
			count = mpool_site_count();
		KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
		fake_unload(&fake);
		KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
		for (i = 0; i < RELOADED; i++)
			KUNIT_EXPECT_FALSE(test, mpool_site_of_module(ids[i],
								      fake.mod));
	}
	KUNIT_EXPECT_EQ(test, mpool_site_count(), count);
}

/* However many are gone, few are looked at with interrupts off. */
#define GONE_SITES	2000

static void few_are_looked_at(struct kunit *test)
{
	struct fake gone, again, fresh;
	unsigned int i, most = 0;
	u32 count, *ids;

	ids = kunit_kcalloc(test, GONE_SITES, sizeof(*ids), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ids);
	fake_load(test, &gone, "fake_many", GONE_SITES);
	for (i = 0; i < GONE_SITES; i++)
		ids[i] = site_id(&gone.sites[i]);
	fake_unload(&gone);
	fake_load(test, &fresh, "fake_fresh", 1);
	site_id(&fresh.sites[0]);
	KUNIT_EXPECT_LE(test, mpool_site_looked(), 32);
	/* All are found again. */
	count = mpool_site_count();
	fake_load(test, &again, "fake_many", GONE_SITES);
	for (i = 0; i < GONE_SITES; i++) {
		KUNIT_EXPECT_EQ(test, ids[i], site_id(&again.sites[i]));
		most = max(most, mpool_site_looked());
	}
	KUNIT_EXPECT_EQ(test, count, mpool_site_count());
	KUNIT_EXPECT_LE(test, most, 32);
	KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
	fake_unload(&again);
	fake_unload(&fresh);
}

/* The same line of another module, or another line, is another site. */
static void similar_sites_differ(struct kunit *test)
{
	struct fake a, b;
	u32 id_a, id_b;

	fake_load(test, &a, "fake_similar_a", 1);
	id_a = site_id(&a.sites[0]);
	fake_unload(&a);
	fake_load(test, &b, "fake_similar_b", 1);
	id_b = site_id(&b.sites[0]);
	KUNIT_EXPECT_NE(test, id_a, id_b);
	fake_load(test, &a, "fake_similar_a", 12);
	/* The same file and function as the first, but line 87. */
	a.sites[11] = a.sites[0];
	a.sites[11].line = 87;
	KUNIT_EXPECT_NE(test, site_id(&a.sites[11]), id_a);
	KUNIT_EXPECT_EQ(test, site_id(&a.sites[0]), id_a);
	/* One that lives is not taken over by its twin. */
	a.sites[1] = a.sites[0];
	a.sites[1].id = 0;
	KUNIT_EXPECT_NE(test, site_id(&a.sites[1]), id_a);
	fake_unload(&a);
	fake_unload(&b);
	expect_text(test, id_a, "file0.c:10 func_0 [fake_similar_a]");
	expect_text(test, id_b, "file0.c:10 func_0 [fake_similar_b]");
}

/* What a gone module's sites say stays, and that it is gone. */
static void gone_module(struct kunit *test)
{
	struct mpool_site_info info;
	struct fake fake;
	u32 id;

	fake_load(test, &fake, "fake_gone", 2);
	KUNIT_EXPECT_FALSE(test, mpool_site_module_has(fake.mod));
	KUNIT_EXPECT_FALSE(test, mpool_site_module_gone(fake.mod));
	id = site_id(&fake.sites[1]);
	KUNIT_EXPECT_TRUE(test, mpool_site_module_has(fake.mod));
	mpool_site_get(id, &info);
	KUNIT_EXPECT_FALSE(test, info.gone);
	KUNIT_EXPECT_TRUE(test, mpool_site_module_gone(fake.mod));
	KUNIT_EXPECT_FALSE(test, mpool_site_module_gone(fake.mod));
	KUNIT_EXPECT_FALSE(test, mpool_site_module_has(fake.mod));
	fake_unload(&fake);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, mpool_site_get(id, &info));
	KUNIT_EXPECT_TRUE(test, info.gone);
	KUNIT_EXPECT_EQ(test, info.line, 11);
	KUNIT_EXPECT_STREQ(test, info.file, "file1.c");
	rcu_read_unlock();
	expect_text(test, id, "file1.c:11 func_1 [fake_gone]");
}

/* --- at the same time --- */

#define RACERS	3
#define RACES	200

struct racer {
	struct task_struct *task;
	struct mpool_site *sites;
	u32 ids[RACES];
	atomic_t *ready;
};

static int racer_fn(void *arg)
{
	struct racer *racer = arg;
	unsigned int i;
	char buf[96];

	atomic_dec(racer->ready);
	while (atomic_read(racer->ready))
		mpool_kunit_spin();
	for (i = 0; i < RACES; i++) {
		racer->ids[i] = site_id(&racer->sites[i]);
		mpool_site_print(racer->ids[i], buf, sizeof(buf));
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Several that use a line for the first time at once get one id. */
static void first_use_by_many(struct kunit *test)
{
	struct racer *racers = kunit_kcalloc(test, RACERS, sizeof(*racers),
					     GFP_KERNEL);
	atomic_t ready = ATOMIC_INIT(RACERS);
	struct fake fake;
	unsigned int i, r;

	KUNIT_ASSERT_NOT_NULL(test, racers);
	fake_load(test, &fake, "fake_race", RACES);
	for (r = 0; r < RACERS; r++) {
		racers[r].sites = fake.sites;
		racers[r].ready = &ready;
		racers[r].task = kthread_run(racer_fn, &racers[r], "site_racer");
		if (IS_ERR(racers[r].task))
			atomic_dec(&ready);
	}
	for (r = 0; r < RACERS; r++) {
		KUNIT_EXPECT_FALSE(test, IS_ERR(racers[r].task));
		if (IS_ERR(racers[r].task))
			continue;
		while (!READ_ONCE(racers[r].ids[RACES - 1]))
			schedule_timeout_uninterruptible(1);
		kthread_stop(racers[r].task);
		for (i = 0; i < RACES; i++)
			KUNIT_EXPECT_EQ(test, racers[r].ids[i],
					fake.sites[i].id);
	}
	KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
	fake_unload(&fake);
}

static void site_exit_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mpool_site_verify(), 0);
}

static struct kunit_case site_cases[] = {
	KUNIT_CASE(ids_are_stable),
	KUNIT_CASE(two_lines_differ),
	KUNIT_CASE(not_static),
	KUNIT_CASE(what_an_id_says),
	KUNIT_CASE(text_of_a_module),
	KUNIT_CASE(text_without_a_module),
	KUNIT_CASE(unknown_ids),
	KUNIT_CASE(short_buffers),
	KUNIT_CASE(reload_finds_the_same_ids),
	KUNIT_CASE(few_are_looked_at),
	KUNIT_CASE(similar_sites_differ),
	KUNIT_CASE(gone_module),
	KUNIT_CASE(first_use_by_many),
	{ }
};

static struct kunit_suite site_suite = {
	.name = "mpool_site",
	.exit = site_exit_case,
	.suite_exit = mpool_kunit_verified,
	.test_cases = site_cases,
};

kunit_test_suite(site_suite);
