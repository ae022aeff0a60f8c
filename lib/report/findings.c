// SPDX-License-Identifier: MIT
/* fsck.erofs --json: findings as they come, then one document. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

struct ero_findings {
	json_object *list;
};

int ero_findings_create(struct ero_findings **findings, struct ero_error *err)
{
	*findings = calloc(1, sizeof(**findings));
	if (*findings && ((*findings)->list = json_object_new_array()))
		return 0;
	free(*findings);
	*findings = NULL;
	return ero_fail_memory(err);
}

void ero_findings_add(struct ero_findings *findings, const struct ero_finding *f)
{
	json_object *o = json_object_new_object();

	ero_json_add(o, "id", json_object_new_string(f->id));
	ero_json_add(o, "severity", json_object_new_string(ero_severity_name(f->severity)));
	if (f->path)
		ero_json_add_name(o, "path", f->path, strlen(f->path));
	if (f->has_nid)
		ero_json_add_u64(o, "nid", f->nid);
	if (f->has_offset)
		ero_json_add_u64(o, "offset", f->offset);
	ero_json_add_name(o, "message", f->message, strlen(f->message));
	if (f->expected)
		ero_json_add(o, "expected", json_object_new_string(f->expected));
	if (f->found)
		ero_json_add(o, "found", json_object_new_string(f->found));
	ero_json_append(findings->list, o);
}

int ero_findings_report(struct ero_findings *findings, const char *image, int exit_code,
			const struct ero_check_result *r, FILE *out, struct ero_error *err)
{
	json_object *o = json_object_new_object();

	ero_json_add_name(o, "image", image, strlen(image));
	ero_json_add(o, "exit_code", json_object_new_int(exit_code));
	ero_json_add_u64(o, "errors", r->damages);
	ero_json_add_u64(o, "warnings", r->warnings);
	if (r->untold)
		ero_json_add_u64(o, "untold", r->untold);
	ero_json_add_u64(o, "inodes", r->inodes);
	ero_json_add_u64(o, "directories", r->directories);
	ero_json_add_u64(o, "regular", r->regular);
	ero_json_add_u64(o, "symlinks", r->symlinks);
	ero_json_add_u64(o, "specials", r->specials);
	ero_json_add_u64(o, "data_bytes", r->data_bytes);
	ero_json_add_u64(o, "stored_bytes", r->stored_bytes);
	if (*r->verity_root)
		ero_json_add(o, "verity_root", json_object_new_string(r->verity_root));
	ero_json_add(o, "findings", findings->list);
	free(findings);
	return ero_report_json(o, out, err);
}
