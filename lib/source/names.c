// SPDX-License-Identifier: MIT
/*
 * One hash table from (directory, name) to node, and a list of the entries in order of arrival. Replaced entries stay
 * in the list with another node; removed ones without any. The tree is linked at the end from what is left.
 */
#include "source/names.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct entry {
	struct ero_node *dir, *node;
	struct ero_node *whiteout; /* the layers below have the name, too, and it is to be hidden; or NULL */
	const char *name;
	uint32_t length;
};

/* While members come in, the size of a directory's node is the number of its names. */
struct ero_names {
	struct ero_tree *tree;
	ERO_VEC(struct entry) entries;
	ERO_VEC(struct ero_node *) opaque;
	uint32_t *slots; /* index + 1 */
	size_t room;
};

int ero_names_create(struct ero_tree *tree, struct ero_names **result, struct ero_error *err)
{
	struct ero_names *n = calloc(1, sizeof(*n));

	*result = n;
	if (n) {
		n->tree = tree;
		n->room = 1024;
		n->slots = calloc(n->room, sizeof(*n->slots));
	}
	if (n && n->slots)
		return 0;
	ero_names_free(n);
	*result = NULL;
	return ero_fail_memory(err);
}

void ero_names_free(struct ero_names *n)
{
	if (!n)
		return;
	ero_vec_free(&n->entries);
	ero_vec_free(&n->opaque);
	free(n->slots);
	free(n);
}

static size_t slot_of(const struct ero_names *n, const struct ero_node *dir, const char *name, size_t length)
{
	size_t at = (size_t)XXH3_64bits_withSeed(name, length, (uint64_t)(uintptr_t)dir) & (n->room - 1);

	for (; n->slots[at]; at = (at + 1) & (n->room - 1)) {
		const struct entry *e = &n->entries.data[n->slots[at] - 1];

		if (e->dir == dir && e->length == length && !memcmp(e->name, name, length))
			break;
	}
	return at;
}

static struct entry *find(const struct ero_names *n, const struct ero_node *dir, const char *name, size_t length)
{
	size_t at = slot_of(n, dir, name, length);

	return n->slots[at] ? &n->entries.data[n->slots[at] - 1] : NULL;
}

static int grow(struct ero_names *n, struct ero_error *err)
{
	uint32_t *bigger;

	if (n->entries.count * 2 < n->room)
		return 0;
	bigger = calloc(n->room * 2, sizeof(*bigger));
	if (!bigger)
		return ero_fail_memory(err);
	free(n->slots);
	n->slots = bigger;
	n->room *= 2;
	for (size_t i = 0; i < n->entries.count; i++) {
		const struct entry *e = &n->entries.data[i];

		n->slots[slot_of(n, e->dir, e->name, e->length)] = (uint32_t)i + 1;
	}
	return 0;
}

/* The entry of a name, made without a node if it is a new one. */
static int entry_of(struct ero_names *n, struct ero_node *dir, const char *name, size_t length, struct entry **entry,
		    struct ero_error *err)
{
	struct entry e = { .dir = dir, .length = (uint32_t)length };
	int rc;

	*entry = find(n, dir, name, length);
	if (*entry)
		return 0;
	if (!length || length > ERO_NAME_MAX)
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENAMETOOLONG, "the name \"%.40s…\" has %zu bytes; 1 to 255 are possible", name,
				length);
	rc = grow(n, err);
	if (rc)
		return rc;
	e.name = ero_arena_string(&n->tree->arena, name, length);
	if (!e.name || !ero_vec_push(&n->entries, e))
		return ero_fail_memory(err);
	n->slots[slot_of(n, dir, name, length)] = (uint32_t)n->entries.count;
	*entry = &n->entries.data[n->entries.count - 1];
	return 0;
}

static int set(struct ero_names *n, struct ero_node *dir, const char *name, size_t length, struct ero_node *node,
	       struct ero_error *err)
{
	struct entry *e;
	int rc = entry_of(n, dir, name, length, &e, err);

	if (rc)
		return rc;
	if (e->node && S_ISDIR(e->node->mode) && e->node->size)
		return ero_fail(err, ERO_ERROR_CORRUPT, EISDIR, "\"%.*s\" would replace a directory that is not empty", (int)length, name);
	dir->size += !e->node;
	e->node = node;
	return 0;
}

/* A directory that no member has described yet: mode 0755, owner 0, the root's time. */
static int make_directory(struct ero_names *n, struct ero_node *parent, const char *name, size_t length,
			  struct ero_node **dir, struct ero_error *err)
{
	*dir = ero_tree_node(n->tree, S_IFDIR | 0755);
	if (!*dir)
		return ero_fail_memory(err);
	(*dir)->mtime = n->tree->root->mtime;
	(*dir)->mtime_nsec = n->tree->root->mtime_nsec;
	return set(n, parent, name, length, *dir, err);
}

/* Walks to the directory that holds the last component of `path`; `path` then points to that component. */
static int walk(struct ero_names *n, const char **path, struct ero_node **dir, struct ero_error *err)
{
	const char *slash;

	*dir = n->tree->root;
	while ((slash = strchr(*path, '/'))) {
		size_t length = (size_t)(slash - *path);
		struct entry *e = find(n, *dir, *path, length);
		int rc = 0;

		if (e && e->node && S_ISDIR(e->node->mode))
			*dir = e->node;
		else if (e && e->node && S_ISLNK(e->node->mode))
			rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTDIR,
				      "a member lies below \"%.*s\", which the archive has as a symbolic link", (int)length, *path);
		else if (e && e->node)
			rc = ero_fail(err, ERO_ERROR_CORRUPT, ENOTDIR, "a member lies below \"%.*s\", which is no directory", (int)length, *path);
		else
			rc = make_directory(n, *dir, *path, length, dir, err);
		if (rc)
			return rc;
		*path = slash + 1;
	}
	return 0;
}

struct ero_node *ero_names_find(const struct ero_names *n, const char *path)
{
	struct ero_node *at = n->tree->root;

	while (at && *path) {
		size_t length = strcspn(path, "/");
		struct entry *e = find(n, at, path, length);

		at = e ? e->node : NULL;
		path += length + (path[length] == '/');
	}
	return at;
}

int ero_names_directory(struct ero_names *n, const char *path, struct ero_node **dir, struct ero_error *err)
{
	struct entry *e;
	int rc = walk(n, &path, dir, err);

	if (rc || !*path)
		return rc;
	e = find(n, *dir, path, strlen(path));
	if (e && e->node && S_ISDIR(e->node->mode)) {
		*dir = e->node;
		return 0;
	}
	return make_directory(n, *dir, path, strlen(path), dir, err);
}

int ero_names_put(struct ero_names *n, const char *path, struct ero_node *node, struct ero_error *err)
{
	struct ero_node *dir;
	int rc = walk(n, &path, &dir, err);

	return rc ? rc : set(n, dir, path, strlen(path), node, err);
}

int ero_names_hide(struct ero_names *n, const char *path, struct ero_node *whiteout, struct ero_error *err)
{
	struct ero_node *dir;
	struct entry *e;
	int rc = walk(n, &path, &dir, err);

	if (!rc)
		rc = entry_of(n, dir, path, strlen(path), &e, err);
	if (!rc)
		e->whiteout = whiteout;
	return rc;
}

int ero_names_opaque(struct ero_names *n, const char *path, struct ero_error *err)
{
	struct ero_node *dir;
	int rc = ero_names_directory(n, path, &dir, err);

	return rc || ero_vec_push(&n->opaque, dir) ? rc : ero_fail_memory(err);
}

static int make_opaque(struct ero_names *n, struct ero_node *dir, struct ero_error *err)
{
	int rc = ero_xattrs_reopen(&n->tree->xattrs, dir->xattr_set, err);

	if (!rc)
		rc = ero_xattrs_add(&n->tree->xattrs, "trusted.overlay.opaque", "y", 1, err);
	return rc ? rc : ero_xattrs_commit(&n->tree->xattrs, &dir->xattr_set, err);
}

int ero_names_finish(struct ero_names *n, const char *hidden, struct ero_error *err)
{
	int rc = 0;

	free(n->slots); /* nothing is looked for any more, and the tree needs the room */
	n->slots = NULL;
	n->tree->root->size = 0;
	for (size_t i = 0; !rc && i < n->opaque.count; i++)
		rc = make_opaque(n, n->opaque.data[i], err);
	for (size_t i = 0; !rc && i < n->entries.count; i++) {
		struct entry *e = &n->entries.data[i];

		if (hidden && !strncmp(e->name, hidden, strlen(hidden)))
			continue;
		if (e->node && S_ISDIR(e->node->mode))
			e->node->size = 0; /* it was the number of names */
		if (e->whiteout && !e->node)
			e->node = e->whiteout;
		else if (e->whiteout && S_ISDIR(e->node->mode))
			rc = make_opaque(n, e->node, err);
		if (!rc && e->node)
			rc = ero_tree_link_kept(n->tree, e->dir, e->name, e->node, err);
	}
	return rc;
}
