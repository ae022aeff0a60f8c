// SPDX-License-Identifier: MIT
/* More than is wanted is read only where the range wanted before ended close by, so that little is read for nothing; and only of an image
 * of one device: with more of them what follows an address may lie on another. */
#include "image/ahead.h"

#include <stdlib.h>

/* What is read at once, which stays in the processor's cache until it is used; and what may lie between two ranges that follow each other,
 * such as inodes with the tails of files. */
enum { AHEAD = 64 << 10 };

void ero_ahead_clear(struct ero_ahead *a)
{
	free(a->bytes);
	*a = (struct ero_ahead){ 0 };
}

static int ensure(struct ero_ahead *a, size_t wanted, struct ero_error *err)
{
	a->length = 0;
	if (a->room >= wanted)
		return 0;
	free(a->bytes);
	a->bytes = malloc(wanted);
	a->room = a->bytes ? wanted : 0;
	return a->bytes ? 0 : ero_fail_memory(err);
}

static bool holds(const struct ero_ahead *a, unsigned device, uint64_t address, size_t length)
{
	return device == a->device && address >= a->start && address - a->start <= a->length &&
	       length <= a->length - (address - a->start);
}

int ero_ahead_read(struct ero_ahead *a, struct ero_image *image, unsigned device, uint64_t address, size_t length,
		   const uint8_t **bytes, struct ero_error *err)
{
	bool follows = image->device_count == 1 && address >= a->next && address - a->next <= AHEAD;
	size_t wanted = length;
	int rc = 0;

	if (!holds(a, device, address, length)) {
		uint64_t room = ero_device_room(image, device, address);

		if (follows && length < AHEAD && room > length)
			wanted = room < AHEAD ? (size_t)room : AHEAD;
		rc = ensure(a, wanted, err);
		if (rc)
			return rc;
		if (wanted == length || ero_device_read(image, device, address, a->bytes, wanted, NULL)) {
			wanted = length;
			rc = ero_device_read(image, device, address, a->bytes, length, err);
		}
		a->device = device;
		a->start = address;
		a->length = rc ? 0 : wanted;
	}
	a->next = address + length;
	*bytes = a->bytes + (address - a->start);
	return rc;
}
