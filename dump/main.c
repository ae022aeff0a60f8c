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
		rc = ero_report_footprint(image, form, stdout, err);
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

static int dump(const struct dump_options *o, const char *path)
{
	struct ero_open_options open_options = {
		.offset = o->offset, .devices = o->devices.items, .device_count = o->devices.count,
		.ignore_checksum = o->no_checksum,
	};
	struct ero_image *image;
	struct ero_error err;
	int rc = ero_image_open(path, &open_options, &image, &err);

	if (!rc) {
		rc = show(o, image, &err);
		ero_image_close(image);
	}
	if (rc)
		cli_error(DUMP, "%s", err.text);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct dump_options o;
	int first = dump_parse(argc, argv, &o), code = first < 0;

	if (first > 0)
		code = dump(&o, argv[first]);
	cli_list_free(&o.devices);
	return code;
}
