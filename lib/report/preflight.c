// SPDX-License-Identifier: MIT
/* fsck.erofs --preflight: from facts to rules to verdict and advice, and the report of it. */
#include "report/preflight.h"

#include <inttypes.h>
#include <string.h>

const char *ero_verdict_name(enum ero_verdict verdict)
{
	static const char *const names[] = {
		[ERO_GO] = "go", [ERO_GO_WITH_WARNINGS] = "go-with-warnings", [ERO_NO_GO] = "no-go", [ERO_CANNOT_JUDGE] = "cannot-judge",
	};

	return names[verdict];
}

/* What is found while the rules are gone through: one of `out` and `list` takes it. */
struct telling {
	FILE *out;
	json_object *list;
	bool notes;    /* what is merely good to know, too */
	bool unknowns; /* what could not be learnt: of no interest beside errors */
};

static void tell_text(const struct telling *t, const struct ero_rule *r, enum ero_truth truth, const char *detail)
{
	fprintf(t->out, "%-8s %s: %s", truth == ERO_UNKNOWN ? "unknown" : ero_severity_name(r->severity), r->id,
		truth == ERO_UNKNOWN ? "this could not be learnt: " : "");
	fputs(r->sentence, t->out);
	if (*detail) {
		fputs(" (", t->out);
		ero_print_name(t->out, detail, strlen(detail));
		fputc(')', t->out);
	}
	fprintf(t->out, "\n         remedy: %s\n", r->remedy);
}

static json_object *tell_json(const struct ero_rule *r, enum ero_truth truth, const char *detail)
{
	json_object *o = json_object_new_object();

	ero_json_add(o, "id", json_object_new_string(r->id));
	ero_json_add(o, "severity", json_object_new_string(truth == ERO_UNKNOWN ? "unknown" : ero_severity_name(r->severity)));
	ero_json_add(o, "message", json_object_new_string(r->sentence));
	if (*detail)
		ero_json_add_name(o, "detail", detail, strlen(detail));
	ero_json_add(o, "remedy", json_object_new_string(r->remedy));
	ero_json_add(o, "source", json_object_new_string(r->source));
	return o;
}

static void tell(void *context, const struct ero_rule *r, enum ero_truth truth, const struct ero_detail *detail)
{
	const struct telling *t = context;
	bool wanted = truth == ERO_UNKNOWN ? t->unknowns && r->doubt != ERO_DOUBT_PASSES : r->severity != ERO_INFO;

	if (t->list)
		ero_json_append(t->list, tell_json(r, truth, detail->text));
	else if (wanted || t->notes)
		tell_text(t, r, truth, detail->text);
}

/* Verdict and kernel may disagree: that is a finding about us, and about nothing else. */
static const char *compare(const struct ero_judgement *j, const struct ero_probe *p)
{
	if (!p->asked)
		return NULL;
	if (p->code && !j->at_mount)
		return "no rule says that the mount fails, but the kernel refuses it";
	if (!p->code && j->at_mount)
		return "a rule says that the mount fails, but the kernel takes it";
	return "rules and kernel agree";
}

/* ---- as text ---- */

static void advice_text(const struct ero_facts *f, FILE *out)
{
	struct ero_advice advice[ERO_ADVICE_WAYS];
	size_t n = ero_advise(f, advice);

	if (!n)
		return;
	fprintf(out, "%-18s %-17s %s\n", "way", "verdict", "pages when all was read: file below + device + content = all");
	for (size_t i = 0; i < n; i++) {
		const struct ero_cost *c = &advice[i].cost;

		fprintf(out, "%-18s %-17s ", advice[i].way, ero_verdict_name(advice[i].verdict));
		if (c->known)
			fprintf(out, "%" PRIu64 " + %" PRIu64 " + %" PRIu64 " = %" PRIu64 "\n", c->file, c->device, c->content, c->total);
		else
			fputs("not known\n", out);
	}
	if (advice[0].verdict == ERO_NO_GO)
		return;
	fputs("best here: ", out);
	ero_print_name(out, advice[0].command, strlen(advice[0].command));
	fputc('\n', out);
}

/* Facts may come from anywhere: no byte of them is printed as it is. */
static void put(FILE *out, const struct ero_text *text, const char *otherwise)
{
	if (text->known)
		ero_print_name(out, text->value, strlen(text->value));
	else
		fputs(otherwise, out);
}

static int report_text(const struct ero_facts *f, const struct ero_judgement *j, const struct ero_probe *p, FILE *out,
		       struct ero_error *err)
{
	static const char *const words[] = {
		[ERO_GO] = "may be mounted this way",
		[ERO_GO_WITH_WARNINGS] = "may be mounted this way; mind the warnings",
		[ERO_NO_GO] = "must not be mounted this way",
		[ERO_CANNOT_JUDGE] = "cannot be judged: facts are missing",
	};
	const char *compared = compare(j, p), *path = f->file.path.known ? f->file.path.value : "?";

	if (p->asked)
		fprintf(out, "probe    the kernel says %s%s%s: %s\n", p->code ? ero_errno_name(p->code) : "yes", *p->words ? ", " : "", p->words,
			compared);
	else if (*p->why_not)
		fprintf(out, "probe    the kernel was not asked: %s\n", p->why_not);
	advice_text(f, out);
	ero_print_name(out, path, strlen(path));
	fprintf(out, ": %s (by ", words[j->verdict]);
	put(out, &f->plan.way, "an unknown way");
	fputs(", on ", out);
	put(out, &f->file.fs_type, "an unknown file system");
	fputs(", Linux ", out);
	put(out, &f->kernel.release, "of an unknown release");
	fputs(")\n", out);
	return ero_report_end(out, err);
}

/* ---- as JSON ---- */

static json_object *advice_json(const struct ero_facts *f)
{
	struct ero_advice advice[ERO_ADVICE_WAYS];
	size_t n = ero_advise(f, advice);
	json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < n; i++) {
		json_object *o = json_object_new_object(), *pages = json_object_new_object();
		const struct ero_cost *c = &advice[i].cost;

		ero_json_add(o, "way", json_object_new_string(advice[i].way));
		ero_json_add(o, "verdict", json_object_new_string(ero_verdict_name(advice[i].verdict)));
		ero_json_add_name(o, "command", advice[i].command, strlen(advice[i].command));
		if (c->known) {
			ero_json_add_u64(pages, "file", c->file);
			ero_json_add_u64(pages, "device", c->device);
			ero_json_add_u64(pages, "content", c->content);
			ero_json_add_u64(pages, "total", c->total);
		}
		ero_json_add(o, "pages", pages);
		ero_json_append(list, o);
	}
	return list;
}

static json_object *probe_json(const struct ero_judgement *j, const struct ero_probe *p)
{
	json_object *o = json_object_new_object();

	ero_json_add(o, "asked", json_object_new_boolean(p->asked));
	if (!p->asked) {
		ero_json_add(o, "why_not", json_object_new_string(p->why_not));
		return o;
	}
	ero_json_add(o, "mounts", json_object_new_boolean(!p->code));
	if (p->code)
		ero_json_add(o, "errno", json_object_new_string(ero_errno_name(p->code)));
	ero_json_add(o, "agrees", json_object_new_boolean(!strcmp(compare(j, p), "rules and kernel agree")));
	ero_json_add_name(o, "words", p->words, strlen(p->words));
	return o;
}

static int report_json(const struct ero_facts *f, const struct ero_judgement *j, const struct ero_probe *p, json_object *findings,
		       FILE *out, struct ero_error *err)
{
	json_object *o = json_object_new_object();

	ero_json_add_name(o, "image", f->file.path.value, strlen(f->file.path.value));
	ero_json_add(o, "verdict", json_object_new_string(ero_verdict_name(j->verdict)));
	ero_json_add_name(o, "way", f->plan.way.value, strlen(f->plan.way.value));
	ero_json_add_name(o, "kernel", f->kernel.release.value, strlen(f->kernel.release.value));
	ero_json_add_name(o, "filesystem", f->file.fs_type.value, strlen(f->file.fs_type.value));
	ero_json_add(o, "findings", findings);
	if (p->asked || *p->why_not)
		ero_json_add(o, "probe", probe_json(j, p));
	ero_json_add(o, "advice", advice_json(f));
	return ero_report_json(o, out, err);
}

/* ---- the whole ---- */

/* A rule by which the kernel might crash when it is asked; NULL if none speaks against that. */
static const struct ero_rule *dangerous(const struct ero_facts *f)
{
	const struct ero_rule *r;
	struct ero_detail detail;

	for (size_t i = 0; (r = ero_rule_at(i)); i++)
		if (r->crashes && ero_rule_judge(r, f, &detail) != ERO_HOLDS)
			return r;
	return NULL;
}

/* Only the kernel knows how deep FUSE is stacked, so that it is asked even unbidden, where it can be. */
static int ask_kernel(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_probe *p, struct ero_error *err)
{
	bool unbidden = ero_is_on_fuse(f) && f->plan.way.known && !strcmp(f->plan.way.value, "file") && f->who.admin.known && f->who.admin.value;
	int rc = 0;

	const struct ero_rule *danger = dangerous(f);

	snprintf(f->who.answer.why_not, sizeof(f->who.answer.why_not), "the kernel was not asked");
	if ((o->probe || unbidden) && danger)
		snprintf(p->why_not, sizeof(p->why_not), "it might crash: %s", danger->id);
	else if (o->probe || unbidden)
		rc = ero_probe(o, f, p, err);
	if (!rc && p->asked) {
		f->who.answer.known = true;
		f->who.answer.value = (uint64_t)p->code;
	}
	return rc;
}

static int learn(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_probe *p, struct ero_error *err)
{
	int rc;

	if (o->facts)
		return ero_facts_load(o->facts, f, err);
	rc = ero_facts_gather(o, f, err);
	if (!rc)
		rc = ask_kernel(o, f, p, err);
	if (!rc && o->save_facts)
		rc = ero_facts_save(f, o->save_facts, err);
	if (rc)
		ero_facts_free(f);
	return rc;
}

int ero_preflight(const struct ero_preflight_options *o, enum ero_report_form form, FILE *out, enum ero_verdict *verdict,
		  struct ero_error *err)
{
	struct telling t = { .out = out, .notes = o->notes };
	struct ero_judgement judgement;
	struct ero_probe probe = { 0 };
	struct ero_facts facts;
	int rc = learn(o, &facts, &probe, err);

	*verdict = ERO_CANNOT_JUDGE;
	if (rc)
		return rc;
	if (form == ERO_REPORT_JSON && !(t.list = json_object_new_array()))
		rc = ero_fail_memory(err);
	if (!rc) {
		ero_judge(&facts, NULL, NULL, &judgement);
		t.unknowns = judgement.verdict != ERO_NO_GO;
		ero_judge(&facts, tell, &t, &judgement);
		*verdict = judgement.verdict;
		rc = form == ERO_REPORT_JSON ? report_json(&facts, &judgement, &probe, t.list, out, err) :
					       report_text(&facts, &judgement, &probe, out, err);
	}
	ero_facts_free(&facts);
	return rc;
}

/* ---- for mkfs.erofs ---- */

struct warning {
	void (*fn)(void *context, const char *text);
	void *context;
};

static void warn(void *context, const struct ero_rule *r, enum ero_truth truth, const struct ero_detail *detail)
{
	const struct warning *w = context;
	char text[1024];

	if (!r->at_build || truth != ERO_BROKEN || r->severity == ERO_INFO)
		return;
	snprintf(text, sizeof(text), "%s: %s%s%s%s; %s", r->id, r->sentence, *detail->text ? " (" : "", detail->text,
		 *detail->text ? ")" : "", r->remedy);
	w->fn(w->context, text);
}

int ero_preflight_built(const char *image, uint64_t offset, const char *for_kernel,
			void (*fn)(void *context, const char *text), void *context, struct ero_error *err)
{
	struct ero_preflight_options o = { .image = image, .offset = offset, .for_kernel = for_kernel, .way = ERO_WAY_FILE,
					   .no_digests = true };
	struct warning w = { fn, context };
	struct ero_judgement judgement;
	struct ero_facts facts;
	int rc = ero_facts_gather(&o, &facts, err);

	if (rc)
		return rc;
	facts.plan.direct_io.value = 1; /* that somebody will want, too */
	ero_judge(&facts, warn, &w, &judgement);
	ero_facts_free(&facts);
	return 0;
}
