// SPDX-License-Identifier: MIT
/* Extra devices whose tag is the SHA-256 of what they hold, as mkfs.erofs --blobdev writes it: is it this device? */
#include "base/bytes.h"
#include "base/digest.h"
#include "check/check.h"

#include <string.h>

void ero_check_digests(struct ero_checker *c)
{
	const struct ero_image *image = c->image;

	for (unsigned i = 1; i < image->device_count && !c->rc; i++) {
		const struct ero_device *d = &image->devices[i];
		struct ero_place at = { .has_offset = true, .offset = ((uint64_t)image->super.device_slot + i - 1) * ERO_DEVICE_SLOT };
		char tag[ERO_SHA256_TEXT] = "", digest[ERO_SHA256_TEXT];
		struct ero_error err;
		int rc;

		memcpy(tag, d->slot.tag, ERO_SHA256_TEXT - 1);
		if (strlen(tag) != ERO_SHA256_TEXT - 1 || strspn(tag, "0123456789abcdef") != ERO_SHA256_TEXT - 1)
			continue; /* a name, or another identifier */
		/* what is behind the slot's blocks, up to a page, is zeros */
		rc = ero_sha256_file(d->fd, ero_round_up(d->slot.blocks << image->super.block_bits, 4096), digest, &err);
		if (rc)
			ero_check_blame(c, "device.digest", &at, rc, &err);
		else if (strcmp(tag, digest) != 0)
			ero_check_tell(c, "device.digest", &at, "%s has the SHA-256 %s; the image refers to %s", d->path, digest, tag);
	}
}
