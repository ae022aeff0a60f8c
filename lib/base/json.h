/* SPDX-License-Identifier: MIT */
/* Adding members to JSON objects; the library is json-c. */
#ifndef ERO_BASE_JSON_H
#define ERO_BASE_JSON_H

#include <json.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* Prints a document for people and programs. Nothing is printed but an error (-ENOMEM) if memory did not suffice for all of it: for the document
 * (NULL) or for any part that was added by what follows here. The document stays. */
int ero_json_write(struct json_object *document, FILE *out, struct ero_error *err);
/* Adds a member, or an element. NULL stands for memory that ended on the way, which is remembered; the value is taken over in any case. */
void ero_json_add(struct json_object *object, const char *key, struct json_object *value);
void ero_json_add_null(struct json_object *object, const char *key);
void ero_json_append(struct json_object *array, struct json_object *value);
void ero_json_add_u64(struct json_object *object, const char *key, uint64_t value);
/* Names may be any bytes; JSON strings are UTF-8. Bytes that are not become U+FFFD, and the exact name is then given
 * as hexadecimal in a second member, "KEY_hex". */
void ero_json_add_name(struct json_object *object, const char *key, const char *name, size_t length);

#endif
