// SPDX-License-Identifier: MIT
/*
 * Files with holes. A hole is never read; what it costs depends on the form:
 *  - chunks (Linux 5.15): an entry of the table a chunk, and data padded to whole chunks, uncompressed;
 *  - extents with 48BIT (Linux 6.15): one record of 32 bytes, however long the hole;
 *  - pclusters: index entries for each logical cluster of it, and encoded zeros. That is for files with few holes.
 */
#include "pack/sparse.h"
#include "base/bytes.h"

#include <stdlib.h>

enum {
	LEAST_SIZE = 64 << 10,      /* bytes: smaller files are not worth a table */
	LEAST_HOLE = 64 << 10,      /* shorter ones are encoded with what surrounds them */
	LEAST_PLAIN_HOLE = 4096,    /* the same where nothing is encoded: a record costs less than a page */
	MOST_BITS = 31,             /* of blocks in a chunk: format.md */
	CHUNK_WASTE = 1 << 20,      /* up to here chunks are preferred to extents, which need a kernel that decompresses */
	RATIO_INDEX = 2048,         /* plain bytes for one byte of index: two bytes a logical cluster */
	RATIO_LZ4 = 255, RATIO_OTHERS = 3072, /* and for one byte of encoded zeros: LZ4's limit, or a block for 12 MiB */
	RATIO_DATA = 2,             /* what encoding is expected to make of data */
};

/* What one pass over a file's ranges tells: how many bytes are data, in how many ranges, and in how many chunks of each size. */
struct tally {
	uint64_t data, ranges, holes;   /* holes: bytes of those of LEAST_HOLE or more */
	uint64_t chunks[MOST_BITS + 1]; /* by bits beyond a block's */
	uint64_t after[MOST_BITS + 1];  /* number of the first chunk not yet counted */
};

static void count_range(struct tally *t, unsigned block_bits, uint64_t start, uint64_t end)
{
	t->ranges++;
	t->data += end - start;
	for (unsigned i = 0; i <= MOST_BITS; i++) {
		uint64_t first = start >> (block_bits + i), last = (end - 1) >> (block_bits + i);

		if (first < t->after[i])
			first = t->after[i];
		if (last >= first)
			t->chunks[i] += last - first + 1;
		t->after[i] = last + 1;
	}
}

static int count_ranges(const struct ero_pack *pack, const struct ero_node *node, struct tally *t, struct ero_error *err)
{
	const struct ero_source_ops *ops = pack->source->ops;
	struct ero_source_file file;
	uint64_t start, end;
	int rc = ops->open(pack->source, node, &file, err);

	if (rc)
		return rc;
	for (uint64_t at = 0; !rc && at < node->size; at = end) {
		rc = ops->next_data(&file, at, &start, &end, err);
		if (rc || end <= at)
			break;
		if (start - at >= LEAST_HOLE)
			t->holes += start - at;
		if (start < node->size)
			count_range(t, pack->block_bits, start, end);
		else
			end = node->size;
	}
	ops->close(&file);
	return rc;
}

/* Bytes that chunks of 2^bits take: table and data; the last chunk of a file is as long as it must be. */
static uint64_t chunk_cost(const struct ero_pack *pack, const struct ero_node *node, const struct tally *t, unsigned bits)
{
	uint64_t unit = pack->options->force_chunk_indexes ? 8 : 4, size = 1ull << bits, data;
	uint64_t last = node->size & (size - 1), table = ero_div_up(node->size, size) * unit;

	if (__builtin_mul_overflow(t->chunks[bits - pack->block_bits], size, &data))
		return UINT64_MAX;
	if (last && t->after[bits - pack->block_bits] == ero_div_up(node->size, size)) /* it holds data */
		data -= size - ero_round_up(last, 1u << pack->block_bits);
	return data + table;
}

static uint64_t choose_chunk(const struct ero_pack *pack, const struct ero_node *node, const struct tally *t, uint8_t *bits)
{
	uint64_t best = UINT64_MAX;

	if (pack->options->chunk_size) {
		*bits = (uint8_t)ero_log2(pack->options->chunk_size);
		return chunk_cost(pack, node, t, *bits);
	}
	for (unsigned i = pack->block_bits; i <= pack->block_bits + MOST_BITS && i < 63; i++) {
		uint64_t cost = chunk_cost(pack, node, t, i);

		if (cost > best)
			continue;
		best = cost;
		*bits = (uint8_t)i;
	}
	return best;
}

/* Bytes that pclusters would take, about. */
static uint64_t encoded_cost(const struct ero_pack *pack, const struct ero_node *node, const struct tally *t)
{
	const struct ero_codec *codec = ero_codec_find(pack->compressors[node->compressor].name, NULL);
	uint64_t ratio = codec && codec->algorithm == ERO_ALG_LZ4 ? RATIO_LZ4 : RATIO_OTHERS, holes = node->size - t->data;

	return t->data / RATIO_DATA + holes / RATIO_INDEX + holes / ratio;
}

static int refuse(const struct ero_pack *pack, const struct ero_node *node, const struct tally *t, uint64_t cost, struct ero_error *err)
{
	char path[512];

	ero_node_path(node, path, sizeof(path));
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG,
			"/%s has %llu bytes, %llu of them data; its holes would cost %llu bytes, and --max-waste=%llu is what they may: "
			"-E48bit%s stores holes of any length (Linux 6.15)", path, (unsigned long long)node->size, (unsigned long long)t->data,
			(unsigned long long)(cost - t->data), (unsigned long long)pack->options->max_waste,
			pack->options->chunk_size ? " without --chunksize" : "");
}

static int choose_form(const struct ero_pack *pack, const struct ero_node *node, struct ero_sparse *s, struct ero_error *err)
{
	const struct ero_build_options *o = pack->options;
	bool encodes = o->compressor_count && node->compressor != 0xff && !o->chunk_size;
	struct tally t = { 0 };
	uint64_t cost;
	int rc = count_ranges(pack, node, &t, err);

	*s = (struct ero_sparse){ .node = node };
	if (rc || t.data == node->size)
		return rc;
	if (o->extent_size) {
		if (t.holes)
			s->form = ERO_SPARSE_EXTENTS;
		return 0;
	}
	cost = choose_chunk(pack, node, &t, &s->chunk_bits);
	if (encodes && t.holes < LEAST_HOLE)
		return 0;
	if (o->wide && !o->chunk_size && cost - t.data > CHUNK_WASTE) {
		uint64_t plain = t.data + t.ranges * 64 + t.data / (1 << 20) * 32;

		if (!encodes || plain < encoded_cost(pack, node, &t))
			s->form = ERO_SPARSE_PLAIN_EXTENTS;
		return 0;
	}
	if (encodes && encoded_cost(pack, node, &t) <= cost && encoded_cost(pack, node, &t) - t.data / RATIO_DATA <= o->max_waste)
		return 0;
	if (cost - t.data > o->max_waste)
		return refuse(pack, node, &t, cost, err);
	s->form = ERO_SPARSE_CHUNKS;
	return 0;
}

int ero_pack_find_sparse(struct ero_pack *pack, struct ero_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < pack->tree->node_count; i++) {
		const struct ero_node *node = pack->tree->nodes[i];
		struct ero_sparse s;

		if (!S_ISREG(node->mode) || !node->maybe_sparse || node->size < LEAST_SIZE)
			continue;
		rc = choose_form(pack, node, &s, err);
		if (!rc && s.form != ERO_SPARSE_NOT && !ero_vec_push(&pack->sparse, s))
			rc = ero_fail_memory(err);
	}
	return rc;
}

const struct ero_sparse *ero_pack_sparse(const struct ero_pack *pack, const struct ero_node *node)
{
	size_t low = 0, high = node->maybe_sparse ? pack->sparse.count : 0;

	while (low < high) { /* the order of the tree is that of its numbers */
		size_t middle = low + (high - low) / 2;
		const struct ero_sparse *s = &pack->sparse.data[middle];

		if (s->node == node)
			return s;
		if (s->node->ino < node->ino)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- jobs ---- */

struct cursor {
	struct ero_packer *packer;
	const struct ero_sparse *sparse;
	struct ero_node *node;
	struct ero_source_file file;
	uint64_t at;             /* up to here jobs are submitted */
};

static struct ero_pack_job *new_job(const struct cursor *c, uint64_t length)
{
	struct ero_pack_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->pack = c->packer->pack;
	j->node = c->node;
	j->offset = c->at;
	j->first = c->at == 0;
	j->last = c->at + length == c->node->size;
	return j;
}

static int submit_hole(struct cursor *c, uint64_t length, struct ero_error *err)
{
	struct ero_pack_job *j = length ? new_job(c, length) : NULL;

	if (!length)
		return 0;
	if (!j)
		return ero_fail_memory(err);
	j->run = c->sparse->form == ERO_SPARSE_CHUNKS ? ero_pack_run_chunks : ero_pack_run_extent;
	j->hole = length;
	c->at += length;
	return ero_pack_queue_submit(&c->packer->queue, j, err);
}

static int submit_data(struct cursor *c, uint64_t length, struct ero_error *err)
{
	struct ero_pack_piece piece = { .node = c->node, .offset = c->at, .length = (uint32_t)length };
	struct ero_pack_job *j = new_job(c, length);

	if (!j)
		return ero_fail_memory(err);
	j->length = (size_t)length;
	j->plain = c->sparse->form == ERO_SPARSE_PLAIN_EXTENTS;
	j->run = c->sparse->form == ERO_SPARSE_CHUNKS ? ero_pack_run_chunks : ero_pack_run_extent;
	if (c->sparse->form != ERO_SPARSE_CHUNKS && !ero_vec_push(&j->pieces, piece)) {
		ero_pack_job_free(j);
		return ero_fail_memory(err);
	}
	c->at += length;
	return ero_pack_queue_submit(&c->packer->queue, j, err);
}

/* The range of data at or behind `at`, with what follows it after holes shorter than `least`. */
static int next_range(struct cursor *c, uint64_t least, uint64_t *start, uint64_t *end, struct ero_error *err)
{
	const struct ero_source_ops *ops = c->packer->pack->source->ops;
	uint64_t size = c->node->size, next, behind;
	int rc = ops->next_data(&c->file, c->at, start, end, err);

	if (!rc && *end <= c->at) /* it has changed meanwhile; there is nothing to gain */
		*end = size;
	while (!rc && *end < size) {
		rc = ops->next_data(&c->file, *end, &next, &behind, err);
		if (rc || next - *end >= least || next >= size || behind <= *end)
			break;
		*end = behind;
	}
	return rc;
}

static int submit_extents(struct cursor *c, struct ero_error *err)
{
	uint64_t least = c->sparse->form == ERO_SPARSE_PLAIN_EXTENTS ? LEAST_PLAIN_HOLE : LEAST_HOLE;
	uint64_t unit = ero_pack_extent_run(c->packer->pack, c->node), start, end;
	int rc = 0;

	while (!rc && c->at < c->node->size) {
		rc = next_range(c, least, &start, &end, err);
		if (!rc && start - c->at >= least)
			rc = submit_hole(c, start - c->at, err);
		while (!rc && c->at < end)
			rc = submit_data(c, end - c->at < unit ? end - c->at : unit, err);
	}
	return rc;
}

static int submit_chunks(struct cursor *c, struct ero_error *err)
{
	uint64_t chunk = 1ull << c->sparse->chunk_bits, unit = chunk > ERO_CHUNK_KEPT ? chunk : ERO_CHUNK_KEPT, start, end;
	int rc = 0;

	while (!rc && c->at < c->node->size) {
		uint64_t left = c->node->size - c->at;

		rc = c->packer->pack->source->ops->next_data(&c->file, c->at, &start, &end, err);
		if (!rc)
			rc = submit_hole(c, start >= c->node->size ? left : ero_round_down(start - c->at, unit), err);
		left = c->node->size - c->at;
		if (!rc && left)
			rc = submit_data(c, left < unit ? left : unit, err);
	}
	return rc;
}

int ero_pack_sparse_file(struct ero_packer *packer, struct ero_node *node, const struct ero_sparse *sparse, struct ero_error *err)
{
	struct cursor c = { .packer = packer, .sparse = sparse, .node = node };
	const struct ero_source_ops *ops = packer->pack->source->ops;
	int rc = ops->open(packer->pack->source, node, &c.file, err);

	if (rc)
		return rc;
	packer->pack->zero_extents |= sparse->form != ERO_SPARSE_CHUNKS;
	rc = sparse->form == ERO_SPARSE_CHUNKS ? submit_chunks(&c, err) : submit_extents(&c, err);
	ops->close(&c.file);
	return rc;
}

int ero_pack_sparse_files(struct ero_packer *packer, struct ero_error *err)
{
	const struct ero_pack *pack = packer->pack;
	int rc = 0;

	for (size_t i = 0; !rc && i < pack->sparse.count; i++)
		rc = ero_pack_sparse_file(packer, pack->tree->nodes[pack->sparse.data[i].node->ino - 1], &pack->sparse.data[i], err);
	if (!rc)
		rc = ero_pack_queue_drain(&packer->queue, err);
	return rc ? rc : ero_place_padding(&packer->placer, 1u << pack->block_bits, err); /* others begin with whole blocks */
}

int ero_pack_read(struct ero_pack *pack, struct ero_source_file *file, uint64_t offset, uint8_t *to, size_t length, bool *hole,
		  struct ero_error *err)
{
	const struct ero_source_ops *ops = pack->source->ops;
	uint64_t limit = offset + length, start, end;
	int rc = 0;

	*hole = false;
	if (!file->node->maybe_sparse)
		return ops->read(file, offset, to, length, err);
	*hole = true;
	for (uint64_t at = offset; !rc && at < limit; at = end) {
		rc = ops->next_data(file, at, &start, &end, err);
		if (rc)
			break;
		start = start < limit ? start : limit;
		end = end > start && end < limit ? end : limit;
		memset(to + (at - offset), 0, (size_t)(start - at));
		if (start < end) {
			rc = ops->read(file, start, to + (start - offset), (size_t)(end - start), err);
			*hole = false;
		}
	}
	return rc;
}
