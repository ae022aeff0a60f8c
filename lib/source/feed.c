// SPDX-License-Identifier: MIT
/* A file, the decoders that its first bytes ask for (several where one is within another), and a ring of what came out of them. */
#include "source/feed.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/tempfile.h"
#include "source/stage.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The headers of one member may fill four times 1 MiB, which is libarchive's own limit for each of them. */
enum { RING = 8 << 20, BLOCK = 128 << 10, MOST_STAGES = 8 };

struct ero_feed {
	struct ero_stage *stage;
	uint64_t position;   /* behind the last byte that was read; it lies at position % RING */
	uint64_t from;       /* the ring holds bytes from here on, RING of them at most */
	bool seekable;
	uint8_t *ring;
};

/* ---- which decoder ---- */

enum { KIND_PLAIN, KIND_GZIP, KIND_LZ4, KIND_UNPACK, KIND_PROGRAM };

struct magic {
	const char *bytes;
	uint8_t length, kind;
	int filter;
	const char *name;
};

static const struct magic magics[] = {
	{ "\x1f\x8b", 2, KIND_GZIP, 0, "gzip" },
	{ "\x04\x22\x4d\x18", 4, KIND_LZ4, 0, "LZ4" },
	{ "\x02\x21\x4c\x18", 4, KIND_UNPACK, ARCHIVE_FILTER_LZ4, "LZ4's old frames" }, /* which have no checksum */
	{ "\x28\xb5\x2f\xfd", 4, KIND_UNPACK, ARCHIVE_FILTER_ZSTD, "Zstandard" },
	{ "\xfd" "7zXZ", 6, KIND_UNPACK, ARCHIVE_FILTER_XZ, "xz" }, /* and a NUL */
	{ "BZh", 3, KIND_UNPACK, ARCHIVE_FILTER_BZIP2, "bzip2" },
	{ "LZIP", 4, KIND_UNPACK, ARCHIVE_FILTER_LZIP, "lzip" },
	{ "\x89LZO\0\r\n\x1a\n", 9, KIND_UNPACK, ARCHIVE_FILTER_LZOP, "lzop" },
	{ "\x1f\x9d", 2, KIND_UNPACK, ARCHIVE_FILTER_COMPRESS, "compress" },
	{ "begin ", 6, KIND_UNPACK, ARCHIVE_FILTER_UU, "uuencode" },
	{ "\xed\xab\xee\xdb", 4, KIND_UNPACK, ARCHIVE_FILTER_RPM, "RPM" },
	{ "LRZI", 4, KIND_PROGRAM, 0, "lrzip" },
	{ "GRZipII", 7, KIND_PROGRAM, 0, "grzip" },
};

static const struct magic lzma_alone = { NULL, 0, KIND_UNPACK, ARCHIVE_FILTER_LZMA, "LZMA alone" };
static const struct magic skippable_zstd = { NULL, 0, KIND_UNPACK, ARCHIVE_FILTER_ZSTD, "Zstandard" };

/* LZMA alone has no magic: the usual properties, a dictionary of a size that encoders use, and an unknown or sane length. */
static bool is_lzma_alone(const uint8_t *p, size_t n)
{
	uint32_t dict;
	uint64_t size;

	if (n < 13 || p[0] != 0x5d)
		return false;
	dict = ero_get32(p + 1);
	size = ero_get64(p + 5);
	return dict >= 4096 && (ero_is_pow2(dict) || (dict % 3 == 0 && ero_is_pow2(dict / 3))) && (size == UINT64_MAX || size >> 40 == 0);
}

static const struct magic *recognize(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= magics[i].length && !memcmp(p, magics[i].bytes, magics[i].length))
			return &magics[i];
	if (n >= 4 && (ero_get32(p) & 0xfffffff0) == 0x184d2a50) /* a skippable frame, as Zstandard's writers put in front */
		return &skippable_zstd;
	return is_lzma_alone(p, n) ? &lzma_alone : NULL;
}

static int add_decoders(struct ero_feed *f, const char *shown, struct ero_error *err)
{
	for (int depth = 0;; depth++) {
		struct ero_stage *below = f->stage;
		const struct magic *m;
		const uint8_t *bytes;
		ssize_t n = ero_stage_peek(below, &bytes, err);
		int rc;

		if (n < 0)
			return (int)n;
		m = recognize(bytes, (size_t)n);
		if (!m)
			return 0;
		if (m->kind == KIND_PROGRAM)
			return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
					"%s is compressed by %s, for which a program would have to be run: decompress it first", shown, m->name);
		if (depth == MOST_STAGES)
			return ero_fail(err, ERO_ERROR_CORRUPT, ELOOP, "%s: more than %d compressions within each other", shown, MOST_STAGES);
		f->stage = NULL; /* taken over, whatever comes of it */
		rc = m->kind == KIND_GZIP ? ero_stage_gunzip(below, &f->stage, err) :
		     m->kind == KIND_LZ4 ? ero_stage_lz4(below, &f->stage, err) :
					   ero_stage_unpack(below, m->filter, &f->stage, err);
		if (rc)
			return rc;
	}
}

static bool is_zip(struct ero_feed *f, struct ero_error *err)
{
	const uint8_t *bytes;

	return ero_stage_peek(f->stage, &bytes, err) >= 4 && bytes[0] == 'P' && bytes[1] == 'K' &&
	       ((bytes[2] == 3 && bytes[3] == 4) || (bytes[2] == 5 && bytes[3] == 6));
}

/* Copies all of it into a file, which takes the place of where it came from. */
static int put_aside(struct ero_feed *f, const char *target, struct ero_error *err)
{
	int fd = ero_tempfile_spill(target, err), rc = fd < 0 ? fd : 0;
	struct ero_stage *file;
	const void *bytes;
	uint64_t at = 0;
	ssize_t n = 0;

	while (!rc && (n = ero_feed_read(f, &bytes, err)) > 0) {
		rc = ero_pwrite_full(fd, bytes, (size_t)n, at, "the temporary file beside the image", err);
		at += (uint64_t)n;
	}
	if (!rc)
		rc = n < 0 ? (int)n : ero_stage_descriptor_file(fd, f->stage->shown, &file, err);
	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	ero_stage_free(f->stage);
	f->stage = file;
	return ero_feed_seek(f, 0, SEEK_SET, err) < 0 ? -EIO : 0;
}

int ero_feed_open(const char *path, const char *shown, const char *target, struct ero_feed **result, struct ero_error *err)
{
	struct ero_feed *f = calloc(1, sizeof(*f));
	int rc;

	*result = NULL;
	if (!f || !(f->ring = malloc(RING))) {
		free(f);
		return ero_fail_memory(err);
	}
	rc = ero_stage_file(path, shown, &f->stage, err);
	if (!rc)
		rc = add_decoders(f, shown, err);
	if (rc) {
		ero_feed_free(f);
		return rc;
	}
	f->seekable = ero_stage_descriptor(f->stage) >= 0 && lseek(ero_stage_descriptor(f->stage), 0, SEEK_CUR) >= 0;
	if (!f->seekable && is_zip(f, err)) {
		rc = put_aside(f, target, err);
		if (rc) {
			ero_feed_free(f);
			return rc;
		}
		f->seekable = true;
	}
	*result = f;
	return 0;
}

void ero_feed_free(struct ero_feed *f)
{
	if (!f)
		return;
	ero_stage_free(f->stage);
	free(f->ring);
	free(f);
}

/* ---- bytes ---- */

ssize_t ero_feed_read(struct ero_feed *f, const void **bytes, struct ero_error *err)
{
	size_t at = (size_t)(f->position % RING), room = RING - at < BLOCK ? RING - at : BLOCK;
	ssize_t n = ero_stage_read(f->stage, f->ring + at, room, err);

	*bytes = f->ring + at;
	if (n > 0)
		f->position += (uint64_t)n;
	if (f->position - f->from > RING - BLOCK) /* what the next call may write over is given up */
		f->from = f->position - (RING - BLOCK);
	return n;
}

bool ero_feed_seekable(const struct ero_feed *f)
{
	return f->seekable;
}

int64_t ero_feed_seek(struct ero_feed *f, int64_t offset, int whence, struct ero_error *err)
{
	off_t to;

	if (whence == SEEK_CUR) { /* the file itself may be ahead, by what was peeked at */
		offset += (int64_t)f->position;
		whence = SEEK_SET;
	}
	to = lseek(ero_stage_descriptor(f->stage), (off_t)offset, whence);
	if (to < 0)
		return ero_fail_errno(err, "cannot move to byte %lld of %s", (long long)offset, f->stage->shown);
	f->stage->ahead_at = f->stage->ahead_end = 0;
	f->position = f->from = (uint64_t)to;
	return to;
}

uint64_t ero_feed_position(const struct ero_feed *f)
{
	return f->position;
}

bool ero_feed_recall(const struct ero_feed *f, uint64_t offset, void *to, size_t length)
{
	size_t at = (size_t)(offset % RING), part = RING - at < length ? RING - at : length;

	if (offset < f->from || offset > f->position || length > f->position - offset)
		return false;
	memcpy(to, f->ring + at, part);
	memcpy((uint8_t *)to + part, f->ring, length - part);
	return true;
}

int ero_feed_drain(struct ero_feed *f, bool *zeros, struct ero_error *err)
{
	const void *bytes;
	ssize_t n;

	*zeros = true;
	while ((n = ero_feed_read(f, &bytes, err)) > 0)
		*zeros = *zeros && ero_all_zero(bytes, (size_t)n);
	return (int)n;
}
