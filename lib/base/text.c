// SPDX-License-Identifier: MIT
/* Names are bytes; what people read is UTF-8. */
#include "base/text.h"
#include "erolith.h"

size_t ero_utf8_sequence(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
		   p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void ero_print_name(FILE *out, const char *name, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)name[i];
		bool control = c < 32 || c == 127 || (c == 0xc2 && i + 1 < length && (unsigned char)name[i + 1] < 0xa0);
		size_t n = control || c == '\\' ? 0 : ero_utf8_sequence((const unsigned char *)name + i, length - i);

		if (n)
			fwrite(name + i, 1, n, out);
		else
			fprintf(out, "\\x%02x", c);
		i += n ? n : 1;
	}
}

void ero_hex(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}
