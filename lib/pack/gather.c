// SPDX-License-Identifier: MIT
/*
 * Images with a packed inode, or without duplicates: small files and the tails of large ones are gathered there, like beside
 * like and equal ones once; large files have extents or pclusters of their own; what is random is stored plain. Where tails
 * are what did not fill a pcluster, large files come first, since only their encoding tells.
 */
#include "pack/dedupe.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/keys.h"

#include <stdlib.h>
#include <string.h>

enum {
	TAIL_LIMIT = 64 << 10,    /* longer tails are worth an extent of their own */
	SPARSE_PACKED = 1 << 20,
	MOST_PIECE = 1 << 30,
};

struct gathering {
	struct ero_packer *packer;
	struct ero_surveyed *files;        /* all regular files with content, in the order of the tree */
	size_t count;
	uint32_t *order, *original;        /* see survey.h */
	size_t ordered;
	ERO_VEC(struct ero_pack_piece) packed; /* what the packed inode holds, in order */
	uint64_t packed_size, packed_line; /* bytes; where it begins on the line */
	struct ero_dedupe dedupe;
};

enum kind { PACKED, OWN, FLAT };

static enum kind kind_of(const struct ero_pack *pack, const struct ero_surveyed *f)
{
	const struct ero_build_options *o = pack->options;

	if (!o->compressor_count || f->node->compressor == 0xff || (f->random && f->node->size >= 1u << pack->block_bits))
		return FLAT;
	if (f->node->compressor != 0) /* the packed inode has one algorithm: others go their own way */
		return OWN;
	if (!ero_pack_gathers(pack->options))
		return f->node->size > 1u << pack->block_bits || o->ztailpacking ? OWN : FLAT;
	if (o->extent_size)
		return f->node->size <= o->extent_size ? PACKED : OWN;
	/* long runs of zeros as fragments take kernels from 6.17 on minutes to read, whoever has made the image */
	if (f->node->maybe_sparse && f->node->size > SPARSE_PACKED)
		return OWN;
	return o->fragments == ERO_FRAGMENTS_ALL || f->node->size <= ero_pack_pcluster_size(pack, f->node) ? PACKED : OWN;
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

static struct ero_surveyed *surveyed(const struct gathering *g, const struct ero_node *node)
{
	size_t low = 0, high = g->count;

	while (high - low > 1) { /* the order of the tree is that of its numbers */
		size_t mid = low + (high - low) / 2;

		if (g->files[mid].node->ino <= node->ino)
			low = mid;
		else
			high = mid;
	}
	return &g->files[low];
}

/* An order that was asked for, instead of the one by likeness. */
static void arrange(struct gathering *g, struct ero_node *const *nodes)
{
	const struct ero_tree *tree = g->packer->pack->tree;
	size_t n = 0;

	for (size_t i = 0; i < tree->node_count; i++) {
		struct ero_node *node = nodes[i];
		uint32_t index = (uint32_t)(surveyed(g, node) - g->files);

		if (S_ISREG(node->mode) && node->size && g->original[index] == index)
			g->order[n++] = index;
	}
}

/* --order-from; without a packed inode neighbours do not matter but to those who read in order. */
static int arrange_as_asked(struct gathering *g, struct ero_error *err)
{
	const struct ero_pack *pack = g->packer->pack;
	struct ero_node **by_path;

	if (pack->tree->by_data || ero_pack_gathers(pack->options)) {
		if (pack->tree->by_data)
			arrange(g, pack->tree->by_data);
		return 0;
	}
	by_path = ero_tree_by_path(pack->tree);
	if (!by_path)
		return ero_fail_memory(err);
	arrange(g, by_path);
	free(by_path);
	return 0;
}

/* --hot-data: what is used first comes first, in that order; the original of a hot file is as hot. */
static int heat(struct gathering *g, struct ero_error *err)
{
	size_t hot = g->packer->pack->tree->node_count + 1, n = 0;
	ERO_AUTO_FREE uint32_t *rank = calloc(g->count + 1, sizeof(*rank)), *at = calloc(hot, sizeof(*at));
	ERO_AUTO_FREE uint32_t *cold = calloc(g->ordered + 1, sizeof(*cold));
	size_t colds = 0;

	if (!rank || !at || !cold)
		return ero_fail_memory(err);
	for (size_t i = 0; i < g->count; i++) {
		uint32_t own = g->files[i].node->hot, *r = &rank[g->original[i]];

		if (own && (!*r || own < *r))
			*r = own;
	}
	for (size_t i = 0; i < g->ordered; i++) {
		if (rank[g->order[i]])
			at[rank[g->order[i]]] = g->order[i] + 1;
		else
			cold[colds++] = g->order[i];
	}
	for (size_t r = 0; r < hot; r++)
		if (at[r])
			g->order[n++] = at[r] - 1;
	memcpy(g->order + n, cold, colds * sizeof(*cold));
	return 0;
}

/* ---- the packed inode ---- */

static int gather(struct gathering *g, struct ero_node *node, uint64_t offset, uint64_t length, struct ero_error *err)
{
	node->stored.tail = g->packed_size;
	g->packed_size += length;
	while (length) { /* pieces have 32 bits */
		uint32_t part = length < MOST_PIECE ? (uint32_t)length : MOST_PIECE;
		struct ero_pack_piece piece = { .node = node, .offset = offset, .length = part };

		if (!ero_vec_push(&g->packed, piece))
			return ero_fail_memory(err);
		offset += part;
		length -= part;
	}
	return 0;
}

static int gather_tails(struct gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;
	bool narrow = !pack->options->extent_size && !pack->options->legacy_compress;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];
		uint64_t tail = kind_of(pack, f) == OWN ? tail_length(pack, f) : 0;

		if (!tail)
			continue;
		f->node->stored.tail_fragment = true;
		rc = gather(g, f->node, f->node->size - tail, tail, err);
	}
	if (!rc && narrow && g->packed_size > UINT32_MAX)
		rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG,
			      "the tails of files have %llu bytes, and compact indexes refer to less than 4 GiB of them: use "
			      "-Elegacy-compress, or leave out -Efragments",
			      (unsigned long long)g->packed_size);
	return rc;
}

/* Tails first: only whole files can be told to lie past 4 GiB in every form. */
static int gather_all(struct gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;
	int rc = gather_tails(g, err);

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (kind_of(pack, f) != PACKED && !f->node->stored.fragment)
			continue;
		f->node->stored.layout = ERO_LAYOUT_COMPRESSED_FULL;
		f->node->stored.fragment = true;
		pack->packed_files++;
		pack->compressed_files++;
		rc = gather(g, f->node, 0, f->node->size, err);
	}
	return rc;
}

/* An inode in no directory; nobody sees its attributes. */
static int make_packed_inode(struct gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;

	if (!g->packed_size)
		return 0;
	pack->packed = ero_pack_hidden_inode(pack, g->packed_size);
	if (!pack->packed)
		return ero_fail_memory(err);
	pack->packed->pcluster_size = pack->options->packed_pcluster_size;
	return 0;
}

/* ---- what is there twice ---- */

/* Bytes of a file of its own that are not left to the packed inode. */
static uint64_t own_length(const struct gathering *g, const struct ero_surveyed *f)
{
	return f->node->stored.fragment ? 0 : f->node->size - tail_length(g->packer->pack, f);
}

/* Files that nothing can shorten take part: a copy of one is still a copy. */
static bool has_stream(const struct gathering *g, const struct ero_surveyed *f)
{
	struct ero_surveyed shortened = *f;

	shortened.random = false;
	return kind_of(g->packer->pack, &shortened) == OWN;
}

static int line_up_own(struct gathering *g, struct ero_error *err)
{
	uint64_t extent = g->packer->pack->options->extent_size;
	bool good = true;

	/* the larger extents are, the more an encoder loses by a cut: measured, see tests/bench/RESULTS.md */
	g->dedupe.least = extent / 8 > ERO_COPY_LEAST ? extent / 8 : ERO_COPY_LEAST;
	g->dedupe.window = extent;

	for (size_t i = 0; good && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (!has_stream(g, f))
			continue;
		f->line = ero_dedupe_stream(&g->dedupe, f->node);
		good = f->line != UINT64_MAX && ero_dedupe_add(&g->dedupe, f, 0, own_length(g, f));
	}
	return good ? 0 : ero_fail_memory(err);
}

static int line_up_packed(struct gathering *g, struct ero_error *err)
{
	bool good = true;

	if (!g->packed_size)
		return 0;
	g->packed_line = ero_dedupe_stream(&g->dedupe, g->packer->pack->packed);
	good = g->packed_line != UINT64_MAX;
	for (size_t i = 0; good && i < g->packed.count; i++) {
		const struct ero_pack_piece *piece = &g->packed.data[i];

		good = ero_dedupe_add(&g->dedupe, surveyed(g, piece->node), piece->offset, piece->offset + piece->length);
	}
	return good ? 0 : ero_fail_memory(err);
}

/* Random files that share something with others get extents, which can; the rest stays plain, and shares nothing later either. */
static void settle_random(struct gathering *g)
{
	for (size_t i = 0; i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (!f->random || !has_stream(g, f))
			continue;
		f->random = !ero_dedupe_touches(&g->dedupe, f->line, f->line + own_length(g, f));
		if (f->random)
			ero_dedupe_forget(&g->dedupe, f->line, f->line + own_length(g, f));
	}
}

/* ---- files of their own ---- */

static int pack_own_file(struct gathering *g, const struct ero_surveyed *f, const struct ero_dedupe *dedupe, struct ero_error *err)
{
	struct ero_stream stream = { .node = f->node, .length = own_length(g, f), .dedupe = dedupe, .line = f->line };
	ERO_VEC(struct ero_pack_piece) pieces = { 0 };
	int rc = 0;

	for (uint64_t at = 0; !rc && at < stream.length; at += MOST_PIECE) {
		uint64_t length = stream.length - at < MOST_PIECE ? stream.length - at : MOST_PIECE;
		struct ero_pack_piece piece = { .node = f->node, .offset = at, .length = (uint32_t)length };

		if (!ero_vec_push(&pieces, piece))
			rc = ero_fail_memory(err);
	}
	stream.pieces = pieces.data;
	stream.count = pieces.count;
	if (!rc)
		rc = ero_pack_stream(g->packer, &stream, err);
	ero_vec_free(&pieces);
	return rc;
}

/* ---- files that change while they are read ---- */

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
static bool for_each_range(struct gathering *g, bool (*each)(struct ero_node *node, struct range range, ranges *r), ranges *r)
{
	uint64_t at = g->packed_line;
	bool good = true;

	for (size_t i = 0; good && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (has_stream(g, f))
			good = each(f->node, (struct range){ f->line, f->line + own_length(g, f) }, r);
	}
	for (size_t i = 0; good && at != UINT64_MAX && i < g->packed.count; i++) {
		good = each(g->packed.data[i].node, (struct range){ at, at + g->packed.data[i].length }, r);
		at += g->packed.data[i].length;
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
static int find_wrong_copies(struct gathering *g, struct ero_error *err)
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
static void find_wrong_twins(struct gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct ero_node *node = g->files[i].node, *original = g->files[g->original[i]].node;

		if (node != original)
			node->apart = original->changed || original->apart || !has_room(g->packer->pack, node, &original->stored);
	}
}

static bool is_flat(const struct gathering *g, const struct ero_surveyed *f)
{
	return !g->packer->pack->options->extent_size && kind_of(g->packer->pack, f) == FLAT;
}

/* Flat ones first: their blocks are taken at once, which must not be between those of an encoded file. */
static int pack_apart(struct gathering *g, struct ero_error *err)
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
			rc = pack_own_file(g, &g->files[i], NULL, err);
	return rc ? rc : ero_pack_queue_drain(&p->queue, err);
}

/* ---- all of it ---- */

/* Files equal to another refer to what was stored for it. */
static void share_stored(struct gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->original[i] == i || g->files[i].node->apart)
			continue;
		g->files[i].node->stored = g->files[g->original[i]].node->stored;
		g->packer->pack->duplicate_files++;
	}
}

/* ---- all of it ---- */

static int pack_flat(struct gathering *g, struct ero_error *err)
{
	bool encoding = g->packer->pack->options->compressor_count != 0; /* else sparse files have chunks */
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		struct ero_node *node = g->files[g->order[i]].node;

		if (kind_of(g->packer->pack, &g->files[g->order[i]]) == FLAT)
			rc = encoding ? ero_pack_flat_file(g->packer, node, err) : ero_pack_file(g->packer, node, err);
	}
	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int pack_own(struct gathering *g, struct ero_error *err)
{
	const struct ero_dedupe *dedupe = g->packer->pack->options->dedupe ? &g->dedupe : NULL;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++)
		if (kind_of(g->packer->pack, &g->files[g->order[i]]) == OWN)
			rc = pack_own_file(g, &g->files[g->order[i]], dedupe, err);
	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int pack_packed(struct gathering *g, struct ero_error *err)
{
	struct ero_stream stream = {
		.node = g->packer->pack->packed,
		.pieces = g->packed.data,
		.count = g->packed.count,
		.length = g->packed_size,
		.dedupe = g->packer->pack->options->dedupe ? &g->dedupe : NULL,
		.line = g->packed_line,
	};
	int rc = g->packed_size ? ero_pack_stream(g->packer, &stream, err) : 0;

	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int find_own_copies(struct gathering *g, struct ero_error *err)
{
	int rc = g->packer->pack->options->dedupe ? line_up_own(g, err) : 0;

	if (!rc)
		rc = ero_dedupe_find(&g->dedupe, err);
	if (!rc)
		settle_random(g);
	return rc;
}

/* The ends of files left the line, now that they are known: they come again with the packed inode. */
static int shorten_line(struct gathering *g, struct ero_error *err)
{
	int rc = find_wrong_copies(g, err);

	ero_dedupe_free(&g->dedupe);
	memset(&g->dedupe, 0, sizeof(g->dedupe));
	if (!rc && g->packer->pack->options->dedupe)
		rc = line_up_own(g, err);
	g->packer->placer.line_end = g->dedupe.end;
	return rc;
}

static int find_packed(struct gathering *g, struct ero_error *err)
{
	int rc = gather_all(g, err);

	if (!rc)
		rc = make_packed_inode(g, err);
	if (!rc && g->packer->pack->options->dedupe)
		rc = line_up_packed(g, err);
	return rc ? rc : ero_dedupe_find(&g->dedupe, err);
}

static int pack_kinds(struct gathering *g, struct ero_error *err)
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
		rc = find_wrong_copies(g, err);
	return rc;
}

static int pack_and_share(struct gathering *g, struct ero_error *err)
{
	struct ero_placer *placer = &g->packer->placer;
	int rc;

	placer->dedupe = &g->dedupe;
	g->packed_line = UINT64_MAX;
	rc = pack_kinds(g, err);
	if (!rc) {
		find_wrong_twins(g);
		rc = pack_apart(g, err);
	}
	if (!rc)
		share_stored(g);
	return rc ? rc : ero_place_padding(placer, 1u << g->packer->pack->block_bits, err);
}

/* Large files are read twice only if another has the same size: equal ones are stored once. */
static int mark_twins(struct gathering *g, struct ero_error *err)
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
			g->files[first[n]].twin = g->files[i].twin = true;
	}
	ero_keys_free(&sizes);
	return rc;
}

static int list_files(struct gathering *g, struct ero_error *err)
{
	struct ero_pack *pack = g->packer->pack;

	g->files = calloc(pack->tree->files + 1, sizeof(*g->files));
	if (!g->files)
		return ero_fail_memory(err);
	for (size_t i = 0; i < pack->tree->node_count; i++) {
		struct ero_node *node = pack->tree->nodes[i];

		if (S_ISREG(node->mode) && node->size)
			g->files[g->count++].node = node;
		else if (S_ISREG(node->mode))
			pack->progress.files_done++;
	}
	return mark_twins(g, err);
}

int ero_pack_gathering(struct ero_packer *packer, struct ero_error *err)
{
	struct gathering g = { .packer = packer };
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
		rc = arrange_as_asked(&g, err);
	if (!rc && packer->pack->options->hot_data)
		rc = heat(&g, err);
	if (!rc)
		rc = pack_and_share(&g, err);
	for (size_t i = 0; i < g.count; i++) {
		free(g.files[i].chunks);
		free(g.files[i].features);
	}
	ero_dedupe_free(&g.dedupe);
	ero_vec_free(&g.packed);
	free(g.files);
	free(g.order);
	free(g.original);
	return rc;
}
