// SPDX-License-Identifier: MIT
/* A block is n entries of 12 bytes, then their names end to end; the last name ends at the block's end or first NUL. */
#include "format/dirent.h"
#include "base/bytes.h"

unsigned ero_dirblock_count(const uint8_t *block, size_t length)
{
	unsigned first;

	if (length < ERO_DIRENT_SIZE)
		return 0;
	first = ero_get16(block + 8);
	if (first < ERO_DIRENT_SIZE || first > length || first % ERO_DIRENT_SIZE)
		return 0;
	return first / ERO_DIRENT_SIZE;
}

enum ero_dirent_flaw ero_dirblock_entry(const uint8_t *block, size_t length, unsigned count, unsigned index,
					struct ero_dirent *entry)
{
	const uint8_t *d = block + (size_t)index * ERO_DIRENT_SIZE;
	size_t start = ero_get16(d + 8);
	size_t end = index + 1 < count ? ero_get16(d + ERO_DIRENT_SIZE + 8) : length;

	entry->nid = ero_get64(d);
	entry->type = d[10];
	entry->name = NULL;
	entry->name_length = 0;
	if (start < (size_t)count * ERO_DIRENT_SIZE || end > length || start >= end)
		return ERO_DIRENT_BAD_OFFSET;
	entry->name = (const char *)block + start;
	if (index + 1 == count)
		end = start + strnlen(entry->name, end - start);
	if (end == start || end - start > ERO_NAME_MAX)
		return ERO_DIRENT_BAD_LENGTH;
	entry->name_length = (uint16_t)(end - start);
	return ERO_DIRENT_GOOD;
}

void ero_dirblock_encode(const struct ero_dirent *entries, unsigned count, uint8_t *block)
{
	unsigned at = count * ERO_DIRENT_SIZE;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *d = block + (size_t)i * ERO_DIRENT_SIZE;

		ero_put64(d, entries[i].nid);
		ero_put16(d + 8, (uint16_t)at);
		d[10] = entries[i].type;
		d[11] = 0;
		memcpy(block + at, entries[i].name, entries[i].name_length);
		at += entries[i].name_length;
	}
}

int ero_name_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	if (order)
		return order;
	return a_length < b_length ? -1 : a_length > b_length;
}
