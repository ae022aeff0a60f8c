// SPDX-License-Identifier: MIT
/*
 * A directory as source. Everything is opened relative to an open directory and no link is followed, so that what is
 * read lies below the source whatever others do to it meanwhile; a file that changes between scan and reading is told.
 */
#include "base/cleanup.h"
#include "base/io.h"
#include "base/vec.h"
#include "format/inode.h"
#include "source/dirfds.h"
#include "source/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <xxhash.h>

struct link_slot { /* a file with several names, by identity */
	uint64_t dev, ino;
	struct ero_node *node;
};

struct directory_source {
	struct ero_source base;
	struct ero_dirfds *fds;
	struct link_slot *links;
	size_t link_room, link_count;
	struct stat target;        /* the image being replaced, which is no part of itself */
	bool has_target;
	bool told_xattr;
	bool no_listxattrat;
	char *names, *value;       /* buffers for xattrs */
	size_t names_room, value_room;
};

/* ---- hard links ---- */

static struct link_slot *find_link(struct directory_source *s, uint64_t dev, uint64_t ino)
{
	uint64_t key[2] = { dev, ino };
	size_t at = XXH3_64bits(key, sizeof(key)) & (s->link_room - 1);

	while (s->links[at].node && (s->links[at].dev != dev || s->links[at].ino != ino))
		at = (at + 1) & (s->link_room - 1);
	return &s->links[at];
}

static int grow_links(struct directory_source *s, struct ero_error *err)
{
	struct link_slot *old = s->links;
	size_t room = s->link_room;

	if (s->link_count * 2 < room)
		return 0;
	s->link_room = room ? room * 2 : 256;
	s->links = calloc(s->link_room, sizeof(*s->links));
	if (!s->links) {
		s->links = old;
		s->link_room = room;
		return ero_fail_memory(err);
	}
	for (size_t i = 0; i < room; i++)
		if (old[i].node)
			*find_link(s, old[i].dev, old[i].ino) = old[i];
	free(old);
	return 0;
}

/* ---- xattrs ---- */

/* listxattrat(2), since Linux 6.13 (the number is the same on all but one architecture), spares the way through /proc. */
#if !defined(SYS_listxattrat) && !defined(__alpha__)
#define SYS_listxattrat 465
#endif

static ssize_t list_once(struct directory_source *s, int dirfd, const char *name, const char *path)
{
#ifdef SYS_listxattrat
	if (!s->no_listxattrat) {
		long n = syscall(SYS_listxattrat, dirfd, name, AT_SYMLINK_NOFOLLOW, s->names, s->names_room);

		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n;
		s->no_listxattrat = true; /* an older kernel, or a sandbox that does not know it */
	}
#endif
	return llistxattr(path, s->names, s->names_room);
}

/* Buffers grow until the kernel is content; -ENODATA and -ENOTSUP mean "none". */
static ssize_t list_names(struct directory_source *s, int dirfd, const char *name, const char *path)
{
	for (;;) {
		ssize_t n = list_once(s, dirfd, name, path);

		if (n >= 0 && (n == 0 || s->names_room))
			return n > 0 && (size_t)n > s->names_room ? -ERANGE : n;
		if (n < 0 && errno != ERANGE)
			return errno == ENOTSUP || errno == ENODATA ? 0 : -errno;
		if (!ero_vec_grow((void **)&s->names, &s->names_room, s->names_room, 4096, 1))
			return -ENOMEM;
	}
}

static ssize_t get_value(struct directory_source *s, const char *path, const char *name)
{
	for (;;) {
		ssize_t n = lgetxattr(path, name, s->value, s->value_room);

		if (n >= 0 && s->value_room)
			return n;
		if (n < 0 && errno != ERANGE)
			return -errno;
		if (!ero_vec_grow((void **)&s->value, &s->value_room, s->value_room, 4096, 1))
			return -ENOMEM;
	}
}

static int add_xattr(struct directory_source *s, struct ero_tree *tree, const char *path, const char *shown,
		     const char *name, struct ero_error *err)
{
	ssize_t n = get_value(s, path, name);
	int rc;

	if (n == -ENODATA)
		return 0; /* removed meanwhile */
	if (n < 0) {
		errno = (int)-n;
		return ero_fail_errno(err, "cannot read xattr %s of %s", name, shown);
	}
	rc = ero_xattrs_add(&tree->xattrs, name, s->value, (size_t)n, err);
	if (rc == -EOPNOTSUPP || rc == -E2BIG) { /* foreign names are no reason to fail: say it once, go on */
		if (!s->told_xattr)
			ero_source_warn(s->base.options, "%s: xattr %s is left out (%s); more of this kind are not told", shown,
					name, rc == -E2BIG ? "too large" : "the format has no place for its name");
		s->told_xattr = true;
		return 0;
	}
	return rc;
}

/* The path goes through /proc/self/fd: the directory is the open one, and nothing behind it is followed. */
static int read_xattrs(struct directory_source *s, struct ero_tree *tree, struct ero_node *node, int dirfd,
		       const char *name, const char *shown, struct ero_error *err)
{
	char path[32 + NAME_MAX + 1];
	ssize_t total;
	int rc = 0;

	if (s->base.options->xattr_tolerance < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	total = list_names(s, dirfd, name, path);
	if (total < 0) {
		errno = (int)-total;
		return ero_fail_errno(err, "cannot list the xattrs of %s", shown);
	}
	for (const char *p = s->names; !rc && p < s->names + total; p += strlen(p) + 1) {
		if (s->base.options->file_contexts && !strcmp(p, "security.selinux"))
			continue; /* replaced by what the contexts file says */
		rc = add_xattr(s, tree, path, shown, p, err);
	}
	return rc ? rc : ero_xattrs_commit(&tree->xattrs, &node->xattr_set, err);
}

/* ---- scan ---- */

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
	node->data[0] = st->stx_ino; /* identity, to be compared when the content is read */
	node->data[1] = (uint64_t)st->stx_ctime.tv_sec * 1000000000u + st->stx_ctime.tv_nsec;
}

static int stat_at(int dirfd, const char *name, struct statx *st, const char *shown, struct ero_error *err)
{
	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH), STATX_BASIC_STATS, st))
		return ero_fail_errno(err, "cannot look at %s", shown);
	return 0;
}

static int read_link(struct ero_tree *tree, struct ero_node *node, int dirfd, const char *name, const char *shown,
		     struct ero_error *err)
{
	char target[4097];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return ero_fail_errno(err, "cannot read the symbolic link %s", shown);
	if (n == sizeof(target) || n == 0)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENAMETOOLONG, "the symbolic link %s is %s", shown, n ? "too long" : "empty");
	node->size = (uint64_t)n;
	node->link = ero_arena_string(&tree->arena, target, (size_t)n);
	return node->link ? 0 : ero_fail_memory(err);
}

static bool is_target(const struct directory_source *s, const struct statx *st)
{
	return s->has_target && S_ISREG(st->stx_mode) && st->stx_ino == s->target.st_ino &&
	       makedev(st->stx_dev_major, st->stx_dev_minor) == s->target.st_dev;
}

static int add_entry(struct directory_source *s, struct ero_tree *tree, struct ero_node *dir, int dirfd,
		     const char *name, const char *shown, struct ero_error *err)
{
	struct link_slot *link = NULL;
	struct ero_node *node;
	struct statx st;
	int rc = stat_at(dirfd, name, &st, shown, err);

	if (rc)
		return rc;
	if (is_target(s, &st))
		return 0;
	if (st.stx_nlink > 1 && !S_ISDIR(st.stx_mode) && !s->base.options->hard_dereference) {
		rc = grow_links(s, err);
		if (rc)
			return rc;
		link = find_link(s, makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino);
		if (link->node)
			return ero_tree_link(tree, dir, name, link->node, err);
	}
	node = ero_tree_node(tree, st.stx_mode);
	if (!node)
		return ero_fail_memory(err);
	fill_node(node, &st);
	if (link) {
		*link = (struct link_slot){ makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino, node };
		s->link_count++;
	}
	rc = S_ISLNK(st.stx_mode) ? read_link(tree, node, dirfd, name, shown, err) : 0;
	if (!rc)
		rc = read_xattrs(s, tree, node, dirfd, name, shown, err);
	return rc ? rc : ero_tree_link(tree, dir, name, node, err);
}

/* The path of `dir` with room for one more name behind it; grows with depth, which has no limit. */
struct path_buffer {
	char *text;
	size_t room;
};

static int build_path(struct path_buffer *p, const struct ero_node *dir, size_t *length, struct ero_error *err)
{
	size_t need = NAME_MAX + 2;

	for (const struct ero_node *n = dir; n->parent; n = n->parent)
		need += strlen(n->name) + 1;
	if (!ero_vec_grow((void **)&p->text, &p->room, 0, need + 8, 1))
		return ero_fail_memory(err);
	ero_node_path(dir, p->text, p->room);
	*length = strlen(p->text);
	if (*length)
		p->text[(*length)++] = '/';
	return 0;
}

static int scan_directory(struct directory_source *s, struct ero_tree *tree, struct ero_node *dir,
			  struct path_buffer *path, struct ero_error *err)
{
	struct ero_dirfd *held;
	struct dirent *entry;
	size_t length = 0;
	DIR *stream;
	int rc, fd;

	rc = build_path(path, dir, &length, err);
	if (!rc)
		rc = ero_dirfds_get(s->fds, dir, &held, err);
	if (rc)
		return rc;
	fd = openat(held->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own for the listing */
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		rc = ero_fail_errno(err, "cannot list the directory %s of the source", length ? path->text : "(top)");
		if (fd >= 0)
			close(fd);
	}
	while (!rc) {
		errno = 0;
		entry = readdir(stream);
		if (!entry) {
			if (errno)
				rc = ero_fail_errno(err, "cannot list the directory %s of the source", path->text);
			break;
		}
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		memcpy(path->text + length, entry->d_name, strlen(entry->d_name) + 1);
		if (ero_filter_excludes(s->base.filter, path->text))
			continue;
		rc = add_entry(s, tree, dir, held->fd, entry->d_name, path->text, err);
	}
	if (stream)
		closedir(stream);
	ero_dirfds_put(s->fds, held);
	return rc;
}

static int scan(struct ero_source *source, struct ero_tree *tree, struct ero_error *err)
{
	struct directory_source *s = (struct directory_source *)source;
	ERO_VEC(struct ero_node *) stack = { 0 };
	struct path_buffer path = { 0 };
	struct ero_dirfd *top;
	struct statx st;
	int rc = ero_dirfds_get(s->fds, tree->root, &top, err);

	if (rc)
		return rc;
	rc = stat_at(top->fd, "", &st, source->options->source, err);
	if (!rc) {
		fill_node(tree->root, &st);
		rc = read_xattrs(s, tree, tree->root, top->fd, ".", source->options->source, err);
	}
	ero_dirfds_put(s->fds, top);
	if (!rc && !ero_vec_push(&stack, tree->root))
		rc = ero_fail_memory(err);
	while (!rc && stack.count) {
		struct ero_node *dir = stack.data[--stack.count];

		rc = scan_directory(s, tree, dir, &path, err);
		for (uint32_t i = 0; !rc && i < dir->entry_count; i++)
			if (S_ISDIR(dir->entries[i].node->mode) && !ero_vec_push(&stack, dir->entries[i].node))
				rc = ero_fail_memory(err);
	}
	ero_vec_free(&stack);
	free(path.text);
	free(s->links);
	s->links = NULL;
	return rc;
}

/* ---- content ---- */

static int hold(struct ero_source *source, const struct ero_node *node, struct ero_source_file *file,
		struct ero_error *err)
{
	struct directory_source *s = (struct directory_source *)source;
	struct ero_dirfd *dir;
	int rc = ero_dirfds_get(s->fds, node->parent, &dir, err);

	*file = (struct ero_source_file){ .source = source, .node = node, .fd = -1, .handle = dir };
	return rc;
}

static void drop(struct ero_source_file *file)
{
	if (file->handle)
		ero_dirfds_put(((struct directory_source *)file->source)->fds, file->handle);
	file->handle = NULL;
}

static int fail_on(const struct ero_node *node, const char *doing, struct ero_error *err)
{
	int code = errno;
	char path[512];

	ero_node_path(node, path, sizeof(path));
	errno = code;
	return ero_fail_errno(err, "cannot %s %s of the source", doing, path);
}

/* Size, time and inode number as the scan saw them? */
static bool as_scanned(const struct ero_source_file *file)
{
	const struct ero_node *node = file->node;
	struct stat st;

	return !fstat(file->fd, &st) && (uint64_t)st.st_size == node->size && st.st_ino == node->data[0] &&
	       (uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec == node->data[1];
}

static int open_file(struct ero_source_file *file, struct ero_error *err)
{
	const struct ero_dirfd *dir = file->handle;
	struct stat st;

	file->fd = openat(dir->fd, file->node->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file->fd < 0 && (errno == ELOOP || errno == ENOENT || errno == ENXIO)) {
		file->changed = true; /* removed, or replaced by something else: its content is gone */
		return 0;
	}
	if (file->fd < 0)
		return fail_on(file->node, "open", err);
	if (fstat(file->fd, &st) || !S_ISREG(st.st_mode)) {
		close(file->fd);
		file->fd = -1;
		file->changed = true;
	}
	return 0;
}

static int read_file(struct ero_source_file *file, uint64_t offset, void *buffer, size_t length, struct ero_error *err)
{
	ssize_t n = file->fd < 0 ? 0 : ero_pread_some(file->fd, buffer, length, offset);

	if (n < 0) {
		errno = (int)-n;
		return fail_on(file->node, "read", err);
	}
	if ((size_t)n < length) {
		memset((char *)buffer + n, 0, length - (size_t)n);
		file->changed = true;
	}
	return 0;
}

static int next_data(struct ero_source_file *file, uint64_t offset, uint64_t *start, uint64_t *end,
		     struct ero_error *err)
{
	uint64_t size = file->node->size;
	off_t from, to;

	(void)err;
	*start = offset;
	*end = size;
	if (file->fd < 0)
		return 0;
	from = lseek(file->fd, (off_t)offset, SEEK_DATA);
	if (from < 0 && errno == ENXIO) {
		*start = size;
		return 0;
	}
	to = from < 0 ? -1 : lseek(file->fd, from, SEEK_HOLE);
	if (to < 0)
		return 0; /* the file system cannot tell: all is data */
	*start = (uint64_t)from < size ? (uint64_t)from : size;
	*end = (uint64_t)to < size ? (uint64_t)to : size;
	return 0;
}

static void close_file(struct ero_source_file *file)
{
	if (file->fd < 0)
		return;
	if (!as_scanned(file))
		file->changed = true;
	close(file->fd);
	file->fd = -1;
}

static void destroy(struct ero_source *source)
{
	struct directory_source *s = (struct directory_source *)source;

	ero_dirfds_free(s->fds);
	ero_filter_free(source->filter);
	free(s->links);
	free(s->names);
	free(s->value);
	free(s);
}

int ero_source_directory(const struct ero_build_options *options, struct ero_source **result, struct ero_error *err)
{
	static const struct ero_source_ops ops = { scan, hold, drop, open_file, read_file, next_data, close_file, destroy };
	struct directory_source *s = calloc(1, sizeof(*s));
	int root, rc;

	*result = NULL;
	if (!s)
		return ero_fail_memory(err);
	s->base.ops = &ops;
	s->base.options = options;
	s->has_target = stat(options->target, &s->target) == 0;
	rc = ero_filter_create(options, &s->base.filter, err);
	if (!rc) {
		root = open(options->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = root < 0 ? ero_fail_errno(err, "cannot open the source directory %s", options->source) :
				ero_dirfds_create(root, &s->fds, err);
	}
	if (rc) {
		destroy(&s->base);
		return rc;
	}
	*result = &s->base;
	return 0;
}
