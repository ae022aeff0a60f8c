/* SPDX-License-Identifier: MIT */
/* Temporary files: without a name where the system can do it; else under one that the next build of the same target finds and removes. */
#ifndef ERO_BASE_TEMPFILE_H
#define ERO_BASE_TEMPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

enum { ERO_TEMPFILE_NAME = 64 };

/* A file in `dir` for a target named `base` in it; it will be given a name later if it has none now. `name` becomes its name, "" for
 * none. Returns a descriptor to read and write, or -1 and errno. */
int ero_tempfile_create(int dir, const char *base, char name[ERO_TEMPFILE_NAME]);
/* Gives a file without a name one in `dir`. 0, or -1 and errno. */
int ero_tempfile_name(int dir, const char *base, int fd, char name[ERO_TEMPFILE_NAME]);
/* A file that never gets a name, for what must be put aside: beside `target` (for "-" in the current directory); where that cannot be,
 * in $TMPDIR, /var/tmp or /tmp; at last in memory. Returns a descriptor, or a negative errno. */
int ero_tempfile_spill(const char *target, struct ero_error *err);

/* The directory of a path, open, and its last component (malloc'ed). Returns a descriptor, or a negative errno. */
int ero_tempfile_parent(const char *path, char **base, struct ero_error *err);

#endif
