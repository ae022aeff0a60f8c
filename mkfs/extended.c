// SPDX-License-Identifier: MIT
/* -E: words that switch something on, or off with a '^' in front. A word of a later version says so and fails. */
#include "mkfs/mkfs.h"

#include <stdlib.h>
#include <string.h>

struct word {
	const char *name;
	void (*apply)(struct ero_build_options *o, bool on); /* NULL: not yet */
	const char *needs;  /* what would bring it, for the message */
};

static void legacy(struct ero_build_options *o, bool on)
{
	o->legacy_compress = on;
}

static void ztailpacking(struct ero_build_options *o, bool on)
{
	o->ztailpacking = on;
}

static void inline_data(struct ero_build_options *o, bool on)
{
	o->inline_data = on;
}

static void noinline_data(struct ero_build_options *o, bool on)
{
	o->inline_data = !on;
}

static void compact(struct ero_build_options *o, bool on)
{
	o->inode_form = on ? 32 : 0;
}

static void extended(struct ero_build_options *o, bool on)
{
	o->inode_form = on ? 64 : 0;
}

static void chunk_indexes(struct ero_build_options *o, bool on)
{
	o->force_chunk_indexes = on;
}

static void blockmap(struct ero_build_options *o, bool on)
{
	if (on)
		o->force_chunk_indexes = false;
}

static void nosbcrc(struct ero_build_options *o, bool on)
{
	o->superblock_checksum = !on;
}

static void name_filter(struct ero_build_options *o, bool on)
{
	o->xattr_name_filter = on;
}

static void plain_prefixes(struct ero_build_options *o, bool on)
{
	o->plain_xattr_prefixes = on;
}

static void dedupe(struct ero_build_options *o, bool on)
{
	o->dedupe = on;
}

static void wide(struct ero_build_options *o, bool on)
{
	o->wide = on;
}

static void dot_omitted(struct ero_build_options *o, bool on)
{
	o->dot_omitted = on;
}

static const struct word words[] = {
	{ "legacy-compress", legacy, NULL },
	{ "ztailpacking", ztailpacking, NULL },
	{ "inline_data", inline_data, NULL },
	{ "noinline_data", noinline_data, NULL },
	{ "force-inode-compact", compact, NULL },
	{ "force-inode-extended", extended, NULL },
	{ "force-inode-blockmap", blockmap, NULL },
	{ "force-chunk-indexes", chunk_indexes, NULL },
	{ "nosbcrc", nosbcrc, NULL },
	{ "xattr-name-filter", name_filter, NULL },
	{ "plain-xattr-prefixes", plain_prefixes, NULL },
	{ "dedupe", dedupe, NULL },
	{ "fragdedupe", NULL, "deduplication of fragments" },
	{ "48bit", wide, NULL },
	{ "dot-omitted", dot_omitted, NULL },
};

/* fragments and all-fragments may say how large the pclusters of the packed inode are. */
static int apply_fragments(struct mkfs_options *o, const char *word, const char *value, bool on)
{
	uint64_t size = 0;

	if (value && !ero_parse_number(value, 1, ERO_MAX_PCLUSTER, &size)) {
		cli_error(MKFS, "-E%s=%s: a pcluster size in bytes, at most %u, is needed", word, value, ERO_MAX_PCLUSTER);
		return -1;
	}
	o->build.fragments = !on ? ERO_FRAGMENTS_NONE : *word == 'a' ? ERO_FRAGMENTS_ALL : ERO_FRAGMENTS_TAILS;
	o->build.packed_pcluster_size = (uint32_t)size;
	return 0;
}

static int apply_word(struct mkfs_options *o, char *word)
{
	bool on = *word != '^';
	char *value;

	word += !on;
	value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	if (!strcmp(word, "fragments") || !strcmp(word, "all-fragments"))
		return apply_fragments(o, word, value, on);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, word))
			continue;
		if (!words[i].apply && on) {
			cli_error(MKFS, "-E%s: not yet: %s comes with a later version of erolith", word, words[i].needs);
			return -1;
		}
		if (words[i].apply && value) {
			cli_error(MKFS, "-E%s takes no value", word);
			return -1;
		}
		if (words[i].apply)
			words[i].apply(&o->build, on);
		return 0;
	}
	cli_error(MKFS, "-E: there is no extended option \"%s\"", word);
	return -1;
}

int mkfs_parse_extended(struct mkfs_options *o, const char *value)
{
	char *copy = strdup(value), *save = NULL;
	int rc = copy ? 0 : -1;

	for (char *word = copy ? strtok_r(copy, ",", &save) : NULL; !rc && word; word = strtok_r(NULL, ",", &save))
		rc = apply_word(o, word);
	free(copy);
	return rc;
}
