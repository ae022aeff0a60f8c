// SPDX-License-Identifier: MIT
/*
 * The content of one inode as jobs: ranges of files end to end, cut into extents (Form B) or segments (Form A). What is a
 * copy of something stored earlier is not read again: Form B cuts both at the same bytes, so that whole extents are
 * shared; Form A takes the pclusters that happen to begin inside of it.
 */
#include "pack/dedupe.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
	struct ero_packer *packer;
	const struct ero_stream *stream;
	uint64_t at;                 /* bytes of the stream that are submitted */
	size_t next;                 /* range */
	struct ero_pack_range range; /* what is left of the one before */
};

/* Moves on over `length` bytes; what they are is noted in the job's pieces, unless that is NULL. */
static bool pass(struct cursor *c, uint64_t length, struct ero_pack_job *j)
{
	c->at += length;
	while (length) {
		struct ero_pack_range part;
		struct ero_pack_piece piece;

		if (!c->range.length)
			c->range = c->stream->range(c->stream->context, c->next++);
		part = ero_pack_range_take(&c->range, length);
		length -= part.length;
		/* what is noted is read: no more than a job has; what is not, a copy, may have any length */
		piece = (struct ero_pack_piece){ .node = part.node, .offset = part.offset, .length = (uint32_t)part.length };
		if (j && !ero_vec_push(&j->pieces, piece))
			return false;
	}
	return true;
}

static struct ero_pack_job *new_job(const struct cursor *c, uint64_t length)
{
	struct ero_pack_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->pack = c->packer->pack;
	j->node = c->stream->node;
	j->offset = c->at;
	j->length = (size_t)length;
	j->first = c->at == 0;
	j->last = c->at + length == c->stream->length;
	j->line_end = c->stream->dedupe ? c->stream->line + c->at + length : 0;
	return j;
}

static int submit(struct cursor *c, struct ero_pack_job *j, bool with_pieces, struct ero_error *err)
{
	if (!pass(c, j->length, with_pieces ? j : NULL)) {
		ero_pack_job_free(j);
		return ero_fail_memory(err);
	}
	return ero_pack_queue_submit(&c->packer->queue, j, err);
}

/* ---- Form B ---- */

static int submit_copy(struct cursor *c, const struct ero_copy *copy, struct ero_error *err)
{
	struct ero_pack_job *j = new_job(c, copy->length);

	if (!j)
		return ero_fail_memory(err);
	j->run = ero_pack_run_copy;
	j->source = copy->source;
	c->packer->pack->shared_bytes += copy->length;
	return submit(c, j, false, err);
}

static int pack_extents(struct cursor *c, struct ero_error *err)
{
	const struct ero_stream *s = c->stream;
	int rc = 0;

	while (!rc && c->at < s->length) {
		uint64_t at = s->line + c->at, end = at + ero_pack_extent_run(c->packer->pack, s->node);
		const struct ero_copy *copy = s->dedupe ? ero_dedupe_copy(s->dedupe, at) : NULL;
		uint64_t cut = s->dedupe ? ero_dedupe_cut(s->dedupe, at) : UINT64_MAX;
		struct ero_pack_job *j;

		if (copy && copy->at == at) {
			rc = submit_copy(c, copy, err);
			continue;
		}
		end = cut < end ? cut : end;
		end = copy && copy->at < end ? copy->at : end;
		end = s->line + s->length < end ? s->line + s->length : end;
		j = new_job(c, end - at);
		if (!j)
			return ero_fail_memory(err);
		j->run = ero_pack_run_extent;
		rc = submit(c, j, true, err);
	}
	return rc;
}

/* ---- Form A ---- */

/* Adds what a copy gives to the segment: from what lies before the segment, and from the segment itself. */
static int add_copy(struct cursor *c, struct ero_pack_job *j, const struct ero_copy *copy, struct ero_error *err)
{
	uint64_t begin = c->stream->line + c->at, end = begin + j->length;
	uint64_t from = copy->at > begin ? copy->at : begin;
	uint64_t to = copy->at + copy->length < end ? copy->at + copy->length : end;
	uint64_t source = copy->source + (from - copy->at), length = to - from;
	uint64_t before = source >= begin ? 0 : begin - source < length ? begin - source : length;
	struct ero_placer *placer = &c->packer->placer;
	int rc = 0;

	while (!rc && before && placer->line_end < source + before && !ero_pack_queue_idle(&c->packer->queue))
		rc = ero_pack_queue_advance(&c->packer->queue, err);
	if (!rc && before)
		rc = ero_pack_reuse_placed(placer, j, (size_t)(from - begin), source, before, err);
	if (!rc && length > before) {
		struct ero_pack_repeat r = {
			.at = (size_t)(from + before - begin),
			.source = (size_t)(source + before - begin),
			.length = (size_t)(length - before),
		};

		if (!ero_vec_push(&j->repeats, r))
			rc = ero_fail_memory(err);
	}
	return rc;
}

static int add_copies(struct cursor *c, struct ero_pack_job *j, struct ero_error *err)
{
	const struct ero_dedupe *d = c->stream->dedupe;
	uint64_t at = c->stream->line + c->at, end = at + j->length;
	const struct ero_copy *copy = ero_dedupe_copy(d, at);
	int rc = 0;

	for (; !rc && copy && copy < d->copies.data + d->copies.count && copy->at < end; copy++)
		rc = add_copy(c, j, copy, err);
	return rc;
}

/* Only full indexes can refer to what others have stored, and they are larger: few copies in a large file do not pay. */
static bool copies_pay(const struct cursor *c)
{
	enum { INDEX = 6, RATIO = 16 }; /* bytes more a logical cluster; what is there twice was often well compressed */
	const struct ero_stream *s = c->stream;
	const struct ero_pack *pack = c->packer->pack;
	uint64_t lost = 2 * (uint64_t)ero_pack_pcluster_size(pack, s->node), gain = 0;
	const struct ero_copy *copy = s->dedupe ? ero_dedupe_copy(s->dedupe, s->line) : NULL;

	for (; copy && copy < s->dedupe->copies.data + s->dedupe->copies.count && copy->at < s->line + s->length; copy++)
		gain += copy->length > lost ? copy->length - lost : 0;
	return gain / RATIO > (pack->options->legacy_compress ? 0 : (s->length >> pack->block_bits) * INDEX);
}

static int pack_segments(struct cursor *c, struct ero_error *err)
{
	const struct ero_stream *s = c->stream;
	uint64_t unit = ero_pack_segment_size(c->packer->pack, s->node);
	int rc = 0;

	s->node->stored.full = copies_pay(c);
	while (!rc && c->at < s->length) {
		struct ero_pack_job *j = new_job(c, s->length - c->at < unit ? s->length - c->at : unit);

		if (!j)
			return ero_fail_memory(err);
		j->run = ero_pack_run_encode;
		rc = s->node->stored.full ? add_copies(c, j, err) : 0;
		if (rc)
			ero_pack_job_free(j);
		else
			rc = submit(c, j, true, err);
	}
	return rc;
}

int ero_pack_stream(struct ero_packer *packer, const struct ero_stream *stream, struct ero_error *err)
{
	struct cursor c = { .packer = packer, .stream = stream };

	return packer->pack->options->extent_size ? pack_extents(&c, err) : pack_segments(&c, err);
}
