// SPDX-License-Identifier: MIT
/* --hold and --exec: what happens between the verdict and the mount. While the file is held nobody can open it for writing
 * on file systems with leases; elsewhere a change is found out afterwards, and told. */
#include "fsck/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static void signals(sigset_t *set)
{
	static const int all[] = { SIGCHLD, SIGURG /* the lease is to be broken */, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sigaddset(set, all[i]);
}

void fsck_prepare_hold(void)
{
	sigset_t set;

	signal(SIGCHLD, SIG_DFL); /* ignored, it would keep the command's end from us */
	signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* In a group of its own, which ends with us: nothing may run on when nobody holds the file any more. */
static void run(char **command, const char *path)
{
	sigset_t set;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (char **word = command; *word; word++)
		if (!strcmp(*word, "{}"))
			*word = (char *)path;
	setenv("EROLITH_IMAGE", path, 1);
	signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	execvp(command[0], command);
	cli_error(FSCK, "%s cannot be run: %m", command[0]);
	_exit(NOT_RUN);
}

/* Waits for the command; a writer at the door shortens its time, so that it does not run without the lease. */
static int attend(pid_t child, const char *image)
{
	time_t deadline = 0;
	int status = 0;
	sigset_t set;
	pid_t ended;

	signals(&set);
	while ((ended = waitpid(child, &status, WNOHANG)) != child) {
		struct timespec second = { .tv_sec = 1 };
		int signal;

		if (ended < 0 && errno != EINTR) {
			cli_error(FSCK, "the command's end cannot be learnt: %m");
			return CLI_EXIT_OPERATION;
		}
		signal = sigtimedwait(&set, NULL, &second);
		if (signal == SIGURG && !deadline) {
			deadline = time(NULL) + grace();
			cli_error(FSCK, "%s: somebody wants to write to it; the command has %ld seconds to end", image,
				  (long)(deadline - time(NULL)));
		} else if (signal > 0 && signal != SIGCHLD && signal != SIGURG) {
			kill(-child, signal);
		}
		if (deadline && time(NULL) >= deadline) {
			kill(-child, SIGKILL);
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
	pid_t child;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		fcntl(fd, F_SETFD, 0);
		run(command, path);
	}
	if (child < 0) {
		cli_error(FSCK, "no process can be made: %m");
		return CLI_EXIT_OPERATION;
	}
	setpgid(child, child); /* whoever comes first */
	return attend(child, image);
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

	ero_print_name(stderr, image, strlen(image));
	fprintf(stderr, " is held until it is mounted, as /proc/%ld/fd/%d too\n", (long)getpid(), ero_hold_descriptor(hold));
	signals(&set);
	while (code < 0) {
		struct timespec now = { 0 };
		int signal = sigtimedwait(&set, NULL, &now);

		if (signal > 0 && signal != SIGCHLD && signal != SIGURG) {
			code = BY_SIGNAL + signal;
		} else if (signal == SIGURG && !deadline) {
			deadline = time(NULL) + grace();
		} else if (ero_hold_mounts(hold) > before) {
			code = 0;
		} else if (!ero_hold_is_named(hold, image)) {
			cli_error(FSCK, "%s: the path names another file now", image);
			code = CHANGED;
		} else if (deadline && time(NULL) >= deadline) {
			cli_error(FSCK, "%s: somebody wants to write to it, and it was not mounted in time", image);
			code = CHANGED;
		} else {
			poll(&changed, 1, 200);
		}
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
	if (ero_hold_recheck(hold, &err)) { /* since it was taken hold of, the file was judged */
		cli_error(FSCK, "%s: %s", image, err.text);
		return CHANGED;
	}
	code = command ? run_held(hold, image, command) : wait_for_mount(hold, image);
	if (ero_hold_recheck(hold, &err) == -ESTALE) {
		cli_error(FSCK, "%s: %s: what was mounted may not be what was judged", image, err.text);
		return CHANGED;
	}
	return code;
}
