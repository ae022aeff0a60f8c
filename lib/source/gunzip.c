// SPDX-License-Identifier: MIT
/* gzip through zlib, which compares each member's CRC-32 and length; libarchive's own reader does not. */
#include "source/stage.h"
#include "config.h"

#ifdef HAVE_ZLIB
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct gunzip {
	struct ero_stage stage;
	z_stream z;
	bool within;             /* a member has begun and not ended */
	uint8_t in[64 << 10];
};

static ssize_t fail(struct gunzip *g, const char *why, struct ero_error *err)
{
	return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the gzip stream is damaged: %s", g->stage.shown, why);
}

static ssize_t fill(struct gunzip *g, struct ero_error *err)
{
	ssize_t n;

	if (g->z.avail_in)
		return 1;
	n = ero_stage_read(g->stage.below, g->in, sizeof(g->in), err);
	g->z.next_in = g->in;
	g->z.avail_in = n > 0 ? (uInt)n : 0;
	return n;
}

/* Behind a member: another one, zeros up to the end (as tapes have them), or the end. 1 if a member follows. */
static ssize_t next_member(struct gunzip *g, struct ero_error *err)
{
	for (;;) {
		ssize_t n = fill(g, err);

		if (n <= 0)
			return n;
		if (*g->z.next_in == 0x1f)
			break;
		if (*g->z.next_in)
			return fail(g, "something else follows its end", err);
		g->z.next_in++;
		g->z.avail_in--;
	}
	inflateReset(&g->z);
	g->within = true;
	return 1;
}

static ssize_t read_gunzip(struct ero_stage *stage, void *to, size_t room, struct ero_error *err)
{
	struct gunzip *g = (struct gunzip *)stage;

	g->z.next_out = to;
	g->z.avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
	for (;;) {
		ssize_t n = g->within ? fill(g, err) : next_member(g, err);
		int code;

		if (n < 0 || (!n && !g->within))
			return n;
		if (!n)
			return fail(g, "it ends too early", err);
		code = inflate(&g->z, Z_NO_FLUSH);
		if (code == Z_STREAM_END)
			g->within = false;
		else if (code == Z_MEM_ERROR)
			return ero_fail_memory(err);
		else if (code != Z_OK && code != Z_BUF_ERROR)
			return fail(g, g->z.msg ? g->z.msg : "it cannot be decoded", err);
		if ((uint8_t *)g->z.next_out != (uint8_t *)to)
			return (uint8_t *)g->z.next_out - (uint8_t *)to;
	}
}

static void free_gunzip(struct ero_stage *stage)
{
	inflateEnd(&((struct gunzip *)stage)->z);
	free(stage);
}

int ero_stage_gunzip(struct ero_stage *below, struct ero_stage **result, struct ero_error *err)
{
	struct gunzip *g = calloc(1, sizeof(*g));

	*result = NULL;
	if (!g || inflateInit2(&g->z, 15 + 16) != Z_OK) { /* the largest window, and gzip's header */
		free(g);
		ero_stage_free(below);
		return ero_fail_memory(err);
	}
	g->within = true;
	g->stage.below = below;
	g->stage.shown = below->shown;
	g->stage.read = read_gunzip;
	g->stage.free = free_gunzip;
	*result = &g->stage;
	return 0;
}
#else
int ero_stage_gunzip(struct ero_stage *below, struct ero_stage **result, struct ero_error *err)
{
	int rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "%s is compressed by gzip: this build of erolith was configured without zlib",
			  below->shown);

	*result = NULL;
	ero_stage_free(below);
	return rc;
}
#endif
