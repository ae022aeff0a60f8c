// SPDX-License-Identifier: MIT
/* Atomic output: O_TMPFILE where the file system has it, a hidden name beside the target elsewhere. */
#include "base/outfile.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum kind { REPLACE, IN_PLACE, PIPE };

struct ero_outfile {
	enum kind kind;
	int fd;           /* what is written */
	int dir;          /* of the target; REPLACE and PIPE */
	char *target;     /* as the caller said it, for messages */
	char *base;       /* last component of the target */
	char temp[64];    /* name of the temporary file in dir, or empty while it has none */
	uint64_t keep;    /* bytes before the image; all offsets count from there */
	uint64_t started; /* writeback has been started up to here */
	_Atomic uint64_t reserved; /* space on the disk has been taken up to here */
};

/* Splits a path: an open descriptor of the directory and the last component. */
static int open_parent(const char *target, char **base, struct ero_error *err)
{
	const char *slash = strrchr(target, '/');
	ERO_AUTO_FREE char *parent = slash ? strndup(target, slash == target ? 1 : (size_t)(slash - target)) : strdup(".");
	int fd;

	*base = strdup(slash ? slash + 1 : target);
	if (!parent || !*base)
		return ero_fail_memory(err);
	if (!**base)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EISDIR, "%s is a directory, not a file to write an image to", target);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ero_fail_errno(err, "cannot open the directory of %s", target);
	return fd;
}

/* The first name that is tried for a target is always the same, so that what a killed build left is found by the next. */
static void temp_name(char *name, size_t size, const char *base, int tries)
{
	uint64_t number = 0;

	if (tries == 0)
		number = XXH3_64bits(base, strlen(base));
	else if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)getpid() + (unsigned)tries;
	/* the name stays short whatever the target's length, since 255 bytes is the limit of most file systems */
	snprintf(name, size, ".%.16s.%016llx.tmp", base, (unsigned long long)number);
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

/* A file without a name in `dir`, or one with a temporary name where O_TMPFILE is not known. */
static int make_temp(int dir, const char *base, char *name, size_t size)
{
	int fd = openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);

	name[0] = '\0';
	if (fd >= 0)
		(void)flock(fd, LOCK_EX | LOCK_NB);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd;
	for (int tries = 0; tries < 8; tries++) {
		temp_name(name, size, base, tries);
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

/* The new file starts with the first `keep` bytes of the old target (mkfs --offset). */
static int copy_kept(struct ero_outfile *out, struct ero_error *err)
{
	ERO_AUTO_CLOSE int old = openat(out->dir, out->base, O_RDONLY | O_CLOEXEC);
	char buffer[65536];

	if (old < 0)
		return errno == ENOENT ? 0 : ero_fail_errno(err, "cannot read the old %s", out->target);
	for (uint64_t done = 0; done < out->keep;) {
		size_t want = out->keep - done < sizeof(buffer) ? (size_t)(out->keep - done) : sizeof(buffer);
		ssize_t n = ero_pread_some(old, buffer, want, done);
		int rc;

		if (n < 0) {
			errno = (int)-n;
			return ero_fail_errno(err, "cannot read the old %s", out->target);
		}
		if (n == 0)
			break;
		rc = ero_pwrite_full(out->fd, buffer, (size_t)n, done, out->target, err);
		if (rc)
			return rc;
		done += (uint64_t)n;
	}
	return 0;
}

static int open_target(struct ero_outfile *out, struct ero_error *err)
{
	bool pipe = !strcmp(out->target, "-");
	struct stat st;
	int rc;

	if (!pipe && stat(out->target, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EISDIR,
					"%s is a directory, not a file to write an image to", out->target);
		if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
			pipe = true;
		else if (S_ISBLK(st.st_mode)) {
			out->kind = IN_PLACE;
			out->fd = open(out->target, O_RDWR | O_EXCL | O_CLOEXEC);
			return out->fd < 0 ? ero_fail_errno(err, "cannot open device %s for writing", out->target) : 0;
		} else if (!S_ISREG(st.st_mode))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s is no file, device or pipe to write an image to",
					out->target);
	}
	out->kind = pipe ? PIPE : REPLACE;
	rc = open_parent(pipe ? "./pipe" : out->target, &out->base, err);
	if (rc < 0)
		return rc;
	out->dir = rc;
	out->fd = make_temp(out->dir, out->base, out->temp, sizeof(out->temp));
	if (out->fd < 0)
		return ero_fail_errno(err, "cannot create a temporary file beside %s", out->target);
	return out->keep && !pipe ? copy_kept(out, err) : 0;
}

/* Where the user named a symbolic link, the file behind it is what gets replaced. */
static char *resolve_target(const char *target)
{
	struct stat st;

	if (strcmp(target, "-") && lstat(target, &st) == 0 && S_ISLNK(st.st_mode))
		return realpath(target, NULL);
	return strdup(target);
}

int ero_outfile_open(const char *target, uint64_t keep, struct ero_outfile **result, struct ero_error *err)
{
	struct ero_outfile *out = calloc(1, sizeof(*out));
	int rc;

	*result = NULL;
	if (!out)
		return ero_fail_memory(err);
	out->fd = out->dir = -1;
	out->keep = keep;
	out->reserved = keep;
	out->target = resolve_target(target);
	if (!out->target)
		rc = ero_fail_errno(err, "cannot resolve the link %s", target);
	else
		rc = open_target(out, err);
	if (rc) {
		ero_outfile_close(out);
		return rc;
	}
	*result = out;
	return 0;
}

/*
 * Takes space before it is written. Data comes first and leaves gaps for the metadata among it, and a file system that has to place what is
 * before the gaps are filled scatters the image over the disk: the kernel sources with LZ4 lay in 1,100 pieces on ext4 and 18,000 on btrfs,
 * in 9 and 2 so. The final size gives back what was too much. Where it fails nothing but this is lost.
 */
static void reserve(struct ero_outfile *out, uint64_t end)
{
	const uint64_t least = 1 << 20, most = 64 << 20;
	uint64_t from = atomic_load(&out->reserved);

	while (end > from) {
		uint64_t step = from < least ? least : from < most ? from : most;

		if (!atomic_compare_exchange_weak(&out->reserved, &from, from + step))
			continue; /* another thread was faster, and `from` is now what it has left */
		if (fallocate(out->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)step)) {
			atomic_store(&out->reserved, UINT64_MAX);
			return;
		}
		from += step;
	}
}

int ero_outfile_write(struct ero_outfile *out, const void *data, size_t length, uint64_t offset,
		      struct ero_error *err)
{
	if (out->kind == REPLACE)
		reserve(out, out->keep + offset + length);
	return ero_pwrite_full(out->fd, data, length, out->keep + offset, out->target, err);
}

int ero_outfile_descriptor(const struct ero_outfile *out)
{
	return out->fd;
}

void ero_outfile_start_writeback(struct ero_outfile *out, uint64_t offset)
{
	const uint64_t step = 32 << 20;

	offset += out->keep;
	if (out->kind == PIPE || offset < out->started + step)
		return;
	/* only a hint: what it fails to start, the sync at the end does */
	(void)sync_file_range(out->fd, (off_t)out->started, (off_t)(offset - out->started), SYNC_FILE_RANGE_WRITE);
	out->started = offset;
}

static int copy_to_pipe(struct ero_outfile *out, uint64_t size, struct ero_error *err)
{
	bool standard = !strcmp(out->target, "-");
	ERO_AUTO_CLOSE int opened = standard ? -1 : open(out->target, O_WRONLY | O_CLOEXEC);
	int to = standard ? STDOUT_FILENO : opened;
	char buffer[65536];

	if (to < 0)
		return ero_fail_errno(err, "cannot open %s for writing", out->target);
	for (uint64_t done = 0; done < size;) {
		size_t part = size - done < sizeof(buffer) ? (size_t)(size - done) : sizeof(buffer);
		int rc = ero_pread_full(out->fd, buffer, part, done, "the finished image", err);

		if (!rc)
			rc = ero_write_full(to, buffer, part, standard ? "standard output" : out->target, err);
		if (rc)
			return rc;
		done += part;
	}
	return 0;
}

/* Gives an unnamed file a name beside the target, since a link cannot replace what is there. */
static int name_temp(struct ero_outfile *out, struct ero_error *err)
{
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", out->fd);
	for (int tries = 0; tries < 8; tries++) {
		temp_name(out->temp, sizeof(out->temp), out->base, tries);
		if (!tries)
			remove_stale(out->dir, out->temp);
		if (!linkat(AT_FDCWD, proc, out->dir, out->temp, AT_SYMLINK_FOLLOW))
			return 0;
		if (errno != EEXIST)
			break;
	}
	out->temp[0] = '\0';
	return ero_fail_errno(err, "cannot name the finished image beside %s", out->target);
}

/* Mode and owner of the file that is replaced are kept as far as we may. */
static void keep_identity(struct ero_outfile *out)
{
	struct stat st;

	if (fstatat(out->dir, out->base, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	if (!fchown(out->fd, st.st_uid, st.st_gid) || st.st_uid == geteuid())
		(void)fchmod(out->fd, st.st_mode & 07777);
}

static int check_device_size(struct ero_outfile *out, uint64_t size, struct ero_error *err)
{
	uint64_t room = 0;

	if (ioctl(out->fd, BLKGETSIZE64, &room))
		return ero_fail_errno(err, "cannot learn the size of device %s", out->target);
	if (size > room)
		return ero_fail(err, ERO_ERROR_IO, ENOSPC, "device %s has %llu bytes, the image needs %llu", out->target,
				(unsigned long long)room, (unsigned long long)size);
	return 0;
}

int ero_outfile_commit(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err)
{
	int rc;

	size += out->keep;
	if (out->kind == IN_PLACE) {
		rc = check_device_size(out, size, err);
		if (!rc && sync && fsync(out->fd))
			rc = ero_fail_errno(err, "cannot sync device %s", out->target);
		return rc;
	}
	if (ftruncate(out->fd, (off_t)size))
		return ero_fail_errno(err, "cannot set the size of %s", out->target);
	if (out->kind == PIPE)
		return copy_to_pipe(out, size, err);
	keep_identity(out);
	if (sync && fsync(out->fd))
		return ero_fail_errno(err, "cannot write %s to stable storage", out->target);
	if (!out->temp[0]) {
		rc = name_temp(out, err);
		if (rc)
			return rc;
	}
	if (renameat(out->dir, out->temp, out->dir, out->base))
		return ero_fail_errno(err, "cannot give the finished image the name %s", out->target);
	out->temp[0] = '\0';
	if (sync)
		(void)fsync(out->dir); /* some file systems refuse to sync a directory; the file itself is safe */
	return 0;
}

void ero_outfile_close(struct ero_outfile *out)
{
	if (!out)
		return;
	if (out->temp[0])
		unlinkat(out->dir, out->temp, 0);
	if (out->fd >= 0)
		close(out->fd);
	if (out->dir >= 0)
		close(out->dir);
	free(out->target);
	free(out->base);
	free(out);
}

int ero_outfile_spill(const char *target, struct ero_error *err)
{
	ERO_AUTO_FREE char *base = NULL;
	struct stat st;
	bool here = !strcmp(target, "-") || (stat(target, &st) == 0 && !S_ISREG(st.st_mode));
	ERO_AUTO_CLOSE int dir = open_parent(here ? "./spill" : target, &base, err);
	char name[64];
	int fd;

	if (dir < 0)
		return dir;
	fd = make_temp(dir, "spill", name, sizeof(name));
	if (fd < 0)
		return ero_fail_errno(err, "cannot create a temporary file beside %s", target);
	if (name[0])
		unlinkat(dir, name, 0);
	return fd;
}
