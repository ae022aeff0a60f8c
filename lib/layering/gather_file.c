// SPDX-License-Identifier: MIT
/* What a file is, and in which state: attributes, holes, pages in the cache, a writer. */
#include "layering/gather.h"
#include "base/cleanup.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "regular";
	case S_IFDIR:
		return "directory";
	case S_IFBLK:
		return "block";
	case S_IFCHR:
		return "char";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return "missing";
	}
}

/* ---- attributes ---- */

static void gather_attribute(const struct statx *x, uint64_t bit, struct ero_fact *fact)
{
	if (x->stx_attributes_mask & bit)
		ero_know(fact, (x->stx_attributes & bit) != 0);
	else
		ero_unknown(fact, "the file system does not tell");
}

/* Alignment of direct I/O; some file systems say nothing even where they have it, so the open is tried. */
static void gather_direct_io(const char *path, const struct statx *x, struct ero_fact *align)
{
#ifdef STATX_DIOALIGN
	ERO_AUTO_CLOSE int fd = -1;

	if (x->stx_mask & STATX_DIOALIGN) {
		ero_know(align, x->stx_dio_offset_align);
		return;
	}
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == EINVAL)
		ero_know(align, 0);
	else
		ero_unknown(align, "the file system does not tell");
#else
	(void)path;
	(void)x;
	ero_unknown(align, "built without STATX_DIOALIGN");
#endif
}

static void gather_attributes(const char *path, int fd, struct ero_file_facts *f)
{
	unsigned mask = STATX_BASIC_STATS;
	struct statx x;

#ifdef STATX_DIOALIGN
	mask |= STATX_DIOALIGN;
#endif
	if (statx(fd, "", AT_EMPTY_PATH, mask, &x)) {
		ero_unknown(&f->verity, "statx: %s", strerror(errno));
		ero_unknown(&f->immutable, "statx: %s", strerror(errno));
		ero_unknown(&f->dax, "statx: %s", strerror(errno));
		ero_unknown(&f->dio_align, "statx: %s", strerror(errno));
		return;
	}
	gather_attribute(&x, STATX_ATTR_VERITY, &f->verity);
	gather_attribute(&x, STATX_ATTR_IMMUTABLE, &f->immutable);
	ero_know(&f->dax, (x.stx_attributes & STATX_ATTR_DAX) != 0); /* set wherever it is in use */
	if (!f->verity.known) /* older kernels have no mask for it */
		ero_know(&f->verity, (x.stx_attributes & STATX_ATTR_VERITY) != 0);
	gather_direct_io(path, &x, &f->dio_align);
}

/* ---- space ---- */

/* What fiemap says of all extents up to a number that no file needs in vain: their flags joined, and each one that was
 * allocated but never written told to `fn`, where it is not NULL. */
static bool each_extent(int fd, unsigned how, unsigned *flags, ero_gap_fn fn, void *context)
{
	enum { BATCH = 128, MAX_BATCHES = 64 };
	ERO_AUTO_FREE struct fiemap *map = calloc(1, sizeof(*map) + BATCH * sizeof(struct fiemap_extent));
	uint64_t start = 0;

	*flags = 0;
	for (unsigned round = 0; map && round < MAX_BATCHES; round++) {
		memset(map, 0, sizeof(*map));
		map->fm_start = start;
		map->fm_length = FIEMAP_MAX_OFFSET - start;
		map->fm_flags = how;
		map->fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, map))
			return false;
		for (unsigned i = 0; i < map->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &map->fm_extents[i];

			*flags |= e->fe_flags;
			start = e->fe_logical + e->fe_length;
			if (fn && (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN))
				fn(context, e->fe_logical, start);
		}
		if (!map->fm_mapped_extents || (*flags & FIEMAP_EXTENT_LAST))
			return true;
	}
	errno = map ? EFBIG : ENOMEM; /* too many to look at */
	return false;
}

/* SEEK_HOLE takes cached zeros of unwritten extents for data, so that these are asked for by themselves. */
void ero_file_gaps(int fd, uint64_t size, ero_gap_fn fn, void *context)
{
	off_t at = 0, end;
	unsigned flags;

	while ((at = lseek(fd, at, SEEK_HOLE)) >= 0 && (uint64_t)at < size) {
		end = lseek(fd, at, SEEK_DATA);
		if (end <= at)
			end = (off_t)size;
		fn(context, (uint64_t)at, (uint64_t)end);
		at = end;
	}
	each_extent(fd, 0, &flags, fn, context);
}

/* A file system without holes of its own answers with the file's end. What was written into preallocated space counts as
 * written only when it is on the disk, so that an answer of "unwritten" is asked for again behind a sync. */
static void gather_space(int fd, struct ero_file_facts *f)
{
	off_t at = f->size.value ? lseek(fd, 0, SEEK_HOLE) : 0;
	int attributes = 0;
	bool told;
	unsigned flags;

	told = each_extent(fd, 0, &flags, NULL, NULL);
	if (told && (flags & FIEMAP_EXTENT_UNWRITTEN))
		told = each_extent(fd, FIEMAP_FLAG_SYNC, &flags, NULL, NULL);
	if (told) {
		ero_know(&f->unwritten, (flags & FIEMAP_EXTENT_UNWRITTEN) != 0);
		if (!(flags & FIEMAP_EXTENT_ENCODED) && !ioctl(fd, FS_IOC_GETFLAGS, &attributes) && (attributes & FS_COMPR_FL))
			flags |= FIEMAP_EXTENT_ENCODED;
		ero_know(&f->compressed, (flags & FIEMAP_EXTENT_ENCODED) != 0);
	} else {
		ero_unknown(&f->unwritten, "FIEMAP: %s", strerror(errno));
		ero_unknown(&f->compressed, "FIEMAP: %s", strerror(errno));
		flags = 0;
	}
	if (at < 0)
		ero_unknown(&f->hole, "SEEK_HOLE: %s", strerror(errno));
	else
		ero_know(&f->hole, (f->size.value && (uint64_t)at < f->size.value) || (flags & FIEMAP_EXTENT_UNWRITTEN));
}

/* ---- cache ---- */

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* the same on all architectures, since Linux 6.5 */
#endif

static void gather_resident(int fd, uint64_t size, struct ero_fact *cached)
{
	size_t pages = (size_t)((size + 4095) / 4096);
	ERO_AUTO_FREE unsigned char *seen = calloc(pages + 1, 1);
	void *at = seen && size ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	uint64_t n = 0;

	if (at == MAP_FAILED || mincore(at, (size_t)size, seen)) {
		ero_unknown(cached, "mincore: %s", strerror(errno));
	} else {
		for (size_t i = 0; i < pages; i++)
			n += seen[i] & 1;
		ero_know(cached, n);
	}
	if (at != MAP_FAILED)
		munmap(at, (size_t)size);
}

static void gather_cache(int fd, struct ero_file_facts *f)
{
	struct { uint64_t offset, length; } range = { 0, 0 };
	struct { uint64_t cache, dirty, writeback, evicted, recently_evicted; } stat;

	if (!syscall(SYS_cachestat, fd, &range, &stat, 0)) {
		ero_know(&f->cached, stat.cache);
		ero_know(&f->dirty, stat.dirty + stat.writeback);
		return;
	}
	ero_unknown(&f->dirty, "cachestat: %s", strerror(errno));
	gather_resident(fd, f->size.value, &f->cached);
}

/* A read lease is refused while anybody has the file open for writing. It is given back at once, unless it is the one that
 * holds the file. */
static void gather_writer(int fd, struct ero_fact *writer)
{
	if (fcntl(fd, F_GETLEASE) == F_RDLCK) {
		ero_know(writer, 0);
	} else if (!fcntl(fd, F_SETLEASE, F_RDLCK)) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		ero_know(writer, 0);
	} else if (errno == EAGAIN) {
		ero_know(writer, 1);
	} else {
		ero_unknown(writer, "F_SETLEASE: %s", strerror(errno));
	}
}

/* Who may swap the file for another: writers of a directory on its path, but for sticky ones. */
static void gather_parent(const char *path, struct ero_fact *open_to_others)
{
	ERO_AUTO_FREE char *real = realpath(path, NULL);
	bool open_one = false;
	struct stat st;
	char *slash;

	while (real && (slash = strrchr(real, '/'))) {
		bool root = slash == real;

		slash[root] = '\0';
		if (stat(real, &st)) {
			ero_unknown(open_to_others, "the directories above it cannot be looked at");
			return;
		}
		open_one = open_one || st.st_uid != 0 || ((st.st_mode & 022) && !(st.st_mode & S_ISVTX));
		if (root)
			break;
	}
	if (real)
		ero_know(open_to_others, open_one);
	else
		ero_unknown(open_to_others, "its path cannot be followed");
}

static void nothing_open(const char *why, struct ero_file_facts *f)
{
	struct ero_fact *const facts[] = { &f->immutable, &f->verity, &f->dax, &f->compressed, &f->dio_align, &f->hole,
					   &f->unwritten, &f->writer, &f->cached, &f->dirty };

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ero_unknown(facts[i], "%s", why);
}

static void nothing_there(struct ero_file_facts *f)
{
	struct ero_fact *const facts[] = {
		&f->size, &f->owner, &f->permissions, &f->parent_open, &f->fs_magic, &f->fs_anonymous, &f->fs_noexec, &f->fs_nosuid,
		&f->fs_nodev, &f->fs_atime, &f->sector_size, &f->loops, &f->writable_loops, &f->mounts, &f->precontent_marks,
		&f->permission_marks,
	};
	static const char why[] = "there is no such file";

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ero_unknown(facts[i], why);
	nothing_open(why, f);
	ero_unknown_text(&f->fs_type, why);
	ero_unknown_text(&f->fs_source, why);
}

static void gather_device_size(int fd, struct ero_fact *size)
{
	uint64_t bytes;

	if (fd >= 0 && !ioctl(fd, BLKGETSIZE64, &bytes))
		ero_know(size, bytes);
	else
		ero_unknown(size, "the device cannot be asked");
}

void ero_gather_file(const char *path, int fd, int code, struct ero_file_facts *f)
{
	char via[64];
	struct stat st;

	ero_know_text(&f->path, path);
	snprintf(via, sizeof(via), "/proc/self/fd/%d", fd); /* the file that is open, whatever its path names by now */
	if (fd >= 0)
		path = via;
	if (fd < 0 ? stat(path, &st) : fstat(fd, &st)) {
		nothing_there(f);
		if (errno != ENOENT && errno != ENOTDIR) {
			ero_unknown_text(&f->type, "%s", strerror(errno));
			ero_unknown(&f->readable, "%s", strerror(errno));
			return;
		}
		ero_know_text(&f->type, "missing");
		ero_know(&f->readable, 0);
		return;
	}
	ero_know_text(&f->type, type_name(st.st_mode));
	ero_know(&f->readable, fd >= 0);
	ero_know(&f->owner, st.st_uid);
	ero_know(&f->permissions, st.st_mode & 07777);
	gather_parent(path, &f->parent_open);
	ero_gather_filesystem(path, fd, &st, f);
	ero_gather_users(path, &st, f);
	if (S_ISBLK(st.st_mode))
		gather_device_size(fd, &f->size);
	else
		ero_know(&f->size, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0);
	if (fd < 0 || !S_ISREG(st.st_mode)) {
		nothing_open(fd < 0 ? strerror(code) : "it is no regular file", f);
		return;
	}
	gather_attributes(path, fd, f);
	gather_space(fd, f);
	gather_cache(fd, f);
	gather_writer(fd, &f->writer);
}
