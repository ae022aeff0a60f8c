// SPDX-License-Identifier: MIT
/* fsck.erofs --checks and --explain: the catalogue of invariants in words. */
#include "check/catalogue.h"
#include "report/report.h"

static json_object *as_json(const struct ero_invariant *i)
{
	json_object *o = json_object_new_object();

	ero_json_add(o, "id", json_object_new_string(i->id));
	ero_json_add(o, "severity", json_object_new_string(ero_severity_name(i->severity)));
	ero_json_add(o, "statement", json_object_new_string(i->statement));
	ero_json_add(o, "broken", json_object_new_string(i->broken));
	return o;
}

int ero_report_invariants(const char *id, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	const struct ero_invariant *one = id ? ero_invariant_find(id) : NULL;
	json_object *list;

	if (id && !one)
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENOENT, "there is no invariant \"%s\"; --checks lists them all", id);
	if (one && form == ERO_REPORT_JSON)
		return ero_report_json(as_json(one), out, err);
	if (one) {
		fprintf(out, "%s\n  %s: %s\n  broken   %s\n", one->id, ero_severity_name(one->severity), one->statement, one->broken);
		return ero_report_end(out, err);
	}
	list = form == ERO_REPORT_JSON ? json_object_new_array() : NULL;
	for (const struct ero_invariant *i = ero_invariants; i->id; i++) {
		if (form == ERO_REPORT_JSON)
			ero_json_append(list, as_json(i));
		else
			fprintf(out, "%-8s %-22s %s\n", ero_severity_name(i->severity), i->id, i->statement);
	}
	return form == ERO_REPORT_JSON ? ero_report_json(list, out, err) : ero_report_end(out, err);
}
