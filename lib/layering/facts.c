// SPDX-License-Identifier: MIT
/* Gathers facts from the system; judges nothing. */
#include "layering/facts.h"
#include "base/cleanup.h"
#include "config.h"
#include "image/image.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifdef HAVE_MOUNT
#include <libmount.h>
#endif

static void know(struct ero_fact *f, uint64_t value)
{
	f->known = true;
	f->value = value;
}

__attribute__((format(printf, 2, 3))) static void unknown(struct ero_fact *f, const char *format, ...)
{
	va_list ap;

	f->known = false;
	va_start(ap, format);
	vsnprintf(f->why_not, sizeof(f->why_not), format, ap);
	va_end(ap);
}

static void gather_holes(int fd, uint64_t offset, uint64_t length, struct ero_fact *hole)
{
	off_t at = lseek(fd, (off_t)offset, SEEK_HOLE);

	if (at < 0)
		unknown(hole, "SEEK_HOLE: %s", strerror(errno));
	else
		know(hole, (uint64_t)at < offset + length);
}

static void gather_file(const struct ero_preflight_options *o, struct ero_facts *f)
{
	ERO_AUTO_CLOSE int fd = open(o->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t length;
	struct stat st;

	know(&f->readable, fd >= 0);
	if (fd < 0 ? stat(o->image, &st) : fstat(fd, &st)) {
		unknown(&f->mode, "%s", strerror(errno));
		unknown(&f->size, "%s", strerror(errno));
		unknown(&f->hole, "the file cannot be looked at");
		unknown(&f->mutable, "the file cannot be looked at");
		return;
	}
	know(&f->mode, st.st_mode);
	know(&f->mutable, st.st_uid != 0 || (st.st_mode & 022));
	if (S_ISREG(st.st_mode))
		know(&f->size, (uint64_t)st.st_size > o->offset ? (uint64_t)st.st_size - o->offset : 0);
	else
		unknown(&f->size, "not a regular file");
	length = f->super.blocks << f->super.block_bits;
	if (fd >= 0 && S_ISREG(st.st_mode) && f->header.known && f->header.value && f->size.value >= length)
		gather_holes(fd, o->offset, length, &f->hole);
	else
		unknown(&f->hole, "no whole image to look for holes in");
}

static void gather_image(const struct ero_preflight_options *o, struct ero_facts *f)
{
	struct ero_open_options open_options = { .offset = o->offset };
	struct ero_image *image;
	struct ero_error err;

	/* devices are judged by their own rules: the image is opened without them */
	if (ero_image_open(o->image, &open_options, &image, &err)) {
		if (err.kind == ERO_ERROR_IO && err.code != EIO)
			unknown(&f->header, "%.150s", err.text);
		else
			know(&f->header, 0);
		snprintf(f->header_error, sizeof(f->header_error), "%.511s", err.text);
		return;
	}
	know(&f->header, 1);
	f->super = image->super;
	ero_image_close(image);
}

/* Type and source of the mount that holds the file; statfs numbers alone do not tell ext2 from ext4, nor FUSE kinds. */
static void gather_mount(const struct ero_preflight_options *o, struct ero_facts *f)
{
#ifdef HAVE_MOUNT
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	ERO_AUTO_FREE char *real = realpath(o->image, NULL);
	char *point = real ? mnt_get_mountpoint(real) : NULL;
	struct libmnt_fs *fs = table && point ? mnt_table_find_target(table, point, MNT_ITER_BACKWARD) : NULL;

	if (fs && mnt_fs_get_fstype(fs))
		snprintf(f->fs_type, sizeof(f->fs_type), "%.63s", mnt_fs_get_fstype(fs));
	free(point);
	mnt_unref_table(table);
#else
	(void)o;
	(void)f;
#endif
}

static void gather_filesystem(const struct ero_preflight_options *o, struct ero_facts *f)
{
	struct statfs fs;
	struct stat st;

	if (statfs(o->image, &fs) || stat(o->image, &st)) {
		unknown(&f->fs_magic, "%s", strerror(errno));
		unknown(&f->fs_bdev, "%s", strerror(errno));
		return;
	}
	know(&f->fs_magic, (uint32_t)fs.f_type);
	know(&f->fs_bdev, major(st.st_dev) != 0);
	gather_mount(o, f);
}

static int gather_kernel(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_error *err)
{
	struct utsname u;

	if (o->for_kernel) {
		if (!ero_kernel_parse(o->for_kernel, &f->version))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "\"%s\" is no kernel version, such as 6.12.3", o->for_kernel);
		know(&f->kernel, 1);
		snprintf(f->release, sizeof(f->release), "%.95s", o->for_kernel);
		know(&f->page_size, (uint64_t)sysconf(_SC_PAGESIZE)); /* another kernel, the same machine */
		return 0;
	}
	if (uname(&u) || !ero_kernel_parse(u.release, &f->version))
		unknown(&f->kernel, "uname gives no version");
	else
		know(&f->kernel, 1);
	snprintf(f->release, sizeof(f->release), "%.95s", u.release);
	know(&f->page_size, (uint64_t)sysconf(_SC_PAGESIZE));
	return 0;
}

/* CAP_SYS_ADMIN counts only in the first user namespace, whose id map covers everything. */
static void gather_privilege(struct ero_facts *f)
{
	unsigned long long caps = 0, inside = 1, outside = 1, count = 0;
	FILE *status = fopen("/proc/self/status", "re");
	FILE *map = fopen("/proc/self/uid_map", "re");
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (!status || !map || fscanf(map, "%llu %llu %llu", &inside, &outside, &count) != 3)
		unknown(&f->may_mount, "/proc/self cannot be read");
	else
		know(&f->may_mount, (caps >> 21 & 1) && !inside && !outside && count == UINT32_MAX);
	if (status)
		fclose(status);
	if (map)
		fclose(map);
}

int ero_facts_gather(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_error *err)
{
	memset(f, 0, sizeof(*f));
	know(&f->devices_given, o->device_count);
	gather_image(o, f);
	gather_file(o, f);
	gather_filesystem(o, f);
	gather_privilege(f);
	return gather_kernel(o, f, err);
}
