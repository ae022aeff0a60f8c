// SPDX-License-Identifier: MIT
/* The sums behind the advice. Buffered reads leave the whole file in the cache of the file system below. With direct I/O only
 * metadata comes by way of that cache (until Linux 7.3, which counts it elsewhere). On a block device metadata is cached
 * with the device; a loop device has the file below it as well. Seen on Linux 6.18 with mincore(2) and cachestat(2). */
#include "layering/cost.h"

#include <string.h>

struct ero_cost ero_cost_of(const struct ero_facts *f, const char *way, bool direct_io)
{
	struct ero_cost c = { .known = f->image.pages.known && f->image.metadata_pages.known && f->image.content_pages.known };
	bool packs_below = f->file.compressed.known && f->file.compressed.value; /* btrfs: direct reads are buffered ones */

	if (!c.known)
		return c;
	if (packs_below)
		direct_io = false;
	c.content = f->image.content_pages.value;
	if (!strcmp(way, "file"))
		c.file = direct_io ? f->image.metadata_pages.value : f->image.pages.value;
	else
		c.device = f->image.metadata_pages.value;
	if (!strcmp(way, "loop") && !direct_io)
		c.file = f->image.pages.value;
	c.total = c.file + c.device + c.content;
	return c;
}
