// SPDX-License-Identifier: MIT
/* System calls on names relative to an open directory; no link is followed. */
#include "source/look.h"
#include "base/bytes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

struct worker {
	char *names, *value;       /* buffers for xattrs */
	size_t names_room, value_room;
	bool no_listxattrat;
};

void *ero_look_make_worker(void *context)
{
	(void)context;
	return calloc(1, sizeof(struct worker));
}

void ero_look_free_worker(void *worker)
{
	struct worker *w = worker;

	free(w->names);
	free(w->value);
	free(w);
}

/* ---- the text of a job ---- */

static bool append(struct ero_look *look, const void *bytes, size_t length, size_t *at)
{
	if (!ero_vec_reserve(&look->text, length))
		return false;
	*at = look->text.count;
	memcpy(look->text.data + look->text.count, bytes, length);
	look->text.count += length;
	return true;
}

bool ero_look_name(struct ero_look *look, const char *name)
{
	struct ero_look_entry e = { 0 };

	return append(look, name, strlen(name) + 1, &e.name) && ero_vec_push(&look->entries, e);
}

void ero_look_xattr(const struct ero_look *look, size_t *at, const char **name, const char **value, uint32_t *length)
{
	const char *text = look->text.data + *at;
	size_t name_size = strlen(text) + 1;

	*name = text;
	*length = ero_get32((const uint8_t *)text + name_size);
	*value = text + name_size + 4;
	*at += name_size + 4 + *length;
}

/* Fails with errno, "cannot DO PATH". */
static int fail_on(struct ero_look *look, const struct ero_look_entry *e, const char *what)
{
	int code = errno;
	char path[512];

	ero_node_path(look->dir, path, sizeof(path));
	errno = code;
	return ero_fail_errno(&look->err, "cannot %s %s%s%s", what, path, *path ? "/" : "", look->text.data + e->name);
}

/* ---- xattrs ---- */

/* listxattrat(2), since Linux 6.13 (the number is the same on all but one architecture), spares the way through /proc. */
#if !defined(SYS_listxattrat) && !defined(__alpha__)
#define SYS_listxattrat 465
#endif

/* Where there is no system call number for it, or full paths are wanted (which go through the C library alone), the older way. */
static ssize_t list_once(struct worker *w, const struct ero_look *look, const char *name, const char *path)
{
#ifdef SYS_listxattrat
	if (!w->no_listxattrat && !look->by_path) {
		long n = syscall(SYS_listxattrat, look->held->fd, name, AT_SYMLINK_NOFOLLOW, w->names, w->names_room);

		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n;
		w->no_listxattrat = true; /* an older kernel, or a sandbox that does not know it */
	}
#endif
	return llistxattr(path, w->names, w->names_room);
}

/* Buffers grow until the kernel is content; ENODATA and ENOTSUP mean "none". */
static ssize_t list_names(struct worker *w, const struct ero_look *look, const char *name, const char *path)
{
	for (;;) {
		ssize_t n = list_once(w, look, name, path);

		if (n >= 0 && (n == 0 || w->names_room))
			return n;
		if (n < 0 && errno != ERANGE)
			return errno == ENOTSUP || errno == ENODATA ? 0 : -1;
		if (!ero_vec_grow((void **)&w->names, &w->names_room, w->names_room, 4096, 1)) {
			errno = ENOMEM;
			return -1;
		}
	}
}

static ssize_t get_value(struct worker *w, const char *path, const char *name)
{
	for (;;) {
		ssize_t n = lgetxattr(path, name, w->value, w->value_room);

		if (n >= 0 && w->value_room)
			return n;
		if (n < 0 && errno != ERANGE)
			return -1;
		if (!ero_vec_grow((void **)&w->value, &w->value_room, w->value_room, 4096, 1)) {
			errno = ENOMEM;
			return -1;
		}
	}
}

static int keep_xattr(struct ero_look *look, struct ero_look_entry *e, struct worker *w, const char *path,
		      const char *name)
{
	ssize_t n = get_value(w, path, name);
	uint8_t length[4];
	size_t at;

	if (n < 0 && (errno == ENODATA || errno == ENOENT))
		return 0; /* removed meanwhile */
	if (n < 0)
		return fail_on(look, e, "read an xattr of");
	ero_put32(length, (uint32_t)n);
	if (!append(look, name, strlen(name) + 1, &at) || !append(look, length, 4, &at) ||
	    !append(look, w->value, (size_t)n, &at))
		return ero_fail_memory(&look->err);
	e->xattr_count++;
	return 0;
}

/*
 * A path for calls that have no form for open directories; malloc'ed. It goes through /proc/self/fd, where the directory is the open one
 * and nothing behind it is followed. A library like fakeroot's, that is preloaded, knows names and not descriptors, and a build
 * sandbox may have no /proc: there it is the full path.
 */
static char *path_of(const struct ero_look *look, const char *name)
{
	char *path = NULL;
	size_t need = 1;

	if (look->by_path) {
		char *below;

		for (const struct ero_node *n = look->dir; n->parent; n = n->parent)
			need += strlen(n->name) + 1;
		below = malloc(need + 8);
		if (!below)
			return NULL;
		ero_node_path(look->dir, below, need + 8);
		if (asprintf(&path, "%s/%s%s%s", look->by_path, below, *below ? "/" : "", name) < 0)
			path = NULL;
		free(below);
	} else if (asprintf(&path, "/proc/self/fd/%d/%s", look->held->fd, name) < 0) {
		path = NULL;
	}
	return path;
}

static int look_at_xattrs(struct ero_look *look, struct ero_look_entry *e, struct worker *w)
{
	char name[NAME_MAX + 1];
	ERO_AUTO_FREE char *path = NULL;
	ssize_t total;
	int rc = 0;

	snprintf(name, sizeof(name), "%s", look->text.data[e->name] ? look->text.data + e->name : ".");
	path = path_of(look, name);
	if (!path)
		return ero_fail_memory(&look->err);
	total = list_names(w, look, name, path);
	if (total < 0 && errno == ENOENT && look->text.data[e->name]) {
		e->gone = true;
		return 0;
	}
	if (total < 0)
		return fail_on(look, e, "list the xattrs of");
	e->xattrs = look->text.count;
	for (const char *p = w->names, *end = total ? p + total : p; !rc && p < end; p += strlen(p) + 1) {
		if (look->options->file_contexts && !strcmp(p, "security.selinux"))
			continue; /* replaced by what the contexts file says */
		rc = keep_xattr(look, e, w, path, p);
	}
	return rc;
}

/* ---- a name ---- */

static int look_at_link(struct ero_look *look, struct ero_look_entry *e)
{
	char target[4097];
	ssize_t n = readlinkat(look->held->fd, look->text.data + e->name, target, sizeof(target));

	if (n < 0 && (errno == ENOENT || errno == EINVAL)) { /* removed, or replaced by what is no link */
		e->gone = true;
		return 0;
	}
	if (n < 0)
		return fail_on(look, e, "read the symbolic link");
	if (n == sizeof(target) || n == 0)
		return ero_fail(&look->err, ERO_ERROR_UNSUPPORTED, ENAMETOOLONG, "the symbolic link %s is %s",
				look->text.data + e->name, n ? "too long" : "empty");
	target[n] = '\0';
	return append(look, target, (size_t)n + 1, &e->link) ? 0 : ero_fail_memory(&look->err);
}

/* An empty name is the directory itself. */
static int look_at(struct ero_look *look, struct ero_look_entry *e, struct worker *w)
{
	const char *name = look->text.data + e->name;
	int rc = 0;

	if (statx(look->held->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH),
		  STATX_BASIC_STATS, &e->st)) {
		e->gone = *name && errno == ENOENT; /* since it was listed */
		return e->gone ? 0 : fail_on(look, e, "look at");
	}
	if (S_ISLNK(e->st.stx_mode))
		rc = look_at_link(look, e);
	if (!rc && !e->gone && look->options->xattr_tolerance >= 0)
		rc = look_at_xattrs(look, e, w);
	return rc;
}

void ero_look_run(struct ero_job *job, void *worker)
{
	struct ero_look *look = (struct ero_look *)job;

	look->rc = worker ? 0 : ero_fail_memory(&look->err);
	for (size_t i = 0; !look->rc && i < look->entries.count; i++)
		look->rc = look_at(look, &look->entries.data[i], worker);
}
