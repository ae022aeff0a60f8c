/* SPDX-License-Identifier: MIT */
/* A look at files before they are packed: which are equal, which are alike, which cannot be compressed. */
#ifndef ERO_PACK_SURVEY_H
#define ERO_PACK_SURVEY_H

#include "pack/cdc.h"
#include "pack/job.h"

/* Two files that have one of these in common are alike with high probability. */
#define ERO_SURVEY_FEATURES 8

struct ero_surveyed {
	struct ero_node *node;
	uint64_t hash[2];                        /* XXH3 of the content; not proof against those who want to deceive */
	uint64_t line;                           /* set by the caller: where its stream begins on the line, see dedupe.h */
	struct ero_cdc_chunk *chunks;            /* with -Ededupe, of files that are long enough: malloc'ed */
	uint32_t *features;                      /* ERO_SURVEY_FEATURES; NULL: too small or too large to have any. Malloc'ed; freed when
	                                          * the order is found */
	uint32_t chunk_count;
	bool twin;                               /* set by the caller: another file has the same size */
	bool hashed;
	bool random;                             /* looks as if no encoder could shorten it */
};

/* Reads files, in threads: small ones and those with a twin whole, of others a sample; with -Ededupe all whole. */
int ero_survey(struct ero_pack *pack, struct ero_surveyed *files, size_t count, struct ero_error *err);

/* order.c: the order in which files are stored, best neighbours together: the indexes of `files` (in the order of the
 * tree) go to `order`, which has room for all, and *ordered becomes their number. Files equal to one before are left out
 * and named in `original` (index of the first one; else their own). */
int ero_survey_order(struct ero_pack *pack, struct ero_surveyed *files, size_t count, uint32_t *order,
		     size_t *ordered, uint32_t *original, struct ero_error *err);

#endif
