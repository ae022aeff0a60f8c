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
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
