/* SPDX-License-Identifier: MIT */
/*
 * Content-defined chunking (FastCDC: Xia and others, USENIX ATC 2016): a hash that rolls over the bytes cuts them where
 * it has enough zeros, so that equal content is cut alike wherever it lies. Below the average size it takes more zeros
 * than above, which keeps sizes near it.
 */
#ifndef ERO_PACK_CDC_H
#define ERO_PACK_CDC_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/vec.h"

/* A quarter of the average and eight times of it are the bounds of a chunk's size. */
#define ERO_CDC_AVERAGE_LEAST 4096u
#define ERO_CDC_AVERAGE_MOST (8u << 20)

struct ero_cdc_chunk {
	uint64_t digest[3]; /* the first 192 bits of SHA-256; all 0: nothing but zeros */
	uint32_t length;
};

struct ero_cdc {
	uint64_t gear[256], hash, hard, easy;
	uint32_t average, length;            /* of chunks; of the one that is open */
	bool zero;                           /* it has nothing but zeros so far */
	EVP_MD_CTX *digest;
	ERO_VEC(struct ero_cdc_chunk) chunks; /* the file's so far */
};

/* Values that need only be fixed and unrelated, one a byte, for rolling hashes. */
void ero_gear(uint64_t gear[256]);

/* `average`: bytes, a power of two. False when memory ends. */
bool ero_cdc_init(struct ero_cdc *cdc, uint32_t average);
void ero_cdc_free(struct ero_cdc *cdc);
/* Takes the next bytes of a file; ends it. False when memory ends. */
bool ero_cdc_take(struct ero_cdc *cdc, const uint8_t *bytes, size_t length);
bool ero_cdc_end(struct ero_cdc *cdc);
/* The next `length` bytes are a hole. */
bool ero_cdc_hole(struct ero_cdc *cdc, uint64_t length);

#endif
