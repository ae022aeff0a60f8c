// SPDX-License-Identifier: MIT
/* The stored order of a directory's entries, and how many go into each block. */
#include "format/dirent.h"
#include "layout/layout.h"

#include <string.h>

bool ero_dir_walk_next(struct ero_dir_walk *w, const char **name, uint32_t *length, const struct ero_node **node)
{
	const char *dots = w->dots ? ".." : ".";
	const struct ero_node *dir = w->dir;
	const struct ero_dentry *d = w->next < dir->entry_count ? &dir->entries[w->next] : NULL;

	if (w->dots < 2 && (!d || strcmp(dots, d->name) < 0)) {
		*name = dots;
		*length = ++w->dots;
		*node = w->dots == 2 && dir->parent ? dir->parent : dir;
		return true;
	}
	if (!d)
		return false;
	*name = d->name;
	*length = (uint32_t)strlen(d->name);
	*node = d->node;
	w->next++;
	return true;
}

struct ero_dir_cut ero_dir_cut(const struct ero_node *dir, unsigned block_size, bool dot_omitted)
{
	struct ero_dir_walk walk = { .dir = dir, .dots = dot_omitted };
	struct ero_dir_cut cut = { .blocks = 1 };
	const struct ero_node *node;
	const char *name;
	uint32_t length;

	while (ero_dir_walk_next(&walk, &name, &length, &node)) {
		if (cut.last_bytes + ERO_DIRENT_SIZE + length > block_size) {
			cut.blocks++;
			cut.last_bytes = 0;
		}
		cut.last_bytes += ERO_DIRENT_SIZE + length;
	}
	return cut;
}
