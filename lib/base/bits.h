/* SPDX-License-Identifier: MIT */
/* A sparse set of numbers: memory for those that are near others, 512 bytes for each 4096 numbers that hold any. */
#ifndef ERO_BASE_BITS_H
#define ERO_BASE_BITS_H

#include "base/keys.h"

enum { ERO_BITS_PAGE = 4096 };

struct ero_bits_page {
	uint64_t words[ERO_BITS_PAGE / 64];
};

struct ero_bits {
	struct ero_keys numbers;          /* of pages: number / ERO_BITS_PAGE */
	ERO_VEC(struct ero_bits_page) pages;
	uint64_t last;                    /* the page looked for last, and where it is + 1 */
	size_t last_at;
	uint32_t *order;                  /* pages by number; for ero_bits_next() */
	size_t next;                      /* place in it where the last search ended */
};

/* Adds [from, from + count), but nothing more where one is met that is there already: then 1; 0 if none was, -ENOMEM. */
int ero_bits_claim(struct ero_bits *bits, uint64_t from, uint64_t count);
/* No more will be added: makes ero_bits_next() possible. -ENOMEM or 0. */
int ero_bits_finish(struct ero_bits *bits);
/* The smallest number of the set that is not below `from`; UINT64_MAX: none. */
uint64_t ero_bits_next(struct ero_bits *bits, uint64_t from);
void ero_bits_free(struct ero_bits *bits);

#endif
