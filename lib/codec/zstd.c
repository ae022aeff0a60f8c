// SPDX-License-Identifier: MIT
/*
 * Zstandard: one frame a pcluster, without size or dictionary id, its window inside the configured one. With a checksum of the
 * content: libzstd decodes many damaged streams to something, and nothing else of an image tells.
 */
#include "codec/codec.h"
#include "base/bytes.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
	END_SIZE = 3 + 4, /* an empty block, and the checksum */
	LEAST_PART = 512,
	LEAST_ROOM = 64,
	MAX_PARTS = 128,
	MAX_TRIES = 3,
	/* up to this libzstd has parameters of its own, if it is told. A frame that is told to be small takes no more: the first of a file
	 * that shortens better than to a third or so stays less than full */
	SMALL_SOURCE = 256 << 10,
	BLOCKWISE_LEAST = 65536, /* in smaller pclusters what blocks cost by themselves counts more than time */
};

struct zstd_encoder {
	struct ero_encoder base;
	ZSTD_CCtx *context;
	ERO_VEC(uint8_t) scratch; /* its room counts */
};

static void destroy(void *encoder)
{
	struct zstd_encoder *e = encoder;

	ZSTD_freeCCtx(e->context);
	ero_vec_free(&e->scratch);
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
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->context, ZSTD_c_contentSizeFlag, 0)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->context, ZSTD_c_checksumFlag, 1))) {
		destroy(e);
		return NULL;
	}
	return e;
}

/* 0 for an error; what the library says of memory is kept. */
static size_t check(struct zstd_encoder *e, size_t n)
{
	if (!ZSTD_isError(n))
		return n;
	e->base.no_memory |= ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation;
	return 0;
}

static size_t encode(void *encoder, const uint8_t *in, size_t in_length, uint8_t *out, size_t cap)
{
	struct zstd_encoder *e = encoder;

	return check(e, ZSTD_compress2(e->context, out, cap, in, in_length));
}

/* ---- fixed output ---- */

/* One frame in the making, block by block. */
struct frame {
	struct zstd_encoder *encoder;
	const uint8_t *in;
	bool small;                              /* it has no more than SMALL_SOURCE plain bytes */
	size_t done, made;                       /* plain and encoded bytes of the blocks that are in it */
	size_t parts[MAX_PARTS];                 /* plain bytes of each */
	unsigned count;
};

static void begin_frame(struct frame *f)
{
	ZSTD_CCtx_reset(f->encoder->context, ZSTD_reset_session_only);
	if (f->small) /* less will do: that is compared only where the library ends a frame */
		ZSTD_CCtx_setPledgedSrcSize(f->encoder->context, SMALL_SOURCE);
	f->done = f->made = f->count = 0;
}

/* Encodes the next `part` plain bytes as a block of its own behind the others; its size, 0 for an error. */
static size_t next_block(struct frame *f, size_t part)
{
	struct zstd_encoder *e = f->encoder;
	ZSTD_inBuffer from = { f->in + f->done, part, 0 };
	ZSTD_outBuffer to = { e->scratch.data + f->made, e->scratch.room - f->made, 0 };
	size_t left = ZSTD_compressStream2(e->context, &to, &from, ZSTD_e_flush);

	return ZSTD_isError(left) ? check(e, left) : left ? 0 : to.pos;
}

static void keep_block(struct frame *f, size_t part, size_t size)
{
	f->parts[f->count++] = part;
	f->done += part;
	f->made += size;
}

/* A block that turned out too long cannot be taken back: the frame is made again up to it. */
static bool start_again(struct frame *f)
{
	unsigned count = f->count;

	begin_frame(f);
	while (f->count < count) {
		size_t part = f->parts[f->count], size = next_block(f, part);

		if (!size)
			return false;
		keep_block(f, part, size);
	}
	return true;
}

static size_t clamp_part(double wanted, size_t left)
{
	size_t part = wanted < LEAST_PART ? LEAST_PART : wanted > ZSTD_BLOCKSIZE_MAX ? ZSTD_BLOCKSIZE_MAX : (size_t)wanted;

	return part < left ? part : left;
}

/*
 * In about one pass: the blocks of a frame are flushed one by one, each as long as is likely to fill most of the room that
 * is left. Levels that search long for matches thus do it once for each byte, where a search for the length of the whole
 * frame does it three times and more.
 */
static size_t encode_by_blocks(struct zstd_encoder *e, const uint8_t *in, size_t *in_length, size_t room, size_t *guess)
{
	double ratio = *guess ? (double)*guess / (double)room : 3;
	struct frame f = { .encoder = e, .in = in, .small = (double)room * ratio * 1.1 <= SMALL_SOURCE };
	size_t total = f.small && *in_length > SMALL_SOURCE ? SMALL_SOURCE : *in_length;
	unsigned tries = 0;

	begin_frame(&f);
	while (f.done < total && f.made + LEAST_ROOM < room && f.count < MAX_PARTS) {
		size_t left = room - f.made;
		/* the whole rest, if it is likely to fit; else not quite what fills the room: to overshoot costs a pass */
		bool rest = (double)(total - f.done) < (double)left * ratio * 0.95;
		size_t part = clamp_part(rest ? (double)(total - f.done) : (double)left * ratio * (left * 8 < room ? 0.7 : 0.88), total - f.done);
		size_t size = next_block(&f, part);

		if (size && size <= left) {
			keep_block(&f, part, size);
			ratio = (ratio + 2 * (double)part / (double)size) / 3;
			if (f.count == 1 && total < *in_length && (double)room * (double)part / (double)size > SMALL_SOURCE) {
				f.small = false; /* it is denser than was expected */
				total = *in_length;
				begin_frame(&f);
			}
			continue;
		}
		if (!size || left * 64 < room || ++tries > MAX_TRIES || !start_again(&f))
			break;
		ratio = (double)part / (double)size;
	}
	*in_length = f.done;
	return f.made;
}

static size_t encode_fixed(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap, size_t *guess)
{
	struct zstd_encoder *e = encoder;
	size_t total = *in_length, made;

	if (!ero_vec_reserve(&e->scratch, cap * 2 + ZSTD_BLOCKSIZE_MAX * 2)) {
		e->base.no_memory = true;
		*in_length = 0;
		return 0;
	}
	if (cap < BLOCKWISE_LEAST)
		return ero_codec_fit(encode, e, in, in_length, out, cap, e->scratch.data, guess);
	/* what is likely to fit at once is: the library then knows the size, and chooses for it */
	if ((double)total < (double)cap * (*guess ? (double)*guess / (double)cap : 3)) {
		made = encode(e, in, total, out, cap);
		if (made)
			return made;
	}
	made = encode_by_blocks(e, in, in_length, cap - END_SIZE, guess);
	if (!made)
		return 0;
	memcpy(out, e->scratch.data, made);
	/* a frame ends with a block marked as the last (an empty raw one is 1 in three bytes), and the low half of XXH64; by hand, since
	 * the library may have seen more than what was kept (RFC 8878, 3.1.1) */
	out[made] = 1;
	out[made + 1] = out[made + 2] = 0;
	ero_put32(out + made + 3, (uint32_t)XXH64(in, *in_length, 0));
	if (*in_length < total)
		*guess = *in_length;
	return made + END_SIZE;
}

static void forget(void *state)
{
	ZSTD_freeDCtx(state);
}

static int decode(void **state, const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		  size_t out_length, bool partial)
{
	ZSTD_DCtx *d = *state = *state ? *state : ZSTD_createDCtx();
	ZSTD_inBuffer from = { in, in_length, 0 };
	ZSTD_outBuffer to = { out, out_length, 0 };
	size_t rc;

	if (!d)
		return -ENOMEM;
	ZSTD_DCtx_reset(d, ZSTD_reset_session_only); /* the last stream may have been left in its middle */
	rc = ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, cfgs->zstd_window_bits);
	if (!ZSTD_isError(rc))
		rc = 1;
	/* ends when the frame does, the output is full, or an error says why not */
	while (rc && !ZSTD_isError(rc) && (to.pos < to.size || !partial)) {
		size_t was = from.pos + to.pos;

		rc = ZSTD_decompressStream(d, &to, &from);
		if (from.pos + to.pos == was)
			break;
	}
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM : -EUCLEAN;
	return to.pos == to.size && (partial || rc == 0) ? 0 : -EUCLEAN;
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
	.forget = forget,
	.configure = configure,
};
