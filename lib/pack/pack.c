// SPDX-License-Identifier: MIT
/* The packing loop: cuts files into jobs, keeps the pool busy, and places results in order. */
#include "pack/pack.h"
#include "base/bytes.h"
#include "format/inode.h"
#include "pack/job.h"

#include <stdlib.h>
#include <string.h>

enum { WRITE_BUFFER = 1 << 20, FLAT_SEGMENT = 8 << 20 };

struct packer {
	struct ero_pack *pack;
	struct ero_pool *pool;
	struct ero_chunk_table *chunks;
	size_t in_flight;         /* bytes of source data in submitted jobs */
	uint8_t *buffer;          /* encoded blocks on their way out */
	size_t buffered;
	uint64_t buffer_block;    /* where they go */
	bool file_raw;            /* no segment of the current file gained anything so far */
	bool file_changed;
};

unsigned ero_pack_head_size(const struct ero_pack *pack, const struct ero_node *node)
{
	return (node->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE) +
	       pack->tree->xattrs.sets[node->xattr_set].body_size;
}

bool ero_pack_ensure(uint8_t **buffer, size_t *room, size_t want)
{
	uint8_t *grown;

	if (*room >= want)
		return true;
	if (want < *room + *room / 2)
		want = *room + *room / 2;
	grown = realloc(*buffer, want);
	if (!grown)
		return false;
	*buffer = grown;
	*room = want;
	return true;
}

static void *make_worker(void *context)
{
	struct ero_pack_worker *w = calloc(1, sizeof(*w));

	if (w)
		w->pack = context;
	return w;
}

static void free_worker(void *worker)
{
	struct ero_pack_worker *w = worker;

	for (unsigned i = 0; i < ERO_MAX_COMPRESSORS; i++)
		if (w->encoders[i])
			ero_codec_find(w->pack->compressors[i].name, NULL)->destroy(w->encoders[i]);
	free(w->in);
	free(w->scratch);
	free(w->blocks);
	free(w);
}

static void free_job(struct ero_pack_job *j)
{
	if (j->file.source)
		j->file.source->ops->drop(&j->file);
	free(j->out);
	free(j->tail);
	ero_vec_free(&j->extents);
	ero_vec_free(&j->chunks);
	free(j);
}

/* ---- writing ---- */

static int flush(struct packer *p, struct ero_error *err)
{
	int rc = p->buffered ? ero_outfile_write(p->pack->out, p->buffer, p->buffered,
						 p->buffer_block << p->pack->block_bits, err) :
			       0;

	p->buffered = 0;
	return rc;
}

/* Writes bytes at the next free block, padded to whole blocks, and moves it on. */
static int write_blocks(struct packer *p, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	unsigned bits = p->pack->block_bits;
	size_t space = (size_t)ero_round_up(length, 1u << bits);
	uint64_t block = p->pack->next_block;
	int rc = 0;

	p->pack->next_block += space >> bits;
	if (p->buffered + space > WRITE_BUFFER || p->buffer_block + (p->buffered >> bits) != block)
		rc = flush(p, err);
	if (rc || !length)
		return rc;
	if (!p->buffered)
		p->buffer_block = block;
	if (space > WRITE_BUFFER) { /* too large to gather; its own tail needs padding */
		size_t whole = (size_t)ero_round_down(length, 1u << bits);

		rc = ero_outfile_write(p->pack->out, bytes, whole, block << bits, err);
		if (rc || whole == length)
			return rc;
		p->buffer_block = block + (whole >> bits);
		bytes += whole;
		length -= whole;
		space = 1u << bits;
	}
	memcpy(p->buffer + p->buffered, bytes, length);
	memset(p->buffer + p->buffered + length, 0, space - length);
	p->buffered += space;
	return 0;
}

/* --dsunit: the data of a file begins at a multiple of this many blocks; what is passed over becomes zeros. */
static int align_data(struct packer *p, uint64_t blocks, struct ero_error *err)
{
	static const uint8_t zeros[1 << ERO_MAX_BLOCK_BITS];
	unsigned unit = p->pack->options->data_alignment;
	int rc = 0;

	while (!rc && unit > 1 && blocks >= unit && p->pack->next_block % unit)
		rc = write_blocks(p, zeros, 1u << p->pack->block_bits, err);
	return rc;
}

/* ---- placing results, in order ---- */

static int keep_tail(struct packer *p, struct ero_pack_job *j, const uint8_t *bytes, size_t length,
		     struct ero_error *err)
{
	j->node->stored.tail_size = (uint32_t)length;
	return ero_spool_append(p->pack->spool, bytes, length, &j->node->stored.tail, err);
}

static int place_flat(struct packer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;

	if (!j->last)
		return 0;
	stored->layout = j->out_length ? ERO_LAYOUT_FLAT_INLINE : ERO_LAYOUT_FLAT_PLAIN;
	p->pack->plain_files++;
	p->pack->inline_files += j->out_length != 0;
	p->pack->stored_bytes += j->node->size;
	return j->out_length ? keep_tail(p, j, j->out, j->out_length, err) : 0;
}

static int append_extents(struct packer *p, struct ero_pack_job *j, uint64_t base, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	uint64_t at;
	int rc;

	for (size_t i = 0; i < j->extents.count; i++)
		j->extents.data[i].block += base;
	rc = ero_spool_append(p->pack->spool, j->extents.data, j->extents.count * sizeof(struct ero_zextent), &at, err);
	if (j->first)
		stored->map = at;
	stored->map_count += (uint32_t)j->extents.count;
	return rc;
}

/* All segments were incompressible: what has been written is the file as it is, and it becomes a flat one. */
static int place_raw_end(struct packer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	size_t tail = j->out_length & ((1u << p->pack->block_bits) - 1);
	int rc;

	if (!ero_pack_inlines(p->pack, j->node, tail))
		tail = 0;
	rc = write_blocks(p, j->out, j->out_length - tail, err);
	stored->layout = tail ? ERO_LAYOUT_FLAT_INLINE : ERO_LAYOUT_FLAT_PLAIN;
	if (j->node->size == tail)
		stored->start_block = ERO_NULL_BLOCK32;
	stored->map_count = 0;
	p->pack->plain_files++;
	p->pack->inline_files += tail != 0;
	p->pack->stored_bytes += j->node->size;
	if (!rc && tail)
		rc = keep_tail(p, j, j->out + j->out_length - tail, tail, err);
	return rc;
}

static int place_encoded(struct packer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	uint64_t base;
	int rc = 0;

	if (j->first) {
		rc = align_data(p, ero_div_up(j->out_length, 1u << p->pack->block_bits), err);
		if (rc)
			return rc;
		stored->start_block = p->pack->next_block;
		p->file_raw = true;
	}
	p->file_raw = p->file_raw && j->raw;
	if (j->last && p->file_raw)
		return place_raw_end(p, j, err);
	base = p->pack->next_block;
	rc = append_extents(p, j, base, err);
	if (!rc)
		rc = write_blocks(p, j->out, j->out_length, err);
	if (rc || !j->last)
		return rc;
	stored->layout = p->pack->options->legacy_compress ? ERO_LAYOUT_COMPRESSED_FULL : ERO_LAYOUT_COMPRESSED_COMPACT;
	stored->algorithm = (uint8_t)ero_codec_find(p->pack->compressors[j->node->compressor].name, NULL)->algorithm;
	stored->blocks = p->pack->next_block - stored->start_block;
	stored->big = ero_pack_pcluster_size(p->pack, j->node) > (1u << p->pack->block_bits);
	stored->tail_encoded = j->tail_length != 0;
	p->pack->tails_encoded |= stored->tail_encoded;
	p->pack->compressed_files++;
	p->pack->stored_bytes += (stored->blocks << p->pack->block_bits) + j->tail_length;
	return j->tail_length ? keep_tail(p, j, j->tail, j->tail_length, err) : 0;
}

static void note_change(struct packer *p, const struct ero_pack_job *j)
{
	char path[512];

	if (j->first)
		p->file_changed = false;
	if (!j->file.changed || p->file_changed)
		return;
	p->file_changed = true;
	p->pack->changed_files++;
	ero_node_path(j->node, path, sizeof(path));
	ero_source_warn(p->pack->options,
			"%s changed while it was read: the image holds what was there at that moment, at the size it had before",
			path);
}

static int place(struct packer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_progress *progress = &p->pack->progress;
	int rc = j->rc;

	p->in_flight -= j->length;
	if (rc)
		*err = j->err;
	else if (j->job.run == ero_pack_run_flat)
		rc = place_flat(p, j, err);
	else if (j->job.run == ero_pack_run_chunks)
		rc = ero_pack_place_chunks(p->chunks, j, err);
	else
		rc = place_encoded(p, j, err);
	note_change(p, j);
	progress->bytes_done += j->length;
	progress->files_done += j->last;
	progress->image_bytes = p->pack->next_block << p->pack->block_bits;
	ero_outfile_start_writeback(p->pack->out, p->buffer_block << p->pack->block_bits);
	if (p->pack->options->progress)
		p->pack->options->progress(p->pack->options->context, progress);
	free_job(j);
	return rc;
}

static int take_one(struct packer *p, struct ero_error *err)
{
	return place(p, (struct ero_pack_job *)ero_pool_take(p->pool), err);
}

/* ---- cutting files into jobs ---- */

static bool is_sparse(struct packer *p, const struct ero_node *node)
{
	struct ero_source_file file;
	const struct ero_source_ops *ops = p->pack->source->ops;
	uint64_t start = 0, end = 0;
	bool sparse = false;

	if (!node->maybe_sparse || ops->hold(p->pack->source, node, &file, NULL))
		return false;
	if (!ops->open(&file, NULL)) {
		if (!ops->next_data(&file, 0, &start, &end, NULL))
			sparse = start > 0 || end < node->size;
		ops->close(&file);
	}
	ops->drop(&file);
	return sparse;
}

typedef void (*run_fn)(struct ero_job *, void *);

/* How a file is stored is chosen here, once. */
static run_fn choose(struct packer *p, const struct ero_node *node)
{
	const struct ero_build_options *o = p->pack->options;
	bool worth_encoding = node->size > (1u << p->pack->block_bits) || o->ztailpacking;

	if (o->chunk_size)
		return ero_pack_run_chunks;
	if (o->compressor_count) /* flat files, too, are placed in turn here: encoded ones must stay in one piece */
		return worth_encoding && node->compressor != 0xff ? ero_pack_run_encode : ero_pack_run_raw;
	/* a hole is kept where the saving is worth a table */
	return node->size >= 65536 && is_sparse(p, node) ? ero_pack_run_chunks : ero_pack_run_flat;
}

static uint64_t segment_size(struct packer *p, const struct ero_node *node, run_fn run)
{
	uint64_t size;

	if (run == ero_pack_run_flat)
		return FLAT_SEGMENT;
	if (run == ero_pack_run_chunks) {
		size = 1ull << ero_pack_chunk_bits(p->pack, node);
		return size > ERO_CHUNK_KEPT ? size : ERO_CHUNK_KEPT;
	}
	/* enough pclusters that a segment's last, shorter one does not matter */
	size = (uint64_t)ero_pack_pcluster_size(p->pack, node) * 64;
	if (size < 2 << 20)
		size = 2 << 20;
	return size > ERO_PCLUSTER_MAX_DECODED ? ERO_PCLUSTER_MAX_DECODED : size;
}

static int submit(struct packer *p, struct ero_node *node, run_fn run, uint64_t offset, uint64_t length,
		  struct ero_error *err)
{
	struct ero_pack_job *j;
	int rc = 0;

	while (!rc && !ero_pool_empty(p->pool) &&
	       (ero_pool_full(p->pool) || p->in_flight + length > ERO_PACK_IN_FLIGHT))
		rc = take_one(p, err);
	if (rc)
		return rc;
	j = calloc(1, sizeof(*j));
	if (!j)
		return ero_fail_memory(err);
	j->job.run = run;
	j->pack = p->pack;
	j->node = node;
	j->offset = offset;
	j->length = (size_t)length;
	j->first = offset == 0;
	j->last = offset + length == node->size;
	j->block = node->stored.start_block + (offset >> p->pack->block_bits);
	rc = p->pack->source->ops->hold(p->pack->source, node, &j->file, err);
	if (rc) {
		j->file.source = NULL;
		free_job(j);
		return rc;
	}
	p->in_flight += j->length;
	ero_pool_submit(p->pool, &j->job);
	return 0;
}

/* Flat files get their blocks here, so that workers can write them without waiting for anyone. */
static int reserve_flat(struct packer *p, struct ero_node *node, struct ero_error *err)
{
	unsigned bits = p->pack->block_bits;
	size_t tail = (size_t)(node->size & ((1u << bits) - 1));
	uint64_t blocks = node->size >> bits;
	int rc;

	if (tail && !ero_pack_inlines(p->pack, node, tail))
		blocks++;
	if (!blocks)
		return 0;
	rc = align_data(p, blocks, err);
	node->stored.start_block = p->pack->next_block;
	p->pack->next_block += blocks;
	return rc;
}

static int pack_file(struct packer *p, struct ero_node *node, struct ero_error *err)
{
	run_fn run = choose(p, node);
	uint64_t segment = segment_size(p, node, run);
	int rc = 0;

	if (run == ero_pack_run_flat)
		rc = reserve_flat(p, node, err);
	for (uint64_t at = 0; !rc && at < node->size; at += segment)
		rc = submit(p, node, run, at, node->size - at < segment ? node->size - at : segment, err);
	return rc;
}

/* A link target that does not fit behind its inode gets blocks like a file. */
static int pack_link(struct packer *p, struct ero_node *node, struct ero_error *err)
{
	int rc = 0;

	node->stored.layout = ERO_LAYOUT_FLAT_INLINE;
	if (ero_pack_inlines(p->pack, node, (size_t)node->size)) {
		node->stored.tail_size = (uint32_t)node->size;
		return 0;
	}
	while (!rc && !ero_pool_empty(p->pool))
		rc = take_one(p, err);
	if (rc)
		return rc;
	node->stored.layout = ERO_LAYOUT_FLAT_PLAIN;
	node->stored.start_block = p->pack->next_block;
	return write_blocks(p, (const uint8_t *)node->link, (size_t)node->size, err);
}

static int pack_all(struct packer *p, struct ero_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->pack->tree->node_count; i++) {
		struct ero_node *node = p->pack->tree->nodes[i];

		if (S_ISREG(node->mode) && node->size)
			rc = pack_file(p, node, err);
		else if (S_ISLNK(node->mode))
			rc = pack_link(p, node, err);
		else if (S_ISREG(node->mode))
			p->pack->progress.files_done++;
	}
	while (!rc && !ero_pool_empty(p->pool))
		rc = take_one(p, err);
	return rc ? rc : flush(p, err);
}

int ero_pack_run(struct ero_pack *pack, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = pack->options->workers,
		.in_flight = 64,
		.make_worker = make_worker,
		.free_worker = free_worker,
		.context = pack,
	};
	struct packer p = { .pack = pack };
	struct ero_error local;
	int rc;

	if (!err)
		err = &local;
	pack->progress.files_total = pack->tree->files;
	pack->progress.bytes_total = pack->tree->file_bytes;
	p.buffer = malloc(WRITE_BUFFER);
	rc = p.buffer ? ero_chunk_table_create(&p.chunks, err) : ero_fail_memory(err);
	if (!rc)
		rc = ero_pool_create(&options, &p.pool, err);
	if (!rc)
		rc = pack_all(&p, err);
	while (p.pool && !ero_pool_empty(p.pool)) /* after a failure: what still runs ends, its results are dropped */
		free_job((struct ero_pack_job *)ero_pool_take(p.pool));
	ero_pool_free(p.pool);
	ero_chunk_table_free(p.chunks);
	free(p.buffer);
	return rc;
}
