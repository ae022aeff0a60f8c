/* SPDX-License-Identifier: MIT */
/* What this process may use: processors by affinity and by the quotas of its control groups, memory by their limits, its own, and what the
 * machine has. */
#ifndef ERO_BASE_LIMITS_H
#define ERO_BASE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct ero_limits {
	unsigned processors; /* at least 1; of a quota, rounded up */
	uint64_t memory;     /* bytes */
};

/* `root` is "" but in tests: what /proc and /sys lie below. */
void ero_limits_read(const char *root, struct ero_limits *limits);

/* Threads for work that takes `base` bytes and `each` a thread: as many as are asked for, or one a processor; not more than fit in
 * `memory` bytes, or (0) in what this process may use. At least 1. */
unsigned ero_limits_workers(unsigned asked, uint64_t memory, uint64_t base, uint64_t each);

/* What checking and extracting take: README and erolith(7) promise it. */
#define ERO_LIMITS_BASE   (64ull << 20)
#define ERO_LIMITS_WORKER (24ull << 20)

#endif
