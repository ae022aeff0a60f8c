/* SPDX-License-Identifier: MIT */
/* What the reports share: JSON through json-c, and endings that do not lose a write error. */
#ifndef ERO_REPORT_REPORT_H
#define ERO_REPORT_REPORT_H

#include <json.h>
#include "base/error.h"

/* Prints a JSON document to `out` and frees it; NULL stands for memory that ended on the way. */
int ero_report_json(struct json_object *document, FILE *out, struct ero_error *err);
/* Flushes and says what went wrong with writing, if anything did. */
int ero_report_end(FILE *out, struct ero_error *err);

/* Adds a member; a NULL object or value is passed over. */
void ero_json_add(struct json_object *object, const char *key, struct json_object *value);
void ero_json_add_u64(struct json_object *object, const char *key, uint64_t value);
/* Names may be any bytes; JSON strings are UTF-8. Bytes that are not become U+FFFD, and the exact name is then given
 * as hexadecimal in a second member, "KEY_hex". */
void ero_json_add_name(struct json_object *object, const char *key, const char *name, size_t length);

/* "1b4e28ba-…" */
void ero_uuid_text(const uint8_t uuid[16], char text[37]);

#endif
