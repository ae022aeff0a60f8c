// SPDX-License-Identifier: MIT
/* Results in the order of submission: blocks are written where the image goes on, tails and maps go to the spool. */
#include "pack/job.h"
#include "base/bins.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { WRITE_BUFFER = 1 << 20 };

int ero_place_flush(struct ero_placer *p, struct ero_error *err)
{
	int rc = p->buffered ? ero_outfile_write(p->pack->out, p->buffer, p->buffered, p->buffer_start, err) : 0;

	p->buffer_start += p->buffered;
	p->buffered = 0;
	return rc;
}

int ero_place_bytes(struct ero_placer *p, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	uint64_t at = p->pack->end;
	int rc = 0;

	p->pack->end += length;
	if (p->buffer_start + p->buffered != at) { /* others have written in between */
		rc = ero_place_flush(p, err);
		p->buffer_start = at;
	}
	while (!rc && length) {
		size_t part = WRITE_BUFFER - p->buffered < length ? WRITE_BUFFER - p->buffered : length;

		memcpy(p->buffer + p->buffered, bytes, part);
		p->buffered += part;
		bytes += part;
		length -= part;
		if (p->buffered == WRITE_BUFFER)
			rc = ero_place_flush(p, err);
	}
	return rc;
}

int ero_place_padding(struct ero_placer *p, uint64_t unit, struct ero_error *err)
{
	static const uint8_t zeros[1 << ERO_MAX_BLOCK_BITS];
	uint64_t left = ero_div_up(p->pack->end, unit) * unit - p->pack->end;
	int rc = 0;

	while (!rc && left) {
		size_t part = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		rc = ero_place_bytes(p, zeros, part, err);
		left -= part;
	}
	return rc;
}

int ero_place_blocks(struct ero_placer *p, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	int rc = ero_place_bytes(p, bytes, length, err);

	return rc ? rc : ero_place_padding(p, 1u << p->pack->block_bits, err);
}

int ero_place_count(struct ero_stored *stored, uint64_t blocks, struct ero_error *err)
{
	if (blocks > UINT32_MAX)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG, "a file has %llu encoded blocks; fewer than 2^32 are possible",
				(unsigned long long)blocks);
	stored->blocks = (uint32_t)blocks;
	return 0;
}

int ero_place_align(struct ero_placer *p, uint64_t blocks, struct ero_error *err)
{
	uint64_t unit = p->pack->options->data_alignment;

	return unit > 1 && blocks >= unit ? ero_place_padding(p, unit << p->pack->block_bits, err) : 0;
}

int ero_place_beside(struct ero_pack *pack, struct ero_node *node, uint32_t map, size_t tail, struct ero_error *err)
{
	uint64_t next = ero_pack_next_block(pack), size = ero_pack_head_size(pack, node) + (uint64_t)map + tail;
	int rc;

	if (!pack->beside || size > pack->beside->block_size)
		return 0;
	rc = ero_bins_place(pack->beside, (uint32_t)size, &next, &node->address, err);
	pack->end = next << pack->block_bits;
	return rc;
}

int ero_place_alone(struct ero_pack *pack, struct ero_node *node, uint32_t map, struct ero_error *err)
{
	/* where equal files share what is stored, which of them do is found out later */
	bool possible = S_ISREG(node->mode) && !pack->options->dedupe && ero_pack_inlines(pack, node, 1);

	return possible ? ero_place_beside(pack, node, map, 0, err) : 0;
}

static int keep_tail(struct ero_placer *p, struct ero_pack_job *j, const uint8_t *bytes, size_t length,
		     struct ero_error *err)
{
	uint32_t map = j->node->stored.map_count ? ero_pack_map_size(p->pack, j->node) : 0;

	j->node->stored.tail_size = (uint32_t)length;
	if (!j->node->address) {
		int rc = ero_place_beside(p->pack, j->node, map, length, err);

		if (rc)
			return rc;
	}
	return ero_spool_append(p->pack->spool, bytes, length, &j->node->stored.tail, err);
}

static int place_flat(struct ero_placer *p, struct ero_pack_job *j, struct ero_error *err)
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

static int append_extents(struct ero_placer *p, struct ero_pack_job *j, uint64_t base, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	uint64_t at;
	int rc;

	for (size_t i = 0; i < j->extents.count; i++) {
		struct ero_zextent *e = &j->extents.data[i];

		p->pack->shared_bytes += e->again ? e->length : 0;
		e->block += e->shared ? 0 : base;
		e->at += j->offset;
	}
	rc = ero_spool_append(p->pack->spool, j->extents.data, j->extents.count * sizeof(struct ero_zextent), &at, err);
	if (j->first)
		stored->map = at;
	stored->map_count += (uint32_t)j->extents.count;
	return rc;
}

/* All segments were incompressible: what has been written is the file as it is, and it becomes a flat one. */
static int place_raw_end(struct ero_placer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	size_t tail = j->out_length & ((1u << p->pack->block_bits) - 1);
	int rc;

	if (!ero_pack_inlines(p->pack, j->node, tail))
		tail = 0;
	rc = ero_place_blocks(p, j->out, j->out_length - tail, err);
	stored->layout = tail ? ERO_LAYOUT_FLAT_INLINE : ERO_LAYOUT_FLAT_PLAIN;
	if (j->node->size == tail)
		stored->start_block = ERO_NULL_BLOCK32;
	stored->map_count = 0;
	if (!S_ISDIR(j->node->mode)) {
		p->pack->plain_files++;
		p->pack->inline_files += tail != 0;
		p->pack->stored_bytes += j->node->size;
	}
	if (!rc && tail)
		rc = keep_tail(p, j, j->out + j->out_length - tail, tail, err);
	else if (!rc)
		rc = ero_place_alone(p->pack, j->node, 0, err);
	return rc;
}

static int place_encoded(struct ero_placer *p, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	uint64_t base;
	int rc = 0;

	if (j->first) {
		rc = ero_place_align(p, ero_div_up(j->out_length, 1u << p->pack->block_bits), err);
		if (rc)
			return rc;
		stored->start_block = ero_pack_next_block(p->pack);
		p->file_raw = true;
	}
	p->file_raw = p->file_raw && j->raw;
	if (j->fragment_length == j->node->size) { /* all of it is for the packed inode */
		stored->fragment = true;
		return 0;
	}
	if (j->last && p->file_raw)
		return place_raw_end(p, j, err);
	base = ero_pack_next_block(p->pack);
	rc = append_extents(p, j, base, err);
	if (!rc)
		rc = ero_place_blocks(p, j->out, j->out_length - (j->raw ? j->fragment_length : 0), err);
	if (rc || !j->last)
		return rc;
	stored->tail_fragment = j->fragment_length != 0;
	stored->tail_size = 0;
	stored->tail = j->fragment_length; /* until it has a place: see gather.c */
	stored->layout = p->pack->options->legacy_compress || stored->full ? ERO_LAYOUT_COMPRESSED_FULL : ERO_LAYOUT_COMPRESSED_COMPACT;
	stored->algorithm = ero_codec_find(p->pack->compressors[j->node->compressor].name, NULL)->algorithm & 3;
	rc = ero_place_count(stored, ero_pack_next_block(p->pack) - stored->start_block, err);
	if (rc)
		return rc;
	stored->big = ero_pack_pcluster_size(p->pack, j->node) > (1u << p->pack->block_bits);
	stored->tail_encoded = j->tail_length != 0;
	p->pack->tails_encoded |= stored->tail_encoded;
	if (!S_ISDIR(j->node->mode)) {
		p->pack->compressed_files += j->node != p->pack->packed;
		p->pack->stored_bytes += ((uint64_t)stored->blocks << p->pack->block_bits) + j->tail_length;
	}
	return j->tail_length ? keep_tail(p, j, j->tail, j->tail_length, err) :
				ero_place_alone(p->pack, j->node, ero_pack_map_size(p->pack, j->node), err);
}

static void tell_change(struct ero_placer *p, struct ero_node *node)
{
	char path[512];

	if (node->changed)
		return;
	node->changed = true;
	p->pack->changed_files++;
	ero_node_path(node, path, sizeof(path));
	ero_source_warn(p->pack->options,
			"%s changed while it was read: the image holds what was there at that moment, at the size it had before",
			path);
}

static void note_changes(struct ero_placer *p, const struct ero_pack_job *j)
{
	for (size_t i = 0; i < j->pieces.count; i++)
		if (j->pieces.data[i].changed)
			tell_change(p, j->pieces.data[i].node);
	if (j->file.changed)
		tell_change(p, j->node);
}

int ero_place(void *placer, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_placer *p = placer;
	struct ero_progress *progress = &p->pack->progress;
	int rc;

	if (j->run == ero_pack_run_flat)
		rc = place_flat(p, j, err);
	else if (j->run == ero_pack_run_chunks)
		rc = ero_pack_place_chunks(p->chunks, j, err);
	else if (j->run == ero_pack_run_extent || j->run == ero_pack_run_copy)
		rc = ero_place_extents(p, j, err);
	else
		rc = place_encoded(p, j, err);
	note_changes(p, j);
	p->line_end = j->line_end > p->line_end ? j->line_end : p->line_end;
	progress->bytes_done += j->length + j->hole;
	progress->files_done += j->last;
	progress->image_bytes = p->pack->end;
	ero_outfile_start_writeback(p->pack->out, p->buffer_start);
	if (p->pack->options->progress)
		p->pack->options->progress(p->pack->options->context, progress);
	return rc;
}

int ero_placer_open(struct ero_placer *p, struct ero_error *err)
{
	p->buffer = malloc(WRITE_BUFFER);
	return p->buffer ? ero_chunk_table_create(&p->chunks, err) : ero_fail_memory(err);
}

void ero_placer_close(struct ero_placer *p)
{
	ero_chunk_table_free(p->chunks);
	free(p->buffer);
}
