// SPDX-License-Identifier: MIT
/* Feature bits against what an image really uses. */
#include "check/check.h"
#include "format/features.h"

#include <stdio.h>

static void names_of(uint32_t bits, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (const struct ero_feature *f = ero_incompat_features; f->bit && used < size; f++)
		if (bits & f->bit)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", f->name);
}

void ero_check_uses(struct ero_checker *c, uint32_t features, const struct ero_place *at, const char *what)
{
	uint32_t missing = features & ~c->image->super.feature_incompat & ~c->used;
	char names[256];

	c->used |= features; /* each is told once */
	if (!missing)
		return;
	names_of(missing, names, sizeof(names));
	ero_check_tell(c, missing == ERO_INCOMPAT_CHUNKED_FILE ? "feature.chunked" : "feature.missing", at, "%s, but the superblock does not announce %s", what, names);
}

void ero_check_unused(struct ero_checker *c)
{
	uint32_t unused = c->image->super.feature_incompat & ~c->used;
	struct ero_place at = { .has_offset = true, .offset = ERO_SUPER_OFFSET };
	char names[256];

	names_of(unused, names, sizeof(names));
	if (unused)
		ero_check_tell(c, "feature.unused", &at, "the superblock announces %s, and nothing uses it", names);
}
