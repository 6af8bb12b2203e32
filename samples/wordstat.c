// SPDX-License-Identifier: GPL-2.0-only
/*
 * wordstat: a driver that counts words, to show how a driver uses mpool.
 *
 *	cat text >/dev/wordstat		counts the words of the text
 *	cat more >>/dev/wordstat	adds those of another one
 *	cat /dev/wordstat		shows "count word", the most frequent first
 *
 * A word is a longest sequence of bytes of which none is a space, a tab, a
 * newline, \v, \f, \r or NUL.  It may be spread over several writes to one open
 * file, and ends when the file is closed.  Of a word longer than WORD_MAX bytes
 * the rest is ignored.  Opening with O_TRUNC, as the shell's ">" does, sets all
 * counts back to nothing.  Equal counts are sorted by the bytes of the words.
 *
 * An open file shows the counts as they were at its first read, so that reads at
 * any offset fit together.  They are one run of pages; where the page allocator has
 * none as long, beyond 4 MiB at the latest, which is 262144 different words, it is
 * one that is contiguous for the CPU only: MPOOL_LARGE_VIRT.
 *
 * Each kind of memory comes from the pool that is made for it:
 *
 *	string	the words, one copy of each; pointers tell them apart
 *	fixed	the counters, a tree by the pointer of the word
 *	small	buffers for what is written, as long as the write
 *	large	the table of results, sorted when it is read
 *	global	what belongs to an open file: mpool_new(), mpool_malloc()
 *
 * With leak=1 it forgets to free some objects of each, so that there is
 * something to report when it is unloaded.
 *
 * Locking: wordstat_lock for the tree; file->lock for the word that a file is in
 * the middle of, taken first; the result of a file is protected by its seq_file.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mpool.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define WORD_MAX	1024
#define BUFFER_MAX	16384

struct counter {
	struct rb_node node;
	const char *word;	/* a reference of ours */
	unsigned long count;
};

struct result {
	const char *word;	/* a reference of ours */
	unsigned long count;
};

/* The counts at one moment. */
struct results {
	size_t nr;
	struct result *table;
};

struct wordstat_file {
	struct mutex lock;		/* protects word and len */
	char *word;			/* the one that has not ended yet */
	size_t len;
	struct results *results;	/* NULL until the first read */
};

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "Forget to free some objects of each kind");

static struct mpool_string *words;
static struct mpool_fixed *counters;
static struct mpool_small *buffers;
static struct mpool_large *tables;

/* Protects the tree and the counters in it. */
static DEFINE_MUTEX(wordstat_lock);
static struct rb_root counter_tree = RB_ROOT;
static size_t nr_counters;

/* --- what leak=1 forgets --- */

enum forgettable { FORGET_COUNTER, FORGET_BUFFER, FORGET_TABLE, FORGET_FILE };

static atomic_t forgettable[] = {
	[FORGET_COUNTER]	= ATOMIC_INIT(3),
	[FORGET_BUFFER]		= ATOMIC_INIT(1),
	[FORGET_TABLE]		= ATOMIC_INIT(1),
	[FORGET_FILE]		= ATOMIC_INIT(2),
};

/* Shall this one not be freed?  Only with leak=1, and only the first few. */
static bool forget(enum forgettable kind)
{
	return leak && atomic_add_unless(&forgettable[kind], -1, 0);
}

/* --- counting --- */

static int counter_cmp(const void *word, const struct rb_node *node)
{
	const char *other = rb_entry(node, struct counter, node)->word;

	return (const char *)word < other ? -1 : (const char *)word > other;
}

static bool counter_less(struct rb_node *a, const struct rb_node *b)
{
	return counter_cmp(rb_entry(a, struct counter, node)->word, b) < 0;
}

/* The counter of @word; a new one takes over the reference to it. */
static int counter_new(const char *word)
{
	struct counter *counter;

	counter = mpool_fixed_alloc(counters, GFP_KERNEL);
	if (!counter)
		return -ENOMEM;
	counter->word = word;
	counter->count = 1;
	rb_add(&counter->node, &counter_tree, counter_less);
	nr_counters++;
	return 0;
}

static int count_word(const char *s, size_t len)
{
	struct rb_node *node;
	const char *word;
	int err = 0;

	word = mpool_string_getn(words, s, len, GFP_KERNEL);
	if (!word)
		return -ENOMEM;
	mutex_lock(&wordstat_lock);
	node = rb_find(word, &counter_tree, counter_cmp);
	if (node)
		rb_entry(node, struct counter, node)->count++;
	else
		err = counter_new(word);
	mutex_unlock(&wordstat_lock);
	/* The counter has its own reference. */
	if (node || err)
		mpool_string_put(words, word);
	return err;
}

static void counters_reset(void)
{
	struct counter *counter, *next;

	mutex_lock(&wordstat_lock);
	rbtree_postorder_for_each_entry_safe(counter, next, &counter_tree,
					     node) {
		if (forget(FORGET_COUNTER))
			continue;
		mpool_string_put(words, counter->word);
		mpool_fixed_free(counters, counter);
	}
	counter_tree = RB_ROOT;
	nr_counters = 0;
	mutex_unlock(&wordstat_lock);
}

/* --- writing --- */

static bool is_separator(char c)
{
	/* Not isspace(), which takes a byte of UTF-8 for a Latin-1 space. */
	return c == ' ' || (c >= '\t' && c <= '\r') || !c;
}

/* Counts the word that has ended, if there is one. */
static int word_end(struct wordstat_file *file)
{
	int err;

	if (!file->len)
		return 0;
	err = count_word(file->word, file->len);
	if (!err)
		file->len = 0;
	return err;
}

/*
 * Takes text, and says how much of it.  It stops short of a separator if the
 * word before it cannot be counted; a write that goes on there tries again.
 */
static size_t text_take(struct wordstat_file *file, const char *text,
			size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (!is_separator(text[i])) {
			if (file->len < WORD_MAX)
				file->word[file->len++] = text[i];
		} else if (word_end(file)) {
			break;
		}
	}
	return i;
}

/* Takes up to a bufferful from user space; bytes taken, or an error. */
static ssize_t text_read(struct wordstat_file *file, char *buf, size_t size,
			 const char __user *ubuf)
{
	size_t taken, copied = size - copy_from_user(buf, ubuf, size);

	if (!copied)
		return -EFAULT;
	taken = text_take(file, buf, copied);
	return taken ?: -ENOMEM;
}

static ssize_t text_write(struct wordstat_file *file, const char __user *ubuf,
			  size_t count)
{
	size_t size = min_t(size_t, count, BUFFER_MAX);
	ssize_t taken = 0;
	size_t done = 0;
	char *buf;

	buf = mpool_small_alloc(buffers, size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	while (done < count) {
		size = min_t(size_t, count - done, BUFFER_MAX);
		taken = text_read(file, buf, size, ubuf + done);
		if (taken < 0)
			break;
		done += taken;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	if (!forget(FORGET_BUFFER))
		mpool_small_free(buffers, buf);
	return done ?: taken;
}

static ssize_t wordstat_write(struct file *filp, const char __user *ubuf,
			      size_t count, loff_t *pos)
{
	struct seq_file *seq = filp->private_data;
	struct wordstat_file *file = seq->private;
	ssize_t ret = -ENOMEM;

	if (mutex_lock_interruptible(&file->lock))
		return -EINTR;
	if (!file->word)
		file->word = mpool_malloc(WORD_MAX, GFP_KERNEL);
	if (file->word)
		ret = text_write(file, ubuf, count);
	mutex_unlock(&file->lock);
	return ret;
}

/* --- reading --- */

static int result_cmp(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->word, y->word);
}

static void results_free(struct results *results)
{
	if (!results)
		return;
	while (results->nr)
		mpool_string_put(words, results->table[--results->nr].word);
	if (forget(FORGET_TABLE))
		return;
	mpool_large_free(tables, results->table);
	mpool_delete(results);
}

static int results_fill_locked(struct results *results)
{
	struct result *result;
	struct rb_node *node;
	size_t size;

	lockdep_assert_held(&wordstat_lock);
	size = array_size(nr_counters, sizeof(*result));
	results->table = mpool_large_alloc(tables, size, NULL, GFP_KERNEL);
	if (!results->table)
		return -ENOMEM;
	for (node = rb_first(&counter_tree); node; node = rb_next(node)) {
		struct counter *counter = rb_entry(node, struct counter, node);

		result = &results->table[results->nr];
		result->count = counter->count;
		result->word = mpool_string_get(words, counter->word,
						GFP_KERNEL);
		if (!result->word)
			return -ENOMEM;
		results->nr++;
	}
	return 0;
}

static struct results *results_new(void)
{
	struct results *results;
	int err;

	results = mpool_new(struct results, GFP_KERNEL | __GFP_ZERO);
	if (!results)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&wordstat_lock);
	err = results_fill_locked(results);
	mutex_unlock(&wordstat_lock);
	if (err) {
		results_free(results);
		return ERR_PTR(err);
	}
	sort(results->table, results->nr, sizeof(*results->table), result_cmp,
	     NULL);
	return results;
}

static void *result_at(struct wordstat_file *file, loff_t pos)
{
	return pos < file->results->nr ? &file->results->table[pos] : NULL;
}

static void *wordstat_start(struct seq_file *seq, loff_t *pos)
{
	struct wordstat_file *file = seq->private;
	struct results *results;

	if (!file->results) {
		results = results_new();
		if (IS_ERR(results))
			return results;
		file->results = results;
	}
	return result_at(file, *pos);
}

static void *wordstat_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return result_at(seq->private, ++*pos);
}

static void wordstat_stop(struct seq_file *seq, void *v)
{
}

static int wordstat_show(struct seq_file *seq, void *v)
{
	const struct result *result = v;

	seq_printf(seq, "%lu %s\n", result->count, result->word);
	return 0;
}

static const struct seq_operations wordstat_seq_ops = {
	.start = wordstat_start,
	.next = wordstat_next,
	.stop = wordstat_stop,
	.show = wordstat_show,
};

/* --- the device --- */

static int wordstat_open(struct inode *inode, struct file *filp)
{
	struct wordstat_file *file;
	int err;

	file = mpool_new(struct wordstat_file, GFP_KERNEL | __GFP_ZERO);
	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	/* A misc device puts itself there, a seq_file wants it empty. */
	filp->private_data = NULL;
	err = seq_open(filp, &wordstat_seq_ops);
	if (err) {
		mpool_delete(file);
		return err;
	}
	((struct seq_file *)filp->private_data)->private = file;
	if ((filp->f_mode & FMODE_WRITE) && (filp->f_flags & O_TRUNC))
		counters_reset();
	return 0;
}

static int wordstat_release(struct inode *inode, struct file *filp)
{
	struct seq_file *seq = filp->private_data;
	struct wordstat_file *file = seq->private;

	if (word_end(file))
		pr_warn_ratelimited("no memory for the last word of a file\n");
	results_free(file->results);
	mutex_destroy(&file->lock);
	if (!forget(FORGET_FILE)) {
		mpool_free(file->word);
		mpool_delete(file);
	}
	return seq_release(inode, filp);
}

static const struct file_operations wordstat_fops = {
	.owner = THIS_MODULE,
	.open = wordstat_open,
	.release = wordstat_release,
	.write = wordstat_write,
	.read = seq_read,
	.llseek = seq_lseek,
};

static struct miscdevice wordstat_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &wordstat_fops,
	.mode = 0600,
};

/* No device reads a table: its pages need not be contiguous in physical memory. */
static const struct mpool_large_args table_args = { .flags = MPOOL_LARGE_VIRT };

static int __init wordstat_init(void)
{
	int err;

	words = mpool_string_create("wordstat-words", NULL);
	if (IS_ERR(words))
		return PTR_ERR(words);
	counters = mpool_fixed_create("wordstat-counters",
				      sizeof(struct counter), NULL);
	if (IS_ERR(counters)) {
		err = PTR_ERR(counters);
		goto err_words;
	}
	buffers = mpool_small_create("wordstat-buffers", NULL);
	if (IS_ERR(buffers)) {
		err = PTR_ERR(buffers);
		goto err_counters;
	}
	tables = mpool_large_create("wordstat-tables", &table_args);
	if (IS_ERR(tables)) {
		err = PTR_ERR(tables);
		goto err_buffers;
	}
	err = misc_register(&wordstat_dev);
	if (err)
		goto err_tables;
	return 0;

err_tables:
	mpool_large_destroy(tables);
err_buffers:
	mpool_small_destroy(buffers);
err_counters:
	mpool_fixed_destroy(counters);
err_words:
	mpool_string_destroy(words);
	return err;
}
module_init(wordstat_init);

static void __exit wordstat_exit(void)
{
	misc_deregister(&wordstat_dev);
	counters_reset();
	mpool_large_destroy(tables);
	mpool_small_destroy(buffers);
	mpool_fixed_destroy(counters);
	mpool_string_destroy(words);
}
module_exit(wordstat_exit);

MODULE_DESCRIPTION("Counts words, in memory from mpool");
MODULE_LICENSE("GPL");
