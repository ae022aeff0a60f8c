// SPDX-License-Identifier: MIT
/* A tool that is ended by a signal leaves no temporary file behind: the library tells which there are, a handler removes them. */
#include "cli/cli.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUTS = 4 }; /* an image and its blob, and room */

static struct {
	_Atomic(const void *) output; /* NULL: free */
	char path[PATH_MAX + 64];     /* absolute: threads may have current directories of their own */
} named[OUTPUTS];

static void end(int signal_number)
{
	for (int i = 0; i < OUTPUTS; i++)
		if (atomic_load(&named[i].output))
			unlink(named[i].path);
	signal(signal_number, SIG_DFL);
	raise(signal_number); /* pending until the handler returns: it ends the process as it would have */
}

void cli_guard_signals(void)
{
	static const int ending[] = { SIGTERM, SIGHUP, SIGINT };
	struct sigaction action = { .sa_handler = end, .sa_flags = SA_RESTART }, before;

	for (unsigned i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (!sigaction(ending[i], NULL, &before) && before.sa_handler != SIG_IGN) /* as nohup(1) does */
			sigaction(ending[i], &action, NULL);
	/* these become errors of the system call that meets them, and so a sentence */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

void cli_temporary(void *context, const void *output, const char *path)
{
	char here[PATH_MAX] = "";

	(void)context;
	for (int i = 0; i < OUTPUTS; i++)
		if (atomic_load(&named[i].output) == output)
			atomic_store(&named[i].output, NULL);
	if (!path || (*path != '/' && !getcwd(here, sizeof(here))))
		return;
	for (int i = 0; i < OUTPUTS; i++) {
		if (atomic_load(&named[i].output))
			continue;
		snprintf(named[i].path, sizeof(named[i].path), "%s%s%s", here, *here ? "/" : "", path);
		atomic_store(&named[i].output, output);
		break;
	}
}
