// SPDX-License-Identifier: MIT
/* Metadata as the content of inodes: encoded like any file, once the layout has made known what it is. */
#include "pack/job.h"

#include <stdlib.h>
#include <sys/stat.h>

struct ero_node *ero_pack_hidden_inode(struct ero_pack *pack, uint64_t size)
{
	struct ero_node *node = ero_arena_alloc(&pack->tree->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->mode = S_IFREG | 0600;
	node->name = "";
	node->nlink = 1;
	node->size = size;
	node->mtime = pack->options->build_time;
	node->extended = size > UINT32_MAX || pack->options->inode_form == 64;
	node->ino = (uint32_t)pack->tree->node_count + 1;
	return node;
}

/* One content as jobs. The last one owns the bytes: jobs are freed in the order in which they were submitted. */
static int submit(struct ero_packer *p, struct ero_node *node, uint8_t *bytes, size_t length, struct ero_error *err)
{
	size_t step = p->pack->options->extent_size || node == p->pack->metabox ? ero_pack_extent_size(p->pack, node) :
										 (size_t)ero_pack_segment_size(p->pack, node);
	int rc = 0;

	for (size_t at = 0; !rc && at < length; at += step) {
		struct ero_pack_job *j = calloc(1, sizeof(*j));

		if (!j) {
			rc = ero_fail_memory(err);
			break;
		}
		j->run = p->pack->options->extent_size || node == p->pack->metabox ? ero_pack_run_extent : ero_pack_run_encode;
		j->pack = p->pack;
		j->node = node;
		j->bytes = bytes + at;
		j->offset = at;
		j->length = length - at < step ? length - at : (size_t)step;
		j->first = at == 0;
		j->last = at + j->length == length;
		rc = ero_pack_queue_submit(&p->queue, j, err);
		if (!rc && at + step >= length)
			j->owned = bytes; /* it is not on its way yet: that takes another submission */
	}
	if (rc) /* jobs may still read them */
		p->abandoned = bytes;
	return rc;
}

int ero_pack_contents(struct ero_pack *pack, ero_pack_content_fn next, void *context, struct ero_error *err)
{
	struct ero_packer p = { .pack = pack, .placer.pack = pack };
	struct ero_node *node = NULL;
	size_t length = 0;
	uint8_t *bytes;
	int rc;

	p.queue = (struct ero_pack_queue){ .pack = pack, .place = ero_place, .context = &p.placer };
	rc = ero_placer_open(&p.placer, err);
	if (!rc)
		rc = ero_pack_queue_open(&p.queue, err);
	while (!rc) {
		rc = next(context, &node, &bytes, &length, err);
		if (rc || !node)
			break;
		rc = submit(&p, node, bytes, length, err);
	}
	if (!rc)
		rc = ero_pack_queue_drain(&p.queue, err);
	if (!rc)
		rc = ero_place_padding(&p.placer, 1u << pack->block_bits, err);
	if (!rc)
		rc = ero_place_flush(&p.placer, err);
	ero_pack_queue_close(&p.queue);
	ero_placer_close(&p.placer);
	free(p.abandoned);
	return rc;
}
