// SPDX-License-Identifier: MIT
/*
 * Form B: a fixed piece of plain bytes becomes one extent by one call of an encoder, and lies wherever the one before
 * ended, to the byte. Pieces of more than 1 MiB end where the encoded limit is reached. Zeros become holes; what an
 * encoder cannot shorten is stored plain, at a block boundary, so that readers may fetch it directly.
 */
#include "pack/dedupe.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

/*
 * Wherever an extent begins, it must touch no more pages than readers announce to have for it: 256 of 4096 bytes. Linux
 * 6.18 gives EFAULT for lz4 extents that touch one more.
 */
enum { MOST_ENCODED = ERO_PCLUSTER_MAX_ENCODED - 4095 };
_Static_assert(ERO_PCLUSTER_MAX_ENCODED - ERO_PCLUSTER_MAX_ENCODED / 64 <= MOST_ENCODED, "what is shortened to a 64th less fits from 1 MiB");

/* ---- how much at once ---- */

/*
 * Extents of more than 1 MiB may become too long. One after the other is filled then, and the more of them a job has, the fewer are
 * cut short by its end.
 */
enum { RUN = 24 << 20 };

uint64_t ero_pack_extent_run(const struct ero_pack *pack, const struct ero_node *node)
{
	uint64_t extent = ero_pack_extent_size(pack, node);

	return extent <= ERO_PCLUSTER_MAX_ENCODED || node->compressor == 0xff ? extent : RUN - RUN % extent;
}

/* ---- in a thread ---- */

struct encoding {
	struct ero_pack_job *job;
	struct ero_pack_worker *worker;
	const struct ero_codec *codec;   /* NULL: plain */
	void *encoder;
	size_t filled;                   /* bytes of worker->blocks */
};

static int read_piece(struct ero_pack_job *j, struct ero_pack_piece *piece, uint8_t *to, bool *hole)
{
	const struct ero_source_ops *ops = j->pack->source->ops;
	struct ero_source_file file;
	int rc = ops->open(j->pack->source, piece->node, &file, &j->err);

	if (rc)
		return rc;
	rc = ero_pack_read(j->pack, &file, piece->offset, to, piece->length, hole, &j->err);
	ops->close(&file);
	piece->changed = file.changed;
	return rc;
}

int ero_pack_read_pieces(struct ero_pack_job *j, uint8_t *to, bool *zero)
{
	uint8_t *at = to;

	if (j->bytes) {
		memcpy(to, j->bytes, j->length);
		*zero = ero_all_zero(to, j->length);
		return 0;
	}
	*zero = true;
	for (size_t i = 0; i < j->pieces.count; i++) {
		struct ero_pack_piece *piece = &j->pieces.data[i];
		bool hole;
		int rc = read_piece(j, piece, at, &hole);

		if (rc)
			return rc;
		*zero = *zero && (hole || ero_all_zero(at, piece->length));
		at += piece->length;
	}
	return 0;
}

static bool keep(struct encoding *e, size_t length, size_t stored, bool raw)
{
	struct ero_pack_part part = { (uint32_t)length, (uint32_t)stored, raw };

	e->filled += stored;
	return ero_vec_push(&e->job->parts, part);
}

static bool keep_plain(struct encoding *e, const uint8_t *in, size_t length)
{
	memcpy(e->worker->blocks + e->filled, in, length);
	return keep(e, length, length, true);
}

/* What others' data or metadata lie in has none: there a hole is damage, since it could have any length for nothing. */
static bool may_have_holes(const struct ero_pack_job *j)
{
	return j->node != j->pack->packed && j->node != j->pack->metabox;
}

/* Fills extent after extent, as far as the limits of their encoded and plain bytes go. False when memory ends. */
static bool fill(struct encoding *e, const uint8_t *in, size_t length)
{
	size_t block = 1u << e->job->pack->block_bits, most = ero_pack_extent_size(e->job->pack, e->job->node);
	size_t guess = 0;
	bool good = true;

	for (size_t at = 0, taken; good && at < length; at += taken) {
		size_t left = length - at, room = left < MOST_ENCODED ? left : MOST_ENCODED, n = 0;
		uint8_t *to = e->worker->blocks + e->filled;

		taken = left < most ? left : most;
		if (may_have_holes(e->job) && ero_all_zero(in + at, taken)) {
			good = keep(e, taken, 0, false);
			continue;
		}
		if (e->codec)
			n = e->codec->encode_fixed(e->encoder, in + at, &taken, to, room, &guess);
		if (n && n <= taken - taken / 64 && to[0]) { /* readers take zeros in front for padding */
			good = keep(e, taken, n, false);
			continue;
		}
		taken = left < MOST_ENCODED ? left : (size_t)ero_round_down(MOST_ENCODED, block);
		good = keep_plain(e, in + at, taken);
	}
	return good;
}

/* False when memory ends. */
static bool encode(struct encoding *e, const uint8_t *in, size_t length)
{
	size_t n = 0;
	uint8_t *to;

	if (!ero_pack_ensure(&e->worker->blocks, &e->worker->blocks_room, e->filled + length))
		return false;
	if (length > ERO_PCLUSTER_MAX_ENCODED)
		return fill(e, in, length);
	to = e->worker->blocks + e->filled;
	if (e->codec)
		n = ero_codec_encode(e->codec, e->encoder, in, length, to, length - length / 64);
	return n && to[0] ? keep(e, length, n, false) : keep_plain(e, in, length); /* readers take zeros in front for padding */
}

void ero_pack_run_extent(struct ero_pack_job *j, struct ero_pack_worker *w)
{
	struct encoding e = { .job = j, .worker = w };
	bool zero, kept;

	if (j->hole)
		return;
	if (!ero_pack_ensure(&w->in, &w->in_room, j->length)) {
		j->rc = ero_fail_memory(&j->err);
		return;
	}
	j->rc = ero_pack_read_pieces(j, w->in, &zero);
	if (j->rc)
		return;
	if (j->node->compressor != 0xff && !j->plain) {
		e.codec = ero_codec_find(j->pack->compressors[j->node->compressor].name, &j->err);
		e.encoder = ero_pack_encoder(j, w, j->node->compressor);
		if (!e.encoder)
			return;
	}
	/* of several extents each is a hole of its own: where they all have one length, records do not tell it */
	kept = zero && may_have_holes(j) && j->length <= ero_pack_extent_size(j->pack, j->node) ? keep(&e, j->length, 0, false) : encode(&e, w->in, j->length);
	j->out_length = e.filled;
	j->out = kept && !ero_encoder_failed(e.encoder) ? malloc(e.filled + 1) : NULL;
	if (!j->out)
		j->rc = ero_fail_memory(&j->err);
	else if (e.filled)
		memcpy(j->out, w->blocks, e.filled);
}

/* There is nothing to do but to keep its place among the others. */
void ero_pack_run_copy(struct ero_pack_job *j, struct ero_pack_worker *w)
{
	(void)j;
	(void)w;
}

/* ---- in the thread that builds ---- */

enum { LINEAR = 64 }; /* 4-byte records are read from the first one on: not for long lists */

static unsigned choose_records(const struct ero_placer *p, const struct ero_node *node, uint64_t count)
{
	if (p->extents.uneven)
		return node->size > UINT32_MAX ? 32 : 16;
	if (!p->extents.apart && count <= LINEAR && node->stored.tail <= UINT32_MAX)
		return 4;
	return p->extents.highest > UINT32_MAX ? node->size > UINT32_MAX ? 32 : 16 : 8;
}

static int append(struct ero_placer *p, struct ero_node *node, const struct ero_zrecord *record, struct ero_error *err)
{
	uint64_t at;
	int rc = ero_spool_append(p->pack->spool, record, sizeof(*record), &at, err);

	if (!node->stored.map_count++)
		node->stored.map = at;
	return rc;
}

/* Notes the next extent of the file: where it lies, and how regular that makes the file. */
static int place_record(struct ero_placer *p, struct ero_node *node, struct ero_zrecord r, uint64_t plain, struct ero_error *err)
{
	uint32_t size = ero_pack_extent_size(p->pack, node);

	r.logical = p->extents.logical;
	if (!p->extents.logical)
		p->extents.start = r.physical;
	p->extents.apart |= p->extents.logical && r.physical != p->extents.end;
	p->extents.uneven |= p->extents.logical % size != 0 || plain > size || !ero_is_pow2(size);
	p->extents.logical += plain;
	p->extents.end = r.physical + r.length;
	p->extents.highest = p->extents.end > p->extents.highest ? p->extents.end : p->extents.highest;
	return append(p, node, &r, err);
}

/* Linux 6.18 does not take the last one or two bytes of DEFLATE data alone in a page: EUCLEAN. They get company. */
static int step_over_edge(struct ero_placer *p, unsigned algorithm, uint32_t stored, struct ero_error *err)
{
	static const uint8_t zeros[2];
	uint64_t in_page = (p->pack->end + stored) % 4096;

	return algorithm == ERO_ALG_DEFLATE && (in_page == 1 || in_page == 2) ? ero_place_bytes(p, zeros, sizeof(zeros), err) : 0;
}

static int place_part(struct ero_placer *p, struct ero_pack_job *j, const struct ero_pack_part *part,
		      const uint8_t *bytes, struct ero_error *err)
{
	struct ero_zrecord r = { .length = part->stored };
	int rc = 0;

	if (part->raw) {
		rc = ero_place_padding(p, 1u << p->pack->block_bits, err);
	} else if (part->stored) {
		unsigned algorithm = ero_codec_find(p->pack->compressors[j->node->compressor].name, NULL)->algorithm;

		r.format = algorithm + 1u;
		rc = step_over_edge(p, algorithm, part->stored, err);
	}
	if (rc)
		return rc;
	r.physical = p->pack->end;
	p->pack->stored_bytes += S_ISDIR(j->node->mode) ? 0 : part->stored;
	p->extents.stored += part->stored;
	rc = ero_place_bytes(p, bytes, part->stored, err);
	if (!rc && !p->pack->options->extent_size) /* everything else there has whole blocks */
		rc = ero_place_padding(p, 1u << p->pack->block_bits, err);
	return rc ? rc : place_record(p, j->node, r, part->length, err);
}

/* ---- copies ---- */

static int read_record(struct ero_placer *p, const struct ero_stored *s, uint64_t index, struct ero_zrecord *r, struct ero_error *err)
{
	return ero_spool_read(p->pack->spool, r, sizeof(*r), s->map + index * sizeof(*r), err);
}

/* The record that begins at `at`, where there is a cut: the last one at or before it. */
static int find_record(struct ero_placer *p, const struct ero_stored *s, uint64_t at, uint64_t *index, struct ero_error *err)
{
	uint64_t low = 0, high = s->map_count;
	int rc = 0;

	while (!rc && high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		struct ero_zrecord r;

		rc = read_record(p, s, mid, &r, err);
		if (!rc && r.logical > at)
			high = mid;
		else
			low = mid;
	}
	*index = low;
	return rc;
}

/* The copy gets the records of what it is a copy of; both were cut at the same bytes. */
static int place_copy(struct ero_placer *p, struct ero_pack_job *j, struct ero_error *err)
{
	const struct ero_line_stream *from = ero_dedupe_stream_at(p->dedupe, j->source);
	struct ero_stored *s = &from->node->stored;
	uint64_t at = j->source - from->at, end = at + j->length, i;
	struct ero_zrecord r, next;
	int rc = find_record(p, s, at, &i, err);

	if (!rc && i >= s->map_count)
		rc = ero_fail(err, ERO_ERROR_CORRUPT, EIO, "a copy of what has no extents: this is an error of erolith, please report it");
	if (!rc)
		rc = read_record(p, s, i, &r, err);
	if (!rc && r.logical != at)
		rc = ero_fail(err, ERO_ERROR_CORRUPT, EIO, "a copy begins inside an extent: this is an error of erolith, please report it");
	while (!rc && at < end) {
		uint64_t stop = end;

		if (++i < s->map_count)
			rc = read_record(p, s, i, &next, err);
		if (!rc && i < s->map_count)
			stop = next.logical < end ? next.logical : end;
		if (!rc)
			rc = place_record(p, j->node, r, (uint32_t)(stop - at), err);
		at = stop;
		r = next;
	}
	return rc;
}

/* The tail's place in the packed inode is known since files were gathered. */
static int end_file(struct ero_placer *p, struct ero_node *node, struct ero_error *err)
{
	struct ero_stored *s = &node->stored;
	struct ero_zrecord tail = { .fragment = true, .raw_plen = (uint32_t)s->tail, .physical = s->tail >> 32,
				    .logical = p->extents.logical };
	int rc = s->tail_fragment ? append(p, node, &tail, err) : 0;

	s->layout = ERO_LAYOUT_COMPRESSED_FULL;
	s->record_size = (uint8_t)choose_records(p, node, s->map_count);
	s->chunk_bits = (uint8_t)ero_log2(ero_pack_extent_size(p->pack, node));
	s->start_block = p->extents.start; /* in bytes */
	if (!rc)
		rc = ero_place_count(s, ero_div_up(p->extents.stored, 1u << p->pack->block_bits), err);
	p->pack->compressed_files += S_ISREG(node->mode) && node != p->pack->packed && node != p->pack->metabox;
	return rc;
}

int ero_place_extents(struct ero_placer *p, struct ero_pack_job *j, struct ero_error *err)
{
	const uint8_t *bytes = j->out;
	int rc = 0;

	if (j->first)
		memset(&p->extents, 0, sizeof(p->extents));
	if (j->run == ero_pack_run_copy)
		rc = place_copy(p, j, err);
	if (j->hole)
		rc = place_record(p, j->node, (struct ero_zrecord){ .physical = p->pack->end }, j->hole, err);
	for (size_t i = 0; !rc && i < j->parts.count; i++) {
		rc = place_part(p, j, &j->parts.data[i], bytes, err);
		bytes += j->parts.data[i].stored;
	}
	return rc || !j->last ? rc : end_file(p, j->node, err);
}
