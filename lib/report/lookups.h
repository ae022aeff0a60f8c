/* SPDX-License-Identifier: MIT */
/* What looking up the paths of a list costs, such as those that a boot uses. */
#ifndef ERO_REPORT_LOOKUPS_H
#define ERO_REPORT_LOOKUPS_H

#include "image/pages.h"

struct ero_lookups {
	uint64_t paths, missing; /* of the list; of them, those that lead nowhere */
};

/* Marks the pages (ERO_PAGE_READ_LIST) that a mount and then a stat of every path in a file of them, one a line, read: directories as far
 * as a search by halves looks into them, inodes, links on the way and at the end. */
int ero_lookups_mark(struct ero_image *image, struct ero_pages *pages, const char *list, struct ero_lookups *result,
		     struct ero_error *err);

#endif
