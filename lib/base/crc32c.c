// SPDX-License-Identifier: MIT
/*
 * No library of Debian 12 that we link offers CRC-32C, and one block a file system is all it is needed for: so the
 * bitwise definition, reflected polynomial 0x82F63B78 (iSCSI, RFC 3720 appendix B.4).
 */
#include "base/crc32c.h"

uint32_t ero_crc32c(uint32_t crc, const void *data, size_t length)
{
	const unsigned char *p = data;

	while (length--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	return crc;
}
