// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer: one function writes each report, for all its readers.
 *
 * Structure: text goes to a seq_file, or into a buffer.  A buffer may be put into the
 * log line by line, kept for a file, or compared by a test.  So the text is the same in
 * all of them.
 *
 * Invariant: a buffer is always terminated; text that does not fit is cut off.
 *
 * Locking: none of its own; the caller protects the buffer.
 */
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "internal.h"
#include "out.h"
#include "site.h"

void mpool_out(struct mpool_out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (out->seq)
		seq_vprintf(out->seq, fmt, args);
	else if (out->size)
		out->len += vscnprintf(out->buf + out->len,
				       out->size - out->len, fmt, args);
	va_end(args);
}
EXPORT_SYMBOL_IF_KUNIT(mpool_out);

/* A call site, as all reports print it. */
void mpool_out_site(struct mpool_out *out, u32 id)
{
	char text[112];

	mpool_site_print(id, text, sizeof(text));
	mpool_out(out, "%s", text);
}

/* Puts a buffer into the log, a record for each line. */
void mpool_out_log(const struct mpool_out *out)
{
	const char *line = out->buf, *end;

	for (; *line; line = end + !!*end) {
		end = strchrnul(line, '\n');
		pr_err("%.*s\n", (int)(end - line), line);
	}
}
