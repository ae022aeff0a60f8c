// SPDX-License-Identifier: MIT
/* Maps of flat and chunked files; compressed ones are in compressed.c. */
#include "image/map.h"
#include "base/bytes.h"

#include <string.h>
#include <sys/stat.h>

/* What is read entry by entry has as many as the file's size says, which is the image's to choose. */
static int check_end(const struct ero_map *map, struct ero_error *err)
{
	uint64_t room = ero_meta_size(map->image, ero_in_metabox(map->inode.nid)), end;

	if (map->image->salvage) /* of a file that was cut off, what is there counts */
		return 0;
	if (!__builtin_add_overflow(map->behind_head, ero_map_bytes(map), &end) && end <= room)
		return 0;
	return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "the map of inode %llu, %llu bytes at byte %llu, reaches past the end of the %s",
			(unsigned long long)map->inode.nid, (unsigned long long)ero_map_bytes(map), (unsigned long long)map->behind_head,
			ero_in_metabox(map->inode.nid) ? "metabox" : "image");
}

int ero_map_init(struct ero_map *map, struct ero_image *image, const struct ero_inode *inode, struct ero_error *err)
{
	int rc;

	map->image = image;
	map->inode = *inode;
	map->header = (struct ero_zheader){ 0 };
	map->at = 0;
	map->lcn = map->record = map->address = 0;
	map->pack_count = map->window_length = 0;
	map->stray = false;
	map->pack_first = map->window_start = 0;
	map->window_next = ERO_MAP_FIRST_WINDOW;
	map->behind_head = inode->position + ero_inode_head_size(inode);
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode) && !S_ISLNK(inode->mode))
		map->inode.size = 0; /* special files have no data, whatever their size says */
	if (!map->inode.size)
		return 0;
	rc = ero_layout_compressed(inode->layout) ? ero_map_init_compressed(map, err) : 0;
	return rc ? rc : check_end(map, err);
}

static int next_flat(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	const struct ero_inode *inode = &map->inode;
	unsigned bits = map->image->super.block_bits;
	uint64_t tail = inode->layout == ERO_LAYOUT_FLAT_INLINE ? inode->size & (ero_block_size(map->image) - 1) : 0;

	if (inode->layout == ERO_LAYOUT_FLAT_INLINE && map->at == inode->size - tail) {
		e->kind = ERO_EXTENT_INLINE;
		e->length = e->stored = tail;
		e->physical = map->behind_head;
		if (tail && (e->physical & (ero_block_size(map->image) - 1)) + tail > ero_block_size(map->image))
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "the inline data of inode %llu crosses a block",
					(unsigned long long)inode->nid);
		return 0;
	}
	e->length = e->stored = inode->size - tail - map->at;
	e->kind = inode->start_block == ERO_NULL_BLOCK48 ? ERO_EXTENT_HOLE : ERO_EXTENT_PLAIN;
	if (e->kind == ERO_EXTENT_PLAIN && __builtin_mul_overflow(inode->start_block, 1ull << bits, &e->physical))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu has start block %llu",
				(unsigned long long)inode->nid, (unsigned long long)inode->start_block);
	return 0;
}

static int next_chunk(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	const struct ero_inode *inode = &map->inode;
	unsigned bits = map->image->super.block_bits;
	unsigned chunk_bits = bits + (inode->chunk_format & ERO_CHUNK_BITS_MASK);
	unsigned unit = inode->chunk_format & ERO_CHUNK_INDEXES ? 8 : 4;
	uint64_t table, block, left;
	uint8_t entry[8];
	int rc;

	table = ero_round_up(map->behind_head, unit);
	rc = ero_meta_read(map->image, ero_in_metabox(inode->nid), table + (map->at >> chunk_bits) * unit, entry, unit, err);
	if (rc)
		return rc;
	left = inode->size - map->at;
	e->length = left >> chunk_bits ? 1ull << chunk_bits : left;
	e->stored = e->length;
	if (unit == 4) {
		block = ero_get32(entry);
		e->kind = block == ERO_NULL_BLOCK32 ? ERO_EXTENT_HOLE : ERO_EXTENT_PLAIN;
	} else {
		block = ero_get32(entry + 4);
		e->device = ero_get16(entry + 2);
		if (inode->chunk_format & ERO_CHUNK_48BIT)
			block |= (uint64_t)ero_get16(entry) << 32;
		e->kind = (block & ERO_NULL_BLOCK32) == ERO_NULL_BLOCK32 &&
					  (!(inode->chunk_format & ERO_CHUNK_48BIT) || block == ERO_NULL_BLOCK48) ?
				  ERO_EXTENT_HOLE :
				  ERO_EXTENT_PLAIN;
	}
	if (e->kind == ERO_EXTENT_HOLE)
		e->device = 0;
	else
		e->physical = block << bits; /* 48 + 16 bits: cannot wrap */
	return 0;
}

int ero_map_next(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	int rc;

	memset(e, 0, sizeof(*e));
	e->logical = map->at;
	if (map->at >= map->inode.size)
		return 0;
	if (ero_layout_compressed(map->inode.layout))
		rc = ero_map_next_compressed(map, e, err);
	else if (map->inode.layout == ERO_LAYOUT_CHUNK)
		rc = next_chunk(map, e, err);
	else
		rc = next_flat(map, e, err);
	if (rc)
		return rc;
	map->at += e->length;
	return 1;
}

uint64_t ero_map_bytes(const struct ero_map *m)
{
	const struct ero_inode *i = &m->inode;
	uint64_t end = m->behind_head, count;

	if (i->layout == ERO_LAYOUT_CHUNK) {
		unsigned unit = i->chunk_format & ERO_CHUNK_INDEXES ? 8 : 4;
		unsigned bits = m->image->super.block_bits + (i->chunk_format & ERO_CHUNK_BITS_MASK);

		count = (i->size >> bits) + ((i->size & ((1ull << bits) - 1)) != 0);
		end = ero_round_up(m->behind_head, unit) + count * unit;
	} else if (ero_layout_compressed(i->layout) && i->size) {
		end = ero_round_up(m->behind_head, 8) + ERO_MAP_HEADER;
		if (!m->header.whole_fragment && m->header.extents) {
			count = m->header.record_size >= 16 ? m->header.extent_count :
							      (i->size >> m->header.lcluster_bits) +
								      ((i->size & ((1ull << m->header.lcluster_bits) - 1)) != 0);
			end = m->record_start + count * m->header.record_size;
		} else if (!m->header.whole_fragment) {
			end = m->index.start + m->index.size;
		}
	}
	return end - m->behind_head;
}

size_t ero_extent_find(const struct ero_extent *extents, size_t count, uint64_t logical)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (extents[middle].logical <= logical)
			low = middle;
		else
			high = middle;
	}
	return low;
}
