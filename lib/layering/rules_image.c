// SPDX-License-Identifier: MIT
/* Rules about the image in the file: features, algorithms, block sizes, and where it begins. */
#include "layering/judge.h"

/* linux-erofs, "add missing buf->off in erofs_bread()": fsoffset= must be a multiple of the page size until 7.2.7, 7.3-rc3 */
static const struct ero_kernel_window offset_bug[] = {
	{ ERO_LINUX_RC(6, 16, 1), ERO_LINUX(7, 2, 6) }, { ERO_LINUX_RC(7, 3, 1), ERO_LINUX_RC(7, 3, 2) }, LAST
};
static const struct ero_kernel_window no_offset[] = { { ERO_LINUX(5, 4, 0), ERO_LINUX(6, 15, NEWEST) }, LAST };

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
	if (!ero_is_compressed(f))
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

/* Blocks below the page size: pull requests say plain ones since 6.4, but 6.1 reads them; 5.10 does not. */
static enum ero_truth small_blocks(const struct ero_facts *f, struct ero_detail *d)
{
	static const struct ero_kernel_version plain_not = ERO_LINUX(5, 11, 0), plain = ERO_LINUX(6, 1, 0), encoded = ERO_LINUX(6, 8, 0);
	struct ero_kernel_version v;

	NEED(kernel.release);
	NEED(image.feature_incompat);
	SAY("%sblocks below the page size need Linux %s", ero_is_compressed(f) ? "compressed " : "", ero_is_compressed(f) ? "6.8" : "6.1");
	if (!ero_facts_kernel(f, &v))
		return ERO_UNKNOWN;
	if (ero_is_compressed(f))
		return ero_holds(ero_kernel_compare(v, encoded) >= 0);
	if (ero_kernel_compare(v, plain) >= 0)
		return ERO_HOLDS;
	return ero_kernel_compare(v, plain_not) < 0 ? ERO_BROKEN : ERO_UNKNOWN;
}

static enum ero_truth block_size(const struct ero_facts *f, struct ero_detail *d)
{
	NEED(image.block_bits);
	NEED(kernel.page_size);
	SAY("blocks of 2^%llu bytes, pages of %llu", NUM(image.block_bits), NUM(kernel.page_size));
	if (f->image.block_bits.value < 9 || f->image.block_bits.value > 31 ||
	    1ull << f->image.block_bits.value > f->kernel.page_size.value)
		return ERO_BROKEN;
	return 1ull << f->image.block_bits.value == f->kernel.page_size.value ? ERO_HOLDS : small_blocks(f, d);
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

	NEED(plan.fsoffset);
	if (!f->plan.fsoffset.value)
		return ERO_HOLDS;
	SAY("the image begins at byte %llu", NUM(plan.fsoffset));
	in = ero_in_windows(f, no_offset, d);
	if (in != ERO_HOLDS)
		return in;
	NEED(image.block_bits);
	NEED(kernel.page_size);
	SAY("the image begins at byte %llu, in pages of %llu", NUM(plan.fsoffset), NUM(kernel.page_size));
	if (!f->kernel.page_size.value)
		return ERO_UNKNOWN;
	if (f->plan.fsoffset.value % (1ull << (f->image.block_bits.value & 31)))
		return ERO_BROKEN;
	if (f->plan.fsoffset.value % f->kernel.page_size.value == 0)
		return ERO_HOLDS;
	return ero_in_windows(f, offset_bug, d);
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
	  .remedy = "mkfs.erofs -b4096", .source = "pull request of 6.8; seen: EBADMSG on 5.10, EOPNOTSUPP for compressed files on 6.1, plain ones read there; EINVAL on 6.18 for large ones", .tried = "case N1" },
	{ .id = "layer.image.dir-blocks", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT, .code = EINVAL,
	  .doubt = ERO_DOUBT_STOPS, .judge = dir_blocks,
	  .sentence = "directories have blocks of a size of their own, which no kernel reads",
	  .remedy = "build the image again", .source = "fs/erofs/super.c; seen on 6.18: EINVAL", .tried = "case N1" },
	{ .id = "layer.image.fsoffset", .severity = ERO_DAMAGE, .ways = ERO_ANY_WAY, .stage = ERO_AT_MOUNT,
	  .code = EINVAL, .doubt = ERO_DOUBT_STOPS, .judge = offset,
	  .sentence = "this kernel does not find an image at that offset",
	  .remedy = "losetup -r -o, or put the image at a multiple of 4096",
	  .source = "linux-erofs 2025-05-17 (6.16); \"add missing buf->off in erofs_bread()\" (7.2.7, 7.3-rc3); seen on 6.18: EINVAL",
	  .tried = "case D10l" },
	{ .id = NULL },
};
