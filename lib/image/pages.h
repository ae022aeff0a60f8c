/* SPDX-License-Identifier: MIT */
/* What lies in each 4096-byte page of an image, and who reads it: a survey by way of the directory tree, as a kernel that
 * mounts the file without a loop device would see it, cold and without readahead. */
#ifndef ERO_IMAGE_PAGES_H
#define ERO_IMAGE_PAGES_H

#include "base/vec.h"
#include "image/map.h"
#include "image/walk.h"

#define ERO_PAGE_SIZE 4096u

enum ero_page_flags {
	/* walks that read the page: getdents everywhere; lstat of everything as well; listxattr of everything as well */
	ERO_PAGE_READ_NAMES = 1,
	ERO_PAGE_READ_STAT = 2,
	ERO_PAGE_READ_XATTR = 4,
	ERO_PAGE_READ_LIST = 1024, /* a stat of the paths of a list: nothing is marked so by the survey */
	/* content */
	ERO_PAGE_SUPER = 8,
	ERO_PAGE_NAMES = 16,   /* directory entries */
	ERO_PAGE_INODES = 32,  /* inodes with their own xattrs, and symlink targets */
	ERO_PAGE_XATTRS = 64,  /* shared ones */
	ERO_PAGE_INDEX = 128,  /* maps: compression indexes, extent records, chunk tables */
	ERO_PAGE_DATA = 256,   /* file data, tails behind inodes included */
	ERO_PAGE_ENCODED = 512, /* of it, compressed */
};

struct ero_dir_cost {
	uint64_t pages;            /* that listing it with all attributes reads, by itself */
	uint64_t entries;
	char path[256];
};

enum { ERO_DEAREST = 10 };

struct ero_pages {
	uint16_t *flags;
	uint64_t count;
	uint64_t inodes, names_bytes, inode_bytes, index_bytes;
	uint64_t slot_bytes;       /* all metadata, each inode with what stands behind it in whole slots of 32 bytes */
	uint64_t data_end, metadata_end; /* bytes of the image, up to the last one that is asked for; data in whole blocks */
	uint64_t content_pages;    /* of files and directories, plain, and of the packed inode and the metabox */
	bool byte_extents;         /* some file has extents of byte granularity */
	uint64_t straddling;       /* inodes that cross a page */
	uint64_t small, small_in_line; /* regular files up to 64 KiB; those whose metadata lies in one 64-byte line */
	struct ero_dir_cost dearest[ERO_DEAREST]; /* the first is the dearest; entries 0: none */
	ERO_VEC(struct ero_extent) metabox; /* where what lies in it is stored */
};

int ero_pages_survey(struct ero_image *image, struct ero_pages *pages, struct ero_error *err);
/* Marks the pages of a range of the image, or of the metabox those that hold it, after the survey, with ERO_PAGE_READ_LIST. */
void ero_pages_mark_list(struct ero_pages *pages, struct ero_image *image, bool metabox, uint64_t position, uint64_t length);
void ero_pages_free(struct ero_pages *pages);
/* Pages that have any of `flags`. */
uint64_t ero_pages_with(const struct ero_pages *pages, unsigned flags);

#endif
