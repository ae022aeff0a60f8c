/* SPDX-License-Identifier: MIT */
/* Which bytes are text, and bytes as text. */
#ifndef ERO_BASE_TEXT_H
#define ERO_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Length of the valid UTF-8 sequence at p, 0 if there is none (RFC 3629). */
size_t ero_utf8_sequence(const unsigned char *p, size_t left);

/* Two lower-case digits for each byte, and an ending zero: 2 * length + 1 bytes of text. */
void ero_hex(const uint8_t *bytes, size_t length, char *text);

#endif
