// SPDX-License-Identifier: MIT
#include "config.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "codec/codec.h"
#include "codec/deflate_cut.h"

enum { ROOM = 1 << 20 };

/* Memory whose last byte lies right before a page that must not be touched. */
static uint8_t *guarded(size_t size)
{
	size_t pages = (size + 4095) / 4096 * 4096;
	uint8_t *p = mmap(NULL, pages + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	mprotect(p + pages, 4096, PROT_NONE);
	return p + pages - size;
}

static void unguard(uint8_t *p, size_t size)
{
	size_t pages = (size + 4095) / 4096 * 4096;

	munmap(p + size - pages, pages + 4096);
}

enum { FEW_WORDS = 20, WORDS = 300 };

/* Text-like bytes: words from a small vocabulary. */
static void fill(uint8_t *p, size_t n, uint64_t seed, unsigned words)
{
	for (size_t i = 0; i < n;) {
		uint64_t word = next_random(&seed) % words;

		for (uint64_t k = 0; k < 3 + word % 7 && i < n; k++)
			p[i++] = (uint8_t)('a' + (word * 7 + k * k) % 26);
		if (i < n)
			p[i++] = ' ';
	}
}

/* An encoder by name, as mkfs.erofs makes it; *cfgs becomes what its streams are decoded with. */
static void *make_encoder(const char *name, int level, unsigned pcluster, struct ero_compr_cfgs *cfgs)
{
	struct ero_compressor params = { .level = level, .lc = -1, .lp = -1, .pb = -1 };
	const struct ero_codec *codec = ero_codec_find(name, NULL);
	void *encoder;

	snprintf(params.name, sizeof(params.name), "%s", name);
	assert_int_equal(ero_codec_resolve(&params, pcluster, NULL), 0);
	codec->configure(&params, cfgs);
	encoder = codec->create(&params);
	assert_non_null(encoder);
	return encoder;
}

static void round_trip(const char *name, int level, unsigned pcluster, unsigned words)
{
	struct ero_compr_cfgs cfgs = { 0 };
	const struct ero_codec *codec = ero_codec_find(name, NULL);
	uint8_t *in = guarded(ROOM), *out = guarded(pcluster), *back;
	size_t guess = 0, at = 0, pclusters = 0, fill_sum = 0;
	void *encoder = make_encoder(name, level, pcluster, &cfgs), *decoder = NULL;

	fill(in, ROOM, 3, words);
	while (at < ROOM) {
		size_t take = ROOM - at;
		size_t n = codec->encode_fixed(encoder, in + at, &take, out, pcluster, &guess);

		assert_true(n > 0 && n <= pcluster && take > 0);
		assert_true(out[0] != 0); /* or padding in front could not be told from it */
		back = guarded(take);
		assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, take, false), 0);
		assert_memory_equal(in + at, back, take);
		unguard(back, take);
		back = guarded(take / 2);
		assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, take / 2, true), 0);
		assert_memory_equal(in + at, back, take / 2);
		assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, take / 2, false), -EUCLEAN); /* more comes than is wanted */
		unguard(back, take / 2);
		if (take < ROOM - at) {
			pclusters++;
			fill_sum += n;
		}
		at += take;
	}
	/* fixed output is worth its name: pclusters are at least 95 % full */
	if (pclusters)
		assert_true(fill_sum >= pclusters * pcluster * 95 / 100);
	codec->destroy(encoder);
	if (decoder)
		codec->forget(decoder);
	unguard(in, ROOM);
	unguard(out, pcluster);
}

static void all_codecs(void **state)
{
	const struct ero_compressor_info *c;

	(void)state;
	for (unsigned i = 0; (c = ero_compressor_info(i)); i++) {
		round_trip(c->name, ERO_LEVEL_DEFAULT, 4096, WORDS);
		round_trip(c->name, ERO_LEVEL_DEFAULT, 65536, WORDS);
		round_trip(c->name, ERO_LEVEL_DEFAULT, 65536, FEW_WORDS);
		round_trip(c->name, c->min_level, 16384, WORDS);
		round_trip(c->name, c->max_level, 16384, WORDS);
	}
}

/* Words and random bytes by turns, and inputs of any length: what is said to be encoded decodes to itself. */
static void mixed_input(void **state)
{
	enum { LENGTH = 400000, PCLUSTER = 1024 };
	const struct ero_compressor_info *info;
	uint8_t *in = malloc(LENGTH), *back = malloc(LENGTH), *out = guarded(PCLUSTER);
	uint64_t seed = 17;

	(void)state;
	fill(in, LENGTH, 1, WORDS);
	for (size_t at = 0; at < LENGTH; at += 1 + next_random(&seed) % 6000)
		for (size_t end = at + next_random(&seed) % 3000; at < end && at < LENGTH; at++)
			in[at] = (uint8_t)next_random(&seed);
	for (unsigned i = 0; (info = ero_compressor_info(i)); i++) {
		const struct ero_codec *codec = ero_codec_find(info->name, NULL);
		struct ero_compr_cfgs cfgs = { 0 };
		void *encoder = make_encoder(info->name, ERO_LEVEL_DEFAULT, 4096, &cfgs), *decoder = NULL;
		size_t guess = 0, encoded = 0;

		for (size_t at = 0; at < LENGTH;) {
			size_t length = 1 + next_random(&seed) % 20000, n;

			length = length < LENGTH - at ? length : LENGTH - at;
			n = codec->encode_fixed(encoder, in + at, &length, out, PCLUSTER, &guess);
			assert_true(n <= PCLUSTER && !n == !length);
			if (n) {
				assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, length, false), 0);
				assert_memory_equal(in + at, back, length);
			}
			encoded += length;
			at += n ? length : 512;
		}
		assert_true(encoded > LENGTH / 2);
		codec->destroy(encoder);
		if (codec->forget)
			codec->forget(decoder);
	}
	free(in);
	free(back);
	unguard(out, PCLUSTER);
}

/* What is dense first and random then, and the other way round: much is taken, however far it is from what is expected. */
static void steep_input(void **state)
{
	enum { LENGTH = 1 << 20, PCLUSTER = 16384 };
	const struct ero_compressor_info *info;
	uint8_t *in = malloc(LENGTH), *out = guarded(PCLUSTER);
	uint64_t seed = 23;

	(void)state;
	for (unsigned i = 0; (info = ero_compressor_info(i)); i++) {
		const struct ero_codec *codec = ero_codec_find(info->name, NULL);
		struct ero_compr_cfgs cfgs = { 0 };
		void *encoder = make_encoder(info->name, ERO_LEVEL_DEFAULT, PCLUSTER, &cfgs);

		for (unsigned dense_first = 0; dense_first < 2; dense_first++) {
			size_t length = LENGTH, guess = 0, random = PCLUSTER / 10 * 9;

			memset(in, 'a', LENGTH);
			for (size_t k = dense_first ? 250000 : 0; k < (dense_first ? LENGTH : random); k++)
				in[k] = (uint8_t)next_random(&seed);
			assert_true(codec->encode_fixed(encoder, in, &length, out, PCLUSTER, &guess) > 0);
			assert_true(length > LENGTH / 4);
		}
		codec->destroy(encoder);
	}
	free(in);
	unguard(out, PCLUSTER);
}

/* What begins with random data is encoded nevertheless: the first byte of a stored DEFLATE block must not be zero then. */
static void random_first(void **state)
{
	enum { RANDOM = 200000 };
	const struct ero_compressor_info *info;
	uint8_t *in = guarded(ROOM), *out = guarded(ROOM), *back = guarded(ROOM);
	uint64_t seed = 31;

	(void)state;
	fill(in, ROOM, 5, WORDS);
	for (size_t k = 0; k < RANDOM; k++)
		in[k] = (uint8_t)next_random(&seed);
	for (unsigned i = 0; (info = ero_compressor_info(i)); i++) {
		const struct ero_codec *codec = ero_codec_find(info->name, NULL);
		struct ero_compr_cfgs cfgs = { 0 };
		void *encoder = make_encoder(info->name, ERO_LEVEL_DEFAULT, ROOM, &cfgs), *decoder = NULL;
		size_t n = ero_codec_encode(codec, encoder, in, ROOM, out, ROOM);

		assert_true(n > RANDOM && n < RANDOM + (ROOM - RANDOM) * 2 / 3); /* liblz4 finds less where words have 32 bits */
		assert_true(out[0] != 0);
		assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, ROOM, false), 0);
		assert_memory_equal(in, back, ROOM);
		codec->destroy(encoder);
		if (decoder)
			codec->forget(decoder);
	}
	unguard(in, ROOM);
	unguard(out, ROOM);
	unguard(back, ROOM);
}

/* Letters behind zeros: what the last pcluster took is no guess for the next one. */
static void wrong_guess(void **state)
{
	enum { LENGTH = 1 << 20, PCLUSTER = 4096 };
	const struct ero_compressor_info *info;
	uint8_t *in = malloc(LENGTH), *out = guarded(PCLUSTER);
	uint64_t seed = 29;

	(void)state;
	for (size_t k = 0; k < LENGTH; k++)
		in[k] = (uint8_t)('!' + next_random(&seed) % 64);
	for (unsigned i = 0; (info = ero_compressor_info(i)); i++) {
		const struct ero_codec *codec = ero_codec_find(info->name, NULL);
		struct ero_compr_cfgs cfgs = { 0 };
		void *encoder = make_encoder(info->name, ERO_LEVEL_DEFAULT, PCLUSTER, &cfgs);
		size_t length = LENGTH, guess = LENGTH;

		assert_true(codec->encode_fixed(encoder, in, &length, out, PCLUSTER, &guess) > 0);
		if (codec->algorithm != ERO_ALG_LZ4) /* it has no entropy coding */
			assert_true(length > PCLUSTER);
		codec->destroy(encoder);
	}
	free(in);
	unguard(out, PCLUSTER);
}

/* Damaged streams end in an error or in other bytes, never outside the buffers. */
static void damaged_streams(void **state)
{
	const struct ero_compressor_info *c;
	uint64_t seed = 99;

	(void)state;
	for (unsigned i = 0; (c = ero_compressor_info(i)); i++) {
		struct ero_compr_cfgs cfgs = { 0 };
		const struct ero_codec *codec = ero_codec_find(c->name, NULL);
		uint8_t *in = guarded(65536), *out = guarded(4096), *back;
		size_t take = 65536, guess = 0, n;
		void *encoder = make_encoder(c->name, ERO_LEVEL_DEFAULT, 4096, &cfgs), *decoder = NULL;

		fill(in, take, i, WORDS);
		n = codec->encode_fixed(encoder, in, &take, out, 4096, &guess);
		back = guarded(take);
		for (int k = 0; k < 300; k++) {
			size_t where = (size_t)(next_random(&seed) % n);
			uint8_t was = out[where];

			out[where] = (uint8_t)next_random(&seed);
			(void)codec->decode(&decoder, &cfgs, out, n, back, take, k % 2);
			out[where] = was;
			assert_int_equal(codec->decode(&decoder, &cfgs, out, (size_t)k % n, back, take, false), -EUCLEAN);
		}
		assert_int_equal(codec->decode(&decoder, &cfgs, out, n, back, take, false), 0);
		codec->destroy(encoder);
		if (decoder)
			codec->forget(decoder);
		unguard(in, 65536);
		unguard(out, 4096);
		unguard(back, take);
	}
}

#ifdef HAVE_LIBDEFLATE
enum { CUT_INPUT = 70000 };

static size_t cut(const uint8_t *stream, size_t length, size_t cap, const uint8_t *plain)
{
	static struct ero_deflate_tables tables;
	const struct ero_codec *codec = ero_codec_find("deflate", NULL);
	uint8_t *exact = guarded(length), *out = guarded(cap), *back;
	void *decoder = NULL;
	size_t taken = 0, n;

	memcpy(exact, stream, length);
	n = ero_deflate_cut(&tables, exact, length, out, cap, &taken);
	assert_true(n <= cap && n <= length);
	if (n && plain) {
		back = guarded(taken);
		assert_int_equal(codec->decode(&decoder, NULL, out, n, back, taken, false), 0);
		assert_memory_equal(back, plain, taken);
		unguard(back, taken);
		codec->forget(decoder);
	}
	unguard(exact, length);
	unguard(out, cap);
	return n;
}

/* Words (dynamic codes), a few of them (fixed ones), random bytes (stored), and both by turns: cut anywhere they decode, and are full. */
static void cut_streams(void **state)
{
	uint8_t *plain = malloc(CUT_INPUT), *stream = malloc(CUT_INPUT * 2);
	unsigned cuts = 0, full = 0;
	uint64_t seed = 5;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		size_t length = kind == 1 ? 60 : CUT_INPUT;

		fill(plain, length, kind, WORDS);
		for (size_t i = 0; i < length && kind >= 2; i++)
			if (kind == 2 || i / 9000 % 2)
				plain[i] = (uint8_t)next_random(&seed);
		for (int level = 1; level <= 12; level += kind ? 11 : 1) {
			struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
			size_t n = libdeflate_deflate_compress(c, plain, length, stream, CUT_INPUT * 2);

			libdeflate_free_compressor(c);
			assert_int_equal(cut(stream, n, n, plain), n);
			assert_int_equal(cut(stream, n, n + 100, plain), n);
			assert_int_equal(cut(stream, n, 1, plain), 0);
			for (size_t cap = n - 1; cap > 20; cap -= cap < 700 ? 1 : cap / 30) {
				size_t left = cap - cut(stream, n, cap, plain);

				assert_true(left <= 128 || cap < 128); /* as much as codes of a block take, before its first symbol */
				full += left <= 8;
				cuts++;
			}
		}
	}
	assert_true(cuts > 3000 && full > cuts / 10 * 9);
	for (unsigned i = 0; i < 3000; i++) { /* damage is seen, or something else comes out: never outside of the buffers */
		stream[next_random(&seed) % 300] = (uint8_t)next_random(&seed);
		cut(stream, 300 + i % 100, 100 + i % 250, NULL);
	}
	free(plain);
	free(stream);
}
#else
static void cut_streams(void **state)
{
	(void)state;
	skip(); /* this build has no libdeflate */
}
#endif

static void specifications(void **state)
{
	static const char *const bad[] = { "", "lz5", "lz4hc,level=", "lz4hc,level=9x", "zstd,level=-1", "lzma,pb=9", "zstd,speed=3",
					   "lz4,level=9:", "zstd,dictsize=zz" };
	struct ero_compressor c[4];
	struct ero_error err;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = ero_parse_compressors(bad[i], c, 4, &n, &err);

		if (i != 7) /* a trailing ':' says nothing more */
			assert_true(rc < 0 && err.text[0]);
	}
	assert_int_equal(ero_parse_compressors("lz4hc,9", c, 4, &n, &err), 0);
	assert_true(n == 1 && c[0].level == 9 && !strcmp(c[0].name, "lz4hc"));
	assert_int_equal(ero_parse_compressors("zstd,level=22,dictsize=64K:lz4", c, 4, &n, &err), 0);
	assert_true(n == 2 && c[0].dictsize == 65536 && c[1].level == ERO_LEVEL_DEFAULT);
	assert_int_equal(ero_parse_compressors("lz4:lz4:lz4:lz4:lz4", c, 4, &n, &err), -EINVAL);
	ero_parse_compressors("lz4hc,13", c, 4, &n, &err);
	assert_int_equal(ero_codec_resolve(&c[0], 4096, &err), -EINVAL);
	assert_non_null(strstr(err.text, "0 to 12"));
	ero_parse_compressors("lzma,level=50", c, 4, &n, &err);
	assert_int_equal(ero_codec_resolve(&c[0], 4096, &err), -EINVAL);
	ero_parse_compressors("zstd,dictsize=2M", c, 4, &n, &err);
	assert_int_equal(ero_codec_resolve(&c[0], 4096, &err), -EINVAL);
	ero_parse_compressors("lz4,dictsize=64K", c, 4, &n, &err);
	assert_int_equal(ero_codec_resolve(&c[0], 4096, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_codecs),
		cmocka_unit_test(mixed_input),
		cmocka_unit_test(steep_input),
		cmocka_unit_test(random_first),
		cmocka_unit_test(wrong_guess),
		cmocka_unit_test(damaged_streams),
		cmocka_unit_test(cut_streams),
		cmocka_unit_test(specifications),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
