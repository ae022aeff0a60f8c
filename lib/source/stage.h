/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way from a file through decoders, each a stage that reads from the one below. Decoders verify what their
 * container holds to verify: checksums, lengths, that it ends where it should, and that nothing else follows.
 */
#ifndef ERO_SOURCE_STAGE_H
#define ERO_SOURCE_STAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

enum { ERO_STAGE_AHEAD = 32 };

struct ero_stage {
	struct ero_stage *below;   /* NULL: a file */
	const char *shown;         /* name of the file, for messages */
	/* Reads at least one byte, 0 at the end, a negative errno after an error. */
	ssize_t (*read)(struct ero_stage *stage, void *to, size_t room, struct ero_error *err);
	void (*free)(struct ero_stage *stage);
	uint8_t ahead[ERO_STAGE_AHEAD]; /* bytes that were looked at before their turn */
	size_t ahead_at, ahead_end;
};

/* Reads the next bytes; those that were peeked at come first. */
ssize_t ero_stage_read(struct ero_stage *stage, void *to, size_t room, struct ero_error *err);
/* Looks at up to ERO_STAGE_AHEAD bytes that come next. Returns how many there are, or a negative errno. */
ssize_t ero_stage_peek(struct ero_stage *stage, const uint8_t **bytes, struct ero_error *err);
/* The descriptor of a stage that is a file; -1 of a decoder. */
int ero_stage_descriptor(const struct ero_stage *stage);
/* Frees a stage and all below it. NULL is fine. */
void ero_stage_free(struct ero_stage *stage);

/* Each makes a stage that takes over `below`, also when it fails. */
int ero_stage_file(const char *path, const char *shown, struct ero_stage **stage, struct ero_error *err);
/* A file that is open, from its beginning; it is closed with the stage. */
int ero_stage_descriptor_file(int fd, const char *shown, struct ero_stage **stage, struct ero_error *err);
int ero_stage_gunzip(struct ero_stage *below, struct ero_stage **stage, struct ero_error *err);
int ero_stage_lz4(struct ero_stage *below, struct ero_stage **stage, struct ero_error *err);
/* Anything else that libarchive decodes without starting a program; `filter` is one of its ARCHIVE_FILTER_ numbers. */
int ero_stage_unpack(struct ero_stage *below, int filter, struct ero_stage **stage, struct ero_error *err);

#endif
