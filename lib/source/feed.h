/* SPDX-License-Identifier: MIT */
/* What libarchive gets to read: the bytes of an archive, decoded and verified, of which the last megabytes can be looked at again. */
#ifndef ERO_SOURCE_FEED_H
#define ERO_SOURCE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

struct ero_feed;

/* `path` NULL: standard input. `shown` is its name in messages and must live as long as the feed. A zip, whose directory lies at its end,
 * is put aside beside `target` if it is no plain file. */
int ero_feed_open(const char *path, const char *shown, const char *target, struct ero_feed **feed, struct ero_error *err);
void ero_feed_free(struct ero_feed *feed);
/* The next bytes, valid until the next call; 0 at the end, a negative errno after an error. */
ssize_t ero_feed_read(struct ero_feed *feed, const void **bytes, struct ero_error *err);
/* Can it be moved to any byte? Only what is a plain file can. */
bool ero_feed_seekable(const struct ero_feed *feed);
/* Moves it as lseek(2) would; the new position, or a negative errno. */
int64_t ero_feed_seek(struct ero_feed *feed, int64_t offset, int whence, struct ero_error *err);
/* How many bytes were read. */
uint64_t ero_feed_position(const struct ero_feed *feed);
/* Copies what has lain at `offset`; false if it did not pass by, or too long ago. */
bool ero_feed_recall(const struct ero_feed *feed, uint64_t offset, void *to, size_t length);
/* Reads all that is left, so that checksums at the end are seen and who writes to a pipe is not cut off. *zeros: there was nothing
 * else. */
int ero_feed_drain(struct ero_feed *feed, bool *zeros, struct ero_error *err);

#endif
