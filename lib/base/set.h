/* SPDX-License-Identifier: MIT */
/* A set of 64-bit numbers: open addressing, doubled when half full. For inode numbers met on a walk. */
#ifndef ERO_BASE_SET_H
#define ERO_BASE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ero_set {
	uint64_t *slots;
	size_t room, count;
	bool has_zero; /* 0 marks a free slot */
};

/* 1 if the number was added, 0 if it was there, -1 when memory ends. */
int ero_set_add(struct ero_set *set, uint64_t number);
void ero_set_free(struct ero_set *set);

#endif
