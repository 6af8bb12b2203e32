// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken: which condition of an invariant does not hold?
 *
 * Structure: one line in the log for each, with its text and place.
 *
 * Invariant: a breach is counted by who looks, also if its line is held back.
 *
 * Locking: none; verify (verify.c) looks with the locks of a layer held, raw
 * ones too.  A line is printed there nevertheless: verify is for tests, and
 * the first breach is worth more than the latency.
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
