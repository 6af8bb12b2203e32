/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MPOOL_MAP_H
#define _MPOOL_MAP_H

#include "out.h"

struct mpool_arena;
struct mpool_large;

void mpool_map_header(struct mpool_out *out, struct mpool_large *large);
void mpool_map_arena(struct mpool_out *out, struct mpool_arena *arena,
		     unsigned int number);

#endif /* _MPOOL_MAP_H */
