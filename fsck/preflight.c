// SPDX-License-Identifier: MIT
/* --preflight: the library judges and reports; here the verdict becomes an exit code. */
#include "fsck/fsck.h"

#include <errno.h>
#include <string.h>

static int failed(const struct ero_error *err)
{
	cli_error(FSCK, "%s", err->text);
	return err->kind == ERO_ERROR_ARGUMENT ? CLI_EXIT_USAGE_FSCK : CLI_EXIT_OPERATION;
}

static int judge(const struct fsck_options *o, struct ero_preflight_options *p)
{
	const int codes[] = { [ERO_GO] = 0, [ERO_GO_WITH_WARNINGS] = o->strict ? 1 : 0, [ERO_NO_GO] = 4, [ERO_CANNOT_JUDGE] = 8 };
	bool to_output = o->save_facts && !strcmp(o->save_facts, "-");
	enum ero_verdict verdict;
	struct ero_error err;
	int code;

	if (o->save_facts) {
		p->save_facts = to_output ? stdout : fopen(o->save_facts, "we");
		if (!p->save_facts) {
			cli_error(FSCK, "%s cannot be written: %m", o->save_facts);
			return CLI_EXIT_OPERATION;
		}
	}
	code = ero_preflight(p, o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT, to_output ? stderr : stdout, &verdict, &err) ?
		       failed(&err) : codes[verdict];
	if (p->save_facts && !to_output && fclose(p->save_facts)) {
		cli_error(FSCK, "%s cannot be written: %m", o->save_facts);
		code |= CLI_EXIT_OPERATION;
	}
	return code;
}

int fsck_preflight(const struct fsck_options *o, const char *image, char **command)
{
	struct ero_preflight_options p = {
		.image = image, .offset = o->offset, .devices = o->devices.items, .device_count = o->devices.count,
		.for_kernel = o->for_kernel, .way = o->way, .mount_options = o->mount_options, .overlays = o->overlays,
		.trust_devices = o->trust_devices, .no_digests = o->no_digests, .recorded_verity = o->verity, .probe = o->probe,
		.facts = o->facts, .notes = o->verbosity > 2,
	};
	struct ero_hold *hold = NULL;
	struct ero_error err;
	int code;

	if (o->hold || command) {
		fsck_prepare_hold();
		if (ero_hold_take(image, &hold, &err)) {
			cli_error(FSCK, "%s", err.text);
			return err.code == EAGAIN ? 4 : err.kind == ERO_ERROR_ARGUMENT ? CLI_EXIT_USAGE_FSCK : CLI_EXIT_OPERATION;
		}
		p.held = hold;
	}
	code = judge(o, &p);
	if (hold && !code)
		code = fsck_while_held(hold, image, command);
	ero_hold_release(hold);
	return code;
}
