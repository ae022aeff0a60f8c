// SPDX-License-Identifier: MIT
/* Rules about the file system that the image file lies on. */
#include "layering/judge.h"

#define FS_OVERLAY 0x794C7630u
#define FS_ECRYPTFS 0xF15Fu
#define FS_RAMFS 0x858458F6u

/* kernels that look at the depth of stacking: the complement of layer.kernel.no-stack-limit */
static const struct ero_kernel_window stack_limit[] = {
	{ ERO_LINUX(6, 12, 63), ERO_LINUX(6, 12, NEWEST) }, { ERO_LINUX(6, 17, 13), ERO_LINUX(6, 17, NEWEST) },
	{ ERO_LINUX(6, 18, 2), ERO_LINUX(999, 0, 0) }, LAST
};
/* until EROFS got a metadata cache of its own, filled by ordinary reads: fs/erofs/fileio.c of 7.3 */
static const struct ero_kernel_window borrowed_cache[] = { { ERO_LINUX(6, 12, 0), ERO_LINUX(7, 2, NEWEST) }, LAST };

static bool is_file(const struct ero_facts *f)
{
	return ero_is(&f->file.type, "regular");
}

/* The class of what is below, and a word for it in the detail. */
static enum ero_fs_class class_of(const struct ero_file_facts *file, struct ero_detail *d)
{
	const char *name;
	enum ero_fs_class class = ero_fs_classify(file->fs_magic.value, &name);

	SAY("it lies on %s", file->fs_type.known && *file->fs_type.value ? file->fs_type.value : name);
	return class;
}

static enum ero_truth read_folio(const struct ero_facts *f, struct ero_detail *d)
{
	enum ero_fs_class class;

	NEED(file.type);
	NEED(file.fs_magic);
	if (!is_file(f))
		return ERO_HOLDS; /* layer.file.not-regular tells */
	class = class_of(&f->file, d);
	return ero_holds(f->file.fs_magic.value != FS_OVERLAY && f->file.fs_magic.value != 0x9FA0 &&
			 (class != ERO_FS_MEMORY || f->file.fs_magic.value == FS_RAMFS));
}

static enum ero_truth stacked(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	if (f->file.fs_magic.value == FS_ECRYPTFS) {
		SAY("it lies on ecryptfs");
		return ERO_BROKEN;
	}
	if (f->file.fs_magic.value != ERO_SUPER_MAGIC)
		return ERO_HOLDS;
	NEED(file.fs_anonymous);
	SAY("it lies on an EROFS that is mounted from a file itself");
	return ero_holds(!f->file.fs_anonymous.value);
}

/* User space cannot see it; the kernel can be asked. */
static enum ero_truth passthrough(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	if (class_of(&f->file, d) != ERO_FS_FUSE)
		return ERO_HOLDS;
	NEED(who.answer);
	return ero_holds(f->who.answer.value != ENOTBLK);
}

static enum ero_truth dax(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.type);
	if (!is_file(f))
		return ERO_HOLDS;
	NEED(file.dax);
	return ero_holds(!f->file.dax.value);
}

static enum ero_truth synthetic(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	return ero_holds(class_of(&f->file, d) != ERO_FS_SYNTHETIC);
}

static enum ero_truth network(const struct ero_facts *f, struct ero_detail *d)
{
	const char *const remote[] = { "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.glusterfs", "fuse.ceph-fuse" };

	NEED(file.fs_magic);
	if (class_of(&f->file, d) == ERO_FS_NETWORK)
		return ERO_BROKEN;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (ero_is(&f->file.fs_type, remote[i]))
			return ERO_BROKEN;
	return ERO_HOLDS;
}

static enum ero_truth cluster(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	return ero_holds(class_of(&f->file, d) != ERO_FS_CLUSTER);
}

static enum ero_truth fuse(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	return ero_holds(class_of(&f->file, d) != ERO_FS_FUSE);
}

static enum ero_truth unknown_kind(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	SAY("f_type %#llx%s%s", NUM(file.fs_magic), f->file.fs_type.known ? ", " : "", f->file.fs_type.known ? f->file.fs_type.value : "");
	return class_of(&f->file, d) == ERO_FS_UNKNOWN && !f->who.answer.known ? ERO_BROKEN : ERO_HOLDS;
}

static enum ero_truth compressed(const struct ero_facts *f, struct ero_detail *d)
{
	enum ero_fs_class class;

	NEED(file.fs_magic);
	class = class_of(&f->file, d);
	if (class == ERO_FS_READ_ONLY)
		return ERO_BROKEN;
	NEED(file.compressed);
	return ero_holds(!f->file.compressed.value);
}

static enum ero_truth pins(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_source);
	SAY("%s", f->file.fs_source.value);
	return ero_holds(!is_file(f));
}

const struct ero_rule ero_rules_backing[] = {
	{ .id = "layer.backing.no-read-folio", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = read_folio,
	  .sentence = "the file system below has no page cache that EROFS could read",
	  .remedy = "copy the file to a disk file system; on overlayfs use the file of the lower layer by its own path; or use a loop device",
	  .source = "fs/erofs/super.c asks for read_folio; tmpfs, devtmpfs, memfd, hugetlbfs, overlayfs and proc have none; seen on 6.18: ENOTBLK",
	  .tried = "cases A4l, A5l, A12" },
	{ .id = "layer.backing.stacked", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = stacked, .windows = stack_limit,
	  .sentence = "file systems lie on one another too deep already",
	  .remedy = "use a loop device, or a copy on a disk file system",
	  .source = "fs/erofs/super.c: s_stack_depth; seen on 6.18: ENOTBLK, \"cannot be applied to stacked fses\"",
	  .tried = "case A3l" },
	{ .id = "layer.backing.fuse-passthrough", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_WARNS, .judge = passthrough,
	  .sentence = "the FUSE server may pass files through to another file system, which counts as stacking",
	  .remedy = "start the server without passthrough, or use a loop device; --probe asks the kernel",
	  .source = "fs/fuse/inode.c: max_stack_depth; seen on 6.18: ENOTBLK", .tried = "case J2l" },
	{ .id = "layer.backing.dax", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_WARNS, .judge = dax,
	  .sentence = "the file is accessed directly (DAX), with no page cache that EROFS could read",
	  .remedy = "chattr -x on the file, mount what is below with dax=never, or mount the memory device itself",
	  .source = "ext4, xfs and ext2 have no read_folio for DAX files (by reading the code)", .tried = "not tried: no DAX memory here" },
	{ .id = "layer.backing.synthetic", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = synthetic,
	  .sentence = "the kernel makes up this file system's files when they are read: its page cache holds zeros",
	  .remedy = "copy the content to a disk file system",
	  .source = "fs/kernfs/inode.c: ram_aops; seen on 6.18: EINVAL; linux-erofs 2026-05-08", .tried = "not tried: no image lies there" },
	{ .id = "layer.backing.network", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_WARNS, .at_build = true, .judge = network, .windows = borrowed_cache,
	  .sentence = "metadata is read from a cache that a network file system expects to be asked about: what others write may show in part",
	  .remedy = "make a local copy, use a loop device, or see that nobody writes it on the server",
	  .source = "linux-erofs 2026-05-08 and 2026-05-11; fs/nfs/file.c, fs/smb/client, fs/ceph revalidate in read_iter alone",
	  .tried = "not tried: no network file system here" },
	{ .id = "layer.backing.cluster", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_WARNS, .at_build = true, .judge = cluster, .windows = borrowed_cache,
	  .sentence = "metadata is read without the cluster's locks: what other nodes write may show in part",
	  .remedy = "make a local copy, use a loop device, or see that no node writes it",
	  .source = "linux-erofs 2026-05-08; fs/gfs2/file.c takes the lock in read_iter alone", .tried = "not tried: no cluster here" },
	{ .id = "layer.backing.fuse", .severity = ERO_WARNING, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .at_build = true, .judge = fuse,
	  .sentence = "a process serves the file: when it fails or ends, so does every read that is not cached",
	  .remedy = "make a local copy on a disk file system",
	  .source = "seen on 6.18: EIO on short reads, ECONNABORTED after the server's end", .tried = "case J1c" },
	{ .id = "layer.backing.unknown", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT,
	  .doubt = ERO_DOUBT_WARNS, .judge = unknown_kind,
	  .sentence = "nothing is known about this kind of file system",
	  .remedy = "--probe asks the kernel", .source = "statfs(2)", .tried = "not tried: all kinds here are known" },
	{ .id = "layer.backing.compressed", .severity = ERO_INFO, .ways = ERO_FROM_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = compressed,
	  .sentence = "the file system below compresses the file: it is unpacked twice, and direct I/O saves nothing",
	  .remedy = "chattr +m on the file before it is written, or a file system that does not compress",
	  .source = "seen on btrfs with Linux 6.18: direct reads fill the cache below all the same", .tried = "case A1m" },
	{ .id = "layer.backing.pins-mount", .severity = ERO_INFO, .ways = ERO_FROM_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = pins,
	  .sentence = "as long as the image is mounted, what is below cannot be unmounted, and no process shows why",
	  .remedy = "unmount the image first; umount -l lets it go on until then",
	  .source = "seen on 6.18: EBUSY", .tried = "case A10u" },
	{ .id = NULL },
};
