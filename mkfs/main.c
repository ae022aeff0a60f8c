// SPDX-License-Identifier: MIT
/* mkfs.erofs: options in, one build, a summary out. */
#include "mkfs/mkfs.h"
#include "config.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWN_PAGES = 2 << 20 }; /* bytes: larger allocations go back to the system when they are freed */

struct state {
	const struct mkfs_options *options;
	struct cli_progress progress;
};

static void on_progress(void *context, const struct ero_progress *progress)
{
	cli_progress_draw(&((struct state *)context)->progress, progress);
}

static void on_warning(void *context, const char *text)
{
	struct state *s = context;

	cli_progress_end(&s->progress);
	if (s->options->verbosity)
		cli_error(MKFS, "warning: %s", text);
}

static void on_note(void *context, const char *text)
{
	struct state *s = context;

	cli_progress_end(&s->progress);
	if (!s->options->quiet && !s->options->json)
		cli_error(MKFS, "%s", text);
}

static bool is_standard_output(const char *target)
{
	struct stat st, out;

	return !strcmp(target, "-") ||
	       (!stat(target, &st) && !fstat(STDOUT_FILENO, &out) && st.st_dev == out.st_dev && st.st_ino == out.st_ino &&
		!isatty(STDOUT_FILENO));
}

static int report(const struct mkfs_options *o, const struct ero_build_summary *summary)
{
	bool to_pipe = is_standard_output(o->build.target); /* then the summary may not go there */
	struct ero_error err;
	int rc = 0;

	if (o->json)
		rc = ero_report_build(summary, o->build.target, ERO_REPORT_JSON, to_pipe ? stderr : stdout, &err);
	else if (!o->quiet)
		rc = ero_report_build(summary, o->build.target, ERO_REPORT_TEXT, to_pipe ? stderr : stdout, &err);
	if (rc)
		cli_error(MKFS, "%s", err.text);
	return rc ? 1 : 0;
}

/* A file is looked at once more where it lies: does it keep the layering rules, and what is its digest? */
static int look_at(const struct mkfs_options *o, struct state *s, struct ero_verity_record *record)
{
	const char *image = o->build.target;
	struct ero_error err;
	struct stat st;
	int rc = 0;

	if (stat(image, &st) || !S_ISREG(st.st_mode)) { /* a pipe or a device */
		if (o->record_verity)
			cli_error(MKFS, "%s is no regular file: it has no fs-verity digest to record", image);
		return o->record_verity ? 1 : 0;
	}
	if (o->verbosity && ero_preflight_built(image, o->build.target_offset, o->build.for_kernel, on_warning, s, &err))
		cli_error(MKFS, "warning: the image is made, but whether it may be mounted where it lies is not known: %s", err.text);
	if (record)
		rc = ero_verity_record_write(record, &err);
	if (rc)
		cli_error(MKFS, "%s", err.text);
	return rc ? 1 : 0;
}

static int build(struct mkfs_options *o)
{
	struct ero_build_summary summary;
	struct ero_verity_record *record = NULL;
	struct ero_seal *seal = NULL;
	bool to_file = !is_standard_output(o->build.target);
	struct ero_error err;
	struct state s = { .options = o };
	int rc, code;

	o->build.progress = on_progress;
	o->build.warning = on_warning;
	o->build.note = on_note;
	o->build.temporary = cli_temporary;
	o->build.context = &s;
	rc = o->record_verity ? ero_verity_record_open(o->build.target, o->verity_file, &record, &err) : 0;
	if (!rc && o->build.verity_salt && to_file)
		rc = ero_seal_open(o->build.target, o->sign_key, o->sign_cert, &seal, &err);
	cli_progress_begin(&s.progress, !o->quiet);
	if (!rc)
		rc = ero_build(&o->build, &summary, &err);
	if (!rc && seal)
		rc = ero_seal_write(seal, summary.verity_root, &err);
	cli_progress_end(&s.progress);
	if (rc)
		cli_error(MKFS, "%s", err.text);
	code = rc ? 1 : look_at(o, &s, record) | report(o, &summary);
	ero_verity_record_close(record);
	ero_seal_close(seal);
	return code;
}

/* The directory of a path, in `room`; "." if it names none. */
static const char *directory_of(const char *path, char *room)
{
	char *slash;

	snprintf(room, PATH_MAX, "%s", path);
	slash = strrchr(room, '/');
	if (!slash)
		return ".";
	slash[slash == room] = '\0';
	return room;
}

/* What a build writes to: its outputs, where links lead, too, and where it may put something aside. */
struct writable {
	char rooms[4][PATH_MAX], real[PATH_MAX];
};

static void allow_outputs(struct mkfs_options *o, struct writable *w)
{
	struct cli_sandbox *s = &o->sandbox;
	const char *target = o->build.target;
	ssize_t n;

	s->task = CLI_TASK_BUILD;
	s->attributes = o->build.source_kind == ERO_SOURCE_DIRECTORY; /* trusted.* are seen by who has CAP_SYS_ADMIN */
	cli_sandbox_allow(s, target);
	cli_sandbox_allow(s, directory_of(target, w->rooms[0]));
	if (realpath(target, w->real)) {
		cli_sandbox_allow(s, directory_of(w->real, w->rooms[1]));
	} else if ((n = readlink(target, w->real, sizeof(w->real) - 1)) > 0) { /* to what is not there yet */
		w->real[n] = '\0';
		if (*w->real == '/')
			cli_sandbox_allow(s, directory_of(w->real, w->rooms[1]));
	}
	cli_sandbox_allow(s, o->build.blob_device);
	if (o->build.blob_device)
		cli_sandbox_allow(s, directory_of(o->build.blob_device, w->rooms[2]));
	if (o->verity_file)
		cli_sandbox_allow(s, directory_of(o->verity_file, w->rooms[3]));
	cli_sandbox_allow(s, ".");
	cli_sandbox_allow(s, getenv("TMPDIR"));
	cli_sandbox_allow(s, "/var/tmp");
	cli_sandbox_allow(s, "/tmp");
}

static int work(void *options)
{
	cli_guard_signals();
	return build(options);
}

int main(int argc, char **argv)
{
	struct mkfs_options o;
	struct writable writable;
	int rc, code = 0;

#ifdef HAVE_MALLOPT
	mallopt(M_MMAP_THRESHOLD, OWN_PAGES); /* else arrays of millions of files leave holes in the heap when they go */
#endif
	cli_begin();
	rc = mkfs_parse(argc, argv, &o);
	if (rc < 0)
		code = CLI_EXIT_USAGE_MKFS;
	else if (!rc) {
		allow_outputs(&o, &writable);
		code = cli_sandbox_run(MKFS, &o.sandbox, work, &o, 1);
	}
	mkfs_free(&o);
	return cli_finish(MKFS, code, 1);
}
