// SPDX-License-Identifier: MIT
/* Claims as they come in. */
#include "check/space.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

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

enum { COMPACT_LEAST = 1 << 16 };

int ero_space_compare_runs(const void *a, const void *b)
{
	const struct ero_run *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

/* Is all that `inner` claims claimed by `outer` in the same way? */
static bool contains(const struct ero_run *outer, const struct ero_run *inner)
{
	return outer->device == inner->device && outer->unit == inner->unit && inner->start >= outer->start &&
	       inner->length <= outer->length && inner->start - outer->start <= outer->length - inner->length &&
	       (!outer->unit || (inner->start - outer->start) % outer->unit == 0);
}

/* Plain bytes are claimed as ranges, whoever has them. */
static bool joins(const struct ero_run *a, const struct ero_run *b)
{
	return a->device == b->device && !a->unit && !b->unit && b->start <= a->start + a->length;
}

/* Files that share what is stored, or claim the same over and over, say nothing new. */
static void compact(struct ero_space *s)
{
	size_t kept = 0;

	qsort(s->runs.data, s->runs.count, sizeof(struct ero_run), ero_space_compare_runs);
	for (size_t i = 0; i < s->runs.count; i++) {
		struct ero_run *r = &s->runs.data[i], *last = kept ? &s->runs.data[kept - 1] : NULL;

		if (last && joins(last, r)) {
			uint64_t end = r->start + r->length;

			if (end > last->start + last->length)
				last->length = end - last->start;
		} else if (!last || !contains(last, r)) {
			s->runs.data[kept++] = *r;
		}
	}
	s->runs.count = kept;
	s->compact_at = 2 * kept;
}

int ero_space_extent(struct ero_space *s, const struct ero_extent *e)
{
	struct ero_run run = { .start = e->physical, .length = e->stored, .device = e->device };
	struct ero_run *last = s->runs.count ? &s->runs.data[s->runs.count - 1] : NULL;

	if (e->kind == ERO_EXTENT_ENCODED && !e->raw)
		run.unit = (uint32_t)e->stored; /* a pcluster has at most 1 MiB */
	if (!run.length)
		return 0;
	if (last && contains(last, &run))
		return 0;
	if (last && last->device == run.device && last->unit == run.unit && last->start + last->length == run.start) {
		last->length += run.length;
		return 0;
	}
	if (s->runs.count >= COMPACT_LEAST && s->runs.count >= s->compact_at)
		compact(s);
	return ero_vec_push(&s->runs, run) ? 0 : -ENOMEM;
}

void ero_space_free(struct ero_space *s)
{
	for (int i = 0; i < 2; i++)
		ero_bits_free(&s->claimed[i]);
	ero_bits_free(&s->others);
	ero_vec_free(&s->runs);
}
