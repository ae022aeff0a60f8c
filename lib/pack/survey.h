/* SPDX-License-Identifier: MIT */
/* A look at files before they are packed: which are equal, which are alike, which cannot be compressed. */
#ifndef ERO_PACK_SURVEY_H
#define ERO_PACK_SURVEY_H

#include "pack/cdc.h"
#include "pack/job.h"

/* Two files that have one of these in common are alike with high probability. */
#define ERO_SURVEY_FEATURES 8

/* What only some files have. */
struct ero_survey_detail {
	bool sketched;
	uint32_t features[ERO_SURVEY_FEATURES];  /* if it is neither too small nor too large to have any */
	uint32_t chunk_count;
	struct ero_cdc_chunk chunks[];           /* with -Ededupe, of files that are long enough */
};

/* There are as many as files. */
struct ero_surveyed {
	struct ero_node *node;
	struct ero_survey_detail *detail;        /* malloc'ed, or NULL; without chunks only until the order is found */
	union {
		uint64_t hash;                       /* XXH3 of the content, until the order is found; not proof against those who
		                                      * want to deceive */
		uint64_t line;                       /* set by the caller: where its stream begins on the line, see dedupe.h */
	};
};

/* Reads files, in threads: small ones and those with a twin (the caller has noted that) whole, of others a sample; with -Ededupe
 * all whole. */
int ero_survey(struct ero_pack *pack, struct ero_surveyed *files, size_t count, struct ero_error *err);

/* order.c: the order in which files are stored, best neighbours together: the indexes of `files` (in the order of the
 * tree) go to `order`, which has room for all, and *ordered becomes their number. Files equal to one before are left out
 * and named in `original` (index of the first one; else their own). */
int ero_survey_order(struct ero_pack *pack, struct ero_surveyed *files, size_t count, uint32_t *order,
		     size_t *ordered, uint32_t *original, struct ero_error *err);

#endif
