/* SPDX-License-Identifier: MIT */
/*
 * What parses foreign images and archives runs in a child that can do little else: it reads, writes below what it was told, and has no
 * network, no other programs and no privileges beyond its task (Landlock, seccomp, no_new_privs, capabilities). Best effort where the
 * kernel has not all of it. This is the tools' affair: the library knows nothing of it.
 */
#ifndef ERO_CLI_SANDBOX_H
#define ERO_CLI_SANDBOX_H

#include "cli/cli.h"

enum cli_sandbox_mode { CLI_SANDBOX_ON, CLI_SANDBOX_OFF, CLI_SANDBOX_REQUIRE };

enum cli_task {
	CLI_TASK_READ,    /* an image is read: two score of system calls */
	CLI_TASK_EXTRACT, /* and files are made */
	CLI_TASK_BUILD,   /* anything may be read, by libraries, too: what is never needed is forbidden */
};

enum { CLI_SANDBOX_PATHS = 12 };

struct cli_sandbox {
	enum cli_sandbox_mode mode;
	enum cli_task task;
	bool attributes;                           /* xattrs of all kinds are read or set, which takes CAP_SYS_ADMIN */
	const char *writable[CLI_SANDBOX_PATHS];   /* directories below which, and files that, may be written; NULL: none */
	unsigned writable_count;
};

/* Adds a path; one that does not exist is passed over when the sandbox is made. */
void cli_sandbox_allow(struct cli_sandbox *sandbox, const char *path);
/* Runs `work` in a child and returns what it returns; `failure` if there can be no child, or no sandbox where it is required, or if the
 * child dies of a fault. Signals that end this process are passed on, and it ends as the child does. Call before threads begin. */
int cli_sandbox_run(const char *tool, const struct cli_sandbox *sandbox, int (*work)(void *context), void *context, int failure);
/* The value of --sandbox: "on", "off", "require". For the option table: `data` is the offset of a struct cli_sandbox. */
int cli_set_sandbox(void *options, const struct cli_option *self, const char *value);
/* One line for --version: what this build and this kernel have of it. */
void cli_sandbox_version(FILE *out);

#endif
