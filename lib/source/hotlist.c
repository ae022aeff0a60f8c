// SPDX-License-Identifier: MIT
/*
 * --hot-list: a file of paths, one a line, in the order of their first use as a trace of system calls gives it. What lies
 * on the way to them (directories, symbolic links) counts as used just before.
 */
#include "source/source.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINKS = 40 }; /* on one path, as in the kernel */

struct hot {
	struct ero_tree *tree;
	ERO_VEC(struct ero_node *) nodes; /* in the order of use */
	unsigned links;                   /* followed on this path */
	unsigned long lines, missing;     /* of the list; of them, what is not there */
};

static int use(struct hot *h, struct ero_node *node, struct ero_error *err)
{
	if (h->tree->heat[node->ino - 1])
		return 0;
	if (!ero_vec_push(&h->nodes, node))
		return ero_fail_memory(err);
	h->tree->heat[node->ino - 1] = (uint32_t)h->nodes.count;
	return 0;
}

/* Uses everything on a path from `dir` on; *found is NULL if the path leads nowhere. Recursion is bounded by MAX_LINKS. */
static int follow(struct hot *h, struct ero_node *dir, const char *path, struct ero_node **found, struct ero_error *err)
{
	struct ero_node *at = *path == '/' ? h->tree->root : dir;
	int rc = use(h, at, err);

	*found = at;
	while (!rc && *found) {
		size_t length;
		struct ero_node *next;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (!length)
			break;
		if (!S_ISDIR(at->mode))
			next = NULL;
		else if (length == 1 && *path == '.')
			next = at;
		else if (length == 2 && !memcmp(path, "..", 2))
			next = at->parent ? at->parent : at;
		else
			next = ero_tree_entry(at, path, length);
		path += length;
		*found = next;
		if (next)
			rc = use(h, next, err);
		if (!rc && next && S_ISLNK(next->mode)) {
			if (++h->links > MAX_LINKS)
				*found = NULL;
			else
				rc = follow(h, at, next->link, found, err);
		}
		at = *found;
	}
	return rc;
}

static int take_line(void *context, char *line, struct ero_error *err)
{
	struct hot *h = context;
	struct ero_node *found;
	int rc;

	if (!*line)
		return 0;
	h->links = 0;
	rc = follow(h, h->tree->root, line, &found, err);
	h->lines++;
	h->missing += !found;
	return rc;
}

static int read_list(struct hot *h, const struct ero_build_options *o, struct ero_error *err)
{
	char text[200];
	int rc = ero_source_lines(o->hot_list, "hot list", take_line, h, err);

	snprintf(text, sizeof(text), "%lu of the %lu paths of the hot list are not in the source", h->missing, h->lines);
	if (!rc && h->missing && o->note)
		o->note(o->context, text);
	return rc;
}

int ero_source_hot_list(const struct ero_build_options *o, struct ero_tree *tree, struct ero_error *err)
{
	struct hot h = { .tree = tree };
	size_t n;
	int rc;

	tree->heat = calloc(tree->node_count, sizeof(*tree->heat));
	rc = tree->heat ? read_list(&h, o, err) : ero_fail_memory(err);
	if (!rc) {
		tree->by_use = calloc(tree->node_count, sizeof(struct ero_node *));
		rc = tree->by_use ? 0 : ero_fail_memory(err);
	}
	if (!rc) { /* the root comes first in any case: its number must be small */
		n = 0;
		tree->by_use[n++] = tree->root;
		for (size_t i = 0; i < h.nodes.count; i++)
			if (h.nodes.data[i] != tree->root)
				tree->by_use[n++] = h.nodes.data[i];
		for (size_t i = 0; i < tree->node_count; i++)
			if (!tree->heat[i] && tree->nodes[i] != tree->root)
				tree->by_use[n++] = tree->nodes[i];
	}
	ero_vec_free(&h.nodes);
	return rc;
}
