// SPDX-License-Identifier: MIT
/* What a tool prints arrives whole, or its exit code says that it did not; and nothing of what others have named plays with a terminal. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_begin(void)
{
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* lines of processes that share it do not mix */
}

int cli_finish(const char *tool, int code, int failure)
{
	if (!ferror(stdout) && !fflush(stdout))
		return code;
	if (errno == EPIPE) /* who read it has had enough, as head(1) */
		return code ? code : failure;
	if (!(code & failure)) /* else who wrote it has said so */
		cli_error(tool, "cannot write to standard output: %s", strerror(errno));
	return code | failure;
}

static void print(const char *tool, const char *format, va_list ap)
{
	char *text = NULL;
	int length = vasprintf(&text, format, ap);

	fprintf(stderr, "%s: ", tool);
	if (length >= 0)
		ero_print_text(stderr, text, (size_t)length);
	else
		fputs("out of memory", stderr);
	fputc('\n', stderr);
	free(text);
}

void cli_error(const char *tool, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(tool, format, ap);
	va_end(ap);
}

int cli_usage_error(const struct cli *cli, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(cli->tool, format, ap);
	va_end(ap);
	fprintf(stderr, "Try '%s --help' for more.\n", cli->tool);
	return -1;
}
