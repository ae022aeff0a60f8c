// SPDX-License-Identifier: MIT
/* Common pieces of all reports. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

int ero_report_end(FILE *out, struct ero_error *err)
{
	if (fflush(out) || ferror(out))
		return ero_fail_errno(err, "cannot write the report");
	return 0;
}

int ero_report_json(struct json_object *document, FILE *out, struct ero_error *err)
{
	const char *text = document ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
										       JSON_C_TO_STRING_NOSLASHESCAPE) :
				      NULL;

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(document);
	return text ? ero_report_end(out, err) : ero_fail_memory(err);
}

void ero_json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (object && value)
		json_object_object_add(object, key, value);
}

void ero_json_add_u64(struct json_object *object, const char *key, uint64_t value)
{
	ero_json_add(object, key, json_object_new_uint64(value));
}

/* Length of the valid UTF-8 sequence at p, 0 if there is none (RFC 3629). */
static size_t sequence(const unsigned char *p, size_t left)
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
		size_t n = c < 32 || c == 127 || c == '\\' ? 0 : sequence((const unsigned char *)name + i, length - i);

		if (n)
			fwrite(name + i, 1, n, out);
		else
			fprintf(out, "\\x%02x", c);
		i += n ? n : 1;
	}
}

void ero_json_add_name(struct json_object *object, const char *key, const char *name, size_t length)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *text = calloc(3, length + 1), *hex = calloc(2, length + 1), hex_key[64];
	size_t out = 0;
	bool exact = true;

	if (text && hex) {
		for (size_t i = 0; i < length;) {
			size_t n = sequence((const unsigned char *)name + i, length - i);

			memcpy(text + out, n ? name + i : replacement, n ? n : 3);
			out += n ? n : 3;
			i += n ? n : 1;
			exact = exact && n;
		}
		ero_json_add(object, key, json_object_new_string_len(text, (int)out));
		if (!exact) {
			for (size_t i = 0; i < length; i++)
				snprintf(hex + i * 2, 3, "%02x", (unsigned char)name[i]);
			snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
			ero_json_add(object, hex_key, json_object_new_string(hex));
		}
	}
	free(text);
	free(hex);
}

void ero_uuid_text(const uint8_t u[16], char text[37])
{
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3],
		 u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}
