/* SPDX-License-Identifier: MIT */
/* Scoped release by the compiler's cleanup attribute: memory and file descriptors. */
#ifndef ERO_BASE_CLEANUP_H
#define ERO_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void ero_free_pointer(void *p)
{
	free(*(void **)p);
}

static inline void ero_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define ERO_AUTO_FREE __attribute__((cleanup(ero_free_pointer)))
#define ERO_AUTO_CLOSE __attribute__((cleanup(ero_close_fd)))

#endif
