// SPDX-License-Identifier: MIT
/*
 * Form A: a segment becomes pclusters of fixed output size. Each takes as much input as fills it; what gains nothing
 * is stored plain, a block at a time. Every pcluster begins in a logical cluster of its own, since an index entry can
 * tell of one beginning only.
 */
#include "pack/job.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_PACKED_LIMIT = 2 << 20 };

struct segment {
	struct ero_pack_job *job;
	struct ero_pack_worker *worker;
	const struct ero_codec *codec;
	void *encoder;
	unsigned block, pcluster;
	size_t at;             /* plain bytes of the segment that are done */
	size_t filled;         /* bytes of worker->blocks */
	size_t plain_until;    /* up to here an encoder has looked and found nothing to gain */
	size_t reuse;          /* of the job's pclusters to use again: the next one */
	bool gained;
};

unsigned ero_pack_pcluster_size(const struct ero_pack *pack, const struct ero_node *node)
{
	unsigned size = node->pcluster_sectors ? node->pcluster_sectors * 512u : pack->options->pcluster_size;

	return size ? size : 1u << pack->block_bits;
}

/* Geometry of a file's index where it will lie: inodes are aligned to 32 bytes, so that the head's size says it all. */
unsigned ero_pack_map_size(const struct ero_pack *pack, const struct ero_node *node)
{
	unsigned head = ero_pack_head_size(pack, node);
	unsigned header_end = (unsigned)ero_round_up(head, 8) + ERO_MAP_HEADER;
	struct ero_zindex z;

	ero_zindex_init(&z, pack->options->legacy_compress || node->stored.full ? ERO_LAYOUT_COMPRESSED_FULL :
										    ERO_LAYOUT_COMPRESSED_COMPACT,
			pack->block_bits <= 12 ? ERO_ADVISE_COMPACTED_2B : 0, pack->block_bits, node->size, header_end);
	if (z.start + z.size - head > UINT32_MAX / 2)
		return UINT32_MAX / 2; /* far past any block: no inline tail */
	return (unsigned)(z.start + z.size) - head;
}

static bool push_extent(struct segment *s, unsigned type, size_t length, size_t bytes)
{
	struct ero_zextent e = {
		.block = s->filled >> s->job->pack->block_bits,
		.at = s->at,
		.length = (uint32_t)length,
		.blocks = (uint16_t)ero_div_up(bytes, s->block),
		.type = (uint8_t)type,
	};

	return ero_vec_push(&s->job->extents, e);
}

/* Places encoded or plain bytes into whole blocks: encoded ones at the end, behind zeros. */
static bool place(struct segment *s, unsigned type, const uint8_t *bytes, size_t stored, size_t length)
{
	size_t space = (size_t)ero_round_up(stored, s->block);
	bool front = type == ERO_LC_PLAIN;
	uint8_t *to;

	if (!ero_pack_ensure(&s->worker->blocks, &s->worker->blocks_room, s->filled + space) ||
	    !push_extent(s, type, length, stored))
		return false;
	to = s->worker->blocks + s->filled;
	memset(to, 0, space);
	memcpy(front ? to : to + space - stored, bytes, stored);
	s->filled += space;
	return true;
}

/* The file's last pcluster goes behind its inode if that has room for it. */
static bool place_inline(struct segment *s, unsigned type, const uint8_t *bytes, size_t stored, size_t length)
{
	const struct ero_pack *pack = s->job->pack;
	unsigned before;

	if (!pack->options->ztailpacking || pack->options->fragments || s->job->node == pack->packed || S_ISDIR(s->job->node->mode))
		return false;
	before = ero_pack_head_size(pack, s->job->node) + ero_pack_map_size(pack, s->job->node);
	if (before > s->block || stored > s->block - before)
		return false;
	s->job->tail = malloc(stored);
	if (!s->job->tail || !push_extent(s, type, length, s->block))
		return false;
	memcpy(s->job->tail, bytes, stored);
	s->job->tail_length = stored;
	return true;
}

/*
 * The last plain bytes of a file when they begin inside one logical cluster and end in the next: kernels take the end
 * of the last cluster, not of the file, as the end of such an extent, and refuse one longer than its block (seen on
 * Linux 6.18: EUCLEAN). So they are encoded for no gain, or cut at the boundary.
 */
static size_t place_crossing_end(struct segment *s, const uint8_t *in, size_t at, size_t left)
{
	size_t take = left, guess = 0;
	size_t n = s->codec->encode_fixed(s->encoder, in + at, &take, s->worker->scratch, s->block, &guess);

	if (n && take == left)
		return place_inline(s, ERO_LC_HEAD1, s->worker->scratch, n, left) ||
				       place(s, ERO_LC_HEAD1, s->worker->scratch, n, left) ?
			       left : 0;
	take = s->block - (at & (s->block - 1));
	return place(s, ERO_LC_PLAIN, in + at, take, take) ? take : 0;
}

/* The end of a file that would not fill a pcluster: the packed inode takes it. */
static size_t leave_fragment(struct segment *s, size_t length)
{
	s->job->fragment_length = length;
	return push_extent(s, ERO_LC_HEAD1, length, s->block) ? length : 0;
}

static bool wants_fragment(const struct segment *s)
{
	return s->job->last && s->job->pack->options->fragments == ERO_FRAGMENTS_TAILS && S_ISREG(s->job->node->mode) &&
	       s->job->node != s->job->pack->packed && !s->job->node->apart;
}

/*
 * Most plain bytes of a pcluster of the packed inode. Readers fetch fragments from it page by page; where a pcluster of zeros
 * decoded to 12 MiB, Linux 6.17, 6.18 and 7.2 did not come back from that. Up to 2 MiB random reads take no longer, and the
 * kernel source as fragments is 1 % smaller than with 1 MiB (tests/bench/RESULTS.md).
 */
size_t ero_pack_packed_limit(const struct ero_pack *pack, const struct ero_node *packed)
{
	size_t limit = (size_t)ero_pack_pcluster_size(pack, packed) * 8;

	return limit > LEAST_PACKED_LIMIT ? limit : LEAST_PACKED_LIMIT;
}

/* The pcluster to use again that is near enough ahead to end the next one; NULL for none. */
static const struct ero_pack_reuse *reuse_ahead(struct segment *s, size_t at)
{
	const struct ero_pack_reuse *r = ero_pack_next_reuse(s->job, &s->reuse, at);

	while (r && r->at != at && r->at - at < s->block) { /* the one before it would begin in the same logical cluster */
		s->reuse++;
		r = ero_pack_next_reuse(s->job, &s->reuse, at);
	}
	return r;
}

static size_t use_again(struct segment *s, const struct ero_pack_reuse *r)
{
	struct ero_zextent e = r->extent;

	e.at = r->at;
	e.again = true;
	s->gained = true;
	return ero_vec_push(&s->job->extents, e) ? e.length : 0;
}

/* Encodes from `at` on; returns the plain bytes taken, 0 when memory ends. */
static size_t next_pcluster(struct segment *s, const uint8_t *in, size_t at, size_t *guess)
{
	size_t left = s->job->length - at, limit = ERO_PCLUSTER_MAX_DECODED, take, n, blocks;
	const struct ero_pack_reuse *reuse = reuse_ahead(s, at);
	const struct ero_build_options *o = s->job->pack->options;
	bool ends, tail_only;

	if (reuse && reuse->at == at)
		return use_again(s, reuse);
	if (reuse && limit > reuse->at - at)
		limit = reuse->at - at;
	if (s->job->node == s->job->pack->packed && limit > ero_pack_packed_limit(s->job->pack, s->job->node))
		limit = ero_pack_packed_limit(s->job->pack, s->job->node);
	if (o->max_extent_bytes && o->max_extent_bytes < limit)
		limit = o->max_extent_bytes;
	take = left < limit ? left : limit;
	/* the rest of a file that fits one block gains nothing but inline */
	tail_only = left <= s->block && !(s->job->last && o->ztailpacking);
	n = tail_only || at < s->plain_until ? 0 : s->codec->encode_fixed(s->encoder, in + at, &take, s->worker->scratch, s->pcluster, guess);
	ends = n && take == left && s->job->last;
	if (wants_fragment(s) && (ends || left <= s->block))
		return leave_fragment(s, left);
	if (ends && n < left && place_inline(s, ERO_LC_HEAD1, s->worker->scratch, n, left)) {
		s->gained = true;
		return left;
	}
	blocks = (size_t)ero_div_up(n, s->block);
	if (n && take > blocks * s->block) { /* more than it takes: so the next one begins in a later cluster */
		s->gained = true;
		return place(s, ERO_LC_HEAD1, s->worker->scratch, n, take) ? take : 0;
	}
	/* what filled a whole pcluster for nothing is not tried again block by block: that would be quadratic */
	if (!tail_only && at >= s->plain_until)
		s->plain_until = at + (size_t)ero_round_down(n ? take : s->pcluster, s->block);
	take = left < s->block ? left : s->block;
	if (take == left && s->job->last && (at & (s->block - 1)) + left > s->block)
		return place_crossing_end(s, in, at, left);
	if (take == left && s->job->last && s->gained && place_inline(s, ERO_LC_PLAIN, in + at, take, take))
		return take;
	return place(s, ERO_LC_PLAIN, in + at, take, take) ? take : 0;
}

void *ero_pack_encoder(struct ero_pack_job *j, struct ero_pack_worker *w, unsigned index)
{
	const struct ero_compressor *c = &j->pack->compressors[index];

	if (w->encoders[index])
		return w->encoders[index];
	errno = 0;
	w->encoders[index] = ero_codec_find(c->name, NULL)->create(c);
	if (!w->encoders[index] && errno == ENOMEM)
		j->rc = ero_fail_memory(&j->err);
	else if (!w->encoders[index])
		j->rc = ero_fail(&j->err, ERO_ERROR_ARGUMENT, EINVAL, "-z %s: the library refuses these settings", c->name);
	return w->encoders[index];
}

/* Nothing gained: the segment itself is the result. A small gain that the index eats up counts as none. */
static bool worthwhile(const struct segment *s)
{
	const struct ero_pack_job *j = s->job;
	unsigned tail = (unsigned)(j->length & (s->block - 1));
	size_t plain, encoded;

	if (j->fragment_length == j->node->size)
		return true; /* the packed inode has it all */
	if (!s->gained)
		return false;
	if (!j->first || !j->last)
		return true;
	plain = ero_pack_inlines(j->pack, j->node, tail) ? j->length : (size_t)ero_round_up(j->length, s->block);
	encoded = s->filled + j->tail_length + j->fragment_length / 2 + ero_pack_map_size(j->pack, j->node);
	return encoded < plain;
}

static int keep_result(struct segment *s, const uint8_t *in)
{
	struct ero_pack_job *j = s->job;
	const uint8_t *from = s->worker->blocks;

	j->raw = !worthwhile(s);
	j->out_length = s->filled;
	if (j->raw) {
		free(j->tail);
		j->tail = NULL;
		j->tail_length = 0;
		from = in;
		j->out_length = j->length;
	}
	if (!j->out_length)
		return 0;
	j->out = malloc(j->out_length);
	if (!j->out)
		return ero_fail_memory(&j->err);
	memcpy(j->out, from, j->out_length);
	return 0;
}

static int encode_all(struct segment *s, const uint8_t *in)
{
	size_t guess = 0;

	while (s->at < s->job->length) {
		size_t took = ero_pack_reuse_repeats(s->job, s->at) ? next_pcluster(s, in, s->at, &guess) : 0;

		if (!took)
			return ero_fail_memory(&s->job->err);
		s->at += took;
	}
	return keep_result(s, in);
}

static int read_segment(struct ero_pack_job *j, uint8_t *to)
{
	const struct ero_source_ops *ops = j->pack->source->ops;
	int rc = ops->open(j->pack->source, j->node, &j->file, &j->err);
	bool hole;

	if (rc)
		return rc;
	rc = ero_pack_read(j->pack, &j->file, j->offset, to, j->length, &hole, &j->err);
	ops->close(&j->file);
	return rc;
}

void ero_pack_run_encode(struct ero_pack_job *j, struct ero_pack_worker *w)
{
	struct segment s = { .job = j, .worker = w };
	unsigned index = j->node->compressor;
	bool zero;

	s.block = 1u << j->pack->block_bits;
	s.pcluster = ero_pack_pcluster_size(j->pack, j->node);
	s.codec = ero_codec_find(j->pack->compressors[index].name, &j->err);
	if (!ero_pack_ensure(&w->in, &w->in_room, j->length) ||
	    !ero_pack_ensure(&w->scratch, &w->scratch_room, s.pcluster)) {
		j->rc = ero_fail_memory(&j->err);
		return;
	}
	s.encoder = ero_pack_encoder(j, w, index);
	if (!s.encoder)
		return;
	j->rc = j->pieces.count || j->bytes ? ero_pack_read_pieces(j, w->in, &zero) : read_segment(j, w->in);
	if (!j->rc)
		j->rc = encode_all(&s, w->in);
	if (!j->rc && ero_encoder_failed(s.encoder))
		j->rc = ero_fail_memory(&j->err);
}
