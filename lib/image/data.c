// SPDX-License-Identifier: MIT
/* From extents to plain bytes. */
#include "image/data.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "codec/codec.h"
#include "image/shared.h"

#include <string.h>

enum { PLAIN_PIECE = 128 << 10 };

/* Bytes of a raw extent: as they are, or rotated so that each sits at its offset modulo the block size. */
static void unpack_raw(const struct ero_image *image, const struct ero_extent *e, const uint8_t *in, uint8_t *out)
{
	size_t skip = e->interlaced ? (size_t)(e->logical & (ero_block_size(image) - 1)) : 0;
	size_t first;

	if (skip >= e->stored)
		skip = 0;
	first = (size_t)e->stored - skip < e->length ? (size_t)e->stored - skip : (size_t)e->length;
	memcpy(out, in + skip, first);
	memcpy(out + first, in, (size_t)e->length - first);
}

static int ensure(uint8_t **bytes, size_t *room, size_t wanted, struct ero_error *err)
{
	if (*room >= wanted)
		return 0;
	free(*bytes);
	*bytes = malloc(wanted);
	*room = *bytes ? wanted : 0;
	return *bytes ? 0 : ero_fail_memory(err);
}

static int read_stored(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
		       struct ero_data_buffer *buffer, const uint8_t **in, struct ero_error *err)
{
	int rc;

	if (!e->in_meta)
		return ero_ahead_read(&buffer->ahead, image, e->device, e->physical, (size_t)e->stored, in, err);
	rc = ensure(&buffer->encoded, &buffer->encoded_room, (size_t)e->stored, err);
	*in = buffer->encoded;
	return rc ? rc : ero_meta_read(image, ero_in_metabox(inode->nid), e->physical, buffer->encoded, (size_t)e->stored, err);
}

static int decode_encoded(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			  struct ero_data_buffer *buffer, uint8_t *out, struct ero_error *err)
{
	const uint8_t *in;
	int rc = read_stored(image, inode, e, buffer, &in, err);

	if (rc)
		return rc;
	if (e->raw) {
		if (e->length > e->stored)
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "a plain extent of %llu bytes has %llu bytes of space",
					(unsigned long long)e->length, (unsigned long long)e->stored);
		unpack_raw(image, e, in, out);
		return 0;
	}
	if (!ero_has_algorithm(image, e->algorithm))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "it uses compression algorithm %u, which the superblock does not list",
				(unsigned)e->algorithm);
	return ero_codec_decode(e->algorithm, &image->cfgs, &buffer->decoders, image->zero_padding || e->algorithm != ERO_ALG_LZ4, in,
				(size_t)e->stored, out, (size_t)e->length, e->partial, err);
}

int ero_data_read_plain(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			uint64_t in, void *out, size_t length, struct ero_error *err)
{
	switch (e->kind) {
	case ERO_EXTENT_HOLE:
		memset(out, 0, length);
		return 0;
	case ERO_EXTENT_PLAIN:
		return ero_device_read(image, e->device, e->physical + in, out, length, err);
	case ERO_EXTENT_INLINE:
		return ero_meta_read(image, ero_in_metabox(inode->nid), e->physical + in, out, length, err);
	case ERO_EXTENT_FRAGMENT:
		if (!image->packed)
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "its data is a fragment, but the image has no packed inode");
		return ero_shared_read(image->packed, e->physical + in, out, length, err);
	case ERO_EXTENT_ENCODED:
		break;
	}
	return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "an encoded extent cannot be read in parts");
}

int ero_data_decode(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
		    struct ero_data_buffer *buffer, uint8_t *out, struct ero_error *err)
{
	struct ero_data_buffer own = { 0 };
	int rc = 0;

	if (e->sparse)
		memset(out, 0, (size_t)e->length);
	else if (e->kind == ERO_EXTENT_ENCODED)
		rc = decode_encoded(image, inode, e, buffer ? buffer : &own, out, err);
	else
		rc = ero_data_read_plain(image, inode, e, 0, out, (size_t)e->length, err);
	ero_data_buffer_clear(&own);
	return rc ? ero_error_prefix(err, rc, "inode %llu, bytes %llu to %llu", (unsigned long long)inode->nid,
				     (unsigned long long)e->logical, (unsigned long long)(e->logical + e->length)) :
		    0;
}

int ero_data_decode_prefix(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			   struct ero_data_buffer *buffer, uint8_t *out, size_t *length, struct ero_error *err)
{
	enum { STEP = 4096 };
	size_t good = 0, bad = (size_t)ero_div_up(e->length, STEP);
	struct ero_extent part = *e;
	int rc = ero_data_decode(image, inode, e, buffer, out, err);

	*length = (size_t)e->length;
	if (rc != -EUCLEAN || e->kind != ERO_EXTENT_ENCODED)
		return rc;
	part.partial = true;
	while (bad - good > 1) { /* a stream decodes up to some place, and not behind it */
		size_t middle = good + (bad - good) / 2;

		part.length = middle * STEP;
		if (ero_data_decode(image, inode, &part, buffer, out, NULL))
			bad = middle;
		else
			good = middle;
	}
	*length = good * STEP;
	part.length = *length;
	return good ? ero_data_decode(image, inode, &part, buffer, out, err) : rc; /* failures have left anything there */
}

void ero_data_buffer_clear(struct ero_data_buffer *b)
{
	free(b->bytes);
	free(b->encoded);
	ero_ahead_clear(&b->ahead);
	ero_decoders_free(&b->decoders);
	*b = (struct ero_data_buffer){ 0 };
}

void *ero_data_buffer_make(void *context)
{
	(void)context;
	return calloc(1, sizeof(struct ero_data_buffer));
}

void ero_data_buffer_free(void *buffer)
{
	ero_data_buffer_clear(buffer);
	free(buffer);
}

/* Some bytes of an extent, of an encoded one all of them. */
static int read_piece(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e, uint64_t in, size_t part,
		      struct ero_data_buffer *buffer, const uint8_t **bytes, struct ero_error *err)
{
	int rc;

	if (e->kind == ERO_EXTENT_PLAIN)
		return ero_ahead_read(&buffer->ahead, image, e->device, e->physical + in, part, bytes, err);
	rc = ensure(&buffer->bytes, &buffer->room, part, err);
	*bytes = buffer->bytes;
	if (rc)
		return rc;
	return e->kind == ERO_EXTENT_ENCODED ? ero_data_decode(image, inode, e, buffer, buffer->bytes, err) :
					       ero_data_read_plain(image, inode, e, in, buffer->bytes, part, err);
}

int ero_data_stream_extent(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			   struct ero_data_buffer *buffer, ero_data_sink sink, void *context, struct ero_error *err)
{
	uint64_t piece = e->kind == ERO_EXTENT_ENCODED ? e->length : PLAIN_PIECE;
	bool hole = e->kind == ERO_EXTENT_HOLE || e->sparse;
	int rc = 0;

	if (hole)
		piece = e->length; /* nothing is read, and the sink only moves on */
	for (uint64_t in = 0; !rc && in < e->length; in += piece) {
		size_t part = (size_t)(e->length - in < piece ? e->length - in : piece);
		const uint8_t *bytes = NULL;

		if (!hole)
			rc = read_piece(image, inode, e, in, part, buffer, &bytes, err);
		if (!rc)
			rc = sink(context, bytes, e->logical + in, part, err);
	}
	return rc;
}

int ero_data_stream(struct ero_image *image, const struct ero_inode *inode, struct ero_data_buffer *buffer,
		    ero_data_sink sink, void *context, struct ero_error *err)
{
	struct ero_map map;
	struct ero_extent e;
	int rc = ero_map_init(&map, image, inode, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0)
		rc = ero_data_stream_extent(image, inode, &e, buffer, sink, context, err);
	return rc;
}

struct gather {
	uint8_t *to;
};

static int gather_sink(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	struct gather *g = context;

	(void)err;
	if (bytes)
		memcpy(g->to + offset, bytes, length);
	else
		memset(g->to + offset, 0, length);
	return 0;
}

int ero_data_read_all(struct ero_image *image, const struct ero_inode *inode, uint64_t limit, uint8_t **bytes,
		      struct ero_error *err)
{
	struct ero_data_buffer buffer = { 0 };
	struct gather g;
	int rc;

	*bytes = NULL;
	if (inode->size > limit)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu has %llu bytes; at most %llu are possible here",
				(unsigned long long)inode->nid, (unsigned long long)inode->size, (unsigned long long)limit);
	g.to = malloc(inode->size ? (size_t)inode->size : 1);
	if (!g.to)
		return ero_fail_memory(err);
	rc = ero_data_stream(image, inode, &buffer, gather_sink, &g, err);
	ero_data_buffer_clear(&buffer);
	if (rc)
		free(g.to);
	else
		*bytes = g.to;
	return rc;
}
