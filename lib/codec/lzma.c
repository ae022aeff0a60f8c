// SPDX-License-Identifier: MIT
/* MicroLZMA: liblzma's encoder stops by itself when the output is full and says how much input that took. */
#include "codec/codec.h"

#include <lzma.h>
#include <stdlib.h>

struct lzma_encoder {
	struct ero_encoder base;
	lzma_options_lzma options;
	lzma_stream stream;
};

/* xz presets 0..9, and 100..109 for their "extreme" variants. */
static bool level_valid(int level)
{
	return level <= 9 || level >= 100;
}

static void *create(const struct ero_compressor *p)
{
	struct lzma_encoder *e = calloc(1, sizeof(*e));
	uint32_t preset = p->level >= 100 ? (uint32_t)(p->level - 100) | LZMA_PRESET_EXTREME : (uint32_t)p->level;

	if (!e)
		return NULL;
	e->stream = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_lzma_preset(&e->options, preset)) {
		free(e);
		return NULL;
	}
	e->options.dict_size = p->dictsize;
	if (p->lc >= 0)
		e->options.lc = (uint32_t)p->lc;
	if (p->lp >= 0)
		e->options.lp = (uint32_t)p->lp;
	if (p->pb >= 0)
		e->options.pb = (uint32_t)p->pb;
	if (lzma_microlzma_encoder(&e->stream, &e->options) != LZMA_OK) { /* such as lc + lp > 4 */
		free(e);
		return NULL;
	}
	return e;
}

static void destroy(void *encoder)
{
	struct lzma_encoder *e = encoder;

	lzma_end(&e->stream);
	free(e);
}

static size_t encode_fixed(void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out, size_t cap, size_t *guess)
{
	struct lzma_encoder *e = encoder;

	lzma_ret rc = lzma_microlzma_encoder(&e->stream, &e->options);

	(void)guess;
	e->stream.next_in = in;
	e->stream.avail_in = *in_length;
	e->stream.next_out = out;
	e->stream.avail_out = cap;
	if (rc == LZMA_OK)
		rc = lzma_code(&e->stream, LZMA_FINISH);
	e->base.no_memory |= rc == LZMA_MEM_ERROR;
	if (rc != LZMA_STREAM_END) {
		*in_length = 0;
		return 0;
	}
	*in_length = (size_t)e->stream.total_in;
	return (size_t)e->stream.total_out;
}

static void forget(void *state)
{
	lzma_end(state);
	free(state);
}

static int decode(void **state, const struct ero_compr_cfgs *cfgs, const uint8_t *in, size_t in_length, uint8_t *out,
		  size_t out_length, bool partial)
{
	static const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *s = *state;
	lzma_ret rc;

	if (!s) {
		s = *state = malloc(sizeof(*s));
		if (!s)
			return -ENOMEM;
		*s = fresh;
	}
	rc = lzma_microlzma_decoder(s, in_length, out_length, !partial, cfgs->lzma_dict);
	if (rc == LZMA_OK) {
		s->next_in = in;
		s->avail_in = in_length;
		s->next_out = out;
		s->avail_out = out_length;
		rc = lzma_code(s, LZMA_FINISH);
	}
	/* of a partial stream the end may not be reached: all output is what counts */
	if ((rc == LZMA_STREAM_END || (partial && rc == LZMA_OK)) && s->avail_out == 0)
		return 0;
	return rc == LZMA_MEM_ERROR ? -ENOMEM : -EUCLEAN;
}

static void configure(const struct ero_compressor *params, struct ero_compr_cfgs *cfgs)
{
	if (params->dictsize > cfgs->lzma_dict)
		cfgs->lzma_dict = params->dictsize;
}

const struct ero_codec ero_codec_lzma = {
	.info = { .name = "lzma", .max_level = 109, .default_level = 6, .max_dict = ERO_LZMA_MAX_DICT },
	.algorithm = ERO_ALG_LZMA,
	.level_valid = level_valid,
	.create = create,
	.destroy = destroy,
	.encode_fixed = encode_fixed,
	.decode = decode,
	.forget = forget,
	.configure = configure,
};
