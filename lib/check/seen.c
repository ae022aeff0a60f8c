// SPDX-License-Identifier: MIT
/* Which inodes were met, and how often: an open hash table that doubles. */
#include "check/check.h"

#include <stdlib.h>

static size_t slot_of(const struct ero_seen *table, size_t room, uint64_t nid)
{
	size_t at = (size_t)((nid + 1) * 0x9E3779B97F4A7C15ull >> 20) & (room - 1); /* Knuth's multiplicative hash */

	while (table[at].nid_plus_1 && table[at].nid_plus_1 != nid + 1)
		at = (at + 1) & (room - 1);
	return at;
}

static bool grow(struct ero_checker *c)
{
	size_t room = c->seen_room ? c->seen_room * 2 : 1024;
	struct ero_seen *bigger = calloc(room, sizeof(*bigger));

	if (!bigger)
		return false;
	for (size_t i = 0; i < c->seen_room; i++)
		if (c->seen[i].nid_plus_1)
			bigger[slot_of(bigger, room, c->seen[i].nid_plus_1 - 1)] = c->seen[i];
	free(c->seen);
	c->seen = bigger;
	c->seen_room = room;
	return true;
}

struct ero_seen *ero_seen_find(struct ero_checker *c, uint64_t nid)
{
	struct ero_seen *s;

	if (c->seen_count * 2 >= c->seen_room && !grow(c))
		return NULL;
	s = &c->seen[slot_of(c->seen, c->seen_room, nid)];
	if (!s->nid_plus_1) {
		s->nid_plus_1 = nid + 1;
		c->seen_count++;
	}
	return s;
}
