// SPDX-License-Identifier: MIT
/* From options to an image: scan, plan, pack, lay out, write, commit. */
#include "build/build.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "config.h"
#include "format/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
	SPOOL_MEMORY = 8 << 20,
	BUILD_BASE = 128 << 20, /* bytes that a build takes beside its threads: data on their way, and a tree of moderate size */
};

void ero_build_options_init(struct ero_build_options *o)
{
	memset(o, 0, sizeof(*o));
	o->block_size = 4096;
	o->xattr_tolerance = 2;
	o->inline_data = true;
	o->superblock_checksum = true;
	o->sync = true;
	o->max_waste = 64 << 20;
}

static int check_sizes(const struct ero_build_options *o, struct ero_error *err)
{
	if (!ero_is_pow2(o->block_size) || o->block_size < 512 || o->block_size > 65536)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"a block has 512 to 65536 bytes, a power of two, not %u", o->block_size);
	if (o->pcluster_size % o->block_size || o->pcluster_size > ERO_PCLUSTER_MAX_ENCODED)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"a pcluster is a multiple of the block size (%u) up to %u bytes, not %u", o->block_size,
				ERO_PCLUSTER_MAX_ENCODED, o->pcluster_size);
	if (o->max_extent_bytes && o->max_extent_bytes < o->block_size)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--max-extent-bytes=%u is less than a block (%u bytes)",
				o->max_extent_bytes, o->block_size);
	if (o->chunk_size && (!ero_is_pow2(o->chunk_size) || o->chunk_size < o->block_size))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--chunksize=%u: a chunk is a power of two and no less than a block (%u bytes)", o->chunk_size,
				o->block_size);
	if (o->extent_size && o->extent_size != ERO_PCLUSTER_MAX_DECODED &&
	    (!ero_is_pow2(o->extent_size) || o->extent_size < o->block_size || o->extent_size < 4096 || o->extent_size > ERO_PCLUSTER_MAX_DECODED))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--extent-size=%u: an extent has a power of two from a block (4096 at least) to 8 MiB of plain bytes, or 12 MiB",
				o->extent_size);
	if (o->target_offset % o->block_size)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--offset=%llu is no multiple of the block size (%u)",
				(unsigned long long)o->target_offset, o->block_size);
	if (o->label && strlen(o->label) >= ERO_LABEL_SIZE)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "the label \"%s\" is longer than 15 bytes", o->label);
	return 0;
}

static int check_options(const struct ero_build_options *o, struct ero_error *err)
{
	int rc;

	if (!o->target || (!o->source && o->source_kind == ERO_SOURCE_DIRECTORY))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "an image and a source are needed");
	rc = check_sizes(o, err);
	if (rc)
		return rc;
	if (o->chunk_size && o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "chunked files (--chunksize) cannot be compressed (-z)");
	if (o->blob_device && !o->chunk_size)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--blobdev takes the chunks of --chunksize, which is missing");
	if (o->pcluster_size > o->block_size && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-C sets the pcluster size of compressed files; -z is missing");
	if (o->compress_hints && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--compress-hints needs an algorithm (-z)");
	if (o->extent_size && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--extent-size is for compressed files; -z is missing");
	if (o->extent_size && (o->ztailpacking || o->legacy_compress || o->pcluster_size))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--extent-size makes extents of any length: -C, -Eztailpacking and -Elegacy-compress do not go with it");
	if (o->fragments && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-Efragments and -Eall-fragments need an algorithm (-z)");
	if (o->fragments && o->extent_size)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--extent-size gathers files by itself: -Efragments does not go with it");
	if (o->packed_pcluster_size % o->block_size || o->packed_pcluster_size > ERO_PCLUSTER_MAX_ENCODED)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-Efragments=%u: a pcluster is a multiple of the block size (%u) up to %u bytes",
				o->packed_pcluster_size, o->block_size, ERO_PCLUSTER_MAX_ENCODED);
	if (o->metabox_size && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-m compresses metadata; -z, or --preset, is missing");
	if (o->metabox_size && (!ero_is_pow2(o->metabox_size) || o->metabox_size < o->block_size || o->metabox_size > (1u << 20)))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-m%u: a piece of metadata has a power of two from a block (%u) to 1 MiB of "
				"plain bytes", o->metabox_size, o->block_size);
	if (o->metabox_size && o->metabox_compressor.name[0] && o->compressor_count == ERO_MAX_COMPRESSORS)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-m: an image has at most %d algorithms in all", ERO_MAX_COMPRESSORS);
	if (o->compress_dirs && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--zD compresses directories; -z, or --preset, is missing");
	if (o->hot_data && !o->hot_list)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--hot-data needs a --hot-list");
	if (o->dot_omitted && !o->wide)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-Edot-omitted needs -E48bit");
	if (o->ztailpacking && !o->compressor_count)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-Eztailpacking needs an algorithm (-z)");
	return 0;
}

/* About what a thread takes: buffers for a job, and its encoder. Those that search long keep much of what they have seen. */
static uint64_t worker_memory(const struct ero_build_options *o)
{
	uint64_t most = 24 << 20;

	for (unsigned i = 0; i < o->compressor_count; i++) {
		bool searches = !strcmp(o->compressors[i].name, "lzma") || (!strcmp(o->compressors[i].name, "zstd") && o->compressors[i].level > 9);

		if (searches && most < 96 << 20)
			most = 96 << 20;
	}
	return most;
}

static int fill_defaults(struct ero_build_options *o, struct ero_error *err)
{
	if (!o->build_time_given) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		o->build_time = now.tv_sec;
		o->build_time_nsec = (uint32_t)now.tv_nsec;
	}
	if (!o->uuid_given) {
		int rc = ero_parse_uuid("random", o->uuid, err);

		if (rc)
			return rc;
	}
	o->dedupe = o->dedupe > 0;
	o->workers = ero_limits_workers(o->workers, o->memory, BUILD_BASE, worker_memory(o));
	o->force_chunk_indexes |= o->blob_device != NULL;
	o->wide |= o->extent_size || o->metabox_size;
	if (o->metabox_size && o->metabox_compressor.name[0])
		o->compressors[o->compressor_count++] = o->metabox_compressor; /* there is room: see check_options() */
	return 0;
}

static int scan(struct ero_build *b, struct ero_error *err)
{
	int rc = ero_tree_init(&b->tree, err);

	if (!rc)
		rc = ero_source_create(&b->options, &b->source, err);
	if (!rc)
		rc = b->source->ops->scan(b->source, &b->tree, err);
	if (!rc)
		rc = ero_tree_finish(&b->tree, err);
	if (!rc)
		rc = ero_source_override(&b->options, &b->tree, err);
	if (!rc && b->options.inode_digest)
		rc = ero_source_fingerprints(b->source, &b->tree, err);
	if (!rc && b->options.hot_list)
		rc = ero_source_hot_list(&b->options, &b->tree, err);
	if (!rc && b->options.order_from) {
		rc = ero_source_order(&b->options, &b->tree, err);
	} else if (!rc && !ero_pack_gathers(&b->options)) { /* else by likeness */
		b->tree.by_data = ero_tree_by_path(&b->tree);
		rc = b->tree.by_data ? 0 : ero_fail_memory(err);
	}
	if (!rc && b->options.compress_hints)
		rc = ero_source_hints(&b->options, &b->tree, &b->max_pcluster, err);
	return rc;
}

static int pack(struct ero_build *b, struct ero_error *err)
{
	b->pack.options = &b->options;
	b->pack.compressors = b->options.compressors;
	b->pack.source = b->source;
	b->pack.tree = &b->tree;
	b->pack.out = b->out;
	b->pack.blob = b->blob;
	b->pack.spool = b->spool;
	b->pack.block_bits = b->super.block_bits;
	b->pack.flat_indexes = b->options.force_chunk_indexes;
	b->pack.end = ero_round_up(b->head_end, b->options.block_size);
	b->plan.pack = &b->pack;
	b->plan.head_end = b->head_end;
	b->pack.inodes_beside = !b->options.metabox_size && ero_layout_root_in_head(&b->plan);
	return ero_pack_run(&b->pack, err);
}

static int lay_out(struct ero_build *b, struct ero_error *err)
{
	b->plan.first_block = b->pack.end >> b->super.block_bits;
	b->plan.metabox = b->options.metabox_size != 0;
	b->plan.box_head = b->boxed_prefixes ? (uint32_t)b->prefix_table_size : 0;
	return ero_layout_run(&b->plan, err);
}

static int commit(struct ero_build *b, struct ero_error *err)
{
	uint64_t blob_bytes = ero_build_blob_bytes(b);
	bool sync = b->options.sync;
	int rc = ero_outfile_prepare(b->out, b->image_bytes, sync, err);

	if (!rc && b->blob)
		rc = ero_outfile_prepare(b->blob, blob_bytes, sync, err);
	if (rc)
		return rc;
	/* the blob first: an image must not appear before what it refers to */
	return b->blob ? ero_outfile_publish_pair(b->blob, blob_bytes, b->out, b->image_bytes, sync, err) :
			 ero_outfile_publish(b->out, b->image_bytes, sync, err);
}

/* --layout=walk trades bytes for pages; how many is known from the sizes of files, but for those that compression moves. */
static void announce_walk(const struct ero_build *b)
{
	const struct ero_build_options *o = &b->options;
	uint64_t more = 0, files = 0;
	char text[200];

	if (o->layout != ERO_METADATA_WALK || o->extent_size || o->chunk_size || !o->note)
		return;
	for (size_t i = 0; i < b->tree.node_count; i++) {
		const struct ero_node *node = b->tree.nodes[i];
		uint64_t tail = node->size % o->block_size;

		if (!S_ISREG(node->mode) || !tail || (o->compressor_count && node->size > o->block_size))
			continue;
		more += o->block_size - tail;
		files++;
	}
	snprintf(text, sizeof(text), "--layout=walk: up to %llu bytes more than with inline tails, for %llu files%s",
		 (unsigned long long)more, (unsigned long long)files,
		 o->compressor_count ? " of at most a block and those that cannot be compressed" : "");
	o->note(o->context, text);
}

static int run(struct ero_build *b, struct ero_error *err)
{
	const struct ero_build_options *o = &b->options;
	int rc = scan(b, err);

	if (!rc)
		announce_walk(b);
	if (!rc)
		rc = ero_build_plan(b, err);
	if (!rc)
		rc = ero_build_check_kernel(b, err);
	if (!rc)
		rc = ero_spool_create(o->target, SPOOL_MEMORY, &b->spool, err);
	if (!rc)
		rc = ero_outfile_open(o->target, o->target_offset, &b->watch, &b->out, err);
	if (!rc && o->blob_device)
		rc = ero_outfile_open(o->blob_device, 0, &b->watch, &b->blob, err);
	if (!rc)
		rc = pack(b, err);
	if (!rc)
		rc = lay_out(b, err);
	if (!rc)
		rc = ero_build_late(b, err);
	if (!rc)
		rc = ero_spool_reader_create(b->spool, &b->stored, err);
	if (!rc)
		rc = ero_build_write(b, err);
	if (!rc)
		rc = ero_build_verity(b, err);
	return rc ? rc : commit(b, err);
}

static void count_nodes(const struct ero_tree *tree, struct ero_build_summary *s)
{
	s->inodes = tree->node_count;
	s->hard_links = tree->hard_links;
	for (size_t i = 0; i < tree->node_count; i++) {
		uint16_t mode = tree->nodes[i]->mode;

		s->regular += S_ISREG(mode);
		s->directories += S_ISDIR(mode);
		s->symlinks += S_ISLNK(mode);
		s->specials += !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
	}
	for (size_t i = 0; i < tree->xattrs.item_count; i++)
		s->shared_xattrs += tree->xattrs.items[i].shared;
}

static void summarize(const struct ero_build *b, double seconds, struct ero_build_summary *s)
{
	struct ero_kernel_version first = ero_super_first_kernel(&b->super);

	memset(s, 0, sizeof(*s));
	count_nodes(&b->tree, s);
	s->image_bytes = b->image_bytes;
	s->blob_bytes = b->pack.blob_end;
	s->source_bytes = b->tree.file_bytes;
	s->stored_bytes = b->pack.stored_bytes;
	s->metadata_bytes = s->image_bytes + s->blob_bytes > s->stored_bytes ?
				    s->image_bytes + s->blob_bytes - s->stored_bytes : 0;
	s->compressed_files = b->pack.compressed_files;
	s->plain_files = b->pack.plain_files;
	s->inline_files = b->pack.inline_files;
	s->chunked_files = b->pack.chunked_files;
	s->changed_files = b->pack.changed_files;
	s->block_size = b->options.block_size;
	s->feature_compat = b->super.feature_compat;
	s->feature_incompat = b->super.feature_incompat;
	memcpy(s->uuid, b->super.uuid, sizeof(s->uuid));
	snprintf(s->first_kernel, sizeof(s->first_kernel), "%u.%u", first.major, first.minor);
	if (b->options.extent_size || b->options.metabox_size)
		snprintf(s->avoid_kernels, sizeof(s->avoid_kernels), "%s", ero_extent_bugs_text);
	s->packed_files = b->pack.packed_files;
	s->verity_offset = b->verity_offset;
	memcpy(s->verity_root, b->verity_root, sizeof(s->verity_root));
	s->duplicate_files = b->pack.duplicate_files;
	s->shared_bytes = b->pack.shared_bytes;
	ero_super_feature_names(&b->super, s->features, sizeof(s->features));
	s->seconds = seconds;
}

int ero_build(const struct ero_build_options *options, struct ero_build_summary *summary, struct ero_error *err)
{
	struct ero_build *b = calloc(1, sizeof(*b));
	struct timespec start, end;
	struct ero_error local;
	int rc;

	if (!err)
		err = &local;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (!b)
		return ero_fail_memory(err);
	b->options = *options;
	b->watch = (struct ero_outfile_watch){ options->temporary, options->context };
	rc = ero_build_choose(&b->options, err);
	if (!rc)
		rc = check_options(&b->options, err);
	if (!rc)
		rc = fill_defaults(&b->options, err);
	if (!rc)
		rc = run(b, err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!rc && summary)
		summarize(b, (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9, summary);
	ero_layout_free(&b->plan);
	ero_outfile_close(b->out);
	ero_outfile_close(b->blob);
	ero_spool_reader_free(b->stored);
	ero_spool_free(b->spool);
	if (b->source)
		b->source->ops->destroy(b->source);
	ero_tree_free(&b->tree);
	free(b->prefix_table);
	free(b);
	return rc;
}
