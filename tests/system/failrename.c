/* SPDX-License-Identifier: MIT */
/* Preloaded: the call number $FAIL_RENAME of those that rename fails with $FAIL_CODE. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

static int fails(void)
{
	static int calls;
	const char *which = getenv("FAIL_RENAME"), *code = getenv("FAIL_CODE");

	if (!which || ++calls != atoi(which))
		return 0;
	errno = code ? atoi(code) : EIO;
	return 1;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int (*real)(int, const char *, int, const char *) = (int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");

	return fails() ? -1 : real(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	int (*real)(int, const char *, int, const char *, unsigned int) =
		(int (*)(int, const char *, int, const char *, unsigned int))dlsym(RTLD_NEXT, "renameat2");

	return fails() ? -1 : real(from_dir, from, to_dir, to, flags);
}
