/* SPDX-License-Identifier: MIT */
/*
 * The map of a compressed file as bytes: the 8-byte header, logical-cluster indexes in full and compact form
 * (Form A), and extent records (Form B). Encoding takes a list of extents; decoding yields single entries.
 */
#ifndef ERO_FORMAT_ZMAP_H
#define ERO_FORMAT_ZMAP_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "format/ondisk.h"

struct ero_zheader {
	bool whole_fragment;      /* the file lies in the packed inode at fragment_offset; nothing else is valid */
	uint64_t fragment_offset; /* whole file, or low half of the tail's when advise has FRAGMENT */
	uint16_t advise;
	uint8_t algorithm[2];     /* of HEAD1 and HEAD2 */
	uint8_t lcluster_bits;
	uint16_t inline_size;
	bool extents;             /* Form B */
	unsigned record_size;     /* of Form B: 4, 8, 16 or 32 */
	uint64_t extent_count;    /* of Form B with 16- and 32-byte records */
};

void ero_zheader_decode(const uint8_t *bytes, enum ero_layout layout, unsigned block_bits, struct ero_zheader *h);
void ero_zheader_encode(const struct ero_zheader *h, unsigned block_bits, uint8_t *bytes);

/* ---- Form A ---- */

struct ero_lcluster {
	enum ero_lcluster_type type;
	bool partial;        /* full form: partial reference */
	bool sparse;         /* full form, heads: marked as a hole */
	bool stray;          /* full form: bits are set that have no meaning */
	uint16_t clusterofs; /* heads */
	uint64_t block;      /* heads */
	uint16_t delta0;     /* nonheads: as stored, with ERO_LC_CBLKCNT; 0 where the form stores delta1 instead */
	uint16_t delta1;     /* nonheads: 0 where the form does not store it */
	bool ahead;          /* nonheads: only delta1 is stored */
};

/* Where the index entries of a file lie, relative to the position its header ends at. */
struct ero_zindex {
	enum ero_layout layout;
	uint16_t advise;
	uint8_t lcluster_bits;
	uint64_t total;      /* logical clusters */
	uint64_t start;      /* position of the first entry */
	uint64_t size;       /* bytes, whole packs */
	uint64_t first_4b, count_2b; /* compact: entries of the first 4-byte packs, of the 2-byte packs */
};

/* `header_end`: byte position in the image (only its value modulo 32 matters) where the 8-byte header ends. */
void ero_zindex_init(struct ero_zindex *z, enum ero_layout layout, uint16_t advise, unsigned lcluster_bits,
		     uint64_t file_size, uint64_t header_end);

/* The pack (full form: the single entry) that holds lcluster `lcn`: offset from z->start, bytes, entries, first lcn. */
struct ero_zpack {
	uint64_t offset;
	unsigned bytes, entries;
	uint64_t first;
};
#define ERO_ZPACK_MAX_ENTRIES 16
struct ero_zpack ero_zindex_pack(const struct ero_zindex *z, uint64_t lcn);
/* Decodes all entries of one pack. False when a delta that cannot be makes addresses meaningless. */
bool ero_zpack_decode(const struct ero_zindex *z, const struct ero_zpack *pack, const uint8_t *bytes,
		      struct ero_lcluster *out);

/* What an encoder needs to know of one extent of a file; extents cover the file without gaps. */
struct ero_zextent {
	uint64_t block;      /* first block; of an inline tail: the block that would have come next */
	uint64_t at;         /* plain position in the file: not needed for encoding */
	uint32_t length;     /* plain bytes */
	uint16_t blocks;     /* encoded blocks */
	uint8_t type;        /* ERO_LC_PLAIN, HEAD1, HEAD2 */
	bool partial;        /* full form only: less is used than was encoded */
	bool shared;         /* it was stored for somebody else, and `block` counts from the image's beginning: not needed for encoding */
	bool again;          /* it is used not for the first time: not needed for encoding */
};

/* Writes z->size bytes. The extents are sound: ours. */
void ero_zindex_encode(const struct ero_zindex *z, const struct ero_zextent *extents, size_t count, uint8_t *bytes);

/* ---- Form B ---- */

struct ero_zrecord {
	uint32_t length;        /* encoded bytes, 0: hole */
	bool partial;
	unsigned format;        /* 0 plain, else algorithm + 1 */
	uint32_t raw_plen;      /* as stored: of the fragment record, the offset's low half */
	bool fragment;          /* encoding only: the tail lies in the packed inode, at raw_plen | physical << 32 */
	uint64_t physical;      /* 8 bytes and more */
	uint64_t logical;       /* 16 bytes and more */
};
/* Bytes from the end of the map header to the end of the records: alignment, the start of 4-byte ones, records. */
uint64_t ero_zrecords_size(uint64_t header_end, unsigned record_size, uint64_t count);
void ero_zrecord_encode(const struct ero_zrecord *record, unsigned record_size, uint8_t *bytes);
void ero_zrecord_decode(const uint8_t *bytes, unsigned record_size, struct ero_zrecord *record);

#endif
