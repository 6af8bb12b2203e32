// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken: the report of a condition of an invariant that does not hold.
 *
 * Structure: one line in the log for each, with its text, file and line number.
 *
 * Invariant: the caller of mpool_broken() counts each breach, also one that the rate
 * limit keeps out of the log.
 *
 * Locking: none.  The callers are the verify functions of the layers (see audit.c),
 * which hold locks of their layer, raw locks too.  The line is printed there
 * nevertheless: verify is for tests, and the first breach is worth more than the latency.
 */
#include <linux/ratelimit.h>

#include "internal.h"

/* One state for all conditions: a damaged list breaks many of them many times. */
static DEFINE_RATELIMIT_STATE(broken_limit, 5 * HZ, 20);

void mpool_broken_say(const char *file, int line, const char *cond)
{
	if (__ratelimit(&broken_limit))
		pr_err("verify: %s:%d: %s\n", file, line, cond);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_broken_say);
