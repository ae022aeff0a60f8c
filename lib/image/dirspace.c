// SPDX-License-Identifier: MIT
/* Blocks that directories have, before their names are read. */
#include "image/dirspace.h"
#include "base/bytes.h"
#include "image/map.h"
#include "image/shared.h"

/* Claims what [from, from + length) touches, in units: 0, 1 if something of it is taken, -ENOMEM. */
static int claim(struct ero_bits *bits, uint64_t from, uint64_t length, uint64_t unit)
{
	uint64_t first = from / unit;

	return ero_bits_claim(bits, first, ero_div_up(from + length, unit) - first);
}

/* The range must exist before it is taken: its length is the image's to choose. */
static int take_extent(struct ero_dir_space *s, struct ero_image *image, bool metabox, const struct ero_extent *e, struct ero_error *err)
{
	uint64_t room = 0;
	bool is_new;

	switch (e->kind) {
	case ERO_EXTENT_HOLE:
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "a directory has a hole at byte %llu", (unsigned long long)e->logical);
	case ERO_EXTENT_PLAIN:
		room = ero_device_room(image, e->device, e->physical);
		break;
	case ERO_EXTENT_INLINE:
		room = e->physical < ero_meta_size(image, metabox) ? ero_meta_size(image, metabox) - e->physical : 0;
		break;
	case ERO_EXTENT_FRAGMENT:
		room = image->packed && e->physical < ero_shared_size(image->packed) ? ero_shared_size(image->packed) - e->physical : 0;
		break;
	case ERO_EXTENT_ENCODED:
		if (ero_keys_number(&s->encoded, e->physical, e->device | (e->in_meta ? 1ull << 32 : 0), &is_new) == UINT32_MAX)
			return -ENOMEM;
		return !is_new;
	}
	if (e->length > room)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "a directory has %llu bytes at byte %llu, where there are %llu",
				(unsigned long long)e->length, (unsigned long long)e->physical, (unsigned long long)room);
	if (e->kind == ERO_EXTENT_PLAIN)
		return claim(&s->blocks, e->physical, e->length, ero_block_size(image));
	return e->kind == ERO_EXTENT_INLINE ? claim(&s->inlined[metabox], e->physical, e->length, 32) :
					      claim(&s->packed, e->physical, e->length, 1);
}

int ero_dir_space_take(struct ero_dir_space *s, struct ero_image *image, const struct ero_inode *dir, struct ero_error *err)
{
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, image, dir, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0)
		rc = take_extent(s, image, ero_in_metabox(dir->nid), &e, err);
	if (rc == 1)
		return ero_fail(err, ERO_ERROR_CORRUPT, EMLINK, "directory %llu has the same blocks as another, or lies over them",
				(unsigned long long)dir->nid);
	return rc == -ENOMEM ? ero_fail_memory(err) : rc;
}

void ero_dir_space_free(struct ero_dir_space *s)
{
	ero_bits_free(&s->blocks);
	for (int i = 0; i < 2; i++)
		ero_bits_free(&s->inlined[i]);
	ero_bits_free(&s->packed);
	ero_keys_free(&s->encoded);
}
