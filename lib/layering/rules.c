// SPDX-License-Identifier: MIT
/* One predicate and one row a rule. A predicate answers "does this hold?", or that it cannot know. */
#include "layering/rules.h"

#include <stdio.h>
#include <sys/stat.h>

#define SAY(...) snprintf(detail, size, __VA_ARGS__)

static enum ero_truth holds(bool good)
{
	return good ? ERO_HOLDS : ERO_BROKEN;
}

/* An image that could not be read is judged by layer.file.header alone. */
static bool has_header(const struct ero_facts *f)
{
	return f->header.known && f->header.value;
}

static enum ero_truth kernel_filebacked(const struct ero_facts *f, char *detail, size_t size)
{
	static const struct ero_kernel_version since = { 6, 12, 0 };

	if (!f->kernel.known)
		return ERO_UNKNOWN;
	SAY("the kernel is %s", f->release);
	return holds(ero_kernel_compare(f->version, since) >= 0);
}

static enum ero_truth file_regular(const struct ero_facts *f, char *detail, size_t size)
{
	if (!f->mode.known)
		return ERO_UNKNOWN;
	SAY("mode %#llo", (unsigned long long)f->mode.value);
	return holds(S_ISREG((mode_t)f->mode.value) || S_ISBLK((mode_t)f->mode.value));
}

static enum ero_truth file_header(const struct ero_facts *f, char *detail, size_t size)
{
	SAY("%s", f->header_error);
	return f->header.known ? holds(f->header.value) : ERO_UNKNOWN;
}

static enum ero_truth file_short(const struct ero_facts *f, char *detail, size_t size)
{
	uint64_t need = f->super.blocks << f->super.block_bits;

	if (!has_header(f) || !f->size.known)
		return ERO_UNKNOWN;
	SAY("%llu bytes are needed, %llu are there", (unsigned long long)need, (unsigned long long)f->size.value);
	return holds(f->size.value >= need);
}

static enum ero_truth file_tail(const struct ero_facts *f, char *detail, size_t size)
{
	if (!has_header(f) || !f->size.known)
		return ERO_UNKNOWN;
	SAY("%llu bytes", (unsigned long long)f->size.value);
	return holds(f->size.value % 4096 == 0);
}

static enum ero_truth file_holes(const struct ero_facts *f, char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return f->hole.known ? holds(!f->hole.value) : ERO_UNKNOWN;
}

static enum ero_truth file_mutable(const struct ero_facts *f, char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return f->mutable.known ? holds(!f->mutable.value) : ERO_UNKNOWN;
}

static enum ero_truth backing_read_folio(const struct ero_facts *f, char *detail, size_t size)
{
	enum ero_fs_class class;
	const char *name;

	if (!f->fs_magic.known)
		return ERO_UNKNOWN;
	class = ero_fs_classify((uint32_t)f->fs_magic.value, &name);
	SAY("it lies on %s", *f->fs_type ? f->fs_type : name);
	return holds(class != ERO_FS_MEMORY && class != ERO_FS_STACKED && class != ERO_FS_SYNTHETIC);
}

static enum ero_truth backing_stacked(const struct ero_facts *f, char *detail, size_t size)
{
	if (!f->fs_magic.known || !f->fs_bdev.known)
		return ERO_UNKNOWN;
	SAY("erofs, mounted from a file itself");
	return holds(f->fs_magic.value != 0xE0F5E1E2 || f->fs_bdev.value);
}

static enum ero_truth backing_coherent(const struct ero_facts *f, char *detail, size_t size)
{
	enum ero_fs_class class;
	const char *name;

	if (!f->fs_magic.known)
		return ERO_UNKNOWN;
	class = ero_fs_classify((uint32_t)f->fs_magic.value, &name);
	SAY("it lies on %s", *f->fs_type ? f->fs_type : name);
	return holds(class != ERO_FS_NETWORK && class != ERO_FS_CLUSTER && class != ERO_FS_FUSE);
}

static enum ero_truth image_incompat(const struct ero_facts *f, char *detail, size_t size)
{
	struct ero_kernel_version need;

	if (!has_header(f) || !f->kernel.known)
		return ERO_UNKNOWN;
	need = ero_super_first_kernel(&f->super);
	SAY("it needs Linux %u.%u, the kernel is %s", need.major, need.minor, f->release);
	return holds(ero_kernel_compare(f->version, need) >= 0);
}

static enum ero_truth image_block_size(const struct ero_facts *f, char *detail, size_t size)
{
	if (!has_header(f) || !f->page_size.known)
		return ERO_UNKNOWN;
	SAY("blocks of %u bytes, pages of %llu", 1u << f->super.block_bits, (unsigned long long)f->page_size.value);
	return holds((1ull << f->super.block_bits) <= f->page_size.value);
}

static enum ero_truth dev_missing(const struct ero_facts *f, char *detail, size_t size)
{
	unsigned need;

	if (!has_header(f) || !f->devices_given.known)
		return ERO_UNKNOWN;
	need = f->super.feature_incompat & ERO_INCOMPAT_DEVICE_TABLE ? f->super.extra_devices : 0;
	SAY("%u are needed, %llu are given", need, (unsigned long long)f->devices_given.value);
	return holds(need == f->devices_given.value);
}

static enum ero_truth priv_dac(const struct ero_facts *f, char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return f->readable.known ? holds(f->readable.value) : ERO_UNKNOWN;
}

static enum ero_truth priv_userns(const struct ero_facts *f, char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return f->may_mount.known ? holds(f->may_mount.value) : ERO_UNKNOWN;
}

const struct ero_rule ero_rules[] = {
	{ "layer.kernel.no-filebacked", ERO_DAMAGE, kernel_filebacked,
	  "this kernel cannot mount EROFS straight from a file",
	  "attach it with losetup -r --direct-io=on, or use Linux 6.12 or later",
	  "linux-erofs 2024-08-30, \"erofs: add file-backed mount support\"" },
	{ "layer.file.not-regular", ERO_DAMAGE, file_regular,
	  "only regular files and block devices can be mounted",
	  "name the image file itself", "seen on Linux 6.18: ENOTBLK" },
	{ "layer.file.header", ERO_DAMAGE, file_header,
	  "the file does not begin with a sound EROFS superblock",
	  "unpack it, give the right offset, or build it again", "seen on Linux 6.18: EINVAL, EBADMSG" },
	{ "layer.file.short", ERO_DAMAGE, file_short,
	  "the file is shorter than the image in it: it would mount, and fail when files are read",
	  "fetch the file again and compare its digest", "seen on Linux 6.18: EIO, EUCLEAN" },
	{ "layer.file.unaligned-tail", ERO_WARNING, file_tail,
	  "the file does not end on a page boundary: Linux 7.3 cannot read what is in its last page",
	  "truncate -s %4096 FILE", "seen on Linux 7.3: EIO; erolith's images are padded" },
	{ "layer.file.holes", ERO_WARNING, file_holes,
	  "parts of the file are holes: missing data would read as zeros without any error",
	  "if the file was fetched lazily, finish that before mounting", "seen on Linux 6.18: zeros, sticky in the cache" },
	{ "layer.file.mutable", ERO_INFO, file_mutable,
	  "others than root may write the file: what is written after this check reaches the mounted tree",
	  "chown root, chmod 0444 and chattr +i, or fs-verity", "seen on Linux 6.18" },
	{ "layer.backing.no-read-folio", ERO_DAMAGE, backing_read_folio,
	  "the file system below has no page cache that EROFS could read",
	  "copy the file to a disk file system; on overlayfs use the file of the lower layer; or attach a loop device",
	  "seen on Linux 6.18: ENOTBLK" },
	{ "layer.backing.stacked", ERO_DAMAGE, backing_stacked,
	  "an image inside a file-backed EROFS cannot be mounted file-backed again",
	  "attach a loop device", "seen on Linux 6.18: ENOTBLK; fs/erofs/super.c" },
	{ "layer.backing.coherence", ERO_WARNING, backing_coherent,
	  "metadata is read from a cache that this file system expects to be asked about: others' writes may go unnoticed",
	  "make a local copy, or attach a loop device", "linux-erofs 2026-05-08" },
	{ "layer.image.incompat", ERO_DAMAGE, image_incompat,
	  "this kernel is too old for features of the image",
	  "build the image with fewer features, or use a newer kernel", "mainline pull requests; see dump.erofs -s" },
	{ "layer.image.block-size", ERO_DAMAGE, image_block_size,
	  "the image's blocks are larger than this host's pages",
	  "mkfs.erofs -b4096", "seen on Linux 6.18: EINVAL" },
	{ "layer.dev.missing", ERO_DAMAGE, dev_missing,
	  "the number of extra devices is not what the image needs",
	  "give every device, in order", "seen on Linux 6.18: EINVAL, or EIO when files are read" },
	{ "layer.priv.dac", ERO_DAMAGE, priv_dac,
	  "the file may not be opened for reading", "ask as somebody who may", "seen on Linux 6.18: EACCES" },
	{ "layer.priv.userns", ERO_WARNING, priv_userns,
	  "mounting needs CAP_SYS_ADMIN in the first user namespace, which this process does not have",
	  "mount as root, or with FUSE", "seen on Linux 6.18: EPERM" },
	{ NULL, ERO_INFO, NULL, NULL, NULL, NULL },
};
