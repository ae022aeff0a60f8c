/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. Each reads its input as its head comment says; tests/fuzz/run builds seeds and runs them. */
#ifndef FUZZ_H
#define FUZZ_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* What each target does with one input; below. */
static int fuzz_one(const uint8_t *data, size_t size);

static inline double fuzz_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/*
 * Cost is a finding, too. Structure takes time in proportion to its size; each encoded extent, of which 16 bytes can tell, may decode to
 * 12 MiB once, which takes a sanitized decoder some 20 ms. Memory is bounded by libFuzzer's -rss_limit_mb (see tests/fuzz/run).
 */
static inline int fuzz_within_budget(const uint8_t *data, size_t size)
{
	const double least = 5, each_byte = 0.02 / 16;
	double started = fuzz_seconds(), taken;
	int rc = fuzz_one(data, size);

	taken = fuzz_seconds() - started;
	if (taken > least + each_byte * (double)size) {
		fprintf(stderr, "%zu bytes took %.1f s of processor time\n", size, taken);
		abort();
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_within_budget(data, size);
}

/* A file in memory with these bytes, and a path to it, until it is closed. */
static inline int fuzz_file(const void *data, size_t size, char path[64])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static inline int fuzz_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* A directory and all in it. */
static inline void fuzz_remove(const char *path)
{
	nftw(path, fuzz_remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* What must hold of any input. */
#define FUZZ_ASSERT(what)                                                       \
	do {                                                                    \
		if (!(what)) {                                                  \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                \
		}                                                               \
	} while (0)

#endif
