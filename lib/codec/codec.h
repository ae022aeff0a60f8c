/* SPDX-License-Identifier: MIT */
/*
 * Compression algorithms behind one table. Each file in this folder is one algorithm, but for codec.c, spec.c, fit.c and
 * deflate_cut.c.
 * "Fixed output" means: take as much input as fills at most `cap` bytes; that is what a Form A pcluster holds.
 */
#ifndef ERO_CODEC_CODEC_H
#define ERO_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "format/super.h"

/* What every encoder begins with. */
struct ero_encoder {
	bool no_memory; /* it has ended on the way: that nothing fits says nothing any more */
};

static inline bool ero_encoder_failed(const void *encoder)
{
	return encoder && ((const struct ero_encoder *)encoder)->no_memory;
}

struct ero_codec {
	struct ero_compressor_info info;
	enum ero_algorithm algorithm;
	bool (*level_valid)(int level);     /* NULL: the range is all there is to say */

	/* Makes an encoder (a struct ero_encoder and more), for one thread. NULL when memory ends (errno is ENOMEM then) or
	 * the library refuses the settings. */
	void *(*create)(const struct ero_compressor *params);
	void (*destroy)(void *encoder);
	/* Encodes in[0, *in_length) as far as it goes into at most `cap` bytes; *in_length becomes what was consumed.
	 * `guess` carries the expected input length from one pcluster of a file to the next (0 at first).
	 * Returns the encoded size, 0 when nothing useful fits. */
	size_t (*encode_fixed)(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap,
			       size_t *guess);
	/* Encodes all of in[0, in_length); 0 when it does not fit into `cap` bytes. NULL: encode_fixed is all there is. */
	size_t (*encode)(void *encoder, const uint8_t *in, size_t in_length, uint8_t *out, size_t cap);
	/* Decodes into exactly out_length bytes. `partial`: the stream may go on after them; else it must end there.
	 * *state is NULL at first and keeps what serves the next stream, too; forget() frees it (NULL: decode keeps nothing).
	 * 0, -EUCLEAN for a damaged stream, -ENOMEM. */
	int (*decode)(void **state, const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		      size_t out_length, bool partial);
	void (*forget)(void *state);
	/* What a reader must be told in the superblock; several compressors of one algorithm are merged by maximum. */
	void (*configure)(const struct ero_compressor *params, struct ero_compr_cfgs *cfgs);
};

extern const struct ero_codec ero_codec_lz4, ero_codec_lz4hc, ero_codec_lzma, ero_codec_deflate, ero_codec_libdeflate,
	ero_codec_zstd;

/* By name; NULL with a sentence for an unknown name or one this build lacks. */
const struct ero_codec *ero_codec_find(const char *name, struct ero_error *err);
/* For decoding; NULL if this build lacks the algorithm. */
const struct ero_codec *ero_codec_for(enum ero_algorithm algorithm);

/* Checks level and dictionary of a specification and fills in defaults that depend on the pcluster size. */
int ero_codec_resolve(struct ero_compressor *params, unsigned pcluster_size, struct ero_error *err);

/* What decoders keep between streams, for one thread; all zero at first. */
struct ero_decoders {
	void *states[ERO_ALG_COUNT];
};
void ero_decoders_free(struct ero_decoders *decoders);

/* Decodes one pcluster as it lies on disk: with `zero_padding` the stream is right-aligned behind zeros, else it is
 * left-aligned and zeros follow. -ENOTSUP if the build lacks the algorithm, -EUCLEAN for a damaged stream, -ENOMEM. */
int ero_codec_decode(enum ero_algorithm algorithm, const struct ero_compr_cfgs *cfgs, struct ero_decoders *decoders,
		     bool zero_padding, const uint8_t *in, size_t in_length, uint8_t *out, size_t out_length, bool partial,
		     struct ero_error *err);

/* Encodes all of the input with either function of a codec; 0 when it does not fit. */
size_t ero_codec_encode(const struct ero_codec *codec, void *encoder, const uint8_t *in, size_t in_length, uint8_t *out,
			size_t cap);

/* Fixed output for encoders that only know fixed input: predicts the input length, encodes, corrects.
 * `encode` returns the size, or 0 when it exceeds `cap`. `scratch` has 2 * cap bytes. */
typedef size_t (*ero_encode_fn)(void *encoder, const uint8_t *in, size_t in_length, uint8_t *out, size_t cap);
size_t ero_codec_fit(ero_encode_fn encode, void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out,
		     size_t cap, uint8_t *scratch, size_t *guess);

#endif
