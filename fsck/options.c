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

static int set_salvage(void *options, const struct cli_option *self, const char *value)
{
	((struct fsck_options *)options)->salvage = true;
	return set_extract(options, self, value);
}

static int set_preserve(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)value;
	o->owners = o->permissions = self->data;
	return 0;
}

static int set_overlays(void *options, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(FSCK, self, value, 0, 100, &n))
		return -1;
	((struct fsck_options *)options)->overlays = (unsigned)n;
	return 0;
}

static int set_way(void *options, const struct cli_option *self, const char *value)
{
	static const char *const ways[] = { [ERO_WAY_AUTO] = "auto", [ERO_WAY_FILE] = "file", [ERO_WAY_LOOP] = "loop",
					    [ERO_WAY_DEVICE] = "device" };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strcmp(value, ways[i])) {
			((struct fsck_options *)options)->way = (enum ero_way)i;
			return 0;
		}
	}
	cli_error(FSCK, "--%s: \"%s\" is none of auto, file, loop and device", self->name, value);
	return -1;
}

static int set_verity(void *options, const struct cli_option *self, const char *value)
{
	(void)self;
	((struct fsck_options *)options)->verity = value ? value : "";
	return 0;
}

static int set_root_hash(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)self;
	o->extract = true;
	o->root_hash = value;
	return 0;
}

static int set_cert(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)self;
	o->extract = true;
	o->cert = value;
	return 0;
}

static int set_inode_digest(void *options, const struct cli_option *self, const char *value)
{
	struct fsck_options *o = options;

	(void)self;
	o->extract = true;
	o->inode_digest = value ? value : "";
	return 0;
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
	{ "all", 0, CLI_NONE, NULL, "show all findings, not just the first 100 of each kind", cli_set_true, FIELD(all) },
	{ "as", 0, CLI_REQUIRED, "WAY", "with --preflight: judge a mount of the file itself, by a loop device,\nor of a block device: auto (default), file, loop, device", set_way, 0 },
	{ "cert", 0, CLI_REQUIRED, "FILE", "decode all data, and verify the dm-verity tree against the root hash in IMAGE.roothash (or --root-hash),\nand that against its signature IMAGE.roothash.p7s by this certificate (PEM)", set_cert, 0 },
	{ "checks", 0, CLI_NONE, NULL, "list all invariants that are checked and exit", cli_set_true, FIELD(checks) },
	{ "device", 0, CLI_REQUIRED, "FILE", "an extra device, in the order of the image's table", cli_add_string, FIELD(devices) },
	{ "exec", 0, CLI_NONE, NULL, "with --preflight: IMAGE -- COMMAND… runs the command, if the verdict is go,\nwhile the file is held; {} in it stands for the held file", cli_set_true, FIELD(exec) },
	{ "explain", 0, CLI_REQUIRED, "ID", "tell one layering rule or one invariant in full and exit", cli_set_string, FIELD(explain) },
	{ "extract", 0, CLI_OPTIONAL, "DIR", "decode all data, too, and write it to DIR if one is given", set_extract, 0 },
	{ "facts", 0, CLI_REQUIRED, "FILE", "with --preflight: judge these facts instead of an image here; - is standard input", cli_set_string, FIELD(facts) },
	{ "for-kernel", 0, CLI_REQUIRED, "X.Y[.Z]", "with --preflight: judge for this kernel", cli_set_string, FIELD(for_kernel) },
	{ "force", 0, CLI_NONE, NULL, "extract even to /", cli_set_true, FIELD(force) },
	{ "hold", 0, CLI_NONE, NULL, "with --preflight: keep the file from changing until it is mounted", cli_set_true, FIELD(hold) },
	{ "json", 0, CLI_NONE, NULL, "print findings and result as a JSON object", cli_set_true, FIELD(json) },
	{ "max-files", 0, CLI_REQUIRED, "N", "extraction stops at more files (default: as many as the superblock counts)", set_number, FIELD(max_files) },
	{ "max-size", 0, CLI_REQUIRED, "BYTES", "extraction stops at more bytes (default: 3072 times those of the image)", set_number, FIELD(max_size) },
	{ "memory", 0, CLI_REQUIRED, "BYTES", "use fewer threads if they would need more (default: what the process may use)", set_number, FIELD(memory) },
	{ "mount-opts", 0, CLI_REQUIRED, "LIST", "with --preflight: the mount's options, as mount(8) takes them", cli_set_string, FIELD(mount_options) },
	{ "nid", 0, CLI_REQUIRED, "N", "only what is below this inode number", set_nid, FIELD(nid) },
	{ "no-digests", 0, CLI_NONE, NULL, "with --preflight: do not read extra devices to compare them with their tags", cli_set_true, FIELD(no_digests) },
	{ "no-sbcrc", 0, CLI_NONE, NULL, "do not stop at a wrong superblock checksum", cli_set_true, FIELD(no_checksum) },
	{ "offset", 0, CLI_REQUIRED, "BYTES", "the image begins at this byte of its file", set_number, FIELD(offset) },
	{ "overlays", 0, CLI_REQUIRED, "N", "with --preflight: overlay mounts planned above, one on the other", set_overlays, 0 },
	{ "overwrite", 0, CLI_NONE, NULL, "extraction replaces files that are there", cli_set_true, FIELD(overwrite) },
	{ "path", 0, CLI_REQUIRED, "PATH", "only what is below this path", cli_set_string, FIELD(path) },
	{ "preflight", 0, CLI_NONE, NULL, "judge whether the file may be mounted here, this way", cli_set_true,
	  FIELD(preflight) },
	{ "preserve", 0, CLI_NONE, NULL, "extraction keeps owners and modes (default for root)", set_preserve, 1 },
	{ "no-preserve", 0, CLI_NONE, NULL, "extraction uses your own owner and umask", set_preserve, 0 },
	{ "preserve-owner", 0, CLI_NONE, NULL, "extraction keeps owners", cli_set_true, FIELD(owners) },
	{ "no-preserve-owner", 0, CLI_NONE, NULL, "extraction uses your own owner", cli_set_false, FIELD(owners) },
	{ "preserve-perms", 0, CLI_NONE, NULL, "extraction keeps modes", cli_set_true, FIELD(permissions) },
	{ "no-preserve-perms", 0, CLI_NONE, NULL, "extraction applies your umask", cli_set_false, FIELD(permissions) },
	{ "probe", 0, CLI_NONE, NULL, "with --preflight: ask the kernel, too, without mounting", cli_set_true, FIELD(probe) },
	{ "root-hash", 0, CLI_REQUIRED, "HEX", "decode all data, and verify the dm-verity tree behind the image against this root hash", set_root_hash, 0 },
	{ "rules", 0, CLI_NONE, NULL, "list all layering rules and exit", cli_set_true, FIELD(rules) },
	{ "salvage", 0, CLI_REQUIRED, "DIR", "write all that can still be read to DIR, and list what is lost", set_salvage, 0 },
	{ "sandbox", 0, CLI_REQUIRED, "on|off|require", "confine what reads the image (default: as far as this kernel can)", cli_set_sandbox, FIELD(sandbox) },
	{ "save-facts", 0, CLI_REQUIRED, "FILE", "with --preflight: write the facts as JSON; - is standard output", cli_set_string, FIELD(save_facts) },
	{ "strict", 0, CLI_NONE, NULL, "with --preflight: exit code 1 if there are warnings", cli_set_true, FIELD(strict) },
	{ "trust-devices", 0, CLI_NONE, NULL, "with --preflight: the extra devices are known to be the right ones", cli_set_true, FIELD(trust_devices) },
	{ "verity", 0, CLI_OPTIONAL, "DIGEST|FILE", "with --preflight: read the whole file and compare its fs-verity digest\n(default: with the one in IMAGE.verity)", set_verity, 0 },
	{ "workers", 0, CLI_REQUIRED, "N", "threads (default: one per processor)", set_workers, 0 },
	{ "xattr-inode-digest", 0, CLI_OPTIONAL, "NAME", "compare the content of files with the digests in their xattrs", set_inode_digest, 0 },
	{ "xattrs", 0, CLI_NONE, NULL, "extract xattrs, too", cli_set_true, FIELD(xattrs) },
	{ "no-xattrs", 0, CLI_NONE, NULL, "extract no xattrs (default)", cli_set_false, FIELD(xattrs) },
	{ NULL, 0, CLI_NONE, NULL, NULL, NULL, 0 },
};

static const struct cli cli = {
	.tool = FSCK,
	.usage = "IMAGE… [-- COMMAND…]",
	.about = "Check EROFS images, extract them, or judge whether they may be mounted here.",
	.options = table,
	.footer = "Exit code: 0 clean, 4 damaged, 8 operational error, 16 usage error, or their sum.\n"
		  "With --preflight: 0 go, 1 go with warnings (--strict), 4 no-go, 8 cannot judge; with --exec the command's.\n",
};

/* Options that mean nothing without --preflight, or not together. */
static int check_preflight(const struct fsck_options *o, int argc, int first)
{
	bool any = o->for_kernel || o->facts || o->save_facts || o->mount_options || o->way || o->overlays || o->strict || o->probe ||
		   o->hold || o->exec || o->trust_devices || o->no_digests || o->verity;

	if (any && !o->preflight)
		return cli_usage_error(&cli, "--as, --exec, --facts, --for-kernel, --hold, --mount-opts, --probe and the like go with --preflight");
	if (o->exec && argc - first < 2)
		return cli_usage_error(&cli, "--exec needs an image and a command: --preflight --exec IMAGE -- COMMAND…");
	if (o->hold && !o->exec && argc - first != 1)
		return cli_usage_error(&cli, "--hold takes one image");
	if (o->save_facts && argc - first > 1 && !o->exec)
		return cli_usage_error(&cli, "--save-facts takes one image");
	if (o->facts && (argc != first || o->probe || o->hold || o->exec || o->save_facts || o->for_kernel || o->mount_options || o->way ||
			 o->overlays || o->devices.count || o->offset || o->trust_devices || o->no_digests || o->verity))
		return cli_usage_error(&cli, "--facts says everything: it goes with --json and --strict alone");
	return 0;
}

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
	else if (o->show_version) {
		cli_version(&cli, stdout);
		cli_sandbox_version(stdout);
	}
	if (o->show_help || o->show_version)
		return 0;
	if (o->rules || o->checks || o->explain)
		return argc;
	if (first == argc && !o->facts)
		return cli_usage_error(&cli, "an image to check is missing");
	if (o->path && o->has_nid)
		return cli_usage_error(&cli, "--path and --nid cannot be given both");
	return check_preflight(o, argc, first) ? -1 : first;
}
