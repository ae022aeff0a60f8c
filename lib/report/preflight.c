// SPDX-License-Identifier: MIT
/* fsck.erofs --preflight: facts to rules to verdict, and the report of it. */
#include "layering/rules.h"
#include "report/report.h"

#include <string.h>

struct outcome {
	enum ero_verdict verdict;
	unsigned broken[3], unknown;
};

static const char *const severity_names[] = { [ERO_INFO] = "info", [ERO_WARNING] = "warning", [ERO_DAMAGE] = "error" };
static const char *const verdict_names[] = {
	[ERO_GO] = "go", [ERO_GO_WITH_WARNINGS] = "go-with-warnings", [ERO_NO_GO] = "no-go", [ERO_CANNOT_JUDGE] = "cannot-judge",
};

static void tell_text(FILE *out, const struct ero_rule *r, enum ero_truth truth, const char *detail)
{
	if (truth == ERO_UNKNOWN)
		fprintf(out, "unknown  %s: not enough is known to judge it\n", r->id);
	else
		fprintf(out, "%-8s %s: %s%s%s%s\n         remedy: %s\n", severity_names[r->severity], r->id, r->sentence,
			*detail ? " (" : "", detail, *detail ? ")" : "", r->remedy);
}

static json_object *tell_json(const struct ero_rule *r, enum ero_truth truth, const char *detail)
{
	json_object *o = json_object_new_object();

	ero_json_add(o, "id", json_object_new_string(r->id));
	ero_json_add(o, "severity", json_object_new_string(truth == ERO_UNKNOWN ? "unknown" : severity_names[r->severity]));
	ero_json_add(o, "message", json_object_new_string(r->sentence));
	if (*detail)
		ero_json_add_name(o, "detail", detail, strlen(detail));
	ero_json_add(o, "remedy", json_object_new_string(r->remedy));
	ero_json_add(o, "source", json_object_new_string(r->source));
	return o;
}

static void judge_all(const struct ero_facts *f, FILE *out, json_object *list, struct outcome *o)
{
	for (const struct ero_rule *r = ero_rules; r->id; r++) {
		char detail[600] = "";
		enum ero_truth truth = r->judge(f, detail, sizeof(detail));

		if (truth == ERO_HOLDS)
			continue;
		if (truth == ERO_UNKNOWN && r->severity == ERO_DAMAGE)
			o->unknown++;
		if (truth == ERO_BROKEN)
			o->broken[r->severity]++;
		if (list)
			json_object_array_add(list, tell_json(r, truth, detail));
		else
			tell_text(out, r, truth, detail);
	}
	o->verdict = o->broken[ERO_DAMAGE] ? ERO_NO_GO : o->unknown ? ERO_CANNOT_JUDGE :
		     o->broken[ERO_WARNING] ? ERO_GO_WITH_WARNINGS : ERO_GO;
}

int ero_preflight(const struct ero_preflight_options *options, enum ero_report_form form, FILE *out,
		  enum ero_verdict *verdict, struct ero_error *err)
{
	json_object *list = form == ERO_REPORT_JSON ? json_object_new_array() : NULL, *document;
	struct outcome o = { 0 };
	struct ero_facts facts;
	int rc = ero_facts_gather(options, &facts, err);

	*verdict = ERO_CANNOT_JUDGE;
	if (rc) {
		json_object_put(list);
		return rc;
	}
	judge_all(&facts, out, list, &o);
	*verdict = o.verdict;
	if (form == ERO_REPORT_TEXT) {
		static const char *const words[] = {
			[ERO_GO] = "may be mounted file-backed here",
			[ERO_GO_WITH_WARNINGS] = "may be mounted file-backed here; mind the warnings",
			[ERO_NO_GO] = "must not be mounted this way",
			[ERO_CANNOT_JUDGE] = "cannot be judged: facts are missing",
		};

		fprintf(out, "%s: %s (%s, Linux %s)\n", options->image, words[o.verdict],
			*facts.fs_type ? facts.fs_type : "unknown file system", facts.release);
		return ero_report_end(out, err);
	}
	document = json_object_new_object();
	ero_json_add_name(document, "image", options->image, strlen(options->image));
	ero_json_add(document, "verdict", json_object_new_string(verdict_names[o.verdict]));
	ero_json_add(document, "kernel", json_object_new_string(facts.release));
	ero_json_add(document, "filesystem", json_object_new_string(facts.fs_type));
	ero_json_add(document, "findings", list);
	return ero_report_json(document, out, err);
}
