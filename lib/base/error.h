/* SPDX-License-Identifier: MIT */
/* Errors: every failure becomes one sentence in the caller's ero_error and a negative errno on the way up. */
#ifndef ERO_BASE_ERROR_H
#define ERO_BASE_ERROR_H

#include <errno.h>
#include "erolith.h"

/* Fills err (which may be NULL) and returns -code. The sentence has no newline; the reason from errno is not added. */
int ero_fail(struct ero_error *err, enum ero_error_kind kind, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a failed system call: appends ": " and the system's words for errno, which is read first. */
int ero_fail_errno(struct ero_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "EINVAL"; "?" for what has no name. */
const char *ero_errno_name(int code);
int ero_fail_memory(struct ero_error *err);

/* Puts "context: " in front of the sentence that is there already. Returns code, for use in a return statement. */
int ero_error_prefix(struct ero_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
