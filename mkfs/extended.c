// SPDX-License-Identifier: MIT
/* -E: words that switch something on, or off with a '^' in front. */
#include "mkfs/mkfs.h"

#include <stdlib.h>
#include <string.h>

struct word {
	const char *name;
	void (*apply)(struct ero_build_options *o, bool on);
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
	o->dedupe = on ? 1 : -1;
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
	{ "legacy-compress", legacy },
	{ "ztailpacking", ztailpacking },
	{ "inline_data", inline_data },
	{ "noinline_data", noinline_data },
	{ "force-inode-compact", compact },
	{ "force-inode-extended", extended },
	{ "force-inode-blockmap", blockmap },
	{ "force-chunk-indexes", chunk_indexes },
	{ "nosbcrc", nosbcrc },
	{ "xattr-name-filter", name_filter },
	{ "plain-xattr-prefixes", plain_prefixes },
	{ "dedupe", dedupe },
	{ "48bit", wide },
	{ "dot-omitted", dot_omitted },
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

/* fragdedupe: what equal fragments share. */
static int apply_fragdedupe(struct mkfs_options *o, const char *value, bool on)
{
	if (!on || (value && !strcmp(value, "off"))) {
		o->build.keep_equal = true;
	} else if (!value || !strcmp(value, "full")) {
		o->build.dedupe = 1;
	} else if (strcmp(value, "inode") != 0) {
		cli_error(MKFS, "-Efragdedupe=%s: there are inode (equal files), full (-Ededupe) and off", value);
		return -1;
	}
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
	if (!strcmp(word, "fragdedupe"))
		return apply_fragdedupe(o, value, on);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, word))
			continue;
		if (value) {
			cli_error(MKFS, "-E%s takes no value", word);
			return -1;
		}
		words[i].apply(&o->build, on);
		return 0;
	}
	cli_error(MKFS, "-E: there is no extended option \"%s\"", word);
	return -1;
}

int mkfs_parse_extended(struct mkfs_options *o, const char *value)
{
	char *copy = strdup(value), *save = NULL;
	int rc = 0;

	if (!copy) {
		cli_error(MKFS, "out of memory");
		return -1;
	}
	for (char *word = strtok_r(copy, ",", &save); !rc && word; word = strtok_r(NULL, ",", &save))
		rc = apply_word(o, word);
	free(copy);
	return rc;
}
