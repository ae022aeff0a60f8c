// SPDX-License-Identifier: MIT
/* Opening an image: superblock, checksum, compression configurations, device table, special inodes, long prefixes. */
#include "image/image.h"
#include "base/bytes.h"
#include "base/io.h"
#include "image/shared.h"
#include "image/xattr.h"

#include <stdlib.h>
#include <string.h>

static int read_super(struct ero_image *image, struct ero_error *err)
{
	struct ero_device *d = &image->devices[0];
	uint8_t bytes[ERO_SUPER_SIZE + ERO_SUPER_SLOT] = { 0 };
	ssize_t n = ero_pread_some(d->fd, bytes, sizeof(bytes), d->base + ERO_SUPER_OFFSET);
	int rc;

	if (n < 0) {
		errno = (int)-n;
		return ero_fail_errno(err, "cannot read the superblock of %s", d->path);
	}
	if (n < (ssize_t)ERO_SUPER_SIZE)
		return ero_fail(err, ERO_ERROR_FOREIGN, EINVAL,
				"%s is no EROFS image: it has %llu bytes, a superblock ends at byte %u", d->path,
				(unsigned long long)d->size, ERO_SUPER_OFFSET + ERO_SUPER_SIZE);
	rc = ero_super_decode(bytes, &image->super, err);
	if (rc)
		return ero_error_prefix(err, rc, "%s", d->path);
	image->super_end = ERO_SUPER_OFFSET + ero_super_size(&image->super);
	image->zero_padding = image->super.feature_incompat & ERO_INCOMPAT_LZ4_0PADDING;
	return 0;
}

static int verify_checksum(struct ero_image *image, bool ignore, struct ero_error *err)
{
	struct ero_device *d = &image->devices[0];
	uint8_t bytes[1 << ERO_MAX_BLOCK_BITS];
	unsigned length = ero_super_checksum_length(image->super.block_bits);
	uint32_t crc;
	int rc;

	if (!(image->super.feature_compat & ERO_COMPAT_SB_CHKSUM))
		return 0;
	rc = ero_pread_full(d->fd, bytes, length, d->base + ERO_SUPER_OFFSET, d->path, err);
	if (rc)
		return rc;
	crc = ero_super_checksum(bytes, image->super.block_bits);
	if (crc == image->super.checksum)
		return 0;
	image->checksum_bad = true;
	if (ignore)
		return 0;
	return ero_fail(err, ERO_ERROR_CORRUPT, EBADMSG,
			"%s: the superblock checksum is %#010x, its bytes give %#010x: the image is damaged", d->path,
			image->super.checksum, crc);
}

static int read_cfgs(struct ero_image *image, struct ero_error *err)
{
	if (!(image->super.feature_incompat & ERO_INCOMPAT_COMPR_CFGS)) {
		image->cfgs.lz4_distance = image->super.lz4_distance;
		return 0;
	}
	if (image->super.algorithms >> ERO_ALG_COUNT)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
				"%s uses compression algorithms this version does not know (bitmap %#x)", image->devices[0].path,
				image->super.algorithms);
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++) {
		uint8_t payload[64] = { 0 }, head[2];
		unsigned length;
		int rc;

		if (!(image->super.algorithms & (1u << a)))
			continue;
		image->super_end = ero_round_up(image->super_end, 4);
		rc = ero_meta_read(image, false, image->super_end, head, sizeof(head), err);
		length = ero_get16(head);
		if (!rc)
			rc = ero_meta_read(image, false, image->super_end + 2, payload,
					   length < sizeof(payload) ? length : sizeof(payload), err);
		if (!rc)
			rc = ero_compr_cfg_decode((enum ero_algorithm)a, payload, length, &image->cfgs, err);
		if (rc)
			return rc;
		image->super_end += 2 + length;
	}
	return 0;
}

static int open_devices(struct ero_image *image, const struct ero_open_options *options, struct ero_error *err)
{
	bool table = image->super.feature_incompat & ERO_INCOMPAT_DEVICE_TABLE;
	size_t on_disk = table ? image->super.extra_devices : 0;

	if (options->device_count && options->device_count != on_disk)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s refers to %zu extra devices, %zu are given",
				image->devices[0].path, on_disk, options->device_count);
	image->lacks_devices = on_disk && !options->device_count;
	for (size_t i = 0; i < options->device_count; i++) {
		struct ero_device *d = &image->devices[image->device_count];
		uint8_t bytes[ERO_DEVICE_SLOT];
		int rc = ero_device_open(d, options->devices[i], 0, err);

		if (rc) {
			ero_device_close(d);
			return rc;
		}
		image->device_count++;
		rc = ero_meta_read(image, false, (uint64_t)(image->super.device_slot + i) * ERO_DEVICE_SLOT, bytes,
				   sizeof(bytes), err);
		if (rc)
			return ero_error_prefix(err, rc, "device slot %zu", i + 1);
		ero_device_slot_decode(bytes, &d->slot);
	}
	return 0;
}

static int open_special(struct ero_image *image, bool salvage, struct ero_error *err)
{
	int rc = 0;

	if (image->super.feature_incompat & ERO_INCOMPAT_METABOX)
		rc = ero_shared_open(image, image->super.metabox_nid, salvage, &image->metabox, err);
	if (rc && (!salvage || rc == -ENOMEM))
		return ero_error_prefix(err, rc, "the metabox");
	rc = 0;
	if ((image->super.feature_incompat & ERO_INCOMPAT_FRAGMENTS) && image->super.packed_nid)
		rc = ero_shared_open(image, image->super.packed_nid, salvage, &image->packed, err);
	if (rc && (!salvage || rc == -ENOMEM))
		return ero_error_prefix(err, rc, "the packed inode");
	rc = ero_xattr_load_prefixes(image, err);
	return salvage && rc != -ENOMEM ? 0 : rc;
}

int ero_image_open(const char *path, const struct ero_open_options *options, struct ero_image **result,
		   struct ero_error *err)
{
	static const struct ero_open_options none;
	struct ero_image *image = calloc(1, sizeof(*image));
	int rc;

	*result = NULL;
	if (!options)
		options = &none;
	if (!image || !(image->devices = calloc(options->device_count + 1, sizeof(*image->devices)))) {
		free(image);
		return ero_fail_memory(err);
	}
	for (size_t i = 0; i <= options->device_count; i++)
		image->devices[i].fd = -1;
	image->device_count = 1;
	image->salvage = options->salvage;
	rc = ero_device_open(&image->devices[0], path, options->offset, err);
	if (!rc)
		rc = read_super(image, err);
	if (!rc)
		rc = verify_checksum(image, options->ignore_checksum || options->salvage, err);
	if (!rc)
		rc = ero_meta_cache_create(image, err);
	if (!rc)
		rc = read_cfgs(image, err);
	if (!rc)
		rc = open_devices(image, options, err);
	if (!rc)
		rc = open_special(image, options->salvage, err);
	if (rc) {
		ero_image_close(image);
		return rc;
	}
	*result = image;
	return 0;
}

void ero_image_close(struct ero_image *image)
{
	if (!image)
		return;
	ero_shared_close(image->packed);
	ero_shared_close(image->metabox);
	ero_meta_cache_free(image);
	for (unsigned i = 0; i < image->device_count; i++)
		ero_device_close(&image->devices[i]);
	free(image->devices);
	free(image->prefixes);
	free(image);
}
