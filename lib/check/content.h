/* SPDX-License-Identifier: MIT */
/* One file's content, looked at in any thread. */
#ifndef ERO_CHECK_CONTENT_H
#define ERO_CHECK_CONTENT_H

#include "image/data.h"

struct ero_content {
	struct ero_image *image;
	struct ero_inode inode;
	const struct ero_extent *extents; /* if they are known: else 0 of them, and they are looked up */
	unsigned extent_count;
	const uint8_t *again; /* of each extent: it was decoded for another file; NULL: none was */
	bool packed;          /* no file, but some extents of the packed inode */
	unsigned read; /* so many of them, plain ones, were read already */
	int null; /* /dev/null for plain data, which nothing can be said of but that it is there; -1: read it */
	const char *digest_name; /* of the xattr with its fingerprint; NULL: not asked for */
	/* found */
	uint64_t fragment, fragment_length; /* what it has of the packed inode, which is checked by itself; 0 bytes: nothing */
	bool differs, missing;   /* content and fingerprint; the latter */
	bool filled;             /* something else than zeros is stored where there are holes */
	bool unclean;            /* bytes behind its end are not zero */
};

/* Its first extent, if nothing has to be known of that but that it can be read; else NULL. */
const struct ero_extent *ero_content_plain(const struct ero_content *content);
/* 0, or why it cannot be read. */
int ero_check_content(struct ero_content *content, struct ero_data_buffer *buffer, struct ero_error *err);

#endif
