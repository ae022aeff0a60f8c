/* SPDX-License-Identifier: MIT */
/*
 * A spool: bytes appended once and read back later, in memory at first, in an unnamed file beside the target when
 * they grow past a limit. For archive content, inline tails and extent records, whose sum no one can bound.
 * Appending is for one thread; reading is safe from many, but not while one appends.
 */
#ifndef ERO_BASE_SPOOL_H
#define ERO_BASE_SPOOL_H

#include <stdint.h>
#include "base/error.h"

struct ero_spool;

/* `beside` names the target whose directory takes the file (copied); `memory` bytes are held before that. */
int ero_spool_create(const char *beside, size_t memory, struct ero_spool **spool, struct ero_error *err);
/* Appends and returns the offset at which the bytes begin. */
int ero_spool_append(struct ero_spool *spool, const void *data, size_t length, uint64_t *offset,
		     struct ero_error *err);
int ero_spool_read(struct ero_spool *spool, void *data, size_t length, uint64_t offset, struct ero_error *err);
void ero_spool_free(struct ero_spool *spool);

/* For one thread that reads small pieces of what is in the file part, roughly in order: windows of it in memory. The
 * spool must not grow meanwhile. */
struct ero_spool_reader;
int ero_spool_reader_create(struct ero_spool *spool, struct ero_spool_reader **reader, struct ero_error *err);
int ero_spool_reader_read(struct ero_spool_reader *reader, void *data, size_t length, uint64_t offset,
			  struct ero_error *err);
void ero_spool_reader_free(struct ero_spool_reader *reader);

#endif
