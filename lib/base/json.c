// SPDX-License-Identifier: MIT
/* Members of JSON objects, through json-c. */
#include "base/json.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ero_json_write(struct json_object *document, FILE *out, struct ero_error *err)
{
	const char *text = document ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
										       JSON_C_TO_STRING_NOSLASHESCAPE) :
				      NULL;

	if (!text)
		return ero_fail_memory(err);
	return fprintf(out, "%s\n", text) < 0 ? ero_fail_errno(err, "cannot write the document") : 0;
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

void ero_json_add_name(struct json_object *object, const char *key, const char *name, size_t length)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *text = calloc(3, length + 1), *hex = calloc(2, length + 1), hex_key[64];
	size_t out = 0;
	bool exact = true;

	if (text && hex) {
		for (size_t i = 0; i < length;) {
			size_t n = ero_utf8_sequence((const unsigned char *)name + i, length - i);

			memcpy(text + out, n ? name + i : replacement, n ? n : 3);
			out += n ? n : 3;
			i += n ? n : 1;
			exact = exact && n;
		}
		ero_json_add(object, key, json_object_new_string_len(text, (int)out));
		if (!exact) {
			ero_hex((const uint8_t *)name, length, hex);
			snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
			ero_json_add(object, hex_key, json_object_new_string(hex));
		}
	}
	free(text);
	free(hex);
}
