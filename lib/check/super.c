// SPDX-License-Identifier: MIT
/* What the superblock says of itself, beyond what opening the image has verified. */
#include "check/check.h"

void ero_check_super(struct ero_checker *c, const char *path)
{
	const struct ero_image *image = c->image;
	const struct ero_super *s = &image->super;
	struct ero_place at = { .has_offset = true, .offset = ERO_SUPER_OFFSET };
	uint64_t bytes = s->blocks << s->block_bits;

	if (image->checksum_bad)
		ero_check_tell(c, ERO_DAMAGE, "super.checksum", &at, "%s: the superblock checksum does not match", path);
	if (!s->reserved_clear)
		ero_check_tell(c, ERO_WARNING, "super.reserved", &at, "%s: reserved bytes of the superblock are not zero", path);
	if (bytes > image->devices[0].size)
		ero_check_differs(c, "super.size", &at, "the image is cut off: its file is shorter than the superblock says (bytes)",
				  bytes, image->devices[0].size);
	if (s->fixed_nsec >= 1000000000)
		ero_check_tell(c, ERO_DAMAGE, "super.time", &at, "%s: %u is no number of nanoseconds below a second", path,
			       s->fixed_nsec);
	if (image->lacks_devices)
		ero_check_tell(c, ERO_WARNING, "super.devices", &at,
			       "%s refers to %u extra devices and none is given (--device): data on them is not checked", path,
			       s->extra_devices);
}
