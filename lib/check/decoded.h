/* SPDX-License-Identifier: MIT */
/* Which encoded extents were handed to a thread to be decoded, so that what many files share is decoded once. Memory: 8 MiB, and 40
 * bytes for each that is shared. */
#ifndef ERO_CHECK_DECODED_H
#define ERO_CHECK_DECODED_H

#include "base/keys.h"
#include "image/map.h"

struct ero_decoded {
	uint64_t *met;            /* bits, by hash of where an extent lies */
	struct ero_keys shared;   /* where those lie that were met more than once */
	ERO_VEC(uint32_t) ways;   /* for each: how it has been decoded; ERO_DECODED_WAYS of them */
};

enum {
	ERO_DECODED_NEW,      /* decode it */
	ERO_DECODED_BEFORE,   /* it has been, the same way, or farther */
	ERO_DECODED_TOO_MANY, /* it is used in more ways than any writer has a reason for */
};

/* One of the three, or -ENOMEM. Only encoded extents on a device are asked for. */
int ero_decoded_meet(struct ero_decoded *decoded, const struct ero_extent *extent);
void ero_decoded_free(struct ero_decoded *decoded);

#endif
