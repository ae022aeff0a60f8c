// SPDX-License-Identifier: MIT
/* Members of JSON objects, through json-c. */
#include "base/json.h"
#include "base/text.h"

#include <json_visit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an object or array points to if it is not all that it should be. */
static const char incomplete;

static void mark_incomplete(struct json_object *parent)
{
	if (parent)
		json_object_set_userdata(parent, (void *)(uintptr_t)&incomplete, NULL);
}

static int find_incomplete(struct json_object *o, int flags, struct json_object *parent, const char *key, size_t *index, void *found)
{
	(void)flags, (void)parent, (void)key, (void)index;
	if (!o || json_object_get_userdata(o) != &incomplete)
		return JSON_C_VISIT_RETURN_CONTINUE;
	*(bool *)found = true;
	return JSON_C_VISIT_RETURN_STOP;
}

static bool is_complete(struct json_object *document)
{
	bool found = false;

	return document && json_c_visit(document, 0, find_incomplete, &found) >= 0 && !found;
}

/* json-c leaves out of the text what it finds no memory for; the second time the memory of the first is there. */
static const char *whole_text(struct json_object *document)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t first = 0, second = 0;
	const char *text;

	(void)json_object_to_json_string_length(document, flags, &first);
	text = json_object_to_json_string_length(document, flags, &second);
	return first == second ? text : NULL;
}

int ero_json_write(struct json_object *document, FILE *out, struct ero_error *err)
{
	const char *text = is_complete(document) ? whole_text(document) : NULL;

	if (!text)
		return ero_fail_memory(err);
	return fprintf(out, "%s\n", text) < 0 ? ero_fail_errno(err, "cannot write the document") : 0;
}

void ero_json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (object && value && !json_object_object_add(object, key, value))
		return;
	json_object_put(value);
	mark_incomplete(object);
}

void ero_json_add_null(struct json_object *object, const char *key)
{
	if (object && json_object_object_add(object, key, NULL))
		mark_incomplete(object);
}

void ero_json_append(struct json_object *array, struct json_object *value)
{
	if (array && value && !json_object_array_add(array, value))
		return;
	json_object_put(value);
	mark_incomplete(array);
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
	} else {
		mark_incomplete(object);
	}
	free(text);
	free(hex);
}
