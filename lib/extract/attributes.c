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

struct xattr_target {
	const char *path;
	int failed;          /* first errno */
	char name[300];
};

static int set_xattr(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct xattr_target *t = context;

	(void)err;
	if (!x->base_index)
		return 0; /* the kernel's own */
	if (lsetxattr(t->path, x->name, x->value, x->value_length, 0) && !t->failed) {
		t->failed = errno;
		snprintf(t->name, sizeof(t->name), "%.299s", x->name);
	}
	return 0;
}

static int set_xattrs(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
		      struct ero_error *err)
{
	char path[32 + NAME_MAX + 2];
	struct xattr_target t = { .path = path };
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	rc = ero_xattr_each(x->image, inode, set_xattr, &t, err);
	if (!rc && t.failed) {
		errno = t.failed;
		rc = ero_fail_errno(err, "cannot set xattr %s", t.name);
	}
	return rc;
}

/* Changes the mode of what `name` is now, unless that is a link: another entry may have taken the name meanwhile. */
static int set_mode(int dirfd, const char *name, mode_t mode, struct ero_error *err)
{
	ERO_AUTO_CLOSE int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return ero_fail_errno(err, "cannot look at it again");
	if (S_ISLNK(st.st_mode))
		return ero_fail(err, ERO_ERROR_IO, ELOOP, "a symbolic link has taken its place");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) ? ero_fail_errno(err, "cannot set its mode to %04o", mode) : 0;
}

/* The first failure is the one that is told; what comes after it is still tried. */
int ero_extract_attributes(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
			   struct ero_error *err)
{
	struct timespec times[2] = { { inode->mtime, inode->mtime_nsec }, { inode->mtime, inode->mtime_nsec } };
	mode_t mode = inode->mode & 07777;
	int rc = 0;

	if (x->options->owners && fchownat(dirfd, name, inode->uid, inode->gid, AT_SYMLINK_NOFOLLOW))
		rc = ero_fail_errno(err, "cannot give it to owner %u:%u", inode->uid, inode->gid);
	if (!rc && x->options->xattrs)
		rc = set_xattrs(x, dirfd, name, inode, err);
	if (!x->options->permissions)
		mode &= (mode_t)(0777 & ~x->umask);
	if (!S_ISLNK(inode->mode)) {
		int mode_rc = set_mode(dirfd, name, mode, rc ? NULL : err);

		rc = rc ? rc : mode_rc;
	}
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) && !rc)
		rc = ero_fail_errno(err, "cannot set its time");
	return rc;
}
