/* SPDX-License-Identifier: MIT */
/* fsck.erofs: what its files share. */
#ifndef FSCK_FSCK_H
#define FSCK_FSCK_H

#include "cli/sandbox.h"

#define FSCK "fsck.erofs"

struct fsck_options {
	bool show_help, show_version, print_ratio, json, preflight;
	bool extract;              /* decode all data, too */
	const char *extract_to;    /* and write it here */
	bool salvage;              /* without a check, and whatever can be read of damaged files */
	bool all;                  /* findings */
	uint64_t memory;           /* bytes; 0: what this process may use */
	uint64_t max_size, max_files; /* of an extraction; 0: what an honest image has */
	bool force, overwrite, xattrs, owners, permissions;
	bool no_checksum;
	const char *root_hash;     /* of a dm-verity tree, in hexadecimal */
	const char *cert;          /* by which IMAGE.roothash.p7s has to be signed */
	const char *inode_digest;  /* name of the xattr, "": the superblock's */
	bool has_nid;
	uint64_t nid, offset;
	const char *path;
	const char *for_kernel;
	struct cli_list devices;
	struct cli_sandbox sandbox; /* of a check or an extraction */
	/* preflight */
	bool rules, checks, strict, probe, hold, exec, trust_devices, no_digests;
	enum ero_way way;
	unsigned overlays;
	const char *explain, *mount_options, *facts, *save_facts, *verity;
	unsigned verbosity, workers;
};

/* Returns the index of the first image in argv, 0 if only help or version was asked for (and printed), -1 after an
 * error was printed. */
int fsck_parse(int argc, char **argv, struct fsck_options *options);

/* check.c: checks (and extracts) one image; returns fsck(8)'s exit code. */
int fsck_check(const struct fsck_options *options, const char *image);
/* preflight.c: judges one image file, or the facts about one. `command` is what to run with it held, or NULL. */
int fsck_preflight(const struct fsck_options *options, const char *image, char **command);
/* tables.c: the rules, the checks, or one of them. */
int fsck_tables(const struct fsck_options *options);
/* hold.c: before a file is taken hold of. */
void fsck_prepare_hold(void);
/* After a verdict of go, runs a command while the file is held; without one, waits until it is mounted. Returns the
 * exit code: the command's, or 4 if the file changed. */
int fsck_while_held(struct ero_hold *hold, const char *image, char **command);

#endif
