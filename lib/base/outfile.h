/* SPDX-License-Identifier: MIT */
/*
 * The output file: written beside its target under no name (or a temporary one), then synced and renamed, so that the
 * target is always the old file or the whole new one. Block devices and pipes cannot be replaced: a device is written
 * in place, a pipe gets the finished file copied into it.
 */
#ifndef ERO_BASE_OUTFILE_H
#define ERO_BASE_OUTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct ero_outfile;

/* Prepares to write `target`; "-" is standard output. `keep` bytes at the start of an existing target are kept, and all
 * offsets below count from behind them. */
int ero_outfile_open(const char *target, uint64_t keep, struct ero_outfile **out, struct ero_error *err);
/* Safe from several threads at once for ranges that do not overlap. */
int ero_outfile_write(struct ero_outfile *out, const void *data, size_t length, uint64_t offset,
		      struct ero_error *err);
/* For reading back what was written. */
int ero_outfile_descriptor(const struct ero_outfile *out);
/* Starts writing back what lies before `offset`, so that the sync at the end has little left to wait for. */
void ero_outfile_start_writeback(struct ero_outfile *out, uint64_t offset);
/* Gives the file its final size and its name. After success or failure only ero_outfile_close() may follow. */
int ero_outfile_commit(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err);
/* Frees the handle; without a commit nothing of the output remains (but on a device). NULL is fine. */
void ero_outfile_close(struct ero_outfile *out);

/* An unnamed file in the directory of `target` (for "-": the current one), for what must be spilled. Returns fd. */
int ero_outfile_spill(const char *target, struct ero_error *err);

#endif
