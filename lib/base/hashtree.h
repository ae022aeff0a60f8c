/* SPDX-License-Identifier: MIT */
/* The hash tree of dm-verity (SHA-256, blocks of 4096 bytes) behind the data it is about, with the superblock of veritysetup(8):
 * https://docs.kernel.org/admin-guide/device-mapper/verity.html. */
#ifndef ERO_BASE_HASHTREE_H
#define ERO_BASE_HASHTREE_H

#include <stdbool.h>
#include "base/digest.h"

enum { ERO_HASHTREE_BLOCK = 4096, ERO_HASHTREE_SALT = 256 };

struct ero_hashtree {
	int fd;
	uint64_t base;          /* byte of the file at which the data begins */
	uint64_t blocks;        /* of data; the tree's superblock lies in the one behind them */
	unsigned salt_size;     /* bytes */
	uint8_t salt[ERO_HASHTREE_SALT];
	uint8_t uuid[16];
	uint8_t root[ERO_SHA256_SIZE];
	unsigned workers;
};

/* Bytes of superblock and tree. */
uint64_t ero_hashtree_size(uint64_t blocks);
/* Reads the data and writes superblock and tree behind it; fills `root`. */
int ero_hashtree_write(struct ero_hashtree *tree, struct ero_error *err);
/* Looks for a superblock behind `blocks` blocks and fills salt and uuid. 1 if there is one for that many blocks, 0 if there is
 * none, -EUCLEAN for one that makes no sense. */
int ero_hashtree_find(struct ero_hashtree *tree, struct ero_error *err);
/* Reads data and tree and fills `root`. Calls `bad` for every block, from the beginning of the data, that is not what the
 * block above says. */
int ero_hashtree_verify(struct ero_hashtree *tree, void (*bad)(void *context, uint64_t block), void *context,
			struct ero_error *err);

#endif
