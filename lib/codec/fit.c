// SPDX-License-Identifier: MIT
/*
 * Fixed output by prediction: sizes grow almost in proportion to input, so that from one encoding the next length is
 * a good guess. A search by halves would need ten encodings and more; this needs two or three.
 */
#include "codec/codec.h"

#include <string.h>

static const unsigned max_tries = 6;

static size_t clamp_between(size_t v, size_t low, size_t high)
{
	return v < low ? low : v > high ? high : v;
}

size_t ero_codec_fit(ero_encode_fn encode, void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out,
		     size_t cap, uint8_t *scratch, size_t *guess)
{
	size_t total = *in_length, fits = 0, fits_size = 0, too_long = total + 1;
	size_t slack = cap / 64; /* good enough: within this of full */
	size_t try = *guess ? *guess : cap * 3;

	if (try > total || total - try < total / 8)
		try = total;
	for (unsigned i = 0; i < max_tries && too_long - fits > 1; i++) {
		size_t size = encode(encoder, in, try, scratch, cap * 2);

		if (size && size <= cap) {
			fits = try;
			fits_size = size;
			memcpy(out, scratch, size);
			if (try == total || cap - size <= slack)
				break;
			/* what comes may be denser: the farther away, the more of the room is left to that */
			try += (size_t)((double)(cap - size) * (double)try / (double)size * (cap - size > cap / 8 ? 0.95 : 0.92));
		} else {
			too_long = try;
			if (size) /* aim a little short, since overshooting costs a whole encoding */
				try -= (size_t)((double)(size - cap) * (double)try / (double)size * 1.08) + try / 512;
			else
				try = try > cap * 4 ? try / 2 : try - try / 4;
		}
		if (too_long - fits <= 1)
			break;
		try = clamp_between(try, fits + 1, too_long - 1);
	}
	*in_length = fits;
	if (fits && fits < total)
		*guess = fits;
	return fits_size;
}
