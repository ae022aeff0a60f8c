// SPDX-License-Identifier: MIT
/* One inode as bytes: head, xattrs, then what its layout puts behind them. */
#include "format/inode.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "build/build.h"
#include "format/zmap.h"

#include <string.h>

uint64_t ero_build_nid(const struct ero_build *b, const struct ero_node *node)
{
	if (node->in_metabox)
		return node->address / ERO_INODE_UNIT | ERO_METABOX_BIT;
	return (node->address - ((uint64_t)b->plan.meta_block << b->pack.block_bits)) / ERO_INODE_UNIT;
}

static void fill(const struct ero_build *b, const struct ero_node *node, struct ero_inode *i)
{
	uint32_t body = b->tree.xattrs.sets[node->xattr_set].body_size;

	*i = (struct ero_inode){
		.extended = node->extended,
		.layout = (enum ero_layout)node->stored.layout,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.nlink = node->nlink,
		.ino = node->ino,
		.size = node->size,
		.mtime = node->mtime,
		.mtime_nsec = node->mtime_nsec,
		.xattr_icount = (uint16_t)(body ? (body - ERO_XATTR_HEADER) / 4 + 1 : 0),
		.start_block = node->stored.start_block,
		.comp_blocks = node->stored.blocks,
		.rdev = S_ISCHR(node->mode) || S_ISBLK(node->mode) ? node->rdev : 0,
		.dot_omitted = b->options.dot_omitted,
	};
	if (i->layout == ERO_LAYOUT_CHUNK) {
		i->chunk_format = (uint16_t)(node->stored.chunk_bits - b->pack.block_bits);
		if (b->pack.flat_indexes)
			i->chunk_format |= ERO_CHUNK_INDEXES;
	}
}

static int write_chunks(struct ero_build *b, const struct ero_node *node, uint8_t *to, struct ero_error *err)
{
	size_t bytes = (size_t)node->stored.map_count * sizeof(uint64_t);
	ERO_AUTO_FREE uint64_t *blocks = malloc(bytes);
	int rc = blocks ? ero_spool_reader_read(b->stored, blocks, bytes, node->stored.map, err) : ero_fail_memory(err);

	for (uint32_t i = 0; !rc && i < node->stored.map_count; i++) {
		bool hole = blocks[i] == UINT64_MAX;

		if (!b->pack.flat_indexes) {
			ero_put32(to + (size_t)i * 4, hole ? ERO_NULL_BLOCK32 : (uint32_t)blocks[i]);
			continue;
		}
		ero_put16(to + (size_t)i * 8, hole ? UINT16_MAX : (uint16_t)(blocks[i] >> 32));
		ero_put16(to + (size_t)i * 8 + 2, hole ? UINT16_MAX : b->blob != NULL);
		ero_put32(to + (size_t)i * 8 + 4, hole ? ERO_NULL_BLOCK32 : (uint32_t)blocks[i]);
	}
	return rc;
}

static int write_map(struct ero_build *b, const struct ero_node *node, uint8_t *head, size_t head_size,
		     struct ero_error *err)
{
	size_t bytes = (size_t)node->stored.map_count * sizeof(struct ero_zextent);
	ERO_AUTO_FREE struct ero_zextent *extents = malloc(bytes);
	struct ero_zheader h = { .lcluster_bits = (uint8_t)b->pack.block_bits };
	size_t at = (size_t)ero_round_up(head_size, 8);
	bool compact = node->stored.layout == ERO_LAYOUT_COMPRESSED_COMPACT;
	struct ero_zindex z;
	int rc = extents ? ero_spool_reader_read(b->stored, extents, bytes, node->stored.map, err) : ero_fail_memory(err);

	if (rc)
		return rc;
	h.algorithm[0] = h.algorithm[1] = node->stored.algorithm;
	if (compact && b->pack.block_bits <= 12)
		h.advise |= ERO_ADVISE_COMPACTED_2B;
	if (node->stored.big)
		h.advise |= ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2;
	if (node->stored.tail_encoded) {
		h.advise |= ERO_ADVISE_INLINE_PCLUSTER;
		h.inline_size = (uint16_t)node->stored.tail_size;
	}
	if (node->stored.tail_fragment) {
		h.advise |= ERO_ADVISE_FRAGMENT;
		h.fragment_offset = node->stored.tail;
		extents[node->stored.map_count - 1].block = compact ? extents[node->stored.map_count - 1].block :
								      node->stored.tail >> 32;
	}
	ero_zheader_encode(&h, b->pack.block_bits, head + at);
	/* inodes begin at multiples of 32: a position inside the inode is as good as one in the image */
	ero_zindex_init(&z, (enum ero_layout)node->stored.layout, h.advise, h.lcluster_bits, node->size,
			at + ERO_MAP_HEADER);
	ero_zindex_encode(&z, extents, node->stored.map_count, head + z.start);
	return 0;
}

/* Form B: the header, the start where records do not have one each, the records. */
static int write_records(struct ero_build *b, const struct ero_node *node, uint8_t *head, size_t at,
			 struct ero_error *err)
{
	const struct ero_stored *s = &node->stored;
	size_t bytes = (size_t)s->map_count * sizeof(struct ero_zrecord);
	ERO_AUTO_FREE struct ero_zrecord *records = malloc(bytes);
	struct ero_zheader h = { .extents = true, .record_size = s->record_size, .extent_count = s->map_count,
				 .lcluster_bits = s->chunk_bits };
	uint8_t *to = head + ero_round_up(at + ERO_MAP_HEADER, s->record_size);
	int rc = records ? ero_spool_reader_read(b->stored, records, bytes, s->map, err) : ero_fail_memory(err);

	if (rc)
		return rc;
	h.advise = (uint16_t)(ERO_ADVISE_EXTENTS | (ero_log2(s->record_size) - 2) << 1 |
			      (s->tail_fragment ? ERO_ADVISE_FRAGMENT : 0));
	ero_zheader_encode(&h, b->pack.block_bits, head + at);
	if (s->record_size == 4) {
		ero_put64(to, s->start_block);
		to += 8;
	}
	for (uint32_t i = 0; i < s->map_count; i++)
		ero_zrecord_encode(&records[i], s->record_size, to + (size_t)i * s->record_size);
	return 0;
}

static int write_compressed(struct ero_build *b, const struct ero_node *node, uint8_t *head, size_t head_size,
			    struct ero_error *err)
{
	size_t at = (size_t)ero_round_up(head_size, 8);
	struct ero_zheader whole = { .whole_fragment = true, .fragment_offset = node->stored.tail };

	if (node->stored.record_size)
		return write_records(b, node, head, at, err);
	if (!node->stored.fragment)
		return write_map(b, node, head, head_size, err);
	ero_zheader_encode(&whole, b->pack.block_bits, head + at);
	return 0;
}

static int write_tail(struct ero_build *b, const struct ero_node *node, uint8_t *to, struct ero_error *err)
{
	if (S_ISDIR(node->mode))
		ero_build_dir_tail(b, node, to);
	else if (S_ISLNK(node->mode))
		memcpy(to, node->link, node->stored.tail_size);
	else
		return ero_spool_reader_read(b->stored, to, node->stored.tail_size, node->stored.tail, err);
	return 0;
}

int ero_build_inode(struct ero_build *b, const struct ero_node *node, uint8_t **bytes, size_t *length,
		    struct ero_error *err)
{
	size_t head = ero_pack_head_size(&b->pack, node);
	size_t unit = b->pack.flat_indexes ? 8 : 4;
	struct ero_inode inode;
	uint8_t *to;
	int rc = 0;

	*length = (size_t)ero_layout_inode_size(&b->pack, node);
	*bytes = to = calloc(1, *length);
	if (!to)
		return ero_fail_memory(err);
	fill(b, node, &inode);
	ero_inode_encode(&inode, &b->super, to);
	ero_build_xattr_body(b, node->xattr_set, to + (node->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE));
	if (inode.layout == ERO_LAYOUT_CHUNK)
		rc = write_chunks(b, node, to + ero_round_up(head, unit), err);
	else if (ero_layout_compressed(inode.layout))
		rc = write_compressed(b, node, to, head, err);
	if (!rc && node->stored.tail_size)
		rc = write_tail(b, node, to + *length - node->stored.tail_size, err);
	if (rc) {
		free(to);
		*bytes = NULL;
	}
	return rc;
}
