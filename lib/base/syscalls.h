/* SPDX-License-Identifier: MIT */
/* System calls that the C library may not have a function for: then by our own numbers. Where it has one that is used, since preloaded
 * libraries (fakeroot) stand in for it. */
#ifndef ERO_BASE_SYSCALLS_H
#define ERO_BASE_SYSCALLS_H

#include "config.h"
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef HAVE_STATX
/* the kernel's header has the same ones in other digits */
#undef S_IFMT
#undef S_IFSOCK
#undef S_IFLNK
#undef S_IFREG
#undef S_IFBLK
#undef S_IFDIR
#undef S_IFCHR
#undef S_IFIFO
#undef S_ISUID
#undef S_ISGID
#undef S_ISVTX
#undef S_ISLNK
#undef S_ISREG
#undef S_ISDIR
#undef S_ISCHR
#undef S_ISBLK
#undef S_ISFIFO
#undef S_ISSOCK
#undef S_IRWXU
#undef S_IRUSR
#undef S_IWUSR
#undef S_IXUSR
#undef S_IRWXG
#undef S_IRGRP
#undef S_IWGRP
#undef S_IXGRP
#undef S_IRWXO
#undef S_IROTH
#undef S_IWOTH
#undef S_IXOTH
#include <linux/stat.h>
static inline int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *result)
{
	return (int)syscall(SYS_statx, dirfd, path, flags, mask, result);
}
#endif

#ifndef HAVE_RENAMEAT2
#define RENAME_EXCHANGE (1 << 1)
static inline int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
#endif

#ifndef HAVE_FSOPEN
#undef MS_NOUSER
#undef MS_RMT_MASK
#undef MS_MGC_VAL
#undef MS_MGC_MSK
#include <linux/mount.h>
static inline int fsopen(const char *type, unsigned flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int fsconfig(int fs, unsigned command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fs, command, key, value, aux);
}
#endif

#endif
