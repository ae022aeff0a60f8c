// SPDX-License-Identifier: MIT
/* The command line of fsck.erofs. */
#include "fsck/fsck.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define FIELD(member) offsetof(struct fsck_options, member)

static int set_number(void *o, const struct cli_option *self, const char *value)
{
	return cli_number(FSCK, self, value, 0, UINT64_MAX, CLI_AT(o, self, uint64_t));
}

static int set_nid(void *options, const struct cli_option *self, const char *value)
{
	((struct fsck_options *)options)->has_nid = true;
	return set_number(options, self, value);
}

static int set_verbosity(void *options, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(FSCK, self, value, 0, 9, &n))
		return -1;
	((struct fsck_options *)options)->verbosity = (unsigned)n;
	return 0;
}

static int set_workers(void *options, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(FSCK, self, value, 0, 1024, &n))
		return -1;
	((struct fsck_options *)options)->workers = (unsigned)n;
	return 0;
}

static int set_extract(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)self;
	o->extract = true;
	o->extract_to = value;
	return 0;
}

static int set_preserve(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)value;
	o->owners = o->permissions = self->data;
	return 0;
}

static int not_yet(void *o, const struct cli_option *self, const char *value)
{
	(void)o;
	(void)value;
	cli_error(FSCK, "--%s: not yet: it comes with a later version of erolith", self->name);
	return -1;
}

static const struct cli_option table[] = {
	{ "help", 'h', CLI_NONE, NULL, "print this help and exit", cli_set_true, FIELD(show_help) },
	{ "version", 'V', CLI_NONE, NULL, "print the version and exit", cli_set_true, FIELD(show_version) },
	{ NULL, 'd', CLI_REQUIRED, "0-9", "how much to tell: 0 errors only (default 2)", set_verbosity, 0 },
	{ NULL, 'p', CLI_NONE, NULL, "print the compression ratio of all files", cli_set_true, FIELD(print_ratio) },
	{ NULL, 'a', CLI_NONE, NULL, "accepted for fsck(8): nothing is ever written to an image", cli_accept, 0 },
	{ NULL, 'A', CLI_NONE, NULL, "like -a", cli_accept, 0 },
	{ NULL, 'n', CLI_NONE, NULL, "like -a", cli_accept, 0 },
	{ NULL, 'y', CLI_NONE, NULL, "like -a", cli_accept, 0 },
	{ "device", 0, CLI_REQUIRED, "FILE", "an extra device, in the order of the image's table", cli_add_string, FIELD(devices) },
	{ "extract", 0, CLI_OPTIONAL, "DIR", "decode all data, too, and write it to DIR if one is given", set_extract, 0 },
	{ "for-kernel", 0, CLI_REQUIRED, "X.Y[.Z]", "with --preflight: judge for this kernel", cli_set_string, FIELD(for_kernel) },
	{ "force", 0, CLI_NONE, NULL, "extract even to /", cli_set_true, FIELD(force) },
	{ "json", 0, CLI_NONE, NULL, "print findings and result as a JSON object", cli_set_true, FIELD(json) },
	{ "nid", 0, CLI_REQUIRED, "N", "only what is below this inode number", set_nid, FIELD(nid) },
	{ "no-sbcrc", 0, CLI_NONE, NULL, "do not stop at a wrong superblock checksum", cli_set_true, FIELD(no_checksum) },
	{ "offset", 0, CLI_REQUIRED, "BYTES", "the image begins at this byte of its file", set_number, FIELD(offset) },
	{ "overwrite", 0, CLI_NONE, NULL, "extraction replaces files that are there", cli_set_true, FIELD(overwrite) },
	{ "path", 0, CLI_REQUIRED, "PATH", "only what is below this path", cli_set_string, FIELD(path) },
	{ "preflight", 0, CLI_NONE, NULL, "judge whether the file may be mounted here, file-backed", cli_set_true,
	  FIELD(preflight) },
	{ "preserve", 0, CLI_NONE, NULL, "extraction keeps owners and modes (default for root)", set_preserve, 1 },
	{ "no-preserve", 0, CLI_NONE, NULL, "extraction uses your own owner and umask", set_preserve, 0 },
	{ "preserve-owner", 0, CLI_NONE, NULL, "extraction keeps owners", cli_set_true, FIELD(owners) },
	{ "no-preserve-owner", 0, CLI_NONE, NULL, "extraction uses your own owner", cli_set_false, FIELD(owners) },
	{ "preserve-perms", 0, CLI_NONE, NULL, "extraction keeps modes", cli_set_true, FIELD(permissions) },
	{ "no-preserve-perms", 0, CLI_NONE, NULL, "extraction applies your umask", cli_set_false, FIELD(permissions) },
	{ "workers", 0, CLI_REQUIRED, "N", "threads (default: one per processor)", set_workers, 0 },
	{ "xattr-inode-digest", 0, CLI_OPTIONAL, "NAME", NULL, not_yet, 0 },
	{ "xattrs", 0, CLI_NONE, NULL, "extract xattrs, too", cli_set_true, FIELD(xattrs) },
	{ "no-xattrs", 0, CLI_NONE, NULL, "extract no xattrs (default)", cli_set_false, FIELD(xattrs) },
	{ NULL, 0, CLI_NONE, NULL, NULL, NULL, 0 },
};

static const struct cli cli = {
	.tool = FSCK,
	.usage = "IMAGE…",
	.about = "Check EROFS images, extract them, or judge whether they may be mounted here.",
	.options = table,
	.footer = "Exit code: 0 clean, 4 damaged, 8 operational error, 16 usage error, or their sum.\n",
};

int fsck_parse(int argc, char **argv, struct fsck_options *o)
{
	int first;

	memset(o, 0, sizeof(*o));
	o->verbosity = 2;
	o->owners = o->permissions = geteuid() == 0;
	first = cli_parse(&cli, argc, argv, o);
	if (first < 0)
		return -1;
	if (o->show_help)
		cli_help(&cli, stdout);
	else if (o->show_version)
		cli_version(&cli, stdout);
	if (o->show_help || o->show_version)
		return 0;
	if (first == argc)
		return cli_usage_error(&cli, "an image to check is missing");
	if (o->path && o->has_nid)
		return cli_usage_error(&cli, "--path and --nid cannot be given both");
	if (o->for_kernel && !o->preflight)
		return cli_usage_error(&cli, "--for-kernel goes with --preflight");
	return first;
}
