// SPDX-License-Identifier: MIT
/* Atomic output, where what is written can be renamed over; and the ways around it where it cannot. */
#include "base/outfile.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/syscalls.h"
#include "base/tempfile.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind {
	REPLACE,  /* a temporary file takes the target's name in the end */
	IN_PLACE, /* a device, or a file that cannot be replaced, is written itself */
	PIPE,     /* what can only be written in order gets the finished file */
};

struct ero_outfile {
	enum kind kind;
	int fd;           /* what is written */
	int dir;          /* of the target; REPLACE */
	int to;           /* PIPE: what gets the finished file */
	char *target;     /* as the caller said it, or the file that a link leads to */
	char *base;       /* last component of the target; REPLACE */
	char temp[ERO_TEMPFILE_NAME]; /* name of the temporary file in dir, or empty while it has none */
	const struct ero_outfile_watch *watch;
	bool device, committed;
	uint64_t keep;    /* bytes before the image; all offsets count from there */
	uint64_t started; /* writeback has been started up to here */
	_Atomic uint64_t reserved; /* space on the disk has been taken up to here */
};

/* ---- the temporary file's name, and who has to know it ---- */

/* Signals wait while a name comes into being, so that a handler knows of each. */
static void hold_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, before);
}

static void tell(const struct ero_outfile *out)
{
	char *path = NULL;

	if (!out->watch || !out->watch->named)
		return;
	if (out->temp[0] && asprintf(&path, "%.*s%s", (int)(strlen(out->target) - strlen(out->base)), out->target, out->temp) < 0)
		path = NULL;
	out->watch->named(out->watch->context, out, path);
	free(path);
}

static int create_temp(struct ero_outfile *out)
{
	sigset_t before;
	int code;

	hold_signals(&before);
	out->fd = ero_tempfile_create(out->dir, out->base, out->temp);
	code = errno;
	tell(out);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = code;
	return out->fd;
}

/* Gives an unnamed file a name beside the target, since a link cannot replace what is there. */
static int name_temp(struct ero_outfile *out, struct ero_error *err)
{
	sigset_t before;
	int rc = 0;

	if (out->temp[0])
		return 0;
	hold_signals(&before);
	if (ero_tempfile_name(out->dir, out->base, out->fd, out->temp))
		rc = ero_fail_errno(err, "cannot name the finished image beside %s", out->target);
	tell(out);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void forget_temp(struct ero_outfile *out)
{
	out->temp[0] = '\0';
	tell(out);
}

/* ---- opening ---- */

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

/* /dev/stdout, /dev/fd/N and the like: the number of a descriptor that this process has; else -1. */
static int descriptor_of(const char *target)
{
	static const char *const prefixes[] = { "/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/" };
	char *end;
	long n;

	if (!strcmp(target, "-") || !strcmp(target, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(target, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const char *number = target + strlen(prefixes[i]);

		if (strncmp(target, prefixes[i], strlen(prefixes[i])) != 0 || *number < '0' || *number > '9')
			continue;
		n = strtol(number, &end, 10);
		if (!*end && n <= INT_MAX)
			return (int)n;
	}
	return -1;
}

/* What is written in order, through a file of its own until it is whole. */
static int open_pipe(struct ero_outfile *out, int to, struct ero_error *err)
{
	out->kind = PIPE;
	out->to = to;
	if (to < 0)
		return ero_fail_errno(err, "cannot open %s for writing", out->target);
	out->fd = ero_tempfile_spill(out->target, err);
	return out->fd < 0 ? out->fd : 0;
}

/* A file begins as if it were new, but for what is to be kept. */
static int open_in_place(struct ero_outfile *out, int fd, struct ero_error *err)
{
	struct stat st;

	out->kind = IN_PLACE;
	out->fd = fd;
	if (fd < 0 || fstat(fd, &st))
		return ero_fail_errno(err, "cannot open %s for writing", out->target);
	out->device = S_ISBLK(st.st_mode);
	if (!out->device && st.st_size > (off_t)out->keep && ftruncate(fd, (off_t)out->keep))
		return ero_fail_errno(err, "cannot empty %s", out->target);
	return 0;
}

/* A descriptor is used as it is: its file may have no name. */
static int open_descriptor(struct ero_outfile *out, int number, struct ero_error *err)
{
	int flags = fcntl(number, F_GETFL), fd = flags < 0 ? -1 : fcntl(number, F_DUPFD_CLOEXEC, 3);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return ero_fail_errno(err, "cannot write to %s", strcmp(out->target, "-") ? out->target : "standard output");
	}
	if ((S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) && (flags & O_ACCMODE) == O_RDWR && !(flags & O_APPEND) && strcmp(out->target, "-"))
		return open_in_place(out, fd, err);
	return open_pipe(out, fd, err);
}

/* The temporary file that will take the target's name; where its directory has no place for one, a file that is there already is
 * written itself. */
static int open_replacement(struct ero_outfile *out, bool exists, struct ero_error *err)
{
	int code, fd, rc = ero_tempfile_parent(out->target, &out->base, err);

	if (rc < 0)
		return rc;
	out->dir = rc;
	out->kind = REPLACE;
	if (create_temp(out) >= 0)
		return out->keep ? copy_kept(out, err) : 0;
	code = errno;
	fd = exists ? open(out->target, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd >= 0)
		return open_in_place(out, fd, err);
	errno = code;
	return ero_fail_errno(err, "cannot create a temporary file beside %s", out->target);
}

static int open_target(struct ero_outfile *out, struct ero_error *err)
{
	int number = descriptor_of(out->target);
	struct stat st, named;

	if (number >= 0)
		return open_descriptor(out, number, err);
	if (stat(out->target, &st))
		return open_replacement(out, false, err); /* which says what is wrong, if it is more than that there is no file yet */
	if (S_ISDIR(st.st_mode))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EISDIR, "%s is a directory, not a file to write an image to", out->target);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		return open_pipe(out, open(out->target, O_WRONLY | O_CLOEXEC), err);
	if (S_ISBLK(st.st_mode))
		return open_in_place(out, open(out->target, O_RDWR | O_EXCL | O_CLOEXEC), err);
	if (!S_ISREG(st.st_mode))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s is no file, device or pipe to write an image to", out->target);
	if (lstat(out->target, &named) || named.st_ino != st.st_ino || named.st_dev != st.st_dev) /* another process' descriptor */
		return open_in_place(out, open(out->target, O_RDWR | O_CLOEXEC), err);
	return open_replacement(out, true, err);
}

/* Where the user named a symbolic link, the file behind it is what gets replaced, or made; malloc'ed. A link that leads to what has no
 * path stays as it is. */
static char *resolve_target(const char *target)
{
	char *at = strdup(target);

	for (int links = 0; at && links < 40; links++) {
		char link[PATH_MAX], *next = NULL;
		const char *slash = strrchr(at, '/');
		ssize_t n = readlink(at, link, sizeof(link) - 1);

		if (n <= 0 || !strncmp(at, "/proc/", 6) || descriptor_of(at) >= 0) /* no link, or one of the kernel's own */
			return at;
		link[n] = '\0';
		if (asprintf(&next, "%.*s%s", *link == '/' || !slash ? 0 : (int)(slash + 1 - at), at, link) < 0)
			next = NULL;
		free(at);
		at = next;
	}
	free(at);
	errno = ELOOP;
	return NULL;
}

int ero_outfile_open(const char *target, uint64_t keep, const struct ero_outfile_watch *watch, struct ero_outfile **result,
		     struct ero_error *err)
{
	struct ero_outfile *out = calloc(1, sizeof(*out));
	int rc;

	*result = NULL;
	if (!out)
		return ero_fail_memory(err);
	out->fd = out->dir = out->to = -1;
	out->keep = keep;
	out->reserved = keep;
	out->watch = watch;
	out->target = resolve_target(target);
	rc = out->target ? open_target(out, err) : ero_fail_errno(err, "cannot follow the link %s", target);
	if (rc) {
		ero_outfile_close(out);
		return rc;
	}
	*result = out;
	return 0;
}

/* ---- writing ---- */

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
	const char *shown = strcmp(out->target, "-") ? out->target : "standard output";
	char buffer[65536];

	for (uint64_t done = 0; done < size;) {
		size_t part = size - done < sizeof(buffer) ? (size_t)(size - done) : sizeof(buffer);
		int rc = ero_pread_full(out->fd, buffer, part, done, "the finished image", err);

		if (!rc)
			rc = ero_write_full(out->to, buffer, part, shown, err);
		if (rc)
			return rc;
		done += part;
	}
	return 0;
}

/* ---- the end ---- */

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

/* The target cannot be renamed over: a mount point, or a file of others in a sticky directory. It gets the finished content. */
static int copy_over(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err)
{
	ERO_AUTO_CLOSE int to = openat(out->dir, out->base, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	char buffer[65536];

	if (to < 0)
		return ero_fail_errno(err, "cannot replace %s, nor open it for writing", out->target);
	if (ftruncate(to, 0))
		return ero_fail_errno(err, "cannot empty %s", out->target);
	for (uint64_t done = 0; done < size;) {
		size_t part = size - done < sizeof(buffer) ? (size_t)(size - done) : sizeof(buffer);
		int rc = ero_pread_full(out->fd, buffer, part, done, "the finished image", err);

		if (!rc && !ero_all_zero(buffer, part))
			rc = ero_pwrite_full(to, buffer, part, done, out->target, err);
		if (rc) {
			(void)!ftruncate(to, 0); /* no half image */
			return rc;
		}
		done += part;
	}
	if (ftruncate(to, (off_t)size) || (sync && fsync(to)))
		return ero_fail_errno(err, "cannot write %s to stable storage", out->target);
	return 0;
}

static int replace(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err)
{
	int rc = 0;

	if (renameat(out->dir, out->temp, out->dir, out->base)) {
		if (errno != EBUSY && errno != EXDEV && errno != EPERM && errno != EACCES)
			return ero_fail_errno(err, "cannot give the finished image the name %s", out->target);
		rc = copy_over(out, size, sync, err);
		if (rc)
			return rc;
		unlinkat(out->dir, out->temp, 0);
	}
	forget_temp(out);
	if (sync)
		(void)fsync(out->dir); /* some file systems refuse to sync a directory; the file itself is safe */
	return rc;
}

int ero_outfile_prepare(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err)
{
	int rc = 0;

	size += out->keep;
	if (out->device)
		rc = check_device_size(out, size, err);
	else if (ftruncate(out->fd, (off_t)size))
		rc = ero_fail_errno(err, "cannot set the size of %s", out->target);
	if (rc || out->kind == PIPE)
		return rc;
	if (out->kind == REPLACE)
		keep_identity(out);
	if (sync && fsync(out->fd))
		return ero_fail_errno(err, "cannot write %s to stable storage", out->target);
	return out->kind == REPLACE ? name_temp(out, err) : 0;
}

int ero_outfile_publish(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err)
{
	int rc = 0;

	size += out->keep;
	if (out->kind == PIPE)
		rc = copy_to_pipe(out, size, err);
	else if (out->kind == REPLACE)
		rc = replace(out, size, sync, err);
	out->committed = !rc;
	return rc;
}

/* ---- two files at once ---- */

enum pair_step { PAIR_DONE, PAIR_SECOND, PAIR_FIRST };

/*
 * `first` comes before `second`, and is taken back if that fails: its old file, if there is one, changes places with the new one. Nothing
 * but system calls: this may run in a child of a process with threads. Returns the step that failed, and errno.
 */
static enum pair_step rename_both(struct ero_outfile *first, struct ero_outfile *second)
{
	bool exchanged = !renameat2(first->dir, first->temp, first->dir, first->base, RENAME_EXCHANGE);
	int code;

	if (!exchanged && renameat(first->dir, first->temp, first->dir, first->base))
		return PAIR_FIRST;
	if (!renameat(second->dir, second->temp, second->dir, second->base)) {
		if (exchanged)
			unlinkat(first->dir, first->temp, 0); /* the old one */
		return PAIR_DONE;
	}
	code = errno;
	if (exchanged)
		(void)!renameat2(first->dir, first->temp, first->dir, first->base, RENAME_EXCHANGE);
	else
		(void)!renameat(first->dir, first->base, first->dir, first->temp);
	errno = code;
	return PAIR_SECOND;
}

/* A child of its own session does it, with all signals blocked: who kills this process does not come between the two names. */
static enum pair_step rename_in_child(struct ero_outfile *first, struct ero_outfile *second)
{
	struct {
		int step, code;
	} result;
	enum pair_step step;
	int ends[2];
	pid_t child = pipe2(ends, O_CLOEXEC) ? -1 : fork();
	ssize_t n;

	if (child == 0) {
		setsid();
		errno = 0;
		result.step = (int)rename_both(first, second);
		result.code = errno;
		n = write(ends[1], &result, sizeof(result));
		_exit(n != sizeof(result));
	}
	if (child < 0)
		return rename_both(first, second);
	close(ends[1]);
	do
		n = read(ends[0], &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	close(ends[0]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	step = n == sizeof(result) ? (enum pair_step)result.step : PAIR_SECOND;
	errno = n == sizeof(result) ? result.code : EIO;
	return step;
}

int ero_outfile_publish_pair(struct ero_outfile *first, uint64_t first_size, struct ero_outfile *second, uint64_t second_size,
			     bool sync, struct ero_error *err)
{
	enum pair_step step;
	sigset_t before;
	int rc, code;

	if (first->kind != REPLACE || second->kind != REPLACE) {
		rc = ero_outfile_publish(first, first_size, sync, err);
		return rc ? rc : ero_outfile_publish(second, second_size, sync, err);
	}
	hold_signals(&before);
	step = rename_in_child(first, second);
	code = errno;
	if (step == PAIR_DONE) {
		forget_temp(first);
		forget_temp(second);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = code;
	if (step != PAIR_DONE)
		return ero_fail_errno(err, "cannot give the finished file the name %s", step == PAIR_FIRST ? first->target : second->target);
	first->committed = second->committed = true;
	if (sync) {
		(void)fsync(first->dir);
		(void)fsync(second->dir);
	}
	return 0;
}

void ero_outfile_close(struct ero_outfile *out)
{
	if (!out)
		return;
	if (out->temp[0]) {
		unlinkat(out->dir, out->temp, 0);
		forget_temp(out);
	}
	if (out->kind == IN_PLACE && out->fd >= 0 && !out->device && !out->committed)
		(void)!ftruncate(out->fd, (off_t)out->keep); /* no half image */
	if (out->fd >= 0)
		close(out->fd);
	if (out->to >= 0)
		close(out->to);
	if (out->dir >= 0)
		close(out->dir);
	free(out->target);
	free(out->base);
	free(out);
}
