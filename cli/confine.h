/* SPDX-License-Identifier: MIT */
/* Takes from the calling process what its task does not need. */
#ifndef ERO_CLI_CONFINE_H
#define ERO_CLI_CONFINE_H

#include "cli/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLI_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLI_SANITIZED 1
#endif
#endif
#ifndef CLI_SANITIZED
#define CLI_SANITIZED 0
#endif

/* 0, or -1 with a reason: if something of it failed, and where the sandbox is required also if the kernel has no such thing. */
int cli_confine(const struct cli_sandbox *sandbox, char *why, size_t size);
void cli_confine_version(FILE *out);

#endif
