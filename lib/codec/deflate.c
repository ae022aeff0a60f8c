// SPDX-License-Identifier: MIT
/* Raw DEFLATE through libdeflate, under both of the names clients use. */
#include "codec/codec.h"
#include "codec/deflate_cut.h"
#include "base/bytes.h"
#include "base/vec.h"

#include <libdeflate.h>
#include <stdlib.h>

enum {
	OVERSHOOT = 8,  /* a part of the input so small is encoded more than is likely to fit */
	ENOUGH = 64,    /* a part of the room so small may be left over rather than to encode again */
	PATIENCE = 3,   /* after so many tries the next length is twice the last one at least */
	MAX_TRIES = 12,
};

struct deflate_encoder {
	struct ero_encoder base;
	struct libdeflate_compressor *compressor;
	size_t window;    /* no pcluster decodes to more when the window is smaller than libdeflate's 32 KiB */
	struct ero_deflate_tables tables;
	ERO_VEC(uint8_t) scratch; /* its room counts */
};

static void destroy(void *encoder)
{
	struct deflate_encoder *e = encoder;

	libdeflate_free_compressor(e->compressor);
	ero_vec_free(&e->scratch);
	free(e);
}

static void *create(const struct ero_compressor *p)
{
	struct deflate_encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->window = p->dictsize && p->dictsize < 32768 ? p->dictsize : 0;
	e->compressor = libdeflate_alloc_compressor(p->level);
	if (!e->compressor) {
		free(e);
		return NULL;
	}
	return e;
}

/* Readers take zero bytes in front for padding, and a stored block that is not the last begins with one. What lies between its
 * three bits and the next byte is ignored (RFC 1951, 3.2.4). */
static void begin_with_bits(uint8_t *out)
{
	if (!out[0])
		out[0] = 0xf8;
}

static size_t encode(void *encoder, const uint8_t *in, size_t in_length, uint8_t *out, size_t cap)
{
	struct deflate_encoder *e = encoder;
	size_t n = libdeflate_deflate_compress(e->compressor, in, in_length, out, cap);

	if (n)
		begin_with_bits(out);
	return n;
}

/*
 * Encodes what is likely to fill the room and a little more, into the scratch: more than `cap` bytes of it, or about as many, or
 * all of in[0, total), or else the most that was found to fit. Returns the size and in *length what was encoded; 0 if nothing fits.
 */
static size_t encode_past(struct deflate_encoder *e, const uint8_t *in, size_t total, size_t cap, size_t expected, size_t *length)
{
	size_t try = expected + expected / OVERSHOOT, less = 0, more = total + 1; /* known to be too little, and far too much */

	for (unsigned i = 0; i < MAX_TRIES; i++) {
		size_t size;

		if (try >= more)
			try = more > total ? total : less + (more - less) / 2;
		else if (more > total && total - try <= try / OVERSHOOT)
			try = total;
		size = libdeflate_deflate_compress(e->compressor, in, try, e->scratch.data, cap * 2);
		*length = try;
		if (size > cap || (size && (try == total || try + 1 == more || cap - size <= cap / ENOUGH)))
			return size;
		if (size) {
			double factor = (double)cap / (double)size * (1 + 1. / OVERSHOOT);

			less = try;
			try = (size_t)((double)try * (i >= PATIENCE && factor < 2 ? 2 : factor));
		} else { /* more than twice as long as the room */
			more = try;
			try = less + (try - less) / 2;
		}
	}
	*length = less;
	return less ? libdeflate_deflate_compress(e->compressor, in, less, e->scratch.data, cap * 2) : 0;
}

static size_t encode_fixed(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap, size_t *guess)
{
	struct deflate_encoder *e = encoder;
	size_t total = e->window && *in_length > e->window ? e->window : *in_length, size;

	*in_length = 0;
	if (!ero_vec_reserve(&e->scratch, cap * 2)) {
		e->base.no_memory = true;
		return 0;
	}
	size = encode_past(e, in, total, cap, *guess ? *guess : cap * 3, in_length);
	if (size <= cap)
		memcpy(out, e->scratch.data, size);
	else
		size = ero_deflate_cut(&e->tables, e->scratch.data, size, out, cap, in_length);
	if (!size) {
		*in_length = 0;
		return 0;
	}
	begin_with_bits(out);
	if (*in_length < total)
		*guess = *in_length;
	return size;
}

/* libdeflate cannot stop in the middle: a stream that goes on is decoded whole, up to the format's limit. */
static int decode_prefix(struct libdeflate_decompressor *d, const uint8_t *in, size_t in_length, uint8_t *out,
			  size_t out_length)
{
	for (size_t room = out_length * 2; room / 2 < ERO_PCLUSTER_MAX_DECODED; room *= 2) {
		uint8_t *whole = malloc(room);
		size_t got = 0;
		enum libdeflate_result rc;

		if (!whole)
			return -ENOMEM;
		rc = libdeflate_deflate_decompress(d, in, in_length, whole, room, &got);
		if (rc == LIBDEFLATE_SUCCESS && got >= out_length)
			memcpy(out, whole, out_length);
		free(whole);
		if (rc != LIBDEFLATE_INSUFFICIENT_SPACE)
			return rc == LIBDEFLATE_SUCCESS && got >= out_length ? 0 : -EUCLEAN;
	}
	return -EUCLEAN;
}

static void forget(void *state)
{
	libdeflate_free_decompressor(state);
}

static int decode(void **state, const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		  size_t out_length, bool partial)
{
	struct libdeflate_decompressor *d = *state = *state ? *state : libdeflate_alloc_decompressor();
	enum libdeflate_result result;

	(void)cfgs;
	if (!d)
		return -ENOMEM;
	result = libdeflate_deflate_decompress(d, in, in_length, out, out_length, NULL);
	if (partial && result == LIBDEFLATE_INSUFFICIENT_SPACE)
		return decode_prefix(d, in, in_length, out, out_length);
	return result == LIBDEFLATE_SUCCESS ? 0 : -EUCLEAN;
}

static void configure(const struct ero_compressor *params, struct ero_compr_cfgs *cfgs)
{
	unsigned bits = params->dictsize ? ero_log2(params->dictsize) : 15;

	if (bits > cfgs->deflate_bits)
		cfgs->deflate_bits = (uint8_t)bits;
}

const struct ero_codec ero_codec_deflate = {
	.info = { .name = "deflate", .max_level = 12, .default_level = 1, .max_dict = 32768 },
	.algorithm = ERO_ALG_DEFLATE,
	.create = create,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.encode = encode,
	.decode = decode,
	.forget = forget,
	.configure = configure,
};

const struct ero_codec ero_codec_libdeflate = {
	.info = { .name = "libdeflate", .max_level = 12, .default_level = 1 },
	.algorithm = ERO_ALG_DEFLATE,
	.create = create,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.encode = encode,
	.decode = decode,
	.forget = forget,
	.configure = configure,
};
