// SPDX-License-Identifier: MIT
/* The file system that holds a file: its kind, its mount, the disk below. */
#include "base/cleanup.h"
#include "config.h"
#include "layering/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifdef HAVE_MOUNT
#include <libmount.h>
#endif

#ifdef HAVE_MOUNT
bool ero_find_mount(const char *path, struct ero_mount *mount)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	ERO_AUTO_FREE char *real = realpath(path, NULL);
	ERO_AUTO_FREE char *point = real ? mnt_get_mountpoint(real) : NULL;
	struct libmnt_fs *fs = table && point ? mnt_table_find_target(table, point, MNT_ITER_BACKWARD) : NULL;
	bool found = fs && mnt_fs_get_fstype(fs);

	if (found) {
		snprintf(mount->type, sizeof(mount->type), "%s", mnt_fs_get_fstype(fs));
		snprintf(mount->source, sizeof(mount->source), "%s", mnt_fs_get_source(fs) ? mnt_fs_get_source(fs) : "");
		mount->device = mnt_fs_get_devno(fs);
	}
	mnt_unref_table(table);
	return found;
}
#else
bool ero_find_mount(const char *path, struct ero_mount *mount)
{
	(void)path;
	(void)mount;
	return false;
}
#endif

/* statfs numbers alone do not tell ext2 from ext4, nor FUSE kinds. */
static void gather_mount(const char *path, struct ero_file_facts *f)
{
	struct ero_mount mount;

	if (ero_find_mount(path, &mount)) {
		ero_know_text(&f->fs_type, mount.type);
		ero_know_text(&f->fs_source, mount.source);
	} else {
		ero_unknown_text(&f->fs_type, "no mount of the mount table is known to hold the path");
		ero_unknown_text(&f->fs_source, "no mount of the mount table is known to hold the path");
	}
}

/* Of the disk itself, or of the whole disk behind a partition. */
static void gather_sectors(const struct stat *st, struct ero_fact *sector)
{
	static const char *const places[] = { "queue", "../queue" };
	char path[128], line[64];
	uint64_t value;

	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/logical_block_size", major(st->st_dev), minor(st->st_dev),
			 places[i]);
		if (ero_read_line(path, line, sizeof(line)) && ero_parse_number(line, 1, UINT32_MAX, &value)) {
			ero_know(sector, value);
			return;
		}
	}
	ero_unknown(sector, "no disk of its own in /sys/dev/block");
}

void ero_gather_filesystem(const char *path, int fd, const struct stat *st, struct ero_file_facts *f)
{
	struct statvfs v;
	struct statfs s;

	if (fd < 0 ? statfs(path, &s) : fstatfs(fd, &s))
		ero_unknown(&f->fs_magic, "statfs: %s", strerror(errno));
	else
		ero_know(&f->fs_magic, (uint32_t)s.f_type);
	if (fd < 0 ? statvfs(path, &v) : fstatvfs(fd, &v)) {
		ero_unknown(&f->fs_noexec, "statvfs: %s", strerror(errno));
		ero_unknown(&f->fs_nosuid, "statvfs: %s", strerror(errno));
		ero_unknown(&f->fs_nodev, "statvfs: %s", strerror(errno));
		ero_unknown(&f->fs_atime, "statvfs: %s", strerror(errno));
	} else {
		ero_know(&f->fs_noexec, (v.f_flag & ST_NOEXEC) != 0);
		ero_know(&f->fs_nosuid, (v.f_flag & ST_NOSUID) != 0);
		ero_know(&f->fs_nodev, (v.f_flag & ST_NODEV) != 0);
		ero_know(&f->fs_atime, !(v.f_flag & (ST_NOATIME | ST_RDONLY | ST_RELATIME)));
	}
	ero_know(&f->fs_anonymous, major(st->st_dev) == 0);
	gather_sectors(st, &f->sector_size);
	gather_mount(path, f);
}
