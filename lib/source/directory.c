// SPDX-License-Identifier: MIT
/*
 * A directory as source. Everything is opened relative to an open directory and no link is followed, so that what is
 * read lies below the source whatever others do to it meanwhile; a file that changes between scan and reading is told.
 */
#include "base/io.h"
#include "source/dirfds.h"
#include "source/scan.h"
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct directory_source {
	struct ero_source base;
	struct ero_dirfds *fds;
	struct stat target;        /* the image being replaced, which is no part of itself */
	bool has_target;
};

static int scan(struct ero_source *source, struct ero_tree *tree, struct ero_error *err)
{
	struct directory_source *s = (struct directory_source *)source;

	return ero_scan(source, s->fds, s->has_target ? &s->target : NULL, tree, err);
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

static int open_file(struct ero_source *source, const struct ero_node *node, struct ero_source_file *file,
		     struct ero_error *err)
{
	struct directory_source *s = (struct directory_source *)source;
	struct ero_dirfd *dir;
	struct stat st;
	int code, rc = ero_dirfds_get(s->fds, node->parent, &dir, err);

	*file = (struct ero_source_file){ .source = source, .node = node, .fd = -1 };
	if (rc)
		return rc;
	file->fd = openat(dir->fd, node->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	code = errno;
	ero_dirfds_put(s->fds, dir);
	errno = code;
	if (file->fd < 0 && (errno == ELOOP || errno == ENOENT || errno == ENXIO)) {
		file->changed = true; /* removed, or replaced by something else: its content is gone */
		return 0;
	}
	if (file->fd < 0)
		return fail_on(node, "open", err);
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
	free(s);
}

int ero_source_directory(const struct ero_build_options *options, struct ero_source **result, struct ero_error *err)
{
	static const struct ero_source_ops ops = { scan, open_file, read_file, next_data, close_file, destroy };
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
