/* SPDX-License-Identifier: MIT */
/* The layering rules: a table of what must hold before an image file is mounted file-backed. Pure: facts in, findings
 * out. Sources are named beside each rule; see erolith(7). */
#ifndef ERO_LAYERING_RULES_H
#define ERO_LAYERING_RULES_H

#include "layering/facts.h"

enum ero_truth { ERO_HOLDS, ERO_BROKEN, ERO_UNKNOWN };

struct ero_rule {
	const char *id;
	enum ero_severity severity;   /* ERO_DAMAGE: will not mount, or reads wrong */
	/* Says whether the rule holds; may put what was found into `detail`. */
	enum ero_truth (*judge)(const struct ero_facts *facts, char *detail, size_t size);
	const char *sentence;         /* what is wrong when it is broken */
	const char *remedy;
	const char *source;           /* where the rule comes from */
};

/* Ends with id NULL. */
extern const struct ero_rule ero_rules[];

/* What kind of file system a statfs magic stands for. */
enum ero_fs_class {
	ERO_FS_UNKNOWN, ERO_FS_DISK, ERO_FS_NETWORK, ERO_FS_CLUSTER, ERO_FS_FUSE, ERO_FS_STACKED, ERO_FS_MEMORY, ERO_FS_SYNTHETIC
};
enum ero_fs_class ero_fs_classify(uint32_t magic, const char **name);

#endif
