/* SPDX-License-Identifier: MIT */
/* Numbers keys of two 64-bit words in the order of their first appearance: what belongs to a key is kept by the caller
 * in an array of its own. 16 bytes a key and 8 to 16 of index. */
#ifndef ERO_BASE_KEYS_H
#define ERO_BASE_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/vec.h"

struct ero_key {
	uint64_t first, second;
};

struct ero_keys {
	ERO_VEC(struct ero_key) keys;
	uint32_t *slots; /* number + 1; 0: free. Half of them at most are used */
	size_t room;
};

/* The number of a key, which is a new one (keys.count as it was before) if *is_new. UINT32_MAX when memory ends. */
uint32_t ero_keys_number(struct ero_keys *k, uint64_t first, uint64_t second, bool *is_new);
void ero_keys_free(struct ero_keys *k);

#endif
