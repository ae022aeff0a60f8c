// SPDX-License-Identifier: MIT
/* Who else uses a file: loop devices on it, EROFS mounts of it, listeners that were asked to guard it. */
#include "layering/gather.h"
#include "base/cleanup.h"
#include "base/syscalls.h"
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifdef HAVE_MOUNT
#include <libmount.h>
#endif

/* ---- loop devices ---- */

static bool same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return !stat(path, &other) && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* The device knows the inode; where it may not be opened, sysfs knows the path it was made with. */
static bool loop_holds(const char *name, const struct stat *st)
{
	char path[300], backing[256];
	struct loop_info64 info;
	ERO_AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "/sys/block/%.200s/loop/backing_file", name);
	if (!ero_read_line(path, backing, sizeof(backing)))
		return false; /* not attached */
	snprintf(path, sizeof(path), "/dev/%.200s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info))
		return info.lo_device == st->st_dev && info.lo_inode == st->st_ino;
	return same_file(backing, st);
}

static void gather_loops(const struct stat *st, struct ero_file_facts *f)
{
	DIR *block = opendir("/sys/block");
	uint64_t loops = 0, writable = 0;
	const struct dirent *d;

	if (!block) {
		ero_unknown(&f->loops, "/sys/block: %s", strerror(errno));
		ero_unknown(&f->writable_loops, "/sys/block: %s", strerror(errno));
		return;
	}
	while ((d = readdir(block))) {
		char path[300], ro[8];

		if (strncmp(d->d_name, "loop", 4) != 0 || !loop_holds(d->d_name, st))
			continue;
		loops++;
		snprintf(path, sizeof(path), "/sys/block/%.200s/ro", d->d_name);
		writable += !ero_read_line(path, ro, sizeof(ro)) || ro[0] != '1';
	}
	closedir(block);
	ero_know(&f->loops, loops);
	ero_know(&f->writable_loops, writable);
}

/* ---- mounts ---- */

#ifdef HAVE_MOUNT
/* A source of a mount: the file by some path, or a loop device on it. */
static bool is_source(const char *source, const struct stat *st)
{
	return same_file(source, st) || (!strncmp(source, "/dev/loop", 9) && loop_holds(source + 5, st));
}
#endif

void ero_gather_mounts(const struct stat *st, struct ero_file_facts *f)
{
#ifdef HAVE_MOUNT
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *at = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	uint64_t n = 0;

	if (!table || !at) {
		ero_unknown(&f->mounts, "the mount table cannot be read");
	} else {
		while (!mnt_table_next_fs(table, at, &fs))
			n += mnt_fs_match_fstype(fs, "erofs") && mnt_fs_get_source(fs) && is_source(mnt_fs_get_source(fs), st);
		ero_know(&f->mounts, n);
	}
	mnt_free_iter(at);
	mnt_unref_table(table);
#else
	(void)st;
	ero_unknown(&f->mounts, "built without libmount");
#endif
}

/* ---- fanotify ---- */

struct marks {
	uint64_t inode;
	unsigned device;      /* as the kernel writes it */
	unsigned long long mount;
	uint64_t precontent, permission;
	bool refused;         /* some process cannot be looked into */
};

/* "fanotify ino:2f sdev:800001 mflags:0 mask:100000 ignored_mask:0 …", or with mnt_id: or sdev: alone in front. */
static void read_mark(const char *line, struct marks *m)
{
	enum { OPEN_PERM = 0x10000, ACCESS_PERM = 0x20000, OPEN_EXEC_PERM = 0x40000, PRE_ACCESS = 0x100000 };
	unsigned long long inode, mount, mask;
	const char *at = strstr(line, " mask:");
	unsigned device;
	bool here = false;

	if (!at || sscanf(at, " mask:%llx", &mask) != 1)
		return;
	if (sscanf(line, "fanotify ino:%llx sdev:%x", &inode, &device) == 2)
		here = inode == m->inode && device == m->device;
	else if (sscanf(line, "fanotify mnt_id:%llx", &mount) == 1)
		here = mount == m->mount;
	else if (sscanf(line, "fanotify sdev:%x", &device) == 1)
		here = device == m->device;
	m->precontent += here && (mask & PRE_ACCESS);
	m->permission += here && (mask & (OPEN_PERM | ACCESS_PERM | OPEN_EXEC_PERM));
}

static void look_into_group(int fds, const char *number, struct marks *m)
{
	char link[64] = "", path[300], line[512];
	FILE *info;

	if (readlinkat(fds, number, link, sizeof(link) - 1) < 0 || strcmp(link, "anon_inode:[fanotify]") != 0)
		return;
	snprintf(path, sizeof(path), "../fdinfo/%.200s", number);
	fds = openat(fds, path, O_RDONLY | O_CLOEXEC);
	info = fds < 0 ? NULL : fdopen(fds, "r");
	if (!info) {
		if (fds >= 0)
			close(fds);
		m->refused = true;
		return;
	}
	while (fgets(line, sizeof(line), info))
		if (!strncmp(line, "fanotify ", 9))
			read_mark(line, m);
	fclose(info);
}

static void look_into_process(const char *pid, struct marks *m)
{
	char path[300];
	const struct dirent *d;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.200s/fd", pid);
	fds = opendir(path);
	if (!fds) {
		m->refused = m->refused || errno == EACCES || errno == EPERM;
		return;
	}
	while ((d = readdir(fds)))
		look_into_group(dirfd(fds), d->d_name, m);
	closedir(fds);
}

/* Other processes are seen from the first process namespace, with a /proc that hides none. */
static bool sees_all(void)
{
	static const ino_t first_namespace = 0xEFFFFFFC; /* linux/proc_ns.h */
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == first_namespace && !access("/proc/1/fd", R_OK);
}

static void gather_marks(const struct stat *st, const char *path, struct ero_file_facts *f)
{
	struct ero_mount mount;
	/* the kernel's own number of the file system, which btrfs hides from stat(2) */
	dev_t device = ero_find_mount(path, &mount) && mount.device ? mount.device : st->st_dev;
	struct marks m = { .inode = st->st_ino, .device = major(device) << 20 | minor(device), .mount = ~0ull };
	DIR *proc = opendir("/proc");
	const struct dirent *d;
	struct statx x;

#ifdef STATX_MNT_ID
	if (!statx(AT_FDCWD, path, 0, STATX_MNT_ID, &x) && (x.stx_mask & STATX_MNT_ID))
		m.mount = x.stx_mnt_id;
#else
	(void)x;
#endif
	while (proc && (d = readdir(proc)))
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9')
			look_into_process(d->d_name, &m);
	if (proc)
		closedir(proc);
	ero_know(&f->precontent_marks, m.precontent);
	ero_know(&f->permission_marks, m.permission);
	if (m.refused || !sees_all()) { /* what was seen is there; what was not may be */
		if (!m.precontent)
			ero_unknown(&f->precontent_marks, "not all processes can be looked into");
		if (!m.permission)
			ero_unknown(&f->permission_marks, "not all processes can be looked into");
	}
}

void ero_gather_users(const char *path, const struct stat *st, struct ero_file_facts *f)
{
	gather_loops(st, f);
	ero_gather_mounts(st, f);
	gather_marks(st, path, f);
}
