// SPDX-License-Identifier: MIT
/* fsck.erofs: every image that is named, the exit codes joined as fsck(8) does. */
#include "fsck/fsck.h"

int main(int argc, char **argv)
{
	struct fsck_options o;
	int first, code = 0;

	cli_begin();
	first = fsck_parse(argc, argv, &o);
	if (first < 0)
		code = CLI_EXIT_USAGE_FSCK;
	else if (o.rules || o.checks || o.explain)
		code = fsck_tables(&o);
	else if (o.facts)
		code = fsck_preflight(&o, NULL, NULL);
	else if (first > 0 && o.exec)
		code = fsck_preflight(&o, argv[first], argv + first + 1);
	else
		for (int i = first; first > 0 && i < argc; i++)
			code |= o.preflight ? fsck_preflight(&o, argv[i], NULL) : fsck_check(&o, argv[i]);
	cli_list_free(&o.devices);
	return cli_finish(FSCK, code, CLI_EXIT_OPERATION);
}
