// SPDX-License-Identifier: MIT
/*
 * libdeflate encodes a whole input or nothing, and how much input fills a pcluster is not known before. A little too much is
 * encoded, and the stream cut: its symbols are counted up to where the room ends, the block they are in is marked as the last
 * one and gets its end there. What was encoded for the block as a whole serves its first part nearly as well. Section numbers
 * are those of RFC 1951.
 */
#include "codec/deflate_cut.h"
#include "base/bytes.h"

#include <string.h>

enum {
	END_OF_BLOCK = 256,
	LITERAL_CODES = 288,
	DISTANCE_CODES = 32,
	LENGTH_CODES = 19,
	HEADER_BITS = 3,
	STORED = 0,
	FIXED = 1,
	DYNAMIC = 2,
};

/* Where a stream is read. */
struct cursor {
	const uint8_t *stream;
	size_t length;
	uint64_t bit;
};

/* At least 57 of the next bits, the first one lowest; zeros behind the end of the stream. */
static inline uint64_t peek(const struct cursor *c)
{
	size_t at = (size_t)(c->bit / 8);
	uint8_t last[8] = { 0 };

	if (c->length >= 8 && at <= c->length - 8)
		return ero_get64(c->stream + at) >> (c->bit & 7);
	if (at < c->length)
		memcpy(last, c->stream + at, c->length - at < 8 ? c->length - at : 8);
	return ero_get64(last) >> (c->bit & 7);
}

static inline unsigned take(struct cursor *c, unsigned bits)
{
	unsigned v = (unsigned)(peek(c) & ((1u << bits) - 1));

	c->bit += bits;
	return v;
}

/* Codes as their lengths say (3.2.2): of a block those of literals and lengths first, those of distances behind them. */
struct code_set {
	uint8_t lengths[LITERAL_CODES + DISTANCE_CODES];
	uint16_t codes[LITERAL_CODES + DISTANCE_CODES];   /* the first bit of a code lowest, as streams have it */
};

/* Codes of the symbols from `first` on; returns the bits of the longest. */
static unsigned assign_codes(struct code_set *set, unsigned first, unsigned count)
{
	unsigned used[ERO_DEFLATE_CODE_BITS + 1] = { 0 }, next[ERO_DEFLATE_CODE_BITS + 2] = { 0 }, longest = 0;

	for (unsigned i = first; i < first + count; i++)
		used[set->lengths[i]]++;
	used[0] = 0;
	for (unsigned bits = 1; bits <= ERO_DEFLATE_CODE_BITS; bits++) {
		next[bits + 1] = (next[bits] + used[bits]) << 1;
		longest = used[bits] ? bits : longest;
	}
	for (unsigned i = first; i < first + count; i++) {
		unsigned code = next[set->lengths[i]]++, reversed = 0;

		for (unsigned bits = set->lengths[i]; bits; bits--, code >>= 1)
			reversed = reversed << 1 | (code & 1);
		set->codes[i] = (uint16_t)reversed;
	}
	return longest;
}

static void begin_table(struct ero_deflate_codes *table, unsigned bits)
{
	table->bits = bits;
	memset(table->entries, 0, sizeof(table->entries[0]) << bits);
}

static void fill(struct ero_deflate_codes *table, const struct code_set *set, unsigned i, unsigned entry)
{
	for (unsigned at = set->codes[i]; at < 1u << table->bits; at += 1u << set->lengths[i])
		table->entries[at] = (uint16_t)entry;
}

/* What literals and lengths mean (3.2.5): bits of the code, extra bits behind it << 4, plain bytes << 7 (none: end of block). */
static void fill_literals(struct ero_deflate_codes *table, struct code_set *set, unsigned count)
{
	begin_table(table, assign_codes(set, 0, count));
	for (unsigned i = 0; i < count && i <= 285; i++) {
		unsigned extra = i < 265 || i == 285 ? 0 : (i - 261) / 4;
		unsigned plain = i < END_OF_BLOCK ? 1 : i == END_OF_BLOCK ? 0 : i < 265 ? i - 254 : i == 285 ? 258 : 3 + ((4 + (i - 257) % 4) << extra);

		if (set->lengths[i])
			fill(table, set, i, set->lengths[i] | extra << 4 | plain << 7);
	}
}

/* What distances mean: bits of the code and extra bits, together. */
static void fill_distances(struct ero_deflate_codes *table, struct code_set *set, unsigned first, unsigned count)
{
	begin_table(table, assign_codes(set, first, count));
	for (unsigned i = 0; i < count && i < 30; i++)
		if (set->lengths[first + i])
			fill(table, set, first + i, set->lengths[first + i] + (i < 4 ? 0 : i / 2 - 1));
}

/* The lengths of a dynamic block's codes, which are encoded themselves (3.2.7). */
static bool read_lengths(struct cursor *c, struct code_set *set, unsigned count, unsigned length_codes)
{
	static const uint8_t order[LENGTH_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	struct code_set own = { { 0 }, { 0 } };
	uint8_t symbol[1 << 7] = { 0 };

	for (unsigned i = 0; i < length_codes; i++)
		own.lengths[order[i]] = (uint8_t)take(c, 3);
	assign_codes(&own, 0, LENGTH_CODES);
	for (unsigned i = 0; i < LENGTH_CODES; i++)
		for (unsigned at = own.codes[i]; own.lengths[i] && at < sizeof(symbol); at += 1u << own.lengths[i])
			symbol[at] = (uint8_t)i;
	for (unsigned i = 0; i < count;) {
		unsigned s = symbol[peek(c) & (sizeof(symbol) - 1)], times = 1;
		uint8_t length = (uint8_t)s;

		if (!own.lengths[s] || (s == 16 && !i))
			return false;
		c->bit += own.lengths[s];
		if (s >= 16) {
			times = s == 16 ? 3 + take(c, 2) : s == 17 ? 3 + take(c, 3) : 11 + take(c, 7);
			length = s == 16 ? set->lengths[i - 1] : 0;
		}
		if (times > count - i)
			return false;
		memset(set->lengths + i, length, times);
		i += times;
	}
	return true;
}

/* Reads what comes between the header of a block and its symbols; the code that ends the block goes to *end and *end_bits. */
static bool read_codes(struct cursor *c, struct ero_deflate_tables *tables, unsigned type, unsigned *end, unsigned *end_bits)
{
	unsigned literals = LITERAL_CODES, distances = DISTANCE_CODES;
	struct code_set set = { { 0 }, { 0 } };

	if (type == FIXED) { /* 3.2.6 */
		memset(set.lengths, 8, 144);
		memset(set.lengths + 144, 9, 112);
		memset(set.lengths + 256, 7, 24);
		memset(set.lengths + 280, 8, 8);
		memset(set.lengths + LITERAL_CODES, 5, DISTANCE_CODES);
	} else {
		unsigned length_codes;

		literals = 257 + take(c, 5);
		distances = 1 + take(c, 5);
		length_codes = 4 + take(c, 4);
		if (literals > LITERAL_CODES || !read_lengths(c, &set, literals + distances, length_codes))
			return false;
	}
	fill_literals(&tables->literals, &set, literals);
	fill_distances(&tables->distances, &set, literals, distances);
	*end = set.codes[END_OF_BLOCK];
	*end_bits = set.lengths[END_OF_BLOCK];
	return *end_bits > 0;
}

/* Counts symbols until the end of the block (true), or until the next one and `end_bits` would pass `limit` (false). */
static bool walk(struct cursor *c, const struct ero_deflate_tables *tables, uint64_t limit, unsigned end_bits, size_t *plain, bool *damaged)
{
	const struct ero_deflate_codes *literals = &tables->literals, *distances = &tables->distances;

	for (;;) {
		uint64_t bits = peek(c);
		unsigned entry = literals->entries[bits & ((1u << literals->bits) - 1)];
		unsigned used = (entry & 15) + (entry >> 4 & 7), length = entry >> 7;

		if (length > 1) {
			unsigned distance = distances->entries[bits >> used & ((1u << distances->bits) - 1)];

			length += (unsigned)(bits >> (entry & 15)) & ((1u << (entry >> 4 & 7)) - 1);
			used = distance ? used + distance : 0;
		}
		if (!used) {
			*damaged = true;
			return false;
		}
		if (c->bit + used + (length ? end_bits : 0) > limit)
			return false;
		c->bit += used;
		*plain += length;
		if (!length)
			return true;
	}
}

/* Where a stream may end. */
struct ending {
	uint64_t header, bit;       /* of the block that becomes the last one; where it ends, its end without */
	unsigned end, end_bits;     /* the code to put there; no bits if the block has its end already */
	size_t plain;
	unsigned stored;            /* bytes of the stored block that is cut, 0 for none */
};

static size_t write_ending(const struct ending *e, const uint8_t *stream, uint8_t *out)
{
	size_t whole = (size_t)(e->bit / 8), size = (size_t)ero_div_up(e->bit + e->end_bits, 8);
	uint64_t tail = e->end;

	memcpy(out, stream, whole);
	tail <<= e->bit & 7;
	if (e->bit & 7)
		tail |= stream[whole] & ((1u << (e->bit & 7)) - 1);
	for (size_t i = whole; i < size; i++, tail >>= 8)
		out[i] = (uint8_t)tail;
	if (e->stored) {
		ero_put16(out + whole - e->stored - 4, (uint16_t)e->stored);
		ero_put16(out + whole - e->stored - 2, (uint16_t)~e->stored);
	}
	out[e->header / 8] |= (uint8_t)(1u << (e->header & 7));
	return size;
}

/* A block of plain bytes (3.2.4): true if all of it fits. */
static bool walk_stored(struct cursor *c, uint64_t limit, struct ending *e, bool *damaged)
{
	uint64_t at = ero_round_up(c->bit, 8) + 32;
	unsigned length;

	c->bit = at - 32;
	length = take(c, 16);
	c->bit = at;
	*damaged = !ero_in_range(at / 8, length, c->length);
	if (*damaged || at >= limit)
		return false;
	if (length > (limit - at) / 8) {
		e->stored = (unsigned)((limit - at) / 8);
		e->bit = limit;
		e->plain += e->stored;
		return false;
	}
	c->bit += length * 8ull;
	e->plain += length;
	return true;
}

size_t ero_deflate_cut(struct ero_deflate_tables *tables, const uint8_t *stream, size_t length, uint8_t *out, size_t cap, size_t *plain)
{
	struct cursor c = { stream, length, 0 };
	uint64_t limit = (cap < length ? cap : length) * 8ull;
	struct ending whole = { 0 }; /* behind the blocks that fit as they are */
	bool fits = true, damaged = false, final = false;

	while (fits && !damaged && !final) {
		struct ending here = { .header = c.bit, .plain = whole.plain };
		unsigned type;

		final = take(&c, 1);
		type = take(&c, HEADER_BITS - 1);
		if (type == STORED) {
			fits = walk_stored(&c, limit, &here, &damaged);
		} else if (type > DYNAMIC || !read_codes(&c, tables, type, &here.end, &here.end_bits)) {
			damaged = true;
		} else {
			fits = walk(&c, tables, limit, here.end_bits, &here.plain, &damaged);
			here.bit = c.bit;
		}
		if (fits) { /* with its own end */
			here.bit = c.bit;
			here.end = here.end_bits = 0;
		}
		if (here.plain > whole.plain)
			whole = here;
	}
	*plain = whole.plain;
	return damaged || !whole.plain ? 0 : write_ending(&whole, stream, out);
}
