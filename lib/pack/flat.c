// SPDX-License-Identifier: MIT
/* Uncompressed files. Where all files are, a worker copies its segment straight into the image and only an inline tail
 * comes back; among compressed ones the segment comes back whole, to be placed in turn. */
#include "pack/job.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 1 << 20,
	/*
	 * A tail that nearly fills a block saves little there, and costs every stat of its inode a page. With tails of less
	 * than 7/8 of a block only, a stat walk of the kernel source reads 17 % fewer pages, for 0.12 % more bytes;
	 * tests/bench/RESULTS.md has the curve.
	 */
	INLINE_SPARE = 8,
};

bool ero_pack_inlines(const struct ero_pack *pack, const struct ero_node *node, size_t length)
{
	unsigned block = 1u << pack->block_bits, room = block;

	if (S_ISDIR(node->mode))
		return false; /* when its content is packed, there is no more room to make behind it */
	if (S_ISREG(node->mode)) {
		if (!pack->options->inline_data || pack->options->layout == ERO_METADATA_WALK)
			return false;
		/* what is shared by equal files must not depend on the room behind one of them */
		if (pack->options->extent_size || pack->options->fragments)
			return false;
		if (ero_tree_heat(pack->tree, node) && pack->options->layout != ERO_METADATA_LEGACY)
			return false; /* a boot looks at more files than it reads: their inodes share pages with each other alone */
		if (pack->options->layout == ERO_METADATA_DENSE)
			room -= block / INLINE_SPARE;
	}
	return length && ero_pack_head_size(pack, node) + length <= room;
}

static int copy(struct ero_pack_job *j, struct ero_pack_worker *w, size_t whole)
{
	unsigned block = 1u << j->pack->block_bits;
	uint64_t to = j->block << j->pack->block_bits;

	for (size_t done = 0; done < whole;) {
		size_t part = whole - done < PIECE ? whole - done : PIECE;
		size_t padded = (size_t)ero_round_up(part, block);
		int rc = j->pack->source->ops->read(&j->file, j->offset + done, w->in, part, &j->err);

		if (rc)
			return rc;
		memset(w->in + part, 0, padded - part);
		rc = ero_outfile_write(j->pack->out, w->in, padded, to + done, &j->err);
		if (rc)
			return rc;
		done += part;
	}
	return 0;
}

void ero_pack_run_flat(struct ero_pack_job *j, struct ero_pack_worker *w)
{
	size_t tail = j->last ? j->length & ((1u << j->pack->block_bits) - 1) : 0;

	if (!ero_pack_inlines(j->pack, j->node, tail))
		tail = 0;
	if (!ero_pack_ensure(&w->in, &w->in_room, PIECE + (1u << ERO_MAX_BLOCK_BITS)) ||
	    (tail && !(j->out = malloc(tail)))) {
		j->rc = ero_fail_memory(&j->err);
		return;
	}
	j->rc = j->pack->source->ops->open(j->pack->source, j->node, &j->file, &j->err);
	if (j->rc)
		return;
	j->rc = copy(j, w, j->length - tail);
	if (!j->rc && tail)
		j->rc = j->pack->source->ops->read(&j->file, j->offset + j->length - tail, j->out, tail, &j->err);
	j->out_length = tail;
	j->pack->source->ops->close(&j->file);
}

void ero_pack_run_raw(struct ero_pack_job *j, struct ero_pack_worker *w)
{

	(void)w;
	j->raw = true;
	j->out = malloc(j->length);
	j->out_length = j->length;
	j->rc = j->out ? j->pack->source->ops->open(j->pack->source, j->node, &j->file, &j->err) : ero_fail_memory(&j->err);
	if (j->rc)
		return;
	j->rc = j->pack->source->ops->read(&j->file, j->offset, j->out, j->length, &j->err);
	j->pack->source->ops->close(&j->file);
}
