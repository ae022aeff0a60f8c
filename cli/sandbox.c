// SPDX-License-Identifier: MIT
/* The child, its signals and its end; what confines it is in confine.c. */
#include "cli/sandbox.h"
#include "cli/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = { SIGTERM, SIGHUP, SIGINT };
enum { PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };
static volatile pid_t child;

void cli_sandbox_allow(struct cli_sandbox *s, const char *path)
{
	if (path && s->writable_count < CLI_SANDBOX_PATHS)
		s->writable[s->writable_count++] = path;
}

int cli_set_sandbox(void *options, const struct cli_option *self, const char *value)
{
	static const char *const names[] = { [CLI_SANDBOX_ON] = "on", [CLI_SANDBOX_OFF] = "off", [CLI_SANDBOX_REQUIRE] = "require" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], value) != 0)
			continue;
		CLI_AT(options, self, struct cli_sandbox)->mode = (enum cli_sandbox_mode)i;
		return 0;
	}
	cli_error(program_invocation_short_name, "--sandbox=%s: there are on, off and require", value);
	return -1;
}

/* Why there can be no sandbox in this process; NULL: there can. */
static const char *impossible(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (CLI_SANITIZED)
		return "this build has sanitizers, which need more than a sandbox allows";
	/* fakeroot and its like ask a server of theirs */
	return preload && *preload ? "libraries are preloaded (LD_PRELOAD), which may need more than a sandbox allows" : NULL;
}

static void pass_on(int number)
{
	if (child > 0)
		kill(child, number);
}

static void watch_signals(struct sigaction before[PASSED_ON])
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };

	for (int i = 0; i < PASSED_ON; i++)
		if (!sigaction(passed_on[i], NULL, &before[i]) && before[i].sa_handler != SIG_IGN)
			sigaction(passed_on[i], &action, NULL);
}

static void restore_signals(const struct sigaction before[PASSED_ON])
{
	for (int i = 0; i < PASSED_ON; i++)
		sigaction(passed_on[i], &before[i], NULL);
}

/* This process ends as the child did. */
static int end_alike(const char *tool, int status, int failure)
{
	int number;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	number = WTERMSIG(status);
	if (number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGKILL || number == SIGPIPE) {
		signal(number, SIG_DFL);
		raise(number);
	}
	cli_error(tool, "the process that did the work has died: %s", strsignal(number));
	return failure;
}

static void be_child(const char *tool, const struct cli_sandbox *s, pid_t parent, int (*work)(void *context), void *context, int failure)
{
	char why[256] = "";
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it has died before this could be told */
		_exit(failure);
	if (cli_confine(s, why, sizeof(why))) {
		cli_error(tool, "the sandbox cannot be made: %s (--sandbox=off goes without)", why);
		_exit(failure);
	}
	code = cli_finish(tool, work(context), failure);
	exit(code);
}

int cli_sandbox_run(const char *tool, const struct cli_sandbox *s, int (*work)(void *context), void *context, int failure)
{
	const char *why = impossible();
	struct sigaction before[PASSED_ON];
	pid_t parent = getpid();
	int status = 0;

	if (why && s->mode == CLI_SANDBOX_REQUIRE) {
		cli_error(tool, "--sandbox=require: %s", why);
		return failure;
	}
	if (why || s->mode == CLI_SANDBOX_OFF)
		return work(context);
	fflush(NULL);
	child = 0;
	watch_signals(before);
	child = fork();
	if (child == 0) {
		restore_signals(before);
		be_child(tool, s, parent, work, context, failure);
	}
	if (child < 0) {
		restore_signals(before);
		cli_error(tool, "cannot start a process for the work: %s (--sandbox=off goes without)", strerror(errno));
		return failure;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	restore_signals(before);
	return end_alike(tool, status, failure);
}

void cli_sandbox_version(FILE *out)
{
	const char *why = impossible();

	fputs("sandbox: ", out);
	if (why)
		fprintf(out, "off, since %s\n", why);
	else
		cli_confine_version(out);
}
