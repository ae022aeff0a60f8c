// SPDX-License-Identifier: MIT
/* The command line of dump.erofs. */
#include "dump/dump.h"

#include <stddef.h>
#include <string.h>

#define FIELD(member) offsetof(struct dump_options, member)

static int set_number(void *o, const struct cli_option *self, const char *value)
{
	return cli_number(DUMP, self, value, 0, UINT64_MAX, CLI_AT(o, self, uint64_t));
}

static int set_nid(void *options, const struct cli_option *self, const char *value)
{
	((struct dump_options *)options)->has_nid = true;
	return set_number(options, self, value);
}

static int set_map(void *o, const struct cli_option *self, const char *value)
{
	if (strcmp(value, "text") != 0) {
		cli_error(DUMP, "--map=%s: text is the only form", value);
		return -1;
	}
	return cli_set_true(o, self, NULL);
}

static const struct cli_option table[] = {
	{ "help", 'h', CLI_NONE, NULL, "print this help and exit", cli_set_true, FIELD(show_help) },
	{ "version", 'V', CLI_NONE, NULL, "print the version and exit", cli_set_true, FIELD(show_version) },
	{ NULL, 's', CLI_NONE, NULL, "the superblock (default)", cli_set_true, FIELD(superblock) },
	{ NULL, 'S', CLI_NONE, NULL, "statistics of the whole image", cli_set_true, FIELD(statistics) },
	{ NULL, 'e', CLI_NONE, NULL, "with --path or --nid: the extents of the file", cli_set_true, FIELD(extents) },
	{ "blkid-udev", 0, CLI_NONE, NULL, "KEY=value lines as blkid -o udev prints them", cli_set_true, FIELD(udev) },
	{ "cat", 0, CLI_NONE, NULL, "with --path or --nid: the content of the file", cli_set_true, FIELD(cat) },
	{ "device", 0, CLI_REQUIRED, "FILE", "an extra device, in the order of the image's table", cli_add_string, FIELD(devices) },
	{ "diff", 0, CLI_NONE, NULL, "what differs between two images, path by path; exit code 1 if anything does", cli_set_true, FIELD(diff) },
	{ "footprint", 0, CLI_NONE, NULL, "pages of the host's cache that walks over the tree cost", cli_set_true, FIELD(footprint) },
	{ "hot-list", 0, CLI_REQUIRED, "FILE", "with --footprint: count a stat of its paths, one a line, too", cli_set_string, FIELD(hot_list) },
	{ "json", 0, CLI_NONE, NULL, "print each report as a JSON document", cli_set_true, FIELD(json) },
	{ "ls", 0, CLI_NONE, NULL, "with --path or --nid: the entries of the directory", cli_set_true, FIELD(list) },
	{ "map", 0, CLI_REQUIRED, "text", "draw the image by kind of page", set_map, FIELD(map) },
	{ "nid", 0, CLI_REQUIRED, "N", "the inode of this number", set_nid, FIELD(nid) },
	{ "no-sbcrc", 0, CLI_NONE, NULL, "do not stop at a wrong superblock checksum", cli_set_true, FIELD(no_checksum) },
	{ "offset", 0, CLI_REQUIRED, "BYTES", "the image begins at this byte of its file", set_number, FIELD(offset) },
	{ "path", 0, CLI_REQUIRED, "PATH", "the inode of this path", cli_set_string, FIELD(path) },
	{ "sandbox", 0, CLI_REQUIRED, "on|off|require", "confine what reads the image (default: as far as this kernel can)", cli_set_sandbox, FIELD(sandbox) },
	{ "verity-digest", 0, CLI_NONE, NULL, "the fs-verity digest of the file (SHA-256, blocks of 4096 bytes, no salt)", cli_set_true, FIELD(verity) },
	{ NULL, 0, CLI_NONE, NULL, NULL, NULL, 0 },
};

static const struct cli cli = {
	.tool = DUMP,
	.usage = "IMAGE | --diff IMAGE IMAGE",
	.about = "Show what is inside an EROFS image.",
	.options = table,
};

int dump_parse(int argc, char **argv, struct dump_options *o)
{
	int first;
	bool inode;

	memset(o, 0, sizeof(*o));
	first = cli_parse(&cli, argc, argv, o);
	if (first < 0)
		return -1;
	if (o->show_help)
		cli_help(&cli, stdout);
	else if (o->show_version) {
		cli_version(&cli, stdout);
		cli_sandbox_version(stdout);
	}
	if (o->show_help || o->show_version)
		return 0;
	inode = o->path || o->has_nid;
	if (o->diff && first + 2 != argc)
		return cli_usage_error(&cli, "--diff takes two images");
	if (!o->diff && first + 1 != argc)
		return cli_usage_error(&cli, first == argc ? "an image to look into is missing" : "one image at a time");
	if (o->hot_list && !o->footprint)
		return cli_usage_error(&cli, "--hot-list needs --footprint");
	if (o->path && o->has_nid)
		return cli_usage_error(&cli, "--path and --nid cannot be given both");
	if ((o->extents || o->list || o->cat) && !inode)
		return cli_usage_error(&cli, "-e, --ls and --cat need an inode: give --path or --nid");
	return first;
}
