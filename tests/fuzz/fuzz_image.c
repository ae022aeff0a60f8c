// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: any bytes as an image, opened without its checksum, checked with all data decoded, and counted.
 *    CC=clang ../configure --enable-fuzzing --disable-shared --enable-static && make tests/fuzz/fuzz_image
 *    tests/fuzz/fuzz_image -max_len=65536 CORPUS      (seeds: small images that mkfs.erofs makes)
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
		fclose(nowhere);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ero_open_options options = { .ignore_checksum = true };
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct ero_image *image;
	char path[64];

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && !ero_image_open(path, &options, &image, NULL)) {
		look_at(image);
		ero_image_close(image);
	}
	close(fd);
	return 0;
}
