/* SPDX-License-Identifier: MIT */
/* An arena: many small allocations of one lifetime, freed together. For the nodes and names of a tree. */
#ifndef ERO_BASE_ARENA_H
#define ERO_BASE_ARENA_H

#include <stddef.h>

struct ero_arena_chunk;

struct ero_arena {
	struct ero_arena_chunk *chunks;
	size_t used; /* in the newest chunk */
};

/* Zeroed memory, aligned for any type; NULL when memory ends. */
void *ero_arena_alloc(struct ero_arena *arena, size_t size);
/* The same without alignment, filled with a copy and a terminating NUL: for names. */
char *ero_arena_string(struct ero_arena *arena, const char *text, size_t length);
void ero_arena_free(struct ero_arena *arena);

#endif
