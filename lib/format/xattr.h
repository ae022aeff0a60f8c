/* SPDX-License-Identifier: MIT */
/* Extended attributes as bytes: entries, name indexes, the name filter. */
#ifndef ERO_FORMAT_XATTR_H
#define ERO_FORMAT_XATTR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "format/ondisk.h"

struct ero_xattr_entry {
	uint8_t index;        /* name index, or ERO_XATTR_PREFIX_BIT | long prefix number */
	uint8_t name_length;
	uint16_t value_length;
	const char *name;     /* what follows the prefix; not terminated */
	const uint8_t *value;
};

/* The prefix a name index stands for, such as "user."; NULL for an index without meaning, also for 0, which stands for none and
 * is found behind long prefixes only: such names are the kernel's own, and it shows them to nobody. */
const char *ero_xattr_prefix(unsigned index);
/* Finds the longest built-in prefix of a name; its length in *skip, or -1 for a name no index covers. */
int ero_xattr_index(const char *name, size_t *skip);

/* Bytes an entry takes, padding included. */
size_t ero_xattr_entry_size(unsigned name_length, unsigned value_length);
void ero_xattr_entry_encode(const struct ero_xattr_entry *entry, uint8_t *bytes);
/* False if the entry does not fit in `room` bytes. Pointers go into `bytes`. */
bool ero_xattr_entry_decode(const uint8_t *bytes, size_t room, struct ero_xattr_entry *entry);

/* The bit of the name filter that stands for a name (0..31); `base_index` is the built-in index of its prefix and
 * `name` what follows that built-in prefix. */
unsigned ero_xattr_filter_bit(unsigned base_index, const char *name, size_t length);

#endif
