// SPDX-License-Identifier: MIT
/* Kernel versions are those of mainline pull requests; see erolith(7) for the table in words. */
#include "format/features.h"

#include <stdio.h>
#include <string.h>

const struct ero_feature ero_compat_features[] = {
	{ ERO_COMPAT_SB_CHKSUM, "sb_csum", ERO_LINUX(0, 0, 0) },
	{ ERO_COMPAT_MTIME, "mtime", ERO_LINUX(0, 0, 0) },
	{ ERO_COMPAT_XATTR_FILTER, "xattr_filter", ERO_LINUX(0, 0, 0) },
	{ ERO_COMPAT_SHARED_EA_IN_METABOX, "shared_ea_in_metabox", ERO_LINUX(0, 0, 0) },
	{ ERO_COMPAT_PLAIN_XATTR_PFX, "plain_xattr_pfx", ERO_LINUX(0, 0, 0) },
	{ ERO_COMPAT_ISHARE_XATTRS, "ishare_xattrs", ERO_LINUX(0, 0, 0) },
	{ 0, NULL, ERO_LINUX(0, 0, 0) },
};

/* Two names share 0x2, 0x8 and 0x20: the bit alone cannot tell which of them is meant. */
const struct ero_feature ero_incompat_features[] = {
	{ ERO_INCOMPAT_LZ4_0PADDING, "lz4_0padding", ERO_LINUX(5, 4, 0) },
	{ ERO_INCOMPAT_COMPR_CFGS, "compr_cfgs", ERO_LINUX(5, 13, 0) },
	{ ERO_INCOMPAT_CHUNKED_FILE, "chunked_file", ERO_LINUX(5, 15, 0) },
	{ ERO_INCOMPAT_DEVICE_TABLE, "device_table", ERO_LINUX(5, 16, 0) },
	{ ERO_INCOMPAT_ZTAILPACKING, "ztailpacking", ERO_LINUX(5, 17, 0) },
	{ ERO_INCOMPAT_FRAGMENTS, "fragments", ERO_LINUX(6, 1, 0) },
	{ ERO_INCOMPAT_XATTR_PREFIXES, "xattr_prefixes", ERO_LINUX(6, 4, 0) },
	{ ERO_INCOMPAT_48BIT, "48bit", ERO_LINUX(6, 15, 0) },
	{ ERO_INCOMPAT_METABOX, "metabox", ERO_LINUX(6, 17, 0) },
	{ 0, NULL, ERO_LINUX(0, 0, 0) },
};

static const struct {
	const char *name;
	struct ero_kernel_version since;
} algorithms[ERO_ALG_COUNT] = {
	[ERO_ALG_LZ4] = { "lz4", ERO_LINUX(5, 4, 0) },
	[ERO_ALG_LZMA] = { "lzma", ERO_LINUX(5, 16, 0) },
	[ERO_ALG_DEFLATE] = { "deflate", ERO_LINUX(6, 6, 0) },
	[ERO_ALG_ZSTD] = { "zstd", ERO_LINUX(6, 10, 0) },
};

const char *ero_algorithm_name(unsigned algorithm)
{
	return algorithm < ERO_ALG_COUNT ? algorithms[algorithm].name : "?";
}

struct ero_kernel_version ero_algorithm_since(unsigned algorithm)
{
	return algorithms[algorithm < ERO_ALG_COUNT ? algorithm : 0].since;
}

int ero_kernel_compare(struct ero_kernel_version a, struct ero_kernel_version b)
{
	if (a.major != b.major)
		return a.major < b.major ? -1 : 1;
	if (a.minor != b.minor)
		return a.minor < b.minor ? -1 : 1;
	if (a.patch != b.patch)
		return a.patch < b.patch ? -1 : 1;
	if (!a.rc || !b.rc)
		return !a.rc - !b.rc;
	return a.rc < b.rc ? -1 : a.rc > b.rc;
}

const struct ero_kernel_window ero_extent_bugs[] = {
	{ ERO_LINUX(6, 15, 0), ERO_LINUX(6, 18, 15) },
	{ ERO_LINUX(6, 19, 0), ERO_LINUX(6, 19, 5) },
	{ ERO_LINUX(0, 0, 0), ERO_LINUX(0, 0, 0) },
};
const char ero_extent_bugs_text[] = "6.15 to 6.18.15 and 6.19 to 6.19.5, CVE-2026-43166";

bool ero_kernel_in_windows(struct ero_kernel_version v, const struct ero_kernel_window *w)
{
	for (; w->to.major; w++)
		if (ero_kernel_compare(v, w->from) >= 0 && ero_kernel_compare(v, w->to) <= 0)
			return true;
	return false;
}

struct ero_kernel_version ero_incompat_since(uint32_t bit)
{
	for (const struct ero_feature *f = ero_incompat_features; f->bit; f++)
		if (f->bit == bit)
			return f->since;
	return (struct ero_kernel_version)ERO_LINUX(5, 4, 0);
}

bool ero_kernel_parse(const char *text, struct ero_kernel_version *version)
{
	struct ero_kernel_version v = { 0 };
	int length = 0;

	if (sscanf(text, "%u.%u%n.%u%n", &v.major, &v.minor, &length, &v.patch, &length) < 2)
		return false;
	if (sscanf(text + length, "-rc%u", &v.rc) != 1)
		v.rc = 0;
	*version = v;
	return true;
}

static void raise_to(struct ero_kernel_version *v, struct ero_kernel_version at_least)
{
	if (ero_kernel_compare(*v, at_least) < 0)
		*v = at_least;
}

struct ero_kernel_version ero_super_first_kernel(const struct ero_super *s)
{
	struct ero_kernel_version first = ERO_LINUX(5, 4, 0); /* where EROFS left staging */
	uint16_t used = s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS ? s->algorithms : 0;

	for (const struct ero_feature *f = ero_incompat_features; f->bit; f++)
		if (s->feature_incompat & f->bit)
			raise_to(&first, f->since);
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++)
		if (used & (1u << a))
			raise_to(&first, algorithms[a].since);
	/* before, long prefixes were looked for in the packed inode, wherever they are */
	if ((s->feature_compat & ERO_COMPAT_PLAIN_XATTR_PFX) && (s->feature_incompat & ERO_INCOMPAT_FRAGMENTS) &&
	    !(s->feature_incompat & ERO_INCOMPAT_METABOX))
		raise_to(&first, (struct ero_kernel_version)ERO_LINUX(6, 17, 0));
	if (s->block_bits < 12) { /* below the page size: plain since 6.4, compressed since 6.8 */
		bool compressed = s->feature_incompat & (ERO_INCOMPAT_LZ4_0PADDING | ERO_INCOMPAT_COMPR_CFGS);

		raise_to(&first, (struct ero_kernel_version)ERO_LINUX(6, compressed ? 8 : 4, 0));
	}
	return first;
}

static void add_names(const struct ero_feature *table, uint32_t bits, char *text, size_t size)
{
	for (const struct ero_feature *f = table; f->bit; f++) {
		size_t used = strlen(text);

		if (bits & f->bit)
			snprintf(text + used, size - used, "%s%s", used ? " " : "", f->name);
	}
}

void ero_super_feature_names(const struct ero_super *s, char *text, size_t size)
{
	text[0] = '\0';
	add_names(ero_compat_features, s->feature_compat, text, size);
	add_names(ero_incompat_features, s->feature_incompat, text, size);
}
