/* SPDX-License-Identifier: MIT */
/* Who claims which bytes of an image: metadata by slots of 32 bytes, data by runs. Memory: about a byte for each inode of
 * 32 to 128 bytes, and 24 bytes for each run of extents that lie one behind the other; claims of what was claimed take none. */
#ifndef ERO_CHECK_SPACE_H
#define ERO_CHECK_SPACE_H

#include "base/bits.h"
#include "base/vec.h"
#include "image/map.h"

/* Extents of one size, one behind the other. */
struct ero_run {
	uint64_t start, length; /* bytes on the device */
	uint32_t unit;          /* encoded bytes of each; 0: plain bytes */
	uint32_t device;
};

struct ero_space {
	struct ero_bits claimed[2]; /* slots: all metadata; first slots of inodes are marked. [1]: in the metabox */
	struct ero_bits others;                /* blocks of what is neither: superblock, tables, shared xattrs */
	ERO_VEC(struct ero_run) runs;
	size_t compact_at;            /* so many of them, and those that say nothing new are thrown out */
};

/* 1 if the inode was claimed before, 0 if this is the first time, -ENOMEM. */
int ero_space_inode(struct ero_space *space, bool metabox, uint64_t position);
/* Claims metadata, up to what somebody else has claimed: then 1; 0 for all of it, or -ENOMEM. The range lies in the image. */
int ero_space_claim(struct ero_space *space, bool metabox, uint64_t position, uint64_t length);
/* Bytes that are in use, by whatever it may be. -ENOMEM or 0. */
int ero_space_other(struct ero_space *space, unsigned block_bits, uint64_t position, uint64_t length);
/* By device, start and length. */
int ero_space_compare_runs(const void *one, const void *other);
/* Extents of files, in order where there is one. -ENOMEM or 0. */
int ero_space_extent(struct ero_space *space, const struct ero_extent *extent);
void ero_space_free(struct ero_space *space);

#endif
