/* SPDX-License-Identifier: MIT */
/*
 * The output file: written beside its target under no name (or a temporary one), then synced and renamed, so that the
 * target is always the old file or the whole new one. What cannot be replaced is written in place: block devices, descriptors, files in
 * directories that take no other; or gets the finished file copied into it: pipes, mount points.
 */
#ifndef ERO_BASE_OUTFILE_H
#define ERO_BASE_OUTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct ero_outfile;

/* Who is told of names that temporary files have, so that a signal handler can remove them: `path` is the output's, NULL when it has
 * none any more. Called with signals blocked in the calling thread. */
struct ero_outfile_watch {
	void (*named)(void *context, const void *output, const char *path);
	void *context;
};

/* Prepares to write `target`; "-" is standard output. `watch` may be NULL, else it stays the caller's. `keep` bytes at the start of an existing target are kept, and all
 * offsets below count from behind them. */
int ero_outfile_open(const char *target, uint64_t keep, const struct ero_outfile_watch *watch, struct ero_outfile **out,
		     struct ero_error *err);
/* Safe from several threads at once for ranges that do not overlap. */
int ero_outfile_write(struct ero_outfile *out, const void *data, size_t length, uint64_t offset,
		      struct ero_error *err);
/* For reading back what was written. */
int ero_outfile_descriptor(const struct ero_outfile *out);
/* Starts writing back what lies before `offset`, so that the sync at the end has little left to wait for. */
void ero_outfile_start_writeback(struct ero_outfile *out, uint64_t offset);
/* Gives the file its final size, and where `sync` says so makes sure that it lies on stable storage. */
int ero_outfile_prepare(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err);
/* Gives what was prepared its name. After success or failure only ero_outfile_close() may follow. */
int ero_outfile_publish(struct ero_outfile *out, uint64_t size, bool sync, struct ero_error *err);
/* The same for two files that belong together: both get their names, or none, also when this process is killed meanwhile. Where one of
 * them cannot be replaced, the first is published before the second. */
int ero_outfile_publish_pair(struct ero_outfile *first, uint64_t first_size, struct ero_outfile *second, uint64_t second_size,
			     bool sync, struct ero_error *err);
/* Frees the handle; what was not published leaves nothing behind (but on a device, and of a file that was written in place, which is
 * then empty). NULL is fine. */
void ero_outfile_close(struct ero_outfile *out);

#endif
