// SPDX-License-Identifier: MIT
/* O_TMPFILE where the file system has it, a hidden name elsewhere. */
#include "base/tempfile.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

int ero_tempfile_parent(const char *path, char **base, struct ero_error *err)
{
	const char *slash = strrchr(path, '/');
	ERO_AUTO_FREE char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd;

	*base = strdup(slash ? slash + 1 : path);
	if (!parent || !*base)
		return ero_fail_memory(err);
	if (!**base)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EISDIR, "%s is a directory, not a file to write an image to", path);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) /* it may be entered, but not listed */
		fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? ero_fail_errno(err, "cannot open the directory of %s", path) : fd;
}

/* The first name that is tried for a target is always the same, so that what a killed build left is found by the next. */
static void temp_name(char name[ERO_TEMPFILE_NAME], const char *base, int tries)
{
	uint64_t number = 0;

	if (tries == 0)
		number = XXH3_64bits(base, strlen(base));
	else if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)getpid() + (unsigned)tries;
	/* the name stays short whatever the target's length, since 255 bytes is the limit of most file systems */
	snprintf(name, ERO_TEMPFILE_NAME, ".%.16s.%016llx.tmp", base, (unsigned long long)number);
}

/* Removes a temporary file that nobody has open any more: those in use are locked. */
static void remove_stale(int dir, const char *name)
{
	ERO_AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		(void)unlinkat(dir, name, 0);
}

/* Locks a file that has a name already; false if another build of the same target took it for a stale one before. */
static bool lock_named(int fd)
{
	struct stat st;

	(void)flock(fd, LOCK_EX | LOCK_NB); /* where there are no locks, nothing is taken for stale */
	return fstat(fd, &st) || st.st_nlink;
}

static int create_named(int dir, const char *base, char name[ERO_TEMPFILE_NAME])
{
	int fd = -1;

	for (int tries = 0; tries < 8; tries++) {
		temp_name(name, base, tries);
		if (!tries)
			remove_stale(dir, name);
		fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			break;
		if (fd >= 0 && lock_named(fd))
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (fd < 0)
		name[0] = '\0';
	return fd;
}

static int create_unnamed(int dir)
{
	int fd = openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX | LOCK_NB);
	return fd;
}

/* Does this system not know O_TMPFILE, or this file system? */
static bool is_unknown(int code)
{
	return code == EOPNOTSUPP || code == EISDIR || code == ENOENT || code == EINVAL || code == ENOSYS;
}

int ero_tempfile_create(int dir, const char *base, char name[ERO_TEMPFILE_NAME])
{
	int fd;

	name[0] = '\0';
	if (access("/proc/self/fd", X_OK)) /* by which it would get its name */
		return create_named(dir, base, name);
	fd = create_unnamed(dir);
	return fd >= 0 || !is_unknown(errno) ? fd : create_named(dir, base, name);
}

int ero_tempfile_name(int dir, const char *base, int fd, char name[ERO_TEMPFILE_NAME])
{
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 8; tries++) {
		temp_name(name, base, tries);
		if (!tries)
			remove_stale(dir, name);
		if (!linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW) || !linkat(fd, "", dir, name, AT_EMPTY_PATH))
			return 0;
		if (errno != EEXIST)
			break;
	}
	name[0] = '\0';
	return -1;
}

static int spill_in(int dir)
{
	char name[ERO_TEMPFILE_NAME];
	int fd = create_unnamed(dir);

	if (fd >= 0 || !is_unknown(errno))
		return fd;
	fd = create_named(dir, "spill", name);
	if (fd >= 0)
		unlinkat(dir, name, 0);
	return fd;
}

int ero_tempfile_spill(const char *target, struct ero_error *err)
{
	const char *const elsewhere[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	ERO_AUTO_FREE char *base = NULL;
	struct stat st;
	bool here = !strcmp(target, "-") || (stat(target, &st) == 0 && !S_ISREG(st.st_mode));
	ERO_AUTO_CLOSE int beside = ero_tempfile_parent(here ? "./spill" : target, &base, NULL);
	int code, fd = beside < 0 ? -1 : spill_in(beside);

	code = errno;
	for (size_t i = 0; fd < 0 && i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		ERO_AUTO_CLOSE int dir = elsewhere[i] ? open(elsewhere[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

		fd = dir < 0 ? -1 : spill_in(dir);
	}
	if (fd < 0)
		fd = memfd_create("erolith", MFD_CLOEXEC);
	errno = code;
	return fd < 0 ? ero_fail_errno(err, "cannot create a temporary file beside %s", target) : fd;
}
