// SPDX-License-Identifier: MIT
/* Maps of compressed files, read forward once: indexes in both forms, extent records, inline tails, fragments. */
#include "image/map.h"
#include "base/bytes.h"

#include <string.h>

static int corrupt(const struct ero_map *map, struct ero_error *err, const char *what)
{
	return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "the map of inode %llu is damaged near byte %llu of the file: %s",
			(unsigned long long)map->inode.nid, (unsigned long long)map->at, what);
}

/* Metadata bytes at `position`, through a window that moves forward. */
static int peek(struct ero_map *map, uint64_t position, unsigned length, const uint8_t **bytes, struct ero_error *err)
{
	bool metabox = ero_in_metabox(map->inode.nid);
	uint64_t room = ero_meta_size(map->image, metabox);
	int rc;

	if (position < map->window_start || position + length > map->window_start + map->window_length) {
		if (!ero_in_range(position, length, room))
			return corrupt(map, err, "it reaches past the end of the image");
		room -= position;
		map->window_start = position;
		map->window_length = room < map->window_next ? (unsigned)room : map->window_next;
		map->window_next = map->window_next * 8 < ERO_MAP_WINDOW ? map->window_next * 8 : ERO_MAP_WINDOW;
		rc = ero_meta_read(map->image, metabox, position, map->window, map->window_length, err);
		if (rc) {
			map->window_length = 0;
			return rc;
		}
	}
	*bytes = map->window + (position - map->window_start);
	return 0;
}

int ero_map_init_compressed(struct ero_map *map, struct ero_error *err)
{
	unsigned block_bits = map->image->super.block_bits;
	uint64_t header = ero_round_up(map->behind_head, 8);
	const uint8_t *bytes;
	int rc = peek(map, header, ERO_MAP_HEADER, &bytes, err);
	bool big1, big2;

	if (rc)
		return rc;
	ero_zheader_decode(bytes, map->inode.layout, block_bits, &map->header);
	if (map->header.whole_fragment)
		return 0;
	if (map->header.extents) {
		map->record_start = ero_round_up(header + ERO_MAP_HEADER, map->header.record_size);
		if (map->header.record_size == 4) {
			rc = peek(map, map->record_start, 8, &bytes, err);
			map->address = rc ? 0 : ero_get64(bytes);
			map->record_start += 8;
		}
		return rc;
	}
	if (map->header.algorithm[0] >= ERO_ALG_COUNT || map->header.algorithm[1] >= ERO_ALG_COUNT)
		return corrupt(map, err, "it names a compression algorithm without a meaning");
	big1 = map->header.advise & ERO_ADVISE_BIG_PCLUSTER_1;
	big2 = map->header.advise & ERO_ADVISE_BIG_PCLUSTER_2;
	if (map->inode.layout == ERO_LAYOUT_COMPRESSED_COMPACT && big1 != big2)
		return corrupt(map, err, "compact indexes need big pclusters for both algorithms or for none");
	if (map->header.lcluster_bits > 16 ||
	    (map->inode.layout == ERO_LAYOUT_COMPRESSED_COMPACT &&
	     map->header.lcluster_bits > ((map->header.advise & ERO_ADVISE_COMPACTED_2B) ? 12 : 14)))
		return corrupt(map, err, "its logical clusters are larger than its indexes can tell");
	ero_zindex_init(&map->index, map->inode.layout, map->header.advise, map->header.lcluster_bits, map->inode.size,
			header + ERO_MAP_HEADER);
	return 0;
}

/* The index entry of lcluster `lcn`, which only ever moves forward or stays inside the pack. */
static int entry(struct ero_map *map, uint64_t lcn, struct ero_lcluster **result, struct ero_error *err)
{
	if (lcn < map->pack_first || lcn >= map->pack_first + map->pack_count) {
		struct ero_zpack pack = ero_zindex_pack(&map->index, lcn);
		const uint8_t *bytes;
		int rc = peek(map, map->index.start + pack.offset, pack.bytes, &bytes, err);

		if (rc)
			return rc;
		map->pack_count = 0;
		if (!ero_zpack_decode(&map->index, &pack, bytes, map->entries))
			return corrupt(map, err, "an index entry has an impossible distance");
		map->stray |= map->entries[0].stray;
		map->pack_first = pack.first;
		map->pack_count = pack.entries;
	}
	*result = &map->entries[lcn - map->pack_first];
	return 0;
}

/* Readers hop from entry to entry by these distances: each must land inside the extent they start in. */
static int check_deltas(const struct ero_map *map, const struct ero_lcluster *l, uint64_t back, bool big,
			struct ero_error *err)
{
	bool has_size = l->delta0 & ERO_LC_CBLKCNT;
	uint64_t delta0 = l->delta0;

	if (has_size ? !big : big && back == 1 && !l->ahead)
		return corrupt(map, err, has_size ? "a pcluster's size is told where all have one block" :
						    "a pcluster's size is not told");

	if (delta0 & ERO_LC_CBLKCNT) {
		if (back != 1)
			return corrupt(map, err, "a pcluster's size is told in the wrong place");
		delta0 = 1;
	}
	if (delta0 > back || (delta0 == 0 && !l->ahead))
		return corrupt(map, err, "an index entry points back to the wrong extent");
	return 0;
}

/* Walks the entries behind a head until the next head: where the extent ends, and how many blocks it has. */
static int walk_nonheads(struct ero_map *map, uint64_t head, bool sparse, uint64_t *end, unsigned *blocks, struct ero_error *err)
{
	struct ero_lcluster *l;
	unsigned bits = map->index.lcluster_bits;
	uint64_t lcn = head + 1, reach = 0;
	bool big = map->header.advise & (ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2);
	int rc = 0;

	*blocks = 1;
	for (; lcn < map->index.total; lcn++) {
		rc = entry(map, lcn, &l, err);
		if (rc)
			return rc;
		if (l->type != ERO_LC_NONHEAD)
			break;
		rc = check_deltas(map, l, lcn - head, big, err);
		if (rc)
			return rc;
		if (lcn + l->delta1 > reach)
			reach = lcn + l->delta1;
		if (l->delta0 & ERO_LC_CBLKCNT)
			*blocks = l->delta0 & (ERO_LC_CBLKCNT - 1u);
	}
	if (reach > lcn)
		return corrupt(map, err, "an index entry points ahead to the wrong extent");
	map->lcn = lcn;
	*end = map->inode.size;
	if (lcn < map->index.total) {
		if (l->sparse && l->clusterofs && !sparse)
			return corrupt(map, err, "kernels from 7.2 on take the end of an extent for the hole that is marked behind it");
		if (l->clusterofs >> bits)
			return corrupt(map, err, "an extent begins outside its logical cluster");
		*end = (lcn << bits) + l->clusterofs;
	}
	return 0;
}

/* What a kernel takes for the length of an extent: without a head that marks the end of the file, it goes on to the end
 * of the last logical cluster, unless it begins there and is inline. */
static uint64_t kernel_length(const struct ero_map *map, uint64_t head, const struct ero_extent *e)
{
	bool marked = map->lcn < map->index.total;
	bool clipped = head + 1 == map->index.total && (map->header.advise & ERO_ADVISE_INLINE_PCLUSTER);

	return marked || clipped ? e->length : (map->index.total << map->index.lcluster_bits) - e->logical;
}

static int next_indexed(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	const struct ero_zheader *h = &map->header;
	unsigned block_bits = map->image->super.block_bits;
	struct ero_lcluster *l, head;
	uint64_t head_lcn = map->lcn, end = 0;
	unsigned blocks = 0;
	bool last;
	int rc = entry(map, head_lcn, &l, err);

	if (rc)
		return rc;
	head = *l;
	if (head.type == ERO_LC_NONHEAD || (head_lcn << map->index.lcluster_bits) + head.clusterofs != map->at)
		return corrupt(map, err, "no extent begins where the one before ends");
	rc = walk_nonheads(map, head_lcn, head.sparse, &end, &blocks, err);
	if (rc)
		return rc;
	if (end <= map->at || end > map->inode.size)
		return corrupt(map, err, "an extent ends before it begins, or past the end of the file");
	last = end == map->inode.size; /* the last logical cluster may hold a head that only marks the end */
	e->length = end - map->at;
	e->kind = ERO_EXTENT_ENCODED;
	e->raw = head.type == ERO_LC_PLAIN;
	e->algorithm = (enum ero_algorithm)h->algorithm[head.type == ERO_LC_HEAD2];
	e->second = head.type == ERO_LC_HEAD2;
	e->partial = head.partial;
	e->sparse = head.sparse;
	e->physical = head.block << block_bits;
	e->stored = (uint64_t)blocks << block_bits;
	if (last && head.sparse && (h->advise & (ERO_ADVISE_FRAGMENT | ERO_ADVISE_INLINE_PCLUSTER)))
		return corrupt(map, err, "the end of the file is marked as a hole, and is inline or a fragment");
	if (last && (h->advise & ERO_ADVISE_FRAGMENT)) {
		e->kind = ERO_EXTENT_FRAGMENT;
		e->physical = h->fragment_offset;
		if (map->inode.layout == ERO_LAYOUT_COMPRESSED_FULL)
			e->physical |= head.block << 32;
		e->stored = e->length;
	} else if (last && (h->advise & ERO_ADVISE_INLINE_PCLUSTER)) {
		e->in_meta = true;
		e->physical = map->index.start + map->index.size;
		e->stored = h->inline_size;
		if ((e->physical & ((1u << block_bits) - 1)) + e->stored > 1u << block_bits)
			return corrupt(map, err, "the inline end of the file crosses a block");
	} else if (!blocks) { /* what lies elsewhere may have none */
		return corrupt(map, err, "a pcluster has no blocks, which kernels from 7.2 on alone take for a hole");
	} else {
		e->interlaced = e->raw && (h->advise & ERO_ADVISE_INTERLACED);
	}
	if (e->raw && e->kind == ERO_EXTENT_ENCODED && kernel_length(map, head_lcn, e) > e->stored)
		return corrupt(map, err, "kernels take its plain end for longer than the space it has");
	return 0;
}

/* 16- and 32-byte records say where an extent begins; it ends where the next begins. */
static int next_start(struct ero_map *map, uint64_t *start, struct ero_error *err)
{
	unsigned size = map->header.record_size;
	const uint8_t *bytes;
	struct ero_zrecord r;
	int rc;

	*start = map->inode.size;
	if (map->record >= map->header.extent_count)
		return 0;
	rc = peek(map, map->record_start + map->record * size, size, &bytes, err);
	if (rc)
		return rc;
	ero_zrecord_decode(bytes, size, &r);
	*start = r.logical;
	return 0;
}

static int next_record(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	const struct ero_zheader *h = &map->header;
	struct ero_zrecord r;
	const uint8_t *bytes;
	uint64_t end, span = 1ull << h->lcluster_bits;
	bool last;
	int rc;

	if (h->record_size >= 16 && map->record >= h->extent_count)
		return corrupt(map, err, "its extents end before the file does");
	rc = peek(map, map->record_start + map->record * h->record_size, h->record_size, &bytes, err);
	if (rc)
		return rc;
	ero_zrecord_decode(bytes, h->record_size, &r);
	map->record++;
	if (h->record_size >= 16) {
		if (r.logical != map->at)
			return corrupt(map, err, "no extent begins where the one before ends");
		rc = next_start(map, &end, err);
		if (rc)
			return rc;
	} else {
		end = map->inode.size - map->at > span ? map->at + span : map->inode.size;
	}
	if (end <= map->at || end > map->inode.size)
		return corrupt(map, err, "an extent ends before it begins, or past the end of the file");
	last = end == map->inode.size;
	e->length = end - map->at;
	e->physical = r.physical;
	if (h->record_size == 4) {
		e->physical = map->address;
		map->address += r.length;
	}
	if (last && (h->advise & ERO_ADVISE_FRAGMENT)) {
		e->kind = ERO_EXTENT_FRAGMENT;
		e->physical = r.raw_plen | (h->record_size >= 8 ? r.physical << 32 : 0);
		e->stored = e->length;
	} else if (r.length) {
		e->kind = ERO_EXTENT_ENCODED;
		e->stored = r.length;
		e->raw = r.format == 0;
		e->algorithm = (enum ero_algorithm)(r.format ? r.format - 1 : 0);
		e->partial = r.partial;
		e->interlaced = e->raw && (h->advise & ERO_ADVISE_INTERLACED) &&
				!(e->physical & (ero_block_size(map->image) - 1));
	} else {
		e->kind = ERO_EXTENT_HOLE;
	}
	return 0;
}

int ero_map_next_compressed(struct ero_map *map, struct ero_extent *e, struct ero_error *err)
{
	int rc;

	if (map->header.whole_fragment) {
		e->kind = ERO_EXTENT_FRAGMENT;
		e->length = e->stored = map->inode.size;
		e->physical = map->header.fragment_offset;
		return 0;
	}
	rc = map->header.extents ? next_record(map, e, err) : next_indexed(map, e, err);
	if (rc || e->kind != ERO_EXTENT_ENCODED)
		return rc;
	/* of a marked hole, too: kernels before 7.2 decode it */
	if (e->length > ERO_PCLUSTER_MAX_DECODED || e->stored > ERO_PCLUSTER_MAX_ENCODED || !e->stored)
		return corrupt(map, err, "an extent is larger than readers allow, or empty");
	if (e->raw && e->length > e->stored && !e->partial)
		return corrupt(map, err, "a plain extent is longer than the space it has");
	return 0;
}
