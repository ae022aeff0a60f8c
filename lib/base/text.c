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

/* Characters that show nothing, or change the order in which others are shown: zero-width ones, those that turn the direction of text, and
 * line and paragraph separators (Unicode 15, general categories Cf, Zl and Zp as far as they do so). */
static bool is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static uint32_t code_point(const unsigned char *p, size_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void print_escaped(FILE *out, const char *text, size_t length, bool backslash)
{
	for (size_t i = 0; i < length;) {
		const unsigned char *p = (const unsigned char *)text + i;
		size_t n = ero_utf8_sequence(p, length - i);
		uint32_t c = n ? code_point(p, n) : 0;
		bool bad = !n || c < 32 || (c >= 127 && c < 160) || is_invisible(c) || (backslash && c == '\\');

		n = n ? n : 1;
		if (!bad)
			fwrite(p, 1, n, out);
		for (size_t k = 0; bad && k < n; k++)
			fprintf(out, "\\x%02x", p[k]);
		i += n;
	}
}

void ero_print_name(FILE *out, const char *name, size_t length)
{
	print_escaped(out, name, length, true);
}

void ero_print_text(FILE *out, const char *text, size_t length)
{
	print_escaped(out, text, length, false);
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
