/* SPDX-License-Identifier: MIT */
/*
 * Constants of the EROFS on-disk format: where fields lie, what bits mean. Facts only; the functions that read and
 * write the structures are in the headers beside this one. All integers are little-endian.
 */
#ifndef ERO_FORMAT_ONDISK_H
#define ERO_FORMAT_ONDISK_H

#include <stdbool.h>
#include <stdint.h>

#define ERO_SUPER_OFFSET 1024u
#define ERO_SUPER_MAGIC 0xE0F5E1E2u
#define ERO_SUPER_SIZE 128u        /* and 16 more per extension slot */
#define ERO_SUPER_SLOT 16u
#define ERO_LABEL_SIZE 16u

#define ERO_MIN_BLOCK_BITS 9u
#define ERO_MAX_BLOCK_BITS 16u
#define ERO_NAME_MAX 255u
#define ERO_DIRENT_SIZE 12u
#define ERO_INODE_UNIT 32u         /* nid * 32 is an inode's byte position from the start of the metadata */
#define ERO_COMPACT_SIZE 32u
#define ERO_EXTENDED_SIZE 64u
#define ERO_DEVICE_SLOT 128u
#define ERO_NULL_BLOCK32 0xFFFFFFFFu
#define ERO_NULL_BLOCK48 0xFFFFFFFFFFFFull
#define ERO_METABOX_BIT (1ull << 63) /* of a nid: the inode lives in the metabox */

/* compatible features: a kernel that does not know one mounts all the same */
enum {
	ERO_COMPAT_SB_CHKSUM = 0x1,
	ERO_COMPAT_MTIME = 0x2,
	ERO_COMPAT_XATTR_FILTER = 0x4,
	ERO_COMPAT_SHARED_EA_IN_METABOX = 0x8,
	ERO_COMPAT_PLAIN_XATTR_PFX = 0x10,
	ERO_COMPAT_ISHARE_XATTRS = 0x20,
};

/* incompatible features; where two names share a bit, they came with the same kernel */
enum {
	ERO_INCOMPAT_LZ4_0PADDING = 0x1,
	ERO_INCOMPAT_COMPR_CFGS = 0x2,
	ERO_INCOMPAT_BIG_PCLUSTER = 0x2,
	ERO_INCOMPAT_CHUNKED_FILE = 0x4,
	ERO_INCOMPAT_DEVICE_TABLE = 0x8,
	ERO_INCOMPAT_COMPR_HEAD2 = 0x8,
	ERO_INCOMPAT_ZTAILPACKING = 0x10,
	ERO_INCOMPAT_FRAGMENTS = 0x20,
	ERO_INCOMPAT_DEDUPE = 0x20,
	ERO_INCOMPAT_XATTR_PREFIXES = 0x40,
	ERO_INCOMPAT_48BIT = 0x80,
	ERO_INCOMPAT_METABOX = 0x100,
	ERO_INCOMPAT_KNOWN = 0x1ff,
};

/* i_format */
enum ero_layout {
	ERO_LAYOUT_FLAT_PLAIN = 0,
	ERO_LAYOUT_COMPRESSED_FULL = 1,
	ERO_LAYOUT_FLAT_INLINE = 2,
	ERO_LAYOUT_COMPRESSED_COMPACT = 3,
	ERO_LAYOUT_CHUNK = 4,
};
static inline bool ero_layout_compressed(unsigned layout)
{
	return layout == ERO_LAYOUT_COMPRESSED_FULL || layout == ERO_LAYOUT_COMPRESSED_COMPACT;
}
#define ERO_FORMAT_EXTENDED 0x1u
#define ERO_FORMAT_LAYOUT_SHIFT 1
#define ERO_FORMAT_LAYOUT_MASK 0x7u
#define ERO_FORMAT_NLINK_1 0x10u      /* non-directory, compact, 48BIT: nlink is 1, i_nb holds address bits */
#define ERO_FORMAT_DOT_OMITTED 0x10u  /* directory, 48BIT */
#define ERO_FORMAT_KNOWN 0x1fu

/* directory entry types */
enum { ERO_FT_UNKNOWN, ERO_FT_REG, ERO_FT_DIR, ERO_FT_CHR, ERO_FT_BLK, ERO_FT_FIFO, ERO_FT_SOCK, ERO_FT_SYMLINK };

/* extended attributes */
#define ERO_XATTR_HEADER 12u
#define ERO_XATTR_ENTRY 4u
#define ERO_XATTR_PREFIX_BIT 0x80u
#define ERO_XATTR_FILTER_SEED 0x25BBE08Fu
enum {
	ERO_XATTR_USER = 1,
	ERO_XATTR_ACL_ACCESS = 2,
	ERO_XATTR_ACL_DEFAULT = 3,
	ERO_XATTR_TRUSTED = 4,
	ERO_XATTR_LUSTRE = 5,
	ERO_XATTR_SECURITY = 6,
};

/* chunked files */
#define ERO_CHUNK_BITS_MASK 0x1fu
#define ERO_CHUNK_INDEXES 0x20u
#define ERO_CHUNK_48BIT 0x40u
#define ERO_CHUNK_KNOWN 0x7fu

/* compression */
enum ero_algorithm { ERO_ALG_LZ4 = 0, ERO_ALG_LZMA = 1, ERO_ALG_DEFLATE = 2, ERO_ALG_ZSTD = 3, ERO_ALG_COUNT };
#define ERO_PCLUSTER_MAX_ENCODED (1u << 20)
#define ERO_PCLUSTER_MAX_DECODED (12u << 20)
#define ERO_ZSTD_MAX_WINDOW_BITS 20u
#define ERO_LZMA_MAX_DICT (8u << 20)

#define ERO_ADVISE_COMPACTED_2B 0x1u  /* layout 3 */
#define ERO_ADVISE_EXTENTS 0x1u       /* layout 1 */
#define ERO_ADVISE_BIG_PCLUSTER_1 0x2u
#define ERO_ADVISE_BIG_PCLUSTER_2 0x4u
#define ERO_ADVISE_INLINE_PCLUSTER 0x8u
#define ERO_ADVISE_INTERLACED 0x10u
#define ERO_ADVISE_FRAGMENT 0x20u
#define ERO_ADVISE_KNOWN 0x3fu
#define ERO_MAP_HEADER 8u

enum ero_lcluster_type { ERO_LC_PLAIN = 0, ERO_LC_HEAD1 = 1, ERO_LC_NONHEAD = 2, ERO_LC_HEAD2 = 3 };
#define ERO_LC_CBLKCNT 0x800u
#define ERO_LC_TYPE_MASK 0x3u
#define ERO_LC_PARTIAL_REF 0x8000u
#define ERO_LC_HOLE 0x4000u           /* full form, heads: Linux 7.2 reads zeros; those before decode what is stored */
#define ERO_FULL_INDEX 8u
#define ERO_FULL_INDEX_GAP 8u         /* between the map header and the first full index */

#define ERO_EXTENT_PLEN_MASK 0x1fffffu
#define ERO_EXTENT_PARTIAL (1u << 27)
#define ERO_EXTENT_FORMAT_SHIFT 28

#endif
