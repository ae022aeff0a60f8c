// SPDX-License-Identifier: MIT
/* libFuzzer target: a byte that chooses the tool, then its arguments, each ended by a newline or zero. Nothing is built or
 * opened: options are parsed and freed. */
#include "fuzz.h"

#include "dump/dump.h"
#include "fsck/fsck.h"
#include "mkfs/mkfs.h"

static void parse(unsigned tool, int argc, char **argv)
{
	if (tool == 0) {
		struct mkfs_options o;

		mkfs_parse(argc, argv, &o);
		mkfs_free(&o);
	} else if (tool == 1) {
		struct fsck_options o;

		fsck_parse(argc, argv, &o);
		cli_list_free(&o.devices);
	} else {
		struct dump_options o;

		dump_parse(argc, argv, &o);
		cli_list_free(&o.devices);
	}
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	static bool silent;
	char *text = calloc(1, size + 1), *argv[34] = { (char *)"tool" };
	int argc = 1;

	if (!silent)
		silent = freopen("/dev/null", "w", stdout) != NULL; /* --help is long */
	if (!text || !size)
		goto out;
	memcpy(text, data + 1, size - 1);
	for (char *p = text; p < text + size - 1 && argc < 32; p += strlen(p) + 1) {
		p[strcspn(p, "\n")] = '\0';
		argv[argc++] = p;
	}
	parse(*data % 3, argc, argv);
out:
	free(text);
	return 0;
}
