// SPDX-License-Identifier: MIT
/* dump.erofs: opens an image and writes the reports that were asked for. */
#include "dump/dump.h"

static int show(const struct dump_options *o, struct ero_image *image, struct ero_error *err)
{
	enum ero_report_form form = o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT;
	bool inode = o->path || o->has_nid;
	uint64_t nid = o->nid;
	int rc = o->path ? ero_image_lookup(image, o->path, &nid, err) : 0;

	if (!rc && o->udev)
		rc = ero_report_udev(image, form, stdout, err);
	if (!rc && (o->superblock || (!o->statistics && !o->footprint && !o->map && !inode && !o->udev)))
		rc = ero_report_superblock(image, form, stdout, err);
	if (!rc && o->statistics)
		rc = ero_report_statistics(image, form, stdout, err);
	if (!rc && o->footprint)
		rc = ero_report_footprint(image, o->hot_list, form, stdout, err);
	if (!rc && o->map)
		rc = ero_report_map(image, stdout, err);
	if (rc || !inode)
		return rc;
	if (o->cat)
		return ero_report_content(image, nid, stdout, err);
	if (!o->list || o->extents || !o->json)
		rc = ero_report_inode(image, nid, o->path, o->extents, form, stdout, err);
	if (!rc && o->list)
		rc = ero_report_directory(image, nid, form, stdout, err);
	return rc;
}

static int open_image(const struct dump_options *o, const char *path, struct ero_image **image, struct ero_error *err)
{
	struct ero_open_options options = {
		.offset = o->offset, .devices = o->devices.items, .device_count = o->devices.count,
		.ignore_checksum = o->no_checksum,
	};

	return ero_image_open(path, &options, image, err);
}

static int dump(const struct dump_options *o, const char *path)
{
	struct ero_image *image;
	struct ero_error err;
	int rc = open_image(o, path, &image, &err);

	if (!rc) {
		rc = show(o, image, &err);
		ero_image_close(image);
	}
	if (rc)
		cli_error(DUMP, "%s", err.text);
	return rc ? 1 : 0;
}

/* As diff(1): 0 the same, 1 different, 2 trouble. */
static int diff(const struct dump_options *o, const char *one, const char *other)
{
	struct ero_image *images[2] = { NULL, NULL };
	uint64_t differences = 0;
	struct ero_error err;
	int rc = open_image(o, one, &images[0], &err);

	if (!rc)
		rc = open_image(o, other, &images[1], &err);
	if (!rc)
		rc = ero_report_diff(images[0], images[1], o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT, stdout, &differences, &err);
	if (rc)
		cli_error(DUMP, "%s", err.text);
	ero_image_close(images[0]);
	ero_image_close(images[1]);
	return rc ? 2 : differences ? 1 : 0;
}

/* Of the file, whatever it holds, as fsverity(1) prints it. */
static int digest(const struct dump_options *o, const char *path)
{
	enum ero_report_form form = o->json ? ERO_REPORT_JSON : ERO_REPORT_TEXT;
	struct ero_error err;

	if (!ero_report_verity(path, form, stdout, &err))
		return 0;
	cli_error(DUMP, "%s", err.text);
	return 1;
}

struct task {
	const struct dump_options *options;
	char **images;
};

static int work(void *task)
{
	const struct task *t = task;

	if (t->options->diff)
		return diff(t->options, t->images[0], t->images[1]);
	return t->options->verity ? digest(t->options, t->images[0]) : dump(t->options, t->images[0]);
}

int main(int argc, char **argv)
{
	struct dump_options o;
	struct task task = { .options = &o };
	int first, code;

	cli_begin();
	first = dump_parse(argc, argv, &o);
	code = first < 0;
	task.images = argv + first;
	if (first > 0)
		code = cli_sandbox_run(DUMP, &o.sandbox, work, &task, o.diff ? 2 : 1);
	cli_list_free(&o.devices);
	return cli_finish(DUMP, code, o.diff ? 2 : 1);
}
