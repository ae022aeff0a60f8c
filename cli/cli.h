/* SPDX-License-Identifier: MIT */
/*
 * What the three tools share: an option table that parses, checks and prints its own help; numbers; messages; a
 * progress line. Nothing here knows EROFS, and nothing reaches the library but through erolith.h.
 */
#ifndef ERO_CLI_CLI_H
#define ERO_CLI_CLI_H

#include "erolith.h"

enum cli_argument { CLI_NONE, CLI_REQUIRED, CLI_OPTIONAL };

enum { CLI_EXIT_USAGE_MKFS = 1, CLI_EXIT_OPERATION = 8, CLI_EXIT_USAGE_FSCK = 16 };

struct cli_option {
	const char *name;           /* long name, or NULL */
	char letter;                /* short name, or 0 */
	enum cli_argument argument;
	const char *value;          /* how the help calls the argument */
	const char *help;           /* NULL: accepted, but not listed */
	/* Takes the value (NULL where none is given) into the tool's options; 0 or a usage error already printed. */
	int (*apply)(void *options, const struct cli_option *self, const char *value);
	intptr_t data;              /* for `apply` */
};

struct cli {
	const char *tool;                  /* "mkfs.erofs" */
	const char *usage;                 /* operands, after "[OPTIONS] " */
	const char *about;                 /* a line or two */
	const struct cli_option *options;  /* ends with name NULL and letter 0 */
	const char *footer;                /* printed behind the options, or NULL */
};

/* Parses options, which may stand among operands; returns the index of the first operand (they are moved to the end of
 * argv), or -1 after printing what is wrong. */
int cli_parse(const struct cli *cli, int argc, char **argv, void *options);
void cli_help(const struct cli *cli, FILE *out);
/* "mkfs.erofs (erofs-utils compatible) 1.9.4, erolith 0.1.0" */
void cli_version(const struct cli *cli, FILE *out);

/* output.c: first thing in main(), and what it returns at last: `code`, with `failure` if standard output could not be written. */
void cli_begin(void);
int cli_finish(const char *tool, int code, int failure);
/* Prints "TOOL: sentence" on standard error, as ero_print_text() does. */
void cli_error(const char *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a command line, with where to read more; returns -1. */
int cli_usage_error(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parse helpers of `apply` functions: a number in [min, max], or -1 after a sentence that names the option. */
int cli_number(const char *tool, const struct cli_option *self, const char *value, uint64_t min, uint64_t max,
	       uint64_t *number);

/* `apply` functions for the usual kinds of value; the option's `data` is the offset of the field in the tool's options. */
#define CLI_AT(options, self, type) ((type *)((char *)(options) + (self)->data))
int cli_set_true(void *options, const struct cli_option *self, const char *value);    /* bool */
int cli_set_false(void *options, const struct cli_option *self, const char *value);   /* bool */
int cli_set_string(void *options, const struct cli_option *self, const char *value);  /* const char * */
int cli_add_string(void *options, const struct cli_option *self, const char *value);  /* struct cli_list */
int cli_accept(void *options, const struct cli_option *self, const char *value);      /* nothing: for compatibility */

/* A growing list of strings from repeated options. */
struct cli_list {
	const char **items;
	size_t count;
};
int cli_list_add(struct cli_list *list, const char *item);
void cli_list_free(struct cli_list *list);

/* One line on a terminal that is drawn over and over; nothing when standard error is none. */
struct cli_progress {
	bool on;
	double started, drawn;
	size_t width;
};
void cli_progress_begin(struct cli_progress *p, bool wanted);
void cli_progress_draw(struct cli_progress *p, const struct ero_progress *state);
void cli_progress_end(struct cli_progress *p);

/* signals.c: SIGTERM, SIGHUP and SIGINT remove the temporary files that cli_temporary() was told of (it fits ero_build_options) and end
 * the process in their own way; SIGXFSZ and SIGPIPE become errors. Call before threads begin. */
void cli_guard_signals(void);
void cli_temporary(void *context, const void *output, const char *path);

const char *cli_severity(enum ero_severity severity);

#endif
