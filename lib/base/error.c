// SPDX-License-Identifier: MIT
/* The sentences of failure. Nothing is printed here: the text travels to the tool that asked. */
#include "base/error.h"
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ero_fail(struct ero_error *err, enum ero_error_kind kind, int code, const char *format, ...)
{
	va_list ap;

	if (err) {
		err->kind = kind;
		err->code = code;
		va_start(ap, format);
		vsnprintf(err->text, sizeof(err->text), format, ap);
		va_end(ap);
	}
	return -code;
}

/* The system's words for an errno; strerror_r() comes in two forms, and musl's strerror() is safe in threads. */
static const char *words(int code, char *room, size_t size)
{
#ifdef __GLIBC__
	return strerror_r(code, room, size);
#else
	(void)room;
	(void)size;
	return strerror(code);
#endif
}

int ero_fail_errno(struct ero_error *err, const char *format, ...)
{
	int code = errno ? errno : EIO;
	char reason[128];
	size_t used;
	va_list ap;

	if (err) {
		err->kind = code == ENOMEM ? ERO_ERROR_MEMORY : ERO_ERROR_IO;
		err->code = code;
		va_start(ap, format);
		vsnprintf(err->text, sizeof(err->text), format, ap);
		va_end(ap);
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", words(code, reason, sizeof(reason)));
	}
	return -code;
}

int ero_fail_memory(struct ero_error *err)
{
	return ero_fail(err, ERO_ERROR_MEMORY, ENOMEM, "out of memory");
}

int ero_error_prefix(struct ero_error *err, int code, const char *format, ...)
{
	char rest[sizeof(err->text)];
	size_t used;
	va_list ap;

	if (!err)
		return code;
	memcpy(rest, err->text, sizeof(rest));
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %.900s", rest);
	return code;
}

const char *ero_errno_name(int code)
{
#ifdef HAVE_STRERRORNAME_NP
	const char *name = strerrorname_np(code);

	return name ? name : "?";
#else
	static const char *const names[] = { /* those that mounts fail with */
		[EPERM] = "EPERM", [ENOENT] = "ENOENT", [EIO] = "EIO", [ENOTBLK] = "ENOTBLK", [EBUSY] = "EBUSY", [EACCES] = "EACCES",
		[ENODEV] = "ENODEV", [EINVAL] = "EINVAL", [ENOMEM] = "ENOMEM", [EBADMSG] = "EBADMSG", [EUCLEAN] = "EUCLEAN",
		[EOPNOTSUPP] = "EOPNOTSUPP", [ELOOP] = "ELOOP", [ENAMETOOLONG] = "ENAMETOOLONG", [ENOTCONN] = "ENOTCONN",
	};

	return code >= 0 && (size_t)code < sizeof(names) / sizeof(names[0]) && names[code] ? names[code] : "?";
#endif
}
