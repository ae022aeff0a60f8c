// SPDX-License-Identifier: MIT
/* The placer: zones in order, each node in its zone in the order of the tree. */
#include "layout/layout.h"
#include "base/bins.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "format/xattr.h"
#include "pack/job.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 64 };

/* Blocks that metadata is placed in: the image's, or the metabox's. */
struct space {
	struct ero_layout_plan *plan;
	struct ero_bins bins;
	uint64_t next_block;
	uint64_t at;             /* zones X and I: next free byte, in blocks already taken up to limit */
	uint64_t limit;
	bool metabox;
};

struct placer {
	struct ero_layout_plan *plan;
	struct space image, box;
	struct space *meta;      /* the one of them that takes inodes */
};

static unsigned chunk_unit(const struct ero_pack *pack)
{
	return pack->flat_indexes ? 8 : 4;
}

uint64_t ero_layout_inode_size(const struct ero_pack *pack, const struct ero_node *node)
{
	uint64_t size = ero_pack_head_size(pack, node);

	switch ((enum ero_layout)node->stored.layout) {
	case ERO_LAYOUT_CHUNK:
		return ero_round_up(size, chunk_unit(pack)) + (uint64_t)node->stored.map_count * chunk_unit(pack);
	case ERO_LAYOUT_COMPRESSED_FULL:
	case ERO_LAYOUT_COMPRESSED_COMPACT:
		if (node->stored.fragment || node->stored.record_size) {
			size = ero_round_up(size, 8) + ERO_MAP_HEADER;
			if (node->stored.record_size)
				size += ero_zrecords_size(size, node->stored.record_size, node->stored.map_count);
		} else {
			size += ero_pack_map_size(pack, node);
		}
		break;
	default:
		break;
	}
	return size + node->stored.tail_size;
}

static int add_item(struct space *s, uint64_t address, enum ero_item_kind kind, struct ero_node *node, uint32_t xattr,
		    struct ero_error *err)
{
	struct ero_item item = { .address = address & (UINT64_MAX >> 2), .kind = kind & 3 };
	bool room;

	if (kind == ERO_ITEM_SHARED_XATTR)
		item.xattr = xattr;
	else
		item.node = node;
	room = s->metabox ? ero_vec_push(&s->plan->boxed, item) : ero_vec_push(&s->plan->items, item);
	return room ? 0 : ero_fail_memory(err);
}

/* A node whose metadata must lie in one block. */
static int place_whole(struct space *s, struct ero_node *node, uint64_t size, struct ero_error *err)
{
	int rc = ero_bins_place(&s->bins, (uint32_t)size, &s->next_block, &node->address, err);

	node->in_metabox = s->metabox;
	return rc ? rc : add_item(s, node->address, ERO_ITEM_INODE, node, 0, err);
}

/* Bytes in the sequential zones, which take blocks as they go. */
static uint64_t take_bytes(struct space *s, uint64_t size, unsigned align)
{
	uint64_t start = ero_round_up(s->at, align);

	s->at = start + size;
	if (s->at > s->limit) {
		s->next_block += ero_div_up(s->at - s->limit, s->bins.block_size);
		s->limit = s->next_block * s->bins.block_size;
	}
	return start;
}

static void open_sequential(struct space *s)
{
	s->at = s->limit = s->next_block * s->bins.block_size;
}

/* What the last block of a sequential zone has left is for the bins. */
static int close_sequential(struct space *s, struct ero_error *err)
{
	uint32_t room = (uint32_t)(s->limit - s->at);

	s->at = s->limit;
	return room ? ero_bins_offer(&s->bins, s->limit / s->bins.block_size - 1, s->bins.block_size - room, err) : 0;
}

/* Map data may run over blocks, an inode's own bytes must not: 64-byte inodes step over a boundary. */
static int place_sequential(struct space *s, struct ero_node *node, uint64_t size, struct ero_error *err)
{
	unsigned block = s->bins.block_size;
	uint64_t start = ero_round_up(s->at, ERO_INODE_UNIT);
	uint32_t head = node->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE;

	if (size <= LINE) { /* what one look at an inode reads, map header and all, is one line of a processor's cache */
		if (start % LINE + size > LINE)
			s->at = ero_round_up(start, LINE);
	} else if (start % block + head > block) {
		s->at = ero_round_up(start, block);
	}
	node->address = take_bytes(s, size, ERO_INODE_UNIT);
	node->in_metabox = s->metabox;
	return add_item(s, node->address, ERO_ITEM_INODE, node, 0, err);
}

/* ---- zone D ---- */

/*
 * A directory whose content will be packed, which can be done only when everything has its place: its map gets as much room as
 * it can take.
 */
static void plan_packed_directory(const struct ero_pack *pack, struct ero_node *dir)
{
	struct ero_stored *s = &dir->stored;

	if (!pack->options->extent_size) {
		s->layout = pack->options->legacy_compress ? ERO_LAYOUT_COMPRESSED_FULL : ERO_LAYOUT_COMPRESSED_COMPACT;
		return;
	}
	s->layout = ERO_LAYOUT_COMPRESSED_FULL;
	s->map_count = (uint32_t)ero_div_up(dir->size, ero_pack_extent_size(pack, dir));
	s->record_size = s->map_count == 1 ? 4 : 16;
}

/* The last block of a directory goes behind its inode where that fits; the others, if any, are placed later. */
static void plan_directory(const struct ero_pack *pack, struct ero_node *dir, unsigned room)
{
	unsigned block = 1u << pack->block_bits, head = ero_pack_head_size(pack, dir);
	struct ero_dir_cut cut = ero_dir_cut(dir, block, pack->options->dot_omitted);

	dir->size = (uint64_t)(cut.blocks - 1) * block + cut.last_bytes;
	dir->stored.start_block = ERO_NULL_BLOCK32;
	dir->stored.tail_size = 0;
	if (pack->options->compress_dirs && cut.blocks > 1) {
		plan_packed_directory(pack, dir);
	} else if (head + cut.last_bytes <= room) {
		dir->stored.layout = ERO_LAYOUT_FLAT_INLINE;
		dir->stored.tail_size = cut.last_bytes;
		dir->stored.blocks = cut.blocks - 1;
	} else {
		dir->stored.layout = ERO_LAYOUT_FLAT_PLAIN;
		dir->stored.blocks = cut.blocks;
	}
}

/* Bytes behind the head in its last block, from *used on. */
static uint32_t head_room(const struct ero_layout_plan *plan, uint32_t *used)
{
	uint32_t block = 1u << plan->pack->block_bits, taken = (uint32_t)(plan->head_end % block);

	*used = (uint32_t)ero_round_up(taken, ERO_INODE_UNIT);
	return taken && *used < block ? block - *used : 0;
}

bool ero_layout_root_in_head(const struct ero_layout_plan *plan)
{
	struct ero_node *root = plan->pack->tree->root;
	uint32_t used, room = head_room(plan, &used);

	plan_directory(plan->pack, root, room);
	return ero_layout_inode_size(plan->pack, root) <= room;
}

/* The root's number has 16 bits: block 0 takes it, or else it begins the metadata, which then is counted from there. */
static int place_root(struct placer *p, struct ero_error *err)
{
	struct ero_layout_plan *plan = p->plan;
	struct ero_node *root = plan->pack->tree->root;
	unsigned block = p->image.bins.block_size;
	uint32_t used;
	uint64_t size;
	int rc;

	head_room(plan, &used);
	if (ero_layout_root_in_head(plan)) {
		rc = ero_bins_offer(&p->image.bins, plan->head_end / block, used, err);
		return rc ? rc : place_whole(&p->image, root, ero_layout_inode_size(plan->pack, root), err);
	}
	plan->meta_block = (uint32_t)p->image.next_block - 1; /* so that no inode has number 0 */
	plan_directory(plan->pack, root, block);
	size = ero_layout_inode_size(plan->pack, root);
	if (size <= block)
		return place_whole(&p->image, root, size, err);
	open_sequential(&p->image); /* xattrs larger than a block */
	rc = place_sequential(&p->image, root, size, err);
	return rc ? rc : close_sequential(&p->image, err);
}

/* Whole blocks come before the inodes: kernels read them with readahead, which then fetches what is needed next. */
static int place_dir_blocks(struct placer *p, struct ero_node *dir, struct ero_error *err)
{
	if (!S_ISDIR(dir->mode) || !dir->stored.blocks)
		return 0;
	dir->stored.start_block = p->image.next_block;
	p->image.next_block += dir->stored.blocks;
	return add_item(&p->image, dir->stored.start_block * p->image.bins.block_size, ERO_ITEM_DIR_BLOCKS, dir, 0, err);
}

/* ---- zones X, I, T ---- */

/* By name and value: the order in which the source met them must not show. */
static int compare_xattrs(const void *a, const void *b, void *context)
{
	const struct ero_xattr_item *items = context, *x = &items[*(const uint32_t *)a], *y = &items[*(const uint32_t *)b];
	uint32_t shorter = x->value_length < y->value_length ? x->value_length : y->value_length;
	int order;

	if (x->base_index != y->base_index)
		return x->base_index < y->base_index ? -1 : 1;
	order = strcmp(x->name, y->name);
	if (!order)
		order = memcmp(x->value, y->value, shorter);
	if (order)
		return order;
	return x->value_length < y->value_length ? -1 : x->value_length > y->value_length;
}

static int place_shared(struct placer *p, struct ero_error *err)
{
	struct ero_xattrs *x = &p->plan->pack->tree->xattrs;
	ERO_AUTO_FREE uint32_t *order = calloc(x->item_count + 1, sizeof(*order));
	size_t count = 0;
	int rc = order ? 0 : ero_fail_memory(err);

	for (uint32_t i = 0; !rc && i < x->item_count; i++)
		if (x->items[i].shared)
			order[count++] = i;
	if (count > 1)
		qsort_r(order, count, sizeof(*order), compare_xattrs, x->items);
	p->plan->xattr_block = (uint32_t)(p->meta->at / p->image.bins.block_size);
	for (size_t k = 0; !rc && k < count; k++) {
		uint32_t i = order[k];
		struct ero_xattr_item *item = &x->items[i];

		item->shared_at = take_bytes(p->meta, ero_xattr_entry_size((unsigned)(item->name_length - item->long_skip),
								     item->value_length), 4);
		rc = add_item(p->meta, item->shared_at, ERO_ITEM_SHARED_XATTR, NULL, i, err);
	}
	return rc;
}

static bool has_tail(const struct ero_node *node)
{
	return node->stored.tail_size && !S_ISLNK(node->mode);
}

/* The packer has placed it already, among the data. */
static bool lies_among_data(const struct placer *p, const struct ero_node *node)
{
	return !p->meta->metabox && !S_ISDIR(node->mode) && node->address && node->address < p->plan->first_block * p->image.bins.block_size;
}

/* The packed inode is read before anything is known of a metabox. */
static int place_packed(struct placer *p, struct ero_error *err)
{
	struct ero_node *packed = p->plan->pack->packed;
	struct space *s = &p->image;
	bool shared = p->meta == s;
	int rc;

	if (!packed)
		return 0;
	if (!shared)
		open_sequential(s);
	rc = place_sequential(s, packed, ero_layout_inode_size(p->plan->pack, packed), err);
	return rc || shared ? rc : close_sequential(s, err);
}

/* One inode for zone I, if it is one. */
static int place_in_zone(struct placer *p, struct ero_node *node, struct ero_error *err)
{
	uint64_t size = ero_layout_inode_size(p->plan->pack, node), start;
	struct space *s = p->meta;
	unsigned block = s->bins.block_size;

	if ((has_tail(node) && size <= block) || lies_among_data(p, node))
		return 0;
	if (has_tail(node) && S_ISREG(node->mode))
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, EOVERFLOW, "/%s: %llu bytes of metadata and tail do not fit a block",
				node->name, (unsigned long long)size);
	if (S_ISDIR(node->mode))
		return size > block && node->parent ? place_sequential(s, node, size, err) : 0;
	start = ero_round_up(s->at, ERO_INODE_UNIT);
	if (node->stored.tail_size && start % block + size > block) /* a link's target may not cross a block either */
		s->at = ero_round_up(start, block);
	return place_sequential(s, node, size, err);
}

/* One inode for zone T, or one that the packer has placed. */
static int place_beside(struct placer *p, struct ero_node *node, struct ero_error *err)
{
	uint64_t size = ero_layout_inode_size(p->plan->pack, node);

	if (lies_among_data(p, node))
		return add_item(p->meta, node->address, ERO_ITEM_INODE, node, 0, err);
	if (has_tail(node) && !S_ISDIR(node->mode) && size <= p->meta->bins.block_size)
		return place_whole(p->meta, node, size, err);
	return 0;
}

/* ---- all zones ---- */

static int place_each(struct placer *p, bool hot, int (*place)(struct placer *, struct ero_node *, struct ero_error *),
		      struct ero_error *err)
{
	const struct ero_tree *tree = p->plan->pack->tree;
	int rc = 0;

	for (size_t i = 0; !rc && i < tree->node_count; i++)
		if ((ero_tree_heat(tree, ero_tree_by_use(tree)[i]) != 0) == hot)
			rc = place(p, ero_tree_by_use(tree)[i], err);
	return rc;
}

static bool packed_is_hot(const struct placer *p)
{
	return p->plan->pack->packed && p->plan->pack->tree->heat && p->meta == &p->image;
}

/* Inodes of the hot list come before the directories, which fill what is left of their last block; or else it takes the packed inode
 * and the beginning of its map, and what the rest of that leaves is not for directories that are hot, too. */
static int place_hot(struct placer *p, struct ero_error *err)
{
	int rc;

	open_sequential(p->meta);
	rc = place_each(p, true, place_in_zone, err);
	if (!rc)
		rc = packed_is_hot(p) ? place_packed(p, err) : close_sequential(p->meta, err);
	return rc ? rc : place_each(p, true, place_beside, err);
}

static int place_dir_inode(struct placer *p, struct ero_node *dir, struct ero_error *err)
{
	uint64_t size = S_ISDIR(dir->mode) && dir->parent ? ero_layout_inode_size(p->plan->pack, dir) : 0;

	return size && size <= p->image.bins.block_size ? place_whole(p->meta, dir, size, err) : 0;
}

/* What is hot comes first as a whole: the readahead behind its blocks fetches the rest of it. */
static int place_directories(struct placer *p, struct ero_error *err)
{
	const struct ero_tree *tree = p->plan->pack->tree;
	int rc = place_root(p, err);

	for (size_t i = 1; !rc && i < tree->node_count; i++)
		if (S_ISDIR(ero_tree_by_use(tree)[i]->mode))
			plan_directory(p->plan->pack, ero_tree_by_use(tree)[i], p->image.bins.block_size);
	if (!rc && tree->heat) {
		rc = place_each(p, true, place_dir_blocks, err);
		if (!rc)
			rc = place_hot(p, err);
		if (!rc)
			rc = place_each(p, true, place_dir_inode, err);
		if (!rc)
			rc = close_sequential(p->meta, err); /* if it is still open */
	}
	if (!rc)
		rc = place_each(p, false, place_dir_blocks, err);
	return rc ? rc : place_each(p, false, place_dir_inode, err);
}

static int place_others(struct placer *p, struct ero_error *err)
{
	int rc;

	open_sequential(p->meta);
	rc = place_shared(p, err);
	if (!rc)
		rc = place_each(p, false, place_in_zone, err);
	if (!rc && !packed_is_hot(p))
		rc = place_packed(p, err);
	if (!rc)
		rc = close_sequential(p->meta, err);
	return rc ? rc : place_each(p, false, place_beside, err);
}

static int compare_items(const void *a, const void *b)
{
	const struct ero_item *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int open_spaces(struct placer *p, struct ero_error *err)
{
	unsigned block = 1u << p->plan->pack->block_bits;
	uint32_t taken = (uint32_t)ero_round_up(p->plan->box_head, ERO_INODE_UNIT);

	p->image = (struct space){ .plan = p->plan, .bins.block_size = block, .next_block = p->plan->first_block };
	p->box = (struct space){ .plan = p->plan, .bins.block_size = block, .metabox = true };
	p->meta = p->plan->metabox ? &p->box : &p->image;
	if (!p->plan->metabox || !taken)
		return 0;
	p->box.next_block = ero_div_up(taken, block);
	return taken % block ? ero_bins_offer(&p->box.bins, taken / block, taken % block, err) : 0;
}

int ero_layout_check_end(const struct ero_layout_plan *plan, struct ero_error *err)
{
	if (plan->end_block <= (plan->pack->options->wide ? ERO_NULL_BLOCK48 - 1 : ERO_NULL_BLOCK32 - 1))
		return 0;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG,
			"the image would have %llu blocks; more than 2^32 need -E48bit, more than 2^48 are not possible",
			(unsigned long long)plan->end_block);
}

int ero_layout_run(struct ero_layout_plan *plan, struct ero_error *err)
{
	struct placer *p = calloc(1, sizeof(*p));
	size_t nodes = plan->pack->tree->node_count;
	int rc;

	if (!p)
		return ero_fail_memory(err);
	p->plan = plan;
	plan->meta_block = 0;
	rc = open_spaces(p, err);
	if (!rc && !(plan->metabox ? ero_vec_reserve(&plan->boxed, nodes) : ero_vec_reserve(&plan->items, nodes)))
		rc = ero_fail_memory(err);
	if (!rc)
		rc = place_directories(p, err);
	if (!rc)
		rc = place_others(p, err);
	plan->end_block = p->image.next_block;
	plan->boxed_bytes = p->box.next_block * p->box.bins.block_size;
	if (plan->items.count)
		qsort(plan->items.data, plan->items.count, sizeof(*plan->items.data), compare_items);
	if (plan->boxed.count)
		qsort(plan->boxed.data, plan->boxed.count, sizeof(*plan->boxed.data), compare_items);
	ero_vec_free(&p->image.bins.bins);
	ero_vec_free(&p->box.bins.bins);
	free(p);
	return rc ? rc : ero_layout_check_end(plan, err);
}

int ero_layout_metabox(struct ero_layout_plan *plan, struct ero_error *err)
{
	const struct ero_pack *pack = plan->pack;
	struct space *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ero_fail_memory(err);
	s->plan = plan;
	s->bins.block_size = 1u << pack->block_bits;
	s->next_block = ero_div_up(pack->end, s->bins.block_size);
	open_sequential(s);
	rc = place_sequential(s, pack->metabox, ero_layout_inode_size(pack, pack->metabox), err);
	plan->end_block = s->next_block;
	free(s);
	return rc ? rc : ero_layout_check_end(plan, err);
}

void ero_layout_free(struct ero_layout_plan *plan)
{
	ero_vec_free(&plan->items);
	ero_vec_free(&plan->boxed);
}
