// SPDX-License-Identifier: MIT
/*
 * Metadata that is the content of an inode, too: it holds numbers and addresses, so that it can be packed only when all is
 * laid out. It lies behind the image's other blocks.
 */
#include "build/build.h"

#include <stdlib.h>

/* ---- directories ---- */

struct directories {
	struct ero_build *build;
	size_t next;   /* of the tree's nodes */
};

static bool is_packed(const struct ero_node *node)
{
	return S_ISDIR(node->mode) && ero_layout_compressed(node->stored.layout);
}

static int next_directory(void *context, struct ero_node **node, uint8_t **bytes, size_t *length, struct ero_error *err)
{
	struct directories *d = context;
	const struct ero_tree *tree = &d->build->tree;

	*node = NULL;
	while (d->next < tree->node_count && !is_packed(ero_tree_by_use(tree)[d->next]))
		d->next++;
	if (d->next == tree->node_count)
		return 0;
	*node = ero_tree_by_use(tree)[d->next++];
	*length = (size_t)(*node)->size;
	*bytes = malloc((size_t)ero_round_up(*length, d->build->options.block_size));
	if (!*bytes)
		return ero_fail_memory(err);
	ero_build_dir_blocks(d->build, *node, *bytes);
	(*node)->stored.map_count = 0; /* it was a bound for the layout */
	(*node)->compressor = 0;
	return 0;
}

static int pack_directories(struct ero_build *b, struct ero_error *err)
{
	struct directories d = { .build = b };
	int rc = ero_pack_contents(&b->pack, next_directory, &d, err);

	b->plan.end_block = b->pack.end >> b->super.block_bits;
	return rc ? rc : ero_layout_check_end(&b->plan, err);
}

/* ---- the metabox ---- */

struct box {
	struct ero_node *node;
	uint8_t *bytes;
	size_t length;
};

static int next_box(void *context, struct ero_node **node, uint8_t **bytes, size_t *length, struct ero_error *err)
{
	struct box *box = context;

	(void)err;
	*node = box->node;
	*bytes = box->bytes;
	*length = box->length;
	box->node = NULL; /* there is one */
	return 0;
}

static int pack_box(struct ero_build *b, struct ero_error *err)
{
	struct box box = { .length = (size_t)b->plan.boxed_bytes };
	int rc = ero_spool_reader_create(b->spool, &b->stored, err);

	if (!rc)
		rc = ero_build_boxed(b, &box.bytes, err);
	ero_spool_reader_free(b->stored); /* packing adds to the spool */
	b->stored = NULL;
	if (rc)
		return rc;
	box.node = b->pack.metabox = ero_pack_hidden_inode(&b->pack, box.length);
	if (!box.node) {
		free(box.bytes);
		return ero_fail_memory(err);
	}
	/* its compressor is the last of the list, where it has one of its own */
	box.node->compressor = (uint8_t)(b->options.metabox_compressor.name[0] ? b->options.compressor_count - 1 : 0);
	rc = ero_pack_contents(&b->pack, next_box, &box, err);
	if (box.node) /* nobody has asked for it */
		free(box.bytes);
	b->late_end = b->pack.end;
	return rc ? rc : ero_layout_metabox(&b->plan, err);
}

int ero_build_late(struct ero_build *b, struct ero_error *err)
{
	int rc = 0;

	b->late_start = b->pack.end = b->plan.end_block << b->super.block_bits;
	if (b->options.compress_dirs)
		rc = pack_directories(b, err);
	b->late_end = b->pack.end;
	return rc || !b->plan.boxed_bytes ? rc : pack_box(b, err);
}
