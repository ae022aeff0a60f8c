// SPDX-License-Identifier: MIT
/*
 * Form A: pclusters used again. A copy takes those that begin inside of what it is a copy of; of the last one as much as
 * is its own. None is taken that would begin in one logical cluster with the next extent: an index tells of one only.
 */
#include "pack/dedupe.h"
#include "base/bytes.h"

#include <stdlib.h>

/* Notes an extent, of which `length` bytes belong to the copy, for `at` of the segment. */
static bool note(struct ero_pack_job *j, struct ero_zextent extent, size_t at, uint64_t length)
{
	unsigned block = 1u << j->pack->block_bits;
	struct ero_pack_reuse r = { .at = at, .extent = extent };

	if (length < extent.length) {
		r.extent.length = (uint32_t)length;
		r.extent.partial = true;
	}
	/* several blocks are told of by the cluster behind the head */
	if (r.extent.length < (extent.blocks > 1 ? 2 * block : block) ||
	    (uint64_t)extent.blocks * block > ero_pack_pcluster_size(j->pack, j->node))
		return true;
	if (j->node == j->pack->packed && r.extent.length > ero_pack_packed_limit(j->pack, j->node))
		return true;
	/* see place_crossing_end() in encode.c */
	if (extent.type == ERO_LC_PLAIN && j->last && at + r.extent.length == j->length && at & (block - 1))
		return true;
	if (!ero_vec_push(&j->reuses, r))
		return false;
	for (size_t i = j->reuses.count - 1; i && j->reuses.data[i - 1].at > at; i--) {
		j->reuses.data[i] = j->reuses.data[i - 1];
		j->reuses.data[i - 1] = r;
	}
	return true;
}

/* ---- in the building thread ---- */

static int read_extent(struct ero_pack *pack, const struct ero_stored *s, uint64_t index, struct ero_zextent *extent,
		       struct ero_error *err)
{
	return ero_spool_read(pack->spool, extent, sizeof(*extent), s->map + index * sizeof(*extent), err);
}

/* The first extent of a file that begins at or behind `at`. */
static int find_extent(struct ero_pack *pack, const struct ero_stored *s, uint64_t at, uint64_t *index, struct ero_error *err)
{
	uint64_t low = 0, high = s->map_count;
	int rc = 0;

	while (!rc && low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct ero_zextent extent;

		rc = read_extent(pack, s, mid, &extent, err);
		if (!rc && extent.at >= at)
			high = mid;
		else
			low = mid + 1;
	}
	*index = low;
	return rc;
}

int ero_pack_reuse_placed(struct ero_placer *p, struct ero_pack_job *j, size_t at, uint64_t source, uint64_t length,
			  struct ero_error *err)
{
	const struct ero_line_stream *from = ero_dedupe_stream_at(p->dedupe, source);
	const struct ero_stored *s = &from->node->stored;
	uint64_t begin = source - from->at, count = s->map_count, i;
	int rc;

	if (from->node->compressor != j->node->compressor)
		return 0;
	if (s->tail_encoded || s->tail_fragment)
		count--; /* that one lies elsewhere */
	rc = find_extent(p->pack, s, begin, &i, err);
	for (; !rc && i < count; i++) {
		struct ero_zextent extent;

		rc = read_extent(p->pack, s, i, &extent, err);
		if (rc || extent.at >= begin + length)
			break;
		extent.shared = true;
		if (!note(j, extent, at + (size_t)(extent.at - begin), begin + length - extent.at))
			rc = ero_fail_memory(err);
	}
	return rc;
}

/* ---- in a thread ---- */

/* Extents of the segment itself: their blocks count from its own beginning. */
static bool repeat(struct ero_pack_job *j, const struct ero_pack_repeat *r)
{
	bool good = true;

	for (size_t i = 0; good && i < j->extents.count; i++) {
		struct ero_zextent extent = j->extents.data[i];

		if (extent.at >= r->source + r->length)
			break;
		if (extent.at >= r->source)
			good = note(j, extent, r->at + (size_t)(extent.at - r->source), r->source + r->length - extent.at);
	}
	return good;
}

bool ero_pack_reuse_repeats(struct ero_pack_job *j, size_t at)
{
	bool good = true;

	while (good && j->repeats_done < j->repeats.count) {
		const struct ero_pack_repeat *r = &j->repeats.data[j->repeats_done];

		if (r->source + r->length > at)
			break;
		good = repeat(j, r);
		j->repeats_done++;
	}
	return good;
}

const struct ero_pack_reuse *ero_pack_next_reuse(const struct ero_pack_job *j, size_t *index, size_t at)
{
	while (*index < j->reuses.count && j->reuses.data[*index].at < at)
		++*index;
	return *index < j->reuses.count ? &j->reuses.data[*index] : NULL;
}
