// SPDX-License-Identifier: MIT
/* Rules about the mount itself: who asks, with which options, at what cost, and what is to stand above. */
#include "layering/judge.h"

static const struct ero_kernel_window no_inode_share[] = { { ERO_LINUX(5, 4, 0), ERO_LINUX(6, 19, NEWEST) }, LAST };
static const struct ero_kernel_window no_fsid[] = { { ERO_LINUX_RC(7, 2, 1), ERO_LINUX(999, 0, 0) }, LAST };
static const struct ero_kernel_window no_directio[] = {
	{ ERO_LINUX(5, 4, 0), ERO_LINUX(6, 12, 6) }, { ERO_LINUX_RC(6, 13, 1), ERO_LINUX_RC(6, 13, 3) }, LAST
};

static enum ero_truth admin(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(who.admin);
	return ero_holds(f->who.admin.value);
}

static enum ero_truth dac(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.type);
	if (ero_is(&f->file.type, "missing"))
		return ERO_HOLDS;
	NEED(file.readable);
	return ero_holds(f->file.readable.value);
}

static enum ero_truth no_loop(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(kernel.loop);
	return ero_holds(f->kernel.loop.value);
}

static enum ero_truth inherited(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.nosuid);
	NEED(plan.nodev);
	NEED(plan.noexec);
	NEED(file.fs_nosuid);
	NEED(file.fs_nodev);
	NEED(file.fs_noexec);
	SAY("%s%s%s", f->file.fs_nosuid.value && !f->plan.nosuid.value ? "nosuid " : "",
	    f->file.fs_nodev.value && !f->plan.nodev.value ? "nodev " : "", f->file.fs_noexec.value && !f->plan.noexec.value ? "noexec" : "");
	return ero_holds(!*d->text);
}

static enum ero_truth setuid(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.nosuid);
	if (f->plan.nosuid.value)
		return ERO_HOLDS;
	NEED(file.owner);
	NEED(file.permissions);
	SAY("owner %llu, mode %04llo", NUM(file.owner), NUM(file.permissions));
	return ero_holds(!f->file.owner.value && !(f->file.permissions.value & 022));
}

/* ---- direct I/O and memory ---- */

static enum ero_truth dio_align(const struct ero_facts *f, struct ero_detail *d)
{
	uint64_t block;

	NEED(plan.direct_io);
	if (!f->plan.direct_io.value)
		return ERO_HOLDS;
	NEED(image.block_bits);
	NEED(plan.offset);
	block = 1ull << (f->image.block_bits.value & 31);
	if (!f->file.dio_align.known && block >= 4096)
		return ERO_HOLDS; /* no disk asks for more; file systems that say nothing read it by other means */
	NEED(file.dio_align);
	if (!f->file.dio_align.value)
		return ERO_HOLDS; /* none: EROFS reads by the page cache then */
	SAY("direct I/O there goes by %llu bytes, the image by %llu, from byte %llu on", NUM(file.dio_align), (unsigned long long)block,
	    NUM(plan.offset));
	return ero_holds(block % f->file.dio_align.value == 0 && f->plan.offset.value % f->file.dio_align.value == 0);
}

/* With direct I/O a loop device gets sectors as large as the disk's. */
static enum ero_truth loop_align(const struct ero_facts *f, struct ero_detail *d)
{
	uint64_t block;

	NEED(plan.loop_direct_io);
	if (!f->plan.loop_direct_io.value)
		return ERO_HOLDS;
	NEED(image.block_bits);
	NEED(file.dio_align);
	block = 1ull << (f->image.block_bits.value & 31);
	SAY("the device would have sectors of %llu bytes, the image has blocks of %llu", NUM(file.dio_align), (unsigned long long)block);
	return ero_holds(f->file.dio_align.value <= block);
}

static enum ero_truth dio_dirty(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.direct_io);
	if (!f->plan.direct_io.value)
		return ERO_HOLDS;
	NEED(file.dirty);
	SAY("%llu pages are not written back yet", NUM(file.dirty));
	return ero_holds(!f->file.dirty.value);
}

static enum ero_truth double_cache(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.direct_io);
	NEED(file.size);
	SAY("up to %llu pages of the file beside those of its content", NUM(file.size) / 4096);
	return ero_holds(f->plan.direct_io.value);
}

static enum ero_truth access_times(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.fs_atime);
	return ero_holds(!f->file.fs_atime.value);
}

/* ---- options and what is above ---- */

static enum ero_truth overlays(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.overlays);
	SAY("%llu are planned", NUM(plan.overlays));
	return ero_holds(f->plan.overlays.value <= 2);
}

static enum ero_truth unknown_options(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.unknown_options);
	SAY("%.300s", f->plan.unknown_options.value);
	return ero_holds(!*f->plan.unknown_options.value);
}

static enum ero_truth option_windows(const struct ero_facts *f, struct ero_detail *d)
{
	const struct {
		const struct ero_fact *wanted;
		const struct ero_kernel_window *windows;
		const char *words;
	} options[] = {
		{ &f->plan.inode_share, no_inode_share, "inode_share came with 7.0" },
		{ &f->plan.fsid, no_fsid, "fsid went with 7.2" },
		{ &f->plan.direct_io, no_directio, "directio came with 6.12.7 and 6.13-rc4" },
	};

	NEED(plan.inode_share);
	NEED(plan.fsid);
	NEED(plan.direct_io);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		enum ero_truth in = options[i].wanted->value ? ero_in_windows(f, options[i].windows, d) : ERO_HOLDS;

		if (in == ERO_BROKEN)
			SAY("%s", options[i].words);
		if (in != ERO_HOLDS)
			return in;
	}
	return ERO_HOLDS;
}

static enum ero_truth share_alone(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.inode_share);
	NEED(plan.domain_id);
	NEED(plan.dax);
	SAY("%s", f->plan.domain_id.value ? "dax=always beside it" : "domain_id is missing");
	return ero_holds(!f->plan.inode_share.value || (f->plan.domain_id.value && !f->plan.dax.value));
}

static enum ero_truth silent_loop(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(kernel.mounter);
	SAY("%s", *f->kernel.mounter.value ? f->kernel.mounter.value : "no other program is here");
	return ero_holds(ero_is(&f->kernel.mounter, "mount"));
}

const struct ero_rule ero_rules_plan[] = {
	{ .id = "layer.priv.userns", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EPERM,
	  .doubt = ERO_DOUBT_WARNS, .judge = admin,
	  .sentence = "mounting needs CAP_SYS_ADMIN in the first user namespace, which this process does not have",
	  .remedy = "mount as root, or with FUSE", .source = "no FS_USERNS_MOUNT in fs/erofs/super.c; seen on 6.18: EPERM",
	  .tried = "case G1r" },
	{ .id = "layer.priv.dac", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EACCES,
	  .doubt = ERO_DOUBT_WARNS, .judge = dac,
	  .sentence = "the file may not be opened for reading by who asks",
	  .remedy = "chmod, or ask as somebody who may; readers of the mounted tree need no such right",
	  .source = "seen on 6.18: EACCES, and only at the mount", .tried = "case G2r" },
	{ .id = "layer.loop.unavailable", .severity = ERO_DAMAGE, .ways = ERO_BY_LOOP, .stage = ERO_AT_MOUNT, .code = ENOENT,
	  .doubt = ERO_DOUBT_WARNS, .judge = no_loop,
	  .sentence = "no loop device can be made here",
	  .remedy = "modprobe loop, and /dev/loop-control in a container; or mount from the file itself",
	  .source = "loop(4)", .tried = "not tried: /dev/loop-control is here" },
	{ .id = "layer.policy.not-inherited", .severity = ERO_WARNING, .ways = ERO_FROM_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = inherited,
	  .sentence = "the mount below forbids what the image's mount would allow",
	  .remedy = "give the same options to the mount of the image", .source = "seen on 6.18: a program runs from below noexec",
	  .tried = "case A10n" },
	{ .id = "layer.policy.setuid", .severity = ERO_WARNING, .ways = ERO_ANY_WAY, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = setuid,
	  .sentence = "others than root made the image or may change it, and its setuid programs would count",
	  .remedy = "mount with nosuid,nodev", .source = "seen on 6.18: effective user 0", .tried = "case B1n" },
	{ .id = "layer.io.dio-align", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE, .stage = ERO_AT_READ, .code = EIO,
	  .doubt = ERO_DOUBT_WARNS, .at_build = true, .judge = dio_align,
	  .sentence = "direct I/O on that disk goes by larger units than the image's blocks",
	  .remedy = "leave directio away, or mkfs.erofs -b4096", .source = "seen on 6.18: EIO for every read", .tried = "cases L3, L4" },
	{ .id = "layer.loop.dio-align", .severity = ERO_DAMAGE, .ways = ERO_BY_LOOP, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_WARNS, .judge = loop_align,
	  .sentence = "a loop device with direct I/O has sectors larger than the image's blocks",
	  .remedy = "leave --direct-io away", .source = "drivers/block/loop.c; seen on 6.18: EINVAL", .tried = "case L5" },
	{ .id = "layer.io.dio-dirty", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = dio_dirty,
	  .sentence = "the file was just written: direct I/O would wait for that and read it all from the disk again",
	  .remedy = "leave directio away now (remount with it later), or fsync the file first",
	  .source = "linux-erofs 2026-05-08; seen on 6.18: 87 ms instead of 19 for 64 MiB", .tried = "case E2s" },
	{ .id = "layer.io.double-cache", .severity = ERO_INFO, .ways = ERO_FROM_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = double_cache,
	  .sentence = "the file is cached below and its content above: memory for both",
	  .remedy = "the option directio (blocks of 4096 bytes, a kernel with its fixes), or compression",
	  .source = "seen on 6.18: 269 MiB of cache for a 134 MiB image", .tried = "case E1" },
	{ .id = "layer.io.atime", .severity = ERO_INFO, .ways = ERO_FROM_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = access_times,
	  .sentence = "every read of data may write an access time below",
	  .remedy = "mount what is below with noatime or relatime", .source = "seen on 6.18 with strictatime", .tried = "case A10a" },
	{ .id = "layer.stack.overlay-depth", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_BESIDE, .code = EINVAL,
	  .doubt = ERO_DOUBT_WARNS, .judge = overlays,
	  .sentence = "the kernel takes at most two overlays, one on the other",
	  .remedy = "name all layers as lowerdir of one overlay", .source = "FILESYSTEM_MAX_STACK_DEPTH; seen on 6.18: EINVAL",
	  .tried = "case G5m" },
	{ .id = "layer.opt.unsupported", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = unknown_options,
	  .sentence = "EROFS has no such mount option",
	  .remedy = "leave it away; loop and offset= are words of mount(8): --as=loop", .source = "seen on 6.18: EINVAL",
	  .tried = "case D12l" },
	{ .id = "layer.opt.window", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_WARNS, .judge = option_windows,
	  .sentence = "this kernel does not have that mount option yet, or has it no more",
	  .remedy = "leave it away", .source = "fs/erofs/super.c of 6.12 to 7.3", .tried = "case D12s" },
	{ .id = "layer.opt.inode-share", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_WARNS, .judge = share_alone,
	  .sentence = "inode_share needs domain_id, and goes with no dax=always",
	  .remedy = "add domain_id=NAME", .source = "fs/erofs/super.c of 7.2", .tried = "not tried: no kernel with CONFIG_EROFS_FS_PAGE_CACHE_SHARE" },
	{ .id = "layer.tool.silent-loop", .severity = ERO_INFO, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = silent_loop,
	  .sentence = "this host's mount(8) sets up a loop device without saying so",
	  .remedy = "util-linux 2.41 and later, mount.erofs or mount(2); see st_dev of the mounted tree: major 7 is a loop device",
	  .source = "util-linux 2.41 release notes; hook_loopdev.c", .tried = "case T1" },
	{ .id = NULL },
};
