// SPDX-License-Identifier: MIT
/* --preflight: the library judges and reports; here the verdict becomes an exit code. */
#include "fsck/fsck.h"

int fsck_preflight(const struct fsck_options *o, const char *image)
{
	static const int codes[] = { [ERO_GO] = 0, [ERO_GO_WITH_WARNINGS] = 0, [ERO_NO_GO] = 4, [ERO_CANNOT_JUDGE] = 8 };
	struct ero_preflight_options p = {
		.image = image, .offset = o->offset, .devices = o->devices.items, .device_count = o->devices.count,
		.for_kernel = o->for_kernel,
	};
	enum ero_verdict verdict;
	struct ero_error err;

	if (ero_preflight(&p, o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT, stdout, &verdict, &err)) {
		cli_error(FSCK, "%s", err.text);
		return err.kind == ERO_ERROR_ARGUMENT ? CLI_EXIT_USAGE_FSCK : CLI_EXIT_OPERATION;
	}
	return codes[verdict];
}
