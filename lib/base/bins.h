/* SPDX-License-Identifier: MIT */
/* Best-fit packing of pieces that must not cross a block into blocks, in units of 32 bytes. */
#ifndef ERO_BASE_BINS_H
#define ERO_BASE_BINS_H

#include "base/error.h"
#include "base/vec.h"

struct ero_bin {
	uint64_t block;
	uint32_t used;  /* bytes, a multiple of 32 */
	uint32_t next;  /* bin with the same room, + 1 */
};

#define ERO_BIN_CLASSES (65536 / 32 + 1)

struct ero_bins {
	unsigned block_size;
	ERO_VEC(struct ero_bin) bins;
	uint32_t heads[ERO_BIN_CLASSES];              /* by room in units: bin + 1, newest first */
	uint64_t occupied[ERO_BIN_CLASSES / 64 + 1];  /* classes that have a bin */
};

/* Finds the block with the least room that still takes `size` bytes (at most a block), else takes *next_block and
 * moves it on. Writes the byte address. */
int ero_bins_place(struct ero_bins *bins, uint32_t size, uint64_t *next_block, uint64_t *address,
		   struct ero_error *err);
/* Offers a block that is used up to `used` bytes. */
int ero_bins_offer(struct ero_bins *bins, uint64_t block, uint32_t used, struct ero_error *err);

#endif
