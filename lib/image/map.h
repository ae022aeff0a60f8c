/* SPDX-License-Identifier: MIT */
/* Where the bytes of a file are: its extents in order, for every data layout. */
#ifndef ERO_IMAGE_MAP_H
#define ERO_IMAGE_MAP_H

#include "format/zmap.h"
#include "image/image.h"

enum ero_extent_kind {
	ERO_EXTENT_HOLE,
	ERO_EXTENT_PLAIN,    /* bytes as they are, at `physical` on `device` */
	ERO_EXTENT_INLINE,   /* bytes as they are, at `physical` in the inode's metadata space */
	ERO_EXTENT_ENCODED,  /* `stored` bytes that decode to `length` */
	ERO_EXTENT_FRAGMENT, /* at `physical` of the packed inode's content */
};

struct ero_extent {
	uint64_t logical, length;  /* plain bytes */
	uint64_t physical, stored; /* bytes */
	enum ero_extent_kind kind;
	unsigned device;
	enum ero_algorithm algorithm;
	bool raw;        /* ENCODED, but the pcluster holds plain bytes */
	bool interlaced; /* raw: rotated to their offset in the block */
	bool partial;    /* the pcluster holds more than this extent uses */
	bool in_meta;    /* ENCODED, but inline behind the index */
	bool sparse;     /* it reads as zeros, whatever is stored; kernels before 7.2 decode that */
	bool second;     /* by the second of the two algorithms of an index (HEAD2) */
};

/* Most maps are small, and read through a small window; it grows for the others. */
enum { ERO_MAP_FIRST_WINDOW = 64, ERO_MAP_WINDOW = 4096 };

/* A cursor over a file's extents. Only ero_map_init() and ero_map_next() touch what is inside. */
struct ero_map {
	struct ero_image *image;
	struct ero_inode inode;
	uint64_t behind_head;  /* position behind inode and xattrs */
	uint64_t at;           /* plain bytes told so far */
	/* compressed files */
	struct ero_zheader header;
	struct ero_zindex index;
	uint64_t lcn;          /* next entry to look at */
	uint64_t pack_first;   /* entries[0] is this lcluster's; pack_count of them are valid */
	unsigned pack_count;
	struct ero_lcluster entries[ERO_ZPACK_MAX_ENTRIES];
	uint64_t window_start; /* metadata position of window[0]; window_length bytes are valid, the next time it will be window_next */
	unsigned window_length, window_next;
	uint8_t window[ERO_MAP_WINDOW];
	bool stray;            /* an entry was met that has bits without a meaning */
	uint64_t record;       /* next extent record */
	uint64_t address;      /* of 4-byte records: where the next extent begins */
	uint64_t record_start; /* position of the first record */
};

int ero_map_init(struct ero_map *map, struct ero_image *image, const struct ero_inode *inode, struct ero_error *err);
/* 1 and the next extent, 0 at the end of the file, -errno for a map that makes no sense. Extents never reach past the
 * file's size and follow each other without gaps. */
int ero_map_next(struct ero_map *map, struct ero_extent *extent, struct ero_error *err);

/* Bytes of the map behind inode and xattrs, after ero_map_init(): header and indexes, records or table. */
uint64_t ero_map_bytes(const struct ero_map *map);

/* Index of the extent that holds a byte of a file, among all of them in order; the byte is below the file's size. */
size_t ero_extent_find(const struct ero_extent *extents, size_t count, uint64_t logical);

/* compressed.c: the two functions above for compressed layouts. */
int ero_map_init_compressed(struct ero_map *map, struct ero_error *err);
int ero_map_next_compressed(struct ero_map *map, struct ero_extent *extent, struct ero_error *err);

#endif
