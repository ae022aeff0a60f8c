/* SPDX-License-Identifier: MIT */
/* Which bytes are text. */
#ifndef ERO_BASE_TEXT_H
#define ERO_BASE_TEXT_H

#include <stddef.h>

/* Length of the valid UTF-8 sequence at p, 0 if there is none (RFC 3629). */
size_t ero_utf8_sequence(const unsigned char *p, size_t left);

#endif
