// SPDX-License-Identifier: MIT
/* Asks the kernel itself: a mount is prepared with the new mount calls and thrown away before it is attached anywhere
 * (fsopen(2), fsconfig(2)). It needs the privilege to mount, and leaves one line in the kernel's log. */
#include "layering/gather.h"
#include "base/cleanup.h"
#include "base/syscalls.h"

#include <string.h>
#include <unistd.h>

struct asking {
	int fs;
	struct ero_probe *probe;
};

/* The last message of the kernel about this mount: "e erofs: …". */
static void read_words(int fs, char *words, size_t size)
{
	char line[256];
	ssize_t n;

	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		snprintf(words, size, "%s", n > 2 && line[1] == ' ' ? line + 2 : line);
	}
}

/* Every refusal is an answer. */
static int answer(struct asking *a, int failed)
{
	a->probe->asked = true;
	if (!failed)
		return 0;
	a->probe->code = errno;
	read_words(a->fs, a->probe->words, sizeof(a->probe->words));
	return 1;
}

static int set(void *context, const char *name, const char *value, struct ero_error *err)
{
	struct asking *a = context;

	(void)err;
	if (ero_option_is_general(name) || ero_option_is_for_mount(name))
		return 0; /* of the mount point, which is never made */
	return answer(a, fsconfig(a->fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name, value, 0));
}

static int ask(struct asking *a, const struct ero_preflight_options *o, const struct ero_facts *f, struct ero_error *err)
{
	char number[32], path[64];
	int rc;

	if (o->held)
		snprintf(path, sizeof(path), "/proc/self/fd/%d", ero_hold_descriptor(o->held));
	rc = answer(a, fsconfig(a->fs, FSCONFIG_SET_STRING, "source", o->held ? path : o->image, 0));
	if (!rc)
		rc = answer(a, fsconfig(a->fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	for (size_t i = 0; !rc && i < o->device_count; i++)
		rc = set(a, "device", o->devices[i], err);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)f->plan.offset.value);
	if (!rc && o->offset)
		rc = set(a, "fsoffset", number, err);
	if (!rc && o->mount_options)
		rc = ero_options_each(o->mount_options, set, a, err);
	if (!rc)
		rc = answer(a, fsconfig(a->fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return rc < 0 ? rc : 0;
}

int ero_probe(const struct ero_preflight_options *o, const struct ero_facts *f, struct ero_probe *probe, struct ero_error *err)
{
	ERO_AUTO_CLOSE int fs = -1;
	struct asking a = { .probe = probe };

	memset(probe, 0, sizeof(*probe));
	if (f->plan.way.known && !strcmp(f->plan.way.value, "loop")) {
		snprintf(probe->why_not, sizeof(probe->why_not), "a loop device would have to be set up first");
		return 0;
	}
	if (!f->kernel.running.known || !f->kernel.running.value) {
		snprintf(probe->why_not, sizeof(probe->why_not), "only the running kernel can be asked");
		return 0;
	}
	fs = fsopen("erofs", FSOPEN_CLOEXEC);
	if (fs < 0) {
		snprintf(probe->why_not, sizeof(probe->why_not), "fsopen: %s", strerror(errno));
		return 0;
	}
	a.fs = fs;
	return ask(&a, o, f, err);
}
