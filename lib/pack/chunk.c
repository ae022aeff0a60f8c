// SPDX-License-Identifier: MIT
/*
 * Chunked files: workers read and hash, the building thread looks each chunk up by its SHA-256 and writes what is new.
 * Holes, and chunks of zeros, take no space. Used by --chunksize, and for files with holes.
 */
#include "pack/job.h"
#include "pack/sparse.h"
#include "base/bytes.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 };
#define HOLE UINT64_MAX

struct known {
	uint8_t digest[32];
	uint64_t block;
	uint32_t length; /* 0: free slot */
};

struct ero_chunk_table {
	struct known *slots;
	size_t room, used;
	ERO_VEC(uint64_t) blocks; /* of the file being placed */
};

unsigned ero_pack_chunk_bits(const struct ero_pack *pack, const struct ero_node *node)
{
	const struct ero_sparse *sparse = ero_pack_sparse(pack, node);

	return sparse ? sparse->chunk_bits : ero_log2(pack->options->chunk_size);
}

/* ---- in a worker ---- */

static int hash_chunk(struct ero_pack_job *j, struct ero_pack_worker *w, EVP_MD_CTX *md, struct ero_pack_chunk *c)
{
	bool zero = true, keep = j->out;
	unsigned size = 0;

	if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		return ero_fail_memory(&j->err);
	for (uint32_t done = 0; done < c->length;) {
		uint32_t part = c->length - done < PIECE ? c->length - done : PIECE;
		uint8_t *to = keep ? j->out + c->in_out + done : w->in;
		bool hole;
		int rc = ero_pack_read(j->pack, &j->file, c->offset + done, to, part, &hole, &j->err);

		if (rc)
			return rc;
		zero = zero && ero_all_zero(to, part);
		EVP_DigestUpdate(md, to, part);
		done += part;
	}
	EVP_DigestFinal_ex(md, c->digest, &size);
	c->hole = zero;
	return 0;
}

static int hash_all(struct ero_pack_job *j, struct ero_pack_worker *w, EVP_MD_CTX *md)
{
	uint64_t chunk = 1ull << ero_pack_chunk_bits(j->pack, j->node);

	for (uint64_t at = 0; at < j->length; at += chunk) {
		struct ero_pack_chunk c = { .offset = j->offset + at, .in_out = (size_t)at };
		uint64_t start, end;
		int rc;

		c.length = (uint32_t)(j->length - at < chunk ? j->length - at : chunk);
		rc = j->pack->source->ops->next_data(&j->file, c.offset, &start, &end, &j->err);
		if (rc)
			return rc;
		if (start >= c.offset + c.length)
			c.hole = true;
		else
			rc = hash_chunk(j, w, md, &c);
		if (rc)
			return rc;
		if (!ero_vec_push(&j->chunks, c))
			return ero_fail_memory(&j->err);
	}
	return 0;
}

void ero_pack_run_chunks(struct ero_pack_job *j, struct ero_pack_worker *w)
{
	EVP_MD_CTX *md;

	if (j->hole)
		return;
	md = EVP_MD_CTX_new();
	j->out = j->length <= ERO_CHUNK_KEPT ? malloc(j->length) : NULL;
	if (!md || (j->length <= ERO_CHUNK_KEPT && !j->out) || !ero_pack_ensure(&w->in, &w->in_room, PIECE))
		j->rc = ero_fail_memory(&j->err);
	if (!j->rc)
		j->rc = j->pack->source->ops->open(j->pack->source, j->node, &j->file, &j->err);
	if (!j->rc) {
		j->rc = hash_all(j, w, md);
		j->pack->source->ops->close(&j->file);
	}
	EVP_MD_CTX_free(md);
}

/* ---- in the building thread ---- */

int ero_chunk_table_create(struct ero_chunk_table **table, struct ero_error *err)
{
	*table = calloc(1, sizeof(**table));
	return *table ? 0 : ero_fail_memory(err);
}

void ero_chunk_table_free(struct ero_chunk_table *table)
{
	if (!table)
		return;
	free(table->slots);
	ero_vec_free(&table->blocks);
	free(table);
}

static struct known *find(struct ero_chunk_table *t, const uint8_t *digest, uint32_t length)
{
	size_t at = (size_t)ero_get64(digest) & (t->room - 1);

	while (t->slots[at].length && (t->slots[at].length != length || memcmp(t->slots[at].digest, digest, 32)))
		at = (at + 1) & (t->room - 1);
	return &t->slots[at];
}

static int grow(struct ero_chunk_table *t, struct ero_error *err)
{
	struct known *old = t->slots;
	size_t room = t->room;

	if (t->used * 2 < room)
		return 0;
	t->slots = calloc(room ? room * 2 : 1024, sizeof(*t->slots));
	if (!t->slots) {
		t->slots = old;
		return ero_fail_memory(err);
	}
	t->room = room ? room * 2 : 1024;
	for (size_t i = 0; i < room; i++)
		if (old[i].length)
			*find(t, old[i].digest, old[i].length) = old[i];
	free(old);
	return 0;
}

/* Writes one new chunk, padded to whole blocks; large ones are read from the source once more. */
static int write_chunk(struct ero_pack_job *j, const struct ero_pack_chunk *c, uint64_t block, struct ero_error *err)
{
	struct ero_pack *pack = j->pack;
	struct ero_outfile *to = pack->blob ? pack->blob : pack->out;
	size_t space = (size_t)ero_round_up(c->length < PIECE ? c->length : PIECE, 1u << pack->block_bits);
	uint8_t *buffer = malloc(space);
	int rc = buffer ? 0 : ero_fail_memory(err);

	if (!rc && !j->out)
		rc = j->pack->source->ops->open(j->pack->source, j->node, &j->file, err);
	for (uint32_t done = 0; !rc && done < c->length; done += PIECE) {
		uint32_t part = c->length - done < PIECE ? c->length - done : PIECE;
		size_t padded = (size_t)ero_round_up(part, 1u << pack->block_bits);

		memset(buffer, 0, padded);
		if (j->out)
			memcpy(buffer, j->out + c->in_out + done, part);
		else
			rc = ero_pack_read(pack, &j->file, c->offset + done, buffer, part, &(bool){ false }, err);
		if (!rc)
			rc = ero_outfile_write(to, buffer, padded, (block << pack->block_bits) + done, err);
	}
	if (!j->out && j->file.fd >= 0)
		j->pack->source->ops->close(&j->file);
	free(buffer);
	return rc;
}

static int place_chunk(struct ero_chunk_table *t, struct ero_pack_job *j, const struct ero_pack_chunk *c,
		       uint64_t *block, struct ero_error *err)
{
	struct ero_pack *pack = j->pack;
	uint64_t *next = pack->blob ? &pack->blob_end : &pack->end;
	struct known *k;
	int rc;

	*block = HOLE;
	if (c->hole)
		return 0;
	if (!j->out) { /* read again to be written: what was hashed may be gone, so that nothing may refer to it by hash */
		*block = *next >> pack->block_bits;
		*next += ero_round_up(c->length, 1u << pack->block_bits);
		pack->stored_bytes += c->length;
		return write_chunk(j, c, *block, err);
	}
	rc = grow(t, err);
	if (rc)
		return rc;
	k = find(t, c->digest, c->length);
	if (!k->length) {
		memcpy(k->digest, c->digest, 32);
		k->length = c->length;
		k->block = *next >> pack->block_bits;
		t->used++;
		rc = write_chunk(j, c, k->block, err);
		*next += ero_round_up(c->length, 1u << pack->block_bits);
		pack->stored_bytes += c->length;
	}
	*block = k->block;
	return rc;
}

/* Neighbours that lie behind each other (or are holes) become one chunk of twice the size, as long as all do. */
static void merge(struct ero_chunk_table *t, struct ero_pack *pack, struct ero_node *node)
{
	unsigned *bits = &(unsigned){ node->stored.chunk_bits };

	while (t->blocks.count > 1 && *bits - pack->block_bits < ERO_CHUNK_BITS_MASK) {
		uint64_t step = 1ull << (*bits - pack->block_bits);
		size_t n = t->blocks.count;

		for (size_t i = 0; i + 1 < n; i += 2) {
			uint64_t a = t->blocks.data[i], b = t->blocks.data[i + 1];

			if (a == HOLE ? b != HOLE : b != a + step)
				goto done;
		}
		for (size_t i = 0; i < n; i += 2)
			t->blocks.data[i / 2] = t->blocks.data[i];
		t->blocks.count = (n + 1) / 2;
		++*bits;
	}
done:
	node->stored.chunk_bits = (uint8_t)*bits;
}

int ero_pack_place_chunks(struct ero_chunk_table *t, struct ero_pack_job *j, struct ero_error *err)
{
	struct ero_stored *stored = &j->node->stored;
	int rc = 0;

	if (j->first)
		t->blocks.count = 0;
	for (uint64_t left = ero_div_up(j->hole, 1ull << ero_pack_chunk_bits(j->pack, j->node)); !rc && left; left--)
		if (!ero_vec_push(&t->blocks, HOLE))
			rc = ero_fail_memory(err);
	for (size_t i = 0; !rc && i < j->chunks.count; i++) {
		uint64_t block = HOLE;

		rc = place_chunk(t, j, &j->chunks.data[i], &block, err);
		if (!rc && !ero_vec_push(&t->blocks, block))
			rc = ero_fail_memory(err);
	}
	if (rc || !j->last)
		return rc;
	stored->layout = ERO_LAYOUT_CHUNK;
	stored->chunk_bits = (uint8_t)ero_pack_chunk_bits(j->pack, j->node);
	merge(t, j->pack, j->node);
	stored->map_count = (uint32_t)t->blocks.count;
	j->pack->chunked = true;
	j->pack->chunked_files++;
	return ero_spool_append(j->pack->spool, t->blocks.data, t->blocks.count * sizeof(uint64_t), &stored->map, err);
}
