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

static void check_extent(struct ero_checker *c, const struct ero_place *at, const struct ero_extent *e)
{
	uint64_t room = ~0ull;

	if (e->kind == ERO_EXTENT_ENCODED && !e->raw && !ero_has_algorithm(c->image, e->algorithm))
		ero_check_tell(c, ERO_DAMAGE, "extent.algorithm", at,
			       "byte %llu: compression algorithm %u is used, but the superblock does not list it",
			       (unsigned long long)e->logical, (unsigned)e->algorithm);
	if (e->kind == ERO_EXTENT_FRAGMENT)
		room = !c->image->packed || e->physical > ero_shared_size(c->image->packed) ?
			       0 : ero_shared_size(c->image->packed) - e->physical;
	else if (e->kind == ERO_EXTENT_PLAIN || (e->kind == ERO_EXTENT_ENCODED && !e->in_meta))
		room = beyond_reach(c, e) ? ~0ull : ero_device_room(c->image, e->device, e->physical);
	if (e->stored > room)
		ero_check_tell(c, ERO_DAMAGE, "extent.range", at,
			       "bytes %llu to %llu: the data at byte %llu (%llu bytes) reaches past the end of %s",
			       (unsigned long long)e->logical, (unsigned long long)(e->logical + e->length),
			       (unsigned long long)e->physical, (unsigned long long)e->stored,
			       e->kind == ERO_EXTENT_FRAGMENT ? "the packed inode" : "the device");
}

void ero_check_extents(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	uint64_t stored = 0;
	struct ero_map map;
	struct ero_extent e;
	struct ero_error err;
	int rc = ero_map_init(&map, c->image, inode, &err);

	while (!rc && (rc = ero_map_next(&map, &e, &err)) > 0) {
		check_extent(c, at, &e);
		if (e.kind != ERO_EXTENT_HOLE)
			stored += e.stored;
		rc = 0;
	}
	if (rc)
		ero_check_tell(c, ERO_DAMAGE, "extent.map", at, "%s", err.text);
	if (S_ISREG(inode->mode)) {
		c->result->data_bytes += inode->size;
		c->result->stored_bytes += stored;
	}
}
