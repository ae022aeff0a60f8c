/* SPDX-License-Identifier: MIT */
/* The invariants of the format: what must hold of an image, a row each. Findings are told by the ids of this table, and
 * erolith-checks.7 is printed from it. */
#ifndef ERO_CHECK_CATALOGUE_H
#define ERO_CHECK_CATALOGUE_H

#include <stddef.h>
#include "erolith.h"

struct ero_invariant {
	const char *id;              /* "concern.what"; NULL behind the last */
	enum ero_severity severity;  /* ERO_DAMAGE: a kernel fails, or kernels read differently */
	const char *statement;       /* what holds of a sound image */
	const char *broken;          /* what comes of it, and what kernels do */
};

extern const struct ero_invariant ero_invariants[];
/* Rows of the table. */
size_t ero_invariant_count(void);
/* NULL for an id that is not listed. */
const struct ero_invariant *ero_invariant_find(const char *id);

#endif
