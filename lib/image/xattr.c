// SPDX-License-Identifier: MIT
/* An inode's xattrs: a header that lists shared entries, then entries of its own. */
#include "image/xattr.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/shared.h"

#include <stdlib.h>
#include <string.h>

/* Names from an entry: prefix (built in, or long: built in and infix) and the entry's own part. */
static int full_name(const struct ero_image *image, const struct ero_xattr_entry *e, char *name, struct ero_xattr *x,
		     struct ero_error *err)
{
	unsigned index = e->index;
	const char *infix = "", *prefix;
	size_t infix_length = 0;

	if (index & ERO_XATTR_PREFIX_BIT) {
		unsigned number = index & ~ERO_XATTR_PREFIX_BIT;

		if (number >= image->prefix_count)
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "an xattr uses long prefix %u of %u", number,
					image->prefix_count);
		infix = image->prefixes[number].infix;
		infix_length = image->prefixes[number].length;
		index = image->prefixes[number].base_index;
	}
	prefix = index || !(e->index & ERO_XATTR_PREFIX_BIT) ? ero_xattr_prefix(index) : "";
	if (!prefix)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "an xattr has name index %u, which has no meaning", index);
	x->base_index = index;
	x->long_prefix = e->index & ERO_XATTR_PREFIX_BIT;
	x->name_length = strlen(prefix) + infix_length + e->name_length;
	memcpy(name, prefix, strlen(prefix));
	x->suffix = name + strlen(prefix);
	memcpy(name + strlen(prefix), infix, infix_length);
	memcpy(name + strlen(prefix) + infix_length, e->name, e->name_length);
	name[strlen(prefix) + infix_length + e->name_length] = '\0';
	x->name = name;
	return 0;
}

enum { NAME_ROOM = 32 + 256 + 256 };

static int emit(struct ero_image *image, const uint8_t *bytes, size_t room, uint64_t position, bool shared,
		ero_xattr_fn fn, void *context, size_t *used, struct ero_error *err)
{
	struct ero_xattr x = { .shared = shared, .position = position };
	struct ero_xattr_entry e;
	char name[NAME_ROOM];
	int rc;

	if (!ero_xattr_entry_decode(bytes, room, &e))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "an xattr entry at byte %llu is longer than the space it has",
				(unsigned long long)position);
	if (used)
		*used = ero_xattr_entry_size(e.name_length, e.value_length);
	rc = full_name(image, &e, name, &x, err);
	if (rc)
		return rc;
	x.value = e.value;
	x.value_length = e.value_length;
	return fn(context, &x, err);
}

static int emit_shared(struct ero_image *image, uint32_t id, ero_xattr_fn fn, void *context, struct ero_error *err)
{
	bool metabox = image->super.feature_compat & ERO_COMPAT_SHARED_EA_IN_METABOX;
	uint64_t position = ((uint64_t)image->super.xattr_block << image->super.block_bits) + (uint64_t)id * 4;
	ERO_AUTO_FREE uint8_t *bytes = NULL;
	uint8_t head[ERO_XATTR_ENTRY];
	size_t size;
	int rc;

	rc = ero_meta_read(image, metabox, position, head, sizeof(head), err);
	if (rc)
		return ero_error_prefix(err, rc, "shared xattr %u", id);
	size = (size_t)ERO_XATTR_ENTRY + head[0] + ero_get16(head + 2);
	bytes = malloc(size);
	if (!bytes)
		return ero_fail_memory(err);
	rc = ero_meta_read(image, metabox, position, bytes, size, err);
	return rc ? rc : emit(image, bytes, size, position, true, fn, context, NULL, err);
}

static int read_body(struct ero_image *image, const struct ero_inode *inode, uint8_t **body, uint64_t *position,
		     struct ero_error *err)
{
	unsigned size = ero_xattr_body_size(inode->xattr_icount);

	*body = NULL;
	*position = inode->position + (inode->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE);
	*body = malloc(size);
	if (!*body)
		return ero_fail_memory(err);
	return ero_meta_read(image, ero_in_metabox(inode->nid), *position, *body, size, err);
}

int ero_xattr_each(struct ero_image *image, const struct ero_inode *inode, ero_xattr_fn fn, void *context,
		   struct ero_error *err)
{
	size_t size = ero_xattr_body_size(inode->xattr_icount), at;
	ERO_AUTO_FREE uint8_t *body = NULL;
	uint64_t position;
	int rc;

	if (!size)
		return 0;
	rc = read_body(image, inode, &body, &position, err);
	if (rc)
		return rc;
	at = ERO_XATTR_HEADER + (size_t)body[4] * 4;
	if (at > size)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu lists %u shared xattrs in %zu bytes",
				(unsigned long long)inode->nid, body[4], size);
	for (unsigned i = 0; !rc && i < body[4]; i++)
		rc = emit_shared(image, ero_get32(body + ERO_XATTR_HEADER + i * 4), fn, context, err);
	while (!rc && at < size) {
		size_t used = 0;

		/* four zero bytes are no entry: padding that keeps room (--root-xattr-isize) */
		if (ero_get32(body + at) == 0) {
			at += 4;
			continue;
		}
		rc = emit(image, body + at, size - at, position + at, false, fn, context, &used, err);
		at += used;
	}
	return rc < 0 ? ero_error_prefix(err, rc, "xattrs of inode %llu", (unsigned long long)inode->nid) : rc;
}

int ero_xattr_header(struct ero_image *image, const struct ero_inode *inode, uint32_t *filter, bool *reserved_clear,
		     struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *body = NULL;
	uint64_t position;
	int rc = read_body(image, inode, &body, &position, err);

	if (!rc) {
		*filter = ero_get32(body);
		*reserved_clear = ero_all_zero(body + 5, 7);
	}
	return rc;
}

/* Long prefixes lie in the metabox, else in the packed inode, else on the device. */
static int read_prefix_bytes(struct ero_image *image, uint64_t position, void *bytes, size_t length,
			     struct ero_error *err)
{
	bool plain = image->super.feature_compat & ERO_COMPAT_PLAIN_XATTR_PFX;

	if (!plain && image->metabox)
		return ero_shared_read(image->metabox, position, bytes, length, err);
	if (!plain && image->packed)
		return ero_shared_read(image->packed, position, bytes, length, err);
	return ero_meta_read(image, false, position, bytes, length, err);
}

int ero_xattr_load_prefixes(struct ero_image *image, struct ero_error *err)
{
	uint64_t at = (uint64_t)image->super.prefix_start * 4;

	if (!(image->super.feature_incompat & ERO_INCOMPAT_XATTR_PREFIXES) || !image->super.prefix_count)
		return 0;
	image->prefixes = calloc(image->super.prefix_count, sizeof(*image->prefixes));
	if (!image->prefixes)
		return ero_fail_memory(err);
	for (unsigned i = 0; i < image->super.prefix_count; i++) {
		struct ero_long_prefix *p = &image->prefixes[i];
		uint8_t head[3];
		unsigned length;
		int rc;

		at = ero_round_up(at, 4);
		rc = read_prefix_bytes(image, at, head, sizeof(head), err);
		if (rc)
			return ero_error_prefix(err, rc, "long xattr prefix %u", i);
		length = ero_get16(head);
		if (length < 1 || length > 1 + 255)
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "long xattr prefix %u has %u bytes; 1 to 256 are possible", i,
					length);
		p->base_index = head[2];
		p->length = (uint8_t)(length - 1);
		rc = p->length ? read_prefix_bytes(image, at + 3, p->infix, p->length, err) : 0;
		if (rc)
			return ero_error_prefix(err, rc, "long xattr prefix %u", i);
		at += 2 + length;
		image->prefix_count++;
	}
	return 0;
}
