/* SPDX-License-Identifier: MIT */
/* Directory blocks: how entries are cut into blocks, written, and read back with every bound checked. */
#ifndef ERO_FORMAT_DIRENT_H
#define ERO_FORMAT_DIRENT_H

#include <stddef.h>
#include "base/error.h"
#include "format/ondisk.h"

struct ero_dirent {
	uint64_t nid;
	uint8_t type;
	uint16_t name_length;
	const char *name; /* not terminated */
};

/* What ero_dirblock_entry() may find wrong; the names are the checker's. */
enum ero_dirent_flaw {
	ERO_DIRENT_GOOD = 0,
	ERO_DIRENT_BAD_OFFSET,       /* a name lies outside the block or overlaps the entries */
	ERO_DIRENT_BAD_LENGTH,       /* empty or over 255 bytes */
};

/* Number of entries in a block of `length` bytes; 0 when the first name offset makes no sense. */
unsigned ero_dirblock_count(const uint8_t *block, size_t length);
/* Entry `index` < count. The name points into the block. */
enum ero_dirent_flaw ero_dirblock_entry(const uint8_t *block, size_t length, unsigned count, unsigned index,
					struct ero_dirent *entry);
/* Writes `count` entries; the bytes they take are sum of 12 + name length. */
void ero_dirblock_encode(const struct ero_dirent *entries, unsigned count, uint8_t *block);

/* Bytewise order of names, shorter first when one begins the other. */
int ero_name_compare(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
