// SPDX-License-Identifier: MIT
/* strtoull takes blanks, signs and rubbish behind a number; this takes none of them. */
#include "erolith.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool ero_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned long long v;
	uint64_t unit = 1;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno)
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		unit = 1 << 10;
		break;
	case 'm':
	case 'M':
		unit = 1 << 20;
		break;
	case 'g':
	case 'G':
		unit = 1 << 30;
		break;
	}
	if (unit > 1)
		end++;
	if (*end || __builtin_mul_overflow(v, unit, &v) || v < min || v > max)
		return false;
	*value = v;
	return true;
}
