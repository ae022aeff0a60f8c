// SPDX-License-Identifier: MIT
/* From single rules to a verdict: which rules apply, what a window of kernel releases means, and how all count together. */
#include "layering/rules.h"
#include "layering/judge.h"

static const struct ero_rule *const tables[] = {
	ero_rules_kernel, ero_rules_backing, ero_rules_file, ero_rules_image, ero_rules_devices, ero_rules_plan
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

const struct ero_rule *ero_rule_at(size_t number)
{
	for (size_t t = 0; t < TABLES; t++)
		for (const struct ero_rule *r = tables[t]; r->id; r++)
			if (!number--)
				return r;
	return NULL;
}

const struct ero_rule *ero_rule_find(const char *id)
{
	const struct ero_rule *r;

	for (size_t i = 0; (r = ero_rule_at(i)); i++)
		if (!strcmp(r->id, id))
			return r;
	return NULL;
}

static bool overlap(const struct ero_kernel_window *w, struct ero_kernel_version low, struct ero_kernel_version high)
{
	return ero_kernel_compare(w->from, high) <= 0 && ero_kernel_compare(w->to, low) >= 0;
}

enum ero_truth ero_in_windows(const struct ero_facts *f, const struct ero_kernel_window *windows, struct ero_detail *d)
{
	struct ero_kernel_version v, low, high;

	NEED(kernel.release);
	if (!ero_facts_kernel(f, &v)) {
		SAY("\"%s\" is no release that can be compared", f->kernel.release.value);
		return ERO_UNKNOWN;
	}
	if (f->kernel.exact.known && f->kernel.exact.value)
		return ero_holds(!ero_kernel_in_windows(v, windows));
	/* somewhere in its series */
	low = (struct ero_kernel_version)ERO_LINUX(v.major, v.minor, 0);
	high = (struct ero_kernel_version)ERO_LINUX(v.major, v.minor, ERO_KERNEL_NEWEST_PATCH);
	for (const struct ero_kernel_window *w = windows; w->to.major; w++) {
		if (ero_kernel_compare(w->from, low) <= 0 && ero_kernel_compare(w->to, high) >= 0)
			return ERO_BROKEN;
		if (overlap(w, low, high)) {
			SAY("%s does not tell which of %u.%u.y it is", f->kernel.release.value, v.major, v.minor);
			return ERO_UNKNOWN;
		}
	}
	return ERO_HOLDS;
}

static unsigned way_bit(const struct ero_facts *f)
{
	return ero_is(&f->plan.way, "file") ? ERO_BY_FILE : ero_is(&f->plan.way, "loop") ? ERO_BY_LOOP :
	       ero_is(&f->plan.way, "device") ? ERO_BY_DEVICE : 0;
}

enum ero_truth ero_rule_judge(const struct ero_rule *r, const struct ero_facts *f, struct ero_detail *d)
{
	enum ero_truth inside = ERO_BROKEN, truth;
	unsigned way = way_bit(f);

	d->text[0] = '\0';
	if (!way) {
		snprintf(d->text, sizeof(d->text), "plan.way is not known");
		return ERO_UNKNOWN;
	}
	if (!(r->ways & way))
		return ERO_HOLDS;
	if (r->windows)
		inside = ero_in_windows(f, r->windows, d);
	if (inside == ERO_HOLDS)
		return ERO_HOLDS;
	truth = r->judge(f, d);
	if (truth == ERO_BROKEN && inside == ERO_UNKNOWN) {
		ero_in_windows(f, r->windows, d);
		return ERO_UNKNOWN;
	}
	return truth;
}

void ero_judge(const struct ero_facts *f,
	       void (*fn)(void *context, const struct ero_rule *rule, enum ero_truth truth, const struct ero_detail *detail),
	       void *context, struct ero_judgement *j)
{
	const struct ero_rule *r, *answer = ero_rule_find("layer.kernel.answer");
	struct ero_detail detail;
	bool doubts = false;

	memset(j, 0, sizeof(*j));
	for (size_t i = 0; (r = ero_rule_at(i)); i++) {
		enum ero_truth truth = ero_rule_judge(r, f, &detail);

		if (truth == ERO_HOLDS)
			continue;
		if (truth == ERO_BROKEN) {
			j->broken[r->severity]++;
			if (!j->at_mount && r->severity == ERO_DAMAGE && r->stage == ERO_AT_MOUNT && r != answer)
				j->at_mount = r;
		}
		j->unknown += truth == ERO_UNKNOWN && r->doubt == ERO_DOUBT_STOPS;
		doubts = doubts || (truth == ERO_UNKNOWN && r->doubt == ERO_DOUBT_WARNS);
		if (fn)
			fn(context, r, truth, &detail);
	}
	j->verdict = j->broken[ERO_DAMAGE] ? ERO_NO_GO : j->unknown ? ERO_CANNOT_JUDGE :
		     j->broken[ERO_WARNING] || doubts ? ERO_GO_WITH_WARNINGS : ERO_GO;
}
