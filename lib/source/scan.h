/* SPDX-License-Identifier: MIT */
/* Fills a tree from a directory. */
#ifndef ERO_SOURCE_SCAN_H
#define ERO_SOURCE_SCAN_H

#include "source/dirfds.h"
#include "source/source.h"

/* `fds` has the directory as its root; `target` (or NULL) is a file that is left out: the image being replaced. */
int ero_scan(struct ero_source *source, struct ero_dirfds *fds, const struct stat *target, struct ero_tree *tree,
	     struct ero_error *err);

#endif
