// SPDX-License-Identifier: MIT
/* The same facts judged for every way of mounting; the best way is the one with the best verdict, then the least memory. A file
 * that is in the cache already, or just written, is better read from there than by direct I/O. */
#include "report/preflight.h"

#include <string.h>

static const struct {
	const char *name, *way;
	bool direct_io;
} ways[] = {
	{ "file", "file", false }, { "file, direct I/O", "file", true }, { "loop", "loop", false }, { "loop, direct I/O", "loop", true },
};
static const char device_way[] = "device";

/* Appends a word of a shell's command line, quoted where it must be. */
static void append(char *command, size_t size, const char *before, const char *word, bool quote)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
	size_t at = strlen(command);
	bool needs = quote && (word[strspn(word, plain)] || !*word);

	at += (size_t)snprintf(command + at, size - at, "%s%s", before, needs ? "'" : "");
	for (; *word && at + 8 < size; word++) {
		if (needs && *word == '\'')
			at += (size_t)snprintf(command + at, size - at, "'\\''");
		else
			command[at++] = *word;
	}
	command[at] = '\0';
	if (needs && at + 2 < size)
		snprintf(command + at, size - at, "'");
}

static bool is_one(const struct ero_fact *fact)
{
	return fact->known && fact->value;
}

/* EROFS's own options as they were given, but for those that follow from the way. */
static void planned_options(const struct ero_facts *f, char *text, size_t size)
{
	char copy[sizeof(f->plan.options.value)], *at = copy, *one;

	if (!f->plan.options.known)
		return;
	memcpy(copy, f->plan.options.value, sizeof(copy));
	while ((one = strsep(&at, ",")))
		if (*one && strncmp(one, "device=", 7) != 0 && strncmp(one, "fsoffset=", 9) != 0 && strcmp(one, "directio") != 0 &&
		    strcmp(one, "nodirectio") != 0)
			append(text, size, ",", one, false);
}

/* Options that the rules ask for, and those that were planned. */
static void options_of(const struct ero_facts *f, const char *way, bool direct_io, char *text, size_t size)
{
	bool others = is_one(&f->file.owner) || (f->file.permissions.known && (f->file.permissions.value & 022));
	bool loop = !strcmp(way, "loop");
	char number[48];

	snprintf(text, size, "%sro%s%s%s", loop && !direct_io ? "loop," : "",
		 others || is_one(&f->plan.nosuid) || is_one(&f->file.fs_nosuid) ? ",nosuid" : "",
		 others || is_one(&f->plan.nodev) || is_one(&f->file.fs_nodev) ? ",nodev" : "",
		 is_one(&f->plan.noexec) || is_one(&f->file.fs_noexec) ? ",noexec" : "");
	if (!loop && direct_io)
		append(text, size, ",", "directio", false);
	if (is_one(&f->plan.offset)) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)f->plan.offset.value);
		append(text, size, loop ? ",offset=" : ",fsoffset=", number, false);
	}
	for (size_t i = 0; i < f->device_count; i++)
		if (is_one(&f->devices[i].given))
			append(text, size, ",device=", f->devices[i].file.path.value, false);
	planned_options(f, text, size);
}

static void command_of(const struct ero_facts *f, const char *way, bool direct_io, char *command, size_t size)
{
	bool cut = !f->file.path.known || strstr(f->file.path.value, "…");
	const char *image = cut ? "IMAGE" : f->file.path.value, *tool = f->kernel.mounter.known ? f->kernel.mounter.value : "mount";
	char options[800], beside[sizeof(f->file.path.value) + 2];

	if (*image == '-') { /* is no option */
		snprintf(beside, sizeof(beside), "./%s", image);
		image = beside;
	}

	options_of(f, way, direct_io, options, sizeof(options));
	command[0] = '\0';
	if (!strcmp(way, "file") && !*tool) {
		append(command, size, "mount(2): source ", image, true);
		append(command, size, ", type erofs, options ", options, false);
		return;
	}
	if (strcmp(way, "file") != 0)
		tool = "mount";
	append(command, size, "", tool, false);
	append(command, size, strcmp(tool, "mount.erofs") ? " -t erofs -o " : " -o ", options, true);
	if (!strcmp(way, "loop") && direct_io) {
		append(command, size, " \"$(losetup -r --direct-io=on -f --show ", image, true);
		append(command, size, ")\"", "", false);
	} else {
		append(command, size, " ", image, true);
	}
	append(command, size, " DIR", "", false);
}

static void advise(const struct ero_facts *facts, const char *name, const char *way, bool direct_io, struct ero_advice *a)
{
	struct ero_facts f = *facts; /* the devices are shared, and only read */
	struct ero_judgement judgement;

	if (strcmp(f.plan.way.value, way) != 0)
		f.who.answer.known = false; /* that was about another way */
	snprintf(f.plan.way.value, sizeof(f.plan.way.value), "%s", way);
	f.plan.direct_io.value = direct_io && !strcmp(way, "file");
	f.plan.loop_direct_io.known = true;
	f.plan.loop_direct_io.value = direct_io && !strcmp(way, "loop");
	ero_judge(&f, NULL, NULL, &judgement);
	a->way = name;
	a->verdict = judgement.verdict;
	a->cost = ero_cost_of(&f, way, direct_io);
	command_of(&f, way, direct_io, a->command, sizeof(a->command));
}

static bool is_cached(const struct ero_facts *f)
{
	return (f->file.dirty.known && f->file.dirty.value) ||
	       (f->file.cached.known && f->image.pages.known && f->file.cached.value > f->image.pages.value / 2);
}

static int worth(enum ero_verdict v)
{
	static const int order[] = { [ERO_GO] = 0, [ERO_GO_WITH_WARNINGS] = 1, [ERO_CANNOT_JUDGE] = 2, [ERO_NO_GO] = 3 };

	return order[v];
}

/* Is b better than a? */
static bool better(const struct ero_facts *f, const struct ero_advice *a, const struct ero_advice *b)
{
	bool a_direct = strstr(a->way, "direct") != NULL, b_direct = strstr(b->way, "direct") != NULL;

	if (worth(a->verdict) != worth(b->verdict))
		return worth(b->verdict) < worth(a->verdict);
	if (a_direct != b_direct && is_cached(f))
		return a_direct;
	return b->cost.known && a->cost.known && b->cost.total < a->cost.total;
}

/* Direct I/O below needs a file that can do it. */
static bool can_direct(const struct ero_facts *f)
{
	return f->file.dio_align.known && f->file.dio_align.value;
}

size_t ero_advise(const struct ero_facts *f, struct ero_advice advice[ERO_ADVICE_WAYS])
{
	size_t count = 0;

	if (!f->plan.way.known)
		return 0;
	if (!strcmp(f->plan.way.value, device_way)) {
		advise(f, device_way, device_way, false, &advice[0]);
		return 1;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		size_t at = count;

		if (ways[i].direct_io && !can_direct(f))
			continue;
		advise(f, ways[i].name, ways[i].way, ways[i].direct_io, &advice[count]);
		for (; at && better(f, &advice[at - 1], &advice[at]); at--) {
			struct ero_advice other = advice[at];

			advice[at] = advice[at - 1];
			advice[at - 1] = other;
		}
		count++;
	}
	return count;
}
