/* SPDX-License-Identifier: MIT */
/* What the parts of gathering share: gather.c says which file goes where, arrange.c in which order, line.c finds what is there
 * twice, apart.c stores by itself what cannot share after all. */
#ifndef ERO_PACK_GATHERING_H
#define ERO_PACK_GATHERING_H

#include "pack/dedupe.h"

enum ero_gathering_kind { ERO_GATHER_PACKED, ERO_GATHER_OWN, ERO_GATHER_FLAT };

struct ero_gathering {
	struct ero_packer *packer;
	struct ero_surveyed *files;        /* all regular files with content, in the order of the tree */
	size_t count;
	uint32_t *order, *original;        /* see survey.h */
	size_t ordered;
	ERO_VEC(struct ero_pack_range) tails; /* what the packed inode holds, in order: first these, */
	ERO_VEC(uint32_t) whole;           /* then whole files */
	uint64_t packed_size, packed_line; /* bytes; where it begins on the line */
	struct ero_dedupe dedupe;
};

/* gather.c */
enum ero_gathering_kind ero_gathering_kind(const struct ero_pack *pack, const struct ero_surveyed *f);
/* The survey of a regular file with content; NULL of one that is not gathered, since it has holes. */
struct ero_surveyed *ero_gathering_file(const struct ero_gathering *g, const struct ero_node *node);
/* Bytes of a file of its own that are not left to the packed inode. */
uint64_t ero_gathering_own_length(const struct ero_gathering *g, const struct ero_surveyed *f);
/* Does it lie on the line by itself? Files that nothing can shorten do: a copy of one is still a copy. */
bool ero_gathering_has_stream(const struct ero_gathering *g, const struct ero_surveyed *f);
/* What the packed inode holds, one range after the other. */
static inline size_t ero_gathering_packed_count(const struct ero_gathering *g)
{
	return g->tails.count + g->whole.count;
}
struct ero_pack_range ero_gathering_packed(const void *gathering, size_t index);
/* A whole file of its own; `dedupe`: what it may share, or NULL. */
int ero_gathering_pack_own(struct ero_gathering *g, const struct ero_surveyed *f, const struct ero_dedupe *dedupe, struct ero_error *err);

/* arrange.c: changes g->order as the options ask. */
int ero_gathering_arrange(struct ero_gathering *g, struct ero_error *err);

/* line.c */
int ero_gathering_line_up_own(struct ero_gathering *g, struct ero_error *err);
int ero_gathering_line_up_packed(struct ero_gathering *g, struct ero_error *err);
void ero_gathering_settle_random(struct ero_gathering *g);

/* apart.c: both mark files; the third stores what is marked. */
int ero_gathering_wrong_copies(struct ero_gathering *g, struct ero_error *err);
void ero_gathering_wrong_twins(struct ero_gathering *g);
int ero_gathering_pack_apart(struct ero_gathering *g, struct ero_error *err);

#endif
