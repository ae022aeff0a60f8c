// SPDX-License-Identifier: MIT
/* libFuzzer target: four bytes that choose, then an encoded stream, decoded whole and in part; or bytes to encode, which must
 * decode to themselves. */
#include "fuzz.h"

#include "base/bytes.h"
#include "codec/codec.h"

static const struct ero_compr_cfgs cfgs = {
	.lz4_distance = 65535, .lz4_max_blocks = 256, .lzma_dict = 1u << 20, .deflate_bits = 15, .zstd_window_bits = 20
};

static struct ero_decoders decoders; /* kept from one input to the next, as they are from stream to stream */

static void decode(enum ero_algorithm algorithm, const uint8_t *choice, const uint8_t *data, size_t size)
{
	size_t out_length = 1 + ero_get16(choice + 2) * (choice[1] & 2 ? 64u : 1u);
	uint8_t *out = malloc(out_length), *in = malloc(size ? size : 1);

	memcpy(in, data, size); /* exactly as long, so that reading on is seen */
	ero_codec_decode(algorithm, &cfgs, &decoders, choice[1] & 4, in, size, out, out_length, choice[1] & 1, NULL);
	free(in);
	free(out);
}

static void round_trip(const uint8_t *choice, const uint8_t *data, size_t size)
{
	static const char *const names[] = { "lz4", "lz4hc", "lzma", "deflate", "libdeflate", "zstd" };
	struct ero_compressor params = { .level = ERO_LEVEL_DEFAULT, .lc = -1, .lp = -1, .pb = -1 };
	const struct ero_codec *codec = ero_codec_find(names[choice[1] % 6], NULL);
	size_t cap = 4096, length = size, guess = 0;
	uint8_t *packed = calloc(1, cap), *plain = malloc(size + 1);
	void *encoder;

	snprintf(params.name, sizeof(params.name), "%s", names[choice[1] % 6]);
	if (codec && !ero_codec_resolve(&params, 4096, NULL) && (encoder = codec->create(&params))) {
		size_t n = codec->encode_fixed(encoder, data, &length, packed, cap, &guess);

		FUZZ_ASSERT(n <= cap && length <= size);
		if (n && length)
			FUZZ_ASSERT(!codec->decode(&decoders.states[codec->algorithm], &cfgs, packed, n, plain, length, false) && !memcmp(plain, data, length));
		codec->destroy(encoder);
	}
	free(packed);
	free(plain);
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	if (size < 5)
		return 0;
	if (*data & 0x80)
		round_trip(data, data + 4, size - 4);
	else
		decode((enum ero_algorithm)(*data % ERO_ALG_COUNT), data, data + 4, size - 4);
	return 0;
}
