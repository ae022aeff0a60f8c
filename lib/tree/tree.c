// SPDX-License-Identifier: MIT
/* Nodes live in an arena; only directories' entry arrays grow on their own. */
#include "tree/tree.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

int ero_tree_init(struct ero_tree *tree, struct ero_error *err)
{
	int rc;

	memset(tree, 0, sizeof(*tree));
	rc = ero_xattrs_init(&tree->xattrs, err);
	if (rc)
		return rc;
	tree->root = ero_tree_node(tree, S_IFDIR | 0755);
	if (!tree->root)
		return ero_fail_memory(err);
	tree->root->name = "";
	return 0;
}

static void free_entries(struct ero_node *node)
{
	if (S_ISDIR(node->mode))
		free(node->entries);
}

void ero_tree_free(struct ero_tree *tree)
{
	for (size_t i = 0; i < tree->node_count; i++)
		free_entries(tree->nodes[i]);
	free(tree->nodes);
	free(tree->by_use);
	free(tree->heat);
	free(tree->by_data);
	ero_xattrs_free(&tree->xattrs);
	ero_arena_free(&tree->arena);
	ero_arena_free(&tree->node_arena);
	memset(tree, 0, sizeof(*tree));
}

struct ero_node *ero_tree_node(struct ero_tree *tree, uint16_t mode)
{
	struct ero_node *node;

	if (!ero_vec_grow((void **)&tree->nodes, &tree->node_room, tree->node_count, 1, sizeof(*tree->nodes)))
		return NULL;
	node = ero_arena_alloc(&tree->node_arena, sizeof(*node));
	if (!node)
		return NULL;
	node->mode = mode;
	node->stored.start_block = ERO_NULL_BLOCK32;
	tree->nodes[tree->node_count++] = node;
	return node;
}

int ero_tree_link_kept(struct ero_tree *tree, struct ero_node *dir, const char *name, struct ero_node *node, struct ero_error *err)
{
	if (dir->entry_count == dir->entry_room) {
		uint32_t room = dir->entry_room ? dir->entry_room * 2 : 4;
		struct ero_dentry *grown = reallocarray(dir->entries, room, sizeof(*grown));

		if (!grown)
			return ero_fail_memory(err);
		dir->entries = grown;
		dir->entry_room = room;
	}
	dir->entries[dir->entry_count++] = (struct ero_dentry){ .name = name, .node = node };
	if (!node->parent && node != tree->root) {
		node->parent = dir;
		node->name = name;
	}
	return 0;
}

int ero_tree_link(struct ero_tree *tree, struct ero_node *dir, const char *name, struct ero_node *node,
		  struct ero_error *err)
{
	size_t length = strlen(name);
	const char *kept;

	if (!length || length > ERO_NAME_MAX)
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENAMETOOLONG, "the name \"%.40s…\" has %zu bytes; 1 to 255 are possible",
				name, length);
	kept = ero_arena_string(&tree->arena, name, length);
	return kept ? ero_tree_link_kept(tree, dir, kept, node, err) : ero_fail_memory(err);
}

void ero_tree_unlink(struct ero_node *dir)
{
	struct ero_node *parent = dir->parent;

	for (uint32_t i = parent->entry_count; i-- > 0;) {
		if (parent->entries[i].node != dir)
			continue;
		memmove(&parent->entries[i], &parent->entries[i + 1], (--parent->entry_count - i) * sizeof(*parent->entries));
		return;
	}
}

static int compare_dentries(const void *a, const void *b)
{
	const struct ero_dentry *x = a, *y = b;

	return strcmp(x->name, y->name); /* by bytes, a shorter name before a longer: as the format wants it */
}

static int finish_directory(struct ero_node *dir, struct ero_error *err)
{
	if (dir->entry_count < dir->entry_room) { /* what growth left over is given back */
		struct ero_dentry *fit = reallocarray(dir->entries, dir->entry_count ? dir->entry_count : 1, sizeof(*fit));

		if (fit) {
			dir->entries = fit;
			dir->entry_room = dir->entry_count;
		}
	}
	if (dir->entry_count)
		qsort(dir->entries, dir->entry_count, sizeof(*dir->entries), compare_dentries);
	dir->nlink += 2;
	for (uint32_t i = 0; i < dir->entry_count; i++) {
		struct ero_dentry *d = &dir->entries[i];

		if (i && !compare_dentries(d - 1, d))
			return ero_fail(err, ERO_ERROR_CORRUPT, EEXIST, "the source has the name \"%s\" twice in one directory", d->name);
		if (S_ISDIR(d->node->mode))
			dir->nlink++;
		else
			d->node->nlink++;
	}
	return 0;
}

/* Appends a node to the new order at its first appearance; returns whether it was one. */
static bool visit(struct ero_tree *tree, struct ero_node *dir, const char *name, struct ero_node *node,
		  struct ero_node **order, size_t *count)
{
	if (node->ino) {
		tree->hard_links++;
		return false;
	}
	node->parent = dir; /* its first name in this order, whichever the source met first */
	node->name = name;
	order[(*count)++] = node;
	node->ino = (uint32_t)*count;
	if (S_ISREG(node->mode)) {
		tree->files++;
		tree->file_bytes += node->size;
	}
	return true;
}

/* Order of appearance: a directory, its files by name, then its subdirectories' content in turn. No recursion, since
 * trees may be deeper than any stack. */
static int number_nodes(struct ero_tree *tree, struct ero_node **order, size_t *count, struct ero_error *err)
{
	ERO_VEC(struct ero_node *) stack = { 0 };
	int rc = 0;

	visit(tree, NULL, "", tree->root, order, count);
	if (!ero_vec_push(&stack, tree->root))
		rc = ero_fail_memory(err);
	while (!rc && stack.count) {
		struct ero_node *dir = stack.data[--stack.count];

		rc = finish_directory(dir, err);
		for (uint32_t i = 0; !rc && i < dir->entry_count; i++)
			if (!S_ISDIR(dir->entries[i].node->mode))
				visit(tree, dir, dir->entries[i].name, dir->entries[i].node, order, count);
		for (uint32_t i = 0; !rc && i < dir->entry_count; i++)
			if (S_ISDIR(dir->entries[i].node->mode))
				visit(tree, dir, dir->entries[i].name, dir->entries[i].node, order, count);
		for (uint32_t i = dir->entry_count; !rc && i-- > 0;)
			if (S_ISDIR(dir->entries[i].node->mode) && !ero_vec_push(&stack, dir->entries[i].node))
				rc = ero_fail_memory(err);
	}
	ero_vec_free(&stack);
	return rc;
}

int ero_tree_finish(struct ero_tree *tree, struct ero_error *err)
{
	struct ero_node **order = calloc(tree->node_count, sizeof(*order));
	size_t count = 0;
	int rc;

	if (!order)
		return ero_fail_memory(err);
	rc = tree->node_count > UINT32_MAX ? ero_fail(err, ERO_ERROR_UNSUPPORTED, EOVERFLOW, "more than 2^32 files") :
					     number_nodes(tree, order, &count, err);
	if (rc) {
		free(order);
		return rc;
	}
	for (size_t i = 0; i < tree->node_count; i++)
		if (!tree->nodes[i]->ino)
			free_entries(tree->nodes[i]);
	free(tree->nodes);
	tree->nodes = order;
	tree->node_room = tree->node_count;
	tree->node_count = count;
	return 0;
}

void ero_node_path(const struct ero_node *node, char *path, size_t size)
{
	static const char more[] = "…/";
	size_t at = size - 1;

	path[at] = '\0';
	for (; node && node->parent; node = node->parent) {
		size_t length = strlen(node->name);

		if (at < length + 1 + sizeof(more)) {
			at -= sizeof(more) - 1;
			memcpy(path + at, more, sizeof(more) - 1);
			break;
		}
		if (path[at])
			path[--at] = '/';
		at -= length;
		memcpy(path + at, node->name, length);
	}
	memmove(path, path + at, size - at);
}

struct ero_node *ero_tree_entry(const struct ero_node *dir, const char *name, size_t length)
{
	size_t low = 0, high = dir->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ero_dentry *d = &dir->entries[middle];
		int order = strncmp(name, d->name, length);

		if (!order && !d->name[length])
			return d->node;
		if (order <= 0) /* equal so far: the entry's name goes on */
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct ero_node *ero_tree_find(struct ero_node *root, const char *path)
{
	struct ero_node *at = root;

	while (at) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (!length)
			break;
		if (length != 1 || *path != '.')
			at = S_ISDIR(at->mode) ? ero_tree_entry(at, path, length) : NULL;
		path += length;
	}
	return at;
}

struct ero_node **ero_tree_by_path(const struct ero_tree *tree)
{
	struct place {
		const struct ero_node *dir;
		uint32_t next; /* of its entries */
	};
	ERO_VEC(struct place) stack = { 0 };
	struct ero_node **order = calloc(tree->node_count + 1, sizeof(struct ero_node *));
	bool *met = calloc(tree->node_count + 1, sizeof(*met)), good;
	size_t n = 0;

	good = order && met && ero_vec_push(&stack, ((struct place){ .dir = tree->root }));
	if (good)
		order[n++] = tree->root;
	while (good && stack.count) {
		struct place *top = &stack.data[stack.count - 1];
		struct ero_node *node;

		if (top->next == top->dir->entry_count) {
			stack.count--;
			continue;
		}
		node = top->dir->entries[top->next++].node;
		if (met[node->ino - 1])
			continue;
		met[node->ino - 1] = true;
		order[n++] = node;
		if (S_ISDIR(node->mode))
			good = ero_vec_push(&stack, ((struct place){ .dir = node }));
	}
	ero_vec_free(&stack);
	free(met);
	if (!good) {
		free(order);
		return NULL;
	}
	return order;
}
