// SPDX-License-Identifier: MIT
/* Transfers that are complete or an error. */
#include "base/io.h"

#include <limits.h>
#include <sys/sendfile.h>
#include <unistd.h>

ssize_t ero_pread_some(int fd, void *buffer, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, (char *)buffer + done, length - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int ero_pread_full(int fd, void *buffer, size_t length, uint64_t offset, const char *what, struct ero_error *err)
{
	ssize_t n = ero_pread_some(fd, buffer, length, offset);

	if (n < 0) {
		errno = (int)-n;
		return ero_fail_errno(err, "cannot read %zu bytes at byte %llu of %s", length,
				      (unsigned long long)offset, what);
	}
	if ((size_t)n < length)
		return ero_fail(err, ERO_ERROR_CORRUPT, EIO,
				"%s ends too early: %zu bytes at byte %llu were needed, %zd are there", what, length,
				(unsigned long long)offset, n);
	return 0;
}

int ero_pread_nowhere(int fd, int null, uint64_t length, uint64_t offset, const char *what, struct ero_error *err)
{
	uint8_t bytes[32 << 10];
	uint64_t done = 0;

	while (done < length) {
		off_t at = (off_t)(offset + done);
		uint64_t left = length - done;
		ssize_t n = sendfile(null, fd, &at, left < SSIZE_MAX ? (size_t)left : SSIZE_MAX);
		size_t part = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		int rc;

		if (n > 0) {
			done += (uint64_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		rc = ero_pread_full(fd, bytes, part, offset + done, what, err); /* which says what is wrong, or goes on without */
		if (rc)
			return rc;
		done += part;
	}
	return 0;
}

int ero_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset, const char *what,
		    struct ero_error *err)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pwrite(fd, (const char *)buffer + done, length - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC; /* no file system says 0 for another reason */
		if (n <= 0)
			return ero_fail_errno(err, "cannot write %zu bytes at byte %llu of %s", length - done,
					      (unsigned long long)(offset + done), what);
		done += (size_t)n;
	}
	return 0;
}

int ero_write_full(int fd, const void *buffer, size_t length, const char *what, struct ero_error *err)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(fd, (const char *)buffer + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ero_fail_errno(err, "cannot write to %s", what);
		done += (size_t)n;
	}
	return 0;
}
