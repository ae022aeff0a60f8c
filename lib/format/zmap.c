// SPDX-License-Identifier: MIT
/* Header, extent records, and the geometry of logical-cluster indexes: where which entry lies. */
#include "format/zmap.h"
#include "base/bytes.h"

void ero_zheader_decode(const uint8_t *b, enum ero_layout layout, unsigned block_bits, struct ero_zheader *h)
{
	uint64_t raw = ero_get64(b);

	memset(h, 0, sizeof(*h));
	if (raw >> 63) {
		h->whole_fragment = true;
		h->fragment_offset = raw & ~(1ull << 63);
		h->advise = ERO_ADVISE_FRAGMENT;
		h->lcluster_bits = (uint8_t)block_bits;
		return;
	}
	h->advise = ero_get16(b + 4);
	h->lcluster_bits = (uint8_t)(block_bits + (b[7] & 15u));
	if (layout == ERO_LAYOUT_COMPRESSED_FULL && (h->advise & ERO_ADVISE_EXTENTS)) {
		h->extents = true;
		h->record_size = 4u << ((h->advise >> 1) & 3);
		if (h->record_size >= 16) {
			h->extent_count = ero_get32(b) | (uint64_t)ero_get16(b + 6) << 32;
			h->lcluster_bits = (uint8_t)block_bits;
		}
		return;
	}
	h->algorithm[0] = b[6] & 15;
	h->algorithm[1] = b[6] >> 4;
	if (h->advise & ERO_ADVISE_FRAGMENT)
		h->fragment_offset = ero_get32(b);
	else if (h->advise & ERO_ADVISE_INLINE_PCLUSTER)
		h->inline_size = ero_get16(b + 2);
}

void ero_zheader_encode(const struct ero_zheader *h, unsigned block_bits, uint8_t *b)
{
	memset(b, 0, ERO_MAP_HEADER);
	if (h->whole_fragment) {
		ero_put64(b, h->fragment_offset | 1ull << 63);
		return;
	}
	ero_put16(b + 4, h->advise);
	if (h->extents && h->record_size >= 16) {
		ero_put32(b, (uint32_t)h->extent_count);
		ero_put16(b + 6, (uint16_t)(h->extent_count >> 32));
		return;
	}
	if (!h->extents && (h->advise & ERO_ADVISE_FRAGMENT))
		ero_put32(b, (uint32_t)h->fragment_offset);
	else if (h->advise & ERO_ADVISE_INLINE_PCLUSTER)
		ero_put16(b + 2, h->inline_size);
	b[6] = (uint8_t)(h->algorithm[0] | h->algorithm[1] << 4);
	b[7] = (uint8_t)(h->lcluster_bits - block_bits);
}

void ero_zrecord_decode(const uint8_t *b, unsigned record_size, struct ero_zrecord *r)
{
	memset(r, 0, sizeof(*r));
	r->raw_plen = ero_get32(b);
	r->length = r->raw_plen & ERO_EXTENT_PLEN_MASK;
	r->partial = r->raw_plen & ERO_EXTENT_PARTIAL;
	r->format = r->raw_plen >> ERO_EXTENT_FORMAT_SHIFT;
	if (record_size >= 8)
		r->physical = ero_get32(b + 4);
	if (record_size >= 16) {
		r->physical |= (uint64_t)ero_get32(b + 8) << 32;
		r->logical = ero_get32(b + 12);
	}
	if (record_size >= 32)
		r->logical |= (uint64_t)ero_get32(b + 16) << 32;
}

void ero_zrecord_encode(const struct ero_zrecord *r, unsigned record_size, uint8_t *b)
{
	memset(b, 0, record_size);
	ero_put32(b, r->fragment ? r->raw_plen :
				   r->length | (r->partial ? ERO_EXTENT_PARTIAL : 0) |
					   (uint32_t)r->format << ERO_EXTENT_FORMAT_SHIFT);
	if (record_size >= 8)
		ero_put32(b + 4, (uint32_t)r->physical);
	if (record_size >= 16) {
		ero_put32(b + 8, (uint32_t)(r->physical >> 32));
		ero_put32(b + 12, (uint32_t)r->logical);
	}
	if (record_size >= 32)
		ero_put32(b + 16, (uint32_t)(r->logical >> 32));
}

uint64_t ero_zrecords_size(uint64_t header_end, unsigned record_size, uint64_t count)
{
	uint64_t start = ero_round_up(header_end, record_size);

	return start - header_end + (record_size == 4 ? 8 : 0) + count * record_size;
}

void ero_zindex_init(struct ero_zindex *z, enum ero_layout layout, uint16_t advise, unsigned lcluster_bits,
		     uint64_t file_size, uint64_t header_end)
{
	memset(z, 0, sizeof(*z));
	z->layout = layout;
	z->advise = advise;
	z->lcluster_bits = (uint8_t)lcluster_bits;
	z->total = (file_size >> lcluster_bits) + ((file_size & ((1ull << lcluster_bits) - 1)) != 0);
	if (layout == ERO_LAYOUT_COMPRESSED_FULL) {
		z->start = header_end + ERO_FULL_INDEX_GAP;
		z->size = z->total * ERO_FULL_INDEX;
		return;
	}
	z->start = header_end;
	/* 4-byte packs up to the next multiple of 32, so that 2-byte packs lie aligned */
	z->first_4b = ((32 - header_end % 32) / 4) & 7;
	if (z->first_4b > z->total)
		z->first_4b = z->total;
	if ((advise & ERO_ADVISE_COMPACTED_2B) && z->first_4b < z->total)
		z->count_2b = ero_round_down(z->total - z->first_4b, 16);
	z->size = ero_round_up(z->first_4b, 2) * 4 + z->count_2b * 2 +
		  ero_round_up(z->total - z->first_4b - z->count_2b, 2) * 4;
}

struct ero_zpack ero_zindex_pack(const struct ero_zindex *z, uint64_t lcn)
{
	struct ero_zpack p = { .first = lcn, .entries = 1, .bytes = ERO_FULL_INDEX };

	if (z->layout == ERO_LAYOUT_COMPRESSED_FULL) {
		p.offset = lcn * ERO_FULL_INDEX;
		return p;
	}
	p.entries = 2;
	p.bytes = 8;
	if (lcn < z->first_4b) {
		p.first = ero_round_down(lcn, 2);
		p.offset = p.first * 4;
	} else if (lcn < z->first_4b + z->count_2b) {
		uint64_t in = ero_round_down(lcn - z->first_4b, 16);

		p.entries = 16;
		p.bytes = 32;
		p.first = z->first_4b + in;
		p.offset = z->first_4b * 4 + in * 2;
	} else {
		uint64_t in = ero_round_down(lcn - z->first_4b - z->count_2b, 2);

		p.first = z->first_4b + z->count_2b + in;
		p.offset = z->first_4b * 4 + z->count_2b * 2 + in * 4;
	}
	return p;
}

static void decode_full(const uint8_t *b, struct ero_lcluster *l)
{
	uint16_t advise = ero_get16(b);

	memset(l, 0, sizeof(*l));
	l->type = (enum ero_lcluster_type)(advise & ERO_LC_TYPE_MASK);
	l->stray = advise & ~(ERO_LC_TYPE_MASK | (l->type == ERO_LC_NONHEAD ? 0 : ERO_LC_PARTIAL_REF | ERO_LC_HOLE));
	if (l->type == ERO_LC_NONHEAD) {
		l->delta0 = ero_get16(b + 4);
		l->delta1 = ero_get16(b + 6);
	} else {
		l->partial = advise & ERO_LC_PARTIAL_REF;
		l->sparse = advise & ERO_LC_HOLE;
		l->clusterofs = ero_get16(b + 2);
		l->block = ero_get32(b + 4);
	}
}

static unsigned value_bits(const struct ero_zindex *z)
{
	return z->lcluster_bits > 12 ? z->lcluster_bits : 12;
}

/* Bits per entry: what is left of a pack after its 4-byte base block. */
static unsigned entry_bits(const struct ero_zpack *p)
{
	return (p->bytes - 4) * 8 / p->entries;
}

/* Reads up to 24 bits from bit `at` on, least significant first. */
static uint32_t get_bits(const uint8_t *bytes, unsigned at, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v |= (uint64_t)bytes[at / 8 + i] << (8 * i);
	return (uint32_t)(v >> (at % 8)) & ((1u << width) - 1);
}

static void put_bits(uint8_t *bytes, unsigned at, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++)
		if (value >> i & 1)
			bytes[(at + i) / 8] |= (uint8_t)(1u << ((at + i) % 8));
}

/* Block addresses follow from the pack's base: every pcluster before a head moves it on by its blocks. */
static bool locate_heads(const struct ero_zindex *z, const struct ero_zpack *p, uint64_t base, struct ero_lcluster *out)
{
	bool big = z->advise & (ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2);
	uint64_t next = big ? base : base + 1;
	bool head_open = false; /* a head of this pack whose size is not known yet */

	for (unsigned i = 0; i < p->entries; i++) {
		if (out[i].type != ERO_LC_NONHEAD) {
			next += head_open; /* a head right before a head has one block */
			out[i].block = next;
			head_open = true;
			continue;
		}
		if (i + 1u < p->entries || (out[i].delta0 & ERO_LC_CBLKCNT)) {
			if (out[i].delta0 & ERO_LC_CBLKCNT) {
				if (!big)
					return false;
				next += out[i].delta0 & (ERO_LC_CBLKCNT - 1);
				head_open = false;
			} else if (big && out[i].delta0 <= 1) {
				return false; /* the first entry after a head must tell the size */
			}
		}
		if (!big && head_open) {
			next++;
			head_open = false;
		}
	}
	return true;
}

bool ero_zpack_decode(const struct ero_zindex *z, const struct ero_zpack *p, const uint8_t *bytes,
		      struct ero_lcluster *out)
{
	unsigned low = value_bits(z), bits = entry_bits(p);

	if (z->layout == ERO_LAYOUT_COMPRESSED_FULL) {
		decode_full(bytes, out);
		return true;
	}
	if (low + 2 > bits)
		return false;
	for (unsigned i = 0; i < p->entries; i++) {
		uint32_t v = get_bits(bytes, i * bits, low + 2);
		struct ero_lcluster *l = &out[i];

		memset(l, 0, sizeof(*l));
		l->type = (enum ero_lcluster_type)(v >> low);
		v &= (1u << low) - 1;
		if (l->type != ERO_LC_NONHEAD)
			l->clusterofs = (uint16_t)v;
		else if (i + 1 < p->entries || (v & ERO_LC_CBLKCNT))
			l->delta0 = (uint16_t)v;
		else
			l->delta1 = (uint16_t)v;
		l->ahead = l->type == ERO_LC_NONHEAD && i + 1 == p->entries && !(v & ERO_LC_CBLKCNT);
	}
	return locate_heads(z, p, ero_get32(bytes + p->bytes - 4), out);
}

/* ---- encoding ---- */

/* Walks the lclusters of a file along its extents. */
struct cursor {
	const struct ero_zextent *extents;
	size_t count, at;      /* extent that covers or begins in the current lcluster */
	uint64_t start;        /* plain position of extents[at] */
	uint64_t lcn, total;
	unsigned bits;
	bool big;
};

/* The next entry; `owner` is the extent it belongs to. Deltas are capped below the size flag: readers hop on. */
static struct ero_lcluster next_entry(struct cursor *c, const struct ero_zextent **owner)
{
	struct ero_lcluster l = { 0 };
	uint64_t end = c->start + c->extents[c->at].length;
	uint64_t head, next, delta0, delta1;

	/* the extent that begins in this lcluster owns it, whatever lies before */
	while (c->at + 1 < c->count && (end >> c->bits) <= c->lcn) {
		c->start = end;
		c->at++;
		end += c->extents[c->at].length;
	}
	*owner = &c->extents[c->at];
	head = c->start >> c->bits;
	if (head == c->lcn) {
		l.type = (enum ero_lcluster_type)(*owner)->type;
		l.clusterofs = (uint16_t)(c->start & ((1u << c->bits) - 1));
		l.block = (*owner)->block;
		l.partial = (*owner)->partial;
	} else {
		next = c->at + 1 < c->count ? end >> c->bits : c->total;
		delta0 = c->lcn - head;
		delta1 = next - c->lcn;
		l.type = ERO_LC_NONHEAD;
		l.delta0 = (uint16_t)(delta0 < ERO_LC_CBLKCNT ? delta0 : ERO_LC_CBLKCNT - 1);
		l.delta1 = (uint16_t)(delta1 < ERO_LC_CBLKCNT ? delta1 : ERO_LC_CBLKCNT - 1);
		if (c->big && delta0 == 1)
			l.delta0 = (uint16_t)(ERO_LC_CBLKCNT | (*owner)->blocks);
	}
	c->lcn++;
	return l;
}

static void encode_full(const struct ero_lcluster *l, uint8_t *b)
{
	ero_put16(b, (uint16_t)(l->type | (l->partial ? ERO_LC_PARTIAL_REF : 0)));
	ero_put16(b + 2, l->clusterofs);
	if (l->type == ERO_LC_NONHEAD) {
		ero_put16(b + 4, l->delta0);
		ero_put16(b + 6, l->delta1);
	} else {
		ero_put32(b + 4, (uint32_t)l->block);
	}
}

static void encode_pack(struct cursor *c, const struct ero_zpack *p, unsigned low, uint8_t *bytes)
{
	unsigned bits = entry_bits(p);
	bool have_base = false;
	uint64_t base = 0;

	memset(bytes, 0, p->bytes);
	for (unsigned i = 0; i < p->entries && c->lcn < c->total; i++) {
		const struct ero_zextent *owner;
		struct ero_lcluster l = next_entry(c, &owner);
		uint32_t value = l.clusterofs;

		if (l.type == ERO_LC_NONHEAD)
			value = i + 1 == p->entries && !(l.delta0 & ERO_LC_CBLKCNT) ? l.delta1 : l.delta0;
		/* the base is the first address this pack moves on from */
		if (!have_base && (l.type != ERO_LC_NONHEAD || (l.delta0 & ERO_LC_CBLKCNT))) {
			base = c->big ? owner->block : owner->block - 1;
			have_base = true;
		}
		put_bits(bytes, i * bits, low + 2, value | (uint32_t)l.type << low);
	}
	ero_put32(bytes + p->bytes - 4, (uint32_t)base);
}

void ero_zindex_encode(const struct ero_zindex *z, const struct ero_zextent *extents, size_t count, uint8_t *bytes)
{
	struct cursor c = {
		.extents = extents,
		.count = count,
		.total = z->total,
		.bits = z->lcluster_bits,
		.big = z->advise & (ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2),
	};

	while (c.lcn < c.total) {
		struct ero_zpack p = ero_zindex_pack(z, c.lcn);

		if (z->layout == ERO_LAYOUT_COMPRESSED_FULL) {
			const struct ero_zextent *owner;
			struct ero_lcluster l = next_entry(&c, &owner);

			encode_full(&l, bytes + p.offset);
		} else {
			encode_pack(&c, &p, value_bits(z), bytes + p.offset);
		}
	}
}
