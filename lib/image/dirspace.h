/* SPDX-License-Identifier: MIT */
/* Which bytes of an image directories have taken. No two have the same ones; where they do, an image of a few kilobytes can have millions of
 * names. Memory: a bit for each block, and 24 to 32 bytes for each encoded extent, of directories. */
#ifndef ERO_IMAGE_DIRSPACE_H
#define ERO_IMAGE_DIRSPACE_H

#include "base/bits.h"
#include "image/image.h"

struct ero_dir_space {
	struct ero_bits blocks;       /* of whole blocks */
	struct ero_bits inlined[2];   /* units of 32 bytes of metadata; [1]: of the metabox */
	struct ero_bits packed;       /* bytes of the packed inode */
	struct ero_keys encoded;      /* addresses of encoded extents, and devices */
};

/* Takes what a directory has. -EMLINK if another has some of it, -EUCLEAN if its map makes no sense; -ENOMEM. Once for each directory. */
int ero_dir_space_take(struct ero_dir_space *space, struct ero_image *image, const struct ero_inode *dir, struct ero_error *err);
void ero_dir_space_free(struct ero_dir_space *space);

#endif
