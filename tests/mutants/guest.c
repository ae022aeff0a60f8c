// SPDX-License-Identifier: MIT
/*
 * The kernel's verdict: runs as init's child in a virtual machine. Mounts each mutant in each way, reads everything, and
 * prints "R NUMBER WAY ERRNO entries errors first data all". Before each "B NUMBER"; after a hang "H NUMBER" and a reboot.
 *    guest DIR LIST FIRST WAYS SECONDS      DIR holds the images, LIST mutants by line, WAYS is "file", "loop" or "file,loop"
 *    guest walk DIR                         the same digests of a mounted tree
 */
#include "mutant.h"
#include "record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int out = 1;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char line[1024], *p = line;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	for (ssize_t done; n > 0; n -= (int)done, p += done) {
		done = write(out, p, (size_t)n);
		if (done < 0)
			done = 0;
	}
}

/* ---- walking a mounted tree ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void walk_xattrs(struct record *r, const char *proc, const char *path)
{
	static char list[65536], value[65536];
	const char *names[512];
	size_t count = 0;
	ssize_t n = llistxattr(proc, list, sizeof(list));

	if (n < 0 && errno != ENOTSUP)
		record_error(r, "listxattr", path, strerrorname_np(errno));
	for (char *p = list; p < list + n && count < 512; p += strlen(p) + 1)
		names[count++] = p;
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		ssize_t length = lgetxattr(proc, names[i], value, sizeof(value));

		if (length < 0)
			record_error(r, "getxattr", path, strerrorname_np(errno));
		else
			record_xattr(r, names[i], value, (size_t)length);
	}
}

static bool walk_range(struct record *r, int fd, uint64_t from, uint64_t to, const char *path)
{
	static uint8_t buffer[1 << 17];

	while (from < to) {
		size_t want = to - from < sizeof(buffer) ? (size_t)(to - from) : sizeof(buffer);
		ssize_t n = pread(fd, buffer, want, (off_t)from);

		if (n <= 0) {
			record_error(r, n ? "read" : "short", path, n ? strerrorname_np(errno) : "end");
			return false;
		}
		record_bytes(r, buffer, (size_t)n);
		from += (uint64_t)n;
	}
	return true;
}

static void walk_file(struct record *r, const char *proc, const char *path, uint64_t size)
{
	int fd = open(proc, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	uint64_t head = size > RECORD_HEAD + RECORD_TAIL ? RECORD_HEAD : size;

	if (fd < 0) {
		record_error(r, "open", path, strerrorname_np(errno));
		return;
	}
	if (walk_range(r, fd, 0, head, path) && head < size)
		walk_range(r, fd, size - RECORD_TAIL, size, path);
	close(fd);
}

static void walk_directory(struct record *r, int dirfd, const char *path, unsigned depth);

static void walk_one(struct record *r, int dirfd, const char *name, unsigned d_type, const char *path, unsigned depth)
{
	char proc[300], target[4097];
	struct record_inode i = { .path = path, .d_type = d_type };
	struct stat st;
	ssize_t n;
	int fd;

	if (r->entries >= RECORD_ENTRIES) {
		r->limited = true;
		return;
	}
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		record_error(r, "lstat", path, strerrorname_np(errno));
		return;
	}
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", dirfd, name);
	i.mode = st.st_mode;
	i.uid = st.st_uid;
	i.gid = st.st_gid;
	i.rdev = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? (uint32_t)(major(st.st_rdev) << 20 | minor(st.st_rdev)) : 0;
	i.nlink = st.st_nlink;
	i.size = (uint64_t)st.st_size;
	i.mtime = st.st_mtim.tv_sec;
	i.nsec = (uint32_t)st.st_mtim.tv_nsec;
	record_inode(r, &i);
	walk_xattrs(r, proc, path);
	if (S_ISREG(st.st_mode)) {
		walk_file(r, proc, path, i.size);
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dirfd, name, target, sizeof(target));
		if (n < 0)
			record_error(r, "readlink", path, strerrorname_np(errno));
		else
			record_bytes(r, target, (size_t)n);
	} else if (S_ISDIR(st.st_mode) && depth == RECORD_DEPTH) {
		r->limited = true;
	} else if (S_ISDIR(st.st_mode)) {
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (fd < 0)
			record_error(r, "opendir", path, strerrorname_np(errno));
		else
			walk_directory(r, fd, path, depth + 1);
	}
}

static void walk_directory(struct record *r, int fd, const char *path, unsigned depth)
{
	char **names = calloc(RECORD_ENTRIES, sizeof(*names));
	DIR *d = fdopendir(fd);
	struct dirent *e;
	size_t count = 0;

	if (!d || !names)
		exit(3);
	while ((errno = 0, e = readdir(d)) && count < RECORD_ENTRIES) {
		size_t length = strlen(e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		names[count] = malloc(length + 2); /* with the type behind the name */
		memcpy(names[count], e->d_name, length + 1);
		names[count++][length + 1] = (char)e->d_type;
	}
	if (errno)
		record_error(r, "readdir", path, strerrorname_np(errno));
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);
		char *full = malloc(strlen(path) + length + 2);

		sprintf(full, "%s/%s", path, names[i]);
		walk_one(r, fd, names[i], (unsigned char)names[i][length + 1], full, depth);
		free(full);
		free(names[i]);
	}
	free(names);
	closedir(d);
}

static void walk(struct record *r, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	record_start(r);
	if (fd < 0)
		record_error(r, "opendir", "/", strerrorname_np(errno));
	else
		walk_one(r, fd, ".", DT_DIR, "", 0);
}

/* ---- mounting ---- */

/* Attaches a file to a free loop device; its descriptor, or -1. */
static int attach(const char *file, char *device, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int back = open(file, O_RDONLY | O_CLOEXEC), number = ioctl(control, LOOP_CTL_GET_FREE), fd = -1;

	close(control);
	snprintf(device, size, "/dev/loop%d", number);
	for (int i = 0; i < 100 && (fd = open(device, O_RDONLY | O_CLOEXEC)) < 0; i++)
		usleep(10000);
	if (fd >= 0 && ioctl(fd, LOOP_SET_FD, back)) {
		close(fd);
		fd = -1;
	}
	close(back);
	return fd;
}

/* A file, and where it is mounted from: itself, or a loop device. */
struct place {
	char path[600];
	int loop; /* -1: itself */
};

static bool take_place(struct place *p, const char *file, bool by_loop)
{
	p->loop = by_loop ? attach(file, p->path, sizeof(p->path)) : -1;
	if (!by_loop)
		snprintf(p->path, sizeof(p->path), "%s", file);
	return !by_loop || p->loop >= 0;
}

static void leave_place(struct place *p)
{
	if (p->loop < 0)
		return;
	ioctl(p->loop, LOOP_CLR_FD, 0);
	close(p->loop);
}

static void mount_and_walk(unsigned number, const char *way, const char *path, const char *options)
{
	char line[512];
	struct record r;

	if (mount(path, "/m", "erofs", MS_RDONLY, options)) {
		say("R %u %s %s 0 0 - - -\n", number, way, strerrorname_np(errno));
		return;
	}
	walk(&r, "/m");
	record_print(&r, line, sizeof(line));
	say("R %u %s ok %s\n", number, way, line);
	umount2("/m", MNT_DETACH);
}

static void one(unsigned number, const char *way, const char *file)
{
	struct place image = { .loop = -1 }, extra = { .loop = -1 };
	const char *device = mutant_device(file);
	bool by_loop = !strcmp(way, "loop");
	char options[700] = "";

	if (take_place(&image, file, by_loop) && (!device || take_place(&extra, device, by_loop))) {
		if (device)
			snprintf(options, sizeof(options), "device=%s", extra.path);
		mount_and_walk(number, way, image.path, options);
	} else {
		say("R %u %s NOLOOP 0 0 - - -\n", number, way);
	}
	leave_place(&extra);
	leave_place(&image);
}

/* ---- the kernel's own words ---- */

static int kmsg = -1;

static void tell_kernel(unsigned number)
{
	char line[4096];
	unsigned told = 0;
	ssize_t n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		char *text;

		line[n < 0 ? 0 : n] = '\0';
		text = strchr(line, ';');
		if (!text++)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if (strstr(text, "WARNING:") || strstr(text, "BUG:") || strstr(text, "Oops") || (strstr(text, "erofs") && !strstr(text, "mounted") && !strstr(text, "EXPERIMENTAL") && told++ < 2))
			say("K %u %.200s\n", number, text);
	}
}

static long milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In a child, so that a reader that hangs is noticed. */
static void watched(unsigned number, const char *way, const char *file, long limit)
{
	pid_t child = fork();
	int status = 0;
	long start = milliseconds();
	bool killed = false;

	if (!child) {
		one(number, way, file);
		_exit(0);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		long past = milliseconds() - start;

		if (past > limit && !killed) {
			say("R %u %s TIMEOUT 0 0 - - -\n", number, way);
			kill(child, SIGKILL);
			killed = true;
		}
		if (past > limit + 5000) { /* it does not even die: the kernel hangs */
			say("H %u\n", number);
			sync();
			reboot(RB_AUTOBOOT);
		}
		usleep(past < 20 ? 200 : 2000);
	}
	umount2("/m", MNT_DETACH);
	if (!killed && status)
		say("R %u %s DIED 0 0 - - -\n", number, way);
}

int main(int argc, char **argv)
{
	static char line[MUTANT_LINE];
	static struct mutant m;
	struct record r;
	char path[512];
	FILE *list;

	if (argc == 3 && !strcmp(argv[1], "walk")) {
		walk(&r, argv[2]);
		record_print(&r, line, sizeof(line));
		puts(line);
		return r.errors > 0;
	}
	if (argc != 6 || !(list = fopen(argv[2], "r")))
		return 2;
	if (getpid() != 1 && getenv("GUEST_PORT"))
		out = open(getenv("GUEST_PORT"), O_WRONLY);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(kmsg, 0, SEEK_END);
	while (fgets(line, sizeof(line), list)) {
		struct mutant_base *base;

		if (!mutant_parse(line, &m) || m.number < (unsigned)atoi(argv[3]))
			continue;
		base = mutant_base_of(argv[1], m.image);
		if (!base || !mutant_apply(base, &m)) {
			say("R %u - LOST 0 0 - - -\n", m.number);
			continue;
		}
		say("B %u\n", m.number);
		snprintf(path, sizeof(path), "%s/%s", argv[1], m.image);
		if (strstr(argv[4], "file"))
			watched(m.number, "file", path, atol(argv[5]) * 1000);
		if (strstr(argv[4], "loop"))
			watched(m.number, "loop", path, atol(argv[5]) * 1000);
		tell_kernel(m.number);
		if (!mutant_revert(base, &m))
			say("R %u - LOST 0 0 - - -\n", m.number);
	}
	say("Z\n");
	return 0;
}
