// SPDX-License-Identifier: MIT
/* Files that cannot share after all, since what they are equal to has changed while it was read, or has more room behind its
 * inode: they are stored by themselves. */
#include "pack/gathering.h"

#include <stdlib.h>

struct range {
	uint64_t from, to;
};
typedef ERO_VEC(struct range) ranges;

static bool overlaps(const ranges *r, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->data[i].from < to && from < r->data[i].to)
			return true;
	return false;
}

/* Calls `each` with every file that lies on the line, and where. */
static bool for_each_range(struct ero_gathering *g, bool (*each)(struct ero_node *node, struct range range, ranges *r), ranges *r)
{
	uint64_t at = g->packed_line;
	bool good = true;

	for (size_t i = 0; good && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (ero_gathering_has_stream(g, f))
			good = each(f->node, (struct range){ f->line, f->line + ero_gathering_own_length(g, f) }, r);
	}
	for (size_t i = 0; good && at != UINT64_MAX && i < ero_gathering_packed_count(g); i++) {
		struct ero_pack_range packed = ero_gathering_packed(g, i);

		good = each(packed.node, (struct range){ at, at + packed.length }, r);
		at += packed.length;
	}
	return good;
}

static bool add_changed(struct ero_node *node, struct range range, ranges *changed)
{
	return !node->changed || ero_vec_push(changed, range);
}

static bool set_apart(struct ero_node *node, struct range range, ranges *wrong)
{
	node->apart |= overlaps(wrong, range.from, range.to);
	return true;
}

/* What is a copy of something that has changed since is none any more, and neither is a copy of that. */
int ero_gathering_wrong_copies(struct ero_gathering *g, struct ero_error *err)
{
	const struct ero_dedupe *d = &g->dedupe;
	ranges changed = { 0 }, wrong = { 0 };
	bool good = !g->packer->pack->changed_files || for_each_range(g, add_changed, &changed);

	for (size_t i = 0; good && changed.count && i < d->copies.count; i++) {
		const struct ero_copy *c = &d->copies.data[i];
		struct range target = { c->at, c->at + c->length };

		if (overlaps(&changed, c->source, c->source + c->length) || overlaps(&wrong, c->source, c->source + c->length))
			good = ero_vec_push(&wrong, target);
	}
	if (good && wrong.count)
		good = for_each_range(g, set_apart, &wrong);
	ero_vec_free(&changed);
	ero_vec_free(&wrong);
	return good ? 0 : ero_fail_memory(err);
}

/* What follows the inode was chosen by the room behind the original's. */
static bool has_room(const struct ero_pack *pack, struct ero_node *node, const struct ero_stored *stored)
{
	uint64_t bytes = ero_pack_head_size(pack, node) + (uint64_t)stored->tail_size;

	node->stored.full = stored->full;
	if (stored->map_count)
		bytes += ero_pack_map_size(pack, node);
	return !stored->tail_size || bytes <= 1u << pack->block_bits;
}

/* Files that cannot have what was stored for an equal one: it has changed since, or there is no room for its tail. */
void ero_gathering_wrong_twins(struct ero_gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct ero_node *node = g->files[i].node, *original = g->files[g->original[i]].node;

		if (node != original)
			node->apart = original->changed || original->apart || !has_room(g->packer->pack, node, &original->stored);
	}
}

static bool is_flat(const struct ero_gathering *g, const struct ero_surveyed *f)
{
	return !g->packer->pack->options->extent_size && ero_gathering_kind(g->packer->pack, f) == ERO_GATHER_FLAT;
}

/* Flat ones first: their blocks are taken at once, which must not be between those of an encoded file. */
int ero_gathering_pack_apart(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	int rc = 0;

	for (size_t i = 0; i < g->count; i++) {
		if (!g->files[i].node->apart)
			continue;
		g->files[i].node->stored = (struct ero_stored){ 0 };
		g->files[i].node->address = 0;
	}
	for (size_t i = 0; !rc && i < g->count; i++)
		if (g->files[i].node->apart && is_flat(g, &g->files[i]))
			rc = ero_pack_flat_file(p, g->files[i].node, err);
	if (!rc)
		rc = ero_pack_queue_drain(&p->queue, err);
	for (size_t i = 0; !rc && i < g->count; i++)
		if (g->files[i].node->apart && !is_flat(g, &g->files[i]))
			rc = ero_gathering_pack_own(g, &g->files[i], NULL, err);
	return rc ? rc : ero_pack_queue_drain(&p->queue, err);
}
