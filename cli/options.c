// SPDX-License-Identifier: MIT
/* From the option table to getopt_long's, and to the help text. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_BASE = 256 };

static size_t count_options(const struct cli *cli)
{
	size_t n = 0;

	while (cli->options[n].name || cli->options[n].letter)
		n++;
	return n;
}

static const struct cli_option *by_letter(const struct cli *cli, int letter)
{
	for (const struct cli_option *o = cli->options; o->name || o->letter; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static void fill_tables(const struct cli *cli, struct option *longs, char *shorts)
{
	static const int has_arg[] = { [CLI_NONE] = no_argument, [CLI_REQUIRED] = required_argument,
				       [CLI_OPTIONAL] = optional_argument };
	size_t n = 0;

	*shorts++ = ':'; /* a missing argument is told apart from an unknown option */
	for (size_t i = 0; cli->options[i].name || cli->options[i].letter; i++) {
		const struct cli_option *o = &cli->options[i];

		if (o->name)
			longs[n++] = (struct option){ o->name, has_arg[o->argument], NULL, LONG_BASE + (int)i };
		if (o->letter) {
			*shorts++ = o->letter;
			for (int colons = has_arg[o->argument]; colons > 0; colons--)
				*shorts++ = ':';
		}
	}
	*shorts = '\0';
}

/* What the user wrote, for a message about it. */
static int complain(const struct cli *cli, int code, char **argv)
{
	const char *word = argv[optind - 1];

	if (code == ':')
		return cli_usage_error(cli, "%s needs an argument", word);
	if (optopt && optopt < LONG_BASE)
		return cli_usage_error(cli, "there is no option -%c", optopt);
	if (optopt)
		return cli_usage_error(cli, "%s takes no argument", word);
	return cli_usage_error(cli, "there is no option %s", word);
}

int cli_parse(const struct cli *cli, int argc, char **argv, void *options)
{
	size_t n = count_options(cli);
	struct option *longs = calloc(n + 1, sizeof(*longs));
	char *shorts = calloc(n + 1, 3);
	int code, result = 0;

	if (!longs || !shorts) {
		cli_error(cli->tool, "out of memory");
		free(longs);
		free(shorts);
		return -1;
	}
	fill_tables(cli, longs, shorts);
	opterr = 0;
	optind = 0; /* from the start, also when called again */
	while (result == 0 && (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cli_option *o = code >= LONG_BASE ? &cli->options[code - LONG_BASE] : by_letter(cli, code);

		if (code == ':' || code == '?' || !o)
			result = complain(cli, code, argv);
		else
			result = o->apply(options, o, optarg);
	}
	free(longs);
	free(shorts);
	return result ? -1 : optind;
}

int cli_number(const char *tool, const struct cli_option *self, const char *value, uint64_t min, uint64_t max,
	       uint64_t *number)
{
	if (ero_parse_number(value, min, max, number))
		return 0;
	if (self->name)
		cli_error(tool, "--%s: \"%s\" is no number from %llu to %llu", self->name, value, (unsigned long long)min,
			  (unsigned long long)max);
	else
		cli_error(tool, "-%c: \"%s\" is no number from %llu to %llu", self->letter, value, (unsigned long long)min,
			  (unsigned long long)max);
	return -1;
}

int cli_set_true(void *options, const struct cli_option *self, const char *value)
{
	(void)value;
	*CLI_AT(options, self, bool) = true;
	return 0;
}

int cli_set_false(void *options, const struct cli_option *self, const char *value)
{
	(void)value;
	*CLI_AT(options, self, bool) = false;
	return 0;
}

int cli_set_string(void *options, const struct cli_option *self, const char *value)
{
	*CLI_AT(options, self, const char *) = value;
	return 0;
}

int cli_add_string(void *options, const struct cli_option *self, const char *value)
{
	return cli_list_add(CLI_AT(options, self, struct cli_list), value);
}

int cli_accept(void *options, const struct cli_option *self, const char *value)
{
	(void)options;
	(void)self;
	(void)value;
	return 0;
}

int cli_list_add(struct cli_list *list, const char *item)
{
	const char **grown = reallocarray(list->items, list->count + 1, sizeof(*grown));

	if (!grown) {
		cli_error(program_invocation_short_name, "out of memory");
		return -1;
	}
	list->items = grown;
	list->items[list->count++] = item;
	return 0;
}

void cli_list_free(struct cli_list *list)
{
	free(list->items);
	*list = (struct cli_list){ 0 };
}

static void print_option(const struct cli_option *o, FILE *out)
{
	char left[80];
	int n = 0;

	if (o->letter)
		n = snprintf(left, sizeof(left), " -%c", o->letter);
	else
		n = snprintf(left, sizeof(left), "   ");
	if (o->name)
		n += snprintf(left + n, sizeof(left) - (size_t)n, "%s --%s", o->letter ? "," : " ", o->name);
	if (o->argument != CLI_NONE)
		snprintf(left + n, sizeof(left) - (size_t)n, o->argument == CLI_OPTIONAL ? "[%s%s]" : "%s%s", o->name ? "=" : " ",
			 o->value);
	fprintf(out, "%-34s", left);
	if (strlen(left) > 33)
		fprintf(out, "\n%34s", "");
	/* continuation lines are indented like the first */
	for (const char *p = o->help; *p; p++) {
		fputc(*p, out);
		if (*p == '\n')
			fprintf(out, "%34s", "");
	}
	fputc('\n', out);
}

void cli_help(const struct cli *cli, FILE *out)
{
	fprintf(out, "Usage: %s [OPTIONS] %s\n%s\n\nOptions:\n", cli->tool, cli->usage, cli->about);
	for (const struct cli_option *o = cli->options; o->name || o->letter; o++)
		if (o->help)
			print_option(o, out);
	if (cli->footer)
		fprintf(out, "\n%s", cli->footer);
}

void cli_version(const struct cli *cli, FILE *out)
{
	fprintf(out, "%s (erofs-utils compatible) %s, erolith %s\n", cli->tool, ero_compat_version(), ero_version());
}

const char *cli_severity(enum ero_severity severity)
{
	switch (severity) {
	case ERO_DAMAGE:
		return "error";
	case ERO_WARNING:
		return "warning";
	default:
		return "info";
	}
}
