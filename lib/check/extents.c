// SPDX-License-Identifier: MIT
/* Where a file's bytes are: the map is complete and lies inside the devices. Nothing is decoded here. */
#include "check/check.h"
#include "image/map.h"
#include "image/shared.h"

#include <sys/stat.h>

/* True if extents on extra devices cannot be judged because no device was given. */
static bool beyond_reach(struct ero_checker *c, const struct ero_extent *e)
{
	const struct ero_image *image = c->image;

	if (!image->lacks_devices)
		return false;
	return e->device || (e->physical >> image->super.block_bits) >= image->super.blocks;
}

static uint64_t packed_size(const struct ero_checker *c)
{
	return c->image->packed ? ero_shared_size(c->image->packed) : 0;
}

static void check_range(struct ero_checker *c, const struct ero_place *at, const struct ero_extent *e)
{
	uint64_t room = ~0ull;

	if (e->kind == ERO_EXTENT_FRAGMENT)
		room = e->physical > packed_size(c) ? 0 : packed_size(c) - e->physical;
	else if (e->kind == ERO_EXTENT_PLAIN || (e->kind == ERO_EXTENT_ENCODED && !e->in_meta))
		room = beyond_reach(c, e) ? ~0ull : ero_device_room(c->image, e->device, e->physical);
	if (e->stored > room)
		ero_check_tell(c, "extent.range", at,
			       "bytes %llu to %llu: the data at byte %llu (%llu bytes) reaches past the end of %s",
			       (unsigned long long)e->logical, (unsigned long long)(e->logical + e->length),
			       (unsigned long long)e->physical, (unsigned long long)e->stored,
			       e->kind == ERO_EXTENT_FRAGMENT ? "the packed inode" : "the device");
	else if ((e->kind == ERO_EXTENT_PLAIN || (e->kind == ERO_EXTENT_ENCODED && !e->in_meta)) && !beyond_reach(c, e) &&
		 ero_space_extent(&c->space, e))
		ero_check_no_memory(c);
}

/* What the superblock has to announce for this extent. */
static void check_features(struct ero_checker *c, const struct ero_place *at, const struct ero_extent *e)
{
	if (e->device || (c->image->super.extra_devices && e->kind == ERO_EXTENT_PLAIN &&
			  (e->physical >> c->image->super.block_bits) >= c->image->super.blocks))
		ero_check_uses(c, ERO_INCOMPAT_DEVICE_TABLE, at, "data lies on an extra device");
	if (e->kind == ERO_EXTENT_FRAGMENT)
		ero_check_uses(c, ERO_INCOMPAT_FRAGMENTS, at, "data is a fragment");
	if (e->partial || e->interlaced)
		ero_check_uses(c, ERO_INCOMPAT_DEDUPE, at, "an extent has a form that came with deduplication");
	if (e->in_meta)
		ero_check_uses(c, ERO_INCOMPAT_ZTAILPACKING, at, "the end of the file is compressed inline");
	if (e->second)
		ero_check_uses(c, ERO_INCOMPAT_COMPR_HEAD2, at, "a second algorithm is used in one file");
}

/* What another file has, too, is decoded for the first of them. */
static void note_again(struct ero_checker *c, const struct ero_place *at, const struct ero_extent *e)
{
	bool shared = c->data && e->kind == ERO_EXTENT_ENCODED && !e->in_meta && !e->sparse;
	int met = shared ? ero_decoded_meet(&c->decoded, e) : ERO_DECODED_NEW;
	uint8_t again = met == ERO_DECODED_BEFORE || met == ERO_DECODED_TOO_MANY;

	if (met == ERO_DECODED_TOO_MANY)
		ero_check_tell(c, "extent.ways", at, "the encoded bytes at byte %llu are decoded in more ways than deduplication has a reason for",
			       (unsigned long long)e->physical);
	if (met < 0 || !ero_vec_push(&c->again, again))
		ero_check_no_memory(c);
	c->none_again &= !again;
}

static void check_extent(struct ero_checker *c, const struct ero_place *at, const struct ero_extent *e)
{
	if (e->kind == ERO_EXTENT_ENCODED && !e->raw && !ero_has_algorithm(c->image, e->algorithm))
		ero_check_tell(c, "extent.algorithm", at,
			       "byte %llu: compression algorithm %u is used, but the superblock does not list it",
			       (unsigned long long)e->logical, (unsigned)e->algorithm);
	check_features(c, at, e);
	check_range(c, at, e);
}

/* What the map as a whole needs. */
static void check_form(struct ero_checker *c, const struct ero_place *at, const struct ero_map *map)
{
	const struct ero_inode *inode = &map->inode;
	const struct ero_super *s = &c->image->super;

	switch (inode->layout) {
	case ERO_LAYOUT_CHUNK:
		ero_check_uses(c, ERO_INCOMPAT_CHUNKED_FILE, at, "a file is chunked");
		if (inode->chunk_format & ERO_CHUNK_48BIT)
			ero_check_uses(c, ERO_INCOMPAT_48BIT, at, "chunks have addresses of 48 bits");
		break;
	case ERO_LAYOUT_FLAT_PLAIN:
	case ERO_LAYOUT_FLAT_INLINE:
		if (inode->start_block != ERO_NULL_BLOCK48 || inode->size < (inode->layout == ERO_LAYOUT_FLAT_INLINE ? ero_block_size(c->image) : 1))
			break;
		if (inode->layout == ERO_LAYOUT_FLAT_INLINE)
			ero_check_tell(c, "extent.start", at, "a file with inline data has whole blocks, and no start block");
		else
			ero_check_uses(c, ERO_INCOMPAT_48BIT, at, "a file without chunks is a hole");
		break;
	case ERO_LAYOUT_COMPRESSED_FULL:
	case ERO_LAYOUT_COMPRESSED_COMPACT:
		c->used |= ERO_INCOMPAT_LZ4_0PADDING | ((s->algorithms & ~1u) ? ERO_INCOMPAT_COMPR_CFGS : 0);
		if (map->header.advise & ~ERO_ADVISE_KNOWN)
			ero_check_tell(c, "extent.reserved", at, "the header of its map has bits set that have no meaning (%#x)", map->header.advise);
		if (map->header.extents && !map->header.whole_fragment)
			ero_check_uses(c, ERO_INCOMPAT_48BIT, at, "a file has extent records");
		else if (map->header.advise & (ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2))
			ero_check_uses(c, ERO_INCOMPAT_BIG_PCLUSTER, at, "a file has physical clusters of several blocks");
		break;
	}
}

void ero_check_extents(struct ero_checker *c, const struct ero_place *at, struct ero_map *map)
{
	const struct ero_inode *inode = &map->inode;
	uint64_t stored = 0;
	struct ero_extent e;
	struct ero_error err;
	unsigned count = 0;
	int rc = 0;

	if (inode->size)
		check_form(c, at, map);
	while (!rc && (rc = ero_map_next(map, &e, &err)) > 0) {
		if (count < ERO_CHECK_EXTENTS)
			c->extents[count] = e;
		count += count <= ERO_CHECK_EXTENTS;
		c->sparse |= e.sparse;
		if (c->data && S_ISREG(inode->mode))
			note_again(c, at, &e);
		check_extent(c, at, &e);
		if (e.kind != ERO_EXTENT_HOLE)
			stored += e.stored;
		rc = 0;
	}
	if (map->stray)
		ero_check_tell(c, "extent.reserved", at, "an entry of its map has bits set that have no meaning");
	if (rc)
		ero_check_blame(c, "extent.map", at, rc, &err);
	else if (count <= ERO_CHECK_EXTENTS)
		c->extent_count = count;
	if (S_ISREG(inode->mode)) {
		c->result->data_bytes += inode->size;
		c->result->stored_bytes += stored;
	}
}
