// SPDX-License-Identifier: MIT
/* The other compressions, through libarchive's filters: those verify what there is to verify (Zstandard, xz, bzip2, lzip, lzop), or
 * their format has nothing (compress, uuencode, LZMA alone). */
#include "source/stage.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

struct unpack {
	struct ero_stage stage;
	struct archive *archive;
	struct ero_error below_err;  /* why reading from below failed, if it did */
	bool empty;                  /* there is no byte in it, which libarchive takes for a format of its own */
	uint8_t in[64 << 10];
};

static la_ssize_t read_below(struct archive *archive, void *context, const void **bytes)
{
	struct unpack *u = context;
	ssize_t n = ero_stage_read(u->stage.below, u->in, sizeof(u->in), &u->below_err);

	*bytes = u->in;
	if (n < 0)
		archive_set_error(archive, (int)-n, "%s", u->below_err.text);
	return n < 0 ? -1 : n;
}

static int fail(struct unpack *u, struct ero_error *err)
{
	const char *why = archive_error_string(u->archive);

	if (u->below_err.kind != ERO_ERROR_NONE) {
		*err = u->below_err;
		return -err->code;
	}
	return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s cannot be decompressed%s%s", u->stage.shown, why ? ": " : "",
			why ? why : "");
}

static ssize_t read_unpack(struct ero_stage *stage, void *to, size_t room, struct ero_error *err)
{
	struct unpack *u = (struct unpack *)stage;
	la_ssize_t n = u->empty ? 0 : archive_read_data(u->archive, to, room);

	return n < 0 ? fail(u, err) : n;
}

static void free_unpack(struct ero_stage *stage)
{
	archive_read_free(((struct unpack *)stage)->archive);
	free(stage);
}

static int start(struct unpack *u, int filter, struct ero_error *err)
{
	struct archive_entry *e;
	int code;

	if (archive_read_support_filter_by_code(u->archive, filter) != ARCHIVE_OK) /* it warns where it would run a program */
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
				"%s is compressed in a way for which the libarchive of this host would run a program: decompress it first", u->stage.shown);
	archive_read_support_format_raw(u->archive);
	archive_read_support_format_empty(u->archive);
	code = archive_read_open(u->archive, u, NULL, read_below, NULL);
	if (code == ARCHIVE_OK)
		code = archive_read_next_header(u->archive, &e);
	u->empty = code == ARCHIVE_EOF;
	return code == ARCHIVE_OK || u->empty ? 0 : fail(u, err);
}

int ero_stage_unpack(struct ero_stage *below, int filter, struct ero_stage **result, struct ero_error *err)
{
	struct unpack *u = calloc(1, sizeof(*u));
	int rc;

	*result = NULL;
	if (!u || !(u->archive = archive_read_new())) {
		free(u);
		ero_stage_free(below);
		return ero_fail_memory(err);
	}
	u->stage.below = below;
	u->stage.shown = below->shown;
	u->stage.read = read_unpack;
	u->stage.free = free_unpack;
	rc = start(u, filter, err);
	if (rc)
		ero_stage_free(&u->stage);
	else
		*result = &u->stage;
	return rc;
}
