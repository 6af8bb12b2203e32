/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_OUT_H
#define _MPOOL_OUT_H

#include <linux/seq_file.h>
#include <linux/types.h>

/* The destination of text: a seq_file, or a buffer that may go to the log later. */
struct mpool_out {
	struct seq_file *seq;
	char *buf;
	size_t size;
	size_t len;
};

__printf(2, 3)
void mpool_out(struct mpool_out *out, const char *fmt, ...);
void mpool_out_site(struct mpool_out *out, u32 id);
void mpool_out_log(const struct mpool_out *out);

#endif /* _MPOOL_OUT_H */
