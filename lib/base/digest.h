/* SPDX-License-Identifier: MIT */
/* SHA-256 of a file, through OpenSSL. */
#ifndef ERO_BASE_DIGEST_H
#define ERO_BASE_DIGEST_H

#include <stdint.h>
#include "base/error.h"

enum { ERO_SHA256_TEXT = 2 * 32 + 1 };

/* Digest, in hexadecimal, of the first `length` bytes; what the file does not have counts as zeros. */
int ero_sha256_file(int fd, uint64_t length, char text[ERO_SHA256_TEXT], struct ero_error *err);

#endif
