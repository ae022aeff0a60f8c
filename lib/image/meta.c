// SPDX-License-Identifier: MIT
/* Metadata access: a direct-mapped cache of pages, since inodes and entries are small and close together; larger pieces cost
 * more where inodes lie among data. */
#include "image/image.h"
#include "image/shared.h"
#include "base/bytes.h"
#include "base/io.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BITS = 12, PIECE = 1 << PIECE_BITS, SLOTS = 256 };

struct slot {
	pthread_mutex_t lock;
	uint64_t piece;  /* number of the piece + 1; 0: empty */
	uint8_t *bytes;  /* PIECE of them, from the first use on */
};

struct ero_meta_cache {
	struct slot slots[SLOTS];
};

int ero_meta_cache_create(struct ero_image *image, struct ero_error *err)
{
	image->cache = calloc(1, sizeof(*image->cache));
	if (!image->cache)
		return ero_fail_memory(err);
	for (int i = 0; i < SLOTS; i++)
		pthread_mutex_init(&image->cache->slots[i].lock, NULL);
	return 0;
}

void ero_meta_cache_free(struct ero_image *image)
{
	if (!image->cache)
		return;
	for (int i = 0; i < SLOTS; i++) {
		free(image->cache->slots[i].bytes);
		pthread_mutex_destroy(&image->cache->slots[i].lock);
	}
	free(image->cache);
}

uint64_t ero_meta_size(const struct ero_image *image, bool metabox)
{
	if (metabox)
		return image->metabox ? ero_shared_size(image->metabox) : 0;
	return image->devices[0].size;
}

/* With the slot's lock held. */
static int load(struct ero_image *image, uint64_t piece, struct slot *slot, struct ero_error *err)
{
	uint64_t start = piece << PIECE_BITS;
	uint64_t length = image->devices[0].size - start;
	int rc;

	if (slot->piece == piece + 1)
		return 0;
	if (!slot->bytes && !(slot->bytes = malloc(PIECE)))
		return ero_fail_memory(err);
	slot->piece = 0;
	/* straight from the primary device: flat addresses of other devices are for data only; its last piece is short */
	rc = ero_pread_full(image->devices[0].fd, slot->bytes, length < PIECE ? (size_t)length : PIECE, image->devices[0].base + start,
			    image->devices[0].path, err);
	if (!rc)
		slot->piece = piece + 1;
	return rc;
}

int ero_meta_read(struct ero_image *image, bool metabox, uint64_t position, void *buffer, size_t length,
		  struct ero_error *err)
{
	uint8_t *to = buffer;
	int rc = 0;

	if (!ero_in_range(position, length, ero_meta_size(image, metabox)))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "metadata at byte %llu%s (%zu bytes) lies past the end of the image",
				(unsigned long long)position, metabox ? " of the metabox" : "", length);
	if (metabox)
		return ero_shared_read(image->metabox, position, buffer, length, err);
	while (!rc && length) {
		struct slot *slot = &image->cache->slots[(position >> PIECE_BITS) % SLOTS];
		size_t in = (size_t)(position & (PIECE - 1));
		size_t part = PIECE - in < length ? PIECE - in : length;

		pthread_mutex_lock(&slot->lock);
		rc = load(image, position >> PIECE_BITS, slot, err);
		if (!rc)
			memcpy(to, slot->bytes + in, part);
		pthread_mutex_unlock(&slot->lock);
		to += part;
		position += part;
		length -= part;
	}
	return rc;
}
