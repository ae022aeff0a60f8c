/* SPDX-License-Identifier: MIT */
/* Ends a raw DEFLATE stream (RFC 1951) that is too long where the room ends. */
#ifndef ERO_CODEC_DEFLATE_CUT_H
#define ERO_CODEC_DEFLATE_CUT_H

#include <stddef.h>
#include <stdint.h>

enum { ERO_DEFLATE_CODE_BITS = 15 }; /* of the longest code (3.2.7) */

/* What the codes of a block mean, by as many of the next bits of the stream as its longest code has. */
struct ero_deflate_codes {
	unsigned bits;
	uint16_t entries[1u << ERO_DEFLATE_CODE_BITS];
};

/* Of literals and lengths, and of distances; for one thread. What is in them does not matter. */
struct ero_deflate_tables {
	struct ero_deflate_codes literals, distances;
};

/*
 * Copies as many whole symbols of stream[0, length) as leave room for the end of a block, and ends block and stream there: at most
 * `cap` bytes to `out`, a few less if the next symbol is long. *plain becomes the number of bytes that this decodes to.
 * Returns the size; 0 if nothing fits, or the stream is damaged before `cap` bytes.
 */
size_t ero_deflate_cut(struct ero_deflate_tables *tables, const uint8_t *stream, size_t length, uint8_t *out, size_t cap, size_t *plain);

#endif
