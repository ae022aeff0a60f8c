// SPDX-License-Identifier: MIT
/* Preloaded: the allocation number FAILALLOC fails, once; FAILALLOC_COUNT names a file that takes how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long number;
static long failing = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAILALLOC");

	failing = text ? atol(text) : 0;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAILALLOC_COUNT");
	char text[32];
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;

	if (fd >= 0 && write(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", (long)number)) < 0)
		_exit(125);
	if (fd >= 0)
		close(fd);
}

/* OpenSSL 3.0 crashes where it cannot make its first lock: nothing that its callers could prevent. */
static int spared(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "/libcrypto");
}

static int fails(const void *caller)
{
	if (failing < 0 || atomic_fetch_add(&number, 1) + 1 != failing)
		return 0;
	if (spared(caller))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}
