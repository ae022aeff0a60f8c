// SPDX-License-Identifier: MIT
/* Preloaded: reads and writes are cut short, by another length each time, and every fifth is interrupted first. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/sendfile.h>
#include <unistd.h>

static atomic_uint number;

/* 0: this call is interrupted. */
static size_t cut(size_t length)
{
	unsigned n = atomic_fetch_add(&number, 1);
	size_t most = 1 + n * 7919u % 5000;

	if (n % 5 == 0) {
		errno = EINTR;
		return 0;
	}
	return length < most ? length : most;
}

#define WRAP(type, name, declaration, arguments)                                  \
	type name declaration                                                     \
	{                                                                         \
		type(*real) declaration = (type(*) declaration)dlsym(RTLD_NEXT, #name); \
		if (length) {                                                     \
			length = cut(length);                                     \
			if (!length)                                              \
				return -1;                                        \
		}                                                                 \
		return real arguments;                                            \
	}

WRAP(ssize_t, read, (int fd, void *buffer, size_t length), (fd, buffer, length))
WRAP(ssize_t, write, (int fd, const void *buffer, size_t length), (fd, buffer, length))
WRAP(ssize_t, pread, (int fd, void *buffer, size_t length, off_t offset), (fd, buffer, length, offset))
WRAP(ssize_t, pwrite, (int fd, const void *buffer, size_t length, off_t offset), (fd, buffer, length, offset))
WRAP(ssize_t, pread64, (int fd, void *buffer, size_t length, off64_t offset), (fd, buffer, length, offset))
WRAP(ssize_t, pwrite64, (int fd, const void *buffer, size_t length, off64_t offset), (fd, buffer, length, offset))
WRAP(ssize_t, copy_file_range, (int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags), (in, from, out, to, length, flags))
WRAP(ssize_t, sendfile64, (int out, int in, off64_t *offset, size_t length), (out, in, offset, length))
