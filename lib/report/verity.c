// SPDX-License-Identifier: MIT
/* dump.erofs --verity-digest. */
#include "report/report.h"

#include <string.h>

int ero_report_verity(const char *path, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	char digest[ERO_VERITY_TEXT];
	json_object *o;
	int rc = ero_verity_digest(path, digest, err);

	if (rc)
		return rc;
	if (form == ERO_REPORT_TEXT) {
		fprintf(out, "%s ", digest);
		ero_print_text(out, path, strlen(path));
		fputc('\n', out);
		return ero_report_end(out, err);
	}
	o = json_object_new_object();
	ero_json_add_name(o, "image", path, strlen(path));
	ero_json_add(o, "verity_digest", json_object_new_string(digest));
	return ero_report_json(o, out, err);
}
