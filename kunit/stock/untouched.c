// SPDX-License-Identifier: GPL-2.0-only
/* A region of pages that nobody may read or write: ../untouched.h. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "stock.h"
#include "untouched.h"

void stock_untouched(struct stock *t)
{
	struct untouched *u = kzalloc(sizeof(*u), GFP_KERNEL);
	const char *wrong;
	char byte;

	if (!CHECK(t, u))
		return;
	if (CHECK(t, untouched_begin(u))) {
		/* It would be seen if somebody did. */
		CHECK(t, copy_from_kernel_nofault(&byte, u->base, 1) == -EFAULT);
		wrong = untouched_use(u);
		if (!CHECK(t, !wrong))
			t->what = wrong;
		untouched_end(u);
	}
	kfree(u);
}
