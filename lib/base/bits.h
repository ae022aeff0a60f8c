/* SPDX-License-Identifier: MIT */
/* A sparse set of numbers, some of them marked: memory for those that are near others, 256 bytes for each 1024 numbers that hold any. */
#ifndef ERO_BASE_BITS_H
#define ERO_BASE_BITS_H

#include "base/keys.h"

enum { ERO_BITS_PAGE = 1024, ERO_BITS_NEAR = 128 };

struct ero_bits_page {
	uint64_t words[ERO_BITS_PAGE / 64], marks[ERO_BITS_PAGE / 64];
};

struct ero_bits {
	struct ero_keys numbers;          /* of pages: number / ERO_BITS_PAGE */
	ERO_VEC(struct ero_bits_page) pages;
	struct {
		uint64_t number;
		size_t at;                /* + 1 */
	} near[ERO_BITS_NEAR];            /* pages looked for last, by number % ERO_BITS_NEAR */
	uint32_t *order;                  /* pages by number; for ero_bits_next() */
	size_t next;                      /* place in it where the last search ended */
};

/* Adds [from, from + count), but nothing more where one is met that is there already: then 1; 0 if none was, -ENOMEM. */
int ero_bits_claim(struct ero_bits *bits, uint64_t from, uint64_t count);
/* Marks a number, in the set or not: 1 if it was marked before, 0 if not, -ENOMEM. */
int ero_bits_mark(struct ero_bits *bits, uint64_t number);
/* No more will be added: makes ero_bits_next() possible. -ENOMEM or 0. */
int ero_bits_finish(struct ero_bits *bits);
/* The smallest number of the set in [from, end); UINT64_MAX: none. */
uint64_t ero_bits_next(struct ero_bits *bits, uint64_t from, uint64_t end);
void ero_bits_free(struct ero_bits *bits);

#endif
