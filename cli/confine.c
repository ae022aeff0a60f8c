// SPDX-License-Identifier: MIT
/*
 * Landlock (Linux 5.13): files are read anywhere, written and made only where it was said, nothing is executed, no TCP. Numbers of rights
 * newer than a system's headers are our own; linux/landlock.h of 6.12 has them, and landlock(7) which version of the interface brought
 * which. Seccomp by libseccomp. What the kernel does not have is done without, unless it is required; anything else that fails is an
 * error.
 */
#include "cli/confine.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

/* ---- capabilities ---- */

#define CAP(name) (1ull << CAP_##name)

static uint64_t needed(const struct cli_sandbox *s)
{
	uint64_t caps = CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH);

	if (s->task != CLI_TASK_READ)
		caps |= CAP(CHOWN) | CAP(FOWNER) | CAP(FSETID);
	if (s->task == CLI_TASK_EXTRACT)
		caps |= CAP(MKNOD) | CAP(SETFCAP);
	return s->attributes ? caps | CAP(SYS_ADMIN) : caps;
}

static int drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	for (int cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* only who has CAP_SETPCAP has something to drop */
	if (syscall(SYS_capget, &header, data))
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -1 : 0;
}

/* ---- Landlock ---- */

enum {
	RIGHT_EXECUTE = 1 << 0, RIGHT_WRITE = 1 << 1, RIGHT_READ = 1 << 2, RIGHT_LIST = 1 << 3, RIGHT_REFER = 1 << 13,
	RIGHT_TRUNCATE = 1 << 14, RIGHTS_1 = (1 << 13) - 1, /* all of the first version */
	NET_TCP = 3,   /* bind, connect */
	SCOPES = 3,    /* abstract sockets, signals */
};

struct ruleset {
	uint64_t files, net, scoped;
};

/* The version of the interface, 0: there is none, or -1. */
static int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version >= 0)
		return (int)version;
	return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
}

static uint64_t all_rights(int version)
{
	return RIGHTS_1 | (version >= 2 ? RIGHT_REFER : 0) | (version >= 3 ? RIGHT_TRUNCATE : 0);
}

/* What does not exist needs no rule. */
static int allow(int rules, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	long rc;

	if (rule.parent_fd < 0)
		return 0;
	if (!fstat(rule.parent_fd, &st) && !S_ISDIR(st.st_mode))
		rights &= RIGHT_WRITE | RIGHT_READ | RIGHT_TRUNCATE;
	rule.allowed_access = rights;
	rc = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc && errno == EBADFD) /* a pipe or a memfd, which lies on no file system that has rules */
		rc = 0;
	close(rule.parent_fd);
	return rc ? -1 : 0;
}

static int restrict_files(const struct cli_sandbox *s, int version)
{
	struct ruleset set = { .files = all_rights(version), .net = version >= 4 ? NET_TCP : 0, .scoped = version >= 6 ? SCOPES : 0 };
	size_t size = version >= 6 ? sizeof(set) : version >= 4 ? 16 : 8;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0), rc;

	if (rules < 0)
		return -1;
	rc = allow(rules, "/", RIGHT_READ | RIGHT_LIST);
	if (!rc)
		rc = allow(rules, "/dev/null", RIGHT_READ | RIGHT_WRITE);
	for (unsigned i = 0; !rc && i < s->writable_count; i++)
		rc = allow(rules, s->writable[i], all_rights(version) & ~(uint64_t)RIGHT_EXECUTE);
	if (!rc)
		rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return rc;
}

/* ---- seccomp ---- */

#ifdef HAVE_SECCOMP
/* Reading an image, in threads, and printing. */
static const char *const reading[] = {
	"read", "pread64", "readv", "preadv", "write", "writev", "lseek", "_llseek", "openat", "open", "close", "fstat", "fstat64", "fstatat64",
	"newfstatat", "stat", "stat64", "lstat", "lstat64", "statx", "readlink", "readlinkat", "access", "faccessat", "faccessat2", "getcwd", "fcntl",
	"fcntl64", "ioctl", "dup", "dup2", "dup3", "sendfile", "sendfile64", "mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "brk", "futex",
	"futex_time64", "set_robust_list", "rseq", "set_tid_address", "sched_yield", "sched_getaffinity", "exit", "exit_group", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "getrandom", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "nanosleep", "gettimeofday", "getpid", "gettid", "tgkill", "kill", "prlimit64", "ugetrlimit", "getrlimit", "sysinfo",
	"uname", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "fadvise64", "fadvise64_64", "getdents64",
	"statfs", "fstatfs", "statfs64", "fstatfs64", "poll", "ppoll", "membarrier", "umask", NULL,
};

static const char *const making[] = {
	"mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat", "linkat", "unlinkat", "rmdir", "chown", "chown32", "lchown", "lchown32", "fchown",
	"fchown32", "fchownat", "chmod", "fchmod", "fchmodat", "fchmodat2", "utimensat", "utimensat_time64", "setxattr", "lsetxattr", "fsetxattr",
	"ftruncate", "ftruncate64", "pwrite64", "fallocate", "fsync", "fdatasync", "copy_file_range", "flock", NULL,
};

/* Nothing that builds an image does these, or has to. */
static const char *const never[] = {
	"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "pidfd_open", "socket", "socketpair",
	"connect", "bind", "listen", "accept", "accept4", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount", "fsconfig", "fspick",
	"move_mount", "open_tree", "mount_setattr", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key",
	"request_key", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct",
	"settimeofday", "clock_settime", "adjtimex", "iopl", "ioperm", "open_by_handle_at", "quotactl", "personality", "vhangup", "syslog", NULL,
};

static int add(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	for (; *names; names++) {
		int number = seccomp_syscall_resolve_name(*names);
		int rc = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);

		if (rc && rc != -EDOM && rc != -EINVAL) /* this machine has no such call */
			return rc;
	}
	return 0;
}

/* Threads, but no namespaces. What clone3() is asked for cannot be seen: the C library takes clone() instead. */
static int add_threads(scmp_filter_ctx filter)
{
	const uint64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (rc)
		return rc;
#if defined(__s390__) || defined(__s390x__)
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, spaces, 0));
#else
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0));
#endif
}

/* A shell that reads what others type is not what a result is for. */
static int add_terminal(scmp_filter_ctx filter)
{
	const uint32_t tiocsti = 0x5412;

	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, tiocsti));
}

static int restrict_calls(const struct cli_sandbox *s)
{
	bool listed = s->task != CLI_TASK_BUILD;
	scmp_filter_ctx filter = seccomp_init(listed ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int rc;

	if (!filter)
		return -ENOMEM;
	rc = listed ? add(filter, SCMP_ACT_ALLOW, reading) : add(filter, SCMP_ACT_ERRNO(EPERM), never);
	if (!rc && s->task == CLI_TASK_EXTRACT)
		rc = add(filter, SCMP_ACT_ALLOW, making);
	if (!rc && listed)
		rc = add_threads(filter);
	if (!rc && !listed)
		rc = add_terminal(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

static bool has_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}
#else
static int restrict_calls(const struct cli_sandbox *s)
{
	(void)s;
	return 0;
}

static bool has_seccomp(void)
{
	return false;
}
#endif

/* ---- all of it ---- */

static int fail(char *why, size_t size, const char *what, int code)
{
	snprintf(why, size, "%s: %s", what, strerror(code));
	return -1;
}

int cli_confine(const struct cli_sandbox *s, char *why, size_t size)
{
	int version = landlock_version(), rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(why, size, "no_new_privs", errno);
	if (version < 0)
		return fail(why, size, "Landlock", errno);
	if (s->mode == CLI_SANDBOX_REQUIRE && (!version || !has_seccomp()))
		return fail(why, size, version ? "seccomp" : "Landlock", ENOSYS);
	if (drop_capabilities(needed(s)))
		return fail(why, size, "capabilities", errno);
	if (version && restrict_files(s, version))
		return fail(why, size, "Landlock", errno);
	rc = has_seccomp() ? restrict_calls(s) : 0;
	return rc ? fail(why, size, "seccomp", -rc) : 0;
}

void cli_confine_version(FILE *out)
{
	int version = landlock_version();

	if (version > 0)
		fprintf(out, "Landlock %d", version);
	else
		fputs("this kernel has no Landlock", out);
	fprintf(out, ", %s\n", has_seccomp() ? "seccomp" : "no seccomp");
}
