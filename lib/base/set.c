// SPDX-License-Identifier: MIT
/* Fibonacci hashing spreads numbers that lie close together. */
#include "base/set.h"

#include <stdlib.h>

static uint64_t *find(uint64_t *slots, size_t room, uint64_t number)
{
	size_t at = (size_t)(number * 0x9E3779B97F4A7C15ull >> 20) & (room - 1);

	while (slots[at] && slots[at] != number)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static bool grow(struct ero_set *set)
{
	size_t room = set->room ? set->room * 2 : 256;
	uint64_t *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i])
			*find(slots, room, set->slots[i]) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->room = room;
	return true;
}

int ero_set_add(struct ero_set *set, uint64_t number)
{
	uint64_t *slot;

	if (!number) {
		bool was = set->has_zero;

		set->has_zero = true;
		return !was;
	}
	if (set->count * 2 >= set->room && !grow(set))
		return -1;
	slot = find(set->slots, set->room, number);
	if (*slot)
		return 0;
	*slot = number;
	set->count++;
	return 1;
}

void ero_set_free(struct ero_set *set)
{
	free(set->slots);
	*set = (struct ero_set){ 0 };
}
