// SPDX-License-Identifier: MIT
/* Rules about the extra devices of an image: all of them, of one kind, whole, and the right ones. */
#include "layering/judge.h"

static uint64_t given(const struct ero_facts *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->device_count; i++)
		n += f->devices[i].given.known && f->devices[i].given.value;
	return n;
}

/* Whether each device of the table is given is known. */
static bool all_known(const struct ero_facts *f)
{
	for (size_t i = 0; i < f->device_count; i++)
		if (!f->devices[i].given.known)
			return false;
	return f->device_count >= f->image.extra_devices.value;
}

static bool is_flat(const struct ero_facts *f)
{
	return f->image.flat_end.known && f->image.flat_end.value && f->file.size.known && f->plan.offset.known &&
	       f->file.size.value >= f->plan.offset.value + f->image.flat_end.value;
}

static enum ero_truth missing(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	if (!all_known(f)) {
		SAY("the facts do not say which devices are given");
		return ERO_UNKNOWN;
	}
	SAY("%llu are needed, %llu are given", NUM(image.extra_devices), (unsigned long long)given(f));
	if (!given(f) && is_flat(f))
		return ERO_HOLDS;
	return ero_holds(given(f) == f->image.extra_devices.value);
}

/* mount(2) counts before it opens anything, and takes none at all for a flat image. */
static enum ero_truth count_refused(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.extra_devices);
	if (!all_known(f)) {
		SAY("the facts do not say which devices are given");
		return ERO_UNKNOWN;
	}
	SAY("%llu are in the table, %llu are given", NUM(image.extra_devices), (unsigned long long)given(f));
	return ero_holds(!given(f) || given(f) == f->image.extra_devices.value);
}

static enum ero_truth kind(const struct ero_facts *f, struct ero_detail *d)
{
	const char *want = ero_is(&f->plan.way, "file") && ero_is(&f->file.type, "regular") ? "regular" : "block";

	NEED(image.extra_devices);
	NEED(file.type);
	for (size_t i = 0; i < f->device_count; i++) {
		NEED_OF(i, given);
		if (!f->devices[i].given.value)
			continue;
		NEED_OF(i, file.type);
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
		NEED_OF(i, given);
		if (!f->devices[i].given.value || ero_is(&f->devices[i].file.type, "missing"))
			continue;
		NEED_OF(i, file.readable);
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

		NEED_OF(i, given);
		if (!device->given.value || ero_is(&device->file.type, "missing"))
			continue;
		NEED_OF(i, blocks);
		NEED_OF(i, file.size);
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

	NEED_OF(i, tag);
	digits = strspn(device->tag.value, "0123456789abcdef");
	if (!device->tag.value[digits] && digits == 64) {
		NEED_OF(i, digest);
		SAY("device %zu has SHA-256 %.64s, its tag says %.64s", i + 1, device->digest.value, device->tag.value);
		return ero_holds(ero_is(&device->digest, device->tag.value));
	}
	if (!device->tag.value[digits] && digits == 32) {
		NEED_OF(i, uuid);
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

		NEED_OF(i, given);
		if (!device->given.value || proven || !ero_is(&device->file.type, "regular"))
			continue;
		NEED_OF(i, file.hole);
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

		NEED_OF(i, given);
		if (!f->devices[i].given.value || ero_is(&file->type, "missing"))
			continue;
		NEED_OF(i, file.fs_magic);
		class = ero_fs_classify(file->fs_magic.value, &name);
		SAY("device %zu lies on %s", i + 1, name);
		if (class == ERO_FS_STACKED || class == ERO_FS_FUSE ||
		    (file->fs_magic.value == ERO_SUPER_MAGIC && file->fs_anonymous.known && file->fs_anonymous.value))
			return ERO_BROKEN;
	}
	return ERO_HOLDS;
}

const struct ero_rule ero_rules_devices[] = {
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
