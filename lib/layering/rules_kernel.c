// SPDX-License-Identifier: MIT
/* Rules about the kernel that would mount: what it cannot do, and bugs that come with a window of releases. */
#include "layering/judge.h"

#define FROM_TO(...) static const struct ero_kernel_window __VA_ARGS__

/* linux-erofs 2024-11-15 and 2024-10-15; CVE-2024-56750; 6.12.2 */
FROM_TO(fuse_subpage_crash[]) = { { ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 1) }, LAST };
/* linux-erofs 2024-12-16, "use buffered I/O for file-backed mounts by default"; 6.12.7, 6.13-rc4 */
FROM_TO(dio_default[]) = { { ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 6) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX_RC(6, 13, 3) }, LAST };
/* linux-erofs 2025-04-08, "set error to bio if file-backed IO fails"; 6.12.24, 6.13.12, 6.14.3, 6.15-rc2 */
FROM_TO(lost_io_error[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 23) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX(6, 13, 11) },
	{ ERO_LINUX_RC(6, 14, 1), ERO_LINUX(6, 14, 2) }, { ERO_LINUX_RC(6, 15, 1), ERO_LINUX_RC(6, 15, 1) }, LAST
};
/* CVE-2025-38172; 6.12.34, 6.15.3, 6.16-rc1 */
FROM_TO(multidev_uaf[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 33) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX(6, 15, 2) }, LAST
};
/* CVE-2026-23224; 6.12.72, 6.18.11, 6.19.1, 7.0-rc1 */
FROM_TO(dio_uaf[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 71) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX(6, 18, 10) },
	{ ERO_LINUX_RC(6, 19, 1), ERO_LINUX(6, 19, 0) }, LAST
};
/* CVE-2026-31514, whose own window is too narrow: fs/erofs/fileio.c of 6.12.38 fills with zeros, too; fixed in 6.12.80,
 * 6.18.21, 6.19.11, 7.0-rc6 */
FROM_TO(shortread_zero[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 79) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX(6, 18, 20) },
	{ ERO_LINUX_RC(6, 19, 1), ERO_LINUX(6, 19, 10) }, { ERO_LINUX_RC(7, 0, 1), ERO_LINUX_RC(7, 0, 5) }, LAST
};
/* linux-erofs 2025-12-26, "REGRESSION 6.12.63"; fixed 2026-01-10: 6.12.66, 6.18.6, 6.19-rc5 */
FROM_TO(stack_limit_window[]) = {
	{ ERO_LINUX(6, 12, 63), ERO_LINUX(6, 12, 65) }, { ERO_LINUX(6, 17, 13), ERO_LINUX(6, 17, NEWEST) },
	{ ERO_LINUX(6, 18, 2), ERO_LINUX(6, 18, 5) }, { ERO_LINUX_RC(6, 19, 1), ERO_LINUX_RC(6, 19, 4) }, LAST
};
/* linux-erofs 2025-11-22, "limit the level of fs stacking for file-backed mounts"; 6.12.63, 6.17.13, 6.18.2, 6.19-rc1 */
FROM_TO(no_stack_limit[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX(6, 12, 62) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX(6, 17, 12) },
	{ ERO_LINUX_RC(6, 18, 1), ERO_LINUX(6, 18, 1) }, LAST
};
/* linux-erofs 2026-03-30, "verify metadata accesses for file-backed mounts"; 7.1-rc1, backports dropped 2026-05-21 */
FROM_TO(no_metadata_hook[]) = { { ERO_LINUX(6, 12, 0), ERO_LINUX(7, 0, NEWEST) }, LAST };
/* linux-erofs 2025-06-12 (data, 6.16-rc3) and 2026-05-05 (metadata: fs/erofs/data.c of 7.2.12 checks the reader; 7.3 reads by
 * the opener's credentials) */
FROM_TO(reader_creds[]) = {
	{ ERO_LINUX(6, 12, 0), ERO_LINUX_RC(6, 16, 2) }, { ERO_LINUX_RC(7, 1, 1), ERO_LINUX(7, 2, NEWEST) }, LAST
};

static enum ero_truth no_erofs(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(kernel.erofs);
	return ero_holds(f->kernel.erofs.value);
}

static enum ero_truth no_filebacked(const struct ero_facts *f, struct ero_detail *d)
{
	static const struct ero_kernel_version since = ERO_LINUX(6, 12, 0);
	struct ero_kernel_version v;

	if (f->kernel.file_backed.known && f->kernel.running.known && f->kernel.running.value) {
		SAY("CONFIG_EROFS_FS_BACKED_BY_FILE is %s", f->kernel.file_backed.value ? "set" : "not set");
		return ero_holds(f->kernel.file_backed.value);
	}
	NEED(kernel.release);
	if (!ero_facts_kernel(f, &v))
		return ERO_UNKNOWN;
	SAY("the kernel is %s", f->kernel.release.value);
	return ero_holds(ero_kernel_compare(v, since) >= 0);
}

static enum ero_truth answer(const struct ero_facts *f, struct ero_detail *d)
{
	if (!f->who.answer.known)
		return ERO_HOLDS; /* it was not asked: nothing speaks against */
	SAY("a mount that was tried failed with %s", ero_errno_name((int)f->who.answer.value));
	return ero_holds(!f->who.answer.value);
}

static enum ero_truth fuse_or_subpage(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_magic);
	SAY("it lies on FUSE");
	if (ero_is_on_fuse(f))
		return ERO_BROKEN;
	NEED(image.block_bits);
	NEED(kernel.page_size);
	SAY("blocks of %llu bytes, pages of %llu", 1ull << (f->image.block_bits.value & 63), NUM(kernel.page_size));
	return ero_holds(1ull << (f->image.block_bits.value & 63) >= f->kernel.page_size.value);
}

static enum ero_truth always(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(kernel.release);
	SAY("the kernel is %s", f->kernel.release.value);
	return ERO_BROKEN;
}

static enum ero_truth compressed_image(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.feature_incompat);
	return ero_holds(!ero_is_compressed(f));
}

static enum ero_truth mixed_devices(const struct ero_facts *f, struct ero_detail *d)
{
	for (size_t i = 0; i < f->device_count; i++) {
		NEED_OF(i, given);
		if (!f->devices[i].given.value)
			continue;
		NEED_OF(i, file.type);
		SAY("device %zu is a regular file, the image is on a block device", i + 1);
		if (ero_is(&f->devices[i].file.type, "regular"))
			return ERO_BROKEN;
	}
	NEED(image.extra_devices); /* with no facts at all nothing is said */
	return ERO_HOLDS;
}

static enum ero_truth wants_direct_io(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.direct_io);
	return ero_holds(!f->plan.direct_io.value);
}

static enum ero_truth two_overlays(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.overlays);
	SAY("%llu overlays are planned above", NUM(plan.overlays));
	return ero_holds(f->plan.overlays.value < 2);
}

static enum ero_truth deep_stack(const struct ero_facts *f, struct ero_detail *d)
{
	const char *name;

	NEED(file.fs_magic);
	NEED(file.fs_anonymous);
	ero_fs_classify(f->file.fs_magic.value, &name);
	SAY("it lies on %s", name);
	return ero_holds(f->file.fs_magic.value != 0x794C7630 && !ero_is_on_fuse(f) &&
			 (f->file.fs_magic.value != ERO_SUPER_MAGIC || !f->file.fs_anonymous.value));
}

static enum ero_truth precontent(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.precontent_marks);
	SAY("%llu pre-content marks of fanotify are on it", NUM(file.precontent_marks));
	return ero_holds(!f->file.precontent_marks.value);
}

static enum ero_truth labels(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(kernel.lsm);
	SAY("active: %s", f->kernel.lsm.value);
	return ero_holds(!strstr(f->kernel.lsm.value, "selinux") && !strstr(f->kernel.lsm.value, "smack") &&
			 !strstr(f->kernel.lsm.value, "apparmor"));
}

static enum ero_truth byte_extents(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.feature_incompat);
	if (!ero_has_incompat(f, ERO_INCOMPAT_48BIT) || !ero_is_compressed(f))
		return ERO_HOLDS;
	NEED(image.byte_extents);
	return ero_holds(!f->image.byte_extents.value);
}

const struct ero_rule ero_rules_kernel[] = {
	{ .id = "layer.kernel.no-erofs", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = ENODEV,
	  .doubt = ERO_DOUBT_WARNS, .judge = no_erofs,
	  .sentence = "this kernel has no EROFS, neither built in nor as a module",
	  .remedy = "install the kernel's modules, or mount with FUSE",
	  .source = "/proc/filesystems", .tried = "not tried: the kernel here has it" },
	{ .id = "layer.kernel.no-filebacked", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_STOPS, .judge = no_filebacked,
	  .sentence = "this kernel cannot mount EROFS straight from a file",
	  .remedy = "losetup -r --direct-io=on, or Linux 6.12 and later",
	  .source = "linux-erofs 2024-08-30, \"erofs: add file-backed mount support\"; seen on 5.10 and 6.1: ENOTBLK",
	  .tried = "under qemu: 6.1 mounts the same images through loop devices" },
	{ .id = "layer.kernel.answer", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE | ERO_BY_DEVICE, .stage = ERO_AT_MOUNT,
	  .code = 0, .doubt = ERO_DOUBT_PASSES, .judge = answer,
	  .sentence = "the kernel itself refuses: a mount was prepared as planned and thrown away",
	  .remedy = "see what else is found, and the kernel's log",
	  .source = "fsopen(2), fsconfig(2)", .tried = "case J2p" },
	{ .id = "layer.kernel.fuse-subpage-crash", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_MOUNT,
	  .code = 0, .crashes = true, .doubt = ERO_DOUBT_WARNS, .judge = fuse_or_subpage, .windows = fuse_subpage_crash,
	  .sentence = "this kernel crashes on images on FUSE, and on blocks below the page size, when mounted from a file",
	  .remedy = "use a loop device, or Linux 6.12.2 and later",
	  .source = "CVE-2024-56750; linux-erofs 2024-10-15, 2024-11-15; fixed in 6.12.2",
	  .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.dio-default", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = always, .windows = dio_default,
	  .sentence = "this kernel always reads the file with direct I/O: first use is several times slower",
	  .remedy = "use a loop device, or Linux 6.12.7 and later",
	  .source = "linux-erofs 2024-12-16, \"use buffered I/O for file-backed mounts by default\"; 6.12.7, 6.13-rc4",
	  .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.lost-io-error", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_WARNS, .judge = compressed_image, .windows = lost_io_error,
	  .sentence = "in this kernel, reads of the file that fail count as good: compressed files would hold rubbish",
	  .remedy = "use a loop device, or Linux 6.12.24, 6.14.3 and later",
	  .source = "linux-erofs 2025-04-08, \"set error to bio if file-backed IO fails\"; 6.12.24, 6.13.12, 6.14.3, 6.15-rc2",
	  .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.multidev-uaf", .severity = ERO_DAMAGE, .ways = ERO_BY_DEVICE | ERO_BY_LOOP, .stage = ERO_AT_MOUNT,
	  .crashes = true, .doubt = ERO_DOUBT_WARNS, .judge = mixed_devices, .windows = multidev_uaf,
	  .sentence = "this kernel uses freed memory when an image on a block device is given a regular file as extra device",
	  .remedy = "give block devices, or mount all of it from files",
	  .source = "CVE-2025-38172; 6.12.34, 6.15.3, 6.16-rc1", .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.dio-uaf", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .crashes = true, .doubt = ERO_DOUBT_WARNS, .judge = wants_direct_io, .windows = dio_uaf,
	  .sentence = "this kernel uses freed memory when it reads with the option directio",
	  .remedy = "leave directio away, or update the kernel",
	  .source = "CVE-2026-23224; 6.12.72, 6.18.11, 6.19.1", .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.shortread-zero", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = always, .windows = shortread_zero,
	  .sentence = "in this kernel, a reader that is killed in the midst of a read can leave zeros in the cache, for all readers",
	  .remedy = "update to 6.12.80, 6.18.21, 6.19.11 or 7.0, or use a loop device",
	  .source = "CVE-2026-31514; 6.12.80, 6.18.21, 6.19.11, 7.0-rc6", .tried = "not tried: it takes a kill at the right moment" },
	{ .id = "layer.kernel.stack-limit-window", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .code = EINVAL, .doubt = ERO_DOUBT_WARNS, .judge = two_overlays, .windows = stack_limit_window,
	  .sentence = "this kernel takes at most one overlay above an image mounted from a file",
	  .remedy = "use a loop device, or update to 6.12.66, 6.18.6 or later",
	  .source = "linux-erofs 2025-12-26, \"REGRESSION 6.12.63\"; 6.12.66, 6.18.6, 6.19-rc5",
	  .tried = "not tried: overlays are not part of the runs under qemu" },
	{ .id = "layer.kernel.no-stack-limit", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = deep_stack, .windows = no_stack_limit,
	  .sentence = "this kernel takes images inside images to any depth, until its stack overflows",
	  .remedy = "put the image on a disk file system of its own",
	  .source = "linux-erofs 2025-11-22, \"limit the level of fs stacking\"; 6.12.63, 6.17.13, 6.18.2",
	  .tried = "not tried: no such kernel is at hand" },
	{ .id = "layer.kernel.precontent-bypass", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = precontent, .windows = no_metadata_hook,
	  .sentence = "somebody fills or guards the file on access, and this kernel reads metadata without asking",
	  .remedy = "fetch the whole file before mounting; a loop device asks for nothing at all",
	  .source = "linux-erofs 2026-03-30, \"verify metadata accesses for file-backed mounts\"; seen on 6.18: no event; 7.1-rc1",
	  .tried = "case F1" },
	{ .id = "layer.loop.precontent-bypass", .severity = ERO_WARNING, .ways = ERO_BY_LOOP, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = precontent,
	  .sentence = "somebody fills or guards the file on access, and loop devices never ask",
	  .remedy = "fetch the whole file before mounting", .source = "seen on 6.18: no event at all", .tried = "case F5" },
	{ .id = "layer.kernel.reader-creds", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = labels, .windows = reader_creds,
	  .sentence = "this kernel asks the security module whether each reader may read the image file itself",
	  .remedy = "label the image so that all readers may read it, or use a loop device",
	  .source = "linux-erofs 2025-06-12 and 2026-05-05; fs/erofs/data.c of 7.2.12",
	  .tried = "not tried: no policy is loaded here" },
	{ .id = "layer.kernel.encoded-extents", .severity = ERO_WARNING, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = byte_extents, .windows = ero_extent_bugs,
	  .sentence = "this kernel may read wrong what is stored in extents that begin at any byte",
	  .remedy = "update to 6.18.16, 6.19.6 or 7.0, or build without --extent-size",
	  .source = "CVE-2026-43166; 6.18.16, 6.19.6, 7.0; 6.18.15 read all our images right, so not every image is hit",
	  .tried = "under qemu: 6.18.15 reads them right" },
	{ .id = NULL },
};
