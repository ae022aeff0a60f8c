/* SPDX-License-Identifier: MIT */
/* Tries to get out of the tools' sandbox, from inside:   escape read|extract|build DIR [on|off|require]
 * Prints a line for each attempt: what it was, and "denied" or "done". DIR may be written. */
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *inside;

static void tell(const char *what, int done)
{
	printf("%s: %s\n", what, done ? "done" : "denied");
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && (!connect(fd, (struct sockaddr *)&to, sizeof(to)) || errno == ECONNREFUSED);
}

static int executes(void)
{
	char *const words[] = { "/bin/true", NULL };
	pid_t child = fork();
	int status;

	if (child == 0) {
		execv(words[0], words);
		_exit(99);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int traces(void)
{
	pid_t parent = getppid();

	if (ptrace(PTRACE_ATTACH, parent, NULL, NULL))
		return 0;
	waitpid(parent, NULL, 0);
	ptrace(PTRACE_DETACH, parent, NULL, NULL);
	return 1;
}

static void *nothing(void *unused)
{
	return unused;
}

static int starts_thread(void)
{
	pthread_t thread;

	return !pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL);
}

static int has_capability(int number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capget, &header, data) ? -1 : (int)(data[number / 32].effective >> (number % 32) & 1);
}

static int try_all(void *unused)
{
	char path[4096], other[4096];

	(void)unused;
	tell("read a file", opened("/etc/passwd", O_RDONLY));
	tell("write to the null device", opened("/dev/null", O_WRONLY));
	tell("start a thread", starts_thread());
	snprintf(path, sizeof(path), "%s/made", inside);
	tell("make a file inside", opened(path, O_WRONLY | O_CREAT));
	snprintf(path, sizeof(path), "%s/../outside", inside);
	tell("make a file outside", opened(path, O_WRONLY | O_CREAT));
	snprintf(path, sizeof(path), "%s/../there", inside);
	tell("write a file outside", opened(path, O_WRONLY));
	tell("truncate a file outside", !truncate(path, 0));
	tell("remove a file outside", !unlink(path));
	snprintf(other, sizeof(other), "%s/link", inside);
	tell("link to a file outside", !link(path, other));
	snprintf(other, sizeof(other), "%s/../moved", inside);
	snprintf(path, sizeof(path), "%s/made", inside);
	tell("move a file out", !rename(path, other));
	tell("make a device outside", !mknod(other, S_IFCHR | 0600, 0x103));
	tell("connect", connects());
	tell("open a raw socket", socket(AF_INET, SOCK_RAW, 1) >= 0);
	tell("execute", executes());
	tell("trace its parent", traces());
	tell("read its parent's memory", opened("/proc/1/mem", O_RDWR));
	tell("mount", !mount("none", inside, "tmpfs", 0, NULL));
	tell("enter a namespace", !unshare(CLONE_NEWUSER));
	tell("change root", !chroot(inside));
	tell("signal others", !kill(1, 0));
	tell("load a module", syscall(SYS_init_module, "", 0, "") == 0 || errno == ENOEXEC);
	tell("keep CAP_NET_ADMIN", has_capability(CAP_NET_ADMIN) > 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct cli_sandbox s = { .mode = CLI_SANDBOX_ON };

	if (argc < 3)
		return 2;
	s.task = !strcmp(argv[1], "read") ? CLI_TASK_READ : !strcmp(argv[1], "extract") ? CLI_TASK_EXTRACT : CLI_TASK_BUILD;
	inside = argv[2];
	if (argc > 3)
		s.mode = !strcmp(argv[3], "off") ? CLI_SANDBOX_OFF : !strcmp(argv[3], "require") ? CLI_SANDBOX_REQUIRE : CLI_SANDBOX_ON;
	if (s.task != CLI_TASK_READ)
		cli_sandbox_allow(&s, inside);
	return cli_sandbox_run("escape", &s, try_all, NULL, 9);
}
