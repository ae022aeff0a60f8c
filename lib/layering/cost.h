/* SPDX-License-Identifier: MIT */
/* What each way of mounting costs in page cache once everything was read. Pure: from the facts alone. */
#ifndef ERO_LAYERING_COST_H
#define ERO_LAYERING_COST_H

#include "layering/facts.h"

struct ero_cost {
	bool known;
	uint64_t file;     /* pages of the image file, in the cache of the file system below */
	uint64_t device;   /* pages of the block device that EROFS reads its metadata from */
	uint64_t content;  /* pages of the mounted files and directories */
	uint64_t total;
};

/* By `way` ("file", "loop", "device"), with or without direct I/O on the file. */
struct ero_cost ero_cost_of(const struct ero_facts *facts, const char *way, bool direct_io);

#endif
