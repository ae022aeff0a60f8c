// SPDX-License-Identifier: MIT
/* fsck.erofs: every image that is named, the exit codes joined as fsck(8) does. */
#include "fsck/fsck.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct task {
	struct fsck_options *options;
	char **images;
	int count;
};

static int check_all(void *task)
{
	const struct task *t = task;
	int code = 0;

	for (int i = 0; i < t->count; i++)
		code |= fsck_check(t->options, t->images[i]);
	return code;
}

/* The directory that takes a tree is made before, so that nothing beside it may be written. Of what is extracted by path it is not known
 * whether it is a tree. */
static int check(struct fsck_options *o, char **images, int count)
{
	struct task task = { .options = o, .images = images, .count = count };
	char *parent = NULL;
	bool made = false;
	int code;

	if (o->extract_to) {
		bool tree = !o->path && !o->has_nid;
		char *slash;

		made = tree && !mkdir(o->extract_to, 0777);
		parent = strdup(o->extract_to);
		slash = parent ? strrchr(parent, '/') : NULL;
		if (slash)
			slash[slash == parent] = '\0';
		o->sandbox.task = CLI_TASK_EXTRACT;
		o->sandbox.attributes = o->xattrs;
		cli_sandbox_allow(&o->sandbox, tree ? o->extract_to : slash ? parent : ".");
	}
	code = cli_sandbox_run(FSCK, &o->sandbox, check_all, &task, CLI_EXIT_OPERATION);
	if (made && code)
		rmdir(o->extract_to); /* if it is still empty */
	free(parent);
	return code;
}

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
	else if (first > 0 && o.preflight)
		for (int i = first; i < argc; i++)
			code |= fsck_preflight(&o, argv[i], NULL);
	else if (first > 0)
		code = check(&o, argv + first, argc - first);
	cli_list_free(&o.devices);
	return cli_finish(FSCK, code, CLI_EXIT_OPERATION);
}
