// SPDX-License-Identifier: MIT
/* Keeps an image file from changing between verdict and mount: an open descriptor, so that it stays the same file, and a
 * read lease, so that nobody opens it for writing without our knowledge (fcntl(2), F_SETLEASE). */
#include "layering/gather.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ero_hold {
	int fd;
	bool leased;
	char why_not[160];
	struct stat st;
};

/* The kernel tells that a lease is to be broken by SIGIO, which ends processes. SIGURG is ignored where nobody asks for it. */
static int lease(struct ero_hold *h, const char *path, struct ero_error *err)
{
	if (!fcntl(h->fd, F_SETSIG, SIGURG) && !fcntl(h->fd, F_SETLEASE, F_RDLCK)) {
		h->leased = true;
		return 0;
	}
	if (errno == EAGAIN)
		return ero_fail(err, ERO_ERROR_IO, EAGAIN, "%s is open for writing: whoever does that must end first", path);
	snprintf(h->why_not, sizeof(h->why_not), "no lease can be taken: %s", strerror(errno));
	return 0;
}

int ero_hold_take(const char *path, struct ero_hold **result, struct ero_error *err)
{
	struct ero_hold *h = calloc(1, sizeof(*h));
	int rc = 0;

	*result = NULL;
	if (!h)
		return ero_fail_memory(err);
	h->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (h->fd < 0)
		rc = ero_fail_errno(err, "cannot open %s", path);
	if (!rc)
		rc = lease(h, path, err); /* before the look at it: what is seen then stays */
	if (!rc && fstat(h->fd, &h->st))
		rc = ero_fail_errno(err, "cannot look at %s", path);
	if (!rc && !S_ISREG(h->st.st_mode)) /* writes to a device change nothing that could be looked at again */
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s is no regular file: only those can be held", path);
	if (rc) {
		ero_hold_release(h);
		return rc;
	}
	*result = h;
	return 0;
}

int ero_hold_descriptor(const struct ero_hold *h)
{
	return h->fd;
}

bool ero_hold_is_leased(const struct ero_hold *h, const char **why_not)
{
	if (why_not)
		*why_not = h->why_not;
	return h->leased;
}

int ero_hold_recheck(struct ero_hold *h, struct ero_error *err)
{
	struct stat now;

	if (fstat(h->fd, &now))
		return ero_fail_errno(err, "cannot look at the file again");
	/* ctime: writes, truncation and changes of mode all move it, and nobody can set it back */
	if (now.st_size != h->st.st_size || now.st_ctim.tv_sec != h->st.st_ctim.tv_sec ||
	    now.st_ctim.tv_nsec != h->st.st_ctim.tv_nsec || now.st_mtim.tv_sec != h->st.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != h->st.st_mtim.tv_nsec)
		return ero_fail(err, ERO_ERROR_IO, ESTALE, "the file changed while it was held");
	if (h->leased && fcntl(h->fd, F_GETLEASE) != F_RDLCK)
		return ero_fail(err, ERO_ERROR_IO, EBUSY, "somebody wants to write to the file");
	return 0;
}

bool ero_hold_is_named(const struct ero_hold *h, const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == h->st.st_dev && st.st_ino == h->st.st_ino;
}

uint64_t ero_hold_mounts(const struct ero_hold *h)
{
	struct ero_file_facts f = { 0 };

	ero_gather_mounts(&h->st, &f);
	return f.mounts.value;
}

void ero_hold_release(struct ero_hold *h)
{
	if (!h)
		return;
	if (h->leased)
		fcntl(h->fd, F_SETLEASE, F_UNLCK);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}
