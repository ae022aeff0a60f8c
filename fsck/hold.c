// SPDX-License-Identifier: MIT
/* --hold and --exec: what happens between the verdict and the mount. While the file is held nobody can open it for writing
 * on file systems with leases; elsewhere a change is found out afterwards, and told. */
#include "fsck/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHANGED = 4, NOT_RUN = 127, BY_SIGNAL = 128 };

/* Seconds that the kernel gives the holder of a lease, less two to be gone by then. */
static time_t grace(void)
{
	FILE *in = fopen("/proc/sys/fs/lease-break-time", "re");
	long seconds = 45;

	if (in && fscanf(in, "%ld", &seconds) != 1)
		seconds = 45;
	if (in)
		fclose(in);
	return seconds > 2 ? seconds - 2 : 0;
}

static void block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGURG); /* the lease is to be broken */
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static void run(char **command, const char *path, const sigset_t *blocked)
{
	for (char **word = command; *word; word++)
		if (!strcmp(*word, "{}"))
			*word = (char *)path;
	setenv("EROLITH_IMAGE", path, 1);
	sigprocmask(SIG_UNBLOCK, blocked, NULL);
	execvp(command[0], command);
	cli_error(FSCK, "%s cannot be run: %m", command[0]);
	_exit(NOT_RUN);
}

/* Waits for the command; a writer at the door shortens its time, so that it never runs without the lease. */
static int attend(pid_t child, const char *image, const sigset_t *set)
{
	time_t deadline = 0;
	int status = 0;

	while (waitpid(child, &status, WNOHANG) != child) {
		struct timespec second = { .tv_sec = 1 };
		int signal = sigtimedwait(set, NULL, &second);

		if (signal == SIGINT || signal == SIGTERM)
			kill(child, signal);
		if (signal == SIGURG && !deadline) {
			deadline = time(NULL) + grace();
			cli_error(FSCK, "%s: somebody wants to write to it; the command has %ld seconds to end", image,
				  (long)(deadline - time(NULL)));
		}
		if (deadline && time(NULL) >= deadline) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			cli_error(FSCK, "%s: the command was ended, since the file could not be held any longer", image);
			return CHANGED;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : BY_SIGNAL + WTERMSIG(status);
}

static int run_held(struct ero_hold *hold, const char *image, char **command)
{
	int fd = ero_hold_descriptor(hold);
	char path[64];
	sigset_t set;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	block(&set);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		fcntl(fd, F_SETFD, 0);
		run(command, path, &set);
	}
	if (child < 0) {
		cli_error(FSCK, "no process can be made: %m");
		return CLI_EXIT_OPERATION;
	}
	return attend(child, image, &set);
}

/* The mount table tells of its changes by poll(2). */
static int wait_for_mount(struct ero_hold *hold, const char *image)
{
	int table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct pollfd changed = { .fd = table, .events = POLLPRI };
	uint64_t before = ero_hold_mounts(hold);
	time_t deadline = 0;
	sigset_t set;
	int code = table < 0 ? CLI_EXIT_OPERATION : -1;

	printf("%s is held until it is mounted, as /proc/%ld/fd/%d too\n", image, (long)getpid(), ero_hold_descriptor(hold));
	fflush(stdout);
	block(&set);
	while (code < 0) {
		struct timespec now = { 0 };
		int signal = sigtimedwait(&set, NULL, &now);

		if (signal == SIGINT || signal == SIGTERM)
			code = BY_SIGNAL + signal;
		else if (signal == SIGURG && !deadline)
			deadline = time(NULL) + grace();
		else if (ero_hold_mounts(hold) > before)
			code = 0;
		else if (deadline && time(NULL) >= deadline)
			code = CHANGED;
		else
			poll(&changed, 1, 200);
	}
	if (table >= 0)
		close(table);
	return code;
}

int fsck_while_held(struct ero_hold *hold, const char *image, char **command)
{
	const char *why_not;
	struct ero_error err;
	int code;

	if (!ero_hold_is_leased(hold, &why_not))
		cli_error(FSCK, "%s: %s; a change will be found out, not kept away", image, why_not);
	code = command ? run_held(hold, image, command) : wait_for_mount(hold, image);
	if (ero_hold_recheck(hold, &err) == -ESTALE) {
		cli_error(FSCK, "%s: %s: what was mounted may not be what was judged", image, err.text);
		return CHANGED;
	}
	return code;
}
