// SPDX-License-Identifier: MIT
/* What --preset and --for-kernel mean: defaults for whatever was not said otherwise, and a refusal of what the kernel in
 * question cannot read. */
#include "build/build.h"
#include "format/features.h"

#include <string.h>

/* Of the sizes measured (see tests/bench/RESULTS.md) this one is smaller than what others make at any speed, and reads
 * no slower than theirs of the same size. */
#define DENSE_EXTENT (1u << 20)

static void use_compressor(struct ero_build_options *o, const char *name, int level)
{
	struct ero_compressor c = { .level = level, .lc = -1, .lp = -1, .pb = -1 };

	if (o->compressor_count)
		return;
	strcpy(c.name, name);
	o->compressors[0] = c;
	o->compressor_count = 1;
}

static void dense(struct ero_build_options *o)
{
	use_compressor(o, "zstd", 9);
	o->wide = o->dot_omitted = true;
	o->dedupe = o->dedupe ? o->dedupe : 1;
	if (!o->extent_size)
		o->extent_size = DENSE_EXTENT;
}

static void fast(struct ero_build_options *o)
{
	use_compressor(o, "lz4", ERO_LEVEL_DEFAULT);
	o->sync = false;
}

static void live(struct ero_build_options *o)
{
	use_compressor(o, "lz4hc", ERO_LEVEL_DEFAULT);
	o->wide = o->dot_omitted = true;
	if (!o->extent_size)
		o->extent_size = 64u << 10;
}

static void compat(struct ero_build_options *o)
{
	(void)o;
}

static const struct {
	const char *name;
	void (*apply)(struct ero_build_options *o);
} presets[] = { { "compat", compat }, { "dense", dense }, { "fast", fast }, { "live", live } };

/* The release asked for. Without a patch level the newest one of its series is meant. */
static int parse_kernel(const char *text, struct ero_kernel_version *v, struct ero_error *err)
{
	const char *dot = strchr(text, '.');

	if (!ero_kernel_parse(text, v))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--for-kernel=%s: a release such as 6.1 or 6.18.16 is needed", text);
	if (!strchr(dot + 1, '.'))
		v->patch = ERO_KERNEL_NEWEST_PATCH;
	return 0;
}

/* Nothing else was asked for: the smallest images that release reads. */
static void choose_for(struct ero_build_options *o, struct ero_kernel_version v)
{
	bool pclusters = o->pcluster_size || o->fragments || o->ztailpacking || o->legacy_compress;

	if (!pclusters && ero_kernel_compare(v, ero_incompat_since(ERO_INCOMPAT_48BIT)) >= 0 &&
	    !ero_kernel_in_windows(v, ero_extent_bugs)) {
		dense(o);
		if (!o->metabox_size && ero_kernel_compare(v, ero_incompat_since(ERO_INCOMPAT_METABOX)) >= 0)
			o->metabox_size = 64u << 10;
		return;
	}
	if (ero_kernel_compare(v, ero_incompat_since(ERO_INCOMPAT_FRAGMENTS)) >= 0)
		o->fragments = o->fragments ? o->fragments : ERO_FRAGMENTS_TAILS;
	else
		o->ztailpacking |= ero_kernel_compare(v, ero_incompat_since(ERO_INCOMPAT_ZTAILPACKING)) >= 0;
	if (ero_kernel_compare(v, ero_algorithm_since(ERO_ALG_ZSTD)) >= 0)
		use_compressor(o, "zstd", 9);
	else
		use_compressor(o, "lz4hc", ERO_LEVEL_DEFAULT);
	if (!o->pcluster_size && ero_kernel_compare(v, ero_incompat_since(ERO_INCOMPAT_COMPR_CFGS)) >= 0)
		o->pcluster_size = 64u << 10;
}

int ero_build_choose(struct ero_build_options *o, struct ero_error *err)
{
	struct ero_kernel_version v;
	int rc;

	for (size_t i = 0; o->preset && i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].name, o->preset) != 0)
			continue;
		presets[i].apply(o);
		return 0;
	}
	if (o->preset)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--preset=%s: there are compat, dense, fast and live", o->preset);
	if (!o->for_kernel || o->compressor_count || o->chunk_size || o->extent_size)
		return 0;
	rc = parse_kernel(o->for_kernel, &v, err);
	if (!rc)
		choose_for(o, v);
	return rc;
}

int ero_build_check_kernel(const struct ero_build *b, struct ero_error *err)
{
	const struct ero_build_options *o = &b->options;
	struct ero_super s = b->super;
	struct ero_kernel_version v, first;
	char names[256];
	int rc = o->for_kernel ? parse_kernel(o->for_kernel, &v, err) : 0;

	if (rc || !o->for_kernel)
		return rc;
	if (o->ztailpacking)
		s.feature_incompat |= ERO_INCOMPAT_ZTAILPACKING;
	if (o->chunk_size)
		s.feature_incompat |= ERO_INCOMPAT_CHUNKED_FILE;
	if (ero_build_may_pack(o))
		s.feature_incompat |= ERO_INCOMPAT_FRAGMENTS;
	first = ero_super_first_kernel(&s);
	if (ero_kernel_compare(v, (struct ero_kernel_version)ERO_LINUX(5, 4, 0)) < 0)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--for-kernel=%s: EROFS is in Linux from 5.4 on", o->for_kernel);
	ero_super_feature_names(&s, names, sizeof(names));
	if (ero_kernel_compare(v, first) < 0)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--for-kernel=%s: the image would need Linux %u.%u (it uses %s); leave out what asks for that, or -z and presets "
				"altogether to have the best that kernel reads",
				o->for_kernel, first.major, first.minor, names);
	if ((o->extent_size || o->metabox_size) && ero_kernel_in_windows(v, ero_extent_bugs))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--for-kernel=%s: that kernel reads extents of byte granularity wrong (%s); take a fixed release, or leave out "
				"--preset=dense, --extent-size and -m",
				o->for_kernel, ero_extent_bugs_text);
	return 0;
}
