// SPDX-License-Identifier: MIT
/*
 * The C library copies what "+" and "{m,n}" repeat, and copies the copies where a repetition is repeated: 40 times "+" take more
 * memory than there is. Where copies may be empty each of them knows all the others: "a{0,32767}" takes gigabytes. So copies are
 * counted before: rather too many than too few, since nesting is not looked at.
 */
#include "source/regex.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COPIES = 2000, MOST_BYTES = 1 << 20 };

/* How often a repetition at `p` has what stands before it copied: 1 for what is none, or copies nothing. */
static unsigned long copies_of(const char *p)
{
	unsigned long least, most;
	char *end;

	if (*p == '+')
		return 2;
	if (*p != '{')
		return 1;
	least = strtoul(p + 1, &end, 10);
	most = *end == ',' ? strtoul(end + 1, NULL, 10) : 0;
	if (most < least)
		most = least + 1; /* "{m,}" */
	return most <= MOST_COPIES ? most + !most : MOST_COPIES + 1;
}

static bool is_modest(const char *text)
{
	unsigned long single = 1, nested = 1; /* of one character; of a group, or again of what is repeated */

	for (const char *p = text; *p; p++) {
		unsigned long copies = copies_of(p);

		if (copies > 1 && p > text && strchr(")+*?}", p[-1]))
			nested *= copies;
		else if (copies > single)
			single = copies;
		if (single * nested > MOST_COPIES)
			return false;
	}
	return single * nested == 1 || single * nested * strlen(text) <= MOST_BYTES;
}

int ero_regex_compile(regex_t *regex, const char *text, struct ero_error *err)
{
	char why[128];
	int code;

	if (!is_modest(text))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "\"%s\": its repetitions of repetitions would take too much memory", text);
	code = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
	if (!code)
		return 0;
	if (code == REG_ESPACE)
		return ero_fail_memory(err);
	regerror(code, regex, why, sizeof(why));
	return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "\"%s\": %s", text, why);
}
