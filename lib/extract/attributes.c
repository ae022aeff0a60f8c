// SPDX-License-Identifier: MIT
/* Owner first (it clears set-id bits and capabilities), then xattrs, then mode, then times (each before moves them). */
#include "base/cleanup.h"
#include "extract/extract.h"
#include "image/xattr.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* What gets them: an open file; or, where to open it would follow a link or start something, a name in a directory. */
struct target {
	int fd;           /* -1: it is a name */
	int dirfd;
	const char *name;
	char path[32 + NAME_MAX + 2]; /* the name, for calls that know no directories */
	int xattr_error;  /* first errno, and of which */
	char xattr[300];
};

static int set_xattr(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct target *t = context;
	int rc;

	(void)err;
	if (!x->base_index)
		return 0; /* the kernel's own */
	rc = t->fd < 0 ? lsetxattr(t->path, x->name, x->value, x->value_length, 0) : fsetxattr(t->fd, x->name, x->value, x->value_length, 0);
	if (rc && !t->xattr_error) {
		t->xattr_error = errno;
		snprintf(t->xattr, sizeof(t->xattr), "%.299s", x->name);
	}
	return 0;
}

static int set_xattrs(struct ero_extractor *x, struct target *t, const struct ero_inode *inode, struct ero_error *err)
{
	int rc = ero_xattr_each(x->image, inode, set_xattr, t, err);

	if (!rc && t->xattr_error) {
		errno = t->xattr_error;
		rc = ero_fail_errno(err, "cannot set xattr %s", t->xattr);
	}
	return rc;
}

/* Changes the mode of what the name is now, unless that is a link: another entry may have taken the name meanwhile. */
static int set_mode_by_name(const struct target *t, mode_t mode, struct ero_error *err)
{
	ERO_AUTO_CLOSE int fd = openat(t->dirfd, t->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return ero_fail_errno(err, "cannot look at it again");
	if (S_ISLNK(st.st_mode))
		return ero_fail(err, ERO_ERROR_IO, ELOOP, "a symbolic link has taken its place");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) ? ero_fail_errno(err, "cannot set its mode to %04o", mode) : 0;
}

static int set_mode(const struct target *t, mode_t mode, struct ero_error *err)
{
	if (t->fd < 0)
		return set_mode_by_name(t, mode, err);
	return fchmod(t->fd, mode) ? ero_fail_errno(err, "cannot set its mode to %04o", mode) : 0;
}

static int set_owner(const struct target *t, uid_t uid, gid_t gid, struct ero_error *err)
{
	int rc = t->fd < 0 ? fchownat(t->dirfd, t->name, uid, gid, AT_SYMLINK_NOFOLLOW) : fchown(t->fd, uid, gid);

	return rc ? ero_fail_errno(err, "cannot give it to owner %u:%u", uid, gid) : 0;
}

static int set_times(const struct target *t, const struct ero_inode *inode, struct ero_error *err)
{
	struct timespec times[2] = { { inode->mtime, inode->mtime_nsec }, { inode->mtime, inode->mtime_nsec } };
	int rc = t->fd < 0 ? utimensat(t->dirfd, t->name, times, AT_SYMLINK_NOFOLLOW) : futimens(t->fd, times);

	return rc ? ero_fail_errno(err, "cannot set its time") : 0;
}

/* The first failure is the one that is told; what comes after it is still tried. */
static int set_all(struct ero_extractor *x, struct target *t, const struct ero_inode *inode, struct ero_error *err)
{
	mode_t mode = inode->mode & 07777;
	int rc = 0, later;

	if (x->options->owners)
		rc = set_owner(t, inode->uid, inode->gid, err);
	if (!rc && x->options->xattrs)
		rc = set_xattrs(x, t, inode, err);
	if (!x->options->permissions)
		mode &= (mode_t)(0777 & ~x->umask);
	if (!S_ISLNK(inode->mode)) {
		later = set_mode(t, mode, rc ? NULL : err);
		rc = rc ? rc : later;
	}
	later = set_times(t, inode, rc ? NULL : err);
	return rc ? rc : later;
}

int ero_extract_attributes(struct ero_extractor *x, int fd, const struct ero_inode *inode, struct ero_error *err)
{
	struct target t = { .fd = fd };

	return set_all(x, &t, inode, err);
}

int ero_extract_attributes_at(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
			      struct ero_error *err)
{
	struct target t = { .fd = -1, .dirfd = dirfd, .name = name };

	snprintf(t.path, sizeof(t.path), "/proc/self/fd/%d/%s", dirfd, name);
	return set_all(x, &t, inode, err);
}
