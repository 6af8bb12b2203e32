/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_FINDINGS_H
#define _MPOOL_FINDINGS_H

#include "out.h"
#include "refs.h"
#include "shortage.h"

void mpool_findings_holder(struct mpool_out *out,
			   const struct mpool_holder *holder);
void mpool_findings_shortage(struct mpool_out *out,
			     const struct mpool_pool *large,
			     const struct mpool_shortage *s);
void mpool_findings_refs(struct mpool_out *out, const struct mpool_pool *large,
			 const struct mpool_refs_count *news,
			 const struct mpool_refs_run *run);
void mpool_findings_log_shortage(const struct mpool_pool *large,
				 const struct mpool_shortage *s);
void mpool_findings_log_refs(const struct mpool_pool *large,
			     const struct mpool_refs_count *news,
			     const struct mpool_refs_run *run);

#endif /* _MPOOL_FINDINGS_H */
