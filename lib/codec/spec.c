// SPDX-License-Identifier: MIT
/* The small language of -z: "alg[,level=N][,dictsize=N][,lc=N]…" joined by ":", or the old "alg,N". */
#include "codec/codec.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static int parse_key(const char *text, struct ero_compressor *c, struct ero_error *err)
{
	const char *equals = strchr(text, '=');
	const char *value = equals ? equals + 1 : text;
	size_t key = equals ? (size_t)(equals - text) : 0;
	const struct {
		const char *name;
		uint64_t max;
		int *to;
	} ints[] = { { "level", 1000, &c->level }, { "lc", 4, &c->lc }, { "lp", 4, &c->lp }, { "pb", 4, &c->pb } };
	uint64_t n;

	if (equals && key == 8 && !strncmp(text, "dictsize", 8)) {
		if (!ero_parse_number(value, 1, UINT32_MAX, &n))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z %s: \"%s\" is no size in bytes", c->name, value);
		c->dictsize = (uint32_t)n;
		return 0;
	}
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		if (equals && (strlen(ints[i].name) != key || strncmp(text, ints[i].name, key)))
			continue;
		if (!ero_parse_number(value, 0, ints[i].max, &n))
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z %s: \"%s\" is no valid %s", c->name, value,
					ints[i].name);
		*ints[i].to = (int)n;
		return 0;
	}
	return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z %s: unknown setting \"%s\"; level, dictsize, lc, lp and pb are known",
			c->name, text);
}

static int parse_one(char *text, struct ero_compressor *c, struct ero_error *err)
{
	char *save = NULL, *word = strtok_r(text, ",", &save);
	const struct ero_codec *codec;

	memset(c, 0, sizeof(*c));
	c->level = ERO_LEVEL_DEFAULT;
	c->lc = c->lp = c->pb = -1;
	codec = word ? ero_codec_find(word, err) : NULL;
	if (!word)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z: an algorithm is missing");
	if (!codec)
		return -err->code;
	snprintf(c->name, sizeof(c->name), "%s", codec->info.name);
	while ((word = strtok_r(NULL, ",", &save))) {
		int rc = parse_key(word, c, err);

		if (rc)
			return rc;
	}
	return 0;
}

int ero_parse_compressors(const char *text, struct ero_compressor *compressors, unsigned room, unsigned *count,
			  struct ero_error *err)
{
	ERO_AUTO_FREE char *copy = strdup(text);
	char *save = NULL;
	struct ero_error local;

	if (!err)
		err = &local;
	*count = 0;
	if (!copy)
		return ero_fail_memory(err);
	for (char *word = strtok_r(copy, ":", &save); word; word = strtok_r(NULL, ":", &save)) {
		int rc;

		if (*count == room)
			return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z: more than %u algorithms", room);
		rc = parse_one(word, &compressors[*count], err);
		if (rc)
			return rc;
		++*count;
	}
	return *count ? 0 : ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "-z: an algorithm is missing");
}
