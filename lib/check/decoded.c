// SPDX-License-Identifier: MIT
/*
 * Most extents are met once: a bit for each says so. What is met again is kept with the ways in which it was decoded: to how many bytes,
 * and whether these are all it has. Deduplication gives a handful of ways; a hostile image could ask for thousands.
 */
#include "check/decoded.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

enum { BITS = 26, WAYS = 8, PARTIAL = 1, USED = 2, SHIFT = 2 }; /* a way: decoded bytes, at most 12 MiB, and two flags */

static int first_time(struct ero_decoded *d, uint64_t address, uint64_t device)
{
	uint64_t place[2] = { address, device }, hash, bit;

	if (!d->met && !(d->met = calloc((1u << BITS) / 64, sizeof(*d->met))))
		return -ENOMEM;
	hash = XXH3_64bits(place, sizeof(place)) >> (64 - BITS);
	bit = 1ull << hash % 64;
	if (d->met[hash / 64] & bit)
		return 0;
	d->met[hash / 64] |= bit;
	return 1;
}

int ero_decoded_meet(struct ero_decoded *d, const struct ero_extent *e)
{
	uint32_t way = (uint32_t)e->length << SHIFT | USED | (e->partial ? PARTIAL : 0), number;
	uint64_t kind = e->device | (uint64_t)e->stored << 16 | (uint64_t)e->algorithm << 48 | (uint64_t)e->raw << 56;
	int rc = first_time(d, e->physical, e->device);
	bool is_new;

	if (rc)
		return rc < 0 ? rc : ERO_DECODED_NEW;
	if (!ero_vec_reserve(&d->ways, WAYS))
		return -ENOMEM;
	number = ero_keys_number(&d->shared, e->physical, kind, &is_new);
	if (number == UINT32_MAX)
		return -ENOMEM;
	for (int i = 0; is_new && i < WAYS; i++)
		d->ways.data[d->ways.count++] = 0;
	for (int i = 0; i < WAYS; i++) {
		uint32_t *known = &d->ways.data[(size_t)number * WAYS + i];

		if (!*known) {
			*known = way;
			return ERO_DECODED_NEW;
		}
		/* what decodes to more decodes to less, where less is asked for */
		if (*known == way || ((way & PARTIAL) && *known >> SHIFT >= way >> SHIFT))
			return ERO_DECODED_BEFORE;
	}
	return ERO_DECODED_TOO_MANY;
}

void ero_decoded_free(struct ero_decoded *d)
{
	free(d->met);
	ero_keys_free(&d->shared);
	ero_vec_free(&d->ways);
}
