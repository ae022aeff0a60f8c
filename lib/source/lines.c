// SPDX-License-Identifier: MIT
/* Files of options, read line by line. */
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>

int ero_source_lines(const char *path, const char *what, int (*each)(void *context, char *line, struct ero_error *err),
		     void *context, struct ero_error *err)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = 0;

	if (!f)
		return ero_fail_errno(err, "cannot open the %s %s", what, path);
	while (!rc && (n = getline(&line, &room, f)) >= 0) {
		if (n && line[n - 1] == '\n')
			line[n - 1] = '\0';
		rc = each(context, line, err);
	}
	if (!rc && ferror(f))
		rc = ero_fail_errno(err, "cannot read the %s %s", what, path);
	free(line);
	fclose(f);
	return rc;
}
