/* SPDX-License-Identifier: MIT */
/* Feature bits and algorithms with their names and the first mainline kernel that reads them: data, in one place. */
#ifndef ERO_FORMAT_FEATURES_H
#define ERO_FORMAT_FEATURES_H

#include <stdbool.h>
#include <stdint.h>
#include "format/super.h"

struct ero_kernel_version {
	unsigned major, minor, patch;
	unsigned rc; /* 0: a release; 3: its third candidate, which comes before it */
};

#define ERO_LINUX(x, y, z) { .major = (x), .minor = (y), .patch = (z) }
#define ERO_LINUX_RC(x, y, n) { .major = (x), .minor = (y), .rc = (n) }

struct ero_feature {
	uint32_t bit;
	const char *name;
	struct ero_kernel_version since; /* 0.0: any */
};

/* Tables end with bit 0. */
extern const struct ero_feature ero_compat_features[];
extern const struct ero_feature ero_incompat_features[];

const char *ero_algorithm_name(unsigned algorithm); /* "?" for unknown ones */
struct ero_kernel_version ero_algorithm_since(unsigned algorithm);

/* Negative, 0 or positive as a is before, the same as, or after b. */
int ero_kernel_compare(struct ero_kernel_version a, struct ero_kernel_version b);
/* Reads "6.12", "6.12.3-foo", "7.1.0-rc3"; false if there is no number in front. */
bool ero_kernel_parse(const char *text, struct ero_kernel_version *version);

/* Releases from..to that have a bug; the last entry is all zero. */
struct ero_kernel_window {
	struct ero_kernel_version from, to;
};
#define ERO_KERNEL_NEWEST_PATCH 0xffffffffu /* of a series */
/* Extents of byte granularity are read wrong (CVE-2026-43166); the same in words. */
extern const struct ero_kernel_window ero_extent_bugs[];
extern const char ero_extent_bugs_text[];
bool ero_kernel_in_windows(struct ero_kernel_version version, const struct ero_kernel_window *windows);
/* The release that brought an incompatible feature. */
struct ero_kernel_version ero_incompat_since(uint32_t bit);

/* The first kernel with 4 KiB pages that mounts an image with this superblock (all bits, algorithms, block size). */
struct ero_kernel_version ero_super_first_kernel(const struct ero_super *super);
/* Names of all set bits, separated by blanks, compatible ones first. */
void ero_super_feature_names(const struct ero_super *super, char *text, size_t size);

#endif
