// SPDX-License-Identifier: MIT
/* UUIDs from text, or random ones, through libuuid. */
#include "base/error.h"
#include "config.h"

#include <string.h>

#ifdef HAVE_UUID
#include <uuid.h>
#endif

int ero_parse_uuid(const char *text, uint8_t uuid[16], struct ero_error *err)
{
#ifdef HAVE_UUID
	uuid_t parsed;

	if (!strcmp(text, "random")) {
		uuid_generate_random(uuid);
		return 0;
	}
	if (uuid_parse(text, parsed))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "\"%s\" is no UUID, such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
				text);
	memcpy(uuid, parsed, 16);
	return 0;
#else
	memset(uuid, 0, 16);
	if (!strcmp(text, "random"))
		return 0;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
			"UUIDs cannot be read: this build of erolith was configured without libuuid");
#endif
}
