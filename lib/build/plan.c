// SPDX-License-Identifier: MIT
/* Decisions before the first byte is packed: the epoch, which inodes can be 32 bytes, features, the head's geometry. */
#include "base/bytes.h"
#include "build/build.h"
#include "codec/codec.h"

#include <stdlib.h>
#include <string.h>

struct moment {
	int64_t seconds;
	uint32_t nsec;
};

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? -1 : 1;
	return x->nsec < y->nsec ? -1 : x->nsec > y->nsec;
}

/*
 * A 32-byte inode has the superblock's time. The most common mtime is the best epoch, unless it lies after the build
 * time: that is stored as seconds after the epoch.
 */
static int choose_epoch(struct ero_build *b, struct ero_error *err)
{
	size_t n = b->tree.node_count, best = 0;
	struct moment *m = calloc(n, sizeof(*m));

	if (!m)
		return ero_fail_memory(err);
	b->super.epoch = b->options.build_time;
	b->super.fixed_nsec = b->options.build_time_nsec;
	for (size_t i = 0; i < n; i++)
		m[i] = (struct moment){ b->tree.nodes[i]->mtime, b->tree.nodes[i]->mtime_nsec };
	qsort(m, n, sizeof(*m), compare_moments);
	for (size_t i = 0, run; i < n; i += run) {
		int64_t before;

		for (run = 1; i + run < n && !compare_moments(&m[i], &m[i + run]); run++)
			;
		if (run <= best || __builtin_sub_overflow(b->options.build_time, m[i].seconds, &before) || before < 0 ||
		    before > UINT32_MAX)
			continue;
		best = run;
		b->super.epoch = m[i].seconds;
		b->super.fixed_nsec = m[i].nsec;
	}
	b->super.build_time = (uint32_t)(b->options.build_time - b->super.epoch);
	free(m);
	return 0;
}

/*
 * With 48BIT a 32-byte inode has seconds of its own above the epoch, and the superblock's nanoseconds: the most common
 * ones, and the earliest time from which all others, and the build time, are in reach.
 */
static int choose_wide_epoch(struct ero_build *b, struct ero_error *err)
{
	size_t n = b->tree.node_count, best = 0;
	int64_t lowest;
	struct moment *m = calloc(n, sizeof(*m));

	if (!m)
		return ero_fail_memory(err);
	if (__builtin_sub_overflow(b->options.build_time, (int64_t)UINT32_MAX, &lowest))
		lowest = INT64_MIN;
	b->super.epoch = b->options.build_time;
	for (size_t i = 0; i < n; i++) {
		const struct ero_node *node = b->tree.nodes[i];

		m[i] = (struct moment){ node->mtime_nsec, 0 };
		if (node->mtime >= lowest && node->mtime < b->super.epoch)
			b->super.epoch = node->mtime;
	}
	qsort(m, n, sizeof(*m), compare_moments);
	for (size_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && m[i + run].seconds == m[i].seconds; run++)
			;
		if (run > best)
			b->super.fixed_nsec = (uint32_t)m[i].seconds;
		best = run > best ? run : best;
	}
	b->super.build_time = (uint32_t)(b->options.build_time - b->super.epoch);
	free(m);
	return 0;
}

static int choose_form(struct ero_build *b, struct ero_node *node, struct ero_error *err)
{
	bool fits = node->uid <= UINT16_MAX && node->gid <= UINT16_MAX && node->nlink <= UINT16_MAX &&
		    node->size <= UINT32_MAX;
	int64_t after;
	bool in_reach = !__builtin_sub_overflow(node->mtime, b->super.epoch, &after) && after >= 0 &&
			after <= (b->options.wide ? UINT32_MAX : 0);
	bool same_time = in_reach && node->mtime_nsec == b->super.fixed_nsec;
	char path[512];

	node->extended = b->options.inode_form == 64 || !fits || (!same_time && b->options.inode_form != 32);
	if (b->options.inode_form == 32 && !fits) {
		ero_node_path(node, path, sizeof(path));
		return ero_fail(err, ERO_ERROR_ARGUMENT, EOVERFLOW,
				"-Eforce-inode-compact: /%s has an owner, size or link count that needs a 64-byte inode", path);
	}
	return 0;
}

static int plan_compression(struct ero_build *b, struct ero_error *err)
{
	const struct ero_build_options *o = &b->options;
	unsigned block = o->block_size, most, extent;

	if (b->max_pcluster < o->pcluster_size)
		b->max_pcluster = o->pcluster_size;
	if (b->max_pcluster < o->packed_pcluster_size)
		b->max_pcluster = o->packed_pcluster_size;
	if (b->max_pcluster < block)
		b->max_pcluster = block;
	/* the size field of an index has 11 bits, and kernels refuse lz4 images that announce more than 256 blocks */
	if (b->max_pcluster / block > 256)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"a pcluster of %u bytes has more than 256 blocks of %u bytes, which kernels refuse", b->max_pcluster, block);
	extent = o->extent_size > o->metabox_size ? o->extent_size : o->metabox_size;
	most = o->extent_size || b->max_pcluster < extent ? extent : b->max_pcluster;
	if (b->super.block_bits > 14) /* compact indexes cannot tell offsets in such large blocks */
		b->options.legacy_compress = true;
	for (unsigned i = 0; i < o->compressor_count; i++) {
		struct ero_compressor *c = &b->options.compressors[i];
		const struct ero_codec *codec;
		int rc = ero_codec_resolve(c, most, err);

		if (rc)
			return rc;
		codec = ero_codec_find(c->name, err);
		/* libdeflate keeps to no smaller window, and extents are not cut to fit one, as pclusters are */
		if (codec->algorithm == ERO_ALG_DEFLATE && c->dictsize < codec->info.max_dict && c->dictsize < extent)
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
					"-z %s: extents of %u bytes use all of DEFLATE's window of %u bytes, not %u: leave dictsize out", c->name,
					extent, codec->info.max_dict, c->dictsize);
		codec->configure(c, &b->cfgs);
		b->super.algorithms |= (uint16_t)(1u << codec->algorithm);
	}
	if (!o->compressor_count)
		return 0;
	b->super.feature_incompat |= ERO_INCOMPAT_LZ4_0PADDING;
	b->super.lz4_distance = b->cfgs.lz4_distance;
	/* Up to 1 MiB an encoded extent may have. With small blocks less is announced, since kernels refuse more than 256 blocks; they make
	 * room for as many pages, whatever a block is (Linux 6.18, 7.2) */
	if (o->extent_size || o->metabox_size)
		b->max_pcluster = ERO_PCLUSTER_MAX_ENCODED / block > 256 ? 256 * block : ERO_PCLUSTER_MAX_ENCODED;
	if (b->super.algorithms != 1u << ERO_ALG_LZ4 || b->max_pcluster > block) {
		b->super.feature_incompat |= ERO_INCOMPAT_COMPR_CFGS;
		b->cfgs.lz4_max_blocks = (uint16_t)(b->max_pcluster / block);
	}
	return 0;
}

static void plan_head(struct ero_build *b)
{
	uint64_t at = ERO_SUPER_OFFSET + ero_super_size(&b->super);

	if (b->super.feature_incompat & ERO_INCOMPAT_COMPR_CFGS)
		at += ero_compr_cfgs_size(b->super.algorithms);
	if (b->options.blob_device) {
		b->super.feature_incompat |= ERO_INCOMPAT_DEVICE_TABLE;
		b->device_start = at = ero_round_up(at, ERO_DEVICE_SLOT);
		b->super.extra_devices = 1;
		b->super.device_slot = (uint16_t)(at / ERO_DEVICE_SLOT);
		at += ERO_DEVICE_SLOT;
	}
	if (b->prefix_table_size) {
		/* readers look for it in the packed inode, if there is one, unless they are told not to */
		if (ero_build_may_pack(&b->options) && !b->options.metabox_size)
			b->options.plain_xattr_prefixes = true;
		b->super.feature_incompat |= ERO_INCOMPAT_XATTR_PREFIXES;
		b->boxed_prefixes = b->options.metabox_size && !b->options.plain_xattr_prefixes;
		b->prefix_start = b->boxed_prefixes ? 0 : ero_round_up(at, 4);
		b->super.prefix_start = (uint32_t)(b->prefix_start / 4);
		if (!b->boxed_prefixes)
			at = b->prefix_start + b->prefix_table_size;
		if (b->options.plain_xattr_prefixes)
			b->super.feature_compat |= ERO_COMPAT_PLAIN_XATTR_PFX;
	}
	b->head_end = at;
}

int ero_build_plan(struct ero_build *b, struct ero_error *err)
{
	const struct ero_build_options *o = &b->options;
	int rc;

	b->super.block_bits = (uint8_t)ero_log2(o->block_size);
	b->super.feature_compat = ERO_COMPAT_MTIME;
	if (o->wide)
		b->super.feature_incompat |= ERO_INCOMPAT_48BIT;
	if (o->metabox_size) {
		b->super.feature_incompat |= ERO_INCOMPAT_METABOX;
		b->super.feature_compat |= ERO_COMPAT_SHARED_EA_IN_METABOX;
		b->super.ext_slots = 1; /* that holds its number */
	}
	if (o->superblock_checksum)
		b->super.feature_compat |= ERO_COMPAT_SB_CHKSUM;
	if (o->xattr_name_filter)
		b->super.feature_compat |= ERO_COMPAT_XATTR_FILTER;
	b->super.inodes = b->tree.node_count;
	memcpy(b->super.uuid, o->uuid, sizeof(b->super.uuid));
	if (o->label)
		strncpy(b->super.label, o->label, ERO_LABEL_SIZE);
	rc = o->wide ? choose_wide_epoch(b, err) : choose_epoch(b, err);
	for (size_t i = 0; !rc && i < b->tree.node_count; i++)
		rc = choose_form(b, b->tree.nodes[i], err);
	if (!rc)
		rc = ero_build_plan_xattrs(b, err);
	if (!rc)
		rc = plan_compression(b, err);
	if (!rc)
		plan_head(b);
	return rc;
}
