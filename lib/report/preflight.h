/* SPDX-License-Identifier: MIT */
/* What the reports about mounting share: verdict, rules, advice. */
#ifndef ERO_REPORT_PREFLIGHT_H
#define ERO_REPORT_PREFLIGHT_H

#include "layering/cost.h"
#include "layering/rules.h"
#include "report/report.h"

const char *ero_verdict_name(enum ero_verdict verdict);    /* "go", … */
/* rules.c: "6.12.63 to 6.12.65, …", or "". */
void ero_rule_windows(const struct ero_rule *rule, char *text, size_t size);

/* advice.c: the ways to mount this file, each with its verdict, command line and cost; the best comes first. */
struct ero_advice {
	const char *way;          /* "file", "file, direct I/O", … */
	enum ero_verdict verdict;
	struct ero_cost cost;
	char command[1024];
};
enum { ERO_ADVICE_WAYS = 4 };
/* Returns how many ways there are. */
size_t ero_advise(const struct ero_facts *facts, struct ero_advice advice[ERO_ADVICE_WAYS]);

#endif
