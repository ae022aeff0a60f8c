// SPDX-License-Identifier: MIT
/* The first bytes of a spool stay in memory for good; what comes after them lies in the file, through a buffer. */
#include "base/spool.h"
#include "base/io.h"
#include "base/tempfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ero_spool {
	char *beside;
	unsigned char *memory;    /* bytes [0, limit) */
	size_t limit, room;
	unsigned char *buffer;    /* bytes [flushed, size) of the file part, not yet written */
	uint64_t flushed;         /* end of what the file holds, as an offset of the spool; >= limit once fd is open */
	uint64_t size;
	int fd;
};

static const size_t buffer_size = 1 << 20;

int ero_spool_create(const char *beside, size_t memory, struct ero_spool **result, struct ero_error *err)
{
	struct ero_spool *spool = calloc(1, sizeof(*spool));

	*result = NULL;
	if (!spool || !(spool->beside = strdup(beside))) {
		free(spool);
		return ero_fail_memory(err);
	}
	spool->limit = memory;
	spool->flushed = memory;
	spool->fd = -1;
	*result = spool;
	return 0;
}

static int append_memory(struct ero_spool *spool, const void *data, size_t length, struct ero_error *err)
{
	size_t end = (size_t)spool->size + length;

	if (end > spool->room) {
		size_t room = spool->room ? spool->room * 2 : 65536;
		unsigned char *grown;

		while (room < end)
			room *= 2;
		if (room > spool->limit)
			room = spool->limit;
		grown = realloc(spool->memory, room);
		if (!grown)
			return ero_fail_memory(err);
		spool->memory = grown;
		spool->room = room;
	}
	memcpy(spool->memory + spool->size, data, length);
	spool->size = end;
	return 0;
}

static int flush(struct ero_spool *spool, struct ero_error *err)
{
	int rc;

	if (spool->fd < 0) {
		spool->fd = ero_tempfile_spill(spool->beside, err);
		if (spool->fd < 0)
			return spool->fd;
	}
	rc = ero_pwrite_full(spool->fd, spool->buffer, (size_t)(spool->size - spool->flushed),
			     spool->flushed - spool->limit, "the temporary file beside the image", err);
	if (!rc)
		spool->flushed = spool->size;
	return rc;
}

static int append_file(struct ero_spool *spool, const unsigned char *data, size_t length, struct ero_error *err)
{
	if (!spool->buffer && !(spool->buffer = malloc(buffer_size)))
		return ero_fail_memory(err);
	while (length) {
		size_t held = (size_t)(spool->size - spool->flushed);
		size_t part = buffer_size - held < length ? buffer_size - held : length;

		memcpy(spool->buffer + held, data, part);
		spool->size += part;
		data += part;
		length -= part;
		if (held + part == buffer_size) {
			int rc = flush(spool, err);

			if (rc)
				return rc;
		}
	}
	return 0;
}

int ero_spool_append(struct ero_spool *spool, const void *data, size_t length, uint64_t *offset,
		     struct ero_error *err)
{
	size_t part = 0;
	int rc = 0;

	*offset = spool->size;
	if (!length)
		return 0;
	if (spool->size < spool->limit) {
		part = spool->limit - (size_t)spool->size;
		if (part > length)
			part = length;
		rc = append_memory(spool, data, part, err);
	}
	if (!rc && part < length)
		rc = append_file(spool, (const unsigned char *)data + part, length - part, err);
	return rc;
}

int ero_spool_read(struct ero_spool *spool, void *data, size_t length, uint64_t offset, struct ero_error *err)
{
	unsigned char *to = data;
	size_t part;
	int rc;

	if (offset < spool->limit) {
		part = spool->limit - (size_t)offset < length ? spool->limit - (size_t)offset : length;
		memcpy(to, spool->memory + offset, part);
		to += part;
		offset += part;
		length -= part;
	}
	if (length && offset < spool->flushed) {
		part = spool->flushed - offset < length ? (size_t)(spool->flushed - offset) : length;
		rc = ero_pread_full(spool->fd, to, part, offset - spool->limit, "the temporary file beside the image", err);
		if (rc)
			return rc;
		to += part;
		offset += part;
		length -= part;
	}
	if (length)
		memcpy(to, spool->buffer + (offset - spool->flushed), length);
	return 0;
}

void ero_spool_free(struct ero_spool *spool)
{
	if (!spool)
		return;
	if (spool->fd >= 0)
		close(spool->fd);
	free(spool->beside);
	free(spool->memory);
	free(spool->buffer);
	free(spool);
}

/* ---- windows ---- */

enum { WINDOWS = 8, WINDOW = 256 << 10 };

struct ero_spool_reader {
	struct ero_spool *spool;
	unsigned char *bytes;         /* of all windows */
	uint64_t number[WINDOWS];     /* offset / WINDOW + 1 of what each holds; 0: nothing */
};

int ero_spool_reader_create(struct ero_spool *spool, struct ero_spool_reader **result, struct ero_error *err)
{
	struct ero_spool_reader *r = calloc(1, sizeof(*r));

	*result = r;
	if (!r)
		return ero_fail_memory(err);
	r->spool = spool;
	return 0;
}

static int fill_window(struct ero_spool_reader *r, unsigned slot, uint64_t number, struct ero_error *err)
{
	uint64_t start = number * WINDOW;
	size_t length = r->spool->size - start < WINDOW ? (size_t)(r->spool->size - start) : WINDOW;
	int rc;

	if (!r->bytes && !(r->bytes = malloc((size_t)WINDOWS * WINDOW)))
		return ero_fail_memory(err);
	r->number[slot] = 0;
	rc = ero_spool_read(r->spool, r->bytes + (size_t)slot * WINDOW, length, start, err);
	if (!rc)
		r->number[slot] = number + 1;
	return rc;
}

int ero_spool_reader_read(struct ero_spool_reader *r, void *data, size_t length, uint64_t offset,
			  struct ero_error *err)
{
	unsigned char *to = data;

	if (length >= WINDOW || offset + length <= r->spool->limit)
		return ero_spool_read(r->spool, data, length, offset, err);
	while (length) {
		uint64_t number = offset / WINDOW;
		unsigned slot = (unsigned)(number % WINDOWS);
		size_t within = (size_t)(offset % WINDOW), part = WINDOW - within < length ? WINDOW - within : length;
		int rc = r->number[slot] == number + 1 ? 0 : fill_window(r, slot, number, err);

		if (rc)
			return rc;
		memcpy(to, r->bytes + (size_t)slot * WINDOW + within, part);
		to += part;
		offset += part;
		length -= part;
	}
	return 0;
}

void ero_spool_reader_free(struct ero_spool_reader *r)
{
	if (r)
		free(r->bytes);
	free(r);
}
