// SPDX-License-Identifier: MIT
/* Metadata as the content of an inode: encoded like any file of extents of byte granularity, once it is known what it is. */
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

static int submit(struct ero_packer *p, const uint8_t *bytes, size_t offset, size_t length, struct ero_error *err)
{
	struct ero_pack_job *j = calloc(1, sizeof(*j));

	if (!j)
		return ero_fail_memory(err);
	j->run = ero_pack_run_extent;
	j->pack = p->pack;
	j->node = p->pack->metabox;
	j->bytes = bytes + offset;
	j->offset = offset;
	j->length = length;
	j->first = offset == 0;
	j->last = offset + length == j->node->size;
	return ero_pack_queue_submit(&p->queue, j, err);
}

int ero_pack_metabox(struct ero_pack *pack, const uint8_t *bytes, size_t length, struct ero_error *err)
{
	struct ero_packer p = { .pack = pack, .placer.pack = pack };
	size_t step = pack->options->metabox_size;
	int rc;

	pack->metabox = ero_pack_hidden_inode(pack, length);
	if (!pack->metabox)
		return ero_fail_memory(err);
	/* its compressor is the last of the list, where it has one of its own */
	pack->metabox->compressor = (uint8_t)(pack->options->metabox_compressor.name[0] ? pack->options->compressor_count - 1 : 0);
	p.queue = (struct ero_pack_queue){ .pack = pack, .place = ero_place, .context = &p.placer };
	rc = ero_placer_open(&p.placer, err);
	if (!rc)
		rc = ero_pack_queue_open(&p.queue, err);
	for (size_t at = 0; !rc && at < length; at += step)
		rc = submit(&p, bytes, at, length - at < step ? length - at : step, err);
	if (!rc)
		rc = ero_pack_queue_drain(&p.queue, err);
	if (!rc)
		rc = ero_place_padding(&p.placer, 1u << pack->block_bits, err);
	if (!rc)
		rc = ero_place_flush(&p.placer, err);
	ero_pack_queue_close(&p.queue);
	ero_placer_close(&p.placer);
	return rc;
}
