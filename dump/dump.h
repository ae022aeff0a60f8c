/* SPDX-License-Identifier: MIT */
/* dump.erofs: what its files share. */
#ifndef DUMP_DUMP_H
#define DUMP_DUMP_H

#include "cli/sandbox.h"

#define DUMP "dump.erofs"

struct dump_options {
	bool show_help, show_version, json;
	bool superblock, statistics, footprint, map, extents, list, cat, udev, verity, diff, no_checksum;
	bool has_nid;
	uint64_t nid, offset;
	const char *path, *hot_list;
	struct cli_list devices;
	struct cli_sandbox sandbox;
};

/* As fsck_parse(). */
int dump_parse(int argc, char **argv, struct dump_options *options);

#endif
