/* SPDX-License-Identifier: MIT */
/* Reading extended attributes: the inline body, shared entries, long prefixes. */
#ifndef ERO_IMAGE_XATTR_H
#define ERO_IMAGE_XATTR_H

#include "format/xattr.h"
#include "image/image.h"

/* Calls `fn` with each attribute: its full name (terminated), and where its entry lies. */
struct ero_xattr {
	const char *name;       /* "security.selinux" */
	size_t name_length;     /* more than strlen() only in a damaged image */
	const uint8_t *value;
	size_t value_length;
	unsigned base_index;    /* built-in index of the prefix */
	const char *suffix;     /* what follows the built-in prefix, inside `name` */
	bool shared, long_prefix;
	uint64_t position;      /* of its entry, in the metadata space it lies in */
};
typedef int (*ero_xattr_fn)(void *context, const struct ero_xattr *xattr, struct ero_error *err);
int ero_xattr_each(struct ero_image *image, const struct ero_inode *inode, ero_xattr_fn fn, void *context,
		   struct ero_error *err);

/* The header of an inode that has xattrs: its name filter, and whether reserved bytes are zero. */
int ero_xattr_header(struct ero_image *image, const struct ero_inode *inode, uint32_t *filter, bool *reserved_clear,
		     struct ero_error *err);

/* Loads the table of long prefixes; for open.c. */
int ero_xattr_load_prefixes(struct ero_image *image, struct ero_error *err);

#endif
