/* SPDX-License-Identifier: MIT */
/*
 * What is known about an image file and what lies below it. Facts are gathered in facts.c and only there; the rules
 * judge them and touch nothing. A fact that could not be learnt is unknown, with the reason, never a guess.
 */
#ifndef ERO_LAYERING_FACTS_H
#define ERO_LAYERING_FACTS_H

#include "base/error.h"
#include "format/features.h"

/* A number that may be unknown. */
struct ero_fact {
	bool known;
	uint64_t value;
	char why_not[160];
};

struct ero_facts {
	/* the file */
	struct ero_fact mode;          /* st_mode */
	struct ero_fact size;          /* bytes from the image's beginning */
	struct ero_fact readable;      /* 1: may be opened for reading */
	struct ero_fact hole;          /* 1: some of the image's bytes are a hole */
	struct ero_fact mutable;       /* 1: others than root may write it */
	/* the image */
	struct ero_fact header;        /* 1: superblock valid */
	char header_error[512];        /* when it is not */
	struct ero_super super;
	struct ero_fact devices_given;
	/* the file system below */
	struct ero_fact fs_magic;      /* statfs f_type */
	struct ero_fact fs_bdev;       /* 1: it lies on a block device of its own */
	char fs_type[64];              /* as the mount table says, or empty */
	/* the kernel that would mount */
	struct ero_fact kernel;        /* 1: version is set */
	struct ero_kernel_version version;
	char release[96];
	struct ero_fact page_size;
	/* who asks */
	struct ero_fact may_mount;     /* 1: CAP_SYS_ADMIN in the first user namespace */
};

int ero_facts_gather(const struct ero_preflight_options *options, struct ero_facts *facts, struct ero_error *err);

#endif
