/* SPDX-License-Identifier: MIT */
/* POSIX extended regular expressions of options and lists. */
#ifndef ERO_SOURCE_REGEX_H
#define ERO_SOURCE_REGEX_H

#include <regex.h>

#include "base/error.h"

/* Compiles an expression, of which only a match is asked. -EINVAL with the reason for one that is none, or that would take too much
 * memory; the caller says where it stands. */
int ero_regex_compile(regex_t *regex, const char *text, struct ero_error *err);

#endif
