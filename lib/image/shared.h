/* SPDX-License-Identifier: MIT */
/* A file inside the image that many others read pieces of: the packed inode and the metabox. Its map is loaded once,
 * decoded extents are kept in a few slots, and threads decode different extents side by side. */
#ifndef ERO_IMAGE_SHARED_H
#define ERO_IMAGE_SHARED_H

#include "image/image.h"

/* With `salvage`, a map that is damaged somewhere is taken up to there. */
int ero_shared_open(struct ero_image *image, uint64_t nid, bool salvage, struct ero_shared_file **file,
		    struct ero_error *err);
void ero_shared_close(struct ero_shared_file *file);
uint64_t ero_shared_size(const struct ero_shared_file *file);
/* -EUCLEAN past the end. */
int ero_shared_read(struct ero_shared_file *file, uint64_t offset, void *buffer, size_t length,
		    struct ero_error *err);

#endif
