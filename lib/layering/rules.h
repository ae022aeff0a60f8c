/* SPDX-License-Identifier: MIT */
/* The layering rules: what must hold before an image is mounted, a row each, in rules_*.c by subject. Pure: facts in, truth
 * out; no file is opened. Where a fact that a rule needs is unknown, so is its truth. */
#ifndef ERO_LAYERING_RULES_H
#define ERO_LAYERING_RULES_H

#include "layering/facts.h"

enum ero_truth { ERO_HOLDS, ERO_BROKEN, ERO_UNKNOWN };

/* Ways of mounting that a rule is about. */
enum { ERO_BY_FILE = 1, ERO_BY_LOOP = 2, ERO_BY_DEVICE = 4, ERO_ANY_WAY = 7, ERO_FROM_FILE = ERO_BY_FILE | ERO_BY_LOOP };

/* What comes of a broken rule, and when it shows. */
enum ero_stage { ERO_AT_MOUNT, ERO_AT_READ, ERO_BESIDE };

/* What an unknown truth does to the verdict. */
enum ero_doubt { ERO_DOUBT_PASSES, ERO_DOUBT_WARNS, ERO_DOUBT_STOPS };

struct ero_detail {
	char text[400];
};

struct ero_rule {
	const char *id;                /* "layer.group.name"; NULL behind the last */
	enum ero_severity severity;    /* ERO_DAMAGE: will not mount, or reads wrong */
	unsigned ways;
	enum ero_stage stage;
	int code;                      /* errno of mount(2), at that stage */
	enum ero_doubt doubt;
	bool crashes;                  /* the kernel must not even be asked */
	bool at_build;                 /* mkfs.erofs asks it of the image it made, where that lies */
	/* Says whether the rule holds, and may say what was found. */
	enum ero_truth (*judge)(const struct ero_facts *facts, struct ero_detail *detail);
	const struct ero_kernel_window *windows; /* only these releases have it; NULL: all */
	const char *sentence;          /* what is wrong when it is broken */
	const char *remedy;
	const char *source;            /* where the rule, and its window, come from */
	const char *tried;             /* the case of tests/system/90-layering.t that shows the remedy, or why there is none */
};

/* The tables, and all rules by number; NULL behind the last. */
extern const struct ero_rule ero_rules_kernel[], ero_rules_backing[], ero_rules_file[], ero_rules_image[],
	ero_rules_devices[], ero_rules_plan[];
const struct ero_rule *ero_rule_at(size_t number);
const struct ero_rule *ero_rule_find(const char *id);
/* The truth of a rule for the way and the kernel that the facts name. */
enum ero_truth ero_rule_judge(const struct ero_rule *rule, const struct ero_facts *facts, struct ero_detail *detail);

/* All rules judged. */
struct ero_judgement {
	enum ero_verdict verdict;
	unsigned broken[3];            /* by severity */
	unsigned unknown;              /* those that stop */
	const struct ero_rule *at_mount; /* the first error, but the kernel's own answer, that mount(2) shows; NULL: none */
};
/* Calls `fn`, where it is not NULL, for every rule that does not hold. */
void ero_judge(const struct ero_facts *facts,
	       void (*fn)(void *context, const struct ero_rule *rule, enum ero_truth truth, const struct ero_detail *detail),
	       void *context, struct ero_judgement *judgement);

/* classes.c: what kind of file system a statfs magic stands for. */
enum ero_fs_class {
	ERO_FS_UNKNOWN, ERO_FS_DISK, ERO_FS_READ_ONLY, ERO_FS_NETWORK, ERO_FS_CLUSTER, ERO_FS_FUSE, ERO_FS_STACKED, ERO_FS_MEMORY,
	ERO_FS_SYNTHETIC
};
enum ero_fs_class ero_fs_classify(uint64_t magic, const char **name);
/* The image file is known to lie on FUSE. */
bool ero_is_on_fuse(const struct ero_facts *facts);

#endif
