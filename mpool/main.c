// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: order of init and exit, the hooks, and parameters.
 *
 * Structure: mpool_init() calls the init function of each layer, after those of the
 * layers that it needs.  mpool_exit() calls the exit functions in the reverse order, with
 * two exceptions.  The shrinker goes early, so that reclaim does not enter layers that
 * are ending.  And mpool_registry_exit() runs before the exit functions of reserved.c,
 * fixed.c and badfree.c: it ends the pools that are left, and their end needs these three
 * files.  The pools that layers create for themselves have no exit function:
 * mpool_registry_exit() ends them with all other pools.
 *
 * Invariant: a layer is there as long as a layer that needs it.
 *
 * Locking: none.  The module loader calls mpool_init() and mpool_exit() once each.  sysfs
 * may change the parameter on_leak at any time: the policy is one word, accessed by
 * READ_ONCE() and WRITE_ONCE().
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "badfree.h"
#include "debugfs.h"
#include "findings.h"
#include "fixed.h"
#include "global.h"
#include "large.h"
#include "leaks.h"
#include "lookup.h"
#include "owner.h"
#include "pagemap.h"
#include "registry.h"
#include "reserved.h"
#include "shrink.h"
#include "site.h"
#include "trim.h"
#include "unload.h"

struct mpool_hooks mpool_hooks = {
	.bad_free = mpool_badfree,
	.leaks = mpool_leaks_report,
	.refs = mpool_findings_log_refs,
	.shortage = mpool_findings_log_shortage,
	.verdict = mpool_unload_module,
	.added = mpool_debugfs_added,
	.removed = mpool_debugfs_removed,
	.reclaim_empty = mpool_fixed_reclaim_empty,
	.chunk_run = mpool_object_run,
	.idle = mpool_trim_count,
	.trim = mpool_trim_all,
};
EXPORT_SYMBOL_IF_KUNIT(mpool_hooks);

static int on_leak_set(const char *val, const struct kernel_param *kp)
{
	int policy;

	for (policy = MPOOL_ON_LEAK_KEEP; policy <= MPOOL_ON_LEAK_PANIC;
	     policy++) {
		if (!sysfs_streq(val, mpool_policies[policy].name))
			continue;
		WRITE_ONCE(mpool_default_on_leak, policy);
		return 0;
	}
	pr_err("on_leak=%.*s is not one of keep, reclaim, panic\n",
	       (int)strcspn(val, "\n"), val);
	return -EINVAL;
}

static int on_leak_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", mpool_policies[READ_ONCE(mpool_default_on_leak)].name);
}

static const struct kernel_param_ops on_leak_ops = {
	.set = on_leak_set,
	.get = on_leak_get,
};

module_param_cb(on_leak, &on_leak_ops, NULL, 0644);
MODULE_PARM_DESC(on_leak, "What becomes of objects never freed: keep (default), reclaim or panic");

static int __init mpool_init(void)
{
	int err;

	err = mpool_defer_start();
	if (err)
		return err;
	err = mpool_site_init();
	if (err)
		goto err_defer;
	err = mpool_pagemap_init();
	if (err)
		goto err_site;
	mpool_registry_init();
	mpool_badfree_init();
	err = mpool_fixed_init();
	if (err)
		goto err_badfree;
	err = mpool_reserved_init();
	if (err)
		goto err_pools;
	err = mpool_large_init();
	if (err)
		goto err_pools;
	err = mpool_shrink_init();
	if (err)
		goto err_pools;
	err = mpool_global_init();
	if (err)
		goto err_pools;
	err = mpool_owner_init();
	if (err)
		goto err_pools;
	mpool_debugfs_init();
	mpool_trim_start();
	if (!MPOOL_TRIED_HERE)
		pr_warn("was tested on x86-64 with pages of 4 KiB, built by gcc, not on a kernel like this one\n");
	return 0;

err_pools:
	/*
	 * Some of these files may not be initialised, because their init function failed
	 * or was not reached.  Their exit functions do nothing then: the shrinker and the
	 * reserved range are NULL, and the lists of pools and reports are empty.
	 */
	mpool_shrink_exit();
	mpool_registry_exit();
	mpool_reserved_exit();
	mpool_fixed_exit();
err_badfree:
	mpool_badfree_exit();
	mpool_leaks_exit();
	mpool_pagemap_exit();
err_site:
	mpool_site_exit();
err_defer:
	mpool_defer_stop();
	return err;
}

static void __exit mpool_exit(void)
{
	mpool_trim_stop();
	mpool_shrink_exit();
	mpool_debugfs_exit();
	mpool_owner_exit();
	mpool_unload_self();
	mpool_registry_exit();
	mpool_reserved_exit();
	mpool_fixed_exit();
	mpool_badfree_exit();
	mpool_leaks_exit();
	mpool_pagemap_exit();
	mpool_site_exit();
	mpool_defer_stop();
}

module_init(mpool_init);
module_exit(mpool_exit);

MODULE_DESCRIPTION("Memory pools for drivers");
MODULE_LICENSE("GPL");
