// SPDX-License-Identifier: MIT
/* Prints erolith-layering.7 from the tables of rules, facts and file systems: what the manual says is what is judged. */
#include "man/mdoc.h"

#include "layering/rules.h"
#include "report/preflight.h"

#include <string.h>

static void sentence(const char *text)
{
	char first = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
	char line[1024];

	snprintf(line, sizeof(line), "%c%s.", first, text + 1);
	mdoc_put(line);
}

static void item(const char *name, const char *text)
{
	printf(".It %s\n", name);
	mdoc_put(text);
}

static void rule(const struct ero_rule *r)
{
	static const char *const doubts[] = { "passed over", "a warning", "no verdict" };
	char windows[256];

	printf(".It Sy %s Pq %s\n", r->id, ero_severity_name(r->severity));
	sentence(r->sentence);
	if (r->code)
		printf("The errno is\n.Er %s .\n", ero_errno_name(r->code));
	ero_rule_windows(r, windows, sizeof(windows));
	if (*windows)
		printf("Kernels: %s.\n", windows);
	printf("Where it cannot be learnt: %s.\n.br\n", doubts[r->doubt]);
	printf("Remedy: ");
	mdoc_put(r->remedy);
	printf(".br\nFrom: ");
	mdoc_put(r->source);
}

static void rules(const char *title, const struct ero_rule *table)
{
	printf(".Ss %s\n.Bl -tag -width indent\n", title);
	for (const struct ero_rule *r = table; r->id; r++)
		rule(r);
	puts(".El");
}

static void facts(const struct ero_field_group *groups, const char *before)
{
	for (const struct ero_field_group *g = groups; g->name; g++) {
		if (*before && !strcmp(g->name, "file"))
			break; /* the same as the image's */
		printf(".Ss %s%s\n.Bl -tag -width indent\n", before, g->name);
		for (const struct ero_field *f = g->fields; f->name; f++)
			item(f->name, f->what);
		puts(".El");
	}
}

int main(void)
{
	puts(".\\\" made by man/layering.c from the tables in lib/layering; do not edit\n"
	     ".Dd November 21, 2026\n.Dt EROLITH-LAYERING 7\n.Os\n.Sh NAME\n.Nm erolith-layering\n"
	     ".Nd when an EROFS image may be mounted here, this way\n.Sh DESCRIPTION\n"
	     "An image can be mounted from its file, by a loop device on that file, or from a block device.\n"
	     "A mount from the file (Linux 6.12 and later) reads metadata out of the page cache of the file system below, so that it\n"
	     "depends on that file system, on the kernel, on the file's state and on who else uses it.\n"
	     ".Nm fsck.erofs Fl \\-preflight\n"
	     "gathers facts, judges them by the rules below, and says go, go with warnings, no-go, or that it cannot judge.\n"
	     "An error is a mount that fails or reads wrong; a warning is unsafe or wasteful; an info is good to know.\n"
	     "A rule whose facts are unknown is unknown itself; what that means is said with it.\n"
	     ".Sh RULES");
	rules("The kernel", ero_rules_kernel);
	rules("The file system below", ero_rules_backing);
	rules("The image file", ero_rules_file);
	rules("The image", ero_rules_image);
	rules("Extra devices", ero_rules_devices);
	rules("The mount", ero_rules_plan);
	puts(".Sh FACTS\n"
	     ".Fl \\-save\\-facts\nwrites all facts as one JSON document, with \"erolith_facts\": 1 and an object for each group;\n"
	     ".Fl \\-facts\njudges such a document anywhere.\n"
	     "What could not be learnt is {\"unknown\": REASON}; what is missing is unknown, too; what is not named here is an error.\n"
	     "\"devices\" is a list of objects with \"slot\" and \"file\", the latter like the image's.");
	facts(ero_field_groups, "");
	facts(ero_device_groups, "devices: ");
	puts(".Sh SEE ALSO\n.Xr fsck.erofs 1 ,\n.Xr mkfs.erofs 1 ,\n.Xr erolith 7");
	return 0;
}
