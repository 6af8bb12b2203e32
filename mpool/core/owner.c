// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners: the modules that were loaded after mpool, and the moment when they are
 * unloaded.
 *
 * A client needs symbols of mpool, so it is loaded after mpool and unloaded before it.
 * delete_module() first calls the exit function of the client, then the notifier of this
 * file, and last it frees the text of the client.  If the init function of a module
 * fails, the notifier is called in the same way.  The notifier calls
 * mpool_unload_module() by mpool_hooks.verdict: it reports the objects and pools that the
 * module leaves, ends its pools and drops its callbacks.  After that nothing in mpool
 * refers to the module.
 *
 * Structure: an RCU list of the loaded modules.  It serves one purpose: to tell whether
 * an address is in a module, and in which section.  If there was no memory to list a
 * module, only this lookup does not know the module; the verdict does not need the list.
 *
 * Invariant: a module is on the list at most once, and not after MODULE_STATE_GOING.
 * Once mpool_owner_exit() has run, the list is empty and stays empty.
 *
 * Locking: owner_mutex for the writers of the list, RCU for its readers.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "hooks.h"
#include "owner.h"
#include "site.h"

struct owner {
	struct list_head list;
	struct module *mod;
};

/* Serialises writers of owner_list. */
static DEFINE_MUTEX(owner_mutex);
static LIST_HEAD(owner_list);
static bool owner_done;		/* no module is listed any more; owner_mutex */

/* The section of a loaded module that an address is in.  Any context, any value. */
enum mpool_area mpool_owner_area(unsigned long addr)
{
	enum mpool_area area = MPOOL_AREA_NOTHING;
	struct owner *owner;

	rcu_read_lock();
	list_for_each_entry_rcu(owner, &owner_list, list) {
		area = mpool_module_area(owner->mod, addr);
		if (area != MPOOL_AREA_NOTHING)
			break;
	}
	rcu_read_unlock();
	return area;
}

/* Lists a module, if there is memory for the entry. */
static void owner_add(struct module *mod)
{
	struct owner *owner = kmalloc(sizeof(*owner), GFP_KERNEL);

	if (!owner)
		return;
	owner->mod = mod;
	mutex_lock(&owner_mutex);
	if (owner_done)
		kfree(owner);
	else
		list_add_rcu(&owner->list, &owner_list);
	mutex_unlock(&owner_mutex);
}

/* Removes a module from the list, if it is there. */
static void owner_del(struct module *mod)
{
	struct owner *owner, *found = NULL;

	mutex_lock(&owner_mutex);
	list_for_each_entry(owner, &owner_list, list) {
		if (owner->mod != mod)
			continue;
		list_del_rcu(&owner->list);
		found = owner;
		break;
	}
	mutex_unlock(&owner_mutex);
	if (!found)
		return;
	/* A reader may be using the struct module. */
	synchronize_rcu();
	kfree(found);
}

/*
 * A module is unloaded: on return nothing in mpool refers to it.  The order matters.  The
 * verdict finds the objects of the module by its sites, and it calls destructors of the
 * module, which may use new sites.  So mpool_site_module_gone() detaches the sites after
 * it.  The list entry goes last: until then a message about a bad free can say in which
 * section of the module its address is.
 */
void mpool_owner_going(struct module *mod)
{
	mpool_hooks.verdict(mod);
	mpool_site_module_gone(mod);
	owner_del(mod);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_owner_going);

static int owner_notify(struct notifier_block *nb, unsigned long state,
			void *data)
{
	struct module *mod = data;

	switch (state) {
	case MODULE_STATE_COMING:
		owner_add(mod);
		break;
	case MODULE_STATE_GOING:
		mpool_owner_going(mod);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block owner_nb = {
	.notifier_call = owner_notify,
};

/*
 * Lists mpool itself, too: the notifier was not registered yet when mpool was loaded.
 * Modules that were loaded before mpool are not listed: they cannot be clients.
 */
int mpool_owner_init(void)
{
	int err = register_module_notifier(&owner_nb);

	if (!err)
		owner_add(THIS_MODULE);
	return err;
}

void mpool_owner_exit(void)
{
	struct owner *owner, *next;
	LIST_HEAD(done);

	/*
	 * The list is emptied before the notifier is unregistered.  After that mpool is
	 * not told of an unload, and an entry could lead to a struct module that was
	 * freed.  list_splice_init_rcu() waits for the readers of the list.  Meanwhile no
	 * listed struct module is freed: the unload calls the notifier first, which waits
	 * in owner_del() for owner_mutex.
	 */
	mutex_lock(&owner_mutex);
	owner_done = true;
	list_splice_init_rcu(&owner_list, &done, synchronize_rcu);
	mutex_unlock(&owner_mutex);
	unregister_module_notifier(&owner_nb);
	list_for_each_entry_safe(owner, next, &done, list)
		kfree(owner);
}
