// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: any bytes as a document of facts, judged and reported in both forms; what is saved of it must be read
 * back. Inputs that begin with "o" are mount options instead.
 */
#include "fuzz.h"

#include "layering/gather.h"
#include "layering/rules.h"

static FILE *nowhere;

static void judge_file(const struct ero_preflight_options *options)
{
	enum ero_verdict verdict;
	struct ero_error err;

	ero_preflight(options, ERO_REPORT_TEXT, nowhere, &verdict, &err);
	ero_preflight(options, ERO_REPORT_JSON, nowhere, &verdict, &err);
}

static void try_options(const char *text)
{
	struct ero_preflight_options options = { .image = "/dev/null", .mount_options = text, .way = ERO_WAY_LOOP };
	struct ero_device_list devices = { 0 };
	struct ero_facts facts = { 0 };
	struct stat st = { 0 };
	struct ero_error err;

	ero_gather_plan(&options, &st, &facts, &devices, &err);
	options.way = ERO_WAY_FILE;
	ero_gather_plan(&options, &st, &facts, &devices, &err);
	ero_device_list_free(&devices);
}

/* What was read can be written, and that can be read again. */
static void try_facts(const char *text, size_t size)
{
	struct ero_facts facts, again;
	struct ero_judgement judgement;
	struct ero_error err;
	char *saved = NULL;
	size_t length;
	FILE *out;

	if (ero_facts_parse(text, size, &facts, &err))
		return;
	ero_judge(&facts, NULL, NULL, &judgement);
	out = open_memstream(&saved, &length);
	if (out && !ero_facts_save(&facts, out, &err)) {
		fclose(out);
		if (ero_facts_parse(saved, length, &again, &err)) {
			fprintf(stderr, "%s\n%s\n", err.text, saved);
			abort();
		}
		ero_facts_free(&again);
	} else if (out) {
		fclose(out);
	}
	free(saved);
	ero_facts_free(&facts);
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	struct ero_preflight_options options = { 0 };
	char *text = malloc(size + 1), path[64];
	int fd;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!text || !nowhere)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (size && *text == 'o') {
		try_options(text + 1);
	} else {
		try_facts(text, size);
		fd = fuzz_file(text, size, path);
		options.facts = path;
		judge_file(&options);
		close(fd);
	}
	free(text);
	return 0;
}
