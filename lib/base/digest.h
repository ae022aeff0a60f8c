/* SPDX-License-Identifier: MIT */
/* SHA-256 of a file, through OpenSSL. */
#ifndef ERO_BASE_DIGEST_H
#define ERO_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

enum { ERO_SHA256_TEXT = 2 * 32 + 1 };

/* Any bytes, piece by piece. Create returns NULL when memory ends; final gives 32 bytes, unless `result` is
 * NULL, and frees. */
struct ero_sha256;
enum { ERO_SHA256_SIZE = 32 };
struct ero_sha256 *ero_sha256_create(void);
bool ero_sha256_update(struct ero_sha256 *digest, const void *bytes, size_t length);
bool ero_sha256_final(struct ero_sha256 *digest, uint8_t result[ERO_SHA256_SIZE]);

/* Digest, in hexadecimal, of the first `length` bytes; what the file does not have counts as zeros. */
int ero_sha256_file(int fd, uint64_t length, char text[ERO_SHA256_TEXT], struct ero_error *err);

#endif
