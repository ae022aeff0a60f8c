// SPDX-License-Identifier: MIT
/* Claims as they come in. */
#include "check/space.h"
#include "base/bytes.h"

#include <errno.h>

int ero_space_inode(struct ero_space *s, bool metabox, uint64_t position)
{
	return ero_bits_mark(&s->claimed[metabox], position / ERO_INODE_UNIT);
}

int ero_space_claim(struct ero_space *s, bool metabox, uint64_t position, uint64_t length)
{
	uint64_t first = position / ERO_INODE_UNIT, end = ero_div_up(position + length, ERO_INODE_UNIT);

	return ero_bits_claim(&s->claimed[metabox], first, end - first);
}

int ero_space_other(struct ero_space *s, unsigned block_bits, uint64_t position, uint64_t length)
{
	uint64_t end = position + length;

	for (uint64_t block = position >> block_bits; block << block_bits < end; block++)
		if (ero_bits_claim(&s->others, block, 1) < 0)
			return -ENOMEM;
	return 0;
}

int ero_space_extent(struct ero_space *s, const struct ero_extent *e)
{
	struct ero_run run = { .start = e->physical, .length = e->stored, .device = e->device };
	struct ero_run *last = s->runs.count ? &s->runs.data[s->runs.count - 1] : NULL;

	if (e->kind == ERO_EXTENT_ENCODED && !e->raw)
		run.unit = (uint32_t)e->stored; /* a pcluster has at most 1 MiB */
	if (!run.length)
		return 0;
	if (last && last->device == run.device && last->unit == run.unit && last->start + last->length == run.start) {
		last->length += run.length;
		return 0;
	}
	return ero_vec_push(&s->runs, run) ? 0 : -ENOMEM;
}

void ero_space_free(struct ero_space *s)
{
	for (int i = 0; i < 2; i++)
		ero_bits_free(&s->claimed[i]);
	ero_bits_free(&s->others);
	ero_vec_free(&s->runs);
}
