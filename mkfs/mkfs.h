/* SPDX-License-Identifier: MIT */
/* mkfs.erofs: what its files share. */
#ifndef MKFS_MKFS_H
#define MKFS_MKFS_H

#include "cli/sandbox.h"

#define MKFS "mkfs.erofs"

struct mkfs_options {
	struct ero_build_options build;
	struct cli_list exclude_paths, exclude_regexes, xattr_prefixes;
	struct cli_sandbox sandbox;
	bool show_help, show_version;
	bool quiet, json;
	unsigned verbosity;       /* -d */
	unsigned align_data;      /* bytes; 0: not given */
	bool mkfs_time;           /* -T is not for files */
	bool ignore_mtime;
	bool record_verity;
	const char *sign_key, *sign_cert; /* of --verity-sign and --cert, or NULL */
	const char *verity_file;  /* that takes the digest; NULL: IMAGE.verity */
};

/* Fills options from the command line and the environment. 0; 1 if only help or version was asked for (and printed);
 * -1 after an error was printed. */
int mkfs_parse(int argc, char **argv, struct mkfs_options *options);

void mkfs_free(struct mkfs_options *options);

/* extended.c: the value of -E, a list of words joined by commas. */
int mkfs_parse_extended(struct mkfs_options *options, const char *value);

#endif
