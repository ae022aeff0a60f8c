// SPDX-License-Identifier: MIT
/* The content of one regular file: does it decode, is it what its fingerprint says, is the rest of its last block clean? */
#include "check/content.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "image/xattr.h"

#include <string.h>

enum { NOWHERE_LEAST = 8192 }; /* bytes that are copied for less than the kernel takes to pass them on */

struct hashing {
	struct ero_sha256 *digest; /* NULL: not asked for */
};

static int take_bytes(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	static const uint8_t zeros[65536];
	struct hashing *h = context;
	bool good = true;

	(void)offset;
	if (!h->digest)
		return 0;
	if (bytes)
		good = ero_sha256_update(h->digest, bytes, length);
	for (size_t part; !bytes && good && length; length -= part) {
		part = length < sizeof(zeros) ? length : sizeof(zeros);
		good = ero_sha256_update(h->digest, zeros, part);
	}
	return good ? 0 : ero_fail_memory(err);
}

static int take_zeros(void *filled, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	(void)offset;
	(void)err;
	*(bool *)filled |= bytes && !ero_all_zero(bytes, length);
	return 0;
}

struct wanted {
	const char *name;
	uint8_t value[7 + ERO_SHA256_SIZE];
	bool found, equal;
};

static int compare(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct wanted *w = context;

	(void)err;
	if (strcmp(x->name, w->name) != 0)
		return 0;
	w->found = true;
	w->equal = x->value_length == sizeof(w->value) && !memcmp(x->value, w->value, sizeof(w->value));
	return 1;
}

/* The digest of what was read against the one in the xattr. */
static int check_digest(struct ero_content *c, struct ero_sha256 *digest, int rc, struct ero_error *err)
{
	struct wanted w = { .name = c->digest_name, .value = "sha256:" };
	bool good = ero_sha256_final(digest, rc ? NULL : w.value + 7);

	if (rc)
		return rc;
	if (!good)
		return ero_fail_memory(err);
	rc = ero_xattr_each(c->image, &c->inode, compare, &w, err);
	c->missing = !w.found && c->inode.size;
	c->differs = w.found && !w.equal;
	return rc < 0 ? rc : 0;
}

/* Bytes between the end of a plain file and that of its block. */
static int check_padding(struct ero_content *c, const struct ero_extent *last, struct ero_error *err)
{
	unsigned block = ero_block_size(c->image), used = (unsigned)(c->inode.size & (block - 1));
	uint8_t bytes[1 << ERO_MAX_BLOCK_BITS];
	int rc;

	if (!used || (c->inode.layout != ERO_LAYOUT_FLAT_PLAIN && c->inode.layout != ERO_LAYOUT_CHUNK))
		return 0;
	if (last->kind != ERO_EXTENT_PLAIN || ero_device_room(c->image, last->device, last->physical) < last->length + block - used)
		return 0;
	rc = ero_device_read(c->image, last->device, last->physical + last->length, bytes, block - used, err);
	c->unclean = !rc && !ero_all_zero(bytes, block - used);
	return rc;
}

/* Plain data without a digest can be anything: it only has to be there. */
static bool can_skip(const struct ero_content *c, const struct ero_extent *e)
{
	return e->kind == ERO_EXTENT_PLAIN && c->null >= 0 && !c->digest_name;
}

const struct ero_extent *ero_content_plain(const struct ero_content *c)
{
	return c->extent_count && can_skip(c, c->extents) ? c->extents : NULL;
}

/* One extent; of a hole that is stored all the same, too, what is there: old kernels read it. */
static int check_extent(struct ero_content *c, const struct ero_extent *e, struct ero_data_buffer *buffer, struct hashing *h,
			struct ero_error *err)
{
	struct ero_extent stored = *e;
	int rc;

	if (e->kind == ERO_EXTENT_FRAGMENT && !c->digest_name) {
		c->fragment = e->physical;
		c->fragment_length = e->length;
		return 0;
	}

	if (can_skip(c, e) && e->length >= NOWHERE_LEAST)
		return ero_device_read_nowhere(c->image, e->device, e->physical, e->length, c->null, err);
	rc = ero_data_stream_extent(c->image, &c->inode, e, buffer, take_bytes, h, err);
	if (rc || !e->sparse)
		return rc;
	stored.sparse = false;
	return ero_data_stream_extent(c->image, &c->inode, &stored, buffer, take_zeros, &c->filled, err);
}

static bool is_again(const struct ero_content *c, size_t extent)
{
	return c->again && !c->digest_name && c->again[extent];
}

/* All extents: those that are known, or else by the map. *last becomes the last one. */
static int check_extents(struct ero_content *c, struct ero_data_buffer *buffer, struct hashing *h, struct ero_extent *last,
			 struct ero_error *err)
{
	struct ero_map map;
	size_t n = 0;
	int rc = 0;

	for (unsigned i = 0; !rc && i < c->extent_count; i++) {
		*last = c->extents[i];
		if (i >= c->read && !is_again(c, i))
			rc = check_extent(c, last, buffer, h, err);
	}
	if (c->extent_count)
		return rc;
	rc = ero_map_init(&map, c->image, &c->inode, err);
	while (!rc && map.at < c->inode.size && (rc = ero_map_next(&map, last, err)) > 0)
		rc = is_again(c, n++) ? 0 : check_extent(c, last, buffer, h, err);
	return rc;
}

int ero_check_content(struct ero_content *c, struct ero_data_buffer *buffer, struct ero_error *err)
{
	struct hashing h = { .digest = c->digest_name ? ero_sha256_create() : NULL };
	struct ero_extent last = { 0 };
	int rc;

	if (c->digest_name && !h.digest)
		return ero_fail_memory(err);
	rc = check_extents(c, buffer, &h, &last, err);
	if (h.digest)
		rc = check_digest(c, h.digest, rc, err);
	return rc || c->packed ? rc : check_padding(c, &last, err);
}
