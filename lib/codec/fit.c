// SPDX-License-Identifier: MIT
/*
 * Fixed output by prediction: sizes grow almost in proportion to input, so that from one encoding the next length is
 * a good guess. A search by halves would need ten encodings and more; this needs two or three.
 */
#include "codec/codec.h"

#include <string.h>

enum {
	MAX_TRIES = 8,
	SLACK = 256, /* a part of the room so small may be left over */
	PATIENCE = 3 /* after so many tries twice as much with each: sizes jump a little, and do not always grow with length */
};

/* An input length and what it was encoded to, 0 if that is not known. */
struct point {
	size_t length, size;
};

/* What to try after `tries` others, to come to `size`: longer than what fits, shorter than what is too long. */
static size_t next_length(struct point fits, struct point beyond, bool any_beyond, size_t size, unsigned tries)
{
	size_t gap = beyond.length - fits.length, step = gap / 4; /* more than twice the room, and what fits is not known */

	if (beyond.size)
		step = (size_t)((double)(size - fits.size) * (double)gap / (double)(beyond.size - fits.size));
	else if (fits.size)
		step = (size_t)((double)(size - fits.size) * (double)fits.length / (double)fits.size);
	if (!any_beyond && tries > PATIENCE && step < fits.length)
		step = fits.length; /* what follows is far denser */
	if (step >= gap)
		step = any_beyond ? gap / 2 : gap - 1;
	return fits.length + (step ? step : 1);
}

size_t ero_codec_fit(ero_encode_fn encode, void *encoder, const uint8_t *in, size_t *in_length, uint8_t *out,
		     size_t cap, uint8_t *scratch, size_t *guess)
{
	size_t total = *in_length, slack = cap / SLACK;
	size_t try = *guess ? *guess : cap * 3;
	struct point fits = { 0 }, beyond = { .length = total + 1 };

	if (try > total || total - try < total / 8)
		try = total;
	for (unsigned i = 0; i < MAX_TRIES && beyond.length - fits.length > 1; i++) {
		size_t size = encode(encoder, in, try, scratch, cap * 2);

		if (size && size <= cap) {
			fits = (struct point){ try, size };
			memcpy(out, scratch, size);
			if (try == total || cap - size <= (i < PATIENCE ? slack : slack << (i - PATIENCE + 1)))
				break;
		} else {
			beyond = (struct point){ try, size };
		}
		try = next_length(fits, beyond, beyond.length <= total, cap - slack / 2, i + 1);
	}
	*in_length = fits.length;
	if (fits.length && fits.length < total)
		*guess = fits.length;
	else if (!fits.length) /* the next one goes on from here */
		*guess = beyond.length;
	return fits.size;
}
