// SPDX-License-Identifier: MIT
/*
 * Images with a packed inode: small files and the tails of large ones are gathered there, like beside like and equal ones
 * once; large files have extents or pclusters of their own; what is random is stored plain. Where tails are what did not
 * fill a pcluster, large files come first, since only their encoding tells.
 */
#include "pack/survey.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/keys.h"

#include <stdlib.h>
#include <string.h>

enum {
	TAIL_LIMIT = 64 << 10,    /* longer tails are worth an extent of their own */
	SPARSE_PACKED = 1 << 20,
};

struct gathering {
	struct ero_packer *packer;
	struct ero_surveyed *files;        /* all regular files with content, in the order of the tree */
	size_t count;
	uint32_t *order, *original;        /* see survey.h */
	size_t ordered;
	ERO_VEC(struct ero_pack_piece) packed; /* what the packed inode holds, in order */
	uint64_t packed_size;
};

enum kind { PACKED, OWN, FLAT };

static enum kind kind_of(const struct ero_pack *pack, const struct ero_surveyed *f)
{
	const struct ero_build_options *o = pack->options;

	if (f->node->compressor == 0xff || (f->random && f->node->size >= 1u << pack->block_bits))
		return FLAT;
	if (f->node->compressor != 0) /* the packed inode has one algorithm: others go their own way */
		return OWN;
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
		uint32_t part = length < 1u << 30 ? (uint32_t)length : 1u << 30;
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

	pack->packed = ero_pack_hidden_inode(pack, g->packed_size);
	if (!pack->packed)
		return ero_fail_memory(err);
	pack->packed->pcluster_size = pack->options->packed_pcluster_size;
	return 0;
}

/* ---- jobs ---- */

static int submit_pieces(struct ero_packer *p, struct ero_node *node, uint64_t offset, uint64_t length, bool last,
			 const struct ero_pack_piece *pieces, size_t count, struct ero_error *err)
{
	struct ero_pack_job *j = calloc(1, sizeof(*j));

	if (!j || !ero_vec_reserve(&j->pieces, count)) {
		free(j);
		return ero_fail_memory(err);
	}
	memcpy(j->pieces.data, pieces, count * sizeof(*pieces));
	j->pieces.count = count;
	j->run = p->pack->options->extent_size ? ero_pack_run_extent : ero_pack_run_encode;
	j->pack = p->pack;
	j->node = node;
	j->offset = offset;
	j->length = (size_t)length;
	j->first = offset == 0;
	j->last = last;
	return ero_pack_queue_submit(&p->queue, j, err);
}

/* Cuts the packed inode: pieces are cut with it. */
static int pack_gathered(struct gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	uint64_t limit = p->pack->options->extent_size ? p->pack->options->extent_size :
							ero_pack_segment_size(p->pack, p->pack->packed);
	uint32_t done = 0; /* of the piece */
	ERO_VEC(struct ero_pack_piece) now = { 0 };
	uint64_t at = 0;
	int rc = 0;

	for (size_t i = 0; !rc && at < g->packed_size;) {
		uint64_t length = 0;

		now.count = 0;
		while (!rc && i < g->packed.count && length < limit) {
			struct ero_pack_piece piece = g->packed.data[i];

			piece.offset += done;
			piece.length -= done;
			if (piece.length > limit - length)
				piece.length = (uint32_t)(limit - length);
			if (!ero_vec_push(&now, piece))
				rc = ero_fail_memory(err);
			length += piece.length;
			done += piece.length;
			if (done == g->packed.data[i].length) {
				i++;
				done = 0;
			}
		}
		if (!rc)
			rc = submit_pieces(p, p->pack->packed, at, length, at + length == g->packed_size, now.data, now.count, err);
		at += length;
	}
	ero_vec_free(&now);
	return rc;
}

static int pack_large(struct gathering *g, const struct ero_surveyed *f, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	uint64_t end = f->node->size - tail_length(p->pack, f), step = p->pack->options->extent_size;
	int rc = 0;

	for (uint64_t at = 0; !rc && at < end; at += step) {
		uint64_t length = end - at < step ? end - at : step;
		struct ero_pack_piece piece = { .node = f->node, .offset = at, .length = (uint32_t)length };

		rc = submit_pieces(p, f->node, at, length, at + length == end, &piece, 1, err);
	}
	return rc;
}

/* A file that was equal to one that changed since is not equal any more: it is stored by itself. */
static int pack_widowed(struct gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->count; i++) {
		struct ero_surveyed *f = &g->files[i];

		if (g->original[i] == i || !g->files[g->original[i]].node->changed)
			continue;
		f->node->apart = true;
		rc = p->pack->options->extent_size ? pack_large(g, f, err) : ero_pack_encoded_file(p, f->node, err);
	}
	return rc ? rc : ero_pack_queue_drain(&p->queue, err);
}

/* Files equal to another refer to what was stored for it. */
static void share_stored(struct gathering *g)
{
	struct ero_pack *pack = g->packer->pack;

	for (size_t i = 0; i < g->count; i++) {
		if (g->original[i] == i || g->files[i].node->apart)
			continue;
		g->files[i].node->stored = g->files[g->original[i]].node->stored;
		pack->duplicate_files++;
	}
}

static int pack_own(struct gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->ordered; i++) {
		const struct ero_surveyed *f = &g->files[g->order[i]];

		if (kind_of(p->pack, f) == OWN)
			rc = p->pack->options->extent_size ? pack_large(g, f, err) : ero_pack_encoded_file(p, f->node, err);
	}
	return rc ? rc : ero_pack_queue_drain(&p->queue, err);
}

static int pack_packed(struct gathering *g, struct ero_error *err)
{
	int rc = g->packed_size ? make_packed_inode(g, err) : 0;

	if (!rc && g->packed_size)
		rc = pack_gathered(g, err);
	return rc ? rc : ero_pack_queue_drain(&g->packer->queue, err);
}

static int pack_kinds(struct gathering *g, struct ero_error *err)
{
	struct ero_packer *p = g->packer;
	bool tails_known = p->pack->options->extent_size != 0;
	int rc = 0;

	/* first what lies in whole blocks, then what follows byte by byte */
	for (size_t i = 0; !rc && i < g->ordered; i++)
		if (kind_of(p->pack, &g->files[g->order[i]]) == FLAT)
			rc = ero_pack_flat_file(p, g->files[g->order[i]].node, err);
	if (!rc && tails_known)
		rc = gather_all(g, err);
	if (!rc)
		rc = pack_own(g, err);
	if (!rc && !tails_known)
		rc = gather_all(g, err);
	if (!rc)
		rc = pack_packed(g, err);
	if (!rc)
		rc = pack_widowed(g, err);
	if (!rc)
		rc = ero_place_padding(&p->placer, 1u << p->pack->block_bits, err);
	if (!rc)
		share_stored(g);
	return rc;
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
	if (!rc && packer->pack->options->hot_data)
		rc = heat(&g, err);
	if (!rc)
		rc = pack_kinds(&g, err);
	ero_vec_free(&g.packed);
	free(g.files);
	free(g.order);
	free(g.original);
	return rc;
}
