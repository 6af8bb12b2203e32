// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recorded trace of a kernel's allocations, through kmalloc() and through the
 * global pool.
 *
 * All of it runs on one CPU: an event's CPU is not looked at.  Its format is in
 * Documentation/mpool/performance.rst.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "replay.h"

#define WORD_FREE	BIT(31)
#define WORD_SIZE	GENMASK(23, 0)

struct event {
	u32 object;
	u32 word;
};

struct trace {
	char magic[4];
	u8 version;
	u8 pad[3];
	u32 nr_events;
	u32 nr_objects;
	struct event events[];
};

static struct trace *trace;
static size_t trace_size;
static void **objects;
static u32 peak_event;		/* the first of those after the peak */
static size_t peak_bytes;

typedef void *(*replay_take)(size_t size);
typedef void (*replay_give)(void *p);

static __always_inline void *empty_take(size_t size)
{
	return bench_nothing((void *)size);
}

static __always_inline void empty_give(void *p)
{
	bench_nothing(p);
}

static __always_inline void *mpool_take(size_t size)
{
	return mpool_malloc(size, GFP_KERNEL);
}

static __always_inline void mpool_give(void *p)
{
	mpool_free(p);
}

static __always_inline void *kmalloc_take(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static __always_inline void kmalloc_give(void *p)
{
	kfree(p);
}

static __always_inline bool replay(u32 from, u32 to, replay_take take,
				   replay_give give)
{
	const struct event *event = trace->events + from;
	const struct event *end = trace->events + to;
	bool good = true;

	for (; event < end; event++) {
		if (event->word & WORD_FREE) {
			give(objects[event->object]);
		} else {
			void *p = take(event->word & WORD_SIZE);

			if (unlikely(!p))
				good = false;
			objects[event->object] = p;
		}
	}
	return good;
}

static __always_inline u64 replay_all(replay_take take, replay_give give)
{
	u64 start = bench_now();

	if (!replay(0, trace->nr_events, take, give))
		return BENCH_FAILED;
	return bench_now() - start;
}

u64 bench_replay_empty(struct bench_ctx *ctx)
{
	return replay_all(empty_take, empty_give);
}

u64 bench_replay_mpool(struct bench_ctx *ctx)
{
	return replay_all(mpool_take, mpool_give);
}

u64 bench_replay_kmalloc(struct bench_ctx *ctx)
{
	return replay_all(kmalloc_take, kmalloc_give);
}

/* Slab pages of the whole system, when the CPUs' own counts are in the sum. */
static size_t slab_held(void)
{
	msleep(3000);
	return (global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B)) <<
	       PAGE_SHIFT;
}

static void say_held(struct bench_ctx *ctx, enum bench_alloc alloc, size_t held)
{
	bench_say(ctx, alloc, 100ull * held, "bytes-at-peak");
	bench_say(ctx, alloc, held * 10000ull / peak_bytes,
		  "percent-of-requested");
}

/*
 * In a machine that has just booted.  What slabs have free before the first
 * event is not counted for kmalloc(), while mpool is charged all it has.
 */
static void say_peak(struct bench_ctx *ctx)
{
	size_t held, before = slab_held();

	replay(0, peak_event, kmalloc_take, kmalloc_give);
	held = slab_held() - before;
	replay(peak_event, trace->nr_events, kmalloc_take, kmalloc_give);
	say_held(ctx, BENCH_KMALLOC, held);
	replay(0, peak_event, mpool_take, mpool_give);
	held = mpool_footprint();
	replay(peak_event, trace->nr_events, mpool_take, mpool_give);
	say_held(ctx, BENCH_MPOOL, held);
	bench_say(ctx, BENCH_EMPTY, 100ull * peak_bytes,
		  "bytes-at-peak");
}

/* Is the trace whole?  Each object allocated once, then freed once. */
static bool trace_good(size_t size, u32 *sizes)
{
	size_t live = 0;
	u32 i;

	if (size < sizeof(*trace) || memcmp(trace->magic, "MPTR", 4) ||
	    trace->version != 1 || !trace->nr_events || !trace->nr_objects ||
	    size != struct_size(trace, events, trace->nr_events))
		return false;
	for (i = 0; i < trace->nr_events; i++) {
		const struct event *event = &trace->events[i];
		u32 *bytes = &sizes[event->object];

		if (event->object >= trace->nr_objects ||
		    !(event->word & WORD_FREE) != !*bytes)
			return false;
		if (event->word & WORD_FREE) {
			live -= *bytes - 1;
			*bytes = 0;
			continue;
		}
		*bytes = (event->word & WORD_SIZE) + 1;
		live += *bytes - 1;
		if (live > peak_bytes) {
			peak_bytes = live;
			peak_event = i + 1;
		}
	}
	return peak_bytes;
}

void bench_replay_teardown(struct bench_ctx *ctx)
{
	vfree(objects);
	objects = NULL;
}

int bench_replay_setup(struct bench_ctx *ctx)
{
	u32 *sizes = NULL;
	bool good = false;

	if (trace_size >= sizeof(*trace)) {
		objects = vcalloc(trace->nr_objects, sizeof(*objects));
		sizes = vcalloc(trace->nr_objects, sizeof(*sizes));
	}
	peak_bytes = 0;
	if (objects && sizes)
		good = trace_good(trace_size, sizes);
	vfree(sizes);
	if (!good) {
		bench_replay_teardown(ctx);
		return -EINVAL;
	}
	ctx->pairs = trace->nr_events;
	say_peak(ctx);
	return 0;
}

/* In the context of a process: a kernel thread need not see its files. */
void bench_replay_load(const char *name)
{
	struct file *file = filp_open(name, O_RDONLY | O_LARGEFILE, 0);
	loff_t pos = 0;
	size_t size;

	if (IS_ERR(file)) {
		pr_info("%s: no trace: %ld\n", name, PTR_ERR(file));
		return;
	}
	size = i_size_read(file_inode(file));
	trace = size && size <= INT_MAX ? vmalloc(size) : NULL;
	if (trace && kernel_read(file, trace, size, &pos) == size)
		trace_size = size;
	filp_close(file, NULL);
}

void bench_replay_unload(void)
{
	vfree(trace);
}
