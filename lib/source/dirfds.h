/* SPDX-License-Identifier: MIT */
/* Open directories of the source tree, by node: a bounded number, reopened step by step from the root when needed, so
 * that neither depth nor the limit on open files matters, and no link is ever followed. */
#ifndef ERO_SOURCE_DIRFDS_H
#define ERO_SOURCE_DIRFDS_H

#include "tree/tree.h"

struct ero_dirfds;

struct ero_dirfd {
	int fd;
	uint32_t level;             /* below the root */
	unsigned users;
	const struct ero_node *node; /* NULL: free */
	uint64_t used;
};

/* `root` is taken over. */
int ero_dirfds_create(int root, struct ero_dirfds **fds, struct ero_error *err);
void ero_dirfds_free(struct ero_dirfds *fds);
/* Holds the directory of a node open until it is put back. Any thread. */
int ero_dirfds_get(struct ero_dirfds *fds, const struct ero_node *dir, struct ero_dirfd **held, struct ero_error *err);
void ero_dirfds_put(struct ero_dirfds *fds, struct ero_dirfd *held);

#endif
