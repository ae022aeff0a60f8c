// SPDX-License-Identifier: MIT
/* LZ4 frames through liblz4, which compares content checksums; libarchive's own reader does not. */
#include "source/stage.h"
#include "config.h"

#ifdef HAVE_LZ4
#include <lz4frame.h>
#include <stdlib.h>

struct unlz4 {
	struct ero_stage stage;
	LZ4F_dctx *context;
	size_t at, end;          /* of `in` */
	bool within;             /* a frame has begun and not ended */
	uint8_t in[64 << 10];
};

static ssize_t fill(struct unlz4 *u, struct ero_error *err)
{
	ssize_t n;

	if (u->at < u->end)
		return 1;
	n = ero_stage_read(u->stage.below, u->in, sizeof(u->in), err);
	u->at = 0;
	u->end = n > 0 ? (size_t)n : 0;
	return n;
}

static ssize_t read_unlz4(struct ero_stage *stage, void *to, size_t room, struct ero_error *err)
{
	struct unlz4 *u = (struct unlz4 *)stage;

	for (;;) {
		ssize_t n = fill(u, err);
		size_t in, out = room, code;

		if (n < 0 || (!n && !u->within))
			return n;
		if (!n)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the LZ4 frame ends too early", stage->shown);
		in = u->end - u->at;
		u->within = true;
		code = LZ4F_decompress(u->context, to, &out, u->in + u->at, &in, NULL);
		if (LZ4F_isError(code))
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the LZ4 frame is damaged: %s", stage->shown,
					LZ4F_getErrorName(code));
		u->at += in;
		u->within = code != 0;
		if (out)
			return (ssize_t)out;
	}
}

static void free_unlz4(struct ero_stage *stage)
{
	LZ4F_freeDecompressionContext(((struct unlz4 *)stage)->context);
	free(stage);
}

int ero_stage_lz4(struct ero_stage *below, struct ero_stage **result, struct ero_error *err)
{
	struct unlz4 *u = calloc(1, sizeof(*u));

	*result = NULL;
	if (!u || LZ4F_isError(LZ4F_createDecompressionContext(&u->context, LZ4F_VERSION))) {
		free(u);
		ero_stage_free(below);
		return ero_fail_memory(err);
	}
	u->stage.below = below;
	u->stage.shown = below->shown;
	u->stage.read = read_unlz4;
	u->stage.free = free_unlz4;
	*result = &u->stage;
	return 0;
}
#else
int ero_stage_lz4(struct ero_stage *below, struct ero_stage **result, struct ero_error *err)
{
	int rc = ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "%s is compressed by LZ4: this build of erolith was configured without liblz4",
			  below->shown);

	*result = NULL;
	ero_stage_free(below);
	return rc;
}
#endif
