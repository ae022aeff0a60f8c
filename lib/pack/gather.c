// SPDX-License-Identifier: MIT
/*
 * Images with a packed inode, or without duplicates: small files and the tails of large ones are gathered there, like beside
 * like and equal ones once; large files have extents or pclusters of their own; what is random is stored plain. Where tails
 * are what did not fill a pcluster, large files come first, since only their encoding tells.
 */
#include "pack/gathering.h"
#include "pack/sparse.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/keys.h"

#include <stdlib.h>
#include <string.h>

enum {
	TAIL_LIMIT = 64 << 10,    /* longer tails are worth an extent of their own */
	SPARSE_PACKED = 1 << 20,
};

/* What a file would be if it could be shortened. */
static enum ero_gathering_kind kind_by_node(const struct ero_pack *pack, const struct ero_node *node)
{
	const struct ero_build_options *o = pack->options;

	if (!o->compressor_count || node->compressor == 0xff)
		return ERO_GATHER_FLAT;
	if (node->compressor != 0) /* the packed inode has one algorithm: others go their own way */
		return ERO_GATHER_OWN;
	if (!ero_pack_gathers(o))
		return node->size > 1u << pack->block_bits || o->ztailpacking ? ERO_GATHER_OWN : ERO_GATHER_FLAT;
	if (o->extent_size)
		return node->size <= o->extent_size ? ERO_GATHER_PACKED : ERO_GATHER_OWN;
	/* long runs of zeros as fragments take kernels from 6.17 on minutes to read, whoever has made the image */
	if (node->maybe_sparse && node->size > SPARSE_PACKED)
		return ERO_GATHER_OWN;
	return o->fragments == ERO_FRAGMENTS_ALL || node->size <= ero_pack_pcluster_size(pack, node) ? ERO_GATHER_PACKED : ERO_GATHER_OWN;
}

enum ero_gathering_kind ero_gathering_kind(const struct ero_pack *pack, const struct ero_surveyed *f)
{
	return f->node->random && f->node->size >= 1u << pack->block_bits ? ERO_GATHER_FLAT : kind_by_node(pack, f->node);
}

/* Bytes at the end of a file of its own that the packed inode takes; with pclusters only its encoding tells. */
static uint64_t tail_length(const struct ero_pack *pack, const struct ero_surveyed *f)
{
	uint64_t tail;

	if (f->node->apart)
		return 0;
	if (!pack->options->extent_size)
		return f->node->stored.tail_fragment ? f->node->stored.tail : 0;
	tail = f->node->size % pack->options->extent_size;
	return f->node->compressor == 0 && f->node->size > tail && tail <= TAIL_LIMIT ? tail : 0;
}

struct ero_surveyed *ero_gathering_file(const struct ero_gathering *g, const struct ero_node *node)
{
	size_t low = 0, high = g->count;

	while (high - low > 1) { /* the order of the tree is that of its numbers */
		size_t mid = low + (high - low) / 2;

		if (g->files[mid].node->ino <= node->ino)
			low = mid;
		else
			high = mid;
	}
	return low < g->count && g->files[low].node == node ? &g->files[low] : NULL;
}

uint64_t ero_gathering_own_length(const struct ero_gathering *g, const struct ero_surveyed *f)
{
	return f->node->stored.fragment ? 0 : f->node->size - tail_length(g->packer->pack, f);
}

bool ero_gathering_has_stream(const struct ero_gathering *g, const struct ero_surveyed *f)
{
	return kind_by_node(g->packer->pack, f->node) == ERO_GATHER_OWN;
}

/* ---- the packed inode ---- */

struct ero_pack_range ero_gathering_packed(const void *gathering, size_t index)
{
	const struct ero_gathering *g = gathering;
	struct ero_node *node;

	if (index < g->tails.count)
		return g->tails.data[index];
	node = g->files[g->whole.data[index - g->tails.count]].node;
	return (struct ero_pack_range){ node, 0, node->size };
}

static uint64_t take_room(struct ero_gathering *g, uint64_t length)
{
	uint64_t at = g->packed_size;

	g->packed_size += length;
	return at;
}

static int gather_tails(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;
	bool narrow = !pack->options->extent_size && !pack->options->legacy_compress;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];
		uint64_t tail = ero_gathering_kind(pack, f) == ERO_GATHER_OWN ? tail_length(pack, f) : 0;
		struct ero_pack_range range = { f->node, f->node->size - tail, tail };

		if (!tail)
			continue;
		f->node->stored.tail_fragment = true;
		f->node->stored.tail = take_room(g, tail);
		rc = ero_vec_push(&g->tails, range) ? 0 : ero_fail_memory(err);
	}
	if (!rc && narrow && g->packed_size > UINT32_MAX)
		rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG,
			      "the tails of files have %llu bytes, and compact indexes refer to less than 4 GiB of them: use "
			      "-Elegacy-compress, or leave out -Efragments",
			      (unsigned long long)g->packed_size);
	return rc;
}

/* Tails first: only whole files can be told to lie past 4 GiB in every form. */
static int gather_all(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;
	int rc = gather_tails(g, err);

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (ero_gathering_kind(pack, f) != ERO_GATHER_PACKED && !f->node->stored.fragment)
			continue;
		f->node->stored.layout = ERO_LAYOUT_COMPRESSED_FULL;
		f->node->stored.fragment = true;
		pack->packed_files++;
		pack->compressed_files++;
		f->node->stored.tail = take_room(g, f->node->size);
		rc = ero_vec_push(&g->whole, g->order[i]) ? 0 : ero_fail_memory(err);
	}
	return rc;
}

/* An inode in no directory; nobody sees its attributes. */
static int make_packed_inode(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;

	if (!g->packed_size)
		return 0;
	pack->packed = ero_pack_hidden_inode(pack, g->packed_size);
	if (!pack->packed)
		return ero_fail_memory(err);
	pack->packed->pcluster_sectors = (uint16_t)(pack->options->packed_pcluster_size / 512);
	return 0;
}

/* ---- files of their own ---- */

static struct ero_pack_range own_range(const void *range, size_t index)
{
	(void)index; /* it is the only one */
	return *(const struct ero_pack_range *)range;
}

int ero_gathering_pack_own(struct ero_gathering *g, const struct ero_surveyed *f, const struct ero_dedupe *dedupe, struct ero_error *err)
{
	struct ero_pack_range range = { f->node, 0, ero_gathering_own_length(g, f) };
	struct ero_stream stream = {
		.node = f->node, .range = own_range, .context = &range, .length = range.length, .dedupe = dedupe, .line = f->line
	};

	return ero_pack_stream(g->packer, &stream, err);
}

/* ---- equal files ---- */

/* Files equal to another refer to what was stored for it. */
static void share_stored(struct ero_gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->original[i] == i || g->files[i].node->apart)
			continue;
		g->files[i].node->stored = g->files[g->original[i]].node->stored;
		g->packer->pack->duplicate_files++;
	}
}

/* ---- all of it ---- */

static int pack_flat(struct ero_gathering *g, struct ero_error *err)
{
	bool encoding = g->packer->pack->options->compressor_count != 0; /* else sparse files have chunks */
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_node *node = g->files[g->order[i]].node;

		if (ero_gathering_kind(g->packer->pack, &g->files[g->order[i]]) == ERO_GATHER_FLAT)
			rc = encoding ? ero_pack_flat_file(g->packer, node, err) : ero_pack_file(g->packer, node, err);
	}
	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int pack_own(struct ero_gathering *g, struct ero_error *err)
{
	const struct ero_dedupe *dedupe = g->packer->pack->options->dedupe ? &g->dedupe : NULL;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++)
		if (ero_gathering_kind(g->packer->pack, &g->files[g->order[i]]) == ERO_GATHER_OWN)
			rc = ero_gathering_pack_own(g, &g->files[g->order[i]], dedupe, err);
	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int pack_packed(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_stream stream = {
		.node = g->packer->pack->packed,
		.range = ero_gathering_packed,
		.context = g,
		.length = g->packed_size,
		.dedupe = g->packer->pack->options->dedupe ? &g->dedupe : NULL,
		.line = g->packed_line,
	};
	int rc = g->packed_size ? ero_pack_stream(g->packer, &stream, err) : 0;

	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int find_own_copies(struct ero_gathering *g, struct ero_error *err)
{
	int rc = g->packer->pack->options->dedupe ? ero_gathering_line_up_own(g, err) : 0;

	if (!rc)
		rc = ero_dedupe_find(&g->dedupe, err);
	if (!rc)
		ero_gathering_settle_random(g);
	return rc;
}

/* Takes the ends of files off the line, now that they are known: they come again with the packed inode. */
static int shorten_line(struct ero_gathering *g, struct ero_error *err)
{
	int rc = ero_gathering_wrong_copies(g, err);

	ero_dedupe_free(&g->dedupe);
	memset(&g->dedupe, 0, sizeof(g->dedupe));
	if (!rc && g->packer->pack->options->dedupe)
		rc = ero_gathering_line_up_own(g, err);
	g->packer->placer.line_end = g->dedupe.end;
	return rc;
}

static int find_packed(struct ero_gathering *g, struct ero_error *err)
{
	int rc = gather_all(g, err);

	if (!rc)
		rc = make_packed_inode(g, err);
	if (!rc && g->packer->pack->options->dedupe)
		rc = ero_gathering_line_up_packed(g, err);
	return rc ? rc : ero_dedupe_find(&g->dedupe, err);
}

static int pack_kinds(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	bool tails_known = p->pack->options->extent_size != 0;
	int rc = find_own_copies(g, err);

	if (!rc) /* first what lies in whole blocks, then what follows byte by byte */
		rc = pack_flat(g, err);
	if (!rc && tails_known)
		rc = find_packed(g, err);
	if (!rc)
		rc = pack_own(g, err);
	if (!rc && !tails_known)
		rc = shorten_line(g, err);
	if (!rc && !tails_known)
		rc = find_packed(g, err);
	if (!rc)
		rc = pack_packed(g, err);
	if (!rc)
		rc = ero_gathering_wrong_copies(g, err);
	return rc;
}

static int pack_and_share(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_placer *placer = &g->packer->placer;
	int rc;

	placer->dedupe = &g->dedupe;
	g->packed_line = UINT64_MAX;
	rc = pack_kinds(g, err);
	if (!rc) {
		ero_gathering_wrong_twins(g);
		rc = ero_gathering_pack_apart(g, err);
	}
	if (!rc)
		share_stored(g);
	return rc ? rc : ero_place_padding(placer, 1u << g->packer->pack->block_bits, err);
}

/* Large files are read twice only if another has the same size: equal ones are stored once. */
static int mark_twins(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_keys sizes = { 0 };
	ERO_AUTO_FREE uint32_t *first = calloc(g->count + 1, sizeof(*first));
	int rc = first ? 0 : ero_fail_memory(err);

	for (size_t i = 0; !rc && i < g->count; i++) {
		bool is_new;
		uint32_t n = ero_keys_number(&sizes, g->files[i].node->size, 0, &is_new);

		if (n == UINT32_MAX)
			rc = ero_fail_memory(err);
		else if (is_new)
			first[n] = (uint32_t)i;
		else
			g->files[first[n]].node->twin = g->files[i].node->twin = true;
	}
	ero_keys_free(&sizes);
	return rc;
}

static int list_files(struct ero_gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;

	g->files = calloc((size_t)pack->tree->files + 1, sizeof(*g->files)); /* of which there are fewer than nodes in memory */
	if (!g->files)
		return ero_fail_memory(err);
	for (size_t i = 0; i < pack->tree->node_count; i++) {
		struct ero_node *node = pack->tree->nodes[i];

		if (S_ISREG(node->mode) && node->size && !ero_pack_sparse(pack, node))
			g->files[g->count++].node = node;
		else if (S_ISREG(node->mode) && !node->size)
			pack->progress.files_done++;
	}
	return mark_twins(g, err);
}

int ero_pack_gathering(struct ero_packer *packer, struct ero_error *err)
{
	struct ero_gathering g = { .packer = packer };
	int rc = list_files(&g, err);

	if (!rc)
		rc = ero_survey(packer->pack, g.files, g.count, err);
	if (!rc) {
		g.order = calloc(g.count + 1, sizeof(*g.order));
		g.original = calloc(g.count + 1, sizeof(*g.original));
		rc = g.order && g.original ? ero_survey_order(packer->pack, g.files, g.count, g.order, &g.ordered,
							      g.original, err) :
					     ero_fail_memory(err);
	}
	if (!rc && g.count)
		rc = ero_gathering_arrange(&g, err);
	if (!rc)
		rc = pack_and_share(&g, err);
	for (size_t i = 0; i < g.count; i++)
		free(g.files[i].detail);
	ero_dedupe_free(&g.dedupe);
	ero_vec_free(&g.tails);
	ero_vec_free(&g.whole);
	free(g.files);
	free(g.order);
	free(g.original);
	return rc;
}
