// SPDX-License-Identifier: MIT
/* Writes the metadata in the order of its addresses, and the head last: a superblock appears only on a whole image. */
#include "base/bytes.h"
#include "base/digest.h"
#include "build/build.h"
#include "format/xattr.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 20 };

struct writer {
	struct ero_build *build;
	uint8_t *head;          /* blocks of superblock and tables, with the metadata that shares them */
	size_t head_size;
	uint8_t *buffer;
	uint8_t *beside;        /* a block of inodes among the data, */
	uint64_t beside_at;     /* and its position; 0: none */
	uint64_t start;         /* position of buffer[0] */
	size_t used;
	struct ero_device_slot slot; /* of the blob */
};

static int flush(struct writer *w, struct ero_error *err)
{
	int rc = w->used ? ero_outfile_write(w->build->out, w->buffer, w->used, w->start, err) : 0;

	w->start += w->used;
	w->used = 0;
	return rc;
}

/* Appends at a position at or after the last one; what lies between becomes zeros. */
static int put(struct writer *w, uint64_t position, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	static const uint8_t zeros[4096];
	int rc = 0;

	if (position < w->head_size) {
		memcpy(w->head + position, bytes, length);
		return 0;
	}
	while (!rc && w->start + w->used < position) {
		uint64_t gap = position - (w->start + w->used);

		rc = put(w, w->start + w->used, zeros, gap < sizeof(zeros) ? (size_t)gap : sizeof(zeros), err);
	}
	while (!rc && length) {
		size_t part = BUFFER - w->used < length ? BUFFER - w->used : length;

		memcpy(w->buffer + w->used, bytes, part);
		w->used += part;
		bytes += part;
		length -= part;
		if (w->used == BUFFER)
			rc = flush(w, err);
	}
	return rc;
}

/* A piece of metadata as bytes (malloc'ed). */
static int render(struct ero_build *b, const struct ero_item *item, uint8_t **bytes, size_t *length, struct ero_error *err)
{
	const struct ero_xattr_item *x;
	int rc = 0;

	*bytes = NULL;
	switch ((enum ero_item_kind)item->kind) {
	case ERO_ITEM_INODE:
		rc = ero_build_inode(b, item->node, bytes, length, err);
		break;
	case ERO_ITEM_DIR_BLOCKS:
		*length = (size_t)item->node->stored.blocks << b->pack.block_bits;
		*bytes = malloc(*length);
		if (*bytes)
			ero_build_dir_blocks(b, item->node, *bytes);
		break;
	case ERO_ITEM_SHARED_XATTR:
		x = &b->tree.xattrs.items[item->xattr];
		*length = ero_xattr_entry_size((unsigned)(x->name_length - x->long_skip), x->value_length);
		*bytes = malloc(*length);
		if (*bytes)
			ero_build_shared_xattr(b, item->xattr, *bytes);
		break;
	}
	return rc || *bytes ? rc : ero_fail_memory(err);
}

static int flush_beside(struct writer *w, struct ero_error *err)
{
	unsigned block = w->build->options.block_size;
	int rc = w->beside_at ? ero_outfile_write(w->build->out, w->beside, block, w->beside_at, err) : 0;

	memset(w->beside, 0, block);
	w->beside_at = 0;
	return rc;
}

/* What lies among the data is written block by block. */
static int put_beside(struct writer *w, uint64_t position, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	uint64_t block = ero_round_down(position, w->build->options.block_size);
	int rc = block != w->beside_at ? flush_beside(w, err) : 0;

	w->beside_at = block;
	memcpy(w->beside + (position - block), bytes, length);
	return rc;
}

static int write_item(struct writer *w, const struct ero_item *item, struct ero_error *err)
{
	uint8_t *bytes;
	size_t length;
	int rc = render(w->build, item, &bytes, &length, err);

	if (!rc && item->address >= w->head_size && item->address < w->build->plan.first_block << w->build->pack.block_bits)
		rc = put_beside(w, item->address, bytes, length, err);
	else if (!rc)
		rc = put(w, item->address, bytes, length, err);
	free(bytes);
	return rc;
}

int ero_build_boxed(struct ero_build *b, uint8_t **box, struct ero_error *err)
{
	int rc = 0;

	if (b->plan.boxed_bytes >= SIZE_MAX)
		return ero_fail_memory(err);
	*box = calloc(1, (size_t)b->plan.boxed_bytes + 1);
	if (!*box)
		return ero_fail_memory(err);
	if (b->boxed_prefixes)
		memcpy(*box, b->prefix_table, b->prefix_table_size);
	for (size_t i = 0; !rc && i < b->plan.boxed.count; i++) {
		uint8_t *bytes;
		size_t length;

		rc = render(b, &b->plan.boxed.data[i], &bytes, &length, err);
		if (!rc)
			memcpy(*box + b->plan.boxed.data[i].address, bytes, length);
		free(bytes);
	}
	if (rc) {
		free(*box);
		*box = NULL;
	}
	return rc;
}

/* What was packed late is there already; the metabox's inode comes behind it. */
static int step_over_late(struct writer *w, struct ero_error *err)
{
	int rc = put(w, w->build->late_start, NULL, 0, err);

	if (!rc)
		rc = flush(w, err);
	w->start = w->build->late_end;
	return rc;
}

static int write_items(struct writer *w, struct ero_error *err)
{
	const struct ero_layout_plan *plan = &w->build->plan;
	int rc = 0;

	for (size_t i = 0; !rc && i < plan->items.count; i++) {
		const struct ero_item *item = &plan->items.data[i];

		if (item->address >= w->build->late_end && w->start < w->build->late_end)
			rc = step_over_late(w, err);
		if (!rc)
			rc = write_item(w, item, err);
	}
	return rc || w->start >= w->build->late_end ? rc : step_over_late(w, err);
}

static void finish_super(struct ero_build *b)
{
	struct ero_super *s = &b->super;

	s->meta_block = b->plan.meta_block;
	s->xattr_block = b->plan.xattr_block;
	s->root_nid = ero_build_nid(b, b->tree.root);
	s->blocks = b->image_bytes >> b->pack.block_bits;
	if (b->pack.chunked)
		s->feature_incompat |= ERO_INCOMPAT_CHUNKED_FILE;
	if (b->pack.zero_extents) /* kernels read extents as compressed data; without any compression announced Linux 7.0 refuses them */
		s->feature_incompat |= ERO_INCOMPAT_LZ4_0PADDING;
	if (b->pack.zero_extents && !b->options.compressor_count)
		s->lz4_distance = UINT16_MAX; /* the largest there is: nothing is encoded */
	if (b->pack.packed) {
		s->feature_incompat |= ERO_INCOMPAT_FRAGMENTS;
		s->packed_nid = ero_build_nid(b, b->pack.packed);
	}
	if (b->options.compressor_count && (b->pack.duplicate_files || b->pack.shared_bytes))
		s->feature_incompat |= ERO_INCOMPAT_FRAGMENTS; /* the same bit: pclusters of several files */
	if (b->pack.metabox) {
		s->metabox_nid = ero_build_nid(b, b->pack.metabox);
	} else { /* nothing was there for it */
		s->feature_incompat &= ~(uint32_t)ERO_INCOMPAT_METABOX;
		s->feature_compat &= ~(uint32_t)ERO_COMPAT_SHARED_EA_IN_METABOX;
	}
	if (b->pack.tails_encoded)
		s->feature_incompat |= ERO_INCOMPAT_ZTAILPACKING;
}

/* The tag is the blob's digest, so that a wrong one can be told from the right one before a mount. */
static int fill_slot(struct writer *w, struct ero_error *err)
{
	struct ero_build *b = w->build;
	char digest[ERO_SHA256_TEXT];
	int rc = ero_sha256_file(ero_outfile_descriptor(b->blob), ero_build_blob_bytes(b), digest, err);

	if (rc)
		return ero_error_prefix(err, rc, "%s", b->options.blob_device);
	w->slot.blocks = b->pack.blob_end >> b->pack.block_bits;
	w->slot.unified = b->super.blocks;
	memcpy(w->slot.tag, digest, sizeof(w->slot.tag));
	return 0;
}

static void write_head(struct writer *w)
{
	struct ero_build *b = w->build;
	uint8_t *super = w->head + ERO_SUPER_OFFSET;

	finish_super(b);
	ero_super_encode(&b->super, super);
	if (b->super.feature_incompat & ERO_INCOMPAT_COMPR_CFGS)
		ero_compr_cfgs_encode(b->super.algorithms, &b->cfgs, super + ero_super_size(&b->super));
	if (b->device_start)
		ero_device_slot_encode(&w->slot, w->head + b->device_start);
	if (b->prefix_table_size && !b->boxed_prefixes)
		memcpy(w->head + b->prefix_start, b->prefix_table, b->prefix_table_size);
	if (b->super.feature_compat & ERO_COMPAT_SB_CHKSUM)
		ero_put32(super + 4, ero_super_checksum(super, b->super.block_bits));
}

int ero_build_write(struct ero_build *b, struct ero_error *err)
{
	unsigned block = b->options.block_size;
	uint64_t unit = b->options.size_alignment > 1 ? (uint64_t)b->options.size_alignment * block : block;
	struct writer w = { .build = b };
	int rc = 0;

	/* whole pages whatever the block size: kernels from 7.3 on refuse inodes in a partial last page */
	b->image_bytes = ero_round_up(b->plan.end_block << b->pack.block_bits, block > 4096 ? block : 4096);
	b->image_bytes = ero_div_up(b->image_bytes, unit) * unit;
	w.head_size = (size_t)ero_round_up(b->head_end, block);
	/* the checksum covers bytes past the first blocks when these are small */
	w.head = calloc(1, w.head_size + (1u << ERO_MAX_BLOCK_BITS));
	w.buffer = malloc(BUFFER);
	w.beside = calloc(1, block);
	w.start = b->plan.first_block << b->pack.block_bits;
	if (!w.head || !w.buffer || !w.beside)
		rc = ero_fail_memory(err);
	if (!rc)
		rc = write_items(&w, err);
	if (!rc)
		rc = flush_beside(&w, err);
	if (!rc)
		rc = put(&w, b->image_bytes, NULL, 0, err); /* the last bytes are written, not left as a hole */
	if (!rc)
		rc = flush(&w, err);
	if (!rc && b->device_start)
		rc = fill_slot(&w, err);
	if (!rc) {
		write_head(&w);
		rc = ero_outfile_write(b->out, w.head, w.head_size, 0, err);
	}
	free(w.head);
	free(w.beside);
	free(w.buffer);
	return rc;
}
