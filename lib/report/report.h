/* SPDX-License-Identifier: MIT */
/* What the reports share: JSON through json-c, and endings that do not lose a write error. */
#ifndef ERO_REPORT_REPORT_H
#define ERO_REPORT_REPORT_H

#include "base/error.h"
#include "base/json.h"

/* Prints a JSON document to `out` and frees it; NULL stands for memory that ended on the way. */
int ero_report_json(struct json_object *document, FILE *out, struct ero_error *err);
/* Flushes and says what went wrong with writing, if anything did. */
int ero_report_end(FILE *out, struct ero_error *err);

/* "info", "warning", "error" */
const char *ero_severity_name(enum ero_severity severity);
/* "1b4e28ba-…" */
void ero_uuid_text(const uint8_t uuid[16], char text[37]);

#endif
