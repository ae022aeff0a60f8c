// SPDX-License-Identifier: MIT
/* --rules, --checks and --explain: what is judged and what is checked, in words. */
#include "fsck/fsck.h"

#include <errno.h>

int fsck_tables(const struct fsck_options *o)
{
	enum ero_report_form form = o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT;
	struct ero_error err;
	int rc = -ENOENT;

	if (o->checks || o->explain)
		rc = ero_report_invariants(o->explain, form, stdout, &err);
	if (rc == -ENOENT)
		rc = ero_report_rules(o->explain, form, stdout, &err);
	if (!rc)
		return 0;
	if (rc == -ENOENT)
		cli_error(FSCK, "--explain: nothing is called \"%s\"; --rules and --checks list what is", o->explain);
	else
		cli_error(FSCK, "%s", err.text);
	return rc == -ENOENT ? CLI_EXIT_USAGE_FSCK : CLI_EXIT_OPERATION;
}
