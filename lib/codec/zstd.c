// SPDX-License-Identifier: MIT
/* Zstandard: one frame a pcluster, without size, checksum or dictionary id, its window inside the configured one. */
#include "codec/codec.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <zstd.h>

struct zstd_encoder {
	ZSTD_CCtx *context;
	uint8_t *scratch;
	size_t scratch_size;
};

static void destroy(void *encoder)
{
	struct zstd_encoder *e = encoder;

	ZSTD_freeCCtx(e->context);
	free(e->scratch);
	free(e);
}

static void *create(const struct ero_compressor *p)
{
	struct zstd_encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->context = ZSTD_createCCtx();
	if (!e->context || ZSTD_isError(ZSTD_CCtx_setParameter(e->context, ZSTD_c_compressionLevel, p->level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->context, ZSTD_c_windowLog, (int)ero_log2(p->dictsize))) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->context, ZSTD_c_contentSizeFlag, 0))) {
		destroy(e);
		return NULL;
	}
	return e;
}

static size_t encode(void *encoder, const uint8_t *in, size_t in_length, uint8_t *out, size_t cap)
{
	struct zstd_encoder *e = encoder;
	size_t n = ZSTD_compress2(e->context, out, cap, in, in_length);

	return ZSTD_isError(n) ? 0 : n;
}

static size_t encode_fixed(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap, size_t *guess)
{
	struct zstd_encoder *e = encoder;

	if (e->scratch_size < cap * 2) {
		uint8_t *grown = realloc(e->scratch, cap * 2);

		if (!grown) {
			*in_length = 0;
			return 0;
		}
		e->scratch = grown;
		e->scratch_size = cap * 2;
	}
	return ero_codec_fit(encode, e, in, in_length, out, cap, e->scratch, guess);
}

static bool decode(const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		   size_t out_length, bool partial)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in, in_length, 0 };
	ZSTD_outBuffer to = { out, out_length, 0 };
	size_t rc = 1;

	if (!d)
		return false;
	if (!ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, cfgs->zstd_window_bits))) {
		/* ends when the frame does, the output is full, or an error says why not */
		while (rc && !ZSTD_isError(rc) && (to.pos < to.size || !partial)) {
			size_t was = from.pos + to.pos;

			rc = ZSTD_decompressStream(d, &to, &from);
			if (from.pos + to.pos == was)
				break;
		}
	}
	ZSTD_freeDCtx(d);
	return !ZSTD_isError(rc) && to.pos == to.size && (partial || rc == 0);
}

static void configure(const struct ero_compressor *params, struct ero_compr_cfgs *cfgs)
{
	unsigned bits = ero_log2(params->dictsize);

	if (bits > cfgs->zstd_window_bits)
		cfgs->zstd_window_bits = (uint8_t)bits;
}

const struct ero_codec ero_codec_zstd = {
	.info = { .name = "zstd", .max_level = 22, .default_level = 3, .max_dict = 1u << ERO_ZSTD_MAX_WINDOW_BITS },
	.algorithm = ERO_ALG_ZSTD,
	.create = create,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.encode = encode,
	.decode = decode,
	.configure = configure,
};
