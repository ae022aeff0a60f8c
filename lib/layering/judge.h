/* SPDX-License-Identifier: MIT */
/* What the predicates of rules_*.c share. A predicate has the facts `f` and the detail `d`. */
#ifndef ERO_LAYERING_JUDGE_H
#define ERO_LAYERING_JUDGE_H

#include <stdio.h>
#include <string.h>
#include "layering/rules.h"

/* Of the lists of windows: the newest release of a series, and the end. */
#define NEWEST ERO_KERNEL_NEWEST_PATCH
#define LAST { ERO_LINUX(0, 0, 0), ERO_LINUX(0, 0, 0) }

/* Leaves the predicate as unknown, with the fact's own reason, unless the fact is known. */
#define NEED(fact)                                                                                            \
	do {                                                                                                  \
		if (!(f->fact).known) {                                                                       \
			snprintf(d->text, sizeof(d->text), "%s is not known: %s", #fact, (f->fact).why_not); \
			return ERO_UNKNOWN;                                                                   \
		}                                                                                             \
	} while (0)

/* The same of a fact of a device. */
#define NEED_OF(number, fact)                                                                                      \
	do {                                                                                                       \
		if (!(f->devices[number].fact).known) {                                                            \
			snprintf(d->text, sizeof(d->text), "%s of device %zu is not known: %s", #fact, (number) + 1, \
				 (f->devices[number].fact).why_not);                                               \
			return ERO_UNKNOWN;                                                                        \
		}                                                                                                  \
	} while (0)

#define SAY(...) snprintf(d->text, sizeof(d->text), __VA_ARGS__)

static inline enum ero_truth ero_holds(bool good)
{
	return good ? ERO_HOLDS : ERO_BROKEN;
}

static inline bool ero_is(const struct ero_text *text, const char *value)
{
	return text->known && !strcmp(text->value, value);
}

/* The superblock was read, and has this incompatible feature. */
static inline bool ero_has_incompat(const struct ero_facts *f, uint32_t bit)
{
	return f->image.feature_incompat.known && (f->image.feature_incompat.value & bit);
}

/* rules.c: BROKEN inside the windows, HOLDS outside; UNKNOWN where the release does not tell its patch level. */
enum ero_truth ero_in_windows(const struct ero_facts *f, const struct ero_kernel_window *windows, struct ero_detail *d);

static inline bool ero_is_compressed(const struct ero_facts *f)
{
	return ero_has_incompat(f, ERO_INCOMPAT_LZ4_0PADDING | ERO_INCOMPAT_COMPR_CFGS);
}

#define NUM(fact) ((unsigned long long)(f->fact).value)

#endif
