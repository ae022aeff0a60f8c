// SPDX-License-Identifier: MIT
/* Files and the packed inode on the line that dedupe.h tells of, and what their being there means for random files. */
#include "pack/gathering.h"

int ero_gathering_line_up_own(struct ero_gathering *g, struct ero_error *err)
{
	uint64_t extent = g->packer->pack->options->extent_size;
	bool good = true;

	/* the larger extents are, the more an encoder loses by a cut: measured, see tests/bench/RESULTS.md */
	g->dedupe.least = extent / 8 > ERO_COPY_LEAST ? extent / 8 : ERO_COPY_LEAST;
	g->dedupe.window = extent;

	for (size_t i = 0; good && i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (!ero_gathering_has_stream(g, f))
			continue;
		f->line = ero_dedupe_stream(&g->dedupe, f->node);
		good = f->line != UINT64_MAX && ero_dedupe_add(&g->dedupe, f, 0, ero_gathering_own_length(g, f));
	}
	return good ? 0 : ero_fail_memory(err);
}

int ero_gathering_line_up_packed(struct ero_gathering *g, struct ero_error *err)
{
	bool good = true;

	if (!g->packed_size)
		return 0;
	g->packed_line = ero_dedupe_stream(&g->dedupe, g->packer->pack->packed);
	good = g->packed_line != UINT64_MAX;
	for (size_t i = 0; good && i < ero_gathering_packed_count(g); i++) {
		struct ero_pack_range r = ero_gathering_packed(g, i);

		good = ero_dedupe_add(&g->dedupe, ero_gathering_file(g, r.node), r.offset, r.offset + r.length);
	}
	return good ? 0 : ero_fail_memory(err);
}

/* Random files that share something with others get extents, which can; the rest stays plain, and shares nothing later either. */
void ero_gathering_settle_random(struct ero_gathering *g)
{
	for (size_t i = 0; i < g->ordered; i++) {
		struct ero_surveyed *f = &g->files[g->order[i]];

		if (!f->node->random || !ero_gathering_has_stream(g, f))
			continue;
		f->node->random = !ero_dedupe_touches(&g->dedupe, f->line, f->line + ero_gathering_own_length(g, f));
		if (f->node->random)
			ero_dedupe_forget(&g->dedupe, f->line, f->line + ero_gathering_own_length(g, f));
	}
}
