/* SPDX-License-Identifier: MIT */
/* The content of files: one extent at a time, or any range of a file. */
#ifndef ERO_IMAGE_DATA_H
#define ERO_IMAGE_DATA_H

#include "codec/codec.h"
#include "image/ahead.h"
#include "image/map.h"

/* What reading an image needs, one for each thread that reads it: grown as needed, all zero at first. */
struct ero_data_buffer {
	uint8_t *bytes, *encoded; /* encoded: what lies among metadata */
	size_t room, encoded_room;
	struct ero_ahead ahead;
	struct ero_decoders decoders;
};
void ero_data_buffer_clear(struct ero_data_buffer *buffer);
/* The same for the threads of a pool. */
void *ero_data_buffer_make(void *context);
void ero_data_buffer_free(void *buffer);

/* The plain bytes of one extent of any kind, e->length of them. Without a buffer (NULL) what is needed is made for
 * this time; `out` may be the buffer's `bytes`. */
int ero_data_decode(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
		    struct ero_data_buffer *buffer, uint8_t *out, struct ero_error *err);

/* Of a damaged extent as much of its beginning as decodes, in steps of 4096 bytes; *length becomes how much that is, all of it for a
 * sound one. -EUCLEAN only for none of it. */
int ero_data_decode_prefix(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			   struct ero_data_buffer *buffer, uint8_t *out, size_t *length, struct ero_error *err);

/* Bytes that a caller should handle at once: extents of plain data may be as long as the file, decoded ones are not.
 * Reads `length` bytes from `in` of an extent that is not ENCODED. */
int ero_data_read_plain(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			uint64_t in, void *out, size_t length, struct ero_error *err);

/* Calls `sink` with the plain content of a file, in order, in pieces of at most the format's extent limit; holes come
 * as NULL. */
typedef int (*ero_data_sink)(void *context, const uint8_t *bytes, uint64_t offset, size_t length,
			     struct ero_error *err);
/* One extent of it. */
int ero_data_stream_extent(struct ero_image *image, const struct ero_inode *inode, const struct ero_extent *e,
			   struct ero_data_buffer *buffer, ero_data_sink sink, void *context, struct ero_error *err);
int ero_data_stream(struct ero_image *image, const struct ero_inode *inode, struct ero_data_buffer *buffer,
		    ero_data_sink sink, void *context, struct ero_error *err);

/* Reads a whole small file (directory, link target) of at most `limit` bytes into new memory. */
int ero_data_read_all(struct ero_image *image, const struct ero_inode *inode, uint64_t limit, uint8_t **bytes,
		      struct ero_error *err);

#endif
