// SPDX-License-Identifier: MIT
/* Prints erolith-checks.7 from the table of invariants: what the manual says is what is checked. */
#include "man/mdoc.h"

#include "check/catalogue.h"

#include <string.h>

static const struct { const char *prefix, *title; } concerns[] = {
	{ "super.", "The superblock" }, { "config.", "Compression configurations" }, { "device.", "Extra devices" },
	{ "feature.", "Feature bits" }, { "inode.", "Inodes" }, { "dir.", "Directories" }, { "xattr.", "Extended attributes" },
	{ "extent.", "Where data is" }, { "space.", "Room" }, { "data.", "Data" }, { "digest.", "Fingerprints of files" },
	{ "verity.", "dm-verity" }, { "io.", "The file of the image" }, { "extract.", "Extraction" },
};

static void invariant(const struct ero_invariant *i)
{
	static const char *const names[] = { [ERO_INFO] = "info", [ERO_WARNING] = "warning", [ERO_DAMAGE] = "error" };

	printf(".It Sy %s Pq %s\n", i->id, names[i->severity]);
	mdoc_put(i->statement);
	printf(".br\nBroken: ");
	mdoc_put(i->broken);
}

int main(void)
{
	puts(".\\\" made by man/checks.c from the table in lib/check/catalogue.c; do not edit\n"
	     ".Dd November 21, 2026\n.Dt EROLITH-CHECKS 7\n.Os\n.Sh NAME\n.Nm erolith-checks\n"
	     ".Nd what holds of a sound EROFS image\n.Sh DESCRIPTION\n"
	     ".Nm fsck.erofs\nchecks these invariants and tells each that is broken by its id, with the place and what is wrong there.\n"
	     "An error means that a kernel fails, or that kernels read the image differently; a warning is against the format and does no\n"
	     "harm today; an info is good to know. Errors alone make exit code 4.\n.Pp\n"
	     "What cannot be seen: other names, numbers or bytes in place of the right ones that make sense themselves, and damaged\n"
	     "compressed data that decodes to something else. Fingerprints, fs-verity and dm-verity are there for that.\n"
	     ".Sh INVARIANTS");
	for (size_t k = 0; k < sizeof(concerns) / sizeof(concerns[0]); k++) {
		printf(".Ss %s\n.Bl -tag -width indent\n", concerns[k].title);
		for (const struct ero_invariant *i = ero_invariants; i->id; i++)
			if (!strncmp(i->id, concerns[k].prefix, strlen(concerns[k].prefix)))
				invariant(i);
		puts(".El");
	}
	puts(".Sh SEE ALSO\n.Xr fsck.erofs 1 ,\n.Xr erolith-layering 7 ,\n.Xr erolith 7");
	return 0;
}
