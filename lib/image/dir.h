/* SPDX-License-Identifier: MIT */
/* Reading directories: block by block for the checker, entry by entry for everybody else. */
#ifndef ERO_IMAGE_DIR_H
#define ERO_IMAGE_DIR_H

#include "format/dirent.h"
#include "image/image.h"

/* A walk may read a directory while it reads the one that holds it, as those do who read a tree in order: so images lie, and what comes next
 * has been read ahead. Each takes memory for a block; what is deeper than this, or encoded, should wait. Few trees are as deep. */
enum { ERO_DIR_NESTED = 32 };

/* Calls `block` with each directory block (the last may be short) and its offset in the directory. */
typedef int (*ero_dir_block_fn)(void *context, const uint8_t *block, size_t length, uint64_t offset,
				struct ero_error *err);
int ero_dir_blocks(struct ero_image *image, const struct ero_inode *dir, ero_dir_block_fn block, void *context,
		   struct ero_error *err);

/* Calls `entry` for each entry in stored order, "." and ".." included; a damaged block is -EUCLEAN. A positive return
 * of `entry` ends the walk and is returned. */
typedef int (*ero_dir_entry_fn)(void *context, const struct ero_dirent *entry, struct ero_error *err);
int ero_dir_entries(struct ero_image *image, const struct ero_inode *dir, ero_dir_entry_fn entry, void *context,
		    struct ero_error *err);

static inline bool ero_is_dot(const struct ero_dirent *e)
{
	return e->name[0] == '.' && (e->name_length == 1 || (e->name_length == 2 && e->name[1] == '.'));
}

#endif
