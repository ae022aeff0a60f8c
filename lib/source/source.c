// SPDX-License-Identifier: MIT
/* Choosing a source, and what sources have in common. */
#include "source/source.h"
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

int ero_source_create(const struct ero_build_options *options, struct ero_source **source, struct ero_error *err)
{
	*source = NULL;
	switch (options->source_kind) {
	case ERO_SOURCE_DIRECTORY:
		return ero_source_directory(options, source, err);
	case ERO_SOURCE_ARCHIVE:
#ifdef HAVE_LIBARCHIVE
		return ero_source_archive(options, source, err);
#else
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
				"this build of erolith cannot read archives: it was configured without libarchive");
#endif
	}
	return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "unknown kind of source %d", (int)options->source_kind);
}

void ero_source_warn(const struct ero_build_options *options, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (!options->warning)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	options->warning(options->context, text);
}
