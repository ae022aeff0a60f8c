// SPDX-License-Identifier: MIT
/*
 * --compress-hints: a line is "<pcluster size in bytes> [number of the -z algorithm] <regular expression>"; the first
 * line whose expression matches a file's path decides. A size of 0 stores the file plain. '#' begins a comment.
 */
#include "source/source.h"
#include "base/bytes.h"
#include "base/vec.h"
#include "source/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hint {
	regex_t regex;
	uint32_t pcluster_size;
	uint8_t compressor;
};

struct hints {
	ERO_VEC(struct hint) list;
};

static int parse_line(const struct ero_build_options *o, char *line, unsigned number, struct hints *h,
		      struct ero_error *err)
{
	char *save = NULL, *first = strtok_r(line, " \t\n", &save), *second, *third;
	struct hint hint = { 0 };
	uint64_t size, index = 0;
	int rc;

	if (!first || *first == '#')
		return 0;
	second = strtok_r(NULL, " \t\n", &save);
	third = second ? strtok_r(NULL, " \t\n", &save) : NULL;
	if (!second || !ero_parse_number(first, 0, ERO_PCLUSTER_MAX_ENCODED, &size) || (size && size % o->block_size))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"%s, line %u: expected a pcluster size (a multiple of %u bytes up to %u) and a regular expression",
				o->compress_hints, number, o->block_size, ERO_PCLUSTER_MAX_ENCODED);
	if (third && !ero_parse_number(second, 0, o->compressor_count - 1u, &index))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s, line %u: -z has no algorithm number \"%s\" (0 to %u)",
				o->compress_hints, number, second, o->compressor_count - 1u);
	hint.pcluster_size = (uint32_t)size;
	hint.compressor = size ? (uint8_t)index : 0xff;
	rc = ero_regex_compile(&hint.regex, third ? third : second, err);
	if (rc)
		return ero_error_prefix(err, rc, "%s, line %u", o->compress_hints, number);
	if (!ero_vec_push(&h->list, hint)) {
		regfree(&hint.regex);
		return ero_fail_memory(err);
	}
	return 0;
}

static int read_hints(const struct ero_build_options *o, struct hints *h, struct ero_error *err)
{
	FILE *f = fopen(o->compress_hints, "re");
	char *line = NULL;
	size_t room = 0;
	unsigned number = 0;
	int rc = 0;

	if (!f)
		return ero_fail_errno(err, "cannot open the compression hints %s", o->compress_hints);
	while (!rc && getline(&line, &room, f) >= 0)
		rc = parse_line(o, line, ++number, h, err);
	if (!rc && ferror(f))
		rc = ero_fail_errno(err, "cannot read the compression hints %s", o->compress_hints);
	free(line);
	fclose(f);
	return rc;
}

static void apply(const struct hints *h, struct ero_node *node, uint32_t *max_pcluster)
{
	char path[8192];

	ero_node_path(node, path, sizeof(path));
	for (size_t i = 0; i < h->list.count; i++) {
		const struct hint *hint = &h->list.data[i];

		if (regexec(&hint->regex, path, 0, NULL, 0))
			continue;
		node->compressor = hint->compressor;
		node->pcluster_sectors = (uint16_t)(hint->pcluster_size / 512);
		if (hint->pcluster_size > *max_pcluster)
			*max_pcluster = hint->pcluster_size;
		return;
	}
}

int ero_source_hints(const struct ero_build_options *o, struct ero_tree *tree, uint32_t *max_pcluster,
		     struct ero_error *err)
{
	struct hints h = { 0 };
	int rc = read_hints(o, &h, err);

	for (size_t i = 0; !rc && i < tree->node_count; i++)
		if (S_ISREG(tree->nodes[i]->mode))
			apply(&h, tree->nodes[i], max_pcluster);
	for (size_t i = 0; i < h.list.count; i++)
		regfree(&h.list.data[i].regex);
	ero_vec_free(&h.list);
	return rc;
}
