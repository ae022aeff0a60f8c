// SPDX-License-Identifier: MIT
/* Arena chunks are taken from the system in 256 KiB pieces, larger requests in a piece of their own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ero_arena_chunk {
	struct ero_arena_chunk *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

static const size_t chunk_size = 256 * 1024;

static void *take(struct ero_arena *arena, size_t size, size_t align)
{
	struct ero_arena_chunk *chunk = arena->chunks;
	size_t start = (arena->used + align - 1) & ~(align - 1);
	size_t room;

	if (chunk && start <= chunk->size && size <= chunk->size - start) {
		arena->used = start + size;
		return chunk->bytes + start;
	}
	room = size > chunk_size / 4 ? size : chunk_size;
	if (room > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = malloc(sizeof(*chunk) + room);
	if (!chunk)
		return NULL;
	chunk->size = room;
	if (room == size && arena->chunks) { /* a piece of its own goes behind the one that still has room */
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
		return chunk->bytes;
	}
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->used = size;
	return chunk->bytes;
}

void *ero_arena_alloc(struct ero_arena *arena, size_t size)
{
	void *p = take(arena, size, 8 /* of numbers of 64 bits, also where their own is 4 */);

	return p ? memset(p, 0, size) : NULL;
}

char *ero_arena_string(struct ero_arena *arena, const char *text, size_t length)
{
	char *p = take(arena, length + 1, 1);

	if (!p)
		return NULL;
	memcpy(p, text, length);
	p[length] = '\0';
	return p;
}

void ero_arena_free(struct ero_arena *arena)
{
	while (arena->chunks) {
		struct ero_arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	arena->used = 0;
}
