/* SPDX-License-Identifier: MIT */
/* One inode, in both widths: what its bytes say, without following anything. */
#ifndef ERO_FORMAT_INODE_H
#define ERO_FORMAT_INODE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"
#include "format/super.h"

struct ero_inode {
	uint64_t nid;
	uint64_t position;     /* byte of the image, or of the metabox, where it lies: set by who has read it */
	bool extended;
	bool dot_omitted;
	enum ero_layout layout;
	uint16_t mode;
	uint32_t uid, gid, nlink, ino;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint16_t xattr_icount;
	uint64_t start_block;  /* flat: first block, or ERO_NULL_BLOCK48 for none; with a device table: flat address */
	uint64_t comp_blocks;  /* compressed: blocks used */
	uint16_t chunk_format; /* chunked */
	uint32_t rdev;         /* devices, as encoded */
	uint16_t format;       /* i_format as read */
	bool reserved_clear;   /* reserved bytes are zero, as they should be */
	bool stray_high;       /* extended, and address bits above 32 are set though there are none without 48BIT */
	bool stray_time;       /* compact, and the field of its own time is set though there is none without 48BIT */
};

/* Bytes of the inline xattr body that follow the inode. */
unsigned ero_xattr_body_size(uint16_t icount);
/* Inode and xattr body. */
unsigned ero_inode_head_size(const struct ero_inode *inode);

/* Decodes 32 or 64 bytes (`room` says how many are there; an extended inode needs 64). The superblock gives epoch and
 * features. -EUCLEAN with a sentence for a format that has no meaning. */
int ero_inode_decode(const uint8_t *bytes, size_t room, const struct ero_super *super, uint64_t nid,
		     struct ero_inode *inode, struct ero_error *err);
/* Encodes 32 or 64 bytes as inode->extended says. Compact inodes have no
 * nanoseconds, and seconds of their own only with 48BIT: else the time is the superblock's. */
void ero_inode_encode(const struct ero_inode *inode, const struct ero_super *super, uint8_t *bytes);

uint32_t ero_rdev_encode(unsigned major, unsigned minor);
unsigned ero_rdev_major(uint32_t rdev);
unsigned ero_rdev_minor(uint32_t rdev);

/* Directory entry type of a mode, ERO_FT_UNKNOWN for none. */
unsigned ero_file_type(uint16_t mode);

#endif
