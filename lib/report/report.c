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
	int rc = ero_json_write(document, out, err);

	json_object_put(document);
	return rc ? rc : ero_report_end(out, err);
}

const char *ero_severity_name(enum ero_severity severity)
{
	static const char *const names[] = { [ERO_INFO] = "info", [ERO_WARNING] = "warning", [ERO_DAMAGE] = "error" };

	return names[severity];
}

void ero_uuid_text(const uint8_t u[16], char text[37])
{
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3],
		 u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}
