// SPDX-License-Identifier: MIT
/* Owner first (it clears set-id bits and capabilities), then xattrs, then mode, then times (each before moves them). */
#include "base/cleanup.h"
#include "extract/extract.h"
#include "image/xattr.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* What gets them: an open file; or, where to open it would follow a link or start something, what only stands for it (O_PATH), which
 * the calls reach by its name in /proc. */
struct target {
	int fd;
	bool stands;      /* for it */
	char path[32];    /* in /proc */
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
	rc = t->stands ? setxattr(t->path, x->name, x->value, x->value_length, 0) : fsetxattr(t->fd, x->name, x->value, x->value_length, 0);
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

static int set_mode(const struct target *t, mode_t mode, struct ero_error *err)
{
	int rc = t->stands ? chmod(t->path, mode) : fchmod(t->fd, mode);

	return rc ? ero_fail_errno(err, "cannot set its mode to %04o", mode) : 0;
}

/* Where there is no /proc, the kernel takes the descriptor as well; preloaded libraries such as fakeroot's do not. */
static int set_owner(const struct target *t, uid_t uid, gid_t gid, struct ero_error *err)
{
	int rc = t->stands ? chown(t->path, uid, gid) : fchown(t->fd, uid, gid);

	if (rc && t->stands && errno == ENOENT)
		rc = fchownat(t->fd, "", uid, gid, AT_EMPTY_PATH);
	return rc ? ero_fail_errno(err, "cannot give it to owner %u:%u", uid, gid) : 0;
}

static int set_times(const struct target *t, const struct ero_inode *inode, struct ero_error *err)
{
	struct timespec times[2] = { { inode->mtime, inode->mtime_nsec }, { inode->mtime, inode->mtime_nsec } };
	int rc = t->stands ? utimensat(AT_FDCWD, t->path, times, 0) : futimens(t->fd, times);

	if (rc && t->stands && errno == ENOENT)
		rc = utimensat(t->fd, "", times, AT_EMPTY_PATH);
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

int ero_extract_attributes_of_special(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
				      struct ero_error *err)
{
	ERO_AUTO_CLOSE int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct target t = { .fd = fd, .stands = true };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return ero_fail_errno(err, "cannot look at it again");
	/* somebody may have put another file under the name since it was made, or a hard link to one */
	if ((st.st_mode & S_IFMT) != (inode->mode & S_IFMT) || st.st_nlink != 1)
		return ero_fail(err, ERO_ERROR_IO, EEXIST, "something else has taken its place");
	snprintf(t.path, sizeof(t.path), "/proc/self/fd/%d", fd);
	return set_all(x, &t, inode, err);
}
