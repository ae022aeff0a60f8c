// SPDX-License-Identifier: MIT
/* Rules about the image in the file: features, algorithms, block sizes, and its extra devices. */
#include "layering/judge.h"

#define NEWEST ERO_KERNEL_NEWEST_PATCH
#define LAST { ERO_LINUX(0, 0, 0), ERO_LINUX(0, 0, 0) }

/* linux-erofs, "add missing buf->off in erofs_bread()": fsoffset= must be a multiple of the page size until 7.2.7, 7.3-rc3 */
static const struct ero_kernel_window offset_bug[] = {
	{ ERO_LINUX_RC(6, 16, 1), ERO_LINUX(7, 2, 6) }, { ERO_LINUX_RC(7, 3, 1), ERO_LINUX_RC(7, 3, 2) }, LAST
};
static const struct ero_kernel_window no_offset[] = { { ERO_LINUX(5, 4, 0), ERO_LINUX(6, 15, NEWEST) }, LAST };

static bool is_compressed(const struct ero_facts *f)
{
	return ero_has_incompat(f, ERO_INCOMPAT_LZ4_0PADDING | ERO_INCOMPAT_COMPR_CFGS);
}

/* What the running kernel lists of an incompatible bit in /sys/fs/erofs/features; NULL: it lists nothing for it. */
static const char *listed_name(uint32_t bit)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ ERO_INCOMPAT_LZ4_0PADDING, "zero_padding" }, { ERO_INCOMPAT_COMPR_CFGS, "compr_cfgs" },
		{ ERO_INCOMPAT_CHUNKED_FILE, "chunked_file" }, { ERO_INCOMPAT_DEVICE_TABLE, "device_table" },
		{ ERO_INCOMPAT_ZTAILPACKING, "ztailpacking" }, { ERO_INCOMPAT_FRAGMENTS, "fragments" },
		{ ERO_INCOMPAT_48BIT, "48bit" }, { ERO_INCOMPAT_METABOX, "metabox" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}

static bool lists(const char *features, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strstr(features, name); at; at = strstr(at + 1, name))
		if ((at == features || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* Does the kernel read this feature? What it lists beats its number: vendors add features. */
static enum ero_truth reads_feature(const struct ero_facts *f, const struct ero_feature *feature, struct ero_detail *d)
{
	const char *name = listed_name(feature->bit);
	struct ero_kernel_version v;

	SAY("%s needs Linux %u.%u, the kernel is %.100s", feature->name, feature->since.major, feature->since.minor,
	    f->kernel.release.value);
	if (f->kernel.features.known && name)
		return ero_holds(lists(f->kernel.features.value, name));
	NEED(kernel.release);
	if (!ero_facts_kernel(f, &v))
		return ERO_UNKNOWN;
	return ero_holds(ero_kernel_compare(v, feature->since) >= 0);
}

static enum ero_truth incompat(const struct ero_facts *f, struct ero_detail *d)
{
	uint32_t unknown_bits;

	NEED(image.feature_incompat);
	unknown_bits = (uint32_t)f->image.feature_incompat.value & ~(uint32_t)ERO_INCOMPAT_KNOWN;
	SAY("unknown incompatible features %#x", unknown_bits);
	if (unknown_bits)
		return ERO_BROKEN;
	for (const struct ero_feature *feature = ero_incompat_features; feature->bit; feature++) {
		enum ero_truth truth = ERO_HOLDS;

		if (f->image.feature_incompat.value & feature->bit)
			truth = reads_feature(f, feature, d);
		if (truth != ERO_HOLDS)
			return truth;
	}
	return ERO_HOLDS;
}

static enum ero_truth algorithm(const struct ero_facts *f, struct ero_detail *d)
{
	const struct ero_fact *const configured[ERO_ALG_COUNT] = {
		[ERO_ALG_LZ4] = &f->kernel.zip, [ERO_ALG_LZMA] = &f->kernel.lzma, [ERO_ALG_DEFLATE] = &f->kernel.deflate,
		[ERO_ALG_ZSTD] = &f->kernel.zstd,
	};
	struct ero_kernel_version v;
	enum ero_truth truth = ERO_HOLDS;

	NEED(image.feature_incompat);
	NEED(image.algorithms);
	if (!is_compressed(f))
		return ERO_HOLDS;
	SAY("unknown algorithms %#llx", NUM(image.algorithms));
	if (f->image.algorithms.value >> ERO_ALG_COUNT)
		return ERO_BROKEN;
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++) {
		if (!(f->image.algorithms.value >> a & 1))
			continue;
		SAY("%s needs Linux %u.%u%s", ero_algorithm_name(a), ero_algorithm_since(a).major, ero_algorithm_since(a).minor,
		    a == ERO_ALG_LZ4 ? "" : ", configured for it");
		if (configured[a]->known && !configured[a]->value)
			return ERO_BROKEN;
		if (configured[a]->known)
			continue;
		NEED(kernel.release);
		if (!ero_facts_kernel(f, &v) || ero_kernel_compare(v, ero_algorithm_since(a)) < 0)
			return ERO_BROKEN;
		if (a != ERO_ALG_LZ4) { /* not every kernel of that age has it */
			SAY("whether %s is configured is not known", ero_algorithm_name(a));
			truth = ERO_UNKNOWN;
		}
	}
	return truth;
}

static enum ero_truth block_size(const struct ero_facts *f, struct ero_detail *d)
{
	static const struct ero_kernel_version plain = ERO_LINUX(6, 4, 0), encoded = ERO_LINUX(6, 8, 0);
	struct ero_kernel_version v, since;

	NEED(image.block_bits);
	NEED(kernel.page_size);
	SAY("blocks of 2^%llu bytes, pages of %llu", NUM(image.block_bits), NUM(kernel.page_size));
	if (f->image.block_bits.value < 9 || f->image.block_bits.value > 31 ||
	    1ull << f->image.block_bits.value > f->kernel.page_size.value)
		return ERO_BROKEN;
	if (1ull << f->image.block_bits.value == f->kernel.page_size.value)
		return ERO_HOLDS;
	NEED(kernel.release);
	NEED(image.feature_incompat);
	if (!ero_facts_kernel(f, &v))
		return ERO_UNKNOWN;
	since = is_compressed(f) ? encoded : plain;
	SAY("%s blocks below the page size need Linux %u.%u", is_compressed(f) ? "compressed, " : "", since.major, since.minor);
	return ero_holds(ero_kernel_compare(v, since) >= 0);
}

static enum ero_truth dir_blocks(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.dir_block_bits);
	SAY("2^%llu", NUM(image.dir_block_bits));
	return ero_holds(!f->image.dir_block_bits.value);
}

static enum ero_truth offset(const struct ero_facts *f, struct ero_detail *d)
{
	enum ero_truth in;

	NEED(plan.offset);
	if (!f->plan.offset.value)
		return ERO_HOLDS;
	SAY("the image begins at byte %llu", NUM(plan.offset));
	in = ero_in_windows(f, no_offset, d);
	if (in != ERO_HOLDS)
		return in;
	NEED(image.block_bits);
	NEED(kernel.page_size);
	SAY("the image begins at byte %llu", NUM(plan.offset));
	if (f->plan.offset.value % (1ull << (f->image.block_bits.value & 31)))
		return ERO_BROKEN;
	if (f->plan.offset.value % f->kernel.page_size.value == 0)
		return ERO_HOLDS;
	return ero_in_windows(f, offset_bug, d);
}

/* ---- extra devices ---- */

static uint64_t given(const struct ero_facts *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->device_count; i++)
		n += f->devices[i].given.known && f->devices[i].given.value;
	return n;
}

static bool is_flat(const struct ero_facts *f)
{
	return f->image.flat_end.known && f->image.flat_end.value && f->file.size.known && f->plan.offset.known &&
	       f->file.size.value >= f->plan.offset.value + f->image.flat_end.value;
}

static enum ero_truth missing(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	SAY("%llu are needed, %llu are given", NUM(image.extra_devices), (unsigned long long)given(f));
	if (!given(f) && is_flat(f))
		return ERO_HOLDS;
	return ero_holds(given(f) == f->image.extra_devices.value);
}

/* mount(2) counts before it opens anything, and takes none at all for a flat image. */
static enum ero_truth count_refused(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	SAY("%llu are in the table, %llu are given", NUM(image.extra_devices), (unsigned long long)given(f));
	return ero_holds(!given(f) || given(f) == f->image.extra_devices.value);
}

static enum ero_truth kind(const struct ero_facts *f, struct ero_detail *d)
{
	const char *want = ero_is(&f->plan.way, "file") && ero_is(&f->file.type, "regular") ? "regular" : "block";

	NEED(image.extra_devices);
	NEED(file.type);
	for (size_t i = 0; i < f->device_count; i++) {
		NEED(devices[i].given);
		if (!f->devices[i].given.value)
			continue;
		NEED(devices[i].file.type);
		SAY("device %zu is %s, not %s", i + 1, f->devices[i].file.type.value, want);
		if (!ero_is(&f->devices[i].file.type, want))
			return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

static enum ero_truth unreadable(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	for (size_t i = 0; i < f->device_count; i++) {
		NEED(devices[i].given);
		if (!f->devices[i].given.value || ero_is(&f->devices[i].file.type, "missing"))
			continue;
		NEED(devices[i].file.readable);
		SAY("device %zu", i + 1);
		if (!f->devices[i].file.readable.value)
			return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

static enum ero_truth too_short(const struct ero_facts *f, struct ero_detail *d)
{
	uint64_t need;

	NEED(image.extra_devices);
	NEED(image.block_bits);
	for (size_t i = 0; i < f->device_count && i < f->image.extra_devices.value; i++) {
		const struct ero_device_facts *device = &f->devices[i];

		NEED(devices[i].given);
		if (!device->given.value || ero_is(&device->file.type, "missing"))
			continue;
		NEED(devices[i].blocks);
		NEED(devices[i].file.size);
		if (__builtin_mul_overflow(device->blocks.value, 1ull << (f->image.block_bits.value & 31), &need))
			need = UINT64_MAX;
		SAY("device %zu has %llu bytes, the table says %llu", i + 1, NUM(devices[i].file.size), (unsigned long long)need);
		if (device->file.size.value < need)
			return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

/* Tags of 64 hexadecimal digits are digests, those of 32 the identifier of the image in it. */
static enum ero_truth one_identity(const struct ero_facts *f, size_t i, struct ero_detail *d)
{
	const struct ero_device_facts *device = &f->devices[i];
	size_t digits;

	NEED(devices[i].tag);
	digits = strspn(device->tag.value, "0123456789abcdef");
	if (!device->tag.value[digits] && digits == 64) {
		NEED(devices[i].digest);
		SAY("device %zu has SHA-256 %.64s, its tag says %.64s", i + 1, device->digest.value, device->tag.value);
		return ero_holds(ero_is(&device->digest, device->tag.value));
	}
	if (!device->tag.value[digits] && digits == 32) {
		NEED(devices[i].uuid);
		SAY("device %zu holds image %.32s, its tag says %.32s", i + 1, device->uuid.value, device->tag.value);
		return ero_holds(ero_is(&device->uuid, device->tag.value));
	}
	SAY("the table has no tag for device %zu that tells a right blob from a wrong one", i + 1);
	return ERO_UNKNOWN;
}

static enum ero_truth identity(const struct ero_facts *f, struct ero_detail *d)
{
	struct ero_detail doubt = { "" };
	enum ero_truth truth = ERO_HOLDS;

	NEED(image.extra_devices);
	NEED(plan.trust_devices);
	if (f->plan.trust_devices.value || given(f) != f->image.extra_devices.value)
		return ERO_HOLDS;
	for (size_t i = 0; i < f->device_count; i++) {
		enum ero_truth one = one_identity(f, i, d);

		if (one == ERO_BROKEN)
			return one;
		if (one == ERO_UNKNOWN) {
			doubt = *d;
			truth = one;
		}
	}
	if (truth == ERO_UNKNOWN)
		*d = doubt;
	return truth;
}

static enum ero_truth device_holes(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	for (size_t i = 0; i < f->device_count; i++) {
		const struct ero_device_facts *device = &f->devices[i];
		bool proven = device->digest.known && device->tag.known && ero_is(&device->digest, device->tag.value);

		NEED(devices[i].given);
		if (!device->given.value || proven || !ero_is(&device->file.type, "regular"))
			continue;
		NEED(devices[i].file.hole);
		SAY("device %zu: zeros that were meant, or data that is missing", i + 1);
		if (device->file.hole.value)
			return ERO_UNKNOWN;
	}
	return ERO_HOLDS;
}

static enum ero_truth unchecked(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	for (size_t i = 0; i < f->device_count; i++) {
		const struct ero_file_facts *file = &f->devices[i].file;
		const char *name;
		enum ero_fs_class class;

		NEED(devices[i].given);
		if (!f->devices[i].given.value || ero_is(&file->type, "missing"))
			continue;
		NEED(devices[i].file.fs_magic);
		class = ero_fs_classify(file->fs_magic.value, &name);
		SAY("device %zu lies on %s", i + 1, name);
		if (class == ERO_FS_STACKED || class == ERO_FS_FUSE ||
		    (file->fs_magic.value == ERO_SUPER_MAGIC && file->fs_anonymous.known && file->fs_anonymous.value))
			return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

const struct ero_rule ero_rules_image[] = {
	{ .id = "layer.image.incompat", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = incompat,
	  .sentence = "this kernel does not read a feature of the image",
	  .remedy = "build the image with --for-kernel, or use a newer kernel",
	  .source = "mainline pull requests 5.4 to 6.17; see erolith(7); seen on 5.10 to 7.3: EINVAL", .tried = "under qemu: --for-kernel" },
	{ .id = "layer.image.algorithm", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EOPNOTSUPP,
	  .doubt = ERO_DOUBT_WARNS, .at_build = true, .judge = algorithm,
	  .sentence = "this kernel does not have a compression algorithm of the image",
	  .remedy = "build the image with lz4, or enable CONFIG_EROFS_FS_ZIP_…",
	  .source = "fs/erofs/decompressor.c; seen on 6.1: EOPNOTSUPP", .tried = "under qemu: lz4 on 6.1" },
	{ .id = "layer.image.block-size", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .at_build = true, .judge = block_size,
	  .sentence = "this host cannot read blocks of this size",
	  .remedy = "mkfs.erofs -b4096", .source = "pull requests of 6.4 and 6.8; seen on 6.18: EINVAL", .tried = "case N1" },
	{ .id = "layer.image.dir-blocks", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = dir_blocks,
	  .sentence = "directories have blocks of a size of their own, which no kernel reads",
	  .remedy = "build the image again", .source = "fs/erofs/super.c; seen on 6.18: EINVAL", .tried = "case N1" },
	{ .id = "layer.image.fsoffset", .severity = ERO_DAMAGE, .ways = ERO_BY_FILE | ERO_BY_DEVICE, .stage = ERO_AT_MOUNT,
	  .code = EINVAL, .doubt = ERO_DOUBT_STOPS, .judge = offset,
	  .sentence = "this kernel does not find an image at that offset",
	  .remedy = "losetup -r -o, or put the image at a multiple of 4096",
	  .source = "linux-erofs 2025-05-17 (6.16); \"add missing buf->off in erofs_bread()\" (7.2.7, 7.3-rc3); seen on 6.18: EINVAL",
	  .tried = "case D10l" },
	{ .id = "layer.dev.missing", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .judge = missing,
	  .sentence = "the extra devices are not those that the image needs",
	  .remedy = "give every one, in order; or join them to one file behind the image",
	  .source = "seen on 6.18: EIO when files are read", .tried = "case D2" },
	{ .id = "layer.dev.count", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = count_refused,
	  .sentence = "the image has another number of extra devices",
	  .remedy = "give every one, in order", .source = "seen on 6.18: EINVAL, \"extra devices don't match\"", .tried = "case D2" },
	{ .id = "layer.dev.kind", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = kind,
	  .sentence = "image and extra devices must be all regular files or all block devices",
	  .remedy = "attach loop devices for all of them, or for none", .source = "seen on 6.18: EINVAL, ENOENT", .tried = "case D4l" },
	{ .id = "layer.dev.unreadable", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EACCES,
	  .doubt = ERO_DOUBT_WARNS, .judge = unreadable,
	  .sentence = "an extra device may not be opened for reading",
	  .remedy = "ask as somebody who may", .source = "open(2)", .tried = "case D2" },
	{ .id = "layer.dev.short", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .judge = too_short,
	  .sentence = "an extra device is shorter than the image says",
	  .remedy = "fetch it again", .source = "seen on 6.18: EIO", .tried = "case D2" },
	{ .id = "layer.dev.identity", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .judge = identity,
	  .sentence = "an extra device is not the one that the image was made with, or not in its place: its files would hold wrong data",
	  .remedy = "put them in the table's order; --trust-devices if you know them to be right; erolith's images carry digests",
	  .source = "seen on 6.18: wrong data without an error", .tried = "cases D6r, D5t" },
	{ .id = "layer.dev.holes", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_STOPS, .judge = device_holes,
	  .sentence = "parts of an extra device are holes: missing data would read as zeros",
	  .remedy = "finish fetching it before the mount", .source = "as layer.file.holes", .tried = "case D2" },
	{ .id = "layer.dev.unchecked-stack", .severity = ERO_WARNING, .ways = ERO_BY_FILE, .stage = ERO_AT_READ,
	  .doubt = ERO_DOUBT_PASSES, .judge = unchecked,
	  .sentence = "an extra device lies on another stacked file system, and the kernel does not look at its depth",
	  .remedy = "put the devices on a disk file system", .source = "fs/erofs/super.c, erofs_init_device; seen on 6.18",
	  .tried = "case D2" },
	{ .id = NULL },
};
