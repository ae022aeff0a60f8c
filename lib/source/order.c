// SPDX-License-Identifier: MIT
/*
 * --order-from: data in the order of another image, or of a list of paths, so that a new version differs little from the
 * one before, or that an order which was found once is kept. Files that are not there follow the one before them by path.
 */
#include "source/source.h"
#include "base/vec.h"
#include "image/map.h"
#include "image/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_ROOM = 16384 };

struct place {
	uint64_t major, position; /* own data by device, then what is in the packed inode; then bytes */
	uint32_t node;            /* in order.by_path */
};

struct order {
	struct ero_tree *tree;
	struct ero_node **by_path;
	uint32_t *where;                /* in by_path, by number of inode less 1 */
	struct ero_image *image;
	ERO_VEC(struct place) places;
	const struct ero_walk_dir *dir; /* of the image, and what it is in the tree: NULL for nothing */
	struct ero_node *here;
	unsigned long missing;
	uint64_t lines;
};

static int put(struct order *o, const struct ero_node *node, uint64_t major, uint64_t position, struct ero_error *err)
{
	struct place p = { major, position, o->where[node->ino - 1] };

	return ero_vec_push(&o->places, p) ? 0 : ero_fail_memory(err);
}

/* ---- from an image ---- */

/* Where a file's data begins; false if it has none of its own. */
static int data_place(struct order *o, const struct ero_inode *inode, struct place *p, bool *found, struct ero_error *err)
{
	struct ero_map map;
	struct ero_extent e;
	int rc = ero_map_init(&map, o->image, inode, err);

	*found = false;
	while (!rc && !*found) {
		int more = ero_map_next(&map, &e, err);

		if (more <= 0)
			return more;
		if (e.kind == ERO_EXTENT_HOLE || e.kind == ERO_EXTENT_INLINE || e.in_meta)
			continue;
		p->major = e.kind == ERO_EXTENT_FRAGMENT ? UINT64_MAX : e.device;
		p->position = e.physical;
		*found = true;
	}
	return rc;
}

static int visit(void *context, const struct ero_walk_entry *entry, struct ero_error *err)
{
	struct order *o = context;
	struct ero_node *node;
	struct place p;
	bool found;
	int rc;

	if (!S_ISREG(entry->inode->mode) || !entry->inode->size)
		return 0;
	if (o->dir != entry->dir) {
		char path[PATH_ROOM];

		ero_walk_path(entry->dir, path, sizeof(path));
		o->dir = entry->dir;
		o->here = ero_tree_find(o->tree->root, path);
	}
	node = o->here && S_ISDIR(o->here->mode) ? ero_tree_entry(o->here, entry->name, entry->name_length) : NULL;
	if (!node || !S_ISREG(node->mode)) {
		o->missing += entry->inode->nlink == 1; /* else another of its names may be there */
		return 0;
	}
	rc = data_place(o, entry->inode, &p, &found, err);
	return rc || !found ? rc : put(o, node, p.major, p.position, err);
}

/* ---- from a list ---- */

static int take_line(void *context, char *line, struct ero_error *err)
{
	struct order *o = context;
	struct ero_node *node = *line ? ero_tree_find(o->tree->root, line) : NULL;

	o->missing += *line && !node;
	return node ? put(o, node, 0, o->lines++, err) : 0;
}

/* ---- the order ---- */

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Named nodes as they come, each with those behind it by path that are not named. */
static int arrange(struct order *o, struct ero_error *err)
{
	struct ero_tree *t = o->tree;
	enum { UNNAMED, NAMED, PLACED };
	uint8_t *state = calloc(t->node_count + 1, sizeof(*state));
	size_t n = 0;

	t->by_data = calloc(t->node_count + 1, sizeof(struct ero_node *));
	if (!state || !t->by_data) {
		free(state);
		return ero_fail_memory(err);
	}
	for (size_t i = 0; i < o->places.count; i++)
		state[o->places.data[i].node] = NAMED;
	if (o->places.count)
		qsort(o->places.data, o->places.count, sizeof(*o->places.data), by_place);
	for (size_t i = 0; i < t->node_count && state[i] == UNNAMED; i++)
		t->by_data[n++] = o->by_path[i];
	for (size_t i = 0; i < o->places.count; i++) {
		size_t at = o->places.data[i].node;

		if (state[at] == PLACED)
			continue; /* of two lines the first counts */
		state[at] = PLACED;
		t->by_data[n++] = o->by_path[at];
		for (at++; at < t->node_count && state[at] == UNNAMED; at++)
			t->by_data[n++] = o->by_path[at];
	}
	free(state);
	return 0;
}

static int open_order(struct order *o, struct ero_error *err)
{
	o->by_path = ero_tree_by_path(o->tree);
	o->where = calloc(o->tree->node_count + 1, sizeof(*o->where));
	if (!o->by_path || !o->where)
		return ero_fail_memory(err);
	for (size_t i = 0; i < o->tree->node_count; i++)
		o->where[o->by_path[i]->ino - 1] = (uint32_t)i;
	return 0;
}

int ero_source_order(const struct ero_build_options *options, struct ero_tree *tree, struct ero_error *err)
{
	struct order o = { .tree = tree };
	struct ero_error why;
	char text[200];
	int rc = open_order(&o, err);

	if (!rc && !ero_image_open(options->order_from, NULL, &o.image, &why))
		rc = ero_walk(o.image, visit, &o, err);
	else if (!rc && why.kind == ERO_ERROR_FOREIGN)
		rc = ero_source_lines(options->order_from, "order", take_line, &o, err);
	else if (!rc)
		rc = ero_fail(err, why.kind, why.code, "%s", why.text);
	ero_image_close(o.image);
	if (!rc)
		rc = arrange(&o, err);
	ero_vec_free(&o.places);
	free(o.by_path);
	free(o.where);
	snprintf(text, sizeof(text), "%lu of the files in the order of %.100s are not in the source", o.missing, options->order_from);
	if (!rc && o.missing && options->note)
		options->note(options->context, text);
	return rc;
}
