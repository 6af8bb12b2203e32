// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: the tree of files.
 *
 *	/sys/kernel/debug/mpool/pools		0444  one line for each pool
 *	                       /leaks		0400  the leak reports so far
 *	                       /<pool>/stats	0444  figures of a pool
 *	                       /<pool>/sites	0444  live objects by call site
 *	                       /<pool>/objects	0400  live objects, one by one
 *	                       /<pool>/map	0444  pages of a large pool
 *	                       /<pool>~1/	      of the first orphan of that name
 *
 * Files that show addresses are 0400.  No file can be written: under lockdown only such
 * files may be opened.
 *
 * Structure: the registry calls this file when a pool is added or removed (mpool_hooks).
 * If a file cannot be created, that is ignored.
 *
 * Invariant: the directory of a pool is there exactly as long as the pool may be read,
 * because the removal of a file waits for its readers.
 *
 * Locking: registry_mutex for root and the directories of pools.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debugfs.h"
#include "large.h"
#include "leaks.h"
#include "map.h"
#include "show.h"

static struct dentry *root;	/* NULL: there are no files; registry_mutex */

static int pools_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };

	mpool_show_pools(&out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

static int leaks_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };

	mpool_leaks_show(&out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(leaks);

static int stats_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };

	mpool_show_stats(&out, seq->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int sites_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };

	mpool_show_sites(&out, seq->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

/*
 * The file objects may be long: open() takes a snapshot, which is then read line by line.
 */
static void *objects_start(struct seq_file *seq, loff_t *pos)
{
	struct mpool_snap *snap = seq->private;

	return *pos < snap->n ? &snap->objs[*pos] : NULL;
}

static void *objects_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return objects_start(seq, pos);
}

static void objects_stop(struct seq_file *seq, void *v)
{
}

static int objects_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };
	const struct mpool_snap *snap = seq->private;

	mpool_show_object(&out, snap->pool, v);
	return 0;
}

static const struct seq_operations objects_seq = {
	.start = objects_start,
	.next = objects_next,
	.stop = objects_stop,
	.show = objects_show,
};

static int objects_open(struct inode *inode, struct file *file)
{
	struct mpool_snap *snap = mpool_snap(inode->i_private);
	int err;

	if (!snap)
		return -ENOMEM;
	err = seq_open(file, &objects_seq);
	if (err)
		kvfree(snap);
	else
		((struct seq_file *)file->private_data)->private = snap;
	return err;
}

static int objects_release(struct inode *inode, struct file *file)
{
	kvfree(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

static const struct file_operations objects_fops = {
	.owner = THIS_MODULE,
	.open = objects_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = objects_release,
};

/* The file map: the header, then one arena at a time, under RCU. */
static void *map_start(struct seq_file *seq, loff_t *pos)
{
	struct mpool_large *large = seq->private;
	struct mpool_arena *arena;
	loff_t n = *pos;

	rcu_read_lock();
	if (!n)
		return SEQ_START_TOKEN;
	list_for_each_entry_rcu(arena, &large->arenas, list)
		if (!--n)
			return arena;
	return NULL;
}

static void *map_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct mpool_large *large = seq->private;
	struct list_head *next;

	++*pos;
	if (v == SEQ_START_TOKEN)
		next = rcu_dereference(list_next_rcu(&large->arenas));
	else
		next = rcu_dereference(list_next_rcu(&((struct mpool_arena *)
						       v)->list));
	return next == &large->arenas ? NULL :
		list_entry(next, struct mpool_arena, list);
}

static void map_stop(struct seq_file *seq, void *v)
{
	rcu_read_unlock();
}

static int map_show(struct seq_file *seq, void *v)
{
	struct mpool_out out = { .seq = seq };

	if (v == SEQ_START_TOKEN)
		mpool_map_header(&out, seq->private);
	else
		mpool_map_arena(&out, v, seq->index - 1);
	return 0;
}

static const struct seq_operations map_sops = {
	.start = map_start,
	.next = map_next,
	.stop = map_stop,
	.show = map_show,
};
DEFINE_SEQ_ATTRIBUTE(map);

/* The files of a pool, if there are any; registry_mutex is held. */
void mpool_debugfs_added(struct mpool_pool *pool)
{
	char name[MPOOL_NAME_LEN + 12];

	if (!root)
		return;
	/* Another pool may have the name of an orphan. */
	if (pool->nth)
		snprintf(name, sizeof(name), "%s~%u", pool->name, pool->nth);
	else
		strscpy(name, pool->name, sizeof(name));
	pool->dir = debugfs_create_dir(name, root);
	debugfs_create_file("stats", 0444, pool->dir, pool, &stats_fops);
	debugfs_create_file("sites", 0444, pool->dir, pool, &sites_fops);
	debugfs_create_file("objects", 0400, pool->dir, pool, &objects_fops);
	if (pool->ops->kind == MPOOL_KIND_LARGE)
		debugfs_create_file("map", 0444, pool->dir, to_large(pool), &map_fops);
}

void mpool_debugfs_removed(struct mpool_pool *pool)
{
	debugfs_remove(pool->dir);
	pool->dir = NULL;
}

void mpool_debugfs_init(void)
{
	struct list_head *pools = mpool_registry_lock();
	struct mpool_pool *pool;

	root = debugfs_create_dir("mpool", NULL);
	debugfs_create_file("pools", 0444, root, NULL, &pools_fops);
	debugfs_create_file("leaks", 0400, root, NULL, &leaks_fops);
	list_for_each_entry(pool, pools, list)
		mpool_debugfs_added(pool);
	mpool_registry_unlock();
}

void mpool_debugfs_exit(void)
{
	struct list_head *pools = mpool_registry_lock();
	struct dentry *dir = root;
	struct mpool_pool *pool;

	list_for_each_entry(pool, pools, list)
		mpool_debugfs_removed(pool);
	root = NULL;
	mpool_registry_unlock();
	/* Not under the lock: a reader of the file pools waits for that. */
	debugfs_remove(dir);
}
