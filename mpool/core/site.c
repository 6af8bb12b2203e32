// SPDX-License-Identifier: GPL-2.0-only
/*
 * Call sites: an id of 15 bits for each place in the code that allocates.
 *
 * A site is a static struct mpool_site in the code of the client.  A site that is not
 * static is refused.  At its first use a site gets an id; the state of each live object
 * is the id of the site that allocated it.  The table leads from the id back to the
 * file, the line and the function:
 *
 *	site_dir[]  -> block of MPOOL_SITES_PER_BLOCK entries, allocated as ids run out
 *
 * When a client is unloaded, its strings go away with its text.  Before that, the
 * entries of its sites get copies of the strings.  If the module is loaded again, its
 * sites find their old entries, so a module that is loaded a thousand times does not
 * need a thousand ids for each site.  An entry of a site that left live objects is
 * retired: the module that is loaded again did not allocate these objects.  The other
 * entries are in chains, by a hash of their strings and line.  A site that needs an id
 * is compared with SITE_LOOK entries of its chain.  If its old entry is not among them,
 * the site gets a new id.
 *
 * The next block is allocated in advance by a work item, because the first use of a site
 * may be in NMI context.  If no id is left, a caller allocates the block itself, if its
 * context allows that.  If not, the caller gets MPOOL_SITE_UNKNOWN, and the site gets its
 * id at a later use.
 *
 * Invariant, checked by mpool_site_verify():
 *	each id from 1 to nr_sites has an entry with its strings; an entry is live, and
 *	then its site has this id, or gone, and then its strings are copies; an entry is
 *	in the chain of its hash if, and only if, it is gone and not retired.
 *
 * Locking: site_lock (raw) protects the table and the next id; in NMI context the lock
 * is only tried.  Readers use RCU.  An entry never moves.  The strings that an unload
 * replaces belong to the module, and mpool_site_module_gone() waits for readers before
 * the module frees them.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "defer.h"
#include "site.h"

#define SITE_BLOCKS		(MPOOL_SITE_MAX / MPOOL_SITES_PER_BLOCK)

/* A block is added when fewer free ids than this are left. */
#define SITES_LOW		(MPOOL_SITES_PER_BLOCK / 2)

struct site_entry {
	struct mpool_site *site;	/* NULL once the module is gone */
	const struct module *module;	/* NULL for the kernel, and when gone */
	const char *file;
	const char *func;
	const char *modname;
	char *copy;			/* memory of the copied strings, once gone */
	u32 line;
	u16 next;			/* next id in its chain, or 0 */
	bool retired;			/* no site gets this id any more */
};

/* The number of chains, in bits; the most entries of a chain that a search compares. */
#define SITE_CHAIN_BITS		12
#define SITE_LOOK		32

/*
 * Held for a few instructions; at the first use of a site also for SITE_LOOK
 * comparisons.
 */
static DEFINE_RAW_SPINLOCK(site_lock);

/* The blocks of entries, which are never removed.  Written under site_lock. */
static struct site_entry *site_dir[SITE_BLOCKS];

/* The highest id so far; the number of ids that the blocks have room for; site_lock. */
static u32 nr_sites;
static u32 nr_room;

/* The first id of each chain, or 0; site_lock. */
static u16 site_chains[BIT(SITE_CHAIN_BITS)];

/* Entries that the last search compared, for tests; site_lock. */
static u32 site_looked;

static struct mpool_defer site_grow;	/* adds a block */

static struct site_entry *site_entry(u32 id)
{
	struct site_entry *block;

	if (!id || id > MPOOL_SITE_MAX)
		return NULL;
	/* Pairs with smp_store_release() in site_add_block(). */
	block = smp_load_acquire(&site_dir[(id - 1) / MPOOL_SITES_PER_BLOCK]);
	return block ? &block[(id - 1) % MPOOL_SITES_PER_BLOCK] : NULL;
}

static int site_add_block(gfp_t gfp)
{
	struct site_entry *block;
	unsigned long flags;

	block = kcalloc(MPOOL_SITES_PER_BLOCK, sizeof(*block), gfp);
	if (!block)
		return -ENOMEM;
	raw_spin_lock_irqsave(&site_lock, flags);
	if (nr_room < MPOOL_SITE_MAX) {
		/* Pairs with smp_load_acquire() in site_entry(). */
		smp_store_release(&site_dir[nr_room / MPOOL_SITES_PER_BLOCK], block);
		nr_room += MPOOL_SITES_PER_BLOCK;
		block = NULL;
	}
	raw_spin_unlock_irqrestore(&site_lock, flags);
	kfree(block);
	return 0;
}

static void site_grow_fn(struct work_struct *work)
{
	if (READ_ONCE(nr_room) - READ_ONCE(nr_sites) < SITES_LOW)
		site_add_block(GFP_KERNEL);
}

static bool site_same(const struct site_entry *entry,
		      const struct mpool_site *site)
{
	return !entry->retired && site->module && entry->line == site->line &&
	       !strcmp(entry->modname, site->module->name) &&
	       !strcmp(entry->func, site->func) &&
	       !strcmp(entry->file, site->file);
}

/* The chain of entries with these strings and this line. */
static u32 site_chain(const char *file, const char *func, const char *modname,
		      u32 line)
{
	u32 hash = jhash(file, strlen(file), line);

	hash = jhash(func, strlen(func), hash);
	return hash_32(jhash(modname, strlen(modname), hash), SITE_CHAIN_BITS);
}

/*
 * Removes from its chain the entry that this site had when its module was loaded before;
 * returns its id, or 0.
 */
static u32 site_reuse_gone_locked(const struct mpool_site *site, u32 chain)
{
	u16 *link = &site_chains[chain];
	struct site_entry *entry;
	u32 id;

	lockdep_assert_held(&site_lock);
	site_looked = 0;
	while (*link && site_looked < SITE_LOOK) {
		site_looked++;
		id = *link;
		entry = site_entry(id);
		if (site_same(entry, site)) {
			*link = entry->next;
			return id;
		}
		link = &entry->next;
	}
	return 0;
}

static u32 site_register_locked(struct mpool_site *site, u32 chain)
{
	struct site_entry *entry;
	u32 id = site->id;

	lockdep_assert_held(&site_lock);
	if (id)
		return id;
	id = site_reuse_gone_locked(site, chain);
	if (!id) {
		if (nr_sites == nr_room)
			return MPOOL_SITE_UNKNOWN;
		id = nr_sites + 1;
		WRITE_ONCE(nr_sites, id);
	}
	entry = site_entry(id);
	WRITE_ONCE(entry->module, site->module);
	/* Pairs with smp_load_acquire() in mpool_site_of_module(). */
	smp_store_release(&entry->site, site);
	if (!entry->copy) {
		entry->func = site->func;
		entry->modname = site->module ? site->module->name : "";
		entry->line = site->line;
		/*
		 * Publishes the entry: file is stored last and loaded first.  Pairs with
		 * smp_load_acquire() in mpool_site_get().
		 */
		smp_store_release(&entry->file, site->file);
	}
	/*
	 * Pairs with the dependent read of the entry by a CPU that has the id from the
	 * state of an object: the CPU that stored the state has loaded the id from here.
	 */
	smp_store_release(&site->id, id);
	return id;
}

/*
 * The id of a site, or MPOOL_SITE_UNKNOWN.  *@low is set if a block should be added,
 * because few free ids are left, or none.
 */
static u32 site_register(struct mpool_site *site, bool *low)
{
	/* Strings of any length are hashed, so this is done without the lock. */
	u32 id, chain = site_chain(site->file, site->func, site->module ?
				   site->module->name : "", site->line);
	unsigned long flags;

	*low = false;
	if (!mpool_lock_irqsave(&site_lock, flags))
		return MPOOL_SITE_UNKNOWN;
	id = site_register_locked(site, chain);
	*low = nr_room - nr_sites < SITES_LOW && nr_room < MPOOL_SITE_MAX;
	raw_spin_unlock_irqrestore(&site_lock, flags);
	return id;
}

/*
 * Is a site in the data of its module?  A site on the stack, or in allocated memory,
 * would get a new id at each call, and its entry would point to memory that has been
 * reused.  A site without a module is one of the kernel itself, which calls mpool only if
 * mpool is built into it.  A site that has an id is not checked again.
 */
static bool site_static(const struct mpool_site *site)
{
	if (!site->file || !site->func) {
		pr_warn_ratelimited("call site at %pS has no file or no function: it is reported as unknown\n",
				    site);
		return false;
	}
	if (!site->module && __is_defined(MODULE)) {
		pr_warn_ratelimited("call site %s:%u %s has no module: it is reported as unknown\n",
				    kbasename(site->file), site->line, site->func);
		return false;
	}
	if (likely(!site->module ||
		   within_module((unsigned long)site, site->module)))
		return true;
	pr_warn_ratelimited("call site %s:%u %s [%s] is not static: it is reported as unknown\n",
			    kbasename(site->file), site->line, site->func,
			    site->module->name);
	return false;
}

u32 __mpool_site_register(struct mpool_site *site)
{
	bool low;
	u32 id;

	if (!site_static(site))
		return MPOOL_SITE_UNKNOWN;
	id = site_register(site, &low);
	if (unlikely(id == MPOOL_SITE_UNKNOWN && READ_ONCE(nr_sites) == MPOOL_SITE_MAX))
		pr_warn_once("%lu call sites, no more numbers: others are reported as unknown\n",
			     MPOOL_SITE_MAX);

	/* The work item has not run yet; the caller may allocate, but not sleep. */
	if (unlikely(id == MPOOL_SITE_UNKNOWN && low && mpool_may_grow() &&
		     !irqs_disabled() &&
		     !site_add_block(GFP_NOWAIT | __GFP_NOWARN)))
		id = site_register(site, &low);
	if (low)
		mpool_defer(&site_grow);
	return id;
}
EXPORT_SYMBOL_IF_KUNIT(__mpool_site_register);

/*
 * Fills in @info; its strings are valid until the rcu_read_unlock() of the caller.  False
 * if the id has no entry.
 */
bool mpool_site_get(u32 id, struct mpool_site_info *info)
{
	struct site_entry *entry = site_entry(id);
	/*
	 * Pairs with smp_store_release() in site_register_locked().  A caller that has
	 * the id from elsewhere than the state of an object may not see the file of a new
	 * entry yet.  For that caller the id has no entry.
	 */
	const char *file = entry ? smp_load_acquire(&entry->file) : NULL;

	if (!file) {
		*info = (struct mpool_site_info){
			.file = "?", .func = "?", .module = "",
		};
		return false;
	}
	info->file = kbasename(file);
	info->func = READ_ONCE(entry->func);
	info->module = READ_ONCE(entry->modname);
	info->line = READ_ONCE(entry->line);
	info->gone = !READ_ONCE(entry->site);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_get);

/*
 * Retires an id: objects with this id outlive their module.  If the module is loaded
 * again, its site gets another id, so the old objects are not reported as those of the
 * new module.
 */
void mpool_site_retire(u32 id)
{
	struct site_entry *entry = site_entry(id);
	unsigned long flags;

	raw_spin_lock_irqsave(&site_lock, flags);
	if (entry)
		entry->retired = true;
	raw_spin_unlock_irqrestore(&site_lock, flags);
}

bool mpool_site_of_module(u32 id, const struct module *mod)
{
	struct site_entry *entry = site_entry(id);

	/* Pairs with smp_store_release() in site_register_locked(). */
	return entry && smp_load_acquire(&entry->site) &&
	       READ_ONCE(entry->module) == mod;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_of_module);

/* "file:line function [module]", as every report prints a site. */
int mpool_site_print(u32 id, char *buf, size_t size)
{
	struct mpool_site_info info;
	int len;

	rcu_read_lock();
	mpool_site_get(id, &info);
	len = scnprintf(buf, size, "%s:%u %s%s%s%s", info.file, info.line,
			info.func, *info.module ? " [" : "", info.module,
			*info.module ? "]" : "");
	rcu_read_unlock();
	return len;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_print);

u32 mpool_site_count(void)
{
	return READ_ONCE(nr_sites);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_count);

/* The number of entries that the last site without an id was compared with. */
u32 mpool_site_looked(void)
{
	return READ_ONCE(site_looked);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_looked);

/*
 * Gives an entry copies of its strings.  This must not fail: the module is about to be
 * freed, and live objects may have the id of the entry.
 */
static void site_copy(u32 id)
{
	struct site_entry *entry = site_entry(id);
	size_t file = strlen(entry->file) + 1;
	size_t func = strlen(entry->func) + 1;
	size_t mod = strlen(entry->modname) + 1;
	u32 chain = site_chain(entry->file, entry->func, entry->modname,
			       entry->line);
	unsigned long flags;
	char *copy = NULL;

	if (!entry->copy) {
		/* The whole path: a module that is loaded again is compared with it. */
		copy = kmalloc(file + func + mod, GFP_KERNEL | __GFP_NOFAIL);
		memcpy(copy, entry->file, file);
		memcpy(copy + file, entry->func, func);
		memcpy(copy + file + func, entry->modname, mod);
	}
	raw_spin_lock_irqsave(&site_lock, flags);
	if (copy) {
		WRITE_ONCE(entry->file, copy);
		WRITE_ONCE(entry->func, copy + file);
		WRITE_ONCE(entry->modname, copy + file + func);
		entry->copy = copy;
	}
	WRITE_ONCE(entry->site, NULL);
	WRITE_ONCE(entry->module, NULL);
	if (!entry->retired) {
		entry->next = site_chains[chain];
		site_chains[chain] = id;
	}
	raw_spin_unlock_irqrestore(&site_lock, flags);
}

/* Has this module a site with an id? */
bool mpool_site_module_has(const struct module *mod)
{
	u32 id;

	for (id = 1; id <= READ_ONCE(nr_sites); id++)
		if (mpool_site_of_module(id, mod))
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_module_has);

/* Copies the strings of the sites of a module that is unloaded; true if it had sites. */
bool mpool_site_module_gone(const struct module *mod)
{
	bool found = false;
	u32 id;

	for (id = 1; id <= READ_ONCE(nr_sites); id++) {
		if (!mpool_site_of_module(id, mod))
			continue;
		site_copy(id);
		found = true;
	}
	/* Readers may still use strings of the module, which are freed with it. */
	if (found)
		synchronize_rcu();
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_module_gone);

/* Number of breaches in the chains; *@chained becomes the number of their entries. */
static int verify_chains_locked(u32 *chained)
{
	struct site_entry *entry;
	u32 chain, id;
	int bad = 0;

	lockdep_assert_held(&site_lock);
	for (chain = 0; chain < ARRAY_SIZE(site_chains); chain++)
		for (id = site_chains[chain]; id; id = entry->next) {
			entry = site_entry(id);
			/* The count ends the loop if the chain is a circle. */
			if (mpool_broken(!entry || entry->site ||
					 ++*chained > nr_sites))
				return bad + 1;
			bad += mpool_broken(site_chain(entry->file, entry->func,
						       entry->modname,
						       entry->line) != chain);
		}
	return bad;
}

int mpool_site_verify(void)
{
	u32 id, gone = 0, chained = 0;
	struct site_entry *entry;
	unsigned long flags;
	int bad = 0;

	raw_spin_lock_irqsave(&site_lock, flags);
	for (id = 1; id <= nr_sites; id++) {
		entry = site_entry(id);
		if (mpool_broken(!entry)) {
			bad++;
			continue;
		}
		bad += mpool_broken(!entry->file || !entry->func ||
				    !entry->modname);
		bad += mpool_broken(entry->site && entry->site->id != id);
		bad += mpool_broken(!entry->site && !entry->copy);
		gone += !entry->site && !entry->retired;
	}
	bad += verify_chains_locked(&chained);
	bad += mpool_broken(chained != gone);
	bad += mpool_broken(nr_sites > nr_room);
	raw_spin_unlock_irqrestore(&site_lock, flags);
	return bad;
}
EXPORT_SYMBOL_IF_KUNIT(mpool_site_verify);

static struct mpool_site unknown_site = {
	.file = "?",
	.func = "(unknown)",
};

int mpool_site_init(void)
{
	bool low;
	int err;

	mpool_defer_init_outside(&site_grow, site_grow_fn);
	err = site_add_block(GFP_KERNEL);
	if (!err)
		site_register(&unknown_site, &low);
	return err;
}

void mpool_site_exit(void)
{
	u32 id;

	mpool_defer_sync(&site_grow);
	for (id = 1; id <= nr_sites; id++)
		kfree(site_entry(id)->copy);
	for (id = 0; id < SITE_BLOCKS; id++)
		kfree(site_dir[id]);
}
