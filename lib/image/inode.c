// SPDX-License-Identifier: MIT
/* From an inode number to an inode. */
#include "image/image.h"
#include "base/bytes.h"

bool ero_inode_position(const struct ero_image *image, uint64_t nid, uint64_t *position)
{
	uint64_t low = nid & ~ERO_METABOX_BIT;
	uint64_t start = ero_in_metabox(nid) ? 0 : (uint64_t)image->super.meta_block << image->super.block_bits;

	if (ero_in_metabox(nid) && !image->metabox)
		return false;
	if (__builtin_mul_overflow(low, (uint64_t)ERO_INODE_UNIT, &low) || __builtin_add_overflow(low, start, position))
		return false;
	return ero_in_range(*position, ERO_COMPACT_SIZE, ero_meta_size(image, ero_in_metabox(nid)));
}

int ero_inode_read(struct ero_image *image, uint64_t nid, struct ero_inode *inode, struct ero_error *err)
{
	uint8_t bytes[ERO_EXTENDED_SIZE];
	uint64_t position, room;
	size_t length;
	int rc;

	if (!ero_inode_position(image, nid, &position))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode number %llu lies outside the image",
				(unsigned long long)nid);
	room = ero_meta_size(image, ero_in_metabox(nid)) - position;
	length = room < sizeof(bytes) ? (size_t)room : sizeof(bytes);
	rc = ero_meta_read(image, ero_in_metabox(nid), position, bytes, length, err);
	if (!rc)
		rc = ero_inode_decode(bytes, length, &image->super, nid, inode, err);
	inode->position = position;
	return rc;
}
