/* SPDX-License-Identifier: MIT */
/* Building a tree out of full paths in any order, where a later member replaces an earlier one of the same name. */
#ifndef ERO_SOURCE_NAMES_H
#define ERO_SOURCE_NAMES_H

#include "tree/tree.h"

struct ero_names;

int ero_names_create(struct ero_tree *tree, struct ero_names **names, struct ero_error *err);
void ero_names_free(struct ero_names *names);
/* The node with this path, or NULL. */
struct ero_node *ero_names_find(const struct ero_names *names, const char *path);
/* The directory with this path; it and its parents are made when missing, in place of what is no directory. */
int ero_names_directory(struct ero_names *names, const char *path, struct ero_node **dir, struct ero_error *err);
/* Gives a node (no directory) this path; parents are made when missing. What has the path already is replaced, but for a directory
 * that is not empty: -EISDIR. */
int ero_names_put(struct ero_names *names, const char *path, struct ero_node *node, struct ero_error *err);
/* Markers of a layer, which speak of the layers below whatever this one has under the same path, before or behind them.
 * The first hides what is there: a directory of this layer becomes opaque, anything else covers it by itself, and where nothing has
 * the path `whiteout` does. The second makes a directory opaque. */
int ero_names_hide(struct ero_names *names, const char *path, struct ero_node *whiteout, struct ero_error *err);
int ero_names_opaque(struct ero_names *names, const char *path, struct ero_error *err);
/* Links what still has a name into the tree, but for names that begin with `hidden` (or NULL) and what is below. Call once, at the
 * end. */
int ero_names_finish(struct ero_names *names, const char *hidden, struct ero_error *err);

#endif
