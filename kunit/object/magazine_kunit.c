// SPDX-License-Identifier: GPL-2.0-only
/*
 * Magazines: objects that lie with another CPU, the edges of a magazine, the
 * bounds of idle memory, and frees that happen twice.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fixed.h"
#include "helpers.h"
#include "small.h"
#include "trim.h"

#define NAME	"kt-magazine"

struct job {
	struct mpool_fixed *pool;
	void **objs;
	unsigned int n, done;
};

static long alloc_job(void *arg)
{
	struct job *job = arg;

	for (job->done = 0; job->done < job->n; job->done++) {
		job->objs[job->done] = mpool_fixed_alloc(job->pool, GFP_KERNEL);
		if (!job->objs[job->done])
			break;
	}
	return job->done;
}

static long free_job(void *arg)
{
	struct job *job = arg;

	mpool_fixed_free_bulk(job->pool, job->n, job->objs);
	return 0;
}

static unsigned int last_cpu(void)
{
	return cpumask_last(cpu_online_mask);
}

static unsigned int cached_on(struct mpool_fixed *pool, unsigned int cpu)
{
	return mpool_cache_objects(per_cpu_ptr(pool->caches, cpu));
}

static void freed_on_another_cpu(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	void **objs = kunit_kcalloc(test, 400, sizeof(*objs), GFP_KERNEL);
	struct job job = { .pool = pool, .objs = objs, .n = 400 };
	int round;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (round = 0; round < 10; round++) {
		KUNIT_ASSERT_EQ(test,
				work_on_cpu(round % 2 ? last_cpu() : 0,
					    alloc_job, &job), 400);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 400);
		work_on_cpu(round % 2 ? 0 : last_cpu(), free_job, &job);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
	KUNIT_EXPECT_GT(test, cached_on(pool, 0), 0);
	mpool_fixed_drain(pool);
	KUNIT_EXPECT_EQ(test, cached_on(pool, 0), 0);
	KUNIT_EXPECT_EQ(test, cached_on(pool, last_cpu()), 0);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_objs, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* What another CPU has put by is found before an allocation fails. */
static void found_with_another_cpu(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, "kt-region", 8);
	struct mpool_fixed_args args = { .large = region };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1024, &args);
	void *objs[64];
	struct job job = { .pool = pool, .objs = objs, .n = 64 };
	long n;

	n = work_on_cpu(0, alloc_job, &job);
	KUNIT_ASSERT_GT(test, n, 16);
	KUNIT_ASSERT_LT(test, n, 64);
	job.n = n;
	work_on_cpu(last_cpu(), free_job, &job);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, n, work_on_cpu(0, alloc_job, &job));
	KUNIT_EXPECT_NULL(test, mpool_fixed_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	work_on_cpu(0, free_job, &job);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

static int edge(struct mpool_fixed *pool, void **objs, unsigned int n)
{
	int round, bad = 0;

	for (round = 0; round < 3; round++) {
		bad += mpool_fixed_alloc_bulk(pool, GFP_KERNEL, n, objs) != n;
		bad += mpool_fixed_live(pool) != n;
		mpool_fixed_free_bulk(pool, n, objs);
		bad += mpool_fixed_verify(pool);
	}
	return bad;
}

/* Every number of objects around the edges of one and two magazines. */
static void edges_of_a_magazine(struct kunit *test)
{
	static const size_t sizes[] = { 64, 512, 2048, 4096 };
	struct mpool_fixed *pool;
	unsigned int i, cap, n, bad = 0;
	void **objs = kunit_kcalloc(test, 200, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pool = mpool_kunit_fixed(test, NAME, sizes[i], NULL);
		cap = pool->mags.cap;
		KUNIT_ASSERT_GT(test, cap, 0);
		for (n = max(cap - 1, 1u); n <= 2 * cap + 1 && n < 200; n++)
			bad += edge(pool, objs, n);
		KUNIT_EXPECT_EQ(test, bad, 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	}
}

/* CHUNK_KEEP in chunk.c. */
#define KEPT_PAGES	(SZ_512K >> PAGE_SHIFT)

/* The pages that a pool without a live object may have. */
static unsigned long idle_bound(struct mpool_fixed *pool)
{
	unsigned long objs = 2ul * pool->mags.cap * num_online_cpus();
	bool class = pool->chunks.owner != &pool->base;

	/* A chunk for each object in a magazine, and the empty ones. */
	return objs * pool->chunks.npages +
	       max(class ? 0ul : KEPT_PAGES, pool->chunks.npages);
}

static void expect_idle(struct kunit *test, struct mpool_fixed *pool, unsigned long most)
{
	/* One that was freed last may have become empty since. */
	mpool_chunks_reclaim_surplus(&pool->chunks);
	KUNIT_EXPECT_LE(test, pool->chunks.nr_empty, most);
	KUNIT_EXPECT_LE(test, pool->chunks.nr_pages, idle_bound(pool));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* A burst of a class goes back at once, except for magazines and one chunk. */
static void burst_of_a_class_goes_back(struct kunit *test)
{
	struct mpool_small *small = mpool_kunit_small(test, NAME, NULL);
	void **objs = kunit_kcalloc(test, 1000, sizeof(*objs), GFP_KERNEL);
	struct mpool_fixed *class;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < 1000; i++)
		objs[i] = mpool_small_alloc(small, 1024, GFP_KERNEL);
	class = small->classes[mpool_small_class(1024)];
	KUNIT_ASSERT_NOT_NULL(test, class);
	KUNIT_EXPECT_GE(test, class->chunks.nr_pages, 250);
	for (i = 0; i < 1000; i++)
		mpool_small_free(small, objs[i]);
	expect_idle(test, class, 1);
}

/* A burst goes back at once, except for magazines and the chunks that are kept. */
static void burst_goes_back(struct kunit *test)
{
	static const size_t sizes[] = { 64, 700, 1024, 3072, 4096, 5000, 65536 };
	unsigned int i, n = 1000;
	void **objs = kunit_kcalloc(test, n, sizeof(*objs), GFP_KERNEL);
	struct mpool_fixed *pool;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i] > PAGE_SIZE ? 100 : 1000;
		pool = mpool_kunit_fixed(test, NAME, sizes[i], NULL);
		KUNIT_ASSERT_EQ(test, n, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, n, objs));
		mpool_fixed_free_bulk(pool, n, objs);
		expect_idle(test, pool, max(1ul, KEPT_PAGES / pool->chunks.npages));
		mpool_fixed_destroy(mpool_kunit_own_fixed(test, pool));
	}
}

/*
 * Of 1000 objects of 1024 bytes 100 stay.  No more pages are held than those
 * have, and those of the objects in magazines.
 */
static void survivors_hold_their_pages(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1024, NULL);
	unsigned int i, left = 0, n = 1000;
	void **objs = kunit_kcalloc(test, n, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_ASSERT_EQ(test, n, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, n, objs));
	for (i = 0; i < n; i++) {
		if (i * 7919 % 10 == 0) {
			objs[left++] = objs[i];
			continue;
		}
		mpool_fixed_free(pool, objs[i]);
	}
	KUNIT_EXPECT_EQ(test, left, 100);
	KUNIT_EXPECT_LE(test, pool->chunks.nr_pages, left + idle_bound(pool));
	mpool_fixed_free_bulk(pool, left, objs);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* What a pool keeps for its next burst goes to another before that has to fail. */
static void empty_chunks_are_for_all(struct kunit *test)
{
	struct mpool_large *region = mpool_kunit_region(test, "kt-region", 64);
	struct mpool_fixed_args args = { .large = region };
	struct mpool_fixed *one = mpool_kunit_fixed(test, NAME, 1024, &args);
	struct mpool_fixed *two = mpool_kunit_fixed(test, NAME "-2", 2048, &args);
	void **objs = kunit_kcalloc(test, 256, sizeof(*objs), GFP_KERNEL);
	struct job job = { .pool = one, .objs = objs, .n = 256 };
	struct mpool_count count;
	unsigned int n, kept;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	n = alloc_job(&job);
	KUNIT_ASSERT_GT(test, n, 200);
	job.n = n;
	free_job(&job);
	kept = one->chunks.nr_empty;
	KUNIT_EXPECT_GE(test, kept, 1);
	KUNIT_EXPECT_EQ(test, kept, atomic_read(&region->nr_empty));
	job = (struct job){ .pool = two, .objs = objs, .n = 128 };
	n = alloc_job(&job);
	KUNIT_EXPECT_EQ(test, one->chunks.nr_empty, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&region->nr_empty), 0);
	one->base.ops->count(&one->base, &count);
	/* All but what lies with the CPU. */
	KUNIT_EXPECT_GE(test, n * 2 + count.capacity, 240);
	job.n = n;
	free_job(&job);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(one), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(two), 0);
	KUNIT_EXPECT_EQ(test, mpool_large_verify(region), 0);
}

/* Of the pool's loaded magazines, whichever CPU this ran on. */
static unsigned int longest_loaded(struct mpool_fixed *pool)
{
	unsigned int cpu, cap = 0;

	for_each_possible_cpu(cpu)
		cap = max(cap, per_cpu_ptr(pool->caches, cpu)->loaded->cap);
	return cap;
}

/* Magazines are short as long as there are few objects. */
static void magazines_grow(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 512, NULL);
	void **objs = kunit_kcalloc(test, 400, sizeof(*objs), GFP_KERNEL);
	unsigned int n, cap[2];

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (n = 4; n <= 400; n *= 100) {
		KUNIT_ASSERT_EQ(test, n, mpool_fixed_alloc_bulk(pool, GFP_KERNEL,
								n, objs));
		mpool_fixed_free_bulk(pool, n, objs);
		cap[n > 4] = longest_loaded(pool);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
	KUNIT_EXPECT_LE(test, cap[0], 2);
	KUNIT_EXPECT_EQ(test, cap[1], pool->mags.cap);
	KUNIT_EXPECT_EQ(test, pool->mags.cap, 8);
	mpool_fixed_drain(pool);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->mags.bytes), 0);
}

/* At most 4 KiB of objects lie in a magazine. */
static void length_of_magazines(struct kunit *test)
{
	static const u32 sizes[][2] = {
		{ 8, 31 }, { 128, 31 }, { 136, 30 }, { 512, 8 }, { 1024, 4 }, { 2048, 2 },
		{ 2056, 1 }, { 4096, 1 }, { 4104, 0 }, { 65536, 0 },
	};
	struct mpool_magazines mags = { };
	unsigned int i, nr, cap;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mpool_magazines_init(&mags, sizes[i][0], false);
		if (IS_ENABLED(CONFIG_64BIT))
			KUNIT_EXPECT_EQ(test, mags.cap, sizes[i][1]);
		for (nr = 0; nr < 300; nr++) {
			cap = mpool_magazine_cap(&mags, nr);
			KUNIT_EXPECT_LE(test, cap, mags.cap);
			KUNIT_EXPECT_LE(test, cap, max(nr / 4, 2u));
			KUNIT_EXPECT_GE(test, cap, min(mags.cap, 2u));
		}
		mpool_magazines_init(&mags, sizes[i][0], true);
		for (nr = 0; nr < 3000; nr++)
			KUNIT_EXPECT_LE(test, 2 * mpool_magazine_cap(&mags, nr) *
					num_online_cpus(), nr / 32);
	}
}

static void no_cache_has_none(struct kunit *test)
{
	struct mpool_fixed_args args = { .flags = MPOOL_FIXED_NO_CACHE };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, &args);
	void **objs = kunit_kcalloc(test, 300, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_EXPECT_EQ(test, pool->mags.cap, 0);
	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 300, objs),
			300);
	mpool_fixed_free_bulk(pool, 300, objs);
	KUNIT_EXPECT_EQ(test, cached_on(pool, 0) + cached_on(pool, last_cpu()),
			0);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_free, pool->chunks.nr_objs);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* A pool that was used keeps its magazines; one that was not loses them. */
static void idle_pool_loses_all(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	unsigned int n = 300;
	void **objs = kunit_kcalloc(test, n, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_ASSERT_EQ(test, n, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, n,
							objs));
	mpool_fixed_free_bulk(pool, n, objs);
	mpool_trim_pass();
	KUNIT_EXPECT_GT(test, cached_on(pool, 0) + cached_on(pool, last_cpu()), 0);
	KUNIT_EXPECT_GT(test, atomic_long_read(&pool->mags.bytes), 0);
	mpool_trim_pass();
	KUNIT_EXPECT_EQ(test, cached_on(pool, 0) + cached_on(pool, last_cpu()), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool->mags.bytes), 0);
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_objs, 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* Under pressure free objects go at once, and nothing else does. */
static void pressure_takes_what_is_free(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1024, NULL);
	void *objs[64];

	KUNIT_ASSERT_EQ(test,
			mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 64, objs), 64);
	mpool_fixed_free_bulk(pool, 63, objs + 1);
	KUNIT_EXPECT_GT(test, mpool_trim_all(), 0);
	KUNIT_EXPECT_LT(test, pool->chunks.nr_objs, 64);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 1);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	mpool_fixed_free(pool, objs[0]);
	mpool_trim_all();
	KUNIT_EXPECT_EQ(test, pool->chunks.nr_objs, 0);
}

static unsigned long idle_bytes(struct mpool_fixed *pool)
{
	return atomic_long_read(&pool->mags.bytes) + pool->chunks.nr_pages * PAGE_SIZE;
}

/* Makes chunks of @pool, one for each object; all on this CPU. */
static long grow_job(void *arg)
{
	struct job *job = arg;
	struct mpool_fixed *other = job->objs[0];
	void *p;

	for (job->done = 0; job->done < job->n; job->done++) {
		job->objs[job->done] = mpool_fixed_alloc(job->pool, GFP_KERNEL);
		if (!job->objs[job->done])
			break;
		if (!other)
			continue;
		p = mpool_fixed_alloc(other, GFP_KERNEL);
		mpool_fixed_free(other, p);
	}
	return job->done;
}

/*
 * A pool that makes chunks takes the idle memory of another over the same large pool, but
 * only if this CPU does not use that.
 */
static void idle_pools_have_their_turn(struct kunit *test)
{
	struct mpool_large *large = mpool_kunit_region(test, "kt-turn", 1024);
	struct mpool_fixed_args args = { .large = large };
	struct mpool_fixed *busy = mpool_kunit_fixed(test, NAME, 4096, &args);
	struct mpool_fixed *idle = mpool_kunit_fixed(test, NAME "-2", 64, &args);
	void **objs = kunit_kcalloc(test, 400, sizeof(*objs), GFP_KERNEL);
	struct job job = { .pool = idle, .objs = objs };
	bool used;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (used = true; ; used = false) {
		job = (struct job){ .pool = idle, .objs = objs, .n = 300 };
		work_on_cpu(0, alloc_job, &job);
		KUNIT_ASSERT_EQ(test, job.done, 300);
		work_on_cpu(0, free_job, &job);
		KUNIT_EXPECT_GT(test, atomic_long_read(&idle->mags.bytes), 0);
		KUNIT_EXPECT_GT(test, idle->chunks.nr_pages, 0);
		job = (struct job){ .pool = busy, .objs = objs, .n = 400 };
		objs[0] = used ? idle : NULL;
		KUNIT_ASSERT_EQ(test, work_on_cpu(0, grow_job, &job), 400);
		if (used)
			KUNIT_EXPECT_GT(test, idle_bytes(idle), 0);
		else
			KUNIT_EXPECT_EQ(test, idle_bytes(idle), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(idle), 0);
		work_on_cpu(0, free_job, &job);
		if (!used)
			break;
	}
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(busy), 0);
}

/* An interrupt that finds the cache in use goes round it. */
static void busy_cache_is_left_alone(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	struct mpool_cache *cache;
	void *objs[10], *warm;
	unsigned int had, has;

	warm = mpool_fixed_alloc(pool, GFP_KERNEL);
	preempt_disable();
	cache = mpool_cache_enter(pool->caches);
	had = mpool_cache_objects(cache);
	if (mpool_fixed_alloc_bulk(pool, GFP_ATOMIC, 10, objs) == 10)
		mpool_fixed_free_bulk(pool, 10, objs);
	has = mpool_cache_objects(cache);
	mpool_cache_leave(cache);
	preempt_enable();
	KUNIT_EXPECT_GT(test, had, 0);
	KUNIT_EXPECT_EQ(test, had, has);
	mpool_fixed_free(pool, warm);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/* --- frees that happen twice --- */

static void double_free_wherever_it_lies(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	void **objs = kunit_kcalloc(test, 400, sizeof(*objs), GFP_KERNEL);
	struct job job = { .pool = pool, .objs = objs, .n = 400 };
	unsigned int i, refused = 0;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_ASSERT_EQ(test, work_on_cpu(0, alloc_job, &job), 400);
	work_on_cpu(0, free_job, &job);
	/* In the loaded magazine, the spare, on free lists. */
	work_on_cpu(last_cpu(), free_job, &job);
	refused += 400;
	mpool_fixed_drain(pool);
	KUNIT_EXPECT_EQ(test, refused, mpool_kunit_bad(&pool->base));
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	for (i = 0; i < 400; i++)
		mpool_free(objs[i]);
	KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
	KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
}

/*
 * Two CPUs that free an object at the same moment both find it live.  This is
 * what memory is like when both are done.
 */
static void free_twice_at_once(struct mpool_fixed *pool, void *obj)
{
	u16 *state = mpool_chunk_state(mpool_chunk_find(obj),
				       (unsigned long)obj);
	u16 site = *state;

	mpool_fixed_free(pool, obj);
	WRITE_ONCE(*state, site);
	mpool_fixed_free(pool, obj);
}

/* Nobody shares an object, however many are asked for. */
static void expect_no_sharing(struct kunit *test, struct mpool_fixed *pool,
			      unsigned int n)
{
	void **objs = kunit_kcalloc(test, n, sizeof(*objs), GFP_KERNEL);
	unsigned int i, shared = 0;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < n; i++) {
		objs[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		*(u32 *)objs[i] = i;
	}
	for (i = 0; i < n; i++)
		shared += *(u32 *)objs[i] != i;
	KUNIT_EXPECT_EQ(test, shared, 0);
	mpool_fixed_free_bulk(pool, n, objs);
	kunit_kfree(test, objs);
}

static void freed_twice_at_once(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 64, NULL);
	void *objs[20];
	int i, drain;

	for (drain = 0; drain < 2; drain++) {
		KUNIT_ASSERT_EQ(test,
				mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 20, objs),
				20);
		for (i = 0; i < 20; i += 2)
			free_twice_at_once(pool, objs[i]);
		if (drain)
			mpool_fixed_drain(pool);
		expect_no_sharing(test, pool, 300);
		for (i = 1; i < 20; i += 2) {
			KUNIT_EXPECT_TRUE(test, mpool_fixed_owns(pool,
								 objs[i]));
			mpool_fixed_free(pool, objs[i]);
		}
		mpool_fixed_drain(pool);
		KUNIT_EXPECT_EQ(test, 10 * (drain + 1),
				mpool_kunit_bad(&pool->base));
		KUNIT_EXPECT_EQ(test, mpool_fixed_live(pool), 0);
		KUNIT_EXPECT_EQ(test, mpool_fixed_verify(pool), 0);
	}
}

/* Objects that were freed a moment ago are counted for reclaim. */
static void count_is_not_old(struct kunit *test)
{
	const struct mpool_fixed_args args = { .flags = MPOOL_FIXED_NO_CACHE };
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 256, &args);
	void **objs = kunit_kcalloc(test, 640, sizeof(*objs), GFP_KERNEL);
	unsigned long before;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < 640; i++) {
		objs[i] = mpool_fixed_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	before = mpool_trim_count();
	/* Each chunk keeps some objects. */
	for (i = 0; i < 640; i++)
		if (i % 8)
			mpool_fixed_free(pool, objs[i]);
	KUNIT_EXPECT_GE(test, mpool_trim_count(), before + 560 * 256 / PAGE_SIZE);
	for (i = 0; i < 640; i += 8)
		mpool_fixed_free(pool, objs[i]);
}

struct trim_job {
	struct work_struct work;
	struct completion begun;
	unsigned long pages;
};

static void trim_job_fn(struct work_struct *work)
{
	struct trim_job *job = container_of(work, struct trim_job, work);

	complete(&job->begun);
	job->pages = mpool_trim_all();
}

/*
 * Reclaim does not give up because another task has mpool_trim_mutex.  A slow host may
 * keep this task away from its unlock for too long, so there are some tries.
 */
static void reclaim_waits_for_a_pass(struct kunit *test)
{
	struct mpool_fixed *pool = mpool_kunit_fixed(test, NAME, 1024, NULL);
	struct trim_job job = { };
	unsigned int try;
	void *objs[64];

	INIT_WORK_ONSTACK(&job.work, trim_job_fn);
	init_completion(&job.begun);
	for (try = 0; try < 20 && !job.pages; try++) {
		KUNIT_ASSERT_EQ(test, mpool_fixed_alloc_bulk(pool, GFP_KERNEL, 64, objs),
				64);
		mpool_fixed_free_bulk(pool, 64, objs);
		mutex_lock(&mpool_trim_mutex);
		reinit_completion(&job.begun);
		schedule_work(&job.work);
		wait_for_completion(&job.begun);
		schedule_timeout_uninterruptible(1);
		mutex_unlock(&mpool_trim_mutex);
		flush_work(&job.work);
	}
	KUNIT_EXPECT_GT(test, job.pages, 0);
	destroy_work_on_stack(&job.work);
}

static struct kunit_case magazine_cases[] = {
	KUNIT_CASE(freed_on_another_cpu),
	KUNIT_CASE(found_with_another_cpu),
	KUNIT_CASE(edges_of_a_magazine),
	KUNIT_CASE(length_of_magazines),
	KUNIT_CASE(burst_goes_back),
	KUNIT_CASE(burst_of_a_class_goes_back),
	KUNIT_CASE(survivors_hold_their_pages),
	KUNIT_CASE(empty_chunks_are_for_all),
	KUNIT_CASE(magazines_grow),
	KUNIT_CASE(idle_pool_loses_all),
	KUNIT_CASE(idle_pools_have_their_turn),
	KUNIT_CASE(pressure_takes_what_is_free),
	KUNIT_CASE(no_cache_has_none),
	KUNIT_CASE(busy_cache_is_left_alone),
	KUNIT_CASE(count_is_not_old),
	KUNIT_CASE(reclaim_waits_for_a_pass),
	KUNIT_CASE(double_free_wherever_it_lies),
	KUNIT_CASE(freed_twice_at_once),
	{ }
};

static struct kunit_suite magazine_suite = {
	.name = "mpool_magazine",
	.suite_exit = mpool_kunit_verified,
	.test_cases = magazine_cases,
};

kunit_test_suite(magazine_suite);
