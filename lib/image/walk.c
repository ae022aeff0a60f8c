// SPDX-License-Identifier: MIT
/* A stack of directories, the next one on top, and the numbers of inodes that have several names. */
#include "image/walk.h"
#include "base/arena.h"
#include "base/keys.h"
#include "base/vec.h"
#include "image/dir.h"
#include "image/dirspace.h"

#include <string.h>
#include <sys/stat.h>

struct walk {
	struct ero_image *image;
	ero_walk_fn fn;
	void *context;
	struct ero_arena arena;
	struct ero_keys seen;
	struct ero_dir_space space;
	ERO_VEC(const struct ero_walk_dir *) stack;
	const struct ero_walk_dir *dir; /* being read */
};

static int push(struct walk *w, uint64_t nid, const char *name, size_t length, struct ero_error *err)
{
	struct ero_walk_dir *d = ero_arena_alloc(&w->arena, sizeof(*d));

	if (!d || !(d->name = ero_arena_string(&w->arena, name, length)))
		return ero_fail_memory(err);
	d->parent = w->dir;
	d->nid = nid;
	return ero_vec_push(&w->stack, d) ? 0 : ero_fail_memory(err);
}

static int visit(void *context, const struct ero_dirent *e, struct ero_error *err)
{
	struct walk *w = context;
	struct ero_walk_entry entry = { .dir = w->dir, .name = e->name, .name_length = e->name_length, .first = true };
	struct ero_inode inode;
	int rc;

	if (ero_is_dot(e))
		return 0;
	rc = ero_inode_read(w->image, e->nid, &inode, err);
	if (rc)
		return rc;
	if ((S_ISDIR(inode.mode) || inode.nlink > 1) &&
	    ero_keys_number(&w->seen, e->nid, 0, &entry.first) == UINT32_MAX)
		return ero_fail_memory(err);
	if (S_ISDIR(inode.mode) && !entry.first)
		return 0;
	entry.inode = &inode;
	rc = w->fn(w->context, &entry, err);
	return rc || !S_ISDIR(inode.mode) ? rc : push(w, e->nid, e->name, e->name_length, err);
}

static int walk_all(struct walk *w, struct ero_error *err)
{
	struct ero_walk_entry root = { .name = "", .first = true };
	struct ero_inode inode;
	bool is_new;
	int rc = ero_inode_read(w->image, w->image->super.root_nid, &inode, err);

	root.inode = &inode;
	if (!rc && ero_keys_number(&w->seen, inode.nid, 0, &is_new) == UINT32_MAX)
		rc = ero_fail_memory(err);
	if (!rc)
		rc = w->fn(w->context, &root, err);
	if (!rc)
		rc = push(w, inode.nid, "", 0, err);
	while (!rc && w->stack.count) {
		size_t others = --w->stack.count;

		w->dir = w->stack.data[others];
		rc = ero_inode_read(w->image, w->dir->nid, &inode, err);
		if (!rc)
			rc = ero_dir_space_take(&w->space, w->image, &inode, err);
		if (!rc)
			rc = ero_dir_entries(w->image, &inode, visit, w, err);
		ero_vec_turn(&w->stack, others); /* in the order of their names, as they lie */
	}
	return rc;
}

int ero_walk(struct ero_image *image, ero_walk_fn fn, void *context, struct ero_error *err)
{
	struct walk w = { .image = image, .fn = fn, .context = context };
	int rc = walk_all(&w, err);

	ero_arena_free(&w.arena);
	ero_keys_free(&w.seen);
	ero_dir_space_free(&w.space);
	ero_vec_free(&w.stack);
	return rc;
}

void ero_walk_path(const struct ero_walk_dir *dir, char *path, size_t size)
{
	static const char more[] = "…";
	size_t at = size - 1;

	path[at] = '\0';
	for (; dir && dir->parent; dir = dir->parent) {
		size_t length = strlen(dir->name);

		if (at < length + 1 + sizeof(more)) {
			at -= sizeof(more) - 1;
			memcpy(path + at, more, sizeof(more) - 1);
			break;
		}
		at -= length;
		memcpy(path + at, dir->name, length);
		path[--at] = '/';
	}
	if (!path[at])
		path[--at] = '/';
	memmove(path, path + at, size - at);
}
