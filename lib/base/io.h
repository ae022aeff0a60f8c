/* SPDX-License-Identifier: MIT */
/* Positioned reads and writes that finish: partial transfers and interruptions are handled here, once. */
#ifndef ERO_BASE_IO_H
#define ERO_BASE_IO_H

#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

/* Reads until `length` bytes or the end of the file; returns the bytes read or -errno. */
ssize_t ero_pread_some(int fd, void *buffer, size_t length, uint64_t offset);
/* Reads exactly `length` bytes; the end of the file before that is -EIO with a sentence that names `what`. */
int ero_pread_full(int fd, void *buffer, size_t length, uint64_t offset, const char *what, struct ero_error *err);
/* Has the kernel read exactly `length` bytes and looks at none: a failing disk is noticed, nothing is copied. `null` is /dev/null, open
 * for writing. Where a file cannot be sent there, it is read as by ero_pread_full(), whose errors these are. */
int ero_pread_nowhere(int fd, int null, uint64_t length, uint64_t offset, const char *what, struct ero_error *err);
int ero_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset, const char *what,
		    struct ero_error *err);
/* Writes to a pipe, terminal or file at its own position. */
int ero_write_full(int fd, const void *buffer, size_t length, const char *what, struct ero_error *err);

#endif
