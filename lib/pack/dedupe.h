/* SPDX-License-Identifier: MIT */
/*
 * Content that is there twice. All streams (files that are stored by themselves, and the packed inode) lie end to end on a
 * line, in the order of storage; a copy is a range of the line that is equal to an earlier one. What an earlier range is
 * cut at, so that a copy can refer to whole extents of it, is a cut.
 */
#ifndef ERO_PACK_DEDUPE_H
#define ERO_PACK_DEDUPE_H

#include "base/keys.h"
#include "pack/survey.h"

/* Shorter ranges are stored again in any case: beginning and ending an extent for them costs about what they do. */
#define ERO_COPY_LEAST (32u << 10)

struct ero_copy {
	uint64_t at, source, length; /* bytes on the line; source + length <= at */
};

/* A stretch of the line: a chunk, or bytes that are compared with nothing. */
struct ero_line_entry {
	uint64_t digest[3]; /* all 0: compared with nothing */
	uint64_t at;
	uint32_t stream;
	uint32_t content;   /* number of the digest */
};

struct ero_line_stream {
	uint64_t at;
	struct ero_node *node;
};

struct ero_dedupe {
	uint64_t least;                  /* bytes: shorter copies are not worth what they cost; set by the caller */
	uint64_t window;                 /* bytes: neither are those of what lies less far back, where an encoder sees both */
	ERO_VEC(struct ero_line_entry) entries;
	ERO_VEC(struct ero_line_stream) streams;
	ERO_VEC(struct ero_copy) copies; /* in the order of the line */
	ERO_VEC(uint64_t) cuts;          /* ascending, each once */
	uint64_t end;                    /* of the line */

	struct ero_keys contents;
	ERO_VEC(uint32_t) first, latest; /* entries, by number of content */
	size_t searched;                 /* entries */
};

void ero_dedupe_free(struct ero_dedupe *d);
/* What is added from here on is the content of `node`. Returns its beginning on the line; UINT64_MAX when memory ends. */
uint64_t ero_dedupe_stream(struct ero_dedupe *d, struct ero_node *node);
/* Adds the range [from, to) of a file to the stream. False when memory ends. */
bool ero_dedupe_add(struct ero_dedupe *d, const struct ero_surveyed *file, uint64_t from, uint64_t to);
/* Finds the copies in what was added since the last search. */
int ero_dedupe_find(struct ero_dedupe *d, struct ero_error *err);

/* Of a stream that turned out to be stored in another way nothing is a copy, and it is none of anything. */
void ero_dedupe_forget(struct ero_dedupe *d, uint64_t from, uint64_t to);

/* The first copy that ends behind `at`, or NULL; the first cut behind `at`, or UINT64_MAX. */
const struct ero_copy *ero_dedupe_copy(const struct ero_dedupe *d, uint64_t at);
uint64_t ero_dedupe_cut(const struct ero_dedupe *d, uint64_t at);
/* The stream that holds a position. */
const struct ero_line_stream *ero_dedupe_stream_at(const struct ero_dedupe *d, uint64_t at);
/* True if the range has a copy of something, or something is a copy of it. For all ranges of one search only. */
bool ero_dedupe_touches(const struct ero_dedupe *d, uint64_t from, uint64_t to);

#endif
