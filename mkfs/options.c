// SPDX-License-Identifier: MIT
/* The command line of mkfs.erofs: a table, and a function for each kind of value. */
#include "mkfs/mkfs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct cli cli;

#define FIELD(member) offsetof(struct mkfs_options, member)

/* ---- values of several options ---- */

static int set_unsigned(void *o, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(MKFS, self, value, 0, UINT32_MAX, &n))
		return -1;
	*CLI_AT(o, self, unsigned) = (unsigned)n;
	return 0;
}

static int set_offset(void *o, const struct cli_option *self, const char *value)
{
	bool negative = *value == '-';
	uint64_t n;

	if (cli_number(MKFS, self, value + negative, 0, UINT32_MAX, &n))
		return -1;
	*CLI_AT(o, self, int64_t) = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* Options of the peer that this version does not have yet: clear words instead of silence. */
static int not_yet(void *o, const struct cli_option *self, const char *value)
{
	(void)o;
	(void)value;
	if (self->name)
		cli_error(MKFS, "--%s: not yet: it comes with a later version of erolith", self->name);
	else
		cli_error(MKFS, "-%c: not yet: it comes with a later version of erolith", self->letter);
	return -1;
}

/* ---- single options ---- */

static int set_bytes(void *o, const struct cli_option *self, const char *value)
{
	return cli_number(MKFS, self, value, 0, INT64_MAX, CLI_AT(o, self, uint64_t));
}

static int set_verbosity(void *options, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(MKFS, self, value, 0, 9, &n))
		return -1;
	((struct mkfs_options *)options)->verbosity = (unsigned)n;
	return 0;
}

static int set_compressors(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;
	struct ero_error err;

	(void)self;
	if (!ero_parse_compressors(value, o->build.compressors, ERO_MAX_COMPRESSORS, &o->build.compressor_count, &err))
		return 0;
	cli_error(MKFS, "%s", err.text);
	return -1;
}

/* "65536", or "65536:zstd,level=9" */
static int set_metabox(void *options, const struct cli_option *self, const char *value)
{
	struct ero_build_options *b = &((struct mkfs_options *)options)->build;
	size_t length = strcspn(value, ":");
	char number[32];
	struct ero_error err;
	unsigned count;
	uint64_t n;

	snprintf(number, sizeof(number), "%.*s", (int)(length < sizeof(number) ? length : sizeof(number) - 1), value);
	if (cli_number(MKFS, self, number, 512, 1 << 20, &n))
		return -1;
	b->metabox_size = (uint32_t)n;
	if (!value[length] || !ero_parse_compressors(value + length + 1, &b->metabox_compressor, 1, &count, &err))
		return 0;
	cli_error(MKFS, "-m: %s", err.text);
	return -1;
}

static int set_layout(void *options, const struct cli_option *self, const char *value)
{
	static const char *const names[] = { "dense", "walk", "legacy" };
	struct mkfs_options *o = options;

	(void)self;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], value) != 0)
			continue;
		o->build.layout = (enum ero_metadata_layout)i;
		return 0;
	}
	cli_error(MKFS, "--layout=%s: there are dense, walk and legacy", value);
	return -1;
}

static int set_extended(void *options, const struct cli_option *self, const char *value)
{
	(void)self;
	return mkfs_parse_extended(options, value);
}

static int set_tolerance(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;
	uint64_t n = 1;
	bool negative = *value == '-';

	if (cli_number(MKFS, self, value + negative, 0, INT32_MAX, &n))
		return -1;
	o->build.xattr_tolerance = negative && n ? -1 : (int)n;
	return 0;
}

static int set_time(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;
	bool negative = *value == '-';
	uint64_t n;

	if (cli_number(MKFS, self, value + negative, 0, INT64_MAX, &n))
		return -1;
	o->build.build_time_given = true;
	o->build.build_time = negative ? -(int64_t)n : (int64_t)n;
	o->build.build_time_nsec = 0;
	return 0;
}

static int set_uuid(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;
	struct ero_error err;

	(void)self;
	o->build.uuid_given = true;
	if (!strcmp(value, "clear")) {
		memset(o->build.uuid, 0, sizeof(o->build.uuid));
		return 0;
	}
	if (!ero_parse_uuid(value, o->build.uuid, &err))
		return 0;
	cli_error(MKFS, "-U: %s; \"clear\" and \"random\" are possible, too", err.text);
	return -1;
}

static int set_mkfs_time(void *options, const struct cli_option *self, const char *value)
{
	(void)value;
	((struct mkfs_options *)options)->mkfs_time = self->data;
	return 0;
}

static int set_directories(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;

	(void)self;
	if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
		cli_error(MKFS, "--zD=%s: it is 0 or 1", value);
		return -1;
	}
	o->build.compress_dirs = !value || *value == '1';
	return 0;
}

static int all_root(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;

	(void)self;
	(void)value;
	o->build.force_uid = o->build.force_gid = true;
	o->build.uid = o->build.gid = 0;
	return 0;
}

static int force_id(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;
	uint64_t n;

	if (cli_number(MKFS, self, value, 0, UINT32_MAX - 1, &n))
		return -1;
	if (self->data) {
		o->build.force_gid = true;
		o->build.gid = (uint32_t)n;
	} else {
		o->build.force_uid = true;
		o->build.uid = (uint32_t)n;
	}
	return 0;
}

static int set_target_offset(void *options, const struct cli_option *self, const char *value)
{
	return cli_number(MKFS, self, value, 0, INT64_MAX, &((struct mkfs_options *)options)->build.target_offset);
}

static int set_workers(void *options, const struct cli_option *self, const char *value)
{
	uint64_t n;

	if (cli_number(MKFS, self, value, 0, 1024, &n))
		return -1;
	((struct mkfs_options *)options)->build.workers = (unsigned)n;
	return 0;
}

static int set_tar(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;

	(void)self;
	if (value && (!strcmp(value, "i") || !strcmp(value, "headerball"))) {
		cli_error(MKFS, "--tar=%s: not yet: only --tar=f, a full image, is possible in this version", value);
		return -1;
	}
	if (value && strcmp(value, "f")) {
		cli_error(MKFS, "--tar: there is no mode \"%s\"; f makes a full image", value);
		return -1;
	}
	o->build.source_kind = ERO_SOURCE_ARCHIVE;
	return 0;
}

static int set_unzip(void *options, const struct cli_option *self, const char *value)
{
	(void)options;
	if (!value)
		return 0; /* libarchive finds out by itself */
	cli_error(MKFS, "--%s=%s: keeping the unpacked stream is not possible in this version; leave the file out", self->name,
		  value);
	return -1;
}

static int set_sort(void *options, const struct cli_option *self, const char *value)
{
	(void)options;
	(void)self;
	/* content is spooled and placed by path whatever this says: both are accepted for clients that give it */
	if (!strcmp(value, "path") || !strcmp(value, "none"))
		return 0;
	cli_error(MKFS, "--sort: there is no order \"%s\"; path and none are known", value);
	return -1;
}

static int set_verity(void *options, const struct cli_option *self, const char *value)
{
	(void)self;
	((struct mkfs_options *)options)->build.verity_salt = value ? value : "";
	return 0;
}

static int set_inode_digest(void *options, const struct cli_option *self, const char *value)
{
	(void)self;
	((struct mkfs_options *)options)->build.inode_digest = value ? value : "erofs.fingerprint.v1";
	return 0;
}

static int set_record_verity(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;

	(void)self;
	o->record_verity = true;
	o->verity_file = value;
	return 0;
}

static int set_quiet(void *options, const struct cli_option *self, const char *value)
{
	struct mkfs_options *o = options;

	(void)self;
	(void)value;
	o->quiet = true;
	return 0;
}

/* ---- the table ---- */

static const struct cli_option table[] = {
	{ "help", 'h', CLI_NONE, NULL, "print this help and exit", cli_set_true, FIELD(show_help) },
	{ "version", 'V', CLI_NONE, NULL, "print the version and exit", cli_set_true, FIELD(show_version) },
	{ NULL, 'b', CLI_REQUIRED, "BYTES", "block size, 512 to 65536 (default 4096)", set_unsigned, FIELD(build.block_size) },
	{ NULL, 'd', CLI_REQUIRED, "0-9", "how much to tell: 0 errors only (default 2)", set_verbosity, 0 },
	{ NULL, 'x', CLI_REQUIRED, "N", "share an xattr that more than N files have (default 2);\nnegative: store no xattrs",
	  set_tolerance, 0 },
	{ NULL, 'z', CLI_REQUIRED, "ALG[,level=N][,dictsize=N][:…]",
	  "compress; several joined by ':' for --compress-hints;\nlzma also takes lc=, lp=, pb=; the algorithms are listed below",
	  set_compressors, 0 },
	{ NULL, 'C', CLI_REQUIRED, "BYTES", "largest compressed physical cluster (default: one block)", set_unsigned,
	  FIELD(build.pcluster_size) },
	{ NULL, 'E', CLI_REQUIRED, "WORD[,…]", "extended options, '^' in front switches one off; see mkfs.erofs(1)",
	  set_extended, 0 },
	{ NULL, 'L', CLI_REQUIRED, "LABEL", "volume label, at most 15 bytes", cli_set_string, FIELD(build.label) },
	{ NULL, 'm', CLI_REQUIRED, "BYTES[:ALG]", "compress metadata, too, in pieces of this many plain bytes (Linux 6.17)",
	  set_metabox, 0 },
	{ NULL, 'T', CLI_REQUIRED, "SECONDS", "build time, since 1970; all files get it, too, unless --mkfs-time", set_time, 0 },
	{ "all-time", 0, CLI_NONE, NULL, "-T is for all files, too (default)", set_mkfs_time, false },
	{ "max-waste", 0, CLI_REQUIRED, "BYTES", "refuse a file whose holes would cost more than this (64M)", set_bytes,
	  FIELD(build.max_waste) },
	{ "memory", 0, CLI_REQUIRED, "BYTES", "use fewer threads if they would need more (default: what the process may use)", set_bytes,
	  FIELD(build.memory) },
	{ "mkfs-time", 0, CLI_NONE, NULL, "-T is the build time only", set_mkfs_time, true },
	{ NULL, 'U', CLI_REQUIRED, "UUID", "UUID, or clear, or random (default)", set_uuid, 0 },
	{ "align-data", 0, CLI_REQUIRED, "BYTES", "begin the data of files this long at a multiple of it", set_unsigned,
	  FIELD(align_data) },
	{ "all-root", 0, CLI_NONE, NULL, "all files belong to root", all_root, 0 },
	{ "aufs", 0, CLI_NONE, NULL, "archive: turn AUFS whiteouts into overlayfs ones", cli_set_true, FIELD(build.aufs) },
	{ "blobdev", 0, CLI_REQUIRED, "FILE", "write the chunks of --chunksize to this file", cli_set_string,
	  FIELD(build.blob_device) },
	{ "chunksize", 0, CLI_REQUIRED, "BYTES", "store files in chunks, equal ones once, holes as holes", set_unsigned,
	  FIELD(build.chunk_size) },
	{ "compress-hints", 0, CLI_REQUIRED, "FILE", "pcluster size and algorithm by path; see mkfs.erofs(1)", cli_set_string,
	  FIELD(build.compress_hints) },
	{ "dsunit", 0, CLI_REQUIRED, "BLOCKS", "align the data of larger files to this", set_unsigned,
	  FIELD(build.data_alignment) },
	{ "exclude-path", 0, CLI_REQUIRED, "PATH", "leave out this path, relative to the source", cli_add_string,
	  FIELD(exclude_paths) },
	{ "exclude-regex", 0, CLI_REQUIRED, "REGEX", "leave out paths that match", cli_add_string, FIELD(exclude_regexes) },
	{ "extent-size", 0, CLI_REQUIRED, "BYTES", "extents of this many plain bytes, gathered small files (Linux 6.15)", set_unsigned,
	  FIELD(build.extent_size) },
	{ "file-contexts", 0, CLI_REQUIRED, "FILE", "SELinux labels from this file_contexts file", cli_set_string,
	  FIELD(build.file_contexts) },
	{ "for-kernel", 0, CLI_REQUIRED, "X.Y[.Z]", "only what this Linux release reads; the best of it without -z", cli_set_string,
	  FIELD(build.for_kernel) },
	{ "force-gid", 0, CLI_REQUIRED, "GID", "group of all files", force_id, 1 },
	{ "force-uid", 0, CLI_REQUIRED, "UID", "owner of all files", force_id, 0 },
	{ "fsalignblks", 0, CLI_REQUIRED, "BLOCKS", "make the image a multiple of this long", set_unsigned,
	  FIELD(build.size_alignment) },
	{ "gid-offset", 0, CLI_REQUIRED, "N", "add N to all groups", set_offset, FIELD(build.gid_offset) },
	{ "hard-dereference", 0, CLI_NONE, NULL, "store hard links as separate files", cli_set_true,
	  FIELD(build.hard_dereference) },
	{ "hot-data", 0, CLI_NONE, NULL, "with --hot-list: the data of these files comes first, too", cli_set_true,
	  FIELD(build.hot_data) },
	{ "hot-list", 0, CLI_REQUIRED, "FILE", "paths in the order of first use: their metadata comes first", cli_set_string,
	  FIELD(build.hot_list) },
	{ "ignore-mtime", 0, CLI_NONE, NULL, "all files get the build time", cli_set_true, FIELD(ignore_mtime) },
	{ "json", 0, CLI_NONE, NULL, "print the summary as a JSON object", cli_set_true, FIELD(json) },
	{ "layout", 0, CLI_REQUIRED, "dense|walk|legacy", "file tails beside inodes: where worth it (default), never, always", set_layout, 0 },
	{ "max-extent-bytes", 0, CLI_REQUIRED, "BYTES", "most plain bytes in a compressed extent", set_unsigned,
	  FIELD(build.max_extent_bytes) },
	{ "mount-point", 0, CLI_REQUIRED, "PATH", "where the image will be mounted, for --file-contexts", cli_set_string,
	  FIELD(build.mount_point) },
	{ "offset", 0, CLI_REQUIRED, "BYTES", "begin the image at this byte of its file", set_target_offset, 0 },
	{ "order-from", 0, CLI_REQUIRED, "IMAGE|LIST", "store data in the order of another image, or of paths in a file", cli_set_string,
	  FIELD(build.order_from) },
	{ "preset", 0, CLI_REQUIRED, "NAME", "compat (default), dense (Linux 6.15), fast, or live; see mkfs.erofs(1)", cli_set_string,
	  FIELD(build.preset) },
	{ "preserve-mtime", 0, CLI_NONE, NULL, "every file keeps its time (default without -T)", cli_accept, 0 },
	{ "quiet", 0, CLI_NONE, NULL, "no summary, no progress", set_quiet, 0 },
	{ "record-verity", 0, CLI_OPTIONAL, "FILE", "write the image's fs-verity digest to FILE (default: IMAGE.verity)",
	  set_record_verity, 0 },
	{ "root-xattr-isize", 0, CLI_REQUIRED, "BYTES", "keep at least this much room for xattrs of the root", set_unsigned,
	  FIELD(build.root_xattr_isize) },
	{ "sandbox", 0, CLI_REQUIRED, "on|off|require", "confine what reads the source (default: as far as this kernel can)", cli_set_sandbox,
	  FIELD(sandbox) },
	{ "sort", 0, CLI_REQUIRED, "path|none", "archive: accepted; data is placed by path", set_sort, 0 },
	{ "tar", 0, CLI_OPTIONAL, "f", "the source is an archive (--tar=f), standard input if none is named", set_tar, 0 },
	{ "uid-offset", 0, CLI_REQUIRED, "N", "add N to all owners", set_offset, FIELD(build.uid_offset) },
	{ "ungzip", 0, CLI_OPTIONAL, "FILE", "archive: accepted; compression is found out", set_unzip, 0 },
	{ "unlzma", 0, CLI_OPTIONAL, "FILE", NULL, set_unzip, 0 },
	{ "unxz", 0, CLI_OPTIONAL, "FILE", "archive: accepted; compression is found out", set_unzip, 0 },
	{ "gzip", 0, CLI_OPTIONAL, "FILE", NULL, set_unzip, 0 },
	{ "workers", 0, CLI_REQUIRED, "N", "threads (default: one per processor); the image does not depend on it",
	  set_workers, 0 },
	{ "zD", 0, CLI_OPTIONAL, "0|1", "compress directories of more than a block, too", set_directories, 0 },
	{ "cert", 0, CLI_REQUIRED, "FILE", "the certificate (PEM) of --verity-sign", cli_set_string, FIELD(sign_cert) },
	{ "verity-sign", 0, CLI_REQUIRED, "FILE", "with --verity: sign the root hash with this key (PEM), as IMAGE.roothash.p7s", cli_set_string,
	  FIELD(sign_key) },
	{ "verity", 0, CLI_OPTIONAL, "SALT", "append a dm-verity tree and tell its root hash (SALT: hexadecimal, - for none)", set_verity, 0 },
	{ "xattr-inode-digest", 0, CLI_OPTIONAL, "NAME", "give every regular file an xattr with the SHA-256 of its content\n(default name: erofs.fingerprint.v1)",
	  set_inode_digest, 0 },
	{ "xattr-prefix", 0, CLI_REQUIRED, "PREFIX", "store this beginning of xattr names once, such as user.foo.", cli_add_string,
	  FIELD(xattr_prefixes) },
	/* harmless tuning of the peer: accepted */
	{ "async-queue-limit", 0, CLI_REQUIRED, "N", NULL, cli_accept, 0 },
	{ "clean", 0, CLI_REQUIRED, "MODE", NULL, not_yet, 0 },
	{ "incremental", 0, CLI_REQUIRED, "MODE", NULL, not_yet, 0 },
	{ "gzinfo", 0, CLI_OPTIONAL, "FILE", NULL, not_yet, 0 },
	{ "MZ", 0, CLI_OPTIONAL, "0|id", "accepted: metadata has zones of its own in any case", cli_accept, 0 },
	{ "oci", 0, CLI_OPTIONAL, "MODE", NULL, not_yet, 0 },
	{ "ovlfs-strip", 0, CLI_OPTIONAL, "0|1", NULL, not_yet, 0 },
	{ "s3", 0, CLI_REQUIRED, "URL", NULL, not_yet, 0 },
	{ "vmdk-desc", 0, CLI_REQUIRED, "FILE", NULL, not_yet, 0 },
	{ "zfeature-bits", 0, CLI_REQUIRED, "N", NULL, not_yet, 0 },
	{ NULL, 0, CLI_NONE, NULL, NULL, NULL, 0 },
};

static const struct cli cli = {
	.tool = MKFS,
	.usage = "IMAGE DIRECTORY\n       mkfs.erofs --tar=f [OPTIONS] IMAGE [ARCHIVE]",
	.about = "Build an EROFS image from a directory or an archive. IMAGE may be a file, a block device, or - for a pipe.",
	.options = table,
};

static void print_compressors(FILE *out)
{
	const struct ero_compressor_info *c;

	fprintf(out, "\nAlgorithms of -z in this build:\n");
	for (unsigned i = 0; (c = ero_compressor_info(i)); i++) {
		fprintf(out, "   %-12s", c->name);
		if (c->max_level)
			fprintf(out, " level %d to %d (default %d)", c->min_level, c->max_level, c->default_level);
		if (c->max_dict)
			fprintf(out, ", dictsize up to %u", c->max_dict);
		fputc('\n', out);
	}
}

static void print_version(void)
{
	const struct ero_compressor_info *c;

	cli_version(&cli, stdout);
	printf("available compressors:");
	for (unsigned i = 0; (c = ero_compressor_info(i)); i++)
		printf("%s %s", i ? "," : "", c->name);
	putchar('\n');
	cli_sandbox_version(stdout);
}

/* $SOURCE_DATE_EPOCH is what -T is when -T is not given, but for the build time and newer files only in its own
 * specification; here, as in the peer, it is the build time and the time of all files. */
static int read_environment(struct mkfs_options *o)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t n;

	if (!epoch || !*epoch || o->build.build_time_given)
		return 0;
	if (!ero_parse_number(epoch, 0, INT64_MAX, &n)) {
		cli_error(MKFS, "$SOURCE_DATE_EPOCH is \"%s\", which is no number of seconds", epoch);
		return -1;
	}
	o->build.build_time_given = true;
	o->build.build_time = (int64_t)n;
	return 0;
}

static int settle(struct mkfs_options *o)
{
	struct ero_build_options *b = &o->build;

	if (b->block_size && o->align_data % b->block_size) {
		cli_error(MKFS, "--align-data=%u is no multiple of the block size (%u)", o->align_data, b->block_size);
		return -1;
	}
	if (o->align_data && b->block_size)
		b->data_alignment = o->align_data / b->block_size;

	b->exclude_paths = o->exclude_paths.items;
	b->exclude_path_count = o->exclude_paths.count;
	b->exclude_regexes = o->exclude_regexes.items;
	b->exclude_regex_count = o->exclude_regexes.count;
	b->xattr_prefixes = o->xattr_prefixes.items;
	b->xattr_prefix_count = o->xattr_prefixes.count;
	if ((b->build_time_given && !o->mkfs_time) || o->ignore_mtime)
		b->times = ERO_TIME_ALL;
	if (!o->verbosity)
		o->quiet = true;
	return 0;
}

static int take_operands(struct mkfs_options *o, int count, char **words)
{
	bool archive = o->build.source_kind == ERO_SOURCE_ARCHIVE;

	if (count < 1)
		return cli_usage_error(&cli, "an image to write is missing");
	if (count < 2 && !archive)
		return cli_usage_error(&cli, "a source directory is missing");
	if (count > 2)
		return cli_usage_error(&cli, "too many operands: several sources are not possible in this version");
	o->build.target = words[0];
	o->build.source = count > 1 ? words[1] : NULL;
	if (archive && o->build.source && !strcmp(o->build.source, "-"))
		o->build.source = NULL;
	if ((o->sign_key != NULL) != (o->sign_cert != NULL) || (o->sign_key && !o->build.verity_salt))
		return cli_usage_error(&cli, "--verity-sign=KEY, --cert=CERTIFICATE and --verity go together");
	if (o->sign_key && !strcmp(o->build.target, "-"))
		return cli_usage_error(&cli, "--verity-sign needs an image that is a file");
	if (o->record_verity && !strcmp(o->build.target, "-"))
		return cli_usage_error(&cli, "--record-verity needs an image that is a file");
	return 0;
}

void mkfs_free(struct mkfs_options *o)
{
	cli_list_free(&o->exclude_paths);
	cli_list_free(&o->exclude_regexes);
	cli_list_free(&o->xattr_prefixes);
}

int mkfs_parse(int argc, char **argv, struct mkfs_options *o)
{
	int first;

	memset(o, 0, sizeof(*o));
	ero_build_options_init(&o->build);
	o->verbosity = 2;
	first = cli_parse(&cli, argc, argv, o);
	if (first < 0)
		return -1;
	if (o->show_help) {
		cli_help(&cli, stdout);
		print_compressors(stdout);
		return 1;
	}
	if (o->show_version) {
		print_version();
		return 1;
	}
	if (read_environment(o) || take_operands(o, argc - first, argv + first))
		return -1;
	return settle(o);
}
