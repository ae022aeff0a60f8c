// SPDX-License-Identifier: MIT
/* The walk of a source directory: one thread lists and grows the tree, others look at the names it found. Results come
 * in the order of listing. */
#include "source/scan.h"
#include "base/cleanup.h"
#include "base/keys.h"
#include "format/inode.h"
#include "source/look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { NAMES_A_JOB = 64 };

struct scan {
	struct ero_source *source;
	struct ero_dirfds *fds;
	const struct stat *target;          /* the image being replaced, which is no part of itself; or NULL */
	struct ero_tree *tree;
	struct ero_pool *pool;
	ERO_VEC(struct ero_node *) stack;   /* directories not yet listed */
	struct ero_keys linked;             /* device and inode number of files with several names */
	ERO_VEC(struct ero_node *) links;   /* and their nodes */
	char *by_path;                      /* full path of the source, if xattrs are read by it; or NULL */
	char *path;                         /* of a name, for filters; has no limit but memory */
	size_t path_room;
	bool told_xattr;
};

/* ---- paths ---- */

/* The path of `dir` with room for one more name behind it; its length goes to *length. */
static int build_path(struct scan *s, const struct ero_node *dir, size_t *length, struct ero_error *err)
{
	size_t need = NAME_MAX + 2;

	for (const struct ero_node *n = dir; n->parent; n = n->parent)
		need += strlen(n->name) + 1;
	if (!ero_vec_grow((void **)&s->path, &s->path_room, 0, need + 8, 1))
		return ero_fail_memory(err);
	ero_node_path(dir, s->path, s->path_room);
	*length = strlen(s->path);
	if (*length)
		s->path[(*length)++] = '/';
	s->path[*length] = '\0';
	return 0;
}

/* ---- results become nodes ---- */

static void fill_node(struct ero_node *node, const struct statx *st)
{
	node->mode = st->stx_mode;
	node->uid = st->stx_uid;
	node->gid = st->stx_gid;
	node->mtime = st->stx_mtime.tv_sec;
	node->mtime_nsec = st->stx_mtime.tv_nsec;
	if (S_ISREG(st->stx_mode) || S_ISLNK(st->stx_mode))
		node->size = st->stx_size;
	if (S_ISCHR(st->stx_mode) || S_ISBLK(st->stx_mode))
		node->rdev = ero_rdev_encode(st->stx_rdev_major, st->stx_rdev_minor);
	node->maybe_sparse = S_ISREG(st->stx_mode) && st->stx_blocks * 512 < st->stx_size;
	if (S_ISREG(st->stx_mode)) { /* identity, to be compared when the content is read */
		node->data[0] = st->stx_ino;
		node->data[1] = (uint64_t)st->stx_ctime.tv_sec * 1000000000u + st->stx_ctime.tv_nsec;
	}
}

static int add_xattrs(struct scan *s, struct ero_node *node, const struct ero_look *look,
		      const struct ero_look_entry *e, struct ero_error *err)
{
	size_t at = e->xattrs;

	for (uint32_t i = 0; i < e->xattr_count; i++) {
		const char *name, *value;
		uint32_t length;
		int rc;

		ero_look_xattr(look, &at, &name, &value, &length);
		rc = ero_xattrs_add(&s->tree->xattrs, name, value, length, err);
		if (rc && rc != -EOPNOTSUPP && rc != -E2BIG)
			return rc;
		if (rc && !s->told_xattr) /* foreign names are no reason to fail: say it once, go on */
			ero_source_warn(s->source->options, "%s: xattr %s is left out (%s); more of this kind are not told",
					look->text.data + e->name, name,
					rc == -E2BIG ? "too large" : "the format has no place for its name");
		s->told_xattr |= rc != 0;
	}
	return ero_xattrs_commit(&s->tree->xattrs, &node->xattr_set, err);
}

static bool is_target(const struct scan *s, const struct statx *st)
{
	return s->target && S_ISREG(st->stx_mode) && st->stx_ino == s->target->st_ino &&
	       makedev(st->stx_dev_major, st->stx_dev_minor) == s->target->st_dev;
}

/* The node of a file met before under another name; *node stays NULL for a new one, which `links` then awaits. */
static int find_link(struct scan *s, const struct statx *st, struct ero_node **node, bool *is_new, struct ero_error *err)
{
	uint32_t number;

	if (st->stx_nlink < 2 || S_ISDIR(st->stx_mode) || s->source->options->hard_dereference)
		return 0;
	number = ero_keys_number(&s->linked, makedev(st->stx_dev_major, st->stx_dev_minor), st->stx_ino, is_new);
	if (number == UINT32_MAX)
		return ero_fail_memory(err);
	if (!*is_new)
		*node = s->links.data[number];
	return 0;
}

static int leave_out(struct scan *s, const struct ero_look *look, const char *name, struct ero_error *err)
{
	size_t length;
	int rc = build_path(s, look->dir, &length, err);

	if (!rc)
		ero_source_warn(s->source->options, "%s%s is left out: it has gone while the source was read", s->path, name);
	return rc;
}

static int add_entry(struct scan *s, const struct ero_look *look, const struct ero_look_entry *e, struct ero_error *err)
{
	const char *name = look->text.data + e->name, *link = look->text.data + e->link;
	struct ero_node *node = NULL;
	bool first_of_links = false;
	int rc;

	if (e->gone)
		return leave_out(s, look, name, err);
	if (is_target(s, &e->st))
		return 0;
	rc = find_link(s, &e->st, &node, &first_of_links, err);
	if (rc || node)
		return rc ? rc : ero_tree_link(s->tree, look->dir, name, node, err);
	node = ero_tree_node(s->tree, e->st.stx_mode);
	if (!node || (first_of_links && !ero_vec_push(&s->links, node)))
		return ero_fail_memory(err);
	fill_node(node, &e->st);
	if (S_ISLNK(node->mode)) {
		node->size = strlen(link);
		node->link = ero_arena_string(&s->tree->arena, link, (size_t)node->size);
		if (!node->link)
			return ero_fail_memory(err);
	}
	rc = add_xattrs(s, node, look, e, err);
	if (!rc)
		rc = ero_tree_link(s->tree, look->dir, name, node, err);
	if (!rc && S_ISDIR(node->mode) && !ero_vec_push(&s->stack, node))
		rc = ero_fail_memory(err);
	return rc;
}

static void free_look(struct scan *s, struct ero_look *look)
{
	ero_dirfds_put(s->fds, look->held);
	ero_vec_free(&look->entries);
	ero_vec_free(&look->text);
	free(look);
}

static int take_one(struct scan *s, struct ero_error *err)
{
	struct ero_look *look = (struct ero_look *)ero_pool_take(s->pool);
	int rc = look->rc;

	if (rc)
		*err = look->err;
	for (size_t i = 0; !rc && i < look->entries.count; i++) {
		if (look->text.data[look->entries.data[i].name]) {
			rc = add_entry(s, look, &look->entries.data[i], err);
		} else { /* the root itself */
			fill_node(s->tree->root, &look->entries.data[i].st);
			rc = add_xattrs(s, s->tree->root, look, &look->entries.data[i], err);
		}
	}
	free_look(s, look);
	return rc;
}

/* ---- listing ---- */

static int new_look(struct scan *s, struct ero_node *dir, struct ero_look **look, struct ero_error *err)
{
	int rc;

	*look = calloc(1, sizeof(**look));
	if (!*look)
		return ero_fail_memory(err);
	(*look)->job.run = ero_look_run;
	(*look)->options = s->source->options;
	(*look)->by_path = s->by_path;
	(*look)->dir = dir;
	rc = ero_dirfds_get(s->fds, dir, &(*look)->held, err);
	if (rc) {
		free(*look);
		*look = NULL;
	}
	return rc;
}

static int submit(struct scan *s, struct ero_look **look, struct ero_error *err)
{
	int rc = 0;

	if (!*look)
		return 0;
	if (ero_pool_full(s->pool))
		rc = take_one(s, err);
	if (rc)
		free_look(s, *look);
	else
		ero_pool_submit(s->pool, &(*look)->job);
	*look = NULL;
	return rc;
}

static int add_name(struct scan *s, struct ero_node *dir, const char *name, size_t length, struct ero_look **look,
		    struct ero_error *err)
{
	int rc = 0;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (strlen(name) > NAME_MAX) { /* some file systems have longer ones */
		s->path[length] = '\0';
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENAMETOOLONG, "a name in %s has %zu bytes; EROFS has names up to %d",
				dir->parent ? s->path : "the top directory", strlen(name), NAME_MAX);
	}
	memcpy(s->path + length, name, strlen(name) + 1);
	if (ero_filter_excludes(s->source->filter, s->path))
		return 0;
	if (*look && (*look)->entries.count == NAMES_A_JOB)
		rc = submit(s, look, err);
	if (!rc && !*look)
		rc = new_look(s, dir, look, err);
	if (!rc && !ero_look_name(*look, name))
		rc = ero_fail_memory(err);
	return rc;
}

static int open_listing(struct scan *s, const struct ero_node *dir, DIR **stream, struct ero_error *err)
{
	struct ero_dirfd *held;
	int rc = ero_dirfds_get(s->fds, dir, &held, err);
	int fd;

	if (rc)
		return rc;
	fd = openat(held->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
	*stream = fd < 0 ? NULL : fdopendir(fd);
	if (!*stream) {
		rc = ero_fail_errno(err, "cannot list the directory %s of the source", dir->parent ? s->path : "(top)");
		if (fd >= 0)
			close(fd);
	}
	ero_dirfds_put(s->fds, held);
	return rc;
}

static int list(struct scan *s, struct ero_node *dir, struct ero_error *err)
{
	struct ero_look *look = NULL;
	DIR *stream = NULL;
	size_t length = 0;
	int rc = build_path(s, dir, &length, err);

	if (!rc)
		rc = open_listing(s, dir, &stream, err);
	if ((rc == -ENOENT || rc == -ENOTDIR) && dir->parent) { /* removed, or replaced, since it was looked at */
		ero_source_warn(s->source->options, "%.*s is left out: it has gone while the source was read", (int)(length - 1), s->path);
		ero_tree_unlink(dir);
		return 0;
	}
	while (!rc) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		s->path[length] = '\0';
		if (!entry && errno)
			rc = ero_fail_errno(err, "cannot list the directory %s of the source", dir->parent ? s->path : "(top)");
		if (!entry)
			break;
		rc = add_name(s, dir, entry->d_name, length, &look, err);
	}
	if (stream)
		closedir(stream);
	if (!rc)
		return submit(s, &look, err);
	if (look)
		free_look(s, look);
	return rc;
}

static int walk(struct scan *s, struct ero_error *err)
{
	struct ero_look *root = NULL;
	int rc = new_look(s, s->tree->root, &root, err);

	if (rc)
		return rc;
	if (!ero_look_name(root, "") || !ero_vec_push(&s->stack, s->tree->root)) {
		free_look(s, root);
		return ero_fail_memory(err);
	}
	rc = submit(s, &root, err);
	while (!rc && (s->stack.count || !ero_pool_empty(s->pool))) {
		if (s->stack.count)
			rc = list(s, s->stack.data[--s->stack.count], err);
		else
			rc = take_one(s, err);
	}
	return rc;
}

/* Preloaded libraries (fakeroot, pseudo) answer for paths; without /proc there is no other way. */
static bool wants_paths(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return (preload && *preload) || access("/proc/self/fd", X_OK);
}

int ero_scan(struct ero_source *source, struct ero_dirfds *fds, const struct stat *target, struct ero_tree *tree,
	     struct ero_error *err)
{
	struct ero_pool_options options = { .threads = source->options->workers, .in_flight = 32,
					    .make_worker = ero_look_make_worker, .free_worker = ero_look_free_worker };
	struct scan s = { .source = source, .fds = fds, .target = target, .tree = tree };
	int rc = ero_pool_create(&options, &s.pool, err);

	if (!rc && wants_paths()) {
		s.by_path = realpath(source->options->source, NULL);
		rc = s.by_path ? 0 : ero_fail_errno(err, "cannot find the path of %s", source->options->source);
	}
	if (!rc)
		rc = walk(&s, err);
	while (s.pool && !ero_pool_empty(s.pool)) /* after a failure */
		free_look(&s, (struct ero_look *)ero_pool_take(s.pool));
	ero_pool_free(s.pool);
	ero_vec_free(&s.stack);
	ero_vec_free(&s.links);
	ero_keys_free(&s.linked);
	free(s.path);
	free(s.by_path);
	return rc;
}
