// SPDX-License-Identifier: MIT
/* lz4 and lz4hc: liblz4 fills a fixed output by itself. One decoder for both. */
#include "codec/codec.h"

#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>
#include <stdlib.h>

struct lz4_encoder {
	struct ero_encoder base;
	int level;
	LZ4_streamHC_t *state; /* of lz4hc */
};

static void *create(const struct ero_compressor *params)
{
	struct lz4_encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->level = params->level;
	return e;
}

static void *create_hc(const struct ero_compressor *params)
{
	struct lz4_encoder *e = create(params);

	if (e && !(e->state = LZ4_createStreamHC())) {
		free(e);
		return NULL;
	}
	return e;
}

static void destroy(void *encoder)
{
	struct lz4_encoder *e = encoder;

	LZ4_freeStreamHC(e->state);
	free(e);
}

static size_t encode_fixed(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap, size_t *guess)
{
	struct lz4_encoder *e = encoder;
	int taken = (int)*in_length; /* segments are far below 2 GiB */
	int n;

	(void)guess;
	if (e->state) {
		/* forgets the last pcluster without clearing 256 KiB of tables, which would cost as much as the encoding */
		LZ4_resetStreamHC_fast(e->state, e->level);
		n = LZ4_compress_HC_continue_destSize(e->state, (const char *)in, (char *)out, &taken, (int)cap);
	} else {
		n = LZ4_compress_destSize((const char *)in, (char *)out, &taken, (int)cap);
	}
	*in_length = n > 0 ? (size_t)taken : 0;
	return n > 0 ? (size_t)n : 0;
}

/* A length that did not fit its four bits goes on in bytes, of which the last is not 255. */
static size_t more(const uint8_t **p, size_t nibble)
{
	size_t length = nibble;

	while (nibble == 15) {
		length += **p;
		if (*(*p)++ != 255)
			break;
	}
	return length;
}

/*
 * Does a match among the first `length` bytes that a sound block decodes to go back farther than `distance`? Kernels keep no more than
 * the superblock announces, and give other bytes without an error where it is more (lz4_Block_format.md of liblz4: token, literals, le16
 * offset, match).
 */
static bool reaches_beyond(const uint8_t *p, size_t in_length, size_t length, unsigned distance)
{
	const uint8_t *end = p + in_length;

	if (distance >= UINT16_MAX)
		return false;
	for (size_t at = 0; p < end && at < length;) {
		uint8_t token = *p++;
		size_t literals = more(&p, token >> 4);

		at += literals;
		p += literals;
		if (at >= length || end - p < 2)
			return false; /* the last sequence has literals alone */
		if ((unsigned)(p[0] | p[1] << 8) > distance)
			return true;
		p += 2;
		at += 4 + more(&p, token & 15);
	}
	return false;
}

static int decode(void **state, const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		  size_t out_length, bool partial)
{
	int n;

	(void)state;
	if (partial)
		n = LZ4_decompress_safe_partial((const char *)in, (char *)out, (int)in_length, (int)out_length, (int)out_length);
	else
		n = LZ4_decompress_safe((const char *)in, (char *)out, (int)in_length, (int)out_length);
	if (n < 0 || (size_t)n != out_length)
		return -EUCLEAN;
	return cfgs->lz4_distance && reaches_beyond(in, in_length, out_length, cfgs->lz4_distance) ? -ERANGE : 0;
}

static void configure(const struct ero_compressor *params, struct ero_compr_cfgs *cfgs)
{
	(void)params;
	cfgs->lz4_distance = 65535; /* what a 16-bit match offset reaches */
}

const struct ero_codec ero_codec_lz4 = {
	.info = { .name = "lz4" },
	.algorithm = ERO_ALG_LZ4,
	.create = create,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.decode = decode,
	.configure = configure,
};

const struct ero_codec ero_codec_lz4hc = {
	.info = { .name = "lz4hc", .max_level = LZ4HC_CLEVEL_MAX, .default_level = LZ4HC_CLEVEL_DEFAULT },
	.algorithm = ERO_ALG_LZ4,
	.create = create_hc,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.decode = decode,
	.configure = configure,
};
