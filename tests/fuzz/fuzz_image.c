// SPDX-License-Identifier: MIT
/* libFuzzer target: any bytes as an image, opened without its checksum, checked with all data decoded, and reported on. */
#include "fuzz.h"

#include "erolith.h"

static void ignore_finding(void *context, const struct ero_finding *finding)
{
	(void)context;
	(void)finding;
}

static void look_at(struct ero_image *image)
{
	struct ero_check_options options = { .data = true, .workers = 1, .finding = ignore_finding };
	struct ero_check_result result;
	struct ero_error err;
	FILE *nowhere = fopen("/dev/null", "w");

	ero_check(image, &options, &result, &err);
	if (nowhere) {
		ero_report_superblock(image, ERO_REPORT_JSON, nowhere, &err);
		ero_report_statistics(image, ERO_REPORT_TEXT, nowhere, &err);
		ero_report_footprint(image, NULL, ERO_REPORT_TEXT, nowhere, &err);
		fclose(nowhere);
	}
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	struct ero_open_options options = { .ignore_checksum = true };
	struct ero_image *image;
	char path[64];
	int fd = fuzz_file(data, size, path);

	if (!ero_image_open(path, &options, &image, NULL)) {
		look_at(image);
		ero_image_close(image);
	}
	close(fd);
	return 0;
}
