// SPDX-License-Identifier: MIT
/* The packing loop: how each file is stored, cut into which segments, in the order of the tree. */
#include "pack/pack.h"
#include "base/bins.h"
#include "format/inode.h"
#include "pack/job.h"
#include "pack/sparse.h"

#include <stdlib.h>

enum { FLAT_SEGMENT = 8 << 20 };

unsigned ero_pack_head_size(const struct ero_pack *pack, const struct ero_node *node)
{
	return (node->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE) +
	       pack->tree->xattrs.sets[node->xattr_set].body_size;
}

/* How a file is stored is chosen here, once. */
static ero_pack_run_fn choose(struct ero_packer *p, const struct ero_node *node)
{
	const struct ero_build_options *o = p->pack->options;
	bool worth_encoding = node->size > (1u << p->pack->block_bits) || o->ztailpacking;

	if (o->chunk_size)
		return ero_pack_run_chunks;
	if (o->compressor_count) /* flat files, too, are placed in turn here: encoded ones must stay in one piece */
		return worth_encoding && node->compressor != 0xff ? ero_pack_run_encode : ero_pack_run_raw;
	return ero_pack_run_flat;
}

/* Enough pclusters that a segment's last, shorter one does not matter. */
uint64_t ero_pack_segment_size(const struct ero_pack *pack, const struct ero_node *node)
{
	uint64_t size = (uint64_t)ero_pack_pcluster_size(pack, node) * 64;

	if (size < 2 << 20)
		size = 2 << 20;
	return size > ERO_PCLUSTER_MAX_DECODED ? ERO_PCLUSTER_MAX_DECODED : size;
}

static uint64_t segment_size(struct ero_packer *p, const struct ero_node *node, ero_pack_run_fn run)
{
	uint64_t size;

	if (run == ero_pack_run_flat)
		return FLAT_SEGMENT;
	if (run == ero_pack_run_chunks) {
		size = 1ull << ero_pack_chunk_bits(p->pack, node);
		return size > ERO_CHUNK_KEPT ? size : ERO_CHUNK_KEPT;
	}
	return ero_pack_segment_size(p->pack, node);
}

static int submit(struct ero_packer *p, struct ero_node *node, ero_pack_run_fn run, uint64_t offset, uint64_t length,
		  struct ero_error *err)
{
	struct ero_pack_job *j = calloc(1, sizeof(*j));

	if (!j)
		return ero_fail_memory(err);
	j->run = run;
	j->pack = p->pack;
	j->node = node;
	j->offset = offset;
	j->length = (size_t)length;
	j->first = offset == 0;
	j->last = offset + length == node->size;
	j->block = node->stored.start_block + (offset >> p->pack->block_bits);
	return ero_pack_queue_submit(&p->queue, j, err);
}

/* Flat files get their blocks here, so that workers can write them without waiting for anyone. */
static int reserve_flat(struct ero_packer *p, struct ero_node *node, struct ero_error *err)
{
	unsigned bits = p->pack->block_bits;
	size_t tail = (size_t)(node->size & ((1u << bits) - 1));
	uint64_t blocks = node->size >> bits;
	int rc = 0;

	if (tail && ero_pack_inlines(p->pack, node, tail)) {
		rc = ero_place_beside(p->pack, node, 0, tail, err);
	} else {
		blocks += tail != 0;
		rc = ero_place_alone(p->pack, node, 0, err);
	}
	if (rc || !blocks)
		return rc;
	rc = ero_place_align(&p->placer, blocks, err);
	node->stored.start_block = ero_pack_next_block(p->pack);
	p->pack->end += blocks << bits;
	return rc;
}

static int submit_segments(struct ero_packer *p, struct ero_node *node, ero_pack_run_fn run, struct ero_error *err)
{
	uint64_t segment = segment_size(p, node, run);
	int rc = 0;

	for (uint64_t at = 0; !rc && at < node->size; at += segment)
		rc = submit(p, node, run, at, node->size - at < segment ? node->size - at : segment, err);
	return rc;
}

int ero_pack_flat_file(struct ero_packer *p, struct ero_node *node, struct ero_error *err)
{
	int rc = reserve_flat(p, node, err);

	return rc ? rc : submit_segments(p, node, ero_pack_run_flat, err);
}

int ero_pack_file(struct ero_packer *p, struct ero_node *node, struct ero_error *err)
{
	const struct ero_sparse *sparse = ero_pack_sparse(p->pack, node);
	ero_pack_run_fn run = choose(p, node);

	if (sparse)
		return ero_pack_sparse_file(p, node, sparse, err);
	return run == ero_pack_run_flat ? ero_pack_flat_file(p, node, err) : submit_segments(p, node, run, err);
}

/* A link target that does not fit behind its inode gets blocks like a file. */
static int pack_link(struct ero_packer *p, struct ero_node *node, struct ero_error *err)
{
	int rc;

	node->stored.layout = ERO_LAYOUT_FLAT_INLINE;
	if (ero_pack_inlines(p->pack, node, (size_t)node->size)) {
		node->stored.tail_size = (uint32_t)node->size;
		return 0;
	}
	rc = ero_pack_queue_drain(&p->queue, err);
	if (rc)
		return rc;
	node->stored.layout = ERO_LAYOUT_FLAT_PLAIN;
	node->stored.start_block = ero_pack_next_block(p->pack);
	return ero_place_blocks(&p->placer, (const uint8_t *)node->link, (size_t)node->size, err);
}

static int pack_nodes(struct ero_packer *p, struct ero_node *const *nodes, struct ero_error *err)
{
	bool gathering = ero_pack_gathers(p->pack->options) || (p->pack->options->dedupe && !p->pack->options->chunk_size);
	int rc = 0;

	for (size_t i = 0; !rc && i < p->pack->tree->node_count; i++) {
		struct ero_node *node = nodes[i];

		if (S_ISLNK(node->mode))
			rc = pack_link(p, node, err);
		else if (S_ISREG(node->mode) && node->size && !gathering)
			rc = ero_pack_file(p, node, err);
		else if (S_ISREG(node->mode) && !gathering)
			p->pack->progress.files_done++;
	}
	if (!rc && gathering)
		rc = ero_pack_sparse_files(p, err);
	if (!rc && gathering)
		rc = ero_pack_gathering(p, err);
	if (!rc)
		rc = ero_pack_queue_drain(&p->queue, err);
	return rc ? rc : ero_place_flush(&p->placer, err);
}

/* --hot-data first; then the order that data has, or that of the tree. */
static int pack_all(struct ero_packer *p, struct ero_error *err)
{
	const struct ero_tree *tree = p->pack->tree;
	struct ero_node *const *rest = tree->by_data ? tree->by_data : tree->nodes;
	struct ero_node **order;
	size_t n = 0;
	int rc;

	if (!p->pack->options->hot_data)
		return pack_nodes(p, rest, err);
	order = calloc(tree->node_count + 1, sizeof(struct ero_node *));
	if (!order)
		return ero_fail_memory(err);
	for (size_t i = 0; i < tree->node_count; i++)
		if (ero_tree_heat(tree, tree->by_use[i]))
			order[n++] = tree->by_use[i];
	for (size_t i = 0; i < tree->node_count; i++)
		if (!ero_tree_heat(tree, rest[i]))
			order[n++] = rest[i];
	rc = pack_nodes(p, order, err);
	free(order);
	return rc;
}

/* A file that was passed over would be one hole. */
static int check_all_stored(const struct ero_pack *pack, struct ero_error *err)
{
	char path[512];

	for (size_t i = 0; i < pack->tree->node_count; i++) {
		const struct ero_node *node = pack->tree->nodes[i];

		if (!S_ISREG(node->mode) || !node->size || node->stored.layout != ERO_LAYOUT_FLAT_PLAIN ||
		    node->stored.start_block != ERO_NULL_BLOCK32)
			continue;
		ero_node_path(node, path, sizeof(path));
		return ero_fail(err, ERO_ERROR_CORRUPT, EIO, "/%s was not stored: this is an error of erolith, please report it", path);
	}
	return 0;
}

int ero_pack_run(struct ero_pack *pack, struct ero_error *err)
{
	struct ero_packer p = { .pack = pack, .placer.pack = pack };
	struct ero_error local;
	int rc;

	if (!err)
		err = &local;
	p.queue = (struct ero_pack_queue){ .pack = pack, .place = ero_place, .context = &p.placer };
	pack->progress.files_total = pack->tree->files;
	pack->progress.bytes_total = pack->tree->file_bytes;
	rc = ero_placer_open(&p.placer, err);
	if (!rc && pack->inodes_beside && !(pack->beside = calloc(1, sizeof(*pack->beside))))
		rc = ero_fail_memory(err);
	if (!rc && pack->beside)
		pack->beside->block_size = 1u << pack->block_bits;
	if (!rc)
		rc = ero_pack_queue_open(&p.queue, err);
	if (!rc)
		rc = ero_pack_find_sparse(pack, err);
	if (!rc)
		rc = pack_all(&p, err);
	if (!rc)
		rc = check_all_stored(pack, err);
	ero_pack_queue_close(&p.queue);
	ero_placer_close(&p.placer);
	if (pack->beside)
		ero_vec_free(&pack->beside->bins);
	free(pack->beside);
	pack->beside = NULL;
	ero_vec_free(&pack->sparse);
	return rc;
}
