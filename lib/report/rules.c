// SPDX-License-Identifier: MIT
/* fsck.erofs --rules and --explain: the table of layering rules in words. */
#include "layering/rules.h"
#include "report/preflight.h"
#include "report/report.h"

#include <string.h>

static const char *const stages[] = {
	[ERO_AT_MOUNT] = "the mount fails", [ERO_AT_READ] = "reads fail or are wrong", [ERO_BESIDE] = "something else suffers"
};
static const char *const doubts[] = {
	[ERO_DOUBT_PASSES] = "ignored", [ERO_DOUBT_WARNS] = "a warning", [ERO_DOUBT_STOPS] = "no verdict"
};

static void ways_of(const struct ero_rule *r, char text[32])
{
	snprintf(text, 32, "%s%s%s", r->ways & ERO_BY_FILE ? "file " : "", r->ways & ERO_BY_LOOP ? "loop " : "",
		 r->ways & ERO_BY_DEVICE ? "device " : "");
	text[strlen(text) - 1] = '\0';
}

static void release_text(struct ero_kernel_version v, char *text, size_t size)
{
	if (v.major == 999)
		snprintf(text, size, "…");
	else if (v.rc)
		snprintf(text, size, "%u.%u-rc%u", v.major, v.minor, v.rc);
	else if (v.patch == ERO_KERNEL_NEWEST_PATCH)
		snprintf(text, size, "%u.%u.y", v.major, v.minor);
	else
		snprintf(text, size, "%u.%u.%u", v.major, v.minor, v.patch);
}

void ero_rule_windows(const struct ero_rule *r, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct ero_kernel_window *w = r->windows; w && w->to.major && used < size; w++) {
		char from[32], to[32];

		release_text(w->from, from, sizeof(from));
		release_text(w->to, to, sizeof(to));
		used += (size_t)snprintf(text + used, size - used, "%s%s to %s", used ? ", " : "", from, to);
	}
}

static json_object *rule_json(const struct ero_rule *r)
{
	json_object *o = json_object_new_object();
	char ways[32], windows[256];

	ways_of(r, ways);
	ero_rule_windows(r, windows, sizeof(windows));
	ero_json_add(o, "id", json_object_new_string(r->id));
	ero_json_add(o, "severity", json_object_new_string(ero_severity_name(r->severity)));
	ero_json_add(o, "ways", json_object_new_string(ways));
	ero_json_add(o, "effect", json_object_new_string(stages[r->stage]));
	if (r->code)
		ero_json_add(o, "errno", json_object_new_string(ero_errno_name(r->code)));
	if (r->windows)
		ero_json_add(o, "kernels", json_object_new_string(windows));
	ero_json_add(o, "unknown", json_object_new_string(doubts[r->doubt]));
	ero_json_add(o, "message", json_object_new_string(r->sentence));
	ero_json_add(o, "remedy", json_object_new_string(r->remedy));
	ero_json_add(o, "source", json_object_new_string(r->source));
	ero_json_add(o, "tried", json_object_new_string(r->tried));
	return o;
}

static void rule_text(const struct ero_rule *r, FILE *out)
{
	char ways[32], windows[256];

	ways_of(r, ways);
	ero_rule_windows(r, windows, sizeof(windows));
	fprintf(out, "%s\n  %s: %s\n", r->id, ero_severity_name(r->severity), r->sentence);
	fprintf(out, "  ways     %s\n  effect   %s%s%s\n", ways, stages[r->stage], r->code ? ": " : "", r->code ? ero_errno_name(r->code) : "");
	if (r->windows)
		fprintf(out, "  kernels  %s\n", windows);
	fprintf(out, "  unknown  %s\n  remedy   %s\n  source   %s\n  tried    %s\n", doubts[r->doubt], r->remedy, r->source, r->tried);
}

static int one_rule(const struct ero_rule *r, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	if (form == ERO_REPORT_JSON)
		return ero_report_json(rule_json(r), out, err);
	rule_text(r, out);
	return ero_report_end(out, err);
}

int ero_report_rules(const char *id, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	const struct ero_rule *r = id ? ero_rule_find(id) : NULL;
	json_object *list;

	if (id && !r)
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENOENT, "there is no rule \"%s\"; --rules lists them all", id);
	if (r)
		return one_rule(r, form, out, err);
	list = form == ERO_REPORT_JSON ? json_object_new_array() : NULL;
	for (size_t i = 0; (r = ero_rule_at(i)); i++) {
		if (form == ERO_REPORT_JSON)
			ero_json_append(list, rule_json(r));
		else
			fprintf(out, "%-8s %-32s %s\n", ero_severity_name(r->severity), r->id, r->sentence);
	}
	return form == ERO_REPORT_JSON ? ero_report_json(list, out, err) : ero_report_end(out, err);
}
