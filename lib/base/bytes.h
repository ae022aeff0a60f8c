/* SPDX-License-Identifier: MIT */
/* Little-endian fields at any address, rounding, and sums that cannot wrap. The image is little-endian everywhere. */
#ifndef ERO_BASE_BYTES_H
#define ERO_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t ero_get16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t ero_get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t ero_get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void ero_put16(void *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void ero_put32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void ero_put64(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* Rounds up to a multiple of unit, a power of two. The caller knows that v + unit does not wrap. */
static inline uint64_t ero_round_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

static inline uint64_t ero_round_down(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

static inline uint64_t ero_div_up(uint64_t v, uint64_t unit)
{
	return v / unit + (v % unit != 0);
}

static inline bool ero_is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

static inline unsigned ero_log2(uint64_t v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

/* True if [offset, offset + length) lies inside [0, size): for numbers that come from an image. */
static inline bool ero_in_range(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

static inline bool ero_all_zero(const void *p, size_t length)
{
	const unsigned char *b = p;

	return length == 0 || (b[0] == 0 && memcmp(b, b + 1, length - 1) == 0);
}

#endif
