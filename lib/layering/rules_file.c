// SPDX-License-Identifier: MIT
/* Rules about the image file: what it is, whether it is whole, and who else may touch it. */
#include "layering/judge.h"

/* a read that ends before the block does is an error since the fix of CVE-2026-31514; before, the rest was zeros */
static const struct ero_kernel_window short_read_fails[] = {
	{ ERO_LINUX(6, 12, 80), ERO_LINUX(6, 12, NEWEST) }, { ERO_LINUX(6, 18, 21), ERO_LINUX(6, 18, NEWEST) },
	{ ERO_LINUX(6, 19, 11), ERO_LINUX(6, 19, NEWEST) }, { ERO_LINUX_RC(7, 0, 6), ERO_LINUX(999, 0, 0) }, LAST
};
/* and of metadata, too, since that has a cache of its own: seen on 7.3 */
static const struct ero_kernel_window short_metadata_fails[] = { { ERO_LINUX_RC(7, 3, 1), ERO_LINUX(999, 0, 0) }, LAST };

static enum ero_truth regular(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.type);
	SAY("it is %s", f->file.type.value);
	if (ero_is(&f->plan.way, "device"))
		return ero_holds(ero_is(&f->file.type, "block"));
	return ero_holds(ero_is(&f->file.type, "regular") || ero_is(&f->file.type, "block"));
}

static enum ero_truth header(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.header);
	SAY("%s", f->image.header_error.value);
	return ero_holds(f->image.header.value);
}

/* Bytes of the image that are there. */
static uint64_t there(const struct ero_facts *f)
{
	uint64_t left = f->file.size.value > f->plan.offset.value ? f->file.size.value - f->plan.offset.value : 0;

	return f->plan.size_limit.known && f->plan.size_limit.value && f->plan.size_limit.value < left ? f->plan.size_limit.value : left;
}

static bool is_whole(const struct ero_facts *f)
{
	uint64_t need;

	return f->image.block_bits.value < 32 && !__builtin_mul_overflow(f->image.blocks.value, 1ull << f->image.block_bits.value, &need) &&
	       there(f) >= need;
}

static enum ero_truth whole(const struct ero_facts *f, struct ero_detail *d)
{
	uint64_t have = there(f), unit;

	NEED(image.block_bits);
	NEED(image.blocks);
	NEED(file.size);
	NEED(plan.offset);
	if (is_whole(f))
		return ERO_HOLDS;
	NEED(image.sound);
	if (!f->image.sound.value) {
		SAY("%llu bytes are there: %.300s", (unsigned long long)have, f->image.damage.value);
		return ERO_BROKEN;
	}
	NEED(image.data_end);
	NEED(image.metadata_end);
	unit = 1ull << (f->image.block_bits.value & 31);
	SAY("%llu bytes are there; data ends at %llu, metadata at %llu", (unsigned long long)have, NUM(image.data_end),
	    NUM(image.metadata_end));
	return ero_holds(have >= f->image.metadata_end.value && (have + unit - 1) / unit * unit >= f->image.data_end.value);
}

/* The last block is there in part. */
static enum ero_truth tail(const struct ero_facts *f, struct ero_detail *d)
{
	uint64_t have = there(f), unit;
	bool loop = ero_is(&f->plan.way, "loop");

	NEED(image.block_bits);
	NEED(file.size);
	NEED(plan.offset);
	unit = 1ull << (f->image.block_bits.value & 31);
	if (have % 4096 == 0)
		return ERO_HOLDS;
	NEED(image.data_end);
	NEED(image.metadata_end);
	SAY("%llu bytes are there; data ends at %llu, metadata at %llu", (unsigned long long)have, NUM(image.data_end),
	    NUM(image.metadata_end));
	if (loop) /* devices end with a whole sector; what is behind it is not there */
		return ero_holds(f->image.metadata_end.value <= have / 512 * 512 && f->image.data_end.value <= have / 512 * 512);
	if (f->image.metadata_end.value > have / 4096 * 4096 && f->image.metadata_end.value <= have) {
		enum ero_truth in = ero_in_windows(f, short_metadata_fails, d);

		if (in != ERO_HOLDS)
			return in;
	}
	if (f->image.data_end.value > have && f->image.data_end.value <= (have + unit - 1) / unit * unit)
		return ero_in_windows(f, short_read_fails, d);
	return ERO_HOLDS;
}

static enum ero_truth sound(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.header);
	if (!f->image.header.value)
		return ERO_HOLDS; /* layer.file.header tells */
	NEED(image.sound);
	SAY("%.390s", f->image.damage.value);
	return ero_holds(f->image.sound.value);
}

/* Equal digests of every byte settle it. */
static bool proven(const struct ero_facts *f)
{
	return f->plan.recorded.known && *f->plan.recorded.value && ero_is(&f->file.verity_digest, f->plan.recorded.value);
}

static enum ero_truth holes(const struct ero_facts *f, struct ero_detail *d)
{
	if (ero_is(&f->file.type, "block"))
		return ERO_HOLDS; /* devices have none */
	NEED(file.hole);
	if (!f->file.hole.value || proven(f))
		return ERO_HOLDS;
	NEED(image.hole_in_metadata);
	NEED(image.hole_in_encoded);
	NEED(image.hole_in_plain);
	if (f->image.hole_in_metadata.value || f->image.hole_in_encoded.value) {
		SAY("%s is missing", f->image.hole_in_metadata.value ? "metadata" : "compressed data");
		return ERO_BROKEN;
	}
	if (!f->image.hole_in_plain.value)
		return ERO_HOLDS;
	if (f->file.unwritten.known && f->file.unwritten.value) {
		SAY("space was taken for plain data and never written");
		return ERO_BROKEN;
	}
	SAY("plain data lies there: zeros that were meant, or data that is missing; nothing but a digest of the whole tells");
	return ERO_UNKNOWN;
}

static enum ero_truth verity(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(plan.recorded);
	if (!*f->plan.recorded.value)
		return ERO_HOLDS;
	NEED(file.verity_digest);
	SAY("recorded %.80s, found %.80s", f->plan.recorded.value, f->file.verity_digest.value);
	return ero_holds(proven(f));
}

static enum ero_truth writer(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.writer);
	if (f->file.writer.value) {
		SAY("%s", f->file.writable_loops.known && f->file.writable_loops.value ? "a writable loop device" : "some process");
		return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

static enum ero_truth mutable(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.owner);
	NEED(file.permissions);
	if ((f->file.immutable.known && f->file.immutable.value) || (f->file.verity.known && f->file.verity.value))
		return ERO_HOLDS;
	if (f->file.owner.value || (f->file.permissions.value & 022)) {
		SAY("owner %llu, mode %04llo", NUM(file.owner), NUM(file.permissions));
		return ERO_BROKEN;
	}
	NEED(file.parent_open);
	SAY("its directory can be written by others than root");
	return ero_holds(!f->file.parent_open.value);
}

static enum ero_truth on_loop(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.loops);
	SAY("%llu loop devices are on it", NUM(file.loops));
	return ero_holds(!f->file.loops.value);
}

static enum ero_truth mounted(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.mounts);
	SAY("%llu mounts", NUM(file.mounts));
	return ero_holds(!f->file.mounts.value);
}

static enum ero_truth identity(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.path);
	SAY("%.300s", f->file.path.value);
	return ero_holds(f->file.path.value[0] == '/' && strncmp(f->file.path.value, "/proc/", 6) != 0);
}

static enum ero_truth guarded(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(file.permission_marks);
	SAY("%llu permission marks of fanotify are on it", NUM(file.permission_marks));
	return ero_holds(!f->file.permission_marks.value);
}

const struct ero_rule ero_rules_file[] = {
	{ .id = "layer.file.not-regular", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = ENOTBLK,
	  .doubt = ERO_DOUBT_STOPS, .judge = regular,
	  .sentence = "there is no file, or block device, of this name to mount",
	  .remedy = "name the image file itself", .source = "seen on 6.18: ENOTBLK, ENOENT", .tried = "case A8r" },
	{ .id = "layer.file.header", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = header,
	  .sentence = "the file does not begin with a sound EROFS superblock",
	  .remedy = "unpack it, give the right offset, or build it again", .source = "seen on 6.18: EINVAL; EBADMSG for the checksum",
	  .tried = "case N5r" },
	{ .id = "layer.file.short", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = whole,
	  .sentence = "the file ends before the image in it does",
	  .remedy = "fetch the file again and compare its digest", .source = "seen on 6.18: EIO, EUCLEAN", .tried = "case B12r" },
	{ .id = "layer.file.unaligned-tail", .severity = ERO_DAMAGE, .ways = ERO_FROM_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_WARNS, .at_build = true, .judge = tail,
	  .sentence = "the file ends within a block, and this kernel does not take that for zeros",
	  .remedy = "truncate -s %4096 FILE",
	  .source = "seen on 6.18: EIO; 7.3: EIO for metadata, too; fixed reads since 6.12.80, 6.18.21, 6.19.11, 7.0-rc6",
	  .tried = "case B14r" },
	{ .id = "layer.file.unsound", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = sound,
	  .sentence = "the image's metadata cannot be read whole",
	  .remedy = "fsck.erofs tells all of it; fetch or build the image again", .source = "the image itself", .tried = "case B9r" },
	{ .id = "layer.file.holes", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = holes,
	  .sentence = "parts of the file are holes: missing data would read as zeros, without any error",
	  .remedy = "finish fetching it before the mount, or compare digests: mkfs.erofs --record-verity, fsck.erofs --verity",
	  .source = "seen on 6.18: zeros, which stay in the cache when the file is filled later", .tried = "cases B10r, B10v" },
	{ .id = "layer.file.verity", .severity = ERO_DAMAGE, .ways = ERO_FROM_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_WARNS, .judge = verity,
	  .sentence = "the file is not the one whose fs-verity digest was recorded",
	  .remedy = "fetch the file again; fsverity enable lets the kernel watch over it",
	  .source = "Documentation/filesystems/fsverity.rst", .tried = "case B10v" },
	{ .id = "layer.file.writer", .severity = ERO_WARNING, .ways = ERO_FROM_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = writer,
	  .sentence = "somebody has the file open for writing: what is written shows in the mounted tree, metadata at once",
	  .remedy = "end the writer; --hold keeps others away until the mount is made",
	  .source = "seen on 6.18: a mode changed to 06777 in the file shows in stat", .tried = "cases B2, C2" },
	{ .id = "layer.file.mutable", .severity = ERO_WARNING, .ways = ERO_FROM_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = mutable,
	  .sentence = "others than root may change the file: a setuid program can be written into it after this check",
	  .remedy = "chown root, chmod 0444 and chattr +i, or fs-verity", .source = "seen on 6.18", .tried = "case B1i" },
	{ .id = "layer.file.guarded", .severity = ERO_WARNING, .ways = ERO_FROM_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = guarded,
	  .sentence = "a listener is asked before the file is opened or read; it is not asked about metadata, nor about anything by a loop device",
	  .remedy = "let the listener scan the mounted tree instead",
	  .source = "seen on 6.18: no events for superblock, inodes and small directories", .tried = "case F4" },
	{ .id = "layer.file.on-loop-too", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = on_loop,
	  .sentence = "a loop device is on the file already: its data would be cached once more",
	  .remedy = "mount that device, or detach it (losetup -d)", .source = "seen on 6.18: 403 MiB of cache for a 134 MiB image",
	  .tried = "case C4" },
	{ .id = "layer.file.mounted-twice", .severity = ERO_INFO, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = mounted,
	  .sentence = "the file is mounted already: a second mount has a cache of its own",
	  .remedy = "mount --bind the first one; Linux 7.0 has inode_share", .source = "seen on 6.18: two superblocks",
	  .tried = "case B7" },
	{ .id = "layer.file.identity-lost", .severity = ERO_INFO, .ways = ERO_BY_FILE, .stage = ERO_BESIDE,
	  .doubt = ERO_DOUBT_PASSES, .judge = identity,
	  .sentence = "the mount table keeps this path as it stands: it will not tell which file is mounted",
	  .remedy = "mount by an absolute path, and keep device and inode number", .source = "seen on 6.18", .tried = "case B1p" },
	{ .id = NULL },
};
