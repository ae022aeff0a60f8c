// SPDX-License-Identifier: MIT
/* Slots of decoded extents: a slot that is being filled makes others wait for it, a pinned one is not replaced. */
#include "image/shared.h"
#include "base/bytes.h"
#include "base/vec.h"
#include "image/data.h"
#include "image/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The map is held in memory: its size must not be an image's to choose. */
enum { SLOTS = 16, MAX_EXTENTS = 1 << 24 };

struct slot {
	size_t extent;     /* index + 1; 0: empty */
	bool ready;
	unsigned pins;
	uint64_t used;     /* clock of the last use */
	uint8_t *bytes;
	size_t room, valid; /* bytes; all of the extent but of a damaged one that is salvaged */
	int rc;
};

struct ero_shared_file {
	struct ero_image *image;
	struct ero_inode inode;
	ERO_VEC(struct ero_extent) extents;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[SLOTS];
	uint64_t clock;
};

/* What others' metadata or data lie in must be there: a hole could have any length for nothing. */
static int check_extent(const struct ero_shared_file *f, const struct ero_extent *e, struct ero_error *err)
{
	unsigned long long nid = f->inode.nid;

	if (e->kind == ERO_EXTENT_FRAGMENT)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu holds fragments and refers to fragments itself", nid);
	if (e->kind == ERO_EXTENT_HOLE)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu, which holds others' data, has a hole of %llu bytes at byte %llu", nid,
				(unsigned long long)e->length, (unsigned long long)e->logical);
	return 0;
}

int ero_shared_open(struct ero_image *image, uint64_t nid, bool salvage, struct ero_shared_file **result,
		    struct ero_error *err)
{
	struct ero_shared_file *f = calloc(1, sizeof(*f));
	struct ero_map map;
	struct ero_extent extent;
	int rc;

	*result = NULL;
	if (!f)
		return ero_fail_memory(err);
	f->image = image;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	rc = ero_inode_read(image, nid, &f->inode, err);
	if (!rc && !S_ISREG(f->inode.mode))
		rc = ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu, which holds others' data, is no regular file",
			      (unsigned long long)nid);
	if (!rc)
		rc = ero_map_init(&map, image, &f->inode, err);
	while (!rc && (rc = ero_map_next(&map, &extent, err)) > 0) {
		rc = check_extent(f, &extent, err);
		if (!rc && f->extents.count == MAX_EXTENTS)
			rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "inode %llu has more than %d extents",
				      (unsigned long long)nid, MAX_EXTENTS);
		if (!rc && !ero_vec_push(&f->extents, extent))
			rc = ero_fail_memory(err);
	}
	if (rc == -EUCLEAN && salvage && f->extents.count) {
		const struct ero_extent *last = &f->extents.data[f->extents.count - 1];

		f->inode.size = last->logical + last->length;
		rc = 0;
	}
	if (rc) {
		ero_shared_close(f);
		return rc;
	}
	*result = f;
	return 0;
}

void ero_shared_close(struct ero_shared_file *f)
{
	if (!f)
		return;
	for (int i = 0; i < SLOTS; i++)
		free(f->slots[i].bytes);
	ero_vec_free(&f->extents);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->changed);
	free(f);
}

uint64_t ero_shared_size(const struct ero_shared_file *f)
{
	return f->inode.size;
}

/* The slot of an extent: the one that has it, or the least used one that nobody holds. Called with the lock. */
static struct slot *choose(struct ero_shared_file *f, size_t extent)
{
	struct slot *best = NULL;

	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &f->slots[i];

		if (s->extent == extent + 1)
			return s;
		if (!s->pins && (!best || s->used < best->used))
			best = s;
	}
	return best;
}

static int fill(struct ero_shared_file *f, struct slot *s, const struct ero_extent *e, struct ero_error *err)
{
	if (s->room < e->length) {
		free(s->bytes);
		s->room = 0;
		s->bytes = malloc((size_t)e->length); /* at most 12 MiB */
		if (!s->bytes)
			return ero_fail_memory(err);
		s->room = (size_t)e->length;
	}
	s->valid = (size_t)e->length;
	return f->image->salvage ? ero_data_decode_prefix(f->image, &f->inode, e, NULL, s->bytes, &s->valid, err) :
				   ero_data_decode(f->image, &f->inode, e, NULL, s->bytes, err);
}

/* Pins the slot that holds an extent's plain bytes. */
static int pin(struct ero_shared_file *f, size_t index, struct slot **result, struct ero_error *err)
{
	struct slot *s;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	while (!(s = choose(f, index)))
		pthread_cond_wait(&f->changed, &f->lock);
	s->pins++;
	s->used = ++f->clock;
	if (s->extent != index + 1) {
		s->extent = index + 1;
		s->ready = false;
		pthread_mutex_unlock(&f->lock);
		rc = fill(f, s, &f->extents.data[index], err);
		pthread_mutex_lock(&f->lock);
		s->rc = rc;
		s->ready = true;
		if (rc)
			s->extent = 0;
		pthread_cond_broadcast(&f->changed);
	} else {
		while (!s->ready)
			pthread_cond_wait(&f->changed, &f->lock);
		if (s->rc)
			rc = ero_fail(err, ERO_ERROR_CORRUPT, -s->rc, "the extent at byte %llu of inode %llu cannot be read",
				      (unsigned long long)f->extents.data[index].logical, (unsigned long long)f->inode.nid);
	}
	pthread_mutex_unlock(&f->lock);
	*result = s;
	return rc;
}

static void unpin(struct ero_shared_file *f, struct slot *s)
{
	pthread_mutex_lock(&f->lock);
	if (--s->pins == 0)
		pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* Bytes that need no decoding are read where they lie. */
static int read_direct(struct ero_shared_file *f, const struct ero_extent *e, uint64_t in, void *to, size_t length,
		       struct ero_error *err)
{
	if (e->kind == ERO_EXTENT_HOLE) {
		memset(to, 0, length);
		return 0;
	}
	if (e->kind == ERO_EXTENT_INLINE)
		return ero_meta_read(f->image, ero_in_metabox(f->inode.nid), e->physical + in, to, length, err);
	return ero_device_read(f->image, e->device, e->physical + in, to, length, err);
}

int ero_shared_read(struct ero_shared_file *f, uint64_t offset, void *buffer, size_t length, struct ero_error *err)
{
	uint8_t *to = buffer;
	int rc = 0;

	if (!ero_in_range(offset, length, f->inode.size))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "%zu bytes at byte %llu lie past the end of inode %llu (%llu bytes)",
				length, (unsigned long long)offset, (unsigned long long)f->inode.nid,
				(unsigned long long)f->inode.size);
	while (!rc && length) {
		size_t index = ero_extent_find(f->extents.data, f->extents.count, offset);
		const struct ero_extent *e = &f->extents.data[index];
		uint64_t in = offset - e->logical;
		size_t part = e->length - in < length ? (size_t)(e->length - in) : length;

		if (e->kind == ERO_EXTENT_ENCODED) {
			struct slot *s = NULL;

			rc = pin(f, index, &s, err);
			if (!rc && in + part > s->valid)
				rc = ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "only %zu of %llu bytes of the extent at byte %llu of inode %llu decode",
					      s->valid, (unsigned long long)e->length, (unsigned long long)e->logical,
					      (unsigned long long)f->inode.nid);
			if (!rc)
				memcpy(to, s->bytes + in, part);
			unpin(f, s);
		} else {
			rc = read_direct(f, e, in, to, part, err);
		}
		to += part;
		offset += part;
		length -= part;
	}
	return rc;
}
