// SPDX-License-Identifier: MIT
/* Exclusion by exact path or POSIX extended regular expression, both on the path relative to the source. */
#include "source/source.h"
#include "source/regex.h"

#include <stdlib.h>
#include <string.h>

struct ero_filter {
	const char **paths;
	size_t path_count;
	regex_t *regexes;
	size_t regex_count;
};

int ero_filter_create(const struct ero_build_options *options, struct ero_filter **result, struct ero_error *err)
{
	struct ero_filter *f = calloc(1, sizeof(*f));

	*result = NULL;
	if (!f)
		return ero_fail_memory(err);
	f->paths = calloc(options->exclude_path_count + 1, sizeof(*f->paths));
	f->regexes = calloc(options->exclude_regex_count + 1, sizeof(*f->regexes));
	if (!f->paths || !f->regexes) {
		ero_filter_free(f);
		return ero_fail_memory(err);
	}
	for (; f->path_count < options->exclude_path_count; f->path_count++) {
		const char *path = options->exclude_paths[f->path_count];

		while (*path == '/' || (path[0] == '.' && path[1] == '/'))
			path++;
		f->paths[f->path_count] = path;
	}
	for (; f->regex_count < options->exclude_regex_count; f->regex_count++) {
		int rc = ero_regex_compile(&f->regexes[f->regex_count], options->exclude_regexes[f->regex_count], err);

		if (!rc)
			continue;
		ero_filter_free(f);
		return ero_error_prefix(err, rc, "--exclude-regex");
	}
	*result = f;
	return 0;
}

bool ero_filter_excludes(const struct ero_filter *f, const char *path)
{
	for (size_t i = 0; i < f->path_count; i++)
		if (!strcmp(f->paths[i], path))
			return true;
	for (size_t i = 0; i < f->regex_count; i++)
		if (!regexec(&f->regexes[i], path, 0, NULL, 0))
			return true;
	return false;
}

void ero_filter_free(struct ero_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->regex_count; i++)
		regfree(&f->regexes[i]);
	free(f->paths);
	free(f->regexes);
	free(f);
}
