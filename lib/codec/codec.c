// SPDX-License-Identifier: MIT
/* The table of algorithms, and what is common to decoding any of them. */
#include "codec/codec.h"
#include "base/bytes.h"
#include "format/features.h"
#include "config.h"

#include <string.h>

static const struct ero_codec *const codecs[] = {
#ifdef HAVE_LZ4
	&ero_codec_lz4, &ero_codec_lz4hc,
#endif
#ifdef HAVE_LZMA
	&ero_codec_lzma,
#endif
#ifdef HAVE_LIBDEFLATE
	&ero_codec_deflate, &ero_codec_libdeflate,
#endif
#ifdef HAVE_ZSTD
	&ero_codec_zstd,
#endif
	NULL
};

static const char *const all_names[] = { "lz4", "lz4hc", "lzma", "deflate", "libdeflate", "zstd" };

const struct ero_codec *ero_codec_find(const char *name, struct ero_error *err)
{
	for (size_t i = 0; codecs[i]; i++)
		if (!strcmp(codecs[i]->info.name, name))
			return codecs[i];
	for (size_t i = 0; i < sizeof(all_names) / sizeof(all_names[0]); i++) {
		if (!strcmp(all_names[i], name)) {
			ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "this build of erolith has no %s; see its configure summary",
				 name);
			return NULL;
		}
	}
	ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
		 "unknown compression algorithm \"%s\"; lz4, lz4hc, lzma, deflate, libdeflate and zstd are known", name);
	return NULL;
}

const struct ero_codec *ero_codec_for(enum ero_algorithm algorithm)
{
	for (size_t i = 0; codecs[i]; i++)
		if (codecs[i]->algorithm == algorithm)
			return codecs[i];
	return NULL;
}

const struct ero_compressor_info *ero_compressor_info(unsigned index)
{
	for (unsigned i = 0; codecs[i]; i++)
		if (i == index)
			return &codecs[i]->info;
	return NULL;
}

int ero_codec_resolve(struct ero_compressor *p, unsigned pcluster_size, struct ero_error *err)
{
	const struct ero_codec *codec = ero_codec_find(p->name, err);

	if (!codec)
		return -err->code;
	if (p->level == ERO_LEVEL_DEFAULT)
		p->level = codec->info.default_level;
	else if (p->level < codec->info.min_level || p->level > codec->info.max_level ||
		 (codec->level_valid && !codec->level_valid(p->level)))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s has no level %d; its levels are %d to %d%s", p->name,
				p->level, codec->info.min_level, codec->info.max_level,
				codec->level_valid ? ", those in between that xz(1) has" : "");
	if (p->dictsize && !codec->info.max_dict)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s takes no dictsize", p->name);
	if (p->dictsize && (p->dictsize > codec->info.max_dict || p->dictsize < 4096 || !ero_is_pow2(p->dictsize)))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"%s takes a power of two from 4096 to %u bytes as dictsize, not %u", p->name, codec->info.max_dict,
				p->dictsize);
	if ((p->lc >= 0 || p->lp >= 0 || p->pb >= 0) && codec->algorithm != ERO_ALG_LZMA)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "lc, lp and pb are for lzma, not for %s", p->name);
	if (!p->dictsize && codec->info.max_dict) { /* eight pclusters of plain text is about what one pcluster decodes to */
		p->dictsize = pcluster_size >= (1u << 20) ? codec->info.max_dict : pcluster_size * 8;
		if (p->dictsize < 32768)
			p->dictsize = 32768;
		if (p->dictsize > codec->info.max_dict)
			p->dictsize = codec->info.max_dict;
	}
	return 0;
}

size_t ero_codec_encode(const struct ero_codec *codec, void *encoder, const uint8_t *in, size_t in_length, uint8_t *out,
			size_t cap)
{
	size_t taken = in_length, guess = 0, n;

	if (codec->encode)
		return codec->encode(encoder, in, in_length, out, cap);
	n = codec->encode_fixed(encoder, in, &taken, out, cap, &guess);
	return taken == in_length ? n : 0;
}

void ero_decoders_free(struct ero_decoders *d)
{
	for (unsigned i = 0; i < ERO_ALG_COUNT; i++) {
		if (d->states[i])
			ero_codec_for((enum ero_algorithm)i)->forget(d->states[i]);
		d->states[i] = NULL;
	}
}

static size_t leading_zeros(const uint8_t *in, size_t length)
{
	size_t at = 0;

	while (length - at >= 8 && !ero_get64(in + at))
		at += 8;
	while (at < length && !in[at])
		at++;
	return at;
}

int ero_codec_decode(enum ero_algorithm algorithm, const struct ero_compr_cfgs *cfgs, struct ero_decoders *decoders,
		     bool zero_padding, const uint8_t *in, size_t in_length, uint8_t *out, size_t out_length, bool partial,
		     struct ero_error *err)
{
	const struct ero_codec *codec = ero_codec_for(algorithm);
	int rc = -EUCLEAN;

	if (!codec)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "this build of erolith cannot decode %s",
				ero_algorithm_name(algorithm));
	if (zero_padding) {
		size_t zeros = leading_zeros(in, in_length);

		in += zeros;
		in_length -= zeros;
	}
	/* without padding in front the end of the stream is not known: only lz4 was ever stored so, and it can tell */
	if (in_length)
		rc = codec->decode(&decoders->states[algorithm], cfgs, in, in_length, out, out_length, partial || !zero_padding);
	if (rc == -ENOMEM)
		return ero_fail_memory(err);
	if (rc == -ERANGE)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "%s data refers to bytes farther back than the %u that the superblock announces",
				codec->info.name, cfgs->lz4_distance);
	if (rc)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "%s data does not decode to %zu bytes", codec->info.name, out_length);
	return 0;
}
