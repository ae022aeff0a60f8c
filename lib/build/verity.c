// SPDX-License-Identifier: MIT
/* --verity: a dm-verity tree behind the image, before it takes its name. */
#include "base/bytes.h"
#include "base/hashtree.h"
#include "base/text.h"
#include "build/build.h"

#include <openssl/crypto.h>
#include <string.h>

/* "" is a salt that follows from the UUID, so that equal builds are equal; "-" is none. */
static int choose_salt(const struct ero_build *b, struct ero_hashtree *t, struct ero_error *err)
{
	static const char purpose[] = "erolith dm-verity salt";
	const char *text = b->options.verity_salt;
	struct ero_sha256 *digest;
	bool good;

	if (!strcmp(text, "-"))
		return 0;
	if (*text) {
		size_t size = 0;

		if (strlen(text) % 2 || !OPENSSL_hexstr2buf_ex(t->salt, sizeof(t->salt), &size, text, '\0'))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--verity=%s: a salt is up to %d bytes in hexadecimal, or - for none", text,
					ERO_HASHTREE_SALT);
		t->salt_size = (unsigned)size;
		return 0;
	}
	digest = ero_sha256_create();
	good = digest && ero_sha256_update(digest, purpose, sizeof(purpose)) && ero_sha256_update(digest, b->super.uuid, 16);
	if (!digest || !ero_sha256_final(digest, good ? t->salt : NULL) || !good)
		return ero_fail_memory(err);
	t->salt_size = ERO_SHA256_SIZE;
	return 0;
}

int ero_build_verity(struct ero_build *b, struct ero_error *err)
{
	struct ero_hashtree t = {
		.fd = ero_outfile_descriptor(b->out), .base = b->options.target_offset, .blocks = b->image_bytes / ERO_HASHTREE_BLOCK,
		.workers = b->options.workers,
	};
	int rc;

	if (!b->options.verity_salt)
		return 0;
	memcpy(t.uuid, b->super.uuid, sizeof(t.uuid));
	rc = choose_salt(b, &t, err);
	if (!rc)
		rc = ero_hashtree_write(&t, err);
	if (rc)
		return ero_error_prefix(err, rc, "the dm-verity tree");
	b->verity_offset = b->image_bytes;
	b->image_bytes += ero_hashtree_size(t.blocks);
	ero_hex(t.root, sizeof(t.root), b->verity_root);
	return 0;
}
