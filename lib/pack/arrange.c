// SPDX-License-Identifier: MIT
/* Orders of files that were asked for, instead of the one by likeness: --order-from, by path, --hot-data. */
#include "pack/gathering.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* An order that was asked for, instead of the one by likeness. */
static void arrange(struct ero_gathering *g, struct ero_node *const *nodes)
{
	const struct ero_tree *tree = g->packer->pack->tree;
	size_t n = 0;

	for (size_t i = 0; i < tree->node_count; i++) {
		struct ero_node *node = nodes[i];
		const struct ero_surveyed *f = S_ISREG(node->mode) && node->size ? ero_gathering_file(g, node) : NULL;

		if (f && g->original[f - g->files] == f - g->files)
			g->order[n++] = (uint32_t)(f - g->files);
	}
}

/* --hot-data: what is used first comes first, in that order; the original of a hot file is as hot. */
static int heat(struct ero_gathering *g, struct ero_error *err)
{
	size_t hot = g->packer->pack->tree->node_count + 1, n = 0;
	ERO_AUTO_FREE uint32_t *rank = calloc(g->count + 1, sizeof(*rank)), *at = calloc(hot, sizeof(*at));
	ERO_AUTO_FREE uint32_t *cold = calloc(g->ordered + 1, sizeof(*cold));
	size_t colds = 0;

	if (!rank || !at || !cold)
		return ero_fail_memory(err);
	for (size_t i = 0; i < g->count; i++) {
		uint32_t own = ero_tree_heat(g->packer->pack->tree, g->files[i].node), *r = &rank[g->original[i]];

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

int ero_gathering_arrange(struct ero_gathering *g, struct ero_error *err)
{
	const struct ero_pack *pack = g->packer->pack;

	if (pack->tree->by_data)
		arrange(g, pack->tree->by_data);
	return pack->options->hot_data ? heat(g, err) : 0;
}
