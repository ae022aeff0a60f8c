// SPDX-License-Identifier: MIT
/*
 * Three thoughts, each moving fewer files than the one before: the order of the tree puts like beside like already;
 * files of one name in many directories (Makefile, __init__.py) are of one kind; and what is alike by content joins the
 * first of its kind, wherever that is.
 */
#include "pack/survey.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { COMMON_NAME = 32, COMPARE_PIECE = 64 << 10, OWNER_BITS = 20, NAME_BITS = 20 };

/* ---- equal files ---- */

static int same_content(struct ero_pack *pack, const struct ero_node *a, const struct ero_node *b, bool *same,
			struct ero_error *err)
{
	const struct ero_source_ops *ops = pack->source->ops;
	ERO_AUTO_FREE uint8_t *buffer = malloc(2 * COMPARE_PIECE);
	struct ero_source_file x, y;
	int rc = buffer ? ops->open(pack->source, a, &x, err) : ero_fail_memory(err);

	*same = true;
	if (rc)
		return rc;
	rc = ops->open(pack->source, b, &y, err);
	if (rc) {
		ops->close(&x);
		return rc;
	}
	for (uint64_t at = 0; !rc && *same && at < a->size; at += COMPARE_PIECE) {
		size_t part = a->size - at < COMPARE_PIECE ? (size_t)(a->size - at) : COMPARE_PIECE;

		rc = ops->read(&x, at, buffer, part, err);
		if (!rc)
			rc = ops->read(&y, at, buffer + COMPARE_PIECE, part, err);
		*same = !rc && !memcmp(buffer, buffer + COMPARE_PIECE, part);
	}
	ops->close(&x);
	ops->close(&y);
	*same = *same && !x.changed && !y.changed;
	return rc;
}

static int compare_hashes(const void *a, const void *b, void *context)
{
	const struct ero_surveyed *files = context;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct ero_surveyed *x = &files[i], *y = &files[k];

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->node->size != y->node->size)
		return x->node->size < y->node->size ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* Who has the hash and the size of a file before it is named after that one, and then compared with it. */
static int find_equal(struct ero_pack *pack, struct ero_surveyed *files, size_t count, uint32_t *original, struct ero_error *err)
{
	ERO_AUTO_FREE uint32_t *list = malloc((count + 1) * sizeof(*list));
	size_t twins = 0;
	int rc = list ? 0 : ero_fail_memory(err);

	for (size_t i = 0; i < count; i++) {
		original[i] = (uint32_t)i;
		if (list && files[i].node->hashed && files[i].node->twin && !pack->options->keep_equal)
			list[twins++] = (uint32_t)i;
	}
	if (twins)
		qsort_r(list, twins, sizeof(*list), compare_hashes, files);
	for (size_t t = 1; t < twins; t++)
		if (files[list[t]].hash == files[list[t - 1]].hash && files[list[t]].node->size == files[list[t - 1]].node->size)
			original[list[t]] = original[list[t - 1]];
	for (size_t i = 0; !rc && i < count; i++) {
		bool same;

		files[i].line = 0; /* instead of the hash */
		if (original[i] == i)
			continue;
		rc = same_content(pack, files[original[i]].node, files[i].node, &same, err);
		if (!rc && !same)
			original[i] = (uint32_t)i;
	}
	return rc;
}

/* ---- groups ---- */

/* Chains of files: `next` leads from one to the next, `last` is known at the first. 0: none, else index + 1. */
struct groups {
	uint32_t *head, *next, *last;
};

static void join(struct groups *g, uint32_t leader, uint32_t follower)
{
	leader = g->head[leader];
	g->next[g->last[leader]] = follower + 1;
	g->last[leader] = follower;
	g->head[follower] = leader;
}

/* Who had a super-feature last. What shares a slot is forgotten: the table does not grow with the number of files. */
struct owner {
	uint32_t feature, file; /* the file's index + 1; 0: none */
};

static int group_alike(const struct ero_surveyed *files, const uint32_t *sequence, size_t count, struct groups *g,
		       struct ero_error *err)
{
	ERO_AUTO_FREE struct owner *owners = calloc((size_t)1 << OWNER_BITS, sizeof(*owners));

	if (!owners)
		return ero_fail_memory(err);
	for (size_t s = 0; s < count; s++) {
		uint32_t i = sequence[s], like = i;

		for (unsigned k = 0; files[i].detail && files[i].detail->sketched && k < ERO_SURVEY_FEATURES; k++) {
			uint32_t feature = files[i].detail->features[k];
			struct owner *o = &owners[(feature + k * 0x9e3779b1u) >> (32 - OWNER_BITS)];

			if (o->file && o->feature == feature && like == i)
				like = o->file - 1;
			*o = (struct owner){ feature, i + 1 };
		}
		if (like != i && g->head[like] != g->head[i])
			join(g, like, i);
	}
	return 0;
}

/* ---- order ---- */

/* Files with a common name first, name by name in the order in which names appear; then all others. Names that share a slot
 * count as one. */
static int by_name(const struct ero_surveyed *files, const uint32_t *original, size_t count, uint32_t *sequence,
		   size_t *length, struct ero_error *err)
{
	size_t slots = (size_t)1 << NAME_BITS, n = 0;
	ERO_AUTO_FREE uint32_t *slot = calloc(count + 1, sizeof(*slot)), *users = calloc(slots, sizeof(*users));
	ERO_AUTO_FREE uint32_t *at = calloc(slots, sizeof(*at)); /* + 1: 0 is none yet */

	if (!slot || !users || !at)
		return ero_fail_memory(err);
	for (size_t i = 0; i < count; i++) {
		const char *name = files[i].node->name;

		slot[i] = (uint32_t)(XXH3_64bits(name, strlen(name)) >> (64 - NAME_BITS));
		users[slot[i]] += original[i] == i;
	}
	for (size_t i = 0; i < count; i++) {
		if (users[slot[i]] < COMMON_NAME || at[slot[i]])
			continue;
		at[slot[i]] = (uint32_t)n + 1;
		n += users[slot[i]];
	}
	for (size_t i = 0; i < count; i++) {
		if (original[i] != i)
			continue;
		if (at[slot[i]])
			sequence[at[slot[i]]++ - 1] = (uint32_t)i;
		else
			sequence[n++] = (uint32_t)i;
	}
	*length = n;
	return 0;
}

int ero_survey_order(struct ero_pack *pack, struct ero_surveyed *files, size_t count, uint32_t *order,
		     size_t *ordered, uint32_t *original, struct ero_error *err)
{
	ERO_AUTO_FREE uint32_t *sequence = calloc(count + 1, sizeof(*sequence));
	ERO_AUTO_FREE uint32_t *chains = calloc(3 * count + 1, sizeof(*chains));
	struct groups g = { chains, chains + count, chains + 2 * count };
	size_t length = 0;
	int rc = sequence && chains ? find_equal(pack, files, count, original, err) : ero_fail_memory(err);

	*ordered = 0;
	for (uint32_t i = 0; !rc && !ero_pack_gathers(pack->options) && i < count; i++)
		if (original[i] == i)
			order[(*ordered)++] = i;
	if (rc || !ero_pack_gathers(pack->options))
		return rc; /* each has its own blocks: neighbours do not matter */
	if (!rc)
		rc = by_name(files, original, count, sequence, &length, err);
	for (uint32_t i = 0; !rc && i < count; i++)
		g.head[i] = g.last[i] = i;
	if (!rc)
		rc = group_alike(files, sequence, length, &g, err);
	for (size_t i = 0; i < count; i++) {
		if (!files[i].detail || files[i].detail->chunk_count)
			continue;
		free(files[i].detail);
		files[i].detail = NULL;
	}
	for (size_t s = 0; !rc && s < length; s++) {
		if (g.head[sequence[s]] != sequence[s])
			continue;
		for (uint32_t i = sequence[s] + 1; i; i = g.next[i - 1])
			order[(*ordered)++] = i - 1;
	}
	return rc;
}
