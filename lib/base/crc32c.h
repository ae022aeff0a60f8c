/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli) as the superblock checksum uses it: no inversion before or after. */
#ifndef ERO_BASE_CRC32C_H
#define ERO_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues the register `crc` (start it with ~0) over `length` bytes. */
uint32_t ero_crc32c(uint32_t crc, const void *data, size_t length);

#endif
