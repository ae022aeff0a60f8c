// SPDX-License-Identifier: MIT
#include "pack/cdc.h"
#include "base/bytes.h"

#include <string.h>
#include <xxhash.h>

enum { NORMALIZATION = 2 }; /* bits more below the average, bits less above */

void ero_gear(uint64_t gear[256])
{
	for (uint64_t i = 0; i < 256; i++) {
		uint64_t number = htole64(i); /* the same bytes, and so the same image, on every machine */

		gear[i] = XXH3_64bits(&number, sizeof(number));
	}
}

/* The top bits: those that all of the last 64 bytes have had a part in. */
static uint64_t top_bits(unsigned count)
{
	return ~(uint64_t)0 << (64 - count);
}

bool ero_cdc_init(struct ero_cdc *c, uint32_t average)
{
	memset(c, 0, sizeof(*c));
	ero_gear(c->gear);
	c->average = average;
	c->hard = top_bits(ero_log2(average) + NORMALIZATION);
	c->easy = top_bits(ero_log2(average) - NORMALIZATION);
	c->zero = true;
	c->digest = EVP_MD_CTX_new();
	return c->digest && EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL);
}

void ero_cdc_free(struct ero_cdc *c)
{
	EVP_MD_CTX_free(c->digest);
	ero_vec_free(&c->chunks);
}

static bool end_chunk(struct ero_cdc *c)
{
	struct ero_cdc_chunk chunk = { .length = c->length };
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (!EVP_DigestFinal_ex(c->digest, digest, NULL) || !EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL))
		return false;
	if (!c->zero)
		memcpy(chunk.digest, digest, sizeof(chunk.digest));
	c->length = 0;
	c->hash = 0;
	c->zero = true;
	return ero_vec_push(&c->chunks, chunk);
}

/* Bytes up to the end of the open chunk, as far as it lies in these; *ends tells if it does. */
static size_t to_boundary(struct ero_cdc *c, const uint8_t *bytes, size_t length, bool *ends)
{
	uint32_t least = c->average / 4, most = c->average * 8, at = c->length;
	uint64_t hash = c->hash;
	size_t i = 0;

	if (at < least) { /* no boundary can lie here: the hash forgets what is 64 bytes back in any case */
		i = length < least - at ? length : least - at;
		at += (uint32_t)i;
	}
	*ends = false;
	for (; i < length && !*ends; i++) {
		hash = (hash << 1) + c->gear[bytes[i]];
		at++;
		*ends = !(hash & (at < c->average ? c->hard : c->easy)) || at >= most;
	}
	c->hash = hash;
	c->length = at;
	return i;
}

bool ero_cdc_take(struct ero_cdc *c, const uint8_t *bytes, size_t length)
{
	while (length) {
		bool ends;
		size_t part = to_boundary(c, bytes, length, &ends);

		c->zero = c->zero && ero_all_zero(bytes, part);
		if (!EVP_DigestUpdate(c->digest, bytes, part) || (ends && !end_chunk(c)))
			return false;
		bytes += part;
		length -= part;
	}
	return true;
}

bool ero_cdc_end(struct ero_cdc *c)
{
	return !c->length || end_chunk(c);
}

bool ero_cdc_hole(struct ero_cdc *c, uint64_t length)
{
	bool good = ero_cdc_end(c);

	while (good && length) {
		struct ero_cdc_chunk chunk = { .length = length < UINT32_MAX / 2 ? (uint32_t)length : UINT32_MAX / 2 };

		good = ero_vec_push(&c->chunks, chunk);
		length -= chunk.length;
	}
	return good;
}
