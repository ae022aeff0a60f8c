// SPDX-License-Identifier: MIT
/* What the superblock says of itself, beyond what opening the image has verified. */
#include "check/check.h"

enum { ERO_PAGE = 4096 }; /* of most kernels: they read the superblock in one */

static void check_configurations(struct ero_checker *c, const struct ero_place *at)
{
	const struct ero_super *s = &c->image->super;
	unsigned most = ERO_PCLUSTER_MAX_ENCODED >> s->block_bits;
	unsigned distance = s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS ? c->image->cfgs.lz4_distance : s->lz4_distance;

	if (distance && distance < UINT16_MAX) /* 0: not said, which means that */
		ero_check_tell(c, "config.distance", at, "LZ4 is configured for matches up to %u bytes back", distance);

	if ((s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS) && c->image->cfgs.lz4_max_blocks > most)
		ero_check_tell(c, "config.range", at, "LZ4 is configured for pclusters of %u blocks; %u are 1 MiB, the most there can be",
			       c->image->cfgs.lz4_max_blocks, most);
}

/* Long prefixes: kernels go by their number, whether they are announced or not. */
static void check_prefixes(struct ero_checker *c, const struct ero_place *at)
{
	const struct ero_super *s = &c->image->super;

	if (s->prefix_count && !(s->feature_incompat & ERO_INCOMPAT_XATTR_PREFIXES))
		ero_check_uses(c, ERO_INCOMPAT_XATTR_PREFIXES, at, "there are long xattr prefixes");
	if ((s->feature_compat & ERO_COMPAT_ISHARE_XATTRS) && s->ishare_prefix >= s->prefix_count)
		ero_check_tell(c, "feature.missing", at, "content is shared by the fingerprints of long xattr prefix %u of %u", s->ishare_prefix,
			       s->prefix_count);
}

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a < b + b_length && b < a + a_length; /* 48 bits each */
}

static void check_devices(struct ero_checker *c, const struct ero_place *at)
{
	const struct ero_image *image = c->image;
	const struct ero_super *s = &image->super;
	uint64_t table = (uint64_t)s->device_slot * ERO_DEVICE_SLOT, length = (uint64_t)s->extra_devices * ERO_DEVICE_SLOT;

	if (!(s->feature_incompat & ERO_INCOMPAT_DEVICE_TABLE) || !length)
		return;
	if (table + length > image->devices[0].size)
		ero_check_tell(c, "device.table", at, "the table of %u extra devices at byte %llu reaches past the end of the image",
			       s->extra_devices, (unsigned long long)table);
	else if (ero_space_other(&c->space, s->block_bits, table, length))
		ero_check_no_memory(c);
	for (unsigned i = 1; i < image->device_count; i++) {
		const struct ero_device_slot *a = &image->devices[i].slot;

		for (unsigned k = 0; a->unified && k < i; k++) {
			uint64_t start = k ? image->devices[k].slot.unified : 0, blocks = k ? image->devices[k].slot.blocks : s->blocks;

			if ((!k || start) && overlap(a->unified, a->blocks, start, blocks))
				ero_check_tell(c, "device.overlap", at, "device %u claims blocks from %llu on, which are device %u's", i,
					       (unsigned long long)a->unified, k);
		}
	}
}

static void check_room(struct ero_checker *c, const struct ero_place *at)
{
	const struct ero_super *s = &c->image->super;
	uint64_t bytes = s->blocks << s->block_bits, own = c->image->super_end - ERO_SUPER_OFFSET;

	if (ERO_SUPER_OFFSET + ero_super_size(s) > ERO_PAGE)
		ero_check_tell(c, "super.slots", at, "the superblock with %u extension slots reaches past byte %u", s->ext_slots, ERO_PAGE);
	if (bytes > c->image->devices[0].size)
		ero_check_differs(c, "super.size", at, "the image is cut off: its file is shorter than the superblock says (bytes)",
				  bytes, c->image->devices[0].size);
	if (ero_space_claim(&c->space, false, ERO_SUPER_OFFSET, own) < 0 || ero_space_other(&c->space, s->block_bits, 0, ERO_SUPER_OFFSET + own))
		ero_check_no_memory(c);
}

void ero_check_super(struct ero_checker *c, const char *path)
{
	const struct ero_image *image = c->image;
	const struct ero_super *s = &image->super;
	struct ero_place at = { .has_offset = true, .offset = ERO_SUPER_OFFSET };

	if (image->checksum_bad)
		ero_check_tell(c, "super.checksum", &at, "%s: the superblock checksum does not match", path);
	if (!s->reserved_clear)
		ero_check_tell(c, "super.reserved", &at, "%s: reserved bytes of the superblock are not zero", path);
	if (s->fixed_nsec >= 1000000000)
		ero_check_tell(c, "super.time", &at, "%s: %u is no number of nanoseconds below a second", path, s->fixed_nsec);
	if (image->lacks_devices)
		ero_check_tell(c, "super.devices", &at,
			       "%s refers to %u extra devices and none is given (--device): data on them is not checked", path,
			       s->extra_devices);
	check_room(c, &at);
	check_configurations(c, &at);
	check_prefixes(c, &at);
	check_devices(c, &at);
}
