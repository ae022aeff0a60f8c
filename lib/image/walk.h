/* SPDX-License-Identifier: MIT */
/* A walk over all names of an image, directory by directory. */
#ifndef ERO_IMAGE_WALK_H
#define ERO_IMAGE_WALK_H

#include "image/image.h"

struct ero_walk_dir {
	const struct ero_walk_dir *parent; /* NULL: the root */
	const char *name;                  /* "" for the root */
	uint64_t nid;
};

struct ero_walk_entry {
	const struct ero_walk_dir *dir;    /* that holds the name; NULL for the root itself */
	const char *name;                  /* name_length bytes */
	size_t name_length;
	const struct ero_inode *inode;
	bool first;                        /* the inode was not met under another name before */
};

/* Directories are valid until the walk ends. Calls `fn` with the root, then with every name but "." and "..", those of a directory one after the other. A second
 * name of a directory is passed over: hostile images may have loops. What `fn` returns, if not 0, ends the walk. */
typedef int (*ero_walk_fn)(void *context, const struct ero_walk_entry *entry, struct ero_error *err);
int ero_walk(struct ero_image *image, ero_walk_fn fn, void *context, struct ero_error *err);

/* Path of a directory from the root, "/" for that; cut in front with "…" if it does not fit. */
void ero_walk_path(const struct ero_walk_dir *dir, char *path, size_t size);

#endif
